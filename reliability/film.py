"""A long film that is killed at random moments, and resumed.

``python -m reliability.film`` makes a film of 10,000 frames with sound and
times that vary, has it coloured, and kills (SIGKILL) the process at random
moments, five times; each further one goes on with ``--resume``. In the end,
frames, times and sound must be those of the film, to the last bit, and memory
must not have grown. A network that costs nothing takes the place of the real
one, as its colours are no matter. The exit status is 1 if anything was lost.
"""

import argparse
import itertools
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

from .memory import resident_mb
from .processes import Process
from .verdict import say_faults

__all__ = ['Killed', 'differences', 'invented', 'kill_film', 'main',
           'write_film']

#: Rows and columns, and frames of a scene.
SHAPE, SCENE = (48, 64), 500

#: MB that memory may grow from the first kill to the last.
GROWTH = 60


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


class Killed:
    """What kills brought.

    Attributes
    ----------
    memory : list of float
        MB, before each kill and at the end of the last process.
    parts : list of int
        Finished parts of the film, at each kill.
    found : list of str
        Faults.
    """

    def __init__(self):
        self.memory, self.parts, self.found = [], [], []


def kill_film(folder, frames, kills, choose):
    """Colour a film, killed now and then.

    Parameters
    ----------
    folder : Path
        Empty.
    frames, kills : int
    choose : random.Random

    Returns
    -------
    Killed
    """
    film, result = folder / 'film.mp4', folder / 'coloured.mp4'
    parts = folder / 'coloured.mp4.parts'
    write_film(film, frames)
    said, expected = Killed(), frames // 250
    for number in range(kills + 1):
        process = Process(['video', film, result, '--resume', '--every', '8'],
                          folder / 'log', before=_invent)
        # Somewhere in its share of the film, which ends before the last.
        until = expected * (number + choose.random()) / (kills + 1)
        while not process.wait(.02):
            if len(list(parts.glob('*.nut'))) > until:
                said.memory.append(resident_mb(process.pid))
                if number < kills:
                    time.sleep(choose.uniform(0, .3))
                    process.kill()
                break
        if number < kills:
            said.parts.append(len(list(parts.glob('*.nut'))))
            if process.status is not None and process.status >= 0:
                said.found.append('it ended before it was killed: %s'
                                  % process.lines()[-1:])
                return said
            if result.exists():
                said.found.append('there is a result before it is whole')
    process.wait()
    if process.status:
        said.found.append('status %d: %s' % (process.status,
                                             process.lines()[-1:]))
        return said
    said.found += differences(film, result)
    if parts.exists():
        said.found.append('parts are left')
    if said.parts != sorted(said.parts):
        said.found.append('finished parts were lost: %s' % said.parts)
    if max(said.memory) > said.memory[0] + GROWTH:
        said.found.append('memory grew: %s' % said.memory)
    return said


def _run(options):
    import_package('cv2')
    folder = Path(tempfile.mkdtemp(prefix='colornet-film-'))
    try:
        note('a film of %d frames is made, and coloured' % options.frames)
        said = kill_film(folder, options.frames, options.kills,
                         random.Random(options.seed))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    say('%d frames, %d kills, at %s finished parts' % (
        options.frames, options.kills, ', '.join(map(str, said.parts))))
    say('memory: %s MB' % ', '.join('%.0f' % size for size in said.memory))
    return say_faults(said.found)


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
