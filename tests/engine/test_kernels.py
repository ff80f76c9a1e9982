"""The C++ kernels against Theano's own ops and numpy."""
from unittest import mock

import numpy as np
from nose.tools import assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.engine import kernels
from colornet.engine.backend import T, theano
from colornet.engine.switches import without
from tests.engine.checks import TOLERANCES, check_overwriting, check_refused

RNG = np.random.RandomState(0)


def numpy_batch_norm(x, gamma, beta, epsilon, rectify):
    mean = x.mean((0, 2, 3), keepdims=True)
    variance = x.var((0, 2, 3), keepdims=True)
    y = ((x - mean) / np.sqrt(variance + epsilon) * gamma[:, None, None] +
         beta[:, None, None])
    return (np.maximum(y, 0) if rectify else y, mean.ravel(),
            variance.ravel())


def theano_batch_norm(x, gamma, beta, epsilon, rectify):
    y, _, _ = T.nnet.bn.batch_normalization_train(
        x, gamma.dimshuffle('x', 0, 'x', 'x'),
        beta.dimshuffle('x', 0, 'x', 'x'), 'spatial', epsilon)
    return T.nnet.relu(y) if rectify else y


def check_batch_norm(dtype, shape, rectify):
    x, gamma, beta = (T.TensorType(dtype, (False,) * 4)(),
                      T.TensorType(dtype, (False,))(),
                      T.TensorType(dtype, (False,))())
    values = [(RNG.normal(size=shape) * 3 + 40).astype(dtype),
              RNG.normal(size=shape[1]).astype(dtype),
              RNG.normal(size=shape[1]).astype(dtype)]
    y, mean, variance = kernels.batch_norm(x, gamma, beta, 1e-3, rectify)
    results = []
    for output in y, theano_batch_norm(x, gamma, beta, 1e-3, rectify):
        weights = T.cos(T.arange(output.size).reshape(output.shape))
        results.append([output] + T.grad(
            (output * weights.astype(dtype)).sum(), [x, gamma, beta]))
    outputs = theano.function([x, gamma, beta],
                              [mean, variance] + results[0] + results[1])(
                                  *values)
    exact = numpy_batch_norm(*[value.astype('float64') for value in values],
                             1e-3, rectify)
    # The mean is 13 standard deviations: float32 has that much less to give.
    tolerance = TOLERANCES[dtype] * (10 if dtype == 'float32' else 1)
    for got, expected in zip(outputs, (exact[1], exact[2], exact[0])):
        assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
    for got, expected in zip(outputs[2:6], outputs[6:]):
        eq_(got.dtype, np.dtype(dtype))
        assert_allclose(got, expected, rtol=0,
                        atol=tolerance * abs(expected).max())


def test_batch_norm_and_gradients():
    for dtype in TOLERANCES:
        for shape in (3, 5, 4, 7), (1, 1, 30, 40), (2, 70, 3, 5):
            for rectify in False, True:
                yield check_batch_norm, dtype, shape, rectify


def test_rectifier_at_its_kink_has_theanos_slope():
    # A channel that is the same everywhere normalizes to beta: often zero.
    x, gamma, beta = T.tensor4(), T.vector(), T.vector()
    image = np.full((2, 1, 3, 4), 7, 'float32')
    values = [image, np.ones(1, 'float32'), np.zeros(1, 'float32')]
    slopes = []
    for output in (kernels.batch_norm(x, gamma, beta, 1e-4, True)[0],
                   theano_batch_norm(x, gamma, beta, 1e-4, True)):
        run = theano.function([x, gamma, beta], T.grad(output.sum(), beta))
        slopes.append(run(*values)[0])
    eq_(slopes, [12., 12.])


def test_batch_norm_passes_nan_on():
    x, gamma, beta = T.tensor4(), T.vector(), T.vector()
    run = theano.function([x, gamma, beta],
                          kernels.batch_norm(x, gamma, beta, 1e-4, True)[0])
    image = np.ones((1, 1, 2, 2), 'float32')
    image[0, 0, 0, 0] = np.nan
    ok_(np.isnan(run(image, np.ones(1, 'float32'),
                     np.ones(1, 'float32'))).all())


def test_overwriting_only_what_nobody_needs():
    x, gamma, beta = T.tensor4(), T.vector(), T.vector()
    y = kernels.batch_norm(x, gamma, beta, 1e-4, True)[0]
    gradient, = T.grad((y ** 2).sum(), [x])
    image = RNG.normal(size=(2, 4, 6, 8)).astype('float32')
    yield (check_overwriting, 'BatchNormGradient', [x, gamma, beta], gradient,
           y, [image, np.ones(4, 'float32'), np.zeros(4, 'float32')])
    targets = T.itensor3()
    scores = 2 * x
    yield (check_overwriting, 'CrossEntropyGradient', [x, targets],
           T.grad(kernels.cross_entropy(scores, targets), scores), scores,
           [image, np.zeros((2, 6, 8), 'int32')])


def test_frozen_maps_get_no_gradient():
    x, gamma, beta = T.tensor4(), T.vector(), T.vector()
    y = kernels.batch_norm(x, gamma, beta, 1e-4, False)[0]
    weights = T.cos(T.arange(y.size).reshape(y.shape)).astype('float32')
    gradients = T.grad((y * weights).sum(), [x, gamma, beta])
    values = [RNG.normal(size=(2, 3, 4, 5)).astype('float32'),
              np.ones(3, 'float32'), np.zeros(3, 'float32')]
    both = theano.function([x, gamma, beta], gradients)(*values)
    # Their memory is never asked for.
    with mock.patch.object(kernels.np, 'empty_like',
                           wraps=np.empty_like) as empty_like:
        some = theano.function([x, gamma, beta], gradients[1:])(*values)
    ok_(all(call[0][0].ndim == 1 or call[0][0] is values[0]
            for call in empty_like.call_args_list))
    for got, expected in zip(some, both[1:]):
        assert_allclose(got, expected)


def check_argmax(dtype, shape):
    scores = T.TensorType(dtype, (False,) * 4)()
    run = theano.function([scores], kernels.argmax(scores))
    # Whole numbers: many are equal, and the first counts.
    values = RNG.randint(-3, 3, shape).astype(dtype)
    got = run(values)
    eq_(got.dtype, np.int64)
    assert_array_equal(got, values.argmax(1))


def test_argmax():
    for dtype in TOLERANCES:
        for shape in (2, 50, 17, 19), (1, 1, 1, 2), (3, 5, 20, 30):
            yield check_argmax, dtype, shape
    with without('kernels'):
        yield check_argmax, 'float32', (1, 4, 3, 2)


def test_arrays_that_the_code_would_misread():
    x, gamma, beta = T.tensor4(), T.vector(), T.vector()
    image = np.ones((1, 3, 9, 9), 'float32')
    good, bad = np.ones(3, 'float32'), np.ones(2, 'float32')
    normalize = theano.function(
        [x, gamma, beta], kernels.batch_norm(x, gamma, beta, 1e-4)[0])
    for vectors in (good, bad), (bad, good):
        yield (check_refused, ValueError,
               lambda: normalize(image, *vectors), 'BatchNorm', '(2,)')
    yield (check_refused, ValueError, lambda: theano.function(
        [x], kernels.cross_entropy(x, T.zeros((1, 0, 0), 'int32')))(
            np.ones((1, 2, 0, 0), 'float32')), 'no pixels')
    # float64 among float32
    for build in (lambda: kernels.batch_norm(x, T.dvector(), beta, 1e-4),
                  lambda: kernels.cross_entropy(T.itensor4(), T.itensor3())):
        yield check_refused, TypeError, build, 'float'


def numpy_cross_entropy(logits, targets):
    shifted = logits - logits.max(1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    one_hot = (np.arange(logits.shape[1])[:, None, None] ==
               targets[:, None]).astype(logits.dtype)
    return (-(log_softmax * one_hot).sum(1).mean(),
            (np.exp(log_softmax) - one_hot) / targets.size)


def check_cross_entropy(dtype, shape, size):
    logits = T.TensorType(dtype, (False,) * 4)()
    targets = T.itensor3()
    cost = kernels.cross_entropy(logits, targets)
    run = theano.function([logits, targets], [cost, T.grad(3 * cost, logits)])
    scores = (RNG.normal(size=shape) * 4 + size).astype(dtype)
    classes = RNG.randint(0, shape[1], (shape[0],) + shape[2:]).astype('int32')
    mean, gradient = numpy_cross_entropy(scores.astype('float64'), classes)
    got = run(scores, classes)
    tolerance = TOLERANCES[dtype]
    assert_allclose(got[0], mean, rtol=tolerance, atol=tolerance / 10)
    # Each is the difference of two probabilities.
    assert_allclose(got[1] * classes.size, 3 * gradient * classes.size,
                    rtol=0, atol=tolerance)


def test_cross_entropy_and_gradients():
    for dtype in TOLERANCES:
        for shape in (2, 50, 5, 7), (1, 2, 1, 1), (3, 10, 20, 30):
            for size in 0, -1000, 1000:
                yield check_cross_entropy, dtype, shape, size


def test_classes_that_do_not_exist_are_refused():
    logits, targets = T.tensor4(), T.itensor3()
    run = theano.function([logits, targets],
                          kernels.cross_entropy(logits, targets))
    scores = np.zeros((1, 3, 2, 2), 'float32')
    for wrong in -1, 3:
        with assert_raises(ValueError):
            run(scores, np.full((1, 2, 2), wrong, 'int32'))
    with assert_raises(ValueError):
        run(scores, np.zeros((1, 2, 3), 'int32'))
    scores[:] = np.nan
    ok_(np.isnan(run(scores, np.zeros((1, 2, 2), 'int32'))))


def test_exponential_of_very_small_numbers():
    logits, targets = T.tensor4(), T.itensor3()
    run = theano.function([logits, targets],
                          kernels.cross_entropy(logits, targets))
    scores = np.zeros((1, 2, 1, 1), 'float32')
    scores[0, 1] = -1e6
    assert_allclose(run(scores, np.ones((1, 1, 1), 'int32')), 1e6)
    assert_allclose(run(scores, np.zeros((1, 1, 1), 'int32')), 0, atol=1e-30)
