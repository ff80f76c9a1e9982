"""Photos that Pillow would reduce to 8 bits, or not read for having more."""

import functools
import re
import struct

import numpy as np

from .apart import guard_decoders
from .arrays import to_levels
from .photo import check_size, damage
from .quiet import without_lines
from .whole import is_whole_jpeg

__all__ = ['jpeg_headers', 'read_deep', 'read_deep_jpeg', 'read_pfm']

# JPEG's markers of frames: not of tables, nor reserved.
_FRAMES = set(range(0xc0, 0xcc)) - {0xc4, 0xc8}

# In the header of JPEG 2000: a palette, and colours that are not RGB.
_JP2_PALETTE, _SYCC = b'pclr', b'colr\1\0\0\0\0\0\x12'


def read_deep(image, content):
    """Levels of a photo of more than 8 bits.

    Parameters
    ----------
    image : PIL.Image.Image
        The photo as Pillow has opened it.
    content : bytes
        Of the file.

    Returns
    -------
    ndarray of uint16, (rows, columns, 1 to 4), or None
        None, if Pillow keeps all that there is.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    reader = {'PNG': _read_png, 'JPEG2000': _read_jpeg2000,
              'PPM': _read_ppm}.get(image.format)
    levels = reader(content, image) if reader else None
    if levels is None:
        return None
    return levels.reshape(levels.shape[:2] + (-1,))


def _read_png(content, image):
    if content[24] != 16:
        return None
    import imagecodecs
    try:
        with without_lines(b'PNG '):  # libpng's warnings and errors
            levels = imagecodecs.png_decode(_pixels_of_png(content))
    except (imagecodecs.PngError, RuntimeError) as error:
        raise ValueError(damage(error, 'its pixels'))
    clear = image.info.get('transparency')
    if clear is None:
        return levels
    levels = levels.reshape(levels.shape[:2] + (-1,))
    is_clear = (levels == np.array(clear, np.uint16)).all(axis=-1)
    return np.dstack([levels, np.where(is_clear, 0, 65535)]).astype(
        np.uint16)


def _pixels_of_png(content):
    """A PNG file of its pixels alone: of others, libpng warns on screens."""
    kept, at = [content[:8]], 8
    while at + 12 <= len(content):
        size, kind = struct.unpack_from('>I4s', content, at)
        if kind in (b'IHDR', b'IDAT', b'IEND'):
            kept.append(content[at:at + 12 + size])
        at += 12 + size
    return b''.join(kept)


def _read_jpeg2000(content, image):
    at = content.find(b'\xff\x4f\xff\x51')
    header, sizes = content[:at], content[at + 4:]
    components, = struct.unpack_from('>H', sizes, 36)
    depths = {sizes[38 + 3 * number] for number in range(components)}
    precision = (max(depths) & 127) + 1
    if (precision <= 8 or len(depths) > 1 or components > 4 or
            _JP2_PALETTE in header or _SYCC in header):
        return None
    import imagecodecs
    try:
        values = imagecodecs.jpeg2k_decode(content)
    except (imagecodecs.Jpeg2kError, RuntimeError) as error:
        raise ValueError(damage(error, 'its pixels'))
    if values.dtype.kind == 'i':
        # Of components with a sign, the middle is 0.
        values = values.astype(np.int64) + (1 << (precision - 1))
    values = values.astype(np.uint16 if precision <= 16 else np.uint32)
    return to_levels(values, precision)


def _read_ppm(content, image):
    header = re.match(rb'P[36](?:\s|#.*\n)+(\d+)(?:\s|#.*\n)+(\d+)'
                      rb'(?:\s|#.*\n)+(\d+)\s', content)
    if not header:
        return None
    columns, rows, white = [int(number) for number in header.groups()]
    if white < 256:
        return None
    count = rows * columns * 3
    if content.startswith(b'P6'):
        values = np.frombuffer(content, '>u2', count, header.end())
    else:
        words = re.sub(rb'#.*', b'', content[header.end():]).split()
        values = np.array(words[:count], 'S10').astype(np.int64)
    values = values.reshape(rows, columns, 3)
    return (np.minimum(values, white) * (65535. / white)
            + 0.5).astype(np.uint16)


def read_pfm(content, name):
    """Levels of a portable float map of colours, which Pillow does not know.

    Parameters
    ----------
    content : bytes
    name : str or Path
        What errors call it.

    Returns
    -------
    ndarray of uint16, (rows, columns, 3), or None
        None, if it is no such file.

    Raises
    ------
    ImageError
        If it is too large.
    ValueError
        If it is truncated.
    """
    header = re.match(rb'PF\s+(\d+)\s+(\d+)\s+(-?)[\d.eE+-]+\s', content)
    if not header:
        return None
    columns, rows = int(header.group(1)), int(header.group(2))
    check_size(name, rows, columns)
    if not rows or not columns:
        raise ValueError('damaged file (no picture in it)')
    if len(content) < header.end() + rows * columns * 12:
        raise ValueError('truncated file')
    # A negative scale tells the order of bytes; rows are from below.
    values = np.frombuffer(content, '<f4' if header.group(3) else '>f4',
                           rows * columns * 3, header.end())
    return to_levels(values.reshape(rows, columns, 3)[::-1].astype(
        np.float32))


def jpeg_headers(content):
    """What a JPEG file says before its pixels.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    headers : bytes
        Its segments of applications and comments.
    bits : int
        Of a sample.
    rows, columns : int

    Raises
    ------
    ValueError
        If it is no such file.
    """
    headers, at = b'', 2
    while content.startswith(b'\xff\xd8\xff') and at + 9 < len(content):
        marker = content[at + 1]
        if content[at] != 255 or marker == 0xda:
            break
        if marker == 255:  # fills
            at += 1
            continue
        size, bits, rows, columns = struct.unpack_from('>HBHH', content,
                                                       at + 2)
        if marker in _FRAMES:
            return headers, bits, rows, columns
        if 0xe0 <= marker <= 0xef or marker == 0xfe:
            headers += content[at:at + 2 + size]
        at += 2 + size
    raise ValueError('not an image file')


def read_deep_jpeg(content, name):
    """Levels of a JPEG file of 12 bits, or one that is lossless.

    Parameters
    ----------
    content : bytes
    name : str or Path
        What errors call it.

    Returns
    -------
    ndarray of uint8 or uint16, (rows, columns, 1 or 3)

    Raises
    ------
    ImageError
        If it is too large.
    ValueError
        If it is no such file, or damaged.
    """
    _, bits, rows, columns = jpeg_headers(content)
    check_size(name, rows, columns, len(content))
    import imagecodecs
    guard_decoders()
    decode = functools.partial(imagecodecs.jpeg_decode, bitspersample=bits)
    try:
        values = decode(content)
    except MemoryError:
        raise
    except Exception as error:  # of the decoder that suits the frame
        raise ValueError(damage(error, 'its pixels of %d bits' % bits))
    if not values.size:
        raise ValueError('damaged file (no picture in it)')
    if not is_whole_jpeg(content, decode):
        raise ValueError('truncated file')
    values = values.reshape(values.shape[:2] + (-1,))
    return to_levels(values, bits)
