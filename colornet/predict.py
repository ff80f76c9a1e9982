"""Trained networks: their files, and predictions from them (paper, 3.1)."""

from collections import OrderedDict

import numpy as np

from .backend import T, lasagne, theano
from .checkpoint import load_arrays, save_arrays, set_parameters
from .color import get_color_space
from .colorize import Colorizer
from .config import Config, find_resource
from .errors import ColornetError
from .networks import (all_parameters, build_network, decoder_parameters,
                       output_layers, predicted_chroma)
from .vgg16 import load_vgg16_weights, preprocess, set_vgg16_weights

__all__ = ['DEFAULT_NETWORK', 'build_pretrained', 'learned_parameters',
           'save_network', 'load_network', 'compile_prediction',
           'load_colorizer']

#: The network that colours photos unless another is named.
DEFAULT_NETWORK = 'weights/cvcl_classification.h5'

FORMAT = 'colornet network 1'


def build_pretrained(config, vgg_weights=None):
    """Build a configuration's network with VGG16's weights (paper, 3.2).

    Parameters
    ----------
    config : Config
    vgg_weights : str or Path, optional
        See :func:`colornet.vgg16.load_vgg16_weights`; those that ship with
        the project if not given.

    Returns
    -------
    OrderedDict of str to Layer
        The decoder is freshly initialized (5.2) by the configured seed.
    """
    lasagne.random.set_rng(np.random.RandomState(config.training['seed']))
    net = build_network(config, T.tensor4('inputs'))
    set_vgg16_weights(net, load_vgg16_weights(
        vgg_weights or find_resource('weights/vgg16.pkl')))
    return net


def learned_parameters(net, config):
    """What training changes: the decoder, and VGG16 if it is fine-tuned."""
    return (all_parameters if config.network['fine_tune'] else
            decoder_parameters)(net)


def save_network(path, net, config, attributes, dtype=None):
    """Save a trained network, without VGG16 unless it was fine-tuned.

    Parameters
    ----------
    path : str or Path
    net : dict of str to Layer
    config : Config
    attributes : dict of str to (str, int or float)
        Where the network comes from.
    dtype : dtype, optional
        float16 halves the file.
    """
    values = OrderedDict((key, variable.get_value()) for key, variable
                         in learned_parameters(net, config).items())
    save_arrays(path, {'parameters': values},
                dict(attributes, format=FORMAT, config=config.to_json()),
                dtype)


def load_network(path, vgg_weights=None):
    """Load a network that :func:`save_network` saved.

    Returns
    -------
    net : OrderedDict of str to Layer
    config : Config
    attributes : dict

    Raises
    ------
    ColornetError
        If the file is missing or is not such a network.
    """
    groups, attributes = load_arrays(path, ['parameters'])
    if attributes.get('format') != FORMAT:
        raise ColornetError('%s is not a trained network of this version'
                            % path)
    try:
        config = Config.from_json(attributes['config'])
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise ColornetError('%s has no valid configuration: %s'
                            % (path, error))
    net = build_pretrained(config, vgg_weights)
    set_parameters(learned_parameters(net, config), groups['parameters'],
                   path)
    return net, config, attributes


def compile_prediction(net, config):
    """Compile a network to a function from luminance to chrominance.

    Parameters
    ----------
    net : dict of str to Layer
    config : Config

    Returns
    -------
    callable
        Takes float32 luminance, (batch, rows, columns), returns float32
        chrominance, (batch, rows, columns, 2), both in the units of the
        colour space.
    """
    space = get_color_space(config.network['color_space'])
    outputs = lasagne.layers.get_output(output_layers(net),
                                        deterministic=True)
    run = theano.function([net['input'].input_var],
                          predicted_chroma(
                              outputs, config.network['num_bins'],
                              space.limits))

    def predict(luminance):
        return np.moveaxis(run(preprocess(luminance, space.luminance_max)),
                           1, -1)
    return predict


def load_colorizer(network=None, vgg_weights=None):
    """Load a network that colours photos.

    Parameters
    ----------
    network : str or Path, optional
        The shipped classification network if not given.
    vgg_weights : str or Path, optional

    Returns
    -------
    Colorizer
    """
    net, config, _ = load_network(network or find_resource(DEFAULT_NETWORK),
                                  vgg_weights)
    return Colorizer(compile_prediction(net, config), config.data['size'],
                     config.network['color_space'])
