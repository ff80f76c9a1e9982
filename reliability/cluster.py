"""Studies on a cluster whose workers are killed, and that are killed.

``python -m reliability.cluster`` trains the variants of a small study on the
photos that ship, by a scheduler of Dask and two workers on this machine, once
undisturbed; then again and again, while one worker is killed (SIGKILL) at a
random moment: its process, which Dask then starts again, or all that runs on
it, as when a machine fails. In two of four, the study's own process is killed
soon after, and started again at once. The exit status is 1 if a
variant was lost, a checkpoint went back or a result is another.
"""

import argparse
import contextlib
import importlib.util
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, namedtuple
from pathlib import Path

from colornet.cli import report_errors
from colornet.cli.options import positive
from colornet.errors import ColornetError
from colornet.files import read_csv
from colornet.network.parameters import load_progress
from colornet.resources import find_resource, take_environment
from colornet.terminal import note, say

from .state import State, read_state
from .trainings import SETTINGS, differences
from .verdict import say_faults
from .watching import Watching

__all__ = ['Study', 'Watcher', 'compare', 'main', 'try_once']

#: Of training seeds, which make other networks.
VARIANTS = 2

#: Columns of tables that two runs need not have in common.
VARYING = {'seconds', 'seconds_per_image', 'peak_mb', 'date', 'git_commit'}

#: Seconds that a study may take, times those of the undisturbed one.
PATIENCE = 10


class Watcher(Watching):
    """Sees whether the checkpoints of a folder ever go back.

    Parameters
    ----------
    folder : Path
        Holds run folders, at any depth.

    Attributes
    ----------
    found : list of str
        Those that went back, or were damaged.
    states : dict of Path to State
        Run folder -> the last one.
    """

    def __init__(self, folder):
        super().__init__()
        self.states = {}
        self._folder, self._seen = folder, {}

    def look(self):
        """Read what is new."""
        for path in self._folder.glob('**/last.h5'):
            status = path.stat()
            changed = status.st_mtime_ns, status.st_ino
            if changed == self._seen.get(path):
                continue
            self._seen[path] = changed
            run = path.parent
            before = self.states.get(run, State(0, 0))
            try:
                now = read_state(run)
            except ColornetError as error:
                self.found.append('the checkpoint of %s is damaged: %s' % (
                    run.name, error))
                continue
            if now < before:
                self.found.append('the checkpoint of %s went back from '
                                  '%s to %s' % (run.name, before, now))
            self.states[run] = now


class Study(namedtuple('Study', 'file folder')):
    """A small study, and the folder that gets all that comes of it."""

    def write(self):
        """Write its file."""
        lines = ['[study]', 'title = Seeds', 'section = 5.2',
                 'claim = Nothing.', '', '[settings]']
        lines += [*SETTINGS, 'training.checkpoint_minutes=0']
        for seed in range(VARIANTS):
            lines += ['', '[variant %d]' % seed, 'training.seed=%d' % seed]
        self.file.write_text('\n'.join(lines) + '\n')

    @property
    def runs(self):
        """Holds the run folders."""
        return self.folder / 'runs' / 'quick'

    def count(self):
        """Once it has ended: minibatches of an epoch, and of all."""
        trainings = [load_progress(path)[0]
                     for path in self.runs.glob('*/last.h5')]
        return (len(trainings[0]['losses']) // len(trainings[0]['history']),
                sum(len(training['losses']) for training in trainings))

    def start(self, scheduler):
        """Begin, or go on, in a process."""
        with open(self.folder / 'log', 'w') as log:
            return subprocess.Popen(
                [sys.executable, '-m', 'colornet', 'study', str(self.file),
                 '--data', str(find_resource('demo/photos')), '--runs',
                 str(self.folder / 'runs'), '--results',
                 str(self.folder / 'results'), '--scheduler', scheduler,
                 '--threads', '1'], stdout=log, stderr=log)

    def end(self, process, seconds):
        """Wait for it; faults, where it did not end well."""
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return ['it does not end']
        if status:
            lines = (self.folder / 'log').read_text().splitlines()
            return ['status %d: %s' % (status, lines[-8:])]
        return []


def compare(study, reference):
    """What a study that has ended has other than an undisturbed one.

    Parameters
    ----------
    study, reference : Study

    Returns
    -------
    list of str
        Empty if tables, networks and logs are the same to the last bit, but
        for times and memory.
    """
    found = []
    for path in sorted((reference.folder / 'results').glob('*.csv')):
        ours, theirs = [
            [{key: value for key, value in row.items() if key not in VARYING}
             for row in read_csv(each)] for each in (
                 study.folder / 'results' / path.name, path)]
        if ours != theirs:
            found.append('another %s' % path.name)
    for path in sorted(reference.runs.glob('*/last.h5')):
        name = path.parent.name
        found += ['%s: %s' % (name, line) for line in differences(
            study.runs / name, path.parent)]
    return found


def _kill_worker(nanny, whole):
    """Kill a worker, or the whole of a machine; what it did then.

    Parameters
    ----------
    nanny : Popen
        Dask's process that starts a worker again.
    whole : bool
    """
    import psutil
    tree = psutil.Process(nanny.pid).children(recursive=True)
    doing, worker = 'waiting', None
    for process in tree:
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if 'colornet' in words:
                doing = {'train': 'training', 'evaluate': 'scoring'}[
                    words[words.index('colornet') + 1]]
                worker = process.parent()
                if doing == 'training' and not Path(
                        words[words.index('--out') + 1], 'last.h5').exists():
                    doing = 'starting'
    # Dask has a process that tracks resources besides the worker.
    worker = worker or max(psutil.Process(nanny.pid).children(),
                           key=lambda child: child.memory_info().rss)
    for process in [psutil.Process(nanny.pid), *tree] if whole else [worker]:
        with contextlib.suppress(psutil.Error):
            process.kill()
    return doing


def try_once(study, reference, choose, whole, again, seconds):
    """Run a study while a worker dies.

    Parameters
    ----------
    study, reference : Study
        One to begin, and an undisturbed one that has ended.
    choose : random.Random
    whole : bool
        Kill all that runs on the worker, for ever.
    again : bool
        Kill the study's process as well, and start it again.
    seconds : float
        That it may take.

    Returns
    -------
    doing : str
        What the worker did when it was killed; empty if the study had ended
        before, and nothing was killed.
    too : bool
        Whether the study's process was killed as well.
    found : list of str
        Faults.
    """
    from tests.flow.workers import two_workers
    study.folder.mkdir()
    in_epoch, in_all = reference.count()
    done = choose.randrange(in_all)
    soon, later = choose.uniform(0, 1), choose.uniform(0, 3)
    with two_workers(study.folder) as (address, nannies), \
            Watcher(study.runs) as watcher:
        process = study.start(address)
        while process.poll() is None and done > sum(
                state.count(in_epoch) for state in [*watcher.states.values()]):
            time.sleep(0.05)
        time.sleep(soon)
        doing, too = '', False
        if process.poll() is None:
            doing = _kill_worker(choose.choice(nannies), whole)
            if again:
                time.sleep(later)
                too = process.poll() is None
                process.kill()
                process.wait()
                process = study.start(address)
        found = study.end(process, seconds)
    return doing, too, found + watcher.found + (
        [] if found else compare(study, reference))


def _run(options):
    from tests.flow.workers import two_workers
    if importlib.util.find_spec('distributed') is None:
        raise ColornetError("this needs Dask: pip install '.[cluster]'")
    root = Path(tempfile.mkdtemp(prefix='colornet-cluster-'))
    # Kills must not harm what is kept for later trainings, either.
    os.environ['COLORNET_CACHE'] = str(root / 'cache')
    take_environment(os.environ)
    choose = random.Random(options.seed)
    found, kills, studies = [], Counter(), 0
    try:
        reference = Study(root / 'seeds.ini', root / 'undisturbed')
        reference.write()
        reference.folder.mkdir()
        with two_workers(reference.folder) as (address, _):
            begun = time.monotonic()
            faulty = reference.end(reference.start(address), None)
            seconds = time.monotonic() - begun
        if faulty:
            raise ColornetError('the undisturbed study failed: %s'
                                % faulty[0])
        note('undisturbed, it takes %.0f seconds' % seconds)
        # Some come when the study has ended.
        for number in range(3 * options.kills):
            done = sum(kills.values())
            if done == options.kills:
                break
            study = reference._replace(folder=root / ('%d' % number))
            whole = bool(done & 1)
            doing, too, faulty = try_once(
                study, reference, choose, whole, not done & 2,
                PATIENCE * seconds)
            if doing:
                kills[doing] += 1
            studies += too
            what = '%s killed when %s%s' % (
                'a machine' if whole else 'a worker', doing,
                ', then the study' if too else '') if doing else (
                    'a study that ended before the kill')
            note('%s: %d faults' % (what, len(faulty)))
            found += ['%s: %s' % (what, line) for line in faulty]
            shutil.rmtree(study.folder)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    done = sum(kills.values())
    say('%d workers killed (%s), and %d studies' % (
        done, ', '.join('%s %d' % item for item in sorted(kills.items())),
        studies))
    if done < options.kills:
        found.append('%d kills came too late' % (options.kills - done))
    return say_faults(found)


def main(arguments=None):
    """Print what was killed, and what was lost."""
    parser = argparse.ArgumentParser(prog='python -m reliability.cluster',
                                     description=__doc__.splitlines()[0])
    parser.add_argument('--kills', type=positive, default=4, metavar='N',
                        help='of workers (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, metavar='N',
                        help='of the moments (default: %(default)s)')
    return int(report_errors(_run, parser.parse_args(arguments),
                             program='reliability'))


if __name__ == '__main__':
    sys.exit(main())
