"""What age and paper do to a photo: a border around it, and fading.

A border is left out of what the network sees, and stays neutral. The tones of
faded and dark prints are stretched, for the network's input only. A blank page
has no colours.
"""

import numpy as np

__all__ = ['find_picture', 'is_even', 'stretch_tones']

# Lines are looked at in that many places, no more.
_PLACES = 512

# Of the levels of a border, 0 to 255: how far from each other they may be, at
# least and at most, but for the given share of a line (dust).
_EVEN = 4, 14
_DUST = .02

# Lines at a border's edge that tell its level, and its noise.
_OUTERMOST = 3

# The same, of lines that cross what is written on a border.
_WRITING = .5

# Behind a border's end, the share of a line that is something else; and how
# far behind, as a share of a side: prints lie askew.
_STEP = .5
_ASKEW = .02

#: Share of a side that a border must have, and rows or columns.
_THINNEST = .006, 3

# The picture within a border: shares of rows and columns.
_SMALLEST = .3

# Of luminance in [0, 100]: the percentiles that stand for black and white;
# what they are in most photos; how near they are in no photo that is neither
# faded nor dark; how far apart they must be to show anything; the most that
# is stretched.
_ENDS = 1, 99
_USUAL = 4., 89.
_NARROW, _NOTHING = 50., 3.
_MOST = 6.

# Rows and columns of a picture that are looked at to tell whether it is even.
_FEW = 64

# White paper around black film, and the like.
_MOST_BORDERS = 3


def find_picture(pixels):
    """Where the picture is within an even border of white, black or grey.

    A border has one level on all its sides, and ends in straight lines on at
    least two of them; so a white sky is none.

    Parameters
    ----------
    pixels : ndarray, (rows, columns) or (rows, columns, 3)
        uint8, uint16 or floating point in [0, 1].

    Returns
    -------
    (slice, slice)
        Rows and columns; all of them, if there is no border.
    """
    rows, columns = pixels.shape[:2]
    box = np.array([0, rows, 0, columns])
    for _ in range(_MOST_BORDERS):
        inner = _within(pixels, box)
        if inner is None:
            break
        box = inner
    return slice(int(box[0]), int(box[1])), slice(int(box[2]), int(box[3]))


def _within(pixels, box):
    """The box within the next border; None if there is none."""
    top, bottom, left, right = box
    shape = np.array([bottom - top, right - left])
    if min(shape) < 32:
        return None
    lines = [_levels(pixels[top:bottom, left:right], axis) for axis in (0, 1)]
    outermost = list(range(_OUTERMOST)) + list(range(-_OUTERMOST, 0))
    corners = lines[0][outermost][:, outermost]
    level = np.median(corners)
    noise = 2 * np.abs(corners - level).max() + 2
    differ = [np.abs(line - level) > np.clip(noise, *_EVEN) for line in lines]
    depths = np.array([
        _depth(line[::step]) for line in differ for step in (1, -1)])
    thinnest = np.maximum(_THINNEST[0] * shape, _THINNEST[1]).repeat(2)
    depths[depths < thinnest] = 0
    ends = np.array([depths[side] > 0 and _ends(differ, depths, side)
                     for side in range(4)])
    if ends.any():
        # Paper ends where it does on other sides, if a sky is as white.
        depths[~ends] = np.minimum(depths[~ends], depths[ends].max())
    left_over = shape - depths.reshape(2, 2).sum(axis=1)
    if sum(ends) < 2 or (left_over < _SMALLEST * shape).any():
        return None
    return box + depths * (1, -1, 1, -1)


def _levels(pixels, axis):
    """Levels, 0 to 255, of all lines along an axis in some places."""
    places = pixels.shape[1 - axis]
    chosen = np.unique(np.linspace(0, places - 1, _PLACES).astype(int))
    some = np.take(pixels, chosen, axis=1 - axis)
    if axis:
        some = some.swapaxes(0, 1)
    some = some.astype(np.float32)
    if some.ndim == 3:
        some = some @ np.float32([.299, .587, .114])
    return some * (255 / _white(pixels))


def _white(pixels):
    return 1 if pixels.dtype.kind == 'f' else np.iinfo(pixels.dtype).max


def _depth(differ):
    """How many lines from the first on are even, at one level."""
    # Half of them, so that a picture is left whatever it shows.
    other = differ[:len(differ) // 2].mean(axis=1)
    other = other[:np.append(other > _WRITING, True).argmax()]
    even = np.nonzero(other <= _DUST)[0]
    return even[-1] + 1 if even.size and even[0] == 0 else 0


def _ends(differ, depths, side):
    """Whether a border ends in a straight line on a side."""
    axis, last = divmod(side, 2)
    across = differ[axis][::-1] if last else differ[axis]
    depth = depths[side]
    # Without the corners, which belong to the other sides.
    places = across.shape[1]
    other = depths[2:] if axis == 0 else depths[:2]
    length = len(differ[1 - axis])
    start, stop = [int(round(at * places / length)) for at in (
        other[0], length - other[1])]
    behind = depth + 1 + int(_ASKEW * len(across))
    behind = across[behind:behind + 2, start:stop]
    return behind.size > 0 and behind.mean() >= _STEP


def stretch_tones(luminance, full=100.):
    """Luminance of a faded or dark print as that of others.

    Parameters
    ----------
    luminance : ndarray of float32, any shape
        In [0, `full`].
    full : float

    Returns
    -------
    ndarray of float32, same shape
        As it was, if it spans half of the range, as photos do.
    """
    low, high = np.percentile(luminance, _ENDS)
    unit = full / 100.
    if not _NOTHING * unit <= high - low < _NARROW * unit:
        return luminance
    black, white = [end * unit for end in _USUAL]
    factor = min((white - black) / (high - low), _MOST)
    return ((luminance - low) * factor + black).clip(0, full).astype(
        np.float32)


def is_even(luminance, full=100.):
    """Whether a picture is a surface that shows nothing, but for its light.

    A blank page, a grey card, a cap before the lens: all that a network could
    do is guess, and it would guess a sky.

    Parameters
    ----------
    luminance : ndarray, (rows, columns)
        In [0, `full`].
    full : float

    Returns
    -------
    bool
        True if no more than noise is left beside light that falls off
        smoothly, as a quadratic form of rows and columns does.
    """
    rows, columns = luminance.shape
    some = luminance[::max(1, rows // _FEW), ::max(1, columns // _FEW)]
    y, x = [axis.ravel() for axis in np.mgrid[
        -1:1:complex(some.shape[0]), -1:1:complex(some.shape[1])]]
    forms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    values = some.reshape(-1).astype(np.float64)
    rest = values - forms @ np.linalg.lstsq(forms, values, rcond=None)[0]
    low, high = np.percentile(rest, _ENDS)
    return bool(high - low < _NOTHING * full / 100)
