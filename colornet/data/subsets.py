"""Photos of a configuration: to train on, held out, for tests (paper, 4)."""

import hashlib
import math
import os

import numpy as np

from ..errors import ColornetError
from ..resources import find_resource
from ..terminal import note
from .image_cache import cache_path, load_images
from .minibatches import hold_out
from .splits import load_split

__all__ = ['check_subset', 'digest_photos', 'draw_training', 'find_photos',
           'largest_side', 'load_photos', 'load_subset']


def load_subset(config, folder, subset):
    """Load the photos of one subset of the configured data set.

    Parameters
    ----------
    config : Config
    folder : str or Path
        Holds the data set.
    subset : 'train', 'test' or 'validation'
        The last are those of the first that are held out.

    Returns
    -------
    images : CachedImages or ndarray of uint8, (number, size, size, 3)
        With ``data.proportions = keep``, the central squares.
    names : list of str

    Notes
    -----
    Photos left out are named on stderr.
    """
    images, names = load_photos(config.data, folder,
                                _find_split(config.data, subset))
    if subset == 'test':
        return images, names
    training, held_out = draw_training(len(images), config)
    chosen = (held_out if subset == 'validation' else
              np.union1d(training, held_out))
    if len(chosen) == len(images):
        return images, names
    return images[chosen], [names[number] for number in chosen]


def check_subset(config, folder, subset):
    """Refuse what :func:`load_subset` cannot load, before a long training.

    No photo is opened.
    """
    find_photos(config.data, folder, _find_split(config.data, subset))


def _find_split(settings, subset):
    """The split that a subset is part of."""
    if subset == 'validation' and not settings['hold_out']:
        raise ColornetError('data.hold_out = 0: no photos are held out')
    return 'test' if subset == 'test' else 'train'


def draw_training(num_images, config):
    """Draw the photos to train on and those to hold out (paper, 5.2).

    Parameters
    ----------
    num_images : int
        In the data set's training split.
    config : Config

    Returns
    -------
    training, validation : ndarray of int
        Sorted, disjoint, together ``data.num_images`` or all there are.
    """
    wanted, seed = config.data['num_images'], config.draw_seed
    drawn = np.arange(num_images)
    if 0 < wanted < num_images:
        drawn = np.sort(np.random.RandomState(seed).choice(
            num_images, wanted, replace=False))
    return [drawn[part] for part in
            hold_out(len(drawn), config.data['hold_out'], seed)]


def find_photos(settings, folder, split):
    """Find the files of the configured data set's photos.

    Parameters
    ----------
    settings : dict
        Those of ``[data]``.
    folder : str or Path
        Holds the data set.
    split : 'train' or 'test'

    Returns
    -------
    list of str
    """
    return load_split(settings['dataset'], folder, split,
                      find_resource('experiments/splits'),
                      settings['test_share'])


def largest_side(settings):
    """The shorter side to which a photo is reduced before crops are taken.

    Parameters
    ----------
    settings : dict
        Those of ``[data]``.

    Returns
    -------
    int, or None with ``data.proportions = squash``
        The smallest crop of a photo that is large enough has all the pixels
        that the network takes.
    """
    return (int(math.ceil(settings['size'] / settings['min_crop']))
            if settings['proportions'] == 'keep' else None)


def load_photos(settings, folder, split):
    """Load all photos of a split from the cache (paper, 4).

    Parameters
    ----------
    settings, folder, split
        As for :func:`find_photos`.

    Returns
    -------
    images : CachedImages or CachedCrops
    names : list of str
    """
    size, largest = settings['size'], largest_side(settings)
    paths = find_photos(settings, folder, split)
    images, names, skipped = load_images(
        paths, cache_path(folder, '%s_%s' % (settings['dataset'], split),
                          size, largest), size, largest=largest)
    for path, reason in skipped:
        note('left out %s: %s' % (path, reason))
    return images, names


def digest_photos(images, names):
    """Digests by which a training knows its photos.

    Times of files are left out: copies have others.

    Parameters
    ----------
    images, names
        As :func:`load_photos` returns them.

    Returns
    -------
    dict of str to str
    """
    def digest(words):
        return hashlib.sha256(b'\n'.join(map(os.fsencode, words))).hexdigest()
    return {'photos': digest(names),
            'photo_sizes': digest(map(str, images.file_sizes))}
