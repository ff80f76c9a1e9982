"""The discriminator's layers and losses against numpy."""

import numpy as np
from nose.tools import eq_, ok_
from numpy.testing import assert_allclose

from colornet.engine.backend import T, lasagne, theano
from colornet.network.discriminator import (DEPTHS, MIN_SIZE,
                                            SpectralConv2DLayer,
                                            build_discriminator,
                                            discriminator_accuracy,
                                            discriminator_loss, generator_loss)


def convolve(images, filters, bias, stride):
    """4x4, a row of zeros around; filters are flipped, as in Lasagne."""
    images = np.pad(images.astype(float), [(0, 0), (0, 0), (1, 1), (1, 1)])
    filters = filters[:, :, ::-1, ::-1]
    rows, columns = [(size - 4) // stride + 1 for size in images.shape[2:]]
    result = np.zeros((len(images), len(filters), rows, columns))
    for row, column in np.ndindex(rows, columns):
        patch = images[:, :, stride * row:stride * row + 4,
                       stride * column:stride * column + 4]
        result[:, :, row, column] = np.tensordot(patch, filters,
                                                 ([1, 2, 3], [1, 2, 3]))
    return result + bias[:, None, None]


def largest_singular_value(filters):
    return np.linalg.svd(filters.reshape(len(filters), -1).astype(float),
                         compute_uv=False)[0]


class TestLayer:
    """One of stride 2, compiled once."""

    @classmethod
    def setup_class(cls):
        lasagne.random.set_rng(np.random.RandomState(3))
        cls.images = np.random.RandomState(4).normal(
            size=(2, 3, 9, 12)).astype('float32')
        inputs = lasagne.layers.InputLayer((None, 3, None, None),
                                           T.ftensor4())
        cls.layer = SpectralConv2DLayer(
            inputs, 5, 2, lasagne.nonlinearities.LeakyRectify(0.2))
        cls.layer.b.set_value(np.linspace(-1, 1, 5).astype('float32'))
        updates = {}
        output = lasagne.layers.get_output(cls.layer,
                                           spectral_updates=updates)
        _, norm = cls.layer.spectral_norm()
        cls.gradient = staticmethod(theano.function(
            [inputs.input_var], T.grad(T.sqr(output).sum(), cls.layer.W)))
        cls.run = staticmethod(theano.function(
            [inputs.input_var], [output, norm], updates=updates))
        cls.norms = [float(cls.run(cls.images)[1]) for _ in range(200)]

    def test_the_norm_becomes_that_of_numpys_svd(self):
        expected = largest_singular_value(self.layer.W.get_value())
        assert_allclose(self.norms[-1], expected, rtol=1e-5)
        # From below, a step at each use.
        ok_(self.norms[0] < 0.99 * expected, (self.norms[0], expected))
        eq_(np.sign(np.diff(self.norms[:5])).tolist(), [1.] * 4)

    def test_forward(self):
        filters = self.layer.W.get_value()
        expected = convolve(self.images,
                            filters / largest_singular_value(filters),
                            self.layer.b.get_value(), 2)
        expected = np.where(expected > 0, expected, 0.2 * expected)
        output, _ = self.run(self.images)
        eq_(output.shape, (2, 5, 4, 6))
        assert_allclose(output, expected, rtol=1e-4, atol=1e-5)
        eq_(lasagne.layers.get_output_shape(self.layer, (2, 3, 9, 12)),
            output.shape)
        ok_((expected < 0).any() and (expected > 0).any())

    def test_larger_filters_make_no_larger_maps(self):
        filters = self.layer.W.get_value()
        before, _ = self.run(self.images)
        try:
            self.layer.W.set_value(7 * filters)
            after, norm = self.run(self.images)
        finally:
            self.layer.W.set_value(filters)
        assert_allclose(after, before, rtol=1e-4, atol=1e-5)
        assert_allclose(norm, 7 * self.norms[-1], rtol=1e-5)

    def test_gradient_counts_the_norm_in(self):
        filters = self.layer.W.get_value().astype(float)
        bias = self.layer.b.get_value()
        gradient = self.gradient(self.images)
        # A longer filter is the same, so it has no slope along itself.
        ok_(abs((gradient * filters).sum()) <
            1e-3 * np.linalg.norm(gradient) * np.linalg.norm(filters))

        def total(filters):
            maps = convolve(self.images, filters / largest_singular_value(
                filters), bias, 2)
            return (np.where(maps > 0, maps, 0.2 * maps) ** 2).sum()
        for place in ((0, 0, 0, 0), (4, 2, 1, 3), (2, 1, 3, 0)):
            step = np.zeros_like(filters)
            step[place] = 1e-5
            slope = (total(filters + step) - total(filters - step)) / 2e-5
            assert_allclose(gradient[place], slope, rtol=2e-2, atol=1e-2)


def test_layers_of_the_discriminator():
    net = build_discriminator()
    shapes = {name: lasagne.layers.get_output_shape(
        layer, (2, 3, 224, 224)) for name, layer in net.items()}
    eq_(shapes, {'input': (2, 3, 224, 224), 'conv1': (2, 64, 112, 112),
                 'conv2': (2, 128, 56, 56), 'conv3': (2, 256, 28, 28),
                 'conv4': (2, 512, 27, 27), 'scores': (2, 1, 26, 26)})
    # The smallest image that has a score, and the next smaller one.
    for size, expected in (MIN_SIZE, 1), (MIN_SIZE - 8, 0):
        eq_(lasagne.layers.get_output_shape(
            net['scores'], (1, 3, size, size)), (1, 1, expected, expected))
    trained = lasagne.layers.get_all_params(net['scores'], trainable=True)
    eq_([variable.name for variable in trained],
        ['W', 'b'] * (len(DEPTHS) + 1))


def test_losses():
    random = np.random.RandomState(0)
    real, fake = random.normal(0.5, 1, (2, 3, 1, 4, 5)).astype('float32')
    variables = [T.constant(real), T.constant(fake)]
    assert_allclose(discriminator_loss(*variables).eval(),
                    np.mean((real - 1) ** 2) + np.mean(fake ** 2), rtol=1e-5)
    assert_allclose(generator_loss(variables[1]).eval(),
                    np.mean((fake - 1) ** 2), rtol=1e-5)
    accuracy = discriminator_accuracy(*variables)
    eq_(accuracy.dtype, 'float32')
    assert_allclose(accuracy.eval(), (np.mean(real > 0.5) +
                                      np.mean(fake < 0.5)) / 2, rtol=1e-6)
    halves = T.constant(np.full((1, 1, 2, 2), 0.5, 'float32'))
    assert_allclose(discriminator_loss(halves, halves).eval(), 0.5)
