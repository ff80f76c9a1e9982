"""HEIC, AVIF and camera raw: read by a package, which is named if missing."""

import io
import sys
from unittest import mock

import imagecodecs
import numpy as np
import tifffile
from nose.tools import assert_in, assert_raises, eq_, ok_
from PIL import Image, features

from colornet.formats.decoding import decode_photo
from colornet.formats.optional import sniff
from colornet.formats.photo import ImageError, limit_pixels
from colornet.formats.tags import read_tags
from tests.formats.test_metadata import XMP, block
from tests.photos.samples import photo
from tests.tiny import need

RAW = b'FUJIFILMCCD-RAW 0201' + bytes(100)


def heif(pixels, **options):
    """A HEIC file of an array, nearly without loss."""
    import pillow_heif
    bits = 8 if pixels.dtype == np.uint8 else 16
    mode = {3: 'RGB', 4: 'RGBA'}[pixels.shape[2]] + ';16' * (bits == 16)
    stream = io.BytesIO()
    pillow_heif.encode(mode, pixels.shape[1::-1], pixels.tobytes(), stream,
                       quality=-1, chroma=444, matrix_coefficients=0,
                       **options)
    return stream.getvalue()


def test_heic():
    need('pillow_heif')
    # libheif's memory goes with the file: it must have been copied.
    decoded = [decode_photo(heif(np.roll(np.array(photo()), shift, axis=0)),
                            'a.jpg') for shift in range(4)]
    for shift, each in enumerate(decoded):
        eq_((each.format, each.alpha), ('HEIC', None))
        difference = each.pixels - np.roll(np.array(photo(), int), shift,
                                           axis=0)
        ok_(np.abs(difference).max() <= 3, np.abs(difference).max())


def test_heic_with_alpha_and_of_more_bits():
    need('pillow_heif')
    clear = np.dstack([np.array(photo()), np.array(photo().convert('L'))])
    read = decode_photo(heif(clear), 'a')
    ok_(np.abs(read.alpha - clear[..., 3].astype(int)).max() <= 3)
    deep = np.array(photo()).astype(np.uint16) * 257
    read = decode_photo(heif(deep), 'a')
    eq_(read.pixels.dtype, np.uint16)
    # As HEIC, 10 or 12 bits.
    ok_(np.abs(read.pixels - deep.astype(int)).max() <= 400)


def test_heic_keeps_what_it_says_and_is_upright():
    need('pillow_heif')
    read = decode_photo(heif(np.array(photo()), exif=block(), xmp=XMP), 'a')
    eq_(read.metadata.xmp, XMP)
    # Its turns are the container's, which the decoder follows.
    eq_((read.orientation, read.pixels.shape), (1, (128, 96, 3)))
    eq_(len(read.metadata.exif), len(block()))


def test_avif():
    if 'avif' not in features.modules:
        need('pillow_heif')
    content = imagecodecs.avif_encode(np.array(photo()))
    read = decode_photo(content, 'a.avif')
    eq_(read.format, 'AVIF')
    ok_(np.abs(read.pixels - np.array(photo(), int)).mean() < 8)


def test_raw():
    need('rawpy')
    content = dng()
    read = decode_photo(content, 'a.dng')
    eq_((read.format, read.pixels.dtype), ('RAW', np.uint16))
    eq_(read.pixels.shape, (120, 160, 3))
    eq_(read.notes, ())
    tags = read_tags(read.metadata.exif).values
    eq_(tags[271], (2, 5, b'None\0'))
    ok_(50706 not in tags)  # which makes a file DNG
    # Known as raw by what is in it, too.
    eq_(decode_photo(content, 'a.tif').format, 'RAW')
    with assert_raises(ImageError) as caught:
        decode_photo(RAW, 'a.raf')
    eq_(len(str(caught.exception).splitlines()), 1)


def test_raw_of_other_numbers_of_colours():
    need('rawpy')
    import rawpy

    class Developed:
        sizes = mock.Mock(height=120, width=160)

        def __init__(self, count):
            self.count = count

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def postprocess(self, **_):
            return np.full((120, 160, self.count), 9, np.uint16)
    for count, shape in (1, (120, 160)), (3, (120, 160, 3)):
        with mock.patch.object(rawpy, 'imread', lambda _: Developed(count)):
            eq_(decode_photo(dng(), 'a.dng').pixels.shape, shape)
    with mock.patch.object(rawpy, 'imread', lambda _: Developed(2)):
        with assert_raises(ImageError) as caught:
            decode_photo(dng(), 'a.dng')
    eq_(str(caught.exception), 'a.dng: camera raw of 2 colours, which is not '
                               'read')


def dng():
    """What a sensor saw: grey, brighter to the right."""
    ramp = np.linspace(1000, 60000, 160)[None] * np.ones((120, 1))
    stream = io.BytesIO()
    matrix = tuple(value for each in (1, 0, 0, 0, 1, 0, 0, 0, 1)
                   for value in (each, 1))
    tifffile.imwrite(
        stream, ramp.astype(np.uint16), photometric=32803, metadata=None,
        extratags=[(33421, 3, 2, (2, 2), True),
                   (33422, 1, 4, bytes([0, 1, 1, 2]), True),
                   (50706, 1, 4, bytes([1, 4, 0, 0]), True),
                   (50708, 2, 5, 'None', True), (271, 2, 5, 'None', True),
                   (272, 2, 5, 'None', True), (50717, 4, 1, 65535, True),
                   (50721, 10, 9, matrix, True),
                   (50728, 5, 3, (1, 1, 1, 1, 1, 1), True)])
    return stream.getvalue()


def test_a_missing_package_is_named():
    for content, module, name, kind in (
            (b'\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'pillow_heif',
             'pillow-heif', 'HEIC'),
            (RAW, 'rawpy', 'rawpy', 'camera raw')):
        with mock.patch.dict(sys.modules, {module: None}):
            with assert_raises(ImageError) as caught:
                decode_photo(content, 'a.heic')
        reason = caught.exception.reason
        ok_(reason.startswith(kind), reason)
        assert_in('pip install ' + name, reason)


def test_damaged():
    need('pillow_heif')
    content = heif(np.array(photo()))
    for part in content[:60], content[:len(content) // 2]:
        with assert_raises(ImageError) as caught:
            decode_photo(part, 'a')
        eq_(len(str(caught.exception).splitlines()), 1)


def test_heic_whose_decoder_crashes():
    need('pillow_heif')
    # The type of its XMP is no text, of which pillow-heif dies.
    content = heif(np.array(photo()), xmp=XMP)
    at = content.index(b'application/rdf+xml')
    with assert_raises(ImageError) as caught:
        decode_photo(content[:at] + b'\xc2' + content[at + 1:], 'a.heic')
    assert_in(caught.exception.reason, (
        'damaged file (its HEIC picture cannot be decoded)',))


def test_a_large_heic():
    need('pillow_heif')
    content = heif(np.array(photo().resize((500, 400))))
    eq_(decode_photo(content, 'a').pixels.shape, (400, 500, 3))
    limit = Image.MAX_IMAGE_PIXELS
    try:
        limit_pixels(199998)
        with assert_raises(ImageError) as caught:
            decode_photo(content, 'a')
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    assert_in('too large, more than 199998 pixels', caught.exception.reason)


def test_what_it_is_told_by():
    for start, kind in ((b'\0\0\0\x1cftypmif1\0\0\0\0mif1heic', 'HEIC'),
                        (b'\0\0\0\x1cftypmif1\0\0\0\0mif1avif', 'AVIF'),
                        (b'\0\0\0\x18ftypcrx \0\0\0\1crx isom', 'RAW'),
                        (b'\0\0\0\x18ftypmp42\0\0\0\0mp42isom', None),
                        (b'II*\0\x10\0\0\0CR\2\0' + bytes(20), 'RAW'),
                        (b'II*\0\x08\0\0\0' + bytes(24), None)):
        eq_(sniff(start), kind)
    eq_(sniff(b'II*\0\x08\0\0\0' + bytes(24), '.nef'), 'RAW')
