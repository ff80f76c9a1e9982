"""Imports go in one direction, and only backend.py imports Theano."""
import ast
import pathlib
import subprocess
import sys

from nose.tools import assert_in, eq_

import colornet

# From the lowest: a module imports only from rows above its own.
LAYERS = [
    ['errors', 'theano_mends'],
    ['backend', 'color', 'files', 'images', 'progress', 'signals'],
    ['jobs'],
    ['native'],
    ['engines', 'kernels'],
    ['convolutions', 'speedups', 'upscaled'],
    ['config', 'datasets', 'decoding', 'encoding', 'image_cache', 'layers',
     'metrics', 'minibatches', 'objectives', 'scaling', 'schedules',
     'vgg16_weights'],
    ['download', 'floors', 'folders', 'plots', 'sheets', 'vgg16'],
    ['checkpoint', 'colorize', 'function_cache', 'networks', 'studies'],
    ['predict', 'trainer', 'training'],
    ['experiment'],
    ['reports'],
    ['decoding_study', 'everyday', 'figures', 'schematics', 'study_results',
     'table1', 'table2'],
    ['report_page', 'selftest', 'study_runner'],
    ['cli'],
    ['__main__'],
]
LAYER_OF = {name: layer for layer, names in enumerate(LAYERS)
            for name in names}

# These are quick to import: no Theano, not even through another module.
THEANO_FREE = ['errors', 'color', 'config', 'images', 'datasets', 'encoding',
               'metrics', 'floors', 'image_cache', 'minibatches', 'download',
               'folders', 'scaling', 'sheets', 'colorize', 'jobs', 'studies',
               'checkpoint', 'experiment', 'schedules', 'trainer',
               'vgg16_weights']

PACKAGE = pathlib.Path(colornet.__file__).parent


def parsed_modules():
    """Name and syntax tree of each module but ``__init__``."""
    for path in sorted(PACKAGE.rglob('*.py')):
        name = '.'.join(path.relative_to(PACKAGE).with_suffix('').parts)
        if name != '__init__':
            yield name, ast.parse(path.read_text(encoding='utf-8'), str(path))


def imported_names(tree):
    """Every import of a module, written ``package.module`` or ``.module``.

    ``from . import x`` gives ``.x``; imports inside functions count too.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            dots = '.' * node.level
            if node.module:
                yield dots + node.module
            else:
                for alias in node.names:
                    yield dots + alias.name


def check_layers(name, tree):
    assert_in(name, LAYER_OF, 'give colornet/%s.py a layer' % name)
    for imported in imported_names(tree):
        if imported == '.__version__' or not imported.startswith('.'):
            continue
        other = imported[1:]
        assert_in(other, LAYER_OF, '%s imports %s' % (name, imported))
        assert LAYER_OF[other] < LAYER_OF[name], (
            '%s (layer %d) imports %s (layer %d)'
            % (name, LAYER_OF[name], other, LAYER_OF[other]))


def check_style(name, tree):
    for imported in imported_names(tree):
        assert imported.split('.')[0] != 'colornet', (
            '%s imports %s; write it relative' % (name, imported))
        if name != 'backend':
            assert imported.split('.')[0] not in ('theano', 'lasagne'), (
                '%s imports %s; import it from .backend, which sets it up'
                % (name, imported))
    stars = [node.lineno for node in ast.walk(tree)
             if isinstance(node, ast.ImportFrom) and node.names[0].name == '*']
    eq_(stars, [], '%s: import * in lines %s' % (name, stars))


def test_modules():
    for name, tree in parsed_modules():
        yield check_layers, name, tree
        yield check_style, name, tree


def modules_after(statement):
    """What is in ``sys.modules`` of a new Python after a statement."""
    code = 'import sys; %s; print(*sys.modules)' % statement
    return subprocess.check_output(
        [sys.executable, '-c', code], cwd=str(PACKAGE.parent),
        universal_newlines=True).split()


def test_package_imports_nothing_heavy():
    loaded = modules_after('import colornet')
    for name in ('numpy', 'theano', 'h5py'):
        assert name not in loaded, name


def test_modules_without_theano():
    loaded = modules_after('from colornet import ' + ', '.join(THEANO_FREE))
    for name in ('theano', 'lasagne', 'colornet.backend'):
        assert name not in loaded, name
