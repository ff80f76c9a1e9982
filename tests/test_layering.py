"""Imports go in one direction, and only engine/backend.py imports Theano."""
import ast
import pathlib
import subprocess
import sys

from nose.tools import eq_

import colornet

#: From the lowest: a module imports from wings (sub-packages and modules)
#: before its own, and from its own wing without circles.
WINGS = ['errors', 'files', 'terminal', 'resources', 'luv', 'color',
         'scaling', 'further_metrics', 'metrics', 'engine', 'formats',
         'refinement', 'photos', 'flow', 'video', 'data', 'schema', 'config',
         'network', 'training', 'pytorch', 'prediction', 'api', 'evaluation',
         'studies', 'selftest', 'web', 'cli', '__main__']

#: These are quick to import: no Theano, not even through another module.
THEANO_FREE = ['errors', 'files', 'terminal', 'resources', 'luv', 'color',
               'scaling', 'further_metrics', 'metrics', 'schema', 'config',
               'formats', 'refinement', 'photos', 'flow', 'video', 'data',
               'engine.available', 'engine.switches', 'network.balance',
               'network.inputs', 'network.parameters', 'network.stored',
               'network.vgg16_weights', 'prediction.engines',
               'prediction.layer_by_layer', 'prediction.onnx',
               'prediction.onnx_cache', 'prediction.onnx_external',
               'prediction.onnx_graph', 'prediction.onnx_runtime',
               'training.adversarial', 'training.history', 'training.learner',
               'training.provenance', 'training.run', 'training.run_folder',
               'training.schedules', 'training.start', 'training.trainer',
               'evaluation.baselines', 'evaluation.columns',
               'evaluation.predictions', 'evaluation.sheets',
               'evaluation.sources', 'evaluation.table1', 'studies.study',
               'web.line', 'web.model', 'web.names', 'web.openapi',
               'web.options', 'web.server', 'web.shelf', 'cli']

PACKAGE = pathlib.Path(colornet.__file__).parent
BENCHMARKS = PACKAGE.parent / 'benchmarks'


def parse(path):
    return ast.parse(path.read_text(encoding='utf-8'), str(path))


def modules():
    """Name, such as ``data.datasets``, and syntax tree of each module.

    ``colornet/__init__.py`` is left out; that of a wing has the wing's name.
    """
    for path in sorted(PACKAGE.rglob('*.py')):
        parts = path.relative_to(PACKAGE).with_suffix('').parts
        if parts[-1] == '__init__':
            parts = parts[:-1]
        if parts:
            yield '.'.join(parts), parse(path)


def is_module(name, root=PACKAGE):
    path = root.joinpath(*name.split('.'))
    return path.is_dir() or path.with_suffix('.py').exists()


def imported(name, tree, root=PACKAGE):
    """Modules of ours that a module imports, also within functions."""
    package = name.split('.') if root.joinpath(
        *name.split('.')).is_dir() else name.split('.')[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            start = package[:len(package) - node.level + 1]
            start += node.module.split('.') if node.module else []
            for alias in node.names:
                full = '.'.join(start + [alias.name])
                yield full if is_module(full, root) else '.'.join(start)


def circles(arrows):
    """Names that no order would help: each imports another of them."""
    left = {name: set(targets) - {name} for name, targets in arrows.items()}
    while True:
        free = {name for name, targets in left.items() if not targets & set(
            left)}
        if not free:
            return sorted(left)
        for name in free:
            del left[name]


def check_direction(name, tree):
    wing = name.split('.')[0]
    assert wing in WINGS, 'give colornet/%s its place in WINGS' % wing
    for other in imported(name, tree):
        if other:  # '' is for __version__
            assert WINGS.index(other.split('.')[0]) <= WINGS.index(wing), (
                '%s imports %s, from a wing above its own' % (name, other))


def check_style(name, tree):
    for node in ast.walk(tree):
        names = ([alias.name for alias in node.names]
                 if isinstance(node, ast.Import) else
                 [node.module] if isinstance(node, ast.ImportFrom) and
                 not node.level else [])
        for other in names:
            other = other.split('.')[0]
            assert other != 'colornet', (
                '%s imports colornet; write it relative' % name)
            assert name == 'engine.backend' or other not in (
                'theano', 'lasagne'), (
                '%s imports %s; import it from engine.backend, which sets it '
                'up' % (name, other))
    stars = [node.lineno for node in ast.walk(tree)
             if isinstance(node, ast.ImportFrom) and node.names[0].name == '*']
    eq_(stars, [], '%s: import * in lines %s' % (name, stars))


def test_modules():
    for name, tree in modules():
        yield check_direction, name, tree
        yield check_style, name, tree


def test_every_wing_is_there():
    eq_(sorted(WINGS), sorted({name.split('.')[0] for name, _ in modules()}))


def test_no_circles():
    eq_(circles({name: imported(name, tree) for name, tree in modules()}), [])


def test_no_circles_in_what_measures():
    arrows = {}
    for path in [*BENCHMARKS.glob('*.py'),
                 *(PACKAGE.parent / 'reliability').glob('*.py')]:
        arrows[path.stem] = {
            name for node in ast.walk(parse(path))
            if isinstance(node, ast.ImportFrom) and node.level
            for name in ([node.module] if node.module else
                         [alias.name for alias in node.names])}
    eq_(circles(arrows), [])


def test_circles():
    eq_(circles({'a': ['b'], 'b': ['c', 'd'], 'c': ['b'], 'd': []}),
        ['a', 'b', 'c'])
    eq_(circles({'a': ['b'], 'b': ['c', 'd'], 'c': ['d'], 'd': []}), [])


def test_wings_are_small():
    for folder in [PACKAGE] + [path for path in PACKAGE.iterdir()
                               if (path / '__init__.py').exists()]:
        files = [path for path in folder.iterdir() if path.is_file()]
        assert len(files) <= 16, '%s has %d files' % (folder, len(files))


def test_modules_are_short():
    for root in PACKAGE, BENCHMARKS, PACKAGE.parent / 'tests':
        for path in root.rglob('*.py'):
            lines = len(path.read_text(encoding='utf-8').splitlines())
            assert lines <= 430, '%s has %d lines' % (path, lines)


def modules_after(*names):
    """What is in ``sys.modules`` of a new Python after imports."""
    code = 'import sys, %s; print(*sys.modules)' % ', '.join(names)
    return subprocess.check_output(
        [sys.executable, '-c', code], cwd=str(PACKAGE.parent),
        universal_newlines=True).split()


def test_package_imports_nothing_heavy():
    for name in 'colornet', 'colornet.cli.program':
        loaded = modules_after(name)
        for heavy in ('numpy', 'theano', 'torch', 'h5py', 'PIL'):
            assert heavy not in loaded, (name, heavy)


def test_modules_without_theano():
    quick = [name for name, _ in modules()
             if name in THEANO_FREE or name.split('.')[0] in THEANO_FREE]
    assert set(THEANO_FREE) <= {part for name in quick
                                for part in (name, name.split('.')[0])}
    loaded = modules_after(*('colornet.' + name for name in quick))
    for name in ('theano', 'lasagne', 'torch', 'colornet.engine.backend'):
        assert name not in loaded, name
