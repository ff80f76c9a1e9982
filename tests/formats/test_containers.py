"""What files of several formats keep of what another said."""

import io
import struct
import zlib
from dataclasses import replace

import numpy as np
from nose.tools import assert_in, eq_, ok_

from colornet.formats.decoding import decode_photo
from colornet.formats.tags import Tags, exif_block, resolution_values
from colornet.photos.writing import encode_photo
from tests.formats.other_kinds import chunk
from tests.formats.test_metadata import IPTC, XMP
from tests.photos.samples import ORIENTATION, photo


def read(*chunks, **options):
    """A photo read from a PNG with further chunks."""
    stream = io.BytesIO()
    photo().save(stream, 'PNG', **options)
    content = stream.getvalue()
    return decode_photo(content[:33] + b''.join(chunks) + content[33:], 'a')


def written(image, suffix):
    """Its file in another format, as bytes, and what was said of it."""
    told = []
    return encode_photo(image.pixels, image, suffix, tell=told.append), told


def with_metadata(**values):
    image = read()
    return replace(image, metadata=replace(image.metadata, **values))


def test_the_layout_in_exif_is_not_that_of_a_tiff():
    # Of a file in tiles, with differences of samples that are signed.
    layout = {tag: (3, 1, struct.pack('<H', number)) for tag, number in
              {266: 2, 317: 2, 322: 64, 323: 64, 338: 1, 339: 2}.items()}
    layout.update({tag: (4, 1, struct.pack('<I', 8)) for tag in (324, 325)})
    image = with_metadata(exif=exif_block(Tags('<', layout)))
    content, told = written(image, '.tif')
    np.testing.assert_array_equal(decode_photo(content, 'a').pixels,
                                  image.pixels)
    eq_(told, [])


def test_exif_that_jpeg_cannot_hold_leaves_photos_upright():
    exif = exif_block(Tags('<', {ORIENTATION: (3, 1, b'\6\0'),
                                 37500: (7, 70000, bytes(70000))}))
    image = replace(with_metadata(exif=exif), orientation=6)
    content, told = written(image, '.jpg')
    eq_(decode_photo(content, 'a').pixels.shape, image.pixels.shape)
    eq_(len(told), 1)
    assert_in('written without EXIF', told[0])


def test_raw_profiles_of_imagemagick():
    for name, block, kept in ((b'xmp', XMP, True), (b'icm', XMP, False),
                              (b'APP1', b'http://ns.adobe.com/xap/1.0/\0'
                               + XMP, True)):
        image = read(chunk(b'zTXt', b'Raw profile type %s\0\0' % name
                           + zlib.compress(b'\n%s\n%8d\n%s\n' % (
                               name, len(block), block.hex().encode()))))
        eq_(image.metadata.xmp, XMP * kept)
        eq_((image.metadata.exif, image.notes), (b'', ()))
        _, told = written(image, '.jpg')
        eq_(told, [] if kept else ['its format cannot keep: PNG texts'])
    for name in b'iptc', b'8bim':
        image = read(chunk(b'tEXt', b'Raw profile type %s\0\n%s\n%8d\n%s\n'
                           % (name, name, len(IPTC), IPTC.hex().encode())))
        eq_(image.metadata.photoshop, IPTC)


def test_what_formats_without_metadata_lose():
    resolution = resolution_values('<', (300., 300.))
    for image, bmp, ppm in (
            (read(chunk(b'tEXt', b'Author\0me')), 'PNG texts', 'PNG texts'),
            (with_metadata(exif=exif_block(Tags('<', resolution)),
                           resolution=(300., 300.)), '', 'resolution'),
            (with_metadata(exif=exif_block(Tags('<', {
                315: (2, 3, b'me\0')}))), 'EXIF', 'EXIF')):
        for suffix, lost in ('.bmp', bmp), ('.ppm', ppm):
            _, told = written(image, suffix)
            eq_(told, ['its format cannot keep: ' + lost] * bool(lost))


def test_time_and_shape_of_pixels_of_png():
    time = chunk(b'tIME', struct.pack('>HBBBBB', 2001, 2, 3, 4, 5, 6))
    shape = chunk(b'pHYs', struct.pack('>IIB', 2, 1, 0))
    image = read(time, shape)
    content, told = written(image, '.png')
    eq_((content.count(time), content.count(shape), told), (1, 1, []))
    eq_(written(image, '.jpg')[1],
        ['its format cannot keep: time of PNG, shape of pixels'])
    # EXIF may know the resolution.
    both = replace(image, metadata=replace(image.metadata,
                                           resolution=(300., 300.)))
    eq_(written(both, '.png')[0].count(b'pHYs'), 1)
    # Such as cameras write.
    square = chunk(b'pHYs', struct.pack('>IIB', 1, 1, 0))
    eq_(written(read(square), '.jpg')[1], [])


def test_resolutions_beyond_all_reason():
    # Of a damaged PNG, and of a TIFF.
    for image in (read(chunk(b'pHYs', struct.pack('>IIB', 4000000000,
                                                  4000000000, 1))),
                  with_metadata(resolution=(4e9, 4e9))):
        image = replace(image, metadata=replace(image.metadata, xmp=XMP))
        for suffix in '.jpg', '.png', '.tif', '.webp', '.bmp':
            content, told = written(image, suffix)
            again = decode_photo(content, 'a').metadata
            if suffix != '.bmp':
                eq_((told, b'colornet' in again.xmp), ([], True))
            ok_(again.resolution[0] > 60000, suffix)
