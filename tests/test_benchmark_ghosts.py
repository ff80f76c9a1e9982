"""What flies fast leaves no ghosts: scenes whose motion is known."""

import numpy as np
from nose.tools import assert_greater, assert_less, eq_
from numpy.testing import assert_array_equal

from benchmarks.ghosts import METHODS, SHAPE, SIDE, Scene, colour, errors
from colornet.color import split_channels
from colornet.photos.colorizer import Colorizer
from tests.video import clips


def setup_module():
    clips.need_video()


def test_a_scene():
    scene = Scene(40, 5)
    eq_([there.sum() for there in scene.objects], 5 * [SIDE ** 2])
    eq_({frame.shape for frame in scene.frames}, {SHAPE + (3,)})
    for number in range(1, 5):
        areas = scene.areas(number)
        eq_(sum(area.sum() for area in areas.values()),
            SHAPE[0] * SHAPE[1])
        eq_(areas['uncovered'].sum(), 40 * SIDE)
        before, after = scene.frames[number - 1:number + 1]
        # What is neither object nor uncovered stands still, and the object
        # goes along.
        assert_array_equal(before[areas['rest']], after[areas['rest']])
        assert_array_equal(before[scene.objects[number - 1]],
                           after[areas['object']])


def test_errors():
    scene = Scene(16, 4)
    eq_(set(errors(scene, scene.frames).values()), {0.})
    wrong = [frame.copy() for frame in scene.frames]
    for frame, there in zip(wrong, scene.objects):
        frame[there] = 128
    found = errors(scene, wrong)
    eq_((found['uncovered'], found['rest']), (0, 0))
    assert_greater(found['object'], 5)


class Knowing:
    """A network that knows the colours, but is off, up and down by turns."""

    BINS = np.arange(50, dtype=np.float32)[:, np.newaxis, np.newaxis]

    def __init__(self, scene, config, off):
        import cv2
        reduce = Colorizer(None, config.data['size'], 'luv', 'keep',
                           borders='colour').reduce
        self.known = {}
        for number, frame in enumerate(scene.frames):
            light = reduce(frame)
            chroma = cv2.resize(
                split_channels(frame)[1],
                (light.shape[1] // 4, light.shape[0] // 4),
                interpolation=cv2.INTER_AREA)
            self.known[light.tobytes()] = chroma + off * (-1) ** number

    def __call__(self, luminances):
        chroma = np.stack([self.known.get(light.tobytes(), np.zeros(
            (light.shape[0] // 4, light.shape[1] // 4, 2)))
            for light in luminances])
        bins = (chroma + 100) / 4 - .5
        return [-np.square(self.BINS - bins[:, np.newaxis, :, :, channel])
                for channel in (0, 1)]


def test_no_ghosts():
    """Where the background comes into sight, it has its own colours."""
    config = clips.configuration('data.size=128', 'decoding.saturation=1')
    for speed in 8, 40:
        scene = Scene(speed, 8)
        network = Knowing(scene, config, 12.)
        each, smoothed, untested = [
            errors(scene, colour(scene.frames, network, config, method))
            for method in METHODS if method != 'every 4th']
        for area in 'uncovered', 'object', 'rest':
            assert_less(smoothed[area], .85 * each[area], (speed, area))
        assert_less(smoothed['rest'], .5 * each['rest'])
        # And what is tested makes a difference there.
        assert_less(smoothed['uncovered'], untested['uncovered'])
