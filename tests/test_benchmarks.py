"""The benchmarks: counts, comparisons, tables; the rest needs PyTorch."""

import contextlib
import importlib.util
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_in, assert_raises, eq_, ok_

from benchmarks import NETWORK, run, sizes
from benchmarks.children import ROOT, Child, Children, last_line
from benchmarks.engines import (COLORNET, COLORNET_BFLOAT16, ONNX, PYTORCH,
                                collect_results, environment, repeat_photos)
from benchmarks.report import read_rows
from benchmarks.tables import format_table
from colornet.engine.switches import SPEEDUPS
from colornet.network.networks import (build_classification_network,
                                       build_regression_network)
from colornet.network.stored import load_stored
from colornet.resources import find_resource
from tests import tiny

#: Multiply-adds for each pixel of VGG16's convolutions, at their own size.
VGG16 = (9 * (3 * 64 + 64 * 64), 9 * (64 * 128 + 128 * 128),
         9 * (128 * 256 + 2 * 256 * 256), 9 * (256 * 512 + 2 * 512 * 512))


def count_vgg16(size):
    return sum(count * (size // 2 ** block) ** 2
               for block, count in enumerate(VGG16))


def count_multiply_adds(net):
    from benchmarks.problem import count_multiply_adds
    return count_multiply_adds(net)


def test_count_of_the_papers_network():
    # R4; the two units; the tail on the concatenated maps; the two outputs.
    decoder = (512 * 256 * 28 ** 2 + 9 * 256 * 128 * 56 ** 2 +
               9 * 128 * 64 * 112 ** 2 +
               9 * (512 * 256 + 256 * 64 + 64 * 64) * 224 ** 2 +
               2 * 64 * 50 * 224 ** 2)
    for fast_stack in (True, False):
        counts = count_multiply_adds(
            build_classification_network(fast_stack=fast_stack))
        eq_(counts['predict'], count_vgg16(224) + decoder)
        # Shift and scale of the maps below train: both gradients, always.
        eq_(counts['train'], count_vgg16(224) + 3 * decoder)


def test_count_of_gradients():
    r4 = 512 * 256 * 4
    decoder = r4 + 9 * (256 * 128 * 16 + 128 * 64 * 64 + 64 * 2 * 256)
    shape = (None, 3, 16, 16)
    # Nothing below R4 is trained: no gradient of its input.
    counts = count_multiply_adds(build_regression_network(
        batch_norm_taps=False, image_shape=shape))
    eq_(counts['predict'], count_vgg16(16) + decoder)
    eq_(counts['train'], count_vgg16(16) + 3 * decoder - r4)
    # All is trained, but the photo has no gradient.
    counts = count_multiply_adds(build_regression_network(
        fine_tune=True, image_shape=shape))
    eq_(counts['train'], 3 * (count_vgg16(16) + decoder) - 9 * 3 * 64 * 256)


def test_table():
    eq_(format_table(('work', 's/image'), [('train', '1.25'), ('a b', '10')]),
        '===== =======\n'
        'work  s/image\n'
        '===== =======\n'
        'train    1.25\n'
        'a b        10\n'
        '===== =======')


def test_numbers_stay_right_beside_a_dash():
    table = format_table(('work', 'times faster'), [('a', '-'), ('b', '1')])
    eq_(table.split('\n')[3], 'a               -')


def test_missing_packages_are_told_before_anything_runs():
    tiny.check_error(lambda: run.check_packages('os', 'no_such_package'),
                     'no_such_package', 'make benchmark')
    run.check_packages('os', 'numpy')


def test_last_line():
    eq_(last_line('Traceback\n  x\nValueError: y  \n\n'), 'ValueError: y')
    eq_(last_line(' \n'), '')


def test_photos_fill_a_minibatch():
    eq_(repeat_photos(np.arange(3), 7).tolist(), [0, 1, 2, 0, 1, 2, 0])
    eq_(repeat_photos(np.arange(3), 2).tolist(), [0, 1])


def test_environment():
    eq_(environment('colornet, no oneDNN', 3)['COLORNET_WITHOUT'], 'onednn')
    # Whatever the user has set.
    with mock.patch.dict(os.environ, COLORNET_WITHOUT='stack'):
        eq_(environment('colornet', 3)['COLORNET_WITHOUT'], '')
    eq_(environment('pytorch', 3)['OMP_NUM_THREADS'], '3')


def test_speedups_left_out_exist():
    for names in COLORNET.values():
        for name in names:
            assert_in(name, SPEEDUPS)
    # A new one is left out of the obvious graph, too.
    eq_(COLORNET['colornet, obvious graph'], list(SPEEDUPS))


def test_engine_that_dies_is_named_with_its_last_line():
    tiny.check_error(lambda: Child('colornet', '/nowhere.npz', 1, 1),
                     'colornet: FileNotFoundError', '/nowhere.npz')
    deaths = []
    with Children('/nowhere.npz', 1, 1,
                  lambda *death: deaths.append(death)) as group:
        ok_(not group.start('colornet, direct'))
        eq_(group.run('colornet, direct', 'train'), None)
    (engine, message), = deaths
    eq_(engine, 'colornet, direct')
    ok_(message.startswith('colornet, direct: FileNotFoundError'))


def test_engines_bring_no_other_library():
    for module, needs, others in (
            ('onnx_engine', [], 'theano torch'),
            ('pytorch_engine', ['torch'], 'theano onnxruntime'),
            ('run', [], 'theano torch onnxruntime')):
        if all(importlib.util.find_spec(package) for package in needs):
            loaded = subprocess.check_output(
                [sys.executable, '-c', 'import sys, benchmarks.%s; '
                 'print(*sys.modules)' % module], cwd=str(ROOT)).split()
            for package in others.split():
                ok_(package.encode() not in loaded, (module, package))


def check_status(dying, arguments, status):
    """The exit status of a benchmark in which an engine dies."""
    def measure_networks(works, options, on_death_in):
        on_death_in('train_6')(dying, dying + ': it is gone')
        return [], []
    with tempfile.TemporaryDirectory() as folder, \
            mock.patch.object(run, '_measure_networks', measure_networks), \
            mock.patch.object(run, 'check_packages'), \
            contextlib.redirect_stdout(io.StringIO()) as printed:
        eq_(run.main(['--works', 'train_6', '--out', folder + '/b.csv'] +
                     arguments), status)
    assert_in('- left out: train_6: %s: it is gone\n' % dying,
              printed.getvalue())


def test_engines_that_were_asked_for_must_live():
    for dying, arguments, status in (
            ('colornet', [], 1), ('colornet', ['--engines', 'colornet'], 1),
            ('pytorch', [], 1), (COLORNET_BFLOAT16, [], 0), (ONNX, [], 0),
            ('pytorch compile', [], 0),
            (ONNX, ['--engines', 'colornet', ONNX], 1),
            (COLORNET_BFLOAT16, ['--engines', COLORNET_BFLOAT16], 1)):
        yield check_status, dying, arguments, status


@attr('slow')
def test_colornet_alone_needs_no_pytorch():
    def find_spec(name, *others):
        return None if name == 'torch' else found(name, *others)
    found = importlib.util.find_spec
    with tempfile.TemporaryDirectory() as folder, \
            mock.patch.object(importlib.util, 'find_spec', find_spec), \
            contextlib.redirect_stdout(io.StringIO()) as printed:
        path = Path(folder, 'benchmark.csv')
        arguments = ['--size', '32', '--rounds', '1', '--works', 'predict_1',
                     '--out', str(path), '--engines', 'colornet']
        eq_(run.main(arguments), 0)
        eq_([row[:2] for row in read_rows(path)], [('predict_1', 'colornet')])
        with contextlib.redirect_stderr(io.StringIO()) as said:
            eq_(run.main(arguments + ['pytorch']), 2)
    assert_in('- not checked: PyTorch, which decides, is not installed\n',
              printed.getvalue())
    assert_in('torch is not installed', said.getvalue())


def test_points_of_sizes():
    points = sizes.list_points((1, 4), (112, 224), 224)
    eq_(points, [('predict', 112, 1), ('predict', 224, 1), ('train', 112, 1),
                 ('train', 224, 1), ('train', 224, 4)])


class FakeEngine:
    """Counts the training steps before each answer."""

    def __init__(self):
        self.steps = 0

    def scores(self):
        return [np.zeros(2), np.ones(2)]

    def make_predict(self):
        return lambda: np.zeros((2, 2))

    def training_scores(self):
        eq_(self.steps, 0)
        return self.scores(), {'a/W': np.ones(1)}

    def make_train(self):
        def step():
            self.steps += 1
            return 10. - self.steps
        return step

    def running_averages(self):
        return {'a/mean': np.full(1, self.steps)}


def test_results():
    results = collect_results(FakeEngine())
    eq_(sorted(results), ['average a/mean', 'chrominance', 'gradient a/W',
                          'losses', 'scores', 'training scores'])
    eq_(results['losses'].tolist(), [9., 8., 7.])
    eq_(results['average a/mean'].tolist(), [1.])
    eq_(results['scores'].shape, (2, 2))


def test_problem():
    from benchmarks.problem import write_problem
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'problem.npz')
        write_problem(path, 16)
        with np.load(path) as file:
            problem = dict(file)
    photos = len(problem['luminance'])
    # 16 / 8 rows before R4, all else in proportion.
    ok_(0 < problem['multiply_adds/everyday'] <
        problem['multiply_adds/predict'])
    eq_(problem['inputs'].shape, (photos, 3, 16, 16))
    eq_(problem['targets'].shape, (photos, 2, 16, 16))
    ok_(problem['targets'].min() >= 0 and problem['targets'].max() < 50)
    # A bin is four units wide; its mean is in the middle, and multiplied.
    saturation = load_stored(find_resource(NETWORK))[1].decoding['saturation']
    np.testing.assert_allclose(problem['means'][[0, 49]],
                               [-98 * saturation, 98 * saturation])
    from colornet.network.vgg16 import load_vgg16_weights
    weights = load_vgg16_weights(find_resource('weights/vgg16.pkl'))
    np.testing.assert_array_equal(problem['conv1_1/W'],
                                  weights['conv1_1'][0])


def test_plot_of_sizes():
    rows = [point + (engine, 0.1 * point[1] * point[2], 100. * point[2])
            for point in sizes.list_points() for engine in sizes.ENGINES]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'sizes.png')
        sizes.save_plot(path, rows)
        eq_(path.read_bytes()[:4], b'\x89PNG')


@attr('slow')
def test_benchmark():
    tiny.need('torch')
    engines = ['colornet'] + [name for name in PYTORCH
                              if 'compile' not in name]
    if importlib.util.find_spec('onnxruntime'):
        engines.append(ONNX)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'benchmark.csv')
        eq_(run.main(['--size', '32', '--no-check', '--rounds', '1',
                      '--works', 'train_2', 'predict_1', 'everyday_2',
                      '--out', str(path), '--engines'] + engines), 0)
        rows = [row[:2] for row in read_rows(path)]
    eq_(rows, [(work, engine) for work in
               ('train_2', 'predict_1', 'everyday_2')
               for engine in run.engines_of(work.split('_')[0], engines)])


def test_wrong_files_are_told_in_a_line():
    from benchmarks import networks, step
    for main, arguments in (
            (step.main, ['nowhere.ini']), (networks.main, ['nowhere.h5']),
            (step.main, ['experiments/everyday_regression.ini'])):
        with contextlib.redirect_stderr(io.StringIO()) as printed:
            eq_(main(arguments), 2)
        line, = printed.getvalue().splitlines()
        assert_in(arguments[0], line)


def test_steps_on_a_device_that_is_not_there():
    done = subprocess.run(
        [sys.executable, '-m', 'benchmarks.step'], cwd=str(ROOT),
        # Tests have set flags, which come before.
        env=dict(os.environ, COLORNET_DEVICE='cuda7', THEANO_FLAGS=''),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    eq_(done.returncode, 2)
    line, = done.stderr.decode().splitlines()
    assert_in('device=cuda7', line)


@attr('slow')
def test_steps_are_timed():
    from benchmarks.step import main
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        main(['--set', 'data.size=16', '--batch-sizes', '1', '2',
              '--rounds', '2'])
    rows = [line.split() for line in printed.getvalue().splitlines()[-3:-1]]
    eq_([row[0] for row in rows], ['1', '2'])
    for batch, seconds, rate in rows:
        ok_(0 < float(seconds) < 60)
        ok_(abs(float(rate) * float(seconds) - 1) < 0.2)


def test_networks_are_timed_by_each_engine():
    from benchmarks import networks
    asked = []

    class Colorizer:
        def __init__(self, network, engine):
            self.pair = network, engine

        def predict(self, photos):
            eq_([photo.shape for photo in photos], [(32, 32, 3)])
            asked.append(self.pair)
    with mock.patch.object(networks, 'load_colorizer', Colorizer):
        found = networks.time_networks('ab', 3, 32, ['onnx', 'theano'])
    pairs = [('a', 'onnx'), ('a', 'theano'), ('b', 'onnx'), ('b', 'theano')]
    eq_(asked, 4 * pairs)
    eq_([row[:2] for row in found], pairs)


def test_parts_are_timed():
    from benchmarks import parts
    with mock.patch.multiple(parts, CONVERTED=6000, HINTED=3000):
        for name, count in (('conversions', 2), ('hints', 3)):
            found = parts.PARTS[name](2)
            eq_([len(seconds) for seconds in found.values()], [2] * count)
            ok_(all(0 < second < 60 for seconds in found.values()
                    for second in seconds))
    with contextlib.redirect_stderr(io.StringIO()), \
            assert_raises(SystemExit):
        parts.main(['nothing'])


def test_even_colours_are_timed():
    from benchmarks import parts
    tiny.need('onnxruntime')
    with mock.patch.object(parts, 'EVENED', 6000):
        found = parts.time_refinement(2)
    eq_([name for name in found], [
        'decoding, none', 'decoding, segments', 'decoding, crf',
        'decoding, total_variation', 'decoding, fade', 'joining, none',
        'joining, guided'])
    ok_(all(len(seconds) == 2 and 0 < min(seconds)
            for seconds in found.values()))
    # Each does its own work.
    ok_(min(found['decoding, segments']) > min(found['decoding, none']))


@attr('slow')
def test_the_page_is_timed():
    from benchmarks import parts
    tiny.need('flask', 'onnxruntime')
    with mock.patch.object(parts, 'SENT', 400000), \
            contextlib.redirect_stdout(io.StringIO()) as printed:
        eq_(parts.main(['page', '--rounds', '1']), 0)
    for line in printed.getvalue().splitlines()[3:-1]:
        eq_(line.split()[0], 'page')
        ok_(0 < float(line.split()[-1]) < 60)


@attr('slow')
def test_networks_are_timed():
    from benchmarks.networks import main
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        main(['--rounds', '2'])
    rows = [line.split() for line in printed.getvalue().splitlines()[3:-1]]
    eq_([Path(row[0]).name for row in rows],
        ['cvcl_classification.h5', 'everyday.h5'])
    eq_([row[1] for row in rows], ['theano'] * 2)
    eq_(rows[0][3], '1.00')
    ok_(all(0 < float(row[2]) < 60 for row in rows))
