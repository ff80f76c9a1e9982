"""The comparison of a device with the plain CPU."""

import re
from unittest import SkipTest, mock

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_in, eq_, ok_

from colornet import cli, selftest
from colornet.selftest import LIMITS, run_selftest
from tests import tiny

#: A device of PoCL, which makes a GPU of the CPU.
OPENCL = 'opencl0:0'


def measured(device='cpu', op='Convolution', **changes):
    """What a process would have measured, with some numbers multiplied."""
    arrays = {'scores/u': np.arange(1., 9), 'loss/loss': np.array(3.),
              'prediction/v': np.arange(2., 7),
              'gradients/00 W 8': np.arange(8.) - 4,
              # Zero but for rounding.
              'gradients/01 beta 2': np.array([1e-9, -2e-9]),
              'losses of 3 steps/losses': np.array([3., 2, 1]),
              'seconds/training step': np.array(.5),
              'ops/ops': np.array([op, 'Elemwise', 'Elemwise', 'GpuPool',
                                   'GpuElemwise', 'GpuCAReduceCuda']),
              'ops/of pictures': np.array([], dtype=str),
              'device/device': np.array(device)}
    for kind, factor in changes.items():
        for key in arrays:
            if key.startswith(kind + '/'):
                arrays[key] = factor * arrays[key]
    return arrays


def report(tested):
    with mock.patch.object(selftest, '_run',
                           side_effect=[tested, measured()]):
        lines, passed = run_selftest()
    return '\n'.join(lines), passed


def test_the_same_numbers_pass():
    text, passed = report(measured())
    ok_(passed and text.endswith('\n\npassed'))
    for kind in LIMITS:
        assert_in(kind, text)
    assert_in('2 Elemwise', text)


def test_every_kind_of_number_can_fail():
    for kind, factor in [('scores', 1.001), ('prediction', -1),
                         ('loss', 0.99), ('gradients', 1.1),
                         ('scores', np.nan)]:
        text, passed = report(measured(**{kind: factor}))
        ok_(not passed, kind)
        line, = [line for line in text.split('\n')
                 if line.startswith(kind + ' ')]
        ok_(line.endswith('WRONG'), line)
        assert_in('FAILED', text)


def test_gradients_that_are_zero_may_be_rounded_otherwise():
    tested = measured()
    tested['gradients/01 beta 2'] = np.array([-5e-9, 4e-9])
    ok_(report(tested)[1])
    tested['gradients/01 beta 2'] = np.array([1., 1.])
    ok_(not report(tested)[1])


def test_a_gpu_without_a_convolution_on_it_fails():
    text, passed = report(measured('opencl0:0'))
    ok_(not passed)
    assert_in('convolutions are not on the GPU', text)
    ok_(report(measured('opencl0:0', 'GpuCorrMM'))[1])


def test_a_gpu_that_leaves_work_to_the_cpu_fails():
    tested = measured('cuda', 'GpuCorrMM')
    tested['ops/of pictures'] = np.array(['HostFromGpu', 'Pool'])
    text, passed = report(tested)
    ok_(not passed)
    assert_in('pooling is not on the GPU', text)
    assert_in('1 HostFromGpu', text)


def test_the_exit_status_tells():
    for passed, status in (True, 0), (False, 1):
        with mock.patch.object(selftest, 'run_selftest',
                               return_value=(['text'], passed)), \
                mock.patch('sys.stdout'):
            eq_(cli.main(['selftest']), status)


@attr('slow')
def test_gpu_code_without_a_gpu():
    """Theano's gpuarray backend, on a CPU through OpenCL (PoCL)."""
    try:
        import pygpu
        pygpu.init(OPENCL)
    except Exception as error:  # pygpu's own has no public name.
        raise SkipTest('no pygpu with %s: %s' % (OPENCL, error))
    lines, passed = run_selftest(OPENCL)
    text = '\n'.join(lines)
    ok_(passed, text)
    for kind in 'scores', 'prediction', 'loss', 'losses of 3 steps':
        line, = [line for line in lines if line.startswith(kind + ' ') and
                 line.endswith('ok')]
        ok_(float(line[len(kind):].split()[0]) < 1e-4, text)
    # OpenCL has no maximum over an axis: CUDA has.
    line, = [line for line in lines if 'not on the GPU: ' in line]
    ops = set(re.findall('[A-Z][A-Za-z]+', line.partition('not on')[2]))
    ok_(ops <= {'GPU', 'HostFromGpu', 'CAReduce'}, text)
    assert_in('GpuCorrMM_gradWeights', text)


@attr('slow')
def test_a_device_that_is_not_there():
    tiny.check_error(lambda: run_selftest('cuda7'), 'device=cuda7')


@attr('slow')
def test_the_speedups_of_this_machine():
    lines, passed = run_selftest()
    ok_(passed, '\n'.join(lines))
