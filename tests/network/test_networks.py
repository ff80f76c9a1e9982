"""The networks against the paper's figures and a plain numpy twin."""

from collections import OrderedDict
from functools import partial
from pathlib import Path

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_in, assert_not_in, assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.color import bin_channel, split_channels
from colornet.config import load_config
from colornet.engine.backend import T, lasagne, theano
from colornet.engine.native import SPEEDUPS
from colornet.network.inputs import preprocess
from colornet.network.layers import BatchNormLayer
from colornet.network.networks import (all_parameters,
                                       build_classification_network,
                                       build_network, build_regression_network,
                                       decoder_parameters, fold_batch_norm,
                                       output_layers, trainable_parameters)
from colornet.network.objectives import cross_entropy_loss, l2_loss
from colornet.network.vgg16 import load_vgg16_weights, set_vgg16_weights
from colornet.photos.reading import find_images, read_rgb
from colornet.training.updates import compile_training
from tests.tiny import without_speedups

ROOT = Path(__file__).resolve().parents[2]
TINY = (None, 3, 16, 16)

VGG16 = ['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2', 'conv3_1', 'conv3_2',
         'conv3_3', 'conv4_1', 'conv4_2', 'conv4_3']

#: VGG16's maps that the decoder takes, and the shapes that TINY gives them.
TAPS = {'conv1_2': (64, 16), 'conv2_2': (128, 8), 'conv3_3': (256, 4),
        'conv4_3': (512, 2), 'pool1': (64, 8), 'pool2': (128, 4),
        'pool3': (256, 2), 'pool4': (512, 1)}
RESIDUAL = ['conv1_2', 'conv2_2', 'conv3_3', 'conv4_3']
POOLS = ['pool1', 'pool2', 'pool3', 'pool4']


def tiny_classification(**options):
    options = dict({'num_bins': 5, 'tail': (12, 8, 6),
                    'image_shape': TINY}, **options)
    return build_classification_network(**options)


def shapes(net):
    return {name: layer.output_shape[1:] for name, layer in net.items()}


def consumers(net, layer):
    """Names of the layers that take a layer's output."""
    return [name for name, other in net.items() if layer in getattr(
        other, 'input_layers', [getattr(other, 'input_layer', None)])]


def sources(net, name):
    """Names of the layers that a layer takes."""
    layer = net[name]
    incomings = getattr(layer, 'input_layers', None) or [layer.input_layer]
    return [name for incoming in incomings
            for name, other in net.items() if other is incoming]


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


# Batch normalization, initialization, what is trained.

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
    # So are the layers of the global features.
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


# What the networks compute, against numpy.

class Twin:
    """A network's decoder in numpy, written from the paper's figures."""

    def __init__(self, net, maps):
        self.values = {key: variable.get_value() for key, variable
                       in all_parameters(net).items()}
        self.maps = maps

    def get(self, name, which):
        return self.values[name, which][:, None, None]

    def conv(self, name, maps):
        # Lasagne flips filters.
        W = self.values[name, 'W'][:, :, ::-1, ::-1]
        size, rows, columns = W.shape[2], maps.shape[2], maps.shape[3]
        half = size // 2
        padded = np.pad(maps, ((0, 0), (0, 0), (half, half), (half, half)))
        output = sum(np.einsum('oc,ncij->noij', W[:, :, i, j],
                               padded[:, :, i:i + rows, j:j + columns])
                     for i in range(size) for j in range(size))
        if (name, 'b') in self.values:
            output = output + self.get(name, 'b')
        return output

    def norm(self, name, maps):
        if (name, 'gamma') not in self.values:
            return maps
        return ((maps - self.get(name, 'mean')) /
                np.sqrt(self.get(name, 'variance') + 1e-4) *
                self.get(name, 'gamma') + self.get(name, 'beta'))

    def unit(self, name, maps):
        return np.maximum(
            self.norm(name + '_bn', self.conv(name + '_conv', maps)), 0)

    def tap(self, name):
        return self.norm(name + '_bn', self.maps[name])

    def dense(self, name, vectors):
        return vectors.dot(self.values[name, 'W']) + self.values[name, 'b']

    def r4(self):
        """R4's map, with context and global vector if they have weights."""
        seen = self.tap('conv4_3')
        r4 = self.unit('r4', seen)
        number = 1
        while ('context%d_conv' % number, 'W') in self.values:
            if number == 1:
                seen = max_pool(seen)
            seen = self.unit('context%d' % number, seen)
            number += 1
        name = 'r4'
        if number > 1:
            rows, columns = r4.shape[2:]
            r4 = r4 + upscale(seen, 2)[:, :, :rows, :columns]
            name = 'r4_sum'
        if ('global1', 'W') in self.values:
            hidden = np.maximum(self.dense('global1', seen.mean((2, 3))), 0)
            r4 = r4 + self.dense('global2', hidden)[:, :, None, None]
            name = 'r4_sum'
        return name, r4

    def parts(self):
        """R4 and the units, with their upscaling to the image's size."""
        name, r4 = self.r4()
        unit1 = self.unit('unit1', upscale(r4, 2) + self.tap('conv3_3'))
        unit2 = self.unit('unit2', upscale(unit1, 2) + self.tap('conv2_2'))
        return [(name, r4, 8), ('unit1', unit1, 4), ('unit2', unit2, 2)]

    def regression(self, chroma_scale, stride=1):
        _, unit2, scale = self.parts()[-1]
        return [chroma_scale * self.conv(
            'unit3_conv', rescale(unit2, scale, stride) +
            rescale(self.tap('conv1_2'), 1, stride))]

    def classification(self, aggregation, residual_units, tail, stride=1):
        if residual_units:
            parts = self.parts()
            last = [rescale(self.tap('conv1_2'), 1, stride)]
        else:
            parts = [(name + '_bn' if (name + '_bn', 'gamma') in self.values
                      else name, self.tap(name), scale) for name, scale in
                     (('pool4', 16), ('pool3', 8), ('pool2', 4), ('pool1', 2))]
            last = []
        if aggregation == 'concat':
            maps = np.concatenate([rescale(part, scale, stride)
                                   for _, part, scale in parts] + last,
                                  axis=1)
        else:
            maps = sum([rescale(self.conv(name + '_to64', part), scale,
                                stride)
                        for name, part, scale in parts] + last)
        for number in range(1, tail + 1):
            maps = self.unit('tail%d' % number, maps)
        return [self.conv(name, maps) for name in ('u_scores', 'v_scores')]


def upscale(maps, scale):
    return np.kron(maps, np.ones((scale, scale), maps.dtype))


def mean_pool(maps, scale):
    return sum(maps[:, :, row::scale, column::scale] for row in range(scale)
               for column in range(scale)) / scale ** 2


def max_pool(maps):
    """By two, the last of an odd number of rows and columns alone."""
    batch, channels, rows, columns = maps.shape
    pooled = np.empty((batch, channels, -(-rows // 2), -(-columns // 2)))
    for row in range(pooled.shape[2]):
        for column in range(pooled.shape[3]):
            pooled[:, :, row, column] = maps[
                :, :, 2 * row:2 * row + 2, 2 * column:2 * column + 2].max(
                    (2, 3))
    return pooled


def rescale(maps, scale, stride):
    """From one per `scale` pixels of the image to one per `stride`."""
    return (upscale(maps, scale // stride) if scale >= stride else
            mean_pool(maps, stride // scale))


def randomize(net):
    """Give every parameter a value that shows."""
    rng = np.random.RandomState(1)
    for (_, name), variable in decoder_parameters(net).items():
        shape = variable.get_value().shape
        variable.set_value((
            rng.normal(0, np.prod(shape[1:]) ** -0.5, shape) if name == 'W'
            else rng.uniform(0.5, 2, shape) if name in ('gamma', 'variance')
            else rng.normal(0, 0.5, shape)).astype('float32'))


def compile_decoder(net, names, **options):
    """A function from VGG16's maps to the outputs: the encoder left out."""
    maps = [T.tensor4(name) for name in names]
    outputs = lasagne.layers.get_output(
        output_layers(net), {net[name]: value for name, value
                             in zip(names, maps)}, **options)
    return maps, outputs


def random_maps(names, seed=2, batch=2, shape=(16, 16)):
    """VGG16's maps for images of a shape."""
    rng = np.random.RandomState(seed)
    return {name: rng.uniform(0, 2, (batch, TAPS[name][0]) + tuple(
        size * TAPS[name][1] // 16 for size in shape)).astype('float32')
            for name in names}


def check_decoder(net, evaluate, **options):
    names = RESIDUAL if 'r4' in net else POOLS
    randomize(net)
    variables, outputs = compile_decoder(net, names, deterministic=True)
    maps = random_maps(names, **options)
    got = theano.function(variables, outputs)(*[maps[name] for name in names])
    expected = evaluate(Twin(net, maps))
    eq_(len(got), len(expected))
    for one, other in zip(got, expected):
        assert_allclose(one, other, rtol=1e-4, atol=1e-4 * abs(other).max())


def test_regression_decoder_is_the_twin():
    check_decoder(build_regression_network(chroma_scale=3., image_shape=TINY),
                  lambda twin: twin.regression(3.))


def check_classification(options, tail=3, **image):
    if image:
        options = dict(options, image_shape=(None, 3) + image['shape'])
    check_decoder(tiny_classification(**options), lambda twin:
                  twin.classification(options.get('aggregation', 'concat'),
                                      options.get('residual_units', True),
                                      tail, options.get('output_stride', 1)),
                  **image)


def test_classification_decoder_is_the_twin():
    yield check_classification, {}
    yield check_classification, {'batch_norm': False, 'tail': (7, 6),
                                 'batch_norm_taps': False}, 2


def test_alternative_decoders_are_the_twins():
    pools = {'residual_units': False, 'tail': (7,)}
    sums = {'aggregation': 'sum', 'tail': (7,)}
    yield check_classification, pools, 1
    yield check_classification, sums, 1
    yield check_classification, dict(pools, aggregation='sum',
                                     batch_norm_taps=False), 1


def check_regression(options, **image):
    net = build_regression_network(
        chroma_scale=3., image_shape=(None, 3) + image.get('shape', (16, 16)),
        **options)
    check_decoder(net, lambda twin: twin.regression(
        3., options.get('output_stride', 1)), **image)


#: Not divisible by 16, in a minibatch of an odd number.
ODD = {'shape': (24, 40), 'batch': 3}

AROUND = {'global_features': 9, 'context': 2}


def test_output_strides_are_the_twins():
    for stride in 2, 4:
        options = {'output_stride': stride, 'tail': (7,)}
        yield partial(check_classification, tail=1, **ODD), options
        yield check_classification, dict(options, fast_stack=False), 1
        yield check_regression, {'output_stride': stride}


@attr('slow')
def test_output_strides_of_alternative_decoders_are_the_twins():
    for stride in 2, 4:
        for options in ({'aggregation': 'sum'}, {'residual_units': False},
                        {'aggregation': 'sum', 'residual_units': False},
                        {'batch_norm_taps': False, 'batch_norm': False}):
            yield check_classification, dict(options, tail=(7,),
                                             output_stride=stride), 1


def test_what_surrounds_a_pixel_is_the_twins():
    for options in {'global_features': 9}, {'context': 2}, AROUND:
        yield (partial(check_classification, tail=1, **ODD),
               dict(options, tail=(7,), output_stride=4))
    yield check_classification, AROUND
    yield partial(check_regression, **ODD), AROUND


@attr('slow')
def test_what_surrounds_a_pixel_is_the_twins_in_other_decoders():
    yield check_classification, dict(AROUND, aggregation='sum')
    yield check_classification, dict(AROUND, batch_norm=False,
                                     batch_norm_taps=False)
    yield check_regression, dict(AROUND, output_stride=2, batch_norm=False)


def check_by_switching_off(names, options):
    """Speed-ups that change no output and no gradient."""
    image = {'shape': (24, 24), 'batch': 3}
    compare_networks(
        options, options, random_maps(RESIDUAL, **image), (24, 24),
        lambda which: without_speedups(*(names if which else ())))


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
                     context=lambda which: without_speedups()):
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


# Networks from configurations.

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


# Training on a few photos.

def photos():
    """Inputs and chrominance of two real photos."""
    paths = find_images(ROOT / 'tests' / 'photos')[:2]
    grey, chroma = split_channels(np.array([read_rgb(path, 16)
                                            for path in paths]))
    return preprocess(grey), np.ascontiguousarray(np.moveaxis(chroma, -1, 1))


def overfit(build, objective, targets, steps, **options):
    """Losses of training on the same minibatch again and again."""
    inputs, _ = photos()
    lasagne.random.set_rng(np.random.RandomState(5))
    net = build(T.tensor4(), image_shape=TINY, **options)
    set_vgg16_weights(net, load_vgg16_weights(ROOT / 'weights' / 'vgg16.pkl'))
    step, _ = compile_training(net, objective, learning_rate=0.003)
    return [float(step(inputs, targets)) for _ in range(steps)]


@attr('slow')
def test_classification_overfits_a_tiny_batch():
    _, chroma = photos()
    losses = overfit(build_classification_network, cross_entropy_loss,
                     bin_channel(chroma), 100)
    ok_(losses[0] > np.log(50), losses[0])
    ok_(losses[-1] < 0.1, losses[-1])


@attr('slow')
def test_a_cheaper_variant_overfits_a_tiny_batch():
    _, chroma = photos()
    targets = bin_channel(mean_pool(chroma, 4))
    losses = overfit(build_classification_network, cross_entropy_loss,
                     targets, 100, output_stride=4, global_features=32,
                     context=2)
    ok_(losses[0] > np.log(50), losses[0])
    ok_(losses[-1] < 0.1, losses[-1])


@attr('slow')
def test_regression_overfits_a_tiny_batch():
    _, chroma = photos()
    losses = overfit(build_regression_network,
                     lambda outputs, target: l2_loss(outputs[0], target),
                     chroma, 200, chroma_scale=10.)
    grey = (chroma ** 2).sum(1).mean()
    ok_(losses[0] > grey / 10)
    ok_(losses[-1] < grey / 100, (losses[-1], grey))
