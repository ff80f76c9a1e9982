"""Reading photos: every mode and fault."""

import io
import os
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image, ImageCms, ImageOps

from colornet.errors import ColornetError
from colornet.photos.reading import (MIN_SIDE, ImageError, decode_photo,
                                     read_photo, read_rgb)
from tests import tiny
from tests.photos.samples import ORIENTATION, InFolder, grey, photo


class TestModes(InFolder):

    def read(self, image, name='photo.png', **options):
        return read_photo(self.saved(image, name, **options))

    def test_rgb(self):
        read = self.read(photo())
        eq_((read.pixels.dtype, read.alpha, read.format),
            (np.uint8, None, 'PNG'))
        assert_array_equal(read.pixels, np.array(photo()))

    def test_8_bit_grey(self):
        assert_array_equal(self.read(grey()).pixels, np.array(grey()))

    def test_1_bit(self):
        for name in 'a.png', 'a.tif', 'a.bmp':
            bits = grey().convert('1')
            assert_array_equal(self.read(bits, name).pixels,
                               np.array(bits) * np.uint8(255))

    def test_1_bit_fax_tiff(self):
        bits = grey().convert('1')
        assert_array_equal(
            self.read(bits, 'fax.tif', compression='group4').pixels,
            np.array(bits) * np.uint8(255))

    def test_grey_with_alpha(self):
        image = Image.merge('LA', (grey(), ImageOps.mirror(grey())))
        read = self.read(image)
        assert_array_equal(read.pixels, np.array(grey()))
        assert_array_equal(read.alpha, np.array(grey())[:, ::-1])

    def test_rgb_with_alpha(self):
        image = photo()
        image.putalpha(grey())
        for name in 'a.png', 'a.tif':
            read = self.read(image, name)
            assert_array_equal(read.pixels, np.array(photo()))
            assert_array_equal(read.alpha, np.array(grey()))

    def test_palette(self):
        image = photo().convert('P', palette=Image.ADAPTIVE)
        for name in 'a.png', 'a.gif', 'a.bmp', 'a.tif':
            read = self.read(image, name)
            eq_(read.alpha, None)
            assert_array_equal(read.pixels, np.array(image.convert('RGB')))

    def test_palette_with_a_transparent_colour(self):
        image = photo().convert('P', palette=Image.ADAPTIVE)
        index = int(np.bincount(np.array(image).ravel()).argmax())
        for name in 'a.png', 'a.gif':
            read = self.read(image, name, transparency=index)
            assert_array_equal(read.alpha == 0, np.array(image) == index)
            visible = np.array(image) != index
            assert_array_equal(read.pixels[visible],
                               np.array(image.convert('RGB'))[visible])

    def test_palette_with_an_alpha_per_colour(self):
        image = photo().convert('P', palette=Image.ADAPTIVE)
        read = self.read(image, transparency=bytes(range(256)))
        assert_array_equal(read.alpha, np.array(image))

    def test_one_transparent_grey_and_colour(self):
        level = int(np.array(grey())[0, 0])
        read = self.read(grey(), transparency=level)
        assert_array_equal(read.alpha == 0, np.array(grey()) == level)
        color = tuple(int(value) for value in np.array(photo())[0, 0])
        read = self.read(photo(), transparency=color)
        assert_array_equal(read.alpha == 0,
                           (np.array(photo()) == color).all(axis=-1))

    def test_16_bit_grey_keeps_its_precision(self):
        values = np.random.RandomState(1).randint(0, 65536, (30, 40))
        values = values.astype(np.uint16)
        for name in 'a.png', 'a.tif':
            read = self.read(Image.fromarray(values), name)
            eq_(read.pixels.dtype, np.uint16)
            assert_array_equal(read.pixels, values)

    def test_16_bit_big_endian_tiff_and_pgm(self):
        values = np.array(grey()).astype(np.uint16) * 257 - 3
        values[0, 0] = 65535
        swapped = Image.frombytes('I;16B', grey().size,
                                  values.astype('>u2').tobytes())
        assert_array_equal(self.read(swapped, 'a.tif').pixels, values)
        header = b'P5 128 96 65535\n'
        path = self.written('a.pgm', header + values.astype('>u2').tobytes())
        assert_array_equal(read_photo(path).pixels, values)

    def test_32_bit_integers(self):
        values = np.array([[0, 255, 65535], [7, 1000, 40000]], np.int32)
        assert_array_equal(self.read(Image.fromarray(values), 'a.tif').pixels,
                           values)
        values[0, 2] = 2 ** 31 - 1
        read = self.read(Image.fromarray(values), 'a.tif').pixels
        eq_((read[0, 0], read[0, 2], read[1, 2]), (0, 65535, 1))

    def test_32_bit_integers_that_leave_most_of_their_range(self):
        values = np.array(grey(), np.int32)
        values[0, 0] = 255
        for factor, white in ((1, 255), (257, 65535), (65793, 2 ** 24 - 1),
                              (10 ** 6, 2 ** 31 - 1)):
            read = self.read(Image.fromarray(values * factor), 'a.tif').pixels
            assert_allclose(read, values * (65535. * factor / white), atol=1)

    def test_a_dark_deep_pgm_stays_dark(self):
        values = np.array(grey(), '>u2')
        path = self.written('a.pgm', b'P5 128 96 65535\n' + values.tobytes())
        assert_array_equal(read_photo(path).pixels, values)

    def test_floating_point(self):
        fractions = np.array(grey(), np.float32) / 255
        expected = fractions * 65535
        for white in 1, 255, 65535:
            values = fractions / fractions.max() * white
            read = self.read(Image.fromarray(values), 'a.tif').pixels
            eq_(read.dtype, np.uint16)
            assert_allclose(read, expected / fractions.max(), atol=1)

    def test_floating_point_that_is_not_finite(self):
        values = np.array([[0, .5], [np.nan, 1]], np.float32)
        read = self.read(Image.fromarray(values), 'a.tif').pixels
        assert_array_equal(read, [[0, 32768], [0, 65535]])

    def test_cmyk(self):
        read = self.read(photo().convert('CMYK'), 'a.tif')
        assert_array_equal(read.pixels, np.array(photo()))
        read = self.read(photo().convert('CMYK'), 'a.jpg', quality=95)
        assert_allclose(read.pixels.astype(float), np.array(photo()), atol=24)

    def test_ycbcr(self):
        read = self.read(photo().convert('YCbCr'), 'a.tif',
                         compression='jpeg', quality=98)
        difference = read.pixels.astype(float) - np.array(photo())
        ok_(np.abs(difference).mean() < 4)

    def test_lab(self):
        lab = ImageCms.profileToProfile(
            photo(), ImageCms.createProfile('sRGB'),
            ImageCms.createProfile('LAB'), outputMode='LAB')
        difference = self.read(lab, 'a.tif').pixels - np.array(photo(), float)
        ok_(np.abs(difference).mean() < 2)

    def test_first_frame_of_animations(self):
        for name in 'a.gif', 'a.png', 'a.tif':
            read = self.read(photo(), name, save_all=True,
                             append_images=[photo().rotate(180)])
            difference = read.pixels - np.array(photo(), float)
            ok_(np.abs(difference).mean() < 8)  # GIF has 256 colours
            ok_(read.has_more)
            ok_(not self.read(photo(), 'one' + name).has_more)

    def test_an_animation_whose_second_frame_is_damaged(self):
        path = self.saved(photo(), 'a.gif', save_all=True,
                          append_images=[photo().rotate(180)])
        path.write_bytes(path.read_bytes()[:-5000])
        eq_(read_photo(path).pixels.shape, (96, 128, 3))

    def test_mpo(self):
        path = self.folder / 'stereo.jpg'
        photo().save(path, 'MPO', save_all=True, quality=95,
                     append_images=[photo().rotate(180)])
        read = read_photo(path)
        eq_(read.format, 'MPO')
        difference = read.pixels - np.array(photo(), float)
        ok_(np.abs(difference).mean() < 5)

    def test_webp_with_alpha(self):
        image = photo()
        image.putalpha(grey())
        read = self.read(image, 'a.webp', lossless=True, exact=True)
        assert_array_equal(read.pixels, np.array(photo()))
        assert_array_equal(read.alpha, np.array(grey()))

    def test_one_pixel(self):
        read = self.read(photo().crop((5, 5, 6, 6)))
        assert_array_equal(read.pixels, np.array(photo())[5:6, 5:6])

    def test_the_pixels_may_be_changed(self):
        self.read(photo()).pixels[0, 0] = 0


class TestMemory(InFolder):

    def test_bytes_and_files_are_as_at_a_path(self):
        image = photo()
        image.putalpha(grey())
        exif = Image.Exif()
        exif[ORIENTATION] = 6
        path = self.saved(image, 'a.tif', exif=exif, save_all=True,
                          append_images=[image])
        expected = read_photo(path)
        content = path.read_bytes()
        with open(str(path), 'rb') as stream:
            for source in (content, bytearray(content), memoryview(content),
                           io.BytesIO(content), stream):
                decoded = decode_photo(source, 'a')
                assert_array_equal(decoded.pixels, expected.pixels)
                assert_array_equal(decoded.alpha, expected.alpha)
                eq_(decoded.metadata, expected.metadata)
                eq_((decoded.orientation, decoded.format, decoded.has_more),
                    (6, 'TIFF', True))
            ok_(not stream.closed)

    def test_faults_have_the_name(self):
        path = self.saved(photo(), 'a.png')
        for content, words in [
                (b'', 'empty file'), (b'no photo', 'not an image file'),
                (path.read_bytes()[:-2000], 'truncated')]:
            for source in content, io.BytesIO(content):
                with assert_raises(ImageError) as caught:
                    decode_photo(source, 'upload 7')
                eq_(caught.exception.path, 'upload 7')
                assert_in(words, caught.exception.reason)


class TestFaults(InFolder):

    def assert_fails(self, path, *words):
        with assert_raises(ImageError) as caught:
            read_photo(path)
        ok_(isinstance(caught.exception, ColornetError))
        eq_(caught.exception.path, path)
        text = str(caught.exception)
        ok_(text.startswith('%s: ' % path), text)
        eq_(len(text.splitlines()), 1)
        for word in words:
            assert_in(word, caught.exception.reason)

    def test_missing(self):
        self.assert_fails(self.folder / 'no.jpg', 'no such file')

    def test_below_a_file(self):
        path = self.written('a', b'text')
        self.assert_fails(path / 'b.jpg', 'not a directory')

    def test_folder(self):
        self.assert_fails(self.folder, 'folder')

    def test_pipe(self):
        path = self.folder / 'pipe.jpg'
        os.mkfifo(str(path))
        self.assert_fails(path, 'not a regular file')

    def test_empty(self):
        self.assert_fails(self.written('a.jpg', b''), 'empty')

    def test_text(self):
        self.assert_fails(self.written('a.jpg', b'I am no photo\n'),
                          'not an image file')

    def test_postscript_is_not_run(self):
        self.assert_fails(self.written('a.jpg', b'%!PS-Adobe-3.0 EPSF-3.0\n'
                                       b'%%BoundingBox: 0 0 9 9\n%%EOF\n'),
                          'not an image file')

    def test_permission_denied(self):
        path = self.written('a.jpg', b'something')
        # Not by chmod, since tests may run as root.
        with mock.patch('builtins.open', side_effect=PermissionError(
                13, 'Permission denied')):
            self.assert_fails(path, 'permission denied')

    def test_no_part_of_a_truncated_photo_is_read(self):
        saved = [('a.jpg', {}), ('b.jpg', {'progressive': True}),
                 ('a.png', {}), ('a.tif', {}), ('a.webp', {}), ('a.bmp', {}),
                 ('a.gif', {}), ('a.ppm', {}),
                 ('b.tif', {'compression': 'tiff_lzw'})]
        for name, options in saved:
            path = self.saved(photo(), name, **options)
            whole = path.read_bytes()
            for part in .02, .3, .7, .97:
                path.write_bytes(whole[:int(len(whole) * part)])
                self.assert_fails(path)

    def test_truncated_photos_are_called_so(self):
        for name in 'a.jpg', 'a.png', 'a.tif':
            path = self.saved(photo(), name)
            path.write_bytes(path.read_bytes()[:-2000])
            self.assert_fails(path, 'truncated')

    def test_damaged(self):
        content = bytearray(self.saved(photo(), 'a.png').read_bytes())
        middle = len(content) // 2
        content[middle:middle + 200] = b'\0' * 200
        self.assert_fails(self.written('a.png', bytes(content)), 'damaged')

    def test_too_many_pixels(self):
        # 400 million, says the header: no need to decode them.
        path = self.written('bomb.ppm', b'P6 20000 20000 255\n' + b'\0' * 99)
        self.assert_fails(path, '178 million')

    def test_100_megapixels_are_not_too_many(self):
        path = self.saved(Image.new('1', (10000, 10000)), 'a.png')
        eq_(read_photo(path).pixels.shape, (10000, 10000))


class TestReadRgb(InFolder):

    def test_it_is_squeezed_into_a_square(self):
        rgb = read_rgb(tiny.PHOTOS / 'aitzgorri.jpg', 64)
        eq_((rgb.shape, rgb.dtype), ((64, 64, 3), np.uint8))
        whole = np.array(Image.open(tiny.PHOTOS / 'aitzgorri.jpg'), float)
        assert_allclose(rgb.mean(axis=(0, 1)), whole.mean(axis=(0, 1)),
                        atol=1)
        # Corner to corner: nothing is cropped.
        assert_allclose(rgb[0, 0], whole[:2, :3].mean(axis=(0, 1)), atol=12)
        assert_allclose(rgb[-1, -1], whole[-2:, -3:].mean(axis=(0, 1)),
                        atol=12)

    def test_it_is_anti_aliased(self):
        columns = np.zeros((64, 256), np.uint8)
        columns[:, ::2] = 255
        rgb = read_rgb(self.saved(Image.fromarray(columns), 'a.png'), 32)
        assert_allclose(rgb, 127.5, atol=12)

    def test_grey_16_bit_and_turned(self):
        deep = np.array(grey()).astype(np.uint16) * 257
        exif = Image.Exif()
        exif[ORIENTATION] = 6
        path = self.saved(Image.fromarray(deep), 'a.png', exif=exif)
        rgb = read_rgb(path, 32)
        expected = grey().rotate(-90, expand=True).resize((32, 32),
                                                          Image.LANCZOS)
        for channel in np.moveaxis(rgb, -1, 0):
            difference = channel - np.array(expected, float)
            ok_(np.abs(difference).mean() < .5)

    def test_transparency_shows_white(self):
        image = photo()
        image.putalpha(0)
        assert_array_equal(read_rgb(self.saved(image, 'a.png'), 20), 255)
        image.putalpha(255)
        assert_array_equal(read_rgb(self.saved(image, 'a.png'), 20),
                           read_rgb(self.saved(photo(), 'b.png'), 20))
        image = Image.merge('LA', (Image.new('L', (20, 20), 100),
                                   Image.new('L', (20, 20), 51)))
        assert_array_equal(read_rgb(self.saved(image, 'c.png'), 20), 224)

    def test_icons_are_refused(self):
        size = (MIN_SIDE - 1, 100)
        path = self.saved(photo().resize(size), 'a.png')
        with assert_raises(ImageError) as caught:
            read_rgb(path, 32)
        assert_in('15 x 100', str(caught.exception))
        path = self.saved(photo().resize((MIN_SIDE, MIN_SIDE)), 'a.png')
        read_rgb(path, 32)


class TestProportions(InFolder):

    def test_the_central_part_is_kept_within_its_limits(self):
        for (columns, rows), size, largest, expected in [
                ((120, 90), 24, 48, (48, 64)), ((120, 90), 24, 200, (90, 120)),
                ((30, 20), 24, 48, (24, 36)), ((40, 100), 24, 24, (36, 24)),
                ((100, 40), 16, 20, (20, 30)), ((64, 64), 32, 32, (32, 32))]:
            pixels = np.zeros((rows, columns, 3), np.uint8)
            pixels[..., 0] = np.linspace(0, 255, columns)
            pixels[..., 1] = np.linspace(0, 255, rows)[:, None]
            path = self.folder / 'photo.png'
            Image.fromarray(pixels).save(path)
            rgb = read_rgb(path, size, largest)
            eq_(rgb.shape, expected + (3,))
            # What is left of each ramp is central, and as steep as it was.
            for axis, length in ((1, columns), (0, rows)):
                ramp = rgb.mean(axis=1 - axis)[:, 1 - axis]
                kept = min(length, int(1.5 * min(rows, columns)))
                share = kept / length
                assert_allclose(ramp[len(ramp) // 4], 255 * (
                    0.5 - share / 2 + share * (len(ramp) // 4 + 0.5) /
                    len(ramp)), atol=5)
                assert_allclose(ramp[0] + ramp[-1], 255, atol=5)
