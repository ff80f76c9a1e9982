"""One thread for all that is heavy, and a line of those who wait for it."""

import contextlib
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor

__all__ = ['Busy', 'Left', 'Line']


#: Seconds that nobody has to wait: who would is told to come again.
LONGEST_WAIT = 60


class Busy(Exception):
    """The line is full.

    Parameters
    ----------
    seconds : int
        After which there should be a place.
    """

    def __init__(self, seconds):
        super().__init__('too many at a time; try again in %d s'
                         % seconds)
        self.seconds = seconds


class Left(Exception):
    """Who waited has gone, before it was his turn."""


class Line:
    """Calls functions in one thread, one after the other.

    A compiled network is for one thread at a time, and one photo in full size
    at a time bounds the memory.

    Parameters
    ----------
    places : int
        Of those who wait, and the one who is served.
    """

    def __init__(self, places):
        self.places = places
        self._free = threading.BoundedSemaphore(places)
        self._thread = ThreadPoolExecutor(1)
        self._lock = threading.Lock()
        self._taken = 0
        self._seconds = 1.

    def waiting(self):
        """How many wait or are served."""
        with self._lock:
            return self._taken

    def call(self, function, *arguments):
        """Call a function that is short without a place, as the next one.

        Returns
        -------
        What it returns.
        """
        return self._thread.submit(function, *arguments).result()

    @contextlib.contextmanager
    def place(self, has_left=None):
        """Have a place in the line.

        Parameters
        ----------
        has_left : callable, optional
            Asked when it is his turn whether who waits has gone.

        Yields
        ------
        callable
            Takes a function and its arguments, calls it when it is its turn,
            and returns what it returns; raises :class:`Left` instead of
            calling it for nobody.

        Raises
        ------
        Busy
            If all places are taken, or the last ones took so long that it
            would be more than :data:`LONGEST_WAIT` until it is his turn.
        """
        if (self.waiting() * self._seconds > LONGEST_WAIT or
                not self._free.acquire(blocking=False)):
            raise Busy(math.ceil(self._seconds))
        try:
            with self._lock:
                self._taken += 1
            yield lambda function, *arguments: self._thread.submit(
                self._call, has_left, function, arguments).result()
        finally:
            with self._lock:
                self._taken -= 1
            self._free.release()

    def _call(self, has_left, function, arguments):
        if has_left is not None and has_left():
            raise Left
        start = time.monotonic()
        try:
            return function(*arguments)
        finally:
            # Of the last ones more than of those long ago.
            took = time.monotonic() - start
            self._seconds += 0.3 * (took - self._seconds)
