"""Trainings against a discriminator, of the regression network.

It compiles faster; what class scores become is tested on its own.
"""

import csv
import io
import json
import signal
from collections import OrderedDict
from unittest import mock

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.color import get_color_space, split_channels
from colornet.config import load_config
from colornet.engine.backend import T, lasagne, theano
from colornet.network.decoding import predicted_chroma
from colornet.network.inputs import make_transform
from colornet.network.layers import SameConv2DLayer
from colornet.network.objectives import cross_entropy_loss
from colornet.network.parameters import load_arrays
from colornet.photos.finding import find_images
from colornet.photos.reading import read_rgb
from colornet.terminal import Interrupted
from colornet.training import updates
from colornet.training.adversarial import AdversarialLearner
from colornet.training.learner import TheanoLearner
from colornet.training.opponent import Opponent
from colornet.training.run import make_learner, train
from tests import tiny

SETTINGS = tiny.OVERRIDES + ['adversarial.weight=0.2', 'adversarial.ramp=1',
                             'training.keep=colourfulness',
                             'training.epochs=3']


def decode(outputs):
    return predicted_chroma(outputs, 5, get_color_space('luv').limits, 'mean',
                            3.)


class TestOpponent:
    """Beside a classifier of five bins in a single layer."""

    @classmethod
    def setup_class(cls):
        lasagne.random.set_rng(np.random.RandomState(1))
        cls.net = OrderedDict(input=lasagne.layers.InputLayer(
            (None, 3, 32, 32), T.tensor4()))
        for name in 'u_scores', 'v_scores':
            cls.net[name] = SameConv2DLayer(cls.net['input'], 5, 1)
        cls.opponent = Opponent(decode, learning_rate=1e-3, beta1=0.5)
        rgb = np.stack([read_rgb(path, 32)
                        for path in find_images(tiny.PHOTOS)][:2])
        luminance, chroma = split_channels(rgb)
        cls.luminance = luminance[:, np.newaxis] / 100
        cls.batch = (np.repeat(cls.luminance, 3, axis=1),
                     np.zeros((2, 2, 32, 32), 'int32'),
                     np.concatenate([cls.luminance, np.moveaxis(
                         chroma, -1, 1) / 100], axis=1))
        cls.rate = theano.shared(np.float32(0))
        cls.step, cls.state = updates.compile_training(
            cls.net, lambda outputs, targets: 0 * cross_entropy_loss(
                outputs, targets), learning_rate=cls.rate,
            update_rule='nesterov', momentum=0., opponent=cls.opponent)
        cls.alone = staticmethod(updates.compile_opponent(
            cls.net, cross_entropy_loss, cls.opponent))
        cls.variables = lasagne.layers.get_all_params(
            [cls.net['u_scores'], cls.net['v_scores']]) + cls.state
        cls.initial = [variable.get_value() for variable in cls.variables]

    def reset(self, rate=0.):
        for variable, value in zip(self.variables, self.initial):
            variable.set_value(value)
        self.rate.set_value(np.float32(rate))

    def test_its_gradient_reaches_the_network(self):
        filters = self.net['u_scores'].W
        self.opponent.weight.set_value(np.float32(3))
        self.reset(rate=1)
        self.step(*self.batch)
        gradient = filters.get_value() - self.initial[0]
        ok_(abs(gradient).max() > 1e-6)
        # By the loss of the step that changes nothing.
        losses = []
        for sign in (1, -1):
            self.reset()
            filters.set_value(self.initial[0] + sign * np.float32(
                0.1 / np.linalg.norm(gradient)) * gradient)
            losses.append(float(self.step(*self.batch)[1]))
        assert_allclose((losses[0] - losses[1]) / 0.2,
                        -np.linalg.norm(gradient) / 3, rtol=0.03)

    def test_without_a_weight_the_network_stays(self):
        self.opponent.weight.set_value(np.float32(0))
        self.reset(rate=1)
        self.step(*self.batch)
        assert_array_equal(self.net['u_scores'].W.get_value(),
                           self.initial[0])

    def test_alone_it_learns_the_same(self):
        self.reset()
        both = [self.step(*self.batch)[1:] for _ in range(3)]
        learned = [variable.get_value() for variable in self.state]
        self.reset(rate=1)
        alone = [self.alone(*self.batch)[1:] for _ in range(3)]
        assert_allclose(alone, both, rtol=1e-4)
        for variable, value in zip(self.state, learned):
            assert_allclose(variable.get_value(), value, rtol=1e-3,
                            atol=1e-5)
        assert_array_equal(self.net['u_scores'].W.get_value(),
                           self.initial[0])

    def test_it_learns_to_tell_photos(self):
        self.reset()
        results = [self.alone(*self.batch) for _ in range(40)]
        first, last = results[0], results[-1]
        ok_(last[2] < 0.5 * first[2], (first, last))
        ok_(last[3] > 0.8, last)
        # What scores nearly zero should have scored one.
        assert_allclose(last[1], 1, atol=0.1)


def test_a_configuration_has_its_learner():
    eq_(type(make_learner(load_config())), TheanoLearner)
    config = load_config(overrides=['adversarial.weight=0.1'])
    eq_(type(make_learner(config, bfloat16=False)), AdversarialLearner)


def test_what_the_discriminator_sees_of_photos():
    rgb = np.stack([read_rgb(path, 32) for path in find_images(
        tiny.PHOTOS)][:2])
    luminance, chroma = split_channels(rgb)
    for stride in 1, 4:
        config = load_config(overrides=['network.output_stride=%d' % stride])
        learner = AdversarialLearner(config)
        inputs, (bins, photos), same = learner._transform(rgb)
        ok_(same is rgb)
        expected, targets, _ = make_transform(config.network)(rgb)
        assert_array_equal(inputs, expected)
        assert_array_equal(bins, targets)
        eq_(photos.shape, (2, 3, 32 // stride, 32 // stride))
        eq_(photos.dtype, 'float32')
        for channel, plane in enumerate((luminance, chroma[..., 0],
                                         chroma[..., 1])):
            blocks = plane.reshape(2, 32 // stride, stride, 32 // stride,
                                   stride).mean(axis=(2, 4)) / 100
            assert_allclose(photos[:, channel], blocks, rtol=1e-5, atol=1e-6)


def test_steps_see_the_same_square_of_all():
    config = load_config(overrides=[
        'network.output_stride=2', 'data.size=64', 'adversarial.crop=48',
        'adversarial.weight=1', 'training.seed=5'])
    learner = AdversarialLearner(config)
    pixels = np.arange(64 * 64).reshape(1, 1, 64, 64)
    arrays = [np.repeat(pixels, 3, axis=1), pixels[..., ::2, ::2],
              pixels[..., ::2, ::2]]
    seen = set()
    for epoch in range(3):
        for minibatch in range(8):
            learner.set_progress(epoch, minibatch, 8)
            inputs, bins, photos = learner._cut(arrays)
            top, left = divmod(inputs[0, 0, 0, 0], 64)
            eq_((top % 8, left % 8), (0, 0))
            assert_array_equal(
                inputs, arrays[0][..., top:top + 48, left:left + 48])
            assert_array_equal(bins, inputs[:, :1, ::2, ::2])
            assert_array_equal(photos, bins)
            learner.set_progress(epoch, minibatch, 8)
            assert_array_equal(learner._cut(arrays)[0], inputs)
            seen.add((top, left))
    eq_({top for top, _ in seen}, {0, 8, 16})
    ok_(len(seen) > 5, seen)
    for crop in 0, 64:
        config.override('adversarial.crop=%d' % crop)
        ok_(all(cut is whole for cut, whole in
                zip(learner._cut(arrays), arrays)))


@attr('slow')
class TestTraining(tiny.InFolder):
    """Interrupted while the discriminator learns alone, and later."""
    NUM_PHOTOS = 7

    @classmethod
    def setup_class(cls):
        super().setup_class()
        cls.data = cls.root / 'photos'
        cls.config = load_config(tiny.REGRESSION, SETTINGS)
        cls.straight = cls.root / 'straight'
        ok_(cls.train(cls.straight))

    @classmethod
    def train(cls, folder, interrupt_after=None):
        calls = []
        original = AdversarialLearner._step

        def step(learner, inputs, targets):
            losses = original(learner, inputs, targets)
            calls.append(losses)
            if len(calls) == interrupt_after:
                tiny.interrupt(signal.SIGTERM)
            return losses
        with mock.patch.object(AdversarialLearner, '_step', step), \
                mock.patch('sys.stderr', io.StringIO()):
            return train(cls.config, cls.data, folder)

    @staticmethod
    def rows(folder, name='log.csv'):
        with open(str(folder / name)) as stream:
            return list(csv.DictReader(stream))

    def test_an_interrupted_training_ends_as_an_uninterrupted_one(self):
        for count in 1, 4:
            folder = self.root / str(count)
            with assert_raises(Interrupted):
                self.train(folder, interrupt_after=count)
            ok_(self.train(folder))
            expected, resumed = [
                load_arrays(path / 'last.h5', ['parameters', 'optimizer'])[0]
                for path in (self.straight, folder)]
            for group in expected:
                for key, array in expected[group].items():
                    assert_allclose(resumed[group][key], array, rtol=1e-4,
                                    atol=1e-6, err_msg=key)
            for name in 'generator_loss', 'discriminator_loss':
                assert_allclose(
                    [float(row[name]) for row in self.rows(folder)],
                    [float(row[name]) for row in self.rows(self.straight)],
                    rtol=1e-4)

    def test_the_log_tells_of_both(self):
        rows, losses = self.rows(self.straight), self.rows(
            self.straight, 'losses.csv')
        # Of seven photos, some are for tests, and some are held out.
        count = len(losses) // 3
        eq_((len(rows), len(losses)), (3, 3 * count))
        ok_(count > 1)
        for name in AdversarialLearner.further_losses:
            for epoch, row in enumerate(rows):
                part = [float(line[name]) for line in
                        losses[count * epoch:count * (epoch + 1)]]
                assert_allclose(float(row[name]), np.mean(part), rtol=1e-4)

    def test_the_discriminator_learns_alone_at_first(self):
        folder = self.root / 'first'
        config = self.config
        type(self).config = load_config(tiny.REGRESSION, SETTINGS + [
            'adversarial.pretrain=9', 'training.epochs=1'])
        try:
            self.train(folder)
        finally:
            type(self).config = config
        from colornet.network.saved import build_pretrained, learned_parameters
        initial = learned_parameters(build_pretrained(config), config)
        stored = load_arrays(folder / 'last.h5',
                             ['parameters'])[0]['parameters']
        for key, variable in initial.items():
            assert_array_equal(stored['/'.join(key)], variable.get_value())
        later = load_arrays(self.straight / 'last.h5',
                            ['parameters'])[0]['parameters']
        ok_(any((later[key] != stored[key]).any() for key in stored))

    def test_the_network_is_kept_without_the_discriminator(self):
        best, attributes = load_arrays(self.straight / 'best.h5',
                                       ['parameters'])
        eq_(set(best['parameters']), set(load_arrays(
            self.straight / 'last.h5', ['parameters'])[0]['parameters']))
        eq_(json.loads(attributes['config'])['adversarial']['weight'], 0.2)

    def test_other_settings_are_refused(self):
        config = load_config(tiny.REGRESSION, SETTINGS + [
            'adversarial.ramp=2'])
        tiny.check_error(lambda: train(config, self.data, self.straight),
                         'adversarial.ramp: 2.0, not 1.0')

    def test_without_its_weight_the_training_is_the_ordinary_one(self):
        folders = []
        for name, settings in (
                ('ordinary', ['training.keep=loss']),
                ('weightless', ['adversarial.weight=1e-30',
                                'adversarial.pretrain=0'])):
            folder = self.root / name
            with mock.patch('sys.stderr', io.StringIO()):
                train(load_config(tiny.REGRESSION, tiny.OVERRIDES + settings),
                      self.data, folder)
            folders.append(folder)
        for name in 'training_loss', 'validation_loss', 'acc_u', 'psnr':
            ordinary, weightless = [float(self.rows(folder)[0][name])
                                    for folder in folders]
            assert_allclose(weightless, ordinary, rtol=1e-4, err_msg=name)
