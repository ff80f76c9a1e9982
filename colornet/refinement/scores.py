"""Class scores of a photo, kept and decoded again without the network.

:mod:`colornet.network.decoding` in numpy: what the network says of a photo is
small, and other colours of it (paper, 3.6, 5.3) need no second look.
"""

import numpy as np
import scipy.ndimage

from ..color import unbin_channel
from ..scaling import gaussian_window

__all__ = ['decode_scores', 'keep_scores', 'num_bytes']


def keep_scores(outputs):
    """Reduce what a network says of photos to what is worth keeping.

    Parameters
    ----------
    outputs : list of ndarray of float32, (batch, channels, rows, columns)
        Of :func:`colornet.prediction.engines.load_outputs`.

    Returns
    -------
    list of lists of ndarray
        For each photo: chrominance, (2, rows, columns), as it was; or the
        class scores of the two channels, (bins, rows, columns), less the
        highest of each pixel, as float16. No decoding depends on what all
        bins of a pixel have in common, and near 0, where the likely bins are
        then, float16 is finest.
    """
    if len(outputs) == 1:
        return [[chroma] for chroma in outputs[0]]
    # Below, no bin weighs anything at any temperature that a user may take.
    lowest = np.finfo(np.float16).min
    relative = [np.maximum(scores - scores.max(axis=1, keepdims=True), lowest)
                .astype(np.float16) for scores in outputs]
    return [list(photo) for photo in zip(*relative)]


def num_bytes(kept):
    """Memory that the scores of a photo take.

    Parameters
    ----------
    kept : list of ndarray
        One photo's of :func:`keep_scores`.

    Returns
    -------
    int
    """
    return sum(array.nbytes for array in kept)


def decode_scores(kept, limits, method='argmax', temperature=1.,
                  smoothing=0., saturation=1.):
    """Decode a photo's scores to chrominance (paper, 3.6).

    Parameters
    ----------
    kept : list of ndarray
        One photo's of :func:`keep_scores`.
    limits : (float, float)
        Of the bins; see :func:`colornet.color.bin_channel`.
    method, temperature, smoothing, saturation
        As for :func:`colornet.network.decoding.predicted_chroma`, which makes
        the same of the same scores, but for float16.

    Returns
    -------
    ndarray of float32, (rows, columns, 2)
    """
    chroma = kept[0] if len(kept) == 1 else np.stack(
        [_decode_channel(scores.astype(np.float32), limits, method,
                         temperature, smoothing) for scores in kept])
    # Channels come last outside of networks.
    return np.moveaxis(chroma, 0, -1) * np.float32(saturation)


def _decode_channel(scores, limits, method, temperature, smoothing):
    num_bins = len(scores)
    means = unbin_channel(np.arange(num_bins), num_bins, limits)
    if smoothing:
        scores = _smooth(scores, smoothing)
    if method == 'argmax':
        return means[scores.argmax(axis=0)]
    if method != 'mean':
        raise ValueError("method must be 'argmax' or 'mean', not %r" % method)
    weights = np.exp((scores - scores.max(axis=0)) / np.float32(temperature))
    return (np.tensordot(means, weights, axes=1) /
            weights.sum(axis=0)).astype(np.float32)


def _smooth(scores, deviation):
    """Means of neighbours, weighted by a Gaussian, of those that are there."""
    window = gaussian_window(deviation)
    ones = np.ones_like(scores[:1])
    for axis in 1, 2:
        scores, ones = [scipy.ndimage.convolve1d(
            maps, window, axis, mode='constant') for maps in (scores, ones)]
    return scores / ones
