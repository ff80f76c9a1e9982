"""Figures 2 and 3 (paper, 3.5, 3.6), drawn from the networks' own layers."""

import textwrap
from collections import OrderedDict

import numpy as np

from ..engine.backend import lasagne
from ..network.layers import BatchNormLayer, MeanPoolLayer, UpscaleLayer
from ..network.networks import (build_classification_network,
                                build_regression_network, output_layers)
from ..network.vgg16 import VGG16_LAYERS
from .plots import import_pyplot, save_figure

__all__ = ['SCHEMATICS', 'draw_network', 'list_boxes']

#: Number of the figure -> what builds its network, title.
SCHEMATICS = OrderedDict([
    (2, (build_regression_network, 'Regression network (Figure 2)')),
    (3, (lambda: build_classification_network(fast_stack=False),
         'Classification network (Figure 3)')),
])

#: Colours of VGG16's boxes, and of ours.
_COLOURS = {'encoder': '#dce6f2', 'decoder': '#fce5cd'}


class _Box:
    """Layers that are drawn as one.

    Attributes
    ----------
    name : str
    shape : tuple of int, (channels, rows, columns)
    words : list of str
        What the layers do.
    sources : list of _Box
    column : int
        Boxes on the longest way from the input.
    """

    def __init__(self, name, layer, words, sources):
        self.name = name
        # Vectors are maps of one pixel.
        self.shape = (layer.output_shape[1:] + (1, 1))[:3]
        self.words = words
        self.sources = sources
        self.column = 1 + max([box.column for box in sources], default=-1)


def list_boxes(net):
    """The boxes of a network's drawing.

    Parameters
    ----------
    net : dict of str to Layer

    Returns
    -------
    OrderedDict of str to _Box
        Batch normalization and rectifiers are part of the box before them;
        what the decoder takes from VGG16 is normalized in a box of its own.
    """
    names = {layer: name for name, layer in net.items()}
    boxes, box_of = OrderedDict(), {}
    for layer in lasagne.layers.get_all_layers(output_layers(net)):
        incomings = getattr(layer, 'input_layers', None) or [
            incoming for incoming in [getattr(layer, 'input_layer', None)]
            if incoming is not None]
        sources = [box_of[incoming] for incoming in incomings]
        name = names[layer]
        joined = _word_if_joined(layer)
        if joined is not None and names[incomings[0]] not in VGG16_LAYERS:
            box_of[layer] = sources[0]
            sources[0].words += [joined] if joined else []
            continue
        box_of[layer] = boxes[name] = _Box(name, layer, _words(layer),
                                           sources)
    return boxes


def _word_if_joined(layer):
    """What a layer adds to the box before it; None for a box of its own."""
    if isinstance(layer, BatchNormLayer):
        rectified = layer.nonlinearity is lasagne.nonlinearities.rectify
        return 'BN, ReLU' if rectified else 'BN'
    if isinstance(layer, lasagne.layers.NonlinearityLayer):
        return 'ReLU' if layer.nonlinearity is \
            lasagne.nonlinearities.rectify else ''
    return None


def _words(layer):
    if isinstance(layer, lasagne.layers.Conv2DLayer):
        size = layer.filter_size[0]
        words = ['%dx%d conv' % (size, size)]
        if layer.nonlinearity is lasagne.nonlinearities.rectify:
            words.append('ReLU')
        return words
    if isinstance(layer, UpscaleLayer):
        return ['upscale x%d' % layer.scale]
    if isinstance(layer, MeanPoolLayer):
        return ['mean of %dx%d' % (layer.scale, layer.scale)]
    if isinstance(layer, lasagne.layers.DenseLayer):
        return ['dense'] + (['ReLU'] if layer.nonlinearity is
                            lasagne.nonlinearities.rectify else [])
    return {'InputLayer': [], 'MaxPool2DLayer': ['max-pool'],
            'BatchNormLayer': ['BN'], 'ElemwiseSumLayer': ['sum'],
            'ConcatLayer': ['concatenation'],
            'SumEverywhereLayer': ['sum'], 'GlobalMeanLayer': ['mean'],
            'UpscaledStackConv2DLayer': ['3x3 conv of upscaled maps'],
            'ScaleLayer': ['scale']}.get(type(layer).__name__,
                                         [type(layer).__name__])


def draw_network(number, path):
    """Draw Figure 2 or 3.

    Parameters
    ----------
    number : 2 or 3
    path : str or Path
        The suffix gives the format.

    Returns
    -------
    str
        What was drawn.
    """
    build, title = SCHEMATICS[number]
    boxes = list_boxes(build())
    pyplot = import_pyplot()
    columns = 1 + max(box.column for box in boxes.values())
    figure, axis = pyplot.subplots(figsize=(0.62 * columns + 1, 7.5))
    places = _place(boxes)
    for name, box in boxes.items():
        x, y = places[name]
        is_encoder = name in VGG16_LAYERS or name.startswith('pool') or \
            name == 'input'
        axis.text(x, y, _label(box), rotation=90, ha='center', va='center',
                  fontsize=7.5, bbox={
                      'boxstyle': 'round,pad=0.35', 'linewidth': 0.8,
                      'facecolor': _COLOURS['encoder' if is_encoder else
                                            'decoder']})
        for source in box.sources:
            x0, y0 = places[source.name]
            # Over the boxes in between.
            bend = -0.08 if y == y0 and x - x0 > 1 else 0
            axis.annotate('', (x - 0.34, y), (x0 + 0.34, y0), zorder=0,
                          arrowprops={
                              'arrowstyle': '-|>', 'color': '0.45',
                              'connectionstyle': 'arc3,rad=%g' % bend,
                              'shrinkA': 0, 'shrinkB': 0, 'linewidth': 0.8})
    heights = sorted({box.shape[1] for box in boxes.values()}, reverse=True)
    for height in heights:
        axis.text(-1.1, _height(height), '%d x %d' % (height, height),
                  ha='center', va='center', fontsize=9)
    axis.set_xlim(-1.8, columns)
    axis.set_ylim(_height(heights[-1]) - 0.75, _height(heights[0]) + 1.4)
    axis.set_title(title)
    axis.axis('off')
    figure.tight_layout()
    save_figure(figure, path)
    pyplot.close(figure)
    return '%s: %d boxes; blue: VGG16, orange: ours' % (title, len(boxes))


def _height(rows):
    """Where maps of so many rows are drawn: a step for each halving."""
    return np.log2(rows) * 1.5


def _place(boxes):
    """x and y of each box; those of one column and height side by side."""
    places, taken = {}, {}
    for name, box in boxes.items():
        key = box.column, box.shape[1]
        taken.setdefault(key, []).append(name)
    for (column, height), names in taken.items():
        for index, name in enumerate(names):
            offset = 1.2 * (index - (len(names) - 1) / 2)
            places[name] = column, _height(height) + offset
    return places


def _label(box):
    lines = ['%s: %d maps' % (box.name, box.shape[0])]
    if box.words:
        lines += textwrap.wrap(', '.join(box.words), 22)
    return '\n'.join(lines)
