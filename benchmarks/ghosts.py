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
from colornet.config import load_config
from colornet.evaluation.sheets import grey_picture
from colornet.files import write_rows
from colornet.photos.colorizer import Colorizer
from colornet.prediction.engines import load_outputs
from colornet.resources import DEFAULT_NETWORK, find_resource
from colornet.terminal import say
from colornet.video.colouring import FilmColorizer
from colornet.video.packages import import_package

__all__ = ['Knowing', 'METHODS', 'Scene', 'colour', 'errors', 'main']

#: Rows and columns of frames, the side of what flies, and its photo's corner.
SHAPE, SIDE, CORNER = (256, 448), 96, (30, 160)

#: Name -> whether what moved is tested, and what a FilmColorizer is given.
METHODS = OrderedDict([
    ('frame by frame', (True, {'memory': 0.})), ('smoothed', (True, {})),
    ('every 4th', (True, {'every': 4})),
    ('smoothed without tests', (False, {}))])


#: Units by which the stand-in is off, and how often chance is tried.
OFF, DRAWS = 12., 10


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


class Knowing:
    """A network that knows a scene's colours, but is off.

    Parameters
    ----------
    scene : Scene
    config
        As :class:`colornet.video.colouring.FilmColorizer` takes it.
    off : float
        Units of U and V, up or down, by chance in each frame.
    seed : int
        Of the chance.
    """

    BINS = np.arange(50, dtype=np.float32)[:, np.newaxis, np.newaxis]

    def __init__(self, scene, config, off, seed=0):
        cv2 = import_package('cv2')
        reduce = Colorizer(None, config.data['size'], 'luv', 'keep',
                           borders='colour').reduce
        random = np.random.RandomState(seed)
        self.known = {}
        for frame in scene.frames:
            light = reduce(frame)
            chroma = cv2.resize(
                split_channels(frame)[1],
                (light.shape[1] // 4, light.shape[0] // 4),
                interpolation=cv2.INTER_AREA)
            self.known[light.tobytes()] = chroma + off * random.choice((-1, 1))

    def __call__(self, luminances):
        chroma = np.stack([self.known.get(light.tobytes(), np.zeros(
            (light.shape[0] // 4, light.shape[1] // 4, 2)))
            for light in luminances])
        bins = (chroma + 100) / 4 - .5
        return [-np.square(self.BINS - bins[:, np.newaxis, :, :, channel])
                for channel in (0, 1)]


def _networks(options):
    """What returns networks for a scene, and their settings."""
    if options.stand_in:
        config = load_config(find_resource('experiments/everyday.ini'), [
            'data.size=128', 'refinement.steps=none',
            'decoding.saturation=1'] + options.decoding)
        return lambda scene: [Knowing(scene, config, OFF, seed)
                              for seed in range(DRAWS)], config
    outputs, config, _ = load_outputs(
        find_resource(DEFAULT_NETWORK), None, options.decoding,
        options.engine)
    network = _Remembering(outputs)
    return lambda scene: [network], config


def _run(options):
    networks_for, config = _networks(options)
    rows = []
    say('%-22s %15s %9s %9s %9s' % (
        'colours', 'columns a frame', 'uncovered', 'in it', 'rest'))
    for speed in options.speeds:
        scene = Scene(speed)
        networks, pictures = networks_for(scene), [scene.frames]
        grey = [grey_picture(luminance(frame)) for frame in scene.frames]
        for method in list(METHODS) + ['none']:
            results = [grey] if method == 'none' else [
                colour(scene.frames, network, config, method)
                for network in networks]
            found = [errors(scene, result) for result in results]
            row = {name: float(np.sqrt(np.mean([np.square(one[name])
                                                for one in found])))
                   for name in found[0]}
            say('%-22s %15d %9.2f %9.2f %9.2f' % (
                (method, speed) + tuple(row.values())))
            rows.append(dict({'colours': method, 'columns': speed}, **row))
            pictures += results[:1]
        if options.sheet:
            shown = range(3, len(scene.frames), 3)
            Image.fromarray(np.concatenate([np.concatenate([
                picture[number] for number in shown], 1)
                for picture in pictures[:-1]])).save(options.sheet % speed)
    if options.out:
        write_rows(options.out, list(rows[0]), rows)
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
    parser.add_argument('--stand-in', action='store_true', help='what knows '
                        'the colours, but is off by %g units by chance, in '
                        'place of the network' % OFF)
    parser.add_argument('--out', metavar='CSV', help='a table of the errors')
    parser.add_argument('--engine', choices=('onnx', 'pytorch', 'theano'))
    parser.add_argument('--sheet', metavar='NAME', help='pictures of frames '
                        '3, 6 and 9: the photos, then the ways; %%d is the '
                        'speed')
    return int(report_errors(_run, parser.parse_args(arguments),
                             program='benchmarks'))


if __name__ == '__main__':
    sys.exit(main())
