"""The paper's metrics against loops over its formulas (5.1), and the table."""

import colorsys
import math

import numpy as np
import skimage.metrics
from nose.tools import assert_almost_equal, assert_raises, eq_
from numpy.testing import assert_allclose

from colornet.color import as_uint8, join_channels, split_channels
from colornet.further_metrics import (colour_inconsistency, colourfulness,
                                      edge_errors, structural_similarity)
from colornet.metrics import (IMAGE_METRICS, METRICS, OBJECT_METRICS,
                              SUMMARY_METRICS, bin_accuracy, image_metrics,
                              in_units, picture_metrics, regression_distance,
                              saturation_difference, summarize)
from tests.loops import (loop_area_under_curve, loop_colourfulness,
                         noisy_chroma, photo)

NAMES = '''acc_u acc_v sat_diff abs_sat_diff l_reg psnr ssim acc_u_8 acc_v_8
    within_1_u within_1_v within_2_u within_2_v within_3_u within_3_v
    saturation_predicted colourfulness_predicted saturation_actual
    colourfulness_actual psnr_grey psnr_gain nearer_than_grey auc'''.split()


def loop_accuracy(predicted, actual, width=4, tolerance=0):
    def number(value):
        return min(max(math.floor((value + 100) / width), 0),
                   200 // width - 1)
    pixels = list(np.ndindex(*predicted.shape))
    return sum(abs(number(predicted[pixel]) - number(actual[pixel])) <=
               tolerance for pixel in pixels) / len(pixels)


def loop_saturation(rgb):
    """Sum of the HSV saturation of floating point pixels."""
    return sum(colorsys.rgb_to_hsv(*pixel.tolist())[1]
               for row in rgb for pixel in row)


def test_regression_distance_by_a_loop():
    random = np.random.RandomState(0)
    predicted, actual = random.normal(scale=50, size=(2, 5, 4, 2))
    expected = sum((predicted[row, column, channel] -
                    actual[row, column, channel]) ** 2
                   for row in range(5) for column in range(4)
                   for channel in range(2))
    assert_allclose(regression_distance(predicted, actual), expected)


def test_regression_distance_is_summed_in_double_precision():
    random = np.random.RandomState(0)
    predicted, actual = random.normal(scale=50, size=(2, 50, 40, 2))
    predicted, actual = np.float32(predicted), np.float32(actual)
    expected = math.fsum((float(one) - float(other)) ** 2 for one, other in
                         zip(predicted.ravel(), actual.ravel()))
    assert_allclose(regression_distance(predicted, actual), expected,
                    rtol=1e-12)


def test_bin_accuracy_by_a_loop():
    random = np.random.RandomState(0)
    actual = random.uniform(-110, 110, (30, 40)).astype(np.float32)
    predicted = actual + random.normal(scale=2, size=(30, 40))
    expected = loop_accuracy(predicted, actual)
    assert 0.2 < expected < 0.8, expected
    assert_almost_equal(bin_accuracy(predicted, actual), expected)


def test_bin_accuracy_has_the_bins_of_the_paper():
    # Bins [0, 4) and [4, 8); all above 96 is one bin.
    eq_(bin_accuracy(np.float64([[0, 0, 99, -99]]),
                     np.float64([[3.9, 4, 170, -130]])), 0.75)


def test_saturation_difference_by_a_loop():
    random = np.random.RandomState(0)
    predicted, actual = random.uniform(size=(2, 6, 5, 3))
    predicted[..., 1] = predicted.max(axis=-1)
    expected = ((loop_saturation(predicted) - loop_saturation(actual)) /
                loop_saturation(actual))
    assert_allclose(saturation_difference(predicted, actual), expected,
                    rtol=1e-5)


def test_saturation_difference_is_signed():
    rgb = photo()
    grey = np.dstack([rgb[..., 1]] * 3)
    eq_(saturation_difference(grey, rgb), -1)
    eq_(saturation_difference(rgb, rgb), 0)
    half, full = np.zeros((2, 2, 3)), np.zeros((2, 2, 3))
    half[:] = 1, .5, .5
    full[:] = 1, 0, 0
    assert_allclose(saturation_difference(full, half), 1)
    assert_allclose(saturation_difference(half, full), -.5)


def test_saturation_of_a_grey_actual_image_is_refused():
    rgb = photo()
    with assert_raises(ValueError):
        saturation_difference(rgb, np.dstack([rgb[..., 1]] * 3))


def test_image_metrics_by_loops():
    rgb = photo()
    predicted = noisy_chroma(rgb)
    luminance, actual = split_channels(rgb)
    got = image_metrics(predicted, rgb)
    eq_(list(got), NAMES)
    eq_(tuple(got), IMAGE_METRICS)
    eq_(tuple(image_metrics(predicted, rgb, objects=True)),
        IMAGE_METRICS + OBJECT_METRICS)
    assert all(type(value) is float for value in got.values()), got
    assert_allclose(got['acc_u'],
                    loop_accuracy(predicted[..., 0], actual[..., 0]))
    assert_allclose(got['acc_v'],
                    loop_accuracy(predicted[..., 1], actual[..., 1]))
    for number, name in enumerate('uv'):
        channels = predicted[..., number], actual[..., number]
        assert_allclose(got['acc_%s_8' % name], loop_accuracy(*channels, 8))
        for tolerance in 1, 2, 3:
            assert_allclose(got['within_%d_%s' % (tolerance, name)],
                            loop_accuracy(*channels, 4, tolerance))
    assert got['acc_u'] != got['acc_v']
    assert got['acc_u'] < got['within_1_u'] < got['within_2_u']
    assert_allclose(got['l_reg'], np.sum((predicted - actual) ** 2.),
                    rtol=1e-4)
    predicted_rgb = join_channels(luminance, predicted)
    saturations = loop_saturation(predicted_rgb), loop_saturation(rgb / 255.)
    assert_allclose(got['saturation_predicted'],
                    saturations[0] / rgb[..., 0].size, rtol=1e-4)
    assert_allclose(got['saturation_actual'],
                    saturations[1] / rgb[..., 0].size, rtol=1e-4)
    assert_allclose(got['sat_diff'], saturations[0] / saturations[1] - 1,
                    rtol=1e-3)
    assert_allclose(got['psnr'], skimage.metrics.peak_signal_noise_ratio(
        rgb / 255., np.float64(predicted_rgb), data_range=1), rtol=1e-4)
    eq_(got['ssim'], structural_similarity(predicted_rgb, rgb))
    assert_allclose(got['colourfulness_actual'], loop_colourfulness(rgb),
                    rtol=1e-4)
    eq_(got['colourfulness_predicted'], colourfulness(predicted_rgb))
    assert_allclose(got['auc'], loop_area_under_curve(
        predicted_rgb.astype(float), rgb / 255.), rtol=1e-4)
    errors = [np.sum((join_channels(luminance, chroma) - rgb / 255.) ** 2)
              for chroma in (predicted, np.zeros_like(predicted))]
    assert_allclose(got['psnr_grey'],
                    -10 * math.log10(errors[1] / rgb.size), rtol=1e-5)
    assert_allclose(got['psnr_gain'],
                    10 * math.log10(errors[1] / errors[0]), rtol=1e-4)
    assert got['psnr_gain'] > 2, got
    eq_(got['nearer_than_grey'], 1)


def test_colours_may_be_worse_than_none():
    rgb = photo()
    got = image_metrics(-2 * split_channels(rgb)[1], rgb)
    assert got['psnr_gain'] < -3, got
    eq_(got['nearer_than_grey'], 0)


def test_pictures_are_scored_as_they_are():
    rgb = photo()
    lightness, chroma = split_channels(rgb)
    predicted = as_uint8(join_channels(lightness, noisy_chroma(rgb)))
    grey = as_uint8(join_channels(lightness, 0 * chroma))
    got = picture_metrics(predicted, rgb, grey)
    eq_(tuple(got), IMAGE_METRICS)
    seen = split_channels(predicted)[1]
    eq_(got['acc_u'], loop_accuracy(seen[..., 0], chroma[..., 0]))
    eq_(got['within_1_v'], loop_accuracy(seen[..., 1], chroma[..., 1], 4, 1))
    for name, picture in (('psnr', predicted), ('psnr_grey', grey)):
        assert_allclose(got[name], skimage.metrics.peak_signal_noise_ratio(
            rgb, picture), rtol=1e-6)
    # Of the picture before rounding, nearly the same.
    other = image_metrics(noisy_chroma(rgb), rgb)
    for name in IMAGE_METRICS:
        assert_allclose(got[name], other[name], rtol=0.05, atol=0.002,
                        err_msg=name)
    same = picture_metrics(grey, rgb, grey)
    eq_((same['psnr_gain'], same['nearer_than_grey']), (0, 0))


def check_perfect(color_space):
    rgb = photo('picosdeeuropa.jpg')
    chroma = split_channels(rgb, color_space)[1]
    got = image_metrics(chroma, rgb, color_space)
    # By HSV, a value near the edge of a bin may be rounded across it.
    at_least = 1 if color_space == 'luv' else 0.999
    assert at_least <= got['acc_u'] <= 1, got
    assert at_least <= got['acc_v'] <= 1, got
    assert_allclose(got['sat_diff'], 0, atol=1e-4)
    assert_allclose(got['l_reg'], 0, atol=1e-4)
    assert got['psnr'] > 90, got
    # Rounding: the distance is not always 0.
    assert 150 / 151 <= got['auc'] <= 1, got
    eq_(got['nearer_than_grey'], 1)
    assert_allclose(got['saturation_predicted'], got['saturation_actual'],
                    rtol=1e-4)


def test_perfect_predictions():
    for color_space in ('luv', 'hsv'):
        yield check_perfect, color_space


def test_a_grey_prediction():
    rgb = photo()
    got = image_metrics(np.zeros(rgb.shape[:2] + (2,)), rgb)
    assert_allclose(got['sat_diff'], -1, atol=0.01)
    assert_allclose(got['saturation_predicted'], 0, atol=0.001)
    assert_allclose(got['l_reg'], np.square(
        split_channels(rgb)[1].astype(float)).sum(), rtol=1e-6)
    eq_((got['psnr_gain'], got['nearer_than_grey']), (0, 0))


def test_hsv_predictions_are_scored_in_luv():
    rgb = photo()
    value, chroma = split_channels(rgb, 'hsv')
    chroma = chroma * np.float32([0.97, 0.9])
    got = image_metrics(chroma, rgb, 'hsv')
    seen = join_channels(value, chroma, 'hsv')
    predicted, actual = split_channels(seen)[1], split_channels(rgb)[1]
    assert_allclose(got['acc_u'],
                    loop_accuracy(predicted[..., 0], actual[..., 0]))
    assert_allclose(got['l_reg'], np.sum((predicted - actual) ** 2.),
                    rtol=1e-3)
    # Saturation is scaled by the prediction itself.
    assert_allclose(got['sat_diff'], -0.1, atol=1e-4)


def test_predictions_that_are_not_finite_are_refused():
    rgb = photo()
    predicted = noisy_chroma(rgb)
    predicted[3, 4, 1] = np.nan
    with assert_raises(ValueError):
        image_metrics(predicted, rgb)


def test_summary_of_images():
    rgbs = [photo(), photo('seeding.jpg'), photo('aitzgorri.jpg')]
    rows = [image_metrics(noisy_chroma(rgb), rgb) for rgb in rgbs]
    got = summarize(rows)
    eq_(list(got), NAMES + ['sat_diff_pooled', 'colourfulness_ratio'])
    eq_(tuple(got), IMAGE_METRICS + SUMMARY_METRICS)
    for name in NAMES:
        assert_allclose(got[name], sum(row[name] for row in rows) / 3.)
    luv = [(split_channels(rgb)[0], noisy_chroma(rgb)) for rgb in rgbs]
    predicted = sum(loop_saturation(join_channels(*pair)) for pair in luv)
    actual = sum(loop_saturation(rgb / 255.) for rgb in rgbs)
    assert_allclose(got['sat_diff_pooled'], predicted / actual - 1, rtol=1e-3)
    assert abs(got['sat_diff_pooled'] - got['sat_diff']) > 1e-3
    pairs = [(loop_colourfulness(255 * join_channels(*pair).astype(float)),
              loop_colourfulness(rgb)) for pair, rgb in zip(luv, rgbs)]
    assert_allclose(got['colourfulness_ratio'], sum(
        pair[0] for pair in pairs) / sum(pair[1] for pair in pairs), rtol=1e-4)
    # Not the mean of ratios.
    assert abs(got['colourfulness_ratio'] - sum(
        pair[0] / pair[1] for pair in pairs) / 3) > 1e-3


def test_shares_are_shown_in_percent():
    for name in ('acc_u', 'sat_diff', 'sat_diff_pooled', 'nearer_than_grey',
                 'auc', 'within_1_u'):
        eq_(in_units(name, 0.25), 25)
    for name in ('psnr', 'psnr_grey', 'psnr_gain', 'colourfulness_ratio',
                 'ssim'):
        eq_(in_units(name, 0.25), 0.25)


def test_every_metric_is_in_the_table_once():
    eq_(IMAGE_METRICS + OBJECT_METRICS + SUMMARY_METRICS, tuple(METRICS))
    eq_(list(METRICS), [metric.name for metric in METRICS.values()])
    eq_(in_units('training_loss', 0.25), 0.25)


def test_objects_are_scored_if_asked():
    rgb = photo()
    predicted = noisy_chroma(rgb)
    got = image_metrics(predicted, rgb, objects=True)
    lightness, actual = split_channels(rgb)
    eq_((got['edge_error'], got['error_elsewhere']),
        edge_errors(predicted, actual, lightness))
    eq_(got['inconsistency'], colour_inconsistency(
        join_channels(lightness, predicted), rgb))
