"""Predictors without a network against slow, obvious twins."""

from collections import Counter

import numpy as np
from nose.tools import eq_
from numpy.testing import assert_array_equal

from colornet.color import bin_channel, split_channels, unbin_channel
from colornet.evaluation.baselines import (NUM_BANDS, NUM_LEVELS, fit_lookup,
                                           fit_mode, predict_grey)
from colornet.photos.finding import find_images
from colornet.photos.reading import read_rgb
from tests import tiny


def load_photos():
    return np.array([read_rgb(path, 32) for path in find_images(tiny.PHOTOS)])


def most_frequent(values):
    """Of several that are equally frequent, the smallest, as argmax does."""
    counts = Counter(values)
    return min(value for value in counts
               if counts[value] == max(counts.values()))


def test_grey_has_no_chrominance():
    eq_(predict_grey(np.ones((2, 3, 4))).shape, (2, 3, 4, 2))
    assert not predict_grey(np.ones((2, 3, 4))).any()


def test_mode_is_the_most_frequent_bin():
    photos = load_photos()
    _, chroma = split_channels(photos)
    expected = [unbin_channel(most_frequent(
        bin_channel(chroma[..., channel]).ravel().tolist()))
        for channel in range(2)]
    predicted = fit_mode(photos)(np.zeros((1, 2, 3), np.float32))
    eq_(predicted.shape, (1, 2, 3, 2))
    assert_array_equal(predicted[0, 0, 0], expected)
    assert_array_equal(predicted[0, 1, 2], expected)


def test_lookup_is_the_most_frequent_bin_of_the_cell():
    photos = load_photos()
    luminance, chroma = split_channels(photos)
    cells = {}
    for level, row_of_bins, row in zip(
            luminance.ravel(), bin_channel(chroma).reshape(-1, 2),
            np.broadcast_to(np.arange(32)[:, None], luminance.shape).ravel()):
        key = row * NUM_BANDS // 32, min(int(level * NUM_LEVELS / 100),
                                         NUM_LEVELS - 1)
        cells.setdefault(key, []).append(row_of_bins)
    predicted = fit_lookup(photos)(luminance)
    for row, column in [(0, 0), (5, 20), (16, 31), (31, 3)]:
        level = luminance[1, row, column]
        key = row * NUM_BANDS // 32, min(int(level * NUM_LEVELS / 100),
                                         NUM_LEVELS - 1)
        bins = [most_frequent([int(pair[channel]) for pair in cells[key]])
                for channel in range(2)]
        assert_array_equal(predicted[1, row, column], unbin_channel(bins))


def test_lookup_falls_back_to_the_mode_in_empty_cells():
    black = np.zeros((1, 32, 32, 3), np.uint8)
    white = np.full((1, 4, 4), 100, np.float32)
    assert_array_equal(fit_lookup(black)(white), fit_mode(black)(white))
