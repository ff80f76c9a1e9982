"""Where clips have cuts, as printed."""

import contextlib
import io

from nose.tools import assert_greater, assert_in, assert_less, eq_

from benchmarks import cuts
from tests.video import clips


class TestCuts(clips.InFolder):

    def test_cuts_and_others(self):
        path = self.write('a.mkv', frames=clips.moving(6, (96, 128)) +
                          clips.moving(5, (96, 128), scene=1))
        trusts = cuts.trusts_of(path, 300)
        eq_(len(trusts), 10)
        assert_less(trusts[5], cuts.CUT)
        assert_greater(min(trusts[:5] + trusts[6:]), cuts.CUT)
        eq_(cuts.trusts_of(path, 4), trusts[:3])
        self.write('b.mkv', frames=clips.moving(3, (96, 128)))
        with contextlib.redirect_stdout(io.StringIO()) as said:
            eq_(cuts.main(['--data', str(self.folder)]), 0)
        first, second, total = said.getvalue().splitlines()
        assert_in('a.mkv: 11 frames, cuts: %.3f at 6; others: %.3f at least' %
                  (trusts[5], min(trusts[:5] + trusts[6:])), first)
        assert_in('b.mkv: 3 frames, cuts: none; others: ', second)
        assert_in('1 cuts: %.3f at most; 11 other frames: ' % trusts[5],
                  total)
