"""More than 8 bits in PNG, JPEG 2000, JPEG and PPM."""

import io
import struct
import zlib

import imagecodecs
import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from colornet.formats.decoding import decode_photo
from colornet.formats.deep import jpeg_headers
from colornet.formats.metadata import metadata_of_image
from colornet.formats.photo import ImageError
from tests.formats import other_kinds
from tests.formats.tiffs import picture, tiff
from tests.photos.samples import grey


def deep(channels):
    return (picture(channels) * 65535).round().astype(np.uint16)


def test_png():
    for channels in 1, 2, 3, 4:
        values = deep(channels)
        photo = decode_photo(imagecodecs.png_encode(values), 'a')
        eq_(photo.pixels.dtype, np.uint16)
        colours = values if channels == 1 else values[..., :(
            channels - 1) // 2 * 2 + 1]
        assert_array_equal(photo.pixels, np.squeeze(colours))
        if channels % 2:
            eq_(photo.alpha, None)
        else:
            assert_array_equal(photo.alpha, values[..., -1])


def chunk(kind, content):
    return (struct.pack('>I', len(content)) + kind + content
            + struct.pack('>I', zlib.crc32(kind + content)))


def test_a_transparent_value_in_16_bits():
    for channels in 1, 3:
        values = deep(channels)
        png = imagecodecs.png_encode(values)
        clear = np.atleast_1d(values[4, 5])
        said = struct.pack('>%dH' % channels, *clear)
        png = png[:33] + chunk(b'tRNS', said) + png[33:]
        photo = decode_photo(png, 'a')
        assert_array_equal(photo.pixels, values)
        is_clear = values == clear
        assert_array_equal(photo.alpha == 0, is_clear if channels == 1 else
                           is_clear.all(axis=-1))


def test_a_transparent_value_in_few_bits():
    kind = 'grey with a transparent value'
    for _, samples, bits, content, _, alpha, _ in other_kinds.png():
        if samples == kind:
            assert_array_equal(decode_photo(content, 'a').alpha > 0, alpha,
                               bits)


def test_gamma_of_png():
    for values in np.array(grey()), np.array(grey()).astype(np.uint16) * 257:
        png = imagecodecs.png_encode(values)
        white = np.iinfo(values.dtype).max
        for gamma, power in ((100000, 1.), (45455, None), (55556, 1.8)):
            tagged = png[:33] + chunk(b'gAMA', struct.pack('>I', gamma)) + (
                png[33:])
            expected = values / float(white)
            if power:
                linear = expected ** power
                expected = np.where(linear > .0031308, 1.055 * linear
                                    ** (1 / 2.4) - .055, 12.92 * linear)
            assert_allclose(decode_photo(tagged, 'a').pixels / float(white),
                            expected, atol=1. / white)
        # What says that it is sRGB is.
        tagged = (png[:33] + chunk(b'sRGB', b'\0')
                  + chunk(b'gAMA', struct.pack('>I', 100000)) + png[33:])
        assert_array_equal(decode_photo(tagged, 'a').pixels, values)


def test_jpeg_2000():
    for bits in 12, 16:
        for channels in 1, 3:
            values = (picture(channels) * ((1 << bits) - 1)).round().astype(
                np.uint16)
            for container in 'jp2', 'j2k':
                content = imagecodecs.jpeg2k_encode(
                    values, level=0, bitspersample=bits, codecformat=container)
                photo = decode_photo(content, 'a')
                eq_(photo.pixels.dtype, np.uint16)
                assert_allclose(photo.pixels / 65535., picture(channels),
                                atol=.6 / ((1 << bits) - 1))


def test_ppm():
    for white in 65535, 1023:
        values = (picture(3) * white).round().astype('>u2')
        content = b'P6\n# of a scanner\n37 27\n%d\n' % white
        words = ' '.join(map(str, values.ravel())).replace(' ', ' # one\n', 1)
        for whole in (content + values.tobytes(),
                      content.replace(b'P6', b'P3') + words.encode()):
            photo = decode_photo(whole, 'a')
            eq_(photo.pixels.dtype, np.uint16)
            assert_allclose(photo.pixels / 65535., picture(3),
                            atol=.6 / white)
        with assert_raises(ImageError):
            decode_photo(whole[:-900], 'a')


def test_float_maps():
    for _, what, _, content, expected, _, tolerance in (
            other_kinds.float_maps()):
        pixels = decode_photo(content, 'a.pfm').pixels
        eq_(pixels.dtype, np.uint16)
        assert_allclose(pixels / 65535., expected, atol=tolerance / 255,
                        err_msg=what)


def test_damaged_pfm():
    for content, reason in ((b'PF\n37 27\n-1.0\n' + bytes(99), 'truncated'),
                            (b'PF\n0 27\n-1.0\n', 'damaged'),
                            (b'PF\n99999 99999\n1\n', 'too large')):
        with assert_raises(ImageError) as caught:
            decode_photo(content, 'a.pfm')
        assert_in(reason, caught.exception.reason)


def test_lossless_jpeg():
    values = deep(1)
    content = imagecodecs.ljpeg_encode(values, bitspersample=16)
    assert_array_equal(decode_photo(content, 'a').pixels, values)


def test_metadata_of_lossless_jpeg():
    exif = Image.Exif()
    exif[0x010f], exif[0x0112] = 'Maker', 6
    stream = io.BytesIO()
    photo = Image.new('L', (37, 27))
    photo.save(stream, 'JPEG', exif=exif, dpi=(300, 300),
               comment=b'a comment')
    segments = jpeg_headers(stream.getvalue())[0]
    content = imagecodecs.ljpeg_encode(deep(1), bitspersample=16)
    content = content[:2] + segments + content[2:]
    read = decode_photo(content, 'a')
    expected = metadata_of_image(Image.open(stream))
    eq_(read.metadata.exif, expected.exif)
    assert_in(b'Maker', read.metadata.exif)
    eq_(read.metadata.comments, (b'a comment',))
    eq_(read.metadata.resolution, (300, 300))
    eq_(read.orientation, 6)
    assert_array_equal(read.pixels, np.rot90(deep(1), -1))


def test_a_jpeg_of_too_many_pixels():
    content = bytearray(imagecodecs.ljpeg_encode(deep(1), bitspersample=16))
    at = content.index(b'\xff\xc3')
    content[at + 5:at + 9] = struct.pack('>HH', 60000, 60000)
    with assert_raises(ImageError) as caught:
        decode_photo(bytes(content), 'a')
    assert_in('too large', caught.exception.reason)


def test_damaged():
    png = imagecodecs.png_encode(deep(3))
    for content in (png[:-300], png[:200] + bytes(300) + png[500:]):
        with assert_raises(ImageError):
            decode_photo(content, 'a')
    with assert_raises(ImageError) as caught:
        decode_photo(b'\xff\xd8\xff\xdb' + bytes(30), 'a')
    assert_in('damaged file', str(caught.exception))


def test_floating_point():
    stream = io.BytesIO()
    Image.fromarray(picture().astype(np.float32)).save(stream, 'TIFF')
    photo = decode_photo(stream.getvalue(), 'a')
    ok_(np.abs(photo.pixels / 65535. - picture()).max() < 1e-4)


def open_ended():
    """(Name, decoder, content) of JPEG that only imagecodecs decodes."""
    noise = np.random.RandomState(0).randint(0, 1 << 16, (90, 80)).astype(
        np.uint16)
    for bits in 12, 16:
        yield 'lossless', bits, imagecodecs.ljpeg_encode(
            noise >> (16 - bits), bitspersample=bits)
    try:
        yield '12 bits', 12, imagecodecs.jpeg_encode(noise >> 4, level=95,
                                                     bitspersample=12)
    except imagecodecs.Jpeg8Error:
        pass  # Older ones cannot.


def test_cut_jpeg_that_decoders_fill_up():
    for name, bits, content in open_ended():
        whole = decode_photo(content, 'a').pixels
        # What is behind its end does not matter.
        for more in b'', b'\0' * 9, content[:40]:
            assert_array_equal(decode_photo(content + more, 'a').pixels,
                               whole)
        size = len(content)
        # An end that was put there tells nothing.
        for length in [size // 3, size // 2] + list(range(size - 40,
                                                          size - 2)):
            for end in b'', b'\xff\xd9':
                with assert_raises(ImageError) as caught:
                    decode_photo(content[:length] + end, 'a')
                assert_in(caught.exception.reason, (
                    'truncated file', 'damaged file (its pixels of %d bits '
                    'cannot be decoded)' % bits), name)


def test_jpeg_in_tiff_that_ends_early():
    samples = np.zeros((90, 80), np.uint16)
    for name, bits, content in open_ended():
        def wrapped(strip):
            return tiff(samples, bits, data=[strip], strip=90, more=[
                (259, 3, (7,))])
        whole = decode_photo(wrapped(content), 'a.tif').pixels
        # Where the strip says where it ends, the marker may be missing.
        assert_array_equal(decode_photo(wrapped(content[:-2]), 'a.tif').pixels,
                           whole)
        for length in len(content) // 3, len(content) - 30:
            with assert_raises(ImageError):
                decode_photo(wrapped(content[:length]), 'a.tif')
