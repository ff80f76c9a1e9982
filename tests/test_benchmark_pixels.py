"""The benchmarks that colour photos twice, and compare their pixels."""

import contextlib
import io
from unittest import SkipTest, mock

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import eq_, ok_

from benchmarks import bfloat16, pixels, prints
from colornet.photos.colorizer import Colorizer
from colornet.photos.finding import find_images
from colornet.photos.reading import read_rgb
from tests import tiny
from tests.tiny import need


@attr('slow')
def test_how_far_bfloat16_moves_pixels():
    from colornet.engine.convolvers import bfloat16_status
    if bfloat16_status():
        raise SkipTest(bfloat16_status())
    photo = read_rgb(find_images(tiny.PHOTOS)[0], 224)
    for network in bfloat16.NETWORKS:
        counts = bfloat16.count_moved(network, [photo])
        eq_(counts.sum(), photo.shape[0] * photo.shape[1])
        ok_(counts[0] < counts.sum())
        ok_(counts[:2].sum() > 0.9 * counts.sum())


def check_pixels(counts, status):
    found = {('theano', 'onnx'): np.array(counts)}
    printed = io.StringIO()
    with mock.patch.object(pixels, 'compare_engines', lambda *_: found), \
            contextlib.redirect_stdout(printed), mock.patch('sys.stderr'):
        eq_(pixels.main(['a.h5']), status)
    return printed.getvalue().splitlines()[-2].split()


def test_of_each_photo_enough_pixels_agree():
    counts = np.zeros((2, 256), int)
    counts[:, :3] = [[900, 99, 1], [3000, 0, 0]]
    eq_(check_pixels(counts, 0), ['a', 'theano,', 'onnx', '97.500', '99.975',
                                  '99.900', '2'])
    counts[0, :3] = 900, 98, 2
    eq_(check_pixels(counts, 1)[-2], '99.800')


def test_count_of_differences():
    first = np.zeros((2, 3, 3), np.uint8)
    second = first.copy()
    second[0, 0], second[1, 1, 2] = (1, 3, 2), 255
    counts = pixels.count_differences(first, second)
    eq_((counts[0], counts[3], counts[255], counts.sum()), (4, 1, 1, 6))


def test_faded_prints_are_coloured_with_their_tones_and_stretched():
    seen = []

    def predict(luminance):
        seen.append(np.ptp(luminance))
        return np.full(luminance.shape + (2,), seen[-1] / 5, np.float32)
    colorizers = [Colorizer(predict, 64, borders='colour', tones=tones)
                  for tones in ('keep', 'stretch')]
    photo = read_rgb(find_images(tiny.PHOTOS)[0], 64)
    whole, faded = [prints.compare_tones(colorizers, [photo], fade)[0]
                    for fade in (lambda light: light,
                                 prints.FADINGS['40 + 0.3 L'])]
    eq_(whole[0], whole[1])
    ok_(seen[0] == seen[1] > 70)
    ok_(seen[2] < 35 and seen[3] > 70, seen)
    # Of whatever was seen, the colours are joined to the photo itself.
    ok_(all(15 < score < 40 for score in [*whole, *faded]), (whole, faded))
    ok_(faded[0] != faded[1])


@attr('slow')
def test_engines_colour_alike():
    need('theano', 'torch', 'onnxruntime')
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        eq_(pixels.main([]), 0)
    # Of seven networks, three pairs of engines.
    eq_(printed.getvalue().count('theano, pytorch'), 7)
