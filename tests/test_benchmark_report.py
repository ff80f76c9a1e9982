"""The benchmark's table and ratios, and commands that are timed as a whole."""

import contextlib
import io
import os
import tempfile
from pathlib import Path

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_in, eq_, ok_
from PIL import Image

from benchmarks import processes, run
from benchmarks.children import ROOT
from benchmarks.engines import ENGINES, ONNX
from benchmarks.report import format_report, read_rows, write_rows
from tests import tiny

ROWS = [('train_6', 'colornet', 0.5, 1000., 1.),
        ('train_6', 'colornet, no oneDNN', 2., 900., 0.25),
        ('train_6', 'pytorch', 3., 2000., 0.17),
        ('train_6', 'pytorch channels_last', 1.5, 2000., 0.33),
        ('train_6', 'pytorch channels_last bf16', 1., 1800., 0.5),
        ('predict_1', 'colornet', 0.2, 500., 1.25),
        ('predict_1', 'pytorch channels_last', 0.3, 400., 0.8),
        ('predict_1', 'onnx runtime', 0.4, 300., 0.6),
        ('folder_200', 'colornet', 0.25, 700., None),
        ('folder_200', 'main', 0.5, 600., None)]


def test_report():
    lines = format_report(ROWS).split('\n')
    cells = {(line.split()[0], ' '.join(line.split()[1:-5])):
             line.split()[-5:] for line in lines[3:13]}
    eq_(cells['train_6', 'colornet'], ['0.500', '2.0', '1000', '1.00', '3.00'])
    eq_(cells['train_6', 'pytorch'], ['3.000', '0.3', '2000', '0.17', '0.50'])
    eq_(cells['predict_1', 'onnx runtime'][-1], '0.75')
    eq_(cells['folder_200', 'colornet'], ['0.250', '4.0', '700', '-', '2.00'])
    eq_(lines[15:], [
        '- Training, float32: colornet 0.500 s, pytorch channels_last '
        '1.500 s: 3.00 times as fast.',
        '- Training, bfloat16: colornet 0.500 s, pytorch channels_last bf16 '
        '1.000 s: 2.00 times as fast.',
        '- Training without oneDNN, float32: colornet, no oneDNN 2.000 s, '
        'pytorch channels_last 1.500 s: 0.75 times as fast.',
        '- Training without oneDNN, bfloat16: colornet, no oneDNN 2.000 s, '
        'pytorch channels_last bf16 1.000 s: 0.50 times as fast.',
        "- Prediction, the paper's network, 1 at a time, float32: colornet "
        '0.200 s, pytorch channels_last 0.300 s: 1.50 times as fast.',
        "- Prediction, the paper's network, 1 at a time, ONNX Runtime: "
        'colornet 0.200 s, onnx runtime 0.400 s: 2.00 times as fast.',
        '- A folder of 200 photos, each: colornet 0.250 s, main 0.500 s: '
        '2.00 times as fast.'])


def test_pages_have_the_table_that_ships():
    rows = read_rows(tiny.ROOT / 'experiments' / 'results' / 'benchmark.csv')
    page = (tiny.ROOT / 'docs' / 'speed.rst').read_text()
    table, ratios = format_report(rows).split('\n\n')
    assert_in('\n%s\n' % table, page)
    words = ' '.join(page.split())
    for line in ratios.split('\n'):
        assert_in(line, words)
    seconds = {row[:2]: row[2] for row in rows}
    front = ' '.join((tiny.ROOT / 'README.rst').read_text().split())
    for task, without in ('train_6', ''), ('train_6', ', no oneDNN'), (
            'predict_1', ''), ('predict_8', ''):
        ours = seconds[task, 'colornet' + without]
        theirs = seconds[task, 'pytorch compile']
        assert_in('%.3f %.3f %.3f %.2f' % (
            ours, theirs, seconds[task, 'pytorch channels_last bf16'],
            theirs / ours), front)
    assert_in('takes %.3f seconds in training' % seconds[
        'train_6', 'colornet, obvious graph'], front)


def test_report_without_pytorch():
    lines = format_report(ROWS[:2]).split('\n')
    eq_(lines[3].split()[-1], '-')
    eq_(len([line for line in lines if line.startswith('- ')]), 0)


def test_table_from_a_file():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'runs', 'benchmark.csv')
        write_rows(path, ROWS)
        eq_(path.read_text().splitlines()[:3], [
            'work,engine,seconds_per_image,peak_memory_mb,of_peak',
            'train_6,colornet,0.5,1000,1',
            'train_6,"colornet, no oneDNN",2,900,0.25'])
        eq_(read_rows(path), ROWS)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            eq_(run.main(['--table', str(path)]), 0)
        eq_(printed.getvalue(), format_report(ROWS) + '\n')
        path.write_text('work,engine\nfolder_2,colornet\n')
        tiny.check_error(lambda: read_rows(path), 'no table')


def test_engines_of_tasks():
    eq_(run.engines_of('everyday', ENGINES),
        [engine for engine in ENGINES
         if engine not in ('colornet, obvious graph', 'pytorch',
                           'pytorch compile')])
    ok_(ONNX not in run.engines_of('train', ENGINES))
    eq_(run.engines_of('peak', ['colornet', 'pytorch']),
        ['colornet', 'pytorch'])


def test_photos_of_the_folder():
    with tempfile.TemporaryDirectory() as folder:
        processes.write_photos(Path(folder, 'photos'), 12, 10000)
        photos = sorted(Path(folder, 'photos').iterdir())
        eq_(len(photos), 12)
        seen = set()
        for path in photos:
            with Image.open(path) as image:
                eq_((image.format, image.mode), ('JPEG', 'RGB'))
                ok_(abs(np.prod(image.size) / 10000 - 1) < 0.05, image.size)
                seen.add(image.tobytes())
        eq_(len(seen), 12)


def test_programs():
    eq_(list(processes.list_programs(ENGINES)), ['colornet', ONNX])
    programs = processes.list_programs(['colornet'], Path('/tmp/main'))
    eq_(programs['main'], (Path('/tmp/main'), []))
    eq_(programs['colornet'], (ROOT, []))


def test_a_command_is_measured():
    seconds, memory = processes.run_command(['--version'], ROOT,
                                            dict(os.environ))
    ok_(0 < seconds < 60)
    ok_(5 < memory < 100, memory)
    tiny.check_error(lambda: processes.run_command(
        ['colorize', '/nowhere.jpg'], ROOT, dict(os.environ)),
        '/nowhere.jpg does not exist')


def test_commands_that_fail_are_left_out():
    deaths = []
    with tempfile.TemporaryDirectory() as folder:
        found = processes.measure_processes(
            processes.FOLDER + '2', {'other': (Path(folder), ['--nonsense'])},
            2, 1, lambda *death: deaths.append(death))
    eq_(list(found), [])
    (program, message), = deaths
    eq_(program, 'other')
    ok_(message.startswith('other: '), message)


@attr('slow')
def test_whole_commands():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'benchmark.csv')
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            eq_(run.main(['--works', 'colorize_warm', 'folder_3', '--rounds',
                          '1', '--engines', 'colornet', '--beside', str(ROOT),
                          '--out', str(path)]), 0)
        rows = read_rows(path)
    eq_([row[:2] for row in rows], [
        (work, engine) for work in ('colorize_warm', 'folder_3')
        for engine in ('colornet', ROOT.name)])
    for _, _, seconds, memory, fraction in rows:
        ok_(0 < seconds < 100 and 100 < memory < 4000 and fraction is None)
    assert_in('A photo, later starts: colornet', printed.getvalue())
