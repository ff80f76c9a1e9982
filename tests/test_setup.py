"""The search for a Python, and what the Makefile may delete."""
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib import metadata
from unittest import SkipTest

from nose.tools import assert_in, eq_, ok_

ROOT = pathlib.Path(__file__).resolve().parent.parent


class TestFindPython:
    """tools/find-python, on a PATH with nothing but what a test puts there."""

    def setup(self):
        self.folder = tempfile.mkdtemp()
        self.add_program('g++', 'exit 0')
        pathlib.Path(self.folder, 'Python.h').touch()

    def teardown(self):
        shutil.rmtree(self.folder)

    def add_program(self, name, command):
        path = pathlib.Path(self.folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('#!/bin/sh\n%s\n' % command)
        path.chmod(0o755)
        return str(path)

    def add_python(self, name, version, venv=True, headers=True):
        """This Python, taking itself for another; returns its path."""
        facts = ['import sys, sysconfig',
                 'sys.executable = %r' % os.path.join(self.folder, name),
                 'sys.version_info = %r' % (version,),
                 'sys.modules["ensurepip"] = %s' % ('sys' if venv else None),
                 'sysconfig.get_path = lambda name: %r'
                 % (self.folder if headers else '/nonexistent')]
        return self.add_program(name, "exec '%s' -c '%s\n'\"$2\"" % (
            sys.executable, '\n'.join(facts).replace("'", '"')))

    def find(self, *asked):
        """Exit status, output and error output."""
        found = subprocess.run(
            [str(ROOT / 'tools' / 'find-python')] + list(asked),
            env={'PATH': self.folder, 'PYENV_ROOT': self.folder},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            universal_newlines=True)
        return found.returncode, found.stdout, found.stderr

    def refuses(self, message, *asked):
        eq_(self.find(*asked), (1, '', 'colornet: %s\n' % message))

    def test_takes_the_newest_that_has_theano(self):
        self.add_python('python3', (3, 13))
        self.add_python('python3.12', (3, 12))
        self.add_python('python3.8', (3, 8))
        newest = self.add_python('python3.10', (3, 10))
        eq_(self.find(), (0, newest + '\n', ''))

    def test_takes_a_later_one_where_there_is_no_other(self):
        # No compiler is needed, nor are headers.
        os.remove(os.path.join(self.folder, 'g++'))
        note = ('colornet: %s colours photos; training needs PyTorch, or '
                'Python 3.8 to 3.11\n')
        for version in 12, 13, 14:
            name = 'python3.%d' % version
            path = self.add_python(name, (3, version), headers=False)
            eq_(self.find(), (0, path + '\n', note % path))
            eq_(self.find(name), (0, path + '\n', note % path))
        self.add_python('python3.11', (3, 11), headers=False)
        eq_(self.find(), (0, path + '\n', note % path))
        os.remove(path)
        self.add_python('python3.13', (3, 13), venv=False)
        self.add_python('python3.12', (3, 12), venv=False)
        self.refuses('python3.11 is not complete: apt-get install '
                     'python3.11-dev g++')
        os.remove(os.path.join(self.folder, 'python3.11'))
        self.refuses('python3.13 is not complete: apt-get install '
                     'python3.13-venv')

    def test_takes_the_systems_later_one(self):
        path = self.add_python('python3', (3, 13))
        eq_(self.find()[:2], (0, path + '\n'))

    def test_takes_a_complete_one_first(self):
        self.add_python('python3.11', (3, 11), headers=False)
        complete = self.add_python('python3.9', (3, 9))
        eq_(self.find(), (0, complete + '\n', ''))

    def test_passes_over_a_shim_that_fails(self):
        self.add_program('python3.11',
                         'echo "python3.11: not found"; exit 127')
        behind = self.add_python('versions/3.11.7/bin/python3.11', (3, 11))
        eq_(self.find(), (0, behind + '\n', ''))
        eq_(self.find('python3.11'), (0, behind + '\n', ''))

    def test_takes_the_one_asked_for(self):
        self.add_python('python3.11', (3, 11))
        older = self.add_python('python3.8', (3, 8))
        eq_(self.find('python3.8'), (0, older + '\n', ''))
        eq_(self.find(older), (0, older + '\n', ''))

    def test_refuses_other_versions(self):
        self.add_python('python3.11', (3, 11))
        for name, version in (('python2.7', (2, 7)), ('python3.7', (3, 7))):
            self.add_python(name, version)
            self.refuses('PYTHON=%s is Python %d.%d; it must be Python 3.8 '
                         'or newer' % ((name,) + version), name)
        self.refuses('PYTHON=nope is not a Python that runs; it must be '
                     'Python 3.8 or newer', 'nope')

    def test_takes_one_for_pytorch(self):
        self.add_python('python3.9', (3, 9))
        self.refuses('no Python 3.10 or newer found: apt-get install python3 '
                     'python3-venv and, before Python 3.12, python3-dev g++, '
                     'or name one: make PYTHON=/path/to/python', '--pytorch')
        self.refuses('PYTHON=python3.9 is Python 3.9; PyTorch needs Python '
                     '3.10 or newer', '--pytorch', 'python3.9')
        for version in 12, 10:  # With Theano, if there is one.
            name = 'python3.%d' % version
            newer = self.add_python(name, (3, version))
            eq_(self.find('--pytorch'), (0, newer + '\n', ''))
            eq_(self.find('--pytorch', name), (0, newer + '\n', ''))

    def test_takes_one_for_the_benchmarks(self):
        self.add_python('python3.9', (3, 9))
        self.add_python('python3.12', (3, 12))
        self.refuses('no Python 3.10 or 3.11 found: apt-get install python3 '
                     'python3-venv and, before Python 3.12, python3-dev g++, '
                     'or name one: make PYTHON=/path/to/python',
                     '--benchmarks')
        for name in 'python3.9', 'python3.12':
            self.refuses('PYTHON=%s is Python %s; the benchmarks need Python '
                         '3.10 or 3.11' % (name, name[6:]), '--benchmarks',
                         name)
        newer = self.add_python('python3.10', (3, 10))
        eq_(self.find('--benchmarks'), (0, newer + '\n', ''))

    def make(self, *arguments):
        """Standard error of make in a clone with an environment, refused."""
        if not shutil.which('make'):
            raise SkipTest('needs make')
        clone = pathlib.Path(self.folder, 'clone')
        if not clone.exists():
            clone.mkdir()
            for name in 'Makefile', 'setup.py':
                shutil.copy(str(ROOT / name), str(clone / name))
            shutil.copytree(str(ROOT / 'tools'), str(clone / 'tools'))
            (clone / '.venv' / 'bin').mkdir(parents=True)
            (clone / '.venv' / 'installed').write_text(
                'python3.9 python3.9\n')
        done = subprocess.run(
            ['make'] + list(arguments), cwd=str(clone),
            env={'PATH': '%s:%s' % (self.folder, os.environ['PATH'])},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            universal_newlines=True)
        eq_(done.returncode, 2, done)
        ok_((clone / '.venv' / 'installed').exists())
        eq_([path.name for path in (clone / '.venv').glob('*enchmarks')] +
            [path.name for path in (clone / '.venv').glob('pytorch')], [])
        return done.stderr

    def test_make_refuses_it_before_it_replaces_another(self):
        self.add_python('python3.8', (3, 8))
        for target, words in (('benchmark', 'the benchmarks need Python 3.10 '
                               'or 3.11'),
                              ('.venv/pytorch', 'PyTorch needs Python 3.10 '
                               'or newer')):
            eq_(self.make(target, 'PYTHON=python3.8').splitlines()[0],
                'colornet: PYTHON=python3.8 is Python 3.8; ' + words)

    def test_make_refuses_what_is_there(self):
        self.make('no-such-target')
        self.add_python('clone/.venv/bin/python', (3, 9))
        assert_in('colornet: PYTHON=.venv/bin/python is Python 3.9; PyTorch '
                  'needs Python 3.10 or newer', self.make('.venv/pytorch'))

    def test_names_what_is_missing(self):
        self.refuses('no Python 3.8 or newer found: apt-get install python3 '
                     'python3-venv and, before Python 3.12, python3-dev g++, '
                     'or name one: make PYTHON=/path/to/python')
        self.add_python('python3.11', (3, 11), venv=False, headers=False)
        self.refuses('python3.11 is not complete: apt-get install '
                     'python3.11-venv python3.11-dev')
        os.remove(os.path.join(self.folder, 'g++'))
        self.refuses('python3.11 is not complete: apt-get install '
                     'python3.11-venv python3.11-dev g++')
        self.add_python('python3.11', (3, 11))
        self.refuses('no C++ compiler (g++): apt-get install g++')


def test_a_clone_called_colornet_is_not_taken_for_the_package():
    if not list(metadata.distributions(name='colornet',
                                       path=[sysconfig.get_path('purelib')])):
        raise SkipTest('colornet is not installed')
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, 'colornet'))
        subprocess.check_call(
            [sys.executable, '-c', 'from colornet import load_colorizer'],
            cwd=folder)


def test_an_installation_has_all_that_the_package_consists_of():
    if not importlib.util.find_spec('setuptools'):
        raise SkipTest('needs setuptools')
    with tempfile.TemporaryDirectory() as folder:
        clone, built = pathlib.Path(folder, 'clone'), pathlib.Path(folder, 'a')
        shutil.copytree(str(ROOT / 'colornet'), str(clone / 'colornet'),
                        ignore=shutil.ignore_patterns('__pycache__'))
        shutil.copy(str(ROOT / 'setup.py'), str(clone))
        subprocess.check_output(
            [sys.executable, 'setup.py', '--quiet', 'build_py', '--build-lib',
             str(built)], cwd=str(clone), stderr=subprocess.STDOUT)
        eq_(files_in(built), files_in(clone) - {'setup.py'})


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob('*')
            if path.is_file() and '.egg-info' not in str(path)}


def test_clean_keeps_results():
    if not shutil.which('make'):
        raise SkipTest('needs make')
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(str(ROOT / 'Makefile'), folder)
        kept = ['benchmarks/run.py', 'colornet/cli/photos.py',
                'data/cvcl/a.jpg', 'reliability/page.py', 'runs/a/best.h5',
                'tests/test_color.py', 'weights/a.h5']
        for name in kept + ['.venv/installed', '.python/log', 'build/a',
                            'colornet/__pycache__/a.pyc',
                            'colornet/cli/__pycache__/a.pyc',
                            'tests/cli/__pycache__/a.pyc']:
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        subprocess.check_output(['make', '-C', folder, 'clean'])
        eq_(sorted(str(path.relative_to(folder))
                   for path in pathlib.Path(folder).rglob('*')
                   if path.is_file()), ['Makefile'] + kept)
