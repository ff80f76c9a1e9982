"""Thousands of damaged photos, each coloured or refused in one line.

``python -m reliability.photos`` damages small files of every format that is
read, at what they are built of (:mod:`.mutations`), and runs ``colornet
colorize`` on each, in a process of its own with a network that is tiny. A
fault is whatever is neither a whole coloured photo of the right size nor one
line about the file and exit status 2: a crash, more than 10 seconds of
computing or 45 until it ends, more than 1.5 GB, a traceback, half a file.
Whole files that are cut are decoded, too: a fault is who shows other pixels
than the whole one's, and says nothing (:mod:`.cuts`). Files with faults are
kept. The exit status is 1 if there are any.
"""

import argparse
import contextlib
import functools
import io
import os
import random
import re
import resource
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from unittest import mock

from colornet import api, cli
from colornet.cli.options import positive
from colornet.prediction import onnx_cache
from colornet.resources import take_environment
from colornet.terminal import note, progress_bar, say
from tests.inventing import save_invented

from .cuts import find_silent
from .mutations import mutate
from .processes import Process, bound
from .right_size import judge_result
from .seeds import photo_seeds
from .verdict import find_excess, keep_file

__all__ = ['MOST_BYTES', 'MOST_SECONDS', 'MOST_WAITING', 'Trial', 'main']

#: Seconds of computing; until it ends, as the machine may be busy with other
#: things: what sleeps or waits for another computes nothing.
MOST_SECONDS, MOST_WAITING = 10, 45

#: Of memory, of all processes of a file.
MOST_BYTES = 1500 << 20

#: What nobody may see: characters that move the cursor, Python's code.
_UNSEEMLY = re.compile('[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]|'
                       'Traceback|internal error|Error:|Warning|<class|'
                       'out of memory|0x[0-9a-f]{6}')


class Trial:
    """Runs of ``colornet colorize`` on one file each.

    Parameters
    ----------
    folder : Path
        For what they read and write.
    seeds : dict of str to list of (str, bytes)
        Files by format, all of which are to be coloured.
    """

    def __init__(self, folder, seeds):
        self.folder, self._out = folder, folder / 'out'
        network = folder / 'network.h5'
        save_invented(network)
        # Processes that are forked have no threads but their own.
        one_thread = functools.partial(onnx_cache.start_session,
                                       num_threads=1)
        with mock.patch.object(onnx_cache, 'start_session', one_thread):
            self._colorizer = api.load_colorizer(network, engine='onnx')
        # What is imported here, no process has to.
        for files in seeds.values():
            self._colour(*files[0])

    def run(self, suffix, content):
        """Colour a file.

        Parameters
        ----------
        suffix : str
            Of its name.
        content : bytes

        Returns
        -------
        what : str
            'coloured', 'refused' or 'fault'.
        reason : str
            Of a fault, or the line about the file.
        bytes, seconds, waited : int, float, float
            That it took: of memory, of computing, until it ended.
        """
        source, arguments = self._arguments(suffix, content)
        process = Process(arguments, self.folder / 'log',
                          command=lambda words: self._work(words, source))
        if not process.wait(MOST_WAITING):
            process.kill()
            return 'fault', 'it hangs', 0, 0, process.waited
        *lines, last = process.lines() or ['']
        used = re.fullmatch('# (\\d+) bytes, ([.0-9]+) seconds:(.*)', last)
        if not used:
            return 'fault', 'status %s: %s' % (
                process.status, last), 0, 0, process.waited
        peak, seconds = int(used.group(1)), float(used.group(2))
        what, reason = self._judge(process.status, lines, source,
                                   used.group(3))
        excess = find_excess((peak, MOST_BYTES, 'bytes'),
                             (seconds, MOST_SECONDS, 'seconds'))
        if excess:
            what, reason = 'fault', '%s: %s' % (excess, reason)
        return what, reason, peak, seconds, process.waited

    def _work(self, arguments, source):
        """In the process: colour; print what was used and is wrong."""
        bound(2 * MOST_SECONDS)
        with self._given_network():
            status = cli.main(arguments)
        sys.stderr.flush()
        # Some formats are decoded in a process of this one's, while this one
        # keeps what it has.
        used = [resource.getrusage(who) for who in (
            resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        written = list(self._out.rglob('*')) if self._out.exists() else []
        # Other libraries may say what they like.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        print('# %d bytes, %.3f seconds:%s' % (
            sum(each.ru_maxrss << 10 for each in used),
            sum(each.ru_utime + each.ru_stime for each in used),
            judge_result(source, written[0]) if len(written) == 1 else ''))
        return status

    def _arguments(self, suffix, content):
        """A file, and what colours it."""
        shutil.rmtree(self._out, ignore_errors=True)
        source = self.folder / ('photo' + suffix)
        source.write_bytes(content)
        return source, ['colorize', source, '-o', self._out, '--engine',
                        'onnx', '--colour', 'replace']

    def _colour(self, suffix, content):
        """Colour a file in this process."""
        _, arguments = self._arguments(suffix, content)
        with self._given_network(), contextlib.redirect_stdout(
                io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            cli.main(list(map(str, arguments)))

    def _given_network(self):
        return mock.patch.object(api, 'load_colorizer',
                                 lambda *_, **__: self._colorizer)

    def _judge(self, status, lines, source, wrong):
        out = self._out
        written = sorted(out.rglob('*')) if out.exists() else []
        told = [line for line in lines
                if not line.startswith('colornet: note: ')]
        for line in lines:
            if _UNSEEMLY.search(line):
                return 'fault', line
        summary = '%d coloured in %s, %d failed'
        if status == 0 and len(written) == 1:
            if told != [summary % (1, out, 0)]:
                return 'fault', 'it says %s' % told
            return ('fault', wrong) if wrong else ('coloured', '')
        if status != 2:
            return 'fault', 'status %s: %s' % (status, lines[-1:])
        if written:
            return 'fault', 'refused, and %s is there' % written
        start = 'colornet: failed: %s: ' % source
        if len(told) != 2 or summary % (0, out, 1) not in told:
            return 'fault', 'it says %s' % told
        line = next(line for line in told if line != summary % (0, out, 1))
        if not line.startswith(start):
            return 'fault', line
        return 'refused', line[len(start):]


def _run(options):
    os.environ['OMP_NUM_THREADS'] = '1'
    folder = Path(tempfile.mkdtemp(prefix='colornet-photos-'))
    os.environ['COLORNET_CACHE'] = str(folder / 'cache')
    take_environment(os.environ)
    seeds = photo_seeds()
    if options.format:
        seeds = {name: files for name, files in seeds.items()
                 if name in options.format}
    tally = _Tally(seeds)
    try:
        trial = Trial(folder, seeds)
        for format, files in seeds.items():
            for suffix, content in files[:1] if options.fast else files:
                what, reason, *_ = trial.run(suffix, content)
                if what != 'coloured':
                    raise AssertionError('%s, undamaged: %s' % (
                        format, reason))
            for suffix, content, reason in find_silent(
                    files, folder / 'log'):
                note('FAULT %s, cut: %s' % (format, reason))
                keep_file(options.keep, 'cut-%d%s' % (tally.cuts, suffix),
                          content)
                tally.cuts += 1
        for format, suffix, content in progress_bar(
                _damaged(seeds, options), unit='file', total=options.files):
            what, reason, *used = trial.run(suffix, content)
            if what == 'fault':
                note('FAULT %s, file %d: %s' % (format, tally.total, reason))
                keep_file(options.keep, '%d%s' % (tally.total, suffix),
                          content)
            tally.add(format, what, *used)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        tally.say()
    return bool(tally.faults or tally.cuts)


def _damaged(seeds, options):
    """Format, ending and content of damaged files, all formats by turns."""
    chance = random.Random(options.seed)
    contents = {format: [content for _, content in files]
                for format, files in seeds.items()}
    formats = sorted(seeds)
    for number in range(options.files):
        format = formats[number % len(formats)]
        suffix, content = chance.choice(seeds[format])
        yield format, suffix, mutate(content, chance, contents[
            format if chance.random() < .8 else chance.choice(formats)])


class _Tally:
    """What became of files, by format."""

    def __init__(self, formats):
        self.counts = {format: Counter() for format in formats}
        self.total = self.faults = self.peak = self.cuts = 0
        self.seconds = self.waited = 0.

    def add(self, format, what, peak, seconds, waited):
        self.counts[format][what] += 1
        self.total += 1
        self.faults += what == 'fault'
        self.peak = max(self.peak, peak)
        self.seconds = max(self.seconds, seconds)
        self.waited = max(self.waited, waited)

    def say(self):
        line = '%-14s %7s %8s %8s %6s'
        say(line % ('format', 'files', 'coloured', 'refused', 'faults'))
        for format, counted in self.counts.items():
            say(line % (format, sum(counted.values()), counted['coloured'],
                        counted['refused'], counted['fault']))
        say('%d files, %d faults; at most %.2f GB, %.1f seconds of computing, '
            '%.1f until it ended' % (
                self.total, self.faults, self.peak / 2. ** 30, self.seconds,
                self.waited))
        say('whole files that were cut in silence: %d faults' % self.cuts)


def main(arguments=None):
    """Print what became of damaged photos."""
    parser = argparse.ArgumentParser(prog='python -m reliability.photos',
                                     description=__doc__.splitlines()[0])
    parser.add_argument('--files', type=positive, default=10000, metavar='N',
                        help='(default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0, metavar='N',
                        help='of the damages (default: %(default)s)')
    parser.add_argument('--format', action='append', metavar='FORMAT',
                        help='only this one of the table; may be repeated')
    parser.add_argument('--keep', default='runs/faults', metavar='FOLDER',
                        help='gets files with faults (default: %(default)s)')
    parser.add_argument('--fast', action='store_true', help='of undamaged '
                        'files, look at one of each format only')
    return int(cli.report_errors(_run, parser.parse_args(arguments),
                                 program='reliability'))


if __name__ == '__main__':
    sys.exit(main())
