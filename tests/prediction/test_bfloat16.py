"""Networks in bfloat16, held against Theano in float32."""

import tempfile
from pathlib import Path
from unittest import SkipTest, mock

import numpy as np
from nose.tools import assert_raises_regex, eq_, ok_
from numpy.testing import assert_array_equal

from colornet.color import get_color_space
from colornet.engine.backend import lasagne, theano
from colornet.engine.convolvers import bfloat16_status
from colornet.errors import ColornetError
from colornet.network.inputs import preprocess
from colornet.network.networks import output_layers
from colornet.prediction import bfloat16
from colornet.prediction.bfloat16 import load_rounded, load_rounded_outputs
from tests.prediction.test_onnx import (KEEP, NETWORKS, SHAPES,
                                        luminance_of_photos, save)


def setup_module():
    reason = bfloat16_status()
    if reason:
        raise SkipTest(reason)
    global folder
    folder = tempfile.TemporaryDirectory()


def teardown_module():
    folder.cleanup()


def check_network(overrides):
    path = Path(folder.name) / 'variant.h5'
    net, config = save(path, overrides)
    outputs, loaded, attributes = load_rounded_outputs(path)
    eq_(loaded, config)
    eq_(attributes['trained_on'], 'nothing')
    exact = theano.function(
        [net['input'].input_var],
        lasagne.layers.get_output(output_layers(net), deterministic=True))
    white = get_color_space(config.network['color_space']).luminance_max
    for shape in (SHAPES if config.data['proportions'] == 'keep' else
                  [(3, 16, 16)]):
        photos = luminance_of_photos(*shape, white)
        expected = exact(preprocess(photos, white))
        got = outputs(photos)
        eq_(len(got), len(expected))
        for one, other in zip(got, expected):
            eq_((one.shape, one.dtype), (other.shape, np.float32))
            error = np.sqrt(((one - other) ** 2).mean()) / other.std()
            ok_(1e-5 < error < 0.05, error)


def test_every_network_computes_what_it_does_in_theano():
    for overrides in NETWORKS:
        yield check_network, overrides


def test_several_decodings():
    path = Path(folder.name) / 'decoded.h5'
    save(path, NETWORKS[0])
    photos = luminance_of_photos(2, 16, 24, 100)
    predict, config, _ = load_rounded(path, None, (
        (), ['decoding.saturation=2.4'], ['decoding.method=argmax']))
    first, double, likely = predict(photos)
    eq_(config.decoding['saturation'], 1.2)
    eq_((first.shape, first.dtype), ((2, 16, 24, 2), np.float32))
    assert_array_equal(double, 2 * first)
    ok_(len(np.unique(likely)) <= 6)


def test_sizes_that_cannot_be_halved_are_refused():
    path = Path(folder.name) / 'halved.h5'
    for overrides, words in ((NETWORKS[0], 'by 8'), (NETWORKS[6], 'by 8'),
                             (NETWORKS[5], 'by 16')):
        save(path, overrides)
        outputs, _, _ = load_rounded_outputs(path)
        with assert_raises_regex(ColornetError, 'divisible ' + words):
            outputs(np.zeros((1, 24, 20), np.float32))


def test_errors():
    path = Path(folder.name) / 'damaged.h5'
    save(path, NETWORKS[0] + KEEP)
    with assert_raises_regex(ColornetError, 'absent.h5 does not exist'):
        load_rounded_outputs(path.with_name('absent.h5'))
    with mock.patch.object(bfloat16, 'bfloat16_status',
                           lambda: 'there is none'):
        with assert_raises_regex(ColornetError, 'no bfloat16: there is none'):
            load_rounded_outputs(path)
