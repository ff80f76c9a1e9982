"""Do smoothed films leave ghosts behind what moves fast?

``python -m benchmarks.ghosts`` lets a piece of one photo fly over another, so
that it is known what moves where, colours these frames in several ways, and
compares their colours with those of the photos: where the background has just
come into sight, in the object, and elsewhere.
"""

import argparse
import contextlib
import sys
from collections import OrderedDict
from unittest import mock

import numpy as np
from PIL import Image

from colornet.cli import report_errors
from colornet.color import luminance, split_channels
from colornet.evaluation.sheets import grey_picture
from colornet.prediction.engines import load_outputs
from colornet.resources import DEFAULT_NETWORK, find_resource
from colornet.terminal import say
from colornet.video.colouring import FilmColorizer

__all__ = ['METHODS', 'Scene', 'colour', 'errors', 'main']

#: Rows and columns of frames, the side of what flies, and its photo's corner.
SHAPE, SIDE, CORNER = (256, 448), 96, (30, 160)

#: Name -> whether what moved is tested, and what a FilmColorizer is given.
METHODS = OrderedDict([
    ('frame by frame', (True, {'memory': 0.})), ('smoothed', (True, {})),
    ('every 4th', (True, {'every': 4})), ('without a test', (False, {}))])


class Scene:
    """A piece of a photo that flies over another.

    Parameters
    ----------
    speed : int
        Columns a frame.
    count : int
        Frames.

    Attributes
    ----------
    frames : list of ndarray of uint8, (rows, columns, 3)
    objects : list of ndarray of bool, (rows, columns)
        Where it is.
    """

    def __init__(self, speed, count=12):
        ground = _photo('picosdeeuropa.jpg', SHAPE)
        top, left = CORNER
        piece = np.asarray(Image.open(find_resource(
            'demo/photos/astronaut.jpg')).convert('RGB'))[
                top:top + SIDE, left:left + SIDE]
        self.frames, self.objects = [], []
        down = (SHAPE[0] - SIDE) // 2
        ways = SHAPE[1] - SIDE
        for number in range(count):
            # To and fro, if it comes to the border.
            at = abs((speed * number + ways) % (2 * ways) - ways)
            frame, there = ground.copy(), np.zeros(SHAPE, bool)
            place = slice(down, down + SIDE), slice(at, at + SIDE)
            frame[place], there[place] = piece, True
            self.frames.append(frame)
            self.objects.append(there)

    def areas(self, number):
        """Parts of a frame behind the first, as masks by their names."""
        there, before = self.objects[number], self.objects[number - 1]
        return OrderedDict([('uncovered', before & ~there),
                            ('object', there), ('rest', ~there & ~before)])


def _photo(name, shape):
    photo = Image.open(find_resource('demo/photos/' + name)).convert('RGB')
    return np.asarray(photo.resize(shape[::-1], Image.BICUBIC))


@contextlib.contextmanager
def _without_test():
    with mock.patch('colornet.video.motion.LUMINANCE_CHANGE', np.inf), \
            mock.patch('colornet.video.motion.is_consistent',
                       lambda flow, back: np.ones(flow.shape[:2], bool)):
        yield


def colour(frames, outputs, config, method):
    """Colour frames in one of :data:`METHODS`.

    Parameters
    ----------
    frames : list of ndarray
    outputs, config
        As :class:`colornet.video.colouring.FilmColorizer` takes them.
    method : str

    Returns
    -------
    list of ndarray of uint8, (rows, columns, 3)
    """
    tested, options = METHODS[method]
    colorizer = FilmColorizer(outputs, config, **options)
    picture = tuple(slice(0, side) for side in frames[0].shape[:2])
    with contextlib.nullcontext() if tested else _without_test():
        return [colorizer.join(pixels, chroma, picture)
                for block in colorizer.blocks(frames, lambda pixels: pixels,
                                              picture)
                for pixels, chroma in zip(block.frames, block.chroma)]


def errors(scene, coloured):
    """Root mean squared errors of U and V, from the third frame on.

    Parameters
    ----------
    scene : Scene
    coloured : list of ndarray

    Returns
    -------
    dict of str to float
        By the names of :meth:`Scene.areas`.
    """
    sums = OrderedDict()
    for number in range(2, len(coloured)):
        squared = np.square(split_channels(coloured[number])[1] -
                            split_channels(scene.frames[number])[1])
        for name, area in scene.areas(number).items():
            total, size = sums.get(name, (0., 0))
            sums[name] = total + squared[area].sum(), size + 2 * area.sum()
    return {name: float(np.sqrt(total / size))
            for name, (total, size) in sums.items()}


class _Remembering:
    """A network that looks at a frame once."""

    def __init__(self, outputs):
        self.outputs, self.known = outputs, {}

    def __call__(self, luminances):
        for light in luminances:
            if light.tobytes() not in self.known:
                self.known[light.tobytes()] = [
                    array[0] for array in self.outputs(light[np.newaxis])]
        return [np.stack(arrays) for arrays in zip(*(
            self.known[light.tobytes()] for light in luminances))]


def _run(options):
    outputs, config, _ = load_outputs(
        find_resource(DEFAULT_NETWORK), None, options.decoding,
        options.engine)
    network = _Remembering(outputs)
    for speed in options.speeds:
        scene = Scene(speed)
        grey = [grey_picture(luminance(frame)) for frame in scene.frames]
        say('%d columns a frame      uncovered    object      rest' % speed)
        rows = [scene.frames]
        for method in METHODS:
            coloured = colour(scene.frames, network, config, method)
            rows.append(coloured)
            say('%-20s %11.2f %9.2f %9.2f' % (
                (method,) + tuple(errors(scene, coloured).values())))
        say('%-20s %11.2f %9.2f %9.2f' % (
            ('grey',) + tuple(errors(scene, grey).values())))
        if options.sheet:
            shown = range(3, len(scene.frames), 3)
            Image.fromarray(np.concatenate([np.concatenate([
                row[number] for number in shown], 1) for row in rows])).save(
                    options.sheet % speed)
    return 0


def main(arguments=None):
    """Print the errors."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.ghosts',
                                     description=__doc__.splitlines()[0])
    parser.add_argument('--speeds', type=int, nargs='+', metavar='N',
                        default=(4, 16, 40), help='columns that it flies a '
                        'frame (default: 4 16 40)')
    parser.add_argument('--decoding', action='append', default=[],
                        metavar='KEY=VALUE')
    parser.add_argument('--engine', choices=('onnx', 'pytorch', 'theano'))
    parser.add_argument('--sheet', metavar='NAME', help='pictures of frames '
                        '3, 6 and 9: the photos, then the ways; %%d is the '
                        'speed')
    return int(report_errors(_run, parser.parse_args(arguments),
                             program='benchmarks'))


if __name__ == '__main__':
    sys.exit(main())
