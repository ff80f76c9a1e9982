"""CIELUV of 8-bit photos by tables (paper, 3.1), for photos of any size.

What scikit-image computes pixel by pixel with powers, and in a dozen passes
over memory, takes two thirds of the time in which the network predicts. Here,
an 8-bit value is looked up, and the pixels go through in blocks that stay in
the processor's cache. :mod:`colornet.color` says when.
"""

import functools

import numpy as np
from skimage.color import colorconv

__all__ = ['join_to_bytes', 'limit_chroma', 'luminance_of_bytes']

#: Pixels that are computed at a time: some of these arrays fit the cache.
_BLOCK = 1 << 14

#: Up to here, L is linear in Y (CIE 15); and this L.
_DARK = 0.008856
_DARK_L = 7.999625
_SLOPE = 903.3

#: Cells of the table from linear values to bytes. No two values at which the
#: byte changes are in one cell: they are 1 / (12.92 * 255) apart at least.
_CELLS = 4096


@functools.lru_cache(None)
def _luminance_table():
    """Share in Y of each 8-bit value of red, green and blue."""
    return (colorconv.xyz_from_rgb[1][:, np.newaxis] *
            _linear(np.arange(256) / 255.))


def _linear(encoded):
    """Undo sRGB's curve (IEC 61966-2-1)."""
    return np.where(encoded > 0.04045, ((encoded + 0.055) / 1.055) ** 2.4,
                    encoded / 12.92)


def luminance_of_bytes(rgb, dtype=np.float32):
    """CIELUV L of sRGB pixels.

    Parameters
    ----------
    rgb : ndarray of uint8, (..., 3)
    dtype : np.float32 or np.float64
        Of the result.

    Returns
    -------
    ndarray, (...)
        In [0, 100]: what scikit-image computes in float64, rounded.
    """
    flat = np.ascontiguousarray(rgb).reshape(-1, 3)
    result = np.empty(len(flat), dtype)
    table = _luminance_table()
    for start in range(0, len(flat), _BLOCK):
        block = flat[start:start + _BLOCK]
        # Numbers of this type are looked up four times as fast.
        red, green, blue = block.T.astype(np.intp)
        total = table[0][red]
        total += table[1][green]
        total += table[2][blue]
        light = np.cbrt(total)
        light *= 116
        light -= 16
        dark = total <= _DARK
        if dark.any():
            light[dark] = _SLOPE * total[dark]
        result[start:start + _BLOCK] = light
    return result.reshape(rgb.shape[:-1])


@functools.lru_cache(None)
def _coefficients():
    """What makes linear red, green and blue of Y / b, U, L and Y.

    With u' and v' of CIE 15 written as a / (13 L) and b / (13 L), X and Z are
    sums of products with Y / b, so that one division is enough.
    """
    white = colorconv.xyz_tristimulus_values(illuminant='D65', observer='2')
    total = np.dot(white, [1, 15, 3])
    u_white, v_white = 4 * white[0] / total, 9 * white[1] / total
    x, y, z = colorconv.rgb_from_xyz.T
    of_u = 2.25 * x - 0.75 * z
    return (13 * v_white, of_u, 13 * u_white * of_u + 39 * z, y - 5 * z)


@functools.lru_cache(None)
def _reaches():
    """How far U / L and V / L go among the colours of sRGB: (2, 2)."""
    xyz = np.vstack([colorconv.xyz_from_rgb.T,
                     colorconv.xyz_from_rgb.sum(axis=1)])
    places = xyz[:, :2] * [4, 9] / (xyz @ [1, 15, 3])[:, np.newaxis]
    # Red, green and blue are the corners; the last is white.
    return np.float32(13 * (np.sort(places[:3], axis=0)[[0, 2]]
                            - places[3]).T)


def limit_chroma(luminance, chroma):
    """Chrominance that this luminance can have, more or less.

    A network predicts chrominance without the details of luminance: in a
    shadow, it may be that of no colour at all. The formulas of CIELUV divide
    by v', which is near 0 then, or negative: light comes out of nothing. Here,
    U and V are reduced together until u' and v' are in the box around the
    colours that sRGB has.

    Parameters
    ----------
    luminance : ndarray of floating point, (...)
        CIELUV L.
    chroma : ndarray of float32, (..., 2)
        U and V.

    Returns
    -------
    ndarray of float32, like `chroma`
    """
    light = luminance.reshape(-1)
    # Each plane in one piece, as it is where it was enlarged.
    planes = np.array(np.moveaxis(chroma, -1, 0), np.float32, order='C')
    flat = planes.reshape(2, -1)
    for start in range(0, len(light), _BLOCK):
        block = flat[:, start:start + _BLOCK]
        reach = light[start:start + _BLOCK].astype(np.float32)
        share = None
        for values, (lowest, highest) in zip(block, _reaches()):
            beyond = np.flatnonzero((values < lowest * reach) |
                                    (values > highest * reach))
            if beyond.size:
                share = np.ones_like(reach) if share is None else share
                some = values[beyond]
                bounds = np.where(some < 0, lowest, highest) * reach[beyond]
                share[beyond] = np.minimum(share[beyond], bounds / some)
        if share is not None:
            block *= share
    return np.moveaxis(planes, 0, -1)


@functools.lru_cache(None)
def _byte_table():
    """Byte at the lower edge of each cell, and where the next one begins."""
    edges = np.append(_linear((np.arange(1, 256) - 0.5) / 255), np.inf)
    # The last cell is that of 1 alone.
    bytes_ = np.searchsorted(edges, np.arange(_CELLS + 1) / _CELLS, 'right')
    return bytes_.astype(np.uint8), edges[bytes_]


def join_to_bytes(luminance, first, second):
    """Join CIELUV planes to sRGB pixels of 8 bits.

    Parameters
    ----------
    luminance, first, second : ndarray, of one shape
        L in [0, 100]; U and V.

    Returns
    -------
    ndarray of uint8, that shape + (3,)
        The nearest to scikit-image's in float64; colours outside sRGB are
        clipped.
    """
    planes = [np.ascontiguousarray(plane).reshape(-1)
              for plane in (luminance, first, second)]
    result = np.empty((len(planes[0]), 3), np.uint8)
    b_of_l, of_u, of_l, of_y = _coefficients()
    bytes_, edges = _byte_table()
    for start in range(0, len(result), _BLOCK):
        light, u, v = [plane[start:start + _BLOCK].astype(np.float64)
                       for plane in planes]
        y = (light + 16) / 116
        y *= y * y
        dark = light <= _DARK_L
        if dark.any():
            y[dark] = light[dark] / _SLOPE
        v += b_of_l * light
        # Without light, there is no colour.
        v[v == 0] = np.inf
        ratio = np.divide(y, v, out=v)
        u *= ratio
        light *= ratio
        for channel in range(3):
            value = u * of_u[channel]
            value += light * of_l[channel]
            value += y * of_y[channel]
            np.maximum(value, 0, out=value)
            np.minimum(value, 1, out=value)
            cells = (value * _CELLS).astype(np.intp)
            pixels = bytes_[cells]
            pixels += value >= edges[cells]
            result[start:start + _BLOCK, channel] = pixels
    return result.reshape(np.shape(luminance) + (3,))
