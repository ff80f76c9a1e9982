"""A network that learns by PyTorch against the one by Theano."""

import io
from unittest import mock

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.agreement import compare, kind_of
from colornet import color
from colornet.config import load_config
from colornet.network.inputs import make_transform
from colornet.training.learner import TheanoLearner, make_objective
from tests import tiny
from tests.pytorch import EVERYDAY, make_learner, need


def test_settings_that_only_theano_has_are_refused():
    for settings in (['network.color_space=hsv', 'decoding.method=argmax',
                      'decoding.temperature=1', 'decoding.saturation=1'],
                     ['network.aggregation=sum'],
                     ['network.batch_norm=no'],
                     ['network.residual_units=no',
                      'data.proportions=squash', 'data.min_crop=1',
                      'network.global_features=0', 'network.context=0'],
                     ['training.update_rule=nesterov'],
                     ['training.weight_decay=0.1'],
                     ['training.start_from=a.h5'], ['decoding.smoothing=1']):
        config = load_config(EVERYDAY, settings)
        tiny.check_error(lambda: make_learner(config), settings[0],
                         '"colornet train"')


def all_colours():
    """A minibatch with each fifth value of each channel, and the last."""
    values = np.append(np.arange(0, 255, 5), 255).astype(np.uint8)
    return np.stack(np.meshgrid(values, values, values), -1)


def test_colours_on_the_device():
    need('torch')
    import torch

    from benchmarks import pytorch_color
    rgb = all_colours()
    luminance, chroma = pytorch_color.split_channels(torch.from_numpy(rgb))
    expected, expected_chroma = color.split_channels(rgb)
    expected_chroma = np.moveaxis(expected_chroma, -1, 1)
    assert_allclose(luminance.numpy(), expected, atol=2e-4)
    assert_allclose(chroma.numpy(), expected_chroma, atol=2e-3)
    bins = pytorch_color.bin_chroma(torch.from_numpy(expected_chroma), 50,
                                    (-100., 100.))
    assert_array_equal(bins.numpy(), color.bin_channel(expected_chroma))


def test_inputs_and_targets():
    for settings in ([], ['network.kind=regression', 'objective.loss=l2']):
        config = load_config(settings and tiny.REGRESSION or tiny.EXPERIMENT,
                             settings + ['network.output_stride=4'])
        learner = make_learner(config)
        rgb = all_colours()[:4, :48, :48]
        inputs, targets, same = learner.transform(rgb)
        expected, expected_targets, _ = make_transform(config.network)(rgb)
        ok_(same is rgb)
        assert_allclose(inputs.numpy(), expected, atol=1e-3)
        if settings:
            assert_allclose(targets.numpy(), expected_targets, atol=2e-3)
        else:  # Rounding may cross the edge of a bin.
            ok_((targets.numpy() != expected_targets).mean() < 1e-3)


def both_learners(settings, rgb):
    """Theano's and PyTorch's, with one network; inputs and targets."""
    from benchmarks.pytorch_network import Variable
    kind = tiny.EXPERIMENT
    if 'network.kind=regression' in settings:
        kind = tiny.REGRESSION
        settings = settings + ['network.chroma_scale=20']
    else:
        settings = settings + ['network.num_bins=10', 'network.tail=8 8',
                               'decoding.method=mean']
    config = load_config(kind, settings + [
        'data.size=%d' % rgb.shape[1], 'decoding.saturation=1.5'])
    theirs, ours = TheanoLearner(config), make_learner(config)
    for learner in (theirs, ours):
        learner.build()
    eq_(set(theirs.parameters), set(ours.parameters))
    random = np.random.RandomState(0)
    for (layer, name), variable in theirs.parameters.items():
        value = variable.get_value()
        eq_(value.shape, ours.parameters[layer, name].get_value().shape)
        if name == 'gamma' or name == 'variance':  # All are ones, ...
            variable.set_value(value * random.uniform(
                0.5, 2, value.shape).astype(value.dtype))
        elif name in ('beta', 'mean', 'b') and not value.any():  # or zeros.
            variable.set_value(random.uniform(
                -0.1, 0.1, value.shape).astype(value.dtype))
        ours.parameters[layer, name].set_value(variable.get_value())
    # Without zeros, of which there would be several in a block of four.
    for biases in (theirs._net['conv4_3'].b,
                   Variable(ours._network.tensors()['conv4_3', 'b'])):
        biases.set_value(biases.get_value() + np.float32(2000))
    for learner in (theirs, ours):
        with mock.patch('sys.stderr', io.StringIO()):
            learner.compile()
    return theirs, ours, theirs.transform(rgb)[:2]


def theano_results(learner, inputs, targets, rates):
    from colornet.engine.backend import T, lasagne, theano
    from colornet.network.networks import output_layers, trainable_parameters
    net = learner._net
    layers = output_layers(net)
    variable = (T.itensor4 if len(layers) == 2 else T.tensor4)()
    loss = make_objective(learner.config.objective)(
        lasagne.layers.get_output(layers), variable)
    trained = trainable_parameters(net)
    results = dict(zip(
        ['gradient %s/%s' % key for parameter in trained
         for key, other in learner.parameters.items() if other is parameter],
        theano.function([net['input'].input_var, variable],
                        T.grad(loss, trained))(inputs, targets)))
    scores = theano.function([net['input'].input_var], lasagne.layers
                             .get_output(layers, deterministic=True))(inputs)
    return finish(learner, inputs, targets, rates, results, scores)


def pytorch_results(learner, inputs, targets, rates):
    import torch

    from benchmarks.pytorch_network import Variable
    inputs = torch.from_numpy(inputs)
    targets = torch.from_numpy(
        targets.astype(np.int64) if targets.dtype.kind == 'i' else targets)
    before = {key: variable.get_value()
              for key, variable in learner.parameters.items()}
    learner._network.train()
    loss = learner._objective(learner._outputs(learner._network, inputs),
                              targets)
    trained = [(key, variable.tensor) for key, variable in
               learner.parameters.items() if variable.tensor.requires_grad]
    results = {
        'gradient %s/%s' % key: Variable(gradient).get_value()
        for (key, _), gradient in zip(trained, torch.autograd.grad(
            loss, [tensor for _, tensor in trained]))}
    for key, value in before.items():  # That was not a step.
        learner.parameters[key].set_value(value)
    learner._network.eval()
    with torch.no_grad():
        scores = [channel.numpy() for channel in learner._network(inputs)]
    return finish(learner, inputs, targets, rates, results, scores)


def finish(learner, inputs, targets, rates, results, scores):
    """Results of a few steps besides."""
    before = {key: variable.get_value()
              for key, variable in learner.parameters.items()}
    loss, chroma = learner.validate(inputs, targets)
    results.update({'scores': np.stack(scores), 'validation loss': loss,
                    'validation chroma': chroma})
    losses = []
    for rate in rates:
        learner.set_learning_rate(rate)
        losses.append(float(learner.step(inputs, targets)))
    results['losses'] = np.array(losses)
    for key, variable in (learner.averages or learner.parameters).items():
        change = variable.get_value() - before[key]
        if key == ('conv4_3_bn', 'beta'):
            continue  # The next normalization takes it away: see agreement.
        kind = 'average' if key[1] in ('mean', 'variance') else 'change'
        results['%s %s/%s' % ((kind,) + key)] = change
    results['validation loss after'] = learner.validate(inputs, targets)[0]
    return results


#: Of results of :func:`finish`, as :mod:`benchmarks.agreement` has them for
#: its own. Few pixels: one at a rectifier's edge shows in the gradients, and
#: Adam makes much of small ones.
TOLERANCES = {'scores': 1e-5, 'validation loss': 1e-5,
              'validation chroma': 1e-4, 'gradient': 1e-4, 'losses': 1e-4,
              'change': 2e-2, 'average': 1e-4, 'validation loss after': 1e-4}

#: With VGG16, which has most rectifiers.
TUNED_TOLERANCES = dict(TOLERANCES, gradient=1e-2, change=5e-2, average=1e-3)


def check_agreement(settings):
    from colornet.photos.reading import find_images, read_rgb
    rgb = np.stack([read_rgb(path, 40)
                    for path in list(find_images(tiny.PHOTOS))[:3]])
    theirs, ours, batch = both_learners(settings, rgb)
    rates = [1e-5, 3e-5, 1e-5]
    expected = theano_results(theirs, *batch, rates=rates)
    results = pytorch_results(ours, *batch, rates=rates)
    tuned = 'network.fine_tune=yes' in settings
    for name, difference, _ in compare(results, expected):
        allowed = (TUNED_TOLERANCES if tuned else TOLERANCES)[kind_of(name)]
        ok_(difference <= allowed, (name, difference, allowed))


def test_a_network_with_all_that_is_new_agrees():
    need('torch')
    check_agreement(['network.output_stride=4', 'network.global_features=8',
                     'network.context=1', 'network.fine_tune=yes',
                     'training.average=0.9', 'training.encoder_rate=0.5',
                     'training.gradient_clip=1'])


@attr('slow')
def test_networks_agree():
    need('torch')
    classification, regression = [], ['network.kind=regression']
    for kind, stride, features, context, more in (
            (classification, 1, 0, 0, []),
            (classification, 2, 8, 0, ['training.average=0.9']),
            (classification, 4, 0, 2, ['network.batch_norm_taps=no']),
            (classification, 1, 8, 1, []),
            (regression, 1, 8, 2, ['training.gradient_clip=100']),
            (regression, 2, 0, 1, ['objective.loss=l2']),
            (regression, 4, 8, 0, ['network.fine_tune=yes']),
            (regression, 4, 0, 0, ['training.average=0.9'])):
        yield check_agreement, kind + more + [
            'network.output_stride=%d' % stride,
            'network.global_features=%d' % features,
            'network.context=%d' % context]
