"""Damaged photos: how what became of them is judged."""

import contextlib
import io
import os
import tempfile
import time
from pathlib import Path
from unittest import mock

import imagecodecs
import numpy as np
from nose.tools import assert_in, eq_, ok_
from PIL import Image

from reliability.right_size import judge_result
from tests.photos import samples
from tests.test_reliability_inputs import encoded, fill, need_onnx, spin


def test_whole_photos_that_are_not_coloured_are_told():
    need_onnx()
    from reliability import photos

    # What is forked has all that the tests have in memory.
    with mock.patch.object(photos, 'MOST_BYTES', 1 << 60), mock.patch.object(
            photos, 'photo_seeds',
            lambda: {'PNG': [('.png', b'none')]}), contextlib.redirect_stderr(
                io.StringIO()) as said, contextlib.redirect_stdout(
                    io.StringIO()):
        eq_(photos.main(['--files', '1']), 2)
    assert_in('PNG, undamaged: not an image file', said.getvalue())


def test_results_of_another_size_or_half_a_file():
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, 'a.png'), Path(folder, 'b.png')
        source.write_bytes(encoded('PNG'))
        for shape, words in (((6, 8), ''), ((8, 6), 'turned'),
                             ((6, 9), 'has (6, 9) pixels, not [(6, 8)]')):
            Image.open(source).resize(shape[::-1]).save(result)
            assert_in(words, judge_result(source, result))
            eq_(bool(words), bool(judge_result(source, result)))
        result.write_bytes(result.read_bytes()[:-30])
        assert_in('cannot be decoded', judge_result(source, result))
        Image.open(source).save(result)
        source.write_bytes(b'no photo')
        assert_in('cannot be read again', judge_result(source, result))


class TestTrial:
    """A photo is coloured in a process of its own, which is looked at."""

    def setup(self):
        need_onnx()
        from reliability import photos
        self.photos = photos
        self.temporary = tempfile.TemporaryDirectory()
        self.trial = photos.Trial(Path(self.temporary.name), {})

    setup_method = setup

    def teardown(self):
        self.temporary.cleanup()

    teardown_method = teardown

    def run_with(self, work, **limits):
        """What is said where `work` is done beside colouring."""
        real = self.photos.cli.main

        def main(arguments):
            work()
            return real(arguments)
        # What is forked has all that the tests have in memory.
        with mock.patch.multiple(self.photos, **dict(
                {'MOST_BYTES': 1 << 60}, **limits)), mock.patch.object(
                    self.photos.cli, 'main', main):
            return self.trial.run('.png', encoded('PNG'))

    def test_a_photo(self):
        what, reason, memory, seconds, waited = self.run_with(lambda: None)
        eq_((what, reason), ('coloured', ''))
        ok_(memory > 10 << 20)
        ok_(0 < seconds < 10)
        ok_(0 < waited < 45)

    def test_computing_for_long(self):
        what, reason, *_ = self.run_with(lambda: spin(1.5), MOST_SECONDS=1)
        eq_(what, 'fault')
        assert_in('1 seconds, more than 1', reason)

    def test_addresses_without_end(self):
        # Nobody else shall be without memory, whatever a file says.
        def take(gigabytes):
            return self.run_with(lambda: np.empty(gigabytes << 30, np.uint8))
        what, reason, *_ = take(5)
        eq_(what, 'fault')
        assert_in('MemoryError: Unable to allocate 5', reason)
        eq_(take(1)[:2], ('coloured', ''))

    def test_waiting_for_long_though_nothing_is_computed(self):
        start = time.monotonic()
        what, reason, _, _, waited = self.run_with(
            lambda: time.sleep(60), MOST_WAITING=1)
        eq_((what, reason), ('fault', 'it hangs'))
        ok_(1 <= waited < 30)
        ok_(time.monotonic() < start + 30)
        eq_(self.run_with(lambda: time.sleep(.5))[0], 'coloured')

    def test_memory_of_its_processes_counts_together(self):
        def work_in_another():
            process = os.fork()
            if not process:
                fill(200)
                os._exit(0)
            os.waitpid(process, 0)

        def both():
            fill(200)
            work_in_another()
        _, _, own, _, _ = self.run_with(lambda: fill(200))
        what, reason, total, _, _ = self.run_with(both)
        eq_((what, reason), ('coloured', ''))
        ok_(total > own + (200 << 20), (own, total))
        # More than the larger of the two, less than both.
        what, reason, *_ = self.run_with(both, MOST_BYTES=total - (50 << 20))
        eq_(what, 'fault')
        assert_in(' bytes, more than', reason)


def test_photos_that_are_cut_in_silence():
    from colornet.formats import deep
    from reliability.cuts import find_silent
    noise = np.random.RandomState(0).randint(0, 1 << 16, (30, 40)).astype(
        np.uint16)
    files = [('.jpg', imagecodecs.ljpeg_encode(noise, bitspersample=16)),
             ('.png', encoded('PNG'))]
    with tempfile.TemporaryDirectory() as folder:
        eq_(find_silent(files, Path(folder, 'log')), [])
        # As if nobody looked, decoders fill up what is missing.
        with mock.patch.object(deep, 'is_whole_jpeg', lambda *_: True):
            found = find_silent(files, Path(folder, 'log'))
        ok_(len(found) > 2, found)
        eq_({(suffix, reason) for suffix, _, reason in found},
            {('.jpg', 'it is taken for whole')})
        # A crash is one, too.
        with mock.patch.object(deep, 'is_whole_jpeg', lambda *_: 1 / 0):
            (_, content, reason), = find_silent(files, Path(folder, 'log'))
        assert_in('ZeroDivisionError', reason)


def test_black_and_grey_results_are_told():
    from reliability.right_size import judge_colours
    grey = np.array(samples.grey()).clip(20, 230)
    coloured = np.dstack([grey + 20, grey, grey - 20])
    eq_(judge_colours(grey, coloured), '')
    eq_(judge_colours(grey, coloured.astype(np.uint16) * 257), '')
    eq_(judge_colours(grey, np.dstack([grey] * 3)), 'the result is grey')
    assert_in('luminance differs', judge_colours(grey, 0 * coloured))
    assert_in('luminance differs', judge_colours(grey, coloured[:, ::-1]))
    # Paper stays grey, and what is white.
    for level in 100, 255:
        even = np.full((50, 80), level, np.uint8)
        eq_(judge_colours(even, np.dstack([even] * 3)), '')
