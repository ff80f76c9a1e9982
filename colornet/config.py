"""Experiment configurations: typed, checked .ini files."""

import configparser
import copy
import functools
import io
import json
from collections import OrderedDict

from .errors import ColornetError
from .resources import find_resource
from .schema import RULES, SCHEMA, format_value

__all__ = ['Config', 'listed_changes', 'load_config', 'read_ini']

#: Characters of a wrong value that an error repeats.
MAX_SHOWN = 100


class Config(OrderedDict):
    """Section -> key -> value, checked; values are also attributes.

    >>> config.training['epochs']               # doctest: +SKIP
    """

    def __getattr__(self, section):
        try:
            return self[section]
        except KeyError:
            raise AttributeError(section)

    @property
    def draw_seed(self):
        """Seed of the photos that are drawn and held out, an int."""
        seed = self.data['draw_seed']
        return self.training['seed'] if seed == '' else seed

    def to_json(self):
        """One line of JSON, read by :meth:`from_json`."""
        return json.dumps(self)

    @classmethod
    def from_json(cls, text):
        """The configuration that :meth:`to_json` wrote, checked again.

        Settings that it does not have yet get their defaults.
        """
        config = load_config()
        try:
            settings = [(section, key, value)
                        for section, values in json.loads(text).items()
                        for key, value in values.items()]
        except (AttributeError, ValueError):
            raise ColornetError('a stored configuration is damaged')
        for section, key, value in settings:
            if isinstance(value, list):
                value = ' '.join(map(str, value))
            _set(config, section, key, str(value), 'stored configuration')
        return _complete(config, 'stored configuration')

    def override(self, text, source='--set'):
        """Change one setting by ``section.key=value``; errors name `source`.

        What no single value can tell is not checked; :func:`load_config` does.
        """
        name, equals, value = text.partition('=')
        section, dot, key = name.strip().partition('.')
        if not equals or not dot:
            raise ColornetError('%s takes section.key=value, not %r'
                                % (source, text))
        _set(self, section, key, value.strip(), source)

    def override_decoding(self, overrides, source='decoding'):
        """Change settings of a trained network, checked.

        Parameters
        ----------
        overrides : str, or iterable of str
            ``key=value``, ``decoding.key=value`` or ``refinement.key=value``:
            the others are built into the network.
        source : str
            Of the overrides, for errors.

        Raises
        ------
        ColornetError
            If one is of another section, or does not suit the network; or if
            it would do nothing. Settings of steps that are not the network's
            are taken: who uses it may ask for the steps later.
        """
        changed = set()
        for text in listed_changes(overrides, source):
            text = text.strip()
            if '.' not in text.partition('=')[0]:
                text = 'decoding.' + text
            changed.add(text.partition('=')[0].strip())
            if not text.startswith(('decoding.', 'refinement.')):
                raise ColornetError('%s %s: a trained network takes '
                                    'decoding.key=value and refinement.key='
                                    'value only' % (source, text))
            self.override(text, source)
        _complete(self, source)
        # A network's own temperature may be left over where it is decoded
        # by the best class; one that is asked for may not do nothing.
        name = 'decoding.temperature'
        if (name in changed and self.decoding['method'] != 'mean'
                and self.decoding['temperature'] !=
                _read_defaults().decoding['temperature']):
            raise ColornetError('%s: %s is of decoding.method = mean, and '
                                'decoding.method = %s'
                                % (source, name, self.decoding['method']))

    def to_ini(self):
        """The text of an .ini file that :func:`load_config` reads."""
        parser = configparser.ConfigParser(interpolation=None)
        for section, values in self.items():
            parser[section] = OrderedDict(
                (key, format_value(value)) for key, value in values.items())
        stream = io.StringIO()
        parser.write(stream)
        return stream.getvalue()

    def setting(self, section, key):
        """One setting as :meth:`override` takes it: ``section.key=value``."""
        return '%s.%s=%s' % (section, key, format_value(self[section][key]))

    def changed(self, other, ignore=()):
        """Settings whose values differ, as (section, key)."""
        return [(section, key) for section, values in self.items()
                for key, value in values.items()
                if value != other[section][key] and
                '%s.%s' % (section, key) not in ignore]

    def differences(self, other, ignore=()):
        """What differs, as lines ``section.key: a, not b``."""
        return ['%s.%s: %s, not %s' % (section, key, self[section][key],
                                       other[section][key])
                for section, key in self.changed(other, ignore)]


def listed_changes(changes, source):
    """Changes of settings as a list; a text is one of them.

    Parameters
    ----------
    changes : str, or iterable of str
    source : str
        Of the changes, for errors.

    Returns
    -------
    list of str

    Raises
    ------
    ColornetError
        If they are something else, such as a dict.
    """
    if isinstance(changes, str):
        return [changes]
    try:
        listed = list(changes)
    except TypeError:
        listed = [None]
    if isinstance(changes, dict) or not all(isinstance(one, str)
                                            for one in listed):
        raise ColornetError('%s takes a list of KEY=VALUE, not %s'
                            % (source, _shorten(repr(changes))))
    return listed


def read_ini(path, what, exact=False):
    """Read an .ini file.

    Parameters
    ----------
    path : str or Path
    what : str
        Named in errors.
    exact : bool
        Keep capital letters of keys, and colons in them.

    Returns
    -------
    configparser.ConfigParser

    Raises
    ------
    ColornetError
        If it cannot be read.
    """
    # No section gives defaults to the others: [DEFAULT] is unknown, too.
    parser = configparser.ConfigParser(
        interpolation=None, default_section=None,
        delimiters=('=',) if exact else ('=', ':'))
    if exact:
        parser.optionxform = str
    try:
        # A BOM is what some editors put before the first section.
        with open(path, encoding='utf-8-sig') as stream:
            parser.read_file(stream)
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise ColornetError('cannot read %s %s: %s' % (
            what, path, getattr(error, 'strerror', None) or
            ' '.join(str(error).split())))
    return parser


def load_config(path=None, overrides=(), source='--set'):
    """Read an experiment's .ini file over the defaults.

    Parameters
    ----------
    path : str or Path, optional
        Holds only what differs from ``experiments/defaults.ini``.
    overrides : str, or iterable of str
        ``section.key=value``.
    source : str
        Of the overrides, for errors.

    Returns
    -------
    Config

    Raises
    ------
    ColornetError
        If a file cannot be read, or a key or value is not known.
    """
    config = copy.deepcopy(_read_defaults())
    if path is not None:
        _read_over(config, path)
    for override in listed_changes(overrides, source):
        config.override(override, source)
    return _complete(config, path or 'defaults' if source == '--set' else
                     source)


@functools.lru_cache(maxsize=None)
def _read_defaults():
    """What ships as ``experiments/defaults.ini``, not to be changed."""
    config = Config()
    _read_over(config, find_resource('experiments/defaults.ini'))
    return config


def _read_over(config, path):
    """Take the settings of an .ini file."""
    parser = read_ini(path, 'configuration')
    if parser.has_section('study'):
        raise ColornetError('%s is a study: run "colornet study"' % path)
    for section in parser.sections():
        for key, text in parser[section].items():
            _set(config, section, key, text, path)


def _shorten(text):
    text = ' '.join(text.split())
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + ' ...'


def _set(config, section, key, text, source):
    """Parse one value into the configuration."""
    if key not in SCHEMA.get(section, {}):
        raise ColornetError('%s: unknown setting %s.%s (see '
                            'experiments/defaults.ini)'
                            % (source, section, key))
    try:
        value = SCHEMA[section][key](text)
    except ValueError as error:
        # A value may span lines, or pages; the message may not.
        raise ColornetError('%s: %s.%s = %s: %s' % (
            source, section, key, _shorten(text), _shorten(str(error))))
    config.setdefault(section, OrderedDict())[key] = value


def _complete(config, source):
    """Check what no single value can tell."""
    missing = ['%s.%s' % (section, key) for section, keys in SCHEMA.items()
               for key in keys if key not in config.get(section, {})]
    if missing:
        raise ColornetError('%s: no value for %s' % (source, missing[0]))
    settings, defaults = _flatten(config), _flatten(_read_defaults())
    for applies, names, message in RULES:
        if not applies(settings):
            continue
        changed = [name for name in names if settings[name] != defaults[name]]
        if changed or not names:
            name = (changed or [None])[0]
            texts = {key: format_value(value)
                     for key, value in settings.items()}
            raise ColornetError('%s: %s' % (source, message % dict(
                texts, name=name, value=texts.get(name))))
    return config


def _flatten(config):
    """Values by ``section.key``."""
    return {'%s.%s' % (section, key): value
            for section, values in config.items()
            for key, value in values.items()}
