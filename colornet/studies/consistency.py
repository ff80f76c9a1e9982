"""What makes colours even, and what it costs: the paper's last section put to
the test on photos that no network has seen (6)."""

from collections import OrderedDict
from pathlib import Path

import numpy as np

from ..color import luminance
from ..data.splits import load_split
from ..errors import ColornetError
from ..evaluation.columns import Column, format_columns, metric_columns
from ..evaluation.everyday import find_photos
from ..evaluation.sheets import (fill_rows, grey_picture, save_sheet,
                                 shrink_picture)
from ..evaluation.sources import ColourPhotos
from ..evaluation.table2 import bootstrap_interval
from ..files import check_output, write_rows
from ..metrics import in_units
from ..resources import DEFAULT_NETWORK, find_resource, weights_file
from ..terminal import printable, progress_bar
from .combinations import (CANDIDATES, COMBINATIONS, METRICS, Combination,
                           Scorer)

__all__ = ['choose_settings', 'format_intervals', 'format_table',
           'score_consistency']

#: Of other networks than the default one, each so many-th everyday photo.
OTHERS_EVERY = 4

#: Columns of the files.
COLUMNS = ('photos', 'network', 'decoder', 'steps', 'changes', 'count') + \
    METRICS + ('colourfulness_ratio', 'milliseconds')

#: Those of the table, by the groups of its rows.
_TABLE = OrderedDict(metric_columns(
    ['acc_u', 'acc_v', 'abs_sat_diff', 'l_reg', 'psnr', 'psnr_gain',
     'colourfulness_ratio', 'inconsistency', 'edge_error', 'error_elsewhere'],
    acc_u=Column('Acc U', '%5.2f'), acc_v=Column('Acc V', '%5.2f'),
    abs_sat_diff=Column('|sat|', '%5.1f'),
    l_reg=Column('L_reg', '%8.0f'),
    psnr=Column('PSNR', '%5.2f'), psnr_gain=Column('gain', '%+5.2f'),
    colourfulness_ratio=Column('colour', '%6.2f'),
    inconsistency=Column('uneven', '%6.1f'),
    edge_error=Column('edges', '%5.2f'),
    error_elsewhere=Column('elsewhere', '%9.2f')),
    milliseconds=Column('ms', '%4.0f'))

#: What steps change, with intervals, and its headings.
_CHANGED = OrderedDict([
    ('psnr_gain', 'gain'), ('inconsistency', 'uneven'),
    ('edge_error', 'edges'), ('colourfulness_predicted', 'colourfulness')])

#: Columns of the file of intervals.
INTERVAL_COLUMNS = ('photos', 'network', 'decoder', 'steps', 'changes',
                    'count', 'metric', 'without', 'with', 'difference', 'low',
                    'high')

#: What users get, and what they would without steps.
_DEFAULT = (Combination('own', 'none'), Combination('own', 'default'))

#: On the sheet, of each set the photos that argmax makes most uneven.
NUM_SHOWN, SHOWN_WIDTH = 6, 220

_SHOWN = (Combination('argmax', 'none'), Combination('argmax', 'segments'),
          Combination('argmax', 'crf'),
          Combination('argmax', 'total_variation'),
          Combination('mean', 'none'), Combination('mean', 'total_variation'))


def score_consistency(out_file, cvcl=None, everyday=None, list_file=None,
                      sheet_file=None, every=1, vgg_weights=None,
                      engine=None, default_only=False):
    """Score decoders with refinements.

    Parameters
    ----------
    out_file : str or Path
        CSV file with the means, written anew after each set of photos.
        Beside it, ``<name>_intervals.csv`` gets what the steps of each
        decoder change, with 95 % intervals over photos.
    cvcl, everyday : str or Path, optional
        Folders of Open Country's photos, of which the test photos are scored
        with ``cvcl_best``, and of everyday test photos, which are with
        ``everyday``, each fourth with ``cvcl_best``.
    list_file : str or Path, optional
        Of the everyday photos: see
        :func:`colornet.evaluation.everyday.find_photos`.
    sheet_file : str or Path, optional
        Gets the most uneven photos: grey | ways | original.
    every : int
        Score each so many-th everyday photo.
    vgg_weights, engine
        As for :func:`colornet.api.load_colorizer`.
    default_only : bool
        Score what photos get and the same without steps, and no other ways:
        with many photos, the rest takes long. Not with a sheet.

    Returns
    -------
    str
        The tables to print.

    Raises
    ------
    ColornetError
        If there are no photos.
    """
    intervals_file = '%s_intervals.csv' % Path(out_file).with_suffix('')
    check_output(out_file)
    check_output(intervals_file)
    best, default = [find_resource(name) for name in (
        weights_file('cvcl_best'), DEFAULT_NETWORK)]
    sets = []
    if everyday is not None:
        paths = find_photos(everyday, list_file)[::every]
        sets += [('everyday', default, paths),
                 ('everyday', best, paths[::OTHERS_EVERY])]
    if cvcl is not None:
        paths = load_split('cvcl', cvcl, 'test',
                           find_resource('experiments/splits'))
        sets.insert(1, ('Open Country', best, list(map(Path, paths))))
    if not sets:
        raise ColornetError('no photos: give --cvcl or --everyday, or both')
    rows, intervals, sheet = [], [], []
    for name, network, paths in sets:
        scorer = Scorer(network, _DEFAULT if default_only else COMBINATIONS,
                        vgg_weights, engine)
        means, changes = _score_set(name, network.stem, scorer, paths,
                                    sheet if sheet_file else None)
        rows += means
        intervals += changes
        write_rows(out_file, COLUMNS, rows)
        write_rows(intervals_file, INTERVAL_COLUMNS, intervals)
    if sheet_file:
        _save_sheet(sheet_file, sheet)
    return '\n\n'.join([format_table(rows), format_intervals(intervals)])


def choose_settings(out_file, folder, list_file, every=1, vgg_weights=None,
                    engine=None, steps=()):
    """Score candidates for the settings of ``[refinement]``.

    Parameters
    ----------
    out_file : str or Path
        CSV file.
    folder, list_file : str or Path
        Photos that the default network was not trained on, and that are for
        no test.
    every, vgg_weights, engine
        As for :func:`score_consistency`.
    steps : sequence of str
        Whose settings; of all, if empty.

    Returns
    -------
    str
        The table to print.
    """
    check_output(out_file)
    network = find_resource(DEFAULT_NETWORK)
    candidates = [one for one in CANDIDATES
                  if not steps or one.steps in ('none',) + tuple(steps)]
    scorer = Scorer(network, candidates, vgg_weights, engine)
    rows, _ = _score_set('held out', network.stem, scorer,
                         find_photos(folder, list_file)[::every])
    write_rows(out_file, COLUMNS, rows)
    return format_table(rows)


def format_table(rows):
    """The table of some sets of photos.

    Parameters
    ----------
    rows : list of dict
        Of the CSV file, numbers as numbers.

    Returns
    -------
    str
    """
    groups, title = _grouped(rows)
    tables = []
    for key, group in groups.items():
        last = OrderedDict((label, found[-1])
                           for label, found in group.items())
        tables.append('\n'.join([key] + format_columns(title, last, _TABLE)))
    return '\n\n'.join(tables)


def format_intervals(rows):
    """The table of what steps change.

    Parameters
    ----------
    rows : list of dict
        Of the file of intervals, numbers as numbers.

    Returns
    -------
    str
    """
    groups, title = _grouped(rows)
    lines = []
    for key, group in groups.items():
        lines += ['', key + ', less without steps [95 %]',
                  _line(title, _CHANGED.values())]
        for label, found in group.items():
            cells = {row['metric']: '%+.2f [%+.2f, %+.2f]' % (
                row['difference'], row['low'], row['high']) for row in found}
            lines.append(_line(label.ljust(len(title)),
                               [cells[metric] for metric in _CHANGED]))
    return '\n'.join(lines[1:])


def _grouped(rows):
    """Rows by photos and network, and by decoder and steps; their title."""
    groups = OrderedDict()
    for row in rows:
        key = printable('%s, %d photos, network %s' % (
            row['photos'], row['count'], row['network']))
        label = ', '.join(filter(None, (row['decoder'], row['steps'],
                                        row['changes'])))
        groups.setdefault(key, OrderedDict()).setdefault(label, []).append(
            row)
    width = max(len(label) for group in groups.values() for label in group)
    return groups, 'decoder, steps'.ljust(width)


def _line(name, cells):
    return '  '.join([name] + ['%-26s' % cell for cell in cells]).rstrip()


def _score_set(name, network, scorer, paths, sheet=None):
    """Rows of a set of photos, of means and of what steps change.

    The most uneven photos are put on the sheet.
    """
    combinations = scorer.combinations
    scores = OrderedDict((one, []) for one in combinations)
    shown = list(_SHOWN) + [scorer.default]
    most_uneven, photos = [], ColourPhotos(paths)
    for path in progress_bar(paths, unit='photo', desc=name):
        pixels = photos.read(path)
        if pixels is None:
            continue
        rows, picture = scorer.score(pixels)
        for one, row in zip(scores, rows):
            scores[one].append(row)
        if sheet is None:
            continue
        uneven = scores[_SHOWN[0]][-1]['inconsistency']
        if (len(most_uneven) < NUM_SHOWN or
                uneven > most_uneven[-1][0]):
            pictures = [grey_picture(luminance(pixels))] + [
                picture(one) for one in shown] + [pixels]
            most_uneven.append((uneven, '%s, %s: %.0f' % (
                path.name, network, uneven), [
                shrink_picture(one, SHOWN_WIDTH) for one in pictures]))
            most_uneven.sort(key=lambda entry: -entry[0])
            del most_uneven[NUM_SHOWN:]
    photos.check_some()
    if sheet is not None:
        sheet += [(entry[1], entry[2], shown) for entry in most_uneven]
    means, changes = [], []
    for one, rows in scores.items():
        row = dict(photos=name, network=network, decoder=one.decoder,
                   steps=one.steps, changes=one.text, count=len(rows))
        means.append(dict(row, **_means(rows)))
        plain = scores.get(Combination(one.decoder, 'none'))
        if one.steps != 'none' and plain:
            changes += [dict(row, **change)
                        for change in _changes(plain, rows)]
    return means, changes


def _means(rows):
    """Means over photos, shares in percent."""
    means = {key: float(np.mean([row[key] for row in rows]))
             for key in rows[0]}
    ratio = (means['colourfulness_predicted'] /
             means['colourfulness_actual'])
    means.update(l_reg=int(round(means['l_reg'])), colourfulness_ratio=ratio)
    return {key: in_units(key, value) for key, value in means.items()}


def _changes(without, rows):
    """What steps change, photo by photo, in its mean and its interval."""
    for metric in _CHANGED:
        before, after = [np.array([row[metric] for row in found])
                         for found in (without, rows)]
        low, high = bootstrap_interval(after - before)
        yield dict([
            ('metric', metric), ('without', before.mean()),
            ('with', after.mean()), ('difference', (after - before).mean()),
            ('low', low), ('high', high)])


def _save_sheet(path, sheet):
    shown = sheet[0][2]
    titles = ['grey'] + ['%s, %s' % (one.decoder, one.steps.replace('_', ' '))
                         for one in shown] + ['original']
    rows, names = fill_rows([pictures for _, pictures, _ in sheet],
                            [name for name, _, _ in sheet], 1)
    save_sheet(path, rows, titles, names=names,
               width=SHOWN_WIDTH * len(titles))
