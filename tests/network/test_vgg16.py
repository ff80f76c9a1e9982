"""The encoder's layers and input."""

import numpy as np
from nose.tools import eq_
from numpy.testing import assert_allclose
from scipy.signal import correlate2d

from colornet.color import luminance
from colornet.engine.backend import T, lasagne, theano
from colornet.network.inputs import preprocess
from colornet.network.vgg16 import (build_vgg16, load_vgg16_weights,
                                    set_vgg16_weights)
from colornet.photos.finding import find_images
from colornet.photos.reading import read_rgb
from tests import tiny


def correlate(maps, W, b):
    """scipy's correlation with zero padding, and the rectifier."""
    return np.maximum([sum(correlate2d(channel, kernel, 'same')
                           for channel, kernel in zip(maps, bank)) + offset
                       for bank, offset in zip(W, b)], 0)


def correlate_fast(maps, W, b):
    """The same by nine shifts."""
    rows, columns = maps.shape[1:]
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)))
    return np.maximum(sum(
        np.tensordot(W[:, :, i, j],
                     padded[:, i:i + rows, j:j + columns], axes=1)
        for i in range(3) for j in range(3)) + b[:, None, None], 0)


def pool(maps):
    channels, rows, columns = maps.shape
    return maps.reshape(channels, rows // 2, 2, columns // 2, 2).max((2, 4))


def test_encoder_computes_vgg16():
    weights = load_vgg16_weights(tiny.VGG16_FILE)
    net = build_vgg16(lasagne.layers.InputLayer((None, 3, 16, 32)))
    set_vgg16_weights(net, weights)
    x = T.tensor4()
    outputs = lasagne.layers.get_output(list(net.values()), {
        net['conv1_1'].input_layer: x})
    photo = np.hstack([read_rgb(path, 16) for path in find_images(
        tiny.PHOTOS)[:2]])
    maps = preprocess(luminance(photo)[np.newaxis])
    results = dict(zip(net, theano.function([x], outputs)(maps)))

    maps = maps[0].astype('float64')
    for name, layer in net.items():
        if name.startswith('pool'):
            maps = pool(maps)
        elif name in ('conv1_1', 'conv1_2'):
            maps = correlate(maps, *weights[name])
        else:
            maps = correlate_fast(maps, *weights[name])
        eq_(layer.output_shape, (None,) + maps.shape)
        assert_allclose(results[name][0], maps, rtol=1e-4,
                        atol=1e-4 * maps.max(), err_msg=name)


def test_encoder_has_vgg16s_layers():
    net = build_vgg16(lasagne.layers.InputLayer((None, 3, 224, 224)))
    eq_([(name, layer.output_shape[1:]) for name, layer in net.items()],
        [('conv1_1', (64, 224, 224)), ('conv1_2', (64, 224, 224)),
         ('pool1', (64, 112, 112)),
         ('conv2_1', (128, 112, 112)), ('conv2_2', (128, 112, 112)),
         ('pool2', (128, 56, 56)),
         ('conv3_1', (256, 56, 56)), ('conv3_2', (256, 56, 56)),
         ('conv3_3', (256, 56, 56)), ('pool3', (256, 28, 28)),
         ('conv4_1', (512, 28, 28)), ('conv4_2', (512, 28, 28)),
         ('conv4_3', (512, 28, 28)), ('pool4', (512, 14, 14))])
