"""The networks layer by layer, for any graph that has their layers.

It follows :mod:`colornet.network.networks`, name by name. A graph has a method
for each kind of layer, as that for ONNX files has (:mod:`.onnx_graph`). Batch
normalization is folded into the convolutions before it.
"""

import numpy as np

from ..color import get_color_space
from ..errors import ColornetError
from ..network.parameters import check_parameter
from ..network.stored import R4_DEPTH, SUM_DEPTH, fold_batch_norm, load_stored
from ..network.vgg16_weights import BLOCKS, load_vgg16_weights
from ..resources import find_resource

__all__ = ['LayerGraph', 'add_network', 'check_divisible', 'load_folded',
           'output_names']


class LayerGraph:
    """What graphs have in common.

    Parameters
    ----------
    parameters : dict of str to ndarray
        Named ``layer/parameter``, as Lasagne has them: filters are flipped.
    source : str or Path
        Where they come from, for errors.

    Attributes
    ----------
    depths : dict of str to int
        Channels of values, by their names.
    """

    def __init__(self, parameters, source):
        self.depths = {}
        self._parameters = dict(parameters)
        self._source = source

    def parameter(self, name, shape):
        """Take one of the parameters, which must have this shape."""
        try:
            values = self._parameters.pop(name)
        except KeyError:
            raise ColornetError('%s does not fit the network: %s is missing'
                                % (self._source, name))
        check_parameter(name, values, shape, self._source)
        return values

    def check_all_taken(self):
        """Refuse parameters that no layer has taken."""
        for name in sorted(self._parameters):
            raise ColornetError('%s does not fit the network: %s is unknown'
                                % (self._source, name))

    def at_stride(self, incoming, scale, stride, upscale=True):
        """A map at another resolution (choice 23).

        Parameters
        ----------
        scale, stride : int
            Rows of the image for each one of the map, as it is and as it
            shall be.
        upscale : bool
            If false, a coarser map stays as it is.
        """
        if scale < stride:
            factor = stride // scale
            return self.mean_pool(incoming, '%s_mean%d' % (incoming, factor),
                                  factor)
        return self.upscale(incoming, scale // stride if upscale else 1)


def check_divisible(luminance, settings):
    """Refuse images that the network cannot halve as often as it does.

    Parameters
    ----------
    luminance : ndarray, (batch, rows, columns)
    settings : dict
        ``[network]`` of the configuration.

    Raises
    ------
    ColornetError
    """
    divisor = 8 if settings['residual_units'] else 16
    shape = np.shape(luminance)
    if any(size % divisor for size in shape[1:]):
        raise ColornetError('rows and columns must be divisible by %d, got %s'
                            % (divisor, shape[1:]))


def load_folded(network, vgg_weights=None, decoding=()):
    """Load a trained network's parameters for a graph.

    Parameters
    ----------
    network, vgg_weights, decoding
        As for :func:`colornet.network.saved.load_network`.

    Returns
    -------
    parameters : dict of str to ndarray
        Those of the network without batch normalization but that of VGG16's
        maps, with VGG16's.
    config : Config
        As it is stored, but for the decoding.
    attributes : dict
    vgg_weights : str, Path or None
        The file of VGG16's weights, unless they were fine-tuned.

    Raises
    ------
    ColornetError
    """
    parameters, config, attributes = load_stored(network)
    config.override_decoding(decoding)
    if config.network['batch_norm']:
        parameters = fold_batch_norm(parameters)
    if vgg_weights is None and config.network['fine_tune']:
        return parameters, config, attributes, None
    vgg_weights = vgg_weights or find_resource('weights/vgg16.pkl')
    vgg16 = {}
    for name, (W, b) in load_vgg16_weights(vgg_weights).items():
        # Flipped, as those of Lasagne are.
        vgg16.update({name + '/W': W[:, :, ::-1, ::-1], name + '/b': b})
    return dict(vgg16, **parameters), config, attributes, vgg_weights


def output_names(settings):
    """What :func:`add_network` ends with.

    Parameters
    ----------
    settings : dict
        ``[network]`` of the configuration.

    Returns
    -------
    list of str
        The class scores of both channels, or chrominance.
    """
    if settings['kind'] == 'classification':
        return ['u_scores', 'v_scores']
    return ['unit3_conv' if settings['chroma_scale'] == 1 else
            'unscaled/chroma']


def add_network(graph, settings):
    """Add a network, from ``luminance`` to :func:`output_names`.

    Parameters
    ----------
    graph : LayerGraph
    settings : dict
        ``[network]`` of the configuration.
    """
    space = get_color_space(settings['color_space'])
    maps = _add_encoder(graph, graph.enter(space.luminance_max))

    def tap(name):
        """VGG16's map as the decoder takes it."""
        return (graph.normalize(maps[name], name + '_bn')
                if settings['batch_norm_taps'] else maps[name])

    if settings['kind'] == 'regression':
        _, _, unit2 = _add_residual_encoder(graph, tap, settings)
        total = graph.total(
            [graph.at_stride(unit2, 2, settings['output_stride']),
             graph.at_stride(tap('conv1_2'), 1, settings['output_stride'])],
            'unit3_sum')
        chroma = graph.convolve(total, 'unit3_conv', 2, 3)
        factor = settings['chroma_scale']
        if factor != 1:
            graph.multiply(chroma, 'unscaled/chroma', factor)
    else:
        _add_classifier(graph, maps, tap, settings)


def _add_encoder(graph, value):
    """VGG16 (paper, 3.2); its maps by name."""
    maps = {}
    for block, (count, num_filters) in enumerate(BLOCKS, 1):
        for index in range(1, count + 1):
            name = 'conv%d_%d' % (block, index)
            value = graph.convolve(value, name, num_filters, 3)
            value = maps[name] = graph.rectify(value, name + '/relu')
        name = 'pool%d' % block
        value = maps[name] = graph.max_pool(value, name)
    return maps


def _convolution_unit(graph, incoming, name, depth, size):
    """Convolution, which batch normalization is folded into, and rectifier."""
    return graph.rectify(graph.convolve(incoming, name + '_conv', depth,
                                        size), name)


def _add_residual_encoder(graph, tap, settings):
    """R4, or its sum with what surrounds it, and units 1 and 2 (3.5)."""
    incoming = tap('conv4_3')
    r4 = _convolution_unit(graph, incoming, 'r4', R4_DEPTH, 1)
    r4 = _add_surroundings(graph, r4, incoming, settings)
    units = [r4]
    for unit, name, depth in (('unit1', 'conv3_3', 128),
                              ('unit2', 'conv2_2', 64)):
        total = graph.total([graph.upscale(units[-1], 2), tap(name)],
                            unit + '_sum')
        units.append(_convolution_unit(graph, total, unit, depth, 3))
    return units


def _add_surroundings(graph, r4, seen, settings):
    """R4's map plus what is around a pixel (choices 24 and 25)."""
    summands, tap = [r4], seen
    if settings['context']:
        seen = graph.max_pool(tap, 'context_pool', partial=True)
        for number in range(1, settings['context'] + 1):
            seen = _convolution_unit(graph, seen, 'context%d' % number,
                                     R4_DEPTH, 3)
        summands.append(graph.crop(graph.upscale(seen, 2), r4,
                                   'context_crop'))
    if settings['global_features']:
        value = graph.global_mean(seen, 'global_mean')
        value = graph.dense(value, 'global1', settings['global_features'])
        value = graph.rectify(value, 'global1/relu')
        summands.append(graph.dense(value, 'global2', R4_DEPTH))
    return graph.total(summands, 'r4_sum')


def _add_classifier(graph, maps, tap, settings):
    """The class scores of both channels (paper, 3.6)."""
    stride, tail = settings['output_stride'], settings['tail']
    if settings['residual_units']:
        units = _add_residual_encoder(graph, tap, settings)
        parts, last = list(zip(units, (8, 4, 2))), [(tap('conv1_2'), 1)]
    else:
        parts, last = [(tap('pool%d' % number), 2 ** number)
                       for number in (4, 3, 2, 1)], []
    if settings['aggregation'] == 'concat':
        value = graph.convolve_stack(
            [(graph.at_stride(name, scale, stride, upscale=False),
              max(1, scale // stride)) for name, scale in parts + last],
            'tail1_conv', tail[0], 3)
    else:
        summands = []
        for name, scale in parts:
            value = graph.convolve(
                graph.at_stride(name, scale, stride, upscale=False),
                name + '_to64', SUM_DEPTH, 1)
            summands.append(graph.at_stride(value, max(scale, stride),
                                            stride))
        summands += [graph.at_stride(name, scale, stride)
                     for name, scale in last]
        value = graph.convolve(graph.total(summands, 'sum'), 'tail1_conv',
                               tail[0], 3)
    value = graph.rectify(value, 'tail1')
    for number, depth in enumerate(tail[1:], 2):
        value = _convolution_unit(graph, value, 'tail%d' % number, depth, 3)
    for name in 'u_scores', 'v_scores':
        graph.convolve(value, name, settings['num_bins'], 1)
