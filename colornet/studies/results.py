"""Tables, curves and pictures of studies (paper, 3.4 to 5.3)."""

import json
import os
import shlex
from collections import OrderedDict
from pathlib import Path

import numpy as np

from ..color import split_channels
from ..data.subsets import draw_training, load_subset
from ..errors import ColornetError
from ..evaluation.evaluate import format_columns, grey_picture, picture_name
from ..evaluation.plots import WINDOW, plot_curves
from ..evaluation.sheets import save_sheet
from ..files import read_csv, write_rows
from ..metrics import in_units
from ..network.parameters import load_arrays, load_progress
from ..photos.reading import read_photo
from ..training.history import best_epoch
from ..training.provenance import read_provenance
from ..training.run_folder import find_divergence
from .study import TRAINING_NUMBERS

__all__ = ['check_results', 'read_results', 'read_scores', 'scores_file',
           'tabulate']

#: Photos on a study's contact sheet.
NUM_SHOWN = 4

#: Share of all minibatches at the end whose mean is the last loss.
END = 0.1

#: Photos of the minibatches whose means tell how losses spread: those of
#: larger minibatches spread less by themselves.
SPREAD_PHOTOS = 24

#: Names of parameters that gradients change; others are running averages.
_LEARNED = 'W', 'b', 'gamma', 'beta'

#: Columns of the table, and their formats, where not two decimal places.
_FORMATS = {'l_reg': '%.0f', 'ssim': '%.3f', 'colourfulness_predicted': '%.1f',
            'colourfulness_actual': '%.1f', 'inconsistency': '%.1f',
            'peak_mb': '%.0f', 'num_parameters': '%.0f',
            'seconds_per_image': '%.3f',
            'loss_decrease': '%.5f'}


def scores_file(run, study, variant):
    """Where a variant's scores are.

    Parameters
    ----------
    run : Path
    study : Study
    variant : Variant

    Returns
    -------
    Path
        A folder of this name without ``.json`` has its pictures.
    """
    words = [study.evaluate] + [setting.partition('.')[2].replace(' ', '-')
                                for setting in variant.decoding]
    return run / (','.join(words) + '.json')


def read_scores(scores):
    """Read what ``colornet evaluate`` left.

    Parameters
    ----------
    scores : Path
        As :func:`scores_file` returns it.

    Returns
    -------
    mean : dict of str to float
    pictures : list of Path
        The first photos in the network's colours.

    Raises
    ------
    ColornetError
        If something is missing or damaged.
    """
    try:
        content = json.loads(scores.read_text())
        mean = {name: float(value) for name, value in content['mean'].items()}
        pictures = [scores.with_suffix('') /
                    picture_name(number, image['name'])
                    for number, image in enumerate(
                        content['images'][:NUM_SHOWN])]
    except (AttributeError, KeyError, OSError, TypeError, ValueError):
        raise ColornetError('%s is missing or damaged' % scores)
    lost = [path for path in pictures if not path.exists()]
    if lost:
        raise ColornetError('%s is missing' % lost[0])
    return mean, pictures


def read_results(path):
    """Read a study's table, or its curves.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    list of OrderedDict of str to str
        Empty if there is no such file.

    Raises
    ------
    ColornetError
        If it is something else, or damaged.
    """
    if not os.path.exists(str(path)):
        return []
    rows = read_csv(path)
    for number, row in enumerate(rows, 2):
        for name in 'variant', 'scale':
            if name not in row or len(row) < len(rows[0]):
                raise ColornetError('%s is damaged in line %d: remove it'
                                    % (path, number))
    return rows


def check_results(study, folder, results_folder):
    """Refuse results that :func:`tabulate` could not write, in advance.

    Parameters
    ----------
    study : Study
    folder : Path
        Holds the run folders, gets curves and pictures.
    results_folder : str or Path

    Raises
    ------
    ColornetError
        If there are damaged ones, or folders where pictures belong.
    """
    for ending in '.csv', '_curves.csv':
        read_results(Path(results_folder) / (study.name + ending))
    for ending in '.png', '_photos.png':
        path = folder / (study.name + ending)
        if path.is_dir():
            raise ColornetError('%s is a folder: remove it' % path)


def tabulate(study, plan, scale, folder, data_folder, results_folder, failed,
             overrides=()):
    """Write a study's results.

    Numbers of a variant stay where a new attempt has none, unless it diverged.

    Parameters
    ----------
    study : Study
    plan : list of Variant
    scale : str
    folder : Path
        Holds the run folders, gets curves and pictures.
    data_folder, results_folder : Path
    failed : dict of str to str
        Run folder -> why its variants have no numbers, or ''.
    overrides : iterable of str
        Of the command that is kept with the results.

    Returns
    -------
    str
        The table to print.

    Raises
    ------
    ColornetError
        If a file of a run folder is missing or damaged, or a result cannot
        be written.
    """
    command = ['colornet', 'study', study.source, '--data', 'DIR', '--scale',
               scale]
    for setting in overrides:
        command += ['--set', setting]
    rows, curves = OrderedDict(), []
    for variant in plan:
        run = folder / variant.run
        rows[variant.name] = row = OrderedDict([
            ('study', study.name), ('variant', variant.name),
            ('scale', scale), ('settings', '; '.join(
                variant.overrides + variant.decoding + [
                    'environment.%s=%s' % item
                    for item in variant.environment.items()])),
            ('status', failed[variant.run] or 'done'),
            ('size', variant.config.data['size'])])
        if row['status'] == 'done':
            found = _read_curves(run)
            shown = 'minibatches' if 'minibatch' in study.curve else 'epochs'
            curves += [dict(point, variant=variant.name, scale=scale)
                       for point in found[shown]]
            parts = read_provenance(run)
            num_photos = len(draw_training(parts[-1]['num_images'],
                                           variant.config)[0])
            row.update(
                photos=num_photos, num_parameters=_count_parameters(run),
                **_training_numbers(found, num_photos,
                                    variant.config.training['batch_size'],
                                    variant.config.training['keep']))
            row.update(read_scores(scores_file(run, study, variant))[0])
            row.update(_origin(parts))
        row['command'] = ' '.join(map(shlex.quote, command))
    stem = str(results_folder / study.name)
    diverged = {variant.name for variant in plan
                if find_divergence(variant.config, folder / variant.run)}
    kept = {row['variant'] for row in read_results(stem + '.csv')
            if row['scale'] == scale and row['status'] == 'done' and
            rows.get(row['variant'], {}).get('status', 'done') != 'done' and
            row['variant'] not in diverged}
    _merge(stem + '.csv', list(rows.values()), scale, kept,
           first=('study', 'variant', 'scale'),
           last=('command', 'git_commit', 'date'))
    _merge(stem + '_curves.csv', curves, scale, kept,
           first=('variant', 'scale'))
    if curves:
        plot_curves(folder / (study.name + '.png'), curves, study.curve,
                    study.plot)
        _save_pictures(study, plan, folder, data_folder, rows)
    return '\n'.join(_format_rows(study, scale, rows))


def _merge(path, rows, scale, kept, first, last=()):
    """Write rows in place of those of the same scale in a CSV file.

    `kept` are variants that are not replaced, `first` and `last` columns that
    come first and last.
    """
    rows = [row for row in read_results(path)
            if row['scale'] != scale or row['variant'] in kept] + [
                row for row in rows if row['variant'] not in kept]
    others = [name for name in OrderedDict.fromkeys(
        name for row in rows for name in row) if name not in first + last]
    write_rows(path, list(first) + others + list(last), rows)


def _read_curves(run):
    """Numbers of a run folder by epoch and by minibatch.

    Returns
    -------
    dict of str to list of OrderedDict
        ``epochs``, with the minibatches and seconds since the start, and
        ``minibatches``, counted from the start.
    """
    progress, _ = load_progress(run / 'last.h5')
    epochs, seconds = [], 0.
    for row in progress['history']:
        seconds += row['seconds']
        row.update(seconds=seconds, minibatches=sum(
            epoch <= row['epoch'] for epoch, _, _ in progress['losses']))
        epochs.append(OrderedDict(
            (name, row[name]) for name in (
                'epoch', 'minibatches', 'seconds', 'training_loss',
                'validation_loss', 'acc_u', 'acc_v', 'sat_diff', 'psnr',
                'peak_mb')
            if name in row))
    minibatches = [
        OrderedDict([('minibatch', number), ('epoch', epoch),
                     ('training_loss', loss)])
        for number, (epoch, _, loss) in enumerate(progress['losses'], 1)]
    return {'epochs': epochs, 'minibatches': minibatches}


def _count_parameters(run):
    """Numbers that the training learns."""
    arrays = load_arrays(run / 'best.h5', ['parameters'])[0]['parameters']
    return sum(array.size for name, array in arrays.items()
               if name.rpartition('/')[2] in _LEARNED)


def _training_numbers(curves, num_photos, batch_size, keep):
    """What a row tells of the training itself."""
    def column(name, rows=curves['epochs']):
        return np.array([row[name] for row in rows if name in row])
    losses = column('training_loss', curves['minibatches'])
    window = min(WINDOW, len(losses))
    means = np.convolve(losses, np.full(window, 1. / window), 'valid')
    last = losses[-max(int(END * len(losses)), 1):].mean()
    of_last_epoch = losses[column('epoch', curves['minibatches']) ==
                           len(curves['epochs'])]
    several = max(SPREAD_PHOTOS // batch_size, 1)
    groups = of_last_epoch[:len(of_last_epoch) // several * several]
    numbers = OrderedDict([
        ('epochs', len(curves['epochs'])), ('minibatches', len(losses)),
        ('training_loss', column('training_loss')[-1])])
    validation = column('validation_loss')
    if len(validation):
        numbers['validation_loss'] = validation.min()
        numbers['best_epoch'] = best_epoch(curves['epochs'], keep)
    numbers.update([
        ('lowest_loss', means.min()),
        ('loss_decrease', (losses[0] - last) / len(losses))])
    if len(groups) > several:
        numbers['loss_spread'] = groups.reshape(-1, several).mean(1).std()
    numbers.update([
        ('seconds_per_image',
         np.diff(column('seconds'), prepend=0).min() / num_photos),
        ('peak_mb', column('peak_mb').max())])
    return numbers


def _origin(parts):
    """Commits and date of a training, of the parts of its provenance."""
    commits = OrderedDict.fromkeys(
        (part['git_commit'] or 'unknown') +
        ('-changed' if part['git_changes'] else '') for part in parts)
    return {'git_commit': ' '.join(commits), 'date': parts[-1]['date'][:10]}


def _save_pictures(study, plan, folder, data_folder, rows):
    """Sheet of the first photos: grey | each variant that ended | original."""
    shown = [variant for variant in plan
             if rows[variant.name]['status'] == 'done']
    images, _ = load_subset(shown[0].config, data_folder, study.evaluate)
    columns = [read_scores(scores_file(folder / variant.run, study,
                                       variant))[1] for variant in shown]
    pictures = [
        [grey_picture(split_channels(images[number])[0])] +
        [read_photo(path).pixels for path in paths] + [images[number]]
        for number, paths in enumerate(zip(*columns))]
    titles = ['grey'] + [variant.name for variant in shown] + ['original']
    save_sheet(folder / (study.name + '_photos.png'), pictures, titles,
               width=max(960, 200 * len(titles)))


def _format_rows(study, scale, rows):
    """Lines of the study's table."""
    columns = OrderedDict()
    for name in study.columns:
        form = _FORMATS.get(name, '%.4g' if name in TRAINING_NUMBERS
                            else '%.2f')
        columns[name] = name, form.replace('%', '%%%d' % max(len(name), 9))
    shown = OrderedDict(
        (variant, OrderedDict(
            (name, in_units(name, row[name])) for name in study.columns
            if name in row)) for variant, row in rows.items())
    title = max([len(name) for name in rows] + [len('variant')])
    lines = ['%s (%s; %s)' % (study.title, study.section, scale)]
    lines += format_columns('variant'.ljust(title), shown, columns)
    return lines + ['%s: %s' % (variant, row['status'])
                    for variant, row in rows.items()
                    if row['status'] != 'done']
