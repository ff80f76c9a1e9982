"""Photos in folders: by their suffix, through links, nothing in silence."""

import os
from pathlib import Path

from ..formats.optional import RAW_SUFFIXES
from ..formats.photo import ImageError

__all__ = ['IMAGE_SUFFIXES', 'find_images', 'is_photo']

#: Suffixes, in lower case, of the files that are taken from a folder: of all
#: formats that are read, with the packages that some need.
IMAGE_SUFFIXES = {
    '.jpg', '.jpeg', '.jpe', '.jfif', '.jif', '.png', '.apng', '.tif',
    '.tiff', '.btf', '.tf8', '.bmp', '.dib', '.webp', '.gif', '.ppm', '.pgm',
    '.pbm', '.pnm', '.pfm', '.jp2', '.j2k', '.j2c', '.jpc', '.jpf', '.jpx',
    '.heic', '.heif', '.hif', '.avif'} | RAW_SUFFIXES


def is_photo(path):
    """Whether a file has the suffix of a photo, and is not hidden.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    bool
    """
    path = Path(path)
    return (path.suffix.lower() in IMAGE_SUFFIXES and
            not path.name.startswith('.'))


def find_images(folder, on_error=None, follow_links=False, on_other=None):
    """Image files in a folder and the folders below it, by their suffix.

    Parameters
    ----------
    folder : str or Path
    on_error : callable, optional
        Takes the ImageError of a folder that cannot be listed; the others
        are still listed. Without it, the error is raised.
    follow_links : bool
        Also look into folders that are links, but not into one folder twice.
        A link to nothing is an error, unless it has the name of a photo.
    on_other : callable, optional
        Takes the path of each file that is left out.

    Returns
    -------
    list of Path
        Sorted. Hidden files and folders are left out.

    Raises
    ------
    ImageError
        If a folder is missing or cannot be listed.
    """
    def fail(path, reason):
        error = ImageError(path, reason)
        if on_error is None:
            raise error
        on_error(error)

    def report(error):
        fail(error.filename, 'cannot list this folder (%s)'
             % error.strerror.lower())

    found, seen, pending = [], set(), [folder]
    while pending:
        start = pending.pop(0)
        if os.path.realpath(start) in seen:
            continue
        for parent, folders, names in os.walk(start, onerror=report):
            seen.add(os.path.realpath(parent))
            paths = [os.path.join(parent, name) for name in sorted(folders)
                     if not name.startswith('.')]
            if follow_links:
                # After all that is no link, which thus keeps its own name.
                pending += filter(os.path.islink, paths)
            folders[:] = [Path(path).name for path in paths
                          if os.path.realpath(path) not in seen]
            for name in names:
                path = Path(parent, name)
                if is_photo(path):
                    found.append(path)
                elif name.startswith('.'):
                    continue
                elif follow_links and not os.path.exists(path):
                    fail(path, 'link to nothing')
                elif on_other is not None:
                    on_other(path)
    return sorted(found)
