"""One page with all tables, curves and pictures that there are (5)."""

import base64
import io
import os
import tempfile
import time
from collections import OrderedDict
from dataclasses import asdict
from pathlib import Path

import jinja2
from PIL import Image

from .. import __version__
from ..errors import ColornetError, TheanoMissing
from ..evaluation.figures import FIGURES
from ..evaluation.plots import PLOTTED, plot_curves
from ..files import read_csv, write_text
from ..photos.reading import read_photo
from ..resources import find_resource
from ..training.provenance import git_commit
from .results import read_results
from .study import find_studies, load_study
from .tables import COLUMNS, format_number, format_result, study_table

__all__ = ['make_report']

#: Photos wider than this are reduced.
MAX_WIDTH = 1400

#: Metrics whose intervals are shown.
_WITH_INTERVALS = ('acc_u', 'acc_v', 'sat_diff', 'abs_sat_diff', 'psnr',
                   'psnr_gain')

#: How the results were made that ship with colornet.
_SHIPPED = {
    'table2':
        '"make table2", with the networks in weights/, on the 50 test photos '
        'of Open Country (MIT CVCL). Your own: "make table2 CVCL=folder".',
    'decodings':
        '"colornet decodings weights/cvcl_classification.h5 --subset test", '
        'on the same 50 photos. Your own: "make decodings CVCL=folder", which '
        'takes the held-out photos.',
    'everyday':
        '"colornet everyday", with networks in weights/ and two that do not '
        'ship, on 422 photos that may not be passed on (docs/everyday.rst). '
        'Your own: "make everyday EVERYDAY_TEST=folder".',
    'figure':
        '"make docs-figures", with the networks in weights/, by the figure\'s '
        'rule, but from the free photos in demo/photos: those of MIT CVCL may '
        'not be passed on. The networks were trained on Open Country only. '
        'Your own, from its test photos: "make %s CVCL=folder".',
    'study':
        '"make %s CVCL=folder", of Open Country (MIT CVCL). The same command '
        'makes your own.'}


def make_report(runs_folder, results_folder, out_file):
    """Make a page of what the other commands have left.

    Parameters
    ----------
    runs_folder : str or Path
        Tables, figures and, in ``studies/<scale>``, the studies' photos.
    results_folder : str or Path
        Results of studies. Of what is in neither folder, the results that
        ship are shown, and said to be these.
    out_file : str or Path
        HTML file; all pictures are part of it.

    Returns
    -------
    list of str
        What is missing.

    Raises
    ------
    ColornetError
        If a folder is none, or the page cannot be written.
    """
    for folder in runs_folder, results_folder:
        if os.path.exists(folder) and not os.path.isdir(folder):
            raise ColornetError('%s is not a folder' % folder)
    runs = Path(runs_folder)
    with tempfile.TemporaryDirectory() as scratch:
        parts = [
            _try('table1', 'Table 1', _table1, runs),
            _try('table2', 'Table 2', _table2, runs),
            _try('decodings', 'Decodings', _decodings, runs),
            _try('everyday', 'Everyday photos', _everyday, runs),
            _try('trainings', 'Trainings', _trainings, runs, scratch)]
        parts += [_try('figure%d' % number, 'Figure %d' % number, _figure,
                       runs, number, scratch)
                  for number in sorted({2, 3, *FIGURES})]
        studies = []
        for path in find_studies():
            try:
                studies.append(load_study(path))
            except ColornetError as error:
                parts.append(_part(path.stem, path.stem, str(error)))
        studies.sort(key=lambda study: (study.section, study.title))
        parts += [_try(study.name, study.title, _study, runs,
                       Path(results_folder), study, scratch)
                  for study in studies]
    template = jinja2.Environment(autoescape=True, trim_blocks=True).\
        from_string((Path(__file__).parent / 'report.html').read_text(
            encoding='utf-8'))
    write_text(out_file, template.render(
        title='colornet: the experiments of the paper',
        date=time.strftime('%Y-%m-%d'), version=__version__,
        commit=git_commit(), parts=parts,
        overview=[asdict(study) for study in studies]))
    return ['%s: %s' % (part['title'], part['missing']) for part in parts
            if part['missing']]


def _try(name, title, make, *arguments):
    """A part of the page, or why it cannot be made."""
    try:
        return make(*arguments)
    except (ColornetError, KeyError, ValueError) as error:
        # A file that somebody else wrote, or an older version.
        return _part(name, title, ' '.join(str(error).split()) if isinstance(
            error, ColornetError) else 'its files cannot be read (%s: %s)' % (
                type(error).__name__, error))


def _part(name, title, missing='', tables=(), pictures=(), where='',
          study=None, shipped=''):
    return {'id': name, 'title': title, 'missing': missing, 'where': where,
            'tables': tables, 'pictures': pictures, 'study': study,
            'shipped': shipped}


def _find(runs, name, shipped, how):
    """A file in the runs folder, or else the one that ships, if any.

    Returns
    -------
    path : Path
    how : str
        How that which ships was made, as given; empty for one's own.
    """
    if (runs / name).exists():
        return runs / name, ''
    try:
        return find_resource(shipped), how
    except ColornetError:
        return runs / name, ''


def _find_table(runs, name):
    """As :func:`_find`, with what a page says below the table."""
    shipped = 'experiments/results/%s.csv' % name
    path, how = _find(runs, name + '.csv', shipped, _SHIPPED[name])
    return path, how, shipped if how else 'make %s: %s' % (name, path)


def _read_if_there(path):
    return read_csv(path) if os.path.exists(path) else []


def _table1(runs):
    title = 'Table 1: photos to train on and to test with'
    rows = _read_if_there(runs / 'table1.csv')
    if not rows:
        return _part('table1', title, 'run "make table1"')
    return _part('table1', title, tables=[_as_table(rows)],
                 where='make table1: %s' % (runs / 'table1.csv'))


def _table2(runs):
    title = "Table 2: the paper's networks, ours, and predictors without one"
    path, shipped, where = _find_table(runs, 'table2')
    rows = _read_if_there(path)
    if not rows:
        return _part('table2', title, 'run "make table2"')
    names = [name for name in rows[0] if name != 'system']
    tables = []
    for columns in _divide(names, 8):
        tables.append({
            'header': ['system'] + [name.replace('_', ' ')
                                    for name in columns],
            'rows': [[row['system']] + [format_number(row[name])
                                        for name in columns]
                     for row in rows if any(row[name] for name in columns)]})
    intervals = _read_if_there(path.with_name('table2_intervals.csv'))
    tables.append(_as_table([
        OrderedDict((name, format_number(text)) for name, text in row.items())
        for row in intervals if row['metric'] in _WITH_INTERVALS]))
    return _part('table2', title, tables=tables, shipped=shipped, where=(
        where + '; shares and saturation differences in percent, the latter '
        'signed, but for the paper\'s. Below, 95 % intervals over photos, and '
        'the pairs of networks that can be compared.'),
        pictures=[] if shipped else [_embed(sheet) for sheet in sorted(
            runs.glob('table2_*.png'))])


def _decodings(runs):
    title = 'Decodings: from class scores to colours'
    path, shipped, where = _find_table(runs, 'decodings')
    rows = _read_if_there(path)
    if not rows:
        return _part('decodings', title, 'run "make decodings"')
    table = _as_table([OrderedDict(
        (name, text if name == 'decoding' else format_result(name, text))
        for name, text in row.items()) for row in rows])
    sheet = path.with_suffix('.png')
    return _part('decodings', title, tables=[table], pictures=[
        _embed(sheet)] if sheet.exists() else [], shipped=shipped,
        where=where)


def _everyday(runs):
    title = 'Everyday photos: networks as users see them'
    path, shipped, where = _find_table(runs, 'everyday')
    rows = _read_if_there(path)
    if not rows:
        return _part('everyday', title,
                     'run "make everyday EVERYDAY_TEST=folder"')
    table = _as_table([OrderedDict((name, format_number(text))
                                   for name, text in row.items())
                       for row in rows])
    sheet = path.with_suffix('.jpg')
    return _part('everyday', title, tables=[table], pictures=[
        _embed(sheet)] if sheet.exists() else [], shipped=shipped,
        where=where + '; shares in percent')


def _trainings(runs, scratch):
    """Curves of all trainings in the runs folder."""
    title, pictures = 'Trainings', []
    for log in sorted(runs.glob('*/log.csv')):
        path = Path(scratch) / (log.parent.name + '.png')
        plot_curves(path, [dict(row, variant=log.parent.name)
                           for row in read_csv(log, {'epoch', *PLOTTED})],
                    ['epoch'], ['training_loss', 'validation_loss', 'acc_u',
                                'acc_v'])
        pictures.append(_embed(path))
    return _part('trainings', title, '' if pictures else
                 'run "make train-cvcl"', pictures=pictures,
                 where='log.csv of the run folders in %s' % runs)


def _as_table(rows):
    return {'header': [name.replace('_', ' ') for name in rows[0]]
            if rows else [], 'rows': [list(row.values()) for row in rows]}


def _divide(names, count):
    return [names[start:start + count]
            for start in range(0, len(names), count)]


def _figure(runs, number, scratch):
    name = 'figure%d' % number
    if number not in FIGURES:
        try:
            from ..evaluation.schematics import SCHEMATICS, draw_network
        except TheanoMissing as error:
            return _part(name, 'Figure %d' % number,
                         'it is drawn from the layers of Theano, '
                         + error.why)
        path = Path(scratch) / (name + '.png')
        draw_network(number, path)
        return _part(name, SCHEMATICS[number][1], pictures=[_embed(path)],
                     where="make %s: drawn from the network's layers" % name)
    title = 'Figure %d: %s' % (number, FIGURES[number].title)
    path, shipped = _find(runs, name + '.png', 'docs/%s.jpg' % name,
                          _SHIPPED['figure'] % name)
    if not path.exists():
        return _part(name, title, 'run "make %s%s"' % (
            name, ' ILSVRC=folder' if number == 6 else ''))
    if shipped:
        return _part(name, title, pictures=[_embed(path)], shipped=shipped)
    return _part(name, title, pictures=[_embed(path)],
                 where='make %s: %s' % (name, path))


def _study(runs, results_folder, study, scratch):
    """Table, curves and photos of a study, of each scale that there is."""
    folder, shipped = results_folder, find_resource('experiments') / 'results'
    if not (folder / (study.name + '.csv')).exists():
        folder = shipped
    all_rows = read_results(folder / (study.name + '.csv'))
    if not all_rows:
        return _part(study.name, study.title,
                     'run "make %s"' % study.name, study=asdict(study))
    curves = read_results(folder / (study.name + '_curves.csv'), ())
    tables, pictures, where = [], [], []
    for scale in OrderedDict.fromkeys(row['scale'] for row in all_rows):
        rows = [row for row in all_rows if row['scale'] == scale]
        tables.append(study_table(study, rows))
        plot = Path(scratch) / ('%s_%s.png' % (study.name, scale))
        plot_curves(plot, [row for row in curves if row['scale'] == scale],
                    study.curve, study.plot)
        pictures.append(_embed(plot))
        photos = runs / 'studies' / scale / (study.name + '_photos.png')
        if photos.exists() and folder != shipped:
            pictures.append(_embed(photos))
        where.append('%s (%s; commits %s)' % (
            rows[0].get('command') or '',
            ', '.join(sorted({row.get('date') or '' for row in rows})),
            ', '.join(sorted({commit[:10] for row in rows for commit in
                              (row.get('git_commit') or '').split()}))))
    where += [COLUMNS, 'the finding is that of the results that ship'
              if study.finding and folder != shipped else '']
    return _part(study.name, study.title, tables=tables, pictures=pictures,
                 where='; '.join(filter(None, where)), study=asdict(study),
                 shipped=_SHIPPED['study'] % study.name if folder == shipped
                 else '')


def _embed(path):
    """A picture as a data URL, as JPEG if it is large."""
    picture = Image.fromarray(read_photo(path).pixels)
    if picture.width > MAX_WIDTH:
        picture = picture.resize((MAX_WIDTH, round(
            picture.height * MAX_WIDTH / picture.width)), Image.LANCZOS)
    encoded = {}
    for form, options in (('png', {'optimize': True}),
                          ('jpeg', {'quality': 88})):
        stream = io.BytesIO()
        picture.convert('RGB').save(stream, form, **options)
        encoded[form] = stream.getvalue()
    form = min(encoded, key=lambda form: len(encoded[form]))
    return {'alt': path.stem.replace('_', ' '),
            'source': 'data:image/%s;base64,%s' % (
                form, base64.b64encode(encoded[form]).decode())}
