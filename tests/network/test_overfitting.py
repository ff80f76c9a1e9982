"""Training on a few photos."""

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import ok_

from colornet.color import bin_channel, split_channels
from colornet.engine.backend import T, lasagne
from colornet.network.inputs import preprocess
from colornet.network.networks import (build_classification_network,
                                       build_regression_network)
from colornet.network.objectives import cross_entropy_loss, l2_loss
from colornet.network.vgg16 import load_vgg16_weights, set_vgg16_weights
from colornet.photos.finding import find_images
from colornet.photos.reading import read_rgb
from colornet.training.updates import compile_training
from tests import tiny
from tests.network.decoders import TINY, mean_pool


def photos():
    """Inputs and chrominance of two real photos."""
    paths = find_images(tiny.PHOTOS)[:2]
    grey, chroma = split_channels(np.array([read_rgb(path, 16)
                                            for path in paths]))
    return preprocess(grey), np.ascontiguousarray(np.moveaxis(chroma, -1, 1))


def overfit(build, objective, targets, steps, **options):
    """Losses of training on the same minibatch again and again."""
    inputs, _ = photos()
    lasagne.random.set_rng(np.random.RandomState(5))
    net = build(T.tensor4(), image_shape=TINY, **options)
    set_vgg16_weights(net, load_vgg16_weights(tiny.VGG16_FILE))
    step, _ = compile_training(net, objective, learning_rate=0.003)
    return [float(step(inputs, targets)) for _ in range(steps)]


@attr('slow')
def test_classification_overfits_a_tiny_batch():
    _, chroma = photos()
    losses = overfit(build_classification_network, cross_entropy_loss,
                     bin_channel(chroma), 100)
    ok_(losses[0] > np.log(50), losses[0])
    ok_(losses[-1] < 0.1, losses[-1])


@attr('slow')
def test_a_cheaper_variant_overfits_a_tiny_batch():
    _, chroma = photos()
    targets = bin_channel(mean_pool(chroma, 4))
    losses = overfit(build_classification_network, cross_entropy_loss,
                     targets, 100, output_stride=4, global_features=32,
                     context=2)
    ok_(losses[0] > np.log(50), losses[0])
    ok_(losses[-1] < 0.1, losses[-1])


@attr('slow')
def test_regression_overfits_a_tiny_batch():
    _, chroma = photos()
    losses = overfit(build_regression_network,
                     lambda outputs, target: l2_loss(outputs[0], target),
                     chroma, 200, chroma_scale=10.)
    grey = (chroma ** 2).sum(1).mean()
    ok_(losses[0] > grey / 10)
    ok_(losses[-1] < grey / 100, (losses[-1], grey))
