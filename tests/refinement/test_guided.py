"""The guided filter against loops; colours enlarged by luminance."""

import numpy as np
from nose.tools import eq_, ok_
from numpy.testing import assert_allclose

from colornet.color import split_channels
from colornet.photos.pixels import resize
from colornet.photos.reading import read_rgb
from colornet.refinement.guided import (GuidedFilter, follow_luminance,
                                        window_radius)
from colornet.resources import find_resource
from colornet.scaling import enlarge_chroma

RNG = np.random.RandomState(0)


def window_means(values, radius):
    """Means of windows, pixel by pixel; borders are mirrors."""
    wide = np.pad(values.astype(np.float64), radius, mode='symmetric')
    return np.array([[wide[row:row + 2 * radius + 1,
                           column:column + 2 * radius + 1].mean()
                      for column in range(values.shape[1])]
                     for row in range(values.shape[0])])


def filter_slowly(guide, plane, radius, contrast):
    """He et al. (2010), their algorithm 1, and its slopes."""
    mean, plane_mean = [window_means(values, radius)
                        for values in (guide, plane)]
    variance = window_means(guide ** 2, radius) - mean ** 2
    covariance = window_means(guide * plane, radius) - mean * plane_mean
    slopes = covariance / (variance + contrast ** 2)
    offsets = plane_mean - slopes * mean
    slopes, offsets = [window_means(values, radius)
                       for values in (slopes, offsets)]
    return slopes * guide + offsets, slopes


def test_the_filter_is_that_of_the_paper():
    guide = RNG.uniform(0, 100, (9, 11))
    planes = RNG.uniform(-50, 50, (3, 9, 11)).astype(np.float32)
    for radius, contrast in (1, 4.), (2, 30.):
        smooth = GuidedFilter(guide, radius, contrast)
        found, slopes = smooth(planes), smooth.slopes(planes)
        eq_(found.dtype, np.float32)
        for number, plane in enumerate(planes):
            expected, expected_slopes = filter_slowly(guide, plane, radius,
                                                      contrast)
            assert_allclose(found[number], expected, atol=2e-3)
            assert_allclose(slopes[number], expected_slopes, atol=2e-4)


def test_even_guides_give_means_and_lines_stay():
    plane = RNG.uniform(-50, 50, (1, 8, 9)).astype(np.float32)
    flat = GuidedFilter(np.full((8, 9), 40.), 1, 1.)(plane)[0]
    assert_allclose(flat, window_means(window_means(plane[0], 1), 1),
                    atol=1e-3)
    guide = RNG.uniform(0, 100, (8, 9))
    line = np.float32([0.5 * guide - 7])
    assert_allclose(GuidedFilter(guide, 2, 1e-3)(line), line, atol=0.01)


def test_windows_are_shares_of_the_shorter_side():
    eq_([window_radius(reach, (56, 84)) for reach in (0.001, 0.02, 0.1)],
        [1, 1, 6])


def test_enlarged_colours_end_where_luminance_does():
    """A step within a pixel of the small picture is where it should be."""
    light = np.full((64, 64), 20., np.float32)
    light[:, 29:] = 80.
    chroma = np.stack([light, -light], axis=-1)
    small, guide = [np.float32([[block.mean(axis=(0, 1)) for block in
                                 np.split(row, 16, axis=1)]
                                for row in np.split(whole, 16)])
                    for whole in (chroma, light)]
    found = follow_luminance(small, guide, 0.05, 0.5)(
        light.shape, light, (0, 64))
    bicubic = enlarge_chroma(small, light.shape)
    errors = [abs(one - chroma)[:, 24:36].mean() for one in (found, bicubic)]
    ok_(errors[0] < 0.2 * errors[1], errors)


def test_without_detail_it_is_bicubic_and_rows_are_those_of_the_whole():
    rgb = read_rgb(find_resource('demo/photos/chelsea.jpg'), 224, largest=224)
    light, chroma = split_channels(rgb)
    small = np.stack([resize(plane, (28, 34)) for plane in np.moveaxis(
        (chroma + 150) / 300, -1, 0)], axis=-1) * 300 - 150
    guide = resize(light / 100, (28, 34)) * 100
    enlarge = follow_luminance(small, guide, 0.05, 4.)
    whole = enlarge(light.shape, light, (0, len(light)))
    parts = [enlarge(light.shape, light[start:start + 50],
                     (start, min(start + 50, len(light))))
             for start in range(0, len(light), 50)]
    assert_allclose(np.concatenate(parts), whole, atol=1e-3)
    even = follow_luminance(small, np.full_like(guide, 50.), 0.05, 4.)
    bicubic = enlarge_chroma(small, light.shape)
    assert_allclose(even(light.shape, light, (0, len(light))), bicubic,
                    atol=1e-3)
    # The same on the whole, other in detail.
    ok_(abs((whole - bicubic).mean()) < 0.1)
    ok_(abs(whole - bicubic).max() > 3)
