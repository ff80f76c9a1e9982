"""Rare colours that weigh more (Zhang et al., 2016; choice 32); no Theano.

They weigh the classes of a joint distribution of two channels by their
rarity; here, U and V have classes of their own, and so weights of their own.
"""

import numpy as np

from ..color import get_color_space, split_channels
from ..data.minibatches import iterate_minibatches
from ..scaling import gaussian_window
from .inputs import make_targets

__all__ = ['MAX_COUNTED', 'balance_classes', 'class_weights', 'count_classes']

#: Photos whose pixels are counted, at most: evenly drawn from all.
MAX_COUNTED = 1000

#: Photos that are counted at a time.
_AT_ONCE = 16


def count_classes(images, indices, settings):
    """Count the pixels of each class of U and of V (paper, 3.6).

    Parameters
    ----------
    images, indices
        As for :func:`colornet.data.minibatches.iterate_minibatches`.
    settings : dict
        Those of ``[network]``.

    Returns
    -------
    ndarray of int64, (2, num_bins)
    """
    counts = np.zeros((2, settings['num_bins']), np.int64)
    for rgb in iterate_minibatches(images, indices, _AT_ONCE):
        _, chroma = split_channels(rgb, settings['color_space'])
        bins = make_targets(chroma, settings)
        counts += [np.bincount(bins[:, channel].ravel(),
                               minlength=len(counts[channel]))
                   for channel in range(2)]
    return counts


def class_weights(counts, uniform_share, deviation):
    """Weights of classes by their rarity (Zhang et al., 2016, 2.2).

    Parameters
    ----------
    counts : ndarray, (2, num_bins)
        Pixels of each class; neither channel is without any.
    uniform_share : float in (0, 1]
        Of the uniform distribution, which is mixed with that of the classes:
        theirs is lambda = 1/2. 1: all classes weigh alike.
    deviation : float
        Standard deviation of a Gaussian that smooths the distribution of the
        classes first, in bins; 0: none.

    Returns
    -------
    ndarray of float32, (2, num_bins)
        One over the mixture, scaled so that the expected weight of the
        smoothed distribution is one.
    """
    shares = np.array(counts, np.float64)
    if deviation:
        window = gaussian_window(deviation)
        # What would be smoothed beyond the ends stays within.
        ones = _convolve(np.ones_like(shares[0]), window)
        shares = np.array([_convolve(channel / ones, window)
                           for channel in shares])
    shares /= shares.sum(axis=1, keepdims=True)
    weights = 1 / ((1 - uniform_share) * shares +
                   uniform_share / shares.shape[1])
    weights /= (shares * weights).sum(axis=1, keepdims=True)
    return weights.astype(np.float32)


def _convolve(values, window):
    """Of the length of the values, also where the window is longer."""
    reach = len(window) // 2
    return np.convolve(values, window)[reach:reach + len(values)]


def balance_classes(images, indices, config):
    """Weights of the classes for a training on some photos.

    Parameters
    ----------
    images, indices
        As for :func:`count_classes`: the photos to train on.
    config : Config

    Returns
    -------
    ndarray of float32, (2, num_bins)
    """
    network, objective = config.network, config.objective
    indices = np.asarray(indices)
    if len(indices) > MAX_COUNTED:
        indices = indices[np.linspace(0, len(indices) - 1, MAX_COUNTED,
                                      dtype=np.intp)]
    low, high = get_color_space(network['color_space']).limits
    return class_weights(
        count_classes(images, indices, network), objective['uniform_share'],
        objective['rarity_smoothing'] * network['num_bins'] / (high - low))
