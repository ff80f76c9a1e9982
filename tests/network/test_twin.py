"""What the networks compute, against a plain numpy twin."""

from functools import partial

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import eq_
from numpy.testing import assert_allclose

from colornet.engine.backend import theano
from colornet.network.networks import all_parameters, build_regression_network
from tests.network.decoders import (AROUND, POOLS, RESIDUAL, TINY,
                                    compile_decoder, mean_pool, random_maps,
                                    randomize, tiny_classification)

#: Not divisible by 16, in a minibatch of an odd number.
ODD = {'shape': (24, 40), 'batch': 3}


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
