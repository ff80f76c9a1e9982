"""What both sides of the benchmark get: photos, weights, the work in them.

``python -m benchmarks.problem FILE SIZE`` writes an .npz file. It is a
process of its own because it needs Theano, and the memory that the driver
once took would be counted as its children's.
"""

import sys

import numpy as np

from colornet.color import bin_channel, split_channels, unbin_channel
from colornet.engine.backend import lasagne
from colornet.network.inputs import IMAGENET_MEAN_BGR, preprocess
from colornet.network.networks import all_parameters, output_layers
from colornet.network.saved import load_network
from colornet.photos.finding import find_images
from colornet.photos.reading import read_rgb
from colornet.resources import DEFAULT_NETWORK, find_resource

from . import NETWORK

__all__ = ['load_shipped_network', 'correlation_order',
           'count_multiply_adds', 'write_problem']


def load_shipped_network(size, fold=False, network=NETWORK):
    """Load a network that ships for images of any size.

    Parameters
    ----------
    size : int
        Rows and columns.
    fold : bool
        See :func:`colornet.network.saved.load_network`.
    network : str
        Its file.

    Returns
    -------
    net : OrderedDict of str to Layer
    config : Config
    """
    return load_network(find_resource(network), fold=fold, size=size)[:2]


def correlation_order(key, array):
    """Turn filters: Lasagne's convolution flips them, PyTorch's does not.

    Parameters
    ----------
    key : (str, str)
        Layer and parameter name.
    array : ndarray
        The parameter, or its gradient.

    Returns
    -------
    ndarray
    """
    return array[:, :, ::-1, ::-1] if key[1] == 'W' else array


def count_multiply_adds(net, size=None):
    """Count the nominal multiply-adds of all convolutions, for one image.

    A convolution takes size**2 x channels x filters of them for each pixel,
    as the paper's graph has it: upscaled maps count in full. Training needs
    as many again for the gradient of the filters, if they are trained, and
    for the gradient of the maps, if anything before them is.

    Parameters
    ----------
    net : dict of str to Layer
    size : int, optional
        Rows and columns, for a network of any.

    Returns
    -------
    dict of str to int
        For ``predict`` and ``train``.
    """
    forward = backward = 0
    layers = lasagne.layers.get_all_layers(output_layers(net))
    shapes = [layer.output_shape for layer in layers]
    if size is not None:
        shapes = lasagne.layers.get_output_shape(
            layers, {net['input']: (1, 3, size, size)})
    for layer, shape in zip(layers, shapes):
        if not any(parameter.name == 'W' for parameter in layer.params):
            continue
        # Of a layer that is not a convolution, there is one pixel.
        pixels = int(np.prod(shape[2:]))
        count = int(np.prod(layer.W.get_value().shape)) * pixels
        before = getattr(layer, 'input_layers', None) or [layer.input_layer]
        forward += count
        backward += count * (
            ('trainable' in layer.params[layer.W]) +
            bool(lasagne.layers.get_all_params(before, trainable=True)))
    return {'predict': forward, 'train': forward + backward}


def write_problem(path, size):
    """Write photos, targets, parameters and the count of multiply-adds.

    Parameters
    ----------
    path : str
        Gets ``luminance``, ``inputs`` and ``targets`` of the demo's photos,
        as :mod:`colornet.network.inputs` makes them; ``mean_bgr`` and
        ``means``, the bins' means times the saturation of the network's
        decoding, for the prediction;
        ``multiply_adds/<task>``, also of ``everyday``; and
        ``<layer>/<parameter>``, filters not flipped.
    size : int
        Rows and columns.
    """
    net, config = load_shipped_network(size)
    photos = np.stack([read_rgb(photo, size) for photo in
                       find_images(find_resource('demo/photos'))])
    luminance, chroma = split_channels(photos)
    num_bins = config.network['num_bins']
    arrays = {
        'luminance': luminance, 'inputs': preprocess(luminance),
        'targets': bin_channel(np.moveaxis(chroma, -1, 1), num_bins),
        'mean_bgr': IMAGENET_MEAN_BGR,
        'means': unbin_channel(np.arange(num_bins), num_bins) *
        np.float32(config.decoding['saturation'])}
    arrays.update(('multiply_adds/' + task, count) for task, count in
                  count_multiply_adds(net).items())
    arrays['multiply_adds/everyday'] = count_multiply_adds(
        load_shipped_network(size, network=DEFAULT_NETWORK)[0],
        size)['predict']
    arrays.update(('/'.join(key), correlation_order(key, variable.get_value()))
                  for key, variable in all_parameters(net).items())
    np.savez(path, **arrays)


if __name__ == '__main__':
    write_problem(sys.argv[1], int(sys.argv[2]))
