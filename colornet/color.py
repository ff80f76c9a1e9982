"""Types of pixels, colour spaces, bins (paper, 3.1, 3.6, 5.1, 5.2).

Arrays are ``(..., rows, columns, channels)``; any number of leading
dimensions (a minibatch) is allowed. A colour space splits a picture into one
luminance channel, which the network sees, and two chrominance channels,
which it predicts.
"""

from dataclasses import dataclass
from typing import Tuple

import numpy as np
import skimage.color

from .errors import ColornetError
from .luv import luminance_of_bytes

__all__ = ['COLOR_SPACES', 'NUM_BINS', 'ColorSpace', 'check_dtype',
           'as_float_rgb', 'as_uint8', 'get_color_space', 'luminance',
           'native', 'split_channels', 'join_channels', 'bin_channel',
           'unbin_channel', 'saturation']

#: Number of equi-width bins per chrominance channel (paper, 3.6).
NUM_BINS = 50


@dataclass(frozen=True)
class ColorSpace:
    """One luminance and two chrominance channels.

    ``limits`` are the lower edge of the first and the upper edge of the last
    chrominance bin; ``luminance_max`` is the luminance of white.
    """

    name: str
    channels: Tuple[str, str]
    limits: Tuple[float, float]
    luminance_max: float


#: CIELUV is the paper's choice (3.1, 3.6); HSV is the alternative that it
#: tried and left (5.2): the value channel is the input, hue and saturation
#: are the targets (choice 20).
COLOR_SPACES = {
    'luv': ColorSpace('luv', channels=('U', 'V'), limits=(-100., 100.),
                      luminance_max=100.),
    'hsv': ColorSpace('hsv', channels=('H', 'S'), limits=(0., 1.),
                      luminance_max=1.),
}


def get_color_space(name):
    """Return the :class:`ColorSpace` called `name`.

    Raises
    ------
    ColornetError
        If there is none.
    """
    try:
        return COLOR_SPACES[name]
    except KeyError:
        raise ColornetError('unknown colour space %r; choose one of %s'
                            % (name, ', '.join(sorted(COLOR_SPACES))))


def check_dtype(pixels):
    """Refuse pixels of a type that does not say what white is.

    Raises
    ------
    ColornetError
        If they are not uint8, uint16 or floating point.
    """
    if pixels.dtype.kind != 'f' and pixels.dtype.newbyteorder('=') not in (
            np.uint8, np.uint16):
        raise ColornetError('pixels must be uint8, uint16 or floating point, '
                            'not %s' % pixels.dtype)


def native(pixels):
    """Pixels in the byte order of this machine.

    Parameters
    ----------
    pixels : ndarray

    Returns
    -------
    ndarray, same values
        `pixels` itself, if they are.
    """
    return pixels.astype(pixels.dtype.newbyteorder('='), copy=False)


def as_float_rgb(pixels):
    """Scale pixels to float32 in [0, 1].

    Parameters
    ----------
    pixels : ndarray, any shape
        uint8, uint16 or floating point in [0, 1].

    Returns
    -------
    ndarray of float32, same shape

    Raises
    ------
    ColornetError
        If the dtype is none of these.
    """
    pixels = np.asarray(pixels)
    check_dtype(pixels)
    if pixels.dtype.kind == 'f':
        return pixels.astype(np.float32)
    return pixels * np.float32(1. / np.iinfo(pixels.dtype).max)


def as_uint8(pixels):
    """Reduce pixels to 8 bits.

    Parameters
    ----------
    pixels : ndarray, any shape
        uint8, uint16 or floating point in [0, 1].

    Returns
    -------
    ndarray of uint8, same shape

    Raises
    ------
    ColornetError
        If the dtype is none of these.
    """
    check_dtype(pixels)
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind == 'u':
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return (pixels.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def split_channels(rgb, color_space='luv'):
    """Split pictures into luminance and chrominance (paper, 3.1).

    Parameters
    ----------
    rgb : ndarray, (..., rows, columns, 3)
        sRGB; uint8, uint16 or floating point in [0, 1].
    color_space : 'luv' or 'hsv'

    Returns
    -------
    luminance : ndarray of float32, (..., rows, columns)
        CIELUV L in [0, 100], or HSV value in [0, 1].
    chroma : ndarray of float32, (..., rows, columns, 2)
        CIELUV U in [-83, 175] and V in [-134, 107], or HSV hue and
        saturation in [0, 1].
    """
    rgb = as_float_rgb(rgb)
    if get_color_space(color_space).name == 'luv':
        luv = skimage.color.rgb2luv(rgb).astype(np.float32)
        return luv[..., 0], luv[..., 1:]
    hsv = skimage.color.rgb2hsv(rgb).astype(np.float32)
    return hsv[..., 2], hsv[..., :2]


def join_channels(luminance, chroma, color_space='luv'):
    """Join luminance and chrominance to pictures (paper, 3.1).

    Parameters
    ----------
    luminance : ndarray, (..., rows, columns)
        CIELUV L in [0, 100], or HSV value in [0, 1].
    chroma : ndarray, (..., rows, columns, 2)
        CIELUV U and V, or HSV hue and saturation.
    color_space : 'luv' or 'hsv'

    Returns
    -------
    ndarray of float32, (..., rows, columns, 3)
        sRGB in [0, 1]; colours outside sRGB are clipped.
    """
    luminance = np.asarray(luminance, np.float32)[..., np.newaxis]
    chroma = np.asarray(chroma, np.float32)
    if get_color_space(color_space).name == 'luv':
        luv = np.concatenate([luminance, chroma], axis=-1)
        return skimage.color.luv2rgb(luv).clip(0, 1).astype(np.float32)
    hsv = np.concatenate([chroma, luminance], axis=-1).clip(0, 1)
    return skimage.color.hsv2rgb(hsv).astype(np.float32)


def luminance(pixels, color_space='luv', dtype=np.float32):
    """Luminance of a picture: its grayscale version (paper, 4).

    Parameters
    ----------
    pixels : ndarray, (rows, columns) or (rows, columns, 3)
        Grey or sRGB; uint8, uint16 or floating point in [0, 1].
    color_space : 'luv' or 'hsv'
    dtype : np.float32 or np.float64
        Of the result, which the latter makes more exact for 8-bit colours.

    Returns
    -------
    ndarray, (rows, columns)
        In [0, 100] for CIELUV, in [0, 1] for HSV.
    """
    pixels = np.asarray(pixels)
    is_luv = get_color_space(color_space).name == 'luv'
    if is_luv and pixels.dtype == np.uint8:
        if pixels.ndim == 3:
            return luminance_of_bytes(pixels, dtype)
        return luminance(np.arange(256) / 255., dtype=dtype)[pixels]
    if pixels.ndim == 3:
        return split_channels(pixels, color_space)[0].astype(dtype)
    grey = as_float_rgb(pixels)
    if not is_luv:
        return grey.astype(dtype)
    # L depends on the luminance alone, so a third of the work is enough:
    # grey pixels have Y equal to their linear value (CIE 15, sRGB).
    linear = np.where(grey > 0.04045, ((grey + 0.055) / 1.055) ** 2.4,
                      grey / 12.92)
    return np.where(linear > 0.008856, 116 * np.cbrt(linear) - 16,
                    903.3 * linear).astype(dtype)


def bin_channel(values, num_bins=NUM_BINS, limits=(-100., 100.)):
    """Map chrominance values to equi-width bin numbers (paper, 3.6).

    Parameters
    ----------
    values : ndarray of float, any shape
        One chrominance channel, in the units of `limits`.
    num_bins : int
    limits : (float, float)
        Lower edge of the first bin, upper edge of the last.

    Returns
    -------
    ndarray of int32, same shape
        Bin numbers in ``[0, num_bins - 1]``; values beyond the limits fall
        in the end bins (choice 2).

    Raises
    ------
    ValueError
        If a value is not finite, or there would be no bins.
    """
    # In float32, subtracting the lower edge would round values just below
    # an edge onto it.
    values = np.asarray(values, np.float64)
    low, high = limits
    if num_bins < 1 or not low < high:
        raise ValueError('cannot divide [%s, %s] into %s bins'
                         % (low, high, num_bins))
    if not np.isfinite(values).all():
        raise ValueError('chrominance holds values that are not finite')
    bins = np.floor((values - low) * (num_bins / (high - low)))
    return bins.clip(0, num_bins - 1).astype(np.int32)


def unbin_channel(bins, num_bins=NUM_BINS, limits=(-100., 100.)):
    """Un-bin: map bin numbers to the means of the bins (paper, 3.6).

    The mean of a bin is its centre (choice 2): the bins are equi-width and
    the paper names no distribution within them.

    Parameters
    ----------
    bins : ndarray of int, any shape
        Bin numbers in ``[0, num_bins - 1]``.
    num_bins, limits
        As in :func:`bin_channel`.

    Returns
    -------
    ndarray of float32, same shape
    """
    low, high = limits
    width = (high - low) / num_bins
    return (low + (np.asarray(bins) + 0.5) * width).astype(np.float32)


def saturation(rgb):
    """HSV saturation of every pixel, for the metric of 5.1.

    Parameters
    ----------
    rgb : ndarray, (..., rows, columns, 3)
        sRGB; uint8, uint16 or floating point in [0, 1].

    Returns
    -------
    ndarray of float32, (..., rows, columns)
        In [0, 1]; 0 for black.
    """
    red, green, blue = np.moveaxis(as_float_rgb(rgb), -1, 0)
    # Reducing the last axis takes twenty times as long.
    largest = np.maximum(np.maximum(red, green), blue)
    spread = largest - np.minimum(np.minimum(red, green), blue)
    return spread / np.where(largest > 0, largest, 1)
