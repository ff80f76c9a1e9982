"""Folders that are watched: photos are coloured as they arrive.

By asking once a second, which also works on network folders and in
containers; a file is taken when it has stopped changing.
"""

import os
import time

from ..files import make_folder
from ..photos.folders import Steps, run_jobs
from ..photos.naming import Targets, find_sources
from ..photos.options import Options
from ..photos.report import Report

__all__ = ['watch_files']

#: Seconds between two looks.
INTERVAL = 1

#: Looks in a row that must find a file as it was.
SETTLED = 2


def watch_files(colorizer, sources, out_folder, batch_size=4, overwrite=False,
                report=None, options=Options(), is_over=lambda: False):
    """Colorize what is in files and folders, and whatever comes or changes.

    Parameters
    ----------
    colorizer : Colorizer
    sources : sequence of str or Path
        Folders may be missing for a while.
    out_folder : str or Path
        What is in there is never a source.
    batch_size : int
        Photos that go through the network at a time.
    overwrite : bool
        If false, photos whose result is there at the start are left. A
        photo that changes later is coloured anew.
    report : Report, optional
        Filled.
    options : Options
    is_over : callable
        Asked after each look; until it says so, this goes on.

    Raises
    ------
    ColornetError
        If the output folder is one of the sources or cannot be written to.
    """
    report = Report() if report is None else report
    make_folder(out_folder)
    targets = Targets(out_folder, options, report)
    steps = Steps(colorizer, options, report, targets)
    changes, told = _Changes(), set()
    while True:
        # A report for each look: a fault that stays is told once.
        looked = Report()
        found = find_sources(sources, out_folder, looked)
        for failure in looked.failed:
            if failure not in told:
                told.add(failure)
                report.add_failed(*failure)
        results = {os.path.realpath(path) for path in
                   targets.claims.values()}
        # Of each kind as many as there were at most.
        report.others |= looked.others
        first, again = changes.look([
            pair for pair in found
            if os.path.realpath(pair[0]) not in results])
        for pairs, replaces in (first, overwrite), (again, True):
            if pairs:
                run_jobs(targets.assign(pairs, replaces), steps, report,
                         batch_size)
        if is_over():
            return
        time.sleep(INTERVAL)


class _Changes:
    """Which files have changed and then stopped to."""

    def __init__(self):
        self._seen = {}  # source: (state, looks that found it so)
        self._taken = {}  # source: state

    def look(self, found):
        """Of (source, name) pairs: those to be taken first, and again."""
        first, again, seen = [], [], {}
        for pair in found:
            source, state = pair[0], _state(pair[0])
            before, looks = self._seen.get(source, (None, 0))
            looks = looks + 1 if state == before else 0
            seen[source] = state, looks
            if (state is not None and looks >= SETTLED and
                    self._taken.get(source) != state):
                (again if source in self._taken else first).append(pair)
                self._taken[source] = state
        self._seen = seen
        return first, again


def _state(path):
    """Size and time of a file; None if it has gone."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
