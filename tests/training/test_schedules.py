"""Learning rates: drops, and one cycle."""

import numpy as np
from nose.tools import eq_, ok_
from numpy.testing import assert_allclose

from colornet.config import load_config
from colornet.training.schedules import (adversarial_weight,
                                         cycle_learning_rate,
                                         learning_rate_after, make_schedule)


def test_the_learning_rate_drops_after_some_epochs():
    rates = [learning_rate_after(epochs, 0.8, (2, 5), 0.25)
             for epochs in range(7)]
    assert_allclose(rates, [.8, .8, .2, .2, .2, .05, .05])
    eq_(learning_rate_after(9, 0.8, (), 0.25), 0.8)


def test_the_learning_rate_of_one_cycle():
    rates = [cycle_learning_rate(minibatch, 20, 0.4, 0.2)
             for minibatch in range(21)]
    assert_allclose(rates[:4], [.1, .2, .3, .4])
    for minibatch in range(4, 21):
        assert_allclose(rates[minibatch], 0.4 * np.cos(
            np.pi / 2 * (minibatch - 4) / 16) ** 2, atol=1e-12)
    ok_(rates[19] > 0)
    # A warm-up that ends within a minibatch, of less than one, and none.
    for warm_up in .25, .1, .02, 0:
        rates = [cycle_learning_rate(minibatch, 10, 1, warm_up)
                 for minibatch in range(10)]
        ok_(0.9 < max(rates) <= 1)
        ok_(min(rates) > 0)
        peak = int(np.argmax(rates))
        eq_(rates[peak:], sorted(rates[peak:], reverse=True))
        eq_(peak, {.25: 2, .1: 0, .02: 0, 0: 0}[warm_up])


def test_the_configured_schedule():
    constant = make_schedule(load_config(overrides=[
        'training.learning_rate=0.8', 'training.drop_epochs=2 5',
        'training.drop_factor=0.25']).training, 270)
    assert_allclose([constant(epoch, 7) for epoch in range(7)],
                    [.8, .8, .2, .2, .2, .05, .05])
    # Of 7 images, two at a time, there are four minibatches an epoch.
    cycle = make_schedule(load_config(overrides=[
        'training.schedule=cycle', 'training.learning_rate=0.4',
        'training.warm_up=0.2', 'training.epochs=5',
        'training.batch_size=2']).training, 7)
    assert_allclose(
        [cycle(epoch, minibatch) for epoch in range(5)
         for minibatch in range(4)],
        [cycle_learning_rate(minibatch, 20, 0.4, 0.2)
         for minibatch in range(20)])


def test_the_weight_of_a_discriminator_grows():
    settings = {'weight': 0.2, 'pretrain': 1., 'ramp': 2.}
    assert_allclose([adversarial_weight(epochs, settings)
                     for epochs in (0, 0.5, 1, 1.5, 2, 3, 7)],
                    [0, 0, 0, 0.05, 0.1, 0.2, 0.2])
    settings = {'weight': 0.2, 'pretrain': 0., 'ramp': 0.}
    eq_(adversarial_weight(0, settings), 0.2)
