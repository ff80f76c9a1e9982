"""Colorizing files and folders of photos.

Thousands of photos go through in small batches; one broken photo is noted
and does not stop the others, a full disk does. While the network predicts,
:mod:`.overlap` reads the next photos and writes the last ones.
"""

import errno
import functools
import os
from dataclasses import replace
from pathlib import Path

from ..errors import ColornetError
from ..files import check_output, make_folder
from ..terminal import on_terminal, progress_bar
from .finding import IMAGE_SUFFIXES
from .naming import Job, Targets, find_sources
from .options import Options, format_suffix
from .overlap import run_overlapped
from .reading import ImageError, read_photo
from .report import Report
from .tones import has_colours, mix_colours
from .writing import encode_photo, output_dtype, write_bytes, write_photo

__all__ = ['Report', 'Steps', 'colorize_file', 'colorize_files',
           'find_photos', 'no_photos', 'run_jobs']

# Values of the photos that wait in a batch, beyond the last one.
_BATCH_PIXELS = 40000000

# The same, of all that are read and not yet written.
_PIXELS_IN_FLIGHT = 3 * _BATCH_PIXELS

# Errors of one output name; of any other, the next file would die as well.
_NAME_ERRORS = {errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR,
                errno.EEXIST, errno.EILSEQ}


def colorize_files(colorizer, sources, out_folder, batch_size=4,
                   overwrite=False, progress=True, report=None,
                   options=Options(), found=None):
    """Colorize files and folders; a broken photo does not stop the others.

    The outputs keep their names, `output_suffix` permitting. A folder is
    mirrored: straight into `out_folder` if it is the only source, under its
    own name if there are several. Where two photos would get one name, the
    later becomes ``name-2.jpg`` (or, if its suffix changes, ``name.gif.png``).
    Where an output would replace a source, it is ``name-coloured.jpg``. Photos
    in `out_folder` are left out when a folder around it is a source. Folders
    that are links are looked into, each once.

    Parameters
    ----------
    colorizer : Colorizer
    sources : sequence of str or Path
        Files and folders.
    out_folder : str or Path
        Made if it is missing.
    batch_size : int
        Photos that go through the network at a time.
    overwrite : bool
        If false, photos whose output is there are skipped.
    progress : bool
        Show a bar on the standard error stream: on a terminal, and
        elsewhere, line by line, for more than 20 photos.
    report : Report, optional
        Filled while the work goes on, for those who interrupt it.
    options : Options
        How they are coloured and written.
    found : list of (Path, Path), optional
        What :func:`find_photos` has found already.

    Returns
    -------
    Report

    Raises
    ------
    ColornetError
        If there are no photos, `out_folder` is one of the sources or it
        cannot be written to (a full disk): none of the rest could be saved.
    """
    if report is None:
        report = Report()
    if found is None:
        found = find_photos(sources, out_folder, report)
    targets = Targets(out_folder, options, report)
    make_folder(out_folder)
    jobs = targets.assign(found, overwrite)
    run_jobs(jobs, Steps(colorizer, options, report, targets), report,
             batch_size, progress)
    return report


def find_photos(sources, out_folder, report):
    """Photos in files and folders: :func:`.naming.find_sources`.

    Raises
    ------
    ColornetError
        If there are none, and nothing that has failed, or `out_folder` is one
        of the sources.
    """
    if isinstance(sources, (str, os.PathLike)):
        sources = [sources]
    found = find_sources(sources, out_folder, report)
    if not found and not report.failed:
        raise no_photos(sources)
    return found


def no_photos(sources):
    """The error of sources without any photo."""
    return ColornetError('no photos (%s) in %s' % (
        ' '.join(sorted(IMAGE_SUFFIXES)), ', '.join(map(str, sources))))


def colorize_file(colorizer, source, target, overwrite=True, report=None,
                  options=Options()):
    """Colorize one file into another.

    Parameters
    ----------
    colorizer : Colorizer
    source, target : str or Path
    overwrite : bool
        Whether `target` may be there.
    report : Report, optional
        Filled.
    options : Options
        How it is coloured and written.

    Returns
    -------
    Report

    Raises
    ------
    ColornetError
        If `target` is there and must not be replaced, or is the source, or
        cannot be written.
    """
    if options.pages == 'all':
        raise ColornetError('%s is one file; all pages need a folder as OUT'
                            % target)
    report = Report() if report is None else report
    source, target = Path(source), Path(target)
    if os.path.realpath(source) == os.path.realpath(target):
        raise ColornetError('%s would replace its source' % target)
    check_output(target)
    if not overwrite and os.path.lexists(target):
        raise ColornetError('%s is there; --overwrite replaces it' % target)
    run_jobs([Job(source, target)], Steps(colorizer, options, report),
             report)
    return report


def run_jobs(jobs, steps, report, batch_size=1, progress=False):
    """Read, colour and write photos.

    Parameters
    ----------
    jobs : list of Job, or iterator
    steps : Steps
    report : Report
        Filled.
    batch_size : int
        Photos that go through the network at a time.
    progress : bool
        As for :func:`colorize_files`.
    """
    total = len(jobs) if isinstance(jobs, list) else None
    bar = progress_bar(
        total=total, unit='photo',
        disable=not progress or not (on_terminal() or (total or 0) > 20))
    with bar:
        run_overlapped(jobs, steps, report, bar,
                       (batch_size, _BATCH_PIXELS, _PIXELS_IN_FLIGHT))


class Steps:
    """What happens to each photo, for :func:`.overlap.run_overlapped`.

    Parameters
    ----------
    colorizer : Colorizer
    options : Options
    report : Report
    targets : Targets, optional
        Where photos get another name once they are read.
    """

    def __init__(self, colorizer, options, report, targets=None):
        self.colorizer = colorizer.refined(options.refinement)
        self.options = options
        self.report = report
        self.targets = targets
        self.has_seen_one = False

    def read(self, job):
        """Photo, what the network sees of it, whether its colours count."""
        return self.look(self.load(job))

    def load(self, job):
        """The photo of a job."""
        photo = read_photo(job.source, job.page)
        # Of pages that are all coloured, none is the only one.
        return photo if job.page is None else replace(photo, has_more=False)

    def look(self, photo):
        """The same of a photo that is there."""
        if self.options.hints and self.has_seen_one:
            raise ColornetError('hints are for one photo, not for several')
        self.has_seen_one = True
        colour = self.options.colour
        own = colour != 'replace' and has_colours(photo.pixels)
        luminance = (None if own and colour != 'blend' else
                     self.colorizer.reduce(photo.pixels))
        return photo, luminance, own

    def name(self, job, photo, luminance, own):
        """The job with its photo; None if it is not to be done."""
        if own and self.options.colour == 'skip':
            self.report.add_in_colour(job.source)
            return None
        for text in photo.notes:
            self.report.add_note(job.source, text)
        job = replace(job, photo=photo, luminance=luminance, has_colours=own)
        return self.targets.rename(job) if self.targets else job

    def predict(self, batch):
        """Chrominance of the photos of a batch; None for their own colours."""
        seen = [job.luminance for job in batch if job.luminance is not None]
        chroma = iter(self.colorizer.predict_reduced(seen) if seen else ())
        return [None if job.luminance is None else next(chroma)
                for job in batch]

    def colour(self, job, chroma, dtype):
        """sRGB of a photo, (rows, columns, 3)."""
        own = job.photo.pixels
        if chroma is None:
            self._tell_unused(job)
            return own
        chroma = self.colorizer.add_hints(job.luminance, chroma,
                                          self.options.hints, own)
        rgb = self.colorizer.join(own, chroma, dtype)
        return mix_colours(rgb, own) if job.has_colours else rgb

    def encode(self, job, chroma, content):
        """Bytes of a coloured photo that was in memory.

        Parameters
        ----------
        job : Job
        chroma : ndarray, or None
        content : bytes
            What it was decoded from.
        """
        suffix = self.options.suffix(None, job.photo)
        options = self.options
        if chroma is None and suffix == format_suffix(job.photo):
            self._tell_unused(job)
            return content
        rgb = self.colour(job, chroma, output_dtype(job.photo, suffix,
                                                    options.depth))
        # Colours that a photo has kept are not computed.
        return encode_photo(rgb, job.photo, suffix, job.source, options.depth,
                            options.mark and chroma is not None,
                            options.quality, self._teller(job))

    def _tell_unused(self, job):
        if self.options.hints:
            self.report.add_note(job.source, 'keeps its colours, hints are '
                                             'not used')

    def _teller(self, job):
        return functools.partial(self.report.add_note, job.source)

    def write(self, job, chroma):
        """Colour and write a photo; an error of the disk ends all."""
        target, options = job.target, self.options
        # A page is not what its file is.
        is_copy = (chroma is None and job.page is None and
                   target.suffix.lower() == job.source.suffix.lower())
        rgb = None if is_copy else self.colour(
            job, chroma, output_dtype(job.photo, target.suffix, options.depth))
        try:
            content = job.source.read_bytes() if is_copy else None
            times = os.stat(job.source) if options.keep_times else None
        except OSError as error:  # It was there when it was read.
            raise ImageError(job.source, error.strerror.lower())
        try:
            os.makedirs(target.parent, exist_ok=True)
            if is_copy:
                self._tell_unused(job)
                write_bytes(target, content, times)
            else:
                write_photo(target, rgb, job.photo, options.depth,
                            options.mark and chroma is not None,
                            options.quality, times, self._teller(job))
        except OSError as error:
            reason = error.strerror.lower()
            if error.errno in _NAME_ERRORS:
                raise ImageError(target, 'cannot be written (%s)' % reason)
            raise ColornetError('cannot write %s: %s' % (target, reason))
