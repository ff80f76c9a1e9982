"""Who is answered, and with which headers and statuses."""

import ast
import re
import socket
from pathlib import Path
from unittest import mock

from nose.tools import assert_in, assert_not_in, eq_, ok_

from colornet.web import openapi
from colornet.web.names import server_names
from tests.cli.commands import check_is_refused
from tests.tiny import noted
from tests.web import serving
from tests.web.serving import Client, encoded

#: Of a page whose name stands for this machine's address, and others.
STRANGERS = ('example.org', 'example.org:8000', '127.0.0.1.example.org',
             '127.0.0.1.x:1', '2130706433', 'localhost.example.org',
             'e' * 9999)

OURS = ('127.0.0.1:8000', '10.1.2.3', '[::1]:80', '[fe80::1]', 'localhost',
        'LOCALHOST:8000', 'localhost.', 'a.localhost')


class Names(Client):
    """A server that may be called by some names."""

    HOST = '127.0.0.1'
    ALLOWED = []
    MORE = []
    STRANGERS = []

    def setup(self):
        serving.need_flask()
        self.OPTIONS = {'names': server_names(self.HOST, self.ALLOWED)}
        super().setup()

    setup_method = setup

    def ask(self, host, **headers):
        return self.client.get('/api/health', headers=dict(headers,
                                                           Host=host))

    def test_names(self):
        for host in OURS + tuple(self.MORE):
            eq_(self.ask(host).status_code, 200, host)
        for host in STRANGERS + tuple(self.STRANGERS):
            self.refuses(403, 'not called ' + host[:100], self.ask(host))
            for path in '/', '/static/page.js', '/nope':
                eq_(self.client.get(path, headers={'Host': host}).status_code,
                    403)
        self.refuses(400, 'no header Host', self.ask(''))

    def test_pages_of_others(self):
        for host in ('127.0.0.1:8000',) + tuple(self.MORE):
            eq_(self.ask(host, Origin='http://' + host).status_code, 200)
            # Behind a proxy that has certificates.
            eq_(self.ask(host, Origin='https://' + host).status_code, 200)
            for origin in ('null', '', 'http://example.org', 'file://' + host,
                           'http://%s.example.org' % host,
                           'http://example.org/' + host,
                           'http://%s@example.org' % host):
                self.refuses(403, 'other servers', self.ask(host,
                                                            Origin=origin))


class TestLoopback(Names):
    """A server for this machine only."""

    STRANGERS = ['this-machine', 'this-machine.lan', 'this-machine.local']

    def setup(self):
        with mock.patch.object(socket, 'gethostname',
                               lambda: 'This-Machine.lan'):
            super().setup()

    setup_method = setup


class TestNetwork(TestLoopback):
    """A server for others."""

    HOST = '0.0.0.0'
    MORE = ['this-machine:8000', 'This-Machine.local', 'this-machine.lan']
    STRANGERS = ['this-machine.example.org']


class TestAllowed(Names):
    """With more names."""

    HOST = 'photos.lan'
    ALLOWED = ['Photos.Example.ORG', 'fotos-ä.example.']
    MORE = ['photos.lan:8000', 'photos.example.org', 'photos.example.org:443',
            'xn--fotos--gua.example']
    STRANGERS = ['example.org', 'x.photos.example.org']


def test_what_is_no_name():
    for name in 'http://x', 'x:80', '*', '.', '', 'a b':
        check_is_refused('no name of a server', 'serve', '--allowed-host',
                         name)


class TestHeaders(Client):
    """What a reviewer looks for."""

    def test_nothing_leaves_the_machine(self):
        for path, status in [('/', 200), ('/api/health', 200), ('/nope', 404),
                             ('/static/page.js', 200),
                             ('/api/colorize', 405)]:
            answer = self.client.get(path)
            eq_(answer.status_code, status)
            headers = answer.headers
            policy = headers['Content-Security-Policy']
            for part in ("default-src 'none'", "frame-ancestors 'none'",
                         "base-uri 'none'", "form-action 'none'"):
                assert_in(part, policy)
            eq_(re.findall(r'https?:|\*|unsafe', policy), [])
            eq_(headers['X-Content-Type-Options'], 'nosniff')
            eq_(headers['X-Frame-Options'], 'DENY')
            eq_(headers['Referrer-Policy'], 'no-referrer')
            eq_(headers['Cross-Origin-Resource-Policy'], 'same-origin')
            eq_(headers['Cross-Origin-Opener-Policy'], 'same-origin')
            eq_(headers['Cache-Control'],
                'no-store' if '/api/' in path else 'no-cache')
            assert_not_in('Access-Control-Allow-Origin', headers)
            assert_not_in('Set-Cookie', headers)

    def test_photos_are_not_kept_by_browsers(self):
        key = self.post('/api/photos', encoded()).json['key']
        for answer in (self.colorize(encoded()), self.client.get(
                '/api/photos/%s/after' % key)):
            eq_(answer.headers['Cache-Control'], 'no-store')
            assert_in("default-src 'none'",
                      answer.headers['Content-Security-Policy'])


class TestStatuses(Client):
    """The description has what the server can answer.

    The other tests compare theirs: see :class:`.serving.Client`.
    """

    def test_any_request(self):
        def fail(**_):
            raise RuntimeError('secret')
        rules = [rule for rule in self.app.url_map.iter_rules()
                 if rule.rule.startswith('/api/')]
        eq_(len(rules), 11)
        for rule in rules:
            path = rule.rule.replace('<key>', '0')
            method, = rule.methods - {'HEAD', 'OPTIONS'}
            for host, status in ('example.org', 403), ('', 400):
                self.refuses(status, 'this server' if host else 'no header',
                             self.client.open(path, method=method, headers={
                                 'Host': host}))
            self.app.view_functions[rule.endpoint] = fail
            with noted() as said:
                self.refuses(500, 'internal error',
                             self.client.open(path, method=method))
            eq_(said.getvalue(),
                'colornet: internal error: RuntimeError: secret\n')
            self.refuses(405, 'there is no PUT', self.client.put(path))

    def test_the_code(self):
        """Whatever looks like a status in the code is described."""
        described = set(openapi.STATUSES)
        # Of addresses and methods that are not described; and of requests
        # that nobody waits for.
        eq_(statuses_of('errors', 'app', 'film_views', 'guard', 'line',
                        'options'), described - {431} | {405, 499})

    def test_waitress(self):
        from waitress import utilities
        codes = {kind.code for kind in vars(utilities).values() if isinstance(
            kind, type) and issubclass(kind, utilities.Error)}
        eq_(codes - set(openapi.STATUSES), set())
        ok_(codes >= {400, 413, 431, 500, 501})


def statuses_of(*modules):
    """Numbers in the code of modules that are statuses of errors."""
    found = set()
    for name in modules:
        path = Path(openapi.__file__).with_name(name + '.py')
        found.update(node.value for node in ast.walk(ast.parse(
            path.read_text(encoding='utf-8'))) if isinstance(
                node, ast.Constant) and isinstance(node.value, int) and
            400 <= node.value < 512)
    return found
