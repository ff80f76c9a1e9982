"""What a page's server bears: many clients, slow, broken and hostile ones.

``python -m reliability.page`` starts ``colornet serve`` on this machine's
loopback, lets clients ask it for some minutes whatever comes to their minds,
and counts what they are answered. A request is lost if it gets no answer, or
another than it must. The exit status is 1 if one is lost, the server has
ended or said anything, or its memory has grown beyond ``--max-memory``, or,
but for what it keeps of photos, by more than ``--max-growth`` from the second
quarter of the time to the last.
"""

import argparse
import contextlib
import io
import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, OrderedDict, defaultdict
from urllib.request import ProxyHandler, build_opener

import numpy as np
from PIL import Image

from colornet.cli import report_errors
from colornet.cli.options import positive
from colornet.errors import ColornetError
from colornet.photos.finding import find_images
from colornet.resources import find_resource
from colornet.terminal import progress_bar

from .asking_films import KINDS, WEIGHTS, Client
from .memory import resident_mb

__all__ = ['Load', 'Server', 'encode_photos', 'main', 'summarize']

#: Seconds between two looks at the memory; for what is under way at the end.
_LOOKS, _LONGEST_END = 0.5, 60

#: Requests of a kind of which one at least must not be told to come again.
OFTEN = 100

#: Of a photo's file, so that what is too large need not be huge.
MAX_BYTES = 2 << 20


class Server:
    """``colornet serve`` as a process.

    Parameters
    ----------
    arguments : sequence of str
        More of its options.

    Attributes
    ----------
    port : int
    memory : list of float
        MB that it took, every half second; empty where Linux does not tell.
    looks : list of float
        Seconds of the clock, when that was.
    """

    def __init__(self, arguments=()):
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'colornet', 'serve', '--port', '0',
             '--max-bytes', str(MAX_BYTES)] + list(arguments),
            stderr=subprocess.PIPE, universal_newlines=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT,
                                             signal.default_int_handler))
        said = [self.process.stderr.readline() for _ in range(2)]
        if 'http://' not in said[1]:
            raise ColornetError('the server does not start: %s'
                                % ' '.join(said).strip())
        self.port = int(said[1].rpartition(':')[2].partition('/')[0])
        self.memory, self.looks = [], []
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._look)
        self._watch.start()

    def _look(self):
        while not self._done.wait(_LOOKS):
            resident = resident_mb(self.process.pid)
            if resident is not None:
                self.memory.append(resident)
                self.looks.append(time.monotonic())

    def end(self):
        """Ctrl-C; what it has said since it started, and its exit status."""
        self._done.set()
        self._watch.join()
        self.process.send_signal(signal.SIGINT)
        try:
            said = self.process.communicate(timeout=60)[1]
        except subprocess.TimeoutExpired:
            self.process.kill()
            said = self.process.communicate()[1] + 'it does not end'
        return said.strip(), self.process.returncode


class Load:
    """Clients of a server, and what they were answered.

    Parameters
    ----------
    port : int
    num_clients : int
    seconds : float
    seed : int

    Attributes
    ----------
    answers : dict
        Kind of request -> Counter of statuses, and of ``'lost: why'``.
    seconds : dict
        Kind of request -> list of seconds that an answer took.
    kept : list of (float, float)
        Of all clients, as :class:`.asking.Client` has it.
    """

    def __init__(self, port, num_clients, seconds, seed=0):
        self.port = port
        self.answers = defaultdict(Counter)
        self.seconds = defaultdict(list)
        self.kept = []
        self._lock = threading.Lock()
        self._photos = encode_photos()
        self._deadline = time.monotonic() + seconds
        threads = [threading.Thread(target=self._ask, args=(seed + number,))
                   for number in range(num_clients)]
        for thread in threads:
            thread.start()
        with progress_bar(total=int(seconds), unit='s', desc='load') as bar:
            while time.monotonic() < self._deadline:
                time.sleep(1)
                bar.update(1)
        for thread in threads:
            thread.join()

    def _ask(self, seed):
        draw = random.Random(seed)
        client = Client(self.port, draw, self._photos, MAX_BYTES,
                        self._deadline)
        while time.monotonic() < self._deadline:
            kind, = draw.choices(list(KINDS), [WEIGHTS.get(kind, 1)
                                               for kind in KINDS])
            start = time.monotonic()
            result = client.ask(kind)
            took = time.monotonic() - start
            with self._lock:
                self.answers[kind][result] += 1
                if result == 200:
                    self.seconds[kind].append(took)
            if result == 503:
                # As it was told; not all at the same moment.
                time.sleep(min(client.patience, 5) * (0.5 + draw.random()))
        with self._lock:
            self.kept += client.kept

    def lost(self):
        """How many requests had no answer, or another than they must."""
        return sum(count for kind, results in self.answers.items()
                   for result, count in results.items()
                   if result not in KINDS[kind])

    def only_refused(self):
        """Kinds that were asked often, and always told to come again."""
        return [kind for kind in KINDS
                if self.answers[kind][503] >= OFTEN and
                set(self.answers[kind]) == {503}]

    def table(self):
        """A line for each kind of request."""
        lines = ['%-24s %8s %8s %8s  %s' % (
            'request', 'number', 'median', '95 %', 'answers')]
        for kind in KINDS:
            results = self.answers[kind]
            took = ['%.2f s' % value for value in np.percentile(
                self.seconds[kind], (50, 95))] if self.seconds[kind] else [
                    '', '']
            lines.append('%-24s %8d %8s %8s  %s' % (
                kind, sum(results.values()), *took, ', '.join(
                    '%s: %d' % pair for pair in sorted(
                        results.items(), key=lambda pair: str(pair[0])))))
        return '\n'.join(lines)


def _await_idle(port):
    """Wait until nothing is under way, as what is removed ends in its turn.

    Otherwise, the server says when it ends that something was.
    """
    end = time.monotonic() + _LONGEST_END
    ask = build_opener(ProxyHandler({})).open
    while time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError), ask(
                'http://127.0.0.1:%d/api/health' % port, timeout=10) as answer:
            told = json.loads(answer.read().decode())
            if not told['waiting'] and not told['films']:
                return
        time.sleep(0.2)


def encode_photos():
    """Some files of photos, small ones and larger ones."""
    found = []
    for path in find_images(find_resource('demo/photos')):
        with Image.open(path) as image:
            for side, format in (200, 'PNG'), (800, 'JPEG'), (2000, 'JPEG'):
                stream = io.BytesIO()
                small = image.convert('L').resize((side, side * 3 // 4))
                small.save(stream, format)
                found.append(stream.getvalue())
    return found


def _growth(load, server):
    """MB of the last quarter of the time beyond the second's, at the most.

    Without what is kept of photos, which may be until it is full.
    """
    times, kept = zip(*sorted(load.kept)) if load.kept else ([0], [0])
    own = np.subtract(server.memory, np.interp(server.looks, times, kept))
    quarters = np.array_split(own, 4)
    return quarters[3].max() - quarters[1].max()


def summarize(load, server, said, status, max_memory, max_growth):
    """Lines to print, and whether all is well.

    Parameters
    ----------
    load : Load
    server : Server
    said : str
    status : int
        Of the server's end.
    max_memory, max_growth : int
        MB.

    Returns
    -------
    str, bool
    """
    total = sum(sum(results.values()) for results in load.answers.values())
    refused = sum(results[503] for results in load.answers.values())
    figures = OrderedDict([
        ('requests', total), ('refused, to come again', refused),
        ('lost', load.lost()), ("the server's lines", len(said.splitlines())),
        ('its exit status', status)])
    # Who refuses all, or all of a kind, or does not answer, loses nothing
    # either.
    refusing = load.only_refused()
    if refusing:
        figures['only refused, ' + ', '.join(refusing)] = sum(
            load.answers[kind][503] for kind in refusing)
    is_well = not (load.lost() or refusing or said or status) and any(
        results[200] for results in load.answers.values())
    if server.memory:
        quarter = max(1, len(server.memory) // 4)
        figures['memory after a quarter, MB'] = max(server.memory[:quarter])
        figures['memory at most, MB'] = max(server.memory)
        is_well &= max(server.memory) <= max_memory
    if len(server.memory) >= 4:
        growth = _growth(load, server)
        figures['it grew by, but for what is kept, MB'] = growth
        is_well &= bool(growth <= max_growth)
    lines = ['%s: %.0f' % pair for pair in figures.items()]
    return '\n'.join([load.table(), ''] + lines + [said] * bool(said)), is_well


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog='python -m reliability.page', description=__doc__.split(
            '\n\n', 1)[1], formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('--clients', type=positive, default=100, metavar='N')
    parser.add_argument('--seconds', type=positive, default=300, metavar='N')
    parser.add_argument('--seed', type=int, default=0, metavar='N')
    parser.add_argument('--max-memory', type=positive, default=1500,
                        metavar='MB')
    parser.add_argument('--max-growth', type=positive, default=100,
                        metavar='MB')
    parser.add_argument('serve', nargs='*', metavar='OPTION', help='after '
                        '--: more options of colornet serve')
    options = parser.parse_args(arguments)
    server = Server(options.serve)
    try:
        load = Load(server.port, options.clients, options.seconds,
                    options.seed)
        _await_idle(server.port)
    finally:
        said, status = server.end()
    text, is_well = summarize(load, server, said, status, options.max_memory,
                              options.max_growth)
    print(text)
    return 0 if is_well else 1


if __name__ == '__main__':
    sys.exit(report_errors(main))
