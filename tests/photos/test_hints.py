"""Hints: read, exact where they are, spread as a dense solution has it."""

import subprocess
import sys
from unittest import SkipTest

import numpy as np
from nose.tools import assert_is, assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.color import split_channels
from colornet.photos import hints
from colornet.photos.hints import Hint, HintSpreader, parse_hint, spread_hints
from tests import tiny

RED, GREEN, GREY = (200, 40, 30), (40, 140, 50), (128, 128, 128)


def chroma_of(color):
    return split_channels(np.uint8([[color]]))[1][0, 0]


def lightness_of(color):
    return split_channels(np.uint8([[color]]))[0][0, 0]


def halves(rows=40, columns=60):
    """Dark on the left, light on the right, and a network's chroma."""
    luminance = np.full((rows, columns), 50, np.float32)
    luminance[:, columns // 2:] = 85
    chroma = np.zeros((rows // 4, columns // 4, 2), np.float32)
    chroma[...] = 6, -9
    return luminance, chroma


def test_hints_are_read():
    for text, hint in (
            ('120,85=#C04020', Hint(120, 85, (192, 64, 32))),
            (' 0 , 7.5 = #fff ', Hint(0, 7.5, (255, 255, 255))),
            ('3,4=grey', Hint(3, 4, GREY)), ('3,4=gray', Hint(3, 4, GREY)),
            ('3,4=SkyBlue', Hint(3, 4, (135, 206, 235)))):
        eq_(parse_hint(text), hint)


def test_what_is_no_hint():
    for text in ('', '3,4', '3=red', '3,4=', '-3,4=red', '3;4=red', '3,4,red',
                 '3,4,5=red', 'nan,4=red', '٣,4=red'):
        tiny.check_error(lambda: parse_hint(text), 'X,Y=#RRGGBB', repr(text))
    for text in ('3,4=#12345', '3,4=reddish', '3,4=#11223344', '3,4=255',
                 '3,4=rgb(300,0,0)', '3,4=rgb(999999999999,0,0)',
                 '3,4=hsv(1,200%,50%)'):
        tiny.check_error(lambda: parse_hint(text), 'is no colour', repr(text))


def test_hints_are_in_the_photo():
    luminance, chroma = halves()
    for x, y in ((60, 0), (0, 40), (59, 1000)):
        tiny.check_error(
            lambda: spread_hints(luminance, chroma, [Hint(x, y, RED)]),
            'outside', 'to 59,39', '%d,%d' % (x, y))
    spread_hints(luminance, chroma, [Hint(59.9, 39.9, RED)])
    with assert_raises(ValueError):
        spread_hints(luminance, chroma, [Hint(59, 39, RED)],
                     np.s_[0:30, 0:80])


def test_without_hints_nothing_changes():
    luminance, chroma = halves()
    assert_is(spread_hints(luminance, chroma, []), chroma)


def solve_densely(luminance, chroma, spots, wanted):
    """Lagrange's equations of a tiny picture, pixel by pixel."""
    rows, columns = luminance.shape
    size = luminance.size
    matrix = np.zeros((size, size))
    for one in range(size):
        for other in range(size):
            high = abs(one // columns - other // columns)
            wide = abs(one % columns - other % columns)
            if max(high, wide) == 1:
                step = ((luminance.flat[one] - luminance.flat[other]) /
                        hints.CONTRAST)
                tie = (np.exp(-step ** 2 / 2) + hints.LEAST_TIE) / (
                    high + wide)
                # The squared difference, weighted, of this pair, which comes
                # twice; and the pull.
                matrix[one, one] += tie * (
                    1 + 1 / (3 * size * hints.REACH ** 2))
                matrix[one, other] -= tie
    equations = np.zeros((size + len(spots),) * 2)
    equations[:size, :size] = matrix
    places = [[row * columns + column for row, column in spot]
              for spot in spots]
    for number, spot in enumerate(places):
        equations[size + number, spot] = 1 / len(spot)
        equations[spot, size + number] = 1 / len(spot)
    weights = np.linalg.solve(equations, np.eye(size + len(spots)))[
        :size, size:].clip(0)
    strength = np.sqrt((luminance + hints.LUMINANCE_OFFSET) / 100).ravel()
    result = np.empty((size, 2))
    flat = chroma.reshape(-1, 2)
    for pixel, each in enumerate(weights):
        powers = each ** hints.SHARPNESS
        powers /= powers.sum() + max(0, 1 - each.sum()) ** hints.SHARPNESS
        result[pixel] = flat[pixel]
        for share, spot, color in zip(powers, places, wanted):
            brighter = strength[pixel] / strength[spot].mean()
            shifted = flat[pixel] + brighter * (
                color - flat[spot].mean(axis=0))
            replaced = brighter * color
            result[pixel] += share * (
                (1 - hints.REPLACED) * shifted + hints.REPLACED * replaced -
                flat[pixel])
    return result.reshape(chroma.shape)


def test_it_is_what_a_dense_solution_gives():
    random = np.random.RandomState(3)
    luminance = np.float32(40 + 10 * random.rand(9, 11))
    luminance[4:] += 8
    chroma = np.float32(20 * random.randn(9, 11, 2))
    # Spots of one pixel and its four neighbours, one of them at an edge and
    # two that share what is between them.
    spots = [[(2, 3), (1, 3), (3, 3), (2, 2), (2, 4)],
             [(8, 10), (7, 10), (8, 9)],
             [(6, 2), (5, 2), (7, 2), (6, 1), (6, 3)],
             [(6, 4), (5, 4), (7, 4), (6, 3), (6, 5)]]
    colors = [RED, GREEN, GREY, (250, 240, 200)]
    wanted = []
    for spot, color in zip(spots, colors):
        light = np.mean([luminance[place] for place in spot])
        wanted.append(chroma_of(color) *
                      min(1, light / lightness_of(color)))
    given = [Hint(column + 0.4, row + 0.7, color) for (row, column), color in
             zip([spot[0] for spot in spots], colors)]
    assert_allclose(spread_hints(luminance, chroma, given),
                    solve_densely(luminance, chroma, spots, wanted),
                    rtol=1e-4, atol=2e-3)


def test_upright_photos_are_like_those_on_their_side():
    random = np.random.RandomState(4)
    luminance = np.float32(50 + 20 * random.rand(13, 30))
    chroma = np.float32(20 * random.randn(13, 30, 2))
    for places in [(4, 2)], [(4, 2), (20, 11), (29, 0)]:
        lying = spread_hints(luminance, chroma,
                             [Hint(x, y, RED) for x, y in places])
        upright = spread_hints(luminance.T, chroma.swapaxes(0, 1),
                               [Hint(y, x, RED) for x, y in places])
        assert_allclose(upright.swapaxes(0, 1), lying, rtol=1e-5, atol=1e-4)


def test_photos_of_few_pixels():
    for shape in (1, 1), (1, 9), (9, 1), (2, 2), (2, 9):
        luminance = np.full(shape, 60, np.float32)
        result = spread_hints(luminance, np.zeros(shape + (2,), np.float32),
                              [Hint(0, 0, RED)])
        assert_allclose(result[0, 0], chroma_of(RED), atol=1)


# Photos whose weights are computed in one thread and let go by others, as a
# server's threads do; bytes that each leaves.
_THREADS = '''
import threading
import numpy as np
from colornet.photos.hints import Hint, HintSpreader

def spread():
    global spreader
    luminance = np.random.rand(120, 120) * 100
    spreader = HintSpreader(luminance)
    spreader.spread(np.zeros((120, 120, 2)), [Hint(9, 9, (200, 40, 30))])

def spread_in_threads():
    for _ in range(10):
        thread = threading.Thread(target=spread)
        thread.start()
        thread.join()

def resident():
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * 4096

spread_in_threads()
before = resident()
spread_in_threads()
print((resident() - before) // 10)
'''


def test_threads_leave_nothing():
    if not sys.platform.startswith('linux'):
        raise SkipTest('memory is told otherwise here')
    left = int(subprocess.check_output([sys.executable, '-c', _THREADS],
                                       cwd=str(tiny.ROOT)))
    ok_(left < 2 << 20, left)


def test_spots_have_the_colours_given():
    luminance, chroma = halves()
    given = [Hint(10, 10, RED), Hint(45, 30, GREEN), Hint(50, 8, GREY)]
    result = spread_hints(luminance, chroma, given)
    eq_(result.shape, (40, 60, 2))
    for hint in given:
        light = luminance[hint.y, hint.x]
        share = min(1, light / lightness_of(hint.color))
        assert_allclose(result[hint.y, hint.x], share * chroma_of(hint.color),
                        atol=4)


def test_a_colour_stays_on_its_side_of_an_edge():
    luminance, chroma = halves()
    result = spread_hints(luminance, chroma, [Hint(10, 20, RED)])
    change = np.linalg.norm(result - np.float32([6, -9]), axis=-1)
    at = change[20, 10]
    ok_(at > 60)
    # All of the dark half, but little of the light one.
    ok_(change[:, :28].min() > 0.3 * at, change[:, :28].min() / at)
    ok_(change[:, 32:].max() < 0.1 * at, change[:, 32:].max() / at)
    # It fades.
    ok_(change[20, 25] < change[20, 18] < change[20, 12])


def test_places_are_pixels_of_the_photo():
    luminance, chroma = halves()
    assert_array_equal(
        spread_hints(luminance, chroma, [Hint(107, 345, RED)],
                     np.s_[12:412, 7:607]),
        spread_hints(luminance, chroma, [Hint(10, 33.3, RED)]))
    tiny.check_error(lambda: spread_hints(
        luminance, chroma, [Hint(6.9, 99, RED)], np.s_[12:412, 7:607]),
        'from 7,12 to 606,411')


def test_hints_may_be_text():
    luminance, chroma = halves()
    assert_array_equal(
        spread_hints(luminance, chroma, ['10,20=#c8281e', '40,7=grey']),
        spread_hints(luminance, chroma, [Hint(10, 20, RED),
                                         Hint(40, 7, GREY)]))
    tiny.check_error(lambda: spread_hints(luminance, chroma, ['10,20']),
                     'X,Y=#RRGGBB')


def test_changes_of_hints_leave_no_trace():
    luminance, chroma = halves()
    spreader = HintSpreader(luminance)
    spreader.spread(chroma, [Hint(10, 20, RED), Hint(40, 5, GREEN)])
    for given in ([Hint(10, 20, GREY), Hint(40, 5, GREEN)],
                  [Hint(12, 20, GREY)], [Hint(12, 20, RED),
                                         Hint(13, 20, GREEN)]):
        chroma = 20 - chroma
        assert_allclose(spreader.spread(chroma, given),
                        spread_hints(luminance, chroma, given), atol=1e-4)


def test_two_hints_for_one_spot_meet_half_way():
    luminance, chroma = halves()
    result = spread_hints(luminance, chroma, [Hint(10, 20, RED),
                                              Hint(10, 20, GREY)])
    assert_allclose(result[20, 10], chroma_of(RED) / 2, atol=1)


def test_large_luminance_is_spread_on_a_smaller_grid():
    luminance, chroma = [np.kron(array, np.ones((8, 8) + (1,) * (
        array.ndim - 2), np.float32)) for array in halves()]
    result = spread_hints(luminance, chroma, [Hint(80, 160, RED)])
    eq_(result.shape, (320, 480, 2))
    assert_allclose(result[160, 80], chroma_of(RED), atol=4)
    change = np.linalg.norm(result - np.float32([6, -9]), axis=-1)
    ok_(change[:, :225].min() > 0.3 * change.max())
    ok_(change[:, 256:].max() < 0.25 * change.max())
