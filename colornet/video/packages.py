"""The packages that only films need, imported when the first one comes."""

import importlib
import importlib.util

from ..errors import ColornetError

__all__ = ['import_package', 'missing_package']

#: As they are imported -> as they are installed.
_PACKAGES = {'av': 'av', 'cv2': 'opencv-python-headless'}


def import_package(name):
    """Import an optional package.

    Parameters
    ----------
    name : 'av' or 'cv2'

    Raises
    ------
    ColornetError
        If it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ColornetError(_line(name, ' (%s)' % error))


def missing_package():
    """Why there can be no films, or ''; imports nothing."""
    for name in _PACKAGES:
        if importlib.util.find_spec(name) is None:
            return _line(name)
    return ''


def _line(name, why=''):
    return ("video needs the package %s%s: pip install '.[video]' in "
            "colornet's folder" % (_PACKAGES[name], why))
