"""Lasagne layers that Lasagne 0.1 does not have (paper, 3.4, 3.5, 3.6)."""

import itertools
import operator

import numpy as np

from ..engine import convolutions  # noqa: F401 (teaches Theano's optimizer)
from ..engine.backend import T, lasagne
from ..engine.blocks import mean_pool, upscale
from ..engine.kernels import batch_norm
from ..engine.native import enabled
from ..engine.upscaled import conv2d_same_upscaled
from .stored import EPSILON

__all__ = ['SameConv2DLayer', 'BatchNormLayer', 'UpscaleLayer',
           'GlobalMeanLayer', 'MeanPoolLayer', 'SumEverywhereLayer',
           'ScaleLayer', 'UpscaledStackConv2DLayer', 'conv2d_same']


def conv2d_same(input, filters, input_shape=None, filter_shape=None):
    """Convolve with zero padding so that rows and columns stay.

    Parameters
    ----------
    input : tensor4, (batch, channels, rows, columns)
    filters : tensor4, (num_filters, channels, size, size)
        `size` is odd; the filters are flipped, as in Lasagne.

    Returns
    -------
    tensor4, (batch, num_filters, rows, columns)
    """
    return T.nnet.conv2d(input, filters, input_shape=input_shape,
                         filter_shape=filter_shape, border_mode='half')


class SameConv2DLayer(lasagne.layers.Conv2DLayer):
    """Convolution that keeps rows and columns, linear unless told.

    Lasagne 0.1 crops a full convolution for ``pad='same'``; this asks Theano
    for the padding instead.

    Parameters
    ----------
    incoming : Layer
    num_filters : int
    filter_size : int, odd
    nonlinearity : callable or None
    W : initializer
        Of the filters; Glorot's is the paper's "Xavier Initialization".
    """

    def __init__(self, incoming, num_filters, filter_size, nonlinearity=None,
                 W=lasagne.init.GlorotUniform(),  # Xavier (paper, 5.2)
                 **kwargs):
        if filter_size % 2 != 1:
            raise ValueError('filter_size must be odd, not %r' % filter_size)
        super().__init__(incoming, num_filters, filter_size, pad='same', W=W,
                         nonlinearity=nonlinearity, **kwargs)

    def get_output_for(self, input, **kwargs):
        output = conv2d_same(input, self.W, self.input_shape,
                             self.get_W_shape())
        if self.b is not None:
            output = output + self.b.dimshuffle('x', 0, 'x', 'x')
        return self.nonlinearity(output)


class BatchNormLayer(lasagne.layers.Layer):
    """Batch normalization of each channel (paper, 3.4; Ioffe & Szegedy).

    While training, a minibatch is normalized by its own mean and variance;
    for prediction (``deterministic=True``) by their running averages.

    Parameters
    ----------
    incoming : Layer, (batch, channels, rows, columns)
    epsilon : float
        Added to the variance.
    momentum : float in [0, 1)
        Weight of the old value in a running average (choice 13).
    nonlinearity : lasagne.nonlinearities.rectify or linear
        Applied to the result (3.3).

    Notes
    -----
    Running averages are updated by whoever compiles the training function:
    ``get_output(..., batch_norm_updates=updates)`` adds them to the dict.
    """

    def __init__(self, incoming, epsilon=EPSILON, momentum=0.9,
                 nonlinearity=lasagne.nonlinearities.linear, **kwargs):
        super().__init__(incoming, **kwargs)
        if nonlinearity not in (lasagne.nonlinearities.linear,
                                lasagne.nonlinearities.rectify):
            raise ValueError('nonlinearity must be linear or rectify, not %r'
                             % nonlinearity)
        self.epsilon = epsilon
        self.momentum = momentum
        self.nonlinearity = nonlinearity
        shape = (self.input_shape[1],)
        constant = lasagne.init.Constant
        self.gamma = self.add_param(constant(1), shape, name='gamma',
                                    regularizable=False)
        self.beta = self.add_param(constant(0), shape, name='beta',
                                   regularizable=False)
        self.mean = self.add_param(constant(0), shape, name='mean',
                                   regularizable=False, trainable=False)
        self.variance = self.add_param(constant(1), shape, name='variance',
                                       regularizable=False, trainable=False)

    def get_output_for(self, input, deterministic=False,
                       batch_norm_updates=None, **kwargs):
        if deterministic:
            return self.nonlinearity(T.nnet.bn.batch_normalization_test(
                input, *self._broadcast(), axes='spatial',
                epsilon=self.epsilon))
        normalize = (self._normalize_by_kernel if enabled('kernels') else
                     self._normalize_by_theano)
        output, mean, variance = normalize(input)
        if batch_norm_updates is not None:
            batch_norm_updates[self.mean] = mean
            # One number has no variance.
            batch_norm_updates[self.variance] = T.switch(
                T.gt(input.size, input.shape[1]), variance, self.variance)
        return output

    def _broadcast(self):
        """gamma, beta, mean and variance for maps of any size."""
        return [parameter.dimshuffle('x', 0, 'x', 'x') for parameter in
                (self.gamma, self.beta, self.mean, self.variance)]

    def _normalize_by_theano(self, input):
        """Output and running averages by Theano's own ops."""
        gamma, beta, mean, variance = self._broadcast()
        output, _, _, mean, variance = T.nnet.bn.batch_normalization_train(
            input, gamma, beta, axes='spatial', epsilon=self.epsilon,
            running_average_factor=1 - self.momentum, running_mean=mean,
            running_var=variance)
        return self.nonlinearity(output), mean.flatten(), variance.flatten()

    def _normalize_by_kernel(self, input):
        """The same in one op."""
        output, mean, variance = batch_norm(
            input, self.gamma, self.beta, self.epsilon,
            rectify=self.nonlinearity is lasagne.nonlinearities.rectify)
        count = (input.size // input.shape[1]).astype(input.dtype)
        # Unbiased, as Theano's.
        return (output, self._running_average(self.mean, mean),
                self._running_average(self.variance,
                                      variance * (count / (count - 1))))

    def _running_average(self, old, new):
        return self.momentum * old + (1 - self.momentum) * new


class UpscaleLayer(lasagne.layers.Layer):
    """Nearest-neighbour upscaling of rows and columns (3.5; choice 10).

    Parameters
    ----------
    incoming : Layer, (batch, channels, rows, columns)
    scale : int
    """

    def __init__(self, incoming, scale, **kwargs):
        super().__init__(incoming, **kwargs)
        self.scale = scale

    def get_output_shape_for(self, input_shape):
        batch, channels, rows, columns = input_shape
        return (batch, channels,
                None if rows is None else rows * self.scale,
                None if columns is None else columns * self.scale)

    def get_output_for(self, input, **kwargs):
        return upscale(input, self.scale)


class GlobalMeanLayer(lasagne.layers.Layer):
    """Mean of each map (choice 24).

    Lasagne's ``GlobalPoolLayer`` flattens the maps; how many pixels they have
    then is a division that OpenCL does not compile.

    Parameters
    ----------
    incoming : Layer, (batch, channels, rows, columns)
        The output is (batch, channels).
    """

    def get_output_shape_for(self, input_shape):
        return input_shape[:2]

    def get_output_for(self, input, **kwargs):
        return input.sum((2, 3)) / T.cast(input.shape[2] * input.shape[3],
                                          input.dtype)


class MeanPoolLayer(lasagne.layers.Layer):
    """Means of blocks of pixels, without padding (choice 23).

    Parameters
    ----------
    incoming : Layer, (batch, channels, rows, columns)
        Rows and columns divisible by `scale`.
    scale : int
        Rows and columns of a block.
    """

    def __init__(self, incoming, scale, **kwargs):
        super().__init__(incoming, **kwargs)
        if any(size is not None and size % scale
               for size in self.input_shape[2:]):
            raise ValueError('rows and columns must be divisible by %d, got '
                             '%s' % (scale, self.input_shape[2:]))
        self.scale = scale

    def get_output_shape_for(self, input_shape):
        return input_shape[:2] + tuple(
            None if size is None else size // self.scale
            for size in input_shape[2:])

    def get_output_for(self, input, **kwargs):
        return mean_pool(input, self.scale)


class SumEverywhereLayer(lasagne.layers.MergeLayer):
    """Maps plus others, and plus vectors at every pixel (choices 24, 25).

    Parameters
    ----------
    incomings : list of Layer
        First the maps, (batch, channels, rows, columns), which give the
        shape. Other maps may have more rows and columns: the last ones are
        left out. Vectors are (batch, channels).
    """

    def get_output_shape_for(self, input_shapes):
        if len({shape[1] for shape in input_shapes}) != 1:
            raise ValueError('channels differ: %s'
                             % [shape[1] for shape in input_shapes])
        return input_shapes[0]

    def get_output_for(self, inputs, **kwargs):
        output = inputs[0]
        for other in inputs[1:]:
            output = output + (
                other.dimshuffle(0, 1, 'x', 'x') if other.ndim == 2 else
                other[:, :, :inputs[0].shape[2], :inputs[0].shape[3]])
        return output


class ScaleLayer(lasagne.layers.Layer):
    """Multiplication by a constant.

    Parameters
    ----------
    incoming : Layer
    factor : float
    """

    def __init__(self, incoming, factor, **kwargs):
        super().__init__(incoming, **kwargs)
        self.factor = factor

    def get_output_for(self, input, **kwargs):
        return input * lasagne.utils.floatX(self.factor)


class UpscaledStackConv2DLayer(lasagne.layers.MergeLayer):
    """:class:`SameConv2DLayer` of concatenated, upscaled feature maps.

    The obvious graph upscales every part to the size of the largest,
    concatenates them and convolves (paper, 3.6: the concatenation layer and
    the first convolution after it). Convolution is linear, so this sums one
    convolution per part at the part's own resolution: the same numbers, a
    third of the products, and the wide stack is never formed.

    Parameters
    ----------
    incomings : list of Layer, each (batch, channels, rows, columns)
        Before upscaling; their channels are stacked in this order.
    scales : list of int
        Upscaling of each part; the results must agree in size.
    num_filters : int
    filter_size : int, odd
    b : initializer or None
    nonlinearity : callable
    """

    def __init__(self, incomings, scales, num_filters, filter_size,
                 W=lasagne.init.GlorotUniform(),  # Xavier (paper, 5.2)
                 b=lasagne.init.Constant(0),
                 nonlinearity=lasagne.nonlinearities.linear, **kwargs):
        super().__init__(incomings, **kwargs)
        if len(scales) != len(incomings):
            raise ValueError('%d scales for %d parts'
                             % (len(scales), len(incomings)))
        self.scales = list(scales)
        self.num_filters = num_filters
        self.filter_size = filter_size
        self.nonlinearity = nonlinearity
        num_channels = sum(shape[1] for shape in self.input_shapes)
        self.W = self.add_param(
            W, (num_filters, num_channels, filter_size, filter_size), name='W')
        self.b = None if b is None else self.add_param(
            b, (num_filters,), name='b', regularizable=False)

    def get_output_shape_for(self, input_shapes):
        sizes = {tuple(None if size is None else size * scale
                       for size in shape[2:])
                 for shape, scale in zip(input_shapes, self.scales)}
        if len(sizes) != 1:
            raise ValueError('the parts have different sizes after '
                             'upscaling: %s' % sorted(map(str, sizes)))
        return (input_shapes[0][0], self.num_filters) + sizes.pop()

    def _joins_the_largest(self, scale, dtype):
        """Whether a part is upscaled, and convolved with those that are not.

        Twice as large, it takes 9 products a pixel, a quarter of them by
        Winograd's algorithm, in place of 4; and its results, which are many
        more than its maps, are those of the others already.
        """
        return (scale == 2 and 1 in self.scales and self.filter_size == 3 and
                dtype == 'float32' and enabled('winograd'))

    def get_output_for(self, inputs, **kwargs):
        inputs = list(inputs)
        starts = np.cumsum([0] + [shape[1] for shape in self.input_shapes])
        scales = list(self.scales)
        for number, scale in enumerate(scales):
            if self._joins_the_largest(scale, inputs[number].dtype):
                inputs[number] = upscale(inputs[number], scale)
                scales[number] = 1
        parts = []
        # Neighbours of one size are convolved as one.
        for scale, group in itertools.groupby(
                zip(scales, inputs, starts, starts[1:]),
                key=operator.itemgetter(0)):
            _, maps, first, last = zip(*group)
            parts.append((scale, maps[0] if len(maps) == 1 else
                          T.concatenate(maps, axis=1),
                          self.W[:, first[0]:last[-1]]))
        output = None
        bias = (None if self.b is None else
                self.b.dimshuffle('x', 0, 'x', 'x'))
        # The largest first: its convolution can add the bias.
        for scale, input, filters in sorted(parts, key=lambda part: part[0]):
            if scale > 1:
                output = conv2d_same_upscaled(input, filters, scale,
                                              self.filter_size, output)
            else:
                part = conv2d_same(input, filters, filter_shape=(
                    None, None, self.filter_size, self.filter_size))
                output = part if output is None else output + part
            if bias is not None:
                output, bias = output + bias, None
        return self.nonlinearity(output)
