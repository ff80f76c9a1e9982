"""Chrominance at other sizes than that of the photo (choice 23), smoothed."""

import numpy as np
from PIL import Image

__all__ = ['shrink_chroma', 'enlarge_chroma', 'gaussian_window']

#: Standard deviations at which a Gaussian ends.
NUM_DEVIATIONS = 3


def shrink_chroma(chroma, scale, color_space='luv'):
    """Means of blocks of ``scale x scale`` pixels.

    Parameters
    ----------
    chroma : ndarray, (..., rows, columns, 2)
        Rows and columns divisible by `scale`. For CIELUV, L may be in there.
    scale : int
    color_space : 'luv' or 'hsv'

    Returns
    -------
    ndarray, (..., rows / scale, columns / scale, 2)
    """
    if scale == 1:
        return chroma
    planes = _to_planes(chroma, color_space)
    rows, columns = planes.shape[-3:-1]
    if rows % scale or columns % scale:
        raise ValueError('%d x %d pixels are not made of %d x %d blocks'
                         % (rows, columns, scale, scale))
    blocks = planes.reshape(planes.shape[:-3] + (
        rows // scale, scale, columns // scale, scale, planes.shape[-1]))
    return _from_planes(blocks.mean(axis=(-4, -2)), color_space)


def enlarge_chroma(chroma, shape, color_space='luv', rows=None):
    """Resize with a bicubic filter.

    Parameters
    ----------
    chroma : ndarray of float32, (rows, columns, ..., 2)
    shape : (int, int)
        New rows and columns.
    color_space : 'luv' or 'hsv'
    rows : (int, int), optional
        First row of those that are wanted, and the first beyond them; the
        filter sees the others, too, so that strips show no seams.

    Returns
    -------
    ndarray of float32, as `chroma` but for rows and columns
    """
    if rows is None:
        if chroma.shape[:2] == tuple(shape):
            return chroma
        rows = 0, shape[0]
    planes = _to_planes(chroma, color_space).astype(np.float32, copy=False)
    old_rows, old_columns = planes.shape[:2]
    box = (0, rows[0] * old_rows / shape[0], old_columns,
           rows[1] * old_rows / shape[0])
    flat = planes.reshape(old_rows, old_columns, -1)
    size = shape[1], rows[1] - rows[0]
    # Each plane stays in one piece: what computes with it is faster then.
    resized = np.empty((flat.shape[-1],) + size[::-1], np.float32)
    for number, plane in enumerate(np.moveaxis(flat, -1, 0)):
        resized[number] = Image.fromarray(np.ascontiguousarray(plane)).resize(
            size, Image.BICUBIC, box)
    resized = np.moveaxis(resized, 0, -1)
    return _from_planes(resized.reshape(resized.shape[:2] +
                                        planes.shape[2:]), color_space)


def gaussian_window(deviation):
    """Weights of a Gaussian, 1 in the middle.

    Parameters
    ----------
    deviation : float, above 0
        Standard deviation, in pixels.

    Returns
    -------
    ndarray of float32, (odd number,)
    """
    reach = int(np.ceil(NUM_DEVIATIONS * deviation))
    places = np.arange(-reach, reach + 1)
    return np.exp(-0.5 * (places / deviation) ** 2).astype(np.float32)


def _to_planes(chroma, color_space):
    """Chrominance as numbers that may be averaged.

    Hue is an angle: between 0.9 and 0.1 lies 0, not 0.5.
    """
    if color_space != 'hsv':
        return chroma
    angle = chroma[..., 0] * np.float32(2 * np.pi)
    return chroma[..., 1:] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _from_planes(planes, color_space):
    """Undo :func:`_to_planes`."""
    if color_space != 'hsv':
        return planes
    first, second = planes[..., 0], planes[..., 1]
    hue = np.arctan2(second, first) / np.float32(2 * np.pi) % 1
    return np.stack([hue, np.hypot(first, second)], axis=-1)
