"""Speed-ups change how long a training takes, and nothing else."""
from unittest import SkipTest, mock

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_in, eq_, ok_
from numpy.testing import assert_allclose

from colornet.color import bin_channel, split_channels
from colornet.config import load_config
from colornet.engine import speedups
from colornet.engine.convolvers import winograd_status
from colornet.engine.native import code_status
from colornet.engine.speedups import (describe_installation, missing_speedups,
                                      speedup_status)
from colornet.engine.switches import SPEEDUPS, VARIABLE, without
from colornet.network.inputs import preprocess
from colornet.network.objectives import cross_entropy_loss
from colornet.network.saved import build_pretrained
from colornet.photos.finding import find_images
from colornet.photos.reading import read_rgb
from colornet.training.updates import compile_training
from tests.tiny import PHOTOS

SIZE = 32
NUM_STEPS = 4


def train(*switched_off):
    """Losses of a tiny network's first steps; the ops and their engines."""
    config = load_config(overrides=['data.size=%d' % SIZE,
                                    'network.num_bins=10',
                                    'network.tail=32 16'])
    luminance, chroma = split_channels(np.array(
        [read_rgb(path, SIZE) for path in find_images(PHOTOS)]))
    inputs = preprocess(luminance, 100)
    targets = np.ascontiguousarray(np.moveaxis(
        bin_channel(chroma, 10), -1, 1), 'int32')
    with without(*switched_off):
        net = build_pretrained(config)
        step, _ = compile_training(net, cross_entropy_loss)
    ops = [node.op for node in step.maker.fgraph.toposort()]
    return ([float(step(inputs, targets)) for _ in range(NUM_STEPS)],
            {type(op).__name__ for op in ops},
            {op.engine for op in ops if hasattr(op, 'engine')})


def test_losses_are_the_same():
    expected = obvious_losses()
    for names in (), ('stack',):
        yield check_losses, names, expected


@attr('slow')
def test_losses_are_the_same_without_one():
    expected = obvious_losses()
    for names in [('kernels', 'onednn')] + [(name,) for name in SPEEDUPS]:
        yield check_losses, names, expected


def obvious_losses():
    losses, ops, engines = train(*SPEEDUPS)
    assert_in('CorrMM', ops)
    eq_(engines, set())
    ok_(losses[-1] < losses[0])
    return losses


def check_losses(names, expected):
    losses, ops, engines = train(*names)
    assert_allclose(losses, expected, rtol=1e-5)
    # That something was switched off indeed.
    eq_('BatchNorm' in ops, 'kernels' not in names)
    eq_('AddBlocks' in ops, not {'kernels', 'stack'} & set(names))
    if 'onednn' in names or code_status('onednn'):
        eq_(engines, set() if 'strips' in names else {'strips'})
    else:
        eq_(engines, {'onednn' if 'winograd' in names else 'winograd'} |
            ({'strips'} - set(names)))


def test_a_gpu_misses_none_of_them():
    with without(), mock.patch.object(
            speedups, 'speedup_status', lambda: {'kernels': 'for the CPU'}):
        eq_(missing_speedups(), ['kernels: for the CPU'])
        with mock.patch.object(speedups.theano, 'config',
                               mock.Mock(device='cuda')):
            eq_(missing_speedups(), [])


def test_engines_are_for_float32():
    with without(), mock.patch.object(
            speedups.theano, 'config',
            mock.Mock(device='cpu', floatX='float64')):
        status = speedup_status()
    for name in 'strips', 'onednn', 'winograd':
        assert_in('floatX=float64', status[name])
    eq_(status['kernels'], '')


def test_status():
    with without():
        status = speedup_status()
        eq_(list(status), list(SPEEDUPS))
        eq_(status['kernels'], '')
        reason = code_status('onednn')
        eq_(status['winograd'], winograd_status())
        eq_(missing_speedups(), ['onednn: ' + reason] if reason else [])
    with without('stack', 'onednn'):
        status = speedup_status()
        assert_in(VARIABLE, status['stack'])
        assert_in(VARIABLE, status['onednn'])
        eq_(status['winograd'], 'needs onednn')
        # The user knows.
        eq_(missing_speedups(), [])
        text = '\n'.join(describe_installation())
    for name, speedup in SPEEDUPS.items():
        assert_in(name, text)
        assert_in(speedup.what, text)
    assert_in('off', text)


def test_a_library_without_winograd_is_told():
    if code_status('onednn'):
        raise SkipTest(code_status('onednn'))
    with mock.patch.object(speedups, 'winograd_status', lambda: 'has none'):
        eq_(speedup_status()['winograd'], 'has none')
    with without('winograd'):
        eq_(speedup_status()['winograd'], 'switched off by ' + VARIABLE)
