"""Writing of photos and sheets, each completely or not at all."""

import io
import struct
from collections import namedtuple
from pathlib import Path

import numpy as np
from PIL import Image

from ..files import make_folder, replacing
from .reading import ImageError, as_uint8, to_stored

__all__ = ['check_suffix', 'output_suffix', 'save_image', 'write_photo']

_Encoding = namedtuple('_Encoding', 'format options holds_alpha holds_exif')

# 4:4:4 (subsampling 0): the colours are what this program makes.
_JPEG = _Encoding('JPEG', {'quality': 95, 'subsampling': 0}, False, True)
_PNG = _Encoding('PNG', {}, True, True)
_TIFF = _Encoding('TIFF', {}, True, True)  # uncompressed, for the sake of EXIF
_WEBP = _Encoding('WEBP', {'quality': 95}, True, True)
_BMP = _Encoding('BMP', {}, False, False)
_PPM = _Encoding('PPM', {}, False, False)

_ENCODINGS = {'.jpg': _JPEG, '.jpeg': _JPEG, '.png': _PNG, '.tif': _TIFF,
              '.tiff': _TIFF, '.webp': _WEBP, '.bmp': _BMP, '.ppm': _PPM}


def check_suffix(path):
    """Refuse a path that :func:`save_image` would refuse.

    Raises
    ------
    ImageError
        If its suffix stands for no format.
    """
    _encoding(path)


def output_suffix(path, photo):
    """Suffix of the file that holds the colorized photo.

    Parameters
    ----------
    path : str or Path
        File that the photo was read from.
    photo : Photo, or None
        None: not read yet, so taken to be opaque.

    Returns
    -------
    str
        The suffix of `path`; or '.png', where that format cannot hold full
        colour, or the transparency of this photo.
    """
    suffix = Path(path).suffix
    encoding = _ENCODINGS.get(suffix.lower())
    opaque = photo is None or photo.alpha is None
    return suffix if encoding and (opaque or encoding.holds_alpha) else '.png'


def write_photo(path, rgb, photo):
    """Write a colorized photo beside what its file held: EXIF and alpha.

    The format follows the suffix. Where it can hold EXIF, the pixels are
    stored in the orientation of the original file, so that the stored size
    is the same too; otherwise upright. Always 8 bits a channel, also for a
    16-bit photo: Pillow writes no deeper colours.

    Parameters
    ----------
    path : str or Path
        Appears complete or not at all.
    rgb : ndarray, (rows, columns, 3)
        Upright sRGB; uint8, or floating point in [0, 1].
    photo : Photo
        As it was read.

    Raises
    ------
    ImageError
        If the format cannot hold the photo.
    OSError
        If the disk cannot.
    """
    encoding = _encoding(path)
    pixels = as_uint8(rgb)
    if photo.alpha is not None:
        if not encoding.holds_alpha:
            raise ImageError(path, f'{encoding.format} cannot hold the '
                                   f'transparency of this photo, use .png')
        pixels = np.dstack([pixels, photo.alpha])
    options = {}
    if encoding.holds_exif and photo.exif:
        pixels = to_stored(pixels, photo.orientation)
        options['exif'] = photo.exif
    save_image(path, Image.fromarray(pixels), **options)


def save_image(path, image, **options):
    """Save a Pillow image under its suffix, completely or not at all.

    Parameters
    ----------
    path : str or Path
        With a suffix that :func:`write_photo` knows; its folder is made if it
        is missing.
    image : PIL.Image.Image
    options
        Further options of the format, see Pillow.

    Raises
    ------
    ImageError
        If the format cannot hold the image.
    OSError
        If the disk cannot.
    """
    path = Path(path)
    encoding = _encoding(path)
    # Encoded in memory first: it tells the faults of a photo from those of
    # the disk, of which Pillow's encoders do not give the reason.
    encoded = io.BytesIO()
    try:
        image.save(encoded, encoding.format, **dict(encoding.options,
                                                    **options))
    except (OSError, ValueError, RuntimeError, struct.error) as error:
        raise ImageError(path, f'cannot be encoded as {encoding.format} '
                               f'({error})')
    make_folder(path.parent)
    with replacing(path) as temporary:
        Path(temporary).write_bytes(encoded.getbuffer())


def _encoding(path):
    """Encoding that the suffix of a path stands for."""
    suffix = Path(path).suffix
    try:
        return _ENCODINGS[suffix.lower()]
    except KeyError:
        raise ImageError(path, f'unknown suffix "{suffix}" of the output, use '
                               f'one of {" ".join(sorted(_ENCODINGS))}')
