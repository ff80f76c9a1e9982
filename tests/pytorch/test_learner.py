"""Trainings by PyTorch; either engine goes on with the other's."""

import io
import json
import shutil
import signal
import subprocess
import sys
from unittest import mock

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_almost_equal, assert_raises, eq_, ok_
from numpy.testing import assert_allclose

from colornet import color
from colornet.config import load_config
from colornet.data.subsets import load_subset
from colornet.files import read_csv
from colornet.network.parameters import load_arrays
from colornet.terminal import Interrupted
from colornet.training.history import best_epoch
from colornet.training.run import train
from colornet.training.run_folder import is_finished
from tests import tiny
from tests.pytorch.learners import (EVERYDAY, SETTINGS, make_config,
                                    make_learner, read_photos, ready)
from tests.tiny import need


def setup_module():
    need('torch')


def test_nothing_loads_theano():
    loaded = subprocess.check_output(
        [sys.executable, '-c', 'import sys; import colornet.pytorch.learner, '
         'colornet.pytorch.prediction, colornet.training.run; '
         'print(*sys.modules)'],
        cwd=str(tiny.ROOT), universal_newlines=True).split()
    for name in ('theano', 'lasagne', 'colornet.engine.backend'):
        ok_(name not in loaded, name)


def test_bfloat16():
    config = make_config(['decoding.method=mean'])
    rgb, losses = read_photos(32), []
    for bfloat16 in (False, True):
        learner = ready(make_learner(config, bfloat16=bfloat16))
        eq_(learner.describe()['backend']['floats'],
            'bfloat16' if bfloat16 else 'float32')
        inputs, targets, _ = learner.transform(rgb)
        learner.set_learning_rate(1e-3)
        losses.append([learner.step(inputs, targets) for _ in range(8)])
        ok_(np.isfinite(learner.validate(inputs, targets)[1]).all())
        for variable in learner.parameters.values():
            eq_(variable.get_value().dtype, np.float32)
    ok_(losses[0] != losses[1])
    assert_allclose(losses[1], losses[0], rtol=0.05)
    ok_(losses[1][-1] < losses[1][0])


def test_a_start_from_a_trained_network():
    config = make_config([])
    trained = ready(make_learner(config))
    with mock.patch('colornet.training.start.load_stored') as load_stored, \
            mock.patch('pathlib.Path.read_bytes', lambda _: b''):
        load_stored.return_value = ({
            '/'.join(key): variable.get_value() + np.float32(0.25)
            for key, variable in trained.parameters.items()}, config,
            {'trained_on': '7 photos', 'epoch': 3})
        started = make_learner(make_config(['training.start_from=a.h5']))
        told = started.build()
    eq_((told['trained_on'], told['epoch']), ('7 photos', 3))
    for key, variable in started.parameters.items():
        assert_allclose(variable.get_value(),
                        trained.parameters[key].get_value() + 0.25)


class TestTraining(tiny.InFolder):
    """An uninterrupted training of a tiny everyday network."""

    @classmethod
    def setup_class(cls):
        need('torch')
        super().setup_class()
        cls.data = cls.root / 'photos'
        cls.folder = cls.root / 'run'
        cls.config = load_config(EVERYDAY, SETTINGS)
        cls.train(cls.folder)

    @classmethod
    def train(cls, folder, interrupt_after=None, engine='pytorch',
              config=None):
        config = config or cls.config
        learner = make_learner(config, engine)
        original, steps = learner.compile, []

        def compile():
            original()
            step = learner.step

            def counted(inputs, targets):
                steps.append(step(inputs, targets))
                if len(steps) == interrupt_after:
                    tiny.interrupt(signal.SIGTERM)
                return steps[-1]
            learner.step = counted
        learner.compile = compile
        with mock.patch('sys.stderr', io.StringIO()):
            train(config, cls.data, folder, learner=learner)

    def test_run_folder(self):
        eq_(load_config(self.folder / 'config.ini'), self.config)
        part, = json.loads((self.folder / 'provenance.json').read_text())
        eq_(part['engine'], 'pytorch')
        eq_((part['backend']['device'], part['backend']['floats']),
            ('cpu', 'float32'))
        ok_(part['photos_per_second'] > 0)
        rows = read_csv(self.folder / 'log.csv')
        eq_([row['epoch'] for row in rows], ['1', '2'])
        for name in ('validation_loss', 'acc_u', 'sat_diff', 'psnr_gain'):
            ok_(np.isfinite(float(rows[0][name])), name)
        # 3 of the 12 photos are held out.
        eq_(len(read_csv(self.folder / 'losses.csv')), 2 * 3)

    def test_a_finished_training_is_left_alone(self):
        before = (self.folder / 'last.h5').stat().st_mtime_ns
        self.train(self.folder)
        eq_((self.folder / 'last.h5').stat().st_mtime_ns, before)
        ok_(is_finished(self.config, self.folder, self.data))

    def test_an_interrupted_training_ends_as_an_uninterrupted_one(self):
        folder = self.root / 'interrupted'
        with assert_raises(Interrupted):
            self.train(folder, interrupt_after=4)
        eq_(len(load_arrays(folder / 'last.h5', ['log'])[0]['log']['losses']),
            4)
        self.train(folder)
        for name, groups in (('last.h5', ['parameters', 'optimizer', 'log']),
                             ('best.h5', ['parameters'])):
            expected, resumed = [load_arrays(path / name, groups)[0]
                                 for path in (self.folder, folder)]
            for group in groups:
                eq_(list(expected[group]), list(resumed[group]))
                for key, array in expected[group].items():
                    assert_allclose(resumed[group][key], array, rtol=1e-5,
                                    atol=1e-7, err_msg=key)

    def test_theano_predicts_as_pytorch_validates(self):
        need('theano')
        from colornet.network.saved import compile_prediction, load_network
        net, config, attributes = load_network(self.folder / 'best.h5')
        eq_(config, self.config)
        eq_(attributes['trained_on'], '9 photos of photos')
        # The network that is kept is that of the last epoch, if it is best.
        history = read_csv(self.folder / 'log.csv')
        best = best_epoch(history, self.config.training['keep'])
        eq_(int(attributes['epoch']), best)
        images, _ = load_subset(config, self.data, 'validation')
        rgb = images[list(range(len(images)))]
        groups, _ = load_arrays(self.folder / 'best.h5', ['parameters'])
        learner = ready(make_learner(config))
        for (layer, name), average in learner.averages.items():
            average.set_value(groups['parameters']['%s/%s' % (layer, name)])
        loss, chroma = learner.validate(*learner.transform(rgb)[:2])
        assert_almost_equal(
            loss, float(history[best - 1]['validation_loss']), 4)
        predicted = compile_prediction(net, config)(
            color.split_channels(rgb)[0])
        assert_allclose(predicted, np.moveaxis(chroma, 1, -1), atol=0.01)

    def check_going_on(self, first, then, settings):
        """A training begun by one engine ends by the other as by itself."""
        config = load_config(EVERYDAY, SETTINGS + settings)
        folders = [self.root / ('%s %s %d' % (first, name, len(settings)))
                   for name in ('half', 'whole')]
        for folder in folders:
            shutil.rmtree(str(folder), ignore_errors=True)
        with assert_raises(Interrupted):
            self.train(folders[0], 4, first, config)
        self.train(folders[0], None, then, config)
        self.train(folders[1], None, first, config)
        half, whole = [[float(row['training_loss']) for row in
                        read_csv(folder / 'losses.csv')]
                       for folder in folders]
        eq_(len(half), 6)
        # To 1e-4 while the same engine computed, and then almost.
        assert_allclose(half, whole, rtol=1e-3)
        eq_([part['engine'] for part in json.loads(
            (folders[0] / 'provenance.json').read_text())], [first, then])
        steps = [load_arrays(folder / 'last.h5', ['optimizer'])[0]
                 ['optimizer'] for folder in folders]
        eq_(list(steps[0]), list(steps[1]))
        counts = [[float(array) for array in part.values() if not array.ndim]
                  for part in steps]
        eq_(counts[0], counts[1])
        ok_(not counts[0] or set(counts[0]) == {6.})

    @attr('slow')
    def test_either_engine_goes_on(self):
        need('theano')
        for settings in ([], ['training.update_rule=nesterov',
                              'training.learning_rate=0.0001',
                              'network.fine_tune=no',
                              'training.encoder_rate=1']):
            for engines in (('theano', 'pytorch'), ('pytorch', 'theano')):
                self.check_going_on(*engines, settings=settings)
