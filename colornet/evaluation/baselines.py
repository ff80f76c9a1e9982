"""Predictors without a network, which any network must beat.

Each takes and returns what a network's prediction does: luminance, (batch,
rows, columns), to chrominance, (batch, rows, columns, 2), in CIELUV.
"""

import numpy as np

from ..color import NUM_BINS, bin_channel, split_channels, unbin_channel

__all__ = ['predict_grey', 'fit_mode', 'fit_lookup']

#: Cells of the lookup table: bands of image rows, levels of luminance.
NUM_BANDS, NUM_LEVELS = 32, 32


def predict_grey(luminance):
    """Predict no colour at all: U = V = 0."""
    return np.zeros(luminance.shape + (2,), np.float32)


def fit_mode(images):
    """Predict the training images' most frequent bin of each channel.

    Parameters
    ----------
    images : iterable of ndarray of uint8, (rows, columns, 3)

    Returns
    -------
    callable
    """
    counts = _count_bins(images, lambda luminance: np.zeros(luminance.shape,
                                                            int), 1)
    chroma = unbin_channel(counts[0].argmax(axis=-1))

    def predict(luminance):
        return np.broadcast_to(chroma, luminance.shape + (2,))
    return predict


def fit_lookup(images):
    """Predict the most frequent bin at an image row and luminance.

    Parameters
    ----------
    images : iterable of ndarray of uint8, (rows, columns, 3)

    Returns
    -------
    callable
    """
    counts = _count_bins(images, _cells, NUM_BANDS * NUM_LEVELS)
    # Cells that no training pixel fell into take the mode of all.
    empty = counts.sum(axis=-1) == 0
    counts[empty] = np.broadcast_to(counts.sum(axis=0), counts.shape)[empty]
    chroma = unbin_channel(counts.argmax(axis=-1))

    def predict(luminance):
        return chroma[_cells(luminance)]
    return predict


def _cells(luminance):
    """Number of the lookup table's cell of each pixel, row by row.

    Parameters
    ----------
    luminance : ndarray, (..., rows, columns)
        In [0, 100].
    """
    num_rows = luminance.shape[-2]
    bands = np.arange(num_rows) * NUM_BANDS // num_rows
    levels = bin_channel(luminance, NUM_LEVELS, (0, 100))
    return bands[:, np.newaxis] * NUM_LEVELS + levels


def _count_bins(images, find_cells, num_cells):
    """Histogram of the bins of U and V in each cell.

    Returns
    -------
    ndarray of int, (num_cells, 2, NUM_BINS)
    """
    counts = np.zeros((num_cells, 2, NUM_BINS), int)
    for image in images:
        luminance, chroma = split_channels(image)
        cells = find_cells(luminance)
        for channel in range(2):
            index = cells * NUM_BINS + bin_channel(chroma[..., channel])
            counts[:, channel] += np.bincount(
                index.ravel(), minlength=num_cells * NUM_BINS).reshape(
                    num_cells, NUM_BINS)
    return counts
