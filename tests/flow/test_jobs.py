"""Commands as jobs: their errors, signals, and Dask's workers."""

import fcntl
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from unittest import mock

from nose.plugins.attrib import attr
from nose.tools import assert_in, assert_raises, eq_, ok_

from colornet.files import is_locked, locked
from colornet.flow.jobs import Job, _is_forgotten, run_command, run_jobs
from colornet.terminal import Interrupted
from tests import tiny
from tests.flow.workers import need_dask, two_workers


def run_quietly(function, *arguments, **options):
    """What a function returns, and what it prints as errors."""
    with mock.patch('sys.stderr', io.StringIO()) as err:
        result = function(*arguments, **options)
    return result, err.getvalue()


def job(name, commands, **environment):
    return Job(name=name, commands=commands, environment=environment)


def test_a_command_tells_its_status_and_its_error():
    (status, message), printed = run_quietly(
        run_command, ['colorize', '/nowhere.jpg'])
    eq_(status, 2)
    eq_(message, '/nowhere.jpg does not exist')
    assert_in('colornet: error: /nowhere.jpg', printed)
    (status, message), _ = run_quietly(run_command, ['--version'])
    eq_((status, message), (0, ''))


def test_a_job_stops_at_its_first_error_and_the_next_goes_on():
    bad = ['colorize', '/nowhere.jpg']
    jobs = [job('bad', [['--version'], bad, ['no-such-command']]),
            job('good', [['--version']])]
    messages, printed = run_quietly(lambda: dict(run_jobs(jobs)))
    eq_(messages, {'bad': '/nowhere.jpg does not exist', 'good': ''})
    ok_('no-such-command' not in printed)


def test_a_job_waits_for_who_still_saves_in_its_folder():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        waiting = replace(job('one', [['--version']]), folder=folder)

        def popen(*_, **__):
            raise OSError('locked' if is_locked(folder) else 'free')

        def ask():
            with mock.patch('subprocess.Popen', popen):
                with assert_raises(OSError) as caught:
                    list(run_jobs([waiting]))
            return str(caught.exception)
        eq_(ask(), 'free')
        begun = threading.Event()

        def save():
            with locked(folder, 'busy'):
                begun.set()
                time.sleep(0.5)
        saving = threading.Thread(target=save)
        saving.start()
        begun.wait()
        eq_(ask(), 'free')
        saving.join()
        # Who does not save but goes on is an error of the command.
        with locked(folder, 'busy'), \
                mock.patch('colornet.flow.jobs._PATIENCE', 0.3):
            eq_(ask(), 'locked')


def test_threads_and_environment_are_set():
    seen = []

    def popen(command, env, **options):
        seen.append((env.get('OMP_NUM_THREADS'), env.get('A_B')))
        raise OSError('enough')
    with mock.patch('subprocess.Popen', popen):
        with assert_raises(OSError):
            list(run_jobs([job('one', [['--version']], A_B='c')], threads=3))
    eq_(seen, [('3', 'c')])


def test_a_signal_reaches_the_command_once_and_ends_the_jobs():
    """The command tells what it got: here, a Python instead of colornet."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / 'ready'
        code = ('import pathlib, signal, sys, time\n'
                'got = []\n'
                'signal.signal(signal.SIGTERM, lambda *_: got.append(1))\n'
                'pathlib.Path(%r).write_text("")\n'
                'while not got: time.sleep(0.01)\n'
                'time.sleep(0.5)\n'
                'sys.exit("signals: %%d" %% len(got))' % str(ready))
        original = subprocess.Popen

        def popen(command, **options):
            return original([sys.executable, '-c', code], **options)

        with mock.patch('subprocess.Popen', popen), \
                mock.patch('sys.stderr', io.StringIO()) as err, \
                tiny.interrupting(signal.SIGTERM, ready.exists):
            with assert_raises(Interrupted):
                list(run_jobs([job('one', [['x']]), job('two', [['x']])]))
        eq_(err.getvalue(), 'signals: 1\n')


def test_what_kills_a_command_is_its_message():
    original = subprocess.Popen

    def popen(command, **options):
        return original([sys.executable, '-c', 'import os, signal, sys\n'
                         'sys.stderr.write("epoch 3/6: 40%%| 130/324")\n'
                         'sys.stderr.flush()\n'
                         'os.kill(os.getpid(), signal.SIGKILL)'], **options)
    with mock.patch('subprocess.Popen', popen):
        (status, message), _ = run_quietly(run_command, ['x'])
    eq_(status, -signal.SIGKILL)
    eq_(message, 'ended by SIGKILL (out of memory?)')


def interrupted(code, shown=''):
    """What is printed of a command, here Python, that is interrupted.

    It makes the file ``ready`` when that may be, and what it has shown before
    has been passed on, which a busy machine takes its time for.
    """
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / 'ready'
        original = subprocess.Popen

        def popen(command, **options):
            return original([sys.executable, '-c', 'ready = %r\n%s'
                             % (str(ready), code)], **options)
        with mock.patch('subprocess.Popen', popen), \
                mock.patch('sys.stderr', io.StringIO()) as err, \
                tiny.interrupting(signal.SIGINT, lambda: ready.exists() and
                                  shown in err.getvalue()):
            with assert_raises(Interrupted) as caught:
                run_command(['x'])
    eq_(caught.exception.signal_number, signal.SIGINT)
    return err.getvalue()


def test_that_it_was_interrupted_is_left_to_who_interrupts():
    """The child's own line, or traceback, would be a second one."""
    for statements in (
            'except KeyboardInterrupt:\n    sys.exit(show("colornet: '
            'interrupted by SIGINT\\n") and 130)', 'finally: pass'):
        eq_(interrupted('import sys, time\n'
                        'show = sys.stderr.write\n'
                        'show("epoch 1: 4/9"); sys.stderr.flush()\n'
                        'try:\n'
                        '    open(ready, "w").close()\n'
                        '    time.sleep(60)\n' + statements,
                        'epoch 1: 4/9'), 'epoch 1: 4/9\n')


def test_an_error_after_an_interruption_is_told():
    eq_(interrupted('import sys, time\n'
                    'try:\n'
                    '    open(ready, "w").close()\n'
                    '    time.sleep(60)\n'
                    'except KeyboardInterrupt:\n'
                    '    sys.exit("colornet: error: the disk is full")'),
        'colornet: error: the disk is full\n')


def is_running(process):
    """Whether there is a process of that number, which is no zombie."""
    try:
        os.kill(process, 0)
        stat = Path('/proc/%d/stat' % process)
        return not stat.exists() or stat.read_text().split()[2] != 'Z'
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_a_command_ends_with_a_parent_that_is_killed():
    """The command only asks to be ended, and waits."""
    with tempfile.TemporaryDirectory() as folder:
        started = Path(folder) / 'started'
        child = ('import os, time; '
                 'from colornet.terminal import PARENT, end_with_parent; '
                 'end_with_parent(os.environ[PARENT]); '
                 'open(%r, "w").write(str(os.getpid())); '
                 'time.sleep(60)' % str(started))
        code = ('import os, subprocess, sys\n'
                'from colornet.flow import jobs\n'
                'original = subprocess.Popen\n'
                'subprocess.Popen = lambda command, **options: original(\n'
                '    [sys.executable, "-c", %r], **options)\n'
                'jobs.run_command(["x"])' % child)
        parent = subprocess.Popen([sys.executable, '-c', code],
                                  cwd=str(tiny.ROOT))
        while not (started.exists() and started.read_text()):
            eq_(parent.poll(), None)
            time.sleep(0.01)
        child = int(started.read_text())
        ok_(is_running(child))
        parent.kill()
        parent.wait()
        for _ in range(500):
            if not is_running(child):
                break
            time.sleep(0.01)
        else:
            raise AssertionError('the command goes on')


def test_a_scheduler_that_is_not_there():
    need_dask()
    with mock.patch('colornet.flow.jobs._TIMEOUT', 0.5):
        tiny.check_error(lambda: list(run_jobs(
            [job('one', [['--version']])],
            scheduler='tcp://127.0.0.1:9')),
            'no Dask scheduler at tcp://127.0.0.1:9')


#: Set by a job on a worker that is a thread of this process.
STARTED, FORGOTTEN = threading.Event(), threading.Event()


def run_until_forgotten():
    """What :func:`run_command` does, but for the command."""
    if not _is_forgotten():
        STARTED.set()
    for _ in range(3000):
        if _is_forgotten():
            FORGOTTEN.set()
            break
        time.sleep(0.01)


def test_a_job_sees_that_nobody_waits_for_it():
    distributed = need_dask()
    with distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False,
            dashboard_address=':0') as cluster:
        with distributed.Client(cluster.scheduler_address) as client:
            future = client.submit(run_until_forgotten, pure=False)
            ok_(STARTED.wait(20))
            ok_(not FORGOTTEN.wait(0.5))
            eq_(future.status, 'pending')
        ok_(FORGOTTEN.wait(20))


@attr('slow')
def test_two_workers_run_jobs():
    with tempfile.TemporaryDirectory() as folder, \
            two_workers(folder) as (address, _):
        jobs = [job('bad', [['colorize', '/nowhere.jpg']])] + [
            job('info %d' % number, [['info']]) for number in range(3)]
        messages = dict(run_jobs(jobs, address, 1, folder))
    eq_(messages, {'bad': '/nowhere.jpg does not exist', 'info 0': '',
                   'info 1': '', 'info 2': ''})


@attr('slow')
def test_workers_stop_when_we_do():
    """Trainings that would take long, on both workers."""
    with tempfile.TemporaryDirectory() as folder, \
            two_workers(folder) as (address, _):
        root = Path(folder)
        tiny.write_crops(root / 'photos', ['%d.jpg' % number
                                           for number in range(12)])
        jobs = [job(name, [
            ['train', str(tiny.REGRESSION), '--data', str(root / 'photos'),
             '--out', str(root / name)] + [
                word for setting in tiny.OVERRIDES + [
                    'training.epochs=100000', 'training.seed=%d' % number]
                for word in ('--set', setting)]])
            for number, name in enumerate('ab')]
        logs = [root / name / 'log.csv' for name in 'ab']
        with mock.patch('sys.stderr', io.StringIO()) as err, \
                tiny.interrupting(signal.SIGINT, lambda: all(
                    log.exists() for log in logs)):
            with assert_raises(Interrupted):
                list(run_jobs(jobs, address, 1, folder))
        assert_in('waiting for the workers', err.getvalue())
        # Nobody holds the lock any more.
        for name in 'ab':
            with open(str(root / name / 'lock')) as stream:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        eq_([path.name for path in root.glob('.stop*')], [])
