"""Warnings of libraries: left out in the thread that reads, in no other."""

import contextlib
import io
import os
import struct
import tempfile
import threading
import warnings
import zlib

import imagecodecs
import numpy as np
from nose.tools import assert_raises, eq_, ok_
from PIL import Image

from colornet.formats import decoding, photo
from colornet.formats.decoding import decode_photo
from colornet.formats.quiet import quietly, without_lines
from tests.tiny import need


def warn():
    warnings.warn('noisy')


def test_inside_and_outside():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        with quietly():
            warn()
            with quietly():
                warn()
            warn()
        eq_(caught, [])
        # Whoever comes later does not change that.
        warnings.simplefilter('always')
        with quietly():
            warn()
        eq_(caught, [])
        warn()
        eq_([str(each.message) for each in caught], ['noisy'])
        try:
            with quietly():
                raise KeyError
        except KeyError:
            warn()
        eq_(len(caught), 2)


def test_threads_that_end_in_another_order():
    begun, ended = threading.Barrier(3), threading.Event()
    caught, faults = [], []

    def read(is_first):
        try:
            with quietly():
                begun.wait(10)
                if not is_first:
                    ok_(ended.wait(10))
                warn()
        except Exception as error:
            faults.append(error)
        if is_first:
            ended.set()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        threads = [threading.Thread(target=read, args=[first])
                   for first in (True, False)]
        for thread in threads:
            thread.start()
        begun.wait(10)
        warn()  # while both are quiet
        for thread in threads:
            thread.join()
        warn()
    eq_((len(caught), faults), (2, []))


def test_photos_are_read_without_a_word():
    stream = io.BytesIO()
    numbers = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    palette = numbers.convert('P')
    palette.save(stream, 'PNG', transparency=bytes(range(256)))
    limit = Image.MAX_IMAGE_PIXELS
    results = []

    def work():
        results.append(decode_photo(stream.getvalue(), 'a').alpha)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        try:
            photo.limit_pixels(260)  # Pillow warns from half of it on.
            threads = [threading.Thread(target=work) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            Image.open(stream).load()
        finally:
            Image.MAX_IMAGE_PIXELS = limit
    eq_([each.category for each in caught],
        [Image.DecompressionBombWarning])
    eq_(len(results), 8)
    ok_(all((alpha == np.array(numbers)).all() for alpha in results))
    ok_(decoding.quietly is quietly)


@contextlib.contextmanager
def screen():
    """A file in place of the standard error stream of C libraries."""
    with tempfile.TemporaryFile() as file:
        before = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield file
        finally:
            os.dup2(before, 2)
            os.close(before)


def test_lines_of_c_libraries():
    with screen() as file:
        with contextlib.suppress(KeyError), without_lines(b'noise: '):
            os.write(2, b'noise: a\nelse: b\nnoise: c\n')
            raise KeyError
        os.write(2, b'noise: d\n')
        file.seek(0)
        eq_(file.read(), b'else: b\nnoise: d\n')


def test_png_that_is_damaged_says_nothing_on_the_screen():
    levels = np.zeros((8, 8), np.uint16)
    content = imagecodecs.png_encode(levels)
    damaged = content[:26] + b'\1' + content[27:]  # the compression
    damaged = damaged[:29] + struct.pack('>I', zlib.crc32(
        damaged[12:29])) + damaged[33:]
    with screen() as file:
        with assert_raises(photo.ImageError):
            decode_photo(damaged, 'a.png')
        file.seek(0)
        eq_(file.read(), b'')


def test_camera_raw_that_is_damaged_says_nothing_on_the_screen():
    need('rawpy')
    from tests.formats.test_optional import dng
    content = dng()
    with screen() as file:
        with contextlib.suppress(photo.ImageError):
            decode_photo(content[:9000] + content[20000:], 'a.dng')
        file.seek(0)
        eq_(file.read(), b'')
