"""Colours against published values, skimage and loops; bins against loops."""

import colorsys
import pathlib

import numpy as np
import skimage.color
from nose.tools import assert_raises, eq_
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from colornet.color import (COLOR_SPACES, NUM_BINS, as_float_rgb, as_uint8,
                            bin_channel, get_color_space, join_channels,
                            luminance, saturation, split_channels,
                            unbin_channel)
from colornet.errors import ColornetError

PHOTOS = sorted((pathlib.Path(__file__).parent / 'free_photos').glob('*.jpg'))

# CIELUV of sRGB colours, D65, 2 degrees: Lindbloom's CIE colour calculator.
PUBLISHED_LUV = [
    ((255, 0, 0), (53.24, 175.01, 37.75)),
    ((0, 255, 0), (87.73, -83.08, 107.40)),
    ((0, 0, 255), (32.30, -9.40, -130.34)),
    ((255, 255, 0), (97.14, 7.71, 106.79)),
    ((0, 255, 255), (91.11, -70.48, -15.20)),
    ((255, 0, 255), (60.32, 84.07, -108.68)),
    ((255, 255, 255), (100., 0., 0.)),
    ((119, 119, 119), (50.03, 0., 0.)),
    ((0, 0, 0), (0., 0., 0.)),
]


def read(path):
    return np.asarray(Image.open(path).convert('RGB'))


def random_rgb(*shape):
    return np.random.RandomState(0).randint(0, 256, shape + (3,), np.uint8)


def luv_by_definition(red, green, blue):
    """CIELUV of one sRGB colour in [0, 1] (IEC 61966-2-1, CIE 15)."""
    def xyz(*rgb):
        r, g, b = [((value + 0.055) / 1.055) ** 2.4 if value > 0.04045
                   else value / 12.92 for value in rgb]
        return (0.4124 * r + 0.3576 * g + 0.1805 * b,
                0.2126 * r + 0.7152 * g + 0.0722 * b,
                0.0193 * r + 0.1192 * g + 0.9505 * b)

    def uv_prime(x, y, z):
        return 4 * x / (x + 15 * y + 3 * z), 9 * y / (x + 15 * y + 3 * z)
    color = xyz(red, green, blue)
    y = color[1]
    lightness = (116 * y ** (1 / 3.) - 16 if y > (6 / 29.) ** 3
                 else (29 / 3.) ** 3 * y)
    if y == 0:
        return 0, 0, 0
    white = uv_prime(*xyz(1, 1, 1))
    return (lightness,) + tuple(
        13 * lightness * (value - reference)
        for value, reference in zip(uv_prime(*color), white))


def test_published_luv():
    rgb = np.array([[color for color, _ in PUBLISHED_LUV]], np.uint8)
    expected = np.array([luv for _, luv in PUBLISHED_LUV])
    lightness, chroma = split_channels(rgb)
    assert_allclose(lightness[0], expected[:, 0], atol=0.02)
    assert_allclose(chroma[0], expected[:, 1:], atol=0.02)
    back = join_channels(expected[:, 0][None], expected[:, 1:][None])
    assert_allclose(back, rgb / 255., atol=0.002)


def test_luv_by_definition():
    rgb = random_rgb(4, 25)
    rgb[0, :5] //= 40  # L is linear near black.
    lightness, chroma = split_channels(rgb)
    for row, column in np.ndindex(4, 25):
        expected = luv_by_definition(*(rgb[row, column] / 255.))
        assert_allclose(lightness[row, column], expected[0], atol=0.02)
        assert_allclose(chroma[row, column], expected[1:], atol=0.1)


def test_hsv_by_colorsys():
    rgb = random_rgb(4, 25)
    value, chroma = split_channels(rgb, 'hsv')
    for row, column in np.ndindex(4, 25):
        hsv = colorsys.rgb_to_hsv(*(rgb[row, column] / 255.))
        assert_allclose(chroma[row, column], hsv[:2], atol=1e-5)
        assert_allclose(value[row, column], hsv[2], atol=1e-5)


def check_round_trip(path, color_space):
    rgb = read(path)
    light, chroma = split_channels(rgb, color_space)
    eq_((light.shape, chroma.shape), (rgb.shape[:2], rgb.shape[:2] + (2,)))
    eq_((light.dtype, chroma.dtype), (np.float32, np.float32))
    back = join_channels(light, chroma, color_space)
    eq_(back.dtype, np.float32)
    assert_allclose(back * 255, rgb, atol=0.01)


def test_photos_survive_a_round_trip():
    assert PHOTOS
    for path in PHOTOS:
        for color_space in COLOR_SPACES:
            yield check_round_trip, path, color_space


def check_dtypes(color_space):
    rgb = random_rgb(5, 6)
    expected = split_channels(rgb, color_space)
    for same in (rgb * np.uint16(257), rgb / 255.,
                 np.float32(rgb) / np.float32(255)):
        light, chroma = split_channels(same, color_space)
        eq_((light.dtype, chroma.dtype), (np.float32, np.float32))
        assert_allclose(light, expected[0], atol=1e-3)
        assert_allclose(chroma, expected[1], atol=1e-3)


def check_batches(color_space):
    rgb = random_rgb(2, 3, 4, 5)
    light, chroma = split_channels(rgb, color_space)
    eq_((light.shape, chroma.shape), ((2, 3, 4, 5), (2, 3, 4, 5, 2)))
    joined = join_channels(light, chroma, color_space)
    for index in np.ndindex(2, 3):
        one_light, one_chroma = split_channels(rgb[index], color_space)
        assert_allclose(light[index], one_light, atol=1e-5)
        assert_allclose(chroma[index], one_chroma, atol=1e-5)
        assert_allclose(joined[index], rgb[index] / 255., atol=1e-4)


def test_dtypes_and_batches():
    for color_space in COLOR_SPACES:
        yield check_dtypes, color_space
        yield check_batches, color_space


def test_other_dtypes_are_refused():
    for dtype in (np.int64, np.uint32, bool):
        for function in as_float_rgb, as_uint8:
            with assert_raises(ColornetError) as caught:
                function(np.zeros((2, 2, 3), dtype))
            eq_(str(caught.exception), 'pixels must be uint8, uint16 or '
                'floating point, not %s' % np.dtype(dtype))


def test_full_scale_is_one():
    for pixels in (np.uint8([0, 255]), np.uint16([0, 65535]),
                   np.float64([0, 1])):
        assert_array_equal(as_float_rgb(pixels), np.float32([0, 1]))


def test_as_uint8():
    eight = np.arange(256, dtype=np.uint8)
    assert_array_equal(as_uint8(eight), eight)
    assert_array_equal(as_uint8(eight.astype(np.uint16) * 257), eight)
    assert_array_equal(as_uint8(eight / np.float32(255)), eight)
    assert_array_equal(as_uint8(np.array([-.1, 1.1])), [0, 255])
    deep = np.arange(65536)
    assert_array_equal(as_uint8(deep.astype(np.uint16)),
                       np.round(deep / 257.))


def test_unknown_color_spaces_are_refused():
    for name in ('lab', 'LUV', ''):
        with assert_raises(ColornetError) as caught:
            get_color_space(name)
        assert 'hsv, luv' in str(caught.exception)
        with assert_raises(ColornetError):
            split_channels(random_rgb(2, 2), name)
        with assert_raises(ColornetError):
            luminance(np.zeros((2, 2)), name)


def test_colors_outside_srgb_are_clipped():
    light = np.float32([[50, 50, 100, 0]])
    chroma = np.float32([[[180, 180], [-180, -180], [-50, 40], [90, 90]]])
    rgb = join_channels(light, chroma)
    assert rgb.min() >= 0 and rgb.max() <= 1, rgb
    rgb = join_channels([[0.5, 2]], [[[-0.2, 1.5], [0.3, 0]]], 'hsv')
    # Hue 0 is red.
    assert_allclose(rgb, [[[0.5, 0, 0], [1, 1, 1]]], atol=1e-6)


def check_grey(dtype, color_space):
    limit = np.iinfo(dtype).max
    grey = np.linspace(0, limit, 256).astype(dtype)[None]
    for pixels in (grey, grey / limit):
        got = luminance(pixels, color_space)
        eq_((got.shape, got.dtype), (grey.shape, np.float32))
        expected = split_channels(np.dstack([pixels] * 3), color_space)[0]
        assert_allclose(got, expected, atol=1e-4)


def test_grey_luminance_is_that_of_equal_channels():
    for dtype in (np.uint8, np.uint16):
        for color_space in COLOR_SPACES:
            yield check_grey, dtype, color_space


def test_luminance_of_color_is_the_first_channel():
    rgb = read(PHOTOS[0])
    assert_allclose(luminance(rgb), split_channels(rgb)[0], atol=5e-5)
    assert_array_equal(luminance(rgb, 'hsv'), as_float_rgb(rgb).max(axis=2))


def test_saturation_is_skimages():
    for path in PHOTOS:
        rgb = read(path)
        assert_allclose(saturation(rgb), skimage.color.rgb2hsv(rgb)[..., 1],
                        atol=1e-5)
    black_white_red = np.uint8([[[0, 0, 0], [255, 255, 255], [9, 0, 0]]])
    assert_array_equal(saturation(black_white_red), np.float32([[0, 0, 1]]))


def test_the_bins_of_the_paper():
    eq_(get_color_space('luv').limits, (-100, 100))
    eq_(NUM_BINS, 50)
    assert_array_equal(bin_channel([-100, -96.1, -95.9, 0, 3.9, 99.9]),
                       [0, 0, 1, 25, 25, 49])


def bin_by_counting(value, num_bins, low, high):
    """The number of inner edges at or below a value."""
    edges = [low + (high - low) * number / num_bins
             for number in range(1, num_bins)]
    return sum(value >= edge for edge in edges)


def test_bins_by_counting():
    random = np.random.RandomState(0)
    for num_bins, low, high in [(50, -100, 100), (7, -1.5, 2), (50, 0, 1),
                                (1, 0, 1)]:
        values = random.uniform(low - 1, high + 1, (10, 20))
        got = bin_channel(values, num_bins, (low, high))
        eq_((got.shape, got.dtype), (values.shape, np.int32))
        assert_array_equal(
            got, np.vectorize(bin_by_counting)(values, num_bins, low, high))


def test_bins_are_half_open():
    edges = np.linspace(-100, 100, 51)
    assert_array_equal(bin_channel(edges), list(range(50)) + [49])
    below = edges - 1e-9
    assert_array_equal(bin_channel(below), [0] + list(range(50)))


def test_float32_values_just_below_an_edge():
    edges = np.float32([-96, -52, -4, 4, 52, 100])
    assert_array_equal(bin_channel(np.nextafter(edges, np.float32(-200))),
                       bin_channel(edges - 1))


def test_values_beyond_the_limits_fall_in_the_end_bins():
    assert_array_equal(bin_channel([-100.1, -134, -1e30, 100.1, 175, 1e30]),
                       [0, 0, 0, 49, 49, 49])


def test_values_that_are_not_finite_are_refused():
    for value in (np.nan, np.inf, -np.inf):
        with assert_raises(ValueError):
            bin_channel(np.float32([0, value]))


def test_impossible_bins_are_refused():
    for num_bins, limits in [(0, (0, 1)), (-1, (0, 1)), (5, (1, 1)),
                             (5, (1, 0)), (5, (0, np.nan))]:
        with assert_raises(ValueError):
            bin_channel([0.5], num_bins, limits)


def test_unbinning_gives_the_centres():
    got = unbin_channel(np.array([[0, 1], [25, 49]], np.int32))
    eq_(got.dtype, np.float32)
    assert_array_equal(got, [[-98, -94], [2, 98]])
    assert_allclose(unbin_channel([0, 3], 4, (0, 1)), [0.125, 0.875])


def test_binning_moves_values_by_half_a_bin_at_most():
    values = np.random.RandomState(0).uniform(-100, 100, 1000)
    moved = unbin_channel(bin_channel(values)) - values
    assert 1.9 < abs(moved).max() <= 2 + 1e-5
    for space in COLOR_SPACES.values():
        bins = np.arange(50)
        assert_array_equal(bins, bin_channel(
            unbin_channel(bins, 50, space.limits), 50, space.limits))
