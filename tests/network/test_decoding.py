"""Class scores to chrominance, against numpy and scipy."""

import numpy as np
import scipy.ndimage
from nose.tools import assert_raises, eq_, ok_
from numpy.testing import assert_allclose

from colornet.color import unbin_channel
from colornet.engine.backend import T, theano
from colornet.network.decoding import (decode_argmax, decode_mean,
                                       predicted_chroma, smooth_scores)

RNG = np.random.RandomState(0)
MEANS = np.float32([-3, -1, 2, 7])


def random_scores(*shape):
    return (RNG.normal(size=shape) * 3).astype('float32')


def evaluate(function, scores, *arguments):
    variable = T.tensor4()
    return theano.function([variable], function(variable, *arguments))(scores)


def softmax(scores):
    weights = np.exp(scores - scores.max(1, keepdims=True))
    return weights / weights.sum(1, keepdims=True)


def smoothed(scores, deviation):
    """By scipy; borders are divided by the weights that fall inside."""
    def blur(maps):
        return scipy.ndimage.gaussian_filter(
            maps.astype('float64'), (0, 0, deviation, deviation),
            mode='constant', truncate=3)
    return blur(scores) / blur(np.ones_like(scores))


def test_argmax_is_the_mean_of_the_best_bin():
    scores = random_scores(2, 4, 5, 3)
    got = evaluate(decode_argmax, scores, MEANS)
    eq_((got.dtype, got.shape), (np.float32, (2, 5, 3)))
    assert_allclose(got, MEANS[scores.argmax(1)])
    ok_(len(np.unique(got)) == 4)


def test_mean_weighs_the_bins_by_their_probabilities():
    scores = random_scores(2, 4, 5, 3)
    for temperature in 1, 0.38, 5:
        expected = (softmax(scores / temperature) *
                    MEANS[:, None, None]).sum(1)
        got = evaluate(decode_mean, scores, MEANS, temperature)
        eq_((got.dtype, got.shape), (np.float32, (2, 5, 3)))
        assert_allclose(got, expected, rtol=1e-4, atol=1e-4)
        # Scores of any size.
        assert_allclose(evaluate(decode_mean, scores + 3e4, MEANS,
                                 temperature), expected, atol=0.05)


def test_mean_of_a_low_temperature_is_argmax():
    scores = random_scores(1, 4, 6, 6)
    assert_allclose(evaluate(decode_mean, scores, MEANS, 1e-4),
                    MEANS[scores.argmax(1)], atol=1e-3)


def test_smoothing_is_a_gaussian_of_each_bin():
    for shape, deviation in ((2, 3, 11, 14), 1), ((1, 4, 9, 5), 2.5):
        scores = random_scores(*shape)
        got = evaluate(smooth_scores, scores, deviation)
        eq_((got.dtype, got.shape), (np.float32, shape))
        assert_allclose(got, smoothed(scores, deviation), rtol=1e-4,
                        atol=1e-4)


def check_chroma(options, decode):
    for num_bins, limits in (50, (-100., 100.)), (7, (0., 1.)):
        scores = [random_scores(3, num_bins, 8, 9) for _ in range(2)]
        u, v = T.tensor4(), T.tensor4()
        got = theano.function([u, v], predicted_chroma(
            [u, v], num_bins, limits, **options))(*scores)
        means = unbin_channel(np.arange(num_bins), num_bins, limits)
        expected = np.stack([decode(channel, means) for channel in scores],
                            axis=1)
        eq_((got.dtype, got.shape), (np.float32, (3, 2, 8, 9)))
        assert_allclose(got, expected, rtol=1e-3, atol=1e-3)


def test_predicted_chroma():
    def best(scores, means):
        return means[scores.argmax(1)]

    def mean(scores, means):
        return (softmax(scores) * means[:, None, None]).sum(1)

    for options, decode in [
            ({}, best),
            ({'method': 'mean'}, mean),
            ({'method': 'mean', 'temperature': 0.5},
             lambda scores, means: mean(scores / 0.5, means)),
            ({'smoothing': 1.5},
             lambda scores, means: best(smoothed(scores, 1.5), means)),
            ({'saturation': 1.25},
             lambda scores, means: 1.25 * best(scores, means)),
            ({'method': 'mean', 'smoothing': 1},
             lambda scores, means: mean(smoothed(scores, 1), means))]:
        yield check_chroma, options, decode
    with assert_raises(ValueError):
        predicted_chroma([T.tensor4(), T.tensor4()], 5, (0, 1), 'mode')


def test_predicted_chroma_of_regression_is_its_output():
    output = T.tensor4()
    ok_(predicted_chroma([output], 50, (-100., 100.)) is output)
    chroma = random_scores(1, 2, 3, 4)
    twice = predicted_chroma([output], 50, (-100., 100.), saturation=2)
    assert_allclose(theano.function([output], twice)(chroma), 2 * chroma)
