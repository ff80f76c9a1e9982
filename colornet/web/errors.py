"""What is refused, with which status: one line of JSON for each error."""

import json

from flask import request
from werkzeug.exceptions import HTTPException

from ..errors import ColornetError
from ..files import is_full
from ..photos.reading import ImageError
from ..terminal import note
from .films import NoFilm, TooLong, tell_fault
from .line import Busy, Left
from .options import BadOption

__all__ = ['Forgotten', 'Refused', 'add_errors', 'error_body', 'too_large']


class Forgotten(Exception):
    """A photo or film is not kept any more."""


class Refused(Exception):
    """A request that is not answered, whatever it asks.

    Parameters
    ----------
    status : int
    text : str
    """

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


def too_large(max_bytes):
    """The error of a file that has more bytes."""
    return Refused(413, 'the file is larger than %s' % (
        '%d MB' % (max_bytes >> 20) if max_bytes >= 1 << 20 else
        '%d bytes' % max_bytes))


def error_body(text):
    """What tells an error.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        A line of JSON.
    """
    return json.dumps({'error': ' '.join(str(text).split())}) + '\n'


def add_errors(app, max_bytes):
    """Let an application say in one line what is wrong.

    Parameters
    ----------
    app : flask.Flask
    max_bytes : int
        Of a photo's file, to tell.
    """
    def answer(text, status, **headers):
        return app.response_class(error_body(text), status, headers,
                                  mimetype='application/json')

    @app.errorhandler(Refused)
    def refused(error):
        return answer(error, error.status)

    @app.errorhandler(BadOption)
    def bad_option(error):
        return answer(error, 422)

    @app.errorhandler(ImageError)
    def no_image(error):
        # Of the reasons, one is no fault of the file.
        return answer(error, 413 if error.reason.startswith('too large')
                      else 415)

    @app.errorhandler(NoFilm)
    def no_film(error):
        return answer(error, 415)

    @app.errorhandler(TooLong)
    def too_long(error):
        return answer(error, 413)

    @app.errorhandler(Busy)
    def busy(error):
        return answer(error, 503, **{'Retry-After': str(error.seconds)})

    @app.errorhandler(Left)
    def left(error):
        # For nobody: the server closes what the other side has closed.
        return answer('the request was given up', 499)

    @app.errorhandler(Forgotten)
    def forgotten(error):
        return answer('it is not kept any more; send it again', 404)

    @app.errorhandler(MemoryError)
    def memory(error):
        return answer('out of memory', 413)

    @app.errorhandler(ColornetError)
    def ours(error):
        note('colornet: error: %s' % error)
        return answer(error, 500)

    @app.errorhandler(Exception)
    def fault(error):
        return answer(tell_fault(error), 507 if is_full(error) else 500)

    @app.errorhandler(HTTPException)
    def other(error):
        methods = ', '.join(sorted(set(
            getattr(error, 'valid_methods', None) or ()) - {'OPTIONS'}))
        is_file = (request.content_length or 0) > max_bytes
        texts = {
            404: 'there is nothing at %s' % request.path,
            405: 'there is no %s of %s; there is %s' % (
                request.method, request.path, methods),
            413: too_large(max_bytes) if is_file else
            'what there is beside the file is too large'}
        return answer(texts.get(error.code, error.description), error.code,
                      **({'Allow': methods} if methods else {}))
