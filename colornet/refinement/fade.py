"""What a network knows of colours, and colours that fade where it does not."""

import numpy as np

from ..color import unbin_channel

__all__ = ['fade_chroma', 'predicted_spread', 'trust_of']

#: Spread of U and V together at which a prediction is half as trusted.
HALF_TRUST = 10.


def predicted_spread(scores, limits):
    """How far the colours that a network thinks of are apart.

    Parameters
    ----------
    scores : list of two ndarray of float32, (bins, rows, columns)
        Class scores of U and V.
    limits : (float, float)
        Of the bins.

    Returns
    -------
    ndarray of float32, (rows, columns)
        Standard deviation of U and V together, by their probabilities.
    """
    total = 0
    for channel in scores:
        means = unbin_channel(np.arange(len(channel)), len(channel), limits)
        weights = np.exp(channel - channel.max(axis=0))
        sums = weights.sum(axis=0)
        first, second = [np.tensordot(values, weights, axes=1) / sums
                         for values in (means, means ** 2)]
        total = total + (second - first ** 2).clip(0)
    return np.sqrt(total)


def trust_of(spread, half=HALF_TRUST):
    """How much a prediction of some spread is trusted.

    Parameters
    ----------
    spread : ndarray
        Of :func:`predicted_spread`.
    half : float, above 0
        Spread of half a trust.

    Returns
    -------
    ndarray, same shape
        In (0, 1].
    """
    return 1 / (1 + np.square(spread / np.float32(half)))


def fade_chroma(chroma, spread, half):
    """Let colours fade to grey where they are uncertain.

    Parameters
    ----------
    chroma : ndarray of float32, (rows, columns, 2)
    spread : ndarray of float32, (rows, columns)
        Of :func:`predicted_spread`.
    half : float, above 0
        Spread at which half of the chrominance is left.

    Returns
    -------
    ndarray of float32, same shape as `chroma`
    """
    return chroma * trust_of(spread, half)[..., np.newaxis]
