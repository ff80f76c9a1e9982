"""Training objectives (paper, 3.5, 3.6), in PyTorch."""

import torch
import torch.nn.functional as F

__all__ = ['find_loss']


def find_loss(outputs, targets, settings, class_weights=None):
    """See :mod:`colornet.network.objectives`.

    Parameters
    ----------
    outputs : sequence of tensor
        Chrominance, (batch, 2, rows, columns), or the class scores of both
        channels, (batch, bins, rows, columns).
    targets : tensor, (batch, 2, rows, columns)
        Chrominance, or bin numbers.
    settings : dict
        Those of ``[objective]``.
    class_weights : tensor, (2, bins), optional
        Of the cross-entropy.

    Returns
    -------
    tensor, a scalar
    """
    if class_weights is not None:
        # By PyTorch's mean, the weights of a minibatch would have the sum 1.
        return sum(F.cross_entropy(
            scores, targets[:, channel], class_weights[channel],
            reduction='none').mean() for channel, scores in enumerate(outputs))
    if settings['loss'] == 'cross_entropy':
        return sum(F.cross_entropy(scores, targets[:, channel])
                   for channel, scores in enumerate(outputs))
    size = (outputs[0] - targets).abs()
    penalty = size ** 2
    if settings['loss'] == 'huber':
        threshold = settings['huber_threshold']
        penalty = torch.where(size <= threshold, penalty,
                              threshold * (2 * size - threshold))
    return penalty.sum(1).mean()
