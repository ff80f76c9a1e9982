"""TIFF files of every kind; pages; what is not read."""

import io

import numpy as np
import tifffile
from nose.tools import assert_in, assert_raises, eq_, ok_
from numpy.testing import assert_array_equal

from colornet.formats.decoding import decode_photo, page_numbers
from colornet.formats.photo import ImageError
from tests.formats.kinds import KINDS, levels
from tests.formats.tiffs import picture, tiff


def assert_shows(content, expected, alpha, tolerance, name='a.tif'):
    photo = decode_photo(content, name)
    white = np.iinfo(photo.pixels.dtype).max
    eq_(photo.pixels.shape, expected.shape)
    difference = np.abs(photo.pixels / float(white) - expected).max() * 255
    ok_(difference <= tolerance, '%s: %s' % (name, difference))
    if alpha is None:
        eq_(photo.alpha, None)
    else:
        eq_(photo.alpha.dtype, photo.pixels.dtype)
        ok_(np.abs(photo.alpha / float(white) - alpha).max() * 255 <= .6)
    return photo


def check_kind(kind):
    count = 0
    for what, samples, depth, content, expected, alpha, tolerance in kind():
        assert_shows(content, expected, alpha, tolerance,
                     '%s, %s of %s bits' % (what, samples, depth))
        count += 1
    ok_(count >= 4)


def test_kinds():
    for kind in KINDS:
        yield check_kind, kind


def test_16_bits_are_kept_and_8_are_not_made_more():
    for bits, dtype in (1, np.uint8), (8, np.uint8), (12, np.uint16), (
            16, np.uint16), (32, np.uint16):
        for colour in picture(), picture(3):
            eq_(decode_photo(tiff(levels(colour, bits), bits,
                                  2 if colour.ndim == 3 else 1),
                             'a').pixels.dtype, dtype)


def test_a_dark_photo_of_long_integers_stays_dark():
    for bits in 16, 32:
        dark = picture() / 8
        photo = decode_photo(tiff(levels(dark, bits), bits), 'a')
        ok_(np.abs(photo.pixels / 65535. - dark).max() < 1e-4)


def written(*pages, **options):
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        for page, own in pages:
            writer.write(page, metadata=None, **dict(options, **own))
    return stream.getvalue()


class TestPages:

    small = np.full((20, 30), 50, np.uint8)
    large = np.full((40, 60), 100, np.uint8)
    other = np.full((40, 60), 200, np.uint8)

    def test_the_largest_is_read(self):
        for own in {}, {'subfiletype': 1}:
            content = written((self.small, own), (self.large, {}))
            photo = decode_photo(content, 'a')
            assert_array_equal(photo.pixels, self.large)
            eq_(photo.has_more, not own)

    def test_of_equals_it_is_the_first(self):
        content = written((self.large, {}), (self.other, {}))
        assert_array_equal(decode_photo(content, 'a').pixels, self.large)

    def test_all(self):
        content = written((self.small, {'subfiletype': 1}), (self.large, {}),
                          (self.other, {}), (np.ones((90, 90), bool), {
                              'subfiletype': 4, 'photometric': 4}))
        eq_(page_numbers(content, 'a', 'largest'), [1])
        numbers = page_numbers(content, 'a', 'all')
        eq_(numbers, [1, 2])
        for number, page in zip(numbers, (self.large, self.other)):
            assert_array_equal(decode_photo(content, 'a', number).pixels,
                               page)
        with assert_raises(ImageError) as caught:
            decode_photo(content, 'a', 7)
        assert_in('page 8', str(caught.exception))

    def test_a_larger_one_below_another(self):
        stream = io.BytesIO()
        with tifffile.TiffWriter(stream) as writer:
            writer.write(self.small, subifds=1, metadata=None)
            writer.write(self.large, metadata=None)
        assert_array_equal(decode_photo(stream.getvalue(), 'a').pixels,
                           self.large)


class TestFaults:

    def assert_fails(self, content, *words):
        with assert_raises(ImageError) as caught:
            decode_photo(content, 'a.tif')
        eq_(len(str(caught.exception).splitlines()), 1)
        for word in words:
            assert_in(word, caught.exception.reason)

    def test_unknown_compression(self):
        content = tiff(levels(picture(), 8), 8, more=[(259, 3, (6553,))])
        self.assert_fails(content, '6553', 'compression')

    def test_complex_numbers(self):
        content = tiff(np.zeros((4, 4), int), 64, form=6)
        self.assert_fails(content, 'complex')

    def test_inks_that_are_not_cmyk(self):
        content = tiff(np.zeros((4, 4, 6), int), 8, 5, more=[(332, 3, (2,))])
        self.assert_fails(content, '6 inks')

    def test_too_few_samples(self):
        self.assert_fails(tiff(np.zeros((4, 4, 2), int), 8, 2), '2 samples')

    def test_damaged_data(self):
        content = bytearray(tiff(levels(picture(), 8), 8, deflate=True))
        content[20:60] = bytes(40)
        self.assert_fails(bytes(content), 'damaged')

    def test_truncated(self):
        content = tiff(levels(picture(), 8), 8)
        self.assert_fails(content[:-40], 'truncated')
        stream = io.BytesIO()
        tifffile.imwrite(stream, np.zeros((50, 50), np.uint8))
        self.assert_fails(stream.getvalue()[:-1000], 'truncated')

    def test_sides_that_are_no_numbers(self):
        for side in (4, 4), b'4':
            content = tiff(np.zeros((4, 4), int), 8, more=[
                (257, 7 if side == b'4' else 4, side)])
            self.assert_fails(content, 'damaged')

    def test_counts_of_bytes_that_are_text(self):
        content = tiff(np.zeros((4, 4), int), 8, more=[
            (325, 2, b'tifffile.py\0')])
        self.assert_fails(content, 'damaged')

    def test_too_many_pixels(self):
        content = tiff(np.zeros((4, 4), int), 8, more=[
            (256, 4, (20000,)), (257, 4, (20000,))])
        self.assert_fails(content, '178 million')
        for samples, tag, count in (4, 277, 60000), (4, 32997, 100000):
            content = tiff(np.zeros((4, 4, samples), int), 8, 2, more=[
                (256, 4, (1000,)), (257, 4, (1000,)),
                (tag, 4, (count,))])
            self.assert_fails(content, '178 million')


def test_a_chain_of_pages_that_leads_back():
    small, large = TestPages.small, TestPages.large
    for pages, target in ([large], 0), ([small, large], 0), (
            [small, large], 1):
        content = bytearray(written(*[(page, {}) for page in pages]))
        starts = [page.offset for page in
                  tifffile.TiffFile(io.BytesIO(content)).pages]
        count = int.from_bytes(content[starts[-1]:starts[-1] + 2], 'little')
        following = starts[-1] + 2 + 12 * count
        eq_(content[following:following + 4], bytes(4))
        content[following:following + 4] = starts[target].to_bytes(
            4, 'little')
        eq_(page_numbers(bytes(content), 'a'), list(range(len(pages))))
        assert_array_equal(decode_photo(bytes(content), 'a').pixels, large)
