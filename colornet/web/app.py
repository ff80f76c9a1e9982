"""What the server answers: the page, and the interface by HTTP."""

import hashlib
import io
import os
import threading
from pathlib import Path
from urllib.parse import quote, urlsplit

import numpy as np
from flask import Flask, jsonify, request, send_file
from werkzeug.exceptions import HTTPException

from .. import __version__
from ..errors import ColornetError
from ..photos.options import Options, format_suffix
from ..photos.reading import ImageError, decode_photo
from ..photos.writing import encode_photo, output_dtype
from ..terminal import note
from .line import Busy, Line
from .openapi import describe_api
from .options import BadOption, describe_options, parse_options
from .shelf import Shelf

__all__ = ['make_app']

#: Nothing is fetched from elsewhere, and no other page may show this one.
POLICY = "; ".join([
    "default-src 'none'", "script-src 'self'", "style-src 'self'",
    "img-src 'self' blob:", "connect-src 'self'", "base-uri 'none'",
    "form-action 'none'", "frame-ancestors 'none'"])

HEADERS = {
    'Content-Security-Policy': POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
}

_TYPES = {'.jpg': 'image/jpeg', '.png': 'image/png', '.tif': 'image/tiff',
          '.webp': 'image/webp', '.bmp': 'image/bmp',
          '.ppm': 'image/x-portable-pixmap'}

#: What a request may have beside a photo: options, names of their parts.
_MARGIN = 1 << 16


class _Forgotten(Exception):
    """A photo is not kept any more."""


def make_app(model, places=8, max_bytes=64 << 20, max_pixels=None,
             room=512 << 20, hosts=None):
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
    hosts : set of str, optional
        Names by which alone the server may be called, so that no page from
        elsewhere can give its own name to this machine's address.

    Returns
    -------
    flask.Flask
    """
    app = Flask(__name__)
    app.config['MAX_CONTENT_LENGTH'] = max_bytes + _MARGIN
    app.json.sort_keys = False
    service = _Service(model, Line(places), Shelf(room), {
        'bytes': max_bytes, 'pixels': max_pixels})
    _add_rules(app, hosts)
    _add_errors(app, service)
    app.add_url_rule('/', 'page', lambda: app.send_static_file('index.html'))
    for rule, method, view in [
            ('/api/health', 'GET', service.health),
            ('/api/options', 'GET', service.options),
            ('/api/openapi.json', 'GET', service.openapi),
            ('/api/colorize', 'POST', service.colorize),
            ('/api/photos', 'POST', service.add),
            ('/api/photos/<key>/before', 'GET', service.before),
            ('/api/photos/<key>/after', 'GET', service.after)]:
        app.add_url_rule(rule, view.__name__, view, methods=[method])
    return app


class _Service:
    """The answers."""

    def __init__(self, model, line, shelf, limits):
        self.model = model
        self.line = line
        self.shelf = shelf
        self.limits = limits
        # Without it, nobody can tell by which key a photo is kept.
        self._secret = os.urandom(32)
        self._turn = threading.Lock()

    def health(self):
        return jsonify(
            status='ok', version=__version__, network=self.model.name,
            waiting=self.line.waiting(), places=self.line.places,
            kept_bytes=self.shelf.num_bytes())

    def options(self):
        return jsonify(
            options=describe_options(self.model), limits=self.limits)

    def openapi(self):
        return jsonify(describe_api(self.model, __version__))

    def colorize(self):
        """A coloured photo, in full size."""
        content, name, key = self._photo()
        wanted = parse_options(self.model, _values())
        encoded, suffix, lost = self.line.run(self._colorize, content, name,
                                              key, wanted)
        response = _image(encoded, suffix, name)
        if lost:
            response.headers['Colornet-Note'] = quote('; '.join(lost))
        return response

    def _colorize(self, content, name, key, wanted):
        photo = decode_photo(content, name)
        seen = self._look(key, photo)
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
        content, name, key = self._photo()
        return jsonify(self.line.run(self._add, content, name, key)), 201

    def _add(self, content, name, key):
        photo = decode_photo(content, name)
        seen = self._look(key, photo)
        rows, columns = seen.small.pixels.shape[:2]
        return {
            'key': key, 'rows': seen.shape[0], 'columns': seen.shape[1],
            'name': _result_name(name, Options().suffix(None, photo)),
            'has_colours': seen.has_colours, 'notes': _notes(photo),
            'small': {'rows': rows, 'columns': columns}}

    def _look(self, key, photo):
        seen = self.shelf.get(key)
        if seen is None:
            seen = self.model.look(photo)
            self.shelf.put(key, seen)
        return seen

    def before(self, key):
        """The photo as it came, in a size for the screen."""
        small = self._seen(key).small
        return self._small_image(small.pixels, small)

    def after(self, key):
        """The coloured photo, in a size for the screen."""
        seen = self._seen(key)
        wanted = parse_options(self.model, request.args.items(multi=True))
        # One at a time: each may take the memory of a hundred hints.
        with self._turn:
            pixels = self._colour(seen.small.pixels, seen, wanted)
        return self._small_image(pixels, seen.small)

    def _colour(self, pixels, seen, wanted, dtype=np.uint8):
        try:
            return self.model.colour(pixels, seen, wanted, dtype)
        except ColornetError as error:  # Hints may be outside.
            raise BadOption(str(error))

    def _seen(self, key):
        seen = self.shelf.get(key)
        if seen is None:
            raise _Forgotten
        return seen

    def _small_image(self, pixels, small):
        suffix = '.jpg' if small.alpha is None else '.webp'
        return _image(encode_photo(pixels, small, suffix), suffix)

    def _photo(self):
        """Content, name and key of the photo of a request."""
        files = request.files.getlist('file')
        if len(files) != 1:
            raise BadOption('send one photo, as "file" of multipart/form-data')
        content = files[0].read()
        # Names come from anywhere, and go into a header.
        name = ''.join(filter(str.isprintable, Path(
            files[0].filename).name)) or 'photo'
        return content, name, hashlib.blake2b(
            content, key=self._secret, digest_size=16).hexdigest()


def _notes(photo):
    """What its owner should know of a photo."""
    return list(photo.notes) + photo.has_more * [
        'It has several pictures; one of them is coloured.']


def _values():
    """Names and values of the options of a request."""
    return [pair for values in (request.args, request.form)
            for pair in values.items(multi=True)]


def _image(encoded, suffix, name=None):
    return send_file(
        io.BytesIO(encoded), _TYPES[suffix], as_attachment=name is not None,
        download_name=name and _result_name(name, suffix))


def _result_name(name, suffix):
    return Path(name).stem + '-coloured' + suffix


def _add_rules(app, hosts):
    """Refuse what comes from pages of others; tell browsers the same."""
    @app.before_request
    def check():
        name = urlsplit('//' + request.host).hostname
        origin = request.headers.get('Origin')
        if hosts is not None and name not in hosts:
            return jsonify(error='this server is not called %s' % name), 403
        if origin and origin != request.host_url.rstrip('/'):
            return jsonify(error='pages of other servers are not '
                                 'served'), 403

    @app.after_request
    def add_headers(response):
        response.headers.update(HEADERS)
        if request.path.startswith('/api/'):
            response.headers['Cache-Control'] = 'no-store'
        return response


def _add_errors(app, service):
    """Say in one line what is wrong, with the status that says it, too."""
    def answer(status):
        return lambda error: (jsonify(error=str(error)), status)
    app.register_error_handler(ColornetError, answer(500))
    app.register_error_handler(BadOption, answer(422))

    @app.errorhandler(ImageError)
    def no_image(error):
        # Of the reasons, one is no fault of the file.
        return jsonify(error=str(error)), (
            413 if error.reason.startswith('too large') else 415)

    @app.errorhandler(Busy)
    def busy(error):
        return jsonify(error=str(error)), 503, {
            'Retry-After': str(error.seconds)}

    @app.errorhandler(_Forgotten)
    def forgotten(error):
        return jsonify(error='this photo is not kept any more; send it '
                             'again'), 404

    @app.errorhandler(MemoryError)
    def memory(error):
        return jsonify(error='out of memory'), 413

    @app.errorhandler(Exception)
    def fault(error):
        note('colornet: internal error: %s: %s'
             % (type(error).__name__, error))
        return jsonify(error='internal error'), 500

    @app.errorhandler(HTTPException)
    def other(error):
        texts = {404: 'there is nothing at %s' % request.path,
                 413: 'the file is larger than %d MB'
                      % (service.limits['bytes'] >> 20)}
        return jsonify(error=texts.get(error.code,
                                       error.description)), error.code
