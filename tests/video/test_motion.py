"""What moved, and where there is a cut."""

import numpy as np
from nose.tools import assert_greater, assert_less, eq_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.color import luminance
from colornet.video.motion import find_flow, find_motion, follow, is_consistent
from tests.video import clips

GRID = 12, 16


def setup_module():
    clips.need_video()


def frames(count, **options):
    return [luminance(np.ascontiguousarray(pixels))
            for pixels in clips.moving(count, **options)]


def test_follow():
    random = np.random.RandomState(0)
    values = random.uniform(size=GRID + (7,)).astype(np.float32)
    flow = np.zeros(GRID + (2,), np.float32)
    flow[..., 0] = 2
    got = follow(values, flow)
    assert_allclose(got[:, :-2], values[:, 2:], atol=1e-6)
    assert_allclose(got[:, -1], values[:, -1], atol=1e-6)
    flow[..., 0], flow[..., 1] = 0, -.5
    assert_allclose(follow(values, flow)[1:],
                    (values[1:] + values[:-1]) / 2, atol=1e-2)


def test_flow_of_what_moves():
    before, after = frames(6)[::5]
    flow = find_flow(after, before)[8:-8, 8:-8]
    assert_allclose(np.median(flow, axis=(0, 1)), [5, 0], atol=.3)


def test_flow_depends_on_its_frames_only():
    small = [one[:32, :40] for one in frames(4)]
    first = find_flow(small[1], small[0])
    find_flow(small[3], small[0])
    assert_array_equal(find_flow(small[1], small[0]), first)


def test_motion():
    before, after = frames(6)[::5]
    motion = find_motion(before, after, GRID)
    # Five pixels, each a quarter of a cell.
    inside = slice(2, -2), slice(3, -3)
    assert_allclose(np.median(motion.backward[inside], axis=(0, 1)),
                    [1.25, 0], atol=.1)
    assert_allclose(np.median(motion.forward[inside], axis=(0, 1)),
                    [-1.25, 0], atol=.1)
    for trust in motion.trust_backward, motion.trust_forward:
        eq_(trust.shape, GRID)
        assert_greater(np.median(trust[inside]), .8)
        assert_greater(trust.min(), -1e-6)
        assert_less(trust.max(), 1 + 1e-6)


def test_what_is_hidden_is_not_trusted():
    # A square moves over a photo that stands still.
    still = frames(1)[0]
    before, after = still.copy(), still.copy()
    before[16:32, 16:28] = after[16:32, 24:36] = 95
    motion = find_motion(before, after, GRID)
    uncovered = motion.trust_backward[5:7, 4:6]
    elsewhere = motion.trust_backward[:, 11:]
    assert_less(uncovered.max(), .4)
    assert_greater(elsewhere.min(), .9)


def test_consistency():
    flow = np.zeros(GRID + (2,), np.float32)
    flow[..., 0] = 3
    assert is_consistent(flow, -flow).all()
    assert not is_consistent(flow, np.zeros_like(flow)).any()


def test_cuts():
    first, second = frames(8), frames(8, scene=1)
    for one, other in zip(first, first[1:]):
        assert find_motion(one, other, GRID) is not None
    assert find_motion(first[-1], second[0], GRID) is None
    assert find_motion(second[-1], first[0], GRID) is None
    # Other borders.
    assert find_motion(first[0], first[1][:40], GRID) is None
    # A fade is none.
    assert find_motion(first[0], .9 * first[1], GRID) is not None
