"""The programs in examples/ run."""

import os
import subprocess
import sys

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import eq_, ok_
from PIL import Image

from tests import tiny
from tests.photos.samples import InFolder, grey

EXAMPLES = tiny.ROOT / 'examples'


class TestExamples(InFolder):
    """With the network that ships, by whichever engine is there."""

    def run_example(self, name, *arguments):
        """The lines that it prints."""
        return subprocess.check_output(
            [sys.executable, str(EXAMPLES / name), *map(str, arguments)],
            cwd=str(self.folder), universal_newlines=True,
            env=dict(os.environ, PYTHONPATH=str(tiny.ROOT))).splitlines()

    @attr('slow')
    def test_one(self):
        path = self.saved(grey(), 'a.png')
        eq_(self.run_example('colour_one.py', path),
            [str(self.folder / 'a-coloured.png')])
        rgb = np.array(Image.open(self.folder / 'a-coloured.png'))
        eq_(rgb.shape, (grey().height, grey().width, 3))
        ok_((rgb.max(axis=-1) > rgb.min(axis=-1)).any(), 'still grey')

    @attr('slow')
    def test_arrays(self):
        pictures = np.stack([np.array(grey())[:64, :64]] * 3).astype(
            np.uint16) * 257
        np.save(self.folder / 'grey.npy', pictures)
        eq_(self.run_example('colour_arrays.py', 'grey.npy', 'out.npy'),
            ['3 pictures of uint16'])
        coloured = np.load(self.folder / 'out.npy')
        eq_((coloured.shape, coloured.dtype), ((3, 64, 64, 3), np.uint16))

    @attr('slow')
    def test_strengths(self):
        path = self.saved(grey(), 'a.png')
        printed = self.run_example('compare_strengths.py', path, 'out')
        eq_(len(printed), 3)
        spread = [np.ptp(np.array(Image.open(self.folder / name)).astype(
            int), axis=-1).mean() for name in printed]
        ok_(1.2 * spread[0] < spread[1] < spread[2] / 1.2, spread)

    def test_all_of_them(self):
        with open(__file__, encoding='utf-8') as stream:
            tested = stream.read()
        for path in EXAMPLES.glob('*.py'):
            ok_("'%s'" % path.name in tested, path)
            ok_(path.name in (EXAMPLES / 'README.rst').read_text(), path)
