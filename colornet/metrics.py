"""The paper's evaluation metrics (5.1), and the table of all; no Theano.

All are of one image. Accuracies, the saturation difference and other shares
are fractions, not percentages.
"""

from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import Callable

import numpy as np

from .color import (NUM_BINS, bin_channel, join_channels, saturation,
                    split_channels)
from .further_metrics import (area_under_curve, colour_segments, colourfulness,
                              errors_where, excess_variance, nearer_than_grey,
                              peak_signal_to_noise, steep_edges,
                              structural_similarity)

__all__ = ['METRICS', 'IMAGE_METRICS', 'OBJECT_METRICS', 'SUMMARY_METRICS',
           'Metric', 'Truth', 'regression_distance', 'bin_accuracy',
           'saturation_difference', 'image_metrics', 'picture_metrics',
           'in_units', 'summarize']


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
    """Acc. U or Acc. V: share of pixels whose bins match (paper, 5.1).

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
    """Sat. diff.: deviation of the summed HSV saturation (paper, 5.1).

    Parameters
    ----------
    predicted_rgb, actual_rgb : ndarray, (rows, columns, 3)

    Returns
    -------
    float
        Signed: -1 for a grey prediction, 0 for an equally saturated one. It
        tells of the "dimming problem" (3.6).

    Raises
    ------
    ValueError
        If the actual image is grey: the metric divides by its saturation.
    """
    actual = saturation(actual_rgb).sum(dtype=np.float64)
    if actual == 0:
        raise ValueError('a grey image has no saturation to compare with')
    return float(saturation(predicted_rgb).sum(dtype=np.float64) / actual - 1)


@dataclass(frozen=True)
class Metric:
    """A number that predictions are scored by.

    Attributes
    ----------
    name : str
        That of its column in files.
    compute : callable
        Takes the :class:`_Pair` of an image; of those of a set, the means of
        the others by name.
    of : 'image', 'objects' or 'set'
        The second are of an image, too, but take longer. The last are of a
        set of images together.
    is_share : bool
        A fraction, which tables and plots give in percent.
    heading : str
        Of its column in printed tables, if it is not the name.
    places : int
        Decimal places there.
    width : int
        Of that column, where it is wider than the heading.
    is_signed : bool
        Whether positive numbers have their sign there.
    """

    name: str
    compute: Callable
    of: str = 'image'
    is_share: bool = False
    heading: str = ''
    places: int = 2
    width: int = 0
    is_signed: bool = False


class Truth:
    """An image that predictions are compared with.

    Parameters
    ----------
    rgb : ndarray, (rows, columns, 3)
        uint8, or floating point in [0, 1].
    grey_rgb : ndarray, (rows, columns, 3), optional
        The same without colours, if it is rounded as predictions are.

    Attributes
    ----------
    rgb, grey_rgb : ndarray, (rows, columns, 3)
    lightness : ndarray, (rows, columns)
    chroma : ndarray, (rows, columns, 2)
        U and V.
    """

    def __init__(self, rgb, grey_rgb=None):
        self.rgb = rgb
        # L also where the network saw another luminance: the edges are the
        # same.
        self.lightness, self.chroma = split_channels(rgb)
        self.grey_rgb = join_channels(self.lightness, np.zeros_like(
            self.chroma)) if grey_rgb is None else grey_rgb

    @cached_property
    def edges(self):
        """Where its luminance is steepest."""
        return steep_edges(self.lightness)

    @cached_property
    def segments(self):
        """About its objects: what takes longest of all."""
        return colour_segments(self.rgb)

    def score(self, predicted_rgb, names):
        """Metrics of a picture.

        Parameters
        ----------
        predicted_rgb : ndarray, (rows, columns, 3)
        names : iterable of str
            Of metrics of images or objects.

        Returns
        -------
        OrderedDict of str to float
            U and V are those that the picture shows: rounded to its bits, and
            clipped to what sRGB has.
        """
        pair = _Pair(predicted_rgb, None, self)
        return OrderedDict((name, pair[name]) for name in names)


class _Pair:
    """A prediction and what it should have been; its metrics by name.

    Attributes
    ----------
    predicted_rgb, actual_rgb, grey_rgb : ndarray, (rows, columns, 3)
        The last is the actual image without colours.
    predicted_chroma, actual_chroma : ndarray, (rows, columns, 2)
        U and V; None: those that the predicted picture shows.
    truth : Truth
        The actual image.
    """

    def __init__(self, predicted_rgb, predicted_chroma, truth):
        self.predicted_rgb = predicted_rgb
        self.predicted_chroma = (self.shown_chroma if predicted_chroma is None
                                 else predicted_chroma)
        self.truth = truth
        self.actual_rgb, self.grey_rgb = truth.rgb, truth.grey_rgb
        self.actual_chroma = truth.chroma
        self._values = {}

    def __getitem__(self, name):
        if name not in self._values:
            self._values[name] = METRICS[name].compute(self)
        return self._values[name]

    @cached_property
    def shown_chroma(self):
        """U and V of the predicted picture."""
        return split_channels(self.predicted_rgb)[1]

    @cached_property
    def edge_errors(self):
        """Along edges, and elsewhere."""
        return errors_where(self.predicted_chroma, self.actual_chroma,
                            self.truth.edges)


def _accuracy(channel, num_bins=NUM_BINS, tolerance=0):
    """Computes :func:`bin_accuracy` of U (0) or V (1)."""
    return lambda pair: bin_accuracy(
        pair.predicted_chroma[..., channel], pair.actual_chroma[..., channel],
        num_bins, tolerance)


def _mean_saturation(rgb):
    return float(saturation(rgb).mean())


def _list_metrics():
    """All metrics, in the order of the columns of files."""
    # The paper's (5.1), percent in its tables.
    yield Metric('acc_u', _accuracy(0), is_share=True, heading='Acc U, %',
                 width=9)
    yield Metric('acc_v', _accuracy(1), is_share=True, heading='Acc V, %',
                 width=9)
    yield Metric('sat_diff', lambda pair: saturation_difference(
        pair.predicted_rgb, pair.actual_rgb), is_share=True,
        heading='sat diff, %', places=1, is_signed=True)
    # Its size, whose mean over images is not that of sat_diff.
    yield Metric('abs_sat_diff', lambda pair: abs(pair['sat_diff']),
                 is_share=True, heading='|sat diff|, %', places=1)
    # The paper's (5.1).
    yield Metric('l_reg', lambda pair: regression_distance(
        pair.predicted_chroma, pair.actual_chroma), heading='L_reg', places=0,
        width=9)
    yield Metric('psnr', lambda pair: peak_signal_to_noise(
        pair.predicted_rgb, pair.actual_rgb), heading='PSNR, dB')
    yield Metric('ssim', lambda pair: structural_similarity(
        pair.predicted_rgb, pair.actual_rgb), heading='SSIM', places=3,
        width=6)
    # Bins 8 units wide.
    yield Metric('acc_u_8', _accuracy(0, NUM_BINS // 2), is_share=True,
                 heading='U, 8 units')
    yield Metric('acc_v_8', _accuracy(1, NUM_BINS // 2), is_share=True,
                 heading='V, 8 units')
    # Shares of pixels at most so many of the paper's bins off.
    for bins in 1, 2, 3:
        for channel, name in enumerate('uv'):
            yield Metric('within_%d_%s' % (bins, name),
                         _accuracy(channel, tolerance=bins), is_share=True,
                         heading='%s within %d' % (name.upper(), bins),
                         places=1)
    yield Metric('saturation_predicted', lambda pair: _mean_saturation(
        pair.predicted_rgb), is_share=True)
    yield Metric('colourfulness_predicted', lambda pair: colourfulness(
        pair.predicted_rgb), heading='colourful', places=1)
    yield Metric('saturation_actual', lambda pair: _mean_saturation(
        pair.actual_rgb), is_share=True)
    yield Metric('colourfulness_actual', lambda pair: colourfulness(
        pair.actual_rgb), places=1)
    # Of the actual image's luminance alone (U = V = 0).
    yield Metric('psnr_grey', lambda pair: peak_signal_to_noise(
        pair.grey_rgb, pair.actual_rgb))
    yield Metric('psnr_gain', lambda pair: pair['psnr'] - pair['psnr_grey'],
                 heading='gain, dB', is_signed=True)
    yield Metric('nearer_than_grey', lambda pair: nearer_than_grey(
        pair.predicted_rgb, pair.grey_rgb, pair.actual_rgb), is_share=True,
        heading='nearer than grey, %', places=0)
    yield Metric('auc', lambda pair: area_under_curve(
        pair.predicted_rgb, pair.actual_rgb), is_share=True, heading='AuC, %')
    yield Metric('edge_error', lambda pair: pair.edge_errors[0], of='objects')
    yield Metric('error_elsewhere', lambda pair: pair.edge_errors[1],
                 of='objects', heading='elsewhere')
    yield Metric('inconsistency', lambda pair: excess_variance(
        pair.shown_chroma, pair.actual_chroma, pair.truth.segments),
        of='objects', heading='inconsistent', places=1)
    # The saturation difference of all pixels of all images together.
    yield Metric('sat_diff_pooled', lambda means: (
        means['saturation_predicted'] / means['saturation_actual'] - 1),
        of='set', is_share=True, heading='pooled, %', places=1,
        is_signed=True)
    # 1 is as colourful as the photos are. It is of means, not the mean of
    # ratios: photos with little colour, for which a ratio may be anything,
    # would outweigh the others.
    yield Metric('colourfulness_ratio', lambda means: (
        means['colourfulness_predicted'] / means['colourfulness_actual']),
        of='set', heading='colourfulness ratio')


#: Name -> :class:`Metric`: the only list of them. Another one is an entry
#: there and, if need be, its function.
METRICS = OrderedDict((metric.name, metric) for metric in _list_metrics())

#: Names of what :func:`image_metrics` gives, what it gives besides if asked,
#: and what only a set of images has (:func:`summarize`).
IMAGE_METRICS, OBJECT_METRICS, SUMMARY_METRICS = [
    tuple(name for name, metric in METRICS.items() if metric.of == of)
    for of in ('image', 'objects', 'set')]


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
        Also give :data:`OBJECT_METRICS`.

    Returns
    -------
    OrderedDict of str to float
        :data:`IMAGE_METRICS`.
    """
    luminance, _ = split_channels(actual_rgb, color_space)
    predicted_rgb = join_channels(luminance, predicted_chroma, color_space)
    if color_space != 'luv':
        _, predicted_chroma = split_channels(predicted_rgb)
    pair = _Pair(predicted_rgb, predicted_chroma, Truth(actual_rgb))
    return OrderedDict((name, pair[name]) for name in IMAGE_METRICS + (
        OBJECT_METRICS if objects else ()))


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
        As of :func:`image_metrics`; U and V as of :class:`Truth`.
    """
    return Truth(actual_rgb, grey_rgb).score(predicted_rgb, IMAGE_METRICS)


def in_units(name, value):
    """A number as tables and plots give it: shares in percent.

    Parameters
    ----------
    name : str
        Of a metric; other numbers, such as losses, stay as they are.
    value : float or ndarray
    """
    return 100 * value if name in METRICS and METRICS[name].is_share else value


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
    """
    means = OrderedDict((name, float(np.mean([row[name] for row in rows])))
                        for name in rows[0])
    for name in SUMMARY_METRICS:
        means[name] = METRICS[name].compute(means)
    return means
