"""Engines in processes of their own, asked over pipes."""

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from colornet.errors import ColornetError

from .engines import environment

__all__ = ['ROOT', 'Child', 'Children', 'write_problem', 'last_line']

ROOT = Path(__file__).resolve().parent.parent

#: Seconds that the threads of the last engine get to fall asleep: OpenMP's
#: and OpenBLAS' wait for more work for some hundredths of a second.
PAUSE = 0.2


def last_line(text):
    """The last line that is not empty, without spaces around it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ''


class Child:
    """The process of one engine.

    Parameters
    ----------
    engine : str
        See :data:`benchmarks.engines.ENGINES`.
    problem : str
        The file; see :func:`benchmarks.problem.write_problem`.
    batch_size, num_threads : int

    Attributes
    ----------
    description : str
        Versions of the libraries.
    peak_memory_mb : float
        Largest resident memory so far.

    Raises
    ------
    ColornetError
        If it dies, here or later: the last line that it printed.
    """

    def __init__(self, engine, problem, batch_size, num_threads):
        self.engine = engine
        self.peak_memory_mb = 0.
        self._errors = tempfile.TemporaryFile('w+')
        # In a session of its own, Ctrl-C reaches only the driver, which
        # stops all children; and they see it if the driver is gone.
        self._process = subprocess.Popen(
            [sys.executable, '-m', 'benchmarks.engines', engine, problem,
             str(batch_size)], cwd=str(ROOT), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self._errors, bufsize=1,
            universal_newlines=True, start_new_session=True,
            env=environment(engine, num_threads))
        try:
            self.description = self._read()['description']
        except BaseException:
            self.stop()
            raise

    def run(self, task):
        """Do a task once; return the seconds that it took."""
        time.sleep(PAUSE)
        answer = self._ask(task=task)
        self.peak_memory_mb = answer['peak_memory_mb']
        return answer['seconds']

    def write_results(self, path):
        """Write what engines must agree on; see collect_results."""
        self._ask(results=str(path))

    def stop(self):
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._errors.close()

    def _ask(self, **request):
        # If it is gone, reading the answer tells why.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request) + '\n')
        return self._read()

    def _read(self):
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            self._errors.seek(0)
            raise ColornetError('%s: %s' % (self.engine, last_line(
                self._errors.read()) or 'ended with status %d' % status))
        return json.loads(line)


class Children:
    """Engines that are alive together, for a ``with`` statement.

    Parameters
    ----------
    problem, batch_size, num_threads
        As :class:`Child` takes them.
    on_death : callable
        Takes an engine that died and its message; the others go on.
    """

    def __init__(self, problem, batch_size, num_threads, on_death):
        self._options = problem, batch_size, num_threads
        self._on_death = on_death
        self.children = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self.children.values():
            child.stop()

    def start(self, engine):
        """Start an engine; return whether that succeeded."""
        try:
            self.children[engine] = Child(engine, *self._options)
        except ColornetError as error:
            self._on_death(engine, str(error))
        return engine in self.children

    def run(self, engine, task):
        """Let an engine do a task; seconds, or None if it is dead."""
        if engine not in self.children:
            return None
        try:
            return self.children[engine].run(task)
        except ColornetError as error:
            self.children.pop(engine).stop()
            self._on_death(engine, str(error))
            return None


def write_problem(path, size):
    """Run :func:`benchmarks.problem.write_problem` in a process."""
    done = subprocess.run(
        [sys.executable, '-m', 'benchmarks.problem', str(path), str(size)],
        cwd=str(ROOT), stderr=subprocess.PIPE, universal_newlines=True)
    if done.returncode:
        raise ColornetError('cannot prepare the benchmark: %s'
                            % last_line(done.stderr))
