"""What became of photos."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List, Optional, Tuple

__all__ = ['Report']


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
    in_colour : list of Path
        The sources that have colours and were left out.
    undone : list of Path
        The sources that an interruption or an error ended the work before.
    others : Counter of str
        Files that are no photos, by their suffix, such as '.txt'; '' counts
        those without.
    notes : dict of str to list of Path
        What could not be followed or kept: the sources of which that is so.
    listener : callable, optional
        Is told of each photo when it ends: a dict with ``source`` and
        ``status``, which is ``written``, ``skipped``, ``in colour``,
        ``failed`` or ``not done``; ``output``, or ``reason``; ``notes`` and
        ``first_only``, where there are such.
    """

    written: List[Path] = field(default_factory=list)
    failed: List[Tuple[Path, str]] = field(default_factory=list)
    skipped: List[Path] = field(default_factory=list)
    first_only: List[Path] = field(default_factory=list)
    in_colour: List[Path] = field(default_factory=list)
    undone: List[Path] = field(default_factory=list)
    others: Counter = field(default_factory=Counter)
    notes: Dict[str, List[Path]] = field(default_factory=dict)
    listener: Optional[Callable] = field(default=None, compare=False,
                                         repr=False)
    _untold: Dict[Path, List[str]] = field(default_factory=dict, init=False,
                                           compare=False, repr=False)

    def add_note(self, source, text):
        """Something of a photo could not be followed or kept."""
        self.notes.setdefault(text, []).append(source)
        self._untold.setdefault(source, []).append(text)

    def add_written(self, source, target, first_only=False):
        """A photo was coloured."""
        self.written.append(target)
        more, notes = {}, self._untold.pop(source, [])
        if notes:
            more['notes'] = notes
        if first_only:
            self.first_only.append(source)
            more['first_only'] = True
        self._tell(source, 'written', output=str(target), **more)

    def add_failed(self, source, reason):
        """A photo could not be coloured."""
        self.failed.append((source, reason))
        self._tell(source, 'failed', reason=reason)

    def add_skipped(self, source, target):
        """The output of a photo was there before."""
        self.skipped.append(target)
        self._tell(source, 'skipped', output=str(target))

    def add_in_colour(self, source):
        """A photo has colours and was left out."""
        self.in_colour.append(source)
        self._tell(source, 'in colour')

    def add_undone(self, source):
        """All was ended before a photo was coloured."""
        self.undone.append(source)
        self._tell(source, 'not done')

    def add_other(self, path):
        """A file in a folder is no photo."""
        self.others[Path(path).suffix.lower()] += 1

    def _tell(self, source, status, **more):
        if self.listener is not None:
            self.listener(dict(source=str(source), status=status, **more))
