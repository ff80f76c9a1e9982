"""Segments of luminance, and scores averaged in them by loops."""

import numpy as np
from nose.tools import eq_, ok_
from numpy.testing import assert_allclose

from colornet.color import luminance
from colornet.photos.reading import read_rgb
from colornet.refinement.segments import average_in_segments, find_segments
from colornet.resources import find_resource

RNG = np.random.RandomState(0)


def average_by_loops(scores, segments, strength):
    """Means of segments, given back to each pixel, fine pixel by pixel."""
    bins, rows, columns = scores.shape
    down, across = segments.shape[0] // rows, segments.shape[1] // columns
    result = np.zeros(scores.shape)
    for number in range(bins):
        means = {}
        for label in set(segments.ravel()):
            values = [scores[number, row // down, column // across]
                      for row in range(segments.shape[0])
                      for column in range(segments.shape[1])
                      if segments[row, column] == label]
            means[label] = sum(values) / len(values)
        for row in range(rows):
            for column in range(columns):
                block = segments[row * down:(row + 1) * down,
                                 column * across:(column + 1) * across]
                mean = sum(means[label] for label in block.ravel())
                result[number, row, column] = (
                    (1 - strength) * scores[number, row, column] +
                    strength * mean / block.size)
    return result


def test_averages_are_those_of_loops():
    scores = RNG.normal(0, 2, (4, 3, 5)).astype(np.float32)
    for scale in 1, 2, 4:
        segments = RNG.randint(0, 3, (3 * scale, 5 * scale))
        for strength in 1., 0.3:
            found = average_in_segments(scores, segments, strength)
            eq_((found.dtype, found.shape), (np.float32, scores.shape))
            assert_allclose(found, average_by_loops(scores, segments,
                                                    strength), atol=1e-4)


def test_within_a_segment_there_is_one_decision():
    scores = RNG.normal(0, 2, (6, 8, 8)).astype(np.float32)
    segments = np.repeat([0, 1], 32).reshape(8, 8)
    best = average_in_segments(scores, segments).argmax(axis=0)
    eq_([len(set(half.ravel())) for half in np.split(best, 2)], [1, 1])


def test_segments_end_at_edges_and_have_about_their_size():
    light = np.full((40, 60), 20.)
    light[:, 25:] = 70.
    for method in 'felzenszwalb', 'slic':
        segments = find_segments(light, 100, method)
        eq_(segments.shape, light.shape)
        left, right = [set(part.ravel())
                       for part in np.split(segments, [25], axis=1)]
        eq_(left & right, set(), method)
    photo = luminance(read_rgb(find_resource('demo/photos/coffee.jpg'), 112,
                               largest=112))
    for method in 'felzenszwalb', 'slic':
        for size in 30, 120:
            sizes = np.bincount(find_segments(photo, size, method).ravel())
            ok_(sizes.min() > 0 and len(sizes) > 1)
            if method == 'felzenszwalb':
                ok_(sizes.min() >= size)
            else:
                ok_(size / 2 < sizes.mean() < 2 * size, sizes.mean())
