"""A film that is killed: how it is judged, and a small part of it."""

import subprocess
import sys

from nose.plugins.attrib import attr
from nose.tools import assert_in, eq_

from reliability import film
from tests import tiny
from tests.video import clips


@attr('slow')
def test_a_film_that_is_killed_loses_nothing():
    clips.need_video()
    # In a process of its own, as it forks.
    done = subprocess.run(
        [sys.executable, '-m', 'reliability.film', '--frames', '1500',
         '--kills', '3'], cwd=str(tiny.ROOT), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, universal_newlines=True)
    eq_(done.returncode, 0, done.stdout + done.stderr)
    assert_in('1500 frames, 3 kills', done.stdout)
    assert_in('\n0 faults\n', done.stdout)


class TestDifferences(clips.InFolder):

    def test_what_is_lost_is_told(self):
        film.write_film(self.folder / 'film.mp4', 20)
        whole = self.write('whole.mp4', sound=True)
        for name, options, words in [
                ('same.mp4', {'sound': True}, []),
                ('other.mp4', {'sound': True, 'times': range(
                    0, 25 * clips.COUNT, 25)}, ['other times']),
                ('silent.mp4', {}, ['other sound']),
                ('short.mp4', {'frames': clips.moving(5), 'sound': True},
                 ['5 frames, not 12', 'other sound'])]:
            eq_(film.differences(whole, self.write(name, **options)), words)
        eq_(film.differences(self.folder / 'film.mp4', whole),
            ['12 frames, not 20', 'other sound'])

    def test_times_of_the_film_vary(self):
        film.write_film(self.folder / 'film.mp4', 20)
        times, sound = clips.contents(self.folder / 'film.mp4')
        steps = {later - time for time, later in zip(times, times[1:])}
        eq_((len(times), len(steps)), (20, 3))
        eq_(len(sound) > 5, True)
