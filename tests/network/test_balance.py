"""Weights of classes by their rarity, and the loss that has them."""

import numpy as np
import scipy.ndimage
import scipy.special
from nose.tools import eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.color import bin_channel, split_channels
from colornet.config import load_config
from colornet.network import balance
from colornet.network.balance import (balance_classes, class_weights,
                                      count_classes)
from colornet.photos.finding import find_images
from colornet.photos.reading import read_rgb
from tests import tiny

PHOTOS = np.array([read_rgb(path, 32) for path in find_images(tiny.PHOTOS)])


def test_pixels_are_counted_by_class():
    config = load_config()
    counts = count_classes(PHOTOS, [0, 2, 3], config.network)
    _, chroma = split_channels(PHOTOS[[0, 2, 3]])
    for channel in range(2):
        bins = bin_channel(chroma[..., channel])
        for number in range(50):
            eq_(counts[channel, number], np.sum(bins == number))
    # Of the means of blocks, where the network predicts these.
    config = load_config(overrides=['network.output_stride=4',
                                    'network.num_bins=10'])
    counts = count_classes(PHOTOS, [0, 2, 3], config.network)
    eq_((counts.shape, counts.sum()), ((2, 10), 2 * 3 * 8 * 8))


def test_weights_are_those_of_zhang_et_al():
    counts = np.random.RandomState(0).randint(0, 1000, (2, 50))
    counts[:, 40:] = 0
    for share, deviation in (0.5, 0), (0.2, 1.25), (0.5, 1.25), (0.5, 6):
        weights = class_weights(counts, share, deviation)
        for channel in range(2):
            shares = counts[channel] / counts[channel].sum()
            if deviation:
                def smooth(values):
                    return scipy.ndimage.gaussian_filter1d(
                        values, deviation, mode='constant',
                        radius=int(np.ceil(3 * deviation)))
                shares = smooth(shares / smooth(np.ones(50)))
            shares /= shares.sum()
            expected = 1 / ((1 - share) * shares + share / 50)
            expected /= (expected * shares).sum()
            assert_allclose(weights[channel], expected, rtol=1e-5)


def test_rare_classes_weigh_more_and_equal_shares_alike():
    counts = np.array([[1, 10, 100, 1000], [5, 5, 5, 5]])
    weights = class_weights(counts, 0.5, 0)
    ok_((np.diff(weights[0]) < 0).all(), weights)
    assert_allclose(weights[1], 1)
    assert_allclose(class_weights(counts, 1, 0), 1)
    # No weight is beyond that of a class that no pixel has.
    ok_(weights.max() < 4 / 0.5)


def test_a_training_counts_its_photos():
    config = load_config(overrides=['objective.balance=yes'])
    weights = balance_classes(PHOTOS, [0, 1], config)
    eq_((weights.shape, weights.dtype), ((2, 50), 'float32'))
    # 5 units of chrominance are 1.25 bins of 4.
    assert_array_equal(weights, class_weights(
        count_classes(PHOTOS, [0, 1], config.network), 0.5, 1.25))
    ok_(weights.max() > 3 * weights.min())
    # Of many photos, some.
    before, balance.MAX_COUNTED = balance.MAX_COUNTED, 2
    try:
        assert_array_equal(balance_classes(PHOTOS, [0, 3, 1], config),
                           balance_classes(PHOTOS, [0, 1], config))
    finally:
        balance.MAX_COUNTED = before


def weighted_examples():
    """Scores of U and of V, bins, weights, and the loss by loops."""
    random = np.random.RandomState(0)
    scores = random.normal(scale=3, size=(2, 2, 5, 3, 4)).astype('float32')
    bins = random.randint(0, 5, (2, 2, 3, 4)).astype('int32')
    weights = random.uniform(0.1, 9, (2, 5)).astype('float32')
    total = 0
    for channel, image, row, column in np.ndindex(2, 2, 3, 4):
        number = bins[image, channel, row, column]
        total -= weights[channel, number] * scipy.special.log_softmax(
            scores[channel, image, :, row, column].astype(float))[number]
    return scores, bins, weights, total / (2 * 3 * 4)


def test_the_weighted_cross_entropy():
    tiny.need_theano()
    from colornet.engine.backend import T
    from colornet.network.objectives import cross_entropy_loss
    scores, bins, weights, expected = weighted_examples()
    variables = list(map(T.constant, scores))
    loss = cross_entropy_loss(variables, T.constant(bins), weights)
    eq_(loss.dtype, 'float32')
    assert_allclose(loss.eval(), expected, rtol=1e-5)
    for ones in None, np.ones_like(weights):
        assert_allclose(
            cross_entropy_loss(variables, T.constant(bins), ones).eval(),
            cross_entropy_loss(variables, T.constant(bins)).eval(), rtol=1e-6)
    gradient = T.grad(loss, variables[0]).eval()
    softmax = scipy.special.softmax(scores[0], axis=1)
    softmax[np.arange(5)[:, None, None] == bins[:, :1]] -= 1
    assert_allclose(gradient, softmax * weights[0][bins[:, 0]][:, None] / 24,
                    rtol=1e-4, atol=1e-6)
