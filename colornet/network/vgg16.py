"""The encoder: VGG16 up to conv4_3 with ImageNet weights (paper, 4, 3.2)."""

from collections import OrderedDict

import numpy as np

from ..engine.backend import lasagne
from .layers import SameConv2DLayer
from .vgg16_weights import BLOCKS, VGG16_LAYERS, load_vgg16_weights

__all__ = ['VGG16_LAYERS', 'build_vgg16', 'load_vgg16_weights',
           'set_vgg16_weights']


def build_vgg16(incoming):
    """Build VGG16's layers from conv1_1 to pool4 (paper, 3.2, 3.3, 3.5).

    Parameters
    ----------
    incoming : Layer, (batch, 3, rows, columns)

    Returns
    -------
    OrderedDict of str to Layer
        ``conv1_1`` to ``conv4_3`` after their nonlinearity, and ``pool1`` to
        ``pool4``.
    """
    net = OrderedDict()
    layer = incoming
    for block, (count, num_filters) in enumerate(BLOCKS, 1):
        for index in range(1, count + 1):
            layer = net['conv%d_%d' % (block, index)] = SameConv2DLayer(
                layer, num_filters, 3,
                nonlinearity=lasagne.nonlinearities.rectify)
        layer = net['pool%d' % block] = lasagne.layers.MaxPool2DLayer(layer, 2)
    return net


def set_vgg16_weights(net, weights):
    """Give VGG16's layers their weights.

    Parameters
    ----------
    net : dict of str to Layer
    weights : dict of str to (W, b)
        As :func:`load_vgg16_weights` returns them. Lasagne's convolution
        flips filters, those of VGG16 are not flipped: W is turned here.
    """
    for name, (W, b) in weights.items():
        net[name].W.set_value(np.ascontiguousarray(W[:, :, ::-1, ::-1]))
        net[name].b.set_value(b)
