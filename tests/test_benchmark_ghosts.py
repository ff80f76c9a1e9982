"""What flies fast leaves no ghosts: scenes whose motion is known."""

import contextlib
import io
import re
import shutil
import tempfile
from pathlib import Path
from unittest import mock

from nose.tools import assert_greater, assert_less, eq_
from numpy.testing import assert_array_equal

from benchmarks.ghosts import (METHODS, SHAPE, SIDE, Knowing, Scene, colour,
                               errors, main)
from colornet.files import read_csv
from tests import tiny
from tests.video import clips


def setup_module():
    clips.need_video()


def test_a_scene():
    scene = Scene(40, 5)
    eq_([there.sum() for there in scene.objects], 5 * [SIDE ** 2])
    eq_({frame.shape for frame in scene.frames}, {SHAPE + (3,)})
    for number in range(1, 5):
        areas = scene.areas(number)
        eq_(sum(area.sum() for area in areas.values()),
            SHAPE[0] * SHAPE[1])
        eq_(areas['uncovered'].sum(), 40 * SIDE)
        before, after = scene.frames[number - 1:number + 1]
        # What is neither object nor uncovered stands still, and the object
        # goes along.
        assert_array_equal(before[areas['rest']], after[areas['rest']])
        assert_array_equal(before[scene.objects[number - 1]],
                           after[areas['object']])


def test_errors():
    scene = Scene(16, 4)
    eq_(set(errors(scene, scene.frames).values()), {0.})
    wrong = [frame.copy() for frame in scene.frames]
    for frame, there in zip(wrong, scene.objects):
        frame[there] = 128
    found = errors(scene, wrong)
    eq_((found['uncovered'], found['rest']), (0, 0))
    assert_greater(found['object'], 5)


def test_the_page_has_the_shipped_numbers():
    page = (tiny.ROOT / 'docs' / 'video.rst').read_text()
    tables = re.findall(r'\ncolours +columns a frame .*\n=.*\n((?:.*\n)+?)=',
                        page)
    eq_(len(tables), 2)
    for table, name in zip(tables, ('ghosts', 'ghosts_stand_in')):
        rows = read_csv(tiny.ROOT / 'experiments' / 'results' /
                        (name + '.csv'))
        eq_([re.split('  +', line) for line in table.splitlines()],
            [[row['colours'], row['columns']] + [
                '%.2f' % float(row[area]) for area in (
                    'uncovered', 'object', 'rest')] for row in rows])


class TestCommand:

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())

    def tearDown(self):
        shutil.rmtree(str(self.folder))

    def test_a_table_of_the_stand_in(self):
        out = self.folder / 'ghosts.csv'
        with contextlib.redirect_stdout(io.StringIO()) as said, \
                mock.patch('benchmarks.ghosts.DRAWS', 2):
            eq_(main(['--stand-in', '--speeds', '8', '--out', str(out)]), 0)
        rows = read_csv(out)
        eq_([row['colours'] for row in rows], list(METHODS) + ['none'])
        eq_([re.split('  +', line)[0] for line in
             said.getvalue().splitlines()[1:]],
            [row['colours'] for row in rows])
        errors_of = {row['colours']: float(row['rest']) for row in rows}
        assert_less(errors_of['smoothed'], errors_of['every 4th'])
        assert_less(errors_of['every 4th'], errors_of['frame by frame'])


def test_no_ghosts():
    """Where the background comes into sight, it has its own colours."""
    config = clips.configuration('data.size=128', 'decoding.saturation=1')
    for speed in 16, 40:
        scene = Scene(speed, 12)
        # Of several, as chance may be off the same way most of the time.
        networks = [Knowing(scene, config, 12., seed) for seed in range(4)]
        found = [[errors(scene, colour(scene.frames, network, config, method))
                  for network in networks]
                 for method in METHODS if method != 'every 4th']
        each, smoothed, untested = [
            {area: sum(one[area] for one in ones) / 4 for area in ones[0]}
            for ones in found]
        for area in 'uncovered', 'object', 'rest':
            assert_less(smoothed[area], .85 * each[area], (speed, area))
        assert_less(smoothed['rest'], .6 * each['rest'])
        # And what is tested makes a difference there.
        assert_less(smoothed['uncovered'], untested['uncovered'])
