"""Layers as Theano computes them where PyTorch's own differ (3.4, 3.5)."""

import torch
import torch.nn.functional as F
from torch import nn

from ..network.stored import EPSILON

__all__ = ['BatchNorm', 'max_pool', 'upscale']

#: Weight of the new value in a running average, as PyTorch has it; ours is
#: that of the old one (choice 13).
MOMENTUM = 0.1


class BatchNorm(nn.BatchNorm2d):
    """See :class:`colornet.network.layers.BatchNormLayer`.

    Parameters
    ----------
    channels : int
    """

    def __init__(self, channels):
        super().__init__(channels, eps=EPSILON, momentum=MOMENTUM)

    def forward(self, maps):
        if not self.training or maps.numel() > maps.shape[1]:
            return super().forward(maps)
        # One number, which is its own mean, has no variance; PyTorch refuses
        # it.
        with torch.no_grad():
            self.running_mean.lerp_(maps.flatten().float(), self.momentum)
        scale, shift = [parameter[:, None, None] for parameter in
                        (self.weight, self.bias)]
        return (maps - maps) * scale + shift


class _MaxPool(torch.autograd.Function):
    """Of several numbers that are the largest, each gets the gradient."""

    @staticmethod
    def forward(context, maps, ceil_mode):
        pooled = F.max_pool2d(maps, 2, ceil_mode=ceil_mode)
        context.save_for_backward(maps, pooled)
        return pooled

    @staticmethod
    def backward(context, gradients):
        maps, pooled = context.saved_tensors
        gradients, pooled = [_fit(upscale(values, 2), maps)
                             for values in (gradients, pooled)]
        return gradients * (maps == pooled), None


def _fit(values, maps):
    return values[:, :, :maps.shape[2], :maps.shape[3]]


def max_pool(maps, ceil_mode=False):
    """Largest numbers of blocks of 2 x 2 (paper, 3.2).

    Parameters
    ----------
    maps : tensor, (batch, channels, rows, columns)
    ceil_mode : bool
        Pool the last row or column of an odd number, too.

    Returns
    -------
    tensor

    Notes
    -----
    Flat areas of a photo give equal numbers. As in Theano, each of them gets
    the gradient; PyTorch would give it to the first.
    """
    if maps.requires_grad and torch.is_grad_enabled():
        return _MaxPool.apply(maps, ceil_mode)
    return F.max_pool2d(maps, 2, ceil_mode=ceil_mode)


def upscale(maps, scale):
    """Nearest-neighbour upscaling of rows and columns (3.5; choice 10).

    Parameters
    ----------
    maps : tensor, (batch, channels, rows, columns)
    scale : int

    Returns
    -------
    tensor
    """
    return (maps if scale == 1 else
            F.interpolate(maps, scale_factor=scale, mode='nearest'))
