"""docs/paper.rst: the code, tests, choices and words that it names exist."""

import ast
import importlib
import inspect
import re
from collections import OrderedDict
from pathlib import Path

from nose.tools import eq_

from colornet.config import SCHEMA
from colornet.studies.study import find_studies, load_study
from tests import tiny

ROOT = Path(__file__).resolve().parent.parent

#: The paper's, in its order, and the page's own.
SECTIONS = [
    '3 Approach', '3.1 General pipeline', '3.2 Transfer learning',
    '3.3 Activation function', '3.4 Batch normalization',
    '3.5 Baseline regression model', '3.6 Final classification model',
    '4 Dataset', '5.1 Evaluation metrics',
    '5.2 Experiment setup and alternative structures',
    '5.3 Results and discussion', '6 Conclusion and future work',
    'Words to search the code for']

#: How a row says what the study of its sentence found: its ``agrees``.
VERDICTS = {'yes': 'yes', 'partly': 'partly', 'no': 'otherwise',
            'unclear': 'unclear', '': 'no outcome told'}

#: What a row without code begins with.
NOT_THERE = 'Not built', 'Not run'


def read_docs(name):
    return (ROOT / 'docs' / name).read_text(encoding='utf-8')


def read_tables():
    """Rows of the table of each section, without the header.

    Returns
    -------
    OrderedDict of str to list of list of str
        A cell's lines are joined.
    """
    parts = re.split(r'^(.+)\n-+\n', read_docs('paper.rst'),
                     flags=re.MULTILINE)
    tables = OrderedDict()
    for title, content in zip(parts[1::2], parts[2::2]):
        rows = re.findall(r'^   \* - (.*?)(?=^   \* - |^\S|\Z)', content,
                          re.MULTILINE | re.DOTALL)
        tables[title] = [[' '.join(cell.split()) for cell in re.split(
            r'^     -(?= |$)', row, flags=re.MULTILINE)] for row in rows[1:]]
    return tables


def read_rows():
    """Rows of the paper's sections."""
    return [row for title, rows in read_tables().items()
            if title != SECTIONS[-1] for row in rows]


def literals(text):
    return re.findall(r'``([^`]+)``', text)


def pick(pattern, text):
    """What matches of the page's literals, each once."""
    return sorted({literal for literal in literals(text)
                   if re.match('(?:%s)$' % pattern, literal)})


NAME = r'colornet(\.\w+)+'
DEFINED = r'tests/[\w/]+\.py:[\w.]+'
SETTING = r'(%s)\.\w+' % '|'.join(SCHEMA)
FILE = r'[\w-]+(/[\w.-]+)+|Dockerfile|Makefile'


def check_none(wrong):
    assert not wrong, 'in docs/paper.rst:\n' + '\n'.join(wrong)


def module_of(name):
    """The module of a dotted name, or the one that it names itself."""
    module = name
    while True:
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError:
            module = module.rpartition('.')[0]


def find(name):
    """The module, function, class, method or constant of a dotted name."""
    found = module_of(name)
    for attribute in name[len(found.__name__):].split('.')[1:]:
        found = getattr(found, attribute)
    return found


def source_of(name):
    """Source of what a dotted name names; of a constant, its module's."""
    found = find(name)
    if not (inspect.isclass(found) or inspect.isroutine(found)
            or inspect.ismodule(found)):
        found = find(name.rpartition('.')[0])
    return ' '.join(inspect.getsource(found).replace('#', ' ').split()).lower()


def functions_in(path):
    """``function`` and ``Class.method`` of all that a file defines."""
    names = set()
    for node in ast.parse(path.read_text(encoding='utf-8')).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names.update('%s.%s' % (node.name, method.name)
                         for method in node.body
                         if isinstance(method, ast.FunctionDef))
    return names


def test_all_sections_are_there():
    tables = read_tables()
    eq_(list(tables), SECTIONS)
    check_none(['%s: a row of %d cells: %s' % (title, len(row), row[0])
                for title, rows in tables.items() for row in rows
                if len(row) != (2 if title == SECTIONS[-1] else 4)])
    check_none([title + ': no rows' for title in tables if not tables[title]])


def test_every_name_is_there():
    tiny.need_theano()
    wrong = []
    for name in pick(NAME, read_docs('paper.rst')):
        try:
            find(name)
        except (ImportError, AttributeError, ValueError) as error:
            wrong.append('%s: %s' % (name, error))
    check_none(wrong)


def test_every_test_is_there():
    wrong = []
    for literal in pick(DEFINED, read_docs('paper.rst')):
        path, name = literal.split(':')
        if not (ROOT / path).is_file():
            wrong.append('%s: no such file' % literal)
        elif name not in functions_in(ROOT / path):
            wrong.append('%s: it does not define that' % literal)
    check_none(wrong)


def test_every_setting_and_file_is_there():
    text = read_docs('paper.rst')
    wrong = [name for name in pick(SETTING, text)
             if name.split('.')[1] not in SCHEMA[name.split('.')[0]]]
    wrong += [name for name in pick(FILE, text) if not (ROOT / name).exists()]
    wrong += [name for name in set(re.findall(r'<([^<>#]+\.rst)', text))
              if not (ROOT / 'docs' / name).exists()]
    check_none(wrong)


def test_every_choice_is_there():
    known = re.findall(r'^(\d+)\. ', read_docs('choices.rst'), re.MULTILINE)
    wrong = []
    for row in read_rows():
        numbers = re.match(r'(\d+(?:, \d+)*)(?:; |$)|(?!\d)', row[-1])
        if numbers is None or not set(re.findall(
                r'\d+', numbers.group(1) or '')) <= set(known):
            wrong.append('%s: %s' % (row[-1], row[0]))
    check_none(wrong)


def test_verdicts_are_those_of_the_studies():
    wrong, judged = [], set()
    for sentence, code, _, choice in read_rows():
        for verdict, name, target in re.findall(
                r'([\w ]*):? `([\w-]+) <studies\.rst#([\w-]+)>`_', choice):
            verdict = verdict.strip()
            if name != target or 'experiments/%s.ini' % name not in code:
                wrong.append('%s is not the study of: %s' % (name, sentence))
            elif verdict == VERDICTS[load_study(name).agrees]:
                judged.add(name)
            elif verdict != 'see':
                wrong.append('%s is not what %s found: %s'
                             % (verdict, name, sentence))
        if choice.count('studies.rst') != choice.count('<studies.rst#'):
            wrong.append('no study is named: ' + sentence)
    check_none(wrong)
    eq_(judged, {path.stem for path in find_studies()
                 if load_study(path).section != 'not in the paper'})


def test_sections_are_found_by_the_grep_that_the_page_tells():
    wrong = []
    for title, rows in read_tables().items():
        number = title.split()[0]
        if not re.match(r'4|\d\.\d', number):
            continue
        tag = r'paper, 4' if number == '4' else r'\b%s\b' % re.escape(number)
        for sentence, code, _, _ in rows:
            modules = {module_of(name) for name in pick(NAME, code)}
            if modules and not any(re.search(tag, inspect.getsource(module))
                                   for module in modules):
                wrong.append('no code names %s: %s' % (number, sentence))
    check_none(wrong)


def test_every_row_has_code_and_a_test():
    wrong = []
    for sentence, code, held_by, _ in read_rows():
        if code.startswith(NOT_THERE):
            continue
        if not pick('|'.join((NAME, SETTING, FILE)), code):
            wrong.append('no code: ' + sentence)
        if not pick(DEFINED, held_by):
            wrong.append('no test: ' + sentence)
        # Nothing that is checked nowhere, such as a misspelt path.
        wrong += ['not known: ' + literal for literal in
                  literals(code + held_by) if not re.match('(%s)$' % '|'.join(
                      (NAME, DEFINED, SETTING, FILE)), literal)]
    check_none(wrong)


def test_words_are_found_where_the_page_says():
    tiny.need_theano()
    wrong = []
    for word, where in read_tables()[SECTIONS[-1]]:
        for name in pick(NAME, where):
            try:
                if word.lower() not in source_of(name):
                    wrong.append('%s: not in %s' % (word, name))
            except (ImportError, AttributeError, ValueError) as error:
                wrong.append('%s: %s: %s' % (word, name, error))
    check_none(wrong)
