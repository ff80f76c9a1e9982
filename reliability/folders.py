"""Folders of photos: broken ones, memory, kills, files that change meanwhile.

``python -m reliability.folders`` lets ``colornet colorize`` colour a folder
of small photos with three broken ones by ONNX Runtime, once undisturbed,
while its memory is looked at; then into another folder, killed (SIGKILL) at
random moments and started again with ``--skip-existing``, while each result
is opened as soon as it is there; then a smaller one whose files change,
vanish and appear meanwhile. The exit status is 1 if anything is not as it
must be.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from pathlib import Path

from colornet.cli import report_errors
from colornet.cli.options import positive
from colornet.errors import ColornetError
from colornet.photos.finding import find_images
from colornet.photos.reading import read_photo
from colornet.terminal import note, say

from .disturbing import BROKEN, Disturber, is_of, write_photos
from .memory import Memory
from .verdict import say_faults
from .watching import Watching

__all__ = ['Watcher', 'colour', 'judge_left', 'judge_memory', 'judge_results',
           'main', 'never_coloured']

#: Of the network that is invented: 10,000 photos shall take minutes.
NETWORK = 'network.h5'

#: MB that a thousand photos more may take, once a third is done: their names
#: and what became of them are kept until the end.
MOST_GROWTH = 3.


class Watcher(Watching):
    """Opens each result when it appears, and sees whether it is replaced.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    seen : dict
        Path -> number of the file and time of its last change.
    found : list of str
        What was not whole, or was there again.
    """

    interval = 0.02

    def __init__(self, folder):
        super().__init__()
        self.folder, self.seen = folder, {}

    def look(self):
        """Open what is new; tell of what is another file now."""
        for path in find_images(self.folder) if self.folder.exists() else ():
            status = path.stat()
            state = status.st_ino, status.st_mtime_ns
            if path not in self.seen:
                try:
                    read_photo(path)
                except ColornetError as error:
                    self.found.append('not whole: %s' % error)
            elif self.seen[path] != state:
                self.found.append('done twice: %s' % path)
            self.seen[path] = state


class Run(namedtuple('Run', 'status entries said seconds')):
    """What became of a command: lines of JSON, and of its errors."""

    def sources(self, status):
        """Names of the photos that ended so."""
        return [Path(entry['source']).name for entry in self.entries
                if entry['status'] == status]


def colour(folder, out, network, options=(), look=None, kill_after=None):
    """Run ``colornet colorize`` in a process of its own.

    Parameters
    ----------
    folder, out, network : Path
    options : sequence of str
    look : callable, optional
        Takes the process's number and how many photos have ended, some
        twenty times a second.
    kill_after : float, optional
        Seconds until it is killed.

    Returns
    -------
    Run
    """
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix='colornet-') as temporary:
        printed, said = [Path(temporary, name) for name in ('out', 'err')]
        with open(printed, 'w') as outputs, open(said, 'w') as errors:
            process = subprocess.Popen(
                [sys.executable, '-m', 'colornet', 'colorize', str(folder),
                 '-o', str(out), '--engine', 'onnx', '--network',
                 str(network), '--json', *options],
                stdout=outputs, stderr=errors)
        ended = 0
        with open(printed) as stream:
            try:
                while process.poll() is None:
                    time.sleep(0.05)
                    ended += stream.read().count('\n')
                    if look:
                        look(process.pid, ended)
                    if kill_after and time.monotonic() - begun > kill_after:
                        process.kill()
            finally:
                process.kill()
                process.wait()
        seconds = time.monotonic() - begun
        entries = []
        for line in printed.read_text().splitlines():
            # Of what is killed, the last line may be cut.
            with contextlib.suppress(ValueError):
                entries.append(json.loads(line))
        return Run(process.returncode, entries,
                   said.read_text().splitlines(), seconds)


def judge_results(sources, out, broken=BROKEN):
    """What is wrong with results, of which each must be its photo's.

    Parameters
    ----------
    sources, out : Path
        Folders.
    broken : iterable of str
        Names of those that have no result.

    Returns
    -------
    list of str
        Faults.
    """
    found = []
    wanted = {path.relative_to(sources) for path in find_images(sources)
              if path.name not in broken}
    results = {path.relative_to(out) for path in find_images(out)}
    found += ['no result: %s' % name for name in sorted(wanted - results)]
    found += ['of no photo: %s' % name for name in sorted(results - wanted)]
    for name in sorted(wanted & results):
        if not is_of(sources / name, out / name):
            found.append('not coloured from its photo: %s' % name)
    return found


def judge_memory(memory):
    """A line on how much memory was taken, and faults.

    Parameters
    ----------
    memory : Memory
    """
    if not memory.looks:
        return 'memory: not told on this system', []
    slope = memory.slope()
    line = ('memory: %.0f MB after a third of the photos, %.0f MB at most, '
            '%+.2f MB with 1,000 photos more' % (
                memory.after(1 / 3), memory.most(), 1000 * slope))
    return line, [line] * bool(1000 * slope > MOST_GROWTH)


def _undisturbed(folder, root, network):
    """All photos once; faults, and the seconds that it took."""
    memory, out = Memory(), root / 'once'
    run = colour(folder, out, network, look=memory.look)
    found = judge_results(folder, out)
    failed = run.sources('failed')
    if sorted(failed) != sorted(BROKEN):
        found.append('failed: %s' % ', '.join(failed))
    for name in BROKEN:
        if not any(line.startswith('colornet: failed: ') and name in line
                   for line in run.said):
            found.append('not named: %s' % name)
    if run.status != 1:
        found.append('exit status %d: %s' % (run.status, run.said[-1:]))
    say('%d photos in %.0f seconds: %d coloured, %d named' % (
        len(find_images(folder)), run.seconds, len(run.sources('written')),
        len(failed)))
    line, growing = judge_memory(memory)
    say(line)
    shutil.rmtree(out)
    return found + growing, run.seconds


def _killed(folder, root, network, seconds, kills, choose):
    """The same, killed again and again; faults."""
    out, found, told, done = root / 'killed', [], 0, 0
    with Watcher(out) as watcher:
        for _ in range(kills):
            before = set(watcher.seen)
            # So that the last ones have something left to do.
            run = colour(folder, out, network, ['--skip-existing'],
                         kill_after=choose.uniform(0, seconds / kills))
            again = before.intersection(
                Path(entry['output']) for entry in run.entries
                if entry['status'] == 'written')
            found += ['done twice: %s' % path for path in sorted(again)]
            told += len(run.sources('written'))
            done += run.status == -signal.SIGKILL
            note('killed after %.1f seconds; %d of the results are there'
                 % (run.seconds, len(watcher.seen)))
        last = colour(folder, out, network, ['--skip-existing'])
        told += len(last.sources('written'))
    found += watcher.found
    if last.status != 1 or sorted(last.sources('failed')) != sorted(BROKEN):
        found.append('status %d in the end: %s' % (last.status,
                                                   last.said[-4:]))
    if done < kills:
        found.append('%d of %d kills came too late' % (kills - done, kills))
    left = _hidden(out)
    say('%d kills: %d results, each opened when it appeared; %d were not '
        'told, as their process was killed; %d unfinished hidden files left'
        % (done, len(watcher.seen), len(watcher.seen) - told, len(left)))
    found += judge_left(folder, out, network)
    shutil.rmtree(out)
    return found


def _hidden(out):
    return sorted(path for path in out.rglob('.*') if path.is_file())


def judge_left(folder, out, network):
    """What stays of unfinished files, once they are old.

    Parameters
    ----------
    folder, out, network : Path
        See :func:`colour`, which writes again where some are left.

    Returns
    -------
    list of str
        Faults.
    """
    left = _hidden(out)
    for path in left:
        os.utime(path, (0, 0))
    for place in {path.parent for path in left}:
        next(path for path in find_images(place)).unlink()
    if left:
        colour(folder, out, network, ['--skip-existing'])
    return ['never removed: %s' % path for path in _hidden(out)] + (
        judge_results(folder, out))


def never_coloured(folder, out):
    """Photos that are there in the end and have no result.

    Parameters
    ----------
    folder, out : Path

    Returns
    -------
    list of str
        Faults.
    """
    results = {path.relative_to(out) for path in find_images(out)}
    return ['never coloured: %s' % path.name for path in find_images(folder)
            if path.relative_to(folder) not in results]


def _disturbed(root, network, count, seed):
    """Files that change, vanish and appear while they are coloured."""
    folder, out = root / 'changing', root / 'changing-out'
    write_photos(folder, count, seed, broken=False)
    disturber = Disturber(folder, seed)
    with Watcher(out) as watcher:
        first = colour(folder, out, network, look=lambda *_: disturber.step())
        disturber.end()
        second = colour(folder, out, network, ['--skip-existing'])
    found = watcher.found + disturber.judge(first.entries, out)
    if first.status not in (0, 1) or second.status:
        found.append('status %d, then %d: %s' % (
            first.status, second.status, (first.said + second.said)[-1:]))
    late = set(second.sources('written'))
    found += never_coloured(folder, out)
    say('of %d photos, %d were replaced, %d vanished and %d appeared '
        'meanwhile: %d coloured, %d named, %d more by the next run' % (
            count, len(disturber.changed), len(disturber.vanished),
            len(disturber.appeared), len(first.sources('written')),
            len(first.sources('failed')), len(late)))
    return found


def _run(options):
    # What the tests invent networks with.
    from tests.inventing import save_invented
    root = Path(tempfile.mkdtemp(prefix='colornet-folders-'))
    try:
        folder, network = root / 'photos', root / NETWORK
        save_invented(network)
        write_photos(folder, options.photos, options.seed)
        found, seconds = _undisturbed(folder, root, network)
        found += _killed(folder, root, network, seconds, options.kills,
                         random.Random(options.seed))
        found += _disturbed(root, network, max(30, options.photos // 20),
                            options.seed)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return say_faults(found)


def main(arguments=None):
    """Print what became of the photos, and what was wrong."""
    parser = argparse.ArgumentParser(prog='python -m reliability.folders',
                                     description=__doc__.splitlines()[0])
    parser.add_argument('--photos', type=positive, default=10000, metavar='N',
                        help='(default: %(default)s)')
    parser.add_argument('--kills', type=positive, default=10, metavar='N',
                        help='(default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, metavar='N',
                        help='of photos and moments (default: %(default)s)')
    return int(report_errors(_run, parser.parse_args(arguments),
                             program='reliability'))


if __name__ == '__main__':
    sys.exit(main())
