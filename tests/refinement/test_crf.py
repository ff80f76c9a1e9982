"""The random field against sums over all pixels and bins."""

import numpy as np
from nose.tools import eq_, ok_
from numpy.testing import assert_allclose

from colornet.refinement.crf import MOST_DIFFERENT, bin_costs, mean_field
from colornet.refinement.guided import GuidedFilter

RNG = np.random.RandomState(0)
LIMITS = -100., 100.


def test_costs_grow_with_the_distance_up_to_a_most():
    costs = bin_costs(50, LIMITS)
    eq_((costs.shape, costs.dtype), ((50, 50), np.float32))
    for one, other in (0, 0), (3, 4), (4, 3), (10, 49), (7, 13):
        expected = min(4. * abs(one - other), MOST_DIFFERENT) / MOST_DIFFERENT
        assert_allclose(costs[one, other], expected, rtol=1e-6)


def mean_field_by_loops(scores, costs, affinity, weight, num_rounds):
    """Mean field, all pixels at once; `affinity` is of pixels, of each with
    itself, too."""
    bins, pixels = scores.shape
    found = np.zeros_like(scores)
    for pixel in range(pixels):
        found[:, pixel] = np.exp(scores[:, pixel])
        found[:, pixel] /= found[:, pixel].sum()
    for _ in range(num_rounds):
        new = np.zeros_like(found)
        for pixel in range(pixels):
            for one in range(bins):
                cost = 0.
                for other_pixel in range(pixels):
                    for other in range(bins):
                        cost += (affinity[pixel, other_pixel] *
                                 costs[one, other] *
                                 found[other, other_pixel])
                new[one, pixel] = np.exp(scores[one, pixel] - weight * cost)
            new[:, pixel] /= new[:, pixel].sum()
        found = new
    return found


def test_marginals_are_those_of_loops():
    scores = RNG.normal(0, 2, (5, 2, 4)).astype(np.float32)
    affinity = RNG.uniform(0, 1, (8, 8))
    affinity /= affinity.sum(axis=1, keepdims=True)
    costs = bin_costs(5, LIMITS)

    def smooth(planes):
        return (planes.reshape(5, 8) @ affinity.T).reshape(planes.shape)
    found = mean_field(scores, costs, smooth, 3., 2)
    weights = np.exp(found - found.max(axis=0))
    assert_allclose(weights / weights.sum(axis=0), mean_field_by_loops(
        scores.reshape(5, 8).astype(np.float64), costs, affinity, 3.,
        2).reshape(5, 2, 4), atol=1e-5)


def test_messages_come_from_neighbours():
    radius, scores = 2, RNG.normal(0, 2, (5, 15, 15)).astype(np.float32)
    smooth = GuidedFilter(RNG.uniform(0, 20, (15, 15)), radius, 4.)
    other = scores.copy()
    other[:, 7, 7] += RNG.normal(0, 5, 5)
    changed = [np.abs(mean_field(one, bin_costs(5, LIMITS), smooth, 3., 1) -
                      scores).max(axis=0) for one in (scores, other)]
    rows, columns = np.nonzero(np.abs(changed[1] - changed[0]) > 1e-4)
    eq_((rows.min(), rows.max(), columns.min(), columns.max()),
        (7 - 2 * radius, 7 + 2 * radius) * 2)


def test_a_pixel_follows_its_side_of_an_edge():
    luminance = np.full((16, 16), 20.)
    luminance[:, 8:] = 80.
    scores = np.full((50, 16, 16), -8., np.float32)
    scores[20, :, :8] = 0.
    scores[40, :, 8:] = 0.
    # Two that are unsure, and lean to the other side's bin.
    for column, own, other in (5, 20, 40), (10, 40, 20):
        scores[own, 6, column], scores[other, 6, column] = -0.5, 0.
    found = mean_field(scores, bin_costs(50, LIMITS), GuidedFilter(
        luminance, 3, 4.), 4.)
    best = found.argmax(axis=0)
    eq_((best[6, 5], best[6, 10]), (20, 40))
    ok_((best[:, :8] == 20).all() and (best[:, 8:] == 40).all())
    same = mean_field(scores, bin_costs(50, LIMITS), lambda planes: planes, 0.)
    assert_allclose(same, scores)
