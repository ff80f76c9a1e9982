"""Convolutions of nearest-upscaled maps, at the maps' own resolution.

A 3x3 convolution of a map upscaled by s sees, wherever it stands, at most
2 x 2 different source pixels. On the s x s block that a source pixel became,
the pixels within see that one only, those of the first row also the one
above, those of the last row the one below, and so for columns; the corner
pixels see four. So a block has nine kinds of pixels, each a convolution of
the source with sums of the filter's taps: 4 x (2 x 2) taps for the corners,
2 x (2 x 1) and 2 x (1 x 2) for the sides, 1 for the pixels within. That is
25 products per source pixel, for any s above 2, and 16 for s = 2, where the
upscaled map takes 9 * s**2: 36, 144 or 576.
"""

import numpy as np

from .backend import T
from .blocks import add_blocks
from .native import enabled

__all__ = ['conv2d_same_upscaled', 'conv2d_same_upscaled_transposed']


def _halves(filters):
    """What falls on a block's first and last row of pixels.

    Parameters
    ----------
    filters : tensor, (3, ...)
        Not flipped; the axis that counts is the first.

    Returns
    -------
    tensor, (2, 2, ...)
        For the first row: the taps on the source row above and on the
        block's own. For the last row: on its own and on the one below.
    """
    above, here, below = filters[0], filters[1], filters[2]
    pairs = T.stack([above, here + below, above + here, below])
    return pairs.reshape((2, 2) + tuple(pairs.shape[axis] for axis in
                                        range(1, pairs.ndim)), pairs.ndim + 1)


def conv2d_same_upscaled(input, filters, scale, size, image=None):
    """:func:`colornet.network.layers.conv2d_same` of a nearest-upscaled input.

    Parameters
    ----------
    input : tensor4, (batch, channels, rows, columns)
    filters : tensor4, (num_filters, channels, size, size)
        Flipped, as in Lasagne.
    scale : int, at least 2
    size : int, odd
        Rows and columns of the filters; by blocks only if 3.
    image : tensor4, (batch, num_filters, scale * rows, scale * columns)
        To be added to the result.

    Returns
    -------
    tensor4, as `image`
        ``conv2d_same(input.repeat(scale, 2).repeat(scale, 3), filters)``
    """
    if size != 3 or not enabled('kernels'):
        output = conv2d_same_upscaled_transposed(input, filters, scale, size)
        return output if image is None else image + output
    if image is None:
        image = T.zeros((input.shape[0], filters.shape[0],
                         input.shape[2] * scale, input.shape[3] * scale),
                        input.dtype)
    # Rows and columns first: (3, 3, num_filters, channels).
    taps = filters[:, :, ::-1, ::-1].dimshuffle(2, 3, 0, 1)
    num_filters, channels = filters.shape[0], filters.shape[1]

    def convolve(kernels, kinds, rows, columns):
        kernels = kernels.reshape((kinds * num_filters, channels, rows,
                                   columns))
        return T.nnet.conv2d(
            input, kernels, filter_flip=False,
            filter_shape=(None, None, rows, columns),
            border_mode=(rows - 1, columns - 1))

    row_halves = _halves(taps)
    corners = _halves(row_halves.dimshuffle(2, 0, 1, 3, 4))
    blocks = [convolve(corners.dimshuffle(2, 0, 4, 5, 3, 1), 4, 2, 2)]
    if scale > 2:
        sides = row_halves.sum(axis=2).dimshuffle(0, 2, 3, 1)
        flanks = _halves(taps.sum(axis=0)).dimshuffle(0, 2, 3, 1)
        blocks += [convolve(sides, 2, 2, 1), convolve(flanks, 2, 1, 2),
                   convolve(taps.sum(axis=(0, 1)), 1, 1, 1)]
    return add_blocks(image, blocks, scale)


def conv2d_same_upscaled_transposed(input, filters, scale, size):
    """Convolution of a nearest-upscaled input as a transposed convolution.

    Each source pixel spreads over a ``scale x scale`` block, and convolving
    such a block with a filter is adding one stamp of ``(scale + size - 1)``
    rows and columns: the filter convolved with a block of ones. One op of
    Theano's own, for any device and any size of filter, with
    ``(scale + 2)**2`` products per source pixel for a 3x3 filter.

    Parameters
    ----------
    input : tensor4, (batch, channels, rows, columns)
    filters : tensor4, (num_filters, channels, size, size)
        Flipped, as in Lasagne.
    scale : int
    size : int, odd

    Returns
    -------
    tensor4, (batch, num_filters, scale * rows, scale * columns)
    """
    # row_sums[i, k] = 1 where filter row k adds to row i of the stamp.
    offset = (np.arange(scale + size - 1)[:, np.newaxis] -
              np.arange(size)[np.newaxis, :])
    row_sums = ((offset >= 0) & (offset < scale)).astype(filters.dtype)
    stamp = T.tensordot(filters, row_sums, axes=[[2], [1]])
    stamp = T.tensordot(stamp, row_sums, axes=[[2], [1]])
    return T.nnet.abstract_conv.conv2d_grad_wrt_inputs(
        input, stamp.dimshuffle(1, 0, 2, 3),
        (None, None, input.shape[2] * scale, input.shape[3] * scale),
        border_mode=(size // 2, size // 2), subsample=(scale, scale),
        filter_flip=False)
