"""The photos of a training in memory, decoded by several processes."""

import contextlib
import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import repeat

import numpy as np

from colornet.data.crops import CENTRAL, cut_square
from colornet.data.image_cache import decode_photo, name_photos
from colornet.data.subsets import find_photos, largest_side
from colornet.errors import ColornetError
from colornet.terminal import end_with_parent, note, progress_bar

__all__ = ['PhotosInMemory', 'decode_photos', 'worker_processes']


@contextlib.contextmanager
def worker_processes():
    """One process for each core, for :func:`decode_photos` and metrics.

    They start with the first work, as copies of this process: before it has
    anything on a GPU.

    Yields
    ------
    ProcessPoolExecutor
    """
    with ProcessPoolExecutor(_num_cores(), multiprocessing.get_context('fork'),
                             _start_worker, (os.getpid(),)) as pool:
        yield pool


def _num_cores():
    return len(os.sched_getaffinity(0))


def _start_worker(parent):
    # Ctrl-C is for all processes, but one decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent(parent)


class PhotosInMemory:
    """Squares of photos, as :class:`colornet.data.image_cache.CachedCrops`.

    Parameters
    ----------
    photos : list of ndarray of uint8, (rows, columns, 3)
    size : int
        Rows and columns of the squares.
    file_sizes : list of int
        Bytes of the files that they were decoded from.
    """

    def __init__(self, photos, size, file_sizes):
        self._photos = photos
        self._size = size
        self._threads = ThreadPoolExecutor(_num_cores())
        self.file_sizes = file_sizes

    def __len__(self):
        return len(self._photos)

    def __getitem__(self, numbers):
        """Central squares of a sequence of photos."""
        return self.read_crops(numbers, [CENTRAL] * len(numbers))

    def read_crops(self, numbers, crops):
        """See :meth:`colornet.data.image_cache.CachedCrops.read_crops`."""
        # Pillow resizes without Python's lock.
        return np.stack(list(self._threads.map(
            cut_square, [self._photos[number] for number in numbers], crops,
            repeat(self._size))))


def decode_photos(config, folder, pool):
    """Decode photos of a training as :mod:`colornet.data.image_cache` does.

    Parameters
    ----------
    config : Config
    folder : str or Path
        Of the data set.
    pool : ProcessPoolExecutor

    Returns
    -------
    images : PhotosInMemory
    names : list of str

    Raises
    ------
    ColornetError
        If no photo can be used. Those that cannot are named on stderr.
    """
    paths = [os.fspath(path) for path in
             find_photos(config.data, folder, 'train')]
    size = config.data['size']
    photos, names, file_sizes, reasons = [], [], [], []
    decoded = pool.map(decode_photo, paths, repeat(size),
                       repeat(largest_side(config.data)), chunksize=8)
    bar = progress_bar(total=len(paths), desc='decoding photos', unit='photo')
    with bar:
        for path, name, (rgb, reason) in zip(paths, name_photos(paths),
                                             decoded):
            bar.update()
            if reason:
                reasons.append('%s: %s' % (path, reason))
                continue
            photos.append(rgb)
            names.append(name)
            file_sizes.append(os.stat(path).st_size)
    for line in reasons:
        note('left out ' + line)
    if not photos:
        raise ColornetError('none of the %d photos can be used%s' % (
            len(paths), ''.join('; the first is ' + line for line
                                in reasons[:1])))
    return PhotosInMemory(photos, size, file_sizes), names
