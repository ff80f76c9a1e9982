"""Convolutions of upscaled maps against the obvious graph."""
import numpy as np
from nose.plugins.attrib import attr
from nose.tools import eq_
from numpy.testing import assert_allclose

from colornet.engine.backend import T, lasagne, theano
from colornet.engine.blocks import AddBlocks
from colornet.engine.switches import without
from colornet.engine.upscaled import (conv2d_same_upscaled,
                                      conv2d_same_upscaled_transposed)
from colornet.network.layers import conv2d_same

RNG = np.random.RandomState(0)


def compare(fast, obvious, wrt, values, dtype):
    """Outputs and gradients, with respect to the largest number."""
    tolerance = {'float64': 1e-10, 'float32': 1e-5}[dtype]
    outputs = []
    for output in fast, obvious:
        weights = T.cos(T.arange(output.size).reshape(output.shape))
        cost = (output * weights.astype(dtype)).sum()
        outputs += [output] + T.grad(cost, wrt)
    results = theano.function(wrt, outputs)(*values)
    half = len(results) // 2
    for got, expected in zip(results[:half], results[half:]):
        eq_(got.dtype, np.dtype(dtype))
        assert_allclose(got, expected, rtol=0,
                        atol=tolerance * abs(expected).max())


def check(dtype, scale, rows, columns, size=3, batch=2, image=True):
    x, w, base = [T.TensorType(dtype, (False,) * 4)() for _ in range(3)]
    fast = conv2d_same_upscaled(x, w, scale, size, base if image else None)
    obvious = (conv2d_same(x.repeat(scale, 2).repeat(scale, 3), w) +
               (base if image else 0))
    values = [RNG.normal(size=shape).astype(dtype) for shape in
              ((batch, 3, rows, columns), (4, 3, size, size),
               (batch, 4, rows * scale, columns * scale))]
    wrt = [x, w, base] if image else [x, w]
    compare(fast, obvious, wrt, values[:len(wrt)], dtype)


def test_convolutions_and_gradients_are_exact():
    for dtype in 'float64', 'float32':
        for scale, rows, columns in [(2, 4, 5), (4, 3, 2), (8, 1, 3),
                                     (3, 4, 4), (2, 1, 1), (16, 2, 1),
                                     (5, 7, 3)]:
            yield check, dtype, scale, rows, columns
    yield check, 'float64', 2, 3, 4, 3, 1, False
    yield check, 'float64', 4, 3, 4, 3, 1, False
    # Filters that are not 3x3 go another way.
    yield check, 'float64', 2, 3, 3, 1
    yield check, 'float64', 3, 4, 4, 5


@attr('slow')
def test_random_sizes():
    for _ in range(6):
        yield (check, 'float64', int(RNG.choice([2, 4, 8])),
               RNG.randint(1, 7), RNG.randint(1, 7), 3, RNG.randint(1, 4))


def test_as_a_transposed_convolution():
    for scale, size, rows, columns in [(2, 3, 4, 5), (4, 3, 3, 2),
                                       (8, 3, 1, 3), (3, 5, 4, 4)]:
        x, w = T.dtensor4(), T.dtensor4()
        compare(conv2d_same_upscaled_transposed(x, w, scale, size),
                conv2d_same(x.repeat(scale, 2).repeat(scale, 3), w), [x, w],
                [RNG.normal(size=(2, 3, rows, columns)),
                 RNG.normal(size=(4, 3, size, size))], 'float64')


def test_a_rectifier_that_follows_is_fused():
    x, w, image = T.tensor4(), T.tensor4(), T.tensor4()
    values = [RNG.normal(size=shape).astype('float32') for shape in
              [(2, 3, 3, 2), (4, 3, 3, 3), (2, 4, 12, 8)]]
    output = conv2d_same_upscaled(x, w, 4, 3, image)
    rectified = lasagne.nonlinearities.rectify(output)
    run = theano.function([x, w, image], rectified)
    ops = [node.op for node in run.maker.fgraph.toposort()]
    eq_([op.rectify for op in ops if isinstance(op, AddBlocks)], [True])
    expected = np.maximum(theano.function([x, w, image], output)(*values), 0)
    assert_allclose(run(*values), expected, atol=1e-6)
    # Its gradient needs what was there before.
    gradient = theano.function([x, w, image], T.grad(rectified.sum(), image))
    assert_allclose(gradient(*values), expected > 0)


def test_without_kernels_it_is_a_transposed_convolution():
    with without('kernels'):
        x, w = T.dtensor4(), T.dtensor4()
        output = conv2d_same_upscaled(x, w, 2, 3)
    assert 'AddBlocks' not in theano.printing.debugprint(output, file='str')
    with without():
        output = conv2d_same_upscaled(x, w, 2, 3)
    assert 'AddBlocks' in theano.printing.debugprint(output, file='str')
