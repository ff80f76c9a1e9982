"""What a run does, step by step, with a learner that computes nothing."""

import io
import json
import tempfile
from collections import OrderedDict
from pathlib import Path
from unittest import mock

import numpy as np
from nose.tools import (assert_almost_equal, assert_in, assert_not_in,
                        assert_raises, eq_, ok_)
from numpy.testing import assert_array_equal

from colornet.color import split_channels
from colornet.config import load_config
from colornet.data.subsets import draw_training
from colornet.errors import Diverged
from colornet.network.parameters import load_arrays
from colornet.training.run import Run, train
from colornet.training.run_folder import find_divergence
from tests import tiny

NUM_IMAGES = 10


class Images:
    """Of one colour each, which tells its number."""

    file_sizes = [100] * NUM_IMAGES

    def __len__(self):
        return NUM_IMAGES

    def __getitem__(self, numbers):
        return np.array([np.full((16, 16, 3), (20 * number, 200, 90), np.uint8)
                         for number in numbers])


class Variable:
    def __init__(self, value):
        self.value = np.float32(value)

    def get_value(self, borrow=False):
        return self.value

    def set_value(self, value):
        self.value = value


class StandIn:
    """A learner whose predictions are right."""

    map = staticmethod(map)
    started, further_losses = None, ()

    def __init__(self):
        self.parameters = OrderedDict([(('conv', 'W'), Variable([1, 2]))])
        self.averages = OrderedDict()
        self.optimizer_state = [Variable([0])]
        self.rates, self.calls, self.places = [], [], []

    def load_photos(self, folder):
        return Images(), ['%d.jpg' % number for number in range(NUM_IMAGES)]

    def build(self, resume=False):
        self.calls.append('build, resume' if resume else 'build')
        return None if resume else self.started

    def compile(self):
        self.calls.append('compile')

    def describe(self):
        return {'backend': 'none'}

    def transform(self, rgb):
        chroma = np.moveaxis(split_channels(rgb)[1], -1, 1)
        return rgb[:, 0, 0, 0] // 20, chroma, rgb

    def set_learning_rate(self, rate):
        self.rates.append(rate)

    def set_progress(self, *place):
        self.places.append(place)

    def step(self, inputs, targets):
        return float(inputs.mean())

    def validate(self, inputs, targets):
        return float(inputs.mean()), targets


class TestRun:

    def setup(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name) / 'run'
        self.learner = StandIn()

    def teardown(self):
        self.temporary.cleanup()

    setup_method, teardown_method = setup, teardown

    def make(self, *settings):
        self.config = load_config(tiny.REGRESSION, tiny.OVERRIDES + [
            'data.hold_out=0.3', 'training.batch_size=3',
            'training.epochs=2'] + list(settings))
        return Run(self.config, self.folder, self.learner, '/data/my photos')

    def prepared(self, *settings):
        run = self.make(*settings)
        run.prepare()
        return run

    def provenance(self):
        return json.loads((self.folder / 'provenance.json').read_text())

    def test_it_tells_what_is_trained(self):
        run = self.prepared()
        eq_(self.learner.calls, ['build'])
        eq_(run.trained_on, '7 photos of my photos')
        eq_(load_config(self.folder / 'config.ini'), self.config)
        part, = self.provenance()
        eq_((part['num_images'], part['data_folder'], part['backend']),
            (NUM_IMAGES, '/data/my photos', 'none'))
        assert_not_in('start_from', part)

    def test_a_data_set_has_a_name(self):
        eq_(self.prepared('data.dataset=mcgill').trained_on,
            '7 photos of mcgill')

    def test_it_tells_where_it_starts_from(self):
        self.learner.started = {'file': 'a.h5', 'trained_on': '3 photos'}
        run = self.prepared()
        eq_(run.trained_on, '3 photos, then 7 photos of my photos')
        eq_(self.provenance()[0]['start_from'], self.learner.started)

    def test_a_divergence_is_told_until_a_training_goes_on(self):
        self.make()
        for step, error in ((lambda inputs, targets: np.nan, Diverged),
                            (self.learner.step, None)):
            self.learner.step = step
            with assert_raises(error) if error else mock.patch('sys.stderr'):
                train(self.config, '/data/x', self.folder,
                      learner=self.learner)
            eq_(bool(find_divergence(self.config, self.folder)), bool(error))

    def test_training_batches_have_their_learning_rates(self):
        run = self.make('training.schedule=cycle')
        training, _ = draw_training(NUM_IMAGES, self.config)
        for epoch in 0, 1:
            batches = [inputs for inputs, _ in run.training_batches(epoch)]
            eq_([len(batch) for batch in batches], [3, 3, 1])
            assert_array_equal(np.sort(np.concatenate(batches)), training)
        eq_(len(set(self.learner.rates)), 6)
        eq_(self.learner.places, [(epoch, minibatch, 3) for epoch in (0, 1)
                                  for minibatch in range(3)])
        rates, places = self.learner.rates[4:], self.learner.places[4:]
        self.learner.rates, self.learner.places = [], []
        rest = list(run.training_batches(1, skip=1))
        eq_(len(rest), 2)
        for (inputs, _), expected in zip(rest, batches[1:]):
            assert_array_equal(inputs, expected)
        eq_(self.learner.rates, rates)
        eq_(self.learner.places, places)

    def test_validation_is_of_the_photos_that_are_held_out(self):
        run = self.make('training.batch_size=2')
        _, held_out = draw_training(NUM_IMAGES, self.config)
        checked = []
        numbers = run.validate(lambda: checked.append(True))
        eq_(len(checked), 2)
        # The mean over photos, not over minibatches of two and one.
        assert_almost_equal(numbers['validation_loss'], held_out.mean())
        eq_((numbers['acc_u'], numbers['acc_v']), (1, 1))
        eq_(next(iter(numbers)), 'validation_loss')

    def test_an_interrupted_validation_ends_at_once(self):
        def interrupt():
            raise KeyboardInterrupt
        with assert_raises(KeyboardInterrupt):
            self.make().validate(interrupt)

    def test_without_held_out_photos_there_is_no_validation(self):
        eq_(self.make('data.hold_out=0').validate(None), {})

    def kept(self):
        return load_arrays(self.folder / 'best.h5', ['parameters'])

    def test_the_best_epoch_is_kept(self):
        run = self.prepared()
        weights = self.learner.parameters['conv', 'W']
        history = []
        for loss, best in (3., 1), (2., 2), (2.5, 2), (2., 4):
            history.append({'validation_loss': loss})
            weights.set_value(np.float32([len(history), 0]))
            run.keep_best(history)
            groups, attributes = self.kept()
            eq_(groups['parameters']['conv/W'][0], best)
            eq_(attributes['epoch'], best)
        eq_(attributes['validation_loss'], 2)
        eq_(attributes['trained_on'], '7 photos of my photos')
        assert_in(attributes['git_commit'],
                  [self.provenance()[0]['git_commit'], 'unknown'])

    def test_the_last_epoch_is_kept_if_asked_for_and_its_average(self):
        run = self.prepared('training.keep=last')
        self.learner.averages = OrderedDict([(('conv', 'W'), Variable([7]))])
        run.keep_best([{'validation_loss': 1.}, {'validation_loss': 2.}])
        groups, attributes = self.kept()
        eq_(attributes['epoch'], 2)
        eq_(groups['parameters']['conv/W'], [7])
        run.keep_best([{}])
        eq_(self.kept()[1]['validation_loss'], 'none')

    def test_it_learns_and_is_finished(self):
        run = self.prepared()
        ok_(not run.is_finished)
        with mock.patch('sys.stderr', io.StringIO()) as err:
            run.learn()
        assert_in('epoch 2, training_loss', err.getvalue())
        ok_(self.provenance()[0]['photos_per_second'] > 0)
        ok_(self.make().is_finished)
        again = self.make('training.epochs=3')
        ok_(not again.is_finished)
        self.learner.calls = []
        with mock.patch('sys.stderr', io.StringIO()) as err:
            again.prepare()
            again.learn()
        eq_(self.learner.calls, ['build, resume', 'compile'])
        assert_in('resuming after 2 epochs and 0 minibatches',
                  err.getvalue())
        eq_(len(self.provenance()), 2)
        losses = (self.folder / 'losses.csv').read_text().splitlines()
        eq_(len(losses), 1 + 3 * 3)

    def test_other_photos_are_refused(self):
        run = self.prepared()
        with mock.patch('sys.stderr', io.StringIO()):
            run.learn()
        with mock.patch.object(Images, 'file_sizes', [100] * 9 + [101]):
            tiny.check_error(self.make, 'have changed')
        with mock.patch.object(self.learner, 'load_photos', lambda folder: (
                Images(), ['other.jpg'] * NUM_IMAGES)):
            tiny.check_error(self.make, 'other photos')
