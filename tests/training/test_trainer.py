"""Exact resumption, signals, divergence."""

import itertools
import os
import signal
import tempfile
import time
from collections import OrderedDict
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.engine.backend import T, lasagne, theano
from colornet.errors import ColornetError, Diverged
from colornet.network.layers import BatchNormLayer, SameConv2DLayer
from colornet.network.objectives import l2_loss
from colornet.network.parameters import load_arrays, save_arrays
from colornet.terminal import Interrupted, catch_signals
from colornet.training.schedules import cycle_learning_rate
from colornet.training.trainer import Trainer
from colornet.training.updates import (compile_training, compile_validation,
                                       make_averages)
from tests import tiny

NUM_IMAGES = 4


class TestTrainer:
    """One tiny network, compiled once, trained anew in each test."""

    @classmethod
    def setup_class(cls):
        lasagne.random.set_rng(np.random.RandomState(1))
        net = OrderedDict(input=lasagne.layers.InputLayer(
            (None, 3, 24, 24), T.tensor4()))
        net['conv'] = SameConv2DLayer(net['input'], 8, 5)
        net['bn'] = BatchNormLayer(net['conv'])
        net['relu'] = lasagne.layers.NonlinearityLayer(net['bn'])
        net['chroma'] = SameConv2DLayer(net['relu'], 2, 3)

        def objective(outputs, targets):
            return l2_loss(outputs[0], targets)

        cls.net = net
        cls.parameters = OrderedDict(
            ((key, variable.name), variable) for key, layer in net.items()
            for variable in layer.params)
        cls.averages = make_averages(cls.parameters)
        pairs = [(cls.parameters[key], cls.averages[key])
                 for key in cls.parameters]
        cls.rate = theano.shared(np.float32(0))
        cls.step, cls.state = compile_training(
            net, objective, learning_rate=cls.rate, averages=pairs,
            average=0.8, gradient_clip=100.)
        cls.loss = compile_validation(net, objective,
                                      lambda outputs: outputs[0])
        cls.averaged_loss = compile_validation(
            net, objective, lambda outputs: outputs[0], pairs)
        cls.variables = list(cls.parameters.values()) + cls.state
        cls.initial = [variable.get_value() for variable in cls.variables]
        cls.batches = tiny.load_batches()

    def setup(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, 'last.h5')

    def teardown(self):
        self.folder.cleanup()

    setup_method, teardown_method = setup, teardown

    def reset(self):
        for variable, value in zip(self.variables, self.initial):
            variable.set_value(value)

    def trainer(self, **options):
        return Trainer(self.step, self.path, optimizer_state=self.state,
                       parameters=self.parameters, progress=False, **options)

    def validate(self, check_signals):
        check_signals()
        losses = [self.averaged_loss(*batch)[0] for batch in self.batches]
        return {'validation_loss': float(np.mean(losses))}

    def run(self, trainer, num_epochs, interrupt_at=None, number=None,
            on_epoch=None):
        """Train; raise a signal before minibatch (epoch, index)."""
        trainer.run(num_epochs,
                    self.plan(num_epochs, interrupt_at, number), NUM_IMAGES,
                    self.validate, on_epoch)

    def plan(self, num_epochs, interrupt_at=None, number=None):
        """What gives the minibatches of an epoch, and the learning rate."""
        def training_batches(epoch, skip):
            # The order depends on the epoch, as in real trainings.
            order = self.batches if epoch % 2 else self.batches[::-1]
            for index, batch in enumerate(order):
                if index < skip:
                    continue
                if (epoch, index) == interrupt_at:
                    tiny.interrupt(number)
                self.rate.set_value(np.float32(cycle_learning_rate(
                    epoch * len(order) + index, num_epochs * len(order),
                    0.01, 0.3)))
                yield batch
        return training_batches

    def values(self):
        return [variable.get_value() for variable in self.variables]

    def test_checkpoints_do_not_wait_for_a_clock_that_was_set_back(self):
        clock = itertools.count(1e9, -1000)
        self.reset()
        trainer = self.trainer(checkpoint_minutes=0)
        with mock.patch.object(time, 'time', lambda: next(clock)), \
                mock.patch.object(trainer, 'save') as save:
            self.run(trainer, 1)
        # After each minibatch, after them, and after the validation.
        eq_(save.call_count, len(self.batches) + 2)
        ok_(0 <= trainer.history[0]['seconds'] < 600)

    def test_loss_falls_on_real_photos(self):
        self.reset()
        trainer = self.trainer()
        self.run(trainer, 40)
        losses = [row['training_loss'] for row in trainer.history]
        assert losses[-1] < 0.5 * losses[0], losses
        validation = [row['validation_loss'] for row in trainer.history]
        assert validation[-1] < 0.7 * validation[0], validation

    def test_averages_agree_with_numpy(self):
        self.reset()
        self.rate.set_value(np.float32(0.01))
        expected = {key: variable.get_value().astype(np.float64)
                    for key, variable in self.parameters.items()}
        for step in range(40):
            self.step(*self.batches[step % 2])
            weight = min(0.8, (1 + step) / (10 + step))
            for key, variable in self.parameters.items():
                expected[key] = (weight * expected[key] +
                                 (1 - weight) * variable.get_value())
        for key, average in self.averages.items():
            assert_allclose(average.get_value(), expected[key], rtol=1e-4,
                            atol=1e-6, err_msg=str(key))
            # Running averages of batch normalization are among them.
            ok_((average.get_value() !=
                 self.parameters[key].get_value()).any(), key)
        averaged = self.averaged_loss(*self.batches[0])
        ok_(averaged[0] != self.loss(*self.batches[0])[0])
        for key, average in self.averages.items():
            self.parameters[key].set_value(average.get_value())
        for value, other in zip(averaged, self.loss(*self.batches[0])):
            assert_array_equal(value, other)

    def check_resumes_exactly(self, interrupt_at, number):
        self.reset()
        straight = self.trainer()
        self.run(straight, 3)
        expected = self.values()

        self.reset()
        with assert_raises(Interrupted) as caught:
            self.run(self.trainer(), 3, interrupt_at, number)
        eq_(caught.exception.signal_number, number)
        # Nothing but the file carries over.
        for variable in self.variables:
            variable.set_value(np.full_like(variable.get_value(), 9))
        resumed = self.trainer()
        resumed.restore()
        eq_(len(resumed.history), interrupt_at[0])
        self.run(resumed, 3)
        for value, other in zip(self.values(), expected):
            assert_array_equal(value, other)
        for row, other in zip(resumed.history, straight.history):
            for name in 'seconds', 'peak_mb':
                ok_(row.pop(name) >= 0 and other.pop(name) >= 0)
            eq_(row, other)
        eq_(resumed.losses, straight.losses)
        eq_(len(resumed.history), 3)

    def test_every_minibatch_has_its_loss(self):
        self.reset()
        trainer = self.trainer()
        self.run(trainer, 2)
        numbers = [(epoch, minibatch)
                   for epoch, minibatch, _ in trainer.losses]
        count = len(self.batches)
        eq_(numbers, [(epoch, minibatch + 1) for epoch in (1, 2)
                      for minibatch in range(count)])
        sizes = [len(inputs) for inputs, _ in self.batches]
        for number, row in enumerate(trainer.history):
            losses = [loss for _, _, loss in
                      trainer.losses[number * count:(number + 1) * count]]
            assert_allclose(row['training_loss'],
                            np.average(losses, weights=sizes))

    def test_a_checkpoint_without_the_log_is_resumed(self):
        self.reset()
        trainer = self.trainer()
        self.run(trainer, 1)
        groups, attributes = load_arrays(self.path,
                                         ['parameters', 'optimizer'])
        save_arrays(self.path, groups, attributes)
        resumed = self.trainer()
        resumed.restore()
        self.run(resumed, 2)
        eq_({epoch for epoch, _, _ in resumed.losses}, {2})

    def test_an_interrupted_training_resumes_exactly(self):
        for interrupt_at in [(0, 1), (1, 0), (2, 1)]:
            for number in (signal.SIGINT, signal.SIGTERM):
                self.check_resumes_exactly(interrupt_at, number)

    def test_an_interrupted_validation_is_done_again(self):
        self.reset()
        straight = self.trainer()
        self.run(straight, 2)
        expected = self.values()
        self.reset()
        trainer = self.trainer()

        def interrupted(check_signals):
            tiny.interrupt(signal.SIGINT)
            check_signals()
        with assert_raises(Interrupted):
            trainer.run(2, self.plan(2), NUM_IMAGES, interrupted)
        resumed = self.trainer()
        resumed.restore()
        eq_((len(resumed.history), resumed.iteration), (0, 2))
        self.run(resumed, 2)
        for value, other in zip(self.values(), expected):
            assert_array_equal(value, other)
        eq_([row['training_loss'] for row in resumed.history],
            [row['training_loss'] for row in straight.history])

    def test_a_validation_that_is_not_finite_stops(self):
        self.reset()
        trainer = self.trainer()
        with assert_raises(Diverged) as caught:
            trainer.run(2, lambda epoch, skip: iter_all(self.batches),
                        NUM_IMAGES, lambda check: {'validation_loss': np.nan})
        assert_in('diverged', str(caught.exception))

    def test_every_epoch_is_told(self):
        self.reset()
        trainer = self.trainer()
        told = []
        trainer.run(3, lambda epoch, skip: iter_all(self.batches), NUM_IMAGES,
                    lambda check: {}, lambda history, losses: told.append(
                        (len(history), len(losses))))
        eq_(told, [(1, 2), (2, 4), (3, 6)])
        ok_('validation_loss' not in trainer.history[0])

    def test_signal_handlers_are_put_back(self):
        before = signal.getsignal(signal.SIGINT)
        self.reset()
        with assert_raises(Interrupted):
            self.run(self.trainer(), 3, (0, 1), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is before

    def test_a_lost_terminal_is_an_interruption_but_not_under_nohup(self):
        self.reset()
        before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        try:
            with assert_raises(Interrupted):
                self.run(self.trainer(), 3, (0, 1), signal.SIGHUP)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            with catch_signals() as check_signals:
                os.kill(os.getpid(), signal.SIGHUP)
                check_signals()
        finally:
            signal.signal(signal.SIGHUP, before)

    def test_a_second_interruption_is_not_delayed(self):
        def interrupt_twice(epoch, skip):
            tiny.interrupt(signal.SIGINT)
            tiny.interrupt(signal.SIGINT)
            yield self.batches[0]
        before = signal.getsignal(signal.SIGINT)
        try:
            for handler in signal.default_int_handler, signal.SIG_IGN:
                signal.signal(signal.SIGINT, handler)
                with assert_raises(KeyboardInterrupt) as caught:
                    self.trainer().run(1, interrupt_twice, 2, self.validate)
                assert not isinstance(caught.exception, Interrupted)
        finally:
            signal.signal(signal.SIGINT, before)

    def test_divergence_stops_and_keeps_the_checkpoint(self):
        self.reset()
        trainer = self.trainer()
        self.run(trainer, 1)
        with open(self.path, 'rb') as stream:
            before = stream.read()
        self.net['conv'].W.set_value(
            np.full_like(self.net['conv'].W.get_value(), np.nan))
        with assert_raises(Diverged) as caught:
            self.run(trainer, 2)
        assert_in('loss is nan in epoch 2, after 0 minibatches',
                  str(caught.exception))
        with assert_raises(Diverged):
            trainer.save()
        with open(self.path, 'rb') as stream:
            assert before == stream.read()

    def test_checkpoints_are_written_within_an_epoch(self):
        self.reset()
        trainer = self.trainer(checkpoint_minutes=0)
        seen = []

        def training_batches(epoch, skip):
            yield self.batches[0]
            _, attributes = load_arrays(self.path, [])
            seen.append(attributes['progress'])
            yield self.batches[1]
        trainer.run(1, training_batches, NUM_IMAGES, self.validate)
        assert_in('"iteration": 1', seen[0])

    def test_state_of_another_update_rule_is_refused(self):
        self.reset()
        self.trainer().save()
        other = Trainer(self.step, self.path, parameters=self.parameters,
                        optimizer_state=self.state[:-1])
        with assert_raises(ColornetError):
            other.restore()


def iter_all(items):
    """A generator of the items."""
    for item in items:
        yield item
