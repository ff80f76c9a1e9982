"""Colorizing photos of any size with stand-ins for the network."""

from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from colornet.color import as_uint8, join_channels, luminance, split_channels
from colornet.errors import ColornetError
from colornet.photos.colorizer import Colorizer, proportional_shape
from colornet.photos.pixels import resize
from colornet.photos.reading import read_rgb
from tests import tiny

PHOTOS = sorted(tiny.PHOTOS.glob('*.jpg'))
SIZE = 48


def photo(number=0):
    return np.array(Image.open(PHOTOS[number]))


def no_chroma(luminances):
    return np.zeros(luminances.shape + (2,), np.float32)


def constant(first, second):
    """A network that predicts one colour."""
    def predict_chroma(luminances):
        return np.broadcast_to(np.array([first, second], np.float32),
                               luminances.shape + (2,))
    return predict_chroma


def true_chroma(pixels, size=SIZE, color_space='luv'):
    """A network that knows the photo."""
    chroma = split_channels(resize(pixels, (size, size)), color_space)[1]
    return lambda luminances: chroma[np.newaxis]


def test_without_chroma_the_photo_stays_grey():
    for pixels in photo(), photo()[..., 1], photo()[:7, :5]:
        rgb = Colorizer(no_chroma, SIZE).colorize(pixels)
        eq_((rgb.shape, rgb.dtype), (pixels.shape[:2] + (3,), np.float32))
        assert_allclose(rgb[..., 0], rgb[..., 1], atol=2e-4)
        assert_allclose(rgb[..., 2], rgb[..., 1], atol=2e-4)
        assert_allclose(luminance(rgb), luminance(pixels), atol=.01)


def test_hints_colour_spots():
    pixels = np.full((96, 144), 128, np.uint8)
    colorizer = Colorizer(no_chroma, SIZE)
    rgb = as_uint8(colorizer.colorize(pixels, ['30,48=#b56a6a']))
    assert_allclose(rgb[48, 30].astype(int), (0xb5, 0x6a, 0x6a), atol=6)
    assert_array_equal(colorizer.colorize(pixels, []),
                       colorizer.colorize(pixels))
    for hints, words in ((['144,2=red'], '143,95'), (['1,2'], 'X,Y')):
        with assert_raises(ColornetError) as caught:
            colorizer.colorize(pixels, hints)
        assert_in(words, str(caught.exception))
    with assert_raises(ColornetError) as caught:
        Colorizer(no_chroma, SIZE, 'hsv').colorize(pixels, ['1,2=red'])
    assert_in('CIELUV', str(caught.exception))


def test_every_grey_level_comes_out_as_it_was():
    for dtype in np.uint8, np.uint16, np.float32:
        levels = np.arange(256).reshape(16, 16)
        pixels = (levels / 255. * (np.iinfo(dtype).max if dtype != np.float32
                                   else 1)).round(6).astype(dtype)
        rgb = Colorizer(no_chroma, SIZE).colorize(pixels)
        assert_array_equal(as_uint8(rgb), np.stack([levels] * 3, axis=-1))


def test_true_chroma_gives_the_photo_back():
    for number in range(len(PHOTOS)):
        pixels = photo(number)
        for color_space in 'luv', 'hsv':
            network = true_chroma(pixels, 96, color_space)
            rgb = Colorizer(network, 96, color_space).colorize(pixels)
            error = np.abs(rgb - pixels / 255.).mean()
            grey = Colorizer(no_chroma, 96, color_space).colorize(pixels)
            ok_(error < .02, error)
            ok_(error < np.abs(grey - pixels / 255.).mean() / 3)


def test_at_the_size_of_the_network_it_is_exact():
    pixels = resize(photo(), (SIZE, SIZE))
    rgb = Colorizer(true_chroma(pixels), SIZE).colorize(pixels)
    assert_allclose(rgb, pixels / 255., atol=2e-3)


def test_the_luminance_is_the_photos_own():
    pixels = photo()
    rgb = Colorizer(constant(6, 9), SIZE).colorize(pixels)
    shown = (rgb.min(axis=-1) > 0) & (rgb.max(axis=-1) < 1)  # not clipped
    ok_(shown.mean() > .8)
    assert_allclose(luminance(rgb)[shown], luminance(pixels)[shown], atol=.01)
    chroma = split_channels(rgb)[1][shown]
    assert_allclose(chroma, np.broadcast_to([6, 9], chroma.shape), atol=.01)


def test_the_network_sees_what_training_showed_it():
    for number, path in enumerate(PHOTOS):
        network = mock.Mock(side_effect=no_chroma)
        Colorizer(network, SIZE).colorize(photo(number))
        seen, = network.call_args[0]
        eq_((seen.shape, seen.dtype), ((1, SIZE, SIZE), np.float32))
        assert_array_equal(seen[0], luminance(read_rgb(path, SIZE)))


def test_any_size():
    for shape in [(1, 1), (1, 300), (300, 1), (2, 3), (224, 224), (500, 3)]:
        pixels = np.resize(photo(), shape + (3,))
        for each in pixels, pixels[..., 0]:
            rgb = Colorizer(constant(5, -5), SIZE).colorize(each)
            eq_(rgb.shape, shape + (3,))
            ok_(np.isfinite(rgb).all() and 0 <= rgb.min() <= rgb.max() <= 1)


def test_depths_agree():
    grey = photo()[..., 0]
    colorizer = Colorizer(constant(10, 20), SIZE)
    rgb = colorizer.colorize(grey)
    for same in (grey.astype(np.uint16) * 257, grey / 255.,
                 np.stack([grey] * 3, axis=-1)):
        assert_allclose(colorizer.colorize(same), rgb, atol=5e-4)


def test_16_bits_are_not_reduced_to_8():
    ramp = np.arange(1000, 1256, dtype=np.uint16).reshape(16, 16)
    rgb = Colorizer(no_chroma, SIZE).colorize(ramp)
    eq_(len(np.unique(rgb[..., 1])), 256)


def test_upscaling_is_in_place():
    # Left half one colour, right half another: the border must stay put.
    chroma = np.zeros((1, SIZE, SIZE, 2), np.float32)
    chroma[:, :, :SIZE // 2, 0] = 30
    chroma[:, :SIZE // 4, :, 1] = -30
    rgb = Colorizer(no_chroma, SIZE).join(
        np.full((960, 480), 140, np.uint8), chroma[0])
    first, second = np.moveaxis(split_channels(rgb)[1], -1, 0)
    assert_allclose(first[600, [100, 239, 240, 380]], [30, 15, 15, 0], atol=2)
    assert_allclose(second[[100, 239, 240, 600], 400], [-30, -15, -15, 0],
                    atol=2)


def test_strips_show_no_seams():
    pixels = photo()
    colorizer = Colorizer(true_chroma(pixels), SIZE)
    whole = colorizer.colorize(pixels)
    for strip in 1, 1000, 3333:
        with mock.patch('colornet.photos.colorizer._STRIP_PIXELS', strip):
            assert_allclose(colorizer.colorize(pixels), whole, atol=1e-3)


def test_hue_is_interpolated_around_the_circle():
    # Reds on both sides of hue 0; straight between them lies cyan.
    chroma = np.ones((1, SIZE, SIZE, 2), np.float32)
    chroma[:, :, :SIZE // 2, 0] = .95
    chroma[:, :, SIZE // 2:, 0] = .05
    rgb = Colorizer(lambda luminances: chroma, SIZE, 'hsv').colorize(
        np.full((200, 400), 200, np.uint8))
    eq_(rgb.argmax(axis=-1).max(), 0)  # red everywhere


def test_a_batch_is_each_photo_alone():
    # A network whose colours depend on the photo.
    def network(luminances):
        return np.stack([luminances - 50, 50 - luminances], axis=-1) / 2

    photos = [photo(0), photo(1)[..., 0], photo(2)[:30].astype(np.uint16)]
    colorizer = Colorizer(network, SIZE)
    for together, pixels in zip(colorizer.colorize_batch(photos), photos):
        assert_array_equal(together, colorizer.colorize(pixels))


def test_uint8_is_the_rounded_result():
    pixels = photo()
    colorizer = Colorizer(constant(10, 20), SIZE)
    chroma, = colorizer.predict([pixels])
    eight = colorizer.join(pixels, chroma, np.uint8)
    eq_(eight.dtype, np.uint8)
    # The former computes in float64, which rounds less.
    differences = np.abs(eight.astype(int) -
                         as_uint8(colorizer.join(pixels, chroma)))
    ok_(differences.max() <= 1)
    ok_(differences.any(axis=-1).mean() < 1e-3)


def test_what_cannot_be_joined_is_refused():
    grey, colorizer = photo()[..., 0], Colorizer(no_chroma, SIZE)
    grey = as_uint8(grey)
    chroma = np.ones((3, 3, 2))
    for pixels, colours, dtype, words in [
            (grey, chroma, np.int32, 'uint8, uint16 or floating'),
            (grey, chroma, bool, 'uint8, uint16 or floating'),
            (grey, chroma, 'bytes8', 'bytes8'),
            (grey, np.ones((3, 3, 5)), np.uint8, '(3, 3, 5)'),
            (grey, np.ones((3, 2)), np.uint8, '(3, 2)'),
            (grey, np.ones((0, 3, 2)), np.uint8, '(0, 3, 2)'),
            (grey, 'red', np.uint8, 'str'),
            (grey.astype(int), chroma, np.uint8, 'int64'),
            (np.uint8([[[1, 2]]]), chroma, np.uint8, '(1, 1, 2)')]:
        with assert_raises(ColornetError) as caught:
            colorizer.join(pixels, colours, dtype)
        assert_in(words, str(caught.exception))
    swapped = colorizer.join(grey, chroma, '>u2')
    assert_array_equal(swapped, colorizer.join(grey, chroma, np.uint16))
    ok_(swapped.any())


def test_join_is_join_channels():
    pixels = resize(photo(), (SIZE, SIZE))
    chroma = no_chroma(pixels[..., 0]) + np.float32([25, -10])
    assert_allclose(Colorizer(no_chroma, SIZE).join(pixels, chroma),
                    join_channels(luminance(pixels), chroma), atol=1e-4)


def test_what_is_no_photo_is_refused():
    colorizer = Colorizer(no_chroma, SIZE)
    for pixels, words in [
            (np.zeros((5, 5, 4), np.uint8), '(5, 5, 4)'),
            (np.zeros((5, 5, 1), np.uint8), '(5, 5, 1)'),
            (np.zeros(5, np.uint8), '(5,)'),
            (np.zeros((0, 5), np.uint8), '(0, 5)'),
            (np.zeros((5, 5), np.int64), 'int64'),
            (np.zeros((5, 5), bool), 'bool'),
            (np.full((5, 5), 255.), '[0, 1]'),
            (np.full((5, 5), -.1), '[0, 1]'),
            (np.full((5, 5), np.nan), '[0, 1]')]:
        with assert_raises(ColornetError) as caught:
            colorizer.colorize(pixels)
        assert_in(words, str(caught.exception))


def test_predictions_of_any_resolution_are_enlarged_to_the_photo():
    pixels = photo()
    chroma = split_channels(resize(pixels, (12, 24)))[1]
    rgb = Colorizer(lambda luminances: chroma[np.newaxis], SIZE).colorize(
        pixels)
    plane = Image.fromarray(np.ascontiguousarray(chroma[..., 0]))
    enlarged = np.array(plane.resize(pixels.shape[1::-1], Image.BICUBIC))
    shown = (rgb.min(axis=-1) > .01) & (rgb.max(axis=-1) < .99)
    ok_(shown.mean() > .8)
    assert_allclose(split_channels(rgb)[1][shown][:, 0], enlarged[shown],
                    atol=.05)


def test_shapes_that_keep_proportions():
    for shape, size, expected in [
            ((480, 640), 224, (224, 296)), ((640, 480), 224, (296, 224)),
            ((500, 500), 224, (224, 224)), ((500, 503), 224, (224, 224)),
            ((1000, 1017), 224, (224, 224)), ((1000, 1018), 224, (224, 232)),
            ((1, 1), 112, (112, 112)), ((1, 300), 112, (112, 336)),
            ((300, 1), 112, (336, 112)), ((100, 301), 64, (64, 192)),
            ((100, 299), 64, (64, 192))]:
        eq_(proportional_shape(shape, size), expected)


def test_photos_that_keep_their_proportions():
    def network(luminances):
        seen.append(luminances)
        return np.stack([luminances - 50, 50 - luminances], axis=-1) / 2

    photos = [photo()[:64, :96], photo(1)[:96, :64], photo(2)[:32, :48, 0],
              photo()[:48, :48]]
    colorizer = Colorizer(network, SIZE, proportions='keep')
    seen = []
    chroma = colorizer.predict(photos)
    eq_([one.shape for one in chroma], [(48, 72, 2), (72, 48, 2), (48, 72, 2),
                                        (48, 48, 2)])
    eq_(sorted(batch.shape for batch in seen),
        [(1, 48, 48), (1, 72, 48), (2, 48, 72)])
    for one, pixels in zip(chroma, photos):
        expected = luminance(resize(pixels, one.shape[:2]))
        assert_allclose(one[..., 0], (expected - 50) / 2, atol=1e-5)
    for together, pixels in zip(colorizer.colorize_batch(photos), photos):
        eq_(together.shape, pixels.shape[:2] + (3,))
        assert_array_equal(together, colorizer.colorize(pixels))
    # Alike: one array, as without proportions.
    eq_(colorizer.predict(photos[::2]).shape, (2, 48, 72, 2))
    eq_(Colorizer(network, SIZE).predict(photos).shape, (4, 48, 48, 2))


def test_unknown_proportions_are_refused():
    with assert_raises(ColornetError):
        Colorizer(no_chroma, SIZE, proportions='stretch')


def test_unknown_color_space_is_refused():
    with assert_raises(ColornetError):
        Colorizer(no_chroma, SIZE, 'lab')


def test_a_broken_network_is_not_hidden():
    with assert_raises(ValueError) as caught:
        Colorizer(lambda luminances: np.zeros((1, 2, SIZE, SIZE)),
                  SIZE).colorize(photo())
    assert_in('(1, 2, 48, 48)', str(caught.exception))
    with assert_raises(ColornetError) as caught:
        Colorizer(constant(np.nan, 0), SIZE).colorize(photo())
    assert_in('not finite', str(caught.exception))


def test_shadows_stay_dark_whatever_the_network_says():
    shadow = photo()[..., 1] // 12
    for chroma in (-80, -100), (-60, 20), (90, -90), (60, 90):
        def network(luminances):
            return np.broadcast_to(np.float32(chroma),
                                   luminances.shape + (2,))
        for dtype in np.uint8, np.uint16, np.float32:
            colorizer = Colorizer(network, 32)
            rgb = colorizer.join(shadow, colorizer.predict([shadow])[0],
                                 dtype)
            difference = luminance(rgb) - luminance(shadow)
            ok_(np.abs(difference).max() < 10, (chroma, np.abs(
                difference).max()))
