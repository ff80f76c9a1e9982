"""Networks that predict in bfloat16, layer by layer, by oneDNN (3.1).

The network of :mod:`.layer_by_layer` becomes a list of steps. Maps stay in
bfloat16, channels last, from one convolution to the next: on processors with
AMX, bringing float32 maps into such a layout and back takes longer than
convolving them.
"""

import numpy as np

from ..color import get_color_space
from ..engine import bfloat16
from ..engine.convolvers import bfloat16_status
from ..errors import ColornetError
from ..network.inputs import preprocess
from ..network.stored import EPSILON, with_decodings
from ..refinement.scores import decode_scores
from .layer_by_layer import (LayerGraph, add_network, check_divisible,
                             load_folded, output_names)

__all__ = ['load_rounded', 'load_rounded_outputs']

#: Convolutions whose results are not rounded.
_OUTPUTS = ('u_scores', 'v_scores', 'unit3_conv')


class _Value:
    """Maps, times factors, plus vectors, upscaled: all of that to be done.

    Attributes
    ----------
    maps : ndarray of uint16, (batch, rows, columns, channels)
    factors : ndarray of float32, (channels,), or None
    vectors : ndarray of float32, (channels,), or None
    scale : int
    """

    def __init__(self, maps, factors=None, vectors=None, scale=1):
        self.maps, self.factors = maps, factors
        self.vectors, self.scale = vectors, scale

    @property
    def shape(self):
        """Rows and columns."""
        return tuple(self.scale * size for size in self.maps.shape[1:3])

    def done(self):
        """The maps, when it is done."""
        if self.factors is None and self.vectors is None and self.scale == 1:
            return self.maps
        return _total([self]).maps


def _total(values):
    """Sum of maps and of vectors, (batch, channels), as maps."""
    maps = [value for value in values if isinstance(value, _Value)]
    first = maps[0].maps
    vectors = np.zeros((len(first), first.shape[3]), np.float32)
    for value in values:
        if not isinstance(value, _Value):
            vectors += value
        elif value.vectors is not None:
            vectors += value.vectors
    return _Value(bfloat16.total(
        [value.maps for value in maps], [value.scale for value in maps],
        [value.factors for value in maps], vectors, maps[0].shape))


class _Steps(LayerGraph):
    """A graph whose layers are steps of a computation.

    Attributes
    ----------
    steps : list of (callable, list of str, str)
        What makes a value of others, their names and its own.
    """

    def __init__(self, parameters, source, outputs):
        super().__init__(parameters, source)
        self.steps = []
        self._outputs = outputs
        self._layers = {}

    def _add(self, step, inputs, output, depth=None):
        self.steps.append((step, inputs, output))
        self.depths[output] = (self.depths[inputs[0]] if depth is None else
                               depth)
        return output

    def run(self, luminance):
        """Outputs of the network.

        Parameters
        ----------
        luminance : ndarray of float32, (batch, rows, columns)

        Returns
        -------
        list of ndarray of float32, (batch, rows, columns, channels)
        """
        values = {'luminance': luminance}
        # Maps that no later step needs make room.
        last = {name: number for number, (_, inputs, _) in enumerate(
            self.steps) for name in inputs}
        for number, (step, inputs, output) in enumerate(self.steps):
            values[output] = step(*[values[name] for name in inputs])
            for name in inputs:
                if last[name] == number:
                    values.pop(name, None)
        return [values[name] for name in self._outputs]

    def enter(self, luminance_max):
        """:func:`colornet.network.inputs.preprocess`."""
        def step(luminance):
            return _Value(bfloat16.narrow(np.moveaxis(
                preprocess(luminance, luminance_max), 1, -1)))
        return self._add(step, ['luminance'], 'input', 3)

    def convolve(self, incoming, name, depth, size):
        """Convolution with a bias that keeps rows and columns."""
        filters = self.parameter(
            name + '/W', (depth, self.depths[incoming], size, size))
        wide = name in _OUTPUTS
        layer = self._layers[name] = bfloat16.Convolution(
            filters[:, :, ::-1, ::-1], self.parameter(name + '/b', (depth,)),
            wide=wide)

        def step(value):
            outputs = layer(value.done())
            return outputs if wide else _Value(outputs)
        return self._add(step, [incoming], name, depth)

    def convolve_stack(self, parts, name, depth, size):
        """Convolution of upscaled, concatenated maps (paper, 3.6)."""
        depths = [self.depths[incoming] for incoming, _ in parts]
        filters = self.parameter(name + '/W', (depth, sum(depths), size, size))
        layer = self._layers[name] = bfloat16.UpscaledStack(
            np.split(filters[:, :, ::-1, ::-1], np.cumsum(depths)[:-1],
                     axis=1), [scale for _, scale in parts],
            self.parameter(name + '/b', (depth,)))

        def step(*values):
            return _Value(layer([value.done() for value in values]))
        return self._add(step, [incoming for incoming, _ in parts], name,
                         depth)

    def rectify(self, incoming, name):
        """Rectifier (paper, 3.3), which a convolution before it does."""
        if incoming in self._layers:
            self._layers[incoming].rectify = True
            return self._add(lambda value: value, [incoming], name)
        return self._add(lambda vector: np.maximum(vector, 0), [incoming],
                         name)

    def normalize(self, incoming, name):
        """Batch normalization by the running averages (paper, 3.4)."""
        gamma, beta, mean, variance = [
            self.parameter('%s/%s' % (name, part), (self.depths[incoming],))
            for part in ('gamma', 'beta', 'mean', 'variance')]
        factors = gamma / np.sqrt(variance + np.float32(EPSILON))
        vectors = beta - mean * factors
        return self._add(lambda value: _Value(value.done(), factors, vectors),
                         [incoming], name)

    def max_pool(self, incoming, name, partial=False):
        """Max-pooling of 2 x 2 pixels; an odd last row only if `partial`."""
        return self._add(lambda value: _Value(bfloat16.max_pool(
            value.done(), partial)), [incoming], name)

    def mean_pool(self, incoming, name, scale):
        """Means of blocks of pixels (choice 23)."""
        def step(value):
            # The mean of what is scaled and shifted is that of the mean.
            maps = value.maps if value.scale == 1 else value.done()
            pending = ((value.factors, value.vectors) if value.scale == 1
                       else ())
            return _Value(bfloat16.mean_pool(maps, scale), *pending)
        return self._add(step, [incoming], name)

    def upscale(self, incoming, scale):
        """Nearest-neighbour upscaling (paper, 3.5; choice 10)."""
        if scale == 1:
            return incoming
        return self._add(lambda value: _Value(
            value.maps, value.factors, value.vectors, scale * value.scale),
            [incoming], '%s_up%d' % (incoming, scale))

    def crop(self, incoming, like, name):
        """The first rows and columns, which a sum takes by itself."""
        return incoming

    def total(self, incomings, name):
        """Elementwise sum."""
        return self._add(lambda *values: _total(values), list(incomings),
                         name)

    def global_mean(self, incoming, name):
        """Means of whole maps."""
        return self._add(lambda value: bfloat16.widen(value.done()).mean(
            axis=(1, 2)), [incoming], name)

    def dense(self, incoming, name, depth):
        """Fully connected layer."""
        weights = self.parameter(name + '/W', (self.depths[incoming], depth))
        bias = self.parameter(name + '/b', (depth,))

        def step(vector):
            # By BLAS, its threads would wait for those of oneDNN.
            return np.einsum('ni,io->no', vector, weights) + bias
        return self._add(step, [incoming], name, depth)

    def multiply(self, incoming, name, factor):
        """Multiplication by a constant, of an output."""
        return self._add(lambda maps: maps * np.float32(factor), [incoming],
                         name)


def load_rounded_outputs(network, vgg_weights=None, decoding=()):
    """Load a trained network that computes in bfloat16.

    Parameters
    ----------
    network, vgg_weights, decoding
        As for :func:`colornet.prediction.engines.load_outputs`.

    Returns
    -------
    outputs, config, attributes
        As there.

    Raises
    ------
    ColornetError
        If the processor or the installation has no bfloat16, or the files are
        missing or damaged.
    """
    reason = bfloat16_status()
    if reason:
        raise ColornetError('no bfloat16: %s' % reason)
    parameters, config, attributes, _ = load_folded(network, vgg_weights,
                                                    decoding)
    steps = _Steps(parameters, network, output_names(config.network))
    add_network(steps, config.network)
    steps.check_all_taken()

    def outputs(luminance):
        check_divisible(luminance, config.network)
        # One after another: what is between the layers fits the cache.
        photos = [steps.run(np.asarray(one, np.float32)[None])
                  for one in luminance]
        return [np.moveaxis(np.concatenate(maps), -1, 1)
                for maps in zip(*photos)]
    return outputs, config, attributes


def load_rounded(network, vgg_weights=None, decodings=((),)):
    """Load a trained network that predicts in bfloat16.

    Parameters
    ----------
    network, vgg_weights, decodings
        As for :func:`colornet.prediction.engines.load_prediction`.

    Returns
    -------
    predict, config, attributes
        As there.

    Raises
    ------
    ColornetError
        As :func:`load_rounded_outputs` does.
    """
    outputs, config, attributes = load_rounded_outputs(
        network, vgg_weights)
    configs = with_decodings(config, decodings)
    limits = get_color_space(config.network['color_space']).limits

    def predict(luminance):
        photos = list(zip(*outputs(luminance)))
        return [np.stack([decode_scores(photo, limits, **each.decoding)
                          for photo in photos]) for each in configs]
    return predict, configs[0], attributes
