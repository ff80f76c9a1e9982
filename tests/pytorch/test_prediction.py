"""Photos coloured by PyTorch beside those by Theano."""

import tempfile
from pathlib import Path

import numpy as np
from nose.tools import assert_less, eq_
from numpy.testing import assert_allclose

from colornet.photos.finding import find_images
from colornet.photos.reading import read_rgb
from colornet.resources import DEFAULT_NETWORK, find_resource
from tests import tiny
from tests.pytorch.learners import need


def setup_module():
    need('torch')


def test_a_photo_coloured_by_both():
    need('theano')
    from colornet.api import load_colorizer
    from colornet.pytorch.prediction import load_pytorch_colorizer
    network = find_resource(DEFAULT_NETWORK)
    theirs, ours = load_colorizer(network), load_pytorch_colorizer(
        network, device='cpu')
    for path in list(find_images(tiny.PHOTOS))[:2]:
        rgb = read_rgb(path, 160)[:, :-9]
        levels = [np.rint(colorizer.colorize(rgb) * 255.)
                  for colorizer in (theirs, ours)]
        eq_(levels[1].shape, rgb.shape)
        assert_less(np.mean((abs(levels[0] - levels[1]) > 1).any(-1)), 1e-3)


def test_decoding_may_be_changed_and_bfloat16_is_close():
    from colornet.pytorch.prediction import load_pytorch
    network = find_resource(DEFAULT_NETWORK)
    luminance = np.stack([read_rgb(path, 64).mean(-1) / 2.55 for path in
                          list(find_images(tiny.PHOTOS))[:2]]).astype('f')
    predict, config, attributes = load_pytorch(network, device='cpu')
    chroma = predict(luminance)
    stride = config.network['output_stride']
    eq_((chroma.shape, chroma.dtype),
        ((2, 64 // stride, 64 // stride, 2), np.float32))
    doubled, _, _ = load_pytorch(network, device='cpu', decoding=[
        'decoding.saturation=%g' % (2 * config.decoding['saturation'])])
    assert_allclose(doubled(luminance), 2 * chroma, rtol=1e-5)
    rounded, _, _ = load_pytorch(network, device='cpu', bfloat16=True)
    difference = abs(rounded(luminance) - chroma)
    assert_less(0, difference.max())
    assert_less(difference.mean(), 0.05 * abs(chroma).mean() + 1)


def test_a_checkpoint_is_no_network():
    from colornet.pytorch.prediction import load_pytorch
    with tempfile.TemporaryDirectory() as folder:
        tiny.check_error(lambda: load_pytorch(Path(folder) / 'no.h5'),
                         'does not exist')
