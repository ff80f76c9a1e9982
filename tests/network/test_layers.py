"""Each layer against an obvious numpy or scipy twin."""

import numpy as np
import scipy.signal
from nose.tools import assert_raises, eq_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.engine.backend import T, lasagne, theano
from colornet.engine.switches import without
from colornet.network.layers import (BatchNormLayer, GlobalMeanLayer,
                                     MeanPoolLayer, SameConv2DLayer,
                                     ScaleLayer, SumEverywhereLayer,
                                     UpscaledStackConv2DLayer, UpscaleLayer)

RNG = np.random.RandomState(0)


def noise(*shape):
    return RNG.normal(size=shape).astype('float32')


def convolve_same(images, filters):
    """Convolution with zero padding by scipy: flipped filters."""
    return np.array([[sum(scipy.signal.convolve2d(channel, kernel, 'same')
                          for channel, kernel in zip(image, bank))
                      for bank in filters] for image in images])


def input_layer(array):
    return lasagne.layers.InputLayer((None,) + array.shape[1:])


def output_of(layer, *arrays, **kwargs):
    inputs = [source for source in lasagne.layers.get_all_layers(layer)
              if isinstance(source, lasagne.layers.InputLayer)]
    output = lasagne.layers.get_output(
        layer, dict(zip(inputs, map(theano.shared, arrays))), **kwargs)
    return output.eval()


def test_same_convolution_is_scipys():
    images, filters = noise(2, 3, 7, 6), noise(4, 3, 3, 3)
    bias = noise(4)
    layer = SameConv2DLayer(input_layer(images), 4, 3, W=filters, b=bias)
    assert_allclose(output_of(layer, images),
                    convolve_same(images, filters) + bias[:, None, None],
                    rtol=1e-4, atol=1e-5)
    eq_(layer.output_shape, (None, 4, 7, 6))


def test_even_filters_are_refused():
    with assert_raises(ValueError):
        SameConv2DLayer(input_layer(noise(1, 1, 4, 4)), 1, 2)


def test_batch_norm_uses_the_minibatch_when_training():
    images, gamma, beta = noise(3, 2, 5, 4) * 3 + 7, noise(2), noise(2)
    layer = BatchNormLayer(input_layer(images))
    layer.gamma.set_value(gamma)
    layer.beta.set_value(beta)
    mean = images.mean((0, 2, 3), keepdims=True)
    variance = images.var((0, 2, 3), keepdims=True)
    expected = ((images - mean) / np.sqrt(variance + 1e-4) *
                gamma[:, None, None] + beta[:, None, None])
    assert_allclose(output_of(layer, images), expected, rtol=1e-4, atol=1e-5)


def test_batch_norm_uses_running_averages_for_prediction():
    images = noise(3, 2, 5, 4)
    layer = BatchNormLayer(input_layer(images))
    mean, variance = noise(2), np.float32([.5, 2])
    layer.mean.set_value(mean)
    layer.variance.set_value(variance)
    expected = ((images - mean[:, None, None]) /
                np.sqrt(variance[:, None, None] + 1e-4))
    assert_allclose(output_of(layer, images, deterministic=True), expected,
                    rtol=1e-4, atol=1e-5)


def check_rectified_batch_norm(deterministic, *switched_off):
    images, beta = noise(3, 2, 5, 4), np.float32([-0.3, 0.4])
    linear, rectified = [
        BatchNormLayer(input_layer(images), nonlinearity=kind)
        for kind in (lasagne.nonlinearities.linear,
                     lasagne.nonlinearities.rectify)]
    for layer in linear, rectified:
        layer.beta.set_value(beta)
    with without(*switched_off):
        output = output_of(rectified, images, deterministic=deterministic)
    assert_allclose(output, np.maximum(output_of(
        linear, images, deterministic=deterministic), 0), atol=1e-6)


def test_batch_norm_rectifies_what_it_has_normalized():
    for deterministic in False, True:
        yield check_rectified_batch_norm, deterministic
        yield check_rectified_batch_norm, deterministic, 'kernels'


def test_batch_norm_running_averages_follow_the_minibatches():
    images = noise(3, 2, 5, 4) * 3 + 7
    layer = BatchNormLayer(input_layer(images), momentum=0.75)
    updates = {}
    x = T.tensor4()
    output = lasagne.layers.get_output(layer, x, batch_norm_updates=updates)
    step = theano.function([x], output.sum(), updates=list(updates.items()))
    step(images)
    assert_allclose(layer.mean.get_value(),
                    0.25 * images.mean((0, 2, 3)), rtol=1e-4)
    assert_allclose(layer.variance.get_value(),
                    0.75 + 0.25 * images.var((0, 2, 3), ddof=1), rtol=1e-4)


def check_batch_norm_of_one_number(*switched_off):
    layer = BatchNormLayer(input_layer(noise(1, 2, 1, 1)), momentum=0.75)
    updates = {}
    x = T.tensor4()
    with without(*switched_off):
        output = lasagne.layers.get_output(layer, x,
                                           batch_norm_updates=updates)
        step = theano.function([x], output, updates=list(updates.items()))
    images = noise(1, 2, 1, 1)
    assert_allclose(step(images), 0, atol=1e-6)
    assert_allclose(layer.mean.get_value(), 0.25 * images.ravel(), rtol=1e-5)
    assert_allclose(layer.variance.get_value(), 1)


def test_batch_norm_of_one_number_keeps_the_variance():
    yield check_batch_norm_of_one_number
    yield check_batch_norm_of_one_number, 'kernels'


def test_upscaling_repeats_rows_and_columns():
    images = noise(2, 3, 4, 5)
    layer = UpscaleLayer(input_layer(images), 3)
    assert_allclose(output_of(layer, images),
                    np.kron(images, np.ones((3, 3))), rtol=1e-6)
    eq_(layer.output_shape, (None, 3, 12, 15))


def test_global_means_are_those_of_lasagne():
    for shape in (2, 3, 6, 9), (1, 5, 28, 28), (1, 2, 1, 1):
        images = noise(*shape)
        layer = GlobalMeanLayer(input_layer(images))
        eq_(layer.output_shape, (None, shape[1]))
        means = output_of(layer, images)
        assert_allclose(means, images.mean((2, 3)), rtol=1e-5, atol=1e-6)
        # To the last bit, so that no picture changes.
        assert_array_equal(means, output_of(lasagne.layers.GlobalPoolLayer(
            input_layer(images)), images))


def test_mean_pooling_is_the_mean_of_blocks():
    images = noise(2, 3, 6, 9)
    layer = MeanPoolLayer(input_layer(images), 3)
    expected = np.empty((2, 3, 2, 3))
    for row in range(2):
        for column in range(3):
            expected[:, :, row, column] = images[
                :, :, 3 * row:3 * row + 3, 3 * column:3 * column + 3].mean(
                    (2, 3))
    assert_allclose(output_of(layer, images), expected, rtol=0, atol=1e-6)
    eq_(layer.output_shape, (None, 3, 2, 3))
    with assert_raises(ValueError):
        MeanPoolLayer(input_layer(images), 2)


def test_vectors_and_larger_maps_are_added():
    images, larger, vectors = noise(2, 3, 3, 5), noise(2, 3, 4, 6), noise(2, 3)
    incomings = [input_layer(array) for array in (images, larger, vectors)]
    layer = SumEverywhereLayer(incomings)
    expected = np.empty_like(images)
    for (n, c, i, j), value in np.ndenumerate(images):
        expected[n, c, i, j] = value + larger[n, c, i, j] + vectors[n, c]
    assert_allclose(output_of(layer, images, larger, vectors), expected,
                    rtol=1e-5, atol=1e-6)
    eq_(layer.output_shape, (None, 3, 3, 5))
    with assert_raises(ValueError):
        SumEverywhereLayer([incomings[0],
                            input_layer(noise(2, 4))]).output_shape


def test_scale_multiplies():
    images = noise(2, 2, 3, 3)
    assert_allclose(output_of(ScaleLayer(input_layer(images), 100.), images),
                    100 * images, rtol=1e-6)


def check_stack(size, *switched_off):
    parts = [noise(2, 3, 3, 2), noise(2, 2, 6, 4), noise(2, 4, 12, 8)]
    filters, bias = noise(5, 9, size, size), noise(5)
    layer = UpscaledStackConv2DLayer([input_layer(part) for part in parts],
                                     [4, 2, 1], 5, size, W=filters, b=bias)
    stack = np.concatenate([np.kron(part, np.ones((scale, scale))) for
                            part, scale in zip(parts, [4, 2, 1])], axis=1)
    weights = noise(2, 5, 12, 8)
    inputs = [T.tensor4() for _ in parts]
    with without(*switched_off):
        output = layer.get_output_for(inputs)
        run = theano.function(inputs, [output] + T.grad(
            (output * weights).sum(), inputs))
    got, *gradients = run(*parts)
    assert_allclose(got, convolve_same(stack, filters) + bias[:, None, None],
                    rtol=1e-4, atol=1e-4)
    eq_(layer.output_shape, (None, 5, 12, 8))
    # Of the concatenation, then added up over what each pixel became.
    turned = filters[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    expected = np.split(convolve_same(weights, turned), [3, 5], axis=1)
    for gradient, of_part, scale in zip(gradients, expected, [4, 2, 1]):
        assert_allclose(gradient, sum(
            of_part[:, :, row::scale, column::scale] for row in range(scale)
            for column in range(scale)), rtol=1e-4, atol=2e-4)


def test_convolution_of_a_stack_is_that_of_the_concatenation():
    yield check_stack, 3
    for name in 'winograd', 'kernels', 'onednn':
        yield check_stack, 3, name
    yield check_stack, 5


def test_parts_of_one_size_are_convolved_together():
    scales = [2, 2, 1, 1, 2, 1]
    parts = [noise(2, 1 + number, 6 // scale, 4 // scale)
             for number, scale in enumerate(scales)]
    filters = noise(5, 21, 3, 3)
    layer = UpscaledStackConv2DLayer([input_layer(part) for part in parts],
                                     scales, 5, 3, W=filters, b=None)
    stack = np.concatenate([np.kron(part, np.ones((scale, scale))) for
                            part, scale in zip(parts, scales)], axis=1)
    assert_allclose(output_of(layer, *parts), convolve_same(stack, filters),
                    rtol=1e-4, atol=1e-4)


def test_parts_of_different_sizes_are_refused():
    parts = [input_layer(noise(1, 1, 3, 3)), input_layer(noise(1, 1, 5, 5))]
    with assert_raises(ValueError):
        UpscaledStackConv2DLayer(parts, [2, 1], 1, 3).output_shape
