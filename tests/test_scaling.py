"""Chrominance at other sizes."""

import numpy as np
from nose.tools import assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from colornet.scaling import enlarge_chroma, shrink_chroma

RNG = np.random.RandomState(0)


def noise(*shape):
    return RNG.uniform(-50, 50, shape).astype('float32')


def test_shrinking_takes_means_of_blocks():
    chroma = noise(3, 8, 12, 2)
    got = shrink_chroma(chroma, 4)
    eq_((got.shape, got.dtype), ((3, 2, 3, 2), np.float32))
    for row in range(2):
        for column in range(3):
            block = chroma[:, 4 * row:4 * row + 4, 4 * column:4 * column + 4]
            assert_allclose(got[:, row, column], block.mean((1, 2)),
                            atol=1e-4)
    assert_array_equal(shrink_chroma(chroma, 1), chroma)
    with assert_raises(ValueError):
        shrink_chroma(chroma, 8)


def test_the_mean_of_hues_lies_between_them():
    # Reds on both sides of hue 0, and a grey of no hue.
    hsv = np.float32([[[.95, .8], [.05, .8]], [[.5, 0], [0, .8]]])
    hue, saturation = shrink_chroma(hsv, 2, 'hsv')[0, 0]
    ok_(min(hue, 1 - hue) < .02, hue)
    ok_(.5 < saturation < .6, saturation)


def test_enlarging_is_pillows_bicubic_filter():
    chroma = noise(6, 5, 2)
    got = enlarge_chroma(chroma, (13, 20))
    eq_((got.shape, got.dtype), ((13, 20, 2), np.float32))
    for number in range(2):
        plane = Image.fromarray(np.ascontiguousarray(chroma[..., number]))
        assert_array_equal(got[..., number],
                           np.array(plane.resize((20, 13), Image.BICUBIC)))


def test_what_has_the_size_stays_as_it_is():
    for space in 'luv', 'hsv':
        chroma = noise(6, 5, 2)
        assert_array_equal(enlarge_chroma(chroma, (6, 5), space), chroma)


def test_several_predictions_are_enlarged_one_by_one():
    chroma = noise(4, 6, 3, 2)
    got = enlarge_chroma(chroma, (9, 7))
    eq_(got.shape, (9, 7, 3, 2))
    for number in range(3):
        assert_array_equal(got[:, :, number],
                           enlarge_chroma(chroma[:, :, number], (9, 7)))


def test_strips_of_rows_are_those_of_the_whole():
    chroma = noise(6, 5, 2)
    for shape in (33, 20), (6, 5), (3, 2):
        whole = enlarge_chroma(chroma, shape)
        cut = shape[0] // 3
        strips = [enlarge_chroma(chroma, shape, rows=rows)
                  for rows in ((0, cut), (cut, shape[0]))]
        assert_allclose(np.concatenate(strips), whole, atol=2e-3)


def test_hue_is_enlarged_around_the_circle():
    hsv = np.float32([[[.95, 1], [.05, 1]]] * 2)
    hue = enlarge_chroma(hsv, (20, 20), 'hsv')[..., 0]
    ok_(np.minimum(hue, 1 - hue).max() < .1)
