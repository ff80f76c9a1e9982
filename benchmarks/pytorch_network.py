"""The paper's classification network in PyTorch (3.2 - 3.6, Figure 3).

Layers and parameters have the names that they have in
:mod:`colornet.networks`, so that the two can be compared one by one.
"""

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ['Network', 'PARAMETER_NAMES']

#: Convolutions of VGG16's blocks: (number of layers, number of filters).
BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512))

#: VGG16's maps that the decoder takes: name -> channels.
TAPS = {'conv1_2': 64, 'conv2_2': 128, 'conv3_3': 256, 'conv4_3': 512}

#: The decoder's convolutions, normalized and rectified:
#: name -> (channels, filters, size).
UNITS = {'r4': (512, 256, 1), 'unit1': (256, 128, 3), 'unit2': (128, 64, 3),
         'tail1': (512, 256, 3), 'tail2': (256, 64, 3), 'tail3': (64, 64, 3)}

#: Ours -> PyTorch's, for convolutions and batch normalizations.
PARAMETER_NAMES = {'W': 'weight', 'b': 'bias', 'gamma': 'weight',
                   'beta': 'bias', 'mean': 'running_mean',
                   'variance': 'running_var'}


def _batch_norm(channels):
    # PyTorch's momentum is the weight of the new value, ours of the old.
    return nn.BatchNorm2d(channels, eps=1e-4, momentum=0.1)


def _upscale(maps, scale):
    return F.interpolate(maps, scale_factor=scale, mode='nearest')


class Network(nn.Module):
    """Inputs (batch, 3, rows, columns) to class scores of U and of V.

    Parameters
    ----------
    num_bins : int
        Classes per chrominance channel.
    """

    def __init__(self, num_bins=50):
        super().__init__()
        layers = self.layers = nn.ModuleDict()
        channels = 3
        for block, (count, filters) in enumerate(BLOCKS, 1):
            for index in range(1, count + 1):
                layers['conv%d_%d' % (block, index)] = nn.Conv2d(
                    channels, filters, 3, padding=1)
                channels = filters
        for parameter in self.parameters():
            parameter.requires_grad_(False)
        for name, channels in TAPS.items():
            layers[name + '_bn'] = _batch_norm(channels)
        for name, (channels, filters, size) in UNITS.items():
            layers[name + '_conv'] = nn.Conv2d(channels, filters, size,
                                               padding=size // 2, bias=False)
            layers[name + '_bn'] = _batch_norm(filters)
        for name in ('u_scores', 'v_scores'):
            layers[name] = nn.Conv2d(64, num_bins, 1)

    def forward(self, maps):
        taps = {name: self.layers[name + '_bn'](tap)
                for name, tap in self._encode(maps).items()}
        r4 = self._unit('r4', taps['conv4_3'])
        unit1 = self._unit('unit1', _upscale(r4, 2) + taps['conv3_3'])
        unit2 = self._unit('unit2', _upscale(unit1, 2) + taps['conv2_2'])
        maps = torch.cat([_upscale(r4, 8), _upscale(unit1, 4),
                          _upscale(unit2, 2), taps['conv1_2']], 1)
        for name in ('tail1', 'tail2', 'tail3'):
            maps = self._unit(name, maps)
        return self.layers['u_scores'](maps), self.layers['v_scores'](maps)

    def _encode(self, maps):
        """VGG16's maps for the decoder; no gradients: it stays as it is."""
        taps = {}
        with torch.no_grad():
            for block, (count, _) in enumerate(BLOCKS, 1):
                if block > 1:
                    maps = F.max_pool2d(maps, 2)
                for index in range(1, count + 1):
                    name = 'conv%d_%d' % (block, index)
                    maps = F.relu(self.layers[name](maps))
                taps[name] = maps
        return taps

    def _unit(self, name, maps):
        """Convolution, batch normalization, rectifier."""
        maps = self.layers[name + '_conv'](maps)
        return F.relu(self.layers[name + '_bn'](maps))
