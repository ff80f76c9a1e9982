"""Reading, predicting and writing at the same time.

One thread reads ahead, the calling one predicts, others write. What became
of the photos is reported in their order, as if one were done after another.
"""

import threading
from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor

from ..errors import ColornetError
from ..resources import num_processors
from .reading import ImageError

__all__ = ['run_overlapped']


def run_overlapped(jobs, steps, report, bar, limits):
    """Read, predict and write photos, with few of them in memory.

    What is interrupted, or ended by an error of the disk, waits for the
    photos that are just being written, and reports them; then those of a list
    that are left.

    Parameters
    ----------
    jobs : list or iterator
        In the order in which they are reported; each has a ``source``.
    steps : object
        ``read(job)`` returns a photo and more that is known of it,
        ``name(job, *those)`` the job with them, or None if it is not to be
        done; ``predict(batch)`` the chrominance of several such jobs;
        ``write(job, chroma)`` writes one; what it returns, if not None, goes
        to ``finish(job, written)``, in the order of `jobs`. Only ``read`` and
        ``write`` are called in other threads.
    report : Report
    bar : tqdm
        Moves with each photo that is reported.
    limits : (int, int, int)
        Photos in a batch; values of the pixels in one, and of all photos
        that are in memory, each beyond the last photo.
    """
    overlap = _Overlap(steps, report, bar, limits)
    if isinstance(jobs, list):
        overlap.left.update(job.source for job in jobs)
    try:
        overlap.run(iter(jobs))
    finally:
        overlap.close()


class _Overlap:

    def __init__(self, steps, report, bar, limits):
        self.steps, self.report, self.bar = steps, report, bar
        self.batch_size, self.batch_values, values = limits
        self.memory = _Memory(values)
        # One is ahead of the network, which takes several times as long.
        self.readers = ThreadPoolExecutor(1)
        self.writers = ThreadPoolExecutor(
            max(1, min(4, num_processors() // 2)))
        self.reading = deque()  # (job, future)
        self.ending = deque()  # (job, chroma, future) in order of reports
        self.left = Counter()  # sources, once for each of their pages

    def run(self, jobs):
        batch, values = [], 0
        while self._read_ahead(jobs):
            job = self._next_read()
            if job is not None:
                batch.append(job)
                values += job.photo.pixels.size
            if batch and (len(batch) == self.batch_size or
                          values > self.batch_values or
                          not self._read_ahead(jobs)):
                self._predict(batch)
                batch, values = [], 0
        self._report(wait=len(self.ending))

    def _read_ahead(self, jobs):
        """Let the next photos be read; whether there are any."""
        while len(self.reading) <= self.batch_size:
            job = next(jobs, None)
            if job is None:
                break
            self.reading.append((job, self.readers.submit(self._read, job)))
        return bool(self.reading)

    def close(self):
        """Wait for what is being written; leave out what is not."""
        self.memory.close()
        for _, future in self.reading:
            future.cancel()
        left = [(job, future) for job, _, future in self.ending
                if not future.cancel()]
        self.ending.clear()
        self.readers.shutdown()
        self.writers.shutdown()
        for job, future in left:
            error = future.exception()
            # What is not finished, nobody has got.
            if error is not None or future.result() is None:
                self._note(job, error)
        for source in self.left.elements():
            self.report.add_undone(source)

    def _read(self, job):
        self.memory.wait()
        read = self.steps.read(job)
        self.memory.take(read[0])
        return read

    def _next_read(self):
        """The next job with its photo; None if it goes no further."""
        job, future = self.reading.popleft()
        try:
            try:
                read = future.result()
            except MemoryError:
                # Perhaps there is enough where nothing else is done.
                self._report(wait=len(self.ending))
                read = self.steps.read(job)
                self.memory.take(read[0])
        except ImageError as error:
            self._fail(job, error)
        except MemoryError:
            self._fail(job, ImageError(job.source, 'out of memory'))
        except ColornetError:
            raise
        except Exception as error:  # a library's, on what is damaged
            self._fail(job, ImageError(job.source, 'internal error: %s: %s'
                                       % (type(error).__name__, error)))
        else:
            named = self.steps.name(job, *read)
            if named is not None:
                return named
            self.memory.give(read[0])
            self._end(job)
        return None

    def _predict(self, batch):
        """Predict a batch, and have it written."""
        self._report()
        before = len(self.ending)
        for job, chroma in self._predictions(batch):
            self.ending.append((job, chroma, self.writers.submit(
                self._write, job, chroma)))
        # The batch before: what is written is never more than one behind.
        self._report(wait=before)

    def _predictions(self, batch):
        """(job, chroma) pairs; photo by photo where memory is short."""
        try:
            return list(zip(batch, self.steps.predict(batch)))
        except MemoryError:
            if len(batch) > 1:
                return [pair for job in batch
                        for pair in self._predictions([job])]
            self._fail(batch[0], ImageError(batch[0].source, 'out of memory'))
            self.memory.give(batch[0].photo)
            return []

    def _fail(self, job, error):
        """Report an error when it is this photo's turn."""
        future = Future()
        future.set_exception(error)
        self.ending.append((job, None, future))

    def _write(self, job, chroma):
        try:
            return self.steps.write(job, chroma)
        finally:
            self.memory.give(job.photo)

    def _report(self, wait=0):
        """Report what has ended, in order; wait for some of it."""
        while self.ending and (wait > 0 or self.ending[0][2].done()):
            wait -= 1
            job, chroma, future = self.ending[0]
            error = self._finish(job, chroma, future)
            self.ending.popleft()
            self._note(job, error)

    def _finish(self, job, chroma, future):
        """Finish a photo; why it was not written, or None."""
        try:
            try:
                written = future.result()
            except MemoryError:
                for _, _, other in self.ending:
                    other.exception()
                written = self.steps.write(job, chroma)
        except ImageError as error:
            return error
        except MemoryError:
            return ImageError(job.source, 'out of memory')
        if written is not None:
            self.steps.finish(job, written)
        return None

    def _note(self, job, error):
        self._end(job)
        if error is not None:
            self.report.add_failed(job.source, getattr(
                error, 'reason', str(error) or 'out of memory'))
        else:
            self.report.add_written(job.source, job.target,
                                    job.photo.has_more)

    def _end(self, job):
        if job.source in self.left:  # Streams have no end.
            self.left[job.source] -= 1
        self.bar.update()


class _Memory:
    """Counts the values of pixels that are in memory."""

    def __init__(self, limit):
        self.limit = limit
        self.used = 0
        self.changed = threading.Condition()

    def wait(self):
        """Wait until another photo may be read."""
        with self.changed:
            self.changed.wait_for(lambda: self.used <= self.limit)

    def take(self, photo):
        with self.changed:
            self.used += photo.pixels.size

    def give(self, photo):
        with self.changed:
            self.used -= photo.pixels.size
            self.changed.notify()

    def close(self):
        """Let nobody wait any longer."""
        with self.changed:
            self.limit = float('inf')
            self.changed.notify()
