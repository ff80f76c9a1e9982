"""The networks that settings describe, and other ways to compute them."""

from collections import OrderedDict

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_in, assert_not_in, eq_, ok_
from numpy.testing import assert_allclose

from colornet.config import load_config
from colornet.engine.backend import T, theano
from colornet.engine.switches import SPEEDUPS, without
from colornet.network.networks import (all_parameters, build_network,
                                       trainable_parameters)
from colornet.network.objectives import cross_entropy_loss
from colornet.network.saved import build_pretrained
from colornet.network.stored import fold_batch_norm
from tests.network.decoders import (AROUND, POOLS, RESIDUAL, compile_decoder,
                                    random_maps, randomize, shapes, sources,
                                    tiny_classification)


def configured(*overrides):
    return build_network(load_config(overrides=overrides))


def test_configured_classification_networks():
    net = configured()
    eq_(shapes(net)['input'], (3, 224, 224))
    eq_(shapes(net)['u_scores'], (50, 224, 224))
    eq_([shapes(net)['tail%d' % number][0] for number in (1, 2, 3)],
        [256, 64, 64])
    assert_in('tail1_bn', net)
    assert_in('conv1_2_bn', net)

    tiny = 'data.size=16', 'network.tail=32 16', 'network.num_bins=10'
    net = configured('network.batch_norm=no', 'network.batch_norm_taps=no',
                     'network.fine_tune=yes', 'network.color_space=hsv', *tiny)
    eq_([name for name in net if name.endswith('_bn')], [])
    eq_(shapes(net)['v_scores'], (10, 16, 16))
    eq_([shapes(net)['tail%d' % number][0] for number in (1, 2)], [32, 16])
    assert_in(net['conv1_1'].W, trainable_parameters(net))

    net = configured('network.batch_norm=no', *tiny)
    eq_({name for name in net if name.endswith('_bn')},
        {name + '_bn' for name in RESIDUAL})
    assert_not_in(net['conv1_1'].W, trainable_parameters(net))

    net = configured('network.output_stride=2', 'network.global_features=5',
                     'network.context=1', *tiny)
    eq_(shapes(net)['v_scores'], (10, 8, 8))
    eq_(shapes(net)['global1'], (5,))
    eq_(sources(net, 'r4_sum'), ['r4', 'context1_up2', 'global2'])

    net = configured('network.aggregation=sum', 'network.residual_units=no',
                     *tiny)
    assert_in('sum', net)
    assert_not_in('r4', net)


def test_configured_regression_network():
    x = T.tensor4()
    net = build_network(load_config(overrides=[
        'network.kind=regression', 'objective.loss=l2', 'data.size=16',
        'network.chroma_scale=50', 'network.batch_norm_taps=no']), x)
    eq_(shapes(net)['chroma'], (2, 16, 16))
    eq_(net['chroma'].factor, 50)
    ok_(net['input'].input_var is x)
    assert_not_in('conv1_2_bn', net)
    assert_in('r4_bn', net)


def test_who_builds_a_network_may_choose_its_graph():
    config = load_config(overrides=['data.size=16'])
    for fast_stack in True, False:
        with without('stack'):
            net = build_network(config, fast_stack=fast_stack)
        eq_('concat' not in net, fast_stack)


def test_trained_networks_have_the_graph_that_is_wanted():
    config = load_config(overrides=['data.size=16'])
    for names in [], ['stack']:
        with without(*names):
            eq_('concat' in build_pretrained(config), bool(names))


def check_folded(options):
    """Scores and chrominance do not change when it is folded away."""
    net = tiny_classification(**options)
    randomize(net)
    parameters = OrderedDict(('/'.join(key), variable.get_value())
                             for key, variable in all_parameters(net).items())
    values = fold_batch_norm(parameters)
    folded = tiny_classification(batch_norm=False, **options)
    variables = OrderedDict(('/'.join(key), variable) for key, variable
                            in all_parameters(folded).items())
    eq_(set(values), set(variables))
    for name, variable in variables.items():
        variable.set_value(values[name].astype('float32'))
    names = RESIDUAL if options.get('residual_units', True) else POOLS
    maps = random_maps(names)
    results = []
    for network in net, folded:
        inputs, outputs = compile_decoder(network, names, deterministic=True)
        results.append(theano.function(inputs, outputs)(
            *[maps[name] for name in names]))
    for got, expected in zip(*results):
        assert_allclose(got, expected, rtol=0,
                        atol=1e-5 * abs(expected).max())
    ok_(any(name.endswith('_bn/gamma') for name in values))  # of the taps


def test_batch_norm_folds_into_convolutions():
    for options in ({}, {'aggregation': 'sum'},
                    dict(AROUND, output_stride=4)):
        yield check_folded, options


@attr('slow')
def test_batch_norm_folds_into_other_convolutions():
    for options in ({'fast_stack': False}, {'residual_units': False},
                    {'output_stride': 2}):
        yield check_folded, options


def test_odd_parameters_are_not_folded():
    parameters = {'a_conv/W': np.ones((2, 1, 1, 1)), 'a_bn/gamma': np.ones(2),
                  'a_bn/beta': np.ones(2), 'a_bn/mean': np.ones(2)}
    eq_(set(fold_batch_norm(parameters)), set(parameters))
    parameters['a_bn/variance'] = np.ones(3)
    eq_(set(fold_batch_norm(parameters)), set(parameters))
    parameters['a_bn/variance'] = np.ones(2)
    eq_(set(fold_batch_norm(parameters)), {'a_conv/W', 'a_conv/b'})


def check_by_switching_off(names, options):
    """Speed-ups that change no output and no gradient."""
    image = {'shape': (24, 24), 'batch': 3}
    compare_networks(
        options, options, random_maps(RESIDUAL, **image), (24, 24),
        lambda which: without(*(names if which else ())))


def test_speedups_change_nothing_in_the_variants():
    options = dict(AROUND, output_stride=4)
    yield check_by_switching_off, ['kernels'], options
    yield check_by_switching_off, list(SPEEDUPS), options


def check_fast_stack(options, shape=(16, 16)):
    compare_networks(options, dict(options, fast_stack=False),
                     random_maps(RESIDUAL, shape=shape), shape)


def test_fast_stack_changes_no_output_and_no_gradient():
    yield check_fast_stack, {}
    for stride in 2, 4:
        # Of one pixel, batch normalization would take all shifts out.
        yield (check_fast_stack, dict(AROUND, output_stride=stride),
               (24, 24))


def compare_networks(options, others, maps, shape,
                     context=lambda which: without()):
    """Two ways to compute one network: outputs and all gradients.

    `context` gives what each is compiled in.
    """
    fast, plain = [tiny_classification(**dict(
        each, image_shape=(None, 3) + shape)) for each in (options, others)]
    randomize(fast)
    parameters = all_parameters(fast)
    eq_(set(parameters), set(all_parameters(plain)))
    for key, variable in all_parameters(plain).items():
        variable.set_value(parameters[key].get_value())
    stride = options.get('output_stride', 1)
    target = np.random.RandomState(3).randint(0, 5, (
        len(maps['conv4_3']), 2, shape[0] // stride, shape[1] // stride))
    results = []
    for which, net in enumerate([fast, plain]):
        with context(which):
            variables, outputs = compile_decoder(net, RESIDUAL)
            loss = cross_entropy_loss(outputs,
                                      T.constant(target.astype('int32')))
            wanted = {key: variable for key, variable
                      in all_parameters(net).items()
                      if variable in trainable_parameters(net)}
            gradients = T.grad(loss, list(wanted.values()) + variables)
            values = theano.function(variables, outputs + gradients)(
                *[maps[name] for name in RESIDUAL])
        results.append(dict(zip(['u', 'v'] + list(wanted) + RESIDUAL,
                                values)))
    eq_(set(results[0]), set(results[1]))
    ok_(len(results[0]) > 20)
    for key, value in results[1].items():
        # Batch normalization takes shifts out again: the gradients of some
        # are zero.
        scale = max(abs(value).max(), 1e-4)
        assert_allclose(results[0][key], value, rtol=1e-3, atol=1e-4 * scale,
                        err_msg=str(key))
