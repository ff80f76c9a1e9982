"""Decoded photos on disk (paper, 4).

Photos are decoded and resized once, into an HDF5 cache, and read from there
row by row, so a data set may be larger than memory.
"""

import hashlib
import json
import os
from collections import namedtuple
from pathlib import Path

import h5py
import numpy as np

from ..errors import ColornetError
from ..files import make_folder, replacing, writing
from ..photos.reading import ImageError, check_colours, read_rgb
from ..resources import cache_folder
from ..terminal import progress_bar
from .crops import CENTRAL, cut_square

__all__ = ['CachedCrops', 'CachedImages', 'cache_path', 'decode_photo',
           'load_images', 'name_photos']

#: Raise it when what is stored for a photo changes: old caches are rebuilt.
CACHE_VERSION = 1

#: Of photos of any proportions, which have a checksum for so many bytes.
CHUNK_BYTES = 2 ** 16


class CachedImages:
    """Photos of one size in an HDF5 file, indexed like an array of uint8.

    Only the photos asked for are read, so the file may exceed the memory.
    `rows` gives the row of the file that holds each photo, `file_sizes` the
    bytes of the file that it was decoded from.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, cache_file, dataset, rows, file_sizes=()):
        self._cache_file = cache_file
        self._dataset = dataset
        self._rows = np.asarray(rows, np.intp)
        self.shape = (len(self._rows),) + dataset.shape[1:]
        self.file_sizes = list(file_sizes)

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, key):
        """Read photos.

        An int gives (size, size, 3), a slice or a sequence of ints gives
        (number, size, size, 3).
        """
        rows = self._rows[key]
        if rows.ndim == 0:
            return self._read(rows)
        # One read per row: h5py's own fancy indexing is slower, and wants
        # the rows sorted.
        images = np.empty((len(rows),) + self.shape[1:], self.dtype)
        for image, row in zip(images, rows):
            image[...] = self._read(row)
        return images

    def _read(self, row):
        try:
            return _fetch(self._dataset, row)
        except OSError as error:
            raise ColornetError('the image cache %s is damaged (%s); delete '
                                'it and start again'
                                % (self._cache_file, error))


class CachedCrops(CachedImages):
    """Photos of any proportions, of which squares of one size are read.

    Indexing gives the central squares, :meth:`read_crops` others. In the
    file, the photos are one after the other; the "rows" are the place of the
    first byte, and rows and columns of each.
    """

    def __init__(self, cache_file, dataset, size, rows, file_sizes=()):
        super().__init__(cache_file, dataset, np.reshape(rows, (-1, 3)),
                         file_sizes)
        self._size = size
        self.shape = len(self._rows), size, size, 3

    def __getitem__(self, key):
        """Read central squares.

        An int gives (size, size, 3), a slice or a sequence of ints gives
        (number, size, size, 3).
        """
        numbers = np.arange(len(self))[key]
        if numbers.ndim == 0:
            return self._read_crop(numbers, CENTRAL)
        return self.read_crops(numbers, [CENTRAL] * len(numbers))

    def read_crops(self, numbers, crops):
        """Read squares of photos.

        Parameters
        ----------
        numbers : sequence of int
            Of the photos.
        crops : sequence of (side, top, left)
            One for each, see :mod:`colornet.data.crops`.

        Returns
        -------
        ndarray of uint8, (number, size, size, 3)
        """
        images = np.empty((len(numbers),) + self.shape[1:], self.dtype)
        for image, number, crop in zip(images, numbers, crops):
            image[...] = self._read_crop(number, crop)
        return images

    def _read_crop(self, number, crop):
        return cut_square(self._read(self._rows[number]), crop, self._size)


def cache_path(folder, name, size, largest=None):
    """Where decoded photos of a folder are kept.

    Parameters
    ----------
    folder : str or Path
    name : str
        Tells its lists of photos apart.
    size, largest
        As for :func:`load_images`.

    Returns
    -------
    Path
        In :func:`colornet.resources.cache_folder`.
    """
    sides = size if largest is None else '%d-%d' % (size, largest)
    key = hashlib.sha256(os.fsencode(Path(folder).resolve())).hexdigest()[:12]
    return cache_folder() / ('%s_%s_%s.h5' % (name, sides, key))


def load_images(paths, cache_file, size=224, progress=None, largest=None):
    """Decode photos, or take them from the cache (paper, 4).

    The cache knows each photo by its name below the folder that all `paths`
    share, its file size and its modification time. Photos that are new or
    have changed are decoded, the others copied from the old cache; the new
    one then takes its place in one step, so two processes may do this at the
    same time. Give each list of photos a cache file of its own.

    Parameters
    ----------
    paths : sequence of str or Path
    cache_file : str or Path
        HDF5 file; made where there is none, rebuilt where it is damaged.
    size : int
        Photos become `size` x `size` pixels, whatever their shape.
    progress : bool or None
        Whether a decoding that takes long shows a progress bar on stderr;
        None: if that is a terminal.
    largest : int, optional
        Keep the proportions, with shorter sides from `size` to `largest`: see
        :func:`colornet.photos.reading.read_rgb`.

    Returns
    -------
    images : CachedImages or CachedCrops, (number of photos, size, size, 3)
        uint8 RGB, in the order of `paths`.
    names : list of str
        The name of each, below the folder that all `paths` share.
    skipped : list of (str, str)
        Path and reason of each photo left out: unreadable, too small, or
        grey, which has no colours to learn from or to compare with.

    Raises
    ------
    ColornetError
        If no photo is left, or the cache cannot be written.
    """
    photos = _describe(paths)
    if not photos:
        raise ColornetError('there are no photos to load')
    cache = _Cache(os.fspath(cache_file), size, largest)
    cache.open()
    if not all(cache.knows(photo) for photo in photos if photo.stamp):
        cache.write(photos, progress)
    rows, names, file_sizes, skipped = [], [], [], []
    for photo in photos:
        row, reason = (cache.index[photo.name][1:] if photo.stamp else
                       (None, 'missing, or not readable'))
        if reason:
            skipped.append((photo.path, reason))
        else:
            rows.append(row)
            names.append(photo.name)
            file_sizes.append(photo.stamp[0])
    if not rows:
        raise ColornetError('none of the %d photos can be used; the first is '
                            '%s: %s' % ((len(photos),) + skipped[0]))
    return cache.images(rows, file_sizes), names, skipped


#: A photo's path, its name in the cache, and what changes when the file does:
#: None for one that cannot be read.
_Photo = namedtuple('_Photo', 'path name stamp')


def _describe(paths):
    """A :class:`_Photo` for each path."""
    paths = [os.fspath(path) for path in paths]
    return [_Photo(path, name, _stamp(path))
            for path, name in zip(paths, paths and name_photos(paths))]


def _stamp(path):
    """Size and time of a file, or None."""
    if not os.access(path, os.R_OK):
        return None
    status = os.stat(path)
    return [status.st_size, status.st_mtime_ns]


def name_photos(paths):
    """Names of files below the folder that they share."""
    paths = [os.path.abspath(path) for path in paths]
    folder = os.path.commonpath([os.path.dirname(path) for path in paths])
    return [os.path.relpath(path, folder) for path in paths]


class _Cache:
    """A cache file.

    Parameters
    ----------
    path : str
    size, largest
        As for :func:`load_images`.

    Attributes
    ----------
    index : dict of str to [stamp, row, reason]
        For each photo; row is None for those left out, reason None for the
        others. What a row is, :meth:`_append` tells.
    """

    def __init__(self, path, size, largest):
        self._path, self._size, self._largest = path, size, largest
        # Of the dataset while it is empty: squares, or bytes.
        self._shape = (0, size, size, 3) if largest is None else (0,)
        # What those of any proportions must be told by: they have no squares.
        self._sides = [] if largest is None else [size, largest]
        self._file, self.index = None, {}

    def open(self):
        """Read the index, if there is a file, and it is of use."""
        if not os.path.exists(self._path):
            return
        try:
            file = h5py.File(self._path, 'r')
            index = json.loads(file['index'][()].tobytes().decode('ascii'))
            if (file.attrs['version'] == CACHE_VERSION
                    and file['images'].shape[1:] == self._shape[1:]
                    and list(file.attrs.get('sides', ())) == self._sides):
                self._file, self.index = file, index
        except (OSError, KeyError, TypeError, ValueError, RuntimeError):
            pass  # What h5py raises for the many ways to be damaged.

    def knows(self, photo):
        """Whether a photo was decoded, or left out, and has not changed."""
        return self.index.get(photo.name, [None])[0] == photo.stamp

    def images(self, rows, file_sizes):
        """Photos by their rows, indexed like an array."""
        images = self._file['images']
        if self._largest is None:
            return CachedImages(self._path, images, rows, file_sizes)
        return CachedCrops(self._path, images, self._size, rows, file_sizes)

    def write(self, photos, progress):
        """Put a cache of `photos` in the place of this one."""
        index = {}
        decoded = progress_bar(
            self._decode(photos), total=len(photos), desc='decoding photos',
            unit='photo', delay=2, leave=False,
            disable=None if progress is None else not progress)
        make_folder(Path(self._path).parent)
        with decoded, writing(self._path), replacing(self._path) as temporary:
            # Checksums keep a damaged photo from being learned from; those of
            # the latest format, of where photos are, one that would be black.
            with h5py.File(temporary, 'w', libver='latest') as file:
                images = file.create_dataset(
                    'images', self._shape, np.uint8,
                    chunks=(1,) + self._shape[1:] if self._shape[1:] else
                    (CHUNK_BYTES,),
                    maxshape=(None,) + self._shape[1:], fletcher32=True)
                for photo, rgb, reason in decoded:
                    if photo.stamp is not None:
                        index[photo.name] = [
                            photo.stamp, None if rgb is None else
                            _append(images, rgb), reason]
                # As ASCII JSON, for file names that are not valid Unicode.
                text = np.frombuffer(json.dumps(index).encode('ascii'),
                                     np.uint8)
                file.create_dataset('index', data=text, chunks=text.shape,
                                    fletcher32=True)
                file.attrs['version'] = CACHE_VERSION
                if self._sides:
                    file.attrs['sides'] = self._sides
            # Opened before it gets its name: another process may replace it.
            opened = h5py.File(temporary, 'r')
        self._file, self.index = opened, index

    def _decode(self, photos):
        """Each photo, its pixels or None, and why it is left out or None."""
        for photo in photos:
            known = (None, None) if photo.stamp is None else (
                self._recall(photo) or
                decode_photo(photo.path, self._size, self._largest))
            yield (photo,) + known

    def _recall(self, photo):
        """What :func:`decode_photo` would return, or None if not known."""
        if not self.knows(photo):
            return None
        _, row, reason = self.index[photo.name]
        if reason is not None:
            return None, reason
        try:
            return _fetch(self._file['images'], row), None
        except OSError:  # Damaged.
            return None


def _append(images, rgb):
    """Store a photo at the end; its row, or [first byte, rows, columns]."""
    start = len(images)
    if images.ndim > 1:
        images.resize(start + 1, axis=0)
        images[start] = rgb
        return start
    images.resize(start + rgb.size, axis=0)
    images[start:] = rgb.ravel()
    return [start, rgb.shape[0], rgb.shape[1]]


def _fetch(images, row):
    """Read what :func:`_append` stored."""
    if images.ndim > 1:
        return images[int(row)]
    start, rows, columns = map(int, row)
    return images[start:start + rows * columns * 3].reshape(rows, columns, 3)


def decode_photo(path, size, largest=None):
    """Decode a photo of a data set, or say why it is left out.

    Parameters
    ----------
    path : str
    size, largest
        As for :func:`load_images`.

    Returns
    -------
    rgb : ndarray of uint8, or None
    reason : str, or None
    """
    try:
        rgb = (read_rgb(path, size) if largest is None else
               read_rgb(path, size, largest))
        check_colours(path, rgb)
    except ImageError as error:
        return None, error.reason
    return rgb, None
