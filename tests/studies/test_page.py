"""docs/studies.rst follows from the studies and their results."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from nose.tools import assert_in, assert_not_in, eq_, ok_

from colornet.files import read_csv
from colornet.studies import page
from colornet.studies.page import VERDICTS, draw_table, make_page
from colornet.studies.study import find_studies, load_study
from tests import tiny

PAGE = tiny.ROOT / 'docs' / 'studies.rst'
RESULTS = tiny.ROOT / 'experiments' / 'results'
STUDIES = [load_study(path) for path in find_studies()]


def test_the_page_in_docs_is_what_make_docs_writes():
    eq_(PAGE.read_bytes(), make_page().encode('utf-8'), 'run "make docs"')


def make_docs(path):
    """Of the script that ``make docs`` runs, what it says and its status."""
    done = subprocess.run(
        [sys.executable, str(tiny.ROOT / 'tools' / 'studies_page.py'),
         str(path)], stderr=subprocess.PIPE, universal_newlines=True,
        env=dict(os.environ, PYTHONPATH=str(tiny.ROOT)))
    return done.stderr, done.returncode


def test_make_docs_writes_the_page_or_one_line():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'studies.rst'
        eq_(make_docs(path), ('', 0))
        eq_(path.read_bytes(), PAGE.read_bytes())
        said, status = make_docs(folder)
    eq_((len(said.splitlines()), status), (1, 2), said)
    assert_in(folder, said)


def sections():
    """Text below each study's title, its lines joined."""
    found = {}
    for part in re.split(r'\n\.\. _(?=[\w-]+:\n)', PAGE.read_text())[1:]:
        name, _, text = part.partition(':\n')
        lines = text.split('\n')
        eq_(lines[2], '-' * len(lines[1]))
        found[name] = lines[1], ' '.join(text.split())
    return found


def test_every_study_has_a_section_with_all_that_it_says():
    found = sections()
    eq_(sorted(found), sorted(study.name for study in STUDIES))
    for study in STUDIES:
        title, text = found[study.name]
        eq_(title, study.title)
        assert_in('*Here*: %s *Agrees*: %s. *Made by* ``make %s CVCL=folder``'
                  % (study.finding, study.agrees or 'n/a', study.name), text)
        if study.section != 'not in the paper':
            assert_in('*The paper* (%s): %s *Here*' % (
                study.section, study.claim), text)


def table_of(name):
    """Cells of the table in a study's section, as reStructuredText has it."""
    part = PAGE.read_text().split('\n.. _%s:\n' % name)[1]
    lines = re.search(r'\n(=+( =+)*\n(.+\n)+?=[= ]+\n(.+\n)+?=[= ]+)\n',
                      part).group(1).split('\n')
    rule = lines[0]
    eq_([line for line in lines if line.startswith('=')], [rule] * 3)
    spans = [match.span() for match in re.finditer('=+', rule)]
    for line in lines:
        # What is between columns would be part of none.
        ok_(all(line[end:end + 1] in ('', ' ') for _, end in spans), line)
    body = lines.index(rule, 1)

    def cells(line):
        return [line[start:end].strip() for start, end in spans]
    header = [' '.join(filter(None, words)) for words in
              zip(*map(cells, lines[1:body]))]
    # An indented line would begin a list of definitions.
    for line in lines[1:body]:
        ok_(all(line[start:end] == line[start:end].lstrip() or
                not line[start:end].strip() for start, end in spans), line)
    return header, [cells(line) for line in lines[body + 1:-1]]


def test_tables_have_the_numbers_of_the_results():
    for study in STUDIES:
        header, rows = table_of(study.name)
        eq_(header, ['variant (quick)'] + [
            name.replace('_', ' ') for name in study.columns])
        results = read_csv(RESULTS / (study.name + '.csv'))
        eq_([row[0] for row in rows], [row['variant'] for row in results])
        for cells, row in zip(rows, results):
            for cell, name in zip(cells[1:], study.columns):
                ratio = float(cell) / float(row[name])
                ok_(min(abs(ratio - 1), abs(ratio / 100 - 1)) < 6e-4,
                    (study.name, name, cell))


def test_the_summary_counts_every_study_once():
    text = ' '.join(PAGE.read_text().split('In short\n')[1].split(
        '\n.. _')[0].split())
    for verdict, words in VERDICTS.items():
        names = [study.name for study in STUDIES if study.agrees == verdict]
        start = text.index('- %s (%d)' % (words, len(names)))
        listed = re.findall(r'`([\w-]+)`_', re.split(
            r' - (?=[A-Z])', text[start + 2:])[0])
        eq_(sorted(listed), sorted(names))
    eq_(set(VERDICTS), {'yes', 'no', 'partly', 'unclear', ''})


def test_the_introduction_says_what_was_trained():
    text = ' '.join(PAGE.read_text().split('In short\n')[0].split())
    rows = {study.name: read_csv(RESULTS / (study.name + '.csv'))
            for study in STUDIES}
    usual = rows['seeds'][0]
    for words in ('%d studies' % len(STUDIES),
                  '%s x %s pixels and %s epochs' % (
                      usual['size'], usual['size'], usual['epochs']),
                  '%s are trained on and %d held out' % (
                      usual['photos'],
                      len(tiny.cvcl_names('train')) - int(usual['photos'])),
                  "the paper's photos have 224 x 224"):
        assert_in(words, text)
    holding_out_none = text.split('to score the networks; ')[1].split(
        ' hold out none')[0]
    eq_(sorted(re.findall('``(.+?)``', holding_out_none)),
        sorted(study.name for study in STUDIES
               if study.evaluate == 'train'))


def test_a_table():
    eq_(draw_table(['variant', 'acc u', 'training loss'],
                   [['a', '1.5', '22'], ['long one', '-10', '']]),
        '======== === ========\n'
        'variant  acc training\n'
        '         u   loss\n'
        '======== === ========\n'
        'a        1.5       22\n'
        'long one -10\n'
        '======== === ========')


def test_a_study_that_was_not_run_and_has_marks_in_its_words():
    study = load_study('seeds')
    fresh = SimpleNamespace(
        name='fresh', title='Of *stars*', section='3.4', finding='',
        agrees='', claim='A | or a ` or an end_ but acc_u',
        evaluate='validation', columns=['psnr'])
    with mock.patch.object(page, 'find_studies', lambda: [study, fresh]), \
            mock.patch.object(page, 'load_study', lambda found: found):
        text = make_page()
    part = text.split('.. _fresh:\n')[1].split('\n.. _')[0]
    assert_in('\nOf \\*stars\\*\n------------\n', part)
    assert_in(r'*The paper* (3.4): A \| or a \` or an end\_ but acc_u', part)
    assert_in('*Here*: not judged yet.\n\n*Agrees*: n/a. *Made by* '
              '``make fresh CVCL=folder``.\n', part)
    assert_not_in('===', part)
    assert_in('===', text.split('.. _seeds:\n')[1])
