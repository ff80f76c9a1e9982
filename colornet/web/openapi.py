"""The description of the interface by HTTP, after OpenAPI 3.1."""

from .options import describe_options

__all__ = ['describe_api']

_ERRORS = {
    '413': 'The file or the picture is too large.',
    '415': 'It is no image that can be read.',
    '422': 'There is no such option or value, or no photo.',
    '503': 'Too many photos at a time; Retry-After says when to try again.'}


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
    options = {option['name']: dict(option['schema'],
                                    description=option['description'],
                                    default=option['default'])
               for option in describe_options(model)}
    query = [{'name': name, 'in': 'query', 'schema': schema, 'explode': True}
             for name, schema in options.items()]
    key = {'name': 'key', 'in': 'path', 'required': True,
           'schema': {'type': 'string'}}
    return {
        'openapi': '3.1.0',
        'info': {'title': 'colornet', 'version': version,
                 'description': 'Colours for black-and-white photos.'},
        'paths': {
            '/api/colorize': {'post': _upload(
                'Colour a photo', options, {'200': _image(
                    'The photo in its size and, where that holds colours, '
                    'its format.')})},
            '/api/health': {'get': _get(
                'Whether the server works, and how many wait')},
            '/api/options': {'get': _get(
                'Options, their defaults, and limits')},
            '/api/photos': {'post': _upload(
                'Let the network look at a photo, and keep what it says', {},
                {'201': _json('The key of the photo, and its size.')})},
            '/api/photos/{key}/before': {'get': _get(
                'The photo as it came, in a size for the screen', [key])},
            '/api/photos/{key}/after': {'get': _get(
                'The coloured photo, in that size', [key] + query)}}}


def _image(text):
    return {'description': text, 'content': {'image/*': {
        'schema': {'type': 'string', 'format': 'binary'}}}}


def _json(text):
    return {'description': text, 'content': {'application/json': {
        'schema': {'type': 'object'}}}}


def _errors(*statuses):
    return {status: _json(_ERRORS[status]) for status in statuses}


def _upload(summary, options, answers):
    form = {'type': 'object', 'required': ['file'], 'properties': dict(
        options, file={'type': 'string', 'format': 'binary'})}
    return {'summary': summary, 'requestBody': {
        'required': True,
        'content': {'multipart/form-data': {'schema': form}}},
        'responses': dict(answers, **_errors('413', '415', '422', '503'))}


def _get(summary, parameters=()):
    answers = {'200': _json(summary) if not parameters else _image(summary)}
    if parameters:
        answers['404'] = _json('The photo is not kept any more.')
        answers.update(_errors('422'))
    return {'summary': summary, 'parameters': list(parameters),
            'responses': answers}
