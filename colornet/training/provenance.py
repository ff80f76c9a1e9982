"""Where the numbers of a run come from: its ``provenance.json``."""

import json
import platform
import subprocess
import sys
import time

import numpy as np

from ..errors import ColornetError
from ..files import write_json
from ..resources import ROOT, image_commit

__all__ = ['Provenance', 'describe_run', 'git_commit', 'read_provenance']


def git_commit():
    """The checkout's commit, or that of a container's image, or None."""
    return _git('rev-parse', 'HEAD') or image_commit()


def _git(*arguments):
    try:
        return subprocess.run(
            ('git',) + arguments, check=True, stdout=subprocess.PIPE,
            cwd=str(ROOT),
            stderr=subprocess.DEVNULL).stdout.decode().strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def describe_run(data_folder, num_images):
    """What the numbers of a run depend on besides its configuration.

    Parameters
    ----------
    data_folder : str or Path
    num_images : int
        All that can be used of the data set's training split.

    Returns
    -------
    dict
        For JSON; what computes is not in there.
    """
    return {'command': sys.argv, 'date': time.strftime('%Y-%m-%d %H:%M:%S'),
            'git_commit': git_commit(),
            'git_changes': bool(_git('status', '--porcelain', '--',
                                     'colornet', 'experiments')),
            'python': platform.python_version(), 'numpy': np.__version__,
            'data_folder': str(data_folder), 'num_images': num_images}


class Provenance:
    """The parts of a training, one each time that it was begun or resumed.

    Parameters
    ----------
    folder : Path
        Of the run. The parts that are there are kept.
    part : dict
        The one that begins: :func:`describe_run`, and more.
    """

    def __init__(self, folder, part):
        self._path = folder / 'provenance.json'
        self._parts = _read_parts(self._path) + [part]
        self.commit = part['git_commit']

    def write(self, **more):
        """Write all parts, with more about the one that began."""
        self._parts[-1].update(more)
        write_json(self._path, self._parts)


def read_provenance(folder):
    """Where the parts of a training were made.

    Parameters
    ----------
    folder : Path
        Of the run.

    Returns
    -------
    list of dict
        The last has all of ``git_commit``, ``git_changes``, ``date`` and
        ``num_images``.

    Raises
    ------
    ColornetError
        If that cannot be read.
    """
    path = folder / 'provenance.json'
    try:
        parts = json.loads(path.read_text())
        for name in ('git_commit', 'git_changes', 'date', 'num_images'):
            parts[-1][name]
        return parts
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        raise ColornetError('%s is missing or damaged; remove the folder to '
                            'train again' % path)


def _read_parts(path):
    """Where each part of a resumed training was made, so far."""
    try:
        known = json.loads(path.read_text())
    except (OSError, ValueError):
        known = []
    # Whatever else somebody put there is kept.
    return known if isinstance(known, list) else [known]
