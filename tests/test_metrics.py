"""Metrics against loops over the paper's formulas (5.1)."""

import colorsys
import math
import pathlib
import statistics

import numpy as np
import skimage.metrics
import skimage.segmentation
from nose.tools import assert_almost_equal, assert_raises, eq_
from numpy.testing import assert_allclose
from PIL import Image

from colornet.color import as_uint8, join_channels, split_channels
from colornet.metrics import (METRICS, OBJECT_METRICS, SUMMARY_METRICS,
                              area_under_curve, bin_accuracy,
                              colour_inconsistency, colourfulness, edge_errors,
                              image_metrics, in_units, nearer_than_grey,
                              peak_signal_to_noise, picture_metrics,
                              regression_distance, saturation_difference,
                              structural_similarity, summarize)

PHOTOS = pathlib.Path(__file__).parent / 'free_photos'
NAMES = '''acc_u acc_v sat_diff abs_sat_diff l_reg psnr ssim acc_u_8 acc_v_8
    within_1_u within_1_v within_2_u within_2_v within_3_u within_3_v
    saturation_predicted colourfulness_predicted saturation_actual
    colourfulness_actual psnr_grey psnr_gain nearer_than_grey auc'''.split()


def photo(name='friends.jpg'):
    return np.asarray(Image.open(str(PHOTOS / name)))[40:70, 20:60]


def noisy_chroma(rgb, scale=8.):
    chroma = split_channels(rgb)[1]
    return chroma + np.random.RandomState(0).normal(
        scale=scale, size=chroma.shape).astype(np.float32)


def loop_accuracy(predicted, actual, width=4, tolerance=0):
    def number(value):
        return min(max(math.floor((value + 100) / float(width)), 0),
                   200 // width - 1)
    pixels = list(np.ndindex(*predicted.shape))
    return sum(abs(number(predicted[pixel]) - number(actual[pixel])) <=
               tolerance for pixel in pixels) / float(len(pixels))


def loop_colourfulness(rgb):
    """Of uint8 pixels, as the paper of Hasler and Suesstrunk writes it."""
    pixels = [[float(value) for value in pixel]
              for row in rgb for pixel in row]
    red_green = [red - green for red, green, _ in pixels]
    yellow_blue = [(red + green) / 2 - blue for red, green, blue in pixels]
    deviations = [statistics.pstdev(values)
                  for values in (red_green, yellow_blue)]
    means = [statistics.fmean(values) for values in (red_green, yellow_blue)]
    return math.hypot(*deviations) + 0.3 * math.hypot(*means)


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


def lab(pixel):
    """a and b of an sRGB pixel in [0, 1], as CIE 15 and IEC 61966-2-1 write
    them, under D65."""
    red, green, blue = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in pixel]
    xyz = (0.412453 * red + 0.357580 * green + 0.180423 * blue,
           0.212671 * red + 0.715160 * green + 0.072169 * blue,
           0.019334 * red + 0.119193 * green + 0.950227 * blue)
    x, y, z = [
        value ** (1 / 3.) if value > 0.008856 else 7.787 * value + 16 / 116.
        for value in np.divide(xyz, (0.95047, 1., 1.08883))]
    return 500 * (x - y), 200 * (y - z)


def loop_area_under_curve(predicted_rgb, actual_rgb):
    """Of floating point pixels, threshold by threshold."""
    distances = [math.dist(lab(predicted), lab(actual)) for predicted, actual
                 in zip(predicted_rgb.reshape(-1, 3).tolist(),
                        actual_rgb.reshape(-1, 3).tolist())]
    shares = [sum(distance <= threshold for distance in distances) /
              float(len(distances)) for threshold in range(151)]
    return sum(shares) / 151


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


def test_image_metrics_by_loops():
    rgb = photo()
    predicted = noisy_chroma(rgb)
    luminance, actual = split_channels(rgb)
    got = image_metrics(predicted, rgb)
    eq_(list(got), NAMES)
    eq_(tuple(got), METRICS)
    eq_(tuple(image_metrics(predicted, rgb, objects=True)),
        METRICS + OBJECT_METRICS)
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
    eq_(tuple(got), METRICS)
    seen = split_channels(predicted)[1]
    eq_(got['acc_u'], loop_accuracy(seen[..., 0], chroma[..., 0]))
    eq_(got['within_1_v'], loop_accuracy(seen[..., 1], chroma[..., 1], 4, 1))
    for name, picture in (('psnr', predicted), ('psnr_grey', grey)):
        assert_allclose(got[name], skimage.metrics.peak_signal_noise_ratio(
            rgb, picture), rtol=1e-6)
    # Of the picture before rounding, nearly the same.
    other = image_metrics(noisy_chroma(rgb), rgb)
    for name in METRICS:
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
    assert 150 / 151. <= got['auc'] <= 1, got
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
    eq_(tuple(got), METRICS + SUMMARY_METRICS)
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


def whole_photo(name='friends.jpg'):
    return np.asarray(Image.open(str(PHOTOS / name)))


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
