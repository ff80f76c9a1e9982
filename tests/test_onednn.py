"""oneDNN's convolutions against Theano's CorrMM in double precision."""
import threading

import numpy as np
from nose import SkipTest
from nose.tools import assert_in, eq_, ok_
from numpy.testing import assert_allclose

from colornet import onednn
from colornet.backend import T, lasagne, theano
from tiny import without_speedups

RNG = np.random.RandomState(0)


def setup():
    if onednn.onednn_status():
        raise SkipTest(onednn.onednn_status())


def ops_of(function):
    return [type(node.op).__name__ for node in function.maker.fgraph.toposort()]


def expressions(dtype, maps, filters, options):
    x = T.TensorType(dtype, (False,) * 4)()
    w = T.TensorType(dtype, (False,) * 4)()
    y = T.nnet.conv2d(x, w, maps, filters, **options)
    weights = T.cos(T.arange(y.size).reshape(y.shape)).astype(dtype)
    return [x, w], [y] + T.grad((y * weights).sum(), [x, w])


def check(maps, filters, winograd=True, **options):
    with without_speedups(*[] if winograd else ['winograd']):
        fast = theano.function(*expressions('float32', maps, filters, options))
    ok_({'Convolution', 'GradInputs', 'GradFilters'} <= set(ops_of(fast)))
    exact = theano.function(*expressions('float64', maps, filters, options))
    x, w = RNG.normal(size=maps), RNG.normal(size=filters)
    for got, expected in zip(fast(x.astype('float32'), w.astype('float32')),
                             exact(x, w)):
        assert_allclose(got, expected, rtol=0,
                        atol=1e-5 * abs(expected).max())


def test_convolutions_and_gradients():
    # Winograd's algorithm takes 3x3 filters and 16 or more channels.
    for winograd in True, False:
        for maps, filters in [((2, 16, 9, 7), (32, 16, 3, 3)),
                              ((3, 64, 1, 5), (64, 64, 3, 3)),
                              ((1, 33, 13, 14), (17, 33, 3, 3))]:
            yield (lambda *args: check(*args, border_mode='half'), maps,
                   filters, winograd)
    for border_mode in 'valid', 'full', 'half', (2, 0), 3:
        yield lambda mode: check((2, 3, 8, 9), (5, 3, 3, 3),
                                 border_mode=mode), border_mode
    yield lambda: check((2, 20, 8, 9), (16, 20, 3, 3), border_mode='half')
    yield lambda: check((2, 20, 8, 9), (16, 20, 3, 3), border_mode='half',
                        filter_flip=False)
    yield lambda: check((2, 3, 11, 12), (4, 3, 5, 3), subsample=(2, 3))
    yield lambda: check((2, 3, 8, 9), (4, 3, 2, 1), border_mode=(1, 0))
    yield lambda: check((1, 1, 4, 4), (1, 1, 1, 1))


def test_more_images_than_are_worked_on_at_a_time():
    # 16 MiB hold two and a half of these images.
    for kernel in 1, 3:
        yield lambda size: check((7, 16, 200, 200), (24, 16, size, size),
                                 border_mode='half'), kernel


def test_no_images():
    with without_speedups():
        run = theano.function(*expressions('float32', None, (4, 3, 3, 3), {}))
    y, x_gradient, w_gradient = run(np.zeros((0, 3, 8, 8), 'float32'),
                                    np.ones((4, 3, 3, 3), 'float32'))
    eq_((y.shape, x_gradient.shape), ((0, 4, 6, 6), (0, 3, 8, 8)))
    eq_(abs(w_gradient).max(), 0)


def test_views_are_copied():
    with without_speedups():
        run = theano.function(*expressions('float32', None, (4, 3, 3, 3), {}))
    x = RNG.normal(size=(2, 8, 9, 3)).astype('float32').transpose(0, 3, 1, 2)
    w = RNG.normal(size=(4, 3, 3, 3)).astype('float32')[:, :, ::-1]
    for got, expected in zip(run(x, w), run(np.ascontiguousarray(x),
                                            np.ascontiguousarray(w))):
        assert_allclose(got, expected)


def compiled(rectify, *switched_off):
    x = T.tensor4()
    rng = np.random.RandomState(1)
    w = theano.shared(rng.normal(size=(16, 16, 3, 3)).astype('float32'))
    b = theano.shared(rng.normal(size=16).astype('float32'))
    y = T.nnet.conv2d(x, w, border_mode='half', filter_shape=(16, 16, 3, 3))
    y = y + b.dimshuffle('x', 0, 'x', 'x')
    if rectify:
        y = lasagne.nonlinearities.rectify(y)
    with without_speedups(*switched_off):
        return (theano.function([x], y),
                theano.function([x], T.grad((y ** 2).sum(), [x, w, b])))


def test_bias_and_rectifier_are_fused():
    image = RNG.normal(size=(2, 16, 6, 5)).astype('float32')
    for rectify in False, True:
        fast, slow = compiled(rectify), compiled(rectify, 'onednn')
        ops = [node.op for node in fast[0].maker.fgraph.toposort()]
        convolution, = [op for op in ops
                        if isinstance(op, onednn.Convolution)]
        eq_(convolution.rectify, rectify)
        ok_(not any(isinstance(op, T.Elemwise) for op in ops), ops)
        for got, expected in zip([fast[0](image)] + fast[1](image),
                                 [slow[0](image)] + slow[1](image)):
            assert_allclose(got, expected, rtol=0,
                            atol=1e-5 * abs(expected).max())


def test_what_it_cannot_do_is_left_to_theano():
    x, w = T.tensor4(), T.tensor4()
    with without_speedups():
        for output in (T.nnet.conv2d(x, w, filter_dilation=(2, 2)),
                       T.nnet.conv2d(x, w, border_mode='half'),
                       T.nnet.conv2d(x, w, num_groups=2),
                       T.nnet.conv2d(x, w, border_mode=((1, 0), (0, 1)))):
            run = theano.function([x, w], output)
            ok_('Convolution' not in ops_of(run))
    with without_speedups('onednn'):
        run = theano.function([x, w], T.nnet.conv2d(x, w))
    assert_in('CorrMM', ops_of(run))


def test_sizes_that_do_not_fit_are_refused():
    x, w = T.tensor4(), T.tensor4()
    with without_speedups():
        run = theano.function([x, w], T.nnet.conv2d(x, w))
    try:
        run(np.zeros((1, 2, 5, 5), 'float32'), np.zeros((1, 3, 3, 3),
                                                        'float32'))
    except ValueError as error:
        assert_in('(1, 2, 5, 5)', str(error))
    else:
        raise AssertionError('channels differ')


def test_threads():
    with without_speedups():
        x, w = T.tensor4(), T.tensor4()
        run = theano.function([x, w], T.nnet.conv2d(x, w, border_mode='half',
                                                    filter_shape=(16, 16, 3, 3)))
    batches = [RNG.normal(size=(2, 16, 20 + n, 20)).astype('float32')
               for n in range(4)]
    filters = RNG.normal(size=(16, 16, 3, 3)).astype('float32')
    expected = [run(batch, filters) for batch in batches]
    functions = [run.copy() for _ in batches]
    got = [[] for _ in batches]

    def work(number):
        for _ in range(20):
            result, = functions[number](batches[number], filters)
            got[number].append(result)

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


def test_version():
    ok_(onednn.onednn_version()[0] in '23')
