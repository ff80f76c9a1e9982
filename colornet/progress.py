"""Progress bars of long work, on the standard error stream."""

import sys

from tqdm import tqdm

__all__ = ['progress_bar']


def progress_bar(iterable=None, **options):
    """A tqdm bar that fills no log files.

    Parameters
    ----------
    iterable, options
        As tqdm takes them.

    Returns
    -------
    tqdm
        On a terminal, drawn twice a second; elsewhere, a line every half
        minute.
    """
    interval = 0.5 if sys.stderr.isatty() else 30
    return tqdm(iterable, mininterval=interval, maxinterval=max(interval, 10),
                **options)
