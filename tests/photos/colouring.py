"""A folder of photos and a network that colours everything warm."""

from pathlib import Path

import numpy as np

from colornet.photos.colorizer import Colorizer
from colornet.photos.folders import colorize_files
from tests.photos import samples
from tests.photos.samples import photo

SIZE = 32


def warm(luminances):
    """A network that colours everything warm."""
    return np.broadcast_to(np.float32([20, 20]), luminances.shape + (2,))


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in
                  Path(folder).rglob('*') if not path.is_dir())


class InFolder(samples.InFolder):
    """Photos in a temporary folder for each test."""

    def setUp(self):
        super().setUp()
        self.input = self.folder / 'in'
        self.out = self.folder / 'out'

    def save(self, *names, **options):
        """The photo under each name, below `input`."""
        image = options.pop('image', None) or photo()
        for name in names:
            path = self.input / name
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path, **options)
        return path

    def run(self, sources=None, network=warm, **options):
        return colorize_files(Colorizer(network, SIZE),
                              [self.input] if sources is None else sources,
                              options.pop('out', self.out), progress=False,
                              **{'overwrite': True, **options})
