"""Tests of colornet.data.download against servers on this machine."""

import contextlib
import hashlib
import http.server
import io
import os
import shutil
import tempfile
import threading
import unittest
import zipfile
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_
from PIL import Image

from colornet.data import download as module
from colornet.data.download import download, fetch_cvcl, verify_folder
from colornet.errors import ColornetError


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves ``server.content``; the attributes of the server say how."""

    def do_GET(self):
        server = self.server
        server.ranges.append(self.headers.get('Range'))
        if server.errors:
            self.send_error(server.errors.pop())
            return
        start = 0
        if self.headers.get('Range') and server.knows_ranges:
            start = int(self.headers['Range'][len('bytes='):-1])
            if start >= len(server.content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header('Content-Range', 'bytes %d-%d/%d' % (
                start + server.shift, len(server.content) - 1,
                len(server.content)))
        else:
            self.send_response(200)
        body = server.content[start:]
        self.send_header('Content-Type', server.kind)
        if server.tells_length:
            self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body[:server.bytes_per_connection])

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def serve(content, **settings):
    """Run a server; yield it with its address as ``server.url``."""
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    defaults = dict(content=content, errors=[], ranges=[], knows_ranges=True,
                    kind='application/zip', tells_length=True, shift=0,
                    bytes_per_connection=None)
    vars(server).update(defaults, **settings)
    server.url = 'http://127.0.0.1:%d/photos.zip' % server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class FolderTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        for patch in [mock.patch.object(module, 'RETRY_WAIT', 0),
                      mock.patch.dict(os.environ, no_proxy='127.0.0.1')]:
            patch.start()
            self.addCleanup(patch.stop)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, content):
        with open(self.path(name), 'wb') as file:
            file.write(content)

    def read(self, *names):
        with open(self.path(*names), 'rb') as file:
            return file.read()

    def fails(self, *words, function=download, args=None, **kwargs):
        """The call fails with one line that has all these words."""
        with assert_raises(ColornetError) as caught:
            function(*args, **kwargs)
        for word in words:
            assert_in(word, str(caught.exception))
        ok_('\n' not in str(caught.exception))


class TestDownload(FolderTest):

    content = bytes(bytearray(range(251))) * 1000

    def download(self, server):
        download(server.url, self.path('new', 'a.zip'))

    def check(self):
        ok_(self.read('new', 'a.zip') == self.content)
        eq_(os.listdir(self.path('new')), ['a.zip'])

    def test_whole_file(self):
        for settings in [{}, {'tells_length': False}]:
            with serve(self.content, **settings) as server:
                self.download(server)
            eq_(server.ranges, [None])
            self.check()

    def test_dropped_connections_are_resumed(self):
        with serve(self.content, bytes_per_connection=100000) as server:
            self.download(server)
        eq_(server.ranges, [None, 'bytes=100000-', 'bytes=200000-'])
        self.check()

    def test_earlier_attempt_is_resumed(self):
        os.mkdir(self.path('new'))
        self.write('new/a.zip.part', self.content[:70000])
        with serve(self.content) as server:
            self.download(server)
        eq_(server.ranges, ['bytes=70000-'])
        self.check()

    def test_server_without_ranges_starts_again(self):
        os.mkdir(self.path('new'))
        self.write('new/a.zip.part', b'x' * 70000)
        with serve(self.content, knows_ranges=False) as server:
            self.download(server)
        self.check()

    def test_longer_or_complete_part_starts_again(self):
        os.mkdir(self.path('new'))
        for length in [251000, 300000]:
            self.write('new/a.zip.part', b'x' * length)
            with serve(self.content) as server:
                self.download(server)
            self.check()

    def test_another_part_than_asked_for_starts_again(self):
        os.mkdir(self.path('new'))
        self.write('new/a.zip.part', self.content[:70000])
        with serve(self.content, shift=-10) as server:
            self.download(server)
        eq_(server.ranges, ['bytes=70000-', None])
        self.check()

    def test_server_that_never_sends_the_rest_is_given_up(self):
        with serve(self.content, bytes_per_connection=1000,
                   knows_ranges=False) as server:
            self.fails('1000 of 251000 bytes', server.url,
                       args=[server.url, self.path('a.zip')])
        eq_(len(server.ranges), 1 + module.MAX_FAILURES)
        eq_(os.listdir(self.folder), ['a.zip.part'])

    def test_busy_server_is_asked_again(self):
        with serve(self.content, errors=[503, 429, 500]) as server:
            self.download(server)
        self.check()

    def test_refusals_are_not_asked_again(self):
        for code in [404, 403]:
            with serve(self.content, errors=[code] * 9) as server:
                self.fails(str(code), args=[server.url, self.path('a.zip')])
            eq_(len(server.ranges), 1)
        eq_(os.listdir(self.folder), [])

    def test_web_page_is_no_file(self):
        with serve(b'<html>Please log in', kind='text/html; charset=utf-8'
                   ) as server:
            self.fails('web page', args=[server.url, self.path('a.zip')])
        eq_(os.listdir(self.folder), [])

    def test_no_server(self):
        with serve(b'') as server:
            url = server.url
        self.fails('no connection', url, args=[url, self.path('a.zip')])
        self.fails('unknown url type', args=['photos.zip', self.path('a')])

    def test_file_that_cannot_be_written(self):
        self.write('file', b'')
        with serve(self.content) as server:
            self.fails('cannot write',
                       args=[server.url, self.path('file', 'a.zip')])


class TestCVCL(FolderTest):

    def setUp(self):
        FolderTest.setUp(self)
        self.photos = {'land%d.jpg' % seed: self.make_photo(seed)
                       for seed in range(5)}
        self.sha256 = self.path('cvcl.sha256')
        with open(self.sha256, 'w') as file:
            for name, content in self.photos.items():
                file.write('%s  %s\n' % (hashlib.sha256(content).hexdigest(),
                                         name))

    @staticmethod
    def make_photo(seed):
        pixels = np.random.RandomState(seed).randint(0, 256, (8, 8, 3))
        encoded = io.BytesIO()
        Image.fromarray(pixels.astype(np.uint8)).save(encoded, 'JPEG')
        return encoded.getvalue()

    def make_archive(self, changes=(), folder='all/'):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, 'w') as file:
            file.writestr(folder + 'coast_land0.jpg', b'another land0')
            file.writestr(folder + 'Thumbs.db', b'')
            for name, content in dict(self.photos, **dict(changes)).items():
                if content is not None:
                    file.writestr(folder + 'opencountry_' + name, content)
        return archive.getvalue()

    def fetch(self, server, **kwargs):
        return fetch_cvcl(self.path('cvcl'), self.sha256, server.url, **kwargs)

    def check(self):
        eq_({name: self.read('cvcl', name)
             for name in os.listdir(self.path('cvcl'))}, self.photos)

    def test_fetch_takes_open_country_alone(self):
        for folder in ['', 'all/']:
            with serve(self.make_archive(folder=folder)) as server:
                eq_(self.fetch(server), 5)
            self.check()
            eq_(verify_folder(self.path('cvcl'), self.sha256), 5)
            shutil.rmtree(self.path('cvcl'))

    def test_second_fetch_needs_no_network(self):
        with serve(self.make_archive()) as server:
            self.fetch(server)
            eq_(len(server.ranges), 1)
            eq_(self.fetch(server), 0)
            eq_(len(server.ranges), 1)

    def test_fetch_mends_missing_and_damaged_photos(self):
        os.mkdir(self.path('cvcl'))
        for name in ['land1.jpg', 'land2.jpg', 'land3.jpg']:
            self.write('cvcl/' + name, self.photos[name])
        self.write('cvcl/land2.jpg', b'damaged')
        with serve(self.make_archive()) as server:
            eq_(self.fetch(server), 3)
        self.check()

    def test_fetch_from_a_copy_of_the_archive(self):
        self.write('copy.zip', self.make_archive())
        eq_(fetch_cvcl(self.path('cvcl'), self.sha256, 'http://no.invalid/',
                       archive=self.path('copy.zip')), 5)
        self.check()
        ok_(os.path.exists(self.path('copy.zip')))
        shutil.rmtree(self.path('cvcl'))
        self.fails('none.zip', function=fetch_cvcl, args=[
            self.path('cvcl'), self.sha256], archive=self.path('none.zip'))

    def test_other_photos_are_not_taken(self):
        with serve(self.make_archive({'land1.jpg': b'other',
                                      'land4.jpg': None})) as server:
            self.fails('2 of the 5', 'land1.jpg, land4.jpg',
                       function=self.fetch, args=[server])
        eq_(sorted(os.listdir(self.path('cvcl'))),
            ['land0.jpg', 'land2.jpg', 'land3.jpg'])

    def test_damaged_archive_is_an_error_and_goes_away(self):
        whole = self.make_archive()
        flipped = bytearray(whole)
        flipped[whole.index(self.photos['land0.jpg']) + 50] ^= 255
        for damaged in [b'not a zip', whole[:-100], bytes(flipped)]:
            with serve(damaged) as server:
                self.fails('no zip archive', function=self.fetch,
                           args=[server])
            ok_('photos.zip' not in os.listdir(self.path('cvcl')))
        with serve(whole) as server:
            self.fetch(server)
        self.check()

    def test_archive_left_by_an_interrupted_call_is_used(self):
        os.mkdir(self.path('cvcl'))
        self.write('cvcl/photos.zip', self.make_archive())
        with serve(b'') as server:
            self.fetch(server)
            eq_(server.ranges, [])
        self.check()

    def test_verify_takes_the_names_of_the_archive(self):
        os.mkdir(self.path('cvcl'))
        for name, content in self.photos.items():
            self.write('cvcl/opencountry_' + name, content)
        eq_(verify_folder(self.path('cvcl'), self.sha256), 5)
        self.write('cvcl/opencountry_land3.jpg', b'damaged')
        self.fails('1 of the 5', 'land3.jpg', function=verify_folder,
                   args=[self.path('cvcl'), self.sha256])
        self.fails('5 of the 5', ', ...', function=verify_folder,
                   args=[self.path('none'), self.sha256])

    def test_bad_lists_are_refused(self):
        self.write('empty', b'')
        self.write('other', b'land1.jpg\n')
        for name in ['empty', 'other', 'none']:
            self.fails(self.path(name), function=verify_folder,
                       args=[self.folder, self.path(name)])
