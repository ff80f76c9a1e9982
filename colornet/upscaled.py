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
from .kernels import add_blocks, kernels_enabled

__all__ = ['conv2d_same_upscaled', 'conv2d_same_upscaled_transposed']

# [first or last row of a block, source row, filter row]: the filter's rows
# that fall on the source row above and on the block's own, or on the block's
# own and on the one below.
_HALVES = np.array([[[1, 0, 0], [0, 1, 1]],
                    [[1, 1, 0], [0, 0, 1]]])


def conv2d_same_upscaled(input, filters, scale, size, image=None):
    """:func:`colornet.layers.conv2d_same` of a nearest-upscaled input.

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
    if size != 3 or not kernels_enabled():
        output = conv2d_same_upscaled_transposed(input, filters, scale, size)
        return output if image is None else image + output
    if image is None:
        image = T.zeros((input.shape[0], filters.shape[0],
                         input.shape[2] * scale, input.shape[3] * scale),
                        input.dtype)
    filters = filters[:, :, ::-1, ::-1]
    num_filters, channels = filters.shape[0], filters.shape[1]
    halves = T.constant(_HALVES.astype(filters.dtype))

    def convolve(kernels, kinds, rows, columns):
        kernels = kernels.reshape((kinds * num_filters, channels, rows,
                                   columns))
        return T.nnet.conv2d(input, kernels, filter_flip=False,
                             border_mode=(rows - 1, columns - 1))

    row_sums = T.tensordot(filters, halves, [[2], [2]])
    corners = T.tensordot(row_sums, halves, [[2], [2]])
    blocks = [convolve(corners.dimshuffle(2, 4, 0, 1, 3, 5), 4, 2, 2)]
    if scale > 2:
        sides = row_sums.sum(axis=2).dimshuffle(2, 0, 1, 3)
        flanks = T.tensordot(filters.sum(axis=2), halves,
                             [[2], [2]]).dimshuffle(2, 0, 1, 3)
        blocks += [convolve(sides, 2, 2, 1), convolve(flanks, 2, 1, 2),
                   convolve(filters.sum(axis=(2, 3)), 1, 1, 1)]
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
