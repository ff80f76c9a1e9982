"""Options of a request: what they are called, take and do.

They have the names of ``colornet colorize --NAME``, or those of ``--set
decoding.NAME=VALUE``.
"""

from collections import OrderedDict
from dataclasses import dataclass

from ..errors import ColornetError
from ..photos.hints import parse_hint
from ..photos.options import Options
from ..refinement.steps import STEPS

__all__ = ['BadOption', 'Wanted', 'describe_options', 'parse_options']

#: Setting of ``[decoding]`` -> its schema, and what it does.
DECODING = OrderedDict([
    ('saturation', {
        'schema': {'type': 'number', 'minimum': 0, 'exclusiveMaximum': 10},
        'description': 'strength of the colours; 0 is grey'}),
    ('temperature', {
        'schema': {'type': 'number', 'minimum': 0.001},
        'description': 'of the mean: low is bold and patchy, high is calm '
                       'and pale'}),
    ('method', {
        'schema': {'type': 'string', 'enum': ['argmax', 'mean']},
        'description': 'the likeliest colour of a pixel, or the mean of all '
                       'by their probabilities'}),
    ('smoothing', {
        'schema': {'type': 'number', 'minimum': 0, 'exclusiveMaximum': 100},
        'description': 'standard deviation of a Gaussian over the class '
                       'scores, in pixels of the network'}),
])

#: The same of :class:`colornet.photos.options.Options`.
RESULTS = OrderedDict([
    ('colour', {
        'schema': {'type': 'string', 'enum': ['replace', 'blend', 'keep']},
        'description': 'what becomes of colours that a photo has: new ones, '
                       'the mean of both, its own'}),
    ('format', {
        'schema': {'type': 'string', 'enum': ['jpg', 'png', 'tif', 'webp',
                                              'bmp', 'ppm']},
        'description': "of the result; if not given, the photo's, or png"}),
    ('quality', {
        'schema': {'type': 'integer', 'minimum': 1, 'maximum': 100},
        'description': 'of JPEG and WebP; 95 if not given'}),
    ('depth', {
        'schema': {'type': 'integer', 'enum': [8, 16]},
        'description': 'bits a channel; if not given, 16 where photo and '
                       'format have them'}),
    ('refinement', {
        'schema': {'type': 'string', 'examples': ['none', 'total_variation',
                                                  'crf guided']},
        'description': 'what makes colours even: none, or one or several of '
                       + ', '.join(STEPS)}),
    ('mark', {
        'schema': {'type': 'boolean'},
        'description': 'say in XMP that colours are computed'}),
])

#: Each takes time, and memory until the photo is coloured.
MAX_HINTS = 100

#: Colours that a user gives for single spots.
HINT = {
    'schema': {'type': 'array', 'maxItems': MAX_HINTS, 'items': {
        'type': 'string', 'examples': ['120,85=#c04020', '30,40=grey']}},
    'description': 'X,Y=COLOUR, up to %d times: a colour for a spot, in '
                   'pixels of the upright photo, which spreads to what '
                   'belongs to it' % MAX_HINTS}

_TYPES = {
    'string': str, 'integer': int,
    'boolean': {'true': True, 'yes': True, 'false': False,
                'no': False}.__getitem__}


class BadOption(ColornetError):
    """An option that there is not, or a value that it does not take."""


@dataclass(frozen=True)
class Wanted:
    """What a request wants of a photo.

    Attributes
    ----------
    decoding : dict
        ``[decoding]`` of the configuration.
    results : Options
        How it is coloured and written.
    """

    decoding: dict
    results: Options


def parse_options(model, values):
    """Understand the options of a request.

    Parameters
    ----------
    model : Model
    values : list of (str, str)
        Names and values.

    Returns
    -------
    Wanted

    Raises
    ------
    BadOption
    """
    changes, results, hints = {}, {}, []
    try:
        for name, value in values:
            if name == 'hint' and model.takes_hints:
                hints.append(parse_hint(value))
                if len(hints) > MAX_HINTS:
                    raise BadOption('at most %d hints are taken' % MAX_HINTS)
                continue
            if name in changes or name in results:
                raise BadOption('%s is given twice' % name)
            if name in RESULTS:
                results[name] = _parse_result(name, value)
            elif name in DECODING:
                changes[name] = value
            else:
                raise BadOption('there is no option %s; there are: %s' % (
                    name, ', '.join(option['name'] for option in
                                    describe_options(model))))
        model.refinement.replaced(results.get('refinement'))
        return Wanted(model.decoding(changes),
                      Options(hints=tuple(hints), **results))
    except ColornetError as error:
        raise BadOption(str(error).replace('option: decoding.', '', 1))


def _parse_result(name, text):
    schema = RESULTS[name]['schema']
    try:
        value = _TYPES[schema['type']](text)
    except (KeyError, ValueError):
        raise BadOption('%s = %s: must be %s %s' % (
            name, text, 'an' if schema['type'] == 'integer' else 'a',
            schema['type']))
    if value not in schema.get('enum', [value]):
        raise BadOption('%s = %s: choose one of %s' % (
            name, text, ', '.join(map(str, schema['enum']))))
    return value


def describe_options(model):
    """What a request may ask of a network.

    Parameters
    ----------
    model : Model

    Returns
    -------
    list of dict
        Name, schema, description and default of each option that suits it.
    """
    decoding = model.decoding({})
    options = [dict(option, name=name, default=decoding[name])
               for name, option in DECODING.items()
               if name in model.adjustable()]
    if model.takes_hints:
        options.append(dict(HINT, name='hint', default=[]))
    defaults = dict(vars(Options()), refinement=model.refinement.text)
    return options + [dict(option, name=name, default=defaults[name])
                      for name, option in RESULTS.items()]
