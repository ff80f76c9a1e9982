"""One page with all tables, curves and pictures that there are (5)."""

import base64
import io
import os
import tempfile
import time
from collections import OrderedDict
from pathlib import Path

import jinja2
from PIL import Image

from . import __version__
from .config import find_resource
from .errors import ColornetError
from .experiment import git_commit
from .files import make_folder, write_text
from .images import read_photo
from .plots import plot_study
from .reports import in_units
from .schematics import SCHEMATICS, draw_network
from .studies import TRAINING_NUMBERS, find_studies, load_study
from .study_runner import read_table

__all__ = ['make_report']

#: Photos wider than this are reduced.
MAX_WIDTH = 1400

#: Figures that show photos, and what the paper shows there.
_FIGURES = OrderedDict([
    (1, 'Input and output'), (4, 'Photos of Open Country'),
    (5, 'Outputs of both networks'), (6, 'Outputs on ImageNet'),
    (7, 'Inconsistent colours'), (8, 'Too little colour')])


def make_report(runs_folder, results_folder, out_file):
    """Make a page of what the other commands have left.

    Parameters
    ----------
    runs_folder : str or Path
        Tables, figures and, in ``studies/<scale>``, the studies' photos.
    results_folder : str or Path
        Results of studies; of those that are not there, the results that
        ship are shown.
    out_file : str or Path
        HTML file; all pictures are part of it.

    Returns
    -------
    list of str
        What is missing.
    """
    runs = Path(runs_folder)
    with tempfile.TemporaryDirectory() as scratch:
        parts = [_table1(runs), _table2(runs)]
        parts += [_figure(runs, number, scratch)
                  for number in sorted(list(SCHEMATICS) + list(_FIGURES))]
        studies = [_study(runs, Path(results_folder), study, scratch)
                   for study in sorted(
                       map(load_study, find_studies()),
                       key=lambda study: (study.section, study.title))]
    parts += studies
    template = jinja2.Environment(autoescape=True, trim_blocks=True).\
        from_string((Path(__file__).parent / 'report.html').read_text(
            encoding='utf-8'))
    make_folder(Path(out_file).parent)
    write_text(out_file, template.render(
        title='colornet: the experiments of the paper',
        date=time.strftime('%Y-%m-%d'), version=__version__,
        commit=git_commit(), parts=parts,
        overview=[part['study'] for part in studies]))
    return ['%s: %s' % (part['title'], part['missing']) for part in parts
            if part['missing']]


def _part(name, title, missing='', tables=(), pictures=(), where='',
          study=None):
    return {'id': name, 'title': title, 'missing': missing, 'where': where,
            'tables': tables, 'pictures': pictures, 'study': study}


def _read_if_there(path):
    return read_table(path) if os.path.exists(str(path)) else []


def _table1(runs):
    title = 'Table 1: photos to train on and to test with'
    rows = _read_if_there(runs / 'table1.csv')
    if not rows:
        return _part('table1', title, 'run "make table1"')
    return _part('table1', title, tables=[{
        'header': [name.replace('_', ' ') for name in rows[0]],
        'rows': [list(row.values()) for row in rows]}],
        where='make table1: %s' % (runs / 'table1.csv'))


def _table2(runs):
    title = "Table 2: the paper's networks, ours, and predictors without one"
    path = runs / 'table2.csv'
    rows = _read_if_there(path)
    if not rows:
        return _part('table2', title, 'run "make table2"')
    names = [name for name in rows[0] if name != 'system']
    tables = []
    for columns in _divide(names, 8):
        tables.append({
            'header': ['system'] + [name.replace('_', ' ')
                                    for name in columns],
            'rows': [[row['system']] + [_short(row[name]) for name in columns]
                     for row in rows if any(row[name] for name in columns)]})
    return _part('table2', title, tables=tables, where=(
        'make table2: %s; shares and saturation differences in percent, the '
        'latter signed, but for the paper\'s' % path))


def _divide(names, count):
    return [names[start:start + count]
            for start in range(0, len(names), count)]


def _short(text):
    """A number to four digits, as text; other text as it is."""
    try:
        value = float(text)
    except ValueError:
        return text
    return ('%d' % value if value == int(value) or abs(value) >= 1e4 else
            '%.4g' % value)


def _figure(runs, number, scratch):
    name = 'figure%d' % number
    if number in SCHEMATICS:
        path = Path(scratch) / (name + '.png')
        draw_network(number, path)
        return _part(name, SCHEMATICS[number][1], pictures=[_embed(path)],
                     where="make %s: drawn from the network's layers" % name)
    title = 'Figure %d: %s' % (number, _FIGURES[number])
    path = runs / (name + '.png')
    if not path.exists():
        return _part(name, title, 'run "make %s"' % name)
    return _part(name, title, pictures=[_embed(path)],
                 where='make %s: %s' % (name, path))


def _study(runs, results_folder, study, scratch):
    """Table, curves and photos of a study."""
    folder = results_folder
    if not (folder / (study.name + '.csv')).exists():
        try:
            folder = find_resource('experiments/results')
        except ColornetError:
            pass
    rows = _read_if_there(folder / (study.name + '.csv'))
    if not rows:
        return _part(study.name, study.title,
                     'run "make %s"' % study.name, study=study._asdict())
    columns = [name for name in study.columns if name in rows[0]]
    table = {'header': ['variant'] + [name.replace('_', ' ')
                                      for name in columns],
             'rows': [[row['variant']] + (
                 [_cell(name, row[name]) for name in columns]
                 if row['status'] == 'done' else [row['status']] +
                 [''] * (len(columns) - 1)) for row in rows]}
    plot = Path(scratch) / (study.name + '.png')
    plot_study(plot, study, _read_if_there(
        folder / (study.name + '_curves.csv')))
    pictures = [_embed(plot)]
    scale = rows[0]['scale']
    photos = runs / 'studies' / scale / (study.name + '_photos.png')
    if photos.exists():
        pictures.append(_embed(photos))
    size = {row['size'] for row in rows if row.get('size')}
    where = '%s: scale %s, images of %s pixels a side, %s, commit %s' % (
        rows[0]['command'], scale, ', '.join(sorted(size)), rows[0]['date'],
        rows[0]['git_commit'][:10])
    return _part(study.name, study.title, tables=[table], pictures=pictures,
                 where=where, study=study._asdict())


def _cell(name, text):
    if not text or name in TRAINING_NUMBERS:
        return _short(text)
    return '%.4g' % in_units(name, float(text))


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
