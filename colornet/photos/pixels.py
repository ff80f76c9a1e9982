"""Pixels of a photo as an array: resized, looked at."""

import numpy as np
from PIL import Image

from ..color import as_uint8, check_dtype, native
from ..errors import ColornetError

__all__ = ['checked_join', 'checked_pixels', 'is_grey', 'resize']


def checked_pixels(pixels):
    """The pixels of a photo, in the byte order of this machine.

    Parameters
    ----------
    pixels : array_like, (rows, columns) or (rows, columns, 3)
        uint8, uint16 or floating point in [0, 1]; at least one pixel.

    Returns
    -------
    ndarray

    Raises
    ------
    ColornetError
        If they are none.
    """
    pixels = np.asarray(pixels)
    check_dtype(pixels)
    pixels = native(pixels)
    if pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)) \
            or pixels.size == 0:
        raise ColornetError('a photo must be (rows, columns) or (rows, '
                            'columns, 3) pixels, not %s' % (pixels.shape,))
    if pixels.dtype.kind == 'f' and not (pixels.min() >= 0
                                         and pixels.max() <= 1):
        raise ColornetError('floating point pixels must be in [0, 1], not '
                            '[%s, %s]' % (pixels.min(), pixels.max()))
    return pixels


def checked_join(chroma, dtype):
    """Chrominance of a photo, and the type of the pixels that it makes.

    Parameters
    ----------
    chroma : array_like, (rows, columns, 2)
    dtype : dtype_like
        uint8, uint16 or floating point.

    Returns
    -------
    ndarray, dtype

    Raises
    ------
    ColornetError
        If they are none.
    """
    try:
        dtype = np.dtype(dtype)
    except TypeError:
        raise ColornetError('no type of pixels is called %r' % (dtype,))
    check_dtype(np.empty(0, dtype))
    try:
        chroma = np.asarray(chroma, np.float32)
        is_one = chroma.ndim == 3 and chroma.shape[2] == 2 and chroma.size
    except (TypeError, ValueError):
        is_one = False
    if not is_one:
        raise ColornetError(
            'chrominance must be an array (rows, columns, 2) of numbers, not '
            '%s' % (np.shape(chroma) if isinstance(chroma, np.ndarray) else
                    type(chroma).__name__,))
    return chroma, dtype.newbyteorder('=')


def is_grey(rgb, tolerance=8):
    """Whether a photo shows no colour anywhere.

    Parameters
    ----------
    rgb : ndarray of uint8 or uint16, (rows, columns, 3)
    tolerance : int
        Largest difference between the channels of a pixel that still counts
        as grey, of 255: JPEG leaves traces of colour in grey photos.

    Returns
    -------
    bool
    """
    rgb = as_uint8(rgb)
    return bool((rgb.max(axis=-1) - rgb.min(axis=-1)).max() <= tolerance)


def resize(pixels, shape):
    """Resize with a Lanczos filter, anti-aliased when it gets smaller.

    Training and colorization both use it, so that a network sees photos
    reduced in one way.

    Parameters
    ----------
    pixels : ndarray, (rows, columns) or (rows, columns, 3)
        uint8, uint16 or floating point in [0, 1].
    shape : (int, int)
        New rows and columns.

    Returns
    -------
    ndarray, same dtype (floating point: float32)
    """
    size = shape[1], shape[0]
    if pixels.dtype == np.uint8:
        image = Image.fromarray(np.ascontiguousarray(pixels))
        return np.array(image.resize(size, Image.LANCZOS))
    if pixels.ndim == 3:
        return np.stack([resize(channel, shape)
                         for channel in np.moveaxis(pixels, -1, 0)], axis=-1)
    image = Image.fromarray(np.ascontiguousarray(pixels, np.float32))
    resized = np.array(image.resize(size, Image.LANCZOS))
    if pixels.dtype == np.uint16:
        return resized.round().clip(0, 65535).astype(np.uint16)
    return resized.clip(0, 1)
