"""Requests to a page's server, good, broken and hostile, and their answers."""

import contextlib
import http.client
import io
import json
import re
import socket
import struct
import time
from collections import OrderedDict

import numpy as np
from PIL import Image

from colornet.color import luminance

__all__ = ['KINDS', 'PATIENCE', 'TOLERANCE', 'Client', 'is_of', 'make_form',
           'make_request']

#: Kinds of requests -> the results that they may have: a status, or 'gone',
#: of whoever did not wait for an answer.
KINDS = OrderedDict([
    ('photo', {200, 503}),
    ('photo, another format', {200, 503}),
    ('sliders and hints', {200, 404, 503}),
    ('slow photo', {200, 503}),
    ('dropped half-way', {'gone'}),
    ('dropped when sent', {'gone'}),
    ('name with tricks', {200, 503}),
    ('truncated photo', {415, 503}),
    ('no image', {415, 503}),
    ('empty file', {415, 503}),
    ('bad option', {422, 503}),
    ('broken multipart', {422, 503}),
    ('too large', {413}),
    ('far too large', {413}),
    ('no HTTP', {400}),
    ('no such address', {404}),
    ('path with tricks', {404}),
    ('wrong method', {405}),
    ('other name', {403}),
    ('page', {200}),
    ('health', {200}),
])

#: Seconds without an answer after which a request is lost; of those that wait
#: for no other.
PATIENCE = 180
PROMPT = {'page': 10, 'health': 10}

#: How far the luminance of a picture's parts may be off in the mean, of 100.
TOLERANCE = 10

_NAMES = ['../../etc/passwd', '..\\..\\x.jpg', '/etc/passwd', 'a%00.jpg',
          'x' * 5000 + '.jpg', 'a\u202egpj.exe', '%s%n', "'; drop", '~', '.',
          'con', '\u00e9\u4e2d.tif', 'a;filename=b.jpg']
_PATHS = ['/static/../app.py', '/static/%2e%2e/app.py', '/static/..%5capp.py',
          '/..%2f..%2fetc/passwd', '/api/photos/../../x/before', '/%00',
          '/static/' + 'a' * 9999]


class Client:
    """Asks one thing after the other.

    Parameters
    ----------
    port : int
    draw : random.Random
    photos : list of bytes
    max_bytes : int
        That the server takes.
    deadline : float
        Of ``time.monotonic()``, after which nothing more is begun.

    Attributes
    ----------
    patience : int
        Seconds after which a server that was busy has told to come again.
    kept : list of (float, float)
        Seconds of a clock, and MB that the server then kept of photos.
    """

    def __init__(self, port, draw, photos, max_bytes,
                 deadline=float('inf')):
        self.port = port
        self.draw = draw
        self.photos = photos
        self.max_bytes = max_bytes
        self.deadline = deadline
        self.patience = 1
        self.kept = []

    def ask(self, kind):
        """Ask.

        Parameters
        ----------
        kind : str
            One of :data:`KINDS`.

        Returns
        -------
        int or str
            Status, 'gone', or why it is lost.
        """
        start = time.monotonic()
        try:
            result = getattr(self, '_' + re.sub('[^a-z]+', '_',
                                                kind.lower()))()
            took = time.monotonic() - start
            return result if took < PROMPT.get(kind, PATIENCE) else (
                'lost: after %d seconds' % took)
        except Exception as error:
            # Whatever it is: an answer that cannot be read is none.
            return 'lost: %s %s' % (type(error).__name__, error)

    def _connect(self):
        return socket.create_connection(('127.0.0.1', self.port), PATIENCE)

    def _send(self, *parts, pause=0):
        """Send a request; its status and its answer."""
        with contextlib.closing(self._connect()) as connection:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            content = answer.read()
        if answer.status >= 400:
            text = json.loads(content.decode('ascii'))['error']
            assert text and '\n' not in text, text
        if answer.status == 503:
            self.patience = int(answer.getheader('Retry-After'))
        return answer, content

    def _status(self, *parts, pause=0):
        return self._send(*parts, pause=pause)[0].status

    def _post(self, content, name='photo.jpg', fields=(), path='colorize'):
        return make_request('POST', '/api/' + path, make_form(
            content, name, fields))

    def _photo(self, **options):
        photo = self.draw.choice(self.photos)
        return self._status_of(photo, self._post(photo, **options))

    def _status_of(self, photo, *parts, size=None, pause=0):
        """The status of an answer, which shows a photo if it is 200."""
        answer, content = self._send(*parts, pause=pause)
        assert answer.status != 200 or is_of(photo, content, size), (
            'another picture')
        return answer.status

    def _photo_another_format(self):
        return self._photo(fields=[
            ('format', self.draw.choice(['png', 'webp', 'tif'])),
            ('saturation', '%.2f' % self.draw.uniform(0, 2))])

    def _sliders_and_hints(self):
        photo = self.draw.choice(self.photos)
        answer, content = self._send(self._post(photo, path='photos'))
        if answer.status != 201:
            return answer.status
        told = json.loads(content.decode())
        size = told['small']['columns'], told['small']['rows']
        after = ['after?saturation=%.2f&hints=%d,%d=%%23c04020' % (
            self.draw.uniform(0, 2), self.draw.randrange(100),
            self.draw.randrange(100)) for _ in range(3)]
        for what in ['before'] + after:
            if time.monotonic() > self.deadline:
                break
            status = self._status_of(photo, make_request(
                'GET', '/api/photos/%s/%s' % (told['key'], what)), size=size)
            if status != 200:
                return status
        return 200

    def _slow_photo(self):
        photo = self.draw.choice(self.photos)
        request = self._post(photo)
        step = len(request) // 10 + 1
        return self._status_of(photo, *(
            request[at:at + step] for at in range(0, len(request), step)),
            pause=self.draw.uniform(0.1, 0.5))

    def _leave(self, request):
        with contextlib.closing(self._connect()) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                  struct.pack('ii', 1, 0))
            connection.sendall(request)
        return 'gone'

    def _dropped_half_way(self):
        request = self._post(self.draw.choice(self.photos))
        return self._leave(request[:self.draw.randrange(len(request))])

    def _dropped_when_sent(self):
        return self._leave(self._post(self.draw.choice(self.photos)))

    def _name_with_tricks(self):
        answer, content = self._send(self._post(
            self.photos[0], self.draw.choice(_NAMES)))
        assert answer.status != 200 or is_of(self.photos[0], content)
        name = answer.getheader('Content-Disposition') or ''
        assert len(name) < 2000 and '/' not in name.partition("''")[0], name
        return answer.status

    def _truncated_photo(self):
        content = self.draw.choice(self.photos)
        return self._status(self._post(content[:len(content) // 2]))

    def _no_image(self):
        return self._status(self._post(bytes(self.draw.choices(
            range(256), k=self.draw.randrange(1, 2000)))))

    def _empty_file(self):
        return self._status(self._post(b''))

    def _bad_option(self):
        return self._status(self._post(self.photos[0], fields=[
            self.draw.choice([('nope', '1'), ('saturation', 'x'),
                              ('hints', '1,1'), ('hints', '9999,9999=red'),
                              ('quality', '0'), ('depth', '7'),
                              ('method', 'x' * 5000)])]))

    def _broken_multipart(self):
        body, kind = make_form(self.photos[0], 'a.jpg')
        broken = self.draw.choice([
            (body[:60], kind), (body.replace(b'--x', b'--y'), kind),
            (body, 'multipart/form-data'), (body, 'image/jpeg'), (b'', kind),
            (body[::-1], kind), (body.replace(b'"file"', b'"else"'), kind)])
        return self._status(make_request('POST', '/api/colorize', broken))

    def _too_large(self):
        return self._status(self._post(bytes(self.max_bytes + 200000)))

    def _far_too_large(self):
        return self._status(make_request('POST', '/api/colorize', (
            b'', 'image/jpeg'), 10 ** self.draw.randrange(9, 15)))

    def _no_http(self):
        return self._status(self.draw.choice([
            b'\x16\x03\x01\x02\x00\x01\r\n\r\n', b'SSH-2.0-x\r\n\r\n',
            b'GET / HTTP/1.1\r\nbroken\r\n\r\n', b'GET\r\n\r\n',
            b'GET / HTTP/1.1\r\n\r\n']))

    def _no_such_address(self):
        return self._status(make_request('GET', self.draw.choice([
            '/api', '/api/photos/0/after', '/favicon.ico', '/api/photos/'])))

    def _path_with_tricks(self):
        return self._status(make_request('GET', self.draw.choice(_PATHS)))

    def _wrong_method(self):
        return self._status(make_request(self.draw.choice([
            'PUT', 'DELETE', 'TRACE', 'FOO', 'GET']), '/api/colorize'))

    def _other_name(self):
        return self._status(make_request('GET', '/', host='example.org'))

    def _page(self):
        return self._status(make_request('GET', self.draw.choice([
            '/', '/static/page.js', '/static/page.css'])))

    def _health(self):
        answer, content = self._send(make_request('GET', '/api/health'))
        if answer.status == 200:
            kept = json.loads(content.decode())['kept_bytes']
            self.kept.append((time.monotonic(), kept / 1024 ** 2))
        return answer.status


def is_of(photo, content, size=None):
    """Whether an answer shows a photo: its size, and how bright its parts are.

    Parameters
    ----------
    photo, content : bytes
        Files that Pillow reads.
    size : (int, int), optional
        Columns and rows that it must have, if not the photo's.

    Returns
    -------
    bool
    """
    parts = []
    with Image.open(io.BytesIO(photo)) as ours, Image.open(
            io.BytesIO(content)) as theirs:
        if theirs.size != (size or ours.size):
            return False
        for image in ours, theirs:
            # An eighth of a JPEG is decoded: who asks shall not take the
            # processors from who answers.
            image.draft(None, (64, 64))
            parts.append(luminance(np.asarray(image.convert('RGB').resize(
                (32, 24), Image.BOX))))
    return np.abs(parts[0] - parts[1]).mean() < TOLERANCE


def make_form(content, name, fields=()):
    """Body and type of a form with a file."""
    parts = [('"%s"' % field, value.encode()) for field, value in fields]
    parts.append(('"file"; filename="%s"' % name, content))
    body = b''.join(b'--x\r\nContent-Disposition: form-data; name=%s\r\n\r\n'
                    b'%s\r\n' % (head.encode(), part) for head, part in parts)
    return body + b'--x--\r\n', 'multipart/form-data; boundary=x'


def make_request(method, path, body=None, length=None, host='localhost'):
    """The bytes of a request; `body` as :func:`make_form` returns it."""
    head = '%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n' % (
        method, path, host)
    content, kind = body or (b'', '')
    if body:
        head += 'Content-Type: %s\r\nContent-Length: %d\r\n' % (
            kind, len(content) if length is None else length)
    return (head + '\r\n').encode() + content
