"""What ``colornet`` offers in Python: networks that colour photos."""

import copy
import functools

import numpy as np

from .network import saved
from .network.stored import load_configuration, network_file
from .photos.colorizer import Colorizer
from .resources import DEFAULT_NETWORK, find_resource

__all__ = ['load_colorizer', 'load_colorizers']


def load_colorizer(network=None, vgg_weights=None, decoding=()):
    """Load a network that colours photos.

    Parameters
    ----------
    network : str or Path, optional
        A file or a run folder;
        :data:`colornet.resources.DEFAULT_NETWORK` if not given.
    vgg_weights : str or Path, optional
    decoding : iterable of str
        As for :func:`colornet.network.saved.load_network`.

    Returns
    -------
    Colorizer
    """
    return load_colorizers(network, vgg_weights, [decoding])[0]


def load_colorizers(network=None, vgg_weights=None, decodings=((),)):
    """Load a network that colours photos with several decodings.

    Parameters
    ----------
    network, vgg_weights
        As for :func:`load_colorizer`.
    decodings : sequence of iterables of str
        Each as `decoding` there.

    Returns
    -------
    list of Colorizer
        One for each. Where they are asked for the same photo in turn, the
        network is run once. Several of them are not for several threads.
    """
    network = (network_file(network) if network else
               find_resource(DEFAULT_NETWORK))
    net, config, _ = saved.load_network(network, vgg_weights, fold=True,
                                        decoding=decodings[0])
    if len(decodings) == 1:
        functions = [saved.compile_prediction(net, config)]
    else:
        stored, _ = load_configuration(network)
        own = [copy.deepcopy(stored) for _ in decodings]
        for one, decoding in zip(own, decodings):
            one.override_decoding(decoding)
        functions = _share_passes(saved.compile_decodings(
            net, config, [one.decoding for one in own]), len(own))
    return [Colorizer(function, config.data['size'],
                      config.network['color_space'],
                      config.data['proportions']) for function in functions]


def _share_passes(predict, count):
    """Split a function for several decodings into one per decoding."""
    latest = [None, None]

    def predict_one(number, luminance):
        if not np.array_equal(luminance, latest[0]):
            latest[:] = luminance, predict(luminance)
        return latest[1][number]
    return [functools.partial(predict_one, number) for number in range(count)]
