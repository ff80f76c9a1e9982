"""Studies whose workers are killed: how they are judged, and a quick part."""

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from nose.plugins.attrib import attr
from nose.tools import assert_in, eq_

from colornet.files import write_text
from colornet.network.parameters import save_arrays
from reliability import cluster
from reliability.cluster import Study, Watcher, compare
from reliability.watching import Watching
from tests import tiny
from tests.flow.workers import need_dask


def write_run(run, epochs, minibatches=0, value=1.):
    """A run folder with networks of one number; three minibatches an epoch."""
    progress = {'history': [{'epoch': epoch + 1, 'training_loss': 1.,
                             'seconds': value} for epoch in range(epochs)],
                'iteration': minibatches, 'loss_sum': 0., 'num_images': 0,
                'seconds': 0.}
    save_arrays(run / 'last.h5', {
        'parameters': {('a', 'W'): [value]}, 'optimizer': {'0000': [1.]},
        'log': {'losses': [[1, 1, 1.]] * (3 * epochs + minibatches)}},
        {'progress': json.dumps(progress)})
    save_arrays(run / 'best.h5', {'parameters': {('a', 'W'): [1.]}}, {})
    write_text(run / 'losses.csv', 'epoch\n1\n')


def test_a_checkpoint_that_goes_back_is_seen():
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder, 'seed=1')
        watcher = Watcher(Path(folder))
        watcher.look()
        for state in (0, 2), (1, 0), (1, 0), (1, 1):
            write_run(run, *state)
            watcher.look()
        eq_((watcher.found, watcher.states[run].count(3)), ([], 4))
        write_run(run, 0, 2)
        watcher.look()
        line, = watcher.found
        assert_in('the checkpoint of seed=1 went back from', line)


def wait_for(what):
    for _ in range(200):
        if what():
            return
        time.sleep(0.05)
    raise AssertionError('it never comes')


def test_a_damaged_checkpoint_is_seen_and_what_comes_after_it():
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder, 'seed=1')
        write_run(run, 2)
        with Watcher(Path(folder)) as watcher:
            wait_for(lambda: watcher.states)
            (run / 'last.h5').write_bytes(b'damaged')
            wait_for(lambda: watcher.found)
            write_run(run, 0, 1)
            wait_for(lambda: len(watcher.found) > 1)
            write_run(run, 3)
        damaged, back = watcher.found
        assert_in('the checkpoint of seed=1 is damaged', damaged)
        assert_in('the checkpoint of seed=1 went back', back)
        eq_(watcher.states[run].epochs, 3)


def test_looking_that_fails_is_told_and_goes_on():
    class Fails(Watching):
        interval, looks = 0.001, 0

        def look(self):
            self.looks += 1
            raise OSError('gone')
    with Fails() as watching:
        wait_for(lambda: watching.looks > 3)
    eq_(watching.found, ['not looked at: OSError: gone'])


class Ended:
    """A study that has ended, or not yet, and its process."""

    count = staticmethod(lambda: (3, 6))
    end = staticmethod(lambda *_: [])

    def __init__(self, folder, status):
        self.folder, self.status, self.starts = folder, status, 0
        self.runs = folder / 'runs'

    def start(self, _):
        self.starts += 1
        return self

    def poll(self):
        return self.status

    def kill(self):
        self.status = -9

    wait = kill


def test_what_is_killed_when_the_study_has_ended_is_no_kill():
    @contextlib.contextmanager
    def two_workers(_):
        yield 'address', ['nanny']
    for status, expected in ((0, ('', False, [])),
                             (None, ('training', True, []))):
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch('tests.flow.workers.two_workers', two_workers), \
                mock.patch.object(cluster, '_kill_worker',
                                  lambda *_: 'training'), \
                mock.patch.object(cluster, 'compare', lambda *_: []), \
                mock.patch('time.sleep'):
            study = Ended(Path(folder, 'study'), status)
            choose = mock.Mock(choice=min, uniform=lambda *_: 0,
                               randrange=lambda _: 0)
            eq_(cluster.try_once(study, study, choose, False, True, 1),
                expected)
            eq_(study.starts, 1 + expected[1])


def test_other_tables_and_networks_are_told_apart():
    with tempfile.TemporaryDirectory() as folder:
        studies = []
        for name, score, seconds, value in (
                ('a', 1, 1, 1.), ('b', 1, 2, 1.), ('c', 2, 1, 1.),
                ('d', 1, 1, 2.)):
            study = Study(Path(folder, 'a.ini'), Path(folder, name))
            write_text(study.folder / 'results' / 'a.csv',
                       'variant,score,seconds\n0,%d,%d\n' % (score, seconds))
            write_run(study.runs / 'seed=1', 2, value=value)
            studies.append(study)
        reference = studies[0]
        eq_([compare(study, reference) for study in studies[1:]],
            [[], ['another a.csv'], ['seed=1: last.h5: other parameters']])
        eq_(reference.count(), (3, 6))


@attr('slow')
def test_studies_survive_their_workers_and_themselves():
    need_dask()
    tiny.need('torch')
    done = subprocess.run(
        [sys.executable, '-m', 'reliability.cluster', '--kills', '2'],
        cwd=str(tiny.ROOT), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        universal_newlines=True)
    eq_(done.returncode, 0, done.stdout + done.stderr)
    assert_in('2 workers killed', done.stdout)
    assert_in('\n0 faults\n', done.stdout)
