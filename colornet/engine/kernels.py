"""Theano ops that call ``kernels.cpp``: the same numbers in fewer passes.

Each has a twin made of Theano's own ops, which is what runs on a GPU, where
there is no compiler, or when the speed-up is switched off
(:data:`colornet.engine.switches.SPEEDUPS`).
"""

import ctypes

import numpy as np

from .backend import T, theano
from .native import call, contiguous, enabled, load_code

__all__ = ['kernel', 'InplaceOp', 'check_types', 'check_shapes', 'batch_norm',
           'cross_entropy', 'argmax']

Op, Apply = theano.gof.Op, theano.gof.Apply


def kernel(name, dtype):
    """The function of ``kernels.cpp`` for arrays of a type.

    Parameters
    ----------
    name : str
    dtype : dtype or str
        float32 or float64.

    Returns
    -------
    function of a ctypes.CDLL
    """
    return getattr(load_code('kernels'), '%s_%s' % (name, dtype))


class InplaceOp(Op):
    """An op whose first output may take the memory of one of its inputs.

    Theano's optimizer lets it, where nobody needs that input any more.

    Parameters
    ----------
    inplace : bool
        Whether it does.
    properties
        Named in ``__props__``, as `inplace` is.
    """

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


@theano.gof.local_optimizer([InplaceOp], inplace=True)
def _overwrite_input(node):
    if isinstance(node.op, InplaceOp) and not node.op.inplace:
        outputs = node.op.working_on_input()(*node.inputs, return_list=True)
        theano.gof.opt.copy_stack_trace(node.outputs, outputs)
        return outputs


theano.compile.optdb.register(
    'colornet_overwrite_input', theano.gof.TopoOptimizer(
        _overwrite_input,
        failure_callback=theano.gof.TopoOptimizer.warn_inplace),
    60, 'fast_run', 'inplace')


def check_types(op, *variables):
    """Refuse to make a node of what the C++ code would misread.

    Parameters
    ----------
    op : Op
    variables : Theano variables

    Raises
    ------
    TypeError
        Unless all are of float32, or of float64.
    """
    dtypes = {variable.dtype for variable in variables}
    if len(dtypes) != 1 or not dtypes <= {'float32', 'float64'}:
        raise TypeError('%s needs arrays of float32 or of float64, not of %s'
                        % (type(op).__name__, ' and '.join(sorted(dtypes))))


def check_shapes(op, arrays, shapes):
    """Refuse arrays that the C++ code would read beyond their ends.

    Parameters
    ----------
    op : Op
    arrays : list of ndarray
    shapes : list of tuple
        Those that they must have.

    Raises
    ------
    ValueError
    """
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
        check_types(self, input, gamma, beta)
        return Apply(self, [input, gamma, beta],
                     [input.type(), gamma.type(), gamma.type()])

    def infer_shape(self, node, shapes):
        return [shapes[0], shapes[1], shapes[1]]

    def connection_pattern(self, node):
        # No gradient flows through the statistics.
        return [[True, False, False]] * 3

    def perform(self, node, inputs, storage):
        input, gamma, beta = map(contiguous, inputs)
        check_shapes(self, [gamma, beta], [input.shape[1:2]] * 2)
        outputs = [np.empty_like(input), np.empty_like(gamma),
                   np.empty_like(gamma)]
        call(kernel('batch_norm', input.dtype), input, gamma, beta,
             self.epsilon, int(self.rectify), *outputs,
             *input.shape[:2], _pixels(input.shape))
        for cell, output in zip(storage, outputs):
            cell[0] = output

    def grad(self, inputs, output_gradients):
        _, mean, variance = self(*inputs)
        return BatchNormGradient(epsilon=self.epsilon, rectify=self.rectify)(
            inputs[0], output_gradients[0], *inputs[1:], mean, variance)


class BatchNormGradient(InplaceOp):
    """Gradient of :class:`BatchNorm`'s output, not of its statistics.

    Outputs: gradients of input, gamma and beta. That of the input is not
    computed where nobody takes it, as for maps of the frozen VGG16.
    """

    __props__ = ('epsilon', 'rectify', 'inplace')
    overwrites = 1

    def make_node(self, input, gradient, gamma, beta, mean, variance):
        check_types(self, input, gradient, gamma, beta, mean, variance)
        return Apply(self, [input, gradient, gamma, beta, mean, variance],
                     [input.type(), gamma.type(), gamma.type()])

    def infer_shape(self, node, shapes):
        return [shapes[0], shapes[2], shapes[2]]

    def perform(self, node, inputs, storage):
        input, gradient, gamma, beta, mean, variance = map(contiguous, inputs)
        check_shapes(self, [gradient, gamma, beta, mean, variance],
                     [input.shape] + [input.shape[1:2]] * 4)
        input_gradient = None
        if getattr(node.outputs[0], 'clients', True):
            input_gradient = (gradient if self.inplace else
                              np.empty_like(input))
        gamma_gradient, beta_gradient = (np.empty_like(gamma),
                                         np.empty_like(gamma))
        call(kernel('batch_norm_gradient', input.dtype), input, gradient,
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
        check_types(self, logits)
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
        check_shapes(self, [targets], [(batch, rows, columns)])
        if not targets.size:
            raise ValueError('CrossEntropy of no pixels has no mean')
        pixels = [np.empty(targets.shape, logits.dtype) for _ in range(2)]
        total = call(kernel('cross_entropy', logits.dtype), logits, targets,
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


class CrossEntropyGradient(InplaceOp):
    """Gradient of :class:`CrossEntropy`'s mean with respect to the scores."""

    __props__ = ('inplace',)

    def make_node(self, logits, targets, largest, log_sums, gradient):
        check_types(self, logits, largest, log_sums, gradient)
        return Apply(self, [logits, targets, largest, log_sums, gradient],
                     [logits.type()])

    def infer_shape(self, node, shapes):
        return [shapes[0]]

    def perform(self, node, inputs, storage):
        logits, _, largest, log_sums, gradient = map(contiguous, inputs)
        targets = contiguous(inputs[1], np.int32)
        check_shapes(self, [targets, largest, log_sums],
                     [logits.shape[:1] + logits.shape[2:]] * 3)
        result = logits if self.inplace else np.empty_like(logits)
        call(kernel('cross_entropy_gradient', logits.dtype), logits, targets,
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
        check_types(self, scores)
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
        call(kernel('argmax', scores.dtype), scores, numbers, batch, classes,
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
    return ArgMax()(scores) if enabled('kernels') else T.argmax(scores, axis=1)
