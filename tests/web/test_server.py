"""``colornet serve``, its line of photos, and what it keeps."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from unittest import SkipTest, mock

import numpy as np
from nose.tools import assert_in, assert_is, assert_raises, eq_, ok_

from colornet.engine.available import missing_onnx
from colornet.photos.reading import Photo
from colornet.web import server
from colornet.web.line import Busy, Line
from colornet.web.shelf import Seen, Shelf
from tests import tiny
from tests.cli.commands import check_is_refused
from tests.inventing import save_invented
from tests.web import serving
from tests.web.serving import encoded, make_model, multipart, pixels_of


def test_missing_packages_are_named():
    with mock.patch.object(server.importlib.util, 'find_spec',
                           lambda name: None):
        check_is_refused("pip install '.[web]'", 'serve')


def test_ports():
    for port in '70000', '-1', 'x':
        check_is_refused('no port', 'serve', '--port=' + port)
    serving.need_flask()
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        tiny.check_error(lambda: server.serve(make_model(), port=port),
                         '127.0.0.1:%d' % port, 'in use', '--port')


class Running(tiny.InFolder):
    """The command, as users start it, with an invented network."""

    NUM_PHOTOS = 0
    ARGUMENTS = []

    @classmethod
    def setup_class(cls):
        serving.need_flask()
        if missing_onnx():
            raise SkipTest(missing_onnx())
        super().setup_class()
        network = cls.root / 'network.h5'
        save_invented(network)
        cls.process = subprocess.Popen(
            [sys.executable, '-m', 'colornet', 'serve', '--port', '0',
             '--engine', 'onnx', '--network', str(network)] + cls.ARGUMENTS,
            cwd=str(tiny.ROOT), stderr=subprocess.PIPE,
            universal_newlines=True,
            # Shells ignore it for what they start in the background.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        eq_(cls.process.stderr.readline(),
            'colornet: loading the network\n')
        cls.said = cls.process.stderr.readline()
        cls.url = re.search('http://.*/', cls.said).group(0)

    @classmethod
    def teardown_class(cls):
        cls.process.kill()
        cls.process.wait()
        cls.process.stderr.close()
        super().teardown_class()

    def ask(self, path, content=None):
        """Status, headers and body of an answer."""
        request = urllib.request.Request(self.url + path)
        if content is not None:
            request.data, kind = multipart(content, 'a.png')
            request.add_header('Content-Type', kind)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()


class TestServe(Running):
    """On this machine's own address."""

    ARGUMENTS = ['--max-bytes', '100000', '--max-pixels', '20000']

    def test_it_colours_and_ends(self):
        ok_(self.url.startswith('http://127.0.0.1:'), self.said)
        status, headers, page = self.ask('')
        eq_((status, headers.get_content_type()), (200, 'text/html'))
        assert_in(b'colornet', page)
        health = json.loads(self.ask('api/health')[2].decode())
        eq_(health['network'], 'network')
        status, headers, result = self.ask('api/colorize',
                                           encoded(format='PNG'))
        eq_((status, headers.get_content_type()), (200, 'image/png'))
        eq_(pixels_of(result).shape, (96, 128, 3))
        for content, expected in [
                (b'text', 415), (bytes(200000), 413),
                (encoded(serving.photo().resize((200, 150))), 413)]:
            eq_(self.ask('api/colorize', content)[0], expected)
        self.process.send_signal(signal.SIGINT)
        eq_(self.process.wait(30), 0)
        eq_(self.process.stderr.read(), '')


class TestServeOthers(Running):
    """On all addresses."""

    ARGUMENTS = ['--host', '0.0.0.0']

    def test_it_says_who_may_use_it(self):
        assert_in('whoever reaches this machine',
                  self.process.stderr.readline())
        eq_(self.ask('api/health')[0], 200)


def test_it_ends_while_a_photo_is_under_way():
    serving.need_flask()
    process = subprocess.Popen(
        [sys.executable, '-c', "import signal, time\n"
         'from colornet.web.server import serve\n'
         'from tests.web.serving import make_model\n'
         'def look(luminance):\n'
         "    print('looking', flush=True)\n"
         '    time.sleep(600)\n'
         'signal.signal(signal.SIGINT, signal.default_int_handler)\n'
         'serve(make_model(outputs=look), port=0)\n'], cwd=str(tiny.ROOT),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        universal_newlines=True)
    with process:
        port = re.search(':([0-9]+)/', process.stderr.readline()).group(1)
        body, kind = multipart(encoded())
        with socket.create_connection(('127.0.0.1', int(port))) as client:
            client.sendall(
                b'POST /api/colorize HTTP/1.1\r\nHost: localhost\r\n'
                b'Content-Length: %d\r\nContent-Type: %s\r\n\r\n%s'
                % (len(body), kind.encode(), body))
            eq_(process.stdout.readline(), 'looking\n')
            process.send_signal(signal.SIGINT)
            eq_(process.wait(120), 0)
        eq_(process.stderr.read(),
            'colornet: ended; what was under way is not coloured\n')


def run(line, function, *arguments):
    with line.place() as call:
        return call(function, *arguments)


def test_a_line_is_one_thread():
    line, threads, active = Line(8), set(), []

    def work(number):
        active.append(number)
        threads.add(threading.current_thread())
        time.sleep(0.01)
        eq_(active, [number])
        active.pop()
        return number
    results = {}

    def wait(number):
        results[number] = run(line, work, number)
    waiting = [threading.Thread(target=wait, args=(number,))
               for number in range(8)]
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join()
    eq_(results, {number: number for number in range(8)})
    eq_((len(threads), line.waiting()), (1, 0))


def test_a_line_passes_errors_on():
    line = Line(1)
    for _ in range(3):
        with assert_raises(ZeroDivisionError):
            run(line, lambda: 1 / 0)
    eq_(run(line, lambda: 3), 3)


def test_a_full_line_says_how_long_it_takes():
    line = Line(1)
    for _ in range(9):
        run(line, time.sleep, 0)
    go, started = threading.Event(), threading.Event()

    def hold():
        started.set()
        go.wait(30)
    thread = threading.Thread(target=run, args=(line, hold))
    thread.start()
    started.wait(30)
    with assert_raises(Busy) as caught:
        run(line, time.sleep, 0)
    eq_(caught.exception.seconds, 1)
    go.set()
    thread.join()


def test_nobody_has_to_wait_for_long():
    line = Line(9)
    with mock.patch('colornet.web.line.time.monotonic',
                    iter(range(0, 9000, 40)).__next__):
        for _ in range(9):
            run(line, time.sleep, 0)  # As if each took 40 seconds.
    with line.place(), line.place():
        with assert_raises(Busy) as caught:
            run(line, time.sleep, 0)
        ok_(30 < caught.exception.seconds <= 40, caught.exception.seconds)
    # Whoever is alone is never refused.
    with mock.patch('colornet.web.line.time.monotonic',
                    iter(range(0, 9000, 400)).__next__):
        for _ in range(9):
            run(line, time.sleep, 0)


def seen(num_bytes):
    return Seen(np.zeros((0, 0)), [np.zeros(num_bytes - 2, np.int8)],
                Photo(np.zeros((1, 2), np.uint8)), (1, 2),
                (slice(0, 1), slice(0, 2)), False)


def test_a_shelf_keeps_what_was_used_last():
    shelf = Shelf(30)
    first, second, third = seen(10), seen(10), seen(11)
    eq_(first.num_bytes, 10)
    shelf.put('1', first)
    shelf.put('2', second)
    eq_(shelf.num_bytes(), 20)
    assert_is(shelf.get('1'), first)
    shelf.put('3', third)
    assert_is(shelf.get('2'), None)
    assert_is(shelf.get('1'), first)
    eq_(shelf.num_bytes(), 21)
    large = seen(100)
    shelf.put('4', large)
    eq_([shelf.get(key) for key in '1234'], [None, None, None, large])
    shelf.put('4', first)
    eq_(shelf.num_bytes(), 10)


def test_files_of_the_page():
    folder = Path(server.__file__).parent / 'static'
    page = (folder.parent / 'templates' / 'index.html').read_text(
        encoding='utf-8')
    named = re.findall(r'(?:src|href)="(static/[^"]+)"', page)
    ok_(len(named) >= 4)
    for path in folder.glob('*.js'):
        named += ['static/' + name for name in re.findall(
            r"from '\./([^']+)'", path.read_text(encoding='utf-8'))]
    for name in named:
        ok_((folder.parent / name).is_file(), name)
    # Nothing is fetched from elsewhere.
    for path in [*folder.glob('*.*'), *folder.parent.glob('templates/*')]:
        text = path.read_text(encoding='utf-8')
        eq_(set(re.findall('https?://[^"\' ]*', text)) -
            {'http://www.w3.org/2000/svg'}, set(), path)
