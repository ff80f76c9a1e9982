"""Trained networks as they are stored: arrays and settings; no Theano."""

import copy
from collections import OrderedDict
from pathlib import Path

import numpy as np

from ..config import Config
from ..errors import ColornetError
from .parameters import (NETWORK_FORMAT, check_parameter, load_arrays,
                         save_values)

__all__ = ['EPSILON', 'R4_DEPTH', 'SUM_DEPTH', 'network_file',
           'load_configuration', 'load_stored', 'export_half',
           'with_decodings', 'fold_batch_norm']

#: Added to the variance that batch normalization divides by.
EPSILON = 1e-4

#: Channels of R4's map, and of maps that are to be summed.
R4_DEPTH, SUM_DEPTH = 256, 64


def network_file(path):
    """The best network of a run folder, or the file itself.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Path
    """
    path = Path(path)
    return path / 'best.h5' if path.is_dir() else path


def load_configuration(path):
    """Load the configuration of a trained network.

    Parameters
    ----------
    path : str or Path
        As :func:`colornet.network.saved.save_network` writes it.

    Returns
    -------
    config : Config
    attributes : dict

    Raises
    ------
    ColornetError
        If the file is missing or is not such a network.
    """
    _, attributes = load_arrays(path, [])
    return _read_configuration(path, attributes), attributes


def _read_configuration(path, attributes):
    """The configuration among a file's attributes."""
    if 'progress' in attributes:
        best = Path(path).with_name('best.h5')
        raise ColornetError(
            '%s is the checkpoint of a training, not a network; %s' % (
                path, 'take %s' % best if best.exists() else
                'best.h5 comes with the first finished epoch'))
    if attributes.get('format') != NETWORK_FORMAT:
        raise ColornetError('%s is not a trained network of this version'
                            % path)
    try:
        return Config.from_json(attributes['config'])
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise ColornetError('%s has no valid configuration: %s'
                            % (path, error))


def load_stored(path):
    """Load a trained network's parameters, without building the network.

    Parameters
    ----------
    path : str or Path
        As :func:`colornet.network.saved.save_network` writes it.

    Returns
    -------
    parameters : dict of str to ndarray
        Named ``layer/parameter``.
    config : Config
    attributes : dict

    Raises
    ------
    ColornetError
        If the file is missing or is not such a network.
    """
    groups, attributes = load_arrays(path, ['parameters'])
    return (groups['parameters'], _read_configuration(path, attributes),
            attributes)


def export_half(network, path, decoding=()):
    """Store a trained network in half the space, as those that ship are.

    Parameters
    ----------
    network : str or Path
        As for :func:`load_stored`.
    path : str or Path
        To be written; float16, but what is beyond its range.
    decoding : iterable of str
        Changes of settings, such as ``decoding.method=mean``.

    Raises
    ------
    ColornetError
        As :func:`load_stored`, and for numbers that are not finite.
    """
    parameters, config, attributes = load_stored(network)
    config.override_decoding(decoding)
    for name, array in parameters.items():
        check_parameter(name, array, array.shape, network)
    save_values(path, parameters, config, attributes, np.float16)


def with_decodings(config, decodings):
    """Copies of a configuration, each with changes of its decoding.

    Parameters
    ----------
    config : Config
    decodings : sequence of iterables of str
        Changes of settings for each, such as ``decoding.method=mean``.

    Returns
    -------
    list of Config
    """
    configs = [copy.deepcopy(config) for _ in decodings]
    for one, decoding in zip(configs, decodings):
        one.override_decoding(decoding)
    return configs


def fold_batch_norm(parameters):
    """Fold batch normalization into the convolutions before it.

    For prediction it is one product and one sum for each filter, by numbers
    that do not change any more: the convolution can do both. VGG16's maps
    keep theirs; they are convolved again by VGG16.

    Parameters
    ----------
    parameters : dict of str to ndarray
        Named ``layer/parameter``.

    Returns
    -------
    OrderedDict of str to ndarray
        For the same network built with ``batch_norm=False``.
    """
    folded = OrderedDict(parameters)
    for name in parameters:
        unit, is_filters, _ = name.rpartition('_conv/W')
        norm = ['%s_bn/%s' % (unit, key)
                for key in ('gamma', 'beta', 'mean', 'variance')]
        shapes = {getattr(folded.get(key), 'shape', None) for key in norm}
        if (not is_filters or np.ndim(parameters[name]) != 4 or
                shapes != {parameters[name].shape[:1]}):
            continue  # Whoever takes the parameters will name what is odd.
        gamma, beta, mean, variance = [folded.pop(key) for key in norm]
        with np.errstate(invalid='ignore'):
            scale = gamma / np.sqrt(variance + EPSILON)
        folded[name] = parameters[name] * scale[:, None, None, None]
        folded[unit + '_conv/b'] = beta - mean * scale
    return folded
