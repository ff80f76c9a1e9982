"""A learner by PyTorch for the tests of it."""

import importlib.util
from unittest import SkipTest

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


class InProcess:
    """Stands for a pool of processes."""

    @staticmethod
    def map(function, *iterables, chunksize=1):
        return map(function, *iterables)


def need(package):
    if importlib.util.find_spec(package) is None:
        raise SkipTest('needs %s: make benchmark installs it' % package)


def make_learner(config):
    need('torch')
    from benchmarks.pytorch_learner import PyTorchLearner
    return PyTorchLearner(config, 'cpu', InProcess)
