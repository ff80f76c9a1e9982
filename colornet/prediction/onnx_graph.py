"""ONNX graphs, node by node: a method for each kind of layer; no Theano.

A value has the name of the layer whose output it is. Only :meth:`to_model`
needs the package onnx.
"""

import importlib
import os
from collections import OrderedDict

import numpy as np

from ..errors import ColornetError
from ..network.inputs import IMAGENET_MEAN_BGR
from ..network.stored import EPSILON
from .layer_by_layer import LayerGraph

__all__ = ['Graph', 'import_package', 'OPSET', 'IR_VERSION']

#: Of ONNX's operators; the oldest that has all that is used.
OPSET = 13

#: Of the file's format; runtimes refuse one that is newer than they are.
IR_VERSION = 8


def import_package(name):
    """Import an optional package.

    Parameters
    ----------
    name : 'onnx' or 'onnxruntime'

    Raises
    ------
    ColornetError
        If it is not installed.
    """
    # As of version 1.32, ONNX Runtime would report its use to its makers.
    os.environ.setdefault('ORT_DISABLE_TELEMETRY', '1')
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ColornetError("ONNX needs the package %s (%s): pip install "
                            "'.[onnx]' in colornet's folder" % (name, error))


class Graph(LayerGraph):
    """Nodes, and the constants that they take.

    Parameters
    ----------
    parameters, source
        As of :class:`colornet.prediction.layer_by_layer.LayerGraph`.
    half : bool
        Store filters as float16, which halves the file. They are float32
        again before anything is computed.

    Attributes
    ----------
    nodes : list of (str, list of str, str, dict)
        Operator, inputs, output and attributes.
    constants : OrderedDict of str to ndarray
    """

    def __init__(self, parameters, source, half=False):
        super().__init__(parameters, source)
        self.nodes = []
        self.constants = OrderedDict()
        self._half = half

    def add(self, operator, inputs, output, depth=None, **attributes):
        """Add a node.

        Parameters
        ----------
        operator : str
        inputs : str or list of str
            Names of values and constants; '' for one that is left out.
        output : str
        depth : int, optional
            Channels; those of the first input if not given.
        attributes : int, float or list

        Returns
        -------
        str
            `output`.
        """
        inputs = [inputs] if isinstance(inputs, str) else list(inputs)
        self.nodes.append((operator, inputs, output, attributes))
        self.depths[output] = (self.depths.get(inputs[0]) if depth is None
                               else depth)
        return output

    def constant(self, name, values, dtype=np.float32):
        """Add a constant, unless there is one of this name."""
        if name not in self.constants:
            self.constants[name] = np.ascontiguousarray(values, dtype)
        return name

    def _filters(self, name, values):
        """Add filters, which are stored in half the space if wanted."""
        if not self._half or np.abs(values).max() > np.finfo(np.float16).max:
            return self.constant(name, values)
        half = self.constant(name + '/half', values, np.float16)
        return self.add('Cast', half, name, to=1)  # FLOAT

    def enter(self, luminance_max):
        """:func:`colornet.network.inputs.preprocess`."""
        scaled = self.add('Mul', ['luminance', self.constant(
            'input/factor', 255. / luminance_max)], 'input/scaled')
        scaled = self.add('Unsqueeze', [scaled, self.constant(
            'input/axis', [1], np.int64)], 'input/channel')
        return self.add('Sub', [scaled, self.constant(
            'input/mean', IMAGENET_MEAN_BGR[:, None, None])], 'input', 3)

    def convolve(self, incoming, name, depth, size):
        """Convolution with a bias that keeps rows and columns."""
        filters = self.parameter(
            name + '/W', (depth, self.depths[incoming], size, size))
        return self._convolve(incoming, name, filters, self._bias(name, depth))

    def _convolve(self, incoming, name, filters, bias=None):
        """Convolution by given filters, flipped, as Lasagne has them."""
        depth, size = filters.shape[0], filters.shape[2]
        # ONNX does not flip them.
        filters = self._filters(name + '/W', filters[:, :, ::-1, ::-1])
        return self.add('Conv', [incoming, filters] + ([bias] if bias else []),
                        name, depth, kernel_shape=[size, size],
                        pads=[size // 2] * 4)

    def _convolve_upscaled(self, incoming, name, filters, scale, bias=None):
        """The same of a nearest-upscaled map, at its own resolution.

        A pixel of the map is a block of ``scale x scale`` pixels when it is
        upscaled, and what the filters make of such a block is their sum at
        all of its places.
        """
        depth, _, size, _ = filters.shape
        spread = np.zeros(filters.shape[:2] + (size + scale - 1,) * 2,
                          np.float32)
        for row in range(scale):
            for column in range(scale):
                spread[:, :, row:row + size, column:column + size] += filters
        spread = self._filters(name + '/W', spread.swapaxes(0, 1))
        return self.add(
            'ConvTranspose', [incoming, spread] + ([bias] if bias else []),
            name, depth, kernel_shape=[size + scale - 1] * 2,
            strides=[scale] * 2, pads=[size // 2] * 4)

    def convolve_stack(self, parts, name, depth, size):
        """Convolution of upscaled, concatenated maps (paper, 3.6).

        Each is convolved at its own resolution: for ONNX Runtime, too, it is
        less work.

        Parameters
        ----------
        parts : list of (str, int)
            Maps, and how much each is to be upscaled.
        """
        depths = [self.depths[incoming] for incoming, _ in parts]
        filters = self.parameter(name + '/W', (depth, sum(depths), size, size))
        slices = np.split(filters, np.cumsum(depths)[:-1], axis=1)
        bias, total = self._bias(name, depth), None
        largest = [number for number, (_, scale) in enumerate(parts)
                   if scale == 1]
        if largest:
            maps = [parts[number][0] for number in largest]
            if len(maps) > 1:
                maps = [self.add('Concat', maps, name + '/stack',
                                 sum(depths[number] for number in largest),
                                 axis=1)]
            total = self._convolve(maps[0], name + '/largest', np.concatenate(
                [slices[number] for number in largest], axis=1), bias)
        for number, (incoming, scale) in enumerate(parts):
            if scale > 1:
                part = self._convolve_upscaled(
                    incoming, '%s/part%d' % (name, number), slices[number],
                    scale, None if total else bias)
                total = self.total([total, part] if total else [part],
                                   '%s/total%d' % (name, number))
        return total

    def _bias(self, name, depth):
        return self.constant(name + '/b', self.parameter(name + '/b',
                                                         (depth,)))

    def rectify(self, incoming, name):
        """Rectifier (paper, 3.3)."""
        return self.add('Relu', incoming, name)

    def normalize(self, incoming, name):
        """Batch normalization by the running averages (paper, 3.4)."""
        shape = (self.depths[incoming],)
        return self.add('BatchNormalization', [incoming] + [
            self.constant(key, self.parameter(key, shape)) for key in (
                '%s/%s' % (name, part) for part in
                ('gamma', 'beta', 'mean', 'variance'))], name, epsilon=EPSILON)

    def max_pool(self, incoming, name, partial=False):
        """Max-pooling of 2 x 2 pixels; an odd last row only if `partial`."""
        return self.add('MaxPool', incoming, name, kernel_shape=[2, 2],
                        strides=[2, 2], ceil_mode=int(partial))

    def mean_pool(self, incoming, name, scale):
        """Means of blocks of pixels (choice 23)."""
        return self.add('AveragePool', incoming, name,
                        kernel_shape=[scale] * 2, strides=[scale] * 2)

    def upscale(self, incoming, scale):
        """Nearest-neighbour upscaling (paper, 3.5; choice 10), done once."""
        name = '%s_up%d' % (incoming, scale)
        if scale == 1 or name in self.depths:
            return incoming if scale == 1 else name
        scales = self.constant('up%d' % scale, [1, 1, scale, scale])
        return self.add('Resize', [incoming, '', scales], name, mode='nearest',
                        coordinate_transformation_mode='asymmetric',
                        nearest_mode='floor')

    def crop(self, incoming, like, name):
        """The first rows and columns, as many as another map has."""
        shape = self.add('Shape', like, name + '/shape')
        bounds = [self.constant('bounds/%d' % number, [number], np.int64)
                  for number in (2, 4)]
        ends = self.add('Slice', [shape] + bounds, name + '/ends')
        return self.add('Slice', [
            incoming, self.constant('crop/starts', [0, 0], np.int64), ends,
            self.constant('crop/axes', [2, 3], np.int64)], name)

    def total(self, incomings, name):
        """Elementwise sum."""
        total = incomings[0]
        for number, other in enumerate(incomings[1:], 1):
            total = self.add('Add', [total, other], name if number == len(
                incomings) - 1 else '%s/%d' % (name, number))
        return total

    def multiply(self, incoming, name, factor):
        """Multiplication by a constant."""
        return self.add('Mul', [incoming, self.constant(name + '/factor',
                                                        factor)], name)

    def global_mean(self, incoming, name):
        """Means of whole maps, as maps of one pixel."""
        return self.add('GlobalAveragePool', incoming, name)

    def dense(self, incoming, name, depth):
        """Fully connected layer, of maps of one pixel."""
        filters = self.parameter(name + '/W', (self.depths[incoming], depth))
        return self._convolve(incoming, name, filters.T[:, :, None, None],
                              self._bias(name, depth))

    def to_model(self, inputs, outputs, properties, **about):
        """The graph as an ONNX model.

        Parameters
        ----------
        inputs, outputs : dict of str to sequence of (int or str)
            Names of float32 arrays and their dimensions; a dimension that
            may be any number has a name.
        properties : dict of str to str
            The model's metadata.
        about : str
            Of ``onnx.helper.make_model``.

        Returns
        -------
        onnx.ModelProto

        Raises
        ------
        ColornetError
            If onnx is not installed.
        """
        onnx = import_package('onnx')
        helper = onnx.helper
        values = [[helper.make_tensor_value_info(name, 1, shape)
                   for name, shape in each.items()]
                  for each in (inputs, outputs)]
        graph = helper.make_graph(
            [helper.make_node(operator, taken, [output], output, **attributes)
             for operator, taken, output, attributes in self.nodes],
            'colornet', *values, initializer=[
                onnx.numpy_helper.from_array(array, name)
                for name, array in self.constants.items()])
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid('', OPSET)],
            ir_version=IR_VERSION, **about)
        helper.set_model_props(model, properties)
        return model
