"""Results of studies as CSV files, curves and photos (paper, 3.4 to 5.3)."""

import shlex
from collections import OrderedDict

from ..color import split_channels
from ..data.subsets import load_subset
from ..errors import ColornetError
from ..evaluation.plots import plot_curves
from ..evaluation.sheets import grey_picture, save_sheet
from ..files import check_output, write_rows
from ..photos.reading import read_photo
from .results import read_results, read_scores, scores_file

__all__ = ['check_results', 'draw', 'merge_results', 'refuse_other_settings']


def check_results(study, session):
    """Refuse results that could not be written, in advance.

    Parameters
    ----------
    study : Study
    session : Session

    Raises
    ------
    ColornetError
        If there are damaged ones, or folders where files belong.
    """
    for ending, columns in ('.csv', ['status']), ('_curves.csv', []):
        path = session.results_folder / (study.name + ending)
        check_output(path)
        read_results(path, columns)
    for ending in '.png', '_photos.png':
        path = session.folder / (study.name + ending)
        if path.is_dir():
            raise ColornetError('%s is a folder: remove it' % path)


def refuse_other_settings(study, session):
    """Refuse to replace numbers that were made with other ``--set``.

    Parameters
    ----------
    study : Study
    session : Session

    Raises
    ------
    ColornetError
        If the study's table has such numbers of the same scale.
    """
    path = session.results_folder / (study.name + '.csv')
    for row in read_results(path):
        if row['scale'] == session.scale and row['status'] == 'done' and \
                _settings_of(row.get('command') or '') != _by_key(
                    session.overrides):
            raise ColornetError(
                '%s has numbers of other settings (%s), which these would '
                'replace: choose another --results folder, or remove it'
                % (path, row['command']))


def _settings_of(command):
    """What ``--set`` was in a command that was kept with results."""
    try:
        words = shlex.split(command)
    except ValueError:  # Somebody has changed it.
        words = command.split()
    return _by_key(setting for option, setting in zip(words, words[1:])
                   if option == '--set')


def _by_key(settings):
    """Setting -> value; the last counts."""
    pairs = [setting.partition('=') for setting in settings]
    return {key.strip(): value.strip() for key, _, value in pairs}


def merge_results(study, session, results):
    """Write results into a study's tables; those of the other scale stay.

    Numbers of a variant stay where a new attempt has none, unless it diverged.

    Parameters
    ----------
    study : Study
    session : Session
    results : Results

    Raises
    ------
    ColornetError
        If a table is damaged, or cannot be written.
    """
    table, curves = (session.results_folder / (study.name + ending)
                     for ending in ('.csv', '_curves.csv'))
    kept = _variants_to_keep(read_results(table), session.scale, results)
    _merge(table, list(results.rows.values()), session.scale, kept,
           first=('study', 'variant', 'scale'),
           last=('command', 'git_commit', 'date'))
    _merge(curves, results.curves, session.scale, kept,
           first=('variant', 'scale'))


def _variants_to_keep(old_rows, scale, results):
    """Names of variants whose old numbers stay."""
    have_numbers = {row['variant'] for row in old_rows
                    if row['scale'] == scale and row['status'] == 'done'}
    have_none_now = {name for name, row in results.rows.items()
                     if row['status'] != 'done'}
    return have_numbers & (have_none_now - results.diverged)


def _merge(path, rows, scale, kept, first, last=()):
    """Write rows in place of those of the same scale in a CSV file.

    `kept` are variants that are not replaced, `first` and `last` columns that
    come first and last.
    """
    rows = [row for row in read_results(path, ())
            if row['scale'] != scale or row['variant'] in kept] + [
                row for row in rows if row['variant'] not in kept]
    others = [name for name in OrderedDict.fromkeys(
        name for row in rows for name in row) if name not in first + last]
    write_rows(path, list(first) + others + list(last), rows)


def draw(study, plan, session, results):
    """Draw a study's curves, and the first photos by each variant.

    Parameters
    ----------
    study : Study
    plan : list of Variant
    session : Session
    results : Results
        If no variant is done, nothing is drawn.
    """
    if results.curves:
        plot_curves(session.folder / (study.name + '.png'), results.curves,
                    study.curve, study.plot)
        _save_pictures(study, [
            variant for variant in plan
            if results.rows[variant.name]['status'] == 'done'], session)


def _save_pictures(study, shown, session):
    """Sheet of the first photos: grey | each variant | original."""
    images, _ = load_subset(shown[0].config, session.data_folder,
                            study.evaluate)
    columns = [read_scores(scores_file(session.folder / variant.run, study,
                                       variant))[1] for variant in shown]
    pictures = [
        [grey_picture(split_channels(images[number])[0])] +
        [read_photo(path).pixels for path in paths] + [images[number]]
        for number, paths in enumerate(zip(*columns))]
    titles = ['grey'] + [variant.name for variant in shown] + ['original']
    save_sheet(session.folder / (study.name + '_photos.png'), pictures,
               titles, width=max(960, 200 * len(titles)))
