"""What scripts do with the faults that they have found."""

from pathlib import Path

from colornet.terminal import say

__all__ = ['find_excess', 'keep_file', 'say_faults']


def find_excess(*spent):
    """What is more than it may be.

    Parameters
    ----------
    *spent : (float, float, str)
        What it was, what it may be at the most, and its unit.

    Returns
    -------
    str
        '' if nothing is.
    """
    return ', '.join('%d %s, more than %d' % (value, unit, most)
                     for value, most, unit in spent if value > most)


def say_faults(found):
    """Print faults, and how many there are.

    Parameters
    ----------
    found : list of str

    Returns
    -------
    bool
        Whether there are any: the exit status.
    """
    for line in found:
        say('FAULT %s' % line)
    say('%d faults' % len(found))
    return bool(found)


def keep_file(folder, name, content):
    """Keep a file with which there was a fault.

    Parameters
    ----------
    folder : str or Path
        Made if it is missing.
    name : str
    content : bytes
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
