"""From class scores to chrominance (paper, 3.6; its studies, 5.3)."""

import numpy as np
import torch
import torch.nn.functional as F

from ..color import get_color_space, unbin_channel
from ..scaling import gaussian_window

__all__ = ['predicted_chroma']


def predicted_chroma(outputs, network, decoding):
    """See :func:`colornet.network.decoding.predicted_chroma`.

    Parameters
    ----------
    outputs : sequence of tensor
        One with chrominance, or the class scores of both channels.
    network, decoding : dict
        The settings of these sections.

    Returns
    -------
    tensor, (batch, 2, rows, columns)
    """
    if len(outputs) == 1:
        return outputs[0] * decoding['saturation']
    num_bins = network['num_bins']
    means = torch.from_numpy(unbin_channel(
        np.arange(num_bins), num_bins,
        get_color_space(network['color_space']).limits))
    means = means.to(outputs[0].device)
    channels = []
    for scores in outputs:
        if decoding['smoothing']:
            scores = _smooth(scores, decoding['smoothing'])
        channels.append(
            means[scores.argmax(1)] if decoding['method'] == 'argmax' else
            ((scores / decoding['temperature']).softmax(1) *
             means[:, None, None]).sum(1))
    return torch.stack(channels, 1) * decoding['saturation']


def _smooth(scores, deviation):
    """By a Gaussian; at the borders, means of the pixels that are there."""
    window = torch.from_numpy(gaussian_window(deviation)).to(scores.device)
    planes = scores.flatten(0, 1)[:, None]
    ones = torch.ones_like(planes[:1])
    for filters in (window[:, None], window[None]):
        reach = [size // 2 for size in filters.shape]
        planes, ones = [F.conv2d(maps, filters[None, None], padding=reach)
                        for maps in (planes, ones)]
    return (planes / ones).reshape(scores.shape)
