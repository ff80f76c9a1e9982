"""Colorizing files and folders of photos.

Thousands of photos go through in small batches; one broken photo is noted
and does not stop the others, a full disk does. While the network predicts,
:mod:`.overlap` reads the next photos and writes the last ones.
"""

import errno
import itertools
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import List, Optional, Tuple

import numpy as np

from ..errors import ColornetError
from ..files import make_folder
from ..terminal import on_terminal, progress_bar
from .overlap import run_overlapped
from .reading import IMAGE_SUFFIXES, ImageError, Photo, find_images, read_photo
from .writing import output_dtype, output_suffix, write_photo

__all__ = ['Report', 'colorize_files']

# Values of the photos that wait in a batch, beyond the last one.
_BATCH_PIXELS = 40000000

# The same, of all that are read and not yet written.
_PIXELS_IN_FLIGHT = 3 * _BATCH_PIXELS

# Errors of one output name; of any other, the next file would die as well.
_NAME_ERRORS = {errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR,
                errno.EEXIST, errno.EILSEQ}


@dataclass
class Report:
    """What became of a list of photos.

    Attributes
    ----------
    written : list of Path
        The output files.
    failed : list of (Path, str)
        Sources, and why.
    skipped : list of Path
        The outputs that were there before.
    first_only : list of Path
        The sources of which one frame was coloured.
    """

    written: List[Path] = field(default_factory=list)
    failed: List[Tuple[Path, str]] = field(default_factory=list)
    skipped: List[Path] = field(default_factory=list)
    first_only: List[Path] = field(default_factory=list)


@dataclass(frozen=True)
class _Job:
    """A photo to be coloured, yet to be read."""

    source: Path
    target: Path
    photo: Optional[Photo] = None
    luminance: Optional[np.ndarray] = None


def colorize_files(colorizer, sources, out_folder, batch_size=4,
                   overwrite=True, progress=True, report=None):
    """Colorize files and folders; a broken photo does not stop the others.

    The outputs keep their names, `output_suffix` permitting. A folder is
    mirrored: straight into `out_folder` if it is the only source, under its
    own name if there are several. Where two photos would get one name, the
    later becomes ``name-2.jpg`` (or, if its suffix changes, ``name.gif.png``).
    Where an output would replace a source, it is ``name-coloured.jpg``. Photos
    in `out_folder` are left out when a folder around it is a source.

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

    Returns
    -------
    Report

    Raises
    ------
    ColornetError
        If there are no photos, `out_folder` is one of the sources or it
        cannot be written to (a full disk): none of the rest could be saved.
    """
    if isinstance(sources, (str, os.PathLike)):
        sources = [sources]
    if report is None:
        report = Report()
    found = _find_sources(sources, out_folder, report)
    if not found and not report.failed:
        raise ColornetError(
            'no photos (%s) in %s' % (' '.join(sorted(IMAGE_SUFFIXES)),
                                      ', '.join(map(str, sources))))
    targets = _Targets(found, out_folder, overwrite, report)
    make_folder(out_folder)
    jobs = targets.assign(found)
    bar = progress_bar(
        total=len(jobs), unit='photo',
        disable=not progress or not (on_terminal() or len(jobs) > 20))
    with bar:
        run_overlapped(jobs, _Steps(colorizer, targets), report, bar,
                       (batch_size, _BATCH_PIXELS, _PIXELS_IN_FLIGHT))
    return report


class _Steps:
    """What happens to each photo."""

    def __init__(self, colorizer, targets):
        self.colorizer = colorizer
        self.name = targets.with_photo

    def read(self, job):
        """Photo, and what the network sees of it."""
        photo = read_photo(job.source)
        return photo, self.colorizer.reduce(photo.pixels)

    def predict(self, batch):
        """Chrominance of the photos of a batch."""
        return self.colorizer.predict_reduced([job.luminance for job in batch])

    def write(self, job, chroma):
        """Colour and write a photo."""
        rgb = self.colorizer.join(job.photo.pixels, chroma, output_dtype(
            job.photo, job.target.suffix))
        _write(job.target, rgb, job.photo)


class _Targets:
    """Gives every source an output file of its own, always the same one."""

    def __init__(self, found, out_folder, overwrite, report):
        self.out_folder = Path(out_folder)
        self.relative = dict(found)
        self.inputs = {os.path.realpath(source) for source, _ in found}
        self.overwrite = overwrite
        self.report = report
        self.taken = set()

    def assign(self, found):
        """Jobs, yet without photos, for (source, relative path) pairs."""
        suffixes = {source: output_suffix(source, None)
                    for source, _ in found}
        # Those that keep their suffix have the first claim to their name.
        claims = {source: self._claim(source, suffixes[source])
                  for source, _ in sorted(found, key=lambda pair: (
                      suffixes[pair[0]] != pair[0].suffix))}
        jobs = [_Job(source, claims[source]) for source, _ in found]
        return [job for job in jobs if self._is_free(job)]

    def with_photo(self, job, photo, luminance):
        """Job for a photo that was read; None if it has nowhere to go."""
        job = replace(job, photo=photo, luminance=luminance)
        suffix = output_suffix(job.source, photo)
        if suffix == job.target.suffix:
            return job
        # Only now is it known to be transparent.
        job = replace(job, target=self._claim(job.source, suffix))
        return job if self._is_free(job) else None

    def _claim(self, source, suffix):
        relative = self.relative[source]
        if self._is_input(relative.with_suffix(suffix)):
            # photo-2.jpg may well be another photo of the user's.
            relative = relative.with_name(
                '%s-coloured%s' % (relative.stem, relative.suffix))
        for name in _candidates(relative, suffix):
            # Some file systems do not tell A.jpg from a.jpg.
            if str(name).casefold() not in self.taken \
                    and not self._is_input(name):
                self.taken.add(str(name).casefold())
                return self.out_folder / name

    def _is_input(self, name):
        return os.path.realpath(self.out_folder / name) in self.inputs

    def _is_free(self, job):
        if not self.overwrite and os.path.exists(job.target):
            self.report.skipped.append(job.target)
            return False
        return True


def _candidates(path, suffix):
    """Output names for a relative path, best first, without end."""
    yield path.with_suffix(suffix)
    if suffix != path.suffix:
        yield path.with_name(path.name + suffix)
    for number in itertools.count(2):
        yield path.with_name('%s-%d%s' % (path.stem, number, suffix))


def _find_sources(sources, out_folder, report):
    """(file, relative output path) of all photos, each file once."""
    out_folder = Path(os.path.realpath(out_folder))
    found = {}
    for source in map(Path, sources):
        if not os.path.isdir(source):
            found.setdefault(os.path.abspath(source),
                             (source, Path(source.name)))
            continue
        folder = Path(os.path.realpath(source))
        if folder == out_folder:
            raise ColornetError('the output folder %s is also a source; '
                                'choose another output folder' % source)
        mirrored = Path()
        if len(sources) > 1:
            mirrored = Path(Path(os.path.abspath(source)).name)
        for path in find_images(source, on_error=lambda error: report.failed
                                .append((Path(error.path), error.reason))):
            inside = path.relative_to(source)
            if out_folder not in (folder / inside).parents \
                    or out_folder in folder.parents:
                found.setdefault(os.path.abspath(path),
                                 (path, mirrored / inside))
    return list(found.values())


def _write(target, rgb, photo):
    """Write a photo; an error of the disk becomes a ColornetError."""
    try:
        os.makedirs(target.parent, exist_ok=True)
        write_photo(target, rgb, photo)
    except OSError as error:
        reason = error.strerror.lower()
        if error.errno in _NAME_ERRORS:
            raise ImageError(target, 'cannot be written (%s)' % reason)
        raise ColornetError('cannot write %s: %s' % (target, reason))
