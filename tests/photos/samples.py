"""Real photos, as Pillow images and in temporary folders."""

import shutil
import tempfile
from pathlib import Path

from PIL import Image

from tests import tiny

ORIENTATION = 0x0112


def photo():
    """A real photo, 128 x 96, as a Pillow image."""
    image = Image.open(tiny.PHOTOS / 'picosdeeuropa.jpg')
    image.load()
    return image


def grey():
    return photo().convert('L')


class InFolder:
    """A temporary folder for each test."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())

    def tearDown(self):
        shutil.rmtree(str(self.folder))

    def saved(self, image, name, **options):
        path = self.folder / name
        image.save(path, **options)
        return path

    def written(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path
