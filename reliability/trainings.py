"""Trainings that are killed at random moments, and resumed.

``python -m reliability.trainings`` trains a small network on the photos that
ship, once undisturbed and then again and again, each killed (SIGKILL) at
random moments until it is done; exports are killed likewise, and then come the
faults of :mod:`.faults`. The exit status is 1 if anything was lost.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter, namedtuple
from pathlib import Path

from colornet.cli import report_errors
from colornet.cli.options import positive
from colornet.errors import ColornetError
from colornet.network.parameters import load_arrays, load_progress
from colornet.resources import find_resource, take_environment
from colornet.terminal import note, say

from . import faults
from .processes import Process, read_marks
from .state import read_state, resumed_from
from .verdict import say_faults

__all__ = ['Training', 'differences', 'judge', 'kill_exports',
           'kill_training', 'main']

#: Small, and with all that a checkpoint has to hold.
SETTINGS = ('data.dataset=folder', 'data.size=32', 'data.hold_out=0.25',
            'data.test_share=0', 'data.flip=yes', 'network.num_bins=10',
            'network.tail=8 8', 'training.batch_size=2', 'training.epochs=4',
            'training.average=0.9')

#: Minutes between checkpoints, by turns: after each minibatch, and after some.
INTERVALS = 0., 0.01

#: Seconds that may pass between a mark and what it tells of.
TOLERANCE = 0.5


class Training(namedtuple('Training', 'folder engine minutes')):
    """A training of :data:`SETTINGS` in a folder."""

    @property
    def run(self):
        """The run folder."""
        return self.folder / 'run'

    def start(self, log='log', marks='marks', **options):
        """Begin, or go on, in a process; `log` and `marks` are in the folder,
        or elsewhere."""
        words = ['train', find_resource('experiments/cvcl_classification.ini'),
                 '--data', find_resource('demo/photos'), '--out', self.run,
                 '--engine', self.engine]
        for setting in SETTINGS + ('training.checkpoint_minutes=%g'
                                   % self.minutes,):
            words += ['--set', setting]
        return Process(words, self.folder / log, self.folder / marks,
                       **options)


def judge(before, after, lines, marks, in_epoch, minutes):
    """What was lost when a training was killed.

    Parameters
    ----------
    before, after : State
        Of the checkpoint when it began and when it was killed.
    lines : list of str
        What it printed.
    marks : list of (str, float)
        See :func:`.processes.read_marks`.
    in_epoch : int
        Minibatches in an epoch.
    minutes : float
        Between checkpoints.

    Returns
    -------
    repeated : int
        Minibatches that will have to be done again.
    found : list of str
        Faults.
    """
    found = []
    if after < before:
        found.append('the checkpoint went back from %s to %s'
                     % (before, after))
    # What was killed before its first minibatch may have said nothing yet.
    if marks and resumed_from(lines) != before:
        found.append('it went on from %s, not from %s' % (
            resumed_from(lines), before))
    done = sum(kind == 'minibatch' for kind, _ in marks)
    repeated = before.count(in_epoch) + done - after.count(in_epoch)
    since = None
    late = False
    for kind, when in marks:
        if late and kind == 'minibatch':
            found.append('no checkpoint for more than %g minutes' % minutes)
            break
        if kind == 'checkpoint' or since is None:
            since = when
        late = kind == 'minibatch' and (
            when - since > 60 * minutes + TOLERANCE)
    if not minutes and repeated > 1:
        found.append('%d minibatches repeated' % repeated)
    return repeated, found


def differences(run, reference):
    """What a finished training has other than an undisturbed one, in words.

    Parameters
    ----------
    run, reference : Path
        Run folders.

    Returns
    -------
    list of str
        Empty if networks, states of the update rule and logs are the same to
        the last bit, but for seconds and memory.
    """
    found = []
    for name, groups in (('best.h5', ['parameters']),
                         ('last.h5', ['parameters', 'optimizer'])):
        ours, theirs = [load_arrays(folder / name, groups)[0]
                        for folder in (run, reference)]
        for group in groups:
            if ours[group].keys() != theirs[group].keys() or any(
                    array.tobytes() != theirs[group][key].tobytes()
                    for key, array in ours[group].items()):
                found.append('%s: other %s' % (name, group))
    if (run / 'losses.csv').read_bytes() != (
            reference / 'losses.csv').read_bytes():
        found.append('other losses.csv')
    histories = [[{key: value for key, value in row.items()
                   if key not in ('seconds', 'peak_mb')} for row in
                  load_progress(folder / 'last.h5')[0]['history']]
                 for folder in (run, reference)]
    if histories[0] != histories[1]:
        found.append('another history')
    return found


def _moment(run, parts, marks, after, in_epoch):
    """What a process did when it was killed."""
    if set(run.glob('.colornet-*.part')) - parts:
        return 'writing'
    if not marks:
        return 'starting'
    return 'validating' if after.minibatches == in_epoch else 'training'


def kill_training(training, reference, choose, most, longest):
    """Kill a training at random moments until it is done.

    Parameters
    ----------
    training : Training
    reference : Path
        Run folder of an undisturbed one.
    choose : random.Random
    most : int
        Kills at the most.
    longest : float
        Seconds until a kill at the most.

    Returns
    -------
    moments : Counter
        Kills, by what was done then.
    repeated : int
        Minibatches at a kill, at the most.
    found : list of str
        Faults.
    """
    moments, repeated, found = Counter(), 0, []
    last = read_state(reference)
    in_epoch = len(load_progress(reference / 'last.h5')[0]['losses']
                   ) // last.epochs
    while True:
        before = read_state(training.run)
        parts = set(training.run.glob('.colornet-*.part'))
        process = training.start()
        if process.wait(choose.uniform(0, longest)
                        if sum(moments.values()) < most else None):
            break
        process.kill()
        after = read_state(training.run)
        marks = read_marks(training.folder / 'marks')
        again, more = judge(before, after, process.lines(), marks, in_epoch,
                            training.minutes)
        moments[_moment(training.run, parts, marks, after, in_epoch)] += 1
        repeated = max(repeated, again)
        found += more
        (training.folder / 'marks').unlink(missing_ok=True)
    if process.status:
        found.append('it ended with status %d: %s' % (
            process.status, process.lines()[-1:]))
    else:
        found += differences(training.run, reference)
    left = list(training.run.glob('.colornet-*.part'))
    for path in left:
        os.utime(path, (0, 0))
    training.start().wait()
    if any(path.exists() for path in left):
        found.append('unfinished files are never removed')
    return moments, repeated, found


def kill_exports(reference, folder, choose, kills):
    """Kill exports of a network; what is there then is whole, or nothing.

    Returns
    -------
    kills : int
    found : list of str
    """
    def export(name):
        return Process(['export', reference, folder / name], folder / 'log')
    begun = time.monotonic()
    export('whole.h5').wait()
    longest = time.monotonic() - begun
    whole, _ = load_arrays(folder / 'whole.h5', ['parameters'])
    done, found = 0, []
    while done < kills:
        process = export('out.h5')
        if not process.wait(choose.uniform(0, longest)):
            process.kill()
            done += 1
        elif process.status:
            return done, found + ['%s' % process.lines()[-1:]]
        if (folder / 'out.h5').exists():
            arrays, _ = load_arrays(folder / 'out.h5', ['parameters'])
            if any(array.tobytes() != whole['parameters'][key].tobytes()
                   for key, array in arrays['parameters'].items()):
                found.append('out.h5 is another network')
            (folder / 'out.h5').unlink()
    return done, found


def _import(engine):
    """All that a training imports."""
    # One thread: sums are in one order then, and a busy machine is no matter.
    os.environ['OMP_NUM_THREADS'] = '1'
    if engine == 'pytorch':
        import colornet.pytorch.learner  # noqa: F401
    else:
        import colornet.engine.backend  # noqa: F401


def _run(options):
    choose = random.Random(options.seed)
    folder = Path(tempfile.mkdtemp(prefix='colornet-trainings-'))
    # Kills must not harm what is kept for later trainings, either.
    os.environ['COLORNET_CACHE'] = str(folder / 'cache')
    take_environment(os.environ)
    _import(options.engine)
    found = []
    try:
        (folder / 'undisturbed').mkdir()
        undisturbed = Training(folder / 'undisturbed', options.engine, 5.)
        begun = time.monotonic()
        process = undisturbed.start()
        process.wait()
        if process.status:
            raise ColornetError('the undisturbed training failed: %s'
                                % process.lines()[-1:])
        seconds = time.monotonic() - begun
        marks = read_marks(undisturbed.folder / 'marks')
        starting = marks[0][1] - begun
        note('an undisturbed training takes %.1f seconds, %.1f of them before '
             'its first minibatch' % (seconds, starting))
        reference = undisturbed.run
        # So that each training is killed some ten times.
        longest = starting + (seconds - starting) / 3
        moments, most, number = Counter(), 0, 0
        while sum(moments.values()) < options.kills:
            training = Training(folder / ('%d' % number), options.engine,
                                INTERVALS[number % len(INTERVALS)])
            training.folder.mkdir()
            more, repeated, faulty = kill_training(
                training, reference, choose,
                options.kills - sum(moments.values()), longest)
            moments += more
            most = max(most, repeated if not training.minutes else 0)
            found += ['training %d: %s' % (number, line) for line in faulty]
            note('training %d: %d kills, %d faults' % (
                number, sum(more.values()), len(faulty)))
            shutil.rmtree(training.folder)
            number += 1
        # A tenth, and one at least.
        exports, faulty = kill_exports(reference, folder, choose,
                                       -(-options.kills // 10))
        found += ['export: %s' % line for line in faulty]
        say('%d kills in %d trainings (%s), %d in exports'
            % (sum(moments.values()), number, ', '.join(
                '%s %d' % item for item in sorted(moments.items())), exports))
        say('with a checkpoint after each minibatch, at most %d was repeated'
            % most)
        tried = faults.try_all(undisturbed, folder, differences)
        for name, line, faulty in tried:
            say('%s: %s' % (name, line))
            found += ['%s: %s' % (name, fault) for fault in faulty]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return say_faults(found)


def main(arguments=None):
    """Print what was tried, and what was lost."""
    parser = argparse.ArgumentParser(prog='python -m reliability.trainings',
                                     description=__doc__.splitlines()[0])
    parser.add_argument('--kills', type=positive, default=200, metavar='N',
                        help='(default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, metavar='N',
                        help='of the moments (default: %(default)s)')
    parser.add_argument('--engine', choices=('pytorch', 'theano'),
                        default='pytorch', help='(default: %(default)s)')
    return int(report_errors(_run, parser.parse_args(arguments),
                             program='reliability'))


if __name__ == '__main__':
    sys.exit(main())
