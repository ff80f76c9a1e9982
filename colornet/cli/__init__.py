"""The command line; a module for each theme.

Exit statuses: 0, all is done; 1, some photos could not be coloured, the
others are; 2, nothing could be done; 128 + n, ended by signal n.
"""

import sys

__all__ = ['main', 'report_errors']


def main(arguments=None):
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        ``sys.argv[1:]`` if not given.

    Returns
    -------
    int
        The exit status.
    """
    try:
        # Within the guard: Ctrl-C may come as soon as the program starts.
        from .program import run_program
        return run_program(arguments)
    except KeyboardInterrupt:
        print('colornet: interrupted', file=sys.stderr)
        return 130


def __getattr__(name):
    """Import on first use, so that there is little before the guard."""
    if name == 'report_errors':
        from .program import report_errors
        return report_errors
    raise AttributeError('module %r has no attribute %r' % (__name__, name))
