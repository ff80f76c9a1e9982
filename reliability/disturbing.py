"""Small photos, some broken, and who changes them while others read them."""

import io
import random
from pathlib import Path

import numpy as np
from PIL import Image

from colornet.color import luminance
from colornet.photos.finding import find_images
from colornet.photos.reading import read_photo
from colornet.resources import find_resource

from .right_size import is_grey

__all__ = ['BROKEN', 'Disturber', 'is_of', 'write_photos']

#: Names of what is no photo.
BROKEN = 'cut.jpg', 'empty.jpg', 'text.jpg'

#: How far the luminance of pixels may move in the mean, of 100: a white sky is
#: darker in strong colours, of which results of random networks are full.
_TOLERANCE = 6

#: Photos in a folder.
_IN_FOLDER = 100


class _Crops:
    """Grey crops of the demo's photos, as JPEG, of many sizes."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self._photos = [Image.open(path).convert('L') for path in
                        find_images(find_resource('demo/photos'))]

    def encode(self):
        photo = self.draw.choice(self._photos)
        width, height = self.draw.randrange(40, 80), self.draw.randrange(
            30, 60)
        left = self.draw.randrange(photo.width - width)
        top = self.draw.randrange(photo.height - height)
        stream = io.BytesIO()
        photo.crop((left, top, left + width, top + height)).save(
            stream, 'JPEG', quality=92)
        return stream.getvalue()


def write_photos(folder, count, seed=0, broken=True):
    """Write small grey photos into folders of a hundred.

    Parameters
    ----------
    folder : Path
    count : int
    seed : int
    broken : bool
        Whether the first, the last and the one between are :data:`BROKEN`
        ones.
    """
    crops = _Crops(seed)
    places = {number * (count - 1) // 2: name for number, name in
              enumerate(BROKEN)} if broken else {}
    for number in range(count):
        path = folder / ('%03d' % (number // _IN_FOLDER)) / places.get(
            number, '%05d.jpg' % number)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = crops.encode()
        path.write_bytes({'cut.jpg': content[:len(content) // 2],
                          'empty.jpg': b'', 'text.jpg': b'no photo\n'
                          }.get(path.name, content))


def is_of(source, result):
    """Whether a result has the size and luminance of a photo, and colours.

    Parameters
    ----------
    source, result : Path or binary file

    Returns
    -------
    bool
    """
    pixels = [_pixels(file) for file in (source, result)]
    ours, theirs = map(luminance, pixels)
    return ours.shape == theirs.shape and (
        np.abs(ours - theirs).mean() < _TOLERANCE) and not is_grey(*pixels)


def _pixels(file):
    if isinstance(file, Path):
        return read_photo(file).pixels
    return np.array(Image.open(file))


class Disturber:
    """Changes, removes and adds photos, one at a time.

    Parameters
    ----------
    folder : Path
        Of photos by :func:`write_photos`.
    seed : int

    Attributes
    ----------
    changed, vanished, appeared : set of str
        Names.
    """

    def __init__(self, folder, seed=0):
        self.folder = folder
        self.changed, self.vanished, self.appeared = set(), set(), set()
        self._crops = _Crops(seed + 1)
        self._left = find_images(folder)
        self._versions = {path.name: [path.read_bytes()]
                          for path in self._left}
        self._crops.draw.shuffle(self._left)
        # What is half written.
        self._path = self._rest = None

    def step(self):
        """Do one thing: some files are for a while only half there."""
        if self._rest is not None:
            with open(self._path, 'ab') as stream:
                stream.write(self._rest)
            self._rest = None
            return
        draw = self._crops.draw
        kind = draw.choice(['replace', 'write', 'write', 'vanish', 'appear'])
        if kind == 'appear':
            path = self.folder / ('%03d' % draw.randrange(3)) / (
                'new-%d.jpg' % len(self.appeared))
            path.parent.mkdir(exist_ok=True)
            self.appeared.add(path.name)
        elif self._left:
            path = self._left.pop()
        else:
            return
        if kind == 'vanish':
            path.unlink()
            self.vanished.add(path.name)
            return
        content = self._crops.encode()
        self._versions.setdefault(path.name, []).append(content)
        if kind != 'appear':
            self.changed.add(path.name)
        if kind == 'replace':
            beside = path.with_name('.' + path.name)
            beside.write_bytes(content)
            beside.replace(path)
        else:
            middle = len(content) // 2
            path.write_bytes(content[:middle])
            self._path, self._rest = path, content[middle:]

    def end(self):
        """Leave nothing half written."""
        if self._rest is not None:
            self.step()

    def judge(self, entries, out):
        """What is wrong with what became of the photos.

        Parameters
        ----------
        entries : list of dict
            For each that was found, its ``source``, ``status``, ``output``.
        out : Path
            Folder of the results.

        Returns
        -------
        list of str
            Faults.
        """
        found = []
        names = [Path(entry['source']).name for entry in entries]
        if len(set(names)) < len(names):
            found.append('told twice: %s' % ', '.join(sorted(
                name for name in set(names) if names.count(name) > 1)))
        # What has vanished may not even have been found.
        for name in sorted(set(self._versions) - set(names) -
                           self.vanished - self.appeared):
            found.append('not told: %s' % name)
        for entry in entries:
            name = Path(entry['source']).name
            if entry['status'] == 'failed' and name not in (
                    self.changed | self.vanished | self.appeared):
                found.append('failed: %s: %s' % (name, entry['reason']))
        for path in find_images(out):
            if not any(is_of(io.BytesIO(content), path)
                       for content in self._versions[path.name]):
                found.append('of no whole photo: %s' % path.name)
        return found
