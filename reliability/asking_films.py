"""Requests for films to a page's server, and their answers.

Films are tiny, and asked for seldom: each is coloured for a while, frame by
frame between photos, and the server has places for four.
"""

import functools
import io
import json
import secrets
import tempfile
import time
from collections import OrderedDict
from pathlib import Path

import numpy as np

from colornet.color import luminance
from colornet.video.packages import missing_package
from tests.video.clips import frames_of, moving, write_clip

from . import asking
from .asking import PATIENCE, TOLERANCE, make_form, make_request
from .mutations import mutate

__all__ = ['KINDS', 'WEIGHTS', 'Client', 'encode_films', 'is_film_of']

#: Those that take one of the places for films; 503, if there is none.
_PLACES = OrderedDict([
    ('film', {200, 503}),
    ('film that is given up', {204, 503}),
    ('film that is damaged', {200, 410, 413, 415, 503}),
    ('film dropped when sent', {'gone'}),
    ('no film', {415, 503}),
    ('film that is too long', {413, 503}),
    ('bad option of a film', {422, 503}),
])

#: As :data:`.asking.KINDS`; without films where packages for them are missing.
KINDS = OrderedDict(asking.KINDS)
if not missing_package():
    KINDS.update(_PLACES)
    KINDS.update([
        ('film dropped half-way', {'gone'}),
        ('film that is too large', {413}),
        ('no such film', {404}),
        ('delete no such film', {404}),
        ('delete what is none', {404, 405}),
    ])

#: Of requests; others have 1. All that take places have that of one.
WEIGHTS = {kind: 1 / len(_PLACES) for kind in _PLACES}

#: Seconds between two looks at a film.
_LOOKS = 0.3

#: Of keys: tricks, and what is none.
_KEYS = ['x', '..', '%2e%2e', '..%2fphotos%2fx', '..%5c..', '%00', '%0a',
         'x' * 9999, '%s%n', '-1', '*', "';%20drop", '%e4%b8%ad', '%ff',
         'x/coloured/coloured', '../photos/x']


class Client(asking.Client):
    """As :class:`.asking.Client`, for films, too."""

    def _film(self):
        name, content = self.draw.choice(encode_films())
        fields = [('every', str(self.draw.choice((1, 4)))),
                  ('saturation', '%.2f' % self.draw.uniform(0, 2))]
        status, told = self._added(content, name, fields)
        if status != 202:
            return status
        path = '/api/films/' + told['key']
        assert self._status(make_request('GET', path + '/coloured')) in (
            200, 409)
        told = self._awaited(told)
        assert told['state'] == 'done', told
        answer, coloured = self._send(make_request(
            'GET', path + '/coloured'))
        assert answer.status == 200 and is_film_of(content, coloured), (
            'another film: %d' % answer.status)
        assert told['done'] == told['frames'], told
        return self._removed(path) and 200

    def _film_that_is_given_up(self):
        name, content = self.draw.choice(encode_films())
        status, told = self._added(content, name)
        if status != 202:
            return status
        time.sleep(self.draw.choice((0, .1, 1)))
        return self._removed('/api/films/' + told['key'])

    def _film_that_is_damaged(self):
        films = encode_films()
        name, content = self.draw.choice(films)
        status, told = self._added(mutate(content, self.draw, [
            each for _, each in films]), name)
        if status != 202:
            return status
        path = '/api/films/' + told['key']
        told = self._awaited(told)
        status = self._status(make_request('GET', path + '/coloured'))
        assert (told['state'], status) in (('done', 200), ('failed', 410)), (
            told, status)
        return self._removed(path) and status

    def _film_dropped_when_sent(self):
        return self._leave(self._post_film())

    def _film_dropped_half_way(self):
        request = self._post_film()
        return self._leave(request[:self.draw.randrange(len(request))])

    def _no_film(self):
        name, content = self.draw.choice(encode_films())
        return self._status(self._post(self.draw.choice([
            b'', b'words', self.photos[0], content[:len(content) // 9],
            bytes(self.draw.choices(range(256), k=2000)),
            b'#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n']),
            self.draw.choice([name, 'a.m3u8', 'a.txt', '../../a.mp4', '']),
            path='films'))

    def _film_that_is_too_long(self):
        return self._status(self._post(encode_long_film(), 'long.mkv',
                                       path='films'))

    def _film_that_is_too_large(self):
        return self._status(self._post(bytes(self.max_bytes + 200000),
                                       'a.mp4', path='films'))

    def _bad_option_of_a_film(self):
        return self._status(self._post_film([self.draw.choice([
            ('nope', '1'), ('every', '0'), ('every', '9' * 400),
            ('smooth', 'nan'), ('smooth', '1'), ('format', '../x'),
            ('hints', '1,1=red'), ('saturation', '-1'),
            ('refinement', 'x' * 5000)])]))

    def _no_such_film(self):
        return self._status(make_request(
            'GET', self._unknown() + self.draw.choice(['', '/coloured'])))

    def _delete_no_such_film(self):
        # What comes with it is no matter.
        return self._status(make_request(
            'DELETE', self._unknown(), self.draw.choice([
                None, (b'', 'text/plain'), (b'{"a": 1}', 'application/json'),
                make_form(bytes(1000), 'a.mp4')])))

    def _delete_what_is_none(self):
        return self._status(make_request('DELETE', self.draw.choice([
            '/', '/api', '/api/films', '/api/films/', '/api/health',
            '/api/photos', '/api/photos/' + secrets.token_hex(16),
            '/api/photos/x/before', '/api/films/x/coloured', '/api/options',
            '/static/page.js', '/static/../app.py', '/%00'])))

    def _unknown(self):
        """The address of a film that there is not."""
        return '/api/films/' + self.draw.choice(
            [secrets.token_hex(16)] * 8 + _KEYS)

    def _post_film(self, fields=()):
        name, content = self.draw.choice(encode_films())
        return self._post(content, name, fields, 'films')

    def _added(self, content, name, fields=()):
        """Status of a film that is sent; what is told of it."""
        answer, content = self._send(self._post(content, name, fields,
                                                'films'))
        return answer.status, json.loads(content.decode())

    def _awaited(self, told):
        """What is told of a film when it is done, or has failed.

        It is lost if nothing happens to it. Whoever is to end waits for it,
        too: else no film could be lost in a load that is shorter than that.
        """
        path, last = '/api/films/' + told['key'], time.monotonic()
        while told['state'] in ('waiting', 'working'):
            time.sleep(_LOOKS)
            answer, content = self._send(make_request('GET', path))
            assert answer.status == 200, content
            before, told = told, json.loads(content.decode())
            assert told['done'] >= before['done'], (before, told)
            if told != before:
                last = time.monotonic()
            assert time.monotonic() < last + PATIENCE, told
        return told

    def _removed(self, path):
        """Remove a film, of which nothing may be left; the status."""
        status = self._status(make_request('DELETE', path))
        for method, rest in (('GET', ''), ('GET', '/coloured'),
                             ('DELETE', '')):
            again = self._status(make_request(method, path + rest))
            assert again == 404, '%s of what is removed: %d' % (method, again)
        return status


@functools.lru_cache(None)
def encode_films():
    """Some files of films: half a second of tiny frames each.

    Returns
    -------
    list of (str, bytes)
        Names and contents.
    """
    return [_encode('a.mp4', moving(8), sound=True),
            _encode('b.mp4', moving(16, scene=1)),
            _encode('c.mkv', moving(12, scene=1), codec='ffv1')]


@functools.lru_cache(None)
def encode_long_film():
    """A film of few frames, each of which is shown for half a minute."""
    return _encode('d.mkv', moving(4), times=range(0, 4 * 18000, 18000))[1]


def _encode(name, frames, **options):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        write_clip(path, frames, **options)
        return name, path.read_bytes()


def is_film_of(film, content):
    """Whether an answer shows a film: as many frames, each as bright.

    Parameters
    ----------
    film, content : bytes

    Returns
    -------
    bool
    """
    ours, theirs = [_luminances(each) for each in (film, content)]
    return len(ours) == len(theirs) and all(
        one.shape == other.shape and np.abs(one - other).mean() < TOLERANCE
        for one, other in zip(ours, theirs))


def _luminances(content):
    return [luminance(pixels) for pixels in frames_of(io.BytesIO(content))]
