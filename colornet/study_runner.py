"""Train, score and tabulate the variants of studies (paper, 5.2, 5.3)."""

import csv
import json
import shlex
import time
from collections import OrderedDict
from pathlib import Path

import numpy as np

from .color import split_channels
from .errors import ColornetError
from .experiment import (draw_training, git_commit, is_finished,
                         load_subset)
from .files import write_csv, write_text
from .images import read_photo
from .jobs import Job, run_jobs
from .plots import plot_study
from .reports import format_columns, grey_picture, in_units
from .sheets import save_sheet
from .studies import (TRAINING_NUMBERS, load_study, plan_study,
                      scale_file)

__all__ = ['run_studies', 'read_table']

#: Photos on a study's contact sheet.
NUM_SHOWN = 4

#: Minibatches that a lowest loss is the mean of, and the share of all at the
#: end whose mean is the last loss.
WINDOW, END = 10, 0.1

#: Columns of the table besides metrics, and their formats.
_FORMATS = {'l_reg': '%.0f', 'psnr': '%.2f', 'ssim': '%.3f', 'peak_mb': '%.0f',
            'seconds_per_image': '%.3f', 'loss_decrease': '%.5f',
            'best_epoch': '%.0f', 'colourfulness_predicted': '%.1f',
            'colourfulness_actual': '%.1f', 'edge_error': '%.2f',
            'error_elsewhere': '%.2f', 'inconsistency': '%.1f'}


def run_studies(names, data_folder, scale, runs_folder, results_folder,
                overrides=(), scheduler=None, threads=None):
    """Run studies; what is finished is skipped, the rest resumed.

    Parameters
    ----------
    names : list of str
        Names or files of studies, see :func:`colornet.studies.load_study`.
    data_folder : str or Path
        Photos to train on.
    scale : 'quick' or 'full'
    runs_folder : str or Path
        ``<scale>/<what differs>`` in there are the run folders; ``<scale>/
        <study>.png`` and ``<study>_photos.png`` get curves and pictures.
    results_folder : str or Path
        ``<study>.csv`` gets a row for each variant, ``<study>_curves.csv``
        one for each of its epochs, or minibatches.
    overrides : iterable of str
        ``section.key=value``, for all variants.
    scheduler, threads
        As for :func:`colornet.jobs.run_jobs`.

    Yields
    ------
    study : Study
    text : str
        Its table.

    Raises
    ------
    ColornetError
        If a study or a setting is wrong, or a run folder holds a training
        with other settings.
    Interrupted
        As :func:`colornet.jobs.run_jobs`.
    """
    folder = Path(runs_folder).resolve() / scale
    data_folder = Path(data_folder).resolve()
    if not data_folder.is_dir():
        raise ColornetError('there is no folder %s of photos' % data_folder)
    plans = OrderedDict()
    for name in names:
        study = load_study(name)
        plans[study.name] = study, plan_study(study, scale, overrides)
    jobs = _make_jobs(plans.values(), scale, folder, data_folder)
    waiting = {name: {job.name for job in jobs} & {
        variant.run for variant in plan}
        for name, (_, plan) in plans.items()}
    messages = _with_start(run_jobs(jobs, scheduler, threads))
    failed = {}
    for run, message in messages:
        if message:
            failed[run] = message
            if 'training diverged' in message:
                write_text(folder / run / 'diverged.txt', message + '\n')
        for name in [name for name, runs in waiting.items()
                     if not runs - {run}]:
            del waiting[name]
            study, plan = plans[name]
            yield study, _tabulate(study, plan, scale, folder, data_folder,
                                   Path(results_folder), failed, overrides)
        for runs in waiting.values():
            runs.discard(run)


def _with_start(messages):
    """First a job of no name: studies may have nothing left to do."""
    yield None, ''
    yield from messages


def _make_jobs(plans, scale, folder, data_folder):
    """What is not done yet: a job for each run folder."""
    jobs = OrderedDict()
    for study, plan in plans:
        for variant in plan:
            run = folder / variant.run
            commands = jobs.setdefault(variant.run, [])
            if (run / 'diverged.txt').exists():
                continue
            if not is_finished(variant.config, run) and not commands:
                commands.append(
                    ['train', str(scale_file(scale)), '--data',
                     str(data_folder), '--out', str(run)] +
                    _as_options(variant.overrides))
            scores = _scores_file(run, study, variant)
            network = run / 'best.h5'
            if commands or not scores.exists() or (
                    scores.stat().st_mtime_ns < network.stat().st_mtime_ns):
                command = ['evaluate', str(run), '--data', str(data_folder),
                           '--subset', study.evaluate, '--out', str(scores),
                           '--pictures', str(scores.with_suffix(''))
                           ] + _as_options(variant.decoding)
                if command not in commands:
                    commands.append(command)
    return [Job(run, commands) for run, commands in jobs.items() if commands]


def _as_options(settings):
    return [word for setting in settings for word in ('--set', setting)]


def _scores_file(run, study, variant):
    words = [study.evaluate] + [setting.partition('.')[2].replace(' ', '-')
                                for setting in variant.decoding]
    return run / (','.join(words) + '.json')


def _tabulate(study, plan, scale, folder, data_folder, results_folder, failed,
              overrides):
    """Write a study's results; its table as text."""
    rows, curves = OrderedDict(), OrderedDict()
    command = ['colornet', 'study', study.name, '--data', 'DIR', '--scale',
               scale] + _as_options(overrides)
    for variant in plan:
        run = folder / variant.run
        rows[variant.name] = row = OrderedDict([
            ('study', study.name), ('variant', variant.name),
            ('scale', scale), ('settings', '; '.join(
                variant.overrides + variant.decoding))])
        diverged = run / 'diverged.txt'
        row['status'] = (diverged.read_text().strip() if diverged.exists()
                         else failed.get(variant.run, 'done'))
        row['size'] = variant.config.data['size']
        if (run / 'log.csv').exists():
            curves[variant.name] = _read_curves(run)
            row.update(_training_numbers(run, variant.config,
                                         curves[variant.name]))
        scores = _scores_file(run, study, variant)
        if row['status'] == 'done':
            row.update(json.loads(scores.read_text())['mean'])
        row.update(command=' '.join(map(shlex.quote, command)), git_commit=git_commit() or 'unknown',
                   date=time.strftime('%Y-%m-%d'))
    stem = results_folder / study.name
    columns = list(OrderedDict.fromkeys(
        name for row in rows.values() for name in row))
    for last in 'command', 'git_commit', 'date':
        columns.remove(last)
        columns.append(last)
    write_csv(str(stem) + '.csv', columns, (
        [_as_text(row.get(name, '')) for name in columns]
        for row in rows.values()))
    kind = 'minibatches' if study.curve == 'minibatch' else 'epochs'
    _write_curves('%s_curves.csv' % stem, {
        name: found[kind] for name, found in curves.items()})
    plot_study(folder / (study.name + '.png'), study,
               read_table('%s_curves.csv' % stem))
    _save_pictures(study, plan, folder, data_folder, rows)
    return '\n'.join(_format_rows(study, rows))


def _as_text(value):
    return value if isinstance(value, str) else '%.6g' % value


def read_table(path):
    """Rows of a CSV file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    list of OrderedDict of str to str

    Raises
    ------
    ColornetError
        If it cannot be read.
    """
    try:
        with open(str(path), newline='', encoding='utf-8') as stream:
            return [OrderedDict(row) for row in csv.DictReader(stream)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ColornetError('cannot read %s: %s' % (path, error))


def _read_curves(run):
    """Numbers of a run folder by epoch and by minibatch.

    Returns
    -------
    dict of str to list of OrderedDict
        ``epochs``, with the seconds since the start, and ``minibatches``,
        counted from the start.
    """
    epochs, seconds = [], 0.
    for row in read_table(run / 'log.csv'):
        seconds += float(row['seconds'])
        row['seconds'] = '%.1f' % seconds
        epochs.append(OrderedDict((name, row[name]) for name in (
            'epoch', 'seconds', 'training_loss', 'validation_loss', 'acc_u',
            'acc_v', 'sat_diff', 'peak_mb') if name in row))
    minibatches = [
        OrderedDict([('minibatch', str(number)),
                     ('training_loss', row['training_loss'])])
        for number, row in enumerate(read_table(run / 'losses.csv'), 1)]
    return {'epochs': epochs, 'minibatches': minibatches}


def _training_numbers(run, config, curves):
    """What a row tells of the training itself."""
    def column(name):
        return np.array([float(row[name]) for row in curves['epochs']
                         if name in row])
    losses = np.array([float(row['training_loss'])
                       for row in curves['minibatches']])
    window = min(WINDOW, len(losses))
    means = np.convolve(losses, np.full(window, 1. / window), 'valid')
    last = losses[-max(int(END * len(losses)), 1):].mean()
    provenance = json.loads((run / 'provenance.json').read_text())
    num_photos = len(draw_training(provenance[-1]['num_images'], config)[0])
    validation = column('validation_loss')
    numbers = OrderedDict([
        ('photos', num_photos), ('epochs', len(column('epoch'))),
        ('minibatches', len(losses)),
        ('training_loss', column('training_loss')[-1])])
    if len(validation):
        numbers['validation_loss'] = validation.min()
        numbers['best_epoch'] = validation.argmin() + 1
    numbers.update([
        ('lowest_loss', means.min()),
        ('loss_decrease', (losses[0] - last) / len(losses)),
        ('seconds_per_image',
         column('seconds')[-1] / (len(column('epoch')) * num_photos)),
        ('peak_mb', column('peak_mb').max())])
    return numbers


def _write_curves(path, curves):
    """Curves of all variants in one table."""
    columns = list(OrderedDict.fromkeys(
        name for rows in curves.values() for row in rows for name in row))
    write_csv(path, ['variant'] + columns, (
        [variant] + [row.get(name, '') for name in columns]
        for variant, rows in curves.items() for row in rows))


def _save_pictures(study, plan, folder, data_folder, rows):
    """Sheet of the first photos: grey | each variant that ended | original."""
    shown = [variant for variant in plan
             if rows[variant.name]['status'] == 'done']
    if not shown:
        return
    pictures = []
    images, _ = load_subset(shown[0].config, data_folder, study.evaluate)
    for number in range(min(NUM_SHOWN, len(images))):
        rgb = images[number]
        pictures.append([grey_picture(split_channels(rgb)[0])])
        for variant in shown:
            found = _scores_file(folder / variant.run, study, variant)
            path, = found.with_suffix('').glob('%05d_*.png' % number)
            pictures[-1].append(read_photo(path).pixels)
        pictures[-1].append(rgb)
    titles = ['grey'] + [variant.name for variant in shown] + ['original']
    save_sheet(folder / (study.name + '_photos.png'), pictures, titles,
               width=max(960, 200 * len(titles)))


def _format_rows(study, rows):
    """Lines of the study's table."""
    columns = OrderedDict()
    for name in study.columns:
        form = _FORMATS.get(name, '%.4g' if name in TRAINING_NUMBERS else '%.2f')
        width = max([len(name), 9])
        columns[name] = name, form.replace('%', '%%%d' % width)
    shown = OrderedDict()
    for variant, row in rows.items():
        shown[variant] = OrderedDict(
            (name, row[name] if name in TRAINING_NUMBERS else
             in_units(name, row[name])) for name in study.columns
            if name in row)
    title = max([len(name) for name in rows] + [len('variant')])
    lines = ['%s (%s; %s)' % (study.title, study.section, next(
        iter(rows.values()))['scale'])]
    lines += format_columns('variant'.ljust(title), shown, columns)
    lines += ['%s: %s' % (variant, row['status'])
              for variant, row in rows.items() if row['status'] != 'done']
    return lines
