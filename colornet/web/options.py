"""Options of a request: what they are called, take and do.

They have the names of ``colornet colorize --NAME``, or those of ``--set
decoding.NAME=VALUE``.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Tuple

from ..errors import ColornetError
from ..photos.hints import Hint, parse_hint

__all__ = ['BadOption', 'Wanted', 'describe_options', 'parse_options']

#: Setting of ``[decoding]`` -> its schema, and what it does.
OPTIONS = OrderedDict([
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


#: Colours that a user gives for single spots.
HINT = {
    'schema': {'type': 'array', 'items': {
        'type': 'string', 'examples': ['120,85=#c04020', '30,40=grey']}},
    'description': 'X,Y=COLOUR, any number of times: a colour for a spot, in '
                   'pixels of the upright photo, which spreads to what '
                   'belongs to it'}


class BadOption(ColornetError):
    """An option that there is not, or a value that it does not take."""


@dataclass(frozen=True)
class Wanted:
    """What a request wants of a photo.

    Attributes
    ----------
    decoding : dict
        ``[decoding]`` of the configuration.
    hints : tuple of Hint
    """

    decoding: dict
    hints: Tuple[Hint, ...] = ()


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
    changes, hints = {}, []
    try:
        for name, value in values:
            if name == 'hint' and model.takes_hints:
                hints.append(parse_hint(value))
            elif name not in OPTIONS:
                raise BadOption('there is no option %s; there are: %s' % (
                    name, ', '.join(option['name'] for option in
                                    describe_options(model))))
            elif name in changes:
                raise BadOption('%s is given twice' % name)
            else:
                changes[name] = value
        return Wanted(model.decoding(changes), tuple(hints))
    except ColornetError as error:
        raise BadOption(str(error).replace('option: decoding.', '', 1))


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
    default = model.decoding({})
    options = [dict(option, name=name, default=default[name])
               for name, option in OPTIONS.items()
               if name in model.adjustable()]
    if model.takes_hints:
        options.append(dict(HINT, name='hint', default=[]))
    return options
