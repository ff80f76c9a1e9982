"""Layers in bfloat16, held against float32 on numbers that both have."""

import resource
from unittest import SkipTest

import numpy as np
import scipy.ndimage
from nose.tools import assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.engine import bfloat16
from colornet.engine.convolvers import bfloat16_status
from colornet.engine.native import library_status
from tests.engine.checks import rounded


def setup_module():
    reason = library_status('bfloat16') or bfloat16_status()
    if reason:
        raise SkipTest(reason)


def small_integers(*shape, seed=0, most=2):
    """Numbers whose sums, too, have no more than 8 bits."""
    random = np.random.RandomState(seed)
    return random.randint(-most, most + 1, shape).astype(np.float32) * (
        random.rand(*shape) < 0.4)


def convolve(maps, filters, padding):
    """The obvious way; channels last, filters not flipped."""
    maps = np.pad(maps, [(0, 0)] + [(size, size) for size in padding] +
                  [(0, 0)])
    return np.stack([sum(scipy.ndimage.correlate(
        image, filter.transpose(1, 2, 0), mode='constant')[
            filter.shape[1] // 2:, filter.shape[2] // 2:][
                :image.shape[0] - filter.shape[1] + 1,
                :image.shape[1] - filter.shape[2] + 1,
                filter.shape[0] // 2] for image in [maps[0]])
        for filter in filters], axis=-1)[None]


def upscaled(maps, scale):
    return maps.repeat(scale, axis=1).repeat(scale, axis=2)


def test_rounding():
    values = np.float32([0, -0., 1, -1.5, 1 + 2 ** -8, 1 + 3 * 2 ** -8,
                         1 + 2 ** -8 + 2 ** -20, 3.3e38, 3.4e38, 1e-40,
                         np.inf, -np.inf])
    assert_array_equal(bfloat16.widen(bfloat16.narrow(values)),
                       rounded(values))
    eq_(bfloat16.widen(bfloat16.narrow(values[4:6])).tolist(),
        [1, 1 + 2 ** -6])
    bits = np.array([0x7fffffff, 0x7f800001, 0xffffffff], np.uint32)
    ok_(np.isnan(bfloat16.widen(bfloat16.narrow(
        bits.view(np.float32)))).all())
    random = np.random.RandomState(0).randn(3, 5, 7).astype(np.float32)
    assert_array_equal(bfloat16.widen(bfloat16.narrow(random)),
                       rounded(random))


def check_convolution(size, padding, rectify, wide):
    maps = small_integers(1, 6, 9, 32)
    filters = small_integers(24, 32, *size, seed=1)
    bias = small_integers(24, seed=2)
    layer = bfloat16.Convolution(filters, bias, padding, wide)
    layer.rectify = rectify
    expected = convolve(maps, filters, layer.padding) + bias
    ok_(abs(expected).max() < 256)
    for _ in range(2):
        got = layer(bfloat16.narrow(maps))
        eq_(got.dtype, np.float32 if wide else np.uint16)
        assert_array_equal(got if wide else bfloat16.widen(got),
                           np.maximum(expected, 0) if rectify else expected)


def test_convolution():
    for size in (1, 1), (3, 3), (2, 2), (2, 1):
        for padding in None, (1, 0):
            yield check_convolution, size, padding, size == (3, 3), False
    yield check_convolution, (3, 3), None, False, True


def test_a_convolution_of_several_shapes():
    filters = small_integers(16, 16, 3, 3)
    layer = bfloat16.Convolution(filters)
    for batch, rows, columns in (1, 8, 8), (2, 4, 12), (1, 8, 8):
        maps = small_integers(batch, rows, columns, 16, seed=rows)
        got = bfloat16.widen(layer(bfloat16.narrow(maps)))
        for image, one in zip(maps, got):
            assert_array_equal(one, convolve(image[None], filters,
                                             (1, 1))[0])


def resident_memory():
    """Of this process, in bytes."""
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def test_filters_are_kept_once():
    maps = np.zeros((1, 8, 8, 512), np.uint16)
    layers, num_filters = [], 8 * 512 * 512 * 9

    def add_layer():
        layers.append(bfloat16.Convolution(small_integers(512, 512, 3, 3)))
        layers[-1](maps)
    add_layer()  # All else that is needed comes with the first one.
    before = resident_memory()
    for _ in range(8):
        add_layer()
    grown = resident_memory() - before
    # In two bytes each, and what is freed may stay with the process; float32,
    # twice, would be ten.
    ok_(grown < 6 * num_filters, grown / num_filters)


def test_sums_are_float32_and_results_rounded():
    random = np.random.RandomState(3)
    maps = random.randn(1, 7, 8, 64).astype(np.float32)
    filters = random.randn(16, 64, 3, 3).astype(np.float32)
    exact = convolve(rounded(maps).astype(np.float64),
                     rounded(filters).astype(np.float64), (1, 1))
    wide = bfloat16.Convolution(filters, wide=True)(bfloat16.narrow(maps))
    assert_allclose(wide, exact, rtol=1e-4, atol=1e-4)
    got = bfloat16.widen(bfloat16.Convolution(filters)(bfloat16.narrow(maps)))
    assert_allclose(got, exact, rtol=2 ** -8, atol=1e-4)
    ok_(abs(wide - convolve(maps, filters, (1, 1))).max() > 1e-3)


def test_convolutions_refuse_what_does_not_fit():
    layer = bfloat16.Convolution(np.ones((4, 8, 3, 3), np.float32))
    for maps in (np.zeros((1, 5, 5, 7), np.uint16),
                 np.zeros((1, 5, 5, 8), np.float32)):
        assert_raises(ValueError, layer, maps)


def check_stack(scales, rectify):
    maps = [small_integers(1, 16 // scale, 32 // scale, 4, seed=scale)
            for scale in scales]
    filters = [small_integers(8, 4, 3, 3, seed=number)
               for number in range(len(scales))]
    bias = small_integers(8, seed=9)
    layer = bfloat16.UpscaledStack(filters, scales, bias)
    layer.rectify = rectify
    expected = bias + sum(
        convolve(upscaled(one, scale), kernels, (1, 1))
        for one, scale, kernels in zip(maps, scales, filters))
    ok_(abs(expected).max() < 128)
    got = bfloat16.widen(layer([bfloat16.narrow(one) for one in maps]))
    assert_array_equal(got, np.maximum(expected, 0) if rectify else expected)


def test_stack_of_upscaled_maps():
    yield check_stack, [8, 4, 2, 1], True
    yield check_stack, [4, 2, 1, 1], False
    yield check_stack, [16, 8, 4, 2], True
    yield check_stack, [2, 1], False


def test_stacks_refuse_what_does_not_fit():
    layer = bfloat16.UpscaledStack(
        [np.ones((8, 4, 3, 3), np.float32)] * 2, [2, 1], np.zeros(8))
    for rows in 5, 3:
        assert_raises(ValueError, layer, [
            np.zeros((1, rows, 4, 4), np.uint16),
            np.zeros((1, 8, 8, 4), np.uint16)])


def test_max_pool():
    maps = small_integers(2, 5, 7, 6, most=100)
    for partial in False, True:
        padded = np.pad(maps, [(0, 0), (0, 1), (0, 1), (0, 0)],
                        constant_values=-np.inf)
        expected = padded.reshape(2, 3, 2, 4, 2, 6).max(axis=(2, 4))
        if not partial:
            expected = expected[:, :2, :3]
        assert_array_equal(bfloat16.widen(bfloat16.max_pool(
            bfloat16.narrow(maps), partial)), expected)


def test_what_is_no_number_stays_none():
    for place in range(4):
        maps = small_integers(1, 2, 2, 40)
        maps.reshape(4, 40)[place, 3] = np.nan
        pooled = bfloat16.widen(bfloat16.max_pool(bfloat16.narrow(maps)))
        eq_(np.flatnonzero(np.isnan(pooled)).tolist(), [3])
    bias = np.zeros(8, np.float32)
    bias[2] = np.nan
    layer = bfloat16.UpscaledStack([np.ones((8, 4, 3, 3), np.float32)], [2],
                                   bias)
    layer.rectify = True
    got = bfloat16.widen(layer([np.zeros((1, 2, 2, 4), np.uint16)]))
    ok_(np.isnan(got[..., 2]).all())
    eq_(np.delete(got, 2, axis=3).any(), False)


def test_mean_pool():
    maps = small_integers(2, 8, 12, 5, most=4)
    for scale in 2, 4:
        expected = maps.reshape(2, 8 // scale, scale, 12 // scale, scale,
                                5).mean(axis=(2, 4))
        assert_array_equal(bfloat16.widen(bfloat16.mean_pool(
            bfloat16.narrow(maps), scale)), expected)
    assert_raises(ValueError, bfloat16.mean_pool, bfloat16.narrow(maps), 3)


def test_total():
    first, second = (small_integers(2, 4, 6, 5, most=9),
                     small_integers(2, 3, 3, 5, seed=1, most=9))
    factors = np.float32([1, -2, 0.5, 4, 0])
    vectors = small_integers(2, 5, seed=2, most=9)
    got = bfloat16.total([bfloat16.narrow(first), bfloat16.narrow(second)],
                         [1, 2], [None, factors], vectors, (4, 6))
    assert_array_equal(
        bfloat16.widen(got), first + factors * upscaled(second, 2)[:, :4] +
        vectors[:, None, None])
    for shape in (5, 6), (4, 7):
        assert_raises(ValueError, bfloat16.total, [bfloat16.narrow(first)],
                      [1], [None], vectors, shape)
