"""Reading, predicting and writing at the same time, by stand-ins."""

import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple

import numpy as np
from nose.tools import assert_raises, eq_, ok_

from colornet.errors import ColornetError
from colornet.photos.folders import Report
from colornet.photos.overlap import run_overlapped
from colornet.photos.reading import ImageError, Photo, read_photo
from tests import tiny
from tests.photos.colouring import InFolder, files_in

Job = namedtuple('Job', 'source target photo')


class Bar:
    count = 0

    def update(self):
        self.count += 1


class Steps:
    """Notes what is in memory; each fault happens to its number."""

    def __init__(self, faults=(), pause=0.):
        self.faults = dict(faults)
        self.pause = pause
        self.lock = threading.Lock()
        self.read_now = set()
        self.most = 0
        self.threads = {}

    def _do(self, step, number):
        self.threads.setdefault(step, set()).add(threading.get_ident())
        fault = self.faults.get((step, number))
        if isinstance(fault, list):  # Only as often as it is listed.
            fault = fault.pop() if fault else None
        if fault:
            raise fault
        time.sleep(self.pause)

    def read(self, job):
        self._do('read', job.source)
        with self.lock:
            self.read_now.add(job.source)
            self.most = max(self.most, len(self.read_now))
        return Photo(np.zeros(100)), None

    def name(self, job, photo, _):
        return job._replace(photo=photo)

    def predict(self, batch):
        for job in batch:
            self._do('predict', job.source)
        return [job.source for job in batch]

    def write(self, job, chroma):
        eq_(chroma, job.source)
        try:
            self._do('write', job.source)
        finally:
            with self.lock:
                self.read_now.discard(job.source)


def run(steps, count=20, limits=(4, 1000, 10000)):
    report, bar = Report(), Bar()
    try:
        run_overlapped([Job(number, number, None) for number in range(count)],
                       steps, report, bar, limits)
    finally:
        eq_(bar.count, len(report.written) + len(report.failed))
    return report


def test_all_are_reported_in_order():
    steps = Steps(pause=0.001)
    eq_(run(steps), Report(written=list(range(20))))
    eq_(len(steps.threads['read'] | steps.threads['predict']), 2)
    ok_(threading.get_ident() not in steps.threads['write'])
    eq_(run(Steps(), 0), Report())


def test_failures_are_in_order_too():
    faults = {('read', 5): ImageError(5, 'a'),
              ('write', 2): ImageError(2, 'b'),
              ('read', 19): ImageError(19, 'c'), ('read', 7): MemoryError(),
              ('write', 11): MemoryError(), ('predict', 12): MemoryError()}
    report = run(Steps(faults, pause=0.001))
    eq_(report.failed, [(2, 'b'), (5, 'a'), (7, 'out of memory'),
                        (12, 'out of memory'), (11, 'out of memory'),
                        (19, 'c')])
    eq_(report.written, [number for number in range(20)
                         if number not in (2, 5, 7, 11, 12, 19)])


def test_an_error_nobody_expects_is_of_its_photo_alone():
    report = run(Steps({('read', 3): TypeError('int + str')}))
    eq_(report.failed, [(3, 'internal error: TypeError: int + str')])
    eq_(len(report.written), 19)


def test_what_lacks_memory_is_tried_again():
    for step in 'read', 'write':
        report = run(Steps({(step, 3): [MemoryError()]}))
        eq_(report, Report(written=list(range(20))))


def test_only_some_are_in_memory():
    for values, most in ((100, 2), (500, 6)):
        steps = Steps(pause=0.002)
        run(steps, limits=(2, 1000, values))
        ok_(1 < steps.most <= most, steps.most)
    # One at a time where even one is too much.
    steps = Steps()
    run(steps, limits=(4, 50, 50))
    eq_(steps.most, 1)


def test_the_batch_is_written_while_the_next_is_predicted():
    written = threading.Event()

    class Waiting(Steps):
        def predict(self, batch):
            if batch[0].source == 4:
                ok_(written.wait(30))
            return super().predict(batch)

        def write(self, job, chroma):
            super().write(job, chroma)
            written.set()
    eq_(len(run(Waiting()).written), 20)


def test_errors_end_it_and_what_is_written_is_reported():
    for step, fault in (('read', ColornetError('')), ('predict', ValueError()),
                        ('write', ColornetError('full')),
                        ('write', KeyboardInterrupt())):
        report, steps = Report(), Steps({(step, 9): fault}, pause=0.001)
        with assert_raises(type(fault)):
            run_overlapped([Job(number, number, None)
                            for number in range(1000)], steps, report, Bar(),
                           (4, 1000, 10000))
        ok_(not steps.threads.get('write', set()) &
            {thread.ident for thread in threading.enumerate()})
        written = report.written
        eq_(written, sorted(set(written)))
        ok_(9 not in written and len(written) < 40, written)
        if step == 'write':
            eq_(written[:9], list(range(9)))


PROGRAM = '''
import signal, sys, time
# Shells ignore it for what they start in the background, as tests may be.
signal.signal(signal.SIGINT, signal.default_int_handler)
from colornet.photos.colorizer import Colorizer
from colornet.photos.folders import Report, colorize_files
from tests.photos.colouring import warm

def slow(luminances):
    print('predicting', flush=True)
    time.sleep(0.3)
    return warm(luminances)

report = Report()
try:
    colorize_files(Colorizer(slow, 32), [sys.argv[1]], sys.argv[2],
                   batch_size=1, report=report)
except KeyboardInterrupt:
    print(*[path.name for path in report.written])
'''


class TestInterruption(InFolder):

    def test_ctrl_c_leaves_whole_photos_that_are_reported(self):
        self.save(*['%02d.png' % number for number in range(30)])
        process = subprocess.Popen(
            [sys.executable, '-c', PROGRAM, str(self.input), str(self.out)],
            cwd=str(tiny.ROOT), stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, universal_newlines=True)
        for _ in range(4):
            eq_(process.stdout.readline(), 'predicting\n')
        process.send_signal(signal.SIGINT)
        printed = process.communicate(timeout=60)[0].splitlines()
        written = printed[-1].split()
        # Of the three before, what was written by then.
        ok_(1 <= len(written) < 10, written)
        eq_(files_in(self.out), written)
        for name in written:
            eq_(read_photo(self.out / name).pixels.shape, (96, 128, 3))
