"""The cache of decoded photos."""

import contextlib
import os
import shutil
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import h5py
import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_
from numpy.testing import assert_array_equal
from PIL import Image

from colornet.data import image_cache
from colornet.data.image_cache import load_images
from colornet.errors import ColornetError
from colornet.photos.reading import read_rgb

SIZE = 24


def make_photo(path, seed=0, grey=False, side=32):
    pixels = np.random.RandomState(seed).randint(0, 256, (side, side, 3))
    if grey:
        pixels[...] = pixels[..., :1]
    Image.fromarray(pixels.astype(np.uint8)).save(path)


class TestLoadImages(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.cache = os.path.join(self.folder, 'cache', 'photos.h5')
        os.mkdir(os.path.join(self.folder, 'photos'))
        self.paths = [os.path.join(self.folder, 'photos', '%s.png' % name)
                      for name in 'cab']
        for seed, path in enumerate(self.paths):
            make_photo(path, seed)
        self.decoded = []
        self.read_rgb = image_cache.read_rgb
        image_cache.read_rgb = self.record_read_rgb

    def tearDown(self):
        image_cache.read_rgb = self.read_rgb
        shutil.rmtree(self.folder)

    def record_read_rgb(self, path, size):
        self.decoded.append(os.path.basename(path))
        return read_rgb(path, size)

    def load(self, size=SIZE):
        self.decoded.clear()
        return load_images(self.paths, self.cache, size)

    def check(self, images):
        assert_array_equal(images[:], [read_rgb(path, SIZE)
                                       for path in self.paths])

    def test_order_and_names_are_those_of_the_paths(self):
        images, names, skipped = self.load()
        self.check(images)
        eq_(names, ['c.png', 'a.png', 'b.png'])
        eq_(skipped, [])
        eq_(images.shape, (3, SIZE, SIZE, 3))
        eq_(len(images), 3)

    def test_indexing_agrees_with_numpy(self):
        images = self.load()[0]
        expected = np.array([read_rgb(path, SIZE) for path in self.paths])
        for key in [1, -1, slice(1, None), slice(None, None, -2), [2, 0, 2],
                    np.array([1, 0]), []]:
            assert_array_equal(images[key], expected[key])
            eq_(images[key].dtype, np.uint8)
        assert_raises(IndexError, lambda: images[3])

    def test_names_keep_what_differs_between_folders(self):
        other = os.path.join(self.folder, 'other')
        os.mkdir(other)
        self.paths.append(os.path.join(other, 'a.png'))
        make_photo(self.paths[-1], 9)
        images, names, _ = self.load()
        self.check(images)
        eq_(names[1::2], ['photos/a.png', 'other/a.png'])

    def test_second_load_decodes_nothing(self):
        self.load()
        self.check(self.load()[0])
        eq_(self.decoded, [])

    def test_part_of_the_photos_decodes_nothing(self):
        self.load()
        del self.paths[0]
        self.check(self.load()[0])
        eq_(self.decoded, [])

    def test_only_new_and_changed_photos_are_decoded(self):
        before = self.load()[0]
        first = before[1]
        make_photo(self.paths[1], seed=7)
        self.paths.append(os.path.join(self.folder, 'photos', 'd.png'))
        make_photo(self.paths[3], seed=8)
        self.check(self.load()[0])
        eq_(self.decoded, ['a.png', 'd.png'])
        assert_array_equal(before[1], first)  # The old cache can be read on.

    def test_same_bytes_count_but_newer_file_is_decoded(self):
        self.load()
        os.utime(self.paths[2], ns=(0, 0))
        self.load()
        eq_(self.decoded, ['b.png'])

    def test_other_size_is_decoded_again(self):
        self.load()
        eq_(self.load(size=16)[0].shape, (3, 16, 16, 3))
        eq_(len(self.decoded), 3)

    def test_bad_photos_are_named_and_remembered(self):
        bad = [os.path.join(self.folder, 'photos', name) for name in
               ['grey.png', 'text.jpg', 'short.png', 'small.png', 'no.jpg']]
        make_photo(bad[0], grey=True)
        with open(bad[1], 'w') as file:
            file.write('<html>')
        with open(self.paths[0], 'rb') as whole, open(bad[2], 'wb') as part:
            part.write(whole.read()[:1500])
        make_photo(bad[3], side=2)
        good = list(self.paths)
        self.paths = [bad[0], good[0]] + bad[1:4] + good[1:] + bad[4:]
        for num_decoded in [7, 0]:
            images, names, skipped = self.load()
            eq_(len(self.decoded), num_decoded)
            assert_array_equal(images[:], [read_rgb(path, SIZE)
                                           for path in good])
            eq_(names, ['c.png', 'a.png', 'b.png'])
            eq_([path for path, _ in skipped], bad)
            for (_, reason), word in zip(skipped, [
                    'grey', 'not an image', 'truncated', 'small', 'missing']):
                assert_in(word, reason)
        make_photo(bad[1], seed=5)
        eq_(len(self.load()[2]), 4)
        eq_(self.decoded, ['text.jpg'])

    def test_no_usable_photo_is_an_error(self):
        for path in self.paths:
            make_photo(path, grey=True)
        with assert_raises(ColornetError) as caught:
            self.load()
        assert_in('c.png: grey', str(caught.exception))
        self.paths = []
        assert_raises(ColornetError, self.load)

    def test_damaged_cache_is_rebuilt(self):
        self.load()
        with open(self.cache, 'rb') as file:
            whole = file.read()
        for damaged in [b'', b'not HDF5', whole[:len(whole) // 2],
                        whole[:-8]]:
            with open(self.cache, 'wb') as file:
                file.write(damaged)
            self.check(self.load()[0])
            eq_(len(self.decoded), 3)
        with h5py.File(self.cache, 'w') as file:
            file['other'] = 1
        self.check(self.load()[0])
        eq_(len(self.decoded), 3)

    def test_damaged_pixels_are_not_returned(self):
        self.load()
        with h5py.File(self.cache, 'r') as file:
            offset = file['images'].id.get_chunk_info(1).byte_offset
        with open(self.cache, 'r+b') as file:
            file.seek(offset + 100)
            file.write(b'damage')
        images = self.load()[0]
        images[0]
        with assert_raises(ColornetError) as caught:
            images[1]
        assert_in(self.cache, str(caught.exception))
        # A rebuild decodes such a photo again instead of copying it.
        os.utime(self.paths[0], ns=(0, 0))
        self.check(self.load()[0])
        eq_(self.decoded, ['c.png', 'a.png'])

    def test_no_damaged_byte_makes_another_photo(self):
        # Of what says where photos are, too: one that is not found is black.
        self.load()
        whole = Path(self.cache).read_bytes()
        whole_images = self.load()[0][:]
        for at in range(0, len(whole), 7):
            damaged = bytearray(whole)
            damaged[at] ^= 0xff
            Path(self.cache).write_bytes(damaged)
            with contextlib.suppress(ColornetError):
                assert_array_equal(self.load()[0][:], whole_images)

    def test_two_builders_at_once(self):
        slow = image_cache.read_rgb

        def read_slowly(path, size):
            time.sleep(0.02)
            return slow(path, size)

        image_cache.read_rgb = read_slowly
        with ThreadPoolExecutor(4) as threads:
            for images, _, _ in threads.map(lambda _: self.load(), range(4)):
                self.check(images)
        eq_(os.listdir(os.path.dirname(self.cache)), ['photos.h5'])

    def test_interrupt_leaves_the_old_cache(self):
        self.load()
        os.utime(self.paths[0], ns=(0, 0))

        def interrupt(path, size):
            raise KeyboardInterrupt

        with open(self.cache, 'rb') as file:
            before = file.read()
        image_cache.read_rgb = interrupt
        assert_raises(KeyboardInterrupt, self.load)
        with open(self.cache, 'rb') as file:
            ok_(file.read() == before)
        eq_(os.listdir(os.path.dirname(self.cache)), ['photos.h5'])

    def test_cache_that_cannot_be_written_is_an_error(self):
        self.cache = os.path.join(self.paths[0], 'photos.h5')
        with assert_raises(ColornetError) as caught:
            self.load()
        assert_in('cannot make the folder', str(caught.exception))
        ok_('\n' not in str(caught.exception))


class TestCrops(unittest.TestCase):
    """Photos that keep their proportions."""

    SHAPES = [(24, 36), (30, 24), (48, 60), (24, 24), (70, 50), (20, 90)]

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.cache = os.path.join(self.temporary.name, 'cache', 'photos.h5')
        self.paths = []
        for number, (rows, columns) in enumerate(self.SHAPES):
            pixels = np.random.RandomState(number).randint(
                0, 256, (rows // 2, columns // 2, 3)).astype(np.uint8)
            self.paths.append(os.path.join(self.temporary.name,
                                           '%d.png' % number))
            Image.fromarray(pixels.repeat(2, 0).repeat(2, 1)).save(
                self.paths[-1])
        self.expected = [read_rgb(path, 24, 48) for path in self.paths]

    def load(self):
        return load_images(self.paths, self.cache, 24, largest=48)

    def decodings(self):
        """How many photos a load decodes."""
        with mock.patch('colornet.data.image_cache.read_rgb',
                        side_effect=read_rgb) as read:
            self.load()
        return read.call_count

    def test_central_squares_are_those_of_the_photos(self):
        images, names, skipped = self.load()
        eq_((len(images), images.shape, skipped), (6, (6, 24, 24, 3), []))
        eq_(names[5], '5.png')
        eq_(self.expected[5].shape, (24, 36, 3))
        for number, photo in enumerate(self.expected):
            rows, columns = photo.shape[:2]
            side = min(rows, columns)
            top, left = round((rows - side) / 2), round((columns - side) / 2)
            square = Image.fromarray(photo[top:top + side, left:left + side])
            assert_array_equal(images[number],
                               square.resize((24, 24), Image.LANCZOS))
        everything = images[:]
        for key in [-1, slice(1, None), [2, 0, 2], np.array([1, 0]), []]:
            assert_array_equal(images[key], everything[key])
        assert_raises(IndexError, lambda: images[6])
        eq_(images.file_sizes, [os.path.getsize(path) for path in self.paths])

    def test_crops_agree_with_a_loop(self):
        images = self.load()[0]
        crops = [(1, 0, 0), (1, 1, 1), (0.5, 0, 1), (0.75, 0.4, 0.3),
                 (0.6, 1, 0), (1, 0.2, 0.9)]
        order = [3, 5, 2, 4, 0, 5]
        got = images.read_crops(order, crops)
        for number, (share, top, left), crop in zip(order, crops, got):
            photo = self.expected[number]
            rows, columns = photo.shape[:2]
            side = round(share * min(rows, columns))
            top = round(top * (rows - side))
            left = round(left * (columns - side))
            expected = np.empty((side, side, 3), np.uint8)
            for row in range(side):
                for column in range(side):
                    expected[row, column] = photo[top + row, left + column]
            assert_array_equal(crop, Image.fromarray(expected).resize(
                (24, 24), Image.LANCZOS))

    def test_photos_are_decoded_once_and_when_they_change(self):
        eq_([self.decodings() for _ in range(2)], [6, 0])
        before = self.load()[0][:]
        os.utime(self.paths[1], ns=(0, 0))
        eq_(self.decodings(), 1)
        assert_array_equal(self.load()[0][:], before)
        # Neither other sides nor squares are taken for these.
        eq_(load_images(self.paths, self.cache, 16, largest=48)[0].shape,
            (6, 16, 16, 3))
        eq_(load_images(self.paths, self.cache, 24)[0].shape,
            (6, 24, 24, 3))
        eq_(self.decodings(), 6)

    def test_damage_is_told(self):
        self.load()
        with h5py.File(self.cache, 'r') as file:
            offset = file['images'].id.get_chunk_info(0).byte_offset
        with open(self.cache, 'r+b') as file:
            file.seek(offset + 100)
            file.write(b'damage')
        with assert_raises(ColornetError) as caught:
            self.load()[0][0]
        assert_in(self.cache, str(caught.exception))
