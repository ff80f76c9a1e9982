"""A study of tiny networks, run, interrupted, resumed and skipped."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_
from numpy.testing import assert_allclose

from colornet import cli
from colornet.files import locked, read_csv
from colornet.flow.jobs import run_jobs
from colornet.photos.reading import read_photo, read_rgb
from colornet.studies import runner
from colornet.studies.results import (_count_parameters, _read_curves,
                                      _training_numbers)
from colornet.studies.runner import run_studies
from colornet.terminal import Interrupted
from tests import tiny

STUDY = '''
[study]
title = Seeds and saturations
section = 5.2
claim = Nothing.
columns = photos training_loss validation_loss acc_u inconsistency

[settings]
data.dataset = folder
data.size = 32
data.hold_out = 0.25
network.kind = regression
objective.loss = huber
training.batch_size = 2
training.epochs = 2

[variant first]
[variant paler]
decoding.saturation = 0.5
[variant wild]
objective.loss = l2
training.learning_rate = 1e30
'''


def run(root, jobs=run_jobs, study='seeds'):
    """All tables of a study, by name."""
    with mock.patch('sys.stderr', io.StringIO()), \
            mock.patch.object(runner, 'run_jobs', jobs):
        return {found.name: text for found, text, _ in run_studies(
            [str(root / (study + '.ini'))], root / 'photos', 'quick',
            root / 'runs', root / 'results')}


class TestStudy(tiny.InFolder):

    @classmethod
    def setup_class(cls):
        tiny.need_theano()
        super().setup_class()
        (cls.root / 'seeds.ini').write_text(STUDY)
        with assert_raises(Interrupted):
            run(cls.root, cls.train_for_an_epoch)
        cls.was_begun = list((cls.root / 'runs').glob('*/*/last.h5'))
        cls.was_ended = list((cls.root / 'results').glob('*'))
        cls.texts = run(cls.root)
        cls.rows = {row['variant']: row for row in
                    read_csv(cls.root / 'results' / 'seeds.csv')}

    @staticmethod
    def train_for_an_epoch(jobs, *options):
        """What an interruption between two epochs leaves."""
        training = jobs[0].commands[0] + ['--set', 'training.epochs=1']
        eq_(list(run_jobs([replace(jobs[0], commands=[training])], *options)),
            [(jobs[0].name, '')])
        raise Interrupted(signal.SIGTERM)

    def test_it_was_begun_and_resumed(self):
        eq_((len(self.was_begun), self.was_ended), (1, []))
        eq_(list(self.texts), ['seeds'])
        parts = json.loads(self.was_begun[0].with_name(
            'provenance.json').read_text())
        eq_(len(parts), 2)

    def test_every_variant_has_a_row(self):
        eq_(list(self.rows), ['first', 'paler', 'wild'])
        first = self.rows['first']
        eq_((first['scale'], first['status'], first['epochs'], first['size']),
            ('quick', 'done', '2', '32'))
        eq_(int(first['minibatches']), 2 * -(-int(first['photos']) // 2))
        for name in ('training_loss', 'lowest_loss', 'loss_decrease',
                     'seconds_per_image', 'peak_mb', 'psnr', 'edge_error'):
            ok_(np.isfinite(float(first[name])), name)
        assert_in('network.kind=regression', first['settings'])
        assert_in('colornet study %s --data DIR --scale quick'
                  % (self.root / 'seeds.ini'),
                  first['command'])
        ok_(first['git_commit'] and first['date'])

    def test_numbers_are_those_of_the_log(self):
        folder, = [path for path in (self.root / 'runs' / 'quick').iterdir()
                   if 'size=32' in path.name and 'l2' not in path.name]
        with open(str(folder / 'log.csv')) as stream:
            log = list(csv.DictReader(stream))
        losses = [float(row['training_loss'])
                  for row in read_csv(folder / 'losses.csv')]
        first = self.rows['first']
        assert_allclose(float(first['training_loss']),
                        float(log[-1]['training_loss']))
        assert_allclose(float(first['validation_loss']), min(
            float(row['validation_loss']) for row in log))
        # Fewer than ten minibatches: the mean of all.
        assert_allclose(float(first['lowest_loss']), np.mean(losses),
                        rtol=1e-5)
        assert_allclose(float(first['loss_decrease']),
                        (losses[0] - losses[-1]) / len(losses), rtol=1e-4)
        assert_allclose(
            float(first['seconds_per_image']) * int(first['photos']),
            min(float(row['seconds']) for row in log), rtol=1e-4)
        curves = read_csv(self.root / 'results' / 'seeds_curves.csv')
        eq_([(row['variant'], row['epoch']) for row in curves],
            [('first', '1'), ('first', '2'), ('paler', '1'), ('paler', '2')])
        assert_allclose(float(curves[1]['seconds']), sum(
            float(row['seconds']) for row in log), atol=0.11)

    def test_no_number_of_the_training_is_lost_on_the_way_to_its_row(self):
        folder, = [path for path in (self.root / 'runs' / 'quick').iterdir()
                   if 'size=32' in path.name and 'l2' not in path.name]
        first = self.rows['first']
        expected = _training_numbers(_read_curves(folder),
                                     int(first['photos']), 2, 'loss')
        ok_({'loss_decrease', 'lowest_loss', 'peak_mb'} <= set(expected))
        expected['num_parameters'] = _count_parameters(folder)
        for name, value in expected.items():
            assert_allclose(float(first[name]), value, rtol=1e-5,
                            err_msg=name)

    def test_a_decoding_shares_the_training_and_has_its_own_scores(self):
        first, paler = self.rows['first'], self.rows['paler']
        eq_(first['training_loss'], paler['training_loss'])
        ok_(float(paler['saturation_predicted']) <
            float(first['saturation_predicted']))

    def test_a_training_that_diverged_is_told(self):
        assert_in('training diverged', self.rows['wild']['status'])
        eq_(self.rows['wild']['acc_u'], '')
        assert_in('wild: training diverged', self.texts['seeds'])

    def test_the_text_is_a_table_of_the_columns(self):
        lines = self.texts['seeds'].split('\n')
        eq_(lines[0], 'Seeds and saturations (5.2; quick)')
        eq_(lines[1].split(), ['variant', 'photos', 'training_loss',
                               'validation_loss', 'acc_u', 'inconsistency'])
        eq_(lines[2].split()[:2], ['first', self.rows['first']['photos']])
        assert_allclose(float(lines[2].split()[4]),
                        100 * float(self.rows['first']['acc_u']), atol=0.006)

    def test_plot_and_photos_are_pictures(self):
        folder = self.root / 'runs' / 'quick'
        ok_(read_rgb(folder / 'seeds.png', 128).std() > 5)
        # Grey, two variants, original; the third has none.
        sheet = read_photo(folder / 'seeds_photos.png').pixels
        ok_(sheet.shape[1] == 960 and sheet.shape[0] > 400, sheet.shape)

    def test_what_is_finished_is_skipped(self):
        def no_jobs(jobs, *options):
            eq_(jobs, [])
            return []
        results = self.root / 'results' / 'seeds.csv'
        before = results.read_text()
        results.unlink()
        eq_(run(self.root, no_jobs), self.texts)
        eq_(results.read_text(), before)

    def test_a_network_that_was_trained_on_is_scored_again(self):
        networks = list((self.root / 'runs' / 'quick').glob('*/best.h5'))
        contents = [best.read_bytes() for best in networks]
        for best, content in zip(networks, contents):
            best.write_bytes(content + b'more')
            # Whatever its time is: clocks are set, folders copied.
            os.utime(str(best), (0, 0))
        eq_(self.commands(), ['evaluate', 'evaluate'])
        for best, content in zip(networks, contents):
            best.write_bytes(content)
            os.utime(str(best), 2 * (time.time() + 1000,))
        eq_(self.commands(), [])

    def test_scores_that_do_not_say_of_which_network_are_made_again(self):
        scores = list(self.root.glob('runs/quick/*/validation*.json'))
        ok_(scores)
        for path in scores:
            text = path.read_text()
            path.write_text(text.replace('"sha256"', '"of old"'))
            eq_(self.commands(), ['evaluate'])
            path.write_text(text)

    def commands(self):
        """What would be done now."""
        seen = []

        def jobs(jobs, *options):
            seen.extend(jobs)
            return []
        with mock.patch.object(runner, '_keep_results'):
            run(self.root, jobs)
        return [command[0] for job in seen for command in job.commands]

    def test_a_missing_folder_is_told_before_anything_is_done(self):
        tiny.check_error(lambda: list(run_studies(
            ['bins'], self.root / 'none', 'quick', self.root / 'no runs',
            self.root / 'no results')), 'none')
        ok_(not (self.root / 'no runs').exists())

    def test_an_error_of_one_training_is_told_and_the_study_goes_on(self):
        (self.root / 'two.ini').write_text(
            STUDY.partition('[variant first]')[0] +
            '[variant other]\ntraining.seed = 5\n[variant first]\n')
        # It is trained, but has to be scored again.
        first, = [path for path in self.root.glob('runs/quick/*/'
                                                  'validation.json')]
        first.unlink()

        def jobs(jobs, *options):
            for job in jobs:
                if 'seed=5' in job.name:
                    yield job.name, 'the disk is full'
                else:
                    yield from run_jobs([job], *options)
        text = run(self.root, jobs, 'two')['two']
        assert_in('other: the disk is full', text)
        ok_('first:' not in text)
        rows = read_csv(self.root / 'results' / 'two.csv')
        eq_([row['status'] for row in rows], ['the disk is full', 'done'])

    def test_a_training_that_diverged_with_other_settings_is_tried_again(self):
        marks = list((self.root / 'runs' / 'quick').glob('*/diverged.json'))
        eq_(len(marks), 1)
        text = marks[0].read_text()
        marks[0].write_text(text.replace('"seed": 2016', '"seed": 2015'))
        seen = []

        def jobs(jobs, *options):
            seen.extend(job.name for job in jobs)
            return []
        with mock.patch.object(runner, '_keep_results'):
            run(self.root, jobs)
        marks[0].write_text(text)
        eq_(len(seen), 1)
        assert_in('l2', seen[0])

    def test_other_photos_are_refused(self):
        tiny.write_crops(self.root / 'other', ['y%d.jpg' % number
                                               for number in range(12)])
        tiny.check_error(lambda: list(run_studies(
            [str(self.root / 'seeds.ini')], self.root / 'other', 'quick',
            self.root / 'runs', self.root / 'results')), 'other photos')

    def test_what_cannot_be_is_told_before_anything_is_done(self):
        before = {path: path.read_bytes()
                  for path in self.root.glob('results/*')}
        (self.root / 'empty').mkdir()
        for photos, settings, words in [
                ('empty', [], 'empty'),
                ('photos', ['data.dataset=cvcl'], 'missing'),
                ('photos', ['data.hold_out=0'], 'hold_out')]:
            tiny.check_error(lambda: list(run_studies(
                [str(self.root / 'seeds.ini')], self.root / photos, 'quick',
                self.root / 'runs', self.root / 'results', settings)), words)
        picture = self.root / 'runs' / 'quick' / 'new.png'
        picture.mkdir()
        (self.root / 'new.ini').write_text(STUDY)
        tiny.check_error(lambda: run(self.root, study='new'), str(picture))
        (self.root / 'full.ini').write_text(STUDY + '[full]\ndata.size = 3\n')
        tiny.check_error(lambda: run(self.root, study='full'), 'data.size')
        eq_(before, {path: path.read_bytes()
                     for path in self.root.glob('results/*')})

    def test_numbers_stay_where_a_new_attempt_has_none(self):
        folder, = [path for path in (self.root / 'runs' / 'quick').iterdir()
                   if path.is_dir() and 'size=32' in path.name
                   and 'l2' not in path.name and 'seed' not in path.name]
        scores = folder / 'validation.json'
        content = scores.read_bytes()
        scores.unlink()
        results = [path for path in self.root.glob('results/seeds*')]
        before = [read_csv(path) for path in results]
        text = run(self.root, lambda jobs, *_: [
            (job.name, 'the disk is full') for job in jobs])['seeds']
        assert_in('first: the disk is full', text)
        for path, rows in zip(results, before):
            eq_(sorted(read_csv(path), key=str), sorted(rows, key=str))
        scores.write_bytes(content)
        run(self.root)

    def test_the_exit_status_tells_what_failed(self):
        arguments = ['study', str(self.root / 'seeds.ini'), '--data',
                     str(self.root / 'photos'), '--runs',
                     str(self.root / 'runs'), '--results',
                     str(self.root / 'results')]
        (self.root / 'wild.ini').write_text(
            STUDY.partition('[variant first]')[0] +
            '[variant wild $\\foo$]' + STUDY.partition('[variant wild]')[2])
        with mock.patch('sys.stdout', io.StringIO()):
            eq_(cli.main(arguments), 1)
            arguments[1] = str(self.root / 'wild.ini')
            eq_(cli.main(arguments), 2)

    def test_rows_of_the_other_scale_stay(self):
        results = self.root / 'results' / 'seeds.csv'
        before = results.read_text()
        results.write_text(before.replace(',quick,', ',full,'))
        run(self.root, lambda *_: [])
        scales = [row['scale'] for row in read_csv(results)]
        eq_(scales, ['full'] * 3 + ['quick'] * 3)
        results.write_text(before)

    def test_the_commit_is_that_of_the_training(self):
        paths = list((self.root / 'runs').glob('quick/*/provenance.json'))
        ok_(len(paths) >= 2)
        for path in paths:
            parts = json.loads(path.read_text())
            commits = {part['git_commit'] or 'unknown' for part in parts}
            ok_(any(row['git_commit'].split('-')[0] in commits
                    for row in self.rows.values()))
            eq_(parts[-1]['date'][:10], self.rows['first']['date'])

    def test_scores_and_pictures_that_are_gone_are_made_again(self):
        runs = self.root / 'runs'
        for pattern, damage in (('validation/*.png', None),
                                ('validation.json', ''),
                                ('validation.json', '[]'),
                                ('validation.json', '{"mean": {}}')):
            path = next(runs.glob('quick/*/' + pattern))
            content = path.read_bytes()
            path.unlink()
            if damage is not None:
                path.write_text(damage)
            eq_(self.commands(), ['evaluate'])
            path.write_bytes(content)

    def test_damaged_run_folders_are_named(self):
        trained = next((self.root / 'runs').glob('quick/*/best.h5')).parent
        for name, damage in (('best.h5', None), ('provenance.json', None),
                             ('provenance.json', '{}'), ('last.h5', 'x')):
            path = trained / name
            content, status = path.read_bytes(), path.stat()
            path.unlink()
            if damage is not None:
                path.write_text(damage)
            tiny.check_error(lambda: run(self.root), str(trained), name)
            path.write_bytes(content)
            os.utime(str(path), ns=(status.st_atime_ns, status.st_mtime_ns))
        # Those for people may be anything.
        contents = {path: path.read_text() for path in
                    [trained / 'log.csv', trained / 'losses.csv']}
        for path in contents:
            path.write_text('damaged')
        self.test_what_is_finished_is_skipped()
        for path, text in contents.items():
            path.write_text(text)

    def test_other_studies_in_the_same_folder_are_refused(self):
        with locked(self.root / 'runs' / 'quick', 'busy'):
            tiny.check_error(lambda: run(self.root), '--runs', 'quick')

    def test_a_refused_study_leaves_no_folders(self):
        before = sorted(self.root.iterdir())
        with mock.patch.dict(sys.modules, distributed=None):
            tiny.check_error(lambda: list(run_studies(
                [str(self.root / 'seeds.ini')], self.root / 'photos', 'quick',
                self.root / 'new' / 'runs', self.root / 'new' / 'results',
                scheduler='tcp://a:1')), '--scheduler needs Dask')
        eq_(sorted(self.root.iterdir()), before)

    def test_a_damaged_table_is_not_written_over(self):
        results = self.root / 'results' / 'seeds.csv'
        before = results.read_text()
        for damaged in (b'\xff', b'hello world\n1,2\n',
                        before[:-100].encode()):
            results.write_bytes(damaged)
            tiny.check_error(lambda: run(self.root), str(results))
            eq_(results.read_bytes(), damaged)
        results.write_text(before)

    def test_an_early_interruption_is_told_once(self):
        (self.root / 'early.ini').write_text(
            STUDY.partition('[variant first]')[0] +
            '[variant new]\ntraining.seed = 77\n')
        process = subprocess.Popen(
            [sys.executable, '-m', 'colornet', 'study',
             str(self.root / 'early.ini'), '--data',
             str(self.root / 'photos'), '--runs', str(self.root / 'runs'),
             '--results', str(self.root / 'results')], cwd=str(tiny.ROOT),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            universal_newlines=True)
        while not list(self.root.glob('runs/quick/*seed=77*')):
            eq_(process.poll(), None)
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, printed = process.communicate()
        eq_((process.returncode, printed),
            (128 + signal.SIGINT, 'colornet: interrupted by SIGINT\n'))

    def test_numbers_of_other_settings_are_not_replaced(self):
        def run_with(results, *settings):
            with mock.patch.object(runner, 'run_jobs', lambda *_: []), \
                    mock.patch.object(runner, '_make_jobs',
                                      return_value=[]), \
                    mock.patch.object(runner, '_keep_results'):
                return list(run_studies(
                    [str(self.root / 'seeds.ini')], self.root / 'photos',
                    'quick', self.root / 'runs', self.root / results,
                    settings))
        before = (self.root / 'results' / 'seeds.csv').read_bytes()
        tiny.check_error(
            lambda: run_with('results', 'training.seed=5'),
            str(self.root / 'results' / 'seeds.csv'), 'other settings',
            self.rows['first']['command'], '--results')
        eq_((self.root / 'results' / 'seeds.csv').read_bytes(), before)
        # Elsewhere, they can be.
        eq_(len(run_with('others', 'training.seed=5')), 1)
        eq_(len(run_with('results')), 1)
