"""Writing photos: every format, and what is left of a failure."""

import os
from pathlib import Path
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_
from numpy.testing import assert_array_equal
from PIL import Image

from colornet.photos.reading import ImageError, Photo
from colornet.photos.writing import (encode_photo, output_suffix, save_image,
                                     write_photo)
from tests.photos.samples import InFolder, grey, photo


def lossless_photo(pixels, alpha=None):
    return Photo(pixels, alpha=alpha, format='PNG')


class TestWriting(InFolder):

    def write(self, name, pixels=None, alpha=None):
        path = self.folder / name
        pixels = np.array(photo()) if pixels is None else pixels
        write_photo(path, pixels, lossless_photo(pixels, alpha))
        return Image.open(path)

    def test_lossless_formats(self):
        for name in 'a.png', 'a.TIF', 'a.tiff', 'a.bmp', 'a.ppm':
            assert_array_equal(np.array(self.write(name)), np.array(photo()))

    def test_floating_point_is_rounded(self):
        fractions = np.array(photo()) / np.float32(255)
        assert_array_equal(np.array(self.write('a.png', fractions)),
                           np.array(photo()))

    def test_jpeg_keeps_colour_detail(self):
        columns = np.zeros((32, 32, 3), np.uint8)
        columns[:, ::2] = 255, 0, 0
        columns[:, 1::2] = 0, 0, 255
        image = self.write('a.jpg', columns)
        eq_(image.format, 'JPEG')
        ok_(np.abs(np.array(image) - columns.astype(float)).mean() < 10)

    def test_alpha_is_kept(self):
        alpha = np.array(grey())
        for name in 'a.png', 'a.tif', 'a.webp':
            image = self.write(name, alpha=alpha)
            eq_(image.mode, 'RGBA')
            assert_array_equal(np.array(image.getchannel('A')), alpha)

    def test_alpha_is_not_dropped_in_silence(self):
        for name in 'a.jpg', 'a.bmp', 'a.ppm':
            with assert_raises(ImageError) as caught:
                self.write(name, alpha=np.array(grey()))
            assert_in('transparency', str(caught.exception))
        eq_(os.listdir(str(self.folder)), [])

    def test_unknown_suffix(self):
        for name in 'a.gif', 'a.xyz', 'a':
            with assert_raises(ImageError) as caught:
                self.write(name)
            assert_in('.png', str(caught.exception))

    def test_output_suffix(self):
        opaque = lossless_photo(np.array(photo()))
        clear = lossless_photo(np.array(photo()), np.array(grey()))
        for name, suffix, clear_suffix in [
                ('a.JPG', '.JPG', '.png'), ('a.png', '.png', '.png'),
                ('a.gif', '.png', '.png'), ('a.pgm', '.png', '.png'),
                ('a.ppm', '.ppm', '.png'), ('a.tif', '.tif', '.tif'),
                ('a.bmp', '.bmp', '.png'), ('a', '.png', '.png'),
                ('a.webp', '.webp', '.webp')]:
            eq_(output_suffix(name, opaque), suffix)
            eq_(output_suffix(name, None), suffix)
            eq_(output_suffix(name, clear), clear_suffix)

    def test_more_than_8_bits_become_png_or_tiff(self):
        deep = lossless_photo(np.array(photo()).astype(np.uint16) * 257)
        for name, suffix in ('a.ppm', '.png'), ('a.jpg', '.png'), (
                'a.png', '.png'), ('a.tif', '.tif'):
            eq_(output_suffix(name, deep), suffix)
            eq_(output_suffix(name, deep, 16), suffix)
            for opaque in None, lossless_photo(np.array(photo())):
                eq_(output_suffix(name, opaque, 16), suffix)
            eq_(output_suffix(name, deep, 8), os.path.splitext(name)[1])

    def test_bits_that_are_lost_are_told_unless_asked_for(self):
        deep = lossless_photo(np.array(photo()).astype(np.uint16) * 257)
        for suffix, depth, is_told in (
                ('.jpg', None, True), ('.webp', None, True),
                ('.bmp', None, True), ('.ppm', None, True),
                ('.png', None, False), ('.tif', None, False),
                ('.jpg', 8, False), ('.png', 8, False)):
            told = []
            encode_photo(deep.pixels, deep, suffix, depth=depth,
                         tell=told.append)
            eq_(told, ['its format cannot keep: more than 8 bits'] * is_told)

    def test_what_a_format_cannot_hold(self):
        # JPEG counts its columns in 16 bits.
        wide = np.zeros((1, 70000, 3), np.uint8)
        with assert_raises(ImageError) as caught:
            self.write('a.jpg', wide)
        assert_in('JPEG', str(caught.exception))
        eq_(os.listdir(str(self.folder)), [])

    def test_an_existing_file_survives_a_failure(self):
        path = self.written('a.png', b'before')
        for fault in KeyboardInterrupt, OSError(28, 'No space left'):
            with mock.patch('os.replace', side_effect=fault):
                with assert_raises((KeyboardInterrupt, OSError)):
                    save_image(path, photo())
            eq_(path.read_bytes(), b'before')
            eq_(os.listdir(str(self.folder)), ['a.png'])

    def test_a_failure_in_the_middle_leaves_nothing(self):
        def write_half(path, content):
            with open(str(path), 'wb') as stream:
                stream.write(content[:100])
            raise OSError(28, 'No space left on device')

        with mock.patch('pathlib.Path.write_bytes', write_half):
            with assert_raises(OSError):
                save_image(self.folder / 'a.png', photo())
        eq_(os.listdir(str(self.folder)), [])

    def test_in_memory_it_is_the_same(self):
        for alpha in None, np.array(grey()):
            for name in 'a.png', 'a.TIF', 'a.webp':
                self.write(name, alpha=alpha)
                eq_(encode_photo(np.array(photo()), lossless_photo(
                    np.array(photo()), alpha),
                    Path(name).suffix), (self.folder / name).read_bytes())

    def test_what_cannot_be_encoded_is_told_by_name(self):
        clear = lossless_photo(np.array(photo()), np.array(grey()))
        for suffix, words in ('.jpg', 'transparency'), ('.gif', 'unknown'):
            for name, called in (None, 'photo' + suffix), ('b', 'b'):
                with assert_raises(ImageError) as caught:
                    encode_photo(clear.pixels, clear, suffix, name)
                ok_(str(caught.exception).startswith(called + ': '))
                assert_in(words, str(caught.exception))

    def test_usual_permissions(self):
        umask = os.umask(0o022)
        try:
            self.write('a.png')
        finally:
            os.umask(umask)
        eq_((self.folder / 'a.png').stat().st_mode & 0o777, 0o644)
