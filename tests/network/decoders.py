"""Decoders without their encoder, for tests of what they compute."""

import numpy as np

from colornet.engine.backend import T, lasagne
from colornet.network.networks import (build_classification_network,
                                       decoder_parameters, output_layers)

#: A shape of images.
TINY = (None, 3, 16, 16)

#: VGG16's maps that the decoder takes, and the shapes that TINY gives them.
TAPS = {'conv1_2': (64, 16), 'conv2_2': (128, 8), 'conv3_3': (256, 4),
        'conv4_3': (512, 2), 'pool1': (64, 8), 'pool2': (128, 4),
        'pool3': (256, 2), 'pool4': (512, 1)}
RESIDUAL = ['conv1_2', 'conv2_2', 'conv3_3', 'conv4_3']
POOLS = ['pool1', 'pool2', 'pool3', 'pool4']

#: What surrounds a pixel.
AROUND = {'global_features': 9, 'context': 2}


def tiny_classification(**options):
    options = dict({'num_bins': 5, 'tail': (12, 8, 6),
                    'image_shape': TINY}, **options)
    return build_classification_network(**options)


def shapes(net):
    return {name: layer.output_shape[1:] for name, layer in net.items()}


def sources(net, name):
    """Names of the layers that a layer takes."""
    layer = net[name]
    incomings = getattr(layer, 'input_layers', None) or [layer.input_layer]
    return [name for incoming in incomings
            for name, other in net.items() if other is incoming]


def mean_pool(maps, scale):
    return sum(maps[:, :, row::scale, column::scale] for row in range(scale)
               for column in range(scale)) / scale ** 2


def randomize(net):
    """Give every parameter a value that shows."""
    rng = np.random.RandomState(1)
    for (_, name), variable in decoder_parameters(net).items():
        shape = variable.get_value().shape
        variable.set_value((
            rng.normal(0, np.prod(shape[1:]) ** -0.5, shape) if name == 'W'
            else rng.uniform(0.5, 2, shape) if name in ('gamma', 'variance')
            else rng.normal(0, 0.5, shape)).astype('float32'))


def compile_decoder(net, names, **options):
    """VGG16's maps and the outputs of them: the encoder is left out."""
    maps = [T.tensor4(name) for name in names]
    outputs = lasagne.layers.get_output(
        output_layers(net), {net[name]: value for name, value
                             in zip(names, maps)}, **options)
    return maps, outputs


def random_maps(names, seed=2, batch=2, shape=(16, 16)):
    """VGG16's maps for images of a shape."""
    rng = np.random.RandomState(seed)
    return {name: rng.uniform(0, 2, (batch, TAPS[name][0]) + tuple(
        size * TAPS[name][1] // 16 for size in shape)).astype('float32')
            for name in names}
