"""Pixels of pictures, and pictures of pixels."""

import gc
import tracemalloc
from fractions import Fraction
from unittest import mock

import numpy as np
from nose.tools import eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.video.pictures import Colours, Converter, Filters
from tests.video.clips import need_video

#: Of FFmpeg: levels of video, and from 0 on.
LIMITED, FULL = 1, 2

CODEC = mock.Mock(color_primaries=2, color_trc=2)


def pixels_of(levels, pixel_format, color_range):
    """Pixels of a picture of these levels, which has luminance only."""
    av = need_video()
    picture = av.VideoFrame.from_ndarray(levels, 'gray' if levels.dtype ==
                                         np.uint8 else 'gray16le')
    if pixel_format != picture.format.name:
        picture = picture.reformat(format=pixel_format)
    picture.color_range = color_range
    colours = Colours.of(picture, CODEC, 'a.mkv')
    return Converter(colours, Fraction(1, 25)).to_pixels(picture)


def test_black_and_white_of_pictures_without_colours():
    # An odd width: rows are longer in memory.
    levels = np.tile(np.arange(256, dtype=np.uint8), (2, 1))[:, 1:]
    for color_range, expected in [
            (FULL, levels), (LIMITED, np.clip(np.rint(
                (levels.astype(float) - 16) * 255 / 219), 0, 255))]:
        pixels = pixels_of(levels, 'gray', color_range)
        eq_(pixels.dtype, np.uint8)
        assert_array_equal(pixels, np.repeat(expected[..., None], 3, axis=2))


def test_deep_pictures_without_colours():
    levels = np.linspace(0, 65535, 513).astype(np.uint16)[None].repeat(2, 0)
    for color_range in LIMITED, FULL:
        pixels = pixels_of(levels, 'gray10le', color_range)
        eq_(pixels.dtype, np.uint16)
        share = levels / 65535. * 1023
        expected = (share / 1023 if color_range == FULL else
                    np.clip((share - 64) / 876, 0, 1))
        # Ten bits, rounded.
        assert_allclose(pixels[..., 0] / 65535., expected, rtol=0, atol=.0015)
        ok_((pixels == pixels[..., :1]).all())


def test_filters_give_each_picture_once_and_keep_nothing():
    av = need_video()
    picture = av.VideoFrame.from_ndarray(
        np.zeros((16, 16, 3), np.uint8), 'rgb24')
    # The second kind gives a picture when the next one is there.
    for names, late in ((['hflip', 'format=gray'], 0),
                        (['yadif', 'format=gray'], 1)):
        filters, numbers = Filters(picture, Fraction(1, 25), names), []

        def filter_them(since, until):
            for number in range(since, until):
                picture.pts = number
                numbers.extend(out.pts for out in filters(picture))

        filter_them(0, 100)
        tracemalloc.start()
        try:
            filter_them(100, 400)
            gc.collect()
            left, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        eq_(len(numbers), 400 - late)
        ok_(left < 60 * 300, left)
        numbers += [out.pts for out in filters.flush()]
        eq_(numbers, sorted(set(numbers)))
        eq_(len(numbers), 400)
