"""The description of the interface by HTTP, after OpenAPI 3.1."""

from collections import OrderedDict

from .film_options import describe_film_options
from .options import describe_options

__all__ = ['STATUSES', 'describe_api']

#: Statuses of errors -> what they mean.
STATUSES = OrderedDict([
    (400, 'It is no proper request.'),
    (403, 'The server is not called so, or a page of another server asks.'),
    (404, 'The photo or film is not kept any more.'),
    (409, 'The film is not coloured yet.'),
    (410, 'The film has failed; the error says why.'),
    (413, 'The file, the picture or the request is too large, or a film too '
     'long.'),
    (415, 'It is no image, or no film, that can be read.'),
    (422, 'There is no such option or value, or no file.'),
    (431, 'The header of the request is too large.'),
    (500, 'A fault of the server, which it tells where it was started.'),
    (501, 'It has a Transfer-Encoding other than chunked; or films are '
     'not taken, as a package is missing or they are not wanted.'),
    (503, 'Too many at a time; Retry-After says when to try again.'),
    (507, "The disk with the server's temporary files is full."),
])

_HEALTH = OrderedDict([
    (name, {'type': type, 'description': text}) for name, type, text in [
        ('status', 'string', 'ok'),
        ('version', 'string', 'of colornet'),
        ('network', 'string', 'its name'),
        ('waiting', 'integer', 'photos that wait or are coloured'),
        ('places', 'integer', 'how many may'),
        ('films', 'integer', 'films that wait or are coloured'),
        ('kept_bytes', 'integer', 'of what is kept of photos')]])

# Of any request.
_ANY = 400, 403, 413, 431, 500, 501, 507


def describe_api(model, version):
    """Describe the interface.

    Parameters
    ----------
    model : Model
        Its network decides which options there are.
    version : str
        Of colornet.

    Returns
    -------
    dict
        An OpenAPI document.
    """
    query = [{'name': name, 'in': 'query', 'schema': schema, 'explode': True}
             for name, schema in _schemas(model, ['colour']).items()]
    key = {'name': 'key', 'in': 'path', 'required': True,
           'schema': {'type': 'string'}}
    return {
        'openapi': '3.1.0',
        'info': {'title': 'colornet', 'version': version,
                 'description': 'Colours for black-and-white photos and '
                 'films. An address that there is not answers 404, a method '
                 'that it does not have 405.'},
        'paths': {
            '/api/colorize': {'post': _upload(
                'Colour a photo', _schemas(model), {'200': _image(
                    'The photo in its size and, where that holds colours, '
                    'its format.')})},
            '/api/films': {'post': _upload(
                'Colour a film, which takes its time',
                _by_name(describe_film_options(model)),
                {'202': _json('What GET of it answers: its key first.')})},
            '/api/films/{key}': {
                'get': dict(_get(
                    'How far a film is: state is waiting, working, done or '
                    'failed (then, error says why); who does not ask for it '
                    'in kept_seconds of /api/options has gone, and it with '
                    'them', (), 404), parameters=[key]),
                'delete': {
                    'summary': 'Keep a film no longer, and end its work',
                    'parameters': [key], 'responses': dict(
                        {'204': {'description': 'It is gone.'}},
                        **_errors(404))}},
            '/api/films/{key}/coloured': {'get': {
                'summary': 'A coloured film', 'parameters': [key],
                'responses': dict({'200': _file(
                    'video/*', 'Its frames and times, with its sound.')},
                    **_errors(404, 409, 410))}},
            '/api/health': {'get': {
                'summary': 'Whether the server works, and how many wait',
                'parameters': [], 'responses': dict({'200': _json(
                    'How it is.', type='object', required=list(_HEALTH),
                    properties=_HEALTH)}, **_errors())}},
            '/api/options': {'get': _get(
                'Options, their defaults, and limits')},
            '/api/openapi.json': {'get': _get('This description')},
            '/api/photos': {'post': _upload(
                'Let the network look at a photo, and keep what it says',
                _schemas(model, ['look']),
                {'201': _json('The key of the photo, and its size.')})},
            '/api/photos/{key}/before': {'get': _get(
                'The photo as it came, in a size for the screen', [key],
                404, 503)},
            '/api/photos/{key}/after': {'get': _get(
                'The coloured photo, in that size', [key] + query, 404,
                422, 503)}},
        'components': {
            'schemas': {'Error': {
                'type': 'object', 'required': ['error'], 'properties': {
                    'error': {'type': 'string', 'description': 'One line.'}}}},
            'responses': {str(status): _error(status)
                          for status in STATUSES}}}


def _schemas(model, *steps):
    return _by_name(describe_options(model, *steps))


def _by_name(options):
    return {option['name']: dict(option['schema'],
                                 description=option['description'],
                                 default=option['default'])
            for option in options}


def _image(text):
    return _file('image/*', text)


def _file(kind, text):
    return {'description': text, 'content': {kind: {
        'schema': {'type': 'string', 'format': 'binary'}}}}


def _json(text, **schema):
    return {'description': text, 'content': {'application/json': {
        'schema': schema or {'type': 'object'}}}}


def _error(status):
    answer = _json(STATUSES[status],
                   **{'$ref': '#/components/schemas/Error'})
    if status == 503:
        answer['headers'] = {'Retry-After': {
            'description': 'Seconds.', 'schema': {'type': 'integer'}}}
    return answer


def _errors(*statuses):
    return {str(status): {'$ref': '#/components/responses/%d' % status}
            for status in sorted(statuses + _ANY)}


def _upload(summary, options, answers):
    form = {'type': 'object', 'required': ['file'], 'properties': dict(
        options, file={'type': 'string', 'format': 'binary'})}
    return {'summary': summary, 'requestBody': {
        'required': True,
        'content': {'multipart/form-data': {'schema': form}}},
        'responses': dict(answers, **_errors(415, 422, 503))}


def _get(summary, parameters=(), *statuses):
    answers = {'200': _image(summary) if parameters else _json(summary)}
    return {'summary': summary, 'parameters': list(parameters),
            'responses': dict(answers, **_errors(*statuses))}
