"""Progress bars of long work, on the standard error stream."""

import sys

from tqdm import tqdm

__all__ = ['on_terminal', 'progress_bar']


def on_terminal():
    """Whether the standard error stream is open and a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


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
    interval = 0.5 if on_terminal() else 30
    if sys.stderr is None:
        options['disable'] = True
    return tqdm(iterable, mininterval=interval, maxinterval=max(interval, 10),
                **options)
