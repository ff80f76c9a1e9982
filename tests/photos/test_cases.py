"""Files that people's scanners, telephones and programs make: coloured right.

Each goes the whole way through a folder, by a network that leaves it grey; so
what comes out must have the luminance of what the file shows.
"""

import importlib.util
import io
import zlib
from collections import OrderedDict

import imagecodecs
import numpy as np
import tifffile
from nose.tools import assert_in, eq_, ok_
from PIL import Image

from colornet.color import luminance
from colornet.photos.options import Options
from colornet.photos.reading import read_photo
from tests.formats.kinds import levels
from tests.formats.other_kinds import chunk, png_file
from tests.formats.test_metadata import COMMENT, IPTC, XMP, block
from tests.formats.tiffs import tiff
from tests.photos.colouring import InFolder, files_in
from tests.photos.samples import grey
from tests.photos.test_profiles import grey_profile


def no_chroma(luminances):
    return np.zeros(luminances.shape + (2,), np.float32)


def encoded(pixels, format, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format, **options)
    return stream.getvalue()


def written(pages, **options):
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, **options) as writer:
        for page, own in pages:
            writer.write(page, metadata=None, **own)
    return stream.getvalue()


def reference():
    """The grey photo that all of them show, uint8."""
    return np.array(grey())


def cases():
    """Name -> content of files that show the reference."""
    shown = reference() / 255.
    deep = reference().astype(np.uint16) * 257
    rgb = np.stack([shown] * 3, axis=-1)
    light = np.where(shown > .04045, ((shown + .055) / 1.055) ** 2.4,
                     shown / 12.92)
    bright = shown.astype(np.float32)
    bright[5, 5:9] = 1.02
    small = np.zeros((60, 80), np.uint8)
    found = OrderedDict([
        ('white_is_zero.tif', tiff(levels(1 - shown, 16), 16, photometric=0,
                                   strip=200)),
        ('planar.tif', tiff(levels(rgb, 16), 16, 2, planar=True, strip=200)),
        ('above_one.tif', encoded(bright, 'TIFF')),
        ('uint32.tif', tiff(levels(shown, 32), 32, strip=200)),
        ('big.tif', written([(deep, {})], bigtiff=True)),
        ('zstd.tif', written([(reference(), {'compression': 'zstd'})])),
        ('thumbnail.tif', written([(small, {}), (reference(), {})])),
        ('linear.png', png_file(
            levels(light, 16), 16, 0, chunk(
                b'iCCP', b'linear\0\0' + zlib.compress(grey_profile(1.))))),
        ('clear.png', png_file(deep, 16, 0, chunk(b'tRNS', b'\0\1'))),
        ('scan.jp2', imagecodecs.jpeg2k_encode(deep, level=0,
                                               codecformat='jp2')),
        ('scan.jfif', encoded(reference(), 'JPEG', quality=100)),
        ('dots.jpg', encoded(reference(), 'JPEG', quality=100,
                             dpi=(600, 600))),
    ])
    if importlib.util.find_spec('pillow_heif'):
        from tests.formats.test_optional import heif
        found['phone.heic'] = heif(np.stack([reference()] * 3, axis=-1))
    return found


class TestCases(InFolder):

    def setUp(self):
        super().setUp()
        self.input.mkdir()

    def test_what_comes_out_shows_what_went_in(self):
        files = cases()
        for name, content in files.items():
            (self.input / name).write_bytes(content)
        report = self.run(network=no_chroma)
        eq_(report.failed, [])
        eq_(len(report.written), len(files))
        expected = luminance(reference())
        for source, path in zip(sorted(files), report.written):
            difference = np.abs(luminance(read_photo(path).pixels)
                                - expected)
            # JPEG has its own.
            most = 4 if path.suffix in ('.jpg', '.jfif') else .8
            is_clipped = source == 'above_one.tif'
            ok_(np.delete(difference, 5 if is_clipped else [],
                          axis=0).max() < most,
                '%s: %s' % (source, difference.max()))
        names = {path.name: read_photo(path) for path in report.written}
        for name in 'white_is_zero.tif', 'planar.tif', 'linear.png', \
                'clear.png':
            eq_(names[name].pixels.dtype, np.uint16)
        ok_(names['clear.png'].alpha is not None)
        eq_(names['dots.jpg'].metadata.resolution, (600, 600))
        eq_(files_in(self.out), sorted(names))

    def test_resolution_and_all_that_is_said_stay_in_other_formats(self):
        stream = io.BytesIO()
        grey().save(stream, 'JPEG', quality=100, dpi=(600, 600),
                    exif=b'Exif\0\0' + block(), comment=COMMENT)
        content = stream.getvalue()
        # Behind the other segments of applications.
        at = content.index(b'\xff\xfe')
        segments = b''.join(
            marker + (len(segment) + 2).to_bytes(2, 'big') + segment
            for marker, segment in (
                (b'\xff\xe1', b'http://ns.adobe.com/xap/1.0/\0' + XMP),
                (b'\xff\xed', b'Photoshop 3.0\0' + IPTC)))
        (self.input / 'a.jpg').write_bytes(content[:at] + segments
                                           + content[at:])
        for format in 'jpg', 'png', 'tif', 'webp':
            report = self.run(network=no_chroma, options=Options(
                format=format, mark=False))
            kept = read_photo(report.written[0]).metadata
            ok_(abs(kept.resolution[0] - 600) < .1, format)
            eq_(kept.xmp, XMP, format)
            eq_(kept.photoshop, b'' if format == 'webp' else IPTC)
            assert_in('Gro\xdfmutter'.encode('utf-8'), kept.exif)
            if format in ('jpg', 'png'):
                eq_((kept.exif, kept.comments), (block(), (COMMENT,)))
            eq_(bool(report.notes), format in ('tif', 'webp'))

    def test_a_white_border_stays_white(self):
        print_ = np.pad(reference(), 14, constant_values=252)
        Image.fromarray(print_).save(self.input / 'a.png')

        def warm(luminances):
            return np.broadcast_to(np.float32([25, 25]),
                                   luminances.shape + (2,))
        path, = self.run(network=warm).written
        rgb = read_photo(path).pixels.astype(int)
        ok_(np.ptp(rgb[14:-14, 14:-14], axis=-1).mean() > 10)
        rgb[14:-14, 14:-14] = 0
        ok_(np.ptp(rgb, axis=-1).max() <= 1)
