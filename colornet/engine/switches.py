"""The speed-ups, and which of them are wanted; without Theano.

All are, but those that :mod:`.backend` switches off, because the environment
variable names them, and those that a program does without for a while.
"""

import contextlib
from dataclasses import dataclass
from typing import Tuple

from ..errors import ColornetError

__all__ = ['Speedup', 'SPEEDUPS', 'VARIABLE', 'wanted', 'switch_off',
           'without']

#: Environment variable: the speed-ups to leave out, separated by commas.
VARIABLE = 'COLORNET_WITHOUT'


@dataclass(frozen=True)
class Speedup:
    """One of :data:`SPEEDUPS`.

    Attributes
    ----------
    name : str
        That switches it off.
    what : str
        What it does, for ``colornet info``.
    source : str
        Its C++ code, ``cpp/<source>.cpp``, if it has some.
    links : tuple of str
        Libraries that the code is linked with; ``<link>.h*`` are headers.
    packages : tuple of str
        What brings these by pip; without, they are the system's.
    install : str
        What to tell where they are missing.
    blas : bool
        Whether the code is linked with Theano's BLAS.
    float32 : bool
        Whether it is for maps of float32 only.
    needs : str
        The speed-up of which it is a part, if it is.
    """

    name: str
    what: str
    source: str = ''
    links: Tuple[str, ...] = ()
    packages: Tuple[str, ...] = ()
    install: str = ''
    blas: bool = False
    float32: bool = False
    needs: str = ''


#: All of them, by name: they change no result (docs/speed.rst).
SPEEDUPS = {speedup.name: speedup for speedup in (
    Speedup(name='stack',
            what='convolution of the upscaled stack part by part'),
    Speedup(name='kernels',
            what='batch normalization, cross-entropy, upscaling, '
                 'mean-pooling and argmax in C++', source='kernels'),
    Speedup(name='strips',
            what='convolutions by BLAS, in strips that fit the cache',
            source='strips', blas=True, float32=True),
    Speedup(name='onednn', what='convolutions by oneDNN',
            source='onednn', links=('dnnl',), float32=True,
            packages=('onednn-devel-cpu-gomp', 'onednn-cpu-gomp'),
            install='oneDNN is not installed (pip install '
                    'onednn-cpu-gomp==2023.0.0 '
                    'onednn-devel-cpu-gomp==2023.0.0, or apt-get install '
                    'libdnnl-dev)'),
    Speedup(name='winograd',
            what="Winograd's algorithm for 3x3 convolutions", needs='onednn'),
    Speedup(name='memory',
            what='memory that a training frees is kept for its next step'))}

#: Those that are off: in this process; within each :func:`without`.
_switched_off = [frozenset()]


def wanted(name):
    """Whether a speed-up is not switched off.

    Parameters
    ----------
    name : str
        One of :data:`SPEEDUPS`.

    Returns
    -------
    bool
    """
    return name not in _switched_off[-1]


def switch_off(names):
    """Do without speed-ups in this process, but with all others.

    Parameters
    ----------
    names : iterable of str

    Raises
    ------
    ColornetError
        If there is no such speed-up.
    """
    _switched_off[0] = _existing(names)


@contextlib.contextmanager
def without(*names):
    """With all speed-ups but some, whatever is switched off elsewhere.

    What is built or compiled within a ``with`` statement stays as it is.

    Parameters
    ----------
    names : str

    Raises
    ------
    ColornetError
        If there is no such speed-up.
    """
    _switched_off.append(_existing(names))
    try:
        yield
    finally:
        _switched_off.pop()


def _existing(names):
    names = list(names)
    for name in names:
        if name not in SPEEDUPS:
            raise ColornetError('%s: no such speed-up; there are %s'
                                % (name, ', '.join(SPEEDUPS)))
    return frozenset(names)
