"""README.rst, docs/ and other pages: what they name is there."""

import contextlib
import fnmatch
import importlib.util
import io
import re
from pathlib import Path

from nose.tools import assert_in, eq_, ok_

import colornet
from colornet.cli import main
from tests.test_layering import imported, modules

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'colornet'
README = ROOT / 'README.rst'
DOCS = sorted((ROOT / 'docs').glob('*.rst'))
PAGES = DOCS + [ROOT / (name + '.rst') for name in (
    'README', 'CHANGELOG', 'CONTRIBUTING', 'benchmarks/README',
    'demo/photos/README', 'reliability/README', 'weights/README')]

#: Bytes of the front page.
MAX_README = 11000

#: The study that docs/training.rst writes as an example.
EXAMPLES = {'taps'}


def read(path):
    return path.read_text(encoding='utf-8')


def sources():
    """Files that cite the pages: code, settings, scripts and the pages."""
    files = [ROOT / 'Makefile', ROOT / 'Dockerfile'] + PAGES
    for pattern in ('colornet/**/*.py', 'colornet/**/*.cpp',
                    'experiments/*.ini', 'benchmarks/*.py', 'reliability/*.py',
                    'docker/*.sh'):
        files += sorted(ROOT.glob(pattern))
    return files


def unwrapped(path):
    """The text on one line, without what begins lines of comments."""
    return re.sub(r'\s*\n[ \t]*(#:?|//)?\s*', ' ', read(path))


def links(page):
    """Files that a page links to or shows."""
    text = read(page)
    found = re.findall(r'`[^`<]*<([^`>]+)>`__?', text)
    found += re.findall(r'^ *\.\. (?:image|figure):: +(\S+)', text,
                        re.MULTILINE)
    found += re.findall(r'^ *\.\. _[^:]+: +(\S+)', text, re.MULTILINE)
    return [page.parent / target.partition('#')[0] for target in found
            if '://' not in target]


def literals(page):
    """What is between double backquotes, and indented lines' commands."""
    text = read(page)
    found = [' '.join(words.split()) for words in re.findall(
        r'``(.+?)``', text, re.DOTALL)]
    return found + [re.sub(r'\s#.*', '', line.strip()) for line in re.findall(
        r'^ {4,}\S.*', text, re.MULTILINE)]


def test_the_front_page_is_short():
    size = len(README.read_bytes())
    ok_(size <= MAX_README, 'README.rst has %d bytes' % size)


def test_links_lead_somewhere():
    for page in PAGES:
        for target in links(page):
            ok_(target.exists(), '%s links to %s' % (page, target))
    ok_(len(links(README)) > 20)


def test_all_references_are_links_that_can_be_read():
    for page in PAGES:
        text = re.sub(r'``.+?``', '', read(page), flags=re.DOTALL)
        text = re.sub(r'^ {4,}.*', '', text, flags=re.MULTILINE)
        eq_(text.count('`') % 2, 0, page)
        names = set(re.findall(r'^ *\.\. _([^:]+):', text, re.MULTILINE))
        for name in re.findall(r'(?<!>)`([^`<>]+)`_|\b(\w+)_(?!\w)', text):
            assert_in(name[0] or name[1], names, page)


def test_tables_are_whole():
    """Cells are below their columns, between rules that are the same."""
    num_tables = 0
    for page in PAGES:
        lines, top = read(page).splitlines() + [''], None
        for number, line in enumerate(lines):
            where = '%s:%d: %s' % (page, number + 1, line)
            is_rule = re.match(r'=+( +=+)+$', line)
            if is_rule and top is None:
                top = line
            elif is_rule:
                eq_(line, top, where)
            elif top is not None:
                ok_(all(line[margin:margin + 1].strip() == ''
                        for margin, mark in enumerate(top) if mark == ' '),
                    where)
            if is_rule and top is not None and not lines[number + 1]:
                top, num_tables = None, num_tables + 1
        ok_(top is None, page)
    ok_(num_tables > 10)


def test_everything_in_docs_is_linked():
    front = [target.resolve() for target in links(README)]
    for page in DOCS:
        assert_in(page.resolve(), front)
    shown = [target.resolve() for page in PAGES for target in links(page)]
    for path in (ROOT / 'docs').iterdir():
        assert_in(path.resolve(), shown)


def test_what_is_linked_is_in_a_source_distribution():
    lines = [line.split() for line in read(ROOT / 'MANIFEST.in').splitlines()]
    for page in PAGES:
        for target in links(page) + [page]:
            name = target.resolve().relative_to(ROOT)
            top = name.parent == Path('.')
            ok_(any(fnmatch.fnmatch(name.name, pattern) for line in lines
                    for pattern in line[1 if top else 2:]
                    if line[0] == 'include' and top or
                    Path(line[1]) in name.parents), name)


def test_pages_that_are_cited_exist():
    cited = 0
    for path in sources():
        for name in re.findall(r'[\w./-]*\w\.rst\b', read(path)):
            cited += 1
            ok_((ROOT / name).exists() or (path.parent / name).exists(),
                '%s cites %s' % (path, name))
    ok_(cited > 50)


def test_targets_of_make_exist():
    known = set(re.findall(r'^([a-z0-9-]+):', read(ROOT / 'Makefile'),
                           re.MULTILINE))
    known |= set(re.findall(r'\bfigure\d\b', read(ROOT / 'Makefile')))
    known |= EXAMPLES | {path.stem for path in ROOT.glob('experiments/*.ini')
                         if '[study]' in read(path)}
    named = set()
    for page in PAGES:
        for text in literals(page):
            for words in re.findall(
                    r'\bmake((?: +[A-Z_]+=\S+| +[a-z][a-z0-9-]*(?=\s|$))+)',
                    text):
                named |= {word for word in words.split() if '=' not in word}
    ok_(len(named) > 25, named)
    eq_({name for name in named
         if re.sub('^docker-(?!cpu$)', '', name) not in known}, set())


def test_commands_exist():
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        eq_(main(['--help']), 0)
    known = re.findall(r'^    ([a-z0-9]+)', printed.getvalue(), re.MULTILINE)
    assert_in('colorize', known)
    named = set()
    for page in PAGES:
        for text in literals(page):
            named |= set(re.findall(
                r'(?<!from )\bcolornet ([a-z][a-z0-9]*)(?![\w.:/])', text))
    ok_(len(named) > 8, named)
    eq_(named - set(known), set())


def test_choices_are_numbered_and_those_that_are_cited_exist():
    numbers = [int(number) for number in re.findall(
        r'^(\d+)\. ', read(ROOT / 'docs' / 'choices.rst'), re.MULTILINE)]
    eq_(numbers, list(range(1, len(numbers) + 1)))
    ok_(len(numbers) >= 30)
    cited = [(path, int(number)) for path in sources()
             for words in re.findall(
                 r'\b[Cc]hoices? (\d+(?:(?:, | and | to )\d+)*)',
                 unwrapped(path))
             for number in re.findall(r'\d+', words)]
    ok_(len(cited) > 40)
    for path, number in cited:
        assert_in(number, numbers, path)


def listed_modules():
    """``folder/module.py`` of docs/code.rst, from the bottom up."""
    return [str(Path(folder, name + '.py')) for folder, modules in re.findall(
        r'^``colornet/(\w*)/?``.*\n-+\n((?:(?!``colornet/).*\n)+)',
        read(ROOT / 'docs' / 'code.rst'), re.MULTILINE)
        for name in re.findall(r'^- ``(\w+)``', modules, re.MULTILINE)]


def test_every_module_has_its_place_in_the_list():
    there = [str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob('*.py')]
    # Of the packages' own files, that of the command line has code.
    eq_(sorted(listed_modules()), sorted(
        name for name in there
        if not name.endswith(('__init__.py', '__main__.py')) or
        name == str(Path('cli', '__init__.py'))))


def test_the_list_is_from_the_bottom_up():
    order = [name[:-3].replace('/__init__', '').replace('/', '.')
             for name in listed_modules()]
    for name, tree in modules():
        for other in imported(name, tree):
            if name in order and other in order:
                ok_(order.index(other) <= order.index(name),
                    'docs/code.rst has %s before %s' % (name, other))


def resolves(name, module):
    """Whether a reference in a docstring of a module leads somewhere."""
    if name.startswith('.'):
        name = module.__package__ + name
    root, *parts = name.split('.')
    if not parts:
        # Of the module, or a method of one of its classes.
        return any(hasattr(each, name) for each in [module] + [
            each for each in vars(module).values() if isinstance(each, type)])
    found = importlib.import_module(root)
    for number, part in enumerate(parts, 1):
        with contextlib.suppress(ImportError):
            importlib.import_module('.'.join([root] + parts[:number]))
        found = getattr(found, part, None)
    return found is not None


def test_references_in_docstrings_lead_somewhere():
    count = 0
    for path in sorted(set(PACKAGE.rglob('*.py')) - {
            PACKAGE / '__main__.py'}):
        needs = {'pytorch': 'torch', 'web': 'flask'}.get(path.parent.name)
        if needs and not importlib.util.find_spec(needs):
            continue
        module = importlib.import_module('.'.join(path.relative_to(
            ROOT).with_suffix('').parts).replace('.__init__', ''))
        for name in re.findall(r':(?:func|mod|class|data|meth):`([^`]+)`',
                               read(path)):
            count += 1
            ok_(resolves(name, module), '%s: %s' % (path, name))
    ok_(count > 100)


def test_examples_in_python_import_what_exists():
    page = read(ROOT / 'docs' / 'python.rst')
    lines = re.findall(r'^ {4}(from colornet.*)', page, re.MULTILINE)
    ok_(len(lines) > 5)
    for line in lines:
        exec(line, {})
    for block in re.findall(r'::\n\n((?: {4}.*\n|\n)+)', page):
        compile(re.sub('^ {4}', '', block, flags=re.MULTILINE), 'python.rst',
                'exec')


def test_numbers_on_the_front_page_are_those_of_the_docs():
    text = re.search(r'\nResults\n-+\n(.*)\nDocker\n', read(README),
                     re.DOTALL).group(1)
    known = {number for page in DOCS
             for number in re.findall(r'\d+\.\d+', read(page))}
    numbers = re.findall(r'\d+\.\d+', text)
    ok_(len(numbers) > 30)
    eq_(set(numbers) - known, set())
    results = ' '.join(read(ROOT / 'docs' / 'results.rst').split())
    rows = re.findall(r'^\S.*?  +(\d+\.\d+ +\d+\.\d+ +-?\d+\.\d+)$',
                      text.partition('\nSpeed\n')[0], re.MULTILINE)
    eq_(len(rows), 6)
    for row in rows:
        assert_in(' '.join(row.split()), results)


def test_the_version_to_cite():
    assert_in('\nversion: %s\n' % colornet.__version__,
              read(ROOT / 'CITATION.cff'))
    assert_in(colornet.__version__, read(ROOT / 'CHANGELOG.rst'))
