"""Networks as ONNX files, for where Theano is not; without Theano.

Such a file holds all that :func:`colornet.network.saved.compile_prediction`
computes, from luminance to chrominance, with batch normalization folded into
convolutions. It has two parts: the network, and what makes chrominance of its
outputs, which is small and made anew for each decoding.
"""

import hashlib
from pathlib import Path

import numpy as np

from .. import __version__
from ..color import get_color_space, unbin_channel
from ..files import make_folder, replacing, writing
from ..resources import find_resource
from ..scaling import gaussian_window
from .inputs import IMAGENET_MEAN_BGR
from .onnx_graph import Graph, import_package
from .stored import R4_DEPTH, SUM_DEPTH, fold_batch_norm, load_stored
from .vgg16_weights import BLOCKS, load_vgg16_weights

__all__ = ['ONNX_FORMAT', 'add_decoding', 'add_network', 'build_decodings',
           'build_network', 'build_onnx', 'build_outputs', 'export_onnx',
           'output_names']

#: By which files of ours are known, among their metadata.
ONNX_FORMAT = 'colornet onnx 1'


def export_onnx(network, path, vgg_weights=None, decoding=(), half=False):
    """Write a trained network as an ONNX file.

    Parameters
    ----------
    network, vgg_weights, decoding
        As for :func:`colornet.network.saved.load_network`.
    path : str or Path
    half : bool
        As of :class:`colornet.network.onnx_graph.Graph`.

    Raises
    ------
    ColornetError
        If the package onnx is missing, the network cannot be loaded or the
        file not be written.
    """
    model = build_onnx(network, vgg_weights, decoding, half)
    make_folder(Path(path).parent)
    with writing(path), replacing(path) as temporary:
        Path(temporary).write_bytes(model.SerializeToString())


def build_onnx(network, vgg_weights=None, decoding=(), half=False):
    """Build the ONNX model of a trained network.

    Parameters
    ----------
    network, vgg_weights, decoding, half
        As for :func:`export_onnx`.

    Returns
    -------
    onnx.ModelProto
        Input ``luminance``, (batch, rows, columns), and output ``chroma``,
        (batch, rows, columns, 2), as of
        :func:`colornet.network.saved.compile_prediction`. Rows and columns of
        the input are any that are divisible by 8. Its metadata tell where the
        network comes from.

    Raises
    ------
    ColornetError
    """
    graph, config, properties = _start(network, vgg_weights, decoding, half)
    settings = config.network
    add_network(graph, settings)
    graph.check_all_taken()
    add_decoding(graph, settings, config.decoding, 'chroma')
    return graph.to_model(
        {'luminance': ['batch', 'rows', 'columns']},
        {'chroma': _chroma_shape(settings)}, properties,
        producer_name='colornet', producer_version=__version__)


def _chroma_shape(settings):
    return ['batch'] + _plane_shape(settings) + [2]


def _plane_shape(settings):
    stride = settings['output_stride']
    return ['%s / %d' % (name, stride) if stride > 1 else name
            for name in ('rows', 'columns')]


def build_network(network, vgg_weights=None):
    """Build the first part of a trained network's model.

    Parameters
    ----------
    network, vgg_weights
        As for :func:`export_onnx`.

    Returns
    -------
    onnx.ModelProto
        From ``luminance`` to :func:`output_names`; it says no outputs, and so
        is none that can be run without :func:`build_decodings`.

    Raises
    ------
    ColornetError
    """
    graph, config, properties = _start(network, vgg_weights)
    add_network(graph, config.network)
    graph.check_all_taken()
    return graph.to_model({'luminance': ['batch', 'rows', 'columns']}, {},
                          properties, producer_name='colornet',
                          producer_version=__version__)


def build_decodings(settings, decodings):
    """Build the second part, for several decodings.

    Parameters
    ----------
    settings : dict
        ``[network]`` of the configuration.
    decodings : list of dict
        ``[decoding]``, for each.

    Returns
    -------
    onnx.ModelProto
        From :func:`output_names` to ``chroma0``, ``chroma1``, ... Its bytes
        after those of the first part are the whole: protocol buffers that
        follow each other are read as one.
    """
    graph = Graph({}, 'decodings')
    names = ['chroma%d' % number for number in range(len(decodings))]
    for name, decoding in zip(names, decodings):
        add_decoding(graph, settings, decoding, name)
    return _second_part(graph, dict.fromkeys(names, _chroma_shape(settings)))


def build_outputs(settings):
    """Build a second part that decodes nothing.

    Parameters
    ----------
    settings : dict
        ``[network]`` of the configuration.

    Returns
    -------
    onnx.ModelProto
        It says that :func:`output_names` are what is wanted, as of
        :func:`colornet.network.saved.compile_outputs`.
    """
    names = output_names(settings)
    depth = 2 if len(names) == 1 else settings['num_bins']
    return _second_part(Graph({}, 'outputs'), dict.fromkeys(
        names, ['batch', depth] + _plane_shape(settings)))


def _second_part(graph, outputs):
    model = graph.to_model({}, outputs, {})
    # What is not of the graph, the first part has.
    return import_package('onnx').ModelProto(graph=model.graph)


def _start(network, vgg_weights, decoding=(), half=False):
    """An empty graph, the configuration and the metadata of a network."""
    import_package('onnx')  # Before the work.
    parameters, config, attributes = load_stored(network)
    config.override_decoding(decoding)
    settings = config.network
    properties = {key: str(value) for key, value in attributes.items()}
    properties.update(
        format=ONNX_FORMAT, config=config.to_json(), colornet=__version__,
        sha256=_digest(network), color_space=settings['color_space'],
        size=str(config.data['size']), proportions=config.data['proportions'])
    if settings['batch_norm']:
        parameters = fold_batch_norm(parameters)
    if vgg_weights is not None or not settings['fine_tune']:
        vgg_weights = vgg_weights or find_resource('weights/vgg16.pkl')
        parameters = dict(_vgg16_parameters(vgg_weights), **parameters)
        properties['vgg16_sha256'] = _digest(vgg_weights)
    return Graph(parameters, network, half), config, properties


def _digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _vgg16_parameters(path):
    """VGG16's weights as parameters, flipped as those of Lasagne are."""
    for name, (W, b) in load_vgg16_weights(path).items():
        yield name + '/W', W[:, :, ::-1, ::-1]
        yield name + '/b', b


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

    It follows :mod:`colornet.network.networks`, name by name.

    Parameters
    ----------
    graph : Graph
    settings : dict
        ``[network]`` of the configuration.
    """
    space = get_color_space(settings['color_space'])
    maps = _add_encoder(graph, _add_input(graph, space.luminance_max))

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
            graph.add('Mul', [chroma, graph.constant('chroma_scale', factor)],
                      'unscaled/chroma')
    else:
        _add_classifier(graph, maps, tap, settings)


def add_decoding(graph, settings, decoding, output):
    """Add what makes chrominance of :func:`output_names`.

    Parameters
    ----------
    graph : Graph
    settings, decoding : dict
        The sections of the configuration.
    output : str
        Name of the chrominance.
    """
    names = output_names(settings)
    chroma = names[0] if len(names) == 1 else _decode(
        graph, names, settings['num_bins'],
        get_color_space(settings['color_space']).limits, decoding, output)
    if decoding['saturation'] != 1:
        chroma = graph.add('Mul', [chroma, graph.constant(
            output + '/saturation', decoding['saturation'])],
            output + '/saturated')
    # Channels come last outside of networks.
    graph.add('Transpose', chroma, output, perm=[0, 2, 3, 1])


def _add_input(graph, luminance_max):
    """:func:`colornet.network.inputs.preprocess`."""
    scaled = graph.add('Mul', ['luminance', graph.constant(
        'input/factor', 255. / luminance_max)], 'input/scaled')
    scaled = graph.add('Unsqueeze', [scaled, graph.constant(
        'input/axis', [1], np.int64)], 'input/channel')
    return graph.add('Sub', [scaled, graph.constant(
        'input/mean', IMAGENET_MEAN_BGR[:, None, None])], 'input', 3)


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
        value = graph.add('GlobalAveragePool', seen, 'global_mean')
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


def _decode(graph, scores, num_bins, limits, decoding, output):
    """:func:`colornet.network.decoding.predicted_chroma` of class scores."""
    means = unbin_channel(np.arange(num_bins), num_bins, limits)
    channels = []
    for name in scores:
        if decoding['smoothing']:
            name = _smooth(graph, name, decoding['smoothing'], output)
        incoming, name = name, '%s/%s' % (output, name)
        if decoding['method'] == 'argmax':
            best = graph.add('ArgMax', incoming, name + '/best', axis=1)
            channels.append(graph.add('Gather', [graph.constant(
                'means', means), best], name + '/mean'))
            continue
        if decoding['temperature'] != 1:
            incoming = graph.add('Div', [incoming, graph.constant(
                output + '/temperature', decoding['temperature'])],
                name + '/tempered')
        weights = graph.add('Softmax', incoming, name + '/weights', axis=1)
        channels.append(graph.add(
            'Conv', [weights, graph.constant(
                'filters', means[None, :, None, None])], name + '/mean',
            kernel_shape=[1, 1]))
    return graph.add('Concat', channels, output + '/decoded', axis=1)


def _smooth(graph, incoming, deviation, output):
    """:func:`colornet.network.decoding.smooth_scores`."""
    window = gaussian_window(deviation)
    scores = '%s/%s' % (output, incoming)
    shape = graph.add('Shape', incoming, scores + '/shape')
    # One channel after the other: bins do not mix.
    planes = graph.add('Reshape', [incoming, graph.constant(
        'planes', [-1, 1, 0, 0], np.int64)], scores + '/planes')
    one = graph.add('Slice', [planes] + [graph.constant(
        'first/%d' % number, [number], np.int64) for number in (0, 1, 0)],
        scores + '/plane')
    ones = graph.add('Add', [graph.add('Mul', [one, graph.constant(
        'zero', 0)], scores + '/zeros'), graph.constant('one', 1)],
        scores + '/ones')
    for direction, size in (('rows', [len(window), 1]),
                            ('columns', [1, len(window)])):
        filters = graph.constant('%s/smoothing/%s' % (output, direction),
                                 window.reshape([1, 1] + size))
        pads = [length // 2 for length in size] * 2
        planes, ones = [graph.add(
            'Conv', [value, filters], '%s/%s' % (value, direction),
            kernel_shape=size, pads=pads) for value in (planes, ones)]
    return graph.add('Reshape', [graph.add(
        'Div', [planes, ones], scores + '/means'), shape],
        scores + '/smooth')
