"""What the Makefile's targets would run."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import SkipTest

from nose.tools import assert_in, assert_not_in, eq_

from colornet.studies.study import find_studies
from tests import tiny


def dry_run(*arguments):
    """The commands of a target, which are not run, as if nothing were made."""
    if not shutil.which('make'):
        raise SkipTest('needs make')
    # Of the make that runs the tests.
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith('MAKE')}
    return subprocess.check_output(
        ['make', '--dry-run', '--always-make', '-C', str(tiny.ROOT)] +
        list(arguments),
        env=environment, universal_newlines=True)


def test_every_experiment_is_a_target():
    for target, words in [
            ('table1', 'colornet table1'), ('table2', 'colornet table2'),
            ('train-cvcl', 'train experiments/cvcl_classification.ini'),
            ('train-mcgill', 'train experiments/mcgill_classification.ini'),
            ('train-ilsvrc', 'train experiments/ilsvrc_classification.ini'),
            ('train-mirflickr',
             'train experiments/mirflickr_classification.ini'),
            ('train-everyday', 'train experiments/everyday.ini'),
            ('train-everyday-gpu',
             'colornet train --engine pytorch --device cuda --bfloat16 '
             'experiments/everyday.ini'),
            ('train-folder', 'train experiments/folder_classification.ini'),
            ('report', 'colornet report'),
            ('serve', "colornet serve --host '127.0.0.1' --port '8000'"),
            ('everyday', "colornet everyday --data 'data/everyday_test'"),
            ('hints', "colornet hints --data 'data/everyday_test'"),
            ('consistency', "colornet consistency --cvcl 'data/cvcl'"),
            ('flicker', "colornet flicker --data 'data/clips'")] + [
                ('figure%d' % number, 'colornet figure %d' % number)
                for number in range(1, 9)]:
        assert_in(words, dry_run(target))
    for target in ('train-cvcl', 'train-best', 'train-folder'):
        lines = dry_run(target, 'ENGINE=pytorch')
        assert_in('colornet train --engine pytorch experiments/', lines)
        assert_in("'.[pytorch]'", lines)
        assert_not_in('--engine', dry_run(target))
    lines = dry_run('adversarial')
    assert_in('colornet train experiments/adversarial.ini', lines)
    assert_not_in("'.[pytorch]'", lines)
    assert_in("--data 'a b'", dry_run('train-folder', 'DATA=a b'))
    assert_in("--data 'a b'", dry_run('everyday', 'EVERYDAY_TEST=a b'))
    assert_in("--data 'a b'", dry_run('train-everyday', 'EVERYDAY=a b'))
    assert_in("--list 'nature'", dry_run('everyday', 'EVERYDAY_LIST=nature'))
    assert_not_in('--list', dry_run('everyday'))
    assert_in("--data 'a b'", dry_run('hints', 'EVERYDAY_TEST=a b'))
    assert_in("--list 'nature'", dry_run('hints', 'EVERYDAY_LIST=nature'))
    assert_in("--everyday 'a b'", dry_run('consistency', 'EVERYDAY_TEST=a b'))
    assert_in("--every '4'", dry_run('consistency', 'EVERY=4'))
    assert_not_in('--every ', dry_run('consistency'))
    assert_not_in('--engine', dry_run('consistency'))
    lines = dry_run('consistency', 'ENGINE=onnx', 'EVERY=4')
    eq_(lines.count('colornet consistency --engine onnx '), 2)
    eq_(lines.count('--every '), 1)
    assert_in('--default --out', lines)
    assert_in("'.[onnx]'", lines)
    assert_in('fetch_clips.py data/clips', dry_run('flicker'))
    assert_in("--data 'a b'", dry_run('flicker', 'CLIPS=a b'))
    assert_not_in('fetch_clips', dry_run('flicker', 'CLIPS=a b'))
    assert_in('--engine onnx', dry_run('flicker', 'ENGINE=onnx'))
    assert_not_in('--engine', dry_run('flicker'))


def told(*arguments, **environment):
    """The line of a target that ends before it installs anything."""
    with tempfile.TemporaryDirectory() as folder:
        for name in 'Makefile', 'experiments', 'tools':
            Path(folder, name).symlink_to(tiny.ROOT / name)
        done = subprocess.run(
            ['make', '-C', folder] + list(arguments), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, universal_newlines=True, env=dict({
                name: value for name, value in os.environ.items()
                if not name.startswith('MAKE')}, **environment))
        eq_(sorted(os.listdir(folder)), ['Makefile', 'experiments', 'tools'])
    eq_(done.returncode, 2)
    line, _ = done.stderr.splitlines()
    return line


def test_folders_are_looked_for_before_anything_is_installed():
    if not shutil.which('make'):
        raise SkipTest('needs make')
    for target, name in (
            ('train-folder', 'DATA'), ('train-everyday', 'EVERYDAY'),
            ('train-mcgill', 'MCGILL'), ('train-ilsvrc', 'ILSVRC'),
            ('train-mirflickr', 'MIRFLICKR'), ('train-best', 'GENERAL'),
            ('everyday', 'EVERYDAY_TEST'), ('hints', 'EVERYDAY_TEST'),
            ('flicker', 'CLIPS'), ('figure6', 'ILSVRC')):
        eq_(told(target, name + "=no'where b"), "colornet: there is no folder "
            "no'where b; give yours as %s=folder" % name)
        eq_(told(target, name + '='), 'colornet: %s is empty; give yours as '
            '%s=folder' % (name, name))
    for target in ('train-cvcl', 'train-cvcl-more', 'adversarial', 'table2',
                   'decodings', 'data-cvcl', 'consistency', 'figure4',
                   'figure5', 'figure7', 'figure8', 'bins'):
        eq_(told(target, 'CVCL=nowhere'), 'colornet: there is no folder '
            'nowhere; give yours as CVCL=folder; "make data-cvcl" fetches '
            'data/cvcl')
    for target in 'figure9', 'table3':
        assert_in('there is no %s; there are figure1 to' % target,
                  told(target))


#: A Python that is none but for what the search asks.
NEWER = '''#!/bin/sh
case $2 in
    *'FIRST, LAST = 8, 11'*) echo Python 3.13; exit 1 ;;
    *FIRST*) echo "$0" ;;
esac
'''


def test_what_trains_without_a_gpu():
    if not shutil.which('make') or shutil.which('nvidia-smi'):
        raise SkipTest('needs make, and no GPU')
    with tempfile.TemporaryDirectory() as folder:
        newer = Path(folder, 'python3.13')
        newer.write_text(NEWER)
        newer.chmod(0o755)
        for python, more in ((sys.executable, ' ENGINE=pytorch' if
                              sys.version_info >= (3, 12) else ''),
                             (str(newer), ' ENGINE=pytorch')):
            eq_(told('train-everyday-gpu', 'PYTHON=' + python),
                'colornet: there is no NVIDIA GPU here (no nvidia-smi); make '
                'train-everyday%s trains on the CPU' % more)


def test_every_study_is_a_target():
    for study in find_studies():
        lines = dry_run(study.stem, 'CVCL=a b', 'SCALE=full')
        assert_in('colornet study %s ' % study.stem, lines)
        assert_in("--data 'a b' --scale full", lines)
    assert_in("--scheduler 'tcp://a:8786'",
              dry_run('bins', 'SCHEDULER=tcp://a:8786'))
    assert_in('colornet study learning-rate learning-rate-whole ',
              dry_run('learning-rate'))


def test_experiments_are_all_of_them_and_a_page():
    text = dry_run('experiments', 'ILSVRC=no such folder')
    assert_not_in('figure 6', text)
    with tempfile.TemporaryDirectory(suffix=" an'd so on") as folder:
        assert_in('colornet figure 6', dry_run('experiments',
                                               'ILSVRC=' + folder))
    for words in ['table1', 'table2', 'decodings', 'study all', 'report'] + [
            'figure %d' % number for number in (1, 2, 3, 4, 5, 7, 8)]:
        assert_in('colornet ' + words, text)


def test_ci_installs_what_tests_need():
    """All extras of setup.py, but for PyTorch's gigabytes."""
    makefile, run, setup = [
        (tiny.ROOT / name).read_text(encoding='utf-8')
        for name in ('Makefile', '.ci/run', 'setup.py')]
    call, = [node for node in ast.walk(ast.parse(setup))
             if isinstance(node, ast.keyword) and
             node.arg == 'extras_require']
    extras = {key.value for key in call.value.keys}
    targets = dict(re.findall(r'^\$\(VENV\)/(\w+): EXTRAS := (\S+)$', makefile,
                              re.MULTILINE))
    made = re.findall(r'^make \.venv/(\w+) \|\| echo', run, re.MULTILINE)
    eq_({name for target in made for name in targets[target].split(',')},
        extras - {'pytorch'})


def test_only_what_builds_without_libraries_is_built():
    assert_in('--only-binary pillow-heif,rawpy', dry_run('.venv/extras'))
