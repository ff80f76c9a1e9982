"""Colorizing folders where something is broken, full or too large."""

import contextlib
import errno
import os
from unittest import mock

from nose.tools import assert_in, assert_raises, eq_, ok_

from colornet.errors import ColornetError
from colornet.photos import folders
from colornet.photos.options import Options
from colornet.photos.reading import ImageError, read_photo
from tests.photos.colouring import InFolder, files_in, warm
from tests.photos.samples import photo


class TestFaults(InFolder):

    def test_nothing_to_do(self):
        self.input.mkdir()
        (self.input / 'notes.txt').write_text('no photo')
        for sources in [self.input], []:
            with assert_raises(ColornetError) as caught:
                self.run(sources)
            assert_in('no photos', str(caught.exception))
        ok_(not self.out.exists())

    def test_missing_sources_are_named(self):
        report = self.run([self.input / 'no.jpg', self.save('a.jpg')])
        eq_(report.written, [self.out / 'a.jpg'])
        eq_([source for source, _ in report.failed],
            [self.input / 'no.jpg'])

    def test_a_folder_that_cannot_be_listed(self):
        self.save('a.jpg', 'x/b.jpg', 'y/c.jpg')
        scandir = os.scandir

        def refuse_x(path):
            if str(path).endswith('x'):
                raise PermissionError(13, 'Permission denied', str(path))
            return scandir(path)

        with mock.patch('os.scandir', refuse_x):
            report = self.run()
        eq_(len(report.written), 2)
        (source, reason), = report.failed
        eq_(source, self.input / 'x')
        assert_in('permission denied', reason)

    def test_out_of_memory_while_reading(self):
        self.save('a.jpg', 'b.jpg', 'c.jpg')

        def read(path, page):
            if path.name == 'b.jpg':
                raise MemoryError
            return read_photo(path)

        with mock.patch.object(folders, 'read_photo', read):
            report = self.run()
        eq_(files_in(self.out), ['a.jpg', 'c.jpg'])
        eq_(report.failed, [(self.input / 'b.jpg', 'out of memory')])

    def test_out_of_memory_while_joining(self):
        self.save('a.jpg', 'b.jpg')
        with mock.patch('colornet.photos.colorizer.join_to_bytes',
                        side_effect=MemoryError):
            report = self.run()
        eq_([reason for _, reason in report.failed], ['out of memory'] * 2)
        eq_(files_in(self.out), [])

    def test_a_batch_too_large_is_done_photo_by_photo(self):
        def small_network(luminances):
            if len(luminances) > 1:
                raise MemoryError
            return warm(luminances)

        self.save('a.jpg', 'b.jpg', 'c.jpg')
        report = self.run(network=small_network)
        eq_((len(report.written), report.failed), (3, []))

    def test_no_memory_for_the_network_at_all(self):
        self.save('a.jpg', 'b.jpg')
        report = self.run(network=mock.Mock(side_effect=MemoryError))
        eq_([reason for _, reason in report.failed], ['out of memory'] * 2)

    def test_faults_of_the_network_are_not_hidden(self):
        self.save('a.jpg')
        for fault in RuntimeError, ValueError, OSError(5, 'broken'):
            with assert_raises(Exception) as caught:
                self.run(network=mock.Mock(side_effect=fault))
            ok_(not isinstance(caught.exception, ColornetError))

    def test_the_output_folder_cannot_be_made(self):
        self.save('a.jpg')
        self.out.write_text('a file')
        for out in self.out, self.out / 'below':
            with assert_raises(ColornetError) as caught:
                self.run(out=out)
            assert_in(str(out), str(caught.exception))

    def test_a_full_disk_ends_the_run(self):
        self.save(*['%d.jpg' % number for number in range(20)])
        for code in errno.ENOSPC, errno.EROFS, errno.EACCES:
            network = mock.Mock(side_effect=warm)
            fault = OSError(code, os.strerror(code))
            with mock.patch('pathlib.Path.write_bytes', side_effect=fault):
                with assert_raises(ColornetError) as caught:
                    self.run(network=network, batch_size=4)
            ok_(not isinstance(caught.exception, ImageError))
            assert_in(os.strerror(code).lower(), str(caught.exception))
            assert_in('0.jpg', str(caught.exception))
            # The second batch is predicted while the first is written.
            ok_(network.call_count <= 2, network.call_count)
            eq_(files_in(self.out), [])

    def test_a_source_that_vanishes_meanwhile(self):
        for options in Options(colour='keep'), Options(keep_times=True):
            # The first is in colour, the second is not.
            first = self.save('a.jpg')
            self.save('b.jpg', 'c.jpg', image=photo().convert('L'))

            def network(luminances):
                with contextlib.suppress(FileNotFoundError):
                    first.unlink()
                return warm(luminances)
            report = self.run(network=network, options=options)
            eq_(report.failed, [(first, 'no such file or directory')])
            eq_(report.written, [self.out / 'b.jpg', self.out / 'c.jpg'])
            eq_(files_in(self.out), ['b.jpg', 'c.jpg'])

    def test_a_name_that_is_taken_by_a_folder(self):
        self.save('a.jpg', 'b.jpg')
        (self.out / 'a.jpg').mkdir(parents=True)
        report = self.run()
        eq_(report.written, [self.out / 'b.jpg'])
        eq_([source for source, _ in report.failed], [self.input / 'a.jpg'])

    def test_a_folder_name_that_is_taken_by_a_file(self):
        self.save('x/a.jpg', 'y/b.jpg')
        self.out.mkdir()
        (self.out / 'x').write_text('a file')
        report = self.run()
        eq_(report.written, [self.out / 'y' / 'b.jpg'])
        eq_(len(report.failed), 1)

    def test_a_name_that_gets_too_long(self):
        self.save('n' * 251 + '.gif', 'n' * 251 + '.png', 'z.jpg')
        report = self.run()
        eq_(len(report.written), 2)
        (source, reason), = report.failed
        assert_in('too long', reason)
