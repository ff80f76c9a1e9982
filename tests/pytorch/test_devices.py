"""Devices, and what is told when something is not there."""

import io
import sys
from unittest import mock

from nose.tools import assert_in, assert_raises, eq_

from colornet.cli import main
from tests import tiny
from tests.pytorch.learners import EVERYDAY, make_config, make_learner
from tests.tiny import need


def run(*options):
    """Status and standard error of a training that does not begin."""
    with mock.patch('sys.stderr', io.StringIO()) as err:
        status = main(['train', str(EVERYDAY), '--data', 'nowhere'] +
                      list(options))
    return status, err.getvalue()


def check_is_told(words, *options):
    status, err = run(*options)
    eq_((status, len(err.splitlines())), (2, 1), err)
    assert_in(words, err)


def finding(*packages):
    return mock.patch('importlib.util.find_spec',
                      lambda name: name in packages or None)


def test_missing_pytorch_is_told_before_anything_runs():
    ours = {name: module for name, module in sys.modules.items()
            if name.startswith('colornet.pytorch')}
    for name in ours:
        del sys.modules[name]
    try:
        with mock.patch.dict('sys.modules', torch=None):
            for version, words in (((3, 11), "pip install '.[pytorch]'"),
                                   ((3, 9), 'PyTorch needs Python 3.10 or')):
                with mock.patch('sys.version_info', version):
                    check_is_told(words, '--engine', 'pytorch')
    finally:
        sys.modules.update(ours)


def test_the_engine_is_that_which_is_there():
    both = 'theano', 'lasagne', 'torch'
    with finding():
        check_is_told("training needs PyTorch: pip install '.[pytorch]'")
    with finding('torch'):
        check_is_told('train needs Theano, which', '--engine', 'theano')
        check_is_told('; or take --engine pytorch', '--engine', 'theano')
    with finding(*both):
        check_is_told('COLORNET_DEVICE', '--device', 'cpu')
    for packages, name, made in (
            (both, 'training.run', 'TheanoLearner'),
            # Theano without Lasagne, which are installed together, is none.
            (('theano', 'torch'), 'pytorch.learner', 'PyTorchLearner')):
        if name == 'pytorch.learner':
            need('torch')
        with finding(*packages), mock.patch(
                'colornet.%s.%s' % (name, made)) as learner:
            run()
        eq_(learner.call_count, 1)


def test_missing_gpu_is_told_before_anything_runs():
    need('torch')
    with mock.patch('torch.cuda.is_available', lambda: False):
        check_is_told('finds no CUDA GPU', '--engine', 'pytorch', '--device',
                      'cuda')
    with mock.patch('torch.backends.mps.is_available', lambda: False):
        check_is_told("finds no GPU of Apple's", '--engine', 'pytorch',
                      '--device', 'mps')


def test_the_best_device_is_taken():
    need('torch')
    from colornet.pytorch.devices import find_device
    for cuda, mps, expected in ((True, True, 'cuda'), (False, True, 'mps'),
                                (False, False, 'cpu')):
        with mock.patch('torch.cuda.is_available', lambda: cuda), \
                mock.patch('torch.backends.mps.is_available', lambda: mps):
            eq_(find_device().type, expected)
            eq_(find_device('cpu').type, 'cpu')


def test_short_memory_is_told():
    need('torch')
    import torch

    from colornet.pytorch.devices import telling_of_memory
    learner = make_learner(make_config([]))
    learner.build()
    learner.compile()
    for error in (torch.cuda.OutOfMemoryError(
            'CUDA out of memory. Tried to allocate 2 GiB. GPU 0\nand more'),
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you")):
        with mock.patch.object(learner, '_find_loss', side_effect=error):
            tiny.check_error(lambda: learner.step(None, None),
                             'a smaller training.batch_size takes less')
    with assert_raises(RuntimeError), telling_of_memory():
        raise RuntimeError('something else')
