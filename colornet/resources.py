"""What ships with the project, and where it is."""

import sys
from pathlib import Path

from .errors import ColornetError

__all__ = ['ROOT', 'find_resource']

#: The checkout, or where the package is installed.
ROOT = Path(__file__).resolve().parents[1]


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
