"""Halftones and negatives are not coloured worse than they would be grey."""

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import eq_, ok_

from tests.photos.scans import KINDS, halftone, measure, photos


def test_halftones_are_as_light_as_their_photo():
    for level in 0, 40, 128, 215, 255:
        for pitch in 3, 8:
            dots = halftone(np.full((240, 240), level, np.uint8), pitch)
            ok_(set(np.unique(dots)) <= {0, 255})
            ok_(abs(dots.mean() - level) < 2, (level, dots.mean()))
    dots = halftone(np.full((240, 240), 128, np.uint8), 8)
    # From one dot to the next, along their rows at 45 degrees.
    eq_(int(np.abs(np.fft.rfft(dots[0] - 128.))[1:].argmax()) + 1,
        round(240 / (8 * np.sqrt(2))))


@attr('slow')
def test_their_colours():
    """With the network that ships: as docs/formats.rst says."""
    from colornet import load_colorizer
    colorizer = load_colorizer()
    few = list(photos())[:4]
    for name, make in KINDS:
        quality, of_grey, strength = np.mean(
            [measure(colorizer, rgb, make) for rgb in few], axis=0)
        ok_(quality > of_grey - .3, (name, quality, of_grey))
        if name.startswith('halftone') and '3' not in name and (
                '4' not in name):
            ok_(strength < 5, (name, strength))
