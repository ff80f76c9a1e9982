"""One colour for one segment of a photo (paper, 6)."""

import numpy as np
import scipy.sparse

__all__ = ['average_in_segments', 'find_segments']

#: SLIC's weight of places beside luminance, which is in [0, 1].
COMPACTNESS = 0.05


def find_segments(luminance, size, method='felzenszwalb'):
    """Cut a photo into segments of like luminance.

    Parameters
    ----------
    luminance : ndarray, (rows, columns)
        In [0, 100].
    size : float, above 0
        Pixels of a segment: of Felzenszwalb and Huttenlocher's (2004), about
        the least; of SLIC's (Achanta et al., 2012), about the mean.
    method : 'felzenszwalb' or 'slic'

    Returns
    -------
    ndarray of int, (rows, columns)
        Numbers from 0 on.
    """
    # Here, as it takes long.
    import skimage.segmentation
    light = np.asarray(luminance, np.float64) / 100
    if method == 'felzenszwalb':
        return skimage.segmentation.felzenszwalb(
            light, scale=2 * size, sigma=0.8, min_size=max(1, int(size)))
    return skimage.segmentation.slic(
        light, max(1, int(light.size / size)), COMPACTNESS, channel_axis=None,
        start_label=0)


def average_in_segments(scores, segments, strength=1.):
    """Scores that are alike within segments.

    Parameters
    ----------
    scores : ndarray of float32, (bins, rows, columns)
        Logarithms of probabilities.
    segments : ndarray of int, (any rows, any columns)
        Of the same photo; see :func:`find_segments`. Not coarser than
        `scores`.
    strength : float in [0, 1]
        How far scores go to their segment's mean.

    Returns
    -------
    ndarray of float32, same shape as `scores`
        Where several segments share a pixel, the mean of theirs, each weighted
        by its part of the pixel.
    """
    shape = scores.shape[1:]
    pixels = _pixels_of(segments.shape, shape)
    parts = scipy.sparse.csr_matrix(
        (np.ones(segments.size, np.float32),
         (segments.ravel(), pixels.ravel())),
        (segments.max() + 1, shape[0] * shape[1]))
    flat = scores.reshape(len(scores), -1)
    means = parts @ flat.T / parts.sum(axis=1).A
    even = (parts.T @ means / parts.sum(axis=0).A.T).T
    mixed = flat + np.float32(strength) * (even - flat)
    return np.asarray(mixed, np.float32).reshape(scores.shape)


def _pixels_of(fine, coarse):
    """Numbers of the coarse pixels that fine ones are in."""
    down, across = [np.arange(many) * few // many
                    for many, few in zip(fine, coarse)]
    return down[:, np.newaxis] * coarse[1] + across
