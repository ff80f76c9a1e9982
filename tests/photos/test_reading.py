"""Reading and writing photos: every mode, orientation and fault."""

import io
import os
import shutil
import struct
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_not_in, assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image, ImageCms, ImageOps

from colornet.errors import ColornetError
from colornet.photos.reading import (MIN_SIDE, ImageError, Photo, as_uint8,
                                     find_images, is_grey, read_photo,
                                     read_rgb, resize, to_stored, to_upright)
from colornet.photos.writing import output_suffix, save_image, write_photo

PHOTOS = Path(__file__).parents[1] / 'free_photos'
ORIENTATION = 0x0112


def photo():
    """A real photo, 128 x 96, as a Pillow image."""
    image = Image.open(PHOTOS / 'picosdeeuropa.jpg')
    image.load()
    return image


def grey():
    return photo().convert('L')


def lossless_photo(pixels, alpha=None, orientation=1, exif=b''):
    return Photo(pixels, alpha, orientation, exif, 'PNG')


class InFolder:
    """A temporary folder for each test."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())

    def tearDown(self):
        shutil.rmtree(str(self.folder))

    def saved(self, image, name, **options):
        path = self.folder / name
        image.save(path, **options)
        return path

    def written(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path


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
        for factor in 1, 257, 4000, 10 ** 6:
            read = self.read(Image.fromarray(values * factor), 'a.tif').pixels
            assert_allclose(read, values * 257., atol=1)

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


class TestProfiles(InFolder):

    def test_srgb_is_left_alone(self):
        profile = ImageCms.ImageCmsProfile(
            ImageCms.createProfile('sRGB')).tobytes()
        path = self.saved(photo(), 'a.png', icc_profile=profile)
        with mock.patch('PIL.ImageCms.profileToProfile') as convert:
            assert_array_equal(read_photo(path).pixels, np.array(photo()))
        ok_(not convert.called)

    def test_cmyk_is_converted_by_its_profile(self):
        path = self.saved(photo().convert('CMYK'), 'a.tif',
                          icc_profile=_grey_profile(1.))
        with mock.patch('PIL.ImageCms.profileToProfile',
                        return_value=photo().rotate(180)) as convert:
            assert_array_equal(read_photo(path).pixels,
                               np.array(photo())[::-1, ::-1])
        eq_(convert.call_args[0][0].mode, 'CMYK')

    def test_other_rgb_becomes_srgb(self):
        # Red and green exchanged, which nobody can miss.
        profile = _swapped_rgb_profile()
        path = self.saved(photo(), 'a.png', icc_profile=profile)
        difference = (read_photo(path).pixels[..., [1, 0, 2]]
                      - np.array(photo(), float))
        ok_(np.abs(difference).mean() < 1)

    def test_grey_stays_grey(self):
        path = self.saved(grey(), 'a.png', icc_profile=_grey_profile(1.5))
        pixels = read_photo(path).pixels
        eq_(pixels.shape, (96, 128))
        linear = (np.array(grey()) / 255.) ** 1.5
        expected = np.where(linear > .0031308,
                            1.055 * linear ** (1 / 2.4) - .055,
                            12.92 * linear) * 255
        ok_(np.abs(pixels - expected).mean() < .5)

    def test_profiles_that_do_not_fit_are_ignored(self):
        for profile in b'nonsense', _grey_profile(1.):
            path = self.saved(photo(), 'a.png', icc_profile=profile)
            assert_array_equal(read_photo(path).pixels, np.array(photo()))

    def test_the_output_has_none(self):
        path = self.saved(grey(), 'a.png', icc_profile=_grey_profile(2.2))
        write_photo(path, np.array(photo()), read_photo(path))
        assert_not_in('icc_profile', Image.open(path).info)


def _profile(color_space, tags):
    """A minimal ICC display profile, version 2."""
    offset = 128 + 4 + 12 * len(tags)
    table, data = b'', b''
    for name, content in tags:
        content += b'\0' * (-len(content) % 4)
        table += name + struct.pack('>II', offset + len(data), len(content))
        data += content
    body = struct.pack('>I', len(tags)) + table + data
    return struct.pack('>I4sI4s4s4s12s4s28s12s48s', 128 + len(body), b'none',
                       0x02100000, b'mntr', color_space, b'XYZ ', b'\0' * 12,
                       b'acsp', b'\0' * 28,
                       struct.pack('>iii', 0xf6d6, 0x10000, 0xd32d),
                       b'\0' * 48) + body


def _xyz(x, y, z):
    return b'XYZ \0\0\0\0' + struct.pack(
        '>iii', *[int(round(value * 65536)) for value in (x, y, z)])


def _text(text):
    return (b'desc\0\0\0\0' + struct.pack('>I', len(text) + 1) + text + b'\0'
            + b'\0' * 78)


def _grey_profile(gamma):
    curve = b'curv\0\0\0\0' + struct.pack('>IH', 1, int(gamma * 256))
    return _profile(b'GRAY', [(b'desc', _text(b'grey')),
                              (b'cprt', b'text\0\0\0\0none\0'),
                              (b'wtpt', _xyz(.9642, 1, .8249)),
                              (b'kTRC', curve)])


def _swapped_rgb_profile():
    levels = np.arange(1024) / 1023.
    linear = np.where(levels > .04045, ((levels + .055) / 1.055) ** 2.4,
                      levels / 12.92)
    curve = (b'curv\0\0\0\0' + struct.pack('>I', 1024)
             + (linear * 65535).round().astype('>u2').tobytes())
    return _profile(b'RGB ', [(b'desc', _text(b'swapped')),
                              (b'cprt', b'text\0\0\0\0none\0'),
                              (b'wtpt', _xyz(.9642, 1, .8249)),
                              (b'rXYZ', _xyz(.3851, .7169, .0971)),
                              (b'gXYZ', _xyz(.4361, .2225, .0139)),
                              (b'bXYZ', _xyz(.1431, .0606, .7141)),
                              (b'rTRC', curve), (b'gTRC', curve),
                              (b'bTRC', curve)])


class TestOrientation(InFolder):

    def oriented(self, orientation, name, image=None):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        return self.saved(image or photo(), name, exif=exif.tobytes())

    def test_each_is_turned_upright(self):
        # ImageOps.exif_transpose is an implementation of its own.
        for orientation in range(1, 9):
            for name in 'a.png', 'a.tif':
                path = self.oriented(orientation, name)
                read = read_photo(path)
                upright = ImageOps.exif_transpose(Image.open(path))
                assert_array_equal(read.pixels, np.array(upright))
                eq_(read.orientation, orientation)

    def test_alpha_turns_too(self):
        image = photo()
        image.putalpha(grey())
        read = read_photo(self.oriented(6, 'a.png', image))
        assert_array_equal(read.alpha, np.rot90(np.array(grey()), -1))

    def test_each_is_stored_as_it_was(self):
        image = photo()
        image.putalpha(grey())
        for orientation in range(1, 9):
            for name in 'a.png', 'a.tif':
                path = self.oriented(orientation, name, image)
                read = read_photo(path)
                target = self.folder / ('b' + path.suffix)
                write_photo(target, read.pixels, read)
                # TIFF is turned by Pillow when its pixels are loaded.
                eq_(Image.open(target).size,
                    Image.open(path).size)
                eq_(Image.open(target).getexif()[ORIENTATION], orientation)
                again = read_photo(target)
                assert_array_equal(again.pixels, read.pixels)
                assert_array_equal(again.alpha, read.alpha)
                if name == 'a.png':
                    assert_array_equal(np.array(Image.open(target)),
                                       np.array(image))

    def test_jpeg_and_webp_keep_it(self):
        for name in 'a.jpg', 'a.webp':
            read = read_photo(self.oriented(8, name))
            eq_(read.pixels.shape, (128, 96, 3))
            target = self.folder / ('b' + name)
            write_photo(target, read.pixels, read)
            eq_(Image.open(target).size, (128, 96))
            eq_(Image.open(target).getexif()[ORIENTATION], 8)

    def test_a_format_without_exif_is_stored_upright(self):
        read = read_photo(self.oriented(6, 'a.png'))
        write_photo(self.folder / 'b.bmp', read.pixels, read)
        assert_array_equal(np.array(Image.open(self.folder / 'b.bmp')),
                           read.pixels)

    def test_unknown_orientations_are_upright(self):
        for orientation in 0, 9, 200:
            read = read_photo(self.oriented(orientation, 'a.png'))
            eq_(read.orientation, 1)
            assert_array_equal(read.pixels, np.array(photo()))

    def test_to_stored_undoes_to_upright(self):
        array = np.arange(6).reshape(2, 3)
        for orientation in range(1, 9):
            assert_array_equal(
                to_stored(to_upright(array, orientation), orientation), array)


class TestExif(InFolder):

    def test_it_is_kept(self):
        exif = Image.Exif()
        exif[ORIENTATION] = 3
        exif[0x010f] = 'Maker'
        exif[0x8769] = {0x9003: '2018:01:02 03:04:05', 0x927c: b'\1\2' * 40}
        exif[0x8825] = {1: 'N', 2: (43.0, 1.0, 2.0)}
        for name in 'a.jpg', 'a.png', 'a.webp', 'a.tif':
            path = self.saved(photo(), name, exif=exif.tobytes())
            target = self.folder / ('b' + name)
            read = read_photo(path)
            write_photo(target, read.pixels, read)
            kept = Image.open(target).getexif()
            eq_((kept[ORIENTATION], kept[0x010f]), (3, 'Maker'))
            eq_(kept.get_ifd(0x8769), {0x9003: '2018:01:02 03:04:05',
                                       0x927c: b'\1\2' * 40})
            eq_(kept.get_ifd(0x8825), {1: 'N', 2: (43.0, 1.0, 2.0)})

    def test_a_tiff_does_not_hand_on_its_layout(self):
        path = self.saved(grey().convert('1'), 'a.tif', compression='group4')
        read = read_photo(path)
        write_photo(self.folder / 'b.tif', np.array(photo()), read)
        assert_array_equal(np.array(Image.open(self.folder / 'b.tif')),
                           np.array(photo()))

    def test_damaged_exif_is_dropped(self):
        path = self.saved(photo(), 'a.jpg', exif=b'Exif\0\0II*\0\xff\xff\xff')
        read = read_photo(path)
        eq_((read.orientation, read.exif), (1, b''))
        write_photo(path, read.pixels, read)


class TestFaults(InFolder):

    def assert_fails(self, path, *words):
        with assert_raises(ImageError) as caught:
            read_photo(path)
        ok_(isinstance(caught.exception, ColornetError))
        eq_(caught.exception.path, path)
        text = str(caught.exception)
        ok_(text.startswith(f'{path}: '), text)
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
        rgb = read_rgb(PHOTOS / 'aitzgorri.jpg', 64)
        eq_((rgb.shape, rgb.dtype), ((64, 64, 3), np.uint8))
        whole = np.array(Image.open(PHOTOS / 'aitzgorri.jpg'), float)
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


class TestFindImages(InFolder):

    def test_what_is_found(self):
        for name in ('b.jpg', 'a.JPEG', 'sub/deep/c.PnG', 'd.txt', 'e',
                     '.hidden.jpg', '.git/f.jpg', 'sub/g.tiff', 'h.jpg.part'):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b'')
        eq_(find_images(str(self.folder)),
            [self.folder / name for name in ('a.JPEG', 'b.jpg',
                                             'sub/deep/c.PnG', 'sub/g.tiff')])

    def test_nothing_is_found(self):
        eq_(find_images(self.folder), [])

    def test_links_to_folders_make_no_circle(self):
        (self.folder / 'self').symlink_to(self.folder)
        photo().save(self.folder / 'a.jpg')
        eq_(find_images(self.folder), [self.folder / 'a.jpg'])
        # Nor where links are followed, up or down.
        inner = self.folder / 'inner'
        inner.mkdir()
        (inner / 'above').symlink_to(self.folder)
        photo().save(inner / 'b.jpg')
        eq_(find_images(self.folder, follow_links=True),
            [self.folder / 'a.jpg', inner / 'b.jpg'])
        eq_(find_images(inner, follow_links=True),
            [inner / 'above' / 'a.jpg', inner / 'b.jpg'])

    def test_links_to_folders_are_followed_if_wanted(self):
        for name in 'one/a.jpg', 'two/deep/b.jpg', 'all/c.jpg', 'all/z/d.jpg':
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            photo().save(self.folder / name)
        everything = self.folder / 'all'
        for link, target in ('first', '../one'), ('second', '../two'), (
                'again', '../one'), ('itself', '.'), ('a_to_z', 'z'):
            (everything / link).symlink_to(target)
        (everything / 'file.jpg').symlink_to('../one/a.jpg')
        (everything / 'dead.jpg').symlink_to('../nowhere')
        names = [path.relative_to(everything).as_posix() for path in
                 find_images(everything, follow_links=True)]
        # Each folder once; one that is no link by its own name.
        eq_(names, ['again/a.jpg', 'c.jpg', 'dead.jpg', 'file.jpg',
                    'second/deep/b.jpg', 'z/d.jpg'])
        eq_([path.name for path in find_images(everything)],
            ['c.jpg', 'dead.jpg', 'file.jpg', 'd.jpg'])

    def test_a_link_to_a_missing_folder_is_told(self):
        (self.folder / 'general').symlink_to('nowhere')
        eq_(find_images(self.folder), [])
        with assert_raises(ImageError) as caught:
            find_images(self.folder, follow_links=True)
        eq_(str(caught.exception), '%s: cannot list this folder (link to '
            'nothing)' % (self.folder / 'general'))

    def test_missing_folder(self):
        with assert_raises(ImageError):
            find_images(self.folder / 'no')
        errors = []
        eq_(find_images(self.folder / 'no', on_error=errors.append), [])
        assert_in('no such file', errors[0].reason)


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

    def test_as_uint8(self):
        eight = np.arange(256, dtype=np.uint8)
        assert_array_equal(as_uint8(eight), eight)
        assert_array_equal(as_uint8(eight.astype(np.uint16) * 257), eight)
        assert_array_equal(as_uint8(eight / np.float32(255)), eight)
        assert_array_equal(as_uint8(np.array([-.1, 1.1])), [0, 255])
        deep = np.arange(65536)
        assert_array_equal(as_uint8(deep.astype(np.uint16)),
                           np.round(deep / 257.))

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

    def test_usual_permissions(self):
        umask = os.umask(0o022)
        try:
            self.write('a.png')
        finally:
            os.umask(umask)
        eq_((self.folder / 'a.png').stat().st_mode & 0o777, 0o644)
