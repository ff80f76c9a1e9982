"""Training objectives (paper, 3.5, 3.6), as Theano expressions.

Each is a mean over all pixels of a minibatch of a sum over the two
chrominance channels, so that learning rates do not depend on the size of
the images (choice 16).
"""

from ..engine.backend import T, lasagne, theano
from ..engine.kernels import cross_entropy
from ..engine.native import enabled

__all__ = ['l2_loss', 'huber_loss', 'cross_entropy_loss']


def l2_loss(prediction, target):
    """Squared differences, the first regression objective (paper, 3.5).

    Parameters
    ----------
    prediction, target : tensor4, (batch, 2, rows, columns)
        Chrominance.

    Returns
    -------
    scalar
    """
    return T.sqr(prediction - target).sum(axis=1).mean()


def huber_loss(prediction, target, threshold):
    """Huber penalty L(u), the second regression objective (paper, 3.5).

    ``u**2`` for residuals of size up to the threshold M, and
    ``M * (2 * |u| - M)`` beyond it, for outliers: twice the usual definition.

    Parameters
    ----------
    prediction, target : tensor4, (batch, 2, rows, columns)
        Chrominance.
    threshold : float
        M, in the units of the chrominance (choice 7).

    Returns
    -------
    scalar
    """
    threshold = lasagne.utils.floatX(threshold)
    size = abs(prediction - target)
    penalty = T.switch(size <= threshold, T.sqr(size),
                       threshold * (2 * size - threshold))
    return penalty.sum(axis=1).mean()


def cross_entropy_loss(logits, target, class_weights=None):
    """Sum of the cross-entropies of the two channels (paper, 3.6).

    Parameters
    ----------
    logits : pair of tensor4, (batch, num_bins, rows, columns)
        Class scores of U and of V, before any softmax.
    target : itensor4, (batch, 2, rows, columns)
        Bin numbers.
    class_weights : ndarray of float32, (2, num_bins), optional
        A pixel's cross-entropies are multiplied by the weights of its bins
        (choice 32).

    Returns
    -------
    scalar, in nats
    """
    if class_weights is not None:
        return sum(_cross_entropy_obvious(scores, target[:, channel],
                                          class_weights[channel])
                   for channel, scores in enumerate(logits))
    mean = cross_entropy if enabled('kernels') else _cross_entropy_obvious
    return sum(mean(scores, target[:, channel])
               for channel, scores in enumerate(logits))


def _cross_entropy_obvious(logits, bins, weights=None):
    """Cross-entropy of one channel; finite for scores of any size."""
    # Subtracting the maximum changes nothing but the range of exp(), so no
    # gradient has to flow through it.
    maximum = theano.gradient.disconnected_grad(
        logits.max(axis=1, keepdims=True))
    shifted = logits - maximum
    log_sum = T.log(T.exp(shifted).sum(axis=1))
    numbers = T.arange(logits.shape[1]).dimshuffle('x', 0, 'x', 'x')
    is_target = T.eq(numbers, bins.dimshuffle(0, 'x', 1, 2))
    losses = log_sum - T.switch(is_target, shifted, 0).sum(axis=1)
    return (losses if weights is None else
            losses * T.constant(weights)[bins]).mean()
