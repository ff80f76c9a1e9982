"""What is kept of photos, as much as there is room for."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import List, Tuple

import numpy as np

from ..photos.reading import Photo
from ..refinement.scores import num_bytes

__all__ = ['Seen', 'Shelf']


@dataclass(frozen=True, eq=False)
class Seen:
    """What is kept of a photo, so that other colours take no second look.

    Attributes
    ----------
    luminance : ndarray of float32, (rows, columns)
        As the network saw it.
    scores : list of ndarray
        One photo's of :func:`colornet.refinement.scores.keep_scores`.
    small : Photo
        A copy that fits a screen.
    shape : (int, int)
        Rows and columns of the photo, upright.
    picture : (slice, slice)
        Rows and columns without a border, which stays neutral.
    has_colours : bool
        Whether it has colours of its own.
    """

    luminance: np.ndarray
    scores: List[np.ndarray]
    small: Photo
    shape: Tuple[int, int]
    picture: Tuple[slice, slice]
    has_colours: bool

    @property
    def num_bytes(self):
        """Memory that it takes, nearly."""
        arrays = [self.luminance, self.small.pixels] + self.scores
        if self.small.alpha is not None:
            arrays.append(self.small.alpha)
        return num_bytes(arrays)


class Shelf:
    """Keeps what was used last; for several threads.

    Parameters
    ----------
    room : int
        Bytes. One photo is always kept.
    """

    def __init__(self, room):
        self.room = room
        self._lock = threading.Lock()
        self._seen = OrderedDict()

    def get(self, key):
        """What is kept by this key, or None."""
        with self._lock:
            if key in self._seen:
                self._seen.move_to_end(key)
            return self._seen.get(key)

    def put(self, key, seen):
        """Keep it; what was not used for longest goes."""
        with self._lock:
            self._seen[key] = seen
            self._seen.move_to_end(key)
            while self._used() > self.room and len(self._seen) > 1:
                self._seen.popitem(last=False)

    def num_bytes(self):
        """Memory that all of it takes."""
        with self._lock:
            return self._used()

    def _used(self):
        return sum(seen.num_bytes for seen in self._seen.values())
