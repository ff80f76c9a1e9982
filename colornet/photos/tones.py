"""Whether a photo has colours: grey and toned ones have none of their own."""

import numpy as np

from ..color import as_float_rgb, split_channels
from .pixels import resize

__all__ = ['TONE_SPREAD', 'has_colours', 'mix_colours', 'tone_spread']

#: Longer side of the copy that is looked at: noise and the traces that JPEG
#: leaves are smoothed away.
_SIDE = 48

#: Of its pixels, the share that belongs to the photo and not to a stamp.
_SHARE = 95

#: CIELUV units: the largest spread of a photo without colours. The demo's ten
#: photos have 15.1 or more, and toned in six ways, with noise and JPEG's
#: traces, at most 7.6 (tests/photos/test_tones.py). Of 611 photos of all
#: kinds, 4.3 % are below: toned ones, fog, night.
TONE_SPREAD = 8.

#: Pixels that are mixed at a time.
_STRIP_PIXELS = 1 << 20


def has_colours(pixels):
    """Whether a photo has colours that one tone does not explain.

    Parameters
    ----------
    pixels : ndarray, (rows, columns) or (rows, columns, 3)
        Grey or sRGB; uint8, uint16 or floating point in [0, 1].

    Returns
    -------
    bool
        False for grey photos, and for those toned in one tint or in one for
        shadows and another for lights, such as sepia: they are black-and-white
        photos.
    """
    return pixels.ndim == 3 and tone_spread(pixels) > TONE_SPREAD


def tone_spread(pixels):
    """How far the chrominance of a photo is from a tint of its luminance.

    In a toned photo, the colour of a pixel depends on its luminance alone:
    all are near one line through CIELUV. It may bend, as a cubic does.

    Parameters
    ----------
    pixels : ndarray, (rows, columns, 3)
        sRGB; uint8, uint16 or floating point in [0, 1].

    Returns
    -------
    float
        Distance in U and V from that line, which 95 of 100 pixels are within.
    """
    scale = min(1, _SIDE / max(pixels.shape[:2]))
    shape = [max(1, round(scale * length)) for length in pixels.shape[:2]]
    luminance, chroma = split_channels(resize(pixels, shape))
    powers = np.vander(luminance.ravel() / 100., 4)
    chroma = chroma.reshape(-1, 2).astype(np.float64)
    line = powers @ np.linalg.lstsq(powers, chroma, rcond=None)[0]
    return float(np.percentile(np.hypot(*(chroma - line).T), _SHARE))


def mix_colours(first, second):
    """The mean of two pictures' colours, at the luminance that they share.

    Parameters
    ----------
    first, second : ndarray, (rows, columns, 3)
        sRGB; uint8, uint16 or floating point in [0, 1].

    Returns
    -------
    ndarray, like `first`
        The mean of their light: what both have of luminance stays.
    """
    mixed = np.empty_like(first)
    step = max(1, _STRIP_PIXELS // first.shape[1])
    for start in range(0, len(first), step):
        strip = slice(start, start + step)
        light = (_light(first[strip]) + _light(second[strip])) / 2
        value = np.where(light > 0.0031308,
                         1.055 * light ** (1 / 2.4) - 0.055, 12.92 * light)
        if first.dtype.kind != 'f':
            value = value * np.iinfo(first.dtype).max + 0.5
        mixed[strip] = value
    return mixed


def _light(pixels):
    """What pixels in sRGB stand for, in [0, 1]."""
    levels = as_float_rgb(pixels)
    return np.where(levels > 0.04045, ((levels + 0.055) / 1.055) ** 2.4,
                    levels / 12.92)
