"""Films that are coloured one after the other, for those who wait."""

import contextlib
import io
import os
import secrets
import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..errors import ColornetError
from ..files import is_full
from ..terminal import note
from ..video.converting import colour_stream
from ..video.film import Film
from ..video.reading import Clip
from .line import Busy
from .options import BadOption

__all__ = ['FilmLimits', 'Films', 'NoFilm', 'TooLong', 'tell_fault']

#: Films that wait, are coloured or are kept.
PLACES = 4

#: Seconds after which who has not asked for a film has gone.
PATIENCE = 180

#: Frames a second of a film, at most, and pixels of a frame: up to 80 are
#: in memory at a time.
MAX_RATE, MAX_PIXELS = 60, 3840 * 2160

#: Bytes of a result, as a multiple of those that a film may have.
_GROWTH = 8

#: Seconds after which to come again, where all places are taken.
_AGAIN = 10


def tell_fault(error):
    """Tell where the server was started what is no fault of a file.

    Parameters
    ----------
    error : Exception

    Returns
    -------
    str
        What who asked is told.
    """
    if is_full(error):
        text = "the disk with the server's temporary files is full"
        note('colornet: error: %s' % text)
        return text
    note('colornet: internal error: %s: %s' % (type(error).__name__, error))
    return 'internal error'


class NoFilm(ColornetError):
    """A file is no film that can be read."""


class TooLong(ColornetError):
    """A film is longer or larger than films may be."""


class _Gone(Exception):
    """Nobody waits for a film any more."""


@dataclass(frozen=True)
class FilmLimits:
    """What films may have.

    Attributes
    ----------
    seconds, bytes : int
    pixels : int
        Of a frame.
    """

    seconds: int
    bytes: int
    pixels: int = MAX_PIXELS

    @property
    def frames(self):
        """How many frames, whatever times they have."""
        return MAX_RATE * self.seconds


class _Part(io.RawIOBase):
    """Reads a file without a name, at a place of its own."""

    def __init__(self, file):
        super().__init__()
        self._file, self._at = os.dup(file.fileno()), 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=os.SEEK_SET):
        start = (0, self._at, os.fstat(self._file).st_size)[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer):
        content = os.pread(self._file, len(buffer), self._at)
        buffer[:len(content)] = content
        self._at += len(content)
        return len(content)

    def close(self):
        if not self.closed:
            os.close(self._file)
        super().close()


class _Job:
    """A film: waiting, working, done or failed.

    Its files have no names: whatever ends the server, they are gone.
    """

    def __init__(self):
        self.key = secrets.token_hex(16)
        self.source, self.result = [tempfile.TemporaryFile(
            prefix='colornet-') for _ in range(2)]
        self.state, self.error = 'arriving', ''
        self.name, self.wanted, self.notes = '', None, []
        self.frames, self.done = None, 0
        self.asked, self.gone = time.monotonic(), False

    def open_source(self):
        return _Part(self.source)

    def close(self):
        self.source.close()
        self.result.close()


class Films:
    """Colours films; for several threads.

    Parameters
    ----------
    make_colorizer : callable
        Takes what :meth:`start` was given as `wanted`; returns a
        :class:`colornet.video.colouring.FilmColorizer`.
    limits : FilmLimits
    places : int
        Films at a time, with those that are done.
    patience : float
        Seconds after which who does not ask for a film has gone.
    """

    def __init__(self, make_colorizer, limits, places=PLACES,
                 patience=PATIENCE):
        self.make_colorizer, self.limits = make_colorizer, limits
        self.places, self.patience = places, patience
        self._thread = ThreadPoolExecutor(1)
        self._lock = threading.RLock()
        self._jobs = {}
        self._busy, self._timer = False, None

    def working(self):
        """How many films wait or are coloured."""
        with self._lock:
            return self._busy + len(self._of_state('waiting'))

    @contextlib.contextmanager
    def place(self):
        """Have a place for a film.

        Yields
        ------
        object
            For :meth:`look` and :meth:`start`; without that, nothing of it is
            kept when the block ends.

        Raises
        ------
        Busy
            If all places are taken.
        """
        with self._lock:
            if len(self._jobs) >= self.places:
                raise Busy(_AGAIN)
            job = _Job()
            self._jobs[job.key] = job
            self._watch()
        try:
            yield job
        finally:
            if job.state == 'arriving':
                self.remove(job.key)

    def look(self, job, stream, name, wanted):
        """Take a film's file, and see whether it can be coloured.

        Parameters
        ----------
        job : object
            Of :meth:`place`.
        stream : binary file
        name : str
            Of the film.
        wanted : WantedFilm

        Raises
        ------
        NoFilm
            If it is none.
        TooLong
            If it has more of anything than :attr:`limits`.
        BadOption
            If there is no such result of it.
        """
        shutil.copyfileobj(stream, job.source)
        job.source.flush()
        job.name, job.wanted = name, wanted
        self._check(os.fstat(job.source.fileno()).st_size, self.limits.bytes,
                    'bytes')
        try:
            # What a small file says may be too much to decode.
            clip = Clip(job.open_source(), name, self._check_pixels)
        except TooLong:
            raise
        except ColornetError as error:
            raise NoFilm(str(error))
        with contextlib.closing(clip):
            self._check(float(clip.seconds), self.limits.seconds, 'seconds')
            self._check(clip.num_frames or 0, self.limits.frames, 'frames')
            self._check_pixels(*clip.shape)
            try:
                film = Film(clip, wanted.format, wanted.film)
            except ColornetError as error:
                if wanted.other is None:
                    raise BadOption(str(error))
                job.wanted = wanted = wanted.other
                film = Film(clip, wanted.format, wanted.film)
                job.notes.append('It becomes %s, which holds what it has; a '
                                 'browser may not play it.' % wanted.suffix)
            if clip.left_out:
                job.notes.append('Left out: %s.' % clip.left_out)
            job.frames = film.num_frames

    def start(self, job):
        """Colour a film, in its turn.

        Returns
        -------
        dict
            As :meth:`describe` does.
        """
        with self._lock:
            job.state, job.asked = 'waiting', time.monotonic()
            self._thread.submit(self._work)
            return self.describe(job.key)

    def describe(self, key):
        """What has become of a film; None, if it is not kept."""
        with self._lock:
            job = self._get(key)
            if job is None:
                return None
            before = self._of_state('working') + self._of_state('waiting')
            return {'key': key, 'state': job.state, 'done': job.done,
                    'frames': job.frames, 'error': job.error,
                    'notes': job.notes, 'before': before.index(job)
                    if job.state == 'waiting' else 0}

    def result(self, key):
        """A coloured film, its size in bytes, name and suffix.

        Returns
        -------
        (binary file, int, str, str), or None
            None, if it is not kept, or not coloured.
        """
        with self._lock:
            job = self._get(key)
            if job is None or job.state != 'done':
                return None
            return (_Part(job.result), os.fstat(
                job.result.fileno()).st_size, job.name, job.wanted.suffix)

    def remove(self, key):
        """Keep a film no longer, and end its work; whether there was one."""
        with self._lock:
            job = self._jobs.pop(key, None)
            if job is None:
                return False
            job.gone = True
            if job.state != 'working':  # Who works on it closes it.
                job.close()
            return True

    def _check_pixels(self, rows, columns):
        self._check(rows * columns, self.limits.pixels, 'pixels a frame')

    def _check(self, value, limit, unit):
        if value > limit:
            raise TooLong('films may have %d %s, and this one has %s' % (
                limit, unit, value if isinstance(value, int) else
                '%.2f' % value))

    def _count(self, job):
        """Count a frame, and end what is not wanted or too much."""
        if job.gone:
            raise _Gone
        job.done += 1
        self._check(job.done, self.limits.frames, 'frames')
        self._check_growth(job)

    def _check_growth(self, job):
        self._check(os.fstat(job.result.fileno()).st_size,
                    _GROWTH * self.limits.bytes, 'bytes when coloured')

    def _get(self, key):
        job = self._jobs.get(key)
        if job is not None and job.state != 'arriving':
            job.asked = time.monotonic()
            return job

    def _watch(self):
        """Remove films that nobody has asked for, now and later."""
        with self._lock:
            end = time.monotonic() - self.patience
            for job in list(self._jobs.values()):
                if job.asked < end and job.state != 'arriving':
                    self.remove(job.key)
            if self._timer is not None:
                self._timer.cancel()
            if self._jobs:
                self._timer = threading.Timer(self.patience / 4, self._watch)
                self._timer.daemon = True
                self._timer.start()

    def _of_state(self, state):
        """Films in a state, by the arrival of their requests."""
        return [job for job in self._jobs.values() if job.state == state]

    def _work(self):
        """Colour the next film, if it has not gone."""
        with self._lock:
            job = next(iter(self._of_state('waiting')), None)
            if job is None:
                return
            job.state, self._busy = 'working', True
        state, error = 'failed', ''
        try:
            colour_stream(
                lambda: self.make_colorizer(job.wanted), job.open_source,
                job.result, job.wanted.format, job.wanted.film, job.name,
                lambda frames: _Progress(lambda: self._count(job)))
            job.result.flush()
            self._check_growth(job)
            state = 'done'
        except _Gone:
            pass
        except ColornetError as caught:
            error = str(caught)
        except Exception as caught:  # As of photos: told where it started.
            error = tell_fault(caught)
        with self._lock:
            self._busy = False
            job.state, job.error, job.asked = state, error, time.monotonic()
            if job.gone:
                job.close()


class _Progress(contextlib.AbstractContextManager):
    """In place of a bar.

    Parameters
    ----------
    update : callable
        Called after each frame.
    """

    def __init__(self, update):
        self.update = update

    def __exit__(self, *error):
        pass
