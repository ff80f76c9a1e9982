"""Big photos: what is written, measured and judged, on small ones."""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import SkipTest, mock

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_in, eq_, ok_
from PIL import Image

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


def test_memory_of_this_process_is_not_that_of_another():
    def peak():
        process = subprocess.Popen([sys.executable, '-c', ''])
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        return usage.ru_maxrss
    before = peak()
    eq_(sizes.apart(_take, 400 << 20), 400 << 20)
    ok_(peak() < before + (100 << (20 if sys.platform == 'darwin' else 10)))


def _take(num_bytes):
    return len(np.ones(num_bytes, np.uint8))


def test_results_are_of_their_photos_and_coloured():
    kind = Kind('JPEG', '.png', 640, 900)
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, 'photo.png'), Path(folder, 'out.png')
        sizes.write_photo(path, kind)
        grey = np.array(Image.open(path))
        tint = np.array([20, -5, -5])
        coloured = (grey[..., None] + tint).clip(0, 255).astype(np.uint8)
        half, other = coloured.copy(), coloured.copy()
        half[500:] = grey[500:, :, None]
        other[:300] = coloured[300:600]
        for pixels, words in (
                (coloured, ''), (grey, 'the result is grey'),
                (half, 'the result is grey'), (other, 'luminance differs'),
                (255 - coloured, 'luminance differs'),
                (0 * coloured, 'luminance differs'),
                (coloured[:-1], '(899, 640) pixels, not (900, 640)')):
            Image.fromarray(pixels).save(out)
            reason = sizes.judge_photo(path, out)
            assert_in(words, reason)
            eq_(bool(words), bool(reason), words)
        out.write_bytes(out.read_bytes()[:-9000])
        assert_in('cannot be decoded', sizes.judge_photo(path, out))


def run_main(*arguments):
    """The status, and what is printed."""
    with contextlib.redirect_stdout(io.StringIO()) as printed, \
            contextlib.redirect_stderr(printed):
        status = sizes.main(arguments)
    return status, printed.getvalue()


def test_too_few_sizes_are_refused():
    for most in '5', '30', '99':
        status, printed = run_main('--most', most)
        eq_(status, 2)
        assert_in('--most must be 100 at least, not %s' % most, printed)
    # With 100, the largest are left out, but for one that is 100.4.
    with mock.patch.object(sizes, 'apart', side_effect=OSError('yes')):
        assert_in('yes', run_main('--most', '100')[1])


def test_results_that_are_not_coloured_are_faults():
    def copy(path, out, kind):
        out.write_bytes(path.read_bytes())
        return Measured(kind, 100 * kind.megapixels, 1., 1.)
    kinds = [Kind('JPEG', '.png', 100 * number, 300)
             for number in (1, 2, 3)]
    with mock.patch.object(sizes, 'KINDS', kinds), \
            mock.patch.object(sizes, 'measure', copy):
        status, printed = run_main()
    eq_(status, 1, printed)
    eq_(printed.count('FAULT JPEG of 0 megapixels: rows'), 3, printed)
    assert_in('\n3 faults\n', printed)


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
            eq_(sizes.judge_photo(path, out), '')
            tiny.check_error(lambda: sizes.measure(
                path, out / 'no', kind, options), 'status 2')
