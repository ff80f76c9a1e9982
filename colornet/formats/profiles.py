"""Colour spaces: what profiles and formats say of colours becomes sRGB.

By lcms2, in as many bits as the photo has.
"""

import functools
import hashlib

import numpy as np

from ..color import as_uint8

__all__ = ['apply_gamma', 'cmyk_to_rgb', 'from_srgb', 'lab_of_samples',
           'lab_to_rgb', 'to_srgb', 'ycbcr_to_rgb']

#: Channels of the colour spaces that a profile may be for.
_CHANNELS = {b'GRAY': 1, b'RGB ': 3, b'CMYK': 4}
_NAMES = {1: 'gray', 3: 'rgb', 4: 'cmyk'}

#: Difference from sRGB, of 65535, that no 8-bit photo would show.
_SAME = 257

# The relative colorimetric intent: others change what is measured, and
# versions of lcms2 do it differently.
_AS_MEASURED = 1

# lcms2's flag for no tables in place of its formulas: they are too coarse for
# 16 bits, and for greys, where it is dark.
_EXACT = 0x0100

# Whether profiles are sRGB, by their digests and channels; how many are kept.
_answers, _MOST_ANSWERS = {}, 1000

# XYZ of D50 to linear sRGB, whose white is D65, by Bradford's adaptation.
_XYZ_D50_TO_RGB = np.float32([[3.1338561, -1.6168667, -0.4906146],
                              [-0.9787684, 1.9161415, 0.0334540],
                              [0.0719453, -0.2289914, 1.4052427]])
_D50 = np.float32([.9642, 1, .8249])


def to_srgb(pixels, profile):
    """Apply a colour profile, whatever its name says.

    Parameters
    ----------
    pixels : ndarray of uint8 or uint16
        Grey (rows, columns), RGB (rows, columns, 3) or CMYK (rows, columns,
        4), in which 0 is no ink.
    profile : bytes
        ICC profile; empty: sRGB, or inks without one.

    Returns
    -------
    ndarray, same dtype
        Grey stays grey, the others become RGB.

    Raises
    ------
    ValueError
        If the profile is damaged or for other channels; one line.
    """
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if not profile:
        return cmyk_to_rgb(pixels) if channels == 4 else pixels
    if _CHANNELS.get(profile[16:20]) != channels:
        raise ValueError('colour profile for other channels than the photo '
                         'has')
    if _is_srgb(profile, channels):
        return pixels
    if channels > 1:
        return _transform(pixels, profile, channels)
    ramp = np.arange(np.iinfo(pixels.dtype).max + 1, dtype=pixels.dtype)
    return _transform(ramp[None], profile, 1)[0, :, 1][pixels]


def from_srgb(rgb, profile):
    """Colours for a file that keeps its colour profile.

    Parameters
    ----------
    rgb : ndarray of uint8 or uint16, (rows, columns, 3)
        In sRGB.
    profile : bytes
        ICC profile.

    Returns
    -------
    ndarray like `rgb`, or None
        None, if the profile cannot describe these colours: one for greys or
        inks, or one that leads from colours to sRGB only.
    """
    if profile[16:20] != b'RGB ':
        return None
    try:
        if _is_srgb(profile, 3):
            return rgb
        result = _transform(rgb, _srgb(), 3, profile)
        back = _transform(result[::7, ::7], profile, 3)
    except ValueError:
        return None
    # Where there is no way back, most photos would change.
    lost = np.abs(back.astype(np.int32) - rgb[::7, ::7]).mean()
    return result if lost < np.iinfo(rgb.dtype).max / 64 else None


def _transform(pixels, profile, channels, target=None):
    """Colours of a profile as RGB of another; sRGB, if none is given."""
    import imagecodecs
    try:
        return imagecodecs.cms_transform(
            np.ascontiguousarray(pixels), profile, target or _srgb(),
            colorspace=_NAMES[channels], outcolorspace='rgb',
            outdtype=pixels.dtype, intent=_AS_MEASURED,
            flags=_EXACT if pixels.dtype == np.uint16 or channels == 1
            else None)
    except (imagecodecs.CmsError, RuntimeError) as error:
        raise ValueError('damaged colour profile (%s)' % error)


@functools.lru_cache(1)
def _srgb():
    import imagecodecs
    return imagecodecs.cms_profile('srgb')


def _is_srgb(profile, channels):
    """Whether applying a profile would change nothing that can be seen."""
    if channels == 4:
        return False
    # By digest: a profile may be large.
    key = hashlib.sha256(profile).digest(), channels
    answer = _answers.get(key)
    if answer is None:
        answer = _changes_nothing(profile, channels)
        if len(_answers) >= _MOST_ANSWERS:
            _answers.clear()
        _answers[key] = answer
    return answer


def _changes_nothing(profile, channels):
    steps = np.linspace(0, 65535, 33 if channels == 3 else 1024)
    levels = steps.round().astype(np.uint16)
    grid = (levels[None] if channels == 1 else np.stack(np.meshgrid(
        levels, levels, levels), axis=-1).reshape(33, -1, 3))
    rgb = _transform(grid, profile, channels).astype(np.int32)
    expected = grid[..., None] if channels == 1 else grid
    return bool(np.abs(rgb - expected).max() <= _SAME)


def cmyk_to_rgb(pixels):
    """RGB of inks without a profile: paper seen through the inks.

    Parameters
    ----------
    pixels : ndarray of uint8 or uint16, (rows, columns, 4)

    Returns
    -------
    ndarray, (rows, columns, 3), same dtype
    """
    white = np.iinfo(pixels.dtype).max
    light = (white - pixels).astype(np.uint64 if white > 255 else np.uint32)
    rgb = (light[..., :3] * light[..., 3:] + white // 2) // white
    return rgb.astype(pixels.dtype)


def lab_of_samples(samples, as_profiles):
    """CIELAB of the samples of a TIFF file.

    Parameters
    ----------
    samples : ndarray, (rows, columns, 3)
        8 or 16 bits, or floating point, which is CIELAB itself.
    as_profiles : bool
        Whether a and b have an offset, and of 16 bits, 0xff00 is white, as
        ICC profiles have it; otherwise they have a sign.

    Returns
    -------
    ndarray of float32, same shape
    """
    lab = samples.astype(np.float32)
    if samples.dtype.kind == 'f':
        return lab
    size = samples.dtype.itemsize
    unit = np.float32(1 if size == 1 else 256)
    if as_profiles:
        lab[..., 1:] = lab[..., 1:] / unit - 128
    else:
        lab[..., 1:] = samples[..., 1:].astype('u%d' % size).view(
            'i%d' % size) / unit
    white = 255 * unit if as_profiles else np.iinfo('u%d' % size).max
    lab[..., 0] *= np.float32(100. / white)
    return lab


def lab_to_rgb(lab):
    """sRGB of CIELAB under D50, as files store it.

    Parameters
    ----------
    lab : ndarray of float32, (rows, columns, 3)
        L in [0, 100].

    Returns
    -------
    ndarray of uint16, (rows, columns, 3)
    """
    f = np.empty_like(lab)
    f[..., 1] = (lab[..., 0] + 16) / 116
    f[..., 0] = f[..., 1] + lab[..., 1] / 500
    f[..., 2] = f[..., 1] - lab[..., 2] / 200
    xyz = np.where(f > 6 / 29, f ** 3, (f - 16 / 116) * (108 / 841)) * _D50
    linear = (xyz.astype(np.float32) @ _XYZ_D50_TO_RGB.T).clip(0, 1)
    return _encode(linear)


def ycbcr_to_rgb(values, coefficients, black_and_white):
    """RGB of YCbCr (TIFF 6.0, section 21).

    Parameters
    ----------
    values : ndarray of uint8 or uint16, (rows, columns, 3)
    coefficients : sequence of 3 floats
        How red, green and blue make Y.
    black_and_white : sequence of 6 floats
        Y of black and of white, neutral and largest Cb, the same of Cr; the
        largest sample is 1.

    Returns
    -------
    ndarray, same shape and dtype
    """
    white = np.iinfo(values.dtype).max
    black = np.float32(black_and_white[0::2])
    full = np.float32(black_and_white[1::2])
    y, cb, cr = np.moveaxis((values / np.float32(white) - black)
                            / (full - black), -1, 0)
    red, green, blue = coefficients
    r = y + cr * (127 / 255) * (2 - 2 * red)
    b = y + cb * (127 / 255) * (2 - 2 * blue)
    g = (y - blue * b - red * r) / green
    rgb = np.stack([r, g, b], axis=-1).clip(0, 1)
    return (rgb * white + 0.5).astype(values.dtype)


def apply_gamma(pixels, gamma):
    """sRGB of samples that are light to the power of `gamma` (PNG's gAMA).

    Parameters
    ----------
    pixels : ndarray of uint8 or uint16
    gamma : float
        Some 0.45 for what is nearly sRGB, 1 for linear samples.

    Returns
    -------
    ndarray, same shape and dtype
    """
    white = np.iinfo(pixels.dtype).max
    levels = _encode((np.arange(white + 1) / np.float64(white))
                     ** (1 / gamma))
    return (levels if white > 255 else as_uint8(levels))[pixels]


def _encode(linear):
    """uint16 sRGB levels of linear light in [0, 1]."""
    encoded = np.where(linear > .0031308,
                       1.055 * np.maximum(linear, .0031308) ** (1 / 2.4)
                       - .055, 12.92 * linear)
    return (encoded * 65535 + 0.5).astype(np.uint16)
