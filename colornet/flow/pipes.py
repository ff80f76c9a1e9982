"""Photos from a stream, and into one."""

import contextlib
import io
import os
import sys
from dataclasses import replace
from pathlib import Path

from ..errors import ColornetError
from ..files import check_output, writing
from ..photos.folders import Steps, run_jobs
from ..photos.naming import Job
from ..photos.reading import ImageError, decode_photo
from ..photos.report import Report
from ..photos.writing import write_bytes
from ..terminal import note, standard_output
from .pictures import odd_kind, split_pictures

__all__ = ['colorize_stream', 'open_sink']


def colorize_stream(colorizer, source, sink, options, name='-', target=None,
                    report=None, batch_size=1, progress=False):
    """Colorize the pictures of a stream, or a file, into a stream.

    Parameters
    ----------
    colorizer : Colorizer
    source : binary file
        One photo of any format; or several as JPEG, PNG, BMP or PPM, one
        behind the other.
    sink : binary file
        Takes as many, in their order, in the format of each or in that of
        `options`. One that has colours goes through as it is where
        ``options.colour`` is 'skip', so that none is missing.
    options : Options
    name : str
        What errors call the stream.
    target : str or Path, optional
        The file that `sink` becomes, which is for one picture only.
    report : Report, optional
        Filled.
    batch_size : int
        Pictures that go through the network at a time.
    progress : bool
        Show a bar on a terminal.

    Returns
    -------
    Report

    Raises
    ------
    ColornetError
        If there is no picture, the first has colours and
        ``options.colour`` is 'skip', or `sink` cannot be written to.
    BrokenPipeError
        If nobody reads from `sink` any more.
    """
    report = Report() if report is None else report
    pictures = split_pictures(source, lambda size: note(
        'colornet: note: %s: %d bytes behind the last picture are none and '
        'are left out' % (name, size)))
    content = next(pictures, None)
    if content is None:
        raise ColornetError('%s: empty, no picture' % name)
    first = Job(Path(name), Path(target or '-'), content)

    def make_jobs():
        yield first
        for number, content in enumerate(pictures, 2):
            if target is not None:
                raise ColornetError('%s: several pictures, which -o - takes '
                                    'and a file does not' % name)
            yield Job(Path('%s, picture %d' % (name, number)), Path('-'),
                      content)
    steps = _StreamSteps(colorizer, options, report, sink, first)
    run_jobs(make_jobs(), steps, report, batch_size, progress)
    return report


class _StreamSteps(Steps):
    """Pictures from memory, into a stream."""

    def __init__(self, colorizer, options, report, sink, first):
        super().__init__(colorizer, options, report)
        self.sink = sink
        self.first = first

    def load(self, job):
        kind = odd_kind(job.content)
        if kind and job is not self.first:
            raise ImageError(job.source, (
                '%s, behind other pictures; it and what is behind it, %d '
                'bytes, are left out: a stream takes JPEG, PNG, BMP and PPM'
                % (kind, len(job.content))))
        return decode_photo(job.content, job.source)

    def name(self, job, photo, luminance, own):
        if own and job is self.first and self.options.colour == 'skip':
            raise ColornetError(
                '%s has colours of its own: --colour keep, blend or replace '
                'says what becomes of them' % job.source)
        if own and self.options.colour == 'skip':
            return replace(job, photo=photo, has_colours=own)
        return super().name(job, photo, luminance, own)

    def write(self, job, chroma):
        return self.encode(job, chroma, job.content)

    def finish(self, job, written):
        """Pass a picture on, in its turn."""
        with standard_output():
            self.sink.write(written)
            self.sink.flush()


@contextlib.contextmanager
def open_sink(path=None, overwrite=True):
    """Where coloured pictures go.

    Parameters
    ----------
    path : str or Path, optional
        A file for one picture, written when all is done; if not given, the
        standard output, which nothing else then prints on.
    overwrite : bool
        Whether the file may be there.

    Yields
    ------
    binary file

    Raises
    ------
    ColornetError
        If the file cannot be written.
    """
    if path is None:
        with _take_stdout() as sink:
            yield sink
        return
    check_output(path)
    if not overwrite and os.path.lexists(path):
        raise ColornetError('%s is there; --overwrite replaces it' % path)
    sink = io.BytesIO()
    yield sink
    if sink.getvalue():
        with writing(path):
            write_bytes(path, sink.getvalue())


@contextlib.contextmanager
def _take_stdout():
    """The standard output; what C libraries print goes among the errors."""
    if sys.__stdout__ is None:
        raise ColornetError('the standard output is closed')
    sys.stdout.flush()
    number = sys.stdout.fileno()
    sink = open(os.dup(number), 'wb')
    os.dup2(sys.stderr.fileno(), number)
    try:
        yield sink
        with standard_output():
            sink.flush()
    finally:
        os.dup2(sink.fileno(), number)
        # What is still there could not be written, which was told.
        with contextlib.suppress(OSError):
            sink.close()
