"""Colours on the device against those of colornet.color."""

import numpy as np
from nose.tools import eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from colornet import color
from colornet.config import load_config
from colornet.network.inputs import make_transform
from tests import tiny
from tests.pytorch.learners import make_learner
from tests.tiny import need


def setup_module():
    need('torch')


def all_colours():
    """A minibatch with each fifth value of each channel, and the last."""
    values = np.append(np.arange(0, 255, 5), 255).astype(np.uint8)
    return np.stack(np.meshgrid(values, values, values), -1)


def test_colours_on_the_device():
    import torch

    from colornet.pytorch.color import bin_chroma, split_channels
    rgb = all_colours()
    luminance, chroma = split_channels(torch.from_numpy(rgb))
    expected, expected_chroma = color.split_channels(rgb)
    expected_chroma = np.moveaxis(expected_chroma, -1, 1)
    assert_allclose(luminance.numpy(), expected, atol=2e-4)
    assert_allclose(chroma.numpy(), expected_chroma, atol=2e-3)
    bins = bin_chroma(torch.from_numpy(expected_chroma), 50, (-100., 100.))
    assert_array_equal(bins.numpy(), color.bin_channel(expected_chroma))


def test_inputs_and_targets():
    for settings in ([], ['network.kind=regression', 'objective.loss=l2']):
        config = load_config(settings and tiny.REGRESSION or tiny.EXPERIMENT,
                             settings + ['network.output_stride=4'])
        learner = make_learner(config)
        rgb = all_colours()[:4, :48, :48]
        expected, expected_targets, _ = make_transform(config.network)(rgb)
        for on_device in (False, True):  # The latter as on a CUDA GPU.
            learner._on_device = on_device
            inputs, targets, same = learner.transform(rgb)
            ok_(same is rgb)
            eq_(targets.is_floating_point(), bool(settings))
            assert_allclose(inputs.numpy(), expected,
                            atol=1e-3 if on_device else 0)
            if not on_device:
                assert_array_equal(targets.numpy(), expected_targets)
            elif settings:
                assert_allclose(targets.numpy(), expected_targets, atol=2e-3)
            else:  # Rounding may cross the edge of a bin.
                ok_((targets.numpy() != expected_targets).mean() < 1e-3)
