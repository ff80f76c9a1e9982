"""The settings: what each may be, and what they may be together.

Their defaults, with the paper's sections, are in experiments/defaults.ini.
"""

import configparser

from .color import COLOR_SPACES
from .data.datasets import DATASETS, FOLDER
from .refinement.steps import OF_SCORES, parse_steps

__all__ = ['BELONGING', 'RULES', 'SCHEMA', 'format_value']

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


def _crop(text):
    value = _parse_number(int, text)
    if not (0 <= value <= MAX_SIZE and value % 8 == 0):
        raise ValueError('must be from 0 to %d and divisible by 8' % MAX_SIZE)
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
_above_0 = _number(float, 0, low_included=False)


def _optional(parse):
    return lambda text: parse(text) if text else ''


def format_value(value):
    """The text that a value of a setting is parsed from."""
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    return (' '.join(map(str, value)) if isinstance(value, tuple) else
            str(value))


#: Section -> key -> parser, which raises a ValueError that says what is taken.
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
        'huber_threshold': _number(float, 0, low_included=False),
        'balance': _boolean, 'uniform_share': _share,
        'rarity_smoothing': _number(float, 0, 100)},
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
        'keep': _choice('loss', 'accuracy', 'colourfulness', 'last'),
        'seed': _seed,
        'checkpoint_minutes': _number(float, 0)},
    'adversarial': {
        'weight': _number(float, 0),
        'temperature': _number(float, 0.001),
        'learning_rate': _number(float, 0, low_included=False),
        'pretrain': _number(float, 0), 'ramp': _number(float, 0),
        'crop': _crop},
    'decoding': {
        'method': _choice('argmax', 'mean'),
        # Below, scores overflow; the mean is that of the best bin long before.
        'temperature': _number(float, 0.001),
        'smoothing': _number(float, 0, 100),
        'saturation': _number(float, 0, 10)},
    'refinement': {
        'steps': parse_steps,
        'segmentation': _choice('felzenszwalb', 'slic'),
        'segment_size': _above_0, 'segment_strength': _share,
        'crf_weight': _above_0, 'crf_reach': _share,
        'crf_contrast': _above_0,
        'variation_weight': _above_0, 'variation_slope': _above_0,
        'variation_contrast': _above_0,
        'fade_spread': _above_0,
        'guided_reach': _share, 'guided_contrast': _above_0},
}

#: Settings that do nothing unless another has a value: name, the other's name
#: and value.
BELONGING = (('data.min_crop', 'data.proportions', 'keep'),
             ('data.test_share', 'data.dataset', FOLDER),
             ('objective.uniform_share', 'objective.balance', True),
             ('objective.rarity_smoothing', 'objective.balance', True),
             ('training.warm_up', 'training.schedule', 'cycle'),
             ('training.encoder_rate', 'network.fine_tune', True))


def _where(name, value):
    return lambda settings: settings[name] == value


def _where_not(name, value):
    return lambda settings: settings[name] != value


#: What no single value can tell, in the order in which it is checked. Where
#: the first holds of all settings, those named must have their defaults; a
#: rule that names none is broken there. The message tells the one that has
#: not, its value, and any other setting.
RULES = [
    (lambda settings: (settings['network.kind'] == 'classification') !=
                      (settings['objective.loss'] == 'cross_entropy'), (),
     'objective.loss = %(objective.loss)s does not fit network.kind = '
     '%(network.kind)s'),
    (_where('network.kind', 'regression'),
     ('network.aggregation', 'network.residual_units', 'network.tail',
      'network.num_bins', 'decoding.method', 'decoding.temperature',
      'decoding.smoothing', 'objective.balance', 'adversarial.temperature'),
     '%(name)s is of the classification network, not of network.kind = '
     'regression'),
    (lambda settings: (settings['network.kind'] == 'regression' and
                       set(OF_SCORES) & set(settings['refinement.steps'])),
     (), 'refinement.steps: ' + ', '.join(OF_SCORES) +
     ' are of the classification network, not of network.kind = regression'),
] + [
    (_where_not(other, value), (name,),
     '%%(name)s is of %s = %s' % (other, format_value(value)))
    for name, other, value in BELONGING
] + [
    (_where('adversarial.weight', 0),
     ('adversarial.temperature', 'adversarial.learning_rate',
      'adversarial.pretrain', 'adversarial.ramp', 'adversarial.crop'),
     '%(name)s is of adversarial.weight above 0'),
    # Of less, the discriminator's last map has no pixels.
    (lambda settings: (settings['adversarial.weight'] and
                       min(settings['data.size'],
                           settings['adversarial.crop'] or MAX_SIZE) //
                       settings['network.output_stride'] < 24), (),
     'adversarial.weight = %(adversarial.weight)s needs predictions of 24 '
     'rows and columns: data.size = %(data.size)s, adversarial.crop = '
     '%(adversarial.crop)s, network.output_stride = '
     '%(network.output_stride)s'),
    (_where('training.schedule', 'cycle'), ('training.drop_epochs',),
     '%(name)s is of training.schedule = constant, not of cycle'),
    # The zero of hue is no grey, and the mean of two hues means nothing.
    (_where('network.color_space', 'hsv'),
     ('decoding.saturation', 'decoding.method', 'objective.balance',
      'adversarial.weight'),
     '%(name)s = %(value)s is not for network.color_space = hsv'),
    # Those that all networks have unless told are not taken; others were
    # asked for.
    (lambda settings: (settings['network.color_space'] == 'hsv' and
                       settings['refinement.steps']), ('refinement.steps',),
     '%(name)s = %(value)s is not for network.color_space = hsv'),
    (_where('network.residual_units', False),
     ('network.global_features', 'network.context'),
     '%(name)s = %(value)s is added to a residual encoder unit, and '
     'network.residual_units = no'),
    (_where('network.residual_units', False), ('data.proportions',),
     '%(name)s = keep has sides that are not divisible by 16, and '
     'network.residual_units = no'),
    (lambda settings: (settings['data.size'] % 16 and
                       not settings['network.residual_units']), (),
     'data.size must be divisible by 16 without residual units'),
]
