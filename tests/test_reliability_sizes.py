"""Big photos: what is written, measured and judged, on small ones."""

import tempfile
from pathlib import Path
from unittest import SkipTest

from nose.plugins.attrib import attr
from nose.tools import assert_in, eq_, ok_

from colornet.engine.available import missing_onnx
from colornet.photos.reading import read_photo
from reliability import sizes
from reliability.sizes import Kind, Measured
from tests import tiny
from tests.inventing import save_invented

SMALL = Kind('JPEG', '.jpg', 300, 200), Kind('16-bit TIFF', '.tif', 40, 800)


def measured(*pairs, kind='JPEG'):
    return [Measured(Kind(kind, '.jpg', 1000 * megapixels, 1000), peak, 1.,
                     1.) for megapixels, peak in pairs]


def test_growth():
    eq_(sizes.judge(measured((6, 450), (24, 651), (100, 1285), (400, 4755))),
        [])
    fault, = sizes.judge(measured((6, 450), (12, 500), (24, 1001)))[:1]
    eq_(fault, '1001 MB for 24 megapixels')
    fault, = sizes.judge(measured((24, 500), (100, 1000), (400, 9000)))
    assert_in('JPEG: 6.6 MB a megapixel, then 26.7', fault)


def test_growth_of_every_kind_is_judged():
    for kind in {kind.name for kind in sizes.KINDS}:
        ok_(sum(each.name == kind and each.megapixels < 101
                for each in sizes.KINDS) >= 3, kind)
        eq_(len(sizes.judge(measured((24, 500), (100, 1000), (400, 9000),
                                     kind=kind))), 1)
        fault, = sizes.judge(measured((24, 500), (100, 9000), kind=kind))
        eq_(fault, '%s: 2 sizes do not tell how memory grows' % kind)


def test_photos_are_of_their_kind():
    with tempfile.TemporaryDirectory() as folder:
        for kind in SMALL:
            path = Path(folder, 'photo' + kind.suffix)
            sizes.write_photo(path, kind)
            pixels = read_photo(path).pixels
            eq_((pixels.shape, pixels.itemsize), (
                (kind.rows, kind.columns), 1 + (kind.suffix == '.tif')))
            ok_(pixels.std() > 10)


class TestMeasure(tiny.InFolder):

    NUM_PHOTOS = 0

    @attr('slow')
    def test_a_command_is_measured(self):
        if missing_onnx():
            raise SkipTest(missing_onnx())
        network = self.root / 'network.h5'
        save_invented(network)
        options = ['--network', str(network)]
        for kind in SMALL:
            path = self.root / ('photo' + kind.suffix)
            out = self.root / ('out' + kind.suffix)
            sizes.write_photo(path, kind)
            one = sizes.measure(path, out, kind, options)
            ok_(50 < one.peak_mb < 2000, one)
            ok_(0 < one.busy and 0 < one.seconds, one)
            tiny.check_error(lambda: sizes.measure(
                path, out / 'no', kind, options), 'status 2')
