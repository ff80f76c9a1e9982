"""A photo becomes input and target (paper, 4, 3.1, 3.6); no Theano."""

import numpy as np

from ..color import bin_channel, get_color_space, split_channels
from ..scaling import shrink_chroma

__all__ = ['IMAGENET_MEAN_BGR', 'make_targets', 'make_transform',
           'preprocess']

#: Mean blue, green and red value of ImageNet's pictures, 0..255 (paper, 4).
IMAGENET_MEAN_BGR = np.float32([103.939, 116.779, 123.68])


def preprocess(luminance, luminance_max=100.):
    """Make the network's input from luminance (paper, 4; choice 3).

    VGG16 expects zero-centered images of three channels: the grayscale image
    is duplicated three times, and ImageNet's mean R, G and B subtracted.

    Parameters
    ----------
    luminance : ndarray, (batch, rows, columns)
        In [0, luminance_max].
    luminance_max : float
        Luminance of white.

    Returns
    -------
    ndarray of float32, (batch, 3, rows, columns)
        Scaled to [0, 255], minus the mean; blue, green and red.
    """
    scaled = np.asarray(luminance, np.float32) * np.float32(
        255. / luminance_max)
    return scaled[:, np.newaxis] - IMAGENET_MEAN_BGR[:, np.newaxis,
                                                     np.newaxis]


def make_targets(chroma, settings):
    """Targets of a minibatch: chrominance, or bin numbers (paper, 3.6).

    Parameters
    ----------
    chroma : ndarray, (batch, rows, columns, 2)
    settings : dict
        Those of ``[network]``.

    Returns
    -------
    ndarray of float32 or int32, (batch, 2, rows, columns)
        At the resolution of the network's output (choice 23).
    """
    chroma = np.moveaxis(
        shrink_chroma(chroma, settings['output_stride'],
                      settings['color_space']), -1, 1)
    if settings['kind'] == 'regression':
        return np.ascontiguousarray(chroma)
    limits = get_color_space(settings['color_space']).limits
    return bin_channel(chroma, settings['num_bins'], limits)


def make_transform(settings):
    """Conversion of photos to the network's inputs and targets (paper, 4).

    Parameters
    ----------
    settings : dict
        Those of ``[network]``.

    Returns
    -------
    callable
        Takes photos, (batch, rows, columns, 3); returns inputs, targets and
        the photos.
    """
    space = get_color_space(settings['color_space'])

    def transform(rgb):
        luminance, chroma = split_channels(rgb, space.name)
        return (preprocess(luminance, space.luminance_max),
                make_targets(chroma, settings), rgb)
    return transform
