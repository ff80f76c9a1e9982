"""Commands of this program as jobs: here one by one, or on other machines.

Other machines are Dask's: a scheduler and workers that share this machine's
files and have colornet installed.
"""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ..errors import ColornetError
from ..files import is_locked, make_folder
from ..terminal import PARENT, catch_signals, note

__all__ = ['Job', 'last_message', 'run_command', 'run_jobs']

#: Bytes of a command's standard error stream that are looked at for its
#: message.
_TAIL = 4096

#: Seconds that workers have to save a checkpoint.
_PATIENCE = 120

#: Seconds that a scheduler may take to answer.
_TIMEOUT = 10


@dataclass
class Job:
    """Commands that belong together.

    Attributes
    ----------
    name : str
    commands : list of list of str
        Arguments of ``colornet``, run one after the other as long as each
        ends with status 0.
    environment : dict of str to str
        Besides this process's.
    folder : Path, optional
        What the commands lock. They wait for one that still saves there, as
        its worker was killed, or the program that wanted it.
    """

    name: str
    commands: list
    environment: dict
    folder: Optional[Path] = None


def run_jobs(jobs, scheduler=None, threads=None, shared_folder='.'):
    """Run jobs; those that fail do not stop the others.

    Parameters
    ----------
    jobs : list of Job
    scheduler : str, optional
        Address of a Dask scheduler, such as ``tcp://host:8786``; its workers
        run several jobs at once. Without, they run here one by one.
    threads : int, optional
        For each job; Theano's choice if not given. Dask's workers would
        allow one only.
    shared_folder : str or Path
        Made if it is missing. All workers see it; one file in there tells
        them to stop.

    Yields
    ------
    name : str
        A job that has ended.
    message : str
        Empty, or the error that it printed.

    Raises
    ------
    ColornetError
        If there is no such scheduler.
    Interrupted
        On SIGINT or SIGTERM, after the commands that run have ended.
    """
    if scheduler and jobs:
        yield from _run_on_workers(jobs, scheduler, threads, shared_folder)
        return
    for job in jobs:
        yield job.name, _run_job(job, threads)


def _run_job(job, threads, stop_file=None):
    """All commands of a job; the message of the first that fails.

    With `stop_file`, on a worker.
    """
    on_worker = stop_file is not None

    def is_stopped():
        return on_worker and (os.path.exists(stop_file) or _is_forgotten())
    environment = dict(os.environ, **job.environment)
    if threads:
        environment['OMP_NUM_THREADS'] = str(threads)
    elif on_worker:
        # Dask's nanny sets these to 1 for its workers' own libraries.
        for name in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS',
                     'OPENBLAS_NUM_THREADS'):
            environment.pop(name, None)
    if on_worker:
        environment['THEANO_FLAGS'] = ','.join(filter(None, [
            environment.get('THEANO_FLAGS'),
            'base_compiledir=%s' % _worker_folder()]))
    if job.folder:
        _wait_for(job.folder, is_stopped)
    for command in job.commands:
        status, message = run_command(command, environment, is_stopped)
        if status:
            return message or 'exit status %d' % status
    return ''


def _wait_for(folder, is_stopped):
    """Wait until nobody is in a folder, as long as saving may take."""
    deadline = time.monotonic() + _PATIENCE
    with catch_signals() as check_signals:
        while (is_locked(folder) and not is_stopped() and
               time.monotonic() < deadline):
            check_signals()
            time.sleep(0.2)
        check_signals()


def _is_forgotten():
    """Whether this thread of a worker runs a job that nobody waits for.

    So it is where the program that wanted it was killed.
    """
    from distributed import get_worker
    worker = get_worker()
    task = worker.state.tasks.get(worker.get_current_task())
    return task is None or task.state == 'cancelled'


def _worker_folder():
    """For what is compiled, as long as this thread of a worker lives.

    Workers of one machine would wait for each other's lock.
    """
    from distributed import get_worker
    return Path(get_worker().local_directory,
                'theano-%d' % threading.get_ident())


def run_command(arguments, environment=None, is_stopped=lambda: False):
    """Run this program, with signals and the error stream passed on.

    Parameters
    ----------
    arguments : list of str
    environment : dict, optional
    is_stopped : callable, optional
        When it returns true, the command is ended by SIGTERM.

    Returns
    -------
    status : int
        Below 0 if a signal killed it.
    message : str
        The last line on its standard error stream, or what killed it.

    Raises
    ------
    Interrupted
        On SIGINT or SIGTERM, after the command has ended by it.
    """
    environment = dict(os.environ if environment is None else environment)
    # The command itself asks to be ended with us: between a fork and its
    # program, nothing may be done in a process that has threads.
    environment[PARENT] = str(os.getpid())
    with catch_signals() as check_signals:
        # A session of its own: Ctrl-C shall reach it once, through us. A
        # second time would not let it save.
        process = subprocess.Popen(
            [sys.executable, '-m', 'colornet'] + list(arguments),
            env=environment, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, start_new_session=True)
        relay = _Relay(process.stderr)
        try:
            while True:
                try:
                    process.wait(0.2)
                    break
                except subprocess.TimeoutExpired:
                    check_signals()
                    if is_stopped():
                        process.send_signal(signal.SIGTERM)
                        process.wait()
                        break
        except KeyboardInterrupt as interrupt:
            number = getattr(interrupt, 'signal_number', signal.SIGINT)
            relay.hold()
            process.send_signal(number)
            process.wait()
            relay.end()
            # That it was interrupted, whoever interrupted us tells.
            if process.returncode not in (-number, 128 + number) and \
                    last_message(relay.tail) != 'KeyboardInterrupt':
                relay.release()
            raise
        finally:
            relay.end()
        check_signals()
    if process.returncode < 0:
        name = signal.Signals(-process.returncode).name
        return process.returncode, 'ended by %s%s' % (
            name, ' (out of memory?)' if name == 'SIGKILL' else '')
    return process.returncode, last_message(relay.tail)


def last_message(output):
    """What a command printed last as errors, without "colornet: error:".

    Parameters
    ----------
    output : bytes or bytearray

    Returns
    -------
    str
        Empty if it printed nothing.
    """
    lines = output.decode('utf-8', 'replace').replace('\r', '\n').split('\n')
    message = next((line for line in reversed(lines) if line.strip()), '')
    prefix = 'colornet: error: '
    return message[len(prefix):] if message.startswith(prefix) else message


class _Relay:
    """Passes the error stream of a command on to ours, in a thread.

    Parameters
    ----------
    stream : file

    Attributes
    ----------
    tail : bytearray
        Its end.
    """

    def __init__(self, stream):
        self.tail = bytearray()
        self._stream = stream
        self._held = None
        self._ends_line = True
        self._thread = threading.Thread(target=self._copy)
        self._thread.start()

    def hold(self):
        """Pass nothing more on; where a line has begun, end it."""
        self._held = bytearray()

    def release(self):
        """Pass on what was held back."""
        self._print(self._held)

    def end(self):
        """Wait for the end of the stream."""
        self._thread.join()
        self._stream.close()
        if not self._ends_line and self._held is not None:
            self._print(b'\n')

    def _copy(self):
        for chunk in iter(lambda: self._stream.read1(_TAIL), b''):
            self.tail += chunk
            del self.tail[:-_TAIL]
            if self._held is None:
                self._print(chunk)
            else:
                self._held += chunk

    def _print(self, text):
        self._ends_line = not text or text.endswith(b'\n')
        try:
            sys.stderr.write(text.decode('utf-8', 'replace'))
            sys.stderr.flush()
        except (OSError, ValueError):
            pass  # Nobody reads it.


def _run_on_workers(jobs, scheduler, threads, shared_folder):
    try:
        from distributed import Client, TimeoutError, wait
    except ImportError:
        raise ColornetError("--scheduler needs Dask: pip install '.[cluster]' "
                            "in colornet's folder")
    try:
        client = Client(scheduler, timeout=_TIMEOUT)
    except (OSError, ValueError) as error:
        raise ColornetError('no Dask scheduler at %s: %s'
                            % (scheduler, ' '.join(str(error).split())))
    make_folder(shared_folder)
    stop_file = Path(shared_folder).absolute() / (
        '.stop-%s' % uuid.uuid4().hex[:12])
    with client, catch_signals() as check_signals:
        futures = {client.submit(
            _run_job, job, threads, stop_file=stop_file, pure=False): job.name
            for job in jobs}
        left = set(futures)
        try:
            while left:
                check_signals()
                try:
                    done = wait(list(left), 1, 'FIRST_COMPLETED').done
                except TimeoutError:
                    continue
                for future in done:
                    left.discard(future)
                    yield futures[future], _message(future)
        finally:
            if left:
                _stop(list(left), stop_file)


def _message(future):
    """What a job that has ended returned, or why it was not even run."""
    error = future.exception()
    return future.result() if error is None else '%s: %s' % (
        type(error).__name__, ' '.join(str(error).split()))


def _stop(futures, stop_file):
    """End the workers' commands; they save what they have."""
    from distributed import wait
    note('waiting for the workers to save')
    stop_file.touch()
    try:
        wait(futures, timeout=_PATIENCE)
    except Exception as error:  # Dask's have no common class.
        note('note: workers may still be running: %s' % error)
    finally:
        stop_file.unlink()
