"""What the Makefile's targets would run."""

import ast
import os
import re
import shutil
import subprocess
import tempfile
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
