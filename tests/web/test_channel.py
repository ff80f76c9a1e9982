"""Requests as they come over the network: broken, huge, slow, many."""

import contextlib
import errno
import http.client
import io
import json
import socket
import tempfile
import threading
import time
from pathlib import Path
from unittest import mock

from nose.tools import assert_in, assert_not_in, eq_, ok_

from colornet.web import server
from tests import tiny
from tests.video import clips
from tests.web import serving
from tests.web.serving import encoded, make_model, multipart, pixels_of

LIMIT = 1 << 21


class TestChannel:
    """A server without a network, in this process."""

    def setup(self):
        serving.need_flask()
        from colornet.web.app import make_app
        self.said = io.StringIO()
        self.stack = contextlib.ExitStack()
        self.stack.enter_context(contextlib.redirect_stderr(self.said))
        self.looks = serving.Looks()
        self.app = make_app(make_model(outputs=self.looks), places=2,
                            max_bytes=LIMIT)
        self.server = server.listen(self.app, '127.0.0.1', 0)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()

    setup_method = setup

    def teardown(self):
        # As Ctrl-C does, but from another thread.
        self.server.asyncore.close_all(self.server._map)
        self.thread.join(60)
        self.server.task_dispatcher.shutdown()
        self.stack.close()
        eq_(self.said.getvalue(), '')

    teardown_method = teardown

    def connect(self):
        return socket.create_connection(
            ('127.0.0.1', int(self.server.effective_port)), timeout=30)

    def answer(self, connection):
        """Status and body of an answer, which ends the connection."""
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        content = answer.read()
        if answer.status >= 400:
            eq_(answer.getheader('Content-Type'), 'application/json')
            eq_(answer.getheader('X-Content-Type-Options'), 'nosniff')
            assert_in(answer.getheader('Cache-Control'),
                      ('no-store', 'no-cache'))
            text = json.loads(content.decode('ascii'))['error']
            ok_(text)
            assert_not_in('\n', text)
        return answer.status, content

    def ask(self, *parts, pause=0):
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
            return self.answer(connection)

    def is_well(self):
        body, kind = multipart(encoded())
        status, content = self.ask(head(len(body), kind), body)
        eq_((status, pixels_of(content).shape), (200, (96, 128, 3)))
        health = json.loads(self.ask(
            b'GET /api/health HTTP/1.1\r\nHost: localhost\r\n'
            b'Connection: close\r\n\r\n')[1].decode())
        eq_(health['waiting'], 0)
        return True

    def test_what_is_no_request(self):
        for request, status in [
                (b'nonsense\r\n\r\n', 400),
                (b'\x16\x03\x01\x02\x00\x01\x00\r\n\r\n', 400),  # TLS
                (b'GET /api/health HTTP/1.1\r\n\r\n', 400),
                (b'get /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n', 400),
                (b'GET / HTTP/1.1\r\nHost : x\r\n\r\n', 400),
                (b'POST /api/photos HTTP/1.1\r\nHost: localhost\r\n'
                 b'Content-Length: -1\r\n\r\n', 400),
                (b'POST /api/photos HTTP/1.1\r\nHost: localhost\r\n'
                 b'Content-Length: 1\r\nContent-Length: 2\r\n\r\n', 400),
                (b'POST /api/photos HTTP/1.1\r\nHost: localhost\r\n'
                 b'Transfer-Encoding: gzip\r\n\r\n', 501),
                (b'POST /api/photos HTTP/1.1\r\nHost: localhost\r\n'
                 b'Transfer-Encoding: chunked\r\n\r\nx\r\n', 400),
                (b'GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n'
                 % (b'a' * 300000), 431),
                (b'GET http://example.org/ HTTP/1.1\r\n'
                 b'Host: example.org\r\n\r\n', 403),
                (b'TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n', 405),
                (b'FOO /api/photos HTTP/1.1\r\nHost: localhost\r\n\r\n', 405),
                (b'GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n',
                 404),
                (b'GET /static/../app.py HTTP/1.1\r\nHost: localhost\r\n\r\n',
                 404),
                (b'GET /static/%2e%2e/app.py HTTP/1.1\r\nHost: localhost\r\n'
                 b'\r\n', 404)]:
            eq_(self.ask(request)[0], status, request[:99])
        ok_(self.is_well())

    def test_what_is_no_name(self):
        # With flask's own client, such requests do not come so far.
        for host in ('localhost:x', '[::1', '[localhost]', '[', 'a@localhost',
                     'a b', 'localhost, a', '.', ':80', '[::1]x', '\xe4',
                     'localhost/', 'localhost:99999999999999999999x'):
            for path in '/', '/api/health', '/nope':
                status, _ = self.ask((
                    'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n'
                    % (path, host)).encode('latin-1'))
                eq_(status, 403, host)
        ok_(self.is_well())

    def test_huge_files_are_refused_when_they_have_come(self):
        for size in LIMIT + 1, LIMIT + 200000, 7 * LIMIT:
            body, kind = multipart(bytes(size))
            for headers, parts in [(head(len(body), kind), [body]),
                                   (chunked(kind), in_chunks(body))]:
                status, content = self.ask(headers, *parts)
                eq_(status, 413, size)
                assert_in(b'large', content)
        ok_(self.is_well())

    def test_what_the_disk_has_no_room_for(self):
        full = OSError(errno.ENOSPC, 'No space left on device')
        body, kind = multipart(bytes(LIMIT - 1000))
        with mock.patch('waitress.buffers.TempfileBasedBuffer.newfile',
                        side_effect=full), mock.patch(
                            'colornet.web.films.note') as note:
            self.server.adj.inbuf_overflow = 1000
            for headers, parts in [(head(len(body), kind), [body]),
                                   (chunked(kind), in_chunks(body))]:
                status, content = self.ask(headers, *parts)
                eq_(status, 507)
                assert_in(b'temporary files is full', content)
        eq_(note.call_count, 2)
        ok_(self.is_well())

    def test_they_are_not_kept(self):
        kept = []
        body = bytes(5 * LIMIT)
        with self.connect() as connection:
            connection.sendall(head(len(body), 'x'))
            connection.sendall(body[:-1])
            deadline = time.monotonic() + 30
            while not kept and time.monotonic() < deadline:
                kept = [channel.request.body_rcv for channel in
                        self.server.active_channels.values()
                        if channel.request and channel.request.error]
                time.sleep(0.01)
            eq_([len(one) for one in kept], [0])
            connection.sendall(body[-1:])
            eq_(self.answer(connection)[0], 413)

    def test_gigantic_ones_are_refused_at_once(self):
        eq_(self.ask(head(10 ** 15, 'x'))[0], 413)
        # Whoever asks first is told first.
        eq_(self.ask(head(5 * LIMIT, 'x').replace(
            b'\r\n\r\n', b'\r\nExpect: 100-continue\r\n\r\n'))[0], 413)
        with self.connect() as connection:
            connection.sendall(chunked('x'))
            try:
                for _ in range(200):
                    connection.sendall(next(in_chunks(bytes(LIMIT), LIMIT)))
            except OSError:
                pass  # It does not go on for ever.
            else:
                raise AssertionError('200 times what may come was taken')
        ok_(self.is_well())

    def test_slow_ones_stop_nobody(self):
        body, kind = multipart(encoded())
        request = head(len(body), kind) + body
        slow = [self.connect() for _ in range(30)]
        try:
            for number, connection in enumerate(slow):
                connection.sendall(request[:(number + 1) * 50])
            ok_(self.is_well())
            slow[3].sendall(request[200:])
            eq_(self.answer(slow[3])[0], 200)
        finally:
            for connection in slow:
                connection.close()

    def test_it_answers_while_all_places_are_taken(self):
        body, kind = multipart(encoded())
        post = head(len(body), kind)
        key = json.loads(self.ask(post.replace(
            b'colorize', b'photos') + body)[1].decode())['key']
        get = ('GET /api/%s HTTP/1.1\r\nHost: localhost\r\n'
               'Connection: close\r\n\r\n')
        after = (get % ('photos/%s/after' % key)).encode()
        free, waiting = threading.Event(), []
        try:
            for name, request in ('line', post + body), ('screen', after):
                line = self.app.extensions[name]
                line._thread.submit(free.wait, 60)
                for count in range(1, line.places + 1):
                    waiting.append(self.connect())
                    waiting[-1].sendall(request)
                    self.wait_until(lambda: line.waiting() == count)
                # Whoever has no place is told so.
                eq_(self.ask(request)[0], 503, name)
            start = time.monotonic()
            status, _ = self.ask((get % 'health').encode())
            eq_(status, 200)
            ok_(time.monotonic() - start < 5)
            free.set()
            for connection in waiting:
                eq_(self.answer(connection)[0], 200)
        finally:
            free.set()
            for connection in waiting:
                connection.close()

    def test_those_who_go(self):
        body, kind = multipart(encoded())
        request = head(len(body), kind) + body
        for stop in 10, 100, 300, len(request) - 1, len(request):
            with self.connect() as connection:
                # It is reset, as by a browser that is ended.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                      b'\1\0\0\0\0\0\0\0')
                connection.sendall(request[:stop])
        deadline = time.monotonic() + 30
        while self.app.extensions['line'].waiting():
            ok_(time.monotonic() < deadline)
            time.sleep(0.01)
        ok_(self.is_well())

    def wait_until(self, is_so):
        deadline = time.monotonic() + 30
        while not is_so():
            ok_(time.monotonic() < deadline)
            time.sleep(0.01)

    def test_nothing_is_done_for_those_who_have_gone_while_they_waited(self):
        body, kind = multipart(encoded())
        request = head(len(body), kind) + body
        line = self.app.extensions['line']
        # They are reset, or end as they should; one stays, and asks again.
        for linger, stays in ((b'\1\0\0\0\0\0\0\0', False),
                              (None, False), (None, True)):
            before, go = self.looks.count, threading.Event()
            holder = threading.Thread(target=self.hold, args=(line, go))
            holder.start()
            self.wait_until(lambda: line.waiting() == 1)
            with self.connect() as connection:
                if linger:
                    connection.setsockopt(socket.SOL_SOCKET,
                                          socket.SO_LINGER, linger)
                connection.sendall(request)
                self.wait_until(lambda: line.waiting() == 2)
                if stays:
                    connection.sendall(request)
                    go.set()
                    eq_(self.answer(connection)[0], 200)
            go.set()
            holder.join()
            self.wait_until(lambda: not line.waiting())
            eq_(self.looks.count - before, stays)
        ok_(self.is_well())

    def test_no_place_is_held_by_films_of_those_who_have_gone(self):
        tiny.need('av', 'cv2')
        films = self.app.extensions['films']
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, 'in.mp4')
            clips.write_clip(path)
            body, kind = multipart(path.read_bytes(), 'in.mp4')
        request = head(len(body), kind, 'films') + body
        looking, go, look = threading.Event(), threading.Event(), films.look

        def slow(*arguments):
            look(*arguments)
            looking.set()
            ok_(go.wait(30))
        with mock.patch.object(films, 'look', slow):
            # One is looked at, and the other waits for that.
            for number in 1, 2:
                with self.connect() as connection:
                    connection.setsockopt(socket.SOL_SOCKET,
                                          socket.SO_LINGER,
                                          b'\1\0\0\0\0\0\0\0')
                    connection.sendall(request)
                    ok_(looking.wait(30))
                    # What is reset before it was read, nobody gets.
                    self.wait_until(lambda: len(films._jobs) == number)
            go.set()
            self.wait_until(lambda: not films._jobs)
        eq_(self.looks.count, 0)
        eq_(self.ask(request)[0], 202)

    def hold(self, line, go):
        with line.place() as call:
            call(go.wait, 30)

    def test_a_byte_at_a_time(self):
        body, kind = multipart(encoded(quality=1))
        request = head(len(body), kind) + body
        eq_(self.ask(*(request[at:at + 1] for at in range(len(request))))[0],
            200)


def head(length, kind, path='colorize'):
    return ('POST /api/%s HTTP/1.1\r\nHost: localhost\r\n'
            'Content-Type: %s\r\nContent-Length: %d\r\n\r\n'
            % (path, kind, length)).encode()


def chunked(kind):
    return ('POST /api/colorize HTTP/1.1\r\nHost: localhost\r\n'
            'Content-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n'
            % kind).encode()


def in_chunks(body, size=30000):
    for start in range(0, len(body), size):
        part = body[start:start + size]
        yield b'%x\r\n%s\r\n' % (len(part), part)
    yield b'0\r\n\r\n'
