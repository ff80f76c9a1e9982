"""Metrics that the paper does not have; no Theano.

All are of one image. :data:`colornet.metrics.METRICS` lists them and the
paper's.
"""

import numpy as np
import skimage.color
import skimage.metrics
import skimage.segmentation

from .color import as_float_rgb, split_channels

__all__ = ['area_under_curve', 'colour_inconsistency', 'colour_segments',
           'colourfulness', 'edge_errors', 'errors_where', 'excess_variance',
           'nearer_than_grey', 'peak_signal_to_noise', 'steep_edges',
           'structural_similarity']

#: The largest CIELAB distance of :func:`area_under_curve`.
MAX_DISTANCE = 150

#: Felzenszwalb and Huttenlocher's segmentation, so that a sky, a field or a
#: tree of a photo of 224 x 224 pixels is mostly one segment.
SEGMENTATION = {'scale': 400, 'sigma': 0.8, 'min_size': 400}


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
    """Errors of the chrominance along edges and elsewhere (paper, 3.6, 5.3).

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
    return errors_where(predicted, actual, steep_edges(luminance, share))


def steep_edges(luminance, share=0.1):
    """Where luminance is steepest.

    Parameters
    ----------
    luminance, share
        As for :func:`edge_errors`.

    Returns
    -------
    ndarray of bool, (rows, columns)
    """
    slope = np.hypot(*np.gradient(np.asarray(luminance, np.float64)))
    return slope > np.quantile(slope, 1 - share)


def errors_where(predicted, actual, is_edge):
    """:func:`edge_errors` of edges that are known.

    Parameters
    ----------
    predicted, actual
        As there.
    is_edge : ndarray of bool, (rows, columns)

    Returns
    -------
    edge, elsewhere : float
    """
    squares = np.square(np.asarray(predicted, np.float64) - actual).sum(-1)
    groups = ((squares[is_edge], squares[~is_edge]) if is_edge.any() else
              (squares, squares))
    return tuple(float(np.sqrt(group.mean())) for group in groups)


def colour_segments(rgb):
    """Segments of even colours, about the objects of a photo.

    Parameters
    ----------
    rgb : ndarray, (rows, columns, 3)
        uint8, or floating point in [0, 1].

    Returns
    -------
    ndarray of int, (rows, columns)
        Numbers from 0 on; by :data:`SEGMENTATION`.
    """
    return skimage.segmentation.felzenszwalb(as_float_rgb(rgb),
                                             **SEGMENTATION)


def colour_inconsistency(predicted_rgb, actual_rgb):
    """How much more colours vary within objects than they do in truth (5.3).

    The paper shows objects that the network gave several colours (Figure 7),
    and saw noise in images predicted in HSV (5.2), but measures nothing; this
    puts it in a number.

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
    Objects are the segments of the actual image.
    Where its colours vary more than the prediction's, the segment counts as
    0 rather than less: an even sky does not make up for a blotched field.
    """
    return excess_variance(*[split_channels(rgb)[1] for rgb in (
        predicted_rgb, actual_rgb)], colour_segments(actual_rgb))


def excess_variance(predicted, actual, segments):
    """:func:`colour_inconsistency` of what it is computed from.

    Parameters
    ----------
    predicted, actual : ndarray, (rows, columns, 2)
        U and V of the pictures.
    segments : ndarray of int, (rows, columns)
        :func:`colour_segments` of the actual one.

    Returns
    -------
    float
    """
    segments = segments.ravel()
    sizes = np.bincount(segments)

    def variances(chroma):
        total = np.zeros(len(sizes))
        for channel in np.moveaxis(chroma, -1, 0):
            values = channel.ravel().astype(np.float64)
            means = np.bincount(segments, values) / sizes
            total += np.bincount(segments,
                                 np.square(values - means[segments])) / sizes
        return total
    excess = (variances(predicted) - variances(actual)).clip(0)
    return float(np.average(excess, weights=sizes))
