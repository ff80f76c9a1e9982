"""What the run folders of studies hold, and their tables (paper, 5.2)."""

import json
import os
import shlex
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from ..data.subsets import draw_training
from ..errors import ColornetError
from ..evaluation.evaluate import picture_name
from ..evaluation.plots import AXES, PLOTTED, WINDOW
from ..files import digest_file, read_csv
from ..metrics import METRICS
from ..network.parameters import load_arrays, load_progress
from ..training.history import best_epoch
from ..training.provenance import read_provenance
from ..training.run_folder import find_divergence

__all__ = ['Results', 'collect_rows', 'read_results', 'read_scores',
           'scores_file']

#: Photos on a study's contact sheet.
NUM_SHOWN = 4

#: Share of all minibatches at the end whose mean is the last loss.
END = 0.1

#: Photos of the minibatches whose means tell how losses spread: those of
#: larger minibatches spread less by themselves.
SPREAD_PHOTOS = 24

#: Names of parameters that gradients change; others are running averages.
_LEARNED = 'W', 'b', 'gamma', 'beta'


@dataclass(frozen=True)
class Results:
    """What a study has come to.

    Attributes
    ----------
    rows : OrderedDict of str to OrderedDict
        Variant -> column -> value; ``status`` is ``done``, or tells why there
        are no numbers.
    curves : list of dict
        An epoch or a minibatch each, of all variants that are done.
    diverged : set of str
        Variants whose training diverged: no earlier numbers are theirs.
    """

    rows: OrderedDict
    curves: list
    diverged: set


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


def read_scores(scores, network=None):
    """Read what ``colornet evaluate`` left.

    Parameters
    ----------
    scores : Path
        As :func:`scores_file` returns it.
    network : Path, optional
        That it must have scored, byte for byte: times of files change where
        they are copied or a clock is set.

    Returns
    -------
    mean : dict of str to float
    pictures : list of Path
        The first photos in the network's colours.

    Raises
    ------
    ColornetError
        If something is missing or damaged, or of another network than the
        one that is asked for.
    """
    try:
        content = json.loads(scores.read_text())
        of_network = content['network'].get('sha256')
        mean = {name: float(value) for name, value in content['mean'].items()}
        pictures = [scores.with_suffix('') /
                    picture_name(number, image['name'])
                    for number, image in enumerate(
                        content['images'][:NUM_SHOWN])]
    except (AttributeError, KeyError, OSError, TypeError, ValueError):
        raise ColornetError('%s is missing or damaged' % scores)
    if network is not None and of_network != digest_file(network):
        raise ColornetError('%s is of another network' % scores)
    lost = [path for path in pictures if not path.exists()]
    if lost:
        raise ColornetError('%s is missing' % lost[0])
    return mean, pictures


def read_results(path, columns=('status',)):
    """Read a study's table, or its curves.

    Parameters
    ----------
    path : str or Path
    columns : sequence of str
        That it must have besides variant and scale; curves have no status.

    Returns
    -------
    list of dict of str to str
        Empty if there is no such file.

    Raises
    ------
    ColornetError
        If it is something else, or damaged.
    """
    if not os.path.exists(path):
        return []
    rows = read_csv(path, {*AXES, *PLOTTED, *METRICS})
    for number, row in enumerate(rows, 2):
        for name in ('variant', 'scale', *columns):
            if name not in row:
                raise ColornetError('%s is damaged in line %d: remove it'
                                    % (path, number))
    return rows


def collect_rows(study, plan, session, failed):
    """Collect what the run folders of a study hold.

    Parameters
    ----------
    study : Study
    plan : list of Variant
    session : Session
    failed : dict of str to str
        Run folder -> why its variants have no numbers, or ''.

    Returns
    -------
    Results

    Raises
    ------
    ColornetError
        If a file of a run folder is missing or damaged.
    """
    rows, curves = OrderedDict(), []
    for variant in plan:
        run = session.folder / variant.run
        rows[variant.name] = row = OrderedDict([
            ('study', study.name), ('variant', variant.name),
            ('scale', session.scale), ('settings', '; '.join(
                variant.overrides + variant.decoding + [
                    'environment.%s=%s' % item
                    for item in variant.environment.items()])),
            ('status', failed[variant.run] or 'done'),
            ('size', variant.config.data['size'])])
        if row['status'] == 'done':
            found = _read_curves(run)
            shown = 'minibatches' if 'minibatch' in study.curve else 'epochs'
            curves += [dict(point, variant=variant.name, scale=session.scale)
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
        row['command'] = _command(study, session)
    diverged = {variant.name for variant in plan if find_divergence(
        variant.config, session.folder / variant.run)}
    return Results(rows=rows, curves=curves, diverged=diverged)


def _command(study, session):
    """What is kept with the results: the command that makes them again."""
    words = ['colornet', 'study', study.source, '--data', 'DIR', '--scale',
             session.scale]
    for setting in session.overrides:
        words += ['--set', setting]
    return ' '.join(map(shlex.quote, words))


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
            epoch <= row['epoch'] for epoch, *_ in progress['losses']))
        epochs.append(OrderedDict(
            (name, row[name]) for name in (
                'epoch', 'minibatches', 'seconds', *PLOTTED, 'peak_mb')
            if name in row))
    minibatches = [
        OrderedDict([('minibatch', number), ('epoch', epoch),
                     ('training_loss', loss)])
        for number, (epoch, _, loss, *_) in enumerate(progress['losses'], 1)]
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
