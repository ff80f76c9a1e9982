"""What a network knows, by loops, and colours that fade."""

import numpy as np
from nose.tools import eq_, ok_
from numpy.testing import assert_allclose

from colornet.color import unbin_channel
from colornet.refinement.fade import fade_chroma, predicted_spread, trust_of

RNG = np.random.RandomState(0)
LIMITS = -100., 100.


def test_spread_is_the_deviation_of_all_bins():
    scores = [RNG.normal(0, 3, (50, 2, 3)).astype(np.float32) for _ in 'uv']
    found = predicted_spread(scores, LIMITS)
    eq_((found.shape, found.dtype), ((2, 3), np.float32))
    means = unbin_channel(np.arange(50), 50, LIMITS).astype(np.float64)
    for row in range(2):
        for column in range(3):
            variance = 0
            for channel in scores:
                weights = np.exp(channel[:, row, column].astype(np.float64))
                weights /= weights.sum()
                mean = (weights * means).sum()
                variance += (weights * (means - mean) ** 2).sum()
            assert_allclose(found[row, column], variance ** 0.5, rtol=1e-4)


def test_colours_fade_where_they_are_uncertain():
    chroma = RNG.uniform(-50, 50, (2, 2, 2)).astype(np.float32)
    spread = np.float32([[0, 30], [60, 1e6]])
    found = fade_chroma(chroma, spread, 60.)
    eq_(found.dtype, np.float32)
    for place, left in ((0, 0), 1), ((0, 1), 0.8), ((1, 0), 0.5), ((1, 1), 0):
        assert_allclose(found[place], left * chroma[place], atol=1e-6)


def test_trust_falls_with_the_spread():
    trust = trust_of(np.float32([0, 10, 40, 1000]))
    assert_allclose(trust[:2], [1, 0.5])
    ok_(trust[1] > trust[2] > trust[3] > 0)
