"""Profiles and metadata in the boxes of JPEG 2000."""

import io
import struct

import numpy as np
from nose.tools import eq_
from numpy.testing import assert_array_equal
from PIL import Image

from colornet.formats.decoding import decode_photo
from colornet.formats.jpeg2000 import read_boxes
from tests.formats.other_kinds import jp2_file, saved
from tests.formats.test_metadata import IPTC, XMP, block
from tests.photos.samples import grey, photo
from tests.photos.test_profiles import grey_profile, swapped_rgb_profile


def test_profiles_are_applied_and_kept():
    for image, profile in ((photo(), swapped_rgb_profile()),
                           (grey(), grey_profile(1.))):
        for bits in 8, 16:
            values = np.array(image)
            if bits == 16:
                values = values.astype(np.uint16) * 257
            read = decode_photo(jp2_file(values, bits, profile), 'a')
            stream = io.BytesIO()
            image.save(stream, 'PNG', icc_profile=profile)
            expected = decode_photo(stream.getvalue(), 'a')
            eq_(read.metadata.profile, profile)
            eq_(read.pixels.dtype.itemsize * 8, bits)
            levels = read.pixels / (257. if bits == 16 else 1.)
            eq_(levels.shape, expected.pixels.shape)
            assert np.abs(levels - expected.pixels).max() < 1
            eq_(read.notes, ())


def test_what_is_left_is_read_by_others():
    content = jp2_file(np.array(photo()), 8, swapped_rgb_profile())
    plain, said = read_boxes(content)
    eq_(said, {'icc_profile': swapped_rgb_profile()})
    assert_array_equal(np.array(Image.open(io.BytesIO(plain))),
                       np.array(photo()))


def test_xmp_exif_and_iptc():
    content = saved(photo(), 'JPEG2000')
    at = content.index(b'jp2c') - 4
    boxes = b''.join(struct.pack('>I', 24 + len(said)) + b'uuid' + name + said
                     for name, said in (
        (bytes.fromhex('be7acfcb97a942e89c71999491e3afac'), XMP),
        (b'JpgTiffExif->JP2', block()),
        (bytes.fromhex('33c7a4d2b81d4723a0baf1a3e097ad38'), IPTC[12:]),
        (bytes(16), b'of another program')))
    read = decode_photo(content[:at] + boxes + content[at:], 'a')
    eq_(read.metadata.xmp, XMP)
    eq_(read.metadata.exif, block())
    eq_(read.metadata.photoshop, IPTC)
    eq_(read.orientation, 6)
    eq_(read.pixels.shape, (128, 96, 3))
