"""Total variation: solutions that are known, and a slow minimizer."""

import numpy as np
import scipy.optimize
from nose.tools import eq_, ok_
from numpy.testing import assert_allclose

from colornet.color import get_color_space, split_channels
from colornet.photos.colorizer import Colorizer
from colornet.photos.pixels import resize
from colornet.photos.reading import read_photo, read_rgb
from colornet.prediction.engines import load_outputs
from colornet.refinement.fade import predicted_spread, trust_of
from colornet.refinement.refiner import log_probabilities, shrink
from colornet.refinement.scores import decode_scores
from colornet.refinement.total_variation import (LEAST_TIE, luminance_ties,
                                                 minimize_variation,
                                                 variation_energy)
from colornet.resources import DEFAULT_NETWORK, find_resource
from tests import tiny

LIMITS = get_color_space('luv').limits

RNG = np.random.RandomState(0)


def even_ties(shape):
    return luminance_ties(np.full(shape, 50.), 4.)


def energy_by_loops(chroma, predicted, trust, ties, weight, slope):
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
            length = square ** 0.5
            total += weight * (length - slope / 2 if length > slope else
                               length ** 2 / (2 * slope) if slope else 0)
            total += trust[row, column] / 2 * sum(
                (here - predicted[row, column]) ** 2)
    return total


def plain_minimizer(predicted, trust, ties, weight, slope, num_steps):
    """Chambolle and Pock's algorithm as it is written, in double precision.

    Steps as long everywhere, nothing relaxed; returns what is found and a
    lower bound of the energy, that of the dual.
    """
    predicted = np.asarray(predicted, np.float64)
    trust = np.asarray(trust, np.float64)[..., np.newaxis]
    down, across = [np.asarray(tie, np.float64)[..., np.newaxis]
                    for tie in ties]

    def gradient(chroma):
        result = np.zeros((2,) + chroma.shape)
        result[0, :-1] = down * (chroma[1:] - chroma[:-1])
        result[1, :, :-1] = across * (chroma[:, 1:] - chroma[:, :-1])
        return result

    def transposed(dual):
        result = np.zeros(predicted.shape)
        result[:-1] -= down * dual[0, :-1]
        result[1:] += down * dual[0, :-1]
        result[:, :-1] -= across * dual[1, :, :-1]
        result[:, 1:] += across * dual[1, :, :-1]
        return result
    step, dual_step = 1.5 / 8 ** 0.5, 1 / (1.5 * 8 ** 0.5)
    found = ahead = predicted
    dual = np.zeros((2,) + predicted.shape)
    for _ in range(num_steps):
        dual = (dual + dual_step * gradient(ahead)) / (
            1 + dual_step * slope / weight)
        norms = np.sqrt((dual ** 2).sum(axis=(0, 3), keepdims=True))
        dual /= np.maximum(1, norms / weight)
        before = found
        found = (found - step * transposed(dual) + step * trust * predicted
                 ) / (1 + step * trust)
        ahead = 2 * found - before
    pulled = transposed(dual)
    bound = ((pulled * predicted).sum() - (pulled ** 2 / trust).sum() / 2 -
             slope / (2 * weight) * (dual ** 2).sum())
    return found, bound


def problem(shape=(5, 6)):
    luminance = RNG.uniform(0, 20, shape)
    predicted = RNG.uniform(-30, 30, shape + (2,)).astype(np.float32)
    trust = RNG.uniform(0.1, 1, shape)
    return predicted, trust, luminance_ties(luminance, 10.)


def test_energy_is_the_formula():
    predicted, trust, ties = problem()
    chroma = RNG.uniform(-30, 30, predicted.shape)
    for slope in 0., 10., 40.:
        assert_allclose(
            variation_energy(chroma, predicted, trust, ties, 3., slope),
            energy_by_loops(chroma, predicted, trust, ties, 3., slope),
            rtol=1e-5)


def test_no_other_minimizer_finds_less():
    predicted, trust, ties = problem((3, 4))
    for weight, slope in (1., 0.), (8., 4.):
        def energy(values):
            return energy_by_loops(values.reshape(predicted.shape), predicted,
                                   trust, ties, weight, slope)
        found = minimize_variation(predicted, trust, ties, weight, slope, 2000)
        other = scipy.optimize.minimize(
            energy, predicted.ravel().astype(np.float64), method='Powell',
            options={'maxiter': 60, 'xtol': 1e-6, 'ftol': 1e-9})
        ok_(energy(found.ravel()) <= other.fun * 1.0005,
            (energy(found.ravel()), other.fun))
        # Not because there is nothing to gain.
        ok_(energy(found.ravel()) < 0.95 * energy(predicted.ravel()))
        quick = minimize_variation(predicted, trust, ties, weight, slope)
        ok_(energy(quick.ravel()) < 1.01 * energy(found.ravel()))


def test_the_plain_algorithm_ends_at_the_same():
    predicted, trust, ties = problem((12, 10))
    # Networks are seldom surer than this.
    trust = trust ** 2 / 2
    for weight, slope in (1., 0.), (5., 0.), (5., 8.):
        found = minimize_variation(predicted, trust, ties, weight, slope, 3000)
        other, bound = plain_minimizer(predicted, trust, ties, weight, slope,
                                       8000)
        energy = variation_energy(other, predicted, trust, ties, weight, slope)
        ok_(0.9999 * bound < energy < 1.0001 * bound, (bound, energy))
        assert_allclose(found, other, atol=0.05)
        ok_(abs(found - predicted).max() > 3)


def test_of_photos_it_finds_the_least():
    """What the network that photos get says of them, at its own grid."""
    tiny.need('onnxruntime')
    outputs, config, _ = load_outputs(find_resource(DEFAULT_NETWORK),
                                      engine='onnx')
    settings = config.refinement
    for name in 'coffee', 'sunset', 'picosdeeuropa':
        light = Colorizer(None, config.data['size'],
                          proportions=config.data['proportions']).reduce(
            read_photo(find_resource('demo/photos/%s.jpg' % name)).pixels)
        scores = [log_probabilities(channel[0])
                  for channel in outputs(light[np.newaxis])]
        shape = scores[0].shape[1:]
        eq_(min(shape), 56)
        trust = trust_of(predicted_spread(scores, LIMITS))
        ok_(trust.max() > 5 * trust.min())
        ties = luminance_ties(shrink(light, shape),
                              settings['variation_contrast'])
        weight = settings['variation_weight'] * 56
        slope = settings['variation_slope'] / 56
        for decoding in {'method': 'argmax'}, config.decoding:
            predicted = decode_scores(scores, LIMITS, **decoding)
            found = minimize_variation(predicted, trust, ties, weight, slope)
            energy, before = [
                variation_energy(one, predicted, trust, ties, weight, slope)
                for one in (found, predicted)]
            _, bound = plain_minimizer(predicted, trust, ties, weight, slope,
                                       500)
            ok_(energy < 1.0001 * bound, (name, energy, bound))
            ok_(before > 1.2 * bound)
            # Nearly all that is left counts by its square: of a pixel's
            # differences with the one below and the one to the right, the
            # joint length is what counts.
            squares = np.zeros(shape)
            squares[:-1] += np.square(
                np.diff(found, axis=0) * ties[0][..., np.newaxis]).sum(axis=-1)
            squares[:, :-1] += np.square(
                np.diff(found, axis=1) * ties[1][..., np.newaxis]).sum(axis=-1)
            steep = np.mean(np.sqrt(squares) > slope)
            ok_(steep < 0.005, (name, steep))


def test_a_step_shrinks_by_what_its_sides_can_bear():
    """Of n pixels on a side, each moves by weight / (n trust)."""
    predicted = np.zeros((1, 10, 2), np.float32)
    predicted[0, 4:, 0] = 20.
    found = minimize_variation(predicted, np.ones((1, 10)),
                               even_ties((1, 10)), 6., 0., 1000)
    assert_allclose(found[0, :4, 0], 6 / 4., atol=0.02)
    assert_allclose(found[0, 4:, 0], 20 - 6 / 6., atol=0.02)
    assert_allclose(found[..., 1], 0)
    trusted = minimize_variation(predicted, np.full((1, 10), 4.),
                                 even_ties((1, 10)), 6., 0., 1000)
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
                                   even_ties((1, 12)), 5., 0., 1000)
        steps.append(found[0, -1, 1] - found[0, 0, 1])
    ok_(steps[0] < 0.25 and steps[1] > 1.2, steps)


def test_small_changes_become_smooth_before_large_ones_fade():
    """By squares, a ripple goes and a step of colours stays as it was."""
    ripple = np.zeros((1, 40, 2), np.float32)
    ripple[0, ::2] = 2.
    step = ripple.copy()
    step[0, 20:, 0] += 60.
    losses, ripples = [], []
    for weight, slope in (1.5, 0.), (1.5, 3.):
        found = minimize_variation(step, np.ones((1, 40)), even_ties((1, 40)),
                                   weight, slope, 1000)[0, :, 0]
        losses.append(60 - (found[20:].mean() - found[:20].mean()))
        ripples.append(abs(np.diff(found[:18])).max())
    ok_(max(ripples) < 1, ripples)
    ok_(abs(losses[0] - 2 * 1.5 / 20) < 0.02, losses)
    ok_(losses[1] <= losses[0] + 0.02, losses)


def test_edges_of_luminance_keep_their_step():
    luminance = np.zeros((1, 10))
    luminance[:, 4:] = 60.
    down, across = luminance_ties(luminance, 4.)
    eq_((down.shape, across.shape), ((0, 10), (1, 9)))
    assert_allclose(across[0], [1, 1, 1, LEAST_TIE, 1, 1, 1, 1, 1], rtol=1e-5)
    predicted = np.zeros((1, 10, 2), np.float32)
    predicted[0, 4:, 0] = 20.
    found = minimize_variation(predicted, np.ones((1, 10)), (down, across),
                               6., 0., 1000)
    assert_allclose(found, predicted, atol=0.05)


def test_blotches_of_a_photo_vanish_and_its_colours_stay():
    rgb = read_rgb(find_resource('demo/photos/picosdeeuropa.jpg'), 64,
                   largest=64)
    luminance, chroma = split_channels(resize(rgb, (64, 88)))
    noisy = (chroma + RNG.normal(0, 10, chroma.shape)).astype(np.float32)
    found = minimize_variation(noisy, np.ones((64, 88)), luminance_ties(
        luminance, 4.), 10., 0.)
    errors = [np.sqrt(np.mean((one - chroma) ** 2)) for one in (noisy, found)]
    ok_(errors[1] < 0.55 * errors[0], errors)
    assert_allclose(found.mean(axis=(0, 1)), noisy.mean(axis=(0, 1)),
                    atol=0.1)
