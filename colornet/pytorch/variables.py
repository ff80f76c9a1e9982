"""PyTorch's tensors in the place of Theano's shared variables."""

from collections import OrderedDict

import numpy as np
import torch
from torch import nn

__all__ = ['Variable', 'learned_parameters', 'named_tensors']

#: Ours -> PyTorch's.
PARAMETER_NAMES = {'W': 'weight', 'b': 'bias'}
BATCH_NORM_NAMES = {'gamma': 'weight', 'beta': 'bias', 'mean': 'running_mean',
                    'variance': 'running_var'}


class Variable:
    """A tensor, read and written as one of Theano's shared variables.

    :mod:`colornet.network.parameters` and
    :class:`colornet.training.trainer.Trainer` take it for one.

    Parameters
    ----------
    tensor : tensor
        A parameter of :class:`colornet.pytorch.network.Network`, or of the
        same shape.
    """

    def __init__(self, tensor):
        self.tensor = tensor

    def get_value(self, borrow=False):
        """A copy in our layout, an ndarray of float32."""
        return np.array(_turn(self.tensor.detach().cpu().numpy()), order='C')

    def set_value(self, array):
        """Copy an array of our layout into the tensor."""
        array = np.array(_turn(np.asarray(array)), order='C')
        with torch.no_grad():
            self.tensor.copy_(torch.from_numpy(array))


def _turn(array):
    """Ours to PyTorch's, or back.

    Theano's convolution flips filters; Lasagne multiplies rows by matrices,
    PyTorch matrices by columns.
    """
    return (array[:, :, ::-1, ::-1] if array.ndim == 4 else
            array.T if array.ndim == 2 else array)


def named_tensors(layers):
    """All parameters and running averages, by our names and in our order.

    Parameters
    ----------
    layers : dict of str to nn.Module

    Returns
    -------
    OrderedDict of (str, str) to tensor
    """
    found = OrderedDict()
    for layer, module in layers.items():
        names = (BATCH_NORM_NAMES if isinstance(module, nn.BatchNorm2d) else
                 PARAMETER_NAMES)
        for ours, theirs in names.items():
            if getattr(module, theirs) is not None:
                found[layer, ours] = getattr(module, theirs)
    return found


def learned_parameters(network, fine_tune):
    """See :func:`colornet.network.saved.learned_parameters`.

    Parameters
    ----------
    network : Network
    fine_tune : bool
        With VGG16's.

    Returns
    -------
    OrderedDict of (str, str) to Variable
    """
    return OrderedDict((key, Variable(tensor)) for key, tensor in
                       network.tensors().items()
                       if fine_tune or key[0] not in network.encoder)
