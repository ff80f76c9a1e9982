"""Folders of photos: how results are judged, and a small part of it."""

import contextlib
import io
import os
import random
import shutil
import tempfile
from pathlib import Path
from unittest import SkipTest, mock

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_in, assert_raises, eq_, ok_
from PIL import Image, ImageOps

from colornet.engine.available import missing_onnx
from colornet.errors import ColornetError
from colornet.photos.finding import find_images
from colornet.photos.reading import read_photo
from reliability import folders
from reliability.disturbing import BROKEN, Disturber, is_of, write_photos
from reliability.memory import Memory, peak_mb, resident_mb


def tint(image):
    """Of about its luminance, somewhat red."""
    grey = np.array(image.convert('L'), float)
    return Image.fromarray(np.dstack([grey + 12, grey - 3, grey - 3]).clip(
        0, 255).astype(np.uint8))


class InTemporary:

    def setup(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.root = Path(self.temporary.name)
        self.folder, self.out = self.root / 'photos', self.root / 'out'
        self.out.mkdir()

    def teardown(self):
        self.temporary.cleanup()

    setup_method, teardown_method = setup, teardown

    def colour(self, *_):
        """Results for all photos, by a network that sees one colour."""
        for path in find_images(self.folder):
            if path.name not in BROKEN:
                target = self.out / path.relative_to(self.folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                tint(Image.open(path)).save(target, quality=95)


class TestWatcher(InTemporary):

    def test_whole_files_are_seen_once(self):
        write_photos(self.out, 4, broken=False)
        watcher = folders.Watcher(self.out)
        watcher.look()
        watcher.look()
        eq_(sorted(watcher.seen), find_images(self.out))
        eq_(watcher.found, [])

    def test_half_files_are_told(self):
        write_photos(self.out, 4, broken=False)
        first, *_ = find_images(self.out)
        content = first.read_bytes()
        first.write_bytes(content[:len(content) // 2])
        with folders.Watcher(self.out) as watcher:
            pass
        eq_(len(watcher.found), 1)
        assert_in('not whole: %s' % first, watcher.found[0])

    def test_files_that_are_written_again_are_told(self):
        write_photos(self.out, 4, broken=False)
        watcher = folders.Watcher(self.out)
        watcher.look()
        first, second, *_ = find_images(self.out)
        beside = self.out / 'beside'
        beside.write_bytes(first.read_bytes())
        beside.replace(first)
        os.utime(str(second), (0, 0))
        watcher.look()
        eq_(watcher.found, ['done twice: %s' % first,
                            'done twice: %s' % second])


class TestResults(InTemporary):

    def test_photos_and_broken_ones(self):
        write_photos(self.folder, 9)
        broken = [path for path in find_images(self.folder)
                  if path.name in BROKEN]
        eq_(len(broken), 3)
        for path in broken:
            with assert_raises(ColornetError):
                read_photo(path)
        self.colour()
        eq_(folders.judge_results(self.folder, self.out), [])

    def test_others_are_told(self):
        write_photos(self.folder, 9)
        self.colour()
        lost, small, other, grey, *_ = find_images(self.out)
        lost.rename(lost.with_name('x.jpg'))
        Image.open(small).resize((9, 9)).save(small)
        pixels = np.array(Image.open(other))
        Image.fromarray(255 - pixels).save(other)
        Image.open(self.folder / grey.relative_to(self.out)).save(grey)
        eq_(folders.judge_results(self.folder, self.out), [
            'no result: 000/%s' % lost.name, 'of no photo: 000/x.jpg',
            'not coloured from its photo: 000/%s' % small.name,
            'not coloured from its photo: 000/%s' % other.name,
            'not coloured from its photo: 000/%s' % grey.name])

    def test_plain_copies_are_told(self):
        write_photos(self.folder, 9)
        shutil.rmtree(self.out)
        shutil.copytree(self.folder, self.out)
        for name in BROKEN:
            (self.out / '000' / name).unlink()
        eq_(len(folders.judge_results(self.folder, self.out)), 6)

    def test_half_files_that_stay_are_told(self):
        write_photos(self.folder, 9)

        def clean(*_):
            for path in self.out.rglob('.*'):
                ok_(path.stat().st_mtime < 9)
                path.unlink()
            self.colour()
        for colour, words in ((clean, []),
                              (lambda *_: self.colour(), ['never removed']),
                              (lambda *_: None, ['never removed',
                                                 'no result'])):
            self.colour()
            (self.out / '000' / '.half').touch()
            with mock.patch.object(folders, 'colour', colour):
                found = folders.judge_left(self.folder, self.out, None)
            eq_([line.split(':')[0] for line in found], words)

    def test_photos_that_are_left_out_in_silence_are_told(self):
        write_photos(self.folder, 9, broken=False)
        self.colour()
        eq_(folders.never_coloured(self.folder, self.out), [])
        first, *_ = find_images(self.out)
        first.unlink()
        next(path for path in find_images(self.folder)
             if path.name != first.name).unlink()
        eq_(folders.never_coloured(self.folder, self.out),
            ['never coloured: %s' % first.name])

    def test_kills_that_come_too_late_are_told(self):
        write_photos(self.folder, 9)

        def colour(folder, out, *_, kill_after=None):
            self.out = out
            self.colour()
            failed = [{'source': name, 'status': 'failed'}
                      for name in BROKEN]
            return folders.Run(1, failed, [], 0.1)
        with mock.patch.object(folders, 'colour', colour), \
                mock.patch.object(folders.Watcher, 'look'), \
                contextlib.redirect_stdout(io.StringIO()), \
                contextlib.redirect_stderr(io.StringIO()):
            eq_(folders._killed(self.folder, self.root, None, 1, 3,
                                random.Random(0)),
                ['3 of 3 kills came too late'])


class TestDisturber(InTemporary):

    def setup(self):
        super().setup()
        write_photos(self.folder, 30, broken=False)
        self.names = {path.name for path in find_images(self.folder)}
        self.entries = [{'source': name, 'status': 'written'}
                        for name in sorted(self.names)]

    setup_method = setup

    def test_each_kind_of_change_comes_and_files_are_whole_in_the_end(self):
        disturber = Disturber(self.folder)
        for _ in range(40):
            disturber.step()
        disturber.end()
        ok_(disturber.changed and disturber.vanished and disturber.appeared)
        for path in find_images(self.folder):
            read_photo(path)
        eq_({path.name for path in find_images(self.folder)},
            self.names - disturber.vanished | disturber.appeared)

    def test_what_came_of_them(self):
        disturber = Disturber(self.folder)
        self.colour()
        eq_(disturber.judge(self.entries, self.out), [])
        name = self.entries[3]['source']
        disturber.vanished.add(name)
        self.entries[3].update(status='failed', reason='no such file')
        eq_(disturber.judge(self.entries, self.out), [])

    def test_faults_are_told(self):
        disturber = Disturber(self.folder)
        self.colour()
        first, second, third = [entry['source']
                                for entry in self.entries[:3]]
        self.entries[0].update(status='failed', reason='damaged')
        self.entries[1:2] = [self.entries[2]]
        path, = self.out.rglob(third)
        ImageOps.invert(Image.open(path)).save(path)
        eq_(disturber.judge(self.entries, self.out), [
            'told twice: %s' % third, 'not told: %s' % second,
            'failed: %s: damaged' % first, 'of no whole photo: %s' % third])


def test_a_result_is_of_its_photo():
    def png(*colour):
        stream = io.BytesIO()
        Image.new('RGB', (8, 9), colour).save(stream, 'PNG')
        return stream
    ok_(is_of(png(100, 100, 100), png(100, 100, 100)))
    # Of one luminance: Y is 0.13 in both.
    ok_(is_of(png(100, 100, 100), png(150, 80, 80)))
    ok_(not is_of(png(100, 100, 100), png(140, 130, 120)))


def test_memory_that_grows():
    memory = Memory()
    # What is taken at the start does not count.
    memory.looks = [(done, 100. + min(done, 300) + 0.01 * done)
                    for done in range(0, 1000, 10)]
    ok_(abs(memory.slope() - 0.01) < 1e-6)
    eq_(memory.after(0.5), 405.)
    line, found = folders.judge_memory(memory)
    eq_(found, [line])
    assert_in('+10.00 MB', line)
    memory.looks = [(done, 100.) for done in range(9)]
    eq_(folders.judge_memory(memory)[1], [])
    memory.looks = [(9, 100.)]
    eq_(memory.slope(), 0)


def test_memory_of_this_process():
    if resident_mb('self') is None:
        raise SkipTest('only Linux tells')
    ok_(5 < resident_mb('self') <= peak_mb())
    eq_(resident_mb(1 << 30), None)
    memory = Memory()
    for done in range(2):
        memory.look('self', done)
    eq_([done for done, _ in memory.looks], [0])


@attr('slow')
def test_the_command():
    if missing_onnx():
        raise SkipTest(missing_onnx())
    out = io.StringIO()
    with contextlib.redirect_stdout(out), \
            contextlib.redirect_stderr(io.StringIO()):
        status = folders.main(['--photos', '200', '--kills', '2'])
    eq_(status, 0, out.getvalue())
    assert_in('197 coloured, 3 named', out.getvalue())
    assert_in('\n2 kills: 197 results', out.getvalue())
    assert_in('0 faults', out.getvalue())
