"""The packages that only films need, imported when the first one comes."""

import importlib

from ..errors import ColornetError

__all__ = ['import_package']


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
        raise ColornetError("video needs the package %s (%s): pip install "
                            "'.[video]' in colornet's folder" % (
                                {'cv2': 'opencv-python-headless'}.get(
                                    name, name), error))
