"""Where things are: what ships with the project, and what it keeps for later.

The environment may say otherwise, but only where a program's ``main`` takes it
over by :func:`take_environment`: what is imported from Python does not depend
on it.
"""

import sys
from pathlib import Path

from .errors import ColornetError

__all__ = ['ROOT', 'cache_folder', 'find_resource', 'image_commit',
           'take_environment']

#: The checkout, or where the package is installed.
ROOT = Path(__file__).resolve().parents[1]

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
    """Where decoded photos are kept.

    Returns
    -------
    Path
        ``~/.cache/colornet`` unless the environment told another.
    """
    if 'COLORNET_CACHE' in _environment:
        return Path(_environment['COLORNET_CACHE'])
    return Path(_environment.get('XDG_CACHE_HOME') or
                Path.home() / '.cache') / 'colornet'


def image_commit():
    """The commit that a container's image was made of, or None."""
    return _environment.get('COLORNET_COMMIT')
