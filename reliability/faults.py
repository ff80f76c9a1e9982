"""What else may happen to a training: one of each."""

import contextlib
import errno
import subprocess
import time
from pathlib import Path

from colornet.network.parameters import load_progress

from .processes import read_marks
from .state import State, read_state, resumed_from

__all__ = ['Disk', 'clock_set_back', 'finished', 'full_disk',
           'read_only_disk', 'try_all', 'two_at_once']


class Disk:
    """A small disk in memory, for a ``with`` statement; needs root.

    Parameters
    ----------
    folder : Path
        Where it is mounted; made here.
    num_bytes : int
    """

    def __init__(self, folder, num_bytes):
        self.folder, self._num_bytes = folder, num_bytes

    def __enter__(self):
        self.folder.mkdir()
        self._mount('-t', 'tmpfs', '-o', 'size=%d' % self._num_bytes, 'tmpfs')
        return self

    def __exit__(self, *_):
        subprocess.run(['umount', str(self.folder)])

    def protect(self, which):
        """Make it read-only, or writable again."""
        self._mount('-o', 'remount,%s' % ('ro' if which else 'rw'))

    def _mount(self, *options):
        done = subprocess.run(['mount', *options, str(self.folder)],
                              stderr=subprocess.PIPE, universal_newlines=True)
        if done.returncode:
            raise PermissionError(done.stderr.strip())

    @contextlib.contextmanager
    def filled(self):
        """With no free byte."""
        ballast = self.folder / 'ballast'
        with open(ballast, 'wb', buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 12))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
        try:
            yield
        finally:
            ballast.unlink()


def _begin(training):
    """Start it and wait for its first checkpoint."""
    process = training.start()
    while not process.wait(0.002):
        if any(kind == 'checkpoint' for kind, _ in
               read_marks(process.marks)):
            break
    return process


def _refused(process, words):
    """Faults, unless a process ended with status 2 and a line with words."""
    process.wait()
    last = (process.lines() or [''])[-1]
    if process.status != 2 or words not in last:
        return ['status %s: %s' % (process.status, last)]
    return []


def finished(training, kept, reference, differences):
    """Faults, unless a training goes on and ends as the undisturbed one did.

    Parameters
    ----------
    training : Training
    kept : State
        Of its checkpoint before it was disturbed.
    reference, differences
        See :func:`try_all`.

    Returns
    -------
    list of str
        Also if there was no checkpoint, or not all of it is left: a training
        that begins anew ends alike.
    """
    found = []
    left = read_state(training.run)
    if not State(0, 0) < kept <= left:
        found.append('its checkpoint was %s, and is %s' % (kept, left))
    process = training.start()
    process.wait()
    if process.status:
        return found + ['status %s: %s' % (process.status,
                                           process.lines()[-1:])]
    if resumed_from(process.lines()) != left:
        found.append('it went on from %s, not from %s' % (
            resumed_from(process.lines()), left))
    return found + differences(training.run, reference)


def two_at_once(training, reference, differences):
    """A second process in the same run folder."""
    first = _begin(training)
    second = training.start(log='second')
    found = _refused(second, 'another training is running')
    first.wait()
    if first.status:
        found.append('the first ended with status %d' % first.status)
    return 'the second is refused', found + differences(training.run,
                                                        reference)


def clock_set_back(training, reference, differences):
    """By an hour, while it trains."""
    begun = time.monotonic()
    real = time.time

    def set_back():
        # After the first minibatches.
        def wrong():
            marks = read_marks(training.folder / 'marks')
            return real() - 3600 * (len(marks) > 4)
        time.time = wrong
    process = training.start(before=set_back)
    process.wait()
    took = time.monotonic() - begun
    found = []
    if process.status:
        return '', ['status %s: %s' % (process.status, process.lines()[-1:])]
    alone = longest = 0
    for kind, _ in read_marks(training.folder / 'marks'):
        alone = alone + 1 if kind == 'minibatch' else 0
        longest = max(longest, alone)
    history = load_progress(training.run / 'last.h5')[0]['history']
    for row in history:
        if not 0 <= row['seconds'] <= took:
            found.append('an epoch of %s seconds' % row['seconds'])
    if longest > 1:
        found.append('%d minibatches without a checkpoint' % longest)
    return 'a checkpoint after each minibatch, as before', found + differences(
        training.run, reference)


def full_disk(training, reference, differences, disk):
    """The disk gets full while it trains, and room is made again."""
    process = _begin(training)
    with disk.filled():
        # What was being written may still get whole.
        kept = read_state(training.run)
        found = _refused(process, 'No space left')
    return 'it ends in one line and goes on later', found + finished(
        training, kept, reference, differences)


def read_only_disk(training, reference, differences, disk):
    """It is killed, and its folder cannot be written then."""
    _begin(training).kill()
    kept = read_state(training.run)
    disk.protect(True)
    try:
        beside = disk.folder.parent
        found = _refused(training.start(beside / 'log', beside / 'marks'),
                         'Read-only file system')
    finally:
        disk.protect(False)
    return 'it ends in one line and goes on later', found + finished(
        training, kept, reference, differences)


def try_all(undisturbed, folder, differences):
    """Each fault, for a training that is ready to compare with.

    Parameters
    ----------
    undisturbed : Training
    folder : Path
    differences : callable
        :func:`reliability.trainings.differences`.

    Yields
    ------
    name, line : str
        The fault, and what came of it.
    found : list of str
        What should not have come of it.
    """
    files = list(Path(undisturbed.run).glob('*.h5'))
    room = 2 * sum(path.stat().st_size for path in files) + (1 << 20)
    for name, fault, on_disk in (
            ('two trainings of a folder', two_at_once, False),
            ('a clock set back', clock_set_back, False),
            ('a full disk', full_disk, True),
            ('a read-only folder', read_only_disk, True)):
        place = folder / name.replace(' ', '-')
        with contextlib.ExitStack() as stack:
            disk = ()
            try:
                if on_disk:
                    disk = stack.enter_context(Disk(place, room)),
                else:
                    place.mkdir()
            except PermissionError as error:
                yield name, 'not tried (%s)' % error, []
                continue
            training = undisturbed._replace(folder=place / 'training',
                                            minutes=0.)
            training.folder.mkdir()
            line, found = fault(training, undisturbed.run, differences, *disk)
            yield name, line, found
