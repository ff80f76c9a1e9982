"""Options of a film: what they are called, take and do."""

import copy
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Optional

from ..errors import ColornetError
from ..video.film import FilmOptions
from ..video.writing import FORMATS, Format, choose_format
from .options import (DECODING, LOOKS, RESULTS, BadOption, describe_options,
                      option, parse_value)

__all__ = ['WantedFilm', 'describe_film_options', 'parse_film_options']

#: Format of results: what nearly all browsers play; and what holds nearly all.
_PLAYED, _HOLDS_ALL = 'mp4', 'mkv'

#: Of ``colornet video``.
FILMS = OrderedDict([
    ('every', option(
        'film', 'the network sees every so many-th frame only; the others '
        'take colours from these along what moves: faster', type='integer',
        minimum=1, maximum=100)),
    ('smooth', option(
        'film', 'what a frame weighs in the colours of the next; 0 colours '
        'each for itself', type='number', minimum=0, exclusiveMaximum=1)),
    ('format', option(
        'film', 'of the result; if not given, %s, or %s where that cannot '
        'hold its sound' % (_PLAYED, _HOLDS_ALL), type='string',
        enum=sorted(FORMATS))),
])

#: Those that photos have, too -> what they do to films, if it is not the same.
_SHARED = {
    'borders': 'bars around the picture: left as they are, or coloured like '
    'the rest', 'tones': 'what the network sees of faded and dark frames; '
    'results keep their own tones', 'refinement': None,
    'mark': 'say in the comment that colours are computed'}

_DEFAULTS = {'every': 1, 'smooth': .9, 'format': None}


@dataclass(frozen=True)
class WantedFilm:
    """What a request wants of a film.

    Attributes
    ----------
    suffix : str
        Of the result.
    format : Format
    film : FilmOptions
    config : Config
        The network's, with the request's decoding.
    colorizer : dict
        What a :class:`colornet.video.colouring.FilmColorizer` takes.
    other : WantedFilm, optional
        What to take where `format` cannot hold the film's sound.
    """

    suffix: str
    format: Format
    film: FilmOptions
    config: object
    colorizer: dict
    other: Optional['WantedFilm'] = None


def describe_film_options(model):
    """What a request may ask of a network for films.

    Parameters
    ----------
    model : Model

    Returns
    -------
    list of dict
        As of :func:`.options.describe_options`.
    """
    options = [dict(one, step='film', description=_SHARED.get(
        one['name']) or one['description'])
        for one in describe_options(model)
        if one['name'] in DECODING or one['name'] in _SHARED]
    return options + [dict(one, name=name, default=_DEFAULTS[name])
                      for name, one in FILMS.items()]


def parse_film_options(model, values):
    """Understand the options of a request.

    Parameters
    ----------
    model : Model
    values : list of (str, str)
        Names and values.

    Returns
    -------
    WantedFilm

    Raises
    ------
    BadOption
    """
    known = [one['name'] for one in describe_film_options(model)]
    schemas = dict(LOOKS, **dict(RESULTS, **FILMS))
    decoding, chosen = {}, dict(_DEFAULTS)
    try:
        for number, (name, value) in enumerate(values):
            if name not in known:
                raise BadOption('films have no option %s; there are: %s'
                                % (name[:100], ', '.join(known)))
            if name in dict(values[:number]):
                raise BadOption('%s is given twice' % name)
            if name in DECODING:
                decoding[name] = value
            else:
                chosen[name] = parse_value(name, schemas[name]['schema'],
                                           value)
        model.refinement.replaced(chosen.get('refinement'))
        config = copy.copy(model.config)
        config['decoding'] = model.decoding(decoding)
    except ColornetError as error:
        raise BadOption(str(error).replace('option: decoding.', '', 1))
    film = FilmOptions(**_among(chosen, 'borders', 'mark'))
    colorizer = dict(_among(chosen, 'every', 'tones', 'refinement'),
                     memory=chosen['smooth'])
    wanted = WantedFilm(*_format(chosen['format'] or _PLAYED), film, config,
                        colorizer)
    if chosen['format']:
        return wanted
    suffix, format = _format(_HOLDS_ALL)
    return replace(wanted, other=replace(wanted, suffix=suffix,
                                         format=format))


def _among(chosen, *names):
    return {name: chosen[name] for name in names if name in chosen}


def _format(name):
    # What is written into a file object cannot be written twice, such as to
    # have the list of frames at its beginning.
    return '.' + name, replace(choose_format(name), options=())
