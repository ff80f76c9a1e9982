"""Which photos there are to colour, and how their results are called."""

import contextlib
import itertools
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional

import numpy as np

from ..errors import ColornetError
from ..formats.photo import ImageError, Photo
from .finding import find_images
from .reading import photo_pages

__all__ = ['Job', 'Targets', 'find_sources']

# How a result beside its source is called: before, and with, its suffix.
_BESIDE = re.compile(r'(.+)-coloured(?:-\d+|\.\w+)?(\.\w+)')


@dataclass(frozen=True)
class Job:
    """A photo to be coloured.

    Attributes
    ----------
    source, target : Path
    content : bytes, optional
        Of the file, if `source` is none.
    photo : Photo, optional
        Once it was read.
    luminance : ndarray, optional
        What the network sees of it; None if it does not.
    has_colours : bool
        Whether it has colours of its own that count.
    page : int, optional
        Of the file; None for its largest.
    """

    source: Path
    target: Path
    content: Optional[bytes] = None
    photo: Optional[Photo] = None
    luminance: Optional[np.ndarray] = None
    has_colours: bool = False
    page: Optional[int] = None


class Targets:
    """Gives every source an output file of its own, always the same one.

    Parameters
    ----------
    out_folder : str or Path
    options : Options
    report : Report
    """

    def __init__(self, out_folder, options, report):
        self.out_folder = Path(out_folder)
        self.options = options
        self.report = report
        self.relative = {}
        self.claims = {}
        self.inputs = set()
        self.taken = set()

    def assign(self, found, overwrite=True):
        """Jobs for photos.

        Parameters
        ----------
        found : list of (Path, Path)
            Sources, and their paths below the output folder.
        overwrite : bool
            If false, photos whose output is there are left out.

        Returns
        -------
        list of Job
            Yet without their photos.
        """
        self.overwrite = overwrite
        parts = [part for source, relative in found
                 for part in self._parts(source, relative)]
        self.relative.update(parts)
        self.inputs.update(os.path.realpath(source) for source, _ in found)
        suffixes = {source: self.options.suffix(source)
                    for source, _ in found}
        # Those that keep their suffix have the first claim to their name.
        for part, _ in sorted(parts, key=lambda pair: (
                suffixes[pair[0][0]] != pair[0][0].suffix)):
            if part not in self.claims:
                self.claims[part] = self._claim(part, suffixes[part[0]])
        jobs = [Job(part[0], self.claims[part], page=part[1])
                for part, _ in parts]
        return [job for job in jobs if self._is_free(job)]

    def _parts(self, source, relative):
        """((source, page), relative path) of what is coloured of a file."""
        pages = []
        if self.options.pages == 'all':
            # What cannot be read is told when its turn comes.
            with contextlib.suppress(ImageError):
                pages = photo_pages(source, self.options.pages)
        if len(pages) < 2:
            return [((source, None), relative)]
        return [((source, page), relative.with_name('%s-page%d%s' % (
            relative.stem, number, relative.suffix)))
            for number, page in enumerate(pages, 1)]

    def rename(self, job):
        """Job for a photo that was read; None if it has nowhere to go."""
        suffix = self.options.suffix(job.source, job.photo)
        if suffix == job.target.suffix:
            return job
        # Only now is it known to be transparent.
        part = job.source, job.page
        job = replace(job, target=self._claim(part, suffix))
        self.claims[part] = job.target
        return job if self._is_free(job) else None

    def _claim(self, part, suffix):
        relative = self.relative[part]
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
            self.report.add_skipped(job.source, job.target)
            return False
        return True


def _candidates(path, suffix):
    """Output names for a relative path, best first, without end."""
    yield path.with_suffix(suffix)
    if suffix != path.suffix:
        yield path.with_name(path.name + suffix)
    for number in itertools.count(2):
        yield path.with_name('%s-%d%s' % (path.stem, number, suffix))


def find_sources(sources, out_folder, report):
    """Photos in files and folders, each file once.

    Parameters
    ----------
    sources : sequence of str or Path
    out_folder : str or Path
        What is in there is left out of folders around it, and what has the
        name of a source's result, where that would go.
    report : Report
        Takes folders that cannot be listed, and files that are no photos.

    Returns
    -------
    list of (Path, Path)
        Photos, and their paths below the output folder.

    Raises
    ------
    ColornetError
        If the output folder is one of the sources.
    """
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

        def is_result(path):
            parent = Path(os.path.realpath(path.parent))
            return (out_folder not in folder.parents and
                    out_folder in (parent, *parent.parents))
        for path in find_images(
                source, follow_links=True,
                on_error=lambda error: report.add_failed(
                    Path(error.path), error.reason),
                on_other=lambda path: is_result(path) or
                report.add_other(path)):
            if not is_result(path):
                found.setdefault(os.path.abspath(path), (
                    path, mirrored / path.relative_to(source)))
    return _without_results(list(found.values()), out_folder)


def _without_results(found, out_folder):
    """Leave out photo-coloured.jpg, which is that of photo.jpg beside it.

    Else each run would colour what the one before has written.
    """
    names = {name for _, name in found}

    def is_result(path, name):
        match = _BESIDE.fullmatch(name.name)
        return (match is not None and
                name.with_name(''.join(match.groups())) in names and
                os.path.realpath(out_folder / name) == os.path.realpath(path))
    return [pair for pair in found if not is_result(*pair)]
