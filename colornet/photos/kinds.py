"""What a photo may be in Python: a path, bytes, a file, an image, an array."""

import abc
import io
import os
from dataclasses import fields
from numbers import Integral
from pathlib import Path

import numpy as np
from PIL import Image

from ..color import as_uint8, check_dtype, native
from ..errors import ColornetError
from ..formats.arrays import to_stored
from ..formats.decoding import photo_of_image
from ..formats.photo import Photo
from ..terminal import note
from .folders import Steps
from .naming import Job, Targets
from .options import Options
from .reading import decode_photo, read_photo
from .report import Report

__all__ = ['colorize_kinds', 'is_kind']

#: What Pillow's image knows of pixels that colours replace.
_REPLACED = {'icc_profile', 'transparency', 'gamma', 'srgb', 'chromaticity'}


def is_kind(photo):
    """Whether something is a photo of a kind other than an array."""
    return isinstance(photo, _File.TYPES + _Bytes.TYPES + (
        Image.Image, _Stream.TYPES))


def colorize_kinds(colorizer, photos, out=None, batch_size=4,
                   overwrite=False, **options):
    """Colorize photos, each of any kind; each comes back as its kind.

    Parameters
    ----------
    colorizer : Colorizer
    photos : sequence
        ``str`` or ``Path``: a file. ``bytes``: what is in one. An open
        binary file, such as ``io.BytesIO``: the same, from where it is on.
        ``PIL.Image.Image``: of any mode but ``BGR;*``; of mode I, whose
        integers are of any size, and of F, white is what
        :func:`colornet.formats.arrays.to_levels` says. ``ndarray``: (rows,
        columns), or (rows, columns, channels) with 1 channel (grey), 2 (grey
        and alpha), 3 (sRGB) or 4 (sRGB and alpha); bool, uint8, uint16, or
        floating point in [0, 1]; of any byte order.
    out : str or Path, optional
        Folder for the results of files; if not given, they are beside them.
        Where one would replace a source, it is ``NAME-coloured``.
    batch_size : int
        Photos that go through the network at a time.
    overwrite : bool
        Whether the results of files may replace what is there.
    options
        Those of :class:`.options.Options`.

    Returns
    -------
    list
        For each photo: the ``Path`` of the result; the ``bytes`` of a file in
        its format, or in PNG if that cannot hold the result; ``io.BytesIO``
        with them; an image of mode RGB or RGBA; an array of 3 or 4 channels
        and the same type (bool: uint8).

    Raises
    ------
    ColornetError
        If an option is none of these; if something is no photo, or has
        colours and ``colour`` is 'skip'; if the result of a file is there
        and `overwrite` is false.
    """
    _check_choices(out, batch_size, options)
    options = Options(**options)
    if options.pages != 'largest':
        raise ColornetError('each photo has one result: pages=%r is for '
                            'colornet.photos.folders.colorize_files'
                            % options.pages)
    report = Report()
    steps = Steps(colorizer, options, report)
    kinds = _as_kinds(photos, out, options, overwrite)
    results = []
    for start in range(0, len(kinds), batch_size):
        chunk = kinds[start:start + batch_size]
        jobs = [_look(steps, kind) for kind in chunk]
        results += [kind.finish(steps, job, chroma) for kind, job, chroma
                    in zip(chunk, jobs, steps.predict(jobs))]
    for text in report.notes:
        note('colornet: note: ' + text)
    return results


def _check_choices(out, batch_size, options):
    """Refuse names and types that would end in a TypeError."""
    names = [field.name for field in fields(Options)]
    unknown = sorted(set(options).difference(names))
    if unknown:
        raise ColornetError('no option is called %s; there are %s' % (
            ', '.join(unknown), ', '.join(sorted(
                {'batch_size', 'borders', 'out', 'overwrite', 'tones', *names}
                - {'pages'}))))
    if not isinstance(batch_size, Integral) or batch_size < 1:
        raise ColornetError('batch_size must be a positive integer, not %r'
                            % (batch_size,))
    if not isinstance(out, (str, os.PathLike, type(None))):
        raise ColornetError('out must be a path, not %r' % (out,))


def _as_kinds(photos, out, options, overwrite):
    """An object of the classes below for each photo."""
    kinds = [next(kind for kind in (_File, _Bytes, _Image, _Stream, _Array)
                  if isinstance(photo, kind.TYPES))(photo)
             for photo in photos]
    folders = {}
    for file in kinds:
        if isinstance(file, _File):
            folder = Path(file.path.parent if out is None else out)
            folders.setdefault(folder, []).append(file)
    for folder, files in folders.items():
        targets = Targets(folder, options, Report())
        found = [(file.path, Path(file.path.name)) for file in files]
        jobs = {job.source: job for job in targets.assign(found)}
        for file in files:
            file.targets, file.job = targets, jobs[file.path]
            file.overwrite = overwrite
            file.check_is_free(file.job.target)
    return kinds


def _look(steps, kind):
    """The job of a photo, with what the network sees of it."""
    job = steps.name(kind.job, *steps.look(kind.load()))
    if job is None:
        raise ColornetError('%s has colours of its own: colour=\'keep\', '
                            '\'blend\' or \'replace\' says what becomes of '
                            'them' % kind.job.source)
    return kind.place(job)


class _File:

    TYPES = str, os.PathLike

    def __init__(self, path):
        if not os.fspath(path):
            # Path takes it for the current folder.
            raise ColornetError("no photo is called '', a path that is empty")
        self.path = Path(path)

    def load(self):
        return read_photo(self.path)

    def place(self, job):
        placed = self.targets.rename(job)
        # The same file may be there twice in a list.
        if placed.target != job.target:
            self.check_is_free(placed.target)
        return placed

    def check_is_free(self, target):
        if not self.overwrite and os.path.lexists(target):
            raise ColornetError('%s is there; overwrite=True replaces it'
                                % target)

    def finish(self, steps, job, chroma):
        steps.write(job, chroma)
        return job.target


class _InMemory:

    def __init__(self, photo):
        self.photo = photo
        self.job = Job(Path('photo'), Path('photo'))

    def place(self, job):
        return job


class _Bytes(_InMemory):

    TYPES = bytes, bytearray, memoryview

    def load(self):
        return decode_photo(self.photo, 'photo')

    def finish(self, steps, job, chroma):
        return steps.encode(job, chroma, self.photo)


class _Readable(abc.ABC):
    """Whatever has a method ``read``, as open files do."""

    @classmethod
    def __subclasshook__(cls, other):
        return callable(getattr(other, 'read', None))


class _Stream(_Bytes):

    TYPES = _Readable

    def load(self):
        self.photo = self.photo.read()
        if not isinstance(self.photo, bytes):
            raise ColornetError("a file must be open for bytes ('rb'), not "
                                'for text')
        return super().load()

    def finish(self, steps, job, chroma):
        return io.BytesIO(super().finish(steps, job, chroma))


class _Image(_InMemory):

    TYPES = Image.Image

    def load(self):
        return photo_of_image(self.photo)

    def finish(self, steps, job, chroma):
        photo = job.photo
        channels = [as_uint8(steps.colour(job, chroma, np.uint8))]
        if photo.alpha is not None:
            channels.append(as_uint8(photo.alpha))
        image = Image.fromarray(to_stored(np.dstack(channels),
                                          photo.orientation))
        image.info = {name: value for name, value in self.photo.info.items()
                      if name not in _REPLACED}
        return image


class _Array(_InMemory):

    TYPES = object

    def load(self):
        pixels = np.asarray(self.photo)
        if pixels.dtype.kind not in 'biuf':
            raise ColornetError(
                'a photo is a path, bytes, an open file, an image of Pillow '
                'or an array of numbers, not %s' % (
                    'an array of %s' % pixels.dtype
                    if isinstance(self.photo, np.ndarray) else
                    type(self.photo).__name__))
        if pixels.dtype == bool:
            pixels = pixels * np.uint8(255)
        check_dtype(pixels)
        if (pixels.ndim not in (2, 3) or not pixels.size or
                pixels.ndim == 3 and pixels.shape[2] > 4):
            raise ColornetError('a photo must be (rows, columns), or (rows, '
                                'columns, channels) with 1 to 4 channels, not '
                                '%s' % (pixels.shape,))
        self.dtype = pixels.dtype
        if pixels.dtype.kind == 'f':
            pixels = pixels.astype(np.float32)
        else:
            pixels = native(pixels)
        if pixels.ndim != 3 or pixels.shape[2] not in (1, 2, 4):
            return Photo(pixels)
        alpha = pixels[..., -1] if pixels.shape[2] > 1 else None
        return Photo(pixels[..., :3] if pixels.shape[2] == 4 else
                     pixels[..., 0], alpha)

    def finish(self, steps, job, chroma):
        rgb = steps.colour(job, chroma, job.photo.pixels.dtype.type)
        if job.photo.alpha is not None:
            rgb = np.dstack([rgb, job.photo.alpha])
        return rgb.astype(self.dtype)
