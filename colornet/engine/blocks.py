"""Theano ops on blocks of pixels, of maps that are upscaled or pooled.

They call ``kernels.cpp``, as those of :mod:`.kernels` do.
"""

import numpy as np

from .backend import T, theano
from .kernels import InplaceOp, check_shapes, check_types, kernel
from .native import call, contiguous, enabled

__all__ = ['PoolBlocks', 'SpreadBlocks', 'mean_pool', 'upscale', 'AddBlocks',
           'add_blocks']

Op, Apply = theano.gof.Op, theano.gof.Apply


class _OfBlocks(Op):
    """Blocks of ``scale x scale`` pixels and a value for each.

    Parameters
    ----------
    scale : int
    mean : bool
        Whether sums, or values that are spread, are divided by the number of
        a block's pixels.
    """

    __props__ = ('scale', 'mean')

    def __init__(self, scale, mean):
        self.scale, self.mean = scale, mean

    def make_node(self, maps):
        check_types(self, maps)
        return Apply(self, [maps], [T.TensorType(
            maps.dtype, maps.broadcastable[:2] + (False, False))()])

    def infer_shape(self, node, shapes):
        return [self.output_shape(shapes[0])]

    def perform(self, node, inputs, storage):
        given = contiguous(inputs[0])
        result = np.empty(self.output_shape(given.shape), given.dtype)
        batch, channels, rows, columns = min(given.shape, result.shape)
        call(kernel(self.function, given.dtype), given, result,
             batch * channels, rows, columns, self.scale,
             1 / self.scale ** 2 if self.mean else 1.)
        storage[0][0] = result

    def grad(self, inputs, output_gradients):
        return [T.patternbroadcast(
            self.adjoint()(self.scale, self.mean)(output_gradients[0]),
            inputs[0].broadcastable)]


class PoolBlocks(_OfBlocks):
    """Sums or means of blocks.

    Input: (batch, channels, scale * rows, scale * columns). Output: (batch,
    channels, rows, columns).
    """

    function = 'pool_blocks'

    def output_shape(self, shape):
        return shape[:2] + tuple(size // self.scale for size in shape[2:])

    def perform(self, node, inputs, storage):
        shape = inputs[0].shape
        if shape[2] % self.scale or shape[3] % self.scale:
            raise ValueError('maps of shape %s are not made of %d x %d blocks'
                             % (shape, self.scale, self.scale))
        super().perform(node, inputs, storage)

    @staticmethod
    def adjoint():
        return SpreadBlocks


class SpreadBlocks(_OfBlocks):
    """Values spread over blocks: the other way round."""

    function = 'spread_blocks'

    def output_shape(self, shape):
        return shape[:2] + tuple(size * self.scale for size in shape[2:])

    @staticmethod
    def adjoint():
        return PoolBlocks


def mean_pool(maps, scale):
    """Means of blocks of ``scale x scale`` pixels.

    Parameters
    ----------
    maps : tensor4, (batch, channels, scale * rows, scale * columns)
    scale : int

    Returns
    -------
    tensor4, (batch, channels, rows, columns)
    """
    if enabled('kernels'):
        return PoolBlocks(scale, mean=True)(maps)
    return T.signal.pool.pool_2d(maps, (scale, scale), ignore_border=True,
                                 mode='average_exc_pad')


def upscale(maps, scale):
    """Nearest-neighbour upscaling.

    Parameters
    ----------
    maps : tensor4, (batch, channels, rows, columns)
    scale : int

    Returns
    -------
    tensor4, (batch, channels, scale * rows, scale * columns)
    """
    if enabled('kernels'):
        return SpreadBlocks(scale, mean=False)(maps)
    return maps.repeat(scale, axis=2).repeat(scale, axis=3)


def _block_shapes(shape, scale):
    """Of the blocks (:func:`add_blocks`) for an image's shape."""
    batch, filters, rows, columns = shape
    rows, columns = rows // scale, columns // scale
    shapes = [(batch, 4 * filters, rows + 1, columns + 1),
              (batch, 2 * filters, rows + 1, columns),
              (batch, 2 * filters, rows, columns + 1),
              (batch, filters, rows, columns)]
    return shapes[:1] if scale == 2 else shapes


def _call_blocks(name, image, blocks, scale, *options):
    """Call one of the kernels of blocks; without some, they are null."""
    batch, filters, rows, columns = image.shape
    call(kernel(name, image.dtype), image, *blocks,
         *[None] * (4 - len(blocks)), batch, filters, rows // scale,
         columns // scale, scale, *options)


class AddBlocks(InplaceOp):
    """Add the blocks of an upscaled map to an image (:mod:`.upscaled`).

    Where a rectifier follows, and no gradient is wanted, Theano's optimizer
    lets this do it (:mod:`.convolutions`).
    """

    __props__ = ('scale', 'rectify', 'inplace')

    def __init__(self, scale, rectify=False, inplace=False):
        super().__init__(inplace, scale=scale, rectify=rectify)

    def make_node(self, image, *blocks):
        check_types(self, image, *blocks)
        return Apply(self, [image] + list(blocks), [image.type()])

    def infer_shape(self, node, shapes):
        return [shapes[0]]

    def perform(self, node, inputs, storage):
        image = inputs[0]
        blocks = [contiguous(block) for block in inputs[1:]]
        if image.shape[2] % self.scale or image.shape[3] % self.scale:
            raise ValueError('an image of shape %s is not made of %d x %d '
                             'blocks' % (image.shape, self.scale, self.scale))
        check_shapes(self, blocks, _block_shapes(image.shape, self.scale))
        output = (image if self.inplace and image.flags.c_contiguous else
                  np.array(image, order='C'))
        _call_blocks('add_blocks', output, blocks, self.scale,
                     int(self.rectify))
        storage[0][0] = output

    def grad(self, inputs, output_gradients):
        if self.rectify:
            raise NotImplementedError('no gradient through the rectifier')
        gradient = output_gradients[0]
        return [gradient] + AddBlocksGradient(self.scale)(gradient,
                                                          return_list=True)


class AddBlocksGradient(Op):
    """Gradients of the blocks from that of the image."""

    __props__ = ('scale',)

    def __init__(self, scale):
        self.scale = scale

    def make_node(self, image):
        check_types(self, image)
        return Apply(self, [image], [image.type() for _ in
                                     range(1 if self.scale == 2 else 4)])

    def infer_shape(self, node, shapes):
        return _block_shapes(shapes[0], self.scale)

    def perform(self, node, inputs, storage):
        image = contiguous(inputs[0])
        blocks = [np.empty(shape, image.dtype)
                  for shape in _block_shapes(image.shape, self.scale)]
        _call_blocks('add_blocks_gradient', image, blocks, self.scale)
        for cell, block in zip(storage, blocks):
            cell[0] = block


def add_blocks(image, blocks, scale):
    """Add blocks of ``scale x scale`` pixels to an image.

    Parameters
    ----------
    image : tensor4, (batch, filters, scale * rows, scale * columns)
    blocks : list of tensor4
        What falls on the blocks' corner pixels, (batch, 4 * filters, rows +
        1, columns + 1): upper left, upper right, lower left, lower right;
        and if `scale` is above 2, on the rest of their first and last rows,
        (batch, 2 * filters, rows + 1, columns), columns, (batch, 2 *
        filters, rows, columns + 1), and on the pixels within, (batch,
        filters, rows, columns). Values of lower and right pixels come one
        place later than those of upper and left ones.
    scale : int, at least 2

    Returns
    -------
    tensor4, as `image`
    """
    return AddBlocks(scale=scale)(image, *blocks)
