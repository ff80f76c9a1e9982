"""The paper's evaluation metrics (5.1), and PSNR; numpy only.

All are of one image. Accuracies and the saturation difference are fractions,
not percentages.
"""

from collections import OrderedDict

import numpy as np

from .color import (as_float_rgb, bin_channel, join_channels, saturation,
                    split_channels)

__all__ = ['regression_distance', 'bin_accuracy', 'saturation_difference',
           'peak_signal_to_noise', 'image_metrics', 'summarize']


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


def bin_accuracy(predicted, actual):
    """Share of pixels whose bins match in one channel (paper, 5.1).

    Parameters
    ----------
    predicted, actual : ndarray, (rows, columns)
        U or V; :func:`colornet.color.bin_channel` is applied to both.

    Returns
    -------
    float in [0, 1]
    """
    return float(np.mean(bin_channel(predicted) == bin_channel(actual)))


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
    error = np.mean(np.square(as_float_rgb(predicted_rgb).astype(np.float64) -
                              as_float_rgb(actual_rgb)))
    return float(-10 * np.log10(max(error, 1e-10)))


def image_metrics(predicted_chroma, actual_rgb, color_space='luv'):
    """All metrics of one image.

    Parameters
    ----------
    predicted_chroma : ndarray, (rows, columns, 2)
        In `color_space`.
    actual_rgb : ndarray, (rows, columns, 3)
        uint8, or floating point in [0, 1]; its luminance was the input.
    color_space : 'luv' or 'hsv'
        Predictions in HSV are converted to U and V to be scored.

    Returns
    -------
    OrderedDict of str to float
        acc_u, acc_v, sat_diff, l_reg, psnr; and the mean saturations
        saturation_predicted and saturation_actual.
    """
    luminance, _ = split_channels(actual_rgb, color_space)
    predicted_rgb = join_channels(luminance, predicted_chroma, color_space)
    if color_space != 'luv':
        _, predicted_chroma = split_channels(predicted_rgb)
    _, actual_chroma = split_channels(actual_rgb)
    return OrderedDict([
        ('acc_u', bin_accuracy(predicted_chroma[..., 0],
                               actual_chroma[..., 0])),
        ('acc_v', bin_accuracy(predicted_chroma[..., 1],
                               actual_chroma[..., 1])),
        ('sat_diff', saturation_difference(predicted_rgb, actual_rgb)),
        ('l_reg', regression_distance(predicted_chroma, actual_chroma)),
        ('psnr', peak_signal_to_noise(predicted_rgb, actual_rgb)),
        ('saturation_predicted', float(saturation(predicted_rgb).mean())),
        ('saturation_actual', float(saturation(actual_rgb).mean())),
    ])


def summarize(rows):
    """Means over images (choice 12).

    Parameters
    ----------
    rows : list of dict
        As :func:`image_metrics` returns them.

    Returns
    -------
    OrderedDict of str to float
        The mean of each metric over images, and sat_diff_pooled: the
        saturation difference of all pixels of all images together.
    """
    means = OrderedDict((name, float(np.mean([row[name] for row in rows])))
                        for name in rows[0])
    means['sat_diff_pooled'] = (means['saturation_predicted'] /
                                means['saturation_actual'] - 1)
    return means
