"""CIELUV by tables against scikit-image in float64."""

import numpy as np
import skimage.color
from nose.tools import eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from colornet import luv
from colornet.color import as_uint8, join_channels, luminance, split_channels
from tests import tiny

PHOTOS = sorted(tiny.PHOTOS.glob('*.jpg'))


def bytes_of_skimage(light, chroma):
    """What scikit-image makes of CIELUV in float64, rounded."""
    rgb = skimage.color.luv2rgb(np.dstack([light, chroma]).astype(np.float64))
    return (rgb.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def random_chroma(shape, size=60.):
    return np.random.RandomState(0).uniform(
        -size, size, shape + (2,)).astype(np.float32)


def test_luminance_is_skimages():
    rgb = np.random.RandomState(1).randint(0, 256, (300, 200, 3), np.uint8)
    rgb[:100] //= 16  # L is linear near black.
    expected = skimage.color.rgb2luv(rgb / 255.)[..., 0]
    assert_allclose(luv.luminance_of_bytes(rgb, np.float64), expected,
                    rtol=1e-13, atol=1e-12)
    got = luv.luminance_of_bytes(rgb)
    eq_(got.dtype, np.float32)
    assert_array_equal(got, expected.astype(np.float32))


def test_luminance_of_any_layout():
    rgb = np.array(Image.open(PHOTOS[0]))
    whole = luv.luminance_of_bytes(rgb)
    for part in np.s_[:, ::-1], np.s_[3:7, 2:9], np.s_[:0]:
        assert_array_equal(luv.luminance_of_bytes(rgb[part]), whole[part])


def test_pixels_are_skimages_to_the_last_bit():
    for path in PHOTOS:
        pixels = np.array(Image.open(path))
        light = luminance(pixels, dtype=np.float64)
        for size in 20., 150.:  # The latter is beyond sRGB in places.
            chroma = random_chroma(light.shape, size)
            assert_array_equal(
                luv.join_to_bytes(light, chroma[..., 0], chroma[..., 1]),
                bytes_of_skimage(light, chroma))


def test_pixels_are_those_of_float32_nearly():
    # What float32 rounds, flips a byte by one in some 1e-4 of the pixels.
    pixels = np.array(Image.open(PHOTOS[0]))
    light = luminance(pixels)
    chroma = random_chroma(light.shape)
    got = luv.join_to_bytes(light, chroma[..., 0], chroma[..., 1])
    other = as_uint8(join_channels(light, chroma))
    differences = np.abs(got.astype(int) - other)
    ok_(differences.max() <= 1)
    ok_(differences.any(axis=-1).mean() < 1e-3)


def test_each_byte_begins_where_it_is_rounded_to():
    cells, edges = luv._byte_table()
    eq_((cells[0], cells[-1], len(np.unique(cells))), (0, 255, 256))
    # No cell has two edges: the next one is beyond the next cell's begin.
    steps = np.diff(cells.astype(int))
    eq_((steps.min(), steps.max()), (0, 1))
    # The matrices' white is not quite that of the formulas.
    grey = np.arange(256)[np.newaxis]
    for shift in -0.45, 0.45:
        levels = (grey + shift).clip(0, 255) / 255.
        light = skimage.color.rgb2luv(np.dstack([levels] * 3))[..., 0]
        zero = np.zeros_like(light)
        rgb = luv.join_to_bytes(light, zero, zero)
        assert_array_equal(rgb, np.dstack([grey] * 3))


def test_without_light_all_is_black():
    light = np.zeros((1, 4))
    chroma = np.array([[0, 50, -50, 9]])
    eq_(luv.join_to_bytes(light, chroma, chroma).max(), 0)
    # v' of zero, where the formulas divide by it.
    b_of_l = luv._coefficients()[0]
    rgb = luv.join_to_bytes(np.full((1, 1), 50.), np.zeros((1, 1)),
                            np.full((1, 1), -50 * b_of_l))
    eq_((rgb.shape, rgb.dtype), ((1, 1, 3), np.uint8))


def test_blocks_show_no_seams():
    light = np.tile(luminance(np.array(Image.open(PHOTOS[0]))), (3, 1))
    ok_(light.size > luv._BLOCK)
    chroma = random_chroma(light.shape)
    whole = luv.join_to_bytes(light, chroma[..., 0], chroma[..., 1])
    for row in 0, 7, len(light) - 1:
        assert_array_equal(luv.join_to_bytes(
            light[row], chroma[row, :, 0], chroma[row, :, 1]), whole[row])


def test_chrominance_that_there_cannot_be():
    random = np.random.RandomState(5)
    light = random.rand(40, 50) * 100
    chroma = (random.randn(40, 50, 2) * 60).astype(np.float32)
    before = chroma.copy()
    limited = luv.limit_chroma(light, chroma)
    assert_array_equal(chroma, before)
    eq_((limited.shape, limited.dtype), (chroma.shape, np.float32))
    # As its definition: along a line to grey, u' and v' of the primaries.
    white, low, high = np.float64([[.19784, .46834], [.12500, .15787],
                                   [.45070, .56250]])
    place = chroma / (13 * light[..., None]) + white
    bounds = np.where(place < white, low, high)
    share = np.where((place < low) | (place > high),
                     (bounds - white) / (place - white), 1).min(axis=-1)
    assert_allclose(limited, chroma * share[..., None], rtol=1e-3, atol=1e-3)
    ok_(.1 < (share < 1).mean() < .9)
    # What is within is as it was, to the bit.
    assert_array_equal(limited[share == 1], chroma[share == 1])
    # Nor are colours of photos changed.
    rgb = random.randint(0, 256, (9, 40, 3)).astype(np.uint8)
    light, chroma = split_channels(rgb)
    assert_allclose(luv.limit_chroma(light, chroma), chroma, atol=.02)
    assert_array_equal(luv.limit_chroma(np.zeros((1, 1)), np.ones(
        (1, 1, 2), np.float32)), np.zeros((1, 1, 2)))
