"""Pixels as arrays: resized, looked at."""

import io

import numpy as np
from nose.tools import eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from colornet.photos.pixels import is_grey, resize
from tests.photos.samples import grey, photo


class TestPixels:

    def test_resize_is_pillows(self):
        expected = np.array(photo().resize((50, 40), Image.LANCZOS))
        pixels = np.array(photo())
        assert_array_equal(resize(pixels, (40, 50)), expected)
        fractions = resize(pixels / 255., (40, 50))
        eq_(fractions.dtype, np.float32)
        # Pillow clips 8 bits also between rows and columns.
        assert_allclose(fractions * 255, expected, atol=8)
        ok_(np.abs(fractions * 255 - expected).mean() < .5)
        deep = resize(pixels.astype(np.uint16) * 257, (40, 50))
        eq_(deep.dtype, np.uint16)
        assert_allclose(deep / 257., fractions * 255, atol=.1)

    def test_resize_does_not_overshoot(self):
        edge = np.zeros((8, 8), np.float32)
        edge[:, 4:] = 1
        for pixels in edge, (edge * 65535).astype(np.uint16):
            resized = resize(pixels, (50, 50))
            eq_((resized.min(), resized.max()), (0, pixels.max()))

    def test_is_grey(self):
        pixels = np.array(grey().convert('RGB'))
        ok_(is_grey(pixels))
        ok_(not is_grey(np.array(photo())))
        pixels[3, 4] = 100, 100, 109
        ok_(not is_grey(pixels))
        ok_(is_grey(pixels, tolerance=9))

    def test_grey_jpeg_is_grey(self):
        stream = io.BytesIO()
        grey().convert('RGB').save(stream, 'JPEG', quality=40)
        ok_(is_grey(np.array(Image.open(stream))))
