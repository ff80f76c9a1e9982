"""Studies: what is varied, and at which scale (paper, 3.4 to 5.3).

A study is an .ini file in ``experiments/``::

    [study]
    title = Elementwise sum instead of the concatenation layer
    section = 5.2, item 1
    claim = What the paper says.
    columns = validation_loss acc_u acc_v peak_mb

    [variant concatenation]

    [variant sum]
    network.aggregation = sum

Settings of all variants may stand in ``[settings]``, those of one scale in
``[quick]`` or ``[full]``. ``columns`` are those of the printed table; the CSV
file has all. Other keys of ``[study]``: ``evaluate``, the subset that
networks are scored on (``validation`` unless given); ``curve``, the x axes of
the plots: ``epoch`` (unless given), ``minibatches`` or ``seconds`` until then,
or ``minibatch``, each of them, which has the training loss only; ``plot``,
what is drawn (``training_loss validation_loss`` unless given); and, once
results are there, ``finding`` and ``agrees`` (``yes``, ``no``, ``partly``,
``unclear``, or nothing where the paper tells no outcome). A variant may also
set environment variables of its training, such as
``environment.COLORNET_WITHOUT = stack``.
"""

import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from ..config import Config, load_config, read_ini
from ..errors import ColornetError
from ..evaluation.plots import AXES, PLOTTED
from ..metrics import METRICS
from ..resources import find_resource

__all__ = ['SCALES', 'TRAINING_NUMBERS', 'Session', 'Study', 'Variant',
           'find_studies', 'load_study', 'plan_study', 'scale_file']

SCALES = 'quick', 'full'


@dataclass(frozen=True)
class Study:
    """What an .ini file says.

    Attributes
    ----------
    name : str
        That of the file.
    source : str
        How a command names it: the file, but of those that ship the name.
    title, section, claim, finding, agrees : str
    columns, plot, curve : list of str
    evaluate : 'validation' or 'train'
    settings : dict of str to list of str
        Section -> ``section.key=value``, of ``settings`` and the scales.
    variants : OrderedDict of str to list of str
        Name -> ``section.key=value``.
    """

    name: str
    source: str
    title: str
    section: str
    claim: str
    finding: str
    agrees: str
    columns: list
    evaluate: str
    curve: list
    plot: list
    settings: dict
    variants: dict


@dataclass(frozen=True)
class Variant:
    """One network of a study.

    Attributes
    ----------
    name : str
    overrides : list of str
        All that differs from the scale's settings, for ``colornet train``.
    config : Config
    run : str
        Name of the run folder. It tells what differs from the scale's
        settings: where that is the same, variants share a training, also
        those of different studies.
    decoding : list of str
        For ``colornet evaluate``: these change no training.
    environment : dict of str to str
        For both.
    """

    name: str
    overrides: list
    config: Config
    run: str
    decoding: list
    environment: dict


@dataclass(frozen=True)
class Session:
    """Where, and at which scale, studies are run by one command.

    Attributes
    ----------
    scale : one of :data:`SCALES`
    folder : Path
        Holds the run folders, gets curves and pictures.
    data_folder : Path
        Photos to train on.
    results_folder : Path
        Gets the tables.
    overrides : list of str
        ``section.key=value``, for all variants.
    """

    scale: str
    folder: Path
    data_folder: Path
    results_folder: Path
    overrides: list


_KEYS = OrderedDict([
    ('title', None), ('section', None), ('claim', None), ('finding', ''),
    ('agrees', ''), ('columns', 'training_loss validation_loss acc_u acc_v'),
    ('evaluate', 'validation'), ('curve', 'epoch'),
    ('plot', 'training_loss validation_loss')])

_CHOICES = {'evaluate': ('validation', 'train'),
            'agrees': ('', 'yes', 'no', 'partly', 'unclear')}

#: Columns that tell of the training itself, at its end; but validation_loss is
#: the lowest, and the metrics are those of the network that is kept. The
#: lowest loss is the mean of ten minibatches; loss_decrease is per minibatch
#: (5.2); loss_spread is, of the last epoch, the standard deviation of means
#: over minibatches of 24 photos together. seconds_per_image is that of the
#: fastest epoch: others may have shared the machine. num_parameters counts
#: what is trained, not running averages.
TRAINING_NUMBERS = (
    'size', 'photos', 'num_parameters', 'epochs', 'minibatches',
    'training_loss', 'validation_loss', 'best_epoch', 'lowest_loss',
    'loss_decrease', 'loss_spread', 'seconds_per_image', 'peak_mb')

#: Settings that make no other network and no other numbers.
_UNNAMED = ('training.checkpoint_minutes',)

_ENVIRONMENT = 'environment.'

#: Longer names of run folders are cut.
_MAX_NAME = 120


def find_studies():
    """Files of the studies that ship, sorted by name.

    Returns
    -------
    list of Path
    """
    folder = find_resource('experiments')
    return sorted(
        path for path in folder.glob('*.ini') if path.is_file() and re.search(
            r'^\[study\]', path.read_text(encoding='utf-8', errors='replace'),
            re.MULTILINE))


def load_study(path):
    """Read a study.

    Parameters
    ----------
    path : str or Path
        Or the name of one of :func:`find_studies`, such as ``aggregation``.

    Returns
    -------
    Study

    Raises
    ------
    ColornetError
        If the file cannot be read or is no study.
    """
    if not re.search(r'[./]', str(path)):
        known = OrderedDict((study.stem, study) for study in find_studies())
        if path not in known:
            raise ColornetError('there is no study %s; there are %s, or name '
                                'an .ini file' % (path, ', '.join(known)))
        path = known[path]
    path = Path(path)
    parser = read_ini(path, 'the study', exact=True)
    if not parser.has_section('study'):
        raise ColornetError('%s is no study: it has no section [study]' % path)
    values = _read_keys(path, parser['study'])
    settings = {name: [] for name in ('settings',) + SCALES}
    variants = OrderedDict()
    for section in parser.sections():
        kind, _, name = section.partition(' ')
        lines = ['%s=%s' % item for item in parser[section].items()]
        for key in parser[section]:
            if key.startswith(_ENVIRONMENT) and not re.match(
                    r'[A-Za-z_][A-Za-z0-9_]*$', key[len(_ENVIRONMENT):]):
                raise ColornetError('%s: [%s]: %s is no name of an '
                                    'environment variable'
                                    % (path, section, key))
        name = ' '.join(name.split())
        if kind == 'variant' and name:
            if name in variants:
                raise ColornetError('%s: there are two variants called %s'
                                    % (path, name))
            variants[name] = lines
        elif section in settings:
            settings[section] = lines
        elif section != 'study':
            raise ColornetError('%s: unknown section [%s]; there are [study], '
                                '[settings], [quick], [full], [variant NAME]'
                                % (path, section))
    if not variants:
        raise ColornetError('%s has no section [variant NAME]' % path)
    is_ours = path.parent.resolve() == find_resource('experiments')
    return Study(name=path.stem, source=path.stem if is_ours else str(path),
                 settings=settings, variants=variants, **values)


def _read_keys(path, section):
    """The checked keys of [study]."""
    unknown = sorted(set(section) - set(_KEYS))
    if unknown:
        raise ColornetError('%s: unknown key %s in [study]; there are %s'
                            % (path, unknown[0], ', '.join(_KEYS)))
    values = {}
    for key, default in _KEYS.items():
        text = ' '.join(section.get(key, default or '').split())
        if default is None and not text:
            raise ColornetError('%s: [study] has no %s' % (path, key))
        if key in _CHOICES and text not in _CHOICES[key]:
            raise ColornetError('%s: %s = %s: choose one of %s' % (
                path, key, text, ', '.join(filter(None, _CHOICES[key]))))
        values[key] = text
    known = OrderedDict([
        ('columns', TRAINING_NUMBERS + tuple(METRICS)),
        ('plot', tuple(PLOTTED)), ('curve', tuple(AXES))])
    for key, words in known.items():
        values[key] = values[key].split()
        if not values[key]:
            raise ColornetError('%s: %s names nothing; there are %s' % (
                path, key, ', '.join(words)))
        for word in values[key]:
            if word not in words:
                raise ColornetError('%s: %s = %s: there are %s' % (
                    path, key, word, ', '.join(words)))
    if 'minibatch' in values['curve'] and (
            values['plot'] != ['training_loss'] or len(values['curve']) > 1):
        raise ColornetError('%s: over curve = minibatch, there is plot = '
                            'training_loss only' % path)
    return values


def scale_file(scale):
    """Find the .ini file with a scale's settings.

    Parameters
    ----------
    scale : one of :data:`SCALES`

    Returns
    -------
    Path

    Raises
    ------
    ColornetError
        If there is no such scale.
    """
    if scale not in SCALES:
        raise ColornetError('there is no scale %r: choose one of %s'
                            % (scale, ', '.join(SCALES)))
    return find_resource('experiments/scales/%s.ini' % scale)


def plan_study(study, scale, overrides=()):
    """What is to be trained for a study.

    Parameters
    ----------
    study : Study
    scale : one of :data:`SCALES`
    overrides : iterable of str
        ``section.key=value``, for all variants.

    Returns
    -------
    list of Variant

    Raises
    ------
    ColornetError
        If a setting is unknown or wrong.
    """
    base = load_config(scale_file(scale))
    for override in overrides:
        load_config().override(override)
    plan = []
    for name, lines in study.variants.items():
        environment = OrderedDict(
            line[len(_ENVIRONMENT):].split('=', 1) for line in lines
            if line.startswith(_ENVIRONMENT))
        lines = [line for line in lines if not line.startswith(_ENVIRONMENT)]
        config = load_config(
            scale_file(scale), study.settings['settings'] +
            study.settings[scale] + lines + list(overrides),
            'study %s, variant %s' % (study.source, name))
        changed = config.changed(base, _UNNAMED)
        decoding, training = [
            [config.setting(section, key) for section, key in changed
             if (section == 'decoding') == wanted] for wanted in (True, False)]
        run = _run_name([setting.partition('.')[2] for setting in training] +
                        ['%s=%s' % item for item in environment.items()])
        plan.append(Variant(name=name, overrides=training, config=config,
                            run=run, decoding=decoding,
                            environment=environment))
    return plan


def _run_name(settings):
    """Folder name that tells what differs from the scale's settings."""
    words = [re.sub(r'[^A-Za-z0-9.=_+-]+', '-', setting)
             for setting in settings]
    name = ','.join(words) or 'baseline'
    # A list of numbers is still known; two other texts may have become one.
    lost = [setting for setting in settings if not re.match(
        r'([A-Za-z0-9.=_+-]+|[a-z_]+=[0-9 ]+)$', setting)]
    if lost or len(name) > _MAX_NAME:
        digest = hashlib.sha256('\n'.join(settings).encode(
            'utf-8', 'surrogateescape')).hexdigest()[:8]
        name = '%s~%s' % (name[:_MAX_NAME], digest)
    return name
