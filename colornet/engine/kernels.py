"""Theano ops that call ``kernels.cpp``: the same numbers in fewer passes.

Each has a twin made of Theano's own ops, which is what runs on a GPU, where
there is no compiler, or when the speed-up is switched off
(:data:`colornet.engine.native.SPEEDUPS`).
"""

import ctypes

import numpy as np

from .backend import T, theano
from .native import call, contiguous, library_status, load_library, wanted

__all__ = ['kernels_status', 'kernels_enabled', 'batch_norm', 'cross_entropy',
           'argmax', 'mean_pool', 'AddBlocks', 'add_blocks']

Op, Apply = theano.gof.Op, theano.gof.Apply


def kernels_status():
    """'' if the kernels can be used, else why not."""
    return library_status('kernels')


def kernels_enabled():
    """Whether the kernels are wanted and possible."""
    return wanted('kernels') and not kernels_status()


def _kernel(name, dtype):
    return getattr(load_library('kernels'), '%s_%s' % (name, dtype))


class _InplaceOp(Op):
    """An op whose first output may take the memory of one of its inputs."""

    overwrites = 0  # number of that input

    def __init__(self, inplace=False, **properties):
        self.inplace = inplace
        for name, value in properties.items():
            setattr(self, name, value)
        if inplace:
            self.destroy_map = {0: [self.overwrites]}

    def working_on_input(self):
        """The same op, overwriting its input."""
        return type(self)(**dict(((name, getattr(self, name))
                                  for name in self.__props__), inplace=True))


@theano.gof.local_optimizer([_InplaceOp], inplace=True)
def _overwrite_input(node):
    if isinstance(node.op, _InplaceOp) and not node.op.inplace:
        outputs = node.op.working_on_input()(*node.inputs, return_list=True)
        theano.gof.opt.copy_stack_trace(node.outputs, outputs)
        return outputs


theano.compile.optdb.register(
    'colornet_overwrite_input', theano.gof.TopoOptimizer(
        _overwrite_input,
        failure_callback=theano.gof.TopoOptimizer.warn_inplace),
    60, 'fast_run', 'inplace')


def _check_types(op, *variables):
    """Refuse to make a node of what the C++ code would misread."""
    dtypes = {variable.dtype for variable in variables}
    if len(dtypes) != 1 or not dtypes <= {'float32', 'float64'}:
        raise TypeError('%s needs arrays of float32 or of float64, not of %s'
                        % (type(op).__name__, ' and '.join(sorted(dtypes))))


def _check_shapes(op, arrays, shapes):
    """Refuse arrays that the C++ code would read beyond their ends."""
    found = [array.shape for array in arrays]
    if found != list(shapes):
        raise ValueError('%s got arrays of shapes %s where %s are needed'
                         % (type(op).__name__, found, list(shapes)))


def _pixels(shape):
    return int(shape[2] * shape[3])


class BatchNorm(Op):
    """Normalize by the minibatch; rectify, if wanted, in the same pass.

    Inputs: (batch, channels, rows, columns), gamma and beta, (channels,).
    Outputs: the same shape as the first; mean and variance, (channels,).
    """

    __props__ = ('epsilon', 'rectify')

    def __init__(self, epsilon, rectify):
        self.epsilon = float(epsilon)
        self.rectify = bool(rectify)

    def make_node(self, input, gamma, beta):
        _check_types(self, input, gamma, beta)
        return Apply(self, [input, gamma, beta],
                     [input.type(), gamma.type(), gamma.type()])

    def infer_shape(self, node, shapes):
        return [shapes[0], shapes[1], shapes[1]]

    def connection_pattern(self, node):
        # No gradient flows through the statistics.
        return [[True, False, False]] * 3

    def perform(self, node, inputs, storage):
        input, gamma, beta = map(contiguous, inputs)
        _check_shapes(self, [gamma, beta], [input.shape[1:2]] * 2)
        outputs = [np.empty_like(input), np.empty_like(gamma),
                   np.empty_like(gamma)]
        call(_kernel('batch_norm', input.dtype), input, gamma, beta,
             self.epsilon, int(self.rectify), *outputs,
             *input.shape[:2], _pixels(input.shape))
        for cell, output in zip(storage, outputs):
            cell[0] = output

    def grad(self, inputs, output_gradients):
        _, mean, variance = self(*inputs)
        return BatchNormGradient(epsilon=self.epsilon, rectify=self.rectify)(
            inputs[0], output_gradients[0], *inputs[1:], mean, variance)


class BatchNormGradient(_InplaceOp):
    """Gradient of :class:`BatchNorm`'s output, not of its statistics.

    Outputs: gradients of input, gamma and beta. That of the input is not
    computed where nobody takes it, as for maps of the frozen VGG16.
    """

    __props__ = ('epsilon', 'rectify', 'inplace')
    overwrites = 1

    def make_node(self, input, gradient, gamma, beta, mean, variance):
        _check_types(self, input, gradient, gamma, beta, mean, variance)
        return Apply(self, [input, gradient, gamma, beta, mean, variance],
                     [input.type(), gamma.type(), gamma.type()])

    def infer_shape(self, node, shapes):
        return [shapes[0], shapes[2], shapes[2]]

    def perform(self, node, inputs, storage):
        input, gradient, gamma, beta, mean, variance = map(contiguous, inputs)
        _check_shapes(self, [gradient, gamma, beta, mean, variance],
                      [input.shape] + [input.shape[1:2]] * 4)
        input_gradient = None
        if getattr(node.outputs[0], 'clients', True):
            input_gradient = (gradient if self.inplace else
                              np.empty_like(input))
        gamma_gradient, beta_gradient = (np.empty_like(gamma),
                                         np.empty_like(gamma))
        call(_kernel('batch_norm_gradient', input.dtype), input, gradient,
             gamma, beta, mean, variance, self.epsilon, int(self.rectify),
             input_gradient, gamma_gradient, beta_gradient,
             *input.shape[:2], _pixels(input.shape))
        storage[0][0] = (np.empty((0,) * 4, input.dtype)
                         if input_gradient is None else input_gradient)
        storage[1][0], storage[2][0] = gamma_gradient, beta_gradient


def batch_norm(input, gamma, beta, epsilon, rectify=False):
    """Batch normalization while training, and what it normalized by.

    Parameters
    ----------
    input : tensor4, (batch, channels, rows, columns)
    gamma, beta : vector, (channels,)
    epsilon : float
        Added to the variance.
    rectify : bool
        Replace negative results by zero.

    Returns
    -------
    output : tensor4
    mean, variance : vector, (channels,)
        Of the minibatch; no gradient flows through them.
    """
    return BatchNorm(epsilon, rectify)(input, gamma, beta)


class CrossEntropy(Op):
    """Mean over all pixels of the cross-entropy.

    Inputs: scores, (batch, classes, rows, columns), class numbers, (batch,
    rows, columns). Outputs: the mean; and for each pixel, (batch, rows,
    columns), the largest score and the logarithm of the softmax's
    denominator, relative to it.
    """

    __props__ = ()

    def make_node(self, logits, targets):
        _check_types(self, logits)
        return Apply(self, [logits, targets],
                     [T.TensorType(logits.dtype, ())()] +
                     [T.TensorType(logits.dtype, (False,) * 3)()
                      for _ in range(2)])

    def infer_shape(self, node, shapes):
        return [(), shapes[1], shapes[1]]

    def connection_pattern(self, node):
        # Nor through what is kept for the gradient.
        return [[True, False, False]] * 2

    def perform(self, node, inputs, storage):
        logits, targets = contiguous(inputs[0]), contiguous(inputs[1],
                                                            np.int32)
        batch, classes, rows, columns = logits.shape
        _check_shapes(self, [targets], [(batch, rows, columns)])
        if not targets.size:
            raise ValueError('CrossEntropy of no pixels has no mean')
        pixels = [np.empty(targets.shape, logits.dtype) for _ in range(2)]
        total = call(_kernel('cross_entropy', logits.dtype), logits, targets,
                     *pixels, batch, classes, rows * columns,
                     result=ctypes.c_double)
        if np.isnan(total) and (targets.min() < 0 or
                                targets.max() >= classes):
            raise ValueError('classes must be in [0, %d]' % (classes - 1))
        storage[0][0] = np.asarray(total / targets.size, logits.dtype)
        storage[1][0], storage[2][0] = pixels

    def grad(self, inputs, output_gradients):
        logits, targets = inputs
        _, largest, log_sums = self(logits, targets)
        return [CrossEntropyGradient()(logits, targets, largest, log_sums,
                                       output_gradients[0]),
                theano.gradient.grad_undefined(self, 1, targets)]


class CrossEntropyGradient(_InplaceOp):
    """Gradient of :class:`CrossEntropy`'s mean with respect to the scores."""

    __props__ = ('inplace',)

    def make_node(self, logits, targets, largest, log_sums, gradient):
        _check_types(self, logits, largest, log_sums, gradient)
        return Apply(self, [logits, targets, largest, log_sums, gradient],
                     [logits.type()])

    def infer_shape(self, node, shapes):
        return [shapes[0]]

    def perform(self, node, inputs, storage):
        logits, _, largest, log_sums, gradient = map(contiguous, inputs)
        targets = contiguous(inputs[1], np.int32)
        _check_shapes(self, [targets, largest, log_sums],
                      [logits.shape[:1] + logits.shape[2:]] * 3)
        result = logits if self.inplace else np.empty_like(logits)
        call(_kernel('cross_entropy_gradient', logits.dtype), logits, targets,
             largest, log_sums, float(gradient / targets.size), result,
             *logits.shape[:2], _pixels(logits.shape))
        storage[0][0] = result


def cross_entropy(logits, targets):
    """Mean cross-entropy of the pixels' classes.

    Parameters
    ----------
    logits : tensor4, (batch, classes, rows, columns)
        Scores before the softmax.
    targets : itensor3, (batch, rows, columns)

    Returns
    -------
    scalar, in nats
    """
    return CrossEntropy()(logits, targets)[0]


class ArgMax(Op):
    """Numbers of the largest scores, the first of equal ones.

    Input: (batch, classes, rows, columns). Output: int64, (batch, rows,
    columns).
    """

    __props__ = ()

    def make_node(self, scores):
        _check_types(self, scores)
        return Apply(self, [scores],
                     [T.TensorType('int64', (False,) * 3)()])

    def infer_shape(self, node, shapes):
        batch, _, rows, columns = shapes[0]
        return [(batch, rows, columns)]

    def perform(self, node, inputs, storage):
        scores = contiguous(inputs[0])
        batch, classes, rows, columns = scores.shape
        if not classes:
            raise ValueError('ArgMax of no classes')
        numbers = np.empty((batch, rows, columns), np.int64)
        call(_kernel('argmax', scores.dtype), scores, numbers, batch, classes,
             rows * columns)
        storage[0][0] = numbers

    def grad(self, inputs, output_gradients):
        return [inputs[0].zeros_like()]


def argmax(scores):
    """Numbers of the classes with the largest scores.

    Parameters
    ----------
    scores : tensor4, (batch, classes, rows, columns)

    Returns
    -------
    ltensor3, (batch, rows, columns)
        The first of equal ones.
    """
    return ArgMax()(scores) if kernels_enabled() else T.argmax(scores, axis=1)


class MeanPool(Op):
    """Means of blocks of ``scale x scale`` pixels.

    Input: (batch, channels, scale * rows, scale * columns). Output: (batch,
    channels, rows, columns).
    """

    __props__ = ('scale',)

    def __init__(self, scale):
        self.scale = scale

    def make_node(self, maps):
        _check_types(self, maps)
        return Apply(self, [maps], [T.TensorType(
            maps.dtype, maps.broadcastable[:2] + (False, False))()])

    def infer_shape(self, node, shapes):
        batch, channels, rows, columns = shapes[0]
        return [(batch, channels, rows // self.scale, columns // self.scale)]

    def perform(self, node, inputs, storage):
        maps = contiguous(inputs[0])
        batch, channels, rows, columns = maps.shape
        if rows % self.scale or columns % self.scale:
            raise ValueError('maps of shape %s are not made of %d x %d blocks'
                             % (maps.shape, self.scale, self.scale))
        means = np.empty((batch, channels, rows // self.scale,
                          columns // self.scale), maps.dtype)
        call(_kernel('mean_pool', maps.dtype), maps, means, batch * channels,
             *means.shape[2:], self.scale)
        storage[0][0] = means

    def grad(self, inputs, output_gradients):
        return [T.patternbroadcast(
            MeanPoolGradient(self.scale)(output_gradients[0]),
            inputs[0].broadcastable)]


class MeanPoolGradient(Op):
    """Gradient of :class:`MeanPool`'s maps from that of the means."""

    __props__ = ('scale',)

    def __init__(self, scale):
        self.scale = scale

    def make_node(self, gradient):
        _check_types(self, gradient)
        return Apply(self, [gradient], [T.TensorType(
            gradient.dtype, gradient.broadcastable[:2] + (False, False))()])

    def infer_shape(self, node, shapes):
        batch, channels, rows, columns = shapes[0]
        return [(batch, channels, rows * self.scale, columns * self.scale)]

    def perform(self, node, inputs, storage):
        gradient = contiguous(inputs[0])
        batch, channels, rows, columns = gradient.shape
        maps = np.empty((batch, channels, rows * self.scale,
                         columns * self.scale), gradient.dtype)
        call(_kernel('mean_pool_gradient', maps.dtype), gradient, maps,
             batch * channels, rows, columns, self.scale)
        storage[0][0] = maps


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
    if kernels_enabled():
        return MeanPool(scale)(maps)
    return T.signal.pool.pool_2d(maps, (scale, scale), ignore_border=True,
                                 mode='average_exc_pad')


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
    call(_kernel(name, image.dtype), image, *blocks,
         *[None] * (4 - len(blocks)), batch, filters, rows // scale,
         columns // scale, scale, *options)


class AddBlocks(_InplaceOp):
    """Add the blocks of an upscaled map to an image (:mod:`.upscaled`).

    Where a rectifier follows, and no gradient is wanted, Theano's optimizer
    lets this do it (:mod:`.convolutions`).
    """

    __props__ = ('scale', 'rectify', 'inplace')

    def __init__(self, scale, rectify=False, inplace=False):
        super().__init__(inplace, scale=scale, rectify=rectify)

    def make_node(self, image, *blocks):
        _check_types(self, image, *blocks)
        return Apply(self, [image] + list(blocks), [image.type()])

    def infer_shape(self, node, shapes):
        return [shapes[0]]

    def perform(self, node, inputs, storage):
        image = inputs[0]
        blocks = [contiguous(block) for block in inputs[1:]]
        if image.shape[2] % self.scale or image.shape[3] % self.scale:
            raise ValueError('an image of shape %s is not made of %d x %d '
                             'blocks' % (image.shape, self.scale, self.scale))
        _check_shapes(self, blocks, _block_shapes(image.shape, self.scale))
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
        _check_types(self, image)
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
