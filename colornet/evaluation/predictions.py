"""Predictions of many images, and their scores (paper, 5.1); no Theano."""

import contextlib
from collections import OrderedDict

from ..color import split_channels
from ..data.minibatches import iterate_minibatches, prefetch
from ..metrics import image_metrics, summarize
from ..scaling import enlarge_chroma

__all__ = ['evaluate', 'predict_images']


def predict_images(predict, images, color_space='luv', batch_size=4):
    """Predict the chrominance of images from their luminance.

    Parameters
    ----------
    predict : callable
        Luminance to chrominance, see
        :func:`colornet.network.saved.compile_prediction`.
    images : array of uint8, (number, size, size, 3)
    color_space : 'luv' or 'hsv'
        That of `predict`.
    batch_size : int

    Yields
    ------
    rgb : ndarray of uint8, (size, size, 3)
    chroma : ndarray of float32, (size, size, 2)
        Enlarged, if the network's output is smaller.
    """
    batches = prefetch(
        iterate_minibatches(images, range(len(images)), batch_size),
        lambda rgb: (split_channels(rgb, color_space)[0], rgb))
    with contextlib.closing(batches):
        for luminance, rgb in batches:
            for actual, chroma in zip(rgb, predict(luminance)):
                yield actual, enlarge_chroma(chroma, actual.shape[:2],
                                             color_space)


def evaluate(predictions, names, color_space='luv'):
    """Score predictions (paper, 5.1).

    Parameters
    ----------
    predictions : iterable of (rgb, chroma)
        As :func:`predict_images` yields them.
    names : list of str
        Of the images.
    color_space : 'luv' or 'hsv'

    Returns
    -------
    dict
        ``mean``: of each metric over images; ``images``: a dict for each,
        with its name.
    """
    rows = [image_metrics(chroma, rgb, color_space, objects=True)
            for rgb, chroma in predictions]
    return {'mean': summarize(rows),
            'images': [OrderedDict([('name', name)], **row)
                       for name, row in zip(names, rows)]}
