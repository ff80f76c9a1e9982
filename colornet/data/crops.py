"""Squares of photos of any proportions (choices 26 and 30).

A square is side, top and left, all in [0, 1]: the side as a share of the
photo's shorter side, the place as a share of how far it can be moved.
"""

import numpy as np

from ..photos.pixels import resize

__all__ = ['CENTRAL', 'cut_square', 'epoch_crops']

#: In the middle, as large as the photo allows.
CENTRAL = 1., 0.5, 0.5


def epoch_crops(num_images, seed, epoch, min_crop):
    """Draw the square of each photo that is seen in an epoch.

    Parameters
    ----------
    num_images : int
    seed, epoch : int
        In [0, 2 ** 32). As for
        :func:`colornet.data.minibatches.epoch_plan`, whose draws these do
        not change.
    min_crop : float in (0, 1]
        The smallest side, as a share of the photo's shorter one.

    Returns
    -------
    ndarray of float, (num_images, 3)
        Side, top and left.
    """
    random = np.random.RandomState([seed, epoch, 1])
    crops = random.random_sample((num_images, 3))
    crops[:, 0] = min_crop + (1 - min_crop) * crops[:, 0]
    return crops


def cut_square(photo, crop, size):
    """Cut a square out of a photo.

    Parameters
    ----------
    photo : ndarray of uint8, (rows, columns, 3)
    crop : (side, top, left)
    size : int

    Returns
    -------
    ndarray of uint8, (size, size, 3)
    """
    side = int(round(crop[0] * min(photo.shape[:2])))
    top, left = [int(round(share * (length - side))) for share, length in
                 zip(crop[1:], photo.shape)]
    return resize(photo[top:top + side, left:left + side], (size, size))
