"""Films scored, frame by frame and smoothed."""

import re

from nose.tools import (assert_almost_equal, assert_greater, assert_in,
                        assert_less, eq_, ok_)

from colornet.files import read_csv
from colornet.studies.flicker import METHODS, find_clips, score_flicker
from tests import tiny
from tests.video import clips
from tests.video.clips import StandIn, configuration, moving


class TestFlicker(clips.InFolder):

    def test_scores(self):
        frames = moving(14, (96, 100)) + moving(6, (96, 100), 1)
        self.write('a.mp4', frames=frames)
        out = self.folder / 'flicker.csv'
        network = StandIn(flicker=3.)
        with tiny.noted():
            text = score_flicker([self.folder], out, network, configuration())
        rows = {row['method']: row for row in read_csv(out)}
        eq_(list(rows), list(METHODS) + ['their own', 'none'])
        value = {method: {name: float(number) for name, number in row.items()
                          if number and name not in ('clip', 'method')}
                 for method, row in rows.items()}
        each, smooth = value['frame by frame'], value['smoothed']
        for row in value.values():
            eq_(row['frames'], 20)
        for name in 'warp', 'warp_farneback', 'e_warp':
            assert_greater(each[name], 2 * smooth[name], name)
        assert_almost_equal(smooth['times'] * smooth['warp'] / each['warp'],
                            1, 4)
        eq_(each['times'], 1)
        eq_(value['none']['gain'], 0)
        assert_less(value['none']['warp'], .1)
        assert_less(value['none']['colourfulness'], .1)
        eq_(value['their own']['psnr'], 100)
        eq_(value['their own']['cdc_distance'], 0)
        for row in value.values():
            assert_almost_equal(row['cdc_distance'], abs(
                row['cdc'] - value['their own']['cdc']), 6)
        assert_greater(each['cdc_distance'], smooth['cdc_distance'])
        assert_almost_equal(smooth['gain'],
                            smooth['psnr'] - value['none']['psnr'], 3)
        # Each frame was looked at once, whatever the methods ask.
        ok_(network.seen <= 20 + 1, network.seen)
        assert_greater(value['smoothed, every 4th']['fps'], 0)
        assert_in('a.mp4: 20 frames of 100 x 96', text)
        assert_in('smoothed, every 4th', text)

    def test_clips_that_cannot_be_scored(self):
        self.write('b.mkv', frames=moving(1))
        (self.folder / 'c.mp4').write_text('no film')
        eq_([path.name for path in find_clips([self.folder])],
            ['b.mkv', 'c.mp4'])
        out = self.folder / 'flicker.csv'
        with tiny.noted() as err:
            tiny.check_error(lambda: score_flicker(
                [self.folder], out, StandIn(), configuration()), 'none of')
        assert_in('b.mkv has one frame', err.getvalue())
        assert_in('c.mp4', err.getvalue())
        tiny.check_error(lambda: find_clips([self.folder / 'none']), 'none')

    def test_frames_are_few_and_small(self):
        self.write(frames=moving(12, (96, 100)))
        network = StandIn()
        with tiny.noted():
            text = score_flicker([self.folder / 'in.mp4'],
                                 self.folder / 'o.csv', network,
                                 configuration(), max_frames=5)
        assert_in('5 frames', text)
        eq_(network.seen, 6)


def test_the_page_has_the_shipped_numbers():
    rows = read_csv(tiny.ROOT / 'experiments' / 'results' / 'flicker.csv')
    page = (tiny.ROOT / 'docs' / 'video.rst').read_text()
    table = re.search(r'\nclip +colours .*\n=.*\n((?:.*\n)+?)=',
                      page).group(1).splitlines()
    eq_(len(table), len(rows))
    clip = None
    for line, row in zip(table, rows):
        # Of each clip, the first row has its name.
        eq_(line.split()[0], row['clip'].partition('.')[0].partition('_')[0]
            if row['clip'] != clip else '\\', line)
        clip = row['clip']
        cells = re.split('  +', line[len(line.split()[0]):].strip())
        eq_(cells[0], row['method'].replace('smoothed, ', ''))
        theirs = row['method'] in ('their own', 'none')
        own = row['method'] == 'their own'
        eq_(cells[1:], [
            '-' if absent else form % (unit * float(row[name]))
            for name, form, unit, absent in [
                ('warp', '%.2f', 1, False), ('times', '%.1f', 1, theirs),
                ('warp_farneback', '%.2f', 1, False),
                ('e_warp', '%.3f', 1000, False), ('cdc', '%.3f', 1000, False),
                ('cdc_distance', '%.3f', 1000, own),
                ('psnr', '%.2f', 1, own),
                ('gain', '%+.2f', 1, theirs),
                ('colourfulness', '%.1f', 1, False)]], row)
