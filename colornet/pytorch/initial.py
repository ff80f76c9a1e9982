"""The weights that a training begins with (paper, 3.2, 5.2)."""

import numpy as np
import torch

from ..network.vgg16_weights import load_vgg16_weights
from ..resources import find_resource
from .variables import Variable

__all__ = ['draw_weights', 'set_vgg16']


def draw_weights(network, seed, initialization='glorot'):
    """Draw the decoder's weights: the numbers that Lasagne draws (5.2).

    Parameters
    ----------
    network : Network
    seed : int
    initialization : 'glorot' or 'he'
    """
    random = np.random.RandomState(seed)
    variables = [(key, Variable(tensor)) for key, tensor in
                 network.tensors().items()]
    filters = [(layer, variable) for (layer, name), variable in variables
               if name == 'W']
    for (_, name), variable in variables:
        if name == 'b':
            variable.set_value(np.zeros_like(variable.get_value()))
    # VGG16's layers are drawn, too, before they get their weights; and for
    # "he", all of the decoder is drawn twice.
    for layer, variable in filters:
        variable.set_value(_draw(random, variable, _glorot))
    if initialization == 'he':
        for layer, variable in filters:
            if layer not in network.encoder:
                variable.set_value(_draw(random, variable, _he))


def _draw(random, variable, find_deviation):
    shape = variable.get_value().shape
    limit = np.sqrt(3) * find_deviation(shape)
    return random.uniform(-limit, limit, shape).astype(np.float32)


def _glorot(shape):
    """Standard deviation, for (filters, channels, ...) or two layers' units.

    Their sum is taken, so that it does not matter which is first.
    """
    return np.sqrt(2. / ((shape[0] + shape[1]) * np.prod(shape[2:])))


def _he(shape):
    """The same, for a rectifier after it; matrices have inputs first."""
    inputs = shape[0] if len(shape) == 2 else np.prod(shape[1:])
    return np.sqrt(2) * np.sqrt(1. / inputs)


def set_vgg16(network, vgg_weights=None):
    """Give the encoder VGG16's weights (paper, 3.2).

    Parameters
    ----------
    network : Network
    vgg_weights : str or Path, optional
        Those that ship with the project if not given.
    """
    tensors = network.tensors()
    weights = load_vgg16_weights(vgg_weights or
                                 find_resource('weights/vgg16.pkl'))
    with torch.no_grad():
        for layer, (filters, biases) in weights.items():
            tensors[layer, 'W'].copy_(torch.from_numpy(filters))
            tensors[layer, 'b'].copy_(torch.from_numpy(biases))
