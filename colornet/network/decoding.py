"""From class scores to chrominance (paper, 3.6; its studies, 5.3).

All are Theano expressions, for one channel: scores, (batch, bins, rows,
columns), before any softmax.
"""

import numpy as np

from ..color import unbin_channel
from ..engine.backend import T, lasagne
from ..engine.kernels import argmax
from ..scaling import gaussian_window

__all__ = ['decode_argmax', 'decode_mean', 'smooth_scores',
           'predicted_chroma']


def decode_argmax(scores, means):
    """The mean of the bin with the highest score (paper, 3.6).

    Parameters
    ----------
    scores : tensor4, (batch, bins, rows, columns)
    means : ndarray of float32, (bins,)

    Returns
    -------
    tensor3, (batch, rows, columns)
    """
    return T.constant(means)[argmax(scores)]


def decode_mean(scores, means, temperature=1.):
    """The mean of all bins, weighted by their probabilities (choice 21).

    Parameters
    ----------
    scores : tensor4, (batch, bins, rows, columns)
    means : ndarray of float32, (bins,)
    temperature : float, above 0
        The scores are divided by it before the softmax. 1 is the
        expectation, 0.38 the annealed mean of Zhang et al. (2016); towards
        0, it becomes :func:`decode_argmax`.

    Returns
    -------
    tensor3, (batch, rows, columns)
    """
    scores = (scores - scores.max(axis=1, keepdims=True)) / \
        lasagne.utils.floatX(temperature)
    weights = T.exp(scores)
    total = T.tensordot(weights, T.constant(means), axes=[[1], [0]])
    return total / weights.sum(axis=1)


def smooth_scores(scores, deviation):
    """Smooth the class scores by a Gaussian (paper, 5.3; choice 21).

    Parameters
    ----------
    scores : tensor4, (batch, bins, rows, columns)
    deviation : float, above 0
        Standard deviation, in pixels.

    Returns
    -------
    tensor4, the same shape
        At the borders, weighted means of the pixels that are there.
    """
    window = lasagne.utils.floatX(gaussian_window(deviation))
    # One channel after the other: bins do not mix.
    shape = scores.shape
    scores = scores.reshape((shape[0] * shape[1], 1, shape[2], shape[3]))
    ones = T.ones_like(scores[:1])
    for filters in (window[:, np.newaxis], window[np.newaxis]):
        filters = filters[np.newaxis, np.newaxis]
        scores, ones = [T.nnet.conv2d(
            maps, T.constant(filters), filter_shape=filters.shape,
            border_mode='half') for maps in (scores, ones)]
    return (scores / T.addbroadcast(ones, 0)).reshape(shape)


def predicted_chroma(outputs, num_bins, limits, method='argmax',
                     temperature=1., smoothing=0., saturation=1.):
    """Decode the outputs of a network to chrominance (paper, 3.6).

    Parameters
    ----------
    outputs : list of tensor4
        One for each of :func:`colornet.network.networks.output_layers`:
        chrominance, or the class scores of the two channels.
    num_bins, limits
        Of the bins; see :func:`colornet.color.bin_channel`.
    method : 'argmax' or 'mean'
        :func:`decode_argmax` or :func:`decode_mean`.
    temperature : float
        Of the mean.
    smoothing : float
        Standard deviation for :func:`smooth_scores`, in pixels; 0: none.
    saturation : float
        The chrominance, whose zero is grey, is multiplied by it (choice 22).

    Returns
    -------
    tensor4, (batch, 2, rows, columns)
    """
    chroma = (outputs[0] if len(outputs) == 1 else
              _decode(outputs, num_bins, limits, method, temperature,
                      smoothing))
    return (chroma if saturation == 1 else
            chroma * lasagne.utils.floatX(saturation))


def _decode(outputs, num_bins, limits, method, temperature, smoothing):
    """Chrominance of the class scores of two channels."""
    if method not in ('argmax', 'mean'):
        raise ValueError("method must be 'argmax' or 'mean', not %r" % method)
    means = unbin_channel(np.arange(num_bins), num_bins, limits)
    if smoothing:
        outputs = [smooth_scores(scores, smoothing) for scores in outputs]
    return T.stack([decode_argmax(scores, means) if method == 'argmax' else
                    decode_mean(scores, means, temperature)
                    for scores in outputs], axis=1)
