"""Networks with parameters that show, for tests of what becomes of them."""

import os
import tempfile

import h5py
import numpy as np
from nose.tools import eq_
from numpy.testing import assert_array_equal

from colornet.color import luminance
from colornet.config import load_config
from colornet.engine.backend import lasagne, theano
from colornet.network.networks import (all_parameters, decoder_parameters,
                                       output_layers)
from colornet.network.saved import (build_pretrained, compile_prediction,
                                    save_network)
from colornet.photos.finding import find_images
from colornet.photos.reading import read_rgb
from tests import tiny

SIZE = 16
TINY = ['data.size=16', 'network.num_bins=6', 'network.tail=7 5']

#: Everything that is not the paper's.
VARIANT = ['data.size=24', 'data.proportions=keep', 'network.num_bins=6',
           'network.tail=7', 'network.output_stride=4',
           'network.global_features=9', 'network.context=2',
           'decoding.method=mean']

MEAN_BGR = np.reshape([103.939, 116.779, 123.68], (3, 1, 1))


def make_network():
    """A tiny network, photos' luminance, its inputs and what scores them."""
    config = load_config(overrides=TINY)
    net = build_pretrained(config)
    randomize(net)
    photos = np.array([luminance(read_rgb(path, SIZE)) for path in
                       find_images(tiny.PHOTOS)])
    eq_(photos.shape, (4, SIZE, SIZE))
    # Luminance in [0, 100] -> [0, 255], thrice, minus ImageNet's mean.
    inputs = (photos[:, np.newaxis] * 2.55 - MEAN_BGR).astype('float32')
    scores = theano.function(
        [net['input'].input_var], lasagne.layers.get_output(
            output_layers(net), deterministic=True))
    # No bin may win everywhere.
    for layer, values in zip(output_layers(net), scores(inputs)):
        layer.b.set_value(layer.b.get_value() - values.mean((0, 2, 3)))
    return config, net, photos, inputs, scores


class SavedNetwork:
    """That of :func:`make_network`, in a file, compiled once.

    Attributes
    ----------
    config, net, photos, inputs, scores
    folder, path : str
    predict : callable
        As :func:`colornet.network.saved.compile_prediction` returns it.
    """

    def __init__(self):
        self._temporary = tempfile.TemporaryDirectory()
        self.folder = self._temporary.name
        (self.config, self.net, self.photos, self.inputs,
         self.scores) = make_network()
        self.path = self.path_of('network.h5')
        save_network(self.path, self.net, self.config,
                     {'trained_on': 'nothing', 'epoch': 3})
        self.predict = compile_prediction(self.net, self.config)

    def path_of(self, name):
        """Of another file in that folder."""
        return os.path.join(self.folder, name)

    def remove(self):
        self._temporary.cleanup()


def randomize(net, seed=1):
    """As if the network had been trained."""
    rng = np.random.RandomState(seed)
    for (layer, name), variable in decoder_parameters(net).items():
        shape = variable.get_value().shape
        # VGG16's maps reach thousands.
        size = 1000. if layer.startswith('conv') else 1.
        if name == 'W':
            values = rng.normal(0, np.prod(shape[1:]) ** -0.5, shape)
        elif name == 'variance':
            values = size ** 2 * rng.uniform(0.5, 2, shape)
        elif name == 'mean':
            values = size * rng.uniform(0, 1, shape)
        else:
            values = rng.uniform(0.5, 2, shape)
        variable.set_value(values.astype('float32'))


def values_of(net):
    return {key: variable.get_value()
            for key, variable in all_parameters(net).items()}


def check_same_values(got, expected):
    eq_(list(got), list(expected))
    for key, value in expected.items():
        eq_(got[key].dtype, np.float32)
        assert_array_equal(got[key], value, str(key))


def stored_names(path):
    names = []
    with h5py.File(path, 'r') as file:
        file['parameters'].visititems(lambda name, item: names.append(name) if
                                      isinstance(item, h5py.Dataset) else None)
    return set(names)
