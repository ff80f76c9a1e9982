"""Arrays of samples: scaled to levels, turned upright."""

import numpy as np

__all__ = ['straighten_alpha', 'to_levels', 'to_stored', 'to_upright']

# Samples that are looked at where a format does not say what white is.
_LOOKED_AT = 1000000

# From the stored array to the upright one, by EXIF orientation.
_TO_UPRIGHT = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: stored[::-1].swapaxes(0, 1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: stored[:, ::-1].swapaxes(0, 1),
}


def to_levels(values, bits=None, limits=None):
    """Samples of any type as 8 or 16 bits, black 0 and white the largest.

    A rule for each type, none of which goes by the largest sample alone:

    - Unsigned integers: white is the largest number of their bits. Where
      more than 16 bits hold samples of which none needs more than 8, or 16,
      or 24, it is that of those bits: otherwise, the photo would be black.
    - Signed integers: black is 0, and white the largest number; but the
      lowest number is black where a hundredth of the samples is deeper than
      an eighth of the way to it. More than 16 bits as above.
    - Floating point: black is 0. White is 1, also if some samples are beyond
      it; where more than half of those above black are, 255, or beyond that
      in turn 65535, or then the largest. What is no number is black.

    Parameters
    ----------
    values : ndarray, any shape
        bool, integers or floating point.
    bits : int, optional
        Of an integer; all of its type, if not given.
    limits : (float, float), optional
        Black and white of signed integers and floating point, if they are
        said.

    Returns
    -------
    ndarray, same shape
        uint8 of unsigned integers of up to 8 bits, otherwise uint16.
    """
    kind = values.dtype.kind
    if kind == 'b':
        return values * np.uint8(255)
    if kind == 'f':
        # float16 ends at 65504.
        values = np.nan_to_num(values.astype(
            np.float64 if values.dtype.itemsize > 4 else np.float32))
        return _scale(values, *limits or (0, _float_white(values)))
    bits = bits or 8 * values.dtype.itemsize
    if kind == 'u':
        if bits in (8, 16):
            return values.astype(np.uint8 if bits == 8 else np.uint16)
        if bits < 8:
            white = (1 << bits) - 1
            table = np.arange(256) % (white + 1) * 255. / white
            return (table + 0.5).astype(np.uint8)[values]
        return _scale(values, 0, _integer_white(values, bits))
    if limits is None:
        low = -(1 << (bits - 1))
        looked_at = _some(values)
        if np.mean(looked_at < low / 8) >= .01:
            limits = low, -low - 1
        else:
            limits = 0, _integer_white(values, bits - 1)
    return _scale(values, *limits)


def _integer_white(values, bits):
    """White of integers from 0 on."""
    white = (1 << bits) - 1
    if bits > 16:
        largest = int(values.max())
        white = next((short for short in (0xff, 0xffff, 0xffffff)
                      if largest <= short <= white >> 7), white)
    return white


def _float_white(values):
    looked_at = _some(values)
    looked_at = looked_at[looked_at > 0]
    middle = np.median(looked_at) if looked_at.size else 0
    return next((white for white in (1, 255, 65535) if middle <= white),
                float(values.max()))


def _some(values):
    """Samples from all over a photo, no more than are needed."""
    flat = values.reshape(-1)
    return flat[::max(1, flat.size // _LOOKED_AT)]


def _scale(values, black, white):
    """uint16 of samples between black and white."""
    scale = 65535. / (float(white) - float(black))
    # Shorter numbers in half the memory.
    short = values.dtype.itemsize <= 2 or values.dtype == np.float32
    values = values.astype(np.float32 if short else np.float64)
    return ((values.clip(black, white) - black) * scale
            + 0.5).clip(0, 65535).astype(np.uint16)


def straighten_alpha(pixels, alpha):
    """Pixels that were stored multiplied by their alpha.

    Parameters
    ----------
    pixels : ndarray of uint8 or uint16, (rows, columns) or (rows, columns, n)
    alpha : ndarray, (rows, columns), same dtype

    Returns
    -------
    ndarray like `pixels`
    """
    white = np.iinfo(pixels.dtype).max
    alpha = alpha if pixels.ndim == 2 else alpha[..., None]
    straight = pixels * (np.float64(white) / np.maximum(alpha, 1))
    return np.minimum(straight + 0.5, white).astype(pixels.dtype)


def to_upright(stored, orientation):
    """Turn an array from the stored EXIF orientation upright.

    Parameters
    ----------
    stored : ndarray, (rows, columns, ...)
    orientation : int
        1 to 8.

    Returns
    -------
    ndarray, contiguous
    """
    return np.ascontiguousarray(_TO_UPRIGHT[orientation](stored))


def to_stored(upright, orientation):
    """Undo :func:`to_upright`."""
    # Every turn undoes itself, but for the two quarter turns.
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    return to_upright(upright, inverse)
