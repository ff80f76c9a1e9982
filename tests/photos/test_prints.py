"""Borders of prints: found, left out and left neutral."""

import numpy as np
from nose.tools import assert_raises, eq_, ok_
from numpy.testing import assert_array_equal

from colornet.errors import ColornetError
from colornet.photos.colorizer import Colorizer
from colornet.photos.prints import find_picture, is_even, stretch_tones
from tests.photos.colouring import warm
from tests.photos.samples import grey, photo

EVERYTHING = slice(0, 96), slice(0, 128)


def bordered(level, top, bottom, left, right, picture=None, noise=0):
    """The photo with a border, grey."""
    picture = np.array(grey()) if picture is None else picture
    rows, columns = picture.shape[:2]
    pixels = np.full((rows + top + bottom, columns + left + right), level,
                     np.uint8)
    if noise:
        dust = np.random.RandomState(1).randint(-noise, noise + 1,
                                                pixels.shape)
        pixels = (pixels + dust).clip(0, 255).astype(np.uint8)
    pixels[top:top + rows, left:left + columns] = picture
    return pixels


def assert_found(pixels, top, left, tolerance=0):
    rows, columns = find_picture(pixels)
    found = np.array([rows.start, rows.stop, columns.start, columns.stop])
    expected = np.array([top, top + 96, left, left + 128])
    ok_(np.abs(found - expected).max() <= tolerance, found)


def test_borders_of_all_levels_and_widths():
    for level in 255, 243, 128, 12, 0:
        for sides in ((8, 8, 8, 8), (5, 30, 6, 6), (20, 20, 0, 0),
                      (0, 0, 15, 12), (0, 25, 0, 25)):
            assert_found(bordered(level, *sides), sides[0], sides[2], 1)


def test_depths_and_colours():
    pixels = bordered(250, 9, 9, 9, 9)
    for other in (pixels.astype(np.uint16) * 257, pixels / np.float32(255),
                  np.stack([pixels] * 3, axis=-1)):
        assert_found(other, 9, 9)


def test_paper_that_is_not_clean():
    assert_found(bordered(240, 12, 12, 12, 12, noise=6), 12, 12)


def test_black_film_within_white_paper():
    film = bordered(4, 6, 6, 6, 6)
    assert_found(bordered(250, 10, 10, 10, 10, film), 16, 16)


def test_photos_have_none():
    for picture in photo(), grey():
        eq_(find_picture(np.array(picture)), EVERYTHING)


def test_a_white_sky_is_none():
    sky = np.array(grey())
    for column in range(128):
        sky[:30 + column // 4, column] = 255
    eq_(find_picture(sky), EVERYTHING)
    # Nor is a sea's horizon, straight as it is.
    sky[:30] = 255
    eq_(find_picture(sky), EVERYTHING)


def test_a_picture_of_one_level_is_all_picture():
    for shape in (96, 128), (3, 200), (1, 1):
        for level in 0, 128, 255:
            rows, columns = find_picture(np.full(shape, level, np.uint8))
            eq_((rows, columns), (slice(0, shape[0]), slice(0, shape[1])))


class TestColorizer:

    def test_the_border_stays_neutral_and_the_picture_is_as_without(self):
        pixels = bordered(250, 10, 14, 16, 8)
        colorizer = Colorizer(warm, 32)
        for dtype in np.uint8, np.uint16, np.float32:
            chroma, = colorizer.predict([pixels])
            rgb = colorizer.join(pixels, chroma, dtype)
            picture = rgb[10:106, 16:144].copy()
            alone = colorizer.predict([np.array(grey())])[0]
            assert_array_equal(picture, colorizer.join(np.array(grey()),
                                                       alone, dtype))
            rgb[10:106, 16:144] = rgb[0, 0]
            ok_(np.ptp(rgb.reshape(-1, 3), axis=1).max() <= (
                1e-2 if dtype == np.float32 else np.iinfo(dtype).max / 200))

    def test_the_network_does_not_see_it(self):
        colorizer = Colorizer(warm, 32)
        assert_array_equal(colorizer.reduce(bordered(0, 9, 9, 9, 9)),
                           colorizer.reduce(np.array(grey())))

    def test_it_may_be_coloured(self):
        pixels = bordered(250, 10, 10, 10, 10)
        colorizer = Colorizer(warm, 32, borders='colour')
        rgb = colorizer.colorize(pixels)
        ok_(rgb[0, 0, 0] > rgb[0, 0, 2] + .05)
        with assert_raises(ColornetError):
            Colorizer(warm, 32, borders='blue')

    def test_in_strips(self):
        # More rows than are joined at a time.
        tall = np.full((3000, 700), 250, np.uint8)
        tall[900:2600, 50:650] = np.tile(
            np.arange(600) % 200 + 20, (1700, 1))
        rgb = Colorizer(warm, 32).colorize(tall)
        coloured = rgb[..., 0] - rgb[..., 2] > .03
        rows, columns = np.nonzero(coloured)
        eq_((rows.min(), rows.max() + 1, columns.min(), columns.max() + 1),
            (900, 2600, 50, 650))


class TestTones:

    def luminance(self):
        return Colorizer(warm, 32, tones='keep').reduce(np.array(grey()))

    def test_faded_and_dark_become_as_others(self):
        usual = self.luminance()
        usual = (usual - np.percentile(usual, 1)) * (85 / np.ptp(
            np.percentile(usual, (1, 99)))) + 4
        for fade in (lambda tones: 40 + .3 * tones, lambda tones: .4 * tones,
                     lambda tones: 55 + .25 * tones):
            stretched = stretch_tones(fade(usual).astype(np.float32))
            eq_(stretched.dtype, np.float32)
            ok_(np.abs(stretched - usual.clip(0, 100)).max() < .01)
            fraction = stretch_tones(np.float32(fade(usual) / 100), 1)
            ok_(np.abs(fraction * 100 - stretched).max() < .01)

    def test_others_are_left_alone(self):
        for tones in (self.luminance(), np.full((9, 9), 50, np.float32),
                      np.float32([[20, 80], [20, 80]])):
            assert_array_equal(stretch_tones(tones), tones)

    def test_only_the_network_sees_it(self):
        faded = (100 + np.array(grey()) * .25).astype(np.uint8)
        seen = []

        def network(luminances):
            seen.append(luminances)
            return warm(luminances)

        rgb = [Colorizer(network, 32, tones=tones).colorize(faded)
               for tones in ('stretch', 'keep')]
        assert_array_equal(*rgb)
        ok_(np.ptp(seen[0]) > 2 * np.ptp(seen[1]))
        with assert_raises(ColornetError):
            Colorizer(warm, 32, tones='loud')


class TestEven:

    def surfaces(self):
        """Pictures that show nothing: levels, light that falls off, noise."""
        rows, columns = np.mgrid[-1:1:200j, -1:1:300j]
        noise = np.random.RandomState(3).randn(200, 300)
        for level in 5, 60, 118, 200, 250:
            yield np.full((200, 300), level)
            yield level + noise
            yield level + 20 * columns - 8 * rows
            yield level - 40 * (rows ** 2 + columns ** 2) + noise

    def test_surfaces_stay_grey(self):
        for pixels in self.surfaces():
            pixels = pixels.clip(0, 255).astype(np.uint8)
            for size in 32, 224:
                colorizer = Colorizer(warm, size, tones='keep')
                if (pixels == 0).mean() > .02 or (pixels == 255).mean() > .02:
                    continue  # cut off, which a quadratic form is not
                chroma, = colorizer.predict([pixels])
                assert_array_equal(chroma, 0)
                rgb = colorizer(pixels).astype(int)
                ok_(np.ptp(rgb, axis=-1).max() <= 1)
        assert_array_equal(Colorizer(warm, 32, 'hsv').predict(
            [np.full((20, 30), 99, np.uint8)]), 0)

    def test_in_a_batch_each_counts_for_itself(self):
        colorizer = Colorizer(warm, 32)
        chroma = colorizer.predict([np.array(grey()), np.full(
            (40, 40), 118, np.uint8), np.array(grey())])
        eq_([bool(one.any()) for one in chroma], [True, False, True])

    def test_photos_are_not_even(self):
        for pixels in (np.array(grey()), np.array(grey()) // 8,
                       np.array(grey()) // 8 + 100,
                       # A figure, small before a wall.
                       np.pad(np.array(grey()), 250, constant_values=180)):
            ok_(not is_even(Colorizer(warm, 224, borders='colour').reduce(
                pixels)))
            ok_(Colorizer(warm, 32, borders='colour').predict([pixels]).any())

    def test_hints_colour_it_all_the_same(self):
        rgb = Colorizer(warm, 32).colorize(np.full((40, 60), 128, np.uint8),
                                           hints=['20,20=#b06060'])
        ok_(rgb[20, 20, 0] > rgb[20, 20, 2] + .1)
