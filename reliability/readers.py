"""Files that are no photos, and requests: whole ones, and what reads them."""

import contextlib
import csv
import json
import os
import re
import socket
import threading
from collections import OrderedDict
from unittest import mock

import numpy as np

from colornet.config import Config, load_config
from colornet.data.image_cache import load_images
from colornet.data.splits import read_split, resolve
from colornet.errors import ColornetError
from colornet.evaluation.plots import PLOTTED, plot_curves
from colornet.files import read_csv, write_csv
from colornet.photos.finding import find_images
from colornet.prediction import onnx_cache
from colornet.resources import find_resource
from colornet.studies.results import read_results
from colornet.studies.saving import refuse_other_settings
from colornet.studies.study import Session, load_study
from colornet.studies.tables import study_table
from tests.tiny import PHOTOS
from tests.web.serving import encoded, make_model

from .asking import make_form, make_request
from .mutations import mutate, mutate_text

__all__ = ['READERS', 'Reader', 'is_short', 'listed_photos', 'table_rows']

#: Seconds that a server may say nothing where it waits for more, or has
#: answered; where it has a whole request.
_SILENCE, _LONGEST = 0.5, 30


class Reader:
    """Whole files of a kind, and what reads such a file.

    Parameters
    ----------
    folder : Path
        Its own.

    Attributes
    ----------
    path : Path
        Where a file is to be read.
    seeds : list of bytes
    may : set of str
        Audit events that reading may cause.
    at_a_time : int
        How many files may be read at a time, each from a path of its own.
    """

    name = 'file'
    at_a_time = 1
    may = frozenset()
    change = staticmethod(mutate)

    def __init__(self, folder):
        self.folder, self.path = folder, folder / self.name
        self.prepare()
        self.seeds = self.make()

    def prepare(self):
        """Make what else is needed."""

    def make(self):
        """The content of whole files."""
        raise NotImplementedError

    def warm(self):
        """Import what reads a file, so that no process has to."""
        for content in self.seeds:
            self.path.write_bytes(content)
            self.read(self.path)

    def read(self, path):
        """What the program reads of a file; a ColornetError, if nothing."""
        raise NotImplementedError

    def is_right(self, result):
        """Whether it is something whole."""
        raise NotImplementedError

    def mutate(self, chance):
        """One of the files, damaged."""
        return self.change(chance.choice(self.seeds), chance, self.seeds)


class _Config(Reader):
    """A configuration: settings that are what they say, or an error."""

    name = 'experiment.ini'
    change = staticmethod(mutate_text)

    def make(self):
        folder = find_resource('experiments/defaults.ini').parent
        found = []
        for path in sorted(folder.glob('*.ini')):
            content = path.read_bytes()
            if b'[study]' not in content:
                found.append(content)
        return found

    def read(self, path):
        return load_config(path)

    def is_right(self, result):
        again = self.folder / 'again.ini'
        again.write_text(result.to_ini())
        return (load_config(again) == result ==
                Config.from_json(result.to_json()))


class _Log(Reader):
    """Logs of trainings: drawn, or an error."""

    name = 'log.csv'
    change = staticmethod(mutate_text)

    def make(self):
        columns = ['epoch', 'training_loss', 'validation_loss', 'acc_u',
                   'acc_v']
        write_csv(self.path, columns, [
            ['%d' % epoch] + ['%.6g' % (number / epoch) for number in
                              range(1, 5)] for epoch in range(1, 9)])
        return [self.path.read_bytes()]

    def read(self, path):
        rows = read_csv(path, {'epoch', *PLOTTED})
        with mock.patch('colornet.evaluation.plots.save_figure'):
            plot_curves(self.folder / 'a.png', [
                dict(row, variant='a') for row in rows], ['epoch'], [
                    'training_loss', 'validation_loss', 'acc_u', 'acc_v'])
        return rows

    def is_right(self, result):
        return result == table_rows(self.path.read_bytes())


class _Results(_Log):
    """Tables of studies: all rows whole, or an error."""

    name = 'aggregation.csv'
    start = b'study,'

    def make(self):
        self.study = load_study('aggregation')
        results = find_resource('experiments/defaults.ini').parent / 'results'
        return [path.read_bytes() for path in sorted(results.glob('*.csv'))
                if path.read_bytes().startswith(self.start)][:5]

    def read(self, path):
        rows = read_results(path)
        # What a report shows, and what asks whether numbers may be replaced.
        for scale in {row['scale'] for row in rows}:
            ours = [row for row in rows if row['scale'] == scale]
            shown = study_table(self.study, ours)
            if len(shown['rows']) != len(ours):
                raise AssertionError('rows are missing')
            session = Session(scale, path.parent, path.parent, path.parent, [])
            with contextlib.suppress(ColornetError):
                refuse_other_settings(self.study, session)
        return rows


class _Curves(_Results):
    """Curves of studies: drawn, or an error."""

    name = 'aggregation_curves.csv'
    start = b'variant,'

    def read(self, path):
        rows = read_results(path, ())
        with mock.patch('colornet.evaluation.plots.save_figure'):
            plot_curves(self.folder / 'a.png', rows, self.study.curve,
                        self.study.plot)
        return rows


class _Split(Reader):
    """Lists of photos: photos that are there, or an error."""

    name = 'split.txt'
    change = staticmethod(mutate_text)

    def make(self):
        return ['\n'.join(['# Photos'] + [
            os.path.basename(path) for path in find_images(PHOTOS)]).encode()]

    def read(self, path):
        return resolve('folder', str(PHOTOS), read_split(path))

    def is_right(self, result):
        return result == listed_photos(self.path.read_bytes())


def table_rows(content):
    """Rows of a table by its header; None if it is not whole.

    Parameters
    ----------
    content : bytes
        Of which each line is a row by itself, and ends.

    Returns
    -------
    list of dict of str to str, or None
    """
    lines = content.decode('utf-8', 'replace').splitlines(True)
    rows = []
    for line in lines:
        if not line.endswith(('\n', '\r')):
            return None
        try:
            rows += csv.reader([line.strip('\r\n')], strict=True)
        except csv.Error:
            return None
    header, *rows = rows or [[]]
    rows = [row for row in rows if row]
    if len(set(header)) < len(header) or any(
            len(row) != len(header) for row in rows):
        return None
    return [dict(zip(header, row)) for row in rows]


def listed_photos(content):
    """Paths of the photos that a list names; None if one is not there.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    list of str, or None
        Of the demo's photos, each once.
    """
    there = {os.path.basename(path): str(path)
             for path in find_images(PHOTOS)}
    names = [line.strip() for line in re.split('\r\n?|\n', content.decode(
        'utf-8', 'surrogateescape'))]
    names = [name for name in names if name and name[0] != '#']
    if not names or len(set(names)) < len(names) or set(names) - set(there):
        return None
    return [there[name] for name in names]


class _ImageCache(Reader):
    """Decoded photos: the same, read or decoded anew, or an error."""

    name = 'photos.h5'
    # A damaged one is replaced.
    may = {'os.rename', 'os.remove', 'open'}

    def make(self):
        self.photos = find_images(PHOTOS)
        self.whole = load_images(self.photos, self.path, 16)[0][:]
        return [self.path.read_bytes()]

    def read(self, path):
        images, names, _ = load_images(self.photos, path, 16)
        return images[:], names

    def is_right(self, result):
        return np.array_equal(result[0], self.whole)


class _OnnxCache(Reader):
    """What is kept for ONNX Runtime: the same, read or made anew."""

    name = 'x.bin'
    may = {'os.rename', 'os.remove', 'open'}

    def make(self):
        key = 'k' * 32
        self.path = onnx_cache._folder() / (key + '.bin')
        self.path.parent.mkdir(parents=True)
        self.key, self.whole = key, bytes(range(256)) * 40
        onnx_cache._remember(key, lambda: self.whole)
        return [self.path.read_bytes()]

    def read(self, path):
        return bytes(onnx_cache._remember(self.key, lambda: self.whole))

    def is_right(self, result):
        return result == self.whole


class _Function(Reader):
    """A compiled function: loaded if nothing has changed, else compiled."""

    name = 'function.pkl'

    def make(self):
        from colornet.engine import function_cache
        from colornet.engine.backend import T, theano
        self.cache, self.key = function_cache, 'k' * 64
        self.weights = {'w': theano.shared(np.float32(2), 'w')}
        x = T.fscalar()
        with theano.change_flags(cxx=''):
            function = theano.function([x], 3 * x * self.weights['w'],
                                       mode='FAST_COMPILE')
        function_cache._store(self.path, self.key, self.weights, function)
        return [self.path.read_bytes()]

    def read(self, path):
        return self.cache._load(path, self.key, self.weights)

    def is_right(self, result):
        return result is None or self.path.read_bytes() in self.seeds


class _Request(Reader):
    """A request to the page's server: answered, or refused in one line."""

    name = 'request'
    # Addresses are compiled when an application is made.
    may = {'socket.connect', 'compile', 'exec'}
    # Nearly all of the time, somebody waits for the other.
    at_a_time = 8

    def make(self):
        from colornet.web.server import missing_web
        if missing_web():
            raise ImportError(missing_web())
        photo = encoded()
        fields = [('saturation', '0.5'), ('format', 'png'),
                  ('hints', '1,2=#c04020'), ('depth', '8')]
        return [make_request('GET', path) for path in (
            '/', '/api/health', '/static/page.js')] + [
            make_request('POST', '/api/' + path, make_form(
                photo, name, fields)) for path, name, fields in (
                    ('colorize', 'a.jpg', fields[:2]), ('photos', 'b', []),
                    ('colorize', 'c.png', fields))]

    def read(self, path):
        from colornet.web.app import make_app
        from colornet.web.server import listen

        # Its own: a process that is forked has none of the other's threads,
        # of which an application that has worked needs some.
        app = make_app(make_model(), places=4, max_bytes=1 << 20)
        server = listen(app, '127.0.0.1', 0)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            content = path.read_bytes()
            return (content,) + _ask(int(server.effective_port), content)
        finally:
            server.asyncore.close_all(server._map)
            thread.join(60)
            server.task_dispatcher.shutdown()

    def is_right(self, result):
        content, answer, is_open = result
        if not answer:
            # Of less than a request, the server waits for the rest.
            return is_open and is_short(content)
        head, _, body = answer.partition(b'\r\n\r\n')
        status = int(head.split()[1])
        if status < 400:
            return status in (100, 200, 201, 204)
        if b'application/json' not in head:
            return False
        # Where several came at once, the first.
        error, _ = json.JSONDecoder().raw_decode(body.decode('latin-1'))
        return status not in (500, 502) and '\n' not in error['error']

    def mutate(self, chance):
        change = mutate_text if chance.random() < .7 else mutate
        return change(chance.choice(self.seeds), chance, self.seeds)


def is_short(content):
    """Whether a request is less than it says itself.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    bool
    """
    head, end, body = content.lstrip(b'\r\n').partition(b'\r\n\r\n')
    if not end:
        return True
    if re.search(rb'\ntransfer-encoding:[ \t]*chunked', head.lower()):
        return b'0\r\n\r\n' not in body
    return any(int(length) > len(body) for length in re.findall(
        rb'\ncontent-length:[ \t]*(\d+)', head.lower()))


def _ask(port, content):
    """What a server on this machine answers, and whether it waits for more."""
    answer = b''
    with socket.create_connection(('127.0.0.1', port), _LONGEST) as client:
        try:
            client.sendall(content)
            if is_short(content):
                client.settimeout(_SILENCE)
            part = client.recv(1 << 16)
            while part:
                answer += part
                client.settimeout(_SILENCE)
                part = client.recv(1 << 16)
        except socket.timeout:
            return answer, True
        except ConnectionError:
            pass
    return answer, False


#: By kind.
READERS = OrderedDict([
    ('configuration', _Config), ('log', _Log), ('results', _Results),
    ('curves', _Curves), ('split', _Split), ('image-cache', _ImageCache),
    ('onnx-cache', _OnnxCache), ('function', _Function),
    ('request', _Request)])
