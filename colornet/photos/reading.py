"""Reading of photos: files of any mode become upright arrays in sRGB."""

import io
import os
import stat
import warnings
from dataclasses import dataclass
from typing import Optional

import numpy as np
from PIL import Image, ImageCms

from ..color import as_uint8
from ..errors import ColornetError
from .pixels import is_grey, resize, to_upright

__all__ = ['LONGEST', 'MIN_SIDE', 'ImageError', 'Photo', 'check_colours',
           'check_sides', 'decode_photo', 'limit_pixels', 'open_photo',
           'read_photo', 'read_rgb']

#: The longer side of a photo that keeps its proportions, as a multiple of the
#: shorter one: what is beyond, at both ends, is cut off.
LONGEST = 1.5

#: Pixels that a photo of a data set must have on its shorter side: there is
#: nothing to learn from an icon.
MIN_SIDE = 16

# Pillow could also read formats that start other programs (EPS).
_READ_FORMATS = ('JPEG', 'PNG', 'TIFF', 'WEBP', 'BMP', 'GIF', 'PPM',
                 'JPEG2000')

_ORIENTATION = 0x0112

# TIFF keeps the layout of the file among the tags that describe the photo;
# these must not be carried to another file: sizes, compression, strips,
# tiles, palettes, colour profile, other programs' private blocks.
_TIFF_LAYOUT_TAGS = (set(range(254, 267)) | set(range(317, 348))
                     | {273, 277, 278, 279, 280, 281, 284, 292, 293, 301,
                        512, 513, 514, 529, 530, 531, 532, 700, 33723,
                        34377, 34675, 37724})


@dataclass(eq=False)
class Photo:
    """A decoded photo.

    Attributes
    ----------
    pixels : ndarray
        Upright; uint8 (rows, columns, 3) in sRGB, or grey uint8 or uint16
        (rows, columns).
    alpha : ndarray of uint8, (rows, columns), or None
        Upright.
    orientation : int
        EXIF orientation, 1 to 8, in which the file stores it.
    exif : bytes
        The EXIF block without its thumbnail; may be empty.
    format : str
        Pillow's name of the file format.
    has_more : bool
        Whether the file holds more frames or pages than this one.
    """

    pixels: np.ndarray
    alpha: Optional[np.ndarray] = None
    orientation: int = 1
    exif: bytes = b''
    format: str = ''
    has_more: bool = False


class ImageError(ColornetError):
    """A file that cannot be read or written as a photo.

    The text is ``<path>: <reason>``, one line; both are attributes.

    Parameters
    ----------
    path : str or Path
        Or another name of the photo.
    reason : str
    """

    def __init__(self, path, reason):
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self):
        return '%s: %s' % (self.path, self.reason)


def read_photo(path):
    """Read a photo of any size and mode.

    Colour profiles are applied, so that the pixels are sRGB, and dropped;
    a profile that does not fit the photo is ignored. Of an animation, the
    first frame is read. Colours of more than 8 bits are reduced to 8, greys
    are kept in 16 bits.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Photo

    Raises
    ------
    ImageError
        If it is missing, not a file, not readable, not an image, truncated
        (a part of a photo is never returned) or of more than 178 million
        pixels.
    """
    with open_photo(path) as stream:
        return decode_photo(stream, path)


def decode_photo(source, name):
    """Decode a photo from memory or from an open file.

    Parameters
    ----------
    source : bytes or binary file
        The whole file; it must be seekable.
    name : str or Path
        What errors call it.

    Returns
    -------
    Photo
        As of :func:`read_photo`.

    Raises
    ------
    ImageError
        If it is no image, truncated or too large.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        source = io.BytesIO(source)
    image, orientation, exif, has_more = _load(source, name)
    still_to_turn, _ = _read_exif(image)
    pixels, alpha = _decode(image)
    pixels = to_upright(pixels, still_to_turn)
    if alpha is not None:
        alpha = to_upright(alpha, still_to_turn)
    return Photo(pixels, alpha=alpha, orientation=orientation, exif=exif,
                 format=image.format, has_more=has_more)


def limit_pixels(largest):
    """Refuse photos of more pixels from now on, in all of this process.

    Parameters
    ----------
    largest : int
    """
    # Pillow allows twice as many as it warns of.
    Image.MAX_IMAGE_PIXELS = largest / 2


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
        alpha = photo.alpha if pixels.ndim == 2 else photo.alpha[..., None]
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
    except OSError as error:
        raise ImageError(path, error.strerror.lower())


def _load(stream, name):
    """Loaded Pillow image, orientation, EXIF block, whether there are more."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            if not stream.read(1):
                raise ImageError(name, 'empty file')
            image = Image.open(stream, formats=_READ_FORMATS)
            if image.format == 'PNG':
                # Otherwise Pillow leaves what follows a damage black.
                image.verify()
                image = Image.open(stream, formats=_READ_FORMATS)
            # Now, because load() already turns a TIFF upright.
            orientation, exif = _read_exif(image)
            image.load()
            has_more = _has_more(stream)
        except (ImageError, MemoryError):
            raise
        except Image.UnidentifiedImageError:
            raise ImageError(name, 'not an image file (JPEG, PNG, TIFF, WebP, '
                                   'BMP, GIF, PPM or JPEG 2000)')
        except Image.DecompressionBombError:
            limit = int(2 * Image.MAX_IMAGE_PIXELS)
            raise ImageError(name, 'too large, more than %s (--max-pixels)' % (
                '%d pixels' % limit if limit < 10000000 else
                '%d million pixels' % (limit // 1000000)))
        # Pillow's decoders raise almost anything on damaged files: OSError,
        # SyntaxError, ValueError, struct.error, KeyError, ...
        except Exception as error:
            truncated = 'truncated' in str(error).lower()
            raise ImageError(name, 'truncated file' if truncated
                             else 'damaged file (%s)' % error)
    return image, orientation, exif, has_more


def _has_more(stream):
    """Whether a file holds further frames or pages.

    Not so the second picture that cameras put behind a JPEG.
    """
    try:
        image = Image.open(stream, formats=['GIF', 'PNG', 'TIFF', 'WEBP'])
        image.seek(1)
    except Exception:  # none, or none that can be read
        return False
    return True


def _read_exif(image):
    """Orientation, 1 to 8, and EXIF block of an open image."""
    try:
        exif = image.getexif()
        orientation = exif.get(_ORIENTATION, 1)
    except Exception:  # damaged EXIF does not make the photo unreadable
        return 1, b''
    if orientation not in range(1, 9):
        orientation = 1
    if image.format == 'TIFF':
        for tag in _TIFF_LAYOUT_TAGS.intersection(exif):
            del exif[tag]
    if not exif:
        return 1, b''
    try:
        return orientation, exif.tobytes()
    except Exception:  # damaged, but for the orientation
        exif = Image.Exif()
        exif[_ORIENTATION] = orientation
        return orientation, exif.tobytes()


def _decode(image):
    """Pixels and alpha, as of :class:`Photo`, of a loaded Pillow image."""
    if image.mode[0] == 'I' or image.mode == 'F':
        return _deep_grey(np.array(image), image.format), None
    grey = image.mode in ('1', 'L', 'LA', 'La')
    alpha = None
    if image.mode[-1] in 'Aa' or 'transparency' in image.info:
        image = image.convert('LA' if grey else 'RGBA')
        alpha = np.array(image.getchannel('A'))
    if image.mode != 'CMYK':
        image = image.convert('L' if grey else 'RGB')
    return np.array(_to_srgb(image).convert('L' if grey else 'RGB')), alpha


def _deep_grey(values, format):
    """uint16 greys of pixels whose format does not always say what white is.

    Floating point numbers count to 1, or beyond it to 255, to 65535 or to
    the largest of the photo. So do 32-bit integers, from 255 on; where they
    are not of a TIFF, Pillow has made them count to 65535.
    """
    if values.dtype.itemsize == 2:
        return values.astype(np.uint16)
    values = np.nan_to_num(values)
    whites = [255, 65535, values.max()]
    if values.dtype.kind == 'f':
        whites.insert(0, 1)
    elif format != 'TIFF':
        whites.remove(255)
    white = next(white for white in whites if values.max() <= white)
    return (values.clip(0, None) * (65535. / white) + 0.5).astype(np.uint16)


def _to_srgb(image):
    """Apply and drop the colour profile of an L, RGB or CMYK image."""
    if not image.info.get('icc_profile'):
        return image
    try:
        profile = ImageCms.ImageCmsProfile(
            io.BytesIO(image.info['icc_profile']))
        if 'sRGB' in ImageCms.getProfileDescription(profile):
            return image
        return ImageCms.profileToProfile(
            image, profile, ImageCms.createProfile('sRGB'), outputMode='RGB')
    except (OSError, ImageCms.PyCMSError):
        return image  # a damaged profile, or one for other channels
