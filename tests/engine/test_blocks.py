"""Blocks of pixels against Theano's own ops and numpy."""
import numpy as np
from nose.tools import assert_in, assert_raises, eq_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.engine import blocks
from colornet.engine.backend import T, theano
from colornet.engine.switches import without
from tests.engine.checks import TOLERANCES, check_overwriting, check_refused

RNG = np.random.RandomState(0)


def check_mean_pool(dtype, shape, scale, *switched_off):
    maps = T.TensorType(dtype, (False,) * 4)()
    with without(*switched_off):
        means = blocks.mean_pool(maps, scale)
        weights = RNG.normal(size=(shape[0], shape[1], shape[2] // scale,
                                   shape[3] // scale)).astype(dtype)
        run = theano.function([maps], [means, means.shape] + T.grad(
            (means * weights).sum(), [maps]))
    values = RNG.normal(size=shape).astype(dtype)
    got, got_shape, gradient = run(values)
    expected = np.zeros(weights.shape)
    for row in range(scale):
        for column in range(scale):
            expected += values[:, :, row::scale, column::scale] / scale ** 2
    eq_((got.dtype, gradient.dtype), (np.dtype(dtype),) * 2)
    eq_(tuple(got_shape), expected.shape)
    assert_allclose(got, expected, rtol=0, atol=TOLERANCES[dtype])
    assert_allclose(gradient, np.kron(weights, np.ones((scale, scale))) /
                    scale ** 2, rtol=0, atol=TOLERANCES[dtype])


def test_mean_pooling_and_its_gradient():
    for dtype in TOLERANCES:
        for shape, scale in [((2, 3, 8, 12), 4), ((3, 5, 6, 2), 2),
                             ((1, 1, 3, 9), 3), ((2, 1, 4, 4), 4)]:
            yield check_mean_pool, dtype, shape, scale
    yield check_mean_pool, 'float32', (2, 3, 8, 12), 4, 'kernels'


def check_upscale(dtype, shape, scale, *switched_off):
    maps = T.TensorType(dtype, (False,) * 4)()
    size = (shape[0], shape[1], shape[2] * scale, shape[3] * scale)
    weights = RNG.normal(size=size).astype(dtype)
    with without(*switched_off):
        upscaled = blocks.upscale(maps, scale)
        run = theano.function([maps], [upscaled, upscaled.shape] + T.grad(
            (upscaled * weights).sum(), [maps]))
    values = RNG.normal(size=shape).astype(dtype)
    got, got_shape, gradient = run(values)
    eq_((got.dtype, gradient.dtype), (np.dtype(dtype),) * 2)
    eq_(tuple(got_shape), size)
    assert_array_equal(got, np.kron(values, np.ones((scale, scale), dtype)))
    assert_allclose(gradient, sum(
        weights[:, :, row::scale, column::scale] for row in range(scale)
        for column in range(scale)), rtol=0, atol=TOLERANCES[dtype])


def test_upscaling_and_its_gradient():
    for dtype in TOLERANCES:
        for shape, scale in [((2, 3, 4, 6), 2), ((1, 5, 3, 1), 3),
                             ((2, 1, 1, 2), 1)]:
            yield check_upscale, dtype, shape, scale
    yield check_upscale, 'float32', (2, 3, 4, 6), 2, 'kernels'


def test_mean_pooling_of_parts_of_blocks_is_refused():
    maps = T.tensor4()
    run = theano.function([maps], blocks.mean_pool(maps, 4))
    for shape in (1, 1, 8, 6), (1, 1, 6, 8):
        with assert_raises(ValueError) as caught:
            run(np.zeros(shape, 'float32'))
        assert_in('4 x 4 blocks', str(caught.exception))


def test_overwriting_an_image_only_if_nobody_needs_it():
    x, corners = T.tensor4(), T.tensor4()
    image = 2 * x
    check_overwriting('AddBlocks', [x, corners],
                      blocks.add_blocks(image, [corners], 2), image,
                      [RNG.normal(size=shape).astype('float32') for shape in
                       ((2, 4, 6, 8), (2, 16, 4, 5))])


def test_blocks_that_the_code_would_misread():
    x = T.tensor4()
    parts = [T.tensor4() for _ in range(4)]
    shapes = [(1, 12, 3, 3), (1, 6, 3, 2), (1, 6, 2, 3), (1, 3, 2, 2)]
    for scale, number in (4, 4), (2, 1):
        add = theano.function([x] + parts[:number], blocks.add_blocks(
            x, parts[:number], scale))
        # 9 x 9 pixels are not whole blocks; 16 x 16 are too many.
        for side in 9, 16:
            yield (check_refused, ValueError, lambda: add(
                np.ones((1, 3, side, side), 'float32'),
                *[np.ones(shape, 'float32') for shape in shapes[:number]]),
                'AddBlocks', str(side) if side == 9 else '(1, 12, 3, 3)')
    # float64 among float32
    yield (check_refused, TypeError,
           lambda: blocks.add_blocks(x, [T.dtensor4()], 2), 'float')
    # Theano puts the rectifier in only where no gradient is wanted.
    rectified = blocks.AddBlocks(2, rectify=True)(x, T.tensor4())
    yield (check_refused, NotImplementedError,
           lambda: T.grad(rectified.sum(), x), 'rectifier')
