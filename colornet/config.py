"""Experiment configurations: typed, checked .ini files."""

import configparser
import io
import json
from collections import OrderedDict

from .color import COLOR_SPACES
from .data.datasets import DATASETS
from .errors import ColornetError
from .resources import find_resource

__all__ = ['Config', 'load_config', 'read_ini']


#: Settings that do nothing unless another has a value: name, default, the
#: other's name and value.
BELONGING = (('data.min_crop', 1, 'data.proportions', 'keep'),
             ('data.test_share', 0.1, 'data.dataset', 'folder'),
             ('training.warm_up', 0.1, 'training.schedule', 'cycle'),
             ('training.encoder_rate', 1, 'network.fine_tune', True))

#: Characters of a wrong value that an error repeats.
MAX_SHOWN = 100

#: Pixels a side beyond which a photo takes gigabytes in the network.
MAX_SIZE = 1024


def _choice(*values):
    def parse(text):
        if text not in values:
            raise ValueError('choose one of ' + ', '.join(values))
        return text
    return parse


def _parse_number(kind, text):
    try:
        return kind(text)
    except ValueError:
        raise ValueError('must be a whole number' if kind is int else
                         'must be a number')


def _number(kind, low, high=float('inf'), low_included=True):
    def parse(text):
        value = _parse_number(kind, text)
        if not (low < value < high or low_included and value == low):
            raise ValueError('must be %s %g%s' % (
                'at least' if low_included else 'above', low,
                ' and below %g' % high if high < float('inf') else
                ' and finite' if value == high else ''))
        return value
    return parse


def _boolean(text):
    try:
        return configparser.ConfigParser.BOOLEAN_STATES[text.lower()]
    except KeyError:
        raise ValueError('must be yes or no')


def _integers(text):
    return tuple(_parse_number(int, word)
                 for word in text.replace(',', ' ').split())


def _depths(text):
    values = _integers(text)
    if not 1 <= len(values) <= 3 or min(values) < 1:
        raise ValueError('must be one to three positive numbers')
    return values


def _epoch_numbers(text):
    values = _integers(text)
    if any(value < 1 for value in values):
        raise ValueError('must be positive numbers')
    return values


def _image_size(text):
    value = _parse_number(int, text)
    if not 16 <= value <= MAX_SIZE or value % 8:
        raise ValueError('must be from 16 to %d and divisible by 8' % MAX_SIZE)
    return value


def _share(text):
    value = _parse_number(float, text)
    if not 0 < value <= 1:
        raise ValueError('must be above 0 and at most 1')
    return value


def _stride(text):
    value = _parse_number(int, text)
    if value not in (1, 2, 4):
        raise ValueError('choose one of 1, 2, 4')
    return value


_seed = _number(int, 0, 2 ** 32)


def _optional(parse):
    return lambda text: parse(text) if text else ''


#: Section -> key -> parser. The defaults, with the paper's sections, are in
#: experiments/defaults.ini.
SCHEMA = {
    'data': {
        'dataset': _choice(*DATASETS),
        'size': _image_size, 'proportions': _choice('squash', 'keep'),
        'min_crop': _share,
        'test_share': _number(float, 0, 1), 'num_images': _number(int, 0),
        'hold_out': _number(float, 0, 1),
        'draw_seed': _optional(_seed),
        'flip': _boolean},
    'network': {
        'kind': _choice('classification', 'regression'),
        'color_space': _choice(*sorted(COLOR_SPACES)),
        'chroma_scale': _number(float, 0, low_included=False),
        'num_bins': _number(int, 2), 'aggregation': _choice('concat', 'sum'),
        'residual_units': _boolean, 'tail': _depths, 'batch_norm': _boolean,
        'batch_norm_taps': _boolean, 'output_stride': _stride,
        'global_features': _number(int, 0, 4097),
        'context': _number(int, 0, 17),
        'initialization': _choice('glorot', 'he'), 'fine_tune': _boolean},
    'objective': {
        'loss': _choice('cross_entropy', 'l2', 'huber'),
        'huber_threshold': _number(float, 0, low_included=False)},
    'training': {
        'update_rule': _choice('adam', 'nesterov'),
        'learning_rate': _number(float, 0, low_included=False),
        'beta1': _number(float, 0, 1), 'beta2': _number(float, 0, 1),
        'momentum': _number(float, 0, 1), 'batch_size': _number(int, 1),
        'epochs': _number(int, 0), 'drop_epochs': _epoch_numbers,
        'drop_factor': _number(float, 0, low_included=False),
        'schedule': _choice('constant', 'cycle'),
        'warm_up': _number(float, 0, 1),
        'average': _number(float, 0, 1),
        'encoder_rate': _number(float, 0, low_included=False),
        'gradient_clip': _number(float, 0),
        'weight_decay': _number(float, 0), 'start_from': str,
        'keep': _choice('loss', 'accuracy', 'last'),
        'seed': _seed,
        'checkpoint_minutes': _number(float, 0)},
    'decoding': {
        'method': _choice('argmax', 'mean'),
        # Below, scores overflow; the mean is that of the best bin long before.
        'temperature': _number(float, 0.001),
        'smoothing': _number(float, 0, 100),
        'saturation': _number(float, 0, 10)},
}


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

    def override_decoding(self, overrides):
        """Change settings of a trained network, checked.

        Parameters
        ----------
        overrides : iterable of str
            ``decoding.key=value``: the others are built into the network.

        Raises
        ------
        ColornetError
            If one is of another section, or does not suit the network.
        """
        for text in overrides:
            if not text.strip().startswith('decoding.'):
                raise ColornetError('--set %s: a trained network takes '
                                    'decoding.key=value only' % text)
            self.override(text)
        _complete(self, '--set')

    def to_ini(self):
        """The text of an .ini file that :func:`load_config` reads."""
        parser = configparser.ConfigParser(interpolation=None)
        for section, values in self.items():
            parser[section] = OrderedDict(
                (key, _format(value)) for key, value in values.items())
        stream = io.StringIO()
        parser.write(stream)
        return stream.getvalue()

    def setting(self, section, key):
        """One setting as :meth:`override` takes it: ``section.key=value``."""
        return '%s.%s=%s' % (section, key, _format(self[section][key]))

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
        with open(str(path), encoding='utf-8-sig') as stream:
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
    overrides : iterable of str
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
    config = Config()
    for file in [find_resource('experiments/defaults.ini'), path]:
        if file is None:
            continue
        parser = read_ini(file, 'configuration')
        if parser.has_section('study'):
            raise ColornetError('%s is a study: run "colornet study"' % file)
        for section in parser.sections():
            for key, text in parser[section].items():
                _set(config, section, key, text, file)
    for override in overrides:
        config.override(override, source)
    return _complete(config, path or 'defaults' if source == '--set' else
                     source)


def _format(value):
    """The text that a value is parsed from."""
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    return (' '.join(map(str, value)) if isinstance(value, tuple) else
            str(value))


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
    is_classification = config.network['kind'] == 'classification'
    if is_classification != (config.objective['loss'] == 'cross_entropy'):
        raise ColornetError(
            '%s: objective.loss = %s does not fit network.kind = %s'
            % (source, config.objective['loss'], config.network['kind']))
    if not is_classification:
        defaults = load_config()
        names = ['network.' + key for key in ('aggregation', 'residual_units',
                                              'tail', 'num_bins')]
        names += ['decoding.' + key for key in ('method', 'temperature',
                                                'smoothing')]
        for name in names:
            section, _, key = name.partition('.')
            if config[section][key] != defaults[section][key]:
                raise ColornetError('%s: %s is of the classification '
                                    'network, not of network.kind = regression'
                                    % (source, name))
    for name, default, other, value in BELONGING:
        section, key = name.split('.')
        of_section, of_key = other.split('.')
        if config[section][key] != default and \
                config[of_section][of_key] != value:
            raise ColornetError('%s: %s is of %s = %s'
                                % (source, name, other, _format(value)))
    if config.training['schedule'] == 'cycle' and \
            config.training['drop_epochs']:
        raise ColornetError('%s: training.drop_epochs is of '
                            'training.schedule = constant, not of cycle'
                            % source)
    if config.network['color_space'] == 'hsv':
        # The zero of hue is no grey, and the mean of two hues means nothing.
        for key, value in (('saturation', 1), ('method', 'argmax')):
            if config.decoding[key] != value:
                raise ColornetError(
                    '%s: decoding.%s = %s is not for network.color_space = '
                    'hsv' % (source, key, config.decoding[key]))
    if not config.network['residual_units']:
        for name in 'global_features', 'context':
            if config.network[name]:
                raise ColornetError(
                    '%s: network.%s = %s is added to a residual encoder '
                    'unit, and network.residual_units = no' % (
                        source, name, config.network[name]))
        if config.data['proportions'] != 'squash':
            raise ColornetError(
                '%s: data.proportions = keep has sides that are not divisible '
                'by 16, and network.residual_units = no' % source)
    if config.data['size'] % 16 and not config.network['residual_units']:
        raise ColornetError('%s: data.size must be divisible by 16 without '
                            'residual units' % source)
    return config
