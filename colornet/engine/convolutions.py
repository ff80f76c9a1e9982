"""Convolutions by faster engines than Theano's own CorrMM.

Importing this module teaches Theano's optimizer: a convolution of float32
maps, and its gradients with respect to maps and filters, become ops that run
one of :mod:`.convolvers`, together with a bias and a rectifier that follow.
What no engine can do, or with all of them switched off
(:data:`colornet.engine.switches.SPEEDUPS`), stays as it was.
"""

import numpy as np

from ..errors import ColornetError
from .backend import T, theano
from .blocks import AddBlocks
from .convolvers import (FORWARD, GRAD_FILTERS, GRAD_INPUTS, bfloat16_status,
                         choose_engine, convolve)
from .native import contiguous

__all__ = ['Convolution', 'GradInputs', 'GradFilters', 'bfloat16_mode']

Op, Apply = theano.gof.Op, theano.gof.Apply
abstract = T.nnet.abstract_conv


class _Convolution(Op):
    """A convolution without flip of filters, or one of its gradients.

    Parameters
    ----------
    padding, stride : (int, int)
        Of rows and columns.
    engine : str
        As :func:`colornet.engine.convolvers.choose_engine` returns it.
    """

    __props__ = ('padding', 'stride', 'engine')

    def __init__(self, padding, stride, engine):
        self.padding = padding
        self.stride = stride
        self.engine = engine

    def output_shape(self, inputs, filters):
        return abstract.get_conv_output_shape(inputs, filters, self.padding,
                                              self.stride)

    def run(self, kind, inputs, filters, bias, outputs, rectify=False):
        """Fill the array that `kind` decides."""
        if bias is not None and bias.shape != filters.shape[:1]:
            raise ValueError('a bias of shape %s for filters of shape %s'
                             % (bias.shape, filters.shape))
        if (inputs.shape[1] != filters.shape[1] or outputs.shape !=
                self.output_shape(inputs.shape, filters.shape)):
            raise ValueError(
                'maps of shape %s, filters of shape %s and convolved maps of '
                'shape %s do not fit' % (inputs.shape, filters.shape,
                                         outputs.shape))
        if not (inputs.size and filters.size and outputs.size):
            self._run_empty(kind, inputs, filters, bias, outputs, rectify)
            return
        convolve(self.engine, kind, inputs, filters, bias, outputs,
                 self.padding, self.stride, rectify)

    @staticmethod
    def _run_empty(kind, inputs, filters, bias, outputs, rectify):
        """Sums of nothing, which engines divide by."""
        result = {FORWARD: outputs, GRAD_INPUTS: inputs,
                  GRAD_FILTERS: filters}[kind]
        result[:] = 0
        if kind == FORWARD and bias is not None:
            outputs += bias[:, None, None]
            if rectify:
                np.maximum(outputs, 0, outputs)


class Convolution(_Convolution):
    """Inputs: maps, filters and, optionally, a bias for each filter."""

    __props__ = _Convolution.__props__ + ('rectify',)

    def __init__(self, padding, stride, engine, rectify=False):
        super().__init__(padding, stride, engine)
        self.rectify = rectify

    def make_node(self, inputs, filters, *bias):
        broadcastable = [inputs.broadcastable[0], filters.broadcastable[0],
                         False, False]
        return Apply(self, [inputs, filters, *bias],
                     [T.TensorType('float32', broadcastable)()])

    def infer_shape(self, node, shapes):
        return [self.output_shape(*shapes[:2])]

    def perform(self, node, inputs, storage):
        maps, filters, *bias = map(contiguous, inputs)
        outputs = np.empty(self.output_shape(maps.shape, filters.shape),
                           np.float32)
        self.run(FORWARD, maps, filters, bias[0] if bias else None, outputs,
                 self.rectify)
        storage[0][0] = outputs


class _Gradient(_Convolution):
    """Inputs: maps or filters, gradient of the output, rows and columns.

    Of the result; its first dimension is that of the gradient at `axis`, its
    second that of the maps or filters.
    """

    def make_node(self, other, gradient, size):
        broadcastable = [gradient.broadcastable[self.axis],
                         other.broadcastable[1], False, False]
        return Apply(self, [other, gradient, size],
                     [T.TensorType('float32', broadcastable)()])

    def infer_shape(self, node, shapes):
        size = node.inputs[2]
        return [(shapes[1][self.axis], shapes[0][1], size[0], size[1])]

    def perform(self, node, inputs, storage):
        other, gradient = map(contiguous, inputs[:2])
        result = np.empty((gradient.shape[self.axis], other.shape[1],
                           *inputs[2]), np.float32)
        maps, filters = ((result, other) if self.kind == GRAD_INPUTS else
                         (other, result))
        self.run(self.kind, maps, filters, None, gradient)
        storage[0][0] = result


class GradInputs(_Gradient):
    """Gradient of the maps, from the filters: an image for an image."""

    kind, axis = GRAD_INPUTS, 0


class GradFilters(_Gradient):
    """Gradient of the filters, from the maps: a filter for a channel."""

    kind, axis = GRAD_FILTERS, 1


def _padding(border_mode, filter_shape):
    """Rows and columns of padding, or None if they are not known."""
    sizes = filter_shape[2:]
    if border_mode in ('half', 'full') and None in sizes:
        return None
    padding = abstract.border_mode_to_pad(border_mode, 2, sizes)
    if any(before != after for before, after in padding):
        return None
    return tuple(int(before) for before, _ in padding)


@theano.gof.local_optimizer([abstract.AbstractConv2d,
                             abstract.AbstractConv2d_gradInputs,
                             abstract.AbstractConv2d_gradWeights])
def _use_engine(node):
    """Replace one of Theano's abstract convolutions."""
    op = node.op
    padding = _padding(op.border_mode, op.kshp)
    stride = tuple(map(int, op.subsample))
    if (padding is None or op.num_groups != 1 or op.unshared or
            tuple(op.filter_dilation) != (1, 1) or
            any(variable.dtype != 'float32' or
                not isinstance(variable.type, T.TensorType)
                for variable in node.inputs[:2])):
        return None
    # Last, since the first time it compiles.
    engine = choose_engine(stride, op.kshp[2:])
    if engine is None:
        return None
    options = (padding, stride, engine)
    first, second = node.inputs[:2]

    def flipped(filters):
        return filters[:, :, ::-1, ::-1] if op.filter_flip else filters

    if isinstance(op, abstract.AbstractConv2d):
        result = Convolution(*options)(first, flipped(second))
    elif isinstance(op, abstract.AbstractConv2d_gradInputs):
        result = GradInputs(*options)(flipped(first), second, node.inputs[2])
    else:
        result = flipped(GradFilters(*options)(first, second, node.inputs[2]))
    result = T.patternbroadcast(result, node.outputs[0].broadcastable)
    theano.gof.opt.copy_stack_trace(node.outputs[0], result)
    return [result]


theano.tensor.nnet.opt.conv_groupopt.register(
    'colornet_convolution', _use_engine, 'fast_compile', 'fast_run',
    position=-1)


def _same_type(node, result):
    """The replacement, unless float64 or broadcasting makes it another."""
    return [result] if result.type == node.outputs[0].type else None


@theano.gof.local_optimizer([T.add])
def _fuse_bias(node):
    """convolution + bias"""
    if node.op != T.add or len(node.inputs) != 2:
        return None
    for maps, bias in (node.inputs, node.inputs[::-1]):
        convolution = maps.owner
        if (convolution is not None and
                isinstance(convolution.op, Convolution) and
                not convolution.op.rectify and
                len(convolution.inputs) == 2 and len(maps.clients) == 1 and
                bias.owner is not None and
                isinstance(bias.owner.op, T.DimShuffle) and
                bias.owner.op.new_order == ('x', 0, 'x', 'x') and
                bias.owner.inputs[0].ndim == 1 and
                not bias.owner.inputs[0].broadcastable[0]):
            return _same_type(node, convolution.op(
                *convolution.inputs, bias.owner.inputs[0]))
    return None


def _rectifying(op):
    """The same op, followed by a rectifier."""
    if isinstance(op, Convolution):
        return Convolution(op.padding, op.stride, op.engine, rectify=True)
    return AddBlocks(op.scale, rectify=True)


@theano.gof.local_optimizer([T.mul])
def _fuse_rectifier(node):
    """0.5 * (maps + abs(maps)), as Lasagne writes it."""
    if node.op != T.mul or len(node.inputs) != 2:
        return None
    for half, double in (node.inputs, node.inputs[::-1]):
        if (double.owner is None or double.owner.op != T.add or
                len(double.owner.inputs) != 2 or
                T.extract_constant(half) != 0.5):
            continue
        for maps, size in (double.owner.inputs, double.owner.inputs[::-1]):
            # Two clients: a gradient would be one more, of what it was before.
            if (maps.owner is not None and
                    isinstance(maps.owner.op, (Convolution, AddBlocks)) and
                    not maps.owner.op.rectify and len(maps.clients) == 2 and
                    size.owner is not None and size.owner.op == T.abs_ and
                    size.owner.inputs[0] is maps):
                return _same_type(node, _rectifying(maps.owner.op)(
                    *maps.owner.inputs))
    return None


# Before Theano fuses elementwise ops, at 49.
theano.compile.optdb.register(
    'colornet_convolution_fusion',
    theano.gof.opt.in2out(_fuse_bias, _fuse_rectifier), 48.8, 'fast_run')


@theano.gof.local_optimizer([Convolution, GradInputs, GradFilters])
def _round_to_bfloat16(node):
    """A convolution by oneDNN, with what was fused into it."""
    op = node.op
    if (not isinstance(op, _Convolution) or
            op.engine not in ('winograd', 'onednn')):
        return None
    options = dict(((name, getattr(op, name)) for name in op.__props__),
                   engine='bfloat16')
    return [type(op)(**options)(*node.inputs)]


# Not in 'fast_run': for those who ask for it.
theano.compile.optdb.register(
    'colornet_bfloat16', theano.gof.opt.in2out(_round_to_bfloat16), 48.9)


def bfloat16_mode():
    """Theano's mode, but with convolutions in bfloat16 by oneDNN.

    Returns
    -------
    theano.compile.Mode

    Raises
    ------
    ColornetError
        If the processor or the installation has none.
    """
    reason = bfloat16_status()
    if reason:
        raise ColornetError('no bfloat16: %s' % reason)
    return theano.compile.get_default_mode().including('colornet_bfloat16')
