"""The paper's two networks in PyTorch (3.2 - 3.6, Figures 2 and 3).

Layers and parameters have the names that they have in
:mod:`colornet.network.networks`, so that the two can be compared one by one.
"""

from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

__all__ = ['Network', 'Variable']

#: Convolutions of VGG16's blocks: (number of layers, number of filters).
BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512))

#: VGG16's maps that the decoder takes: name -> channels.
TAPS = {'conv1_2': 64, 'conv2_2': 128, 'conv3_3': 256, 'conv4_3': 512}

#: Channels of R4's map.
R4_DEPTH = 256

#: Ours -> PyTorch's.
PARAMETER_NAMES = {'W': 'weight', 'b': 'bias'}
BATCH_NORM_NAMES = {'gamma': 'weight', 'beta': 'bias', 'mean': 'running_mean',
                    'variance': 'running_var'}


def _batch_norm(channels):
    # PyTorch's momentum is the weight of the new value, ours of the old.
    return nn.BatchNorm2d(channels, eps=1e-4, momentum=0.1)


def _upscale(maps, scale):
    return (maps if scale == 1 else
            F.interpolate(maps, scale_factor=scale, mode='nearest'))


class Network(nn.Module):
    """Inputs (batch, 3, rows, columns) to chrominance, or to class scores.

    All options are those of :mod:`colornet.network.networks`.

    Parameters
    ----------
    kind : 'classification' or 'regression'
        The outputs are the class scores of U and of V, or one output with
        both channels.
    num_bins : int
        Classes per chrominance channel.
    tail : sequence of int
        Of the classification network.
    chroma_scale : float
        Of the regression network.
    batch_norm_taps : bool
    output_stride : 1, 2 or 4
    global_features, context : int
    fine_tune : bool

    Notes
    -----
    Where several of the four numbers that are pooled are the largest, Theano
    gives the gradient to each of them, PyTorch to the first. Before `context`
    that are pixels where VGG16's rectifiers give zero, and the gradients below
    it differ a little.
    """

    def __init__(self, kind='classification', num_bins=50, tail=(256, 64, 64),
                 chroma_scale=1., batch_norm_taps=True, output_stride=1,
                 global_features=0, context=0, fine_tune=False):
        super().__init__()
        self.chroma_scale = chroma_scale
        self.output_stride = output_stride
        self.fine_tune = fine_tune
        layers = self.layers = nn.ModuleDict()
        channels = 3
        for block, (count, filters) in enumerate(BLOCKS, 1):
            for index in range(1, count + 1):
                layers['conv%d_%d' % (block, index)] = nn.Conv2d(
                    channels, filters, 3, padding=1)
                channels = filters
        #: Names of VGG16's layers.
        self.encoder = frozenset(layers)
        for parameter in self.parameters():
            parameter.requires_grad_(fine_tune)
        if batch_norm_taps:
            for name, channels in TAPS.items():
                layers[name + '_bn'] = _batch_norm(channels)
        self._add_unit('r4', TAPS['conv4_3'], R4_DEPTH, 1)
        channels = self._add_units('context', TAPS['conv4_3'],
                                   [R4_DEPTH] * context)
        if global_features:
            layers['global1'] = nn.Linear(channels, global_features)
            layers['global2'] = nn.Linear(global_features, R4_DEPTH)
        channels = self._add_units('unit', R4_DEPTH, [128, 64])
        if kind == 'regression':
            layers['unit3_conv'] = nn.Conv2d(channels, 2, 3, padding=1)
        else:
            # The concatenated maps.
            channels = self._add_units('tail', R4_DEPTH + 128 + 64 +
                                       TAPS['conv1_2'], tail)
            for name in ('u_scores', 'v_scores'):
                layers[name] = nn.Conv2d(channels, num_bins, 1)

    def _add_units(self, name, channels, depths):
        """3x3 units, numbered from 1; returns the last one's channels."""
        for number, filters in enumerate(depths, 1):
            self._add_unit('%s%d' % (name, number), channels, filters, 3)
            channels = filters
        return channels

    def _add_unit(self, name, channels, filters, size):
        self.layers[name + '_conv'] = nn.Conv2d(
            channels, filters, size, padding=size // 2, bias=False)
        self.layers[name + '_bn'] = _batch_norm(filters)

    def initialize(self, initialization='glorot'):
        """Draw the decoder's weights anew, from PyTorch's generator (5.2).

        Parameters
        ----------
        initialization : 'glorot' or 'he'
        """
        for name, module in self.layers.items():
            if name in self.encoder or isinstance(module, nn.BatchNorm2d):
                continue
            if initialization == 'he':
                nn.init.kaiming_uniform_(module.weight, nonlinearity='relu')
            else:
                nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)

    def tensors(self):
        """All parameters and running averages, by our names.

        Returns
        -------
        OrderedDict of (str, str) to tensor
        """
        found = OrderedDict()
        for layer, module in self.layers.items():
            names = (BATCH_NORM_NAMES if isinstance(module, nn.BatchNorm2d)
                     else PARAMETER_NAMES)
            for ours, theirs in names.items():
                if getattr(module, theirs) is not None:
                    found[layer, ours] = getattr(module, theirs)
        return found

    def forward(self, maps):
        taps = {name: (self.layers[name + '_bn'](tap)
                       if name + '_bn' in self.layers else tap)
                for name, tap in self._encode(maps).items()}
        r4 = self._add_surroundings(self._unit('r4', taps['conv4_3']),
                                    taps['conv4_3'])
        unit1 = self._unit('unit1', _upscale(r4, 2) + taps['conv3_3'])
        unit2 = self._unit('unit2', _upscale(unit1, 2) + taps['conv2_2'])
        last = [self._at_stride(unit2, 2), self._at_stride(taps['conv1_2'], 1)]
        if 'unit3_conv' in self.layers:
            return (self.layers['unit3_conv'](sum(last)) * self.chroma_scale,)
        maps = torch.cat([self._at_stride(r4, 8),
                          self._at_stride(unit1, 4)] + last, 1)
        maps = self._units('tail', maps)
        return self.layers['u_scores'](maps), self.layers['v_scores'](maps)

    def _encode(self, maps):
        """VGG16's maps for the decoder; gradients if it is trained."""
        taps = {}
        with torch.set_grad_enabled(torch.is_grad_enabled() and
                                    self.fine_tune):
            for block, (count, _) in enumerate(BLOCKS, 1):
                if block > 1:
                    maps = F.max_pool2d(maps, 2)
                for index in range(1, count + 1):
                    name = 'conv%d_%d' % (block, index)
                    maps = F.relu(self.layers[name](maps))
                taps[name] = maps
        return taps

    def _add_surroundings(self, r4, tap):
        """R4's map and what is around a pixel (choices 24 and 25)."""
        rows, columns = r4.shape[2:]
        if 'context1_conv' in self.layers:
            # Also the last row or column of an odd number is pooled.
            tap = self._units('context', F.max_pool2d(tap, 2, ceil_mode=True))
            r4 = r4 + _upscale(tap, 2)[:, :, :rows, :columns]
        if 'global1' in self.layers:
            features = F.relu(self.layers['global1'](tap.mean((2, 3))))
            r4 = r4 + self.layers['global2'](features)[:, :, None, None]
        return r4

    def _at_stride(self, maps, scale):
        """Maps of `scale` rows for each, at the output's (choice 23)."""
        if scale < self.output_stride:
            return F.avg_pool2d(maps, self.output_stride // scale)
        return _upscale(maps, scale // self.output_stride)

    def _units(self, name, maps):
        """All that :meth:`_add_units` has added."""
        number = 1
        while '%s%d_conv' % (name, number) in self.layers:
            maps = self._unit('%s%d' % (name, number), maps)
            number += 1
        return maps

    def _unit(self, name, maps):
        """Convolution, batch normalization, rectifier."""
        maps = self.layers[name + '_conv'](maps)
        return F.relu(self.layers[name + '_bn'](maps))


class Variable:
    """A tensor, read and written as one of Theano's shared variables.

    :mod:`colornet.network.parameters` and
    :class:`colornet.training.trainer.Trainer` take it for one.

    Parameters
    ----------
    tensor : tensor
        A parameter of :class:`Network`, or of the same shape.
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
