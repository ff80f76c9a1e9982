"""A long film that is killed at random moments, and resumed.

``python -m reliability.film`` makes a film of 10,000 frames with sound and
times that vary, and has it coloured: once in one process, whose memory must
not grow, and once in processes that are killed (SIGKILL) at random moments,
five times; each further one goes on with ``--resume`` behind the parts that
are finished, which must stay as they are. In the end, frames, times and sound
must be those of the film, to the last bit. A network that costs nothing takes
the place of the real one, as its colours are no matter. The exit status is 1
if anything was lost.
"""

import argparse
import itertools
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

from colornet.cli import report_errors
from colornet.cli.options import positive
from colornet.config import load_config
from colornet.resources import find_resource
from colornet.terminal import note, say
from colornet.video.packages import import_package
from colornet.video.parts import folder_of

from .memory import Memory
from .processes import Process
from .verdict import say_faults

__all__ = ['Coloured', 'differences', 'finished', 'grown', 'invented', 'lost',
           'main', 'write_film']

#: Rows and columns, and frames of a scene.
SHAPE, SCENE = (48, 64), 500

#: Frames after which a process has all that it needs at a time, and MB that it
#: may grow from then on: allocators keep some 10; all the frames would be 145.
FROM, GROWTH = 1000, 16


def invented(luminances):
    """Class scores of 50 bins, by the luminance: in place of a network."""
    rows, columns = luminances.shape[1:]
    small = luminances.reshape(-1, rows // 4, 4, columns // 4, 4).mean((2, 4))
    bins = np.arange(50, dtype=np.float32)[:, np.newaxis, np.newaxis]
    warmth = (small / 12 - 4)[:, np.newaxis]
    return [-np.square(bins - 24.5 - sign * warmth) / 4 for sign in (1, -1)]


def write_film(path, frames):
    """Write a film of photos that move to and fro, with a tone.

    Parameters
    ----------
    path : Path
    frames : int
    """
    # What the tests write clips with.
    from tests.video import clips
    photos = [np.asarray(Image.open(photo).convert('RGB')) for photo in sorted(
        Path(find_resource('demo/photos')).glob('*.jpg'))[:4]]
    pictures = []
    for number in range(frames):
        left = abs(number % 200 - 100)
        pictures.append(photos[number // SCENE % len(photos)][
            :SHAPE[0], left:left + SHAPE[1]])
    # None is shown as long as the next.
    times = itertools.accumulate([0] + [24 + number % 3 for number in
                                        range(frames - 1)])
    clips.write_clip(path, pictures, times, sound=True)


def differences(film, result):
    """What a coloured film has other than the film, in words.

    Parameters
    ----------
    film, result : Path

    Returns
    -------
    list of str
    """
    from tests.video import clips
    (times, sound), (their_times, their_sound) = map(clips.contents,
                                                     (film, result))
    found = []
    if len(times) != len(their_times):
        found.append('%d frames, not %d' % (len(their_times), len(times)))
    elif times != their_times:
        found.append('other times')
    if sound != their_sound:
        found.append('other sound')
    return found


def _invent():
    """Let this process take the invented network."""
    config = load_config(find_resource('experiments/everyday.ini'), [
        'data.size=32', 'refinement.steps=none'])
    mock.patch('colornet.prediction.engines.load_outputs',
               lambda *arguments: (invented, config, {})).start()


def finished(folder):
    """What a process that goes on would find.

    Parameters
    ----------
    folder : Path
        Of a film's parts.

    Returns
    -------
    frames : int
    files : dict of str to tuple
        Name of each part that counts -> what changes, if it is made again.
    """
    try:
        with np.load(folder / 'state.npz') as state:
            frames, count = int(state['numbers'][1]), len(state['digests'])
        names = ['%06d.nut' % number for number in range(count)]
        found = [os.stat(folder / name) for name in names]
    except OSError:  # None is, or the film has come to its end.
        return 0, {}
    return frames, {name: (status.st_ino, status.st_mtime_ns)
                    for name, status in zip(names, found)}


def lost(before, after):
    """Names of files of :func:`finished` that are not there any more."""
    return sorted(name for name, file in before.items()
                  if after.get(name) != file)


def grown(looks):
    """MB that memory grew behind the first :data:`FROM` frames.

    Parameters
    ----------
    looks : list of (int, float)
        Frames that are done, MB.

    Returns
    -------
    float
        0, if nothing is known.
    """
    sizes = [size for done, size in looks if done >= FROM]
    return max(sizes) - sizes[0] if sizes else 0.


class Coloured:
    """A film that is coloured in processes.

    Parameters
    ----------
    folder : Path
        Empty.
    frames : int

    Attributes
    ----------
    parts : list of int
        Finished parts, at each kill.
    looks : list of (int, float)
        Frames that were finished, MB, of a process that colours all.
    found : list of str
        Faults.
    """

    def __init__(self, folder, frames):
        self.folder, self.frames = folder, frames
        self.film, self.whole, self.killed = [
            folder / name for name in ('film.mp4', 'whole.mp4', 'killed.mp4')]
        self.parts, self.looks, self.found = [], [], []
        write_film(self.film, frames)

    def colour(self):
        """Colour it in one process, whose memory is looked at."""
        memory, process = Memory(), self._start(self.whole)
        while not process.wait(.1):
            memory.look(process.pid, finished(folder_of(self.whole))[0])
        self.looks = memory.looks
        self._check(process, self.whole)
        if grown(self.looks) > GROWTH:
            self.found.append('memory grew by %.0f MB' % grown(self.looks))

    def kill(self, kills, choose):
        """Colour it in processes that are killed but for the last.

        Parameters
        ----------
        kills : int
        choose : random.Random
        """
        parts, before = folder_of(self.killed), {}
        for number in range(kills):
            process = self._start(self.killed)
            # Somewhere in its share of the film, which ends before the last.
            until = self.frames * (number + choose.random()) / (kills + 1)
            while not process.wait(.02) and finished(parts)[0] <= until:
                pass
            time.sleep(choose.uniform(0, .3))
            process.kill()
            if process.status >= 0:
                self.found.append('it ended before it was killed: %s'
                                  % process.lines()[-1:])
                return
            _, after = finished(parts)
            self.parts.append(len(after))
            if lost(before, after):
                self.found.append('finished parts were made again: %s'
                                  % ', '.join(lost(before, after)))
            if self.killed.exists():
                self.found.append('there is a result before it is whole')
            before = after
        process = self._start(self.killed)
        process.wait()
        self._check(process, self.killed)

    def _start(self, result):
        return Process(['video', self.film, result, '--resume', '--every',
                        '8'], self.folder / 'log', before=_invent)

    def _check(self, process, result):
        if process.status:
            self.found.append('status %d: %s' % (process.status,
                                                 process.lines()[-1:]))
            return
        self.found += differences(self.film, result)
        if folder_of(result).exists():
            self.found.append('parts are left')


def _run(options):
    import_package('cv2')
    folder = Path(tempfile.mkdtemp(prefix='colornet-film-'))
    try:
        note('a film of %d frames is made, and coloured' % options.frames)
        film = Coloured(folder, options.frames)
        film.colour()
        film.kill(options.kills, random.Random(options.seed))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    say('%d frames, %d kills, at %s finished parts' % (
        options.frames, options.kills, ', '.join(map(str, film.parts))))
    say('memory without kills: %s MB' % ', '.join(
        '%.0f after %d frames' % (size, done)
        for done, size in film.looks[::max(1, len(film.looks) // 10)]))
    return say_faults(film.found)


def main(arguments=None):
    """Print what was tried, and what was lost."""
    parser = argparse.ArgumentParser(prog='python -m reliability.film',
                                     description=__doc__.splitlines()[0])
    parser.add_argument('--frames', type=positive, default=10000, metavar='N',
                        help='(default: %(default)s)')
    parser.add_argument('--kills', type=positive, default=5, metavar='N',
                        help='(default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, metavar='N',
                        help='of the moments (default: %(default)s)')
    return int(report_errors(_run, parser.parse_args(arguments),
                             program='reliability'))


if __name__ == '__main__':
    sys.exit(main())
