"""What the server answers: the page, and the interface by HTTP."""

import hashlib
import io
import os
from urllib.parse import quote

import numpy as np
from flask import Flask, Request, jsonify, render_template, request, send_file
from PIL import Image

from .. import __version__
from ..errors import ColornetError
from ..photos.finding import IMAGE_SUFFIXES
from ..photos.options import format_suffix
from ..photos.reading import ImageError, decode_photo
from ..photos.writing import check_suffix, encode_photo, output_dtype
from .errors import Forgotten, add_errors, too_large
from .film_views import FilmService
from .films import FilmLimits
from .guard import add_rules
from .line import Line
from .names import server_names
from .openapi import describe_api
from .options import BadOption, describe_options, parse_options
from .shelf import Shelf
from .uploads import has_left, result_name, sent_file, sent_values

__all__ = ['make_app']

#: What a request may have beside a photo: options, names of their parts.
_MARGIN = 1 << 16

#: Pictures for the screen that wait, and the one that is made: each holds a
#: thread, and what is kept of its photo.
SCREEN_PLACES = 16


class _Request(Request):
    """Whose fields other than files are small."""

    # Of what is read at a time, too.
    max_form_memory_size = 8 * _MARGIN
    max_form_parts = 1000


def make_app(model, places=8, max_bytes=64 << 20, max_pixels=None,
             room=512 << 20, names=None, max_seconds=60):
    """Make the application.

    Parameters
    ----------
    model : Model
    places : int
        Photos that wait for the network, and the one that it sees.
    max_bytes : int
        Of a photo's file.
    max_pixels : int, optional
        Of a photo, to tell; :func:`colornet.formats.photo.limit_pixels`
        refuses larger ones.
    room : int
        Bytes for what is kept of photos.
    names : set of str, optional
        Of :func:`.names.server_names`: by which alone the server may be
        called. Those of this machine for itself, if not given.
    max_seconds : int
        Of a film; 0: none are taken.

    Returns
    -------
    flask.Flask
        ``extensions`` has its ``line`` and ``screen``, each a
        :class:`.line.Line`, :class:`.shelf.Shelf` and :class:`.films.Films`.
    """
    app = Flask(__name__)
    app.request_class = _Request
    app.config['MAX_CONTENT_LENGTH'] = max_bytes + _MARGIN
    app.json.sort_keys = False
    service = _Service(model, places, Shelf(room), {
        'bytes': max_bytes, 'pixels': max_pixels})
    service.films = FilmService(model, service.line,
                                FilmLimits(max_seconds, max_bytes))
    app.extensions.update(line=service.line, screen=service.screen,
                          shelf=service.shelf, films=service.films.films)
    add_rules(app, server_names('localhost') if names is None else names)
    add_errors(app, max_bytes)
    for rule, method, view in [
            ('/', 'GET', service.page),
            ('/api/health', 'GET', service.health),
            ('/api/options', 'GET', service.options),
            ('/api/openapi.json', 'GET', service.openapi),
            ('/api/colorize', 'POST', service.colorize),
            ('/api/photos', 'POST', service.add),
            ('/api/photos/<key>/before', 'GET', service.before),
            ('/api/photos/<key>/after', 'GET', service.after)
            ] + service.films.rules():
        app.add_url_rule(rule, view.__name__, view, methods=[method])
    return app


class _Service:
    """The answers."""

    def __init__(self, model, places, shelf, limits):
        self.model = model
        self.line = Line(places)
        # Pictures of a screen's size do not wait for the network, but for
        # each other: each may take the memory of a hundred hints.
        self.screen = Line(SCREEN_PLACES)
        self.shelf = shelf
        self.limits = limits
        # Without it, nobody can tell by which key a photo is kept.
        self._secret = os.urandom(32)

    def page(self):
        # Systems know no type of some of the formats.
        return render_template('index.html', accept=','.join(
            ['image/*'] + sorted(IMAGE_SUFFIXES) +
            ([] if self.films.refusal else ['video/*', '.mkv'])),
            films=not self.films.refusal)

    def health(self):
        return jsonify(
            status='ok', version=__version__, network=self.model.name,
            waiting=self.line.waiting(), places=self.line.places,
            films=self.films.films.working(),
            kept_bytes=self.shelf.num_bytes())

    def options(self):
        return jsonify(
            options=describe_options(self.model), limits=self.limits,
            films=self.films.describe())

    def openapi(self):
        return jsonify(describe_api(self.model, __version__))

    def colorize(self):
        """A coloured photo, in full size."""
        # A place first: whoever has none keeps nothing in memory.
        with self.line.place(has_left()) as call:
            content, name = self._photo()
            wanted = parse_options(self.model, sent_values())
            encoded, suffix, lost = call(self._colorize, content, name,
                                         wanted)
        response = _image(encoded, suffix, name)
        if lost:
            response.headers['Colornet-Note'] = quote('; '.join(lost))
        return response

    def _colorize(self, content, name, wanted):
        photo = decode_photo(content, name)
        seen = self._look(self._key(content, wanted), photo, wanted)
        results, lost = wanted.results, _notes(photo)
        suffix = results.suffix(None, photo)
        is_kept = seen.has_colours and results.colour == 'keep'
        if is_kept and results.hints:
            lost.append('It keeps its colours: hints are not used.')
        if is_kept and suffix == format_suffix(photo):
            return content, suffix, lost
        rgb = self._colour(photo.pixels, seen, wanted,
                           output_dtype(photo, suffix, results.depth))
        try:
            # Colours that a photo has kept are not computed.
            return encode_photo(
                rgb, photo, suffix, name, results.depth,
                results.mark and not is_kept, results.quality,
                lost.append), suffix, lost
        except ImageError as error:  # Of a format that was asked for.
            raise BadOption(error.reason)

    def add(self):
        """Look at a photo for the page."""
        with self.line.place(has_left()) as call:
            content, name = self._photo()
            wanted = parse_options(self.model, sent_values(), ['look'])
            return jsonify(call(self._add, content, name, wanted)), 201

    def _add(self, content, name, wanted):
        photo, key = decode_photo(content, name), self._key(content, wanted)
        seen = self._look(key, photo, wanted)
        rows, columns = seen.small.pixels.shape[:2]
        return {
            'key': key, 'rows': seen.shape[0], 'columns': seen.shape[1],
            'has_colours': seen.has_colours, 'notes': _notes(photo),
            'small': {'rows': rows, 'columns': columns}}

    def _key(self, content, wanted):
        """By which it is kept what the network says of a photo."""
        digest = hashlib.blake2b(content, key=self._secret, digest_size=16)
        digest.update(repr(sorted(wanted.looks.items())).encode())
        return digest.hexdigest()

    def _look(self, key, photo, wanted):
        seen = self.shelf.get(key)
        if seen is None:
            seen = self.model.look(photo, **wanted.looks)
            self.shelf.put(key, seen)
        return seen

    def before(self, key):
        """The photo as it came, in a size for the screen."""
        small = self._seen(key).small
        with self.screen.place(has_left()) as call:
            return _image(*call(_encode_small, small.pixels, small))

    def after(self, key):
        """The coloured photo, in a size for the screen."""
        seen = self._seen(key)
        wanted = parse_options(self.model, request.args.items(multi=True),
                               ['colour'])
        with self.screen.place(has_left()) as call:
            return _image(*call(self._after, seen, wanted))

    def _after(self, seen, wanted):
        return _encode_small(self._colour(seen.small.pixels, seen, wanted),
                             seen.small)

    def _colour(self, pixels, seen, wanted, dtype=np.uint8):
        try:
            return self.model.colour(pixels, seen, wanted, dtype)
        except ColornetError as error:
            if not wanted.results.hints:
                raise
            raise BadOption(str(error))  # They may be outside.

    def _seen(self, key):
        seen = self.shelf.get(key)
        if seen is None:
            raise Forgotten
        return seen

    def _photo(self):
        """Content and name of the photo of a request."""
        stream, name = sent_file()
        content = stream.read(self.limits['bytes'] + 1)
        if len(content) > self.limits['bytes']:
            raise too_large(self.limits['bytes'])
        return content, name


def _notes(photo):
    """What its owner should know of a photo."""
    return list(photo.notes) + photo.has_more * [
        'It has several pictures; one of them is coloured.']


def _encode_small(pixels, small):
    suffix = '.jpg' if small.alpha is None else '.webp'
    return encode_photo(pixels, small, suffix), suffix


def _image(encoded, suffix, name=None):
    Image.init()
    return send_file(
        io.BytesIO(encoded), Image.MIME[check_suffix('photo' + suffix)],
        as_attachment=name is not None, conditional=False,
        download_name=name and result_name(name, suffix))
