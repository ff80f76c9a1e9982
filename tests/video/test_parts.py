"""What of finished parts is taken, refused and removed."""

import shutil
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
from nose.tools import assert_raises, eq_, ok_

from colornet.video.colouring import State
from colornet.video.parts import Parts, folder_of, has_parts
from colornet.video.reading import Frame
from tests.tiny import check_error

SETTINGS = {'crf': '18'}


class Interruption(Exception):
    """In place of Ctrl-C."""


class TestParts:

    def setup(self):
        self.above = Path(tempfile.mkdtemp())
        self.target = self.above / 'out.mp4'
        self.folder = folder_of(self.target)

    setup_method = setup

    def teardown(self):
        shutil.rmtree(str(self.above))

    teardown_method = teardown

    def open(self, resume=False, overwrite=False, settings=SETTINGS):
        return Parts.opened(self.folder, Fraction(1, 25), settings, resume,
                            overwrite)

    def interrupt(self, count, **options):
        """Finish some parts, and begin another."""
        with assert_raises(Interruption), self.open(**options) as parts:
            for number in range(count):
                with parts.add() as path:
                    Path(path).write_text('part %d' % number)
                parts.note(10, Frame(10 * number + 9, 1, None), State(
                    np.full((2, 3), number, np.float32), None, number))
            with parts.add() as path:
                Path(path).write_text('half of a')
                raise Interruption

    def names(self):
        return sorted(path.name for path in self.folder.iterdir())

    def found(self, **options):
        """How many parts there are for who goes on."""
        with self.open(resume=True, **options) as parts:
            return parts.count

    def test_what_is_finished_is_kept(self):
        self.interrupt(2)
        ok_(has_parts(self.target))
        eq_(self.names(), ['000000.nut', '000001.nut', 'lock',
                           'settings.json', 'state.npz'])
        check_error(lambda: self.open().__enter__(), 'has finished parts')
        check_error(lambda: self.found(settings={'crf': '30'}),
                    'another crf: 18, now 30')
        with self.open(resume=True) as parts:
            eq_((parts.count, parts.frames, parts.last, parts.duration),
                (2, 20, 19, 1))
            eq_((parts.state.luminance.tolist(), parts.state.since),
                ([[1] * 3] * 2, 1))
            parts.remove()
        ok_(not has_parts(self.target))
        ok_(not self.folder.exists())

    def test_nothing_is_left_where_nothing_is_finished(self):
        self.interrupt(0)
        ok_(not self.folder.exists())
        ok_(not has_parts(self.target))
        # Nor does what a process that was killed has left stop anybody.
        self.folder.mkdir()
        (self.folder / 'lock').write_text('')
        (self.folder / 'settings.json').write_text('{"crf": "30"}')
        (self.folder / '000000.nut').write_text('half of a')
        with self.open() as parts:
            eq_((parts.count, self.names()), (0, ['lock', 'settings.json']))

    def test_begun_anew(self):
        self.interrupt(2)
        with self.open(overwrite=True) as parts:
            eq_((parts.count, self.names()), (0, ['lock', 'settings.json']))

    def test_files_of_others_stay(self):
        self.folder.mkdir()
        theirs = ['film.nut', 'download.part', '1.nut']
        for name in theirs:
            (self.folder / name).write_text('mine')
        self.interrupt(1)
        self.interrupt(1, overwrite=True)
        with self.open(resume=True) as parts:
            eq_(parts.count, 1)
            parts.remove()
        eq_(self.names(), sorted(theirs + ['lock']))

    def test_damaged(self):
        for name, content in [
                ('000000.nut', ''), ('000001.nut', 'part'),
                ('000000.nut', None), ('state.npz', ''), ('state.npz', None),
                ('state.npz', 'text')]:
            self.interrupt(2)
            if content is None:
                (self.folder / name).unlink()
            else:
                (self.folder / name).write_text(content)
            eq_((name, self.found()), (name, 0))
        self.interrupt(2)
        content = (self.folder / 'state.npz').read_bytes()
        (self.folder / 'state.npz').write_bytes(content[:-100])
        eq_(self.found(), 0)

    def test_damaged_settings(self):
        self.interrupt(1)
        for text in '[]', '', '"crf"', 'null':
            (self.folder / 'settings.json').write_text(text)
            check_error(self.found, 'cannot read', 'settings.json',
                        '--overwrite')
        (self.folder / 'settings.json').unlink()
        check_error(self.found, 'cannot read', '--overwrite')
        self.interrupt(1, overwrite=True)
        eq_(self.found(), 1)
