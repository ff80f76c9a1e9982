"""Tests of colornet.minibatches: the cache, the draws and the thread."""

import os
import shutil
import tempfile
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_
from numpy.testing import assert_array_equal
from PIL import Image

from colornet import minibatches
from colornet.errors import ColornetError
from colornet.images import read_rgb
from colornet.minibatches import (epoch_plan, hold_out, iterate_minibatches,
                                  load_images, prefetch)

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
        self.read_rgb = minibatches.read_rgb
        minibatches.read_rgb = self.record_read_rgb

    def tearDown(self):
        minibatches.read_rgb = self.read_rgb
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

    def test_two_builders_at_once(self):
        slow = minibatches.read_rgb

        def read_slowly(path, size):
            time.sleep(0.02)
            return slow(path, size)

        minibatches.read_rgb = read_slowly
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
        minibatches.read_rgb = interrupt
        assert_raises(KeyboardInterrupt, self.load)
        with open(self.cache, 'rb') as file:
            ok_(file.read() == before)
        eq_(os.listdir(os.path.dirname(self.cache)), ['photos.h5'])

    def test_cache_that_cannot_be_written_is_an_error(self):
        self.cache = os.path.join(self.paths[0], 'photos.h5')
        with assert_raises(ColornetError) as caught:
            self.load()
        assert_in('cannot write', str(caught.exception))
        ok_('\n' not in str(caught.exception))


def test_hold_out_is_disjoint_and_drawn_by_seed():
    training, validation = hold_out(360, 0.1, seed=1)
    eq_(len(validation), 36)
    assert_array_equal(np.sort(np.concatenate([training, validation])),
                       np.arange(360))
    assert_array_equal(validation, np.sort(validation))
    assert_array_equal(training, np.sort(training))
    assert_array_equal(validation, hold_out(360, 0.1, seed=1)[1])
    ok_((validation != hold_out(360, 0.1, seed=2)[1]).any())


def test_hold_out_keeps_at_least_one_each():
    for num_images, proportion, expected in [
            (3, 0.01, 1), (3, 0, 0), (2, 0.5, 1), (10, 0.25, 2)]:
        training, validation = hold_out(num_images, proportion, seed=0)
        eq_(len(validation), expected)
        eq_(len(training), num_images - expected)
    for num_images, proportion in [(1, 0.1), (3, 0.9), (0, 0), (10, 1),
                                   (10, -0.1), (10, float('nan'))]:
        assert_raises(ColornetError, hold_out, num_images, proportion, 0)


def test_epoch_plan_depends_on_seed_and_epoch_alone():
    indices = np.arange(5, 45)
    order, flips = epoch_plan(indices, seed=3, epoch=7, flip=True)
    np.random.rand(9)
    again = epoch_plan(indices, seed=3, epoch=7, flip=True)
    assert_array_equal(order, again[0])
    assert_array_equal(flips, again[1])
    assert_array_equal(np.sort(order), indices)
    assert_array_equal(indices, np.arange(5, 45))
    ok_(10 < flips.sum() < 30)
    for seed, epoch in [(3, 8), (4, 7), (7, 3)]:
        other, other_flips = epoch_plan(indices, seed, epoch, flip=True)
        ok_((order != other).any())
        ok_((flips != other_flips).any())


def test_epoch_plan_without_flips_has_the_same_order():
    order, flips = epoch_plan(range(40), 3, 7, flip=False)
    ok_(not flips.any())
    assert_array_equal(order, epoch_plan(range(40), 3, 7, flip=True)[0])


def test_minibatches_agree_with_a_loop():
    images = np.random.RandomState(0).randint(0, 256, (7, 4, 5, 3), np.uint8)
    before = images.copy()
    indices = [6, 0, 3, 3, 1]
    flips = [True, False, False, True, True]
    batches = list(iterate_minibatches(images, indices, 2, flips))
    eq_([len(batch) for batch in batches], [2, 2, 1])
    got = np.concatenate(batches)
    for number, (index, flip) in enumerate(zip(indices, flips)):
        for column in range(5):
            source = 4 - column if flip else column
            assert_array_equal(got[number, :, column],
                               images[index, :, source])
    assert_array_equal(images, before)
    assert_array_equal(
        np.concatenate(list(iterate_minibatches(images, indices, 3))),
        images[indices])


def test_minibatches_refuse_bad_arguments():
    images = np.zeros((3, 2, 2, 3), np.uint8)
    assert_raises(ColornetError, next, iterate_minibatches(images, [0], 0))
    assert_raises(ValueError, next,
                  iterate_minibatches(images, [0, 1], 2, [True]))


def wait_for_threads(count):
    deadline = time.time() + 2
    while threading.active_count() > count and time.time() < deadline:
        time.sleep(0.01)
    eq_(threading.active_count(), count)


def test_prefetch_keeps_the_order_and_transforms_in_a_thread():
    before = threading.active_count()
    threads = set()

    def square(item):
        threads.add(threading.current_thread())
        return item * item

    eq_(list(prefetch(range(50), square)), [n * n for n in range(50)])
    ok_(threading.current_thread() not in threads)
    eq_(list(prefetch([])), [])
    eq_(list(prefetch([None, 0], num_ahead=1)), [None, 0])
    wait_for_threads(before)


def test_prefetch_works_ahead_but_not_further():
    done = []
    items = prefetch(range(20), done.append, num_ahead=3)
    next(items)
    deadline = time.time() + 2
    while len(done) < 4 and time.time() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    eq_(done, [0, 1, 2, 3])
    items.close()


def test_prefetch_overlaps_with_the_consumer():
    start = time.time()
    for _ in prefetch(range(10), lambda item: time.sleep(0.03)):
        time.sleep(0.03)
    ok_(time.time() - start < 0.5)  # One after the other: 0.6 s.


def test_prefetch_raises_what_the_thread_raised():
    before = threading.active_count()

    def fail():
        yield 1
        raise ColornetError('no more')

    items = prefetch(fail())
    eq_(next(items), 1)
    with assert_raises(ColornetError) as caught:
        next(items)
    eq_(str(caught.exception), 'no more')

    items = prefetch([1, 0], lambda item: 1 // item)
    eq_(next(items), 1)
    assert_raises(ZeroDivisionError, next, items)
    wait_for_threads(before)


def test_closing_prefetch_ends_the_thread():
    before = threading.active_count()
    done = []

    def work(item):
        done.append(item)
        time.sleep(0.02)

    items = prefetch(iter(int, 1), work, num_ahead=10)  # Without end.
    next(items)
    items.close()
    wait_for_threads(before)
    ok_(len(done) < 5)


def test_leaving_the_loop_ends_the_thread():
    before = threading.active_count()
    for _ in prefetch(iter(int, 1)):
        break
    wait_for_threads(before)


def test_interrupting_the_consumer_ends_the_thread():
    before = threading.active_count()

    def train():
        for _ in prefetch(iter(int, 1)):
            raise KeyboardInterrupt

    assert_raises(KeyboardInterrupt, train)
    wait_for_threads(before)
