"""Pixels of a photo as an array: resized, looked at."""

import numpy as np
from PIL import Image

from ..color import as_uint8

__all__ = ['is_grey', 'resize']


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
