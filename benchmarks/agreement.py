"""Whether two engines compute the same, to float32 accuracy."""

import numpy as np

__all__ = ['compare', 'kind_of', 'tolerances']

#: Kind of result -> allowed root mean square of the differences, as a part
#: of the values' own. A sum in float32 is off by some 1e-7; what is measured
#: is written behind.
TOLERANCES = {
    'scores': 1e-5,           # 4e-7
    # Batch statistics amplify; Winograd's algorithm loses a digit.
    'training scores': 1e-4,  # 6e-6
    'average': 1e-5,          # 1e-7
    # A rectifier's gradient jumps at zero: where a map is zero to within
    # rounding, a filter's gradient differs by a whole pixel's share.
    'gradient': 1e-3,         # 3e-4
    # Of several steps: Adam divides by the size of the gradient, so where
    # that is only rounding, the steps differ.
    'losses': 1e-4,           # 2e-5
}

#: How much further from float64 than PyTorch's float32 we may be.
FACTOR = 4

#: Part of the pixels that may be decoded to another bin: where the two
#: largest scores are equal to within rounding.
MAX_OTHER_BINS = 1e-3

#: Arrays count as if they were no smaller than this part of the largest of
#: their kind. Some are nothing but rounding: batch normalization after a 1x1
#: convolution takes away what the shift before it (``conv4_3_bn/beta``)
#: adds, so its gradient is zero.
FLOOR = 1e-3


def kind_of(name):
    """'gradient' of 'gradient r4_conv/W'; 'scores' of 'scores'."""
    return name.rsplit(' ', 1)[0] if '/' in name else name


def tolerances(theirs, exact):
    """How far float32 may be off, as the other side is, too.

    A rectifier's gradient jumps at zero, so what rounding does to a gradient
    depends on the photos, the weights and the processor. How much that is,
    the other side shows.

    Parameters
    ----------
    theirs, exact : dict of str to ndarray
        Results in float32 and in float64.

    Returns
    -------
    dict of str to float
        Kind of result -> allowed difference: :data:`TOLERANCES`, or
        :data:`FACTOR` times the largest of theirs.
    """
    allowed = dict(TOLERANCES)
    for name, difference, _ in compare(theirs, exact):
        kind = kind_of(name)
        if kind in allowed and np.isfinite(difference):
            allowed[kind] = max(allowed[kind], FACTOR * difference)
    return allowed


def compare(ours, theirs, allowed=None):
    """Compare what :func:`benchmarks.engines.collect_results` collected.

    Parameters
    ----------
    ours, theirs : dict of str to ndarray
    allowed : dict of str to float
        Kind of result -> largest difference; :data:`TOLERANCES` if not given.

    Returns
    -------
    list of (str, float, float)
        Name, difference and the largest difference allowed, the worst first
        (in units of what is allowed).
    """
    allowed = TOLERANCES if allowed is None else allowed
    floors = {}
    for name, array in theirs.items():
        size = FLOOR * _root_mean_square(array)
        floors[_family(name)] = max(size, floors.get(_family(name), 0.))
    rows = []
    for name in sorted(set(ours) | set(theirs)):
        if name not in ours or name not in theirs or (
                np.shape(ours[name]) != np.shape(theirs[name])):
            difference = float('inf')  # As far off as can be.
        elif name == 'chrominance':
            difference = np.mean(ours[name] != theirs[name])
        else:
            difference = _root_mean_square(ours[name] - theirs[name]) / max(
                _root_mean_square(theirs[name]), floors[_family(name)])
        rows.append((name, float(difference),
                     allowed.get(kind_of(name), MAX_OTHER_BINS)))
    # NaN is the worst.
    return sorted(rows, reverse=True, key=lambda row: (
        row[1] / row[2] if np.isfinite(row[1]) else float('inf')))


def _family(name):
    """Arrays of one kind of result and of parameter."""
    return kind_of(name), name.rsplit('/', 1)[-1]


def _root_mean_square(array):
    return np.sqrt(np.mean(np.square(array, dtype=np.float64)))
