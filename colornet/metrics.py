"""The paper's evaluation metrics (5.1), and others; no Theano.

All are of one image. Accuracies, the saturation difference and other shares
are fractions, not percentages.
"""

from collections import OrderedDict

import numpy as np
import skimage.color
import skimage.metrics
import skimage.segmentation

from .color import (NUM_BINS, as_float_rgb, bin_channel, join_channels,
                    saturation, split_channels)

__all__ = ['METRICS', 'OBJECT_METRICS', 'SUMMARY_METRICS',
           'regression_distance', 'bin_accuracy', 'saturation_difference',
           'peak_signal_to_noise', 'nearer_than_grey', 'area_under_curve',
           'structural_similarity', 'colourfulness', 'edge_errors',
           'colour_inconsistency', 'image_metrics', 'picture_metrics',
           'in_units', 'summarize']

#: The largest CIELAB distance of :func:`area_under_curve`.
MAX_DISTANCE = 150

#: Felzenszwalb and Huttenlocher's segmentation, so that a sky, a field or a
#: tree of a photo of 224 x 224 pixels is mostly one segment.
SEGMENTATION = {'scale': 400, 'sigma': 0.8, 'min_size': 400}


def regression_distance(predicted, actual):
    """L_reg: squared distance in U and V, summed over pixels (paper, 5.1).

    Parameters
    ----------
    predicted, actual : ndarray, (rows, columns, 2)
        U and V.

    Returns
    -------
    float
    """
    difference = np.asarray(predicted, np.float64) - actual
    return float(np.square(difference).sum())


def bin_accuracy(predicted, actual, num_bins=NUM_BINS, tolerance=0):
    """Share of pixels whose bins match in one channel (paper, 5.1).

    Parameters
    ----------
    predicted, actual : ndarray, (rows, columns)
        U or V; :func:`colornet.color.bin_channel` is applied to both.
    num_bins : int
        Between -100 and 100: 50 are 4 units wide, as in the paper's text.
    tolerance : int
        How many bins apart still match.

    Returns
    -------
    float in [0, 1]
    """
    distance = (bin_channel(predicted, num_bins) -
                bin_channel(actual, num_bins))
    return float(np.mean(abs(distance) <= tolerance))


def saturation_difference(predicted_rgb, actual_rgb):
    """Deviation of the summed HSV saturation (paper, 5.1).

    Parameters
    ----------
    predicted_rgb, actual_rgb : ndarray, (rows, columns, 3)

    Returns
    -------
    float
        Signed: -1 for a grey prediction, 0 for an equally saturated one.

    Raises
    ------
    ValueError
        If the actual image is grey: the metric divides by its saturation.
    """
    actual = saturation(actual_rgb).sum(dtype=np.float64)
    if actual == 0:
        raise ValueError('a grey image has no saturation to compare with')
    return float(saturation(predicted_rgb).sum(dtype=np.float64) / actual - 1)


def peak_signal_to_noise(predicted_rgb, actual_rgb):
    """Peak signal to noise ratio of the colour image; not in the paper.

    Parameters
    ----------
    predicted_rgb, actual_rgb : ndarray, (rows, columns, 3)
        uint8, or floating point in [0, 1].

    Returns
    -------
    float
        In decibels, at most 100.
    """
    error = _squared_error(predicted_rgb, actual_rgb)
    return float(-10 * np.log10(max(error, 1e-10)))


def nearer_than_grey(predicted_rgb, grey_rgb, actual_rgb):
    """Whether colours are better than none; not in the paper.

    Parameters
    ----------
    predicted_rgb, grey_rgb, actual_rgb : ndarray, (rows, columns, 3)
        uint8, or floating point in [0, 1]. The second is the photo's
        luminance alone.

    Returns
    -------
    float
        1 if the prediction's squared error in RGB is below that of the grey
        picture, else 0. The mean over photos is the share of those that a
        network makes better rather than worse.
    """
    return float(_squared_error(predicted_rgb, actual_rgb) <
                 _squared_error(grey_rgb, actual_rgb))


def _squared_error(one, other):
    """Mean over pixels and the channels of RGB."""
    return np.mean(np.square(as_float_rgb(one).astype(np.float64) -
                             as_float_rgb(other)))


def area_under_curve(predicted_rgb, actual_rgb):
    """AuC of Zhang et al. (2016), without their rebalancing.

    Parameters
    ----------
    predicted_rgb, actual_rgb : ndarray, (rows, columns, 3)
        uint8, or floating point in [0, 1].

    Returns
    -------
    float in [0, 1]
        Mean over the thresholds 0, 1, ..., 150, both ends counted, of the
        share of pixels whose distance in the a and b of CIELAB is at most the
        threshold.

    Notes
    -----
    Implementations differ by a point of the curve (some leave out 150) and in
    what is compared: here it is what a picture shows, so colours that sRGB
    does not have are clipped first.
    """
    predicted, actual = [skimage.color.rgb2lab(as_float_rgb(rgb))[..., 1:]
                         for rgb in (predicted_rgb, actual_rgb)]
    difference = predicted - actual
    distance = np.hypot(difference[..., 0], difference[..., 1])
    # The first threshold that a pixel is within.
    first = np.ceil(distance).clip(0, MAX_DISTANCE + 1).astype(int).ravel()
    counts = np.bincount(first, minlength=MAX_DISTANCE + 2)[:-1]
    return float(counts.cumsum().mean() / first.size)


def structural_similarity(predicted_rgb, actual_rgb):
    """SSIM of the colour image, mean of the channels; not in the paper.

    With the Gaussian window and constants of Wang et al. (2004).

    Parameters
    ----------
    predicted_rgb, actual_rgb : ndarray, (rows, columns, 3)
        uint8, or floating point in [0, 1]; at least 11 rows and columns.

    Returns
    -------
    float, at most 1
    """
    return float(skimage.metrics.structural_similarity(
        as_float_rgb(predicted_rgb), as_float_rgb(actual_rgb), data_range=1.,
        channel_axis=-1, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False))


def colourfulness(rgb):
    """Colourfulness by Hasler and Suesstrunk (2003); not in the paper.

    Parameters
    ----------
    rgb : ndarray, (rows, columns, 3)
        uint8, or floating point in [0, 1].

    Returns
    -------
    float
        0 for a grey image; 15 is slightly, 59 quite, 109 extremely
        colourful.
    """
    red, green, blue = np.moveaxis(255 * as_float_rgb(rgb).astype(np.float64),
                                   -1, 0)
    opponents = np.array([red - green, (red + green) / 2 - blue])
    return float(np.hypot(*opponents.std(axis=(1, 2))) +
                 0.3 * np.hypot(*opponents.mean(axis=(1, 2))))


def edge_errors(predicted, actual, luminance, share=0.1):
    """Errors of the chrominance along edges and elsewhere (paper, 5.3).

    The paper saw noise along the edges of objects; these put it in numbers.

    Parameters
    ----------
    predicted, actual : ndarray, (rows, columns, 2)
        U and V.
    luminance : ndarray, (rows, columns)
    share : float in (0, 1)
        Of the pixels, those with the steepest luminance: the edges.

    Returns
    -------
    edge, elsewhere : float
        Root mean square of the distance in U and V; where luminance is
        flat, both are of all pixels.
    """
    slope = np.hypot(*np.gradient(np.asarray(luminance, np.float64)))
    is_edge = slope > np.quantile(slope, 1 - share)
    squares = np.square(np.asarray(predicted, np.float64) - actual).sum(-1)
    groups = ((squares[is_edge], squares[~is_edge]) if is_edge.any() else
              (squares, squares))
    return tuple(float(np.sqrt(group.mean())) for group in groups)


def colour_inconsistency(predicted_rgb, actual_rgb):
    """How much more colours vary within objects than they do in truth (5.3).

    The paper shows objects that the network gave several colours (Figure 7)
    but measures nothing; this puts it in a number.

    Parameters
    ----------
    predicted_rgb, actual_rgb : ndarray, (rows, columns, 3)
        uint8, or floating point in [0, 1].

    Returns
    -------
    float
        In squared CIELUV units, at least 0: the mean over pixels of how much
        the variance of U and V, added, is larger in the prediction than in
        the actual image, each taken within the pixel's segment.

    Notes
    -----
    Objects are the segments of the actual image (:data:`SEGMENTATION`).
    Where its colours vary more than the prediction's, the segment counts as
    0 rather than less: an even sky does not make up for a blotched field.
    """
    segments = skimage.segmentation.felzenszwalb(
        as_float_rgb(actual_rgb), **SEGMENTATION).ravel()
    sizes = np.bincount(segments)

    def variances(rgb):
        total = np.zeros(len(sizes))
        for channel in np.moveaxis(split_channels(rgb)[1], -1, 0):
            values = channel.ravel().astype(np.float64)
            means = np.bincount(segments, values) / sizes
            total += np.bincount(segments,
                                 np.square(values - means[segments])) / sizes
        return total
    excess = (variances(predicted_rgb) - variances(actual_rgb)).clip(0)
    return float(np.average(excess, weights=sizes))


#: What :func:`image_metrics` gives. The first line and ``l_reg`` are the
#: paper's (5.1).
METRICS = tuple('''acc_u acc_v sat_diff
    abs_sat_diff l_reg psnr ssim acc_u_8 acc_v_8 within_1_u within_1_v
    within_2_u within_2_v within_3_u within_3_v saturation_predicted
    colourfulness_predicted saturation_actual colourfulness_actual
    psnr_grey psnr_gain nearer_than_grey auc'''.split())

#: What it gives besides if asked: these take longer.
OBJECT_METRICS = 'edge_error', 'error_elsewhere', 'inconsistency'

#: What only a set of images has; see :func:`summarize`.
SUMMARY_METRICS = 'sat_diff_pooled', 'colourfulness_ratio'

#: Those that are fractions.
_SHARES = ('sat_diff_pooled', 'nearer_than_grey', 'auc') + tuple(
    name for name in METRICS
    if name.startswith(('acc_', 'within_', 'sat', 'abs_sat')))


def image_metrics(predicted_chroma, actual_rgb, color_space='luv',
                  objects=False):
    """All metrics of one image.

    Parameters
    ----------
    predicted_chroma : ndarray, (rows, columns, 2)
        In `color_space`.
    actual_rgb : ndarray, (rows, columns, 3)
        uint8, or floating point in [0, 1]; its luminance was the input.
    color_space : 'luv' or 'hsv'
        Predictions in HSV are converted to U and V to be scored.
    objects : bool
        Also give :data:`OBJECT_METRICS`: :func:`edge_errors` and
        :func:`colour_inconsistency`.

    Returns
    -------
    OrderedDict of str to float
        :data:`METRICS`. acc_u, acc_v, sat_diff, l_reg: the paper's (5.1).
        abs_sat_diff: the size of sat_diff, whose mean over images is not that
        of sat_diff. psnr, ssim. acc_u_8, acc_v_8: accuracies with bins 8
        units wide. within_1_u, ...,
        within_3_v: shares of pixels at most so many of the paper's bins off.
        Of predicted and actual image: mean saturations and colourfulness.
        psnr_grey: of the actual image's luminance alone (U = V = 0).
        psnr_gain: how many decibels psnr is above it. nearer_than_grey, auc:
        :func:`nearer_than_grey` and :func:`area_under_curve`.
    """
    luminance, _ = split_channels(actual_rgb, color_space)
    predicted_rgb = join_channels(luminance, predicted_chroma, color_space)
    if color_space != 'luv':
        _, predicted_chroma = split_channels(predicted_rgb)
    # L also where the network saw another luminance: the edges are the same.
    lightness, actual_chroma = split_channels(actual_rgb)
    grey_rgb = join_channels(lightness, np.zeros_like(actual_chroma))
    metrics = _compare(predicted_rgb, predicted_chroma, actual_rgb,
                       actual_chroma, grey_rgb)
    if objects:
        metrics['edge_error'], metrics['error_elsewhere'] = edge_errors(
            predicted_chroma, actual_chroma, lightness)
        metrics['inconsistency'] = colour_inconsistency(predicted_rgb,
                                                        actual_rgb)
    return metrics


def picture_metrics(predicted_rgb, actual_rgb, grey_rgb):
    """All metrics of a coloured photo, as a user gets it.

    Parameters
    ----------
    predicted_rgb, actual_rgb : ndarray, (rows, columns, 3)
        uint8, or floating point in [0, 1].
    grey_rgb : ndarray, (rows, columns, 3)
        The photo without colours, rounded as the prediction is.

    Returns
    -------
    OrderedDict of str to float
        As of :func:`image_metrics`. U and V are those that the picture shows:
        rounded to its bits, and clipped to what sRGB has.
    """
    return _compare(predicted_rgb, split_channels(predicted_rgb)[1],
                    actual_rgb, split_channels(actual_rgb)[1], grey_rgb)


def _compare(predicted_rgb, predicted_chroma, actual_rgb, actual_chroma,
             grey_rgb):
    """:data:`METRICS` of two pictures with their U and V."""
    channels = [(name, predicted_chroma[..., number],
                 actual_chroma[..., number])
                for number, name in enumerate('uv')]
    metrics = OrderedDict(('acc_' + name, bin_accuracy(predicted, actual))
                          for name, predicted, actual in channels)
    metrics['sat_diff'] = saturation_difference(predicted_rgb, actual_rgb)
    metrics['abs_sat_diff'] = abs(metrics['sat_diff'])
    metrics['l_reg'] = regression_distance(predicted_chroma, actual_chroma)
    metrics['psnr'] = peak_signal_to_noise(predicted_rgb, actual_rgb)
    metrics['ssim'] = structural_similarity(predicted_rgb, actual_rgb)
    for name, predicted, actual in channels:
        metrics['acc_%s_8' % name] = bin_accuracy(predicted, actual,
                                                  NUM_BINS // 2)
    for tolerance in 1, 2, 3:
        for name, predicted, actual in channels:
            metrics['within_%d_%s' % (tolerance, name)] = bin_accuracy(
                predicted, actual, tolerance=tolerance)
    for which, rgb in ('predicted', predicted_rgb), ('actual', actual_rgb):
        metrics['saturation_' + which] = float(saturation(rgb).mean())
        metrics['colourfulness_' + which] = colourfulness(rgb)
    metrics['psnr_grey'] = peak_signal_to_noise(grey_rgb, actual_rgb)
    metrics['psnr_gain'] = metrics['psnr'] - metrics['psnr_grey']
    metrics['nearer_than_grey'] = nearer_than_grey(predicted_rgb, grey_rgb,
                                                   actual_rgb)
    metrics['auc'] = area_under_curve(predicted_rgb, actual_rgb)
    return metrics


def in_units(name, value):
    """A number as tables and plots give it: shares in percent.

    Parameters
    ----------
    name : str
        Of a metric; other numbers, such as losses, stay as they are.
    value : float or ndarray
    """
    return 100 * value if name in _SHARES else value


def summarize(rows):
    """Means over images (choice 12).

    Parameters
    ----------
    rows : list of dict
        As :func:`image_metrics` returns them.

    Returns
    -------
    OrderedDict of str to float
        The mean of each metric over images, and :data:`SUMMARY_METRICS`.
        sat_diff_pooled: the saturation difference of all pixels of all images
        together. colourfulness_ratio: mean colourfulness predicted over mean
        colourfulness in truth. 1 is as colourful as the photos are.

    Notes
    -----
    The ratio is of means, not the mean of ratios: photos with little colour,
    for which a ratio may be anything, would outweigh the others.
    """
    means = OrderedDict((name, float(np.mean([row[name] for row in rows])))
                        for name in rows[0])
    means['sat_diff_pooled'] = (means['saturation_predicted'] /
                                means['saturation_actual'] - 1)
    means['colourfulness_ratio'] = (means['colourfulness_predicted'] /
                                    means['colourfulness_actual'])
    return means
