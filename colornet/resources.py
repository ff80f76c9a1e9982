"""What there is: what ships with the project, what it keeps, processors.

The environment may say otherwise, but only where a program's ``main`` takes it
over by :func:`take_environment`: what is imported from Python does not depend
on it.
"""

import os
import sys
from collections import OrderedDict
from pathlib import Path

from .errors import ColornetError

__all__ = ['DEFAULT_NETWORK', 'EVERYDAY', 'ROOT', 'SHIPPED_NETWORKS',
           'cache_folder', 'chose_cache', 'find_resource', 'image_commit',
           'num_processors', 'take_environment', 'weights_file']

#: The checkout, or where the package is installed.
ROOT = Path(__file__).resolve().parents[1]

#: The network for photos of all kinds.
EVERYDAY = 'everyday'

#: Trained networks that ship: name -> what it is. ``weights/<name>.h5`` is
#: the network, ``experiments/<name>.ini`` its training. Those called
#: ``cvcl_<row>`` are rows of Table 2, in this order; there must be the first
#: two.
SHIPPED_NETWORKS = OrderedDict([
    ('cvcl_classification', "the paper's classification network"),
    ('cvcl_regression', "the paper's regression network"),
    ('cvcl_classification_2017', 'classification by another seed'),
    ('cvcl_regression_l2', 'regression by the squared distance (5.2)'),
    ('cvcl_best', 'classification with what helped beyond the paper'),
    ('cvcl_best_regression', 'regression with the same'),
    (EVERYDAY, 'colours photos unless another network is named'),
])


def num_processors():
    """How many of them this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # Linux alone has it.
        return os.cpu_count() or 1


def weights_file(name):
    """The resource of a network of :data:`SHIPPED_NETWORKS`."""
    return 'weights/%s.h5' % name


#: The network that colours photos unless another is named.
DEFAULT_NETWORK = weights_file(EVERYDAY)
#: What :func:`take_environment` was told.
_environment = {}


def find_resource(name):
    """Find a file that ships with the project.

    Parameters
    ----------
    name : str
        Such as ``weights/vgg16.pkl`` or ``experiments/defaults.ini``.

    Returns
    -------
    Path
        In the checkout, or where ``pip install`` puts it.

    Raises
    ------
    ColornetError
        If it is in neither.
    """
    folders = ROOT, Path(sys.prefix) / 'share' / 'colornet'
    for folder in folders:
        if (folder / name).exists():
            return folder / name
    raise ColornetError('%s is missing: it ships with the project, in %s'
                        % (name, folders[0]))


def take_environment(variables):
    """Let environment variables decide, for the ``main`` of programs.

    Parameters
    ----------
    variables : dict of str to str
        Such as ``os.environ``. ``COLORNET_CACHE`` is :func:`cache_folder`, or
        else ``colornet`` below ``XDG_CACHE_HOME``; ``COLORNET_COMMIT`` is
        :func:`image_commit`. What an earlier call told is forgotten.
    """
    _environment.clear()
    _environment.update(
        (name, variables[name]) for name in
        ('COLORNET_CACHE', 'COLORNET_COMMIT', 'XDG_CACHE_HOME')
        if variables.get(name))


def cache_folder():
    """Where decoded photos, and networks as ONNX Runtime takes them, are kept.

    Returns
    -------
    Path
        ``~/.cache/colornet`` unless the environment told another.
    """
    if 'COLORNET_CACHE' in _environment:
        return Path(_environment['COLORNET_CACHE'])
    return Path(_environment.get('XDG_CACHE_HOME') or
                Path.home() / '.cache') / 'colornet'


def chose_cache():
    """Whether the environment told of a :func:`cache_folder`."""
    return bool({'COLORNET_CACHE', 'XDG_CACHE_HOME'}.intersection(
        _environment))


def image_commit():
    """The commit that a container's image was made of, or None."""
    return _environment.get('COLORNET_COMMIT')
