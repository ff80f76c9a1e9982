"""Photos coloured by PyTorch beside those by Theano."""

from unittest import mock

import numpy as np
from nose.tools import assert_less, eq_
from numpy.testing import assert_allclose

from colornet.api import load_colorizer
from colornet.photos.finding import find_images
from colornet.photos.reading import read_rgb
from colornet.prediction.engines import load_prediction
from colornet.resources import DEFAULT_NETWORK, find_resource
from tests import tiny
from tests.tiny import need


def setup_module():
    need('torch')


def test_a_photo_coloured_by_both():
    need('theano')
    theirs, ours = load_colorizer(engine='theano'), load_colorizer(
        engine='pytorch', device='cpu')
    for path in list(find_images(tiny.PHOTOS))[:2]:
        rgb = read_rgb(path, 160)[:, :-9]
        levels = [np.rint(colorizer.colorize(rgb) * 255.)
                  for colorizer in (theirs, ours)]
        eq_(levels[1].shape, rgb.shape)
        assert_less(np.mean((abs(levels[0] - levels[1]) > 1).any(-1)), 1e-3)


def test_decoding_may_be_changed_and_bfloat16_is_close():
    network = find_resource(DEFAULT_NETWORK)
    luminance = np.stack([read_rgb(path, 64).mean(-1) / 2.55 for path in
                          list(find_images(tiny.PHOTOS))[:2]]).astype('f')
    predict, config, _ = load_prediction(network, engine='pytorch',
                                         device='cpu')
    chroma, = predict(luminance)
    stride = config.network['output_stride']
    eq_((chroma.shape, chroma.dtype),
        ((2, 64 // stride, 64 // stride, 2), np.float32))
    doubled, _, _ = load_prediction(network, None, [(), [
        'decoding.saturation=%g' % (2 * config.decoding['saturation'])]],
        'pytorch', device='cpu')
    single, double = doubled(luminance)
    assert_allclose(single, chroma, rtol=1e-5, atol=1e-5)
    assert_allclose(double, 2 * chroma, rtol=1e-5, atol=1e-5)
    rounded, _, _ = load_prediction(network, engine='pytorch', bfloat16=True,
                                    device='cpu')
    difference = abs(rounded(luminance)[0] - chroma)
    assert_less(0, difference.max())
    assert_less(difference.mean(), 0.05 * abs(chroma).mean() + 1)


def test_short_memory_is_told():
    predict, _, _ = load_prediction(find_resource(DEFAULT_NETWORK),
                                    engine='pytorch', device='cpu')
    with mock.patch('colornet.pytorch.prediction.predicted_chroma',
                    side_effect=RuntimeError('CUDA out of memory. Tried')):
        tiny.check_error(lambda: predict(np.zeros((1, 16, 16), 'f')),
                         'CUDA out of memory; fewer photos at a time')
