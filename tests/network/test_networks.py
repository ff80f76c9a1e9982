"""The networks against the paper's figures: layers, shapes, parameters."""

from functools import partial

import numpy as np
from nose.tools import assert_in, assert_not_in, assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.config import load_config
from colornet.engine.backend import lasagne
from colornet.network.layers import BatchNormLayer
from colornet.network.networks import (all_parameters,
                                       build_classification_network,
                                       build_network, build_regression_network,
                                       decoder_parameters, output_layers,
                                       trainable_parameters)
from tests.network.decoders import (AROUND, POOLS, RESIDUAL, TINY, shapes,
                                    sources, tiny_classification)

VGG16 = ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1', 'conv3_2',
         'conv3_3', 'conv4_1', 'conv4_2', 'conv4_3']


def consumers(net, layer):
    """Names of the layers that take a layer's output."""
    return [name for name, other in net.items() if layer in getattr(
        other, 'input_layers', [getattr(other, 'input_layer', None)])]


# Shapes and numbers of parameters.

DECODER_SHAPES = {
    'conv4_3': (512, 28, 28), 'r4_conv': (256, 28, 28), 'r4': (256, 28, 28),
    'r4_up2': (256, 56, 56), 'conv3_3': (256, 56, 56),
    'unit1_sum': (256, 56, 56), 'unit1_conv': (128, 56, 56),
    'unit1': (128, 56, 56), 'unit1_up2': (128, 112, 112),
    'conv2_2': (128, 112, 112), 'unit2_sum': (128, 112, 112),
    'unit2_conv': (64, 112, 112), 'unit2': (64, 112, 112),
    'conv1_2': (64, 224, 224)}


def check_shapes(net, expected):
    got = shapes(net)
    for name, shape in expected.items():
        eq_(got[name], shape, name)


def test_shapes_of_the_regression_network():
    net = build_regression_network()
    check_shapes(net, dict(DECODER_SHAPES, input=(3, 224, 224),
                           unit2_up2=(64, 224, 224),
                           unit3_sum=(64, 224, 224),
                           unit3_conv=(2, 224, 224), chroma=(2, 224, 224)))
    eq_(list(net)[-1], 'chroma')
    eq_(output_layers(net), [net['chroma']])


def test_shapes_of_the_classification_network():
    tail = {'tail1_conv': (256, 224, 224), 'tail1': (256, 224, 224),
            'tail2': (64, 224, 224), 'tail3': (64, 224, 224),
            'u_scores': (50, 224, 224), 'v_scores': (50, 224, 224)}
    for fast_stack in True, False:
        net = build_classification_network(fast_stack=fast_stack)
        check_shapes(net, dict(DECODER_SHAPES, **tail))
        assert_not_in('tail4', net)
        eq_(list(net)[-2:], ['u_scores', 'v_scores'])
        eq_(output_layers(net), [net['u_scores'], net['v_scores']])
        eq_(net['tail1_conv'].W.get_value().shape, (256, 512, 3, 3))
    eq_(shapes(net)['concat'], (512, 224, 224))
    eq_(shapes(net)['r4_up8'], (256, 224, 224))
    eq_(shapes(net)['unit1_up4'], (128, 224, 224))
    eq_(shapes(net)['unit2_up2'], (64, 224, 224))


def filter_sizes(net):
    return {name: layer.W.get_value().shape[2:] for name, layer in net.items()
            if hasattr(layer, 'W') and name not in VGG16}


def test_filter_sizes():
    three = dict.fromkeys(['unit1_conv', 'unit2_conv'], (3, 3))
    eq_(filter_sizes(build_regression_network(image_shape=TINY)),
        dict(three, r4_conv=(1, 1), unit3_conv=(3, 3)))
    three.update(dict.fromkeys(['tail1_conv', 'tail2_conv', 'tail3_conv'],
                               (3, 3)))
    eq_(filter_sizes(build_classification_network(image_shape=TINY)),
        dict(three, r4_conv=(1, 1), u_scores=(1, 1), v_scores=(1, 1)))


def size_of(variables):
    return sum(variable.get_value().size for variable in variables)


def test_numbers_of_parameters():
    units = 256 * 512 + 9 * 128 * 256 + 9 * 64 * 128
    # gamma and beta of four taps, R4 and two units
    norms = 2 * (512 + 256 + 128 + 64 + 256 + 128 + 64)
    regression = units + norms + 9 * 2 * 64 + 2
    classification = (units + norms + 9 * (256 * 512 + 64 * 256 + 64 * 64) +
                      2 * (256 + 64 + 64) + 2 * (50 * 64 + 50))
    vgg16 = 7635264
    for build, count in ((build_regression_network, regression),
                         (build_classification_network, classification)):
        net = build(image_shape=TINY)
        eq_(size_of(trainable_parameters(net)), count)
        net = build(image_shape=TINY, fine_tune=True)
        eq_(size_of(trainable_parameters(net)), count + vgg16)


def test_shapes_without_residual_units():
    net = build_classification_network(residual_units=False, fast_stack=False)
    check_shapes(net, {
        'pool1': (64, 112, 112), 'pool4': (512, 14, 14),
        'concat': (64 + 128 + 256 + 512, 224, 224),
        'tail1': (256, 224, 224), 'u_scores': (50, 224, 224)})
    for name in 'r4', 'unit1', 'unit2':
        assert_not_in(name, net)


def test_shapes_of_the_elementwise_sum():
    for residual_units in True, False:
        net = build_classification_network(aggregation='sum',
                                           residual_units=residual_units)
        check_shapes(net, {'sum': (64, 224, 224), 'tail1': (256, 224, 224),
                           'v_scores': (50, 224, 224)})
        eq_(net['tail1_conv'].W.get_value().shape, (256, 64, 3, 3))


def test_depths_of_the_tail():
    for tail in (128,), (96, 32), [256, 64, 64]:
        net = build_classification_network(tail=tail, num_bins=20,
                                           image_shape=TINY)
        names = ['tail%d' % number for number in range(1, len(tail) + 1)]
        eq_([shapes(net)[name][0] for name in names], list(tail))
        assert_not_in('tail%d' % (len(tail) + 1), net)
        for name in 'u_scores', 'v_scores':
            eq_(sources(net, name), names[-1:])
            eq_(shapes(net)[name], (20, 16, 16))


def test_shapes_at_output_strides():
    for stride, side in (2, 112), (4, 56):
        net = build_regression_network(output_stride=stride)
        check_shapes(net, dict(DECODER_SHAPES, unit3_sum=(64, side, side),
                               chroma=(2, side, side)))
        for fast_stack in True, False:
            net = build_classification_network(output_stride=stride,
                                               fast_stack=fast_stack)
            check_shapes(net, dict(
                DECODER_SHAPES, conv1_2_bn=(64, 224, 224),
                tail1=(256, side, side), tail3=(64, side, side),
                u_scores=(50, side, side), v_scores=(50, side, side)))
            eq_(net['tail1_conv'].W.get_value().shape, (256, 512, 3, 3))
        eq_(shapes(net)['concat'], (512, side, side))
        for options in {'aggregation': 'sum'}, {'residual_units': False}:
            net = build_classification_network(output_stride=stride, **options)
            eq_(shapes(net)['u_scores'], (50, side, side))
    eq_(sources(build_classification_network(
        output_stride=4, fast_stack=False), 'concat'),
        ['r4_up2', 'unit1', 'unit2_mean2', 'conv1_2_bn_mean4'])


def test_shapes_of_what_surrounds_a_pixel():
    net = build_classification_network(global_features=512, context=3,
                                       image_shape=(None, 3, 232, 24))
    check_shapes(net, {
        'conv4_3_bn': (512, 29, 3), 'context_pool': (512, 15, 2),
        'context1_conv': (256, 15, 2), 'context1': (256, 15, 2),
        'context3_bn': (256, 15, 2), 'context3': (256, 15, 2),
        'context3_up2': (256, 30, 4), 'global_mean': (256,),
        'global1': (512,), 'global2': (256,), 'r4': (256, 29, 3),
        'r4_sum': (256, 29, 3), 'r4_sum_up2': (256, 58, 6)})
    eq_(sources(net, 'r4_sum'), ['r4', 'context3_up2', 'global2'])
    eq_(consumers(net, net['r4_sum']), ['r4_sum_up2', 'tail1_conv'])
    eq_(net['global1'].W.get_value().shape, (256, 512))
    eq_(net['global2'].W.get_value().shape, (512, 256))
    net = build_regression_network(global_features=7, image_shape=TINY)
    eq_(net['global1'].W.get_value().shape, (512, 7))
    eq_(sources(net, 'global_mean'), ['conv4_3_bn'])
    eq_(sources(net, 'unit1_sum'), ['r4_sum_up2', 'conv3_3_bn'])
    for name in net:
        ok_(not name.startswith('context'), name)
    net = build_regression_network(context=1, batch_norm_taps=False,
                                   image_shape=TINY)
    eq_(sources(net, 'context_pool'), ['conv4_3'])
    assert_not_in('global1', net)


def test_images_of_any_size():
    for build in build_regression_network, build_classification_network:
        for options in {}, dict(AROUND, output_stride=4):
            check_any_size(build(image_shape=(2, 3, None, None), **options))


def check_any_size(net):
    for layer in output_layers(net):
        eq_(layer.output_shape[2:], (None, None))


def test_bad_options_are_refused():
    for options in ({'aggregation': 'mean'}, {'tail': ()},
                    {'output_stride': 3},
                    {'residual_units': False, 'context': 1},
                    {'residual_units': False, 'global_features': 1},
                    {'image_shape': (None, 3, 24, 24),
                     'residual_units': False}):
        with assert_raises(ValueError):
            tiny_classification(**options)
    for build in build_regression_network, build_classification_network:
        for size in (16, 20), (18, 16), (100, 100):
            with assert_raises(ValueError) as raised:
                build(image_shape=(None, 3) + size)
            assert_in('divisible by 8, got %s' % (size,),
                      str(raised.exception))


def check_batch_norm(options, heads, taps):
    """Every convolution of the decoder, and every tap, where it must be."""
    net = (tiny_classification(**options) if 'u_scores' in heads else
           build_regression_network(image_shape=TINY))
    convs = [name for name, layer in net.items()
             if hasattr(layer, 'W') and name not in VGG16]
    norms = {name for name, layer in net.items()
             if isinstance(layer, BatchNormLayer)}
    ok_(set(heads) < set(convs))
    expected = {tap + '_bn' for tap in taps}
    for name in convs:
        layer = net[name]
        if name in heads:
            eq_(layer.b.get_value().shape, layer.output_shape[1:2])
            continue
        ok_(layer.b is None, name)
        norm, = consumers(net, layer)
        expected.add(norm)
        ok_(net[norm].nonlinearity is lasagne.nonlinearities.rectify, norm)
    eq_(norms, expected)
    # Every rectifier comes after a normalization; but VGG16 has none, nor has
    # the dense layer of the global features (choice 24).
    rectifiers = {name for name, layer in net.items() if getattr(
        layer, 'nonlinearity', None) is lasagne.nonlinearities.rectify}
    eq_(rectifiers - norms, set(VGG16) | (set(heads) & {'global1'}))
    for tap in taps:
        others = [name for name in consumers(net, net[tap])
                  if name not in VGG16 + POOLS]
        eq_(others, [tap + '_bn'])


def test_batch_norm_stands_before_every_nonlinearity_but_the_heads():
    heads = ['u_scores', 'v_scores']
    yield check_batch_norm, {}, ['unit3_conv'], RESIDUAL
    for fast_stack in True, False:
        options = {'fast_stack': fast_stack}
        yield check_batch_norm, options, heads, RESIDUAL
        options = dict(options, residual_units=False)
        yield check_batch_norm, options, heads, POOLS
    yield check_batch_norm, {'batch_norm_taps': False}, heads, []
    # 1x1 convolutions before the sum are linear.
    joined = ['r4_to64', 'unit1_to64', 'unit2_to64']
    yield check_batch_norm, {'aggregation': 'sum'}, heads + joined, RESIDUAL
    # The layers of the global features have biases, too; the first has a
    # rectifier.
    yield (check_batch_norm, dict(AROUND, output_stride=4),
           heads + ['global1', 'global2'], RESIDUAL)


def test_without_batch_norm_convolutions_have_biases():
    for net in (tiny_classification(batch_norm=False),
                tiny_classification(batch_norm=False, fast_stack=False),
                build_regression_network(batch_norm=False,
                                         image_shape=TINY)):
        eq_({name for name, layer in net.items()
             if isinstance(layer, BatchNormLayer)},
            {tap + '_bn' for tap in RESIDUAL})
        for name, layer in net.items():
            if hasattr(layer, 'W'):
                ok_(layer.b is not None, name)


def test_heads_are_linear():
    classification = tiny_classification()
    regression = build_regression_network(image_shape=TINY)
    for layer in (classification['u_scores'], classification['v_scores'],
                  regression['unit3_conv']):
        ok_(layer.nonlinearity is lasagne.nonlinearities.identity)
    eq_(sources(regression, 'chroma'), ['unit3_conv'])


def test_new_layers_are_glorot_initialized_or_as_he_et_al():
    lasagne.random.set_rng(np.random.RandomState(0))
    for kind, loss, initialization in (
            ('classification', 'cross_entropy', 'glorot'),
            ('regression', 'l2', 'glorot'),
            ('classification', 'cross_entropy', 'he')):
        net = build_network(load_config(overrides=[
            'data.size=16', 'network.kind=' + kind, 'objective.loss=' + loss,
            'network.initialization=' + initialization]))
        for (key, name), variable in decoder_parameters(net).items():
            value = variable.get_value()
            if name == 'W':
                filters, channels, rows, columns = value.shape
                fan = rows * columns * (channels if initialization == 'he'
                                        else filters + channels)
                bound = np.sqrt(6. / fan)
                assert_allclose(abs(value).max(), bound, rtol=0.02)
                assert_allclose(value.std(), bound / np.sqrt(3), rtol=0.05)
                ok_(abs(value.mean()) < 4 * value.std() / value.size ** 0.5)
            else:
                constant = name in ('gamma', 'variance')
                assert_array_equal(value, np.full_like(value, constant), key)


def names_of(variables, net):
    keys = {variable: key for key, variable in all_parameters(net).items()}
    return {keys[variable] for variable in variables}


def check_trained(build, **options):
    for fine_tune in False, True:
        net = build(fine_tune=fine_tune, image_shape=TINY, **options)
        everything, decoder = all_parameters(net), decoder_parameters(net)
        encoder = {(name, which) for name in VGG16 for which in 'Wb'}
        eq_(set(everything) - set(decoder), encoder)
        eq_({id(variable) for variable in everything.values()},
            {id(variable) for variable in
             lasagne.layers.get_all_params(output_layers(net))})
        expected = {key for key in decoder
                    if key[1] in ('W', 'b', 'gamma', 'beta')}
        ok_(len(expected) < len(decoder))  # the rest: running averages
        eq_(names_of(trainable_parameters(net), net),
            expected | encoder if fine_tune else expected)


def test_what_is_trained():
    for build in build_regression_network, build_classification_network:
        yield check_trained, build
        yield partial(check_trained, output_stride=4, **AROUND), build


def test_names_tell_parameters_apart():
    net = tiny_classification()
    parameters = all_parameters(net)
    for key in (('conv1_1', 'W'), ('conv4_3', 'b'), ('conv4_3_bn', 'gamma'),
                ('r4_conv', 'W'), ('unit2_bn', 'variance'), ('u_scores', 'b')):
        ok_(parameters[key] in net[key[0]].params)
    eq_(len(parameters), sum(len(layer.params) for layer in net.values()))
