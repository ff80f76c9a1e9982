"""Thousands of damaged files that are no photos, and damaged requests.

``python -m reliability.inputs`` damages weights, networks, ONNX files,
configurations, logs, lists of photos, caches, compiled functions, films and
checkpoints, each read in a process of its own, and requests to the page's
server. Each is read as what it was or as another whole one, or refused in one
line: nothing is half loaded, and nothing that is in a file runs. None takes
more than 10 seconds of computing, 45 until it ends, or half a gigabyte of
memory; the most that any of a kind took ends its line. Files with faults are
kept. The exit status is 1 if there are any.
"""

import argparse
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from colornet.cli import report_errors
from colornet.cli.options import positive
from colornet.errors import ColornetError, TheanoMissing
from colornet.resources import take_environment
from colornet.terminal import note, progress_bar, say

from .films import FilmReader
from .networks import NETWORKS
from .processes import Process, bound
from .readers import READERS
from .verdict import find_excess, keep_file

__all__ = ['MOST_BYTES', 'MOST_SECONDS', 'MOST_WAITING', 'main', 'try_file']

#: What reads each kind.
KINDS = dict(NETWORKS, **READERS, film=FilmReader)

#: Seconds of computing that a file may take; until its process ends, on a
#: machine that is busy with other things.
MOST_SECONDS, MOST_WAITING = 10, 45

#: Of memory, beyond what is there before it is read.
MOST_BYTES = 512 << 20

#: What no file may do, by the names of Python's audit events.
_FORBIDDEN = re.compile(r'os\.(system|exec|fork|posix_spawn|spawn|remove|'
                        r'rename|putenv)|subprocess\.|socket\.connect|'
                        r'ctypes\.dlopen|pickle\.find_class|shutil\.|'
                        r'(open|exec|compile)$')

_NOISE = re.compile('[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]|'
                    'Traceback|internal error|Warning|<class|out of memory')


def try_file(reader, path, log, whole=False):
    """Read a file in a process of its own.

    Parameters
    ----------
    reader : Reader
    path, log : Path
    whole : bool
        Whether it is not damaged, and may do what its kind does.

    Returns
    -------
    what : str
        'read', 'refused' or 'fault'; the last also if a damaged one left
        anything in the reader's folder, which is removed.
    reason : str
        Of a fault.
    """
    before = _files_of(reader)
    return _judge(reader, _start(reader, path, log, whole), before, whole)


def _files_of(reader):
    return set(reader.folder.rglob('*'))


def _start(reader, path, log, whole=False):
    return Process([], log, command=lambda _: report_errors(
        _read, reader, path, whole))


def _judge(reader, process, before, whole=False):
    """What :func:`try_file` returns, when a process has ended."""
    what, reason = _say(process)
    new = _files_of(reader) - before - {Path(process.log)}
    if whole or not new:
        return what, reason
    for each in new:
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink(missing_ok=True)
    return 'fault', 'it leaves %s; %s' % (', '.join(sorted(
        each.name for each in new)), reason)


def _say(process):
    """What a process says, but for what it leaves."""
    # Others that were started with it may have been waited for meanwhile.
    if not process.wait(process.started + MOST_WAITING - time.monotonic()):
        process.kill()
        return 'fault', 'it hangs'
    excess = find_excess((process.bytes, MOST_BYTES, 'bytes'),
                         (process.seconds, MOST_SECONDS, 'seconds'))
    if excess:
        return 'fault', excess
    text = process.log.read_text(encoding='utf-8', errors='replace')
    lines = text.splitlines()
    if _NOISE.search(text) or '#FAULT' in text:
        return 'fault', ' / '.join(lines)[-300:]
    if process.status == 0:
        return 'read', ''
    if process.status == 2 and len(lines) == 1 and lines[0].startswith(
            'colornet: error: '):
        return 'refused', lines[0]
    return 'fault', 'status %s: %s' % (process.status, ' / '.join(lines))


def _is_forbidden(event, arguments):
    """Whether no file may cause an audit event."""
    if not _FORBIDDEN.match(event):
        return False
    if event == 'open':
        _, mode, flags = arguments
        return bool(set(mode or '') & set('wax+') or
                    flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    if event in ('exec', 'compile'):
        # Modules are compiled and run, too, when they are imported.
        name = (arguments[0].co_filename if event == 'exec' else
                os.fsdecode(arguments[1] or b''))
        return not (name.startswith('<frozen ') or os.path.isfile(name))
    return True


def _read(reader, path, whole):
    """In the process: what a file does and what comes of it."""
    def watch(event, arguments):
        if watching and event not in reader.may and _is_forbidden(
                event, arguments):
            print('#FAULT it does %s %s' % (event, arguments), flush=True)
    bound(2 * MOST_SECONDS)
    # Of what is imported late.
    sys.dont_write_bytecode = True
    # As the program has it.
    sys.stderr.reconfigure(errors='backslashreplace')
    watching = [] if whole else [True]
    sys.addaudithook(watch)
    try:
        result = reader.read(path)
    finally:
        watching.clear()
    try:
        is_right = reader.is_right(result)
    except ColornetError:
        # Of the result, which was to be whole, not of the file.
        is_right = False
    if not is_right:
        print('#FAULT another result')


def _run(options):
    os.environ['OMP_NUM_THREADS'] = '1'
    folder = Path(tempfile.mkdtemp(prefix='colornet-inputs-'))
    os.environ['COLORNET_CACHE'] = str(folder / 'cache')
    take_environment(os.environ)
    unknown = set(options.kind or ()).difference(KINDS)
    if unknown:
        raise ColornetError('no kind is called %s; there are %s' % (
            ', '.join(sorted(unknown)), ', '.join(KINDS)))
    faults = 0
    say('%-14s %7s %7s %8s %7s %7s %9s %7s' % (
        'kind', 'files', 'read', 'refused', 'faults', 'most MB', 'computing',
        'waited'))
    try:
        for kind in options.kind or KINDS:
            (folder / kind).mkdir()
            try:
                reader = KINDS[kind](folder / kind)
            except (TheanoMissing, ImportError) as error:
                # All others are there without Theano or Flask.
                if options.kind:
                    raise
                say('%-14s not tried: %s' % (kind, error))
                continue
            counted, most = _try_kind(reader, kind, folder, options)
            faults += counted['fault']
            say('%-14s %7d %7d %8d %7d %7.0f %7.1f s %5.1f s' % (
                kind, sum(counted.values()), counted['read'],
                counted['refused'], counted['fault'], *most))
            sys.stdout.flush()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return bool(faults)


def _try_kind(reader, kind, folder, options):
    """Count what became of damaged files of a kind, and what they took.

    At the most: MB, seconds of computing, seconds until the process ended.
    """
    # Each kind by itself, whatever others are tried before it.
    chance = random.Random('%d %s' % (options.seed, kind))
    reader.warm()
    for content in reader.seeds:
        reader.path.write_bytes(content)
        what, reason = try_file(reader, reader.path, folder / 'printed',
                                True)
        if what != 'read':
            raise AssertionError('%s, undamaged: %s' % (kind, reason))
    counted, most = Counter(), (0, 0, 0)
    for number, content, process, before in progress_bar(
            _started(reader, chance, options.files, folder), unit='file',
            desc=kind, total=options.files):
        what, reason = _judge(reader, process, before)
        counted[what] += 1
        most = tuple(map(max, most, (process.bytes / 1024 ** 2,
                                     process.seconds, process.waited)))
        if what == 'fault':
            note('FAULT %s, file %d: %s' % (kind, number, reason))
            keep_file(options.keep, '%s-%d%s' % (
                kind, number, reader.path.suffix), content)
    return counted, most


def _started(reader, chance, count, folder):
    """Number, content, process and folder of damaged files, some at a time."""
    for first in range(0, count, reader.at_a_time):
        written = []
        for place in range(min(reader.at_a_time, count - first)):
            content = reader.mutate(chance)
            path = reader.path.with_name(reader.path.name + (
                '.%d' % place if place else ''))
            path.write_bytes(content)
            written.append((path, content))
        before = _files_of(reader)
        yield from [(first + place, content, _start(
            reader, path, folder / ('printed%d' % place)), before)
            for place, (path, content) in enumerate(written)]


def main(arguments=None):
    """Print what became of damaged files."""
    parser = argparse.ArgumentParser(prog='python -m reliability.inputs',
                                     description=__doc__.splitlines()[0])
    parser.add_argument('--files', type=positive, default=1000, metavar='N',
                        help='of each kind (default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, metavar='N',
                        help='of the damages (default: %(default)s)')
    parser.add_argument('--kind', action='append', metavar='KIND',
                        help='only this one: %s; may be repeated'
                        % ', '.join(KINDS))
    parser.add_argument('--keep', default='runs/faults', metavar='FOLDER',
                        help='gets files with faults (default: %(default)s)')
    return int(report_errors(_run, parser.parse_args(arguments),
                             program='reliability'))


if __name__ == '__main__':
    sys.exit(main())
