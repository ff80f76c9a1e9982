"""Photos shared among workers: in this process, and by Dask."""

import json
import signal
import threading
import time
from pathlib import Path
from unittest import mock

from nose.plugins.attrib import attr
from nose.tools import assert_in, assert_raises, eq_, ok_
from PIL import Image

from colornet.engine.available import missing_onnx
from colornet.errors import ColornetError
from colornet.flow import sharing
from colornet.flow.sharing import (colorize_chunk, colorize_shared,
                                   read_settings)
from colornet.photos.colorizer import Colorizer
from colornet.photos.options import Options
from colornet.photos.report import Report
from tests.cli.commands import run
from tests.flow.workers import need_dask, two_workers
from tests.photos.colouring import SIZE, InFolder, files_in, warm
from tests.photos.samples import grey, photo


class TestSharing(InFolder):
    """Workers are stand-ins in this process, which may die."""

    def share(self, work=None, **options):
        """Report; `work` takes a chunk's list and number, returns why not."""
        def run_jobs(jobs, scheduler, shared_folder):
            eq_(scheduler, 'tcp://nowhere:1')
            for job in jobs:
                (name, file, flag, number), = job.commands
                eq_((name, flag), ('colorize', '--chunk'))
                yield job.name, (work or self.colorize)(file, int(number))
        with mock.patch('colornet.flow.jobs.run_jobs', run_jobs):
            return colorize_shared(
                'tcp://nowhere:1', [self.input], self.out, {'batch_size': 2},
                options.pop('options', Options()), progress=False, **options)

    def colorize(self, file, number, network=warm):
        colorize_chunk(Colorizer(network, SIZE), file, number, Options(),
                       **read_settings(file))
        return ''

    def test_as_without_workers(self):
        self.save(*['%02d.jpg' % number for number in range(9)])
        self.save('x/a.gif', 'x/a.png', 'y/b.jpg')
        (self.input / 'broken.jpg').write_text('no photo')
        self.save('film.gif', save_all=True, append_images=[photo()])
        report = self.share()
        expected = self.run(out=self.folder / 'alone')
        eq_(files_in(self.out), files_in(self.folder / 'alone'))
        for name in files_in(self.out):
            eq_((self.out / name).read_bytes(),
                (self.folder / 'alone' / name).read_bytes())
        eq_([path.name for path in report.written],
            [path.name for path in expected.written])
        eq_(report.failed, expected.failed)
        eq_(report.first_only, expected.first_only)
        # Nothing is left of what they had in common.
        eq_([path for path in self.out.iterdir()
             if path.name.startswith('.')], [])

    def test_what_is_there_is_left(self):
        self.save('a.jpg', 'b.jpg')
        self.out.mkdir()
        (self.out / 'a.jpg').write_text('kept')
        report = self.share(overwrite=False)
        eq_((report.skipped, report.written),
            ([self.out / 'a.jpg'], [self.out / 'b.jpg']))
        eq_((self.out / 'a.jpg').read_text(), 'kept')

    def test_what_is_there_under_another_name_is_left(self):
        # Only a worker sees that the second is transparent, and becomes PNG.
        self.save('a.jpg', 'c.jpg')
        clear = grey().convert('LA')
        clear.putalpha(9)
        self.save('b.jpg', image=clear, format='PNG')
        self.out.mkdir()
        (self.out / 'b.png').write_text('kept')
        report = self.share(overwrite=False)
        eq_((report.skipped, report.written, report.failed), (
            [self.out / 'b.png'],
            [self.out / 'a.jpg', self.out / 'c.jpg'], []))
        eq_((self.out / 'b.png').read_text(), 'kept')
        self.share()
        eq_(Image.open(self.out / 'b.png').size, grey().size)

    def test_two_that_get_one_name_when_they_are_read(self):
        self.save('a.jpg', 'b.jpg', 'c.jpg')
        clear = grey().convert('LA')
        clear.putalpha(9)
        self.save('x.jpeg', 'x.jpg', image=clear, format='PNG')
        chunks = []

        def work(file, number):
            content = json.loads(Path(file).read_text())
            chunks.append(content['chunks'][number])
            return self.colorize(file, number)
        report = self.share(work)
        eq_([len(chunk) for chunk in chunks], [3, 2])
        eq_(files_in(self.out),
            ['a.jpg', 'b.jpg', 'c.jpg', 'x.jpg.png', 'x.png'])
        eq_(len(set(report.written)), 5)

    def test_a_worker_that_dies(self):
        self.save(*['%d.jpg' % number for number in range(4)])
        seen = []

        def dying(luminances):
            seen.append(len(luminances))
            if len(seen) == 2:
                while len(list(self.out.glob('*.jpg'))) < 2:
                    time.sleep(0.01)
                raise KeyboardInterrupt
            return warm(luminances)

        def work(file, number):
            with assert_raises(KeyboardInterrupt):
                self.colorize(file, number, dying)
            # A line that was cut.
            with open(sharing.Path(file).with_name('0'), 'a') as stream:
                stream.write('{"source": "')
            eq_(len(files_in(self.out)), 4)  # two photos, list, notes
            return self.colorize(file, number, dying)
        report = self.share(work)
        eq_(len(report.written), 4)
        # What was done is not done again.
        eq_(seen, [2, 2, 2])

    def test_a_worker_that_cannot(self):
        self.save('a.jpg', 'b.jpg')
        report = self.share(lambda file, number: 'no network')
        eq_(report.failed, [(self.input / name, 'no network')
                            for name in ('a.jpg', 'b.jpg')])
        report = self.share(lambda file, number: '')
        assert_in('not coloured', report.failed[0][1])

    def test_an_interruption_tells_what_was_done(self):
        self.save(*['%d.jpg' % number for number in range(8)])

        def work(file, number):
            self.colorize(file, number)
            if number:
                raise KeyboardInterrupt
            return ''
        report = Report()
        with assert_raises(KeyboardInterrupt):
            self.share(work, report=report)
        eq_(len(report.written), 8)
        eq_(files_in(self.out), ['%d.jpg' % number for number in range(8)])

    def test_nothing_to_share(self):
        self.input.mkdir()
        with assert_raises(ColornetError):
            self.share()

    def test_a_list_that_is_none(self):
        with assert_raises(ColornetError):
            read_settings(self.folder / 'missing')
        with assert_raises(ColornetError):
            read_settings(self.written('list', b'{"settings"'))


class TestWorkers(InFolder):

    @attr('slow')
    def test_one_of_two_workers_is_killed_half_way(self):
        need_dask()
        count = 24
        self.save(*['%02d.jpg' % number for number in range(count)],
                  image=grey())
        (self.input / 'broken.jpg').write_text('no photo')
        self.out.mkdir()
        with two_workers(str(self.folder), '--no-nanny') as (address, workers):
            threading.Thread(target=self.kill, args=[workers[0]]).start()
            command = ['colorize', self.input, '-o', self.out, '--json',
                       '--scheduler', address, '--network', 'weights/'
                       'cvcl_classification.h5']
            if not missing_onnx():
                command += ['--engine', 'onnx']
            status, out, err = run(*command)
            eq_(workers[0].poll(), -signal.SIGKILL)
        eq_(status, 1, err)
        entries = [json.loads(line) for line in out.splitlines()]
        eq_(sorted(entry['source'] for entry in entries),
            sorted(map(str, self.input.iterdir())))
        eq_([entry['source'] for entry in entries
             if entry['status'] != 'written'],
            [str(self.input / 'broken.jpg')])
        eq_(err.count('broken.jpg'), 1)
        eq_(len(files_in(self.out)), count)
        for name in files_in(self.out):
            eq_(Image.open(self.out / name).size, grey().size)

    def kill(self, worker):
        """When some photos are done, and not all."""
        deadline = time.time() + 500
        while time.time() < deadline:
            done = len(list(self.out.glob('*.jpg')))
            if done:
                ok_(done < 24)
                worker.kill()
                return
            time.sleep(0.02)
