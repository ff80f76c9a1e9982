"""What a decoded photo is, and the error of a file that is none."""

import re
from dataclasses import dataclass, field
from typing import Optional, Tuple

import numpy as np
from PIL import Image

from ..errors import ColornetError
from .metadata import Metadata

__all__ = ['MOST_IN_A_BYTE', 'MOST_OF_SCANS', 'ImageError', 'Photo',
           'check_size', 'damage', 'limit_pixels']

# Pixels that a file of any length may have.
_LARGE = 25000000

#: Pixels that a byte may stand for in larger ones: of photos, a hundred. A
#: JPEG that is all grey has 250, a blank scan 8,000.
MOST_IN_A_BYTE, MOST_OF_SCANS = 1000, 10000


@dataclass(eq=False)
class Photo:
    """A decoded photo.

    Attributes
    ----------
    pixels : ndarray
        Upright, in sRGB: grey (rows, columns) or colour (rows, columns, 3);
        uint8, or uint16 where the file has more than 8 bits.
    alpha : ndarray of uint8 or uint16, (rows, columns), or None
        Upright; of the type of the pixels.
    orientation : int
        EXIF orientation, 1 to 8, in which the file stores it.
    metadata : Metadata
        What else the file says.
    format : str
        Name of the file format, as Pillow has it.
    has_more : bool
        Whether the file holds more frames or pages than this one.
    compression : int
        TIFF's number of that of a TIFF file; 1 (none) for other files.
    notes : tuple of str
        What in the file could not be followed, each a line.
    """

    pixels: np.ndarray
    alpha: Optional[np.ndarray] = None
    orientation: int = 1
    metadata: Metadata = field(default_factory=Metadata)
    format: str = ''
    has_more: bool = False
    compression: int = 1
    notes: Tuple[str, ...] = ()


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
        self.reason = ' '.join(str(reason).split())

    def __str__(self):
        return '%s: %s' % (self.path, self.reason)


def damage(error, part):
    """Why a file cannot be decoded.

    Not in the words of libraries, which are about their code.

    Parameters
    ----------
    error : Exception
        A library's.
    part : str
        What it could not decode, such as 'its pixels'.

    Returns
    -------
    str
    """
    text = str(error)
    if text.startswith('Unsupported BMP'):
        return 'of a kind that is not read (%s)' % text
    if re.search(r'truncated|incomplete|only got|failed to read \d',
                 text.lower()):
        return 'truncated file'
    return 'damaged file (%s cannot be decoded)' % part


def limit_pixels(largest):
    """Refuse photos of more pixels from now on, in all of this process.

    Parameters
    ----------
    largest : int
    """
    # Pillow's own limit, which is twice what it warns of.
    Image.MAX_IMAGE_PIXELS = largest / 2


def check_size(name, rows, columns, num_bytes=None,
               most_in_a_byte=MOST_IN_A_BYTE):
    """Refuse a photo that would not fit into memory.

    Parameters
    ----------
    name : str or Path
    rows, columns : int
    num_bytes : int, optional
        Of the file: a large photo in too few of them is none.
    most_in_a_byte : int
        Pixels that one of them may stand for, if there are many.

    Raises
    ------
    ImageError
    """
    limit = int(2 * Image.MAX_IMAGE_PIXELS)
    if rows * columns > limit:
        raise ImageError(name, 'too large, more than %s (--max-pixels)' % (
            '%d pixels' % limit if limit < 10000000 else
            '%d million pixels' % (limit // 1000000)))
    if num_bytes is not None and rows * columns > max(
            _LARGE, most_in_a_byte * num_bytes):
        raise ImageError(name, 'too large for a file of %d bytes' % num_bytes)
