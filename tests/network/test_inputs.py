"""The network's inputs, and targets at the resolution of its output."""

import numpy as np
from nose.tools import assert_almost_equal, eq_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.color import bin_channel, split_channels
from colornet.config import load_config
from colornet.network.inputs import make_transform, preprocess

#: ImageNet's mean, blue, green and red, as published with VGG16.
MEAN = [103.939, 116.779, 123.68]


def test_preprocess_is_the_obvious_loop():
    grey = np.random.RandomState(0).uniform(0, 100, (2, 3, 4))
    expected = np.empty((2, 3, 3, 4))
    for image, channel, row, column in np.ndindex(*expected.shape):
        expected[image, channel, row, column] = (
            grey[image, row, column] / 100 * 255 - MEAN[channel])
    inputs = preprocess(grey)
    eq_(inputs.dtype, np.float32)
    assert_allclose(inputs, expected, rtol=1e-5, atol=1e-4)


def test_preprocess_scales_white_to_255():
    for white in (100., 1.):
        inputs = preprocess(np.full((1, 1, 1), white), white)
        assert_allclose(inputs[0, :, 0, 0], 255 - np.array(MEAN), rtol=1e-6)


def check_targets(overrides):
    config = load_config(overrides=['data.size=16'] + overrides)
    stride = config.network['output_stride']
    rgb = np.random.RandomState(0).randint(0, 256, (3, 16, 16, 3)).astype(
        'uint8')
    inputs, targets, photos = make_transform(config.network)(rgb)
    eq_(inputs.shape, (3, 3, 16, 16))
    eq_(targets.shape, (3, 2, 16 // stride, 16 // stride))
    assert_array_equal(photos, rgb)
    luminance, chroma = split_channels(rgb)
    for channel, mean in enumerate(MEAN):
        assert_allclose(inputs[:, channel], 2.55 * luminance - mean,
                        atol=1e-3)
    for (n, channel, i, j), target in np.ndenumerate(targets):
        block = chroma[n, stride * i:stride * (i + 1),
                       stride * j:stride * (j + 1), channel]
        mean = np.mean(block, dtype=np.float64)
        if config.network['kind'] == 'regression':
            assert_almost_equal(target, mean, places=3)
        # Where a mean is an edge of a bin, rounding decides.
        elif abs(mean / 4 - round(mean / 4)) > 1e-4:
            eq_(target, bin_channel(mean))


def test_targets_are_means_of_blocks():
    for stride in 1, 2, 4:
        for kind in [], ['network.kind=regression', 'objective.loss=l2']:
            yield check_targets, ['network.output_stride=%d' % stride] + kind
