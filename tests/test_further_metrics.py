"""Metrics that the paper does not have, against loops over their formulas."""

import numpy as np
import skimage.metrics
import skimage.segmentation
from nose.tools import eq_
from numpy.testing import assert_allclose
from PIL import Image

from colornet.color import join_channels, split_channels
from colornet.further_metrics import (area_under_curve, colour_inconsistency,
                                      colourfulness, edge_errors,
                                      nearer_than_grey, peak_signal_to_noise,
                                      structural_similarity)
from tests import tiny
from tests.loops import (lab, loop_area_under_curve, loop_colourfulness,
                         noisy_chroma, photo)


def test_psnr_is_skimages():
    actual = photo()
    predicted = np.random.RandomState(0).uniform(size=actual.shape)
    expected = skimage.metrics.peak_signal_noise_ratio(
        actual / 255., predicted, data_range=1)
    assert_allclose(peak_signal_to_noise(predicted, actual), expected,
                    rtol=1e-6)
    other = actual[::-1]
    expected = skimage.metrics.peak_signal_noise_ratio(actual, other)
    assert_allclose(peak_signal_to_noise(other, actual), expected, rtol=1e-6)


def loop_ssim(one, other):
    """Of one channel, by the formula, without the border of 5 pixels."""
    places = np.arange(-5, 6)
    window = np.exp(-(places[:, None] ** 2 + places ** 2) / (2 * 1.5 ** 2))
    window /= window.sum()
    values = []
    for row in range(5, one.shape[0] - 5):
        for column in range(5, one.shape[1] - 5):
            a, b = [image[row - 5:row + 6, column - 5:column + 6]
                    for image in (one, other)]
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            variances = ((window * a ** 2).sum() - mean_a ** 2 +
                         (window * b ** 2).sum() - mean_b ** 2)
            covariance = (window * a * b).sum() - mean_a * mean_b
            values.append((2 * mean_a * mean_b + 1e-4) *
                          (2 * covariance + 9e-4) /
                          ((mean_a ** 2 + mean_b ** 2 + 1e-4) *
                           (variances + 9e-4)))
    return np.mean(values)


def test_ssim_by_a_loop():
    actual = photo() / 255.
    predicted = (actual + np.random.RandomState(0).normal(
        scale=0.1, size=actual.shape)).clip(0, 1)
    expected = np.mean([loop_ssim(predicted[..., channel],
                                  actual[..., channel])
                        for channel in range(3)])
    assert 0.3 < expected < 0.9, expected
    assert_allclose(structural_similarity(predicted, actual), expected,
                    rtol=1e-4)
    assert_allclose(structural_similarity(photo(), actual), 1, rtol=1e-6)


def test_colourfulness_by_a_loop():
    for name in 'friends.jpg', 'picosdeeuropa.jpg':
        rgb = photo(name)
        assert_allclose(colourfulness(rgb), loop_colourfulness(rgb),
                        rtol=1e-5)
        eq_(colourfulness(np.dstack([rgb[..., 1]] * 3)), 0)


def test_area_under_curve_by_a_loop():
    actual = photo() / 255.
    for name in 'friends.jpg', 'seeding.jpg':
        predicted = photo(name)[::-1] / 255.
        expected = loop_area_under_curve(predicted, actual)
        assert 0.5 < expected < 0.95, expected
        assert_allclose(area_under_curve(predicted, actual), expected,
                        rtol=1e-4)


def test_area_under_curve_counts_both_ends():
    green, blue = np.zeros((2, 1, 4, 3))
    green[..., 1] = blue[..., 2] = 1
    eq_(area_under_curve(green, green), 1)
    # 253 apart in a and b: no threshold reaches so far.
    eq_(area_under_curve(green, blue), 0)
    half = green.copy()
    half[:, :2] = blue[:, :2]
    eq_(area_under_curve(half, green), 0.5)
    # Red has a = 80.1, b = 67.2: 104.6 from grey, so the thresholds 105 to
    # 150 of the 151.
    red, grey = np.uint8([[[255, 0, 0]]]), np.uint8([[[99] * 3]])
    assert_allclose(lab((1, 0, 0)), (80.1, 67.2), atol=0.05)
    assert_allclose(area_under_curve(red, grey), 46 / 151.)


def test_nearer_than_grey_is_about_the_squared_error():
    actual = np.full((2, 2, 3), [100, 110, 150], np.uint8)
    grey = np.full((2, 2, 3), 112, np.uint8)
    # Of grey: 144 + 4 + 1444 a pixel.
    for predicted, expected in (([100, 110, 110], 0), ([100, 110, 111], 1),
                                ([112, 112, 112], 0), ([100, 110, 189], 1),
                                ([100, 110, 190], 0)):
        eq_(nearer_than_grey(np.full((2, 2, 3), predicted, np.uint8), grey,
                             actual), expected, predicted)


def test_errors_along_edges_and_elsewhere():
    luminance = np.zeros((20, 30))
    luminance[:, 15:] = 50
    actual = np.zeros((20, 30, 2))
    predicted = actual + [3, 4]
    # The slope is taken from both neighbours: two columns wide.
    predicted[:, 14:16] = 30, 40
    edge, elsewhere = edge_errors(predicted, actual, luminance)
    assert_allclose([edge, elsewhere], [50, 5])


def test_flat_luminance_has_edges_too():
    actual = np.zeros((10, 10, 2))
    assert_allclose(edge_errors(actual + 3, actual, np.full((10, 10), 50.)),
                    [18 ** 0.5] * 2)


def test_psnr_has_a_cap():
    rgb = photo()
    eq_(peak_signal_to_noise(rgb, rgb), 100)
    eq_(peak_signal_to_noise(rgb / 255. + 1e-6, rgb / 255.), 100)


def whole_photo(name='friends.jpg'):
    return np.asarray(Image.open(str(tiny.PHOTOS / name)))


def loop_inconsistency(predicted_rgb, actual_rgb):
    segments = skimage.segmentation.felzenszwalb(
        actual_rgb, scale=400, sigma=0.8, min_size=400)
    total = 0.
    for segment in np.unique(segments):
        inside = segments == segment
        variances = [sum(np.var(split_channels(rgb)[1][inside, channel]
                                .astype(np.float64)) for channel in (0, 1))
                     for rgb in (predicted_rgb, actual_rgb)]
        total += inside.sum() * max(0., variances[0] - variances[1])
    return total / segments.size


def test_colour_inconsistency_by_a_loop():
    actual = whole_photo()
    segments = skimage.segmentation.felzenszwalb(actual, 400, 0.8, 400)
    assert 3 < segments.max() + 1 < 100, segments.max()
    lightness, chroma = split_channels(actual)
    # Left half greyer than it is, right half noisier.
    chroma = chroma.copy()
    middle = chroma.shape[1] // 2
    chroma[:, :middle] *= 0.3
    chroma[:, middle:] = noisy_chroma(actual, 25.)[:, middle:]
    predicted = join_channels(lightness, chroma)
    expected = loop_inconsistency(predicted, actual)
    assert expected > 1
    assert_allclose(colour_inconsistency(predicted, actual), expected,
                    rtol=1e-4)


def test_colour_inconsistency_of_even_colours():
    actual = whole_photo()
    lightness, chroma = split_channels(actual)
    for predicted in actual, join_channels(lightness, chroma * 0):
        assert colour_inconsistency(predicted, actual) < 1e-3


def test_colour_inconsistency_is_about_variation_within_objects():
    rows, columns = 64, 64
    actual = np.full((rows, columns, 3), [60, 120, 200], np.uint8)
    actual[32:] = [90, 110, 40]
    lightness, chroma = split_channels(actual)
    # Each object gets another colour as a whole, or each two colours.
    wrong, blotched = np.zeros_like(chroma), np.zeros_like(chroma)
    wrong[32:] = blotched[:, 32:] = 10, 5
    wrong, blotched = [colour_inconsistency(
        join_channels(lightness, chroma), actual)
        for chroma in (wrong, blotched)]
    assert wrong < 1e-3
    # Half 10 and half 0, half 5 and half 0.
    assert_allclose(blotched, 25 + 6.25, rtol=0.01)
