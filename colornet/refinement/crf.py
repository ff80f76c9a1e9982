"""A conditional random field of the bins of U, or of V (paper, 6).

As of Kraehenbuehl and Koltun's (2011), marginals are found by mean field, but
messages are passed by a guided filter in place of Gaussians in a space of
colours: pixels agree with those around them on the same side of an edge of
luminance. So it is not fully connected: a pixel hears of neighbours at most
two radii of the filter away, itself among them. Bins are ordered, so to
disagree costs the more, the further apart two bins are, up to a most.
"""

import numpy as np

__all__ = ['bin_costs', 'mean_field']

#: Rounds of messages.
NUM_ROUNDS = 5

#: Difference of two colours, in units of U or V, that costs the most.
MOST_DIFFERENT = 40.


def bin_costs(num_bins, limits):
    """What it costs that two pixels disagree.

    Parameters
    ----------
    num_bins : int
    limits : (float, float)
        Of the bins.

    Returns
    -------
    ndarray of float32, (num_bins, num_bins)
        From 0, for the same bin, to 1.
    """
    width = (limits[1] - limits[0]) / num_bins
    numbers = np.arange(num_bins)
    apart = abs(numbers[:, np.newaxis] - numbers) * width
    return np.minimum(apart / MOST_DIFFERENT, 1).astype(np.float32)


def mean_field(scores, costs, smooth, weight, num_rounds=NUM_ROUNDS):
    """Marginals of the random field, approximately.

    Parameters
    ----------
    scores : ndarray of float32, (bins, rows, columns)
        Logarithms of probabilities, but for a number at each pixel.
    costs : ndarray of float32, (bins, bins)
        Of :func:`bin_costs`.
    smooth : callable
        Passes messages: takes planes, returns each as a mean of its
        surroundings; :class:`.guided.GuidedFilter`.
    weight : float
        Of the messages.
    num_rounds : int

    Returns
    -------
    ndarray of float32, same shape as `scores`
        Logarithms of the marginals, but for a number at each pixel.
    """
    found = scores
    for _ in range(num_rounds):
        weights = np.exp(found - found.max(axis=0))
        weights /= weights.sum(axis=0)
        found = scores - np.float32(weight) * np.tensordot(
            costs, smooth(weights), axes=1)
    return found
