"""How far a training has come: what its checkpoint has, what it says."""

import re
from collections import namedtuple

from colornet.network.parameters import load_progress

__all__ = ['State', 'read_state', 'resumed_from']


class State(namedtuple('State', 'epochs minibatches')):
    """What a checkpoint has: epochs, and minibatches of the next one."""

    def count(self, in_epoch):
        """All its minibatches."""
        return self.epochs * in_epoch + self.minibatches


def read_state(run):
    """The state of a run folder's checkpoint.

    Raises
    ------
    ColornetError
        If it is damaged.
    """
    if not (run / 'last.h5').exists():
        return State(0, 0)
    progress, _ = load_progress(run / 'last.h5')
    return State(len(progress['history']), progress['iteration'])


def resumed_from(lines):
    """The state that a training says to go on from.

    Parameters
    ----------
    lines : list of str
        What it printed.

    Returns
    -------
    State
        Of none, where it says nothing: it has begun anew.
    """
    for line in lines:
        told = re.search(r'resuming after (\d+) epochs and (\d+) mini', line)
        if told:
            return State(*map(int, told.groups()))
    return State(0, 0)
