"""Table 2 (paper, 5.3): the paper's numbers, ours, and baselines'.

The rows of predictors without a network are called ``floor_<name>``.
"""

from collections import OrderedDict
from pathlib import Path

import numpy as np

from ..config import load_config
from ..data.subsets import load_subset
from ..errors import ColornetError
from ..files import check_output, write_json, write_rows
from ..metrics import in_units
from ..resources import EVERYDAY, SHIPPED_NETWORKS, find_resource, weights_file
from .baselines import fit_lookup, fit_mode, predict_grey
from .columns import Column, format_columns, metric_columns
from .evaluate import evaluate_network
from .predictions import evaluate, predict_images
from .sources import check_dataset, find_network

__all__ = ['PAPER', 'NETWORKS', 'bootstrap_interval', 'make_table2']

#: The paper's own, in percent, without the columns that it lacks. It gives
#: the size of the saturation difference, not its sign.
PAPER = OrderedDict([
    ('paper_classification', {'acc_u': 34.64, 'acc_v': 24.14,
                              'sat_diff': 6.5}),
    ('paper_regression', {'acc_u': 12.92, 'acc_v': 19.02, 'sat_diff': 85.8}),
])

#: Row of the table -> experiment that trains the network. Only the first two
#: must be there; the last is not among those that ship.
NETWORKS = OrderedDict([
    (name.partition('_')[2], name) for name in SHIPPED_NETWORKS
    if name.startswith('cvcl_')] + [('adversarial', 'adversarial')])

#: How the network for photos of all kinds is decoded: as the others are. Of
#: CVCL, it has seen training photos only (weights/README.rst).
AS_THE_PAPER = ('decoding.method=argmax', 'decoding.temperature=1',
                'decoding.saturation=1')

#: Networks that are compared photo by photo, where both are there.
PAIRS = (('classification', 'regression'),
         ('classification_2017', 'regression'),
         ('regression_l2', 'regression'), ('best', 'best_regression'),
         ('adversarial', 'best'))

#: Format of numbers in the CSV files.
_NUMBER = '%.10g'

#: Draws of photos for an interval, and their seed.
NUM_DRAWS, SEED = 10000, 0


def bootstrap_interval(values, level=0.95):
    """Interval of a mean, by drawing images again (percentile bootstrap).

    Parameters
    ----------
    values : sequence of float
        One for each image.
    level : float in (0, 1)

    Returns
    -------
    low, high : float
        The same for the same values: the draws have a seed.
    """
    values = np.asarray(values, np.float64)
    draws = np.random.RandomState(SEED).randint(len(values),
                                                size=(NUM_DRAWS, len(values)))
    means = values[draws].mean(axis=1)
    return tuple(np.quantile(means, [(1 - level) / 2, (1 + level) / 2]))


def make_table2(data_folder, runs_folder, out_file, vgg_weights=None,
                engine=None):
    """Table 2: the paper's numbers, ours, and baselines' (paper, 5.3).

    Parameters
    ----------
    data_folder : str or Path
        CVCL's Open Country photos.
    runs_folder : str or Path
        Networks trained here, such as ``cvcl_regression/best.h5``, come
        before those that ship.
    out_file : str or Path
        CSV file with the mean of each metric. Beside it, ``<name>_intervals
        .csv`` gets their spread and intervals, ``<name>_<network>.json`` and
        ``<name>_<network>.png`` the scores of each image and a contact sheet.
    vgg_weights : str or Path, optional
    engine : 'theano', 'onnx' or 'pytorch', optional
        As for :func:`colornet.api.load_colorizer`.

    Returns
    -------
    str
        The tables to print, with where each row comes from.
    """
    out_file = Path(out_file)
    networks = _find_networks(runs_folder)
    stems = {system: '%s_%s' % (out_file.with_suffix(''), system)
             for system in networks}
    intervals_file = '%s_intervals.csv' % out_file.with_suffix('')
    for path in [intervals_file] + [stem + suffix for stem in stems.values()
                                    for suffix in ('.json', '.png')]:
        check_output(path)
    results, sources = OrderedDict(), []
    for system, network in networks.items():
        stem = stems[system]
        result = evaluate_network(
            network, data_folder, sheet_file=stem + '.png',
            vgg_weights=vgg_weights, engine=engine, dataset='cvcl',
            decoding=AS_THE_PAPER if system == EVERYDAY else ())
        write_json(stem + '.json', result)
        results[system] = result
        sources.append('%s: %s, epoch %d, %s' % (
            system, network, result['network']['epoch'],
            result['network']['trained_on'] or 'cvcl'))
        sources[-1] += ''.join(', ' + line for line in
                               result['network']['changed_decoding'])
    results.update(_score_baselines(data_folder, result['data']['size']))
    rows = OrderedDict(PAPER)
    for system, result in results.items():
        rows[system] = OrderedDict((name, in_units(name, value))
                                   for name, value in result['mean'].items())
    intervals = list(_intervals(results))
    write_rows(out_file, ['system'] + list(rows['regression']), [
        dict(row, system=system) for system, row in rows.items()], _NUMBER)
    write_rows(intervals_file, list(intervals[0]), intervals, _NUMBER)
    tables = [format_columns('%-22s' % 'system', rows, columns, PAPER)
              for columns in _TABLES]
    tables += [_format_intervals(intervals), sources]
    return '\n\n'.join('\n'.join(lines) for lines in tables)


def _find_networks(runs_folder):
    """Files of the networks that there are, of one size of images."""
    from ..network.stored import load_configuration
    networks, sizes = OrderedDict(), OrderedDict()
    for system, experiment in NETWORKS.items():
        try:
            networks[system] = find_network(experiment, runs_folder)
        except ColornetError:
            if len(networks) < 2:
                raise
            continue
        config = check_dataset(networks[system], 'cvcl', 'Table 2')
        sizes[config.data['size']] = networks[system]
    if len(sizes) > 1:
        raise ColornetError('Table 2 compares networks of one image size: ' +
                            ', '.join('%s has %d' % (network, size)
                                      for size, network in sizes.items()))
    everyday = find_resource(weights_file(EVERYDAY))
    if load_configuration(everyday)[0].data['size'] in sizes:
        networks[EVERYDAY] = everyday
    return networks


def _score_baselines(data_folder, size):
    """Scores of the predictors without a network, at the networks' size."""
    config = load_config(overrides=['data.size=%d' % size])
    training, _ = load_subset(config, data_folder, 'train')
    test, names = load_subset(config, data_folder, 'test')
    baselines = OrderedDict([('floor_mode', fit_mode(training)),
                             ('floor_grey', predict_grey),
                             ('floor_lookup', fit_lookup(training))])
    return OrderedDict((name, evaluate(predict_images(predict, test), names))
                       for name, predict in baselines.items())


def _intervals(results):
    """Spread and interval of each metric, and of the differences of PAIRS.

    Yields
    ------
    OrderedDict
    """
    scores, names = OrderedDict(), {}
    for system, result in results.items():
        columns = OrderedDict((name, [row[name] for row in result['images']])
                              for name in result['images'][0])
        names[system] = columns.pop('name')
        scores[system] = OrderedDict((metric, np.array(values))
                                     for metric, values in columns.items())
    for system, values in scores.items():
        for metric in values:
            yield _interval(system, metric, values[metric])
        for baseline in [baseline for one, baseline in PAIRS
                         if one == system and baseline in scores]:
            if names[system] != names[baseline]:
                raise ValueError('%s and %s were scored on different photos'
                                 % (system, baseline))
            for metric in values:
                yield _interval('%s - %s' % (system, baseline), metric,
                                values[metric] - scores[baseline][metric])


def _interval(system, metric, values):
    low, high = bootstrap_interval(values)
    numbers = OrderedDict([('mean', values.mean()),
                           ('std', values.std(ddof=1)), ('low', low),
                           ('high', high)])
    return OrderedDict([('system', system), ('metric', metric)], **{
        name: in_units(metric, value) for name, value in numbers.items()})


#: The tables to print.
_TABLES = [
    metric_columns('acc_u acc_v sat_diff acc_u_8 acc_v_8'.split()),
    metric_columns('abs_sat_diff sat_diff_pooled colourfulness_predicted '
                   'l_reg psnr ssim'.split()),
    metric_columns(
        ['within_%d_%s' % (bins, channel) for channel in 'uv'
         for bins in (1, 2, 3)],
        within_2_u=Column(heading='2', form='%5.1f'),
        within_2_v=Column(heading='2', form='%5.1f'),
        within_3_u=Column(heading='3 bins', form='%6.1f'),
        within_3_v=Column(heading='3 bins', form='%6.1f')),
    metric_columns('psnr_gain nearer_than_grey colourfulness_ratio '
                   'auc'.split())]


def _format_intervals(intervals):
    """Lines of 95 % intervals, of the paper's metrics first."""
    metrics = 'acc_u', 'acc_v', 'sat_diff', 'abs_sat_diff'
    lines = ['%-33s' % '95 % intervals' + ''.join('%-17s' % metric
                                                  for metric in metrics)]
    systems = OrderedDict.fromkeys(row['system'] for row in intervals)
    for system in systems:
        found = {row['metric']: row for row in intervals
                 if row['system'] == system}
        lines.append('%-33s' % system + ''.join(
            '%-17s' % ('[%.2f, %.2f]' % (found[metric]['low'],
                                         found[metric]['high']))
            for metric in metrics))
    return [line.rstrip() for line in lines]
