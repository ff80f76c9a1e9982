"""Files that are written completely or not at all."""

import contextlib
import csv
import errno
import fcntl
import functools
import hashlib
import io
import json
import os
import re
import time
import uuid
from numbers import Integral
from pathlib import Path

from .errors import ColornetError

__all__ = ['check_output', 'check_regular', 'digest_file', 'is_full',
           'is_locked', 'is_number', 'is_special', 'locked', 'make_folder',
           'read_csv', 'replacing', 'write_csv', 'write_json', 'write_rows',
           'write_text', 'writing']

#: What no value of a table has.
_CONTROL = re.compile('[\\x00-\\x1f\\x7f]')

#: Names of files that are not whole yet, and the age at which nobody writes
#: on one any more.
_TEMPORARY, _LEFTOVER_SECONDS = '.colornet-%s.part', 3600


def is_full(error):
    """Whether an error is that of a disk, or of one's share, that is full.

    Parameters
    ----------
    error : Exception

    Returns
    -------
    bool
    """
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC,
                                                          errno.EDQUOT)


def check_regular(path):
    """Refuse pipes and devices: reading them might never end.

    Raises
    ------
    ColornetError
        If there is one at `path`.
    """
    if is_special(path):
        raise ColornetError('%s is not a regular file' % path)


def is_special(path):
    """Whether there is something that is neither a file nor a folder."""
    # Path's methods would raise an error where one may not look.
    return os.path.exists(path) and not (os.path.isfile(path) or
                                         os.path.isdir(path))


def check_output(path, suffix=None):
    """Refuse, before the work, a path that could not be written after it.

    Parameters
    ----------
    path : str or Path
        Its folder is made when it is written.
    suffix : str, optional
        That it must have.

    Raises
    ------
    ColornetError
    """
    path = Path(path)
    if suffix and path.suffix.lower() != suffix:
        raise ColornetError('%s: the result is a %s file; choose a name with '
                            'this ending' % (path, suffix))
    if path.is_dir():
        raise ColornetError('cannot write %s: it is a folder' % path)
    if is_special(path):
        raise ColornetError('cannot write %s: not a regular file' % path)
    folder = next(folder for folder in path.absolute().parents
                  if os.path.lexists(folder))
    if not folder.is_dir():
        raise ColornetError('cannot write %s: %s is no folder'
                            % (path, folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ColornetError('cannot write %s: no permission to write in %s'
                            % (path, folder))


@contextlib.contextmanager
def locked(folder, busy):
    """Keep other processes out of a folder, which is made if it is missing.

    What is refused before it writes anything leaves nothing; what was killed
    an hour ago or more while it wrote a file, no half of it.

    Parameters
    ----------
    folder : Path
    busy : str
        The error where another process is in there.

    Raises
    ------
    ColornetError
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    make_folder(folder)
    lock = folder / 'lock'
    with writing(lock):
        stream = open(lock, 'w')
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ColornetError(busy)
        _remove_leftovers(folder)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                if list(folder.iterdir()) == [lock]:
                    lock.unlink()
                    for path in made:
                        path.rmdir()


def is_locked(folder):
    """Whether another process is in a folder: see :func:`locked`.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    bool
        False, too, where that cannot be told.
    """
    try:
        with open(folder / 'lock') as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def _remove_leftovers(folder):
    """What :func:`replacing` has begun and was killed before it was done.

    Others may write in the folder at the moment: what is new stays.
    """
    for path in folder.glob(_TEMPORARY % '*'):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _LEFTOVER_SECONDS:
                path.unlink()


#: The same, when a process first writes there: folders may have many files.
_remove_leftovers_once = functools.lru_cache(1 << 12)(_remove_leftovers)


@contextlib.contextmanager
def replacing(path):
    """Write a file under a temporary name, then rename it.

    Whoever reads `path` sees the old file or the new one, never half of one,
    also after a power cut. What a process that was killed an hour ago or more
    has left in its folder goes.

    Parameters
    ----------
    path : str or Path

    Yields
    ------
    str
        The temporary name, in the same folder. It takes the place of `path`
        when the block ends, or is removed if an exception ends it.

    Raises
    ------
    OSError
        If there is a device or a pipe at `path`, which must not be replaced.
    """
    # Path.resolve() raises an error of its own for links that go in circles.
    path = Path(os.path.realpath(path))
    if is_special(path):
        raise OSError(errno.EINVAL, 'not a regular file')
    _remove_leftovers_once(path.parent)
    temporary = str(path.parent / (_TEMPORARY % uuid.uuid4().hex[:12]))
    try:
        yield temporary
        with open(temporary, 'rb+') as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            os.remove(temporary)


@contextlib.contextmanager
def writing(path):
    """Turn an OSError of the block into a ColornetError that names `path`."""
    try:
        yield
    except OSError as error:
        raise ColornetError('cannot write %s: %s'
                            % (path, error.strerror or error))


def write_text(path, text):
    """Write a text file, completely or not at all.

    Parameters
    ----------
    path : str or Path
        Its folder is made if it is missing.
    text : str

    Raises
    ------
    ColornetError
        If it cannot be written; the old file stays.
    """
    make_folder(Path(path).parent)
    with writing(path), replacing(path) as temporary:
        # Names of files need not be valid Unicode.
        Path(temporary).write_bytes(text.encode('utf-8', 'backslashreplace'))


def write_csv(path, header, rows):
    """Write a CSV file, completely or not at all.

    Parameters
    ----------
    path : str or Path
    header : sequence of str
    rows : iterable of sequences of str

    Raises
    ------
    ColornetError
        If it cannot be written; the old file stays.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator='\n')
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, stream.getvalue())


def write_rows(path, columns, rows, number='%.6g'):
    """Write rows with named values as CSV, completely or not at all.

    Parameters
    ----------
    path : str or Path
    columns : sequence of str
        The header.
    rows : iterable of dict
        Column -> text or number; what is missing stays empty.
    number : str
        Format of numbers that are not whole.
    """
    write_csv(path, columns, (
        [str(value) if isinstance(value, (str, Integral)) else number % value
         for value in (row.get(column, '') for column in columns)]
        for row in rows))


def write_json(path, value):
    """Write a JSON file, completely or not at all."""
    write_text(path, json.dumps(value, indent=1) + '\n')


def read_csv(path, numbers=()):
    """Read a CSV file with a header.

    Parameters
    ----------
    path : str or Path
    numbers : collection of str
        Columns that have numbers or nothing.

    Returns
    -------
    list of dict of str to str

    Raises
    ------
    ColornetError
        If it cannot be read, or is damaged: no line may be cut, lost between
        quotes, or have another number of values than there are columns.
    """
    try:
        with open(path, newline='', encoding='utf-8') as stream:
            text = stream.read()
        reader = csv.reader(io.StringIO(text, newline=''), strict=True)
        header = next(reader, [])
        rows = [(reader.line_num, row) for row in reader if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ColornetError('cannot read %s: %s' % (
            path, getattr(error, 'strerror', None) or error))
    if text and text[-1] not in '\r\n':
        raise _damaged(path, reader.line_num, 'it does not end')
    if len(set(header)) < len(header):
        raise _damaged(path, 1, 'a column is there twice')
    return [_named(path, header, *row, numbers) for row in rows]


def _damaged(path, line, reason):
    return ColornetError('%s is damaged in line %d: %s' % (path, line,
                                                           reason))


def _named(path, header, line, row, numbers):
    """A row of a CSV file by its header."""
    if len(row) != len(header):
        raise _damaged(path, line, '%d values, not %d' % (len(row),
                                                          len(header)))
    if any(map(_CONTROL.search, row)):
        raise _damaged(path, line, 'a value is no line of text')
    named = dict(zip(header, row))
    for name in set(numbers).intersection(named):
        if named[name] and not is_number(named[name]):
            raise _damaged(path, line, '%s is no number' % name)
    return named


def is_number(text):
    """Whether a text is one, as Python writes floats.

    Parameters
    ----------
    text : str
    """
    try:
        float(text)
    except ValueError:
        return False
    return True


def digest_file(path):
    """SHA-256 of what a file holds, in hexadecimal digits.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    str
    """
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def make_folder(folder):
    """Make a folder, and those above it, unless it is there.

    Raises
    ------
    ColornetError
        If it cannot be made.
    """
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise ColornetError('cannot make the folder %s: %s'
                            % (folder, error.strerror.lower()))
