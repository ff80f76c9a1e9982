"""Which engines compute networks here; without importing any.

Theano trains and predicts; ONNX Runtime predicts where Theano cannot be;
PyTorch does both, on GPUs that Theano is not for.
"""

import importlib.util
import sys
from importlib import metadata
from pathlib import Path

from ..errors import ColornetError, TheanoMissing

__all__ = ['DEVICES', 'ENGINES', 'ONNX_SUFFIX', 'choose_engine',
           'choose_trainer', 'describe_engines', 'is_onnx', 'missing_onnx',
           'missing_theano']

#: Name -> the packages that it consists of, the default first.
ENGINES = {'theano': ('Theano', 'Lasagne'), 'onnx': ('onnx', 'onnxruntime'),
           'pytorch': ('torch',)}

#: What PyTorch may compute with; ``auto`` is the first of the others that is
#: there.
DEVICES = ('auto', 'cuda', 'mps', 'cpu')

#: Of networks that only ONNX Runtime takes.
ONNX_SUFFIX = '.onnx'


def missing_theano():
    """Why Theano cannot be imported: words after "Theano, "; '' if it can."""
    if not _missing('theano'):
        return ''
    if sys.version_info >= (3, 12):
        return 'which needs Python 3.8 to 3.11; "make python" fetches one'
    return "which is not installed: pip install . in colornet's folder"


def missing_onnx():
    """Why ONNX Runtime cannot be imported, or ''."""
    for name in _missing('onnx'):
        return ("ONNX needs the package %s: pip install '.[onnx]' in "
                "colornet's folder" % name)
    return ''


def _missing(engine):
    return [name for name in ENGINES[engine]
            if importlib.util.find_spec(name.lower()) is None]


def is_onnx(network):
    """Whether a network's file is one for ONNX Runtime only.

    Parameters
    ----------
    network : str or Path or None

    Returns
    -------
    bool
    """
    return (network is not None and
            Path(network).suffix.lower() == ONNX_SUFFIX)


def choose_engine(engine=None, network=None):
    """The engine that predicts.

    Parameters
    ----------
    engine : str, optional
        One of :data:`ENGINES`. If not given, Theano where it is installed,
        unless the network is an ONNX file.
    network : str or Path, optional

    Returns
    -------
    str

    Raises
    ------
    ColornetError
        If there is no such engine, or it does not take this network.
    """
    if engine is None:
        return 'onnx' if is_onnx(network) or missing_theano() else 'theano'
    if engine not in ENGINES:
        raise ColornetError('engine must be %s, not %r' % (
            ' or '.join(map(repr, ENGINES)), engine))
    if engine != 'onnx' and is_onnx(network):
        raise ColornetError('%s is for ONNX Runtime; %s takes .h5 files and '
                            'run folders' % (network, {
                                'theano': 'Theano',
                                'pytorch': 'PyTorch'}[engine]))
    return engine


def choose_trainer(engine=None):
    """The engine that trains.

    Parameters
    ----------
    engine : 'theano' or 'pytorch', optional
        If not given, Theano where it is installed, else PyTorch.

    Returns
    -------
    str

    Raises
    ------
    ColornetError
        If it is not installed, or neither is.
    """
    without_theano = missing_theano()
    if engine is None:
        if without_theano and _missing('pytorch'):
            raise ColornetError("training needs PyTorch: pip install "
                                "'.[pytorch]' in colornet's folder; or "
                                'Theano, ' + without_theano)
        return 'pytorch' if without_theano else 'theano'
    if engine == 'theano' and without_theano:
        raise TheanoMissing('--engine theano', without_theano)
    return engine


def describe_engines():
    """What engines there are, in lines of text."""
    default = choose_engine()
    lines = ['engines:']
    for engine, packages in ENGINES.items():
        missing = _missing(engine)
        lines.append('  %-9s %s' % (engine, ', '.join(
            '%s is missing' % name if name in missing else '%s %s' % (
                name, _version(name)) for name in packages) + (
                    ' (default)' if engine == default else '')))
    return lines


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        # It came by another name, as onnxruntime-gpu does, or as a folder.
        return 'of unknown version'
