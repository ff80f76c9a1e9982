"""Writing of photos and sheets, each completely or not at all."""

import io
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from ..color import as_uint8
from ..files import make_folder, replacing
from .pixels import to_stored
from .reading import ImageError

__all__ = ['check_suffix', 'encode_photo', 'output_suffix', 'save_image',
           'write_bytes', 'write_photo']


@dataclass(frozen=True)
class _Encoding:
    """A format, and Pillow's options for it."""

    format: str
    options: dict = field(default_factory=dict)
    holds_alpha: bool = False
    holds_exif: bool = False


# 4:4:4 (subsampling 0): the colours are what this program makes.
_JPEG = _Encoding('JPEG', {'quality': 95, 'subsampling': 0}, holds_exif=True)
_PNG = _Encoding('PNG', holds_alpha=True, holds_exif=True)
# Uncompressed, for the sake of EXIF.
_TIFF = _Encoding('TIFF', holds_alpha=True, holds_exif=True)
_WEBP = _Encoding('WEBP', {'quality': 95}, holds_alpha=True, holds_exif=True)
_BMP = _Encoding('BMP')
_PPM = _Encoding('PPM')

_ENCODINGS = {'.jpg': _JPEG, '.jpeg': _JPEG, '.png': _PNG, '.tif': _TIFF,
              '.tiff': _TIFF, '.webp': _WEBP, '.bmp': _BMP, '.ppm': _PPM}


def check_suffix(path):
    """Refuse a path that :func:`save_image` would refuse.

    Raises
    ------
    ImageError
        If its suffix stands for no format.
    """
    _encoding(Path(path).suffix, path)


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


def write_photo(path, rgb, photo, quality=None):
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
    quality : int, optional
        1 to 100, for formats that lose something.

    Raises
    ------
    ImageError
        If the format cannot hold the photo.
    OSError
        If the disk cannot.
    """
    write_bytes(path, encode_photo(rgb, photo, Path(path).suffix, path,
                                   quality))


def encode_photo(rgb, photo, suffix, name=None, quality=None):
    """Encode a colorized photo in memory, as :func:`write_photo` writes it.

    Parameters
    ----------
    rgb : ndarray, (rows, columns, 3)
        Upright sRGB; uint8, or floating point in [0, 1].
    photo : Photo
        As it was read.
    suffix : str
        Of a file in the format that is wanted, such as '.jpg'.
    name : str or Path, optional
        What errors call the photo.
    quality : int, optional
        1 to 100, for formats that lose something.

    Returns
    -------
    bytes

    Raises
    ------
    ImageError
        If the format cannot hold the photo, or there is none.
    """
    name = name or 'photo' + suffix
    encoding = _encoding(suffix, name)
    pixels = as_uint8(rgb)
    if photo.alpha is not None:
        if not encoding.holds_alpha:
            raise ImageError(name, '%s cannot hold the transparency of this '
                                   'photo, use .png' % encoding.format)
        pixels = np.dstack([pixels, photo.alpha])
    options = {}
    if encoding.holds_exif and photo.exif:
        pixels = to_stored(pixels, photo.orientation)
        options['exif'] = photo.exif
    if quality is not None and 'quality' in encoding.options:
        options['quality'] = quality
    return _encode(Image.fromarray(pixels), encoding, name, options)


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
    encoding = _encoding(Path(path).suffix, path)
    write_bytes(path, _encode(image, encoding, path, options))


def _encode(image, encoding, name, options):
    """Bytes of a Pillow image.

    In memory first: it tells the faults of a photo from those of the disk,
    of which Pillow's encoders do not give the reason.
    """
    encoded = io.BytesIO()
    try:
        image.save(encoded, encoding.format, **dict(encoding.options,
                                                    **options))
    except (OSError, ValueError, RuntimeError, struct.error) as error:
        raise ImageError(name, 'cannot be encoded as %s (%s)'
                         % (encoding.format, error))
    return encoded.getvalue()


def write_bytes(path, content):
    """Write a file, completely or not at all.

    Parameters
    ----------
    path : str or Path
        Its folder is made if it is missing.
    content : bytes

    Raises
    ------
    OSError
        If the disk cannot.
    """
    make_folder(Path(path).parent)
    with replacing(path) as temporary:
        Path(temporary).write_bytes(content)


def _encoding(suffix, name):
    """Encoding that a suffix stands for."""
    try:
        return _ENCODINGS[suffix.lower()]
    except KeyError:
        raise ImageError(name, 'unknown suffix "%s" of the output, use one '
                               'of %s' % (suffix,
                                          ' '.join(sorted(_ENCODINGS))))
