"""Hold-out and minibatches (paper, 5.2).

All random draws are pure functions of a seed and an epoch number: a training
that is interrupted and resumed sees the same minibatches as one that is not.
"""

from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ..errors import ColornetError
from .crops import epoch_crops

__all__ = ['EpochMinibatches', 'epoch_plan', 'hold_out',
           'iterate_minibatches', 'prefetch']


def hold_out(num_images, proportion, seed):
    """Draw the validation images (paper, 5.2: 10 %).

    Parameters
    ----------
    num_images : int
    proportion : float
        In [0, 1); of 360 images, 0.1 holds out 36.
    seed : int
        In [0, 2 ** 32).

    Returns
    -------
    training, validation : ndarray of int
        Sorted, disjoint, together all of ``range(num_images)``. Neither is
        empty, except the second for a proportion of zero.

    Raises
    ------
    ColornetError
        If the proportion is not in [0, 1), or no image would be left for
        training.
    """
    if not 0 <= proportion < 1:
        raise ColornetError('the hold-out proportion must be at least 0 and '
                            'below 1, not %s' % proportion)
    num_held_out = int(round(num_images * proportion))
    if proportion > 0:
        num_held_out = max(num_held_out, 1)
    if num_held_out >= num_images:
        raise ColornetError('holding out %s of %d images leaves none for '
                            'training' % (proportion, num_images))
    order = np.random.RandomState(seed).permutation(num_images)
    return np.sort(order[num_held_out:]), np.sort(order[:num_held_out])


def epoch_plan(indices, seed, epoch, flip):
    """Draw the order of the images in an epoch, and which are mirrored.

    Parameters
    ----------
    indices : sequence of int
    seed, epoch : int
        In [0, 2 ** 32). The generator is ``RandomState([seed, epoch])``, so
        epochs need not be drawn one after the other.
    flip : bool
        Whether to mirror images at all, each with probability 1/2. The order
        does not depend on it.

    Returns
    -------
    indices : ndarray of int
        Shuffled.
    flips : ndarray of bool, same shape
    """
    random = np.random.RandomState([seed, epoch])
    indices = random.permutation(np.asarray(indices, np.intp))
    flips = random.random_sample(len(indices)) < (0.5 if flip else 0)
    return indices, flips


def iterate_minibatches(images, indices, batch_size, flips=None, crops=None):
    """Read images, a minibatch at a time (paper, 5.2: six images).

    Parameters
    ----------
    images : CachedImages or ndarray of uint8, (number, rows, columns, 3)
    indices : sequence of int
        The images to read, in this order.
    batch_size : int
    flips : sequence of bool, same length as `indices`, optional
        Which to mirror, left to right.
    crops : sequence of (side, top, left), same length, optional
        The square to read of each; `images` are
        :class:`colornet.data.image_cache.CachedCrops` then.

    Yields
    ------
    ndarray of uint8, (batch_size, rows, columns, 3)
        The last may have fewer images.

    Raises
    ------
    ColornetError
        If the batch size is below one.
    ValueError
        If there is not one flip for each index.
    """
    indices = np.asarray(indices, np.intp)
    flips = np.zeros(len(indices), bool) if flips is None else \
        np.asarray(flips, bool)
    if batch_size < 1:
        raise ColornetError('the batch size must be at least 1, not %s'
                            % batch_size)
    if len(flips) != len(indices):
        raise ValueError('%d indices need as many flips, not %d'
                         % (len(indices), len(flips)))
    for start in range(0, len(indices), batch_size):
        chunk = slice(start, start + batch_size)
        batch = (images[indices[chunk]] if crops is None else
                 images.read_crops(indices[chunk], crops[chunk]))
        mirrored = flips[chunk]
        # Whole pixels take half as long as their bytes.
        pixels = batch.view('V%d' % (batch.itemsize * batch.shape[-1]))[..., 0]
        pixels[mirrored] = pixels[mirrored, :, ::-1]
        yield batch


class EpochMinibatches:
    """The minibatches of a training, epoch by epoch (paper, 5.2).

    Parameters
    ----------
    images
        As for :func:`iterate_minibatches`.
    indices : sequence of int
        Of the images to train on.
    batch_size : int
    seed : int
    flip : bool
        As for :func:`epoch_plan`.
    min_crop : float in (0, 1], optional
        As for :func:`colornet.data.crops.epoch_crops`; whole images if not
        given.
    """

    def __init__(self, images, indices, batch_size, *, seed, flip=False,
                 min_crop=None):
        self._images, self._indices = images, indices
        self._batch_size, self._seed = batch_size, seed
        self._flip, self._min_crop = flip, min_crop

    def iterate(self, epoch, skip=0):
        """Read the minibatches of an epoch.

        Parameters
        ----------
        epoch : int
            Counted from 0.
        skip : int
            Minibatches to leave out at the start.

        Returns
        -------
        generator
            Of what :func:`iterate_minibatches` yields.
        """
        order, flips = epoch_plan(self._indices, self._seed, epoch,
                                  self._flip)
        crops = (None if self._min_crop is None else epoch_crops(
            len(order), self._seed, epoch, self._min_crop))
        rest = slice(skip * self._batch_size, None)
        return iterate_minibatches(
            self._images, order[rest], self._batch_size, flips[rest],
            None if crops is None else crops[rest])


def prefetch(iterator, transform=None, num_ahead=2):
    """Run an iterator in a background thread, ahead of its use (paper, 4).

    Minibatches are read and converted to CIELUV while the network computes.

    Parameters
    ----------
    iterator : iterator
    transform : callable, optional
        Called with each item, in the thread; its result is yielded instead.
    num_ahead : int
        The number of items to have ready or in work, at least 1.

    Yields
    ------
    object
        The items, in order. What the thread raises is raised here. Closing
        the generator ends the thread, after the item that is in work.
    """
    iterator = iter(iterator)
    end = object()

    def advance():
        item = next(iterator, end)
        return item if item is end or transform is None else transform(item)

    with ThreadPoolExecutor(max_workers=1) as thread:
        ahead = deque(thread.submit(advance) for _ in range(num_ahead))
        try:
            while True:
                item = ahead.popleft().result()
                if item is end:
                    return
                ahead.append(thread.submit(advance))
                yield item
        finally:
            for future in ahead:
                future.cancel()
