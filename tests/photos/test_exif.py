"""What EXIF says of a photo: orientations, and what is handed on."""

import numpy as np
from nose.tools import eq_
from numpy.testing import assert_array_equal
from PIL import Image, ImageOps

from colornet.formats.arrays import to_stored, to_upright
from colornet.photos.reading import read_photo
from colornet.photos.writing import write_photo
from tests.photos.samples import ORIENTATION, InFolder, grey, photo


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
        eq_((read.orientation, read.metadata.exif), (1, b''))
        write_photo(path, read.pixels, read)
