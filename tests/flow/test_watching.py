"""Folders that are watched, look by look."""

import os
from unittest import mock

from nose.tools import assert_raises, eq_
from PIL import Image

from colornet.errors import ColornetError
from colornet.flow import watching
from colornet.flow.watching import watch_files
from colornet.photos.colorizer import Colorizer
from colornet.photos.report import Report
from tests.photos.colouring import SIZE, InFolder, files_in, warm


class TestWatching(InFolder):

    def watch(self, *happens, sources=None, **options):
        """After each look, one of these is called; the events of each."""
        happens, looks = list(happens), [[]]
        report = Report(listener=lambda entry: looks[-1].append(
            (os.path.basename(entry['source']), entry['status'])))

        def is_over():
            looks.append([])
            if not happens:
                return True
            happens.pop(0)()
        self.input.mkdir(exist_ok=True)
        with mock.patch.object(watching, 'INTERVAL', 0):
            watch_files(Colorizer(warm, SIZE), sources or [self.input],
                        self.out, report=report, is_over=is_over, **options)
        return looks[:-1]

    def nothing(self):
        pass

    def test_a_photo_is_taken_when_it_has_settled(self):
        looks = self.watch(lambda: self.save('a.jpg'), *[self.nothing] * 5)
        eq_(looks, [[], [], [], [('a.jpg', 'written')], [], [], []])
        eq_(files_in(self.out), ['a.jpg'])

    def test_not_while_it_grows(self):
        content = self.save('a.jpg').read_bytes()
        path = self.input / 'a.jpg'
        path.unlink()

        def grow(length):
            return lambda: path.write_bytes(content[:length])
        looks = self.watch(*[grow(length) for length in (
            10, 500, 1000, 1500, len(content))], *[self.nothing] * 4)
        eq_([entry for look in looks for entry in look],
            [('a.jpg', 'written')])
        eq_(looks[7], [('a.jpg', 'written')])

    def test_what_changes_is_coloured_anew(self):
        def change():
            image = Image.open(self.input / 'a.jpg').rotate(180)
            image.save(self.input / 'a.jpg', quality=50)
        self.save('a.jpg')
        before = []
        looks = self.watch(
            *[self.nothing] * 3,
            lambda: before.append((self.out / 'a.jpg').read_bytes()), change,
            *[self.nothing] * 3)
        eq_([look for look in looks if look], [[('a.jpg', 'written')]] * 2)
        assert (self.out / 'a.jpg').read_bytes() != before[0]

    def test_what_is_there_at_the_start_is_left(self):
        self.save('a.jpg', 'b.jpg')
        self.out.mkdir()
        (self.out / 'a.jpg').write_text('kept')
        looks = self.watch(*[self.nothing] * 4)
        eq_([look for look in looks if look],
            [[('a.jpg', 'skipped'), ('b.jpg', 'written')]])
        looks = self.watch(*[self.nothing] * 4, overwrite=True)
        eq_([look for look in looks if look],
            [[('a.jpg', 'written'), ('b.jpg', 'written')]])

    def test_its_results_are_never_taken(self):
        self.save('a.jpg')
        self.out = self.input / 'out'
        self.watch(*[self.nothing] * 9)
        eq_(files_in(self.input), ['a.jpg', 'out/a.jpg'])
        # Nor where they are beside their sources.
        self.save('../x/b.jpg')
        self.out = self.folder
        self.watch(*[self.nothing] * 9,
                   sources=[self.input / 'out', self.folder / 'x'])
        eq_(files_in(self.folder / 'x'), ['b-coloured.jpg', 'b.jpg'])

    def test_faults_are_told_once(self):
        self.save('a.jpg')
        (self.input / 'a.jpg').write_text('no photo')
        (self.input / 'lost').symlink_to('nowhere')
        looks = self.watch(*[self.nothing] * 6)
        eq_(sorted(entry for look in looks for entry in look),
            [('a.jpg', 'failed'), ('lost', 'failed')])
        # Until it is mended.
        looks = self.watch(*[self.nothing] * 3, lambda: self.save('a.jpg'),
                           *[self.nothing] * 4)
        eq_([look for look in looks if look][-1], [('a.jpg', 'written')])

    def test_what_is_no_photo_is_counted_once(self):
        self.input.mkdir()
        report = Report()
        for name in 'a.mov', 'b.mov':
            (self.input / name).write_text('film')
        counts = []

        def is_over():
            counts.append(dict(report.others))
            return len(counts) == 4
        with mock.patch.object(watching, 'INTERVAL', 0):
            watch_files(Colorizer(warm, SIZE), [self.input], self.out,
                        report=report, is_over=is_over)
        eq_(counts, [{'.mov': 2}] * 4)

    def test_a_folder_that_comes_later(self):
        later = self.folder / 'later'
        looks = self.watch(lambda: self.save('../later/a.jpg'),
                           *[self.nothing] * 4, sources=[later])
        eq_([look for look in looks if look], [[('a.jpg', 'written')]])

    def test_the_output_folder_is_no_source(self):
        self.out = self.input
        with assert_raises(ColornetError):
            self.watch(self.nothing)
