"""Measures of flicker, against what is known of them."""

import numpy as np
from nose.tools import assert_almost_equal, assert_greater, assert_less, eq_
from numpy.testing import assert_allclose
from scipy.spatial.distance import jensenshannon

from colornet.color import luminance
from colornet.video.flicker import (FLOWS, ColourConsistency, WarpingError,
                                    find_visible)
from tests.video import clips

SHAPE = 8, 10


def setup_module():
    clips.need_video()


def test_warping_error():
    random = np.random.RandomState(0)
    before, values = random.uniform(size=(2,) + SHAPE + (2,)).astype('f')
    still = np.zeros(SHAPE + (2,), np.float32)
    visible = random.uniform(size=SHAPE) < .5
    error = WarpingError()
    assert np.isnan(error.mean())
    error.add(before, values, still, visible)
    expected = np.mean([(before[place] - values[place]) ** 2
                        for place in zip(*np.nonzero(visible))])
    assert_almost_equal(error.mean(), expected, 5)
    # Pairs count alike, whatever is visible; without it, they do not.
    error.add(before, before + 1, still, np.ones(SHAPE, bool))
    assert_almost_equal(error.mean(), (expected + 1) / 2, 5)
    error.add(before, values, still, np.zeros(SHAPE, bool))
    assert_almost_equal(error.mean(), (expected + 1) / 2, 5)


def test_warping_error_follows_what_moves():
    random = np.random.RandomState(1)
    before = random.uniform(size=SHAPE + (3,)).astype('f')
    flow = np.zeros(SHAPE + (2,), np.float32)
    flow[..., 0] = -1
    error, inside = WarpingError(), np.ones(SHAPE, bool)
    inside[:, 0] = False
    error.add(before, np.roll(before, 1, axis=1), flow, inside)
    assert_less(error.mean(), 1e-10)


def test_visible():
    before, after = [luminance(np.ascontiguousarray(pixels))
                     for pixels in clips.moving(3, (96, 100))[::2]]
    square = before.copy(), after.copy()
    square[0][30:60, 20:50] = square[1][30:60, 40:70] = 95
    for name in FLOWS:
        flow, visible = find_visible(before, after, name)
        assert_allclose(np.median(flow[10:-10, 10:-10], axis=(0, 1)), [2, 0],
                        atol=.3)
        assert_greater(visible.mean(), .6)
        _, uncovered = find_visible(*square, flow=name)
        place = slice(35, 55), slice(22, 38)
        assert_less(uncovered[place].mean(), visible[place].mean() - .2, name)


def test_colour_consistency():
    random = np.random.RandomState(2)
    frames = [random.randint(0, 40 + 20 * number, SHAPE + (3,)).astype('u1')
              for number in range(6)]
    consistency = ColourConsistency()
    for frame in frames:
        consistency.add(frame)

    def histogram(frame, channel):
        return np.bincount(frame[..., channel].ravel(), minlength=256)
    expected = np.mean([np.mean([
        jensenshannon(histogram(frames[number], channel),
                      histogram(frames[number + distance], channel)) ** 2
        for number in range(6 - distance) for channel in range(3)])
        for distance in (1, 2, 4)])
    assert_almost_equal(consistency.mean(), expected, 6)


def test_colour_consistency_ends_with_a_scene():
    black, white = np.zeros(SHAPE + (3,), 'u1'), np.full(SHAPE + (3,), 255,
                                                         'u1')
    consistency = ColourConsistency()
    assert np.isnan(consistency.mean())
    for frame in [black] * 3 + [None] + [white] * 3:
        if frame is None:
            consistency.cut()
        else:
            consistency.add(frame)
    eq_(consistency.mean(), 0)
    consistency.add(black)
    assert_greater(consistency.mean(), .1)
