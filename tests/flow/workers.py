"""A scheduler of Dask and its workers on this machine."""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from nose.plugins.skip import SkipTest

from tests import tiny


def need_dask():
    try:
        import distributed
        return distributed
    except ImportError:
        raise SkipTest("Dask is not installed: pip install '.[cluster]'")


@contextlib.contextmanager
def two_workers(folder, *options):
    """A scheduler and two workers of one thread here.

    Yields its address, and the processes of the workers.
    """
    need_dask()
    commands = [[sys.executable, '-m', 'distributed.cli.dask_scheduler',
                 '--host', '127.0.0.1', '--port', '0', '--no-dashboard',
                 '--scheduler-file', 'scheduler.json']]
    commands += [[sys.executable, '-m', 'distributed.cli.dask_worker',
                  '--scheduler-file', 'scheduler.json', '--nthreads', '1',
                  '--no-dashboard', '--name', name, *options] for name in 'ab']
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(
        filter(None, [str(tiny.ROOT), os.environ.get('PYTHONPATH')])))
    processes = [subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL) for command in commands]
    try:
        file = Path(folder) / 'scheduler.json'
        for _ in range(600):
            if file.exists() and file.stat().st_size:
                break
            time.sleep(0.1)
        yield json.loads(file.read_text())['address'], processes[1:]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
