"""Options of a request: the settings of a network's decoding, and their text.

They have the names of ``colornet colorize --set decoding.NAME=VALUE``.
"""

from collections import OrderedDict

from ..errors import ColornetError

__all__ = ['BadOption', 'describe_options', 'parse_options']

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


class BadOption(ColornetError):
    """An option that there is not, or a value that it does not take."""


def parse_options(model, values):
    """Decoding that a request asks for.

    Parameters
    ----------
    model : Model
    values : list of (str, str)
        Names and values.

    Returns
    -------
    dict
        ``[decoding]``.

    Raises
    ------
    BadOption
    """
    changes = {}
    for name, value in values:
        if name not in OPTIONS:
            raise BadOption('there is no option %s; there are: %s'
                            % (name, ', '.join(OPTIONS)))
        if name in changes:
            raise BadOption('%s is given twice' % name)
        changes[name] = value
    try:
        return model.decoding(changes)
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
    return [dict(option, name=name, default=default[name])
            for name, option in OPTIONS.items()
            if name in model.adjustable()]
