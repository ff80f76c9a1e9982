"""Trainings and evaluations in run folders, on real pixels.

Of the regression network, which compiles faster; the classification network
is trained by the tests of the command line.
"""

import csv
import fcntl
import hashlib
import io
import json
import os
import shutil
import signal
from unittest import mock

import h5py
import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_

from colornet.color import split_channels
from colornet.config import load_config
from colornet.data.subsets import load_subset
from colornet.errors import ColornetError
from colornet.network.parameters import load_arrays
from colornet.network.saved import compile_prediction, load_network
from colornet.terminal import Interrupted
from colornet.training import trainer, updates
from colornet.training.run import train
from tests import tiny


class TestTrain(tiny.InFolder):
    NUM_PHOTOS = 9

    @classmethod
    def setup_class(cls):
        super().setup_class()
        cls.data = cls.root / 'photos'
        (cls.data / 'broken.jpg').write_text('no photo')
        cls.config = load_config(tiny.REGRESSION, tiny.OVERRIDES)
        cls.run_folder = cls.root / 'run'
        images, _ = load_subset(cls.config, cls.data, 'train')
        cls.num_images = len(images)
        validation, _ = load_subset(cls.config, cls.data, 'validation')
        cls.num_training = len(images) - len(validation)
        cls.was_trained = train(cls.config, cls.data, cls.run_folder)

    def test_the_run_folder_tells_all(self):
        ok_(self.was_trained)
        with open(str(self.run_folder / 'log.csv')) as stream:
            rows = list(csv.DictReader(stream))
        eq_([row['epoch'] for row in rows], ['1'])
        for name in ('training_loss', 'validation_loss', 'acc_u', 'acc_v',
                     'sat_diff', 'l_reg', 'psnr', 'seconds', 'peak_mb'):
            ok_(np.isfinite(float(rows[0][name])), name)
        with open(str(self.run_folder / 'losses.csv')) as stream:
            losses = list(csv.DictReader(stream))
        eq_([int(row['minibatch']) for row in losses],
            list(range(1, -(-self.num_training // 2) + 1)))
        eq_(load_config(self.run_folder / 'config.ini'), self.config)
        provenance = json.loads((self.run_folder /
                                 'provenance.json').read_text())
        eq_(len(provenance), 1)
        for name in ('git_commit', 'backend', 'command', 'date', 'numpy'):
            assert_in(name, provenance[0])
        eq_(provenance[0]['num_images'], self.num_images)

    def test_the_best_network_leaves_vgg16_out(self):
        groups, attributes = load_arrays(self.run_folder / 'best.h5',
                                         ['parameters'])
        assert_in('r4_conv/W', groups['parameters'])
        ok_(not any(name.startswith('conv1_1/')
                    for name in groups['parameters']))
        eq_(int(attributes['epoch']), 1)

    def test_a_finished_training_is_left_alone(self):
        before = (self.run_folder / 'last.h5').stat().st_mtime_ns
        ok_(not train(self.config, self.data, self.run_folder))
        eq_((self.run_folder / 'last.h5').stat().st_mtime_ns, before)

    def test_other_settings_are_refused(self):
        config = load_config(tiny.REGRESSION, tiny.OVERRIDES +
                             ['training.learning_rate=0.1'])
        with assert_raises(ColornetError) as caught:
            train(config, self.data, self.run_folder)
        assert_in('training.learning_rate: 0.1, not 0.0003',
                  str(caught.exception))

    def test_a_second_training_in_the_folder_is_refused(self):
        with open(str(self.run_folder / 'lock'), 'w') as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            with assert_raises(ColornetError) as caught:
                train(self.config, self.data, self.run_folder)
        assert_in('another training', str(caught.exception))

    def test_same_seed_and_a_resumption_give_the_same_numbers(self):
        """Interrupted in the middle of the epoch and resumed."""
        folder = self.root / 'interrupted'
        original = updates.compile_training

        def compile_interrupting(*arguments, **options):
            step, state = original(*arguments, **options)

            def interrupting_step(inputs, targets):
                loss = step(inputs, targets)
                tiny.interrupt(signal.SIGTERM)
                return loss
            return interrupting_step, state
        with mock.patch('colornet.training.updates.compile_training',
                        compile_interrupting):
            with assert_raises(Interrupted):
                train(self.config, self.data, folder)
        _, attributes = load_arrays(folder / 'last.h5', [])
        progress = json.loads(attributes['progress'])
        eq_(progress['history'], [])
        eq_(progress['iteration'], 1)
        train(self.config, self.data, folder)
        expected, _ = load_arrays(self.run_folder / 'last.h5',
                                  ['parameters', 'optimizer'])
        resumed, _ = load_arrays(folder / 'last.h5',
                                 ['parameters', 'optimizer'])
        for group in expected:
            for name, array in expected[group].items():
                np.testing.assert_allclose(resumed[group][name], array,
                                           rtol=1e-4, atol=1e-6,
                                           err_msg=name)

    def test_starting_from_another_run_and_dropping_the_learning_rate(self):
        config = load_config(tiny.REGRESSION, tiny.OVERRIDES + [
            'training.start_from=%s' % self.run_folder,
            # Another initialization and order than those it starts from.
            'training.seed=5', 'training.learning_rate=1e-7',
            'training.epochs=2', 'training.drop_epochs=1',
            'training.drop_factor=1e-30'])
        folder = self.root / 'started'
        seen = []
        original = trainer.Trainer.save

        def save(self):
            seen.append({key: variable.get_value() for key, variable
                         in self.parameters.items()})
            original(self)
        with mock.patch('colornet.training.trainer.Trainer.save', save), \
                mock.patch('sys.stderr', io.StringIO()) as err:
            ok_(train(config, self.data, folder))
        assert_in('another data.draw_seed', err.getvalue())
        provenance = json.loads((folder / 'provenance.json').read_text())
        best = self.run_folder / 'best.h5'
        eq_(provenance[0]['start_from'], {
            'file': str(best), 'epoch': 1,
            'sha256': hashlib.sha256(best.read_bytes()).hexdigest(),
            'trained_on': '%d photos of photos' % self.num_training})
        trained_on = load_arrays(folder / 'best.h5', [])[1]['trained_on']
        eq_(trained_on, '%d photos of photos, then %d photos of photos'
            % (self.num_training, self.num_training))
        first, second = seen[1], seen[-1]
        stored = load_arrays(self.run_folder / 'best.h5',
                             ['parameters'])[0]['parameters']
        # A step of Adam is about as long as the learning rate.
        distance = 2e-7 * self.num_training
        for name in ('r4_conv/W', 'unit3_conv/W'):
            key = tuple(name.split('/'))
            ok_(0 < abs(first[key] - stored[name]).max() < distance, name)
            # The second epoch's steps are too small for float32.
            np.testing.assert_array_equal(second[key], first[key])

    def test_networks_of_another_kind_are_no_start(self):
        for overrides, word in (
                [['network.batch_norm_taps=no'], 'batch_norm_taps'],
                [['training.start_from=%s' % (self.root / 'none.h5')],
                 'none.h5']):
            config = load_config(tiny.REGRESSION, tiny.OVERRIDES + [
                'training.start_from=%s' % self.run_folder] + overrides)
            with assert_raises(ColornetError) as caught:
                train(config, self.data, self.root / 'misfit')
            assert_in(word, str(caught.exception))
            ok_(not (self.root / 'misfit').exists())

    def test_another_decoding_does_not_train_again(self):
        config = load_config(tiny.REGRESSION, tiny.OVERRIDES + [
            'decoding.saturation=1.5'])
        ok_(not train(config, self.data, self.run_folder))

    def test_other_photos_are_refused(self):
        data = self.root / 'fewer'
        tiny.write_crops(data, ['%d.jpg' % number for number in range(7)])
        config = load_config(tiny.REGRESSION, tiny.OVERRIDES +
                             ['training.epochs=2'])
        with assert_raises(ColornetError) as caught:
            train(config, data, self.run_folder)
        assert_in('other photos', str(caught.exception))

    def test_a_finished_training_of_other_photos_is_not_taken(self):
        data = self.root / 'another'
        tiny.write_crops(data, ['x%d.jpg' % number for number in range(9)])
        tiny.check_error(lambda: train(
            self.config, data, self.run_folder), 'other photos')

    def test_photos_that_changed_are_refused(self):
        config = load_config(tiny.REGRESSION, tiny.OVERRIDES +
                             ['training.epochs=2'])
        _, names = load_subset(config, self.data, 'train')
        photo = self.data / names[0]
        content = photo.read_bytes()
        photo.write_bytes(content + b'more')
        try:
            tiny.check_error(lambda: train(
                config, self.data, self.run_folder), 'have changed')
        finally:
            photo.write_bytes(content)

    def test_a_training_that_is_refused_leaves_nothing(self):
        folder = self.root / 'refused'
        for make in False, True:
            if make:
                folder.mkdir()
            tiny.check_error(lambda: train(
                self.config, self.root / 'nowhere', folder), 'nowhere')
            eq_(folder.exists(), make)
        eq_(os.listdir(str(folder)), [])

    def test_something_else_as_a_checkpoint_is_refused(self):
        folder = self.root / 'odd'
        folder.mkdir()
        (folder / 'last.h5').write_text('not HDF5')
        with assert_raises(ColornetError):
            train(self.config, self.data, folder)

    def test_a_finished_training_without_its_network_is_told(self):
        best = self.run_folder / 'best.h5'
        best.rename(self.root / 'away.h5')
        try:
            tiny.check_error(lambda: train(
                self.config, self.data, self.run_folder), 'best.h5',
                str(self.run_folder))
        finally:
            (self.root / 'away.h5').rename(best)

    def test_a_damaged_checkpoint_is_told(self):
        folder = self.root / 'damaged'
        shutil.copytree(str(self.run_folder), str(folder))
        with h5py.File(str(folder / 'last.h5'), 'r') as file:
            before = dict(file.attrs)
        for name, text in (
                ('config', '[]'), ('config', '{"data": 1}'), ('config', '{'),
                ('progress', '{'), ('progress', '[]'), ('progress', '{}'),
                ('progress', before['progress'].replace('epoch', 'era')),
                ('progress', before['progress'].replace('seconds', 's')),
                ('progress', None), ('config', None)):
            with tiny.editing(folder / 'last.h5') as file:
                file.attrs.update(before)
                if text is None:
                    del file.attrs[name]
                else:
                    file.attrs[name] = text
            tiny.check_error(lambda: train(
                self.config, self.data, folder), 'last.h5', 'damaged')


class TestCycle(tiny.InFolder):
    """Crops, a cycle of the learning rate, averages: all in one training."""
    NUM_PHOTOS = 0

    @classmethod
    def setup_class(cls):
        super().setup_class()
        cls.data = cls.root / 'photos'
        tiny.write_wider_crops(cls.data)
        cls.config = load_config(tiny.REGRESSION, tiny.OVERRIDES + [
            'data.proportions=keep', 'data.min_crop=0.75', 'data.flip=yes',
            'data.test_share=0', 'training.epochs=2',
            'training.schedule=cycle', 'training.average=0.9',
            'training.gradient_clip=1'])
        cls.straight = cls.root / 'straight'
        cls.inputs = cls.train(cls.straight)

    @classmethod
    def train(cls, folder, interrupt_after=None):
        """Train, and return what the network has seen."""
        seen = []
        original = updates.compile_training

        def compile_recording(*arguments, **options):
            step, state = original(*arguments, **options)

            def recording_step(inputs, targets):
                seen.append(inputs.copy())
                loss = step(inputs, targets)
                if len(seen) == interrupt_after:
                    tiny.interrupt(signal.SIGTERM)
                return loss
            return recording_step, state
        # Keep the last network, which last.h5 has the averages of, too.
        with mock.patch('colornet.training.updates.compile_training',
                        compile_recording), \
                mock.patch('colornet.training.run.best_epoch',
                           lambda history, keep: len(history)):
            if interrupt_after is None:
                train(cls.config, cls.data, folder)
            else:
                with assert_raises(Interrupted):
                    train(cls.config, cls.data, folder)
        return seen

    def test_an_interrupted_training_ends_as_an_uninterrupted_one(self):
        folder = self.root / 'interrupted'
        # Of 7 photos, 2 are held out: 3 minibatches an epoch.
        seen = self.train(folder, interrupt_after=4) + self.train(folder)
        eq_((len(seen), len(self.inputs)), (6, 6))
        for inputs, expected in zip(seen, self.inputs):
            np.testing.assert_array_equal(inputs, expected)
        for name, groups in (('last.h5', ['parameters', 'optimizer']),
                             ('best.h5', ['parameters'])):
            expected, resumed = [load_arrays(path / name, groups)[0]
                                 for path in (self.straight, folder)]
            for group in groups:
                eq_(list(resumed[group]), list(expected[group]))
                for key, array in expected[group].items():
                    np.testing.assert_array_equal(resumed[group][key], array,
                                                  err_msg=key)
        rows = []
        for path in (self.straight, folder):
            with open(str(path / 'log.csv')) as stream:
                rows.append([(row['training_loss'], row['validation_loss'])
                             for row in csv.DictReader(stream)])
        eq_(rows[0], rows[1])

    def test_crops_change_with_the_epoch(self):
        first, second = [np.concatenate(self.inputs[start:start + 3])
                         for start in (0, 3)]
        eq_(first.shape, (5, 3, 32, 32))
        ok_(min(abs(one - two).max() for one in first for two in second) > 1)

    def test_the_network_that_is_kept_is_the_average(self):
        best = load_arrays(self.straight / 'best.h5',
                           ['parameters'])[0]['parameters']
        last = load_arrays(self.straight / 'last.h5',
                           ['parameters', 'optimizer'])[0]
        for key in 'r4_conv/W', next(key for key in best
                                     if key.endswith('/mean')):
            ok_((best[key] != last['parameters'][key]).any(), key)
            ok_(any(np.array_equal(best[key], array) for array in
                    last['optimizer'].values()), key)
        # The loss on the held-out photos is that of this network.
        net, _, _ = load_network(self.straight / 'best.h5')
        colors = compile_prediction(net, self.config)
        luminance, actual = split_channels(load_subset(
            self.config, self.data, 'validation')[0][:])
        size = abs(colors(luminance) - actual)
        loss = np.where(size <= 20, size ** 2, 20 * (2 * size - 20)).sum(
            axis=-1).mean()
        with open(str(self.straight / 'log.csv')) as stream:
            row = list(csv.DictReader(stream))[-1]
        np.testing.assert_allclose(float(row['validation_loss']),
                                   loss, rtol=1e-3)

    def test_a_cycle_has_its_number_of_epochs(self):
        config = load_config(self.straight / 'config.ini',
                             ['training.epochs=3'])
        tiny.check_error(lambda: train(
            config, self.data, self.straight), 'training.epochs: 3, not 2')


class TestTrainVariant(tiny.InFolder):
    """A training of all options, evaluated and coloured with."""
    NUM_PHOTOS = 6

    def test_it_trains_scores_and_colours(self):
        folder = self.root / 'run'
        config = load_config(tiny.REGRESSION, tiny.OVERRIDES + [
            'data.proportions=keep', 'network.output_stride=4',
            'network.global_features=8', 'network.context=1'])
        ok_(train(config, self.root / 'photos', folder))
        with open(str(folder / 'log.csv')) as stream:
            row, = csv.DictReader(stream)
        from colornet.evaluation.evaluate import evaluate_network
        result = evaluate_network(folder / 'best.h5', self.root / 'photos',
                                  'validation', self.root / 'sheet.png')
        for name in 'acc_u', 'l_reg', 'psnr':
            # Written with six digits, and folded since.
            ok_(abs(result['mean'][name] - float(row[name])) <
                2e-3 * max(1, abs(result['mean'][name])), name)
        ok_((self.root / 'sheet.png').exists())
