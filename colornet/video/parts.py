"""Finished parts of a film, on disk until all are there."""

import contextlib
import json
import os
import re
import zipfile
from pathlib import Path

import numpy as np

from ..errors import ColornetError
from ..files import digest_file, locked, replacing, write_json, writing
from .colouring import State
from .packages import import_package
from .reading import naming_errors
from .writing import Format

__all__ = ['Parts', 'folder_of', 'has_parts']

#: Of parts: it keeps times as they are, to any fraction of a second.
FORMAT = Format('nut', '')
_SUFFIX = '.nut'

_SETTINGS, _STATE = 'settings.json', 'state.npz'

# Parts, and what is not yet a whole file of the folder.
_OWN = re.compile(r'\d{6,}\%s|\.colornet-\w+\.part' % _SUFFIX)


def folder_of(target):
    """The folder of a result's parts, beside it."""
    target = Path(target)
    return target.with_name(target.name + '.parts')


def has_parts(target):
    """Whether parts of a result are finished, and not yet all."""
    return os.path.exists(folder_of(target) / _STATE)


class Parts:
    """Parts that are finished, and what was known at the end of the last.

    Parameters
    ----------
    folder : Path
        Locked: see :meth:`opened`.
    time_base : Fraction
        Seconds that a timestamp of the clip counts.

    Attributes
    ----------
    frames : int
        In all parts.
    last, duration : int or None
        Timestamp of the last frame, and how long it is shown.
    state : State
        After it.
    """

    def __init__(self, folder, time_base):
        self.folder, self.time_base = folder, time_base
        self.frames, self._digests = 0, []
        self.last = self.duration = None
        self.state = State()

    @property
    def count(self):
        """Of parts, an int."""
        return len(self._digests)

    @classmethod
    @contextlib.contextmanager
    def opened(cls, folder, time_base, settings, resume, overwrite):
        """Parts of this film in a folder, where nobody else writes.

        Nothing is left there as long as none is finished.

        Parameters
        ----------
        folder : Path
        time_base : Fraction
        settings : dict of str to str
            What parts must have in common.
        resume, overwrite : bool
            Whether what is there is taken, or removed.

        Yields
        ------
        Parts

        Raises
        ------
        ColornetError
            If there is something, and neither is wished, or it was made with
            other settings.
        """
        try:
            with locked(folder, 'another colornet writes in %s' % folder):
                parts = cls(folder, time_base)
                if resume or not overwrite:
                    parts._read()
                if parts.count:
                    if not resume:
                        raise ColornetError(
                            '%s has finished parts: --resume goes on with '
                            'them, --overwrite begins anew' % folder)
                    _check_settings(folder, settings)
                parts._remove_others()
                write_json(folder / _SETTINGS, settings)
                try:
                    yield parts
                finally:
                    if not parts.count:
                        parts.remove()
        finally:
            with contextlib.suppress(OSError):
                folder.rmdir()  # If nothing is left in it.

    @contextlib.contextmanager
    def add(self):
        """Write another part.

        Yields
        ------
        str
            The file that it goes into, of the format :data:`FORMAT`. It counts
            once :meth:`note` was called.
        """
        path = self._path(self.count)
        with writing(path), replacing(path) as temporary:
            yield temporary

    def note(self, frames, last, state):
        """Note that another part is finished.

        Parameters
        ----------
        frames : int
        last : Frame
            The last of them.
        state : State
            After it.
        """
        digests = self._digests + [digest_file(self._path(self.count))]
        self.frames += frames
        self.last, self.duration, self.state = last.pts, last.duration, state
        path = self.folder / _STATE
        sums = np.zeros(0) if state.sums is None else state.sums
        with writing(path), replacing(path) as temporary:
            with open(temporary, 'wb') as stream:
                np.savez(stream, luminance=state.luminance, sums=sums,
                         digests=digests, numbers=[
                             state.since, self.frames, self.last,
                             self.duration])
        self._digests = digests

    def packets(self):
        """What is in all parts, in order.

        Yields
        ------
        av.Packet
            With its duration, which files of parts do not have.
        """
        before = None
        for packet in self._read_packets():
            if before is not None:
                before.duration = packet.pts - before.pts
                yield before
            before = packet
        if before is not None:
            before.duration = round(self.duration * self.time_base /
                                    before.time_base)
            yield before

    def _read_packets(self):
        av = import_package('av')
        for number in range(self.count):
            path = self._path(number)
            with naming_errors('cannot read %s' % path):
                container = av.open(str(path))
            with container:
                for packet in container.demux(video=0):
                    if packet.size:
                        yield packet

    def remove(self):
        """Remove the parts, which are no longer wanted."""
        self._digests = []
        self._remove_others()
        with contextlib.suppress(OSError):
            os.remove(self.folder / _SETTINGS)

    def _path(self, number):
        return self.folder / ('%06d%s' % (number, _SUFFIX))

    def _read(self):
        """Take what is finished; nothing, if anything is damaged."""
        try:
            with np.load(self.folder / _STATE) as file:
                sums = file['sums'] if file['sums'].size else None
                since, frames, last, duration = file['numbers'].tolist()
                state = State(file['luminance'], sums, since)
                digests = file['digests'].tolist()
            if digests != [digest_file(self._path(number))
                           for number in range(len(digests))]:
                return
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return
        self.state, self.frames, self._digests = state, frames, digests
        self.last, self.duration = last, duration

    def _remove_others(self):
        """Remove what was not finished, and nothing of others."""
        if not self.count:  # First: parts without it do not count.
            with contextlib.suppress(OSError):
                os.remove(self.folder / _STATE)
        kept = {self._path(number) for number in range(self.count)}
        for path in self.folder.iterdir():
            if path not in kept and _OWN.fullmatch(path.name):
                path.unlink()


def _check_settings(folder, settings):
    try:
        there = json.loads((folder / _SETTINGS).read_text(encoding='utf-8'))
        if not isinstance(there, dict):
            raise ValueError('it is no object')
    except (OSError, ValueError) as error:
        raise ColornetError('cannot read %s: %s; --overwrite without --resume '
                            'begins anew' % (folder / _SETTINGS, error))
    for name, value in settings.items():
        if there.get(name) != value:
            raise ColornetError(
                '%s was begun with another %s: %s, now %s; --overwrite '
                'without --resume begins anew'
                % (folder, name, there.get(name), value))
