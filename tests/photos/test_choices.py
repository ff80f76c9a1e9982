"""What is left out of folders, and what users choose about results."""

import io
import os
import shutil
from collections import Counter
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_
from numpy.testing import assert_array_equal
from PIL import Image

from colornet.errors import ColornetError
from colornet.photos.options import COLOURS, Options
from colornet.photos.reading import read_photo
from colornet.photos.report import Report
from tests.photos.colouring import InFolder, files_in, warm
from tests.photos.samples import photo


class TestNothingIsLeftOutInSilence(InFolder):

    def test_formats_that_are_read_are_found(self):
        for suffix, format in ('.jfif', 'JPEG'), ('.jpe', 'JPEG'), (
                '.jp2', 'JPEG2000'), ('.dib', 'BMP'), ('.pbm', 'PPM'):
            self.save('a' + suffix, format=format)
        report = self.run()
        eq_((len(report.written), report.failed, report.others),
            (5, [], Counter()))

    def test_photos_that_need_a_package_are_no_others(self):
        for name in 'a.heic', 'b.AVIF', 'c.nef':
            self.save('x.png').rename(self.input / name)
            (self.input / name).write_bytes(b'damaged')
        report = self.run()
        eq_(len(report.failed), 3)
        eq_(report.others, Counter())

    def test_other_files_are_counted(self):
        self.save('a.jpg', 'x/b.jpg')
        for name in 'a.txt', 'x/b.TXT', 'x/c.mov', 'README', '.hidden':
            (self.input / name).write_text('no photo')
        eq_(self.run().others, {'.txt': 2, '.mov': 1, '': 1})

    def test_linked_folders(self):
        self.save('a.jpg')
        far = self.folder / 'far'
        self.save('../far/b.jpg')
        (self.input / 'link').symlink_to(far)
        (far / 'circle').symlink_to(self.input)
        (self.input / 'lost').symlink_to('nowhere')
        (self.input / 'lost.jpg').symlink_to('nowhere')
        report = self.run()
        eq_(files_in(self.out), ['a.jpg', 'link/b.jpg'])
        eq_([source.name for source, _ in report.failed],
            ['lost', 'lost.jpg'])
        for _, reason in report.failed:
            assert_in('link to nothing', reason)

    def test_results_are_no_sources_behind_a_link(self):
        self.save('a.jpg')
        self.out.mkdir()
        (self.input / 'results').symlink_to(self.out)
        for _ in range(2):
            report = self.run()
            eq_(files_in(self.out), ['a.jpg'])
            eq_((report.failed, report.others), ([], Counter()))


class TestColours(InFolder):

    def test_what_becomes_of_photos_that_have_colours(self):
        self.save('a.jpg')
        self.save('b.jpg', 'c.png', image=photo().convert('L'))
        counts = {}
        for colour in COLOURS:
            shutil.rmtree(str(self.out), ignore_errors=True)
            network = mock.Mock(side_effect=warm)
            report = self.run(network=network, batch_size=9,
                              options=Options(colour=colour))
            counts[colour] = sum(len(call[0][0]) for call
                                 in network.call_args_list)
            eq_(report.in_colour, [self.input / 'a.jpg'] * (colour == 'skip'))
            eq_(len(report.written), 2 if colour == 'skip' else 3)
            if colour == 'keep':
                eq_((self.out / 'a.jpg').read_bytes(),
                    (self.input / 'a.jpg').read_bytes())
        eq_(counts, {'skip': 2, 'keep': 2, 'blend': 3, 'replace': 3})

    def test_those_that_keep_them_may_change_their_format(self):
        self.save('a.png')
        self.run(options=Options(colour='keep', format='bmp'))
        assert_array_equal(Image.open(self.out / 'a.bmp'), photo())

    def test_a_format_for_all(self):
        self.save('a.png', 'b.jpg', 'b.gif', image=photo().convert('L'))
        clear = photo()
        clear.putalpha(photo().convert('L'))
        self.save('c.png', image=clear)
        report = self.run(options=Options(format='jpg', quality=10))
        eq_(files_in(self.out), ['a.jpg', 'b.gif.jpg', 'b.jpg'])
        (source, reason), = report.failed
        assert_in('transparency', reason)

    def test_options_that_are_none(self):
        for options in dict(colour='red'), dict(quality=0), dict(
                format='gif'), dict(format=''), dict(format='.png'), dict(
                    format='a.png'), dict(format='/png'):
            with assert_raises(ColornetError):
                Options(**options)


class TestWhatResultsAre(InFolder):

    def test_depth_mark_and_times(self):
        path = self.save('a.png', image=photo().convert('L'))
        os.utime(path, (10, 20))
        results = {}
        for options in Options(), Options(depth=16), Options(mark=False), \
                Options(keep_times=True):
            report = self.run(options=options)
            eq_(report.failed, [])
            result = self.out / 'a.png'
            results[options] = (read_photo(result).pixels.dtype,
                                b'colornet' in result.read_bytes(),
                                os.stat(result).st_mtime == 20)
        eq_(list(results.values()), [
            (np.uint8, True, False), (np.uint16, True, False),
            (np.uint8, False, False), (np.uint8, True, True)])

    def test_16_bits_that_are_asked_for_are_written(self):
        self.save('a.jpg', 'b.png', image=photo().convert('L'))
        self.run(options=Options(depth=16))
        eq_(files_in(self.out), ['a.png', 'b.png'])
        for name in 'a.png', 'b.png':
            eq_(read_photo(self.out / name).pixels.dtype, np.uint16)

    def test_what_is_lost_is_noted_once(self):
        exif = Image.Exif()
        exif[0x010e] = 'grandmother'
        self.save('a.jpg', 'b.jpg', exif=exif)
        told = []
        report = Report(listener=told.append)
        with mock.patch('sys.stderr', io.StringIO()) as err:
            self.run(options=Options(format='bmp'), report=report)
        text, = report.notes
        assert_in('EXIF', text)
        eq_(report.notes[text], [self.input / 'a.jpg', self.input / 'b.jpg'])
        eq_([entry['notes'] for entry in told], [[text]] * 2)
        eq_(err.getvalue(), '')

    def test_colours_that_are_kept_are_not_marked(self):
        self.save('a.png')
        for format in None, 'tif':
            self.run(options=Options(colour='keep', format=format))
        for name in 'a.png', 'a.tif':
            ok_(b'colornet' not in (self.out / name).read_bytes())
