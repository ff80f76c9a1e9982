"""What a network says of frames, averaged along what moves.

Class probabilities, not colours: of a thing that is red in one frame and blue
in the next, the mean is not violet, unless the decoding takes means.
"""

import numpy as np

from .motion import follow
from .packages import import_package

__all__ = ['as_grey', 'as_scores', 'as_weighted', 'smooth']

#: Least weight of the past and the future, so that frames that the network
#: has not seen have colours whatever the weight is.
_LEAST = 1e-3

#: What a cell takes from those around it: the standard deviation of a
#: Gaussian, in cells, and its weight, as a share of `memory`. Cells that
#: little is known of would be specks among others.
_AROUND, _SHARE = 1.5, .1

#: Weight below which nothing is known around a cell, either.
_EMPTY = 1e-6

#: The smallest probability, so that it has a logarithm.
_TINY = 1e-9


def as_weighted(kept):
    """One frame's scores as what can be averaged.

    Parameters
    ----------
    kept : list of ndarray
        One frame's of :func:`colornet.refinement.scores.keep_scores`.

    Returns
    -------
    ndarray of float32, (rows, columns, channels + 1)
        Probabilities, or chrominance if the network predicts that; the last
        is their weight, 1.
    """
    if len(kept) == 1:
        maps = list(kept[0])
    else:
        maps = []
        for scores in kept:
            # The highest is 0.
            weights = np.exp(scores.astype(np.float32))
            maps.extend(weights / weights.sum(axis=0))
    return np.stack(maps + [np.ones_like(maps[0])], axis=-1)


def as_grey(weighted, num_scores):
    """The same of a frame that has no colours.

    Parameters
    ----------
    weighted : ndarray of float32, (rows, columns, channels + 1)
        Of :func:`as_weighted`.
    num_scores : 1 or 2
        How many arrays the network predicts.

    Returns
    -------
    ndarray of float32, like `weighted`
    """
    grey = np.zeros_like(weighted)
    grey[..., -1] = 1
    if num_scores == 2:
        # No chrominance is between the two classes in the middle.
        num_bins = weighted.shape[-1] // 2
        middle = num_bins // 2
        for first in 0, num_bins:
            grey[..., first + middle - 1:first + middle + 1] = .5
    return grey


def as_scores(weighted, num_scores):
    """Undo :func:`as_weighted`, of a weighted sum.

    Parameters
    ----------
    weighted : ndarray of float32, (rows, columns, channels + 1)
    num_scores : 1 or 2
        How many arrays the network predicts.

    Returns
    -------
    list of ndarray of float32
        For :func:`colornet.refinement.scores.decode_scores`.
    """
    means = np.moveaxis(weighted[..., :-1] / weighted[..., -1:], -1, 0)
    if num_scores == 1:
        return [means]
    return np.split(np.log(np.maximum(means, _TINY)), num_scores)


def smooth(before, seen, count, memory):
    """Average what is known of frames along what moves.

    A frame that is n frames away has the weight ``memory ** n``, less where
    it cannot be trusted that the same thing is seen; so it is with those
    before and with those after.

    Parameters
    ----------
    before : ndarray of float32, or None
        Sum over the frames before the first, at the last of them; None, if
        there are none in its scene.
    seen : list of (ndarray or None, Motion or None)
        For the frames of one scene: what :func:`as_weighted` made of the
        network's scores, if it has seen the frame; motion from the frame
        before, if that is of the same scene.
    count : int
        How many are wanted; the others are their future.
    memory : float
        In [0, 1).

    Yields
    ------
    total, sums : ndarray of float32, (rows, columns, channels + 1)
        Weighted sums at a frame: over all frames, and over it and those
        before, for the next call.
    """
    memory = max(memory, _LEAST)
    future = [None] * len(seen)
    for number in range(len(seen) - 1, 0, -1):
        own, motion = seen[number]
        future[number - 1] = _carry(_add(own, future[number]), motion.forward,
                                    motion.trust_forward, memory)
        if number >= count:
            future[number] = None
    sums = before
    for (own, motion), later in zip(seen[:count], future):
        if sums is not None:
            sums = _carry(sums, motion.backward, motion.trust_backward,
                          memory)
        sums = _add(own, sums)
        yield _spread(_add(later, sums), _SHARE * memory), sums


def _carry(sums, flow, trust, memory):
    """A sum at one frame as it counts at the next."""
    return (None if sums is None else
            follow(sums, flow) * (memory * trust)[..., np.newaxis])


def _add(one, other):
    if one is None or other is None:
        return other if one is None else one
    return one + other


def _spread(total, share):
    """Let cells that little is known of have what is around them."""
    cv2 = import_package('cv2')
    for deviation in _AROUND, max(total.shape[:2]):
        around = cv2.GaussianBlur(total, (0, 0), deviation,
                                  borderType=cv2.BORDER_REPLICATE)
        total = total + np.float32(share) * around
        if total[..., -1].min() >= _EMPTY:
            break
    return total
