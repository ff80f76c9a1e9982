"""A film that is killed: how it is judged, and a small part of it."""

import subprocess
import sys
from unittest import mock

from nose.plugins.attrib import attr
from nose.tools import (assert_greater, assert_in, assert_less, assert_raises,
                        eq_)

from colornet.video.converting import colour_file
from colornet.video.parts import Parts, folder_of
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
    assert_in(' after ', done.stdout)
    assert_in('1500 frames, 3 kills', done.stdout)
    assert_in('\n0 faults\n', done.stdout)


def test_growth_counts_once_a_process_has_what_it_needs():
    flat = [(done, 130. + done % 3) for done in range(0, 10000, 100)]
    assert_less(film.grown([(0, 60.)] + flat), film.GROWTH)
    # Frames of which none is forgotten, 4.5 kB each.
    assert_greater(film.grown([(done, size + .0045 * done)
                               for done, size in flat]), film.GROWTH)
    eq_((film.grown([]), film.grown([(500, 130.)])), (0, 0))


class TestFinished(clips.InFolder):

    def test_parts_that_are_made_again_are_told(self):
        source = self.write(frames=clips.moving(300))
        out = self.folder / 'out.mp4'

        class Interruption(Exception):
            """In place of a kill."""

        def interrupted(seen):
            network = clips.StandIn()

            def outputs(luminances):
                if network.seen > seen:
                    raise Interruption
                return network(luminances)
            with mock.patch('colornet.video.converting.PART', 24), \
                    assert_raises(Interruption):
                colour_file(lambda: clips.colorizer(outputs), source, out,
                            resume=True, progress=False)
            return film.finished(folder_of(out))
        eq_(film.finished(folder_of(out)), (0, {}))
        frames, first = interrupted(100)
        eq_((frames, sorted(first)), (72, ['000000.nut', '000001.nut',
                                           '000002.nut']))
        frames, second = interrupted(100)
        eq_((frames, len(second), film.lost(first, second)), (144, 6, []))
        # What takes none makes as many again, and no fewer are there.
        with mock.patch.object(Parts, '_read', lambda parts: None):
            frames, third = interrupted(180)
        eq_((frames, film.lost(second, third)), (144, sorted(second)))


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
