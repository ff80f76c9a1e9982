"""The paper's two networks in PyTorch (3.2 - 3.6, Figures 2 and 3).

Layers and parameters have the names that they have in
:mod:`colornet.network.networks`, so that the two can be compared one by one,
and are in its order.
"""

import inspect
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn

from ..network.stored import R4_DEPTH, SUM_DEPTH
from ..network.vgg16_weights import BLOCKS
from .layers import BatchNorm, max_pool, upscale
from .variables import named_tensors

__all__ = ['Network', 'build_network']

#: VGG16's maps that residual encoder units take: name -> channels.
TAPS = {'conv1_2': 64, 'conv2_2': 128, 'conv3_3': 256, 'conv4_3': 512}


def build_network(settings):
    """Build the network that a configuration describes.

    Parameters
    ----------
    settings : dict
        Those of ``[network]``.

    Returns
    -------
    Network
    """
    return Network(**{name: settings[name] for name in
                      inspect.signature(Network).parameters})


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
    aggregation : 'concat' or 'sum'
    residual_units : bool
    tail : sequence of int
        These four are of the classification network.
    chroma_scale : float
        Of the regression network.
    batch_norm, batch_norm_taps : bool
    output_stride : 1, 2 or 4
    global_features, context : int
    fine_tune : bool

    Attributes
    ----------
    encoder : frozenset of str
        Names of VGG16's layers.
    """

    def __init__(self, kind='classification', num_bins=50,
                 aggregation='concat', residual_units=True,
                 tail=(256, 64, 64), chroma_scale=1., batch_norm=True,
                 batch_norm_taps=True, output_stride=1, global_features=0,
                 context=0, fine_tune=False):
        super().__init__()
        self.aggregation = aggregation
        self.batch_norm, self.batch_norm_taps = batch_norm, batch_norm_taps
        self.chroma_scale = chroma_scale
        self.output_stride = output_stride
        self.fine_tune = fine_tune
        self.layers = nn.ModuleDict()
        # Layer -> those with parameters that it takes maps of.
        self._sources = {}
        self._add_encoder(fine_tune)
        if residual_units:
            parts = self._add_residual_units(global_features, context)
        else:
            parts = [(self._add_tap('conv%d_%d' % (block, count), filters,
                                    'pool%d' % block), filters)
                     for block, (count, filters) in enumerate(BLOCKS, 1)][::-1]
        if kind == 'regression':
            sources = [source for source, _ in parts[-2:]]
            self._add('unit3_conv', nn.Conv2d(64, 2, 3, padding=1), sources)
            self._outputs = ['unit3_conv']
        else:
            source = self._add_tail(parts, tail)
            self._outputs = ['u_scores', 'v_scores']
            for name in self._outputs:
                self._add(name, nn.Conv2d(tail[-1], num_bins, 1), [source])

    def _add(self, name, module, sources):
        self.layers[name] = module
        self._sources[name] = sources
        return name

    def _add_encoder(self, fine_tune):
        """VGG16 (3.2)."""
        channels, source = 3, []
        for block, (count, filters) in enumerate(BLOCKS, 1):
            for index in range(1, count + 1):
                source = [self._add('conv%d_%d' % (block, index), nn.Conv2d(
                    channels, filters, 3, padding=1), source)]
                channels = filters
        self.encoder = frozenset(self.layers)
        for parameter in self.parameters():
            parameter.requires_grad_(fine_tune)

    def _add_tap(self, source, channels, name=None):
        """What the decoder takes of VGG16; returns the last layer's name."""
        return (self._add((name or source) + '_bn', BatchNorm(channels),
                          [source]) if self.batch_norm_taps else source)

    def _add_unit(self, name, sources, channels, filters, size):
        """Convolution and batch normalization; returns the last's name."""
        last = self._add(name + '_conv', nn.Conv2d(
            channels, filters, size, padding=size // 2,
            bias=not self.batch_norm), sources)
        return (self._add(name + '_bn', BatchNorm(filters), [last])
                if self.batch_norm else last)

    def _add_residual_units(self, global_features, context):
        """R4, what surrounds it, units 1 and 2; sources and channels (3.5)."""
        tap = self._add_tap('conv4_3', TAPS['conv4_3'])
        r4 = [self._add_unit('r4', [tap], TAPS['conv4_3'], R4_DEPTH, 1)]
        seen, channels = tap, TAPS['conv4_3']
        for number in range(1, context + 1):
            seen = self._add_unit('context%d' % number, [seen], channels,
                                  R4_DEPTH, 3)
            channels = R4_DEPTH
        if context:
            r4.append(seen)
        if global_features:
            self._add('global1', nn.Linear(channels, global_features), [seen])
            r4.append(self._add('global2', nn.Linear(
                global_features, R4_DEPTH), ['global1']))
        self._r4 = 'r4_sum' if len(r4) > 1 else 'r4'
        self._sources[self._r4] = r4
        unit1 = self._add_unit('unit1', [self._r4, self._add_tap(
            'conv3_3', TAPS['conv3_3'])], R4_DEPTH, 128, 3)
        unit2 = self._add_unit('unit2', [unit1, self._add_tap(
            'conv2_2', TAPS['conv2_2'])], 128, 64, 3)
        tap = self._add_tap('conv1_2', TAPS['conv1_2'])
        return [(self._r4, R4_DEPTH), (unit1, 128), (unit2, 64),
                (tap, TAPS['conv1_2'])]

    def _add_tail(self, parts, tail):
        """The joined maps' convolutions (3.6); returns the last's name."""
        sources, channels = zip(*parts)
        if self.aggregation == 'sum':
            # VGG16's first map has the depth of the sum as it is.
            names = (['%s_to64' % name for name in (
                self._r4, 'unit1', 'unit2')] if self._is_residual() else
                     ['%s_to64' % self._tap_name('pool%d' % block)
                      for block in (4, 3, 2, 1)])
            sources = [self._add(name, nn.Conv2d(depth, SUM_DEPTH, 1), [
                source]) for name, (source, depth) in zip(names, parts)
                       ] + list(sources[len(names):])
            channels = [SUM_DEPTH]
        source, depth = list(sources), sum(channels)
        for number, filters in enumerate(tail, 1):
            source = [self._add_unit('tail%d' % number, source, depth,
                                     filters, 3)]
            depth = filters
        return source[0]

    def _is_residual(self):
        return 'r4_conv' in self.layers

    def _tap_name(self, name):
        return name + '_bn' if self.batch_norm_taps else name

    def tensors(self):
        """All parameters and running averages, by our names.

        Returns
        -------
        OrderedDict of (str, str) to tensor
        """
        return named_tensors(self.layers)

    def trained(self):
        """What training changes by gradients, in Lasagne's order.

        Returns
        -------
        list of ((str, str), tensor)
            Each layer after those that it takes maps of.
        """
        order = OrderedDict()

        def visit(name):
            if name in order:
                return
            for source in self._sources[name]:
                visit(source)
            order[name] = None
        for name in self._outputs:
            visit(name)
        tensors = named_tensors(OrderedDict(
            (name, self.layers[name]) for name in order
            if name in self.layers))
        return [(key, tensor) for key, tensor in tensors.items()
                if tensor.requires_grad]

    def forward(self, maps):
        maps = self._encode(maps)
        if self._is_residual():
            parts, last = self._residual_units(maps)
        else:
            parts, last = [
                (self._tap_name('pool%d' % block),
                 self._tap('pool%d' % block, maps), 2 ** block)
                for block in (4, 3, 2, 1)], []
        if 'unit3_conv' in self.layers:
            summands = [self._at_stride(*part[1:]) for part in
                        parts[-1:] + last]
            return (self.layers['unit3_conv'](sum(summands)) *
                    self.chroma_scale,)
        if self.aggregation == 'sum':
            maps = sum([self._to_sum(*part) for part in parts] +
                       [self._at_stride(*part[1:]) for part in last])
        else:
            maps = torch.cat([self._at_stride(*part[1:])
                              for part in parts + last], 1)
        maps = self._units('tail', maps)
        return self.layers['u_scores'](maps), self.layers['v_scores'](maps)

    def _encode(self, maps):
        """VGG16's maps for the decoder; gradients if it is trained."""
        found = {}
        with torch.set_grad_enabled(torch.is_grad_enabled() and
                                    self.fine_tune):
            for block, (count, _) in enumerate(BLOCKS, 1):
                for index in range(1, count + 1):
                    name = 'conv%d_%d' % (block, index)
                    maps = F.relu(self.layers[name](maps))
                found[name] = maps
                if block < len(BLOCKS) or not self._is_residual():
                    maps = found['pool%d' % block] = max_pool(maps)
        return found

    def _tap(self, name, maps):
        """Map `name` of VGG16 as the decoder takes it."""
        return (self.layers[name + '_bn'](maps[name])
                if self.batch_norm_taps else maps[name])

    def _residual_units(self, maps):
        """Their maps, and VGG16's that joins them: name, map, scale."""
        tap = self._tap('conv4_3', maps)
        r4 = self._add_surroundings(self._unit('r4', tap), tap)
        unit1 = self._unit('unit1', upscale(r4, 2) +
                           self._tap('conv3_3', maps))
        unit2 = self._unit('unit2', upscale(unit1, 2) +
                           self._tap('conv2_2', maps))
        return [(self._r4, r4, 8), ('unit1', unit1, 4), ('unit2', unit2, 2)], [
            ('conv1_2', self._tap('conv1_2', maps), 1)]

    def _add_surroundings(self, r4, tap):
        """R4's map and what is around a pixel (choices 24 and 25)."""
        rows, columns = r4.shape[2:]
        if 'context1_conv' in self.layers:
            # Also the last row or column of an odd number is pooled.
            tap = self._units('context', max_pool(tap, ceil_mode=True))
            r4 = r4 + upscale(tap, 2)[:, :, :rows, :columns]
        if 'global1' in self.layers:
            features = F.relu(self.layers['global1'](tap.mean((2, 3))))
            r4 = r4 + self.layers['global2'](features)[:, :, None, None]
        return r4

    def _at_stride(self, maps, scale):
        """Maps of `scale` rows for each, at the output's (choice 23)."""
        if scale < self.output_stride:
            return F.avg_pool2d(maps, self.output_stride // scale)
        return upscale(maps, scale // self.output_stride)

    def _to_sum(self, name, maps, scale):
        """Maps with as many channels as all others (5.2, item 1)."""
        # A convolution of 1 x 1 is cheaper where there are fewer pixels.
        if scale < self.output_stride:
            maps, scale = self._at_stride(maps, scale), self.output_stride
        return self._at_stride(self.layers[name + '_to64'](maps), scale)

    def _units(self, name, maps):
        """All units of this name, numbered from 1."""
        number = 1
        while '%s%d_conv' % (name, number) in self.layers:
            maps = self._unit('%s%d' % (name, number), maps)
            number += 1
        return maps

    def _unit(self, name, maps):
        """Convolution, batch normalization, rectifier."""
        maps = self.layers[name + '_conv'](maps)
        return F.relu(self.layers[name + '_bn'](maps) if self.batch_norm
                      else maps)
