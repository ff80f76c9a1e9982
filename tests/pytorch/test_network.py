"""Both engines train the same network, whatever its settings."""

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_less, eq_
from numpy.testing import assert_allclose, assert_array_equal

from tests.pytorch.learners import (make_config, make_learner, read_photos,
                                    ready)
from tests.tiny import need

REGRESSION, MEAN = 'network.kind=regression', 'decoding.method=mean'

#: Each value of each setting that makes another graph is in one.
ALL = [
    [MEAN],
    [REGRESSION],
    ['network.aggregation=sum', 'network.num_bins=7', 'network.tail=8'],
    ['network.residual_units=no', MEAN],
    ['network.residual_units=no', 'network.aggregation=sum',
     'network.batch_norm_taps=no'],
    ['network.batch_norm=no', 'network.initialization=he'],
    ['network.batch_norm=no', REGRESSION, 'network.batch_norm_taps=no',
     'objective.loss=l2'],
    ['network.context=1', 'network.global_features=8', 'data.size=40',
     'network.output_stride=2', MEAN, 'decoding.temperature=0.4'],
    ['network.context=2', 'network.output_stride=4', 'data.size=16',
     'network.aggregation=sum', 'training.update_rule=nesterov'],
    [REGRESSION, 'network.context=1', 'network.global_features=8',
     'network.output_stride=4', 'training.update_rule=nesterov',
     'training.momentum=0.5', 'training.average=0.5'],
    ['network.fine_tune=yes', 'training.encoder_rate=0.5',
     'training.gradient_clip=1', 'training.average=0.9', MEAN,
     'decoding.smoothing=1.5', 'training.weight_decay=0.01',
     'network.output_stride=4'],
    # Without the clip, it diverges: see test_both_engines_diverge_alike.
    [REGRESSION, 'network.fine_tune=yes', 'training.gradient_clip=100',
     'training.update_rule=nesterov', 'training.encoder_rate=0.1',
     'decoding.saturation=1.5'],
    ['network.color_space=hsv', 'network.output_stride=2',
     'training.weight_decay=0.1'],
    [REGRESSION, 'network.color_space=hsv', 'network.chroma_scale=1',
     'objective.huber_threshold=0.1', 'training.beta1=0.5',
     'training.beta2=0.9'],
    ['objective.balance=yes', MEAN],
]


def scores_of(learner, engine, inputs):
    if engine == 'theano':
        from colornet.engine.backend import lasagne, theano
        from colornet.network.networks import output_layers
        net = learner._net
        return theano.function([net['input'].input_var], lasagne.layers
                               .get_output(output_layers(net),
                                           deterministic=True))(inputs)
    import torch
    with torch.no_grad():
        return [scores.numpy() for scores in
                learner._network.eval()(torch.from_numpy(inputs))]


def check_agreement(settings, num_photos=3):
    config = make_config(settings)
    engines = ('theano', 'pytorch')
    learners = [make_learner(config, engine) for engine in engines]
    if config.objective['balance']:
        # As a run sets them, by its photos.
        for learner in learners:
            learner.class_weights = np.random.RandomState(0).uniform(
                0.3, 3, (2, config.network['num_bins'])).astype(np.float32)
    theirs, ours = map(ready, learners)
    # From the seed on, all is the same.
    eq_(list(theirs.parameters), list(ours.parameters))
    for key, variable in theirs.parameters.items():
        assert_array_equal(ours.parameters[key].get_value(),
                           variable.get_value(), '/'.join(key))
    eq_([variable.get_value().shape for variable in theirs.optimizer_state],
        [variable.get_value().shape for variable in ours.optimizer_state])
    inputs, targets, _ = theirs.transform(read_photos(config.data['size'],
                                                      num_photos))
    for expected, scores in zip(*[scores_of(learner, engine, inputs)
                                  for learner, engine in
                                  zip(learners, engines)]):
        assert_less(abs(scores - expected).max() / abs(expected).max(), 1e-5)
    (loss, chroma), (our_loss, our_chroma) = [
        learner.validate(inputs, targets) for learner in learners]
    assert_allclose(our_loss, loss, rtol=1e-5)
    # Of scores as large as these, a softmax magnifies the last digits.
    assert_less(np.mean(abs(our_chroma - chroma) > 1e-4 * max(
        abs(chroma).max(), 100)), 0.01)
    losses = []
    for learner in learners:
        learner.set_learning_rate(config.training['learning_rate'])
        losses.append([float(learner.step(inputs, targets))
                       for _ in range(3)])
    assert_allclose(losses[1], losses[0], rtol=1e-4)
    # Means may be zeros but for rounding.
    for key, variable in (theirs.averages or theirs.parameters).items():
        if key[1] == 'variance':
            value = variable.get_value()
            assert_less(abs((ours.averages or ours.parameters)[
                key].get_value() - value).max(), 1e-3 * abs(value).max())


def test_the_everyday_network():
    need('torch', 'theano')
    check_agreement(['network.context=1', 'network.global_features=8',
                     'data.size=40', 'network.output_stride=4', MEAN,
                     'training.average=0.9', 'training.gradient_clip=1'])


@attr('slow')
def test_all_settings():
    need('torch', 'theano')
    for settings in ALL:
        yield check_agreement, settings
    # Of a map of one pixel, batch normalization has one number.
    yield check_agreement, ['network.context=1', 'data.size=16'], 1


@attr('slow')
def test_both_engines_diverge_alike():
    """Nesterov's rate of the defaults is too high for L2 and all of VGG16."""
    need('torch', 'theano')
    settings = [REGRESSION, 'objective.loss=l2', 'network.fine_tune=yes',
                'training.update_rule=nesterov']
    for rate, diverges in (3e-4, True), (1e-5, False):
        config = make_config(settings + ['training.learning_rate=%g' % rate])
        found = []
        for engine in 'theano', 'pytorch':
            learner = ready(make_learner(config, engine))
            inputs, targets, _ = learner.transform(read_photos(32))
            learner.set_learning_rate(rate)
            losses = [float(learner.step(inputs, targets)) for _ in range(5)]
            found.append(losses + [float(
                learner.validate(inputs, targets)[0])])
        # As long as there are numbers, they are the same.
        assert_allclose(found[1][:3], found[0][:3], rtol=5e-3)
        for losses in found:
            eq_(np.isnan(losses).tolist(), 3 * [False] + 3 * [diverges])
            eq_(losses[2] > 1e6 * losses[0], diverges)
