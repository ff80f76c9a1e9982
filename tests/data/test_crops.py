"""Squares of photos, drawn for an epoch."""

import numpy as np
from nose.tools import ok_
from numpy.testing import assert_array_equal

from colornet.data.crops import epoch_crops


def test_crops_depend_on_seed_and_epoch_alone():
    crops = epoch_crops(400, seed=3, epoch=7, min_crop=0.6)
    np.random.rand(9)
    assert_array_equal(crops, epoch_crops(400, 3, 7, 0.6))
    for seed, epoch in [(3, 8), (4, 7), (7, 3)]:
        ok_((crops != epoch_crops(400, seed, epoch, 0.6)).all())
    # Evenly over all that there is to draw from.
    for column, low in zip(crops.T, (0.6, 0, 0)):
        ok_(low <= column.min() and column.max() <= 1)
        expected = np.linspace(low, 1, 400)
        ok_(abs(np.sort(column) - expected).max() < 0.08)
    whole = epoch_crops(400, 3, 7, 1)
    assert_array_equal(whole[:, 0], 1)
    # The place is drawn apart from the side.
    assert_array_equal(whole[:, 1:], crops[:, 1:])
