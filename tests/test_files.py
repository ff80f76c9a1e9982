"""Files are written completely or not at all."""

import os
import tempfile
import unittest
from pathlib import Path

import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_

from colornet.errors import ColornetError
from colornet.files import (check_output, is_locked, locked, make_folder,
                            read_csv, replacing, write_rows, write_text,
                            writing)
from tests import tiny


class TestFiles(unittest.TestCase):

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.path = self.folder / 'file.txt'
        self.path.write_text('old')

    def check_only(self, text):
        eq_(self.path.read_text(), text)
        eq_(os.listdir(str(self.folder)), ['file.txt'])

    def test_text_replaces_the_old_file(self):
        write_text(self.path, 'new\n')
        self.check_only('new\n')

    def test_a_failed_write_leaves_the_old_file_only(self):
        for error in (OSError(28, 'No space left on device'),
                      KeyboardInterrupt()):
            with assert_raises(type(error)):
                with replacing(self.path) as temporary:
                    Path(temporary).write_text('half')
                    raise error
            self.check_only('old')

    def test_the_old_file_is_whole_while_the_new_one_is_written(self):
        with replacing(self.path) as temporary:
            eq_(os.path.dirname(temporary), str(self.folder))
            Path(temporary).write_text('new')
            eq_(self.path.read_text(), 'old')
        self.check_only('new')

    def test_pipes_and_devices_are_not_replaced(self):
        pipe = self.folder / 'pipe'
        os.mkfifo(str(pipe))
        with assert_raises(ColornetError) as caught:
            write_text(pipe, 'text')
        assert_in('not a regular file', str(caught.exception))
        assert pipe.is_fifo()

    def test_links_are_followed(self):
        link = self.folder / 'link'
        link.symlink_to(self.path)
        write_text(link, 'new')
        assert link.is_symlink()
        eq_(self.path.read_text(), 'new')

    def test_errors_name_the_file(self):
        with assert_raises(ColornetError) as caught:
            with writing('a/b.txt'):
                raise OSError(28, 'No space left on device')
        eq_(str(caught.exception),
            'cannot write a/b.txt: No space left on device')
        with assert_raises(ColornetError) as caught:
            write_text(self.path / 'below', 'text')
        assert_in('cannot make the folder %s' % self.path,
                  str(caught.exception))

    def test_names_that_are_not_unicode_are_written(self):
        write_text(self.path, b'caf\xe9'.decode('utf-8', 'surrogateescape'))
        eq_(self.path.read_text(), 'caf\\udce9')

    def test_outputs_are_checked_before_the_work(self):
        self.path.write_text('a file')
        for path, word in [
                (self.folder, 'it is a folder'),
                (self.path / 'below' / 'a.csv', 'is no folder'),
                (self.folder / 'a.png', '.csv')]:
            tiny.check_error(lambda: check_output(path, '.csv' if 'csv' in word
                                                  else None), str(path), word)
        check_output(self.folder / 'new' / 'folder' / 'A.CSV', '.csv')
        eq_(os.listdir(str(self.folder)), [self.path.name])

    def check_leftovers(self, write):
        paths = [self.folder / name for name in (
            '.colornet-0123456789ab.part', '.colornet-ba9876543210.part',
            '.colornet-cache', 'a.part')]
        for number, path in enumerate(paths):
            path.write_text('half')
            if number:
                os.utime(str(path), (0, 0))
        write()
        # The first may be written at the moment.
        eq_([path.exists() for path in paths], [True, False, True, True])

    def test_what_a_killed_process_left_is_removed_from_a_locked_folder(self):
        def lock():
            with locked(self.folder, 'busy'):
                pass
        self.check_leftovers(lock)

    def test_what_a_killed_process_left_is_removed_where_another_writes(self):
        self.check_leftovers(lambda: write_text(self.folder / 'a', 'whole'))

    def test_a_locked_folder_is_refused_and_left_as_it_was(self):
        folder = self.folder / 'new' / 'work'
        with locked(folder, 'busy'):
            with assert_raises(ColornetError) as caught:
                with locked(folder, 'busy'):
                    pass
            eq_(str(caught.exception), 'busy')
            ok_(is_locked(folder))
        ok_(not folder.parent.exists())
        ok_(not is_locked(folder))
        with locked(folder, 'busy'):
            (folder / 'result').write_text('done')
        ok_((folder / 'lock').exists() and not is_locked(folder))
        (folder / 'lock').unlink()
        (folder / 'lock').mkdir()
        with assert_raises(ColornetError) as caught:
            with locked(folder, 'busy'):
                pass
        assert_in('cannot write %s' % (folder / 'lock'), str(caught.exception))

    def test_whole_numbers_are_written_whole(self):
        write_rows(self.path, ['a', 'b', 'c'], [
            {'a': 12345678, 'b': np.int64(2406692), 'c': np.float32(1e7)},
            {'a': 'x,y', 'b': 0.12345678}])
        eq_([list(row.values()) for row in read_csv(self.path)],
            [['12345678', '2406692', '1e+07'], ['x,y', '0.123457', '']])

    def test_rows_that_are_damaged(self):
        for text, reason in (
                ('a,b\n1,2\n3\n', 'line 3: 1 values, not 2'),
                ('a,b\n1,2,3\n', 'line 2: 3 values, not 2'),
                ('a,b\n\n1,x\n', 'line 3: b is no number'),
                ('a,b\n1,2\n3,4', 'line 3: it does not end'),
                ('a,a\n1,2\n', 'line 1: a column is there twice'),
                ('a,b\n1,"2\n3,4"\n', 'line 3: a value is no line of text'),
                ('a,b\n\x1b,2\n', 'line 2: a value is no line of text')):
            self.path.write_text(text)
            with assert_raises(ColornetError) as caught:
                read_csv(self.path, {'b', 'c'})
            eq_(str(caught.exception), '%s is damaged in %s'
                % (self.path, reason))
        # Between quotes that do not end, all other lines would be lost.
        self.path.write_text('a,b\n1,"2\n3,4\n')
        with assert_raises(ColornetError) as caught:
            read_csv(self.path)
        assert_in('cannot read', str(caught.exception))
        self.path.write_text('a,b\nx,1e5\n\ny,\n')
        eq_(read_csv(self.path, {'b'}), [{'a': 'x', 'b': '1e5'},
                                         {'a': 'y', 'b': ''}])

    def test_folders_are_made_with_those_above(self):
        for _ in range(2):
            make_folder(self.folder / 'a' / 'b')
        assert (self.folder / 'a' / 'b').is_dir()
        with assert_raises(ColornetError) as caught:
            make_folder(self.path)
        assert_in('cannot make the folder', str(caught.exception))
