"""A long film that is killed at random moments, and resumed.

``python -m reliability.film`` makes a film of 10,000 frames with sound and
times that vary, has it coloured, and kills (SIGKILL) the process at random
moments, five times; each further one goes on with ``--resume``. In the end,
frames, times and sound must be those of the film, to the last bit, and memory
must not have grown. A network that costs nothing takes the place of the real
one, as its colours are no matter. The exit status is 1 if anything was lost.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from fractions import Fraction
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

from .processes import Process

__all__ = ['Killed', 'differences', 'invented', 'kill_film', 'main',
           'write_film']

#: Rows and columns, frames of a scene, and seconds that a timestamp counts.
SHAPE, SCENE, TIME_BASE = (48, 64), 500, Fraction(1, 600)

#: Of the tone.
RATE, SIZE = 8000, 1024

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
    av = import_package('av')
    photos = [np.asarray(Image.open(photo).convert('RGB')) for photo in sorted(
        Path(find_resource('demo/photos')).glob('*.jpg'))[:4]]
    with av.open(str(path), 'w') as container:
        pictures = container.add_stream('libx264', rate=25, options={
            'crf': '1', 'bf': '2'})
        pictures.height, pictures.width = SHAPE
        pictures.pix_fmt = 'yuv420p'
        pictures.time_base = pictures.codec_context.time_base = TIME_BASE
        sound = container.add_stream('aac', rate=RATE)
        sound.codec_context.layout = 'mono'
        at, now = 0, 0
        for number in range(frames):
            photo = photos[number // SCENE % len(photos)]
            left = abs(number % 200 - 100)
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(
                photo[:SHAPE[0], left:left + SHAPE[1]]), 'rgb24')
            picture.pts, picture.time_base = now, TIME_BASE
            now += 24 + number % 3  # None is as long as the next.
            for packet in pictures.encode(picture):
                container.mux(packet)
            while at < now * TIME_BASE * RATE:
                tone = av.AudioFrame.from_ndarray(np.sin(np.arange(
                    at, at + SIZE) * .3)[np.newaxis].astype(np.float32),
                    'fltp', 'mono')
                tone.rate, tone.pts = RATE, at
                tone.time_base = Fraction(1, RATE)
                at += SIZE
                for packet in sound.encode(tone):
                    container.mux(packet)
        for stream in pictures, sound:
            for packet in stream.encode(None):
                container.mux(packet)


def _contents(path):
    """Times of frames, and times and bytes of sound."""
    av = import_package('av')
    times, sound = [], []
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.stream.type == 'video':
                times.extend(picture.pts * picture.time_base
                             for picture in packet.decode())
            elif packet.size:
                sound.append((packet.pts * packet.time_base, bytes(packet)))
    return times, sound


def differences(film, result):
    """What a coloured film has other than the film, in words.

    Parameters
    ----------
    film, result : Path

    Returns
    -------
    list of str
    """
    (times, sound), (their_times, their_sound) = map(_contents, (film, result))
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


def _used(process):
    """MB that it has in memory."""
    text = Path('/proc/%d/status' % process.pid).read_text()
    return int(text.partition('VmRSS:')[2].split()[0]) / 1024


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
                said.memory.append(_used(process))
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
    for line in said.found:
        say('FAULT %s' % line)
    say('%d faults' % len(said.found))
    return bool(said.found)


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
