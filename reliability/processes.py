"""Commands of colornet in processes that may be killed at any moment.

They are forked from this one, which has imported all that they need: so a
kill hits what they do, and seldom what Python imports.
"""

import os
import resource
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

from tqdm import tqdm

from colornet.cli import main
from colornet.errors import ColornetError
from colornet.training import run
from colornet.training.trainer import Trainer

from .memory import anonymous_mb

__all__ = ['LONGEST', 'Process', 'Marks', 'bound', 'read_marks']

#: Seconds after which a command hangs that is to end by itself.
LONGEST = 1200.

#: Bytes of addresses beyond those of the process that has imported all.
_MOST_ADDRESSES = 4 << 30


class Marks:
    """Lets each training of a process tell what it has done, in a file.

    Parameters
    ----------
    path : Path
        Gets a line for each minibatch, ``s``, and each checkpoint, ``c``, with
        the seconds of a clock that all processes share.
    """

    def __init__(self, path):
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def set(self, kind):
        """Write a line, which no kill cuts."""
        os.write(self._file, b'%s %.6f\n' % (kind, time.monotonic()))

    def watch(self):
        """Let trainings of this process set marks from now on."""
        marks = self

        class Marked(Trainer):
            def __init__(self, step, *arguments, **options):
                def marked(*batch):
                    loss = float(step(*batch))
                    marks.set(b's')
                    return loss
                super().__init__(marked, *arguments, **options)

            def save(self):
                super().save()
                marks.set(b'c')
        run.Trainer = Marked


def read_marks(path):
    """What :class:`Marks` wrote.

    Returns
    -------
    list of (str, float)
        'minibatch' or 'checkpoint', and when it was done.
    """
    if not Path(path).exists():
        return []
    names = {'s': 'minibatch', 'c': 'checkpoint'}
    return [(names[line[0]], float(line[2:]))
            for line in Path(path).read_text().splitlines()]


def bound(seconds):
    """Bound what this process may take: nobody else shall be without.

    As Linux tells how many addresses it has.

    Parameters
    ----------
    seconds : int
        Of computing.
    """
    addresses = int(Path('/proc/self/statm').read_text().split()[0])
    for kind, limit in (
            (resource.RLIMIT_AS, addresses * resource.getpagesize() +
             _MOST_ADDRESSES),
            (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(kind, (limit, limit))


class Process:
    """A command in a process of its own.

    Parameters
    ----------
    arguments : sequence of str or Path
        Of ``colornet``.
    log : Path
        Gets what it prints.
    marks : Path, optional
        See :class:`Marks`.
    before : callable, optional
        Called in the process first.
    command : callable, optional
        What takes the arguments, in place of ``colornet``; returns a status.

    Attributes
    ----------
    pid : int
    started : float
        Of ``time.monotonic()``.
    status : int or None
        Its exit status, when it has ended by itself.
    waited : float
        Seconds from its start until it was seen that it had ended, or was
        killed; 0 until then.
    seconds : float
        Of computing; 0 until it has ended by itself.
    bytes : int
        Memory that it had at the most beyond what it shares with who forked
        it, libraries not counted there, as Linux tells; likewise.
    """

    def __init__(self, arguments, log, marks=None, before=None,
                 command=main):
        self.status = None
        self.seconds, self.waited, self.bytes = 0., 0., 0
        self.log, self.marks = log, marks
        self._shared = anonymous_mb() or 0
        sys.stdout.flush()
        sys.stderr.flush()
        self.started = time.monotonic()
        self.pid = os.fork()
        if not self.pid:
            self._work(list(map(str, arguments)), before, command)

    def _work(self, arguments, before, command):
        status = 70  # Of an internal error, also in the lines before.
        try:
            output = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for stream in 1, 2:
                os.dup2(output, stream)
            # Those of the process that forked may be a test runner's. Of
            # what is killed, the lines are there that it had printed.
            sys.stdout, sys.stderr = [
                open(stream, 'w', buffering=1, encoding='utf-8',
                     closefd=False) for stream in (1, 2)]
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            # The usual one is of all that are forked: who is killed with it
            # keeps it for ever.
            tqdm.set_lock(threading.RLock())
            if self.marks:
                Marks(self.marks).watch()
            if before:
                before()
            status = command(arguments)
        except SystemExit as error:
            status = error.code
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def wait(self, seconds=None):
        """Wait until it ends by itself, or some seconds; return whether.

        Without a number of seconds, it must end within :data:`LONGEST`.

        Raises
        ------
        ColornetError
            If it does not.
        """
        deadline = time.monotonic() + (LONGEST if seconds is None else seconds)
        while self.status is None:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.waited = time.monotonic() - self.started
                self.seconds = usage.ru_utime + usage.ru_stime
                self.bytes = (usage.ru_maxrss << 10) - int(
                    self._shared * 1024 ** 2)
                self.status = (os.WEXITSTATUS(status) if
                               os.WIFEXITED(status) else
                               -os.WTERMSIG(status))
            elif time.monotonic() > deadline:
                if seconds is not None:
                    return False
                self.kill()
                raise ColornetError('it hung: %s' % self.lines()[-1:])
            else:
                time.sleep(0.002)
        return True

    def kill(self):
        """End it by SIGKILL, which it cannot see, whatever it does."""
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.waited = time.monotonic() - self.started
            self.status = -signal.SIGKILL

    def lines(self):
        """What it printed so far."""
        return Path(self.log).read_text(errors='replace').splitlines()
