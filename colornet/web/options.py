"""Options of a request: what they are called, take and do.

They have the names of ``colornet colorize --NAME``, or those of ``--decoding
NAME=VALUE``.
"""

from collections import OrderedDict
from dataclasses import dataclass

from ..errors import ColornetError
from ..photos.colorizer import Colorizer
from ..photos.hints import parse_hint
from ..photos.options import Options
from ..refinement import steps as refinement

__all__ = ['BadOption', 'Wanted', 'describe_options', 'option',
           'parse_options', 'parse_value']

#: What an option changes: what the network sees of a photo, its colours, or
#: the file that is answered.
STEPS = 'look', 'colour', 'file'

#: Each hint takes time, and memory until the photo is coloured.
MAX_HINTS = 100


def option(step, description, **schema):
    """What an option changes, what it does and, as JSON Schema, takes."""
    return {'schema': schema, 'description': description, 'step': step}


#: Settings of ``[decoding]``.
DECODING = OrderedDict([
    ('saturation', option(
        'colour', 'strength of the colours; 0 is grey', type='number',
        minimum=0, exclusiveMaximum=10)),
    ('temperature', option(
        'colour', 'of the mean: low is bold and patchy, high is calm and pale',
        type='number', minimum=0.001)),
    ('method', option(
        'colour', 'the likeliest colour of a pixel, or the mean of all by '
        'their probabilities', type='string', enum=['argmax', 'mean'])),
    ('smoothing', option(
        'colour', 'standard deviation of a Gaussian over the class scores, in '
        'pixels of the network', type='number', minimum=0,
        exclusiveMaximum=100)),
])

#: Colours that a user gives for single spots.
HINT = option(
    'colour', 'X,Y=COLOUR, up to %d times: a colour for a spot, in pixels of '
    'the upright photo, which spreads to what belongs to it' % MAX_HINTS,
    type='array', maxItems=MAX_HINTS, items={
        'type': 'string', 'examples': ['120,85=#c04020', '30,40=grey']})

#: Of :class:`colornet.photos.colorizer.Colorizer`.
LOOKS = OrderedDict([
    ('borders', option(
        'look', 'of prints: left as they are, or coloured like the rest',
        type='string', enum=['neutral', 'colour'])),
    ('tones', option(
        'look', 'what the network sees of faded and dark prints; results keep '
        'their own tones', type='string', enum=['stretch', 'keep'])),
])

#: Of :class:`colornet.photos.options.Options`: there, ``keep_times`` is for
#: files, and ``pages`` for folders, as an answer is one photo.
RESULTS = OrderedDict([
    ('colour', option(
        'colour', 'what becomes of colours that a photo has: new ones, the '
        'mean of both, its own', type='string',
        enum=['replace', 'blend', 'keep'])),
    ('format', option(
        'file', "of the result; if not given, the photo's, or png",
        type='string', enum=['jpg', 'png', 'tif', 'webp', 'bmp', 'ppm'])),
    ('quality', option(
        'file', 'of JPEG and WebP; 95 if not given', type='integer',
        minimum=1, maximum=100)),
    ('depth', option(
        'file', 'bits a channel; if not given, 16 where photo and format have '
        'them', type='integer', enum=[8, 16])),
    ('refinement', option(
        'colour', 'what makes colours even: none, or one or several of ' +
        ', '.join(refinement.STEPS) + '; if not given, as the network has it',
        type='string',
        examples=['none', 'segments', 'crf', 'total_variation',
                  'total_variation fade', 'total_variation guided'])),
    ('mark', option(
        'file', 'say in XMP that colours are computed', type='boolean')),
])

_TYPES = {
    'string': str, 'integer': int, 'number': float,
    'boolean': {'true': True, 'yes': True, 'false': False,
                'no': False}.__getitem__}


class BadOption(ColornetError):
    """An option that there is not, or a value that it does not take."""


@dataclass(frozen=True)
class Wanted:
    """What a request wants of a photo.

    Attributes
    ----------
    looks : dict
        What :class:`colornet.photos.colorizer.Colorizer` takes.
    decoding : dict
        ``[decoding]`` of the configuration.
    results : Options
        How it is coloured and written.
    """

    looks: dict
    decoding: dict
    results: Options


def parse_options(model, values, steps=STEPS):
    """Understand the options of a request.

    Parameters
    ----------
    model : Model
    values : list of (str, str)
        Names and values.
    steps : sequence of str
        Of :data:`STEPS`: options of others are refused.

    Returns
    -------
    Wanted

    Raises
    ------
    BadOption
    """
    known = {one['name']: one['step'] for one in describe_options(model)}
    chosen, hints = {}, []
    try:
        for name, value in values:
            if known.get(name, steps[0]) not in steps:
                raise BadOption(
                    '%s cannot be chosen here, but with POST %s' % (
                        name, '/api/photos' if known[name] == 'look' else
                        '/api/colorize'))
            if name == 'hints' and model.takes_hints:
                hints.append(parse_hint(value))
                if len(hints) > MAX_HINTS:
                    raise BadOption('at most %d hints are taken' % MAX_HINTS)
            elif name in chosen:
                raise BadOption('%s is given twice' % name)
            else:
                chosen[name] = _parse(model, name, value)
        model.refinement.replaced(chosen.get('refinement'))
        return Wanted(dict(_defaults(LOOKS), **_among(LOOKS, chosen)),
                      model.decoding(_among(DECODING, chosen)),
                      Options(hints=tuple(hints), **_among(RESULTS, chosen)))
    except ColornetError as error:
        raise BadOption(str(error).replace('option: decoding.', '', 1))


def _defaults(options):
    usual = dict(vars(Colorizer(None)), **vars(Options()))
    return {name: usual[name] for name in options}


def _among(options, chosen):
    return {name: value for name, value in chosen.items() if name in options}


def _parse(model, name, text):
    if name in DECODING:  # Which has rules of its own.
        return text
    schema = dict(LOOKS, **RESULTS).get(name, {}).get('schema')
    if schema is None:
        raise BadOption('there is no option %s; there are: %s' % (
            name[:100], ', '.join(one['name'] for one in
                                  describe_options(model))))
    return parse_value(name, schema, text)


def parse_value(name, schema, text):
    """Understand an option's value.

    Parameters
    ----------
    name : str
    schema : dict
        JSON Schema of it.
    text : str

    Returns
    -------
    str, int, float or bool

    Raises
    ------
    BadOption
    """
    try:
        value = _TYPES[schema['type']](text)
    except (KeyError, ValueError):
        raise BadOption('%s = %s: must be %s %s' % (
            name, text[:100], 'an' if schema['type'] == 'integer' else 'a',
            schema['type']))
    if value not in schema.get('enum', [value]):
        raise BadOption('%s = %s: choose one of %s' % (
            name, text[:100], ', '.join(map(str, schema['enum']))))
    below = schema.get('exclusiveMaximum')
    if not (schema.get('minimum', value) <= value <=
            schema.get('maximum', value)) or below is not None and (
                value >= below):
        raise BadOption('%s = %s: must be %s to %s' % (
            name, text[:100], schema['minimum'],
            schema.get('maximum', 'below %s' % below)))
    return value


def describe_options(model, steps=STEPS):
    """What a request may ask of a network.

    Parameters
    ----------
    model : Model
    steps : sequence of str
        As for :func:`parse_options`.

    Returns
    -------
    list of dict
        Name, schema, description, step and default of each option that suits
        it.
    """
    decoding = model.decoding({})
    options = [dict(one, name=name, default=decoding[name])
               for name, one in DECODING.items()
               if name in model.adjustable()]
    if model.takes_hints:
        options.append(dict(HINT, name='hints', default=[]))
    for table in LOOKS, RESULTS:
        defaults = _defaults(table)
        options += [dict(one, name=name, default=defaults[name])
                    for name, one in table.items()]
    return [one for one in options if one['step'] in steps]
