"""Each engine's convolutions against Theano's own in double precision."""
import threading
from functools import partial
from unittest import mock

import numpy as np
from nose import SkipTest
from nose.tools import assert_in, assert_raises, assert_raises_regex, eq_, ok_
from numpy.testing import assert_allclose

from colornet.engine import convolutions, convolvers
from colornet.engine.backend import T, lasagne, theano
from colornet.engine.convolutions import Convolution
from colornet.engine.native import code_status
from colornet.engine.switches import without
from colornet.errors import ColornetError
from tests.engine.checks import rounded

RNG = np.random.RandomState(0)


#: What leaves an engine as the fastest.
SWITCHED_OFF = {'strips': ['onednn']}
if not code_status('onednn'):
    SWITCHED_OFF.update(winograd=['strips'], onednn=['winograd', 'strips'])


def ops_of(function):
    return [type(node.op).__name__
            for node in function.maker.fgraph.toposort()]


def expressions(dtype, maps, filters, options):
    x = T.TensorType(dtype, (False,) * 4)()
    w = T.TensorType(dtype, (False,) * 4)()
    y = T.nnet.conv2d(x, w, maps, filters, **options)
    weights = T.cos(T.arange(y.size).reshape(y.shape)).astype(dtype)
    return [x, w], [y] + T.grad((y * weights).sum(), [x, w])


def check(engine, maps, filters, **options):
    with without(*SWITCHED_OFF[engine]):
        fast = theano.function(*expressions('float32', maps, filters, options))
    used = [node.op.engine for node in fast.maker.fgraph.toposort()
            if hasattr(node.op, 'engine')]
    if options.get('subsample', (1, 1)) == (1, 1) or engine != 'strips':
        eq_(used, [engine] * 3)
    exact = theano.function(*expressions('float64', maps, filters, options))
    x, w = RNG.normal(size=maps), RNG.normal(size=filters)
    for got, expected in zip(fast(x.astype('float32'), w.astype('float32')),
                             exact(x, w)):
        assert_allclose(got, expected, rtol=0,
                        atol=1e-5 * abs(expected).max())


def test_products_of_matrices_are_left_to_blas():
    with without():
        others = convolvers.choose_engine((1, 1))
        for filters, expected in [((6, 7, 1, 1), 'strips'),
                                  ((6, 7, 3, 1), others),
                                  ((6, 7, None, None), others)]:
            fast = theano.function(*expressions(
                'float32', (3, 7, 4, 5), filters, {}))
            eq_([node.op.engine for node in fast.maker.fgraph.toposort()
                 if hasattr(node.op, 'engine')], [expected] * 3)


def test_convolutions_and_gradients():
    for engine in SWITCHED_OFF:
        def run(*args, engine=engine, **options):
            check(engine, *args, **options)

        # Winograd's algorithm takes 3x3 filters and 16 or more channels.
        for maps, filters in [((2, 16, 9, 7), (32, 16, 3, 3)),
                              ((3, 64, 1, 5), (64, 64, 3, 3)),
                              ((1, 33, 13, 14), (17, 33, 3, 3))]:
            yield partial(run, border_mode='half'), maps, filters
        for border_mode in 'valid', 'full', 'half', (2, 0), (0, 1), 3:
            yield (partial(run, border_mode=border_mode), (2, 3, 8, 9),
                   (5, 3, 3, 3))
        yield (partial(run, border_mode='half', filter_flip=False),
               (2, 20, 8, 9), (16, 20, 3, 3))
        yield partial(run, subsample=(2, 3)), (2, 3, 11, 12), (4, 3, 5, 3)
        yield partial(run, border_mode=(1, 0)), (2, 3, 8, 9), (4, 3, 2, 1)
        yield partial(run, border_mode=(4, 2)), (2, 3, 2, 3), (4, 3, 5, 7)
        yield run, (1, 1, 4, 4), (1, 1, 1, 1)
        yield run, (3, 7, 4, 5), (6, 7, 1, 1)
        # More than are worked on at a time: images, or rows of one.
        for kernel in 1, 3:
            yield (partial(run, border_mode='half'), (7, 16, 200, 200),
                   (24, 16, kernel, kernel))


def compiled_gradients(engine):
    with without(*SWITCHED_OFF[engine]):
        return theano.function(*expressions('float32', None, (4, 3, 3, 3), {}))


def check_no_images(engine):
    y, x_gradient, w_gradient = compiled_gradients(engine)(
        np.zeros((0, 3, 8, 8), 'float32'), np.ones((4, 3, 3, 3), 'float32'))
    eq_((y.shape, x_gradient.shape), ((0, 4, 6, 6), (0, 3, 8, 8)))
    eq_(abs(w_gradient).max(), 0)


def check_no_outputs(engine):
    """Images smaller than the filters give no outputs."""
    y, x_gradient, w_gradient = compiled_gradients(engine)(
        np.ones((1, 3, 2, 2), 'float32'), np.ones((4, 3, 3, 3), 'float32'))
    eq_(y.shape, (1, 4, 0, 0))
    eq_(x_gradient.shape, (1, 3, 2, 2))
    eq_(abs(x_gradient).max(), 0)
    eq_(abs(w_gradient).max(), 0)


def check_no_channels(engine):
    """A sum of nothing is the bias."""
    x, w, b = T.tensor4(), T.tensor4(), T.vector()
    with without(*SWITCHED_OFF[engine]):
        run = theano.function([x, w, b], lasagne.nonlinearities.rectify(
            T.nnet.conv2d(x, w) + b.dimshuffle('x', 0, 'x', 'x')))
    y = run(np.ones((1, 0, 4, 4), 'float32'), np.ones((2, 0, 3, 3), 'float32'),
            np.array([-1, 3], 'float32'))
    eq_(y[:, 0].tolist(), [[[0, 0], [0, 0]]])
    eq_(y[:, 1].tolist(), [[[3, 3], [3, 3]]])


def check_repeats(engine):
    """Equal trainings give equal numbers: threads may not race for sums."""
    filters = np.empty((64, 32, 3, 3), 'float32')
    maps = RNG.normal(size=(3, 32, 90, 70)).astype('float32')
    gradient = RNG.normal(size=(3, 64, 90, 70)).astype('float32')
    results = set()
    for _ in range(5):
        convolvers.convolve(engine, convolvers.GRAD_FILTERS, maps, filters,
                            None, gradient, (1, 1), (1, 1))
        results.add(filters.tobytes())
    eq_(len(results), 1)


def check_views(engine):
    run = compiled_gradients(engine)
    x = RNG.normal(size=(2, 8, 9, 3)).astype('float32').transpose(0, 3, 1, 2)
    w = RNG.normal(size=(4, 3, 3, 3)).astype('float32')[:, :, ::-1]
    for got, expected in zip(run(x, w), run(np.ascontiguousarray(x),
                                            np.ascontiguousarray(w))):
        assert_allclose(got, expected)


def check_misfit(engine):
    run = compiled_gradients(engine)
    with assert_raises(ValueError) as raised:
        run(np.zeros((1, 2, 5, 5), 'float32'),
            np.zeros((4, 3, 3, 3), 'float32'))
    assert_in('(1, 2, 5, 5)', str(raised.exception))


def test_odd_arrays():
    for engine in SWITCHED_OFF:
        yield check_no_images, engine
        yield check_no_outputs, engine
        yield check_no_channels, engine
        yield check_repeats, engine
        yield check_views, engine
        yield check_misfit, engine


def compiled(rectify, *switched_off):
    x = T.tensor4()
    rng = np.random.RandomState(1)
    w = theano.shared(rng.normal(size=(16, 16, 3, 3)).astype('float32'))
    b = theano.shared(rng.normal(size=16).astype('float32'))
    y = T.nnet.conv2d(x, w, border_mode='half', filter_shape=(16, 16, 3, 3))
    y = y + b.dimshuffle('x', 0, 'x', 'x')
    if rectify:
        y = lasagne.nonlinearities.rectify(y)
    with without(*switched_off):
        return (theano.function([x], y),
                theano.function([x], T.grad((y ** 2).sum(), [x, w, b])))


def check_fusion(engine, rectify):
    image = RNG.normal(size=(2, 16, 6, 5)).astype('float32')
    fast = compiled(rectify, *SWITCHED_OFF[engine])
    slow = compiled(rectify, 'onednn', 'strips')
    ops = [node.op for node in fast[0].maker.fgraph.toposort()]
    convolution, = [op for op in ops if isinstance(op, Convolution)]
    eq_((convolution.engine, convolution.rectify), (engine, rectify))
    ok_(not any(isinstance(op, T.Elemwise) for op in ops), ops)
    for got, expected in zip([fast[0](image)] + fast[1](image),
                             [slow[0](image)] + slow[1](image)):
        assert_allclose(got, expected, rtol=0,
                        atol=1e-5 * abs(expected).max())


def test_bias_and_rectifier_are_fused():
    for engine in SWITCHED_OFF:
        for rectify in False, True:
            yield check_fusion, engine, rectify


def test_a_bias_that_does_not_fit_is_refused():
    x, w, b = T.tensor4(), T.tensor4(), T.vector()
    one = T.TensorType('float32', (True,))()
    image = np.ones((1, 2, 5, 5), 'float32')
    filters = np.ones((4, 2, 3, 3), 'float32')
    for engine in SWITCHED_OFF:
        with without(*SWITCHED_OFF[engine]):
            run, shared = [theano.function(
                [x, w, bias], T.nnet.conv2d(x, w) +
                bias.dimshuffle('x', 0, 'x', 'x')) for bias in (b, one)]
        with assert_raises(ValueError):
            run(image, filters, np.ones(3, 'float32'))
        # One number for all of them is something else.
        assert_allclose(shared(image, filters, np.ones(1, 'float32')), 19)


def check_equal_without_engines(output, *inputs_and_values):
    """For float32 maps and filters, an op may replace others; the same sums.
    """
    inputs, values = zip(*inputs_and_values)
    results = []
    for names in (), ('onednn', 'strips'):
        with without(*names):
            results.append(theano.function(inputs, output)(*values))
    eq_(results[0].dtype, results[1].dtype)
    assert_allclose(results[0], results[1], rtol=1e-4, atol=1e-4)


def test_what_only_looks_like_a_bias_or_a_rectifier():
    x, w = T.tensor4(), T.tensor4()
    one_filter = T.TensorType('float32', (True, False, False, False))()
    column, vector, double = T.col(), T.vector(), T.dvector()
    values = {variable: RNG.normal(size=shape).astype(variable.dtype)
              for variable, shape in [
                  (x, (1, 2, 5, 5)), (w, (4, 2, 3, 3)),
                  (one_filter, (1, 2, 3, 3)), (column, (4, 1)),
                  (vector, (4,)), (double, (4,))]}
    maps = T.nnet.conv2d(x, w)
    for output, others in [
            # As many dimensions as a matrix; its one column is dropped.
            (maps + column.dimshuffle('x', 0, 'x', 'x'), [w, column]),
            # In double precision from here on.
            (maps + double.dimshuffle('x', 0, 'x', 'x'), [w, double]),
            (np.float64(0.5) * T.constant(np.ones(1)).sum() *
             (maps + abs(maps)), [w]),
            # Many biases for one filter.
            (T.nnet.conv2d(x, one_filter) +
             vector.dimshuffle('x', 0, 'x', 'x'), [one_filter, vector])]:
        yield (check_equal_without_engines, output,
               *[(variable, values[variable]) for variable in [x] + others])


def test_what_it_cannot_do_is_left_to_theano():
    x, w = T.tensor4(), T.tensor4()
    with without():
        for output in (T.nnet.conv2d(x, w, filter_dilation=(2, 2)),
                       T.nnet.conv2d(x, w, border_mode='half'),
                       T.nnet.conv2d(x, w, num_groups=2),
                       T.nnet.conv2d(x, w, border_mode=((1, 0), (0, 1)))):
            run = theano.function([x, w], output)
            ok_('Convolution' not in ops_of(run))
    with without('onednn', 'strips'):
        run = theano.function([x, w], T.nnet.conv2d(x, w))
    assert_in('CorrMM', ops_of(run))
    with without('onednn'):
        run = theano.function([x, w], T.nnet.conv2d(x, w, subsample=(2, 1)))
    assert_in('CorrMM', ops_of(run))


def check_threads(engine):
    """The engines themselves: a Theano function is for one thread."""
    filters = RNG.normal(size=(16, 16, 3, 3)).astype('float32')
    batches = [RNG.normal(size=(2, 16, 20 + n, 20)).astype('float32')
               for n in range(4)]

    def convolve(batch):
        outputs = np.full_like(batch, np.nan)
        convolvers.convolve(engine, convolvers.FORWARD, batch, filters, None,
                            outputs, (1, 1), (1, 1))
        return outputs

    expected = [convolve(batch) for batch in batches]
    got = [[] for _ in batches]

    def work(number):
        for _ in range(20):
            got[number].append(convolve(batches[number]))

    threads = [threading.Thread(target=work, args=(number,))
               for number in range(len(batches))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for results, value in zip(got, expected):
        eq_(len(results), 20)
        for result in results:
            assert_allclose(result, value)


def test_threads():
    for engine in SWITCHED_OFF:
        yield check_threads, engine


def test_version():
    if code_status('onednn'):
        raise SkipTest(code_status('onednn'))
    assert_in(convolvers.onednn_version()[0], '23')


def test_bfloat16_rounds_what_is_given_and_sums_exactly():
    if convolvers.bfloat16_status():
        raise SkipTest(convolvers.bfloat16_status())
    random = np.random.RandomState(5)
    # Of more than one chunk.
    maps = random.randn(7, 32, 130, 160).astype(np.float32)
    filters = random.randn(48, 32, 3, 3).astype(np.float32)
    gradient = random.randn(7, 48, 130, 160).astype(np.float32)
    inputs, weights, known = T.ftensor4(), T.ftensor4(), T.ftensor4()
    outputs = T.nnet.conv2d(inputs, weights, border_mode=1, filter_flip=False)
    results = [T.nnet.relu(outputs + 1)] + T.grad(
        None, [inputs, weights], known_grads={outputs: known})
    function, plain = [theano.function([inputs, weights, known], results,
                                       mode=mode)
                       for mode in (convolutions.bfloat16_mode(), None)]
    engines = [node.op.engine for node in function.maker.fgraph.toposort()
               if hasattr(node.op, 'engine')]
    eq_(engines, ['bfloat16'] * 3)
    arrays = maps, filters, gradient
    exact = plain(*arrays)
    for got, expected, unrounded in zip(
            function(*arrays), plain(*map(rounded, arrays)), exact):
        scale = expected.std()
        assert_allclose(got / scale, expected / scale, 1e-3, 1e-3)
        ok_(abs(got - unrounded).max() > 3e-3 * scale)


def test_bfloat16_where_there_is_none():
    with mock.patch.object(convolvers, 'enabled', lambda name: True), \
            mock.patch.object(convolvers, 'processor_features',
                              lambda: {'avx2'}):
        with assert_raises_regex(ColornetError, 'neither AVX512_BF16 nor'):
            convolutions.bfloat16_mode()
    with without('onednn'):
        with assert_raises_regex(ColornetError, 'no bfloat16'):
            convolutions.bfloat16_mode()
