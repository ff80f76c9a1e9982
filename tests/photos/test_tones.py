"""Toned photos are black-and-white, colour photos are not."""

import io

import numpy as np
from nose.tools import eq_, ok_
from numpy.testing import assert_allclose
from PIL import Image

from colornet.color import luminance
from colornet.photos.finding import find_images
from colornet.photos.pixels import resize
from colornet.photos.reading import read_photo
from colornet.photos.tones import (TONE_SPREAD, has_colours, mix_colours,
                                   tone_spread)
from colornet.resources import find_resource
from tests.photos.samples import photo

#: Name -> sRGB of black, of the middle and of white.
TONES = {'sepia': ((30, 15, 5), (160, 120, 80), (255, 240, 200)),
         'cyanotype': ((0, 20, 60), (70, 120, 170), (240, 250, 255)),
         'selenium': ((25, 10, 20), (137, 127, 130), (250, 245, 240)),
         'two tones': ((10, 15, 50), (130, 125, 120), (255, 240, 190)),
         'yellowed': ((60, 50, 40), (150, 138, 105), (235, 220, 170)),
         'plain': ((0, 0, 0), (128, 128, 128), (255, 255, 255))}


def demo_photos():
    for path in find_images(find_resource('demo/photos')):
        pixels = read_photo(path).pixels
        yield resize(pixels, (200, 200 * pixels.shape[1] // len(pixels)))


def toned(rgb, tone):
    """A photo toned, as JPEG with noise of film."""
    level = luminance(rgb) / 100
    random = np.random.RandomState(0)
    values = np.stack([np.interp(level, (0, 0.5, 1), [
        color[channel] for color in tone]) for channel in range(3)], axis=-1)
    values += random.normal(0, 8, values.shape)
    stream = io.BytesIO()
    Image.fromarray(values.clip(0, 255).astype('uint8')).save(
        stream, 'JPEG', quality=75)
    return np.array(Image.open(stream))


def test_photos_of_the_demo():
    for rgb in demo_photos():
        ok_(has_colours(rgb))
        # Far from the border between both.
        ok_(tone_spread(rgb) > 1.5 * TONE_SPREAD, tone_spread(rgb))


def test_the_same_toned():
    for rgb in demo_photos():
        for name, tone in TONES.items():
            spread = tone_spread(toned(rgb, tone))
            ok_(spread < TONE_SPREAD, (name, spread))


def test_types_of_pixels():
    rgb = np.array(photo())
    for pixels in rgb, rgb.astype(np.uint16) * 257, rgb / np.float32(255):
        ok_(has_colours(pixels))
        eq_(has_colours(pixels[..., 0]), False)
    for shape in (1, 1, 3), (1, 500, 3), (700, 2, 3):
        eq_(has_colours(np.full(shape, 90, np.uint8)), False)


def test_a_coloured_stamp_makes_no_colour_photo():
    rgb = np.array(photo().convert('L').convert('RGB'))
    rgb[5:13, 5:30] = 200, 20, 20
    eq_(has_colours(rgb), False)
    rgb[20:60] = 200, 20, 20
    eq_(has_colours(rgb), True)


def test_mixed_colours_have_the_luminance_of_both():
    level = np.random.RandomState(0).randint(60, 200, (300, 40))
    rgb = np.stack([level] * 3, axis=-1).astype(np.uint8)
    eq_(mix_colours(rgb, rgb).tolist(), rgb.tolist())
    warm = rgb.copy()
    # As bright as the grey: less blue weighs little, less green much.
    warm[..., 0] += 30
    warm[..., 1] -= 12
    between = mix_colours(rgb, warm)
    assert_allclose(luminance(between), (luminance(rgb) + luminance(warm)) / 2,
                    atol=0.6)
    ok_((between[..., 0] > rgb[..., 0]).all())
    ok_((between[..., 0] < warm[..., 0]).all())
