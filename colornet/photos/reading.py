"""Reading of photos: files of any mode become upright arrays in sRGB."""

import os
import stat

import numpy as np

from ..color import as_uint8
from ..formats.decoding import PAGES, decode_photo, page_numbers
from ..formats.photo import ImageError, Photo
from .pixels import is_grey, resize

__all__ = ['LONGEST', 'MIN_SIDE', 'PAGES', 'ImageError', 'Photo',
           'check_colours', 'check_sides', 'decode_photo', 'open_photo',
           'photo_pages', 'read_colours', 'read_photo', 'read_rgb']

#: The longer side of a photo that keeps its proportions, as a multiple of the
#: shorter one: what is beyond, at both ends, is cut off.
LONGEST = 1.5

#: Pixels that a photo of a data set must have on its shorter side: there is
#: nothing to learn from an icon.
MIN_SIDE = 16


def read_photo(path, page=None):
    """Read a photo of any size and mode.

    Pixels are what the file says: samples of any type (see
    :func:`colornet.formats.arrays.to_levels`), planes, alpha, palettes, inks;
    its colour profile is applied, so that they are sRGB. More than 8 bits
    stay 16. Of an animation, the first frame is read, of several pages of a
    TIFF, the one with the most pixels.

    Parameters
    ----------
    path : str or Path
    page : int, optional
        One of :func:`photo_pages`.

    Returns
    -------
    Photo

    Raises
    ------
    ImageError
        If it is missing, not a file, not readable, not an image, truncated
        (a part of a photo is never returned), of more than 178 million
        pixels or of a kind that needs a package which is not installed.
    """
    with open_photo(path) as stream:
        return decode_photo(stream, path, page)


def open_photo(path):
    """Open a file; what is none is refused.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    binary file

    Raises
    ------
    ImageError
    """
    try:
        # Opening a pipe would wait for its writer.
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(path, 'a folder, not an image file')
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(path, 'not a regular file')
        return open(path, 'rb')
    except FileNotFoundError as error:
        raise ImageError(path, 'link to nothing' if os.path.islink(path)
                         else error.strerror.lower())
    except OSError as error:
        raise ImageError(path, error.strerror.lower())


def photo_pages(path, pages='all'):
    """Which pages of a file are to be coloured.

    Parameters
    ----------
    path : str or Path
    pages : 'all' or 'largest'

    Returns
    -------
    list of int
        As of :func:`colornet.formats.decoding.page_numbers`.

    Raises
    ------
    ColornetError
        As :func:`read_photo`, or if there is no such choice of pages.
    """
    with open_photo(path) as stream:
        return page_numbers(stream, path, pages)


def read_rgb(path, size, largest=None):
    """Read a photo of a data set at the size of the network (paper, 4, 3.1).

    Parameters
    ----------
    path : str or Path
    size : int
        Rows and columns. The whole photo is squeezed into the square, as
        the paper scales to 224 x 224 (choice 17); transparency shows white.
    largest : int, optional
        Keep the proportions: a shorter side beyond `largest` becomes
        `largest`, one below `size` becomes `size`; of the longer side, the
        central part is kept, up to :data:`LONGEST` times the shorter one.

    Returns
    -------
    ndarray of uint8, (size, size, 3); (rows, columns, 3) with `largest`
        Upright sRGB.

    Raises
    ------
    ImageError
        As :func:`read_photo`, or if a side has fewer than `MIN_SIDE` pixels.
    """
    photo = read_photo(path)
    pixels = photo.pixels
    check_sides(path, pixels)
    if photo.alpha is not None:
        pixels, alpha = as_uint8(pixels), as_uint8(photo.alpha)
        alpha = alpha if pixels.ndim == 2 else alpha[..., None]
        pixels = 255 - ((255 - pixels) * (alpha / np.float32(255)))
        pixels = (pixels + 0.5).astype(np.uint8)
    shape = size, size
    if largest is not None:
        pixels = _cut_ends(pixels)
        shorter = min(pixels.shape[:2])
        side = min(largest, max(shorter, size))
        shape = [int(round(length * side / shorter))
                 for length in pixels.shape[:2]]
    pixels = as_uint8(resize(pixels, shape))
    return pixels if pixels.ndim == 3 else np.stack([pixels] * 3, axis=-1)


def read_colours(path):
    """Read a photo that colours can be compared with.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    ndarray of uint8, (rows, columns, 3)

    Raises
    ------
    ImageError
        As :func:`read_photo`, or if it is small or has no colours.
    """
    pixels = as_uint8(read_photo(path).pixels)
    check_sides(path, pixels)
    check_colours(path, pixels)
    return pixels


def check_sides(path, pixels):
    """Refuse a photo with a side of fewer than :data:`MIN_SIDE` pixels.

    Raises
    ------
    ImageError
    """
    rows, columns = pixels.shape[:2]
    if min(rows, columns) < MIN_SIDE:
        raise ImageError(path, 'too small (%d x %d pixels), at least %d a '
                               'side are needed' % (columns, rows, MIN_SIDE))


def check_colours(path, pixels):
    """Refuse a photo that shows no colour anywhere.

    Raises
    ------
    ImageError
    """
    if pixels.ndim == 2 or is_grey(pixels):
        raise ImageError(path, 'grey, it has no colours')


def _cut_ends(pixels):
    """The central part, at most :data:`LONGEST` times as long as wide."""
    rows, columns = pixels.shape[:2]
    longest = int(LONGEST * min(rows, columns))
    top, left = [max(0, length - longest) // 2 for length in (rows, columns)]
    return pixels[top:top + longest, left:left + longest]
