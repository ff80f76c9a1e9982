"""Memory of another process, as Linux tells it."""

import contextlib
import time
from pathlib import Path

import numpy as np

__all__ = ['Memory', 'anonymous_mb', 'peak_mb', 'resident_mb']


def resident_mb(process):
    """Memory that a process has now.

    Parameters
    ----------
    process : int
        Its number.

    Returns
    -------
    float or None
        MB; None where there is no such process, or Linux is not there.
    """
    return _status_mb(process, 'VmRSS:')


def peak_mb(process='self'):
    """The most that a process ever had; otherwise as :func:`resident_mb`."""
    return _status_mb(process, 'VmHWM:')


def anonymous_mb(process='self'):
    """What a process has now that is of no file, which who it forks has."""
    return _status_mb(process, 'RssAnon:')


def _status_mb(process, name):
    with contextlib.suppress(OSError, IndexError):
        text = Path('/proc/%s/status' % process).read_text()
        return int(text.partition(name)[2].split()[0]) / 1024
    return None


class Memory:
    """Looks at a process's memory twice a second, beside what it has done.

    Attributes
    ----------
    looks : list of (int, float)
        Things that were done, MB.
    """

    #: Seconds between two looks.
    INTERVAL = 0.5

    def __init__(self):
        self.looks = []
        self._last = float('-inf')

    def look(self, process, done):
        """Look, unless it was just done.

        Parameters
        ----------
        process : int
        done : int
            How many things it has done.
        """
        if time.monotonic() - self._last < self.INTERVAL:
            return
        resident = resident_mb(process)
        if resident is not None:
            self._last = time.monotonic()
            self.looks.append((done, resident))

    def after(self, share):
        """MB when a share of the things was done."""
        return next(resident for done, resident in self.looks
                    if done >= share * self.looks[-1][0])

    def most(self):
        """MB at the most."""
        return max(resident for _, resident in self.looks)

    def slope(self, share=1 / 3):
        """MB that each thing takes more, once a share of them is done.

        Returns
        -------
        float
            Of the straight line through the looks; 0 if there are too few.
        """
        done, resident = np.transpose([
            look for look in self.looks
            if look[0] >= share * self.looks[-1][0]])
        if len(set(done)) < 2:
            return 0.
        return float(np.polyfit(done, resident, 1)[0])
