"""Networks as ONNX files, for where Theano is not; without Theano.

Such a file holds all that :func:`colornet.network.saved.compile_prediction`
computes, from luminance to chrominance, with batch normalization folded into
convolutions. It has two parts: the network, and what makes chrominance of its
outputs, which is small and made anew for each decoding.
"""

from pathlib import Path

import numpy as np

from .. import __version__
from ..color import get_color_space, unbin_channel
from ..files import digest_file, make_folder, replacing, writing
from ..scaling import gaussian_window
from .layer_by_layer import add_network, load_folded, output_names
from .onnx_graph import Graph, import_package

__all__ = ['ONNX_FORMAT', 'add_decoding', 'build_decodings', 'build_network',
           'build_onnx', 'build_outputs', 'export_onnx']

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
        As of :class:`colornet.prediction.onnx_graph.Graph`.

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
    parameters, config, attributes, vgg_weights = load_folded(
        network, vgg_weights, decoding)
    settings = config.network
    properties = {key: str(value) for key, value in attributes.items()}
    properties.update(
        format=ONNX_FORMAT, config=config.to_json(), colornet=__version__,
        sha256=digest_file(network), color_space=settings['color_space'],
        size=str(config.data['size']), proportions=config.data['proportions'])
    if vgg_weights is not None:
        properties['vgg16_sha256'] = digest_file(vgg_weights)
    return Graph(parameters, network, half), config, properties


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
