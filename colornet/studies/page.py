"""docs/studies.rst: what the studies claim and found, with their tables.

``make docs`` writes it, through ``tools/studies_page.py``: from
``experiments/*.ini``, the results that ship and ``page.rst`` beside this
module, so that nothing is written down twice.
"""

import re
import textwrap
from collections import OrderedDict
from pathlib import Path

import jinja2

from ..config import load_config
from ..data.splits import read_split
from ..resources import find_resource
from .results import read_results
from .study import find_studies, load_study, scale_file
from .tables import COLUMNS, study_table

__all__ = ['VERDICTS', 'draw_table', 'make_page']

#: What ``agrees`` may say, and in which words the page counts it.
VERDICTS = OrderedDict([
    ('yes', 'We found what the paper says'),
    ('partly', 'Partly'),
    ('no', 'We found otherwise'),
    ('unclear', 'Unclear'),
    ('', 'The paper tells no outcome')])

_WIDTH = 79


def make_page():
    """Make the page of all studies that ship.

    Returns
    -------
    str
        reStructuredText.

    Raises
    ------
    ColornetError
        If a study or its results cannot be read.
    """
    results = find_resource('experiments') / 'results'
    studies = sorted(map(load_study, find_studies()),
                     key=lambda study: (study.section, study.title))
    rows = OrderedDict(
        (study.name, [row for row in read_results(
            results / (study.name + '.csv')) if row['scale'] == 'quick'])
        for study in studies)
    environment = jinja2.Environment(
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined)
    environment.filters.update(fill=_fill, escape_rst=_escape)
    template = environment.from_string((
        Path(__file__).parent / 'page.rst').read_text(encoding='utf-8'))
    num_photos = max(int(row['photos']) for row in rows['seeds'])
    return template.render(
        studies=studies, verdicts=VERDICTS, columns=COLUMNS,
        scale=load_config(scale_file('quick')), paper=load_config(),
        num_photos=num_photos,
        num_held_out=len(read_split(find_resource(
            'experiments/splits/cvcl_train.txt'))) - num_photos,
        of_training=[study.name for study in studies
                     if study.evaluate == 'train'],
        tables={study.name: draw_table(**study_table(study, rows[study.name]))
                for study in studies if rows[study.name]})


def draw_table(header, rows):
    """Draw a table, the words of its header below each other.

    Parameters
    ----------
    header : list of str
    rows : list of lists of str
        As many cells as the header has; the first ones not empty.

    Returns
    -------
    str
        A simple table of reStructuredText. Numbers stand to the right.
    """
    # A line without a first cell continues the one above, unless indented.
    first = max(len(words) for words in [header[0]] + [row[0] for row in rows])
    words = [[header[0]]] + [name.split() for name in header[1:]]
    widths = [first] + [
        max(map(len, column + [row[number] for row in rows]))
        for number, column in enumerate(words[1:], 1)]
    lines = [[column[depth] if depth < len(column) else ''
              for column in words] for depth in range(max(map(len, words)))]
    rule = ' '.join('=' * width for width in widths)

    def draw(cells, justify):
        cells = [cells[0].ljust(first)] + list(map(justify, cells[1:],
                                                   widths[1:]))
        return ' '.join(cells).rstrip()
    return '\n'.join(
        [rule] + [draw(line, str.ljust) for line in lines] +
        [rule] + [draw(row, str.rjust) for row in rows] + [rule])


def _fill(text, bullet=''):
    """A paragraph, its lines broken between words."""
    return textwrap.fill(
        ' '.join(text.split()), _WIDTH, initial_indent=bullet,
        subsequent_indent=' ' * len(bullet), break_long_words=False,
        break_on_hyphens=False)


def _escape(text):
    """Text whose characters mean nothing to reStructuredText."""
    return re.sub(r'[*`|\\]|(?<=\w)_(?!\w)', r'\\\g<0>', text)
