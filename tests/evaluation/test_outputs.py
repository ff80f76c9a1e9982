"""Photos with what a network made of them."""

import numpy as np
from nose.tools import eq_
from numpy.testing import assert_allclose

from colornet.color import luminance, split_channels
from colornet.evaluation.outputs import Output
from colornet.photos.finding import find_images
from colornet.photos.reading import read_rgb
from tests import tiny


def test_the_luminance_is_the_photos_and_the_colours_are_predicted():
    actual = read_rgb(find_images(tiny.PHOTOS)[0], 40)
    for space in 'luv', 'hsv':
        light, chroma = split_channels(actual, space)
        output = Output(name='a.jpg', actual=actual, chroma=chroma,
                        color_space=space)
        assert_allclose(output.picture, actual / 255., atol=1e-3)
        grey = output.grey
        eq_(grey.shape, actual.shape)
        assert_allclose(grey, grey[..., :1].repeat(3, axis=-1), atol=1e-3)
        assert_allclose(luminance(grey, space), light, rtol=0,
                        atol=2e-3 * light.max())
        assert np.ptp(output.picture, axis=-1).max() > 0.1
