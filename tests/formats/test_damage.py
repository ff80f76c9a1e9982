"""Files that are damaged: true reasons, in one line, of no code."""

import io
import os
import random
import re
import struct
import sys
import tempfile
import zlib
from pathlib import Path
from unittest import mock

import imagecodecs
import numpy as np
import tifffile
from nose.tools import assert_raises, eq_, ok_
from PIL import Image

from colornet.formats.apart import decode_ljpeg
from colornet.formats.decoding import decode_photo
from colornet.formats.photo import ImageError, damage
from tests.formats.kinds import levels
from tests.formats.tiffs import picture, tiff
from tests.photos.samples import grey, photo

#: All that is ever said of them.
REASONS = re.compile(
    r'truncated file|empty file|not an image file \(.*'
    r'|damaged file \((no picture in it|'
    r'its (headers|directories|pixels|pixels of \d+ bits|tags or its pixels|'
    r'pixels, compressed by \w+,) cannot be decoded)\)'
    r'|too large, more than \d+ million pixels .*'
    r'|too large for a file of \d+ bytes'
    r'|of a kind that is not read \(Unsupported BMP.*'
    r'|TIFF (of \d+ samples|with compression \w+ and|of \d+ inks|with ).*'
    r'|(colour profile|camera raw).*')


def files():
    """(Name, content) of small files of every format."""
    for format in 'JPEG', 'PNG', 'GIF', 'BMP', 'WEBP', 'PPM', 'JPEG2000':
        stream = io.BytesIO()
        photo().resize((40, 30)).save(stream, format)
        yield format, stream.getvalue()
    stream = io.BytesIO()
    Image.fromarray(np.array(grey()).astype(np.uint16) * 257).save(stream,
                                                                   'PNG')
    yield 'deep PNG', stream.getvalue()
    for kind in None, 'lzw', 'zlib', 'zstd', 'packbits', 'jpeg':
        stream = io.BytesIO()
        tifffile.imwrite(stream, np.array(photo()), photometric='rgb',
                         compression=kind)
        yield 'TIFF', stream.getvalue()
    for bits in 12, 16:
        yield 'TIFF', tiff(levels(picture(3), bits), bits, 2)


def test_reasons_have_no_code_in_them():
    chance = random.Random(1)
    count = 0
    for name, content in files():
        for _ in range(60):
            damaged = bytearray(content)
            for _ in range(chance.choice((1, 1, 5))):
                at = chance.randrange(chance.choice((80, 300, len(content))))
                # TIFF has its directory where it likes.
                damaged[-1 - at if name == 'TIFF' and chance.random() < .4
                        else at] = chance.randrange(256)
            try:
                decode_photo(bytes(damaged), 'a')
            except ImageError as error:
                count += 1
                ok_(REASONS.fullmatch(error.reason), '%s: %s' % (
                    name, error.reason))
    ok_(count > 200, count)


def test_a_photo_whose_headers_are_damaged_is_called_so():
    for name, content in files():
        if name in ('JPEG', 'PNG', 'GIF', 'WEBP', 'JPEG2000'):
            with assert_raises(ImageError) as caught:
                decode_photo(content[:12] + b'\xff' * 40, 'a')
            ok_('not an image' not in caught.exception.reason, name)


def test_tags_that_contradict_each_other():
    for tag, part in (259, 'tags or its pixels'), (277, 'directories'):
        with assert_raises(ImageError) as caught:
            decode_photo(tiff(levels(picture(), 8), 8, more=[
                (tag, 3, (8, 7, 6, 5))]), 'a')
        eq_(caught.exception.reason,
            'damaged file (its %s cannot be decoded)' % part)


def test_lossless_jpeg_whose_decoder_crashes():
    # No tables; a process of its own dies of it.
    head = (b'\xff\xd8\xff\xc3\0\x0b\x10\0\x1b\0\x25\1\0\x11\0'
            b'\xff\xda\0\x08\1\0\0\6\0\0')
    content = head + bytes(range(1, 200)) * 5
    for name, damaged in (('a.jpg', content), ('a.tif', tiff(
            levels(picture(), 8), 8, data=[content], strip=27,
            more=[(259, 3, (7,))]))):
        with assert_raises(ImageError) as caught:
            decode_photo(damaged, name)
        ok_(REASONS.fullmatch(caught.exception.reason),
            caught.exception.reason)
    # What is whole is read there.
    whole = (np.arange(27 * 37).reshape(27, 37) * 65).astype(np.uint16)
    content = imagecodecs.ljpeg_encode(whole, bitspersample=16)
    eq_(decode_ljpeg(content).tolist(), whole.tolist())
    # Not with what lies where it is called.
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        for name in 'numpy', 'io', 'colornet', 'imagecodecs':
            Path(folder, name + '.py').write_text('raise SystemExit(1)')
        os.chdir(folder)
        try:
            with mock.patch.object(sys, 'path', [
                    os.path.join(here, place) for place in sys.path]):
                eq_(decode_ljpeg(content).tolist(), whole.tolist())
        finally:
            os.chdir(here)
    # However Python is told to write to a pipe.
    for unbuffered in '', '1':
        with mock.patch.dict(os.environ, {'PYTHONUNBUFFERED': unbuffered}):
            eq_(decode_ljpeg(content).tolist(), whole.tolist())


def test_pixels_that_cannot_be_in_so_few_bytes():
    stream = io.BytesIO()
    photo().resize((40, 30)).save(stream, 'GIF')
    content = bytearray(stream.getvalue())
    content[6:10] = struct.pack('<HH', 60000, 1000)
    for more in 0, 50000:
        damaged = bytes(content) + bytes(more)
        with assert_raises(ImageError) as caught:
            decode_photo(damaged, 'a.gif')
        eq_(caught.exception.reason, 'too large for a file of %d bytes'
            % len(damaged))


def test_pixels_of_png_that_zlib_cannot_make():
    """A blank scan of one bit has 8,000 a byte; of colours, none has 400."""
    stream = io.BytesIO()
    Image.new('RGB', (10, 10)).save(stream, 'PNG')
    content = bytearray(stream.getvalue() + bytes(100000))
    content[16:24] = struct.pack('>2I', 10000, 4000)
    content[29:33] = struct.pack('>I', zlib.crc32(content[12:29]))
    with assert_raises(ImageError) as caught:
        decode_photo(bytes(content), 'a.png')
    eq_(caught.exception.reason, 'too large for a file of %d bytes'
        % len(content))


def test_png_begins_with_its_size():
    stream = io.BytesIO()
    Image.new('1', (9, 7)).save(stream, 'PNG', transparency=0)
    content = stream.getvalue()
    start = content.index(b'tRNS') - 4
    chunk = content[start:start + 14]
    eq_(decode_photo(content, 'a.png').pixels.shape[:2], (7, 9))
    with assert_raises(ImageError) as caught:
        decode_photo(content[:8] + chunk + content[8:], 'a.png')
    ok_('does not begin' in caught.exception.reason)


def test_sides_that_are_no_numbers():
    # tifffile multiplies one by the other, which takes all memory.
    with assert_raises(ImageError) as caught:
        decode_photo(tiff(levels(picture(), 8), 8, more=[
            (256, 4, (2000000000, 7)), (257, 4, (4000000000,)),
            (279, 4, ())]), 'a')
    eq_(caught.exception.reason,
        'damaged file (its directories cannot be decoded)')


def test_words():
    for text, reason in (
            ('image file is truncated (7 bytes not processed)',
             'truncated file'),
            ("'<' not supported between instances of 'tuple' and 'int'",
             'damaged file (its tags cannot be decoded)'),
            ('Unsupported BMP compression (7)',
             'of a kind that is not read (Unsupported BMP compression (7))')):
        eq_(damage(ValueError(text), 'its tags'), reason)
