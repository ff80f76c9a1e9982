"""Total variation: solutions that are known, and a slow minimizer."""

import numpy as np
import scipy.optimize
from nose.tools import eq_, ok_
from numpy.testing import assert_allclose

from colornet.color import split_channels
from colornet.photos.pixels import resize
from colornet.photos.reading import read_rgb
from colornet.refinement.total_variation import (LEAST_TIE, luminance_ties,
                                                 minimize_variation,
                                                 variation_energy)
from colornet.resources import find_resource

RNG = np.random.RandomState(0)


def even_ties(shape):
    return luminance_ties(np.full(shape, 50.), 4.)


def energy_by_loops(chroma, predicted, trust, ties, weight):
    """The module's formula, pixel by pixel."""
    total = 0.
    rows, columns, _ = chroma.shape
    for row in range(rows):
        for column in range(columns):
            here, square = chroma[row, column], 0.
            if row + 1 < rows:
                square += sum((ties[0][row, column] *
                               (chroma[row + 1, column] - here)) ** 2)
            if column + 1 < columns:
                square += sum((ties[1][row, column] *
                               (chroma[row, column + 1] - here)) ** 2)
            total += weight * square ** 0.5
            total += trust[row, column] / 2 * sum(
                (here - predicted[row, column]) ** 2)
    return total


def problem(shape=(5, 6)):
    luminance = RNG.uniform(0, 20, shape)
    predicted = RNG.uniform(-30, 30, shape + (2,)).astype(np.float32)
    trust = RNG.uniform(0.1, 1, shape)
    return predicted, trust, luminance_ties(luminance, 10.)


def test_energy_is_the_formula():
    predicted, trust, ties = problem()
    chroma = RNG.uniform(-30, 30, predicted.shape)
    assert_allclose(variation_energy(chroma, predicted, trust, ties, 3.),
                    energy_by_loops(chroma, predicted, trust, ties, 3.),
                    rtol=1e-5)


def test_no_other_minimizer_finds_less():
    predicted, trust, ties = problem((3, 4))
    for weight in 1., 8.:
        def energy(values):
            return energy_by_loops(values.reshape(predicted.shape), predicted,
                                   trust, ties, weight)
        found = minimize_variation(predicted, trust, ties, weight, 2000)
        other = scipy.optimize.minimize(
            energy, predicted.ravel().astype(np.float64), method='Powell',
            options={'maxiter': 60, 'xtol': 1e-6, 'ftol': 1e-9})
        ok_(energy(found.ravel()) <= other.fun * 1.0005,
            (energy(found.ravel()), other.fun))
        # Not because there is nothing to gain.
        ok_(energy(found.ravel()) < 0.95 * energy(predicted.ravel()))
        quick = minimize_variation(predicted, trust, ties, weight)
        ok_(energy(quick.ravel()) < 1.01 * energy(found.ravel()))


def test_a_step_shrinks_by_what_its_sides_can_bear():
    """Of n pixels on a side, each moves by weight / (n trust)."""
    predicted = np.zeros((1, 10, 2), np.float32)
    predicted[0, 4:, 0] = 20.
    found = minimize_variation(predicted, np.ones((1, 10)),
                               even_ties((1, 10)), 6., 1000)
    assert_allclose(found[0, :4, 0], 6 / 4., atol=0.02)
    assert_allclose(found[0, 4:, 0], 20 - 6 / 6., atol=0.02)
    assert_allclose(found[..., 1], 0)
    trusted = minimize_variation(predicted, np.full((1, 10), 4.),
                                 even_ties((1, 10)), 6., 1000)
    assert_allclose(trusted[0, :4, 0], 6 / 16., atol=0.02)


def test_both_channels_change_where_one_has_its_edge():
    """A weak step of V survives beside one of U, not by itself."""
    alone = np.zeros((1, 12, 2), np.float32)
    alone[0, 6:, 1] = 1.5
    beside = alone.copy()
    beside[0, 6:, 0] = 40.
    steps = []
    for predicted in alone, beside:
        found = minimize_variation(predicted, np.ones((1, 12)),
                                   even_ties((1, 12)), 5., 1000)
        steps.append(found[0, -1, 1] - found[0, 0, 1])
    ok_(steps[0] < 0.25 and steps[1] > 1.2, steps)


def test_edges_of_luminance_keep_their_step():
    luminance = np.zeros((1, 10))
    luminance[:, 4:] = 60.
    down, across = luminance_ties(luminance, 4.)
    eq_((down.shape, across.shape), ((0, 10), (1, 9)))
    assert_allclose(across[0], [1, 1, 1, LEAST_TIE, 1, 1, 1, 1, 1], rtol=1e-5)
    predicted = np.zeros((1, 10, 2), np.float32)
    predicted[0, 4:, 0] = 20.
    found = minimize_variation(predicted, np.ones((1, 10)), (down, across),
                               6., 1000)
    assert_allclose(found, predicted, atol=0.05)


def test_blotches_of_a_photo_vanish_and_its_colours_stay():
    rgb = read_rgb(find_resource('demo/photos/picosdeeuropa.jpg'), 64,
                   largest=64)
    luminance, chroma = split_channels(resize(rgb, (64, 88)))
    noisy = (chroma + RNG.normal(0, 10, chroma.shape)).astype(np.float32)
    found = minimize_variation(noisy, np.ones((64, 88)), luminance_ties(
        luminance, 4.), 10.)
    errors = [np.sqrt(np.mean((one - chroma) ** 2)) for one in (noisy, found)]
    ok_(errors[1] < 0.55 * errors[0], errors)
    assert_allclose(found.mean(axis=(0, 1)), noisy.mean(axis=(0, 1)),
                    atol=0.1)
