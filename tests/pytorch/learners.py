"""Learners by both engines, for the tests of one against the other."""

import io
from unittest import mock

import numpy as np

from colornet.config import load_config
from colornet.photos.finding import find_images
from colornet.photos.reading import read_rgb
from colornet.training.learner import TheanoLearner
from tests import tiny

EVERYDAY = tiny.ROOT / 'experiments' / 'everyday.ini'

#: All that makes this network another than the paper's; of odd maps, as
#: conv4_3 has 5 x 5.
SETTINGS = ['data.size=40', 'data.hold_out=0.25', 'data.min_crop=0.8',
            'network.num_bins=10', 'network.tail=8 8',
            'network.output_stride=4', 'network.global_features=8',
            'network.context=1', 'training.batch_size=4',
            'training.epochs=2', 'training.average=0.9',
            'training.encoder_rate=0.5', 'training.gradient_clip=2',
            'decoding.method=mean']


def make_learner(config, engine='pytorch', **options):
    if engine == 'theano':
        return TheanoLearner(config)
    from colornet.pytorch.learner import PyTorchLearner
    return PyTorchLearner(config, device='cpu', **options)


def make_config(settings):
    """Of a tiny network; with ``network.kind=regression`` that one."""
    if 'network.kind=regression' in settings:
        return load_config(tiny.REGRESSION, [
            'data.size=32', 'network.chroma_scale=20'] + settings)
    return load_config(tiny.EXPERIMENT, [
        'data.size=32', 'network.num_bins=10', 'network.tail=8 8'] + settings)


def read_photos(size, count=3):
    return np.stack([read_rgb(path, size) for path in
                     list(find_images(tiny.PHOTOS))[:count]])


def ready(learner):
    """Built and compiled."""
    with mock.patch('sys.stderr', io.StringIO()):
        learner.build()
        learner.compile()
    return learner
