"""Photos that end early: refused, told, or with all that they show."""

import numpy as np

from colornet.formats.decoding import decode_photo
from colornet.formats.photo import ImageError

from .processes import Process

__all__ = ['find_silent', 'is_silent']

#: Of a file, that are left.
_SHARES = .3, .5, .7, .9, .97

#: Seconds for the files of a format.
_LONGEST = 300


def is_silent(suffix, content, length):
    """Whether a photo that is cut shows other pixels, and nobody is told.

    Parameters
    ----------
    suffix : str
        Of its name.
    content : bytes
        The whole file.
    length : int
        That is left of it.

    Returns
    -------
    bool
    """
    whole = decode_photo(content, 'photo' + suffix)
    try:
        photo = decode_photo(content[:length], 'photo' + suffix)
    except ImageError:
        return False
    return photo.notes == whole.notes and not (
        np.array_equal(photo.pixels, whole.pixels) and
        np.array_equal(photo.alpha, whole.alpha))


def find_silent(files, log):
    """Cut whole files, in a process of its own.

    Parameters
    ----------
    files : list of (str, bytes)
        Ending of a name and content.
    log : Path
        For what it prints.

    Returns
    -------
    list of (str, bytes, str)
        Ending and content of those that are faults, and why.
    """
    cuts = [(suffix, content, int(len(content) * share))
            for suffix, content in files for share in _SHARES]

    def look(_):
        for number, cut in enumerate(cuts):
            print(number, flush=True)
            if is_silent(*cut):
                print('silent', flush=True)
        return 0
    process = Process([], log, command=look)
    if not process.wait(_LONGEST):
        process.kill()
    lines = process.lines()
    # A number is of what came of it, or of what was the last thing.
    found = [(int(number), 'it is taken for whole') for number, line in
             zip(lines, lines[1:]) if line == 'silent']
    if process.status:
        last = max([int(line) for line in lines if line.isdigit()] or [0])
        found.append((last, 'status %s: %s' % (process.status, lines[-1:])))
    return [(cuts[number][0], cuts[number][1][:cuts[number][2]], reason)
            for number, reason in found]
