"""Update rules, decay, clipping, and a learning rate of the encoder's own."""

from collections import OrderedDict
from unittest import SkipTest

import numpy as np
from nose.tools import assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.engine.backend import T, lasagne, theano
from colornet.engine.convolvers import bfloat16_status
from colornet.network.layers import SameConv2DLayer
from colornet.network.objectives import l2_loss
from colornet.training.updates import compile_training, make_updates
from tests import tiny


def minimized(num_steps, **options):
    """Minimize (w - 3)**2 from w = 0 by `num_steps` steps."""
    w = theano.shared(np.float32(0))
    updates = make_updates(T.sqr(w - 3), [w], **options)
    step = theano.function([], updates=updates)
    for _ in range(num_steps):
        step()
    return float(w.get_value())


def test_adam_is_that_of_kingma_and_ba():
    w = m = v = 0.
    for t in range(1, 6):
        gradient = 2 * (w - 3)
        m = 0.9 * m + 0.1 * gradient
        v = 0.99 * v + 0.01 * gradient ** 2
        w -= 0.1 * (m / (1 - 0.9 ** t)) / (np.sqrt(v / (1 - 0.99 ** t)) +
                                           1e-8)
    assert_allclose(minimized(5, update_rule='adam', learning_rate=0.1,
                              beta1=0.9, beta2=0.99), w, rtol=1e-4)


def test_nesterov_momentum_looks_ahead():
    w = velocity = 0.
    for _ in range(5):
        gradient = 2 * (w - 3)
        velocity = 0.9 * velocity - 0.01 * gradient
        w += 0.9 * velocity - 0.01 * gradient
    assert_allclose(minimized(5, update_rule='nesterov', learning_rate=0.01,
                              momentum=0.9), w, rtol=1e-4)


def test_an_unknown_update_rule_is_refused():
    with assert_raises(ValueError):
        minimized(1, update_rule='sgd')


def steps_of(num_steps=1, update_rule='nesterov', **options):
    """How far training moves an encoder of one layer and a decoder."""
    images, targets = tiny.load_batches()[0]
    lasagne.random.set_rng(np.random.RandomState(1))
    net = OrderedDict(input=lasagne.layers.InputLayer(
        (None, 3, 24, 24), T.tensor4()))
    net['conv1_1'] = SameConv2DLayer(net['input'], 4, 3)
    net['chroma'] = SameConv2DLayer(net['conv1_1'], 2, 3)
    variables = [variable for key in ('conv1_1', 'chroma') for variable in
                 (net[key].W, net[key].b)]
    before = [variable.get_value() for variable in variables]
    step, _ = compile_training(
        net, lambda outputs, actual: l2_loss(outputs[0], actual),
        learning_rate=0.01, update_rule=update_rule, momentum=0., **options)
    for _ in range(num_steps):
        step(images, targets)
    return [variable.get_value().astype(np.float64) - value
            for variable, value in zip(variables, before)]


def test_the_encoder_has_a_learning_rate_of_its_own():
    for update_rule in 'adam', 'nesterov':
        plain = steps_of(update_rule=update_rule)
        slow = steps_of(update_rule=update_rule, encoder_rate=0.1)
        for step, other, factor in zip(slow, plain, (0.1, 0.1, 1, 1)):
            assert_allclose(step, factor * other, rtol=1e-3, atol=1e-7)
            ok_(abs(other).max() > 1e-5)


def test_steps_in_bfloat16_are_nearly_the_same():
    if bfloat16_status():
        raise SkipTest(bfloat16_status())
    for step, other in zip(steps_of(bfloat16=True), steps_of()):
        error = abs(step - other).max() / abs(other).max()
        ok_(1e-5 < error < 0.02, error)


def test_long_gradients_are_scaled_down_together():
    plain = steps_of()
    norm = np.sqrt(sum((step ** 2).sum() for step in plain)) / 0.01
    for clip in norm / 4, norm * 4:
        for encoder_rate in 1, 0.5:
            clipped = steps_of(gradient_clip=clip, encoder_rate=encoder_rate)
            factors = np.array([encoder_rate] * 2 + [1] * 2) * min(
                1, clip / norm)
            for step, other, factor in zip(clipped, plain, factors):
                assert_allclose(step, factor * other, rtol=1e-3, atol=1e-7)


def test_weight_decay_pulls_at_the_weights_and_is_not_logged():
    decay, rate = 0.5, 0.1
    images, targets = tiny.load_batches()[0]
    results = []
    for weight_decay in 0, decay:
        lasagne.random.set_rng(np.random.RandomState(1))
        net = OrderedDict(input=lasagne.layers.InputLayer(
            (None, 3, 24, 24), T.tensor4()))
        net['chroma'] = SameConv2DLayer(
            net['input'], 2, 3, b=lasagne.init.Constant(2))
        before = net['chroma'].W.get_value()
        step, _ = compile_training(
            net, lambda outputs, actual: l2_loss(outputs[0], actual),
            weight_decay=weight_decay, update_rule='nesterov',
            learning_rate=rate, momentum=0.)
        loss = float(step(images, targets))
        results.append((loss, net['chroma'].W.get_value(),
                        net['chroma'].b.get_value()))
    eq_(results[0][0], results[1][0])
    assert_allclose(results[1][1],
                    results[0][1] - rate * decay * 2 * before, atol=1e-5)
    # Biases are not pulled at.
    assert_array_equal(results[0][2], results[1][2])
