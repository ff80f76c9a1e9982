"""Averages along what moves, against sums written out."""

import numpy as np
from nose.tools import assert_greater, assert_less, eq_
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import gaussian_filter

from colornet.refinement.scores import decode_scores, keep_scores
from colornet.video.motion import Motion
from colornet.video.smoothing import as_scores, as_weighted, smooth
from tests.video import clips

GRID, MEMORY = (4, 5), .8


def setup_module():
    clips.need_video()


def motion(trust=1., flow=(0, 0)):
    flows = np.broadcast_to(np.float32(flow), GRID + (2,)).copy()
    trusts = np.broadcast_to(np.float32(trust), GRID).copy()
    return Motion(flows, -flows, trusts, trusts)


def frames(count, channels=3):
    random = np.random.RandomState(1)
    values = random.uniform(size=(count,) + GRID + (channels + 1,))
    values[..., -1] = 1
    return list(values.astype(np.float32))


def spread(total):
    """With what cells take from those around them."""
    return total + .1 * MEMORY * gaussian_filter(total, (1.5, 1.5, 0),
                                                 mode='nearest')


def run(seen, count=None, before=None):
    return list(smooth(before, seen, count or len(seen), MEMORY))


def seen_of(values, **options):
    return [(own, motion(**options) if number else None)
            for number, own in enumerate(values)]


def test_both_ways():
    values = frames(6)
    for number, (total, sums) in enumerate(run(seen_of(values))):
        weights = MEMORY ** np.abs(np.arange(6) - number)
        assert_allclose(total, spread(np.tensordot(weights, values, 1)),
                        rtol=1e-5)
        assert_allclose(sums, np.tensordot(
            weights[:number + 1], values[:number + 1], 1), rtol=1e-5)


def test_trust():
    values = frames(3)
    seen = seen_of(values, trust=.5)
    total = run(seen)[1][0]
    assert_allclose(total, spread(values[1] + .5 * MEMORY * (
        values[0] + values[2])), rtol=1e-5)


def test_nothing_comes_over_what_is_hidden():
    values = frames(3)
    trust = np.ones(GRID)
    trust[:, 2] = 0
    _, sums = run(seen_of(values, trust=trust))[1]
    assert_allclose(sums[:, 2], values[1][:, 2], rtol=1e-6)
    assert_allclose(sums[:, :2], (MEMORY * values[0] + values[1])[:, :2],
                    rtol=1e-5)


def test_along_what_moves():
    values = frames(2)
    first, second = run(seen_of(values, flow=(1, 0)))
    # A cell of the second frame was one to the right in the first.
    assert_allclose(second[1][:, :-1], values[1][:, :-1] +
                    MEMORY * values[0][:, 1:], rtol=1e-4)
    right = np.roll(values[1], 1, axis=1)
    right[:, 0] = values[1][:, 0]
    assert_allclose(first[0], spread(values[0] + MEMORY * right), rtol=1e-4)


def test_in_blocks():
    values = frames(9)
    seen = seen_of(values)
    whole = run(seen)
    first = run(seen[:6], count=4)
    eq_(len(first), 4)
    # Without the last three frames, which weigh less than what is there.
    second = run(seen[4:], before=first[-1][1])
    for got, expected in zip(second, whole[4:]):
        assert_allclose(got[0], expected[0], rtol=1e-5)


def test_frames_that_the_network_has_not_seen():
    values = frames(5)
    given = [values[0], None, None, None, values[4]]
    for number, (total, _) in enumerate(run(seen_of(given))):
        expected = (MEMORY ** number * values[0] +
                    MEMORY ** (4 - number) * values[4])
        assert_allclose(total, spread(expected), rtol=1e-5)


def test_empty_cells_take_from_around():
    values = frames(2)
    trust = np.ones(GRID)
    trust[1, 2] = 0
    total = run(seen_of([values[0], None], trust=trust))[1][0]
    mean = total[1, 2, :-1] / total[1, 2, -1]
    assert np.isfinite(mean).all()
    assert_greater(mean.min(), values[0][..., :-1].min())
    assert_greater(values[0][..., :-1].max(), mean.max())
    # Less than the others, which are known.
    assert_greater(total[0, 0, -1], 5 * total[1, 2, -1])


def test_far_from_what_is_known():
    # As where the camera turns: the left half is new.
    random = np.random.RandomState(5)
    shape = 40, 60
    known = random.uniform(.5, 1, shape + (2,)).astype(np.float32)
    trust = np.ones(shape, np.float32)
    trust[:, :30] = 0
    still = np.zeros(shape + (2,), np.float32)
    total = run([(known, None), (None, Motion(still, still, trust,
                                              trust))])[1][0]
    mean = total[..., 0] / total[..., 1]
    assert np.isfinite(mean).all()
    assert_less(np.abs(mean[:, :25] - .5 / .75).max(), .6)


def test_probabilities_and_back():
    random = np.random.RandomState(2)
    outputs = [random.normal(0, 3, (2, 50) + GRID).astype(np.float32)
               for _ in range(2)]
    for kept in keep_scores(outputs):
        weighted = as_weighted(kept)
        eq_(weighted.shape, GRID + (101,))
        assert_allclose(weighted[..., :50].sum(axis=-1), 1, rtol=1e-5)
        assert_array_equal(weighted[..., -1], 1)
        for method in {'method': 'mean', 'temperature': .7}, {
                'method': 'argmax'}:
            assert_allclose(
                decode_scores(as_scores(3 * weighted, 2), (-100, 100),
                              **method),
                decode_scores(kept, (-100, 100), **method), atol=1e-3)


def test_chrominance_and_back():
    chroma = np.random.RandomState(3).normal(0, 30, (1, 2) + GRID)
    kept, = keep_scores([chroma.astype(np.float32)])
    weighted = as_weighted(kept)
    got = decode_scores(as_scores(2 * weighted, 1), (-100, 100))
    assert_allclose(got, np.moveaxis(chroma[0], 0, -1), rtol=1e-5)
