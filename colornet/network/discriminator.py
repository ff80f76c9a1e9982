"""A network that tells photos from coloured ones (paper, 6), and its losses.

It looks at patches, as pix2pix's does (Isola et al., 2017), has spectral
normalization (Miyato et al., 2018) in the place of batch normalization, and
learns by least squares (Mao et al., 2017). The paper only names the idea
(choice 31).
"""

from collections import OrderedDict

import numpy as np

from ..engine import convolutions  # noqa: F401 (teaches Theano's optimizer)
from ..engine.backend import T, lasagne, theano

__all__ = ['DEPTHS', 'MIN_SIZE', 'SpectralConv2DLayer', 'build_discriminator',
           'discriminator_loss', 'discriminator_accuracy', 'generator_loss']

#: Channels of the maps, and the step of the convolutions that make them.
DEPTHS = ((64, 2), (128, 2), (256, 2), (512, 1))

#: Rows and columns of the smallest image that has a score.
MIN_SIZE = 24

#: Slope of the rectifiers below zero.
LEAKINESS = 0.2


class SpectralConv2DLayer(lasagne.layers.Layer):
    """4x4 convolution whose filters are divided by their spectral norm.

    That of the matrix with a row for each filter, by one step of the power
    method at each use, from where the last one ended.

    Parameters
    ----------
    incoming : Layer, (batch, channels, rows, columns)
    num_filters : int
    stride : int
    nonlinearity : callable

    Attributes
    ----------
    left : shared variable, (num_filters,)
        The estimate of the first left singular vector.

    Notes
    -----
    It is updated by whoever compiles the training function:
    ``get_output(..., spectral_updates=updates)`` adds it to the dict.
    """

    SIZE, PADDING = 4, 1

    def __init__(self, incoming, num_filters, stride,
                 nonlinearity=lasagne.nonlinearities.linear, **kwargs):
        super().__init__(incoming, **kwargs)
        self.num_filters, self.stride = num_filters, stride
        self.nonlinearity = nonlinearity
        self.W = self.add_param(
            lasagne.init.GlorotUniform(),
            (num_filters, self.input_shape[1], self.SIZE, self.SIZE), 'W')
        self.b = self.add_param(lasagne.init.Constant(0), (num_filters,), 'b',
                                regularizable=False)
        self.left = self.add_param(lasagne.init.Normal(1), (num_filters,),
                                   'left', trainable=False,
                                   regularizable=False)

    def get_output_shape_for(self, input_shape):
        return (input_shape[0], self.num_filters) + tuple(
            None if size is None else
            (size + 2 * self.PADDING - self.SIZE) // self.stride + 1
            for size in input_shape[2:])

    def get_output_for(self, input, spectral_updates=None, **kwargs):
        left, norm = self.spectral_norm()
        if spectral_updates is not None:
            spectral_updates[self.left] = left
        output = T.nnet.conv2d(
            input, self.W / norm, filter_shape=self.W.get_value(
                borrow=True).shape,
            border_mode=(self.PADDING, self.PADDING),
            subsample=(self.stride, self.stride))
        return self.nonlinearity(output + self.b.dimshuffle('x', 0, 'x', 'x'))

    def spectral_norm(self):
        """The next estimate of the left vector, and of the norm.

        Returns
        -------
        left : vector, (num_filters,)
        norm : scalar
            Gradients flow through the filters in it, not through the vectors.
        """
        matrix = self.W.flatten(2)
        right = _normalized(T.dot(self.left, matrix))
        left = _normalized(T.dot(matrix, right))
        left, right = [theano.gradient.disconnected_grad(vector)
                       for vector in (left, right)]
        return left, T.dot(left, T.dot(matrix, right))


def _normalized(vector):
    """A vector of length one; one of zeros stays."""
    return vector / (vector.norm(2) + lasagne.utils.floatX(1e-12))


def build_discriminator(depths=DEPTHS):
    """Build the discriminator.

    Parameters
    ----------
    depths : sequence of (int, int)
        Channels and stride of each convolution before the last.

    Returns
    -------
    OrderedDict of str to Layer
        From ``input``, L, U and V divided by 100, (batch, 3, rows, columns),
        to ``scores``, (batch, 1, fewer rows, fewer columns): one for each
        patch, near one for photos and near zero for what a network coloured.
    """
    net = OrderedDict(input=lasagne.layers.InputLayer((None, 3, None, None)))
    layer = net['input']
    for number, (depth, stride) in enumerate(depths, 1):
        layer = net['conv%d' % number] = SpectralConv2DLayer(
            layer, depth, stride,
            lasagne.nonlinearities.LeakyRectify(LEAKINESS))
    net['scores'] = SpectralConv2DLayer(layer, 1, 1)
    return net


def discriminator_loss(real, fake):
    """Least squares: photos should score one, coloured ones zero.

    Parameters
    ----------
    real, fake : tensor4
        Scores.

    Returns
    -------
    scalar
        A half if all scores are the same half, which knows nothing: a quarter
        for each.
    """
    return T.sqr(real - 1).mean() + T.sqr(fake).mean()


def discriminator_accuracy(real, fake):
    """Share of the scores that are on the right side of a half.

    Parameters
    ----------
    real, fake : tensor4

    Returns
    -------
    scalar in [0, 1]
    """
    half = np.float32(0.5)
    # Theano's mean of booleans is of float64.
    right = [T.cast(side, theano.config.floatX).mean()
             for side in (real > half, fake < half)]
    return sum(right) / np.float32(2)


def generator_loss(fake):
    """Least squares: what the network coloured should score one, too.

    Parameters
    ----------
    fake : tensor4
        Scores.

    Returns
    -------
    scalar
    """
    return T.sqr(fake - 1).mean()
