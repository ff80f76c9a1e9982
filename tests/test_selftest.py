"""The comparison of a device with the plain CPU."""

from unittest import mock

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_in, eq_, ok_

import tiny
from colornet import cli, selftest
from colornet.selftest import LIMITS, run_selftest


def measured(device='cpu', op='Convolution', **changes):
    """What a process would have measured, with some numbers multiplied."""
    arrays = {'scores/u': np.arange(1., 9), 'loss/loss': np.array(3.),
              'gradients/00 W 8': np.arange(8.) - 4,
              # Zero but for rounding.
              'gradients/01 beta 2': np.array([1e-9, -2e-9]),
              'losses of 3 steps/losses': np.array([3., 2, 1]),
              'seconds/training step': np.array(.5),
              'ops/ops': np.array([op, 'Elemwise', 'Elemwise']),
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
    for kind, factor in [('scores', 1.001), ('loss', 0.99),
                         ('gradients', 1.1), ('scores', np.nan)]:
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
    assert_in('no convolution is on the GPU', text)
    ok_(report(measured('opencl0:0', 'GpuCorrMM'))[1])


def test_the_exit_status_tells():
    for passed, status in (True, 0), (False, 1):
        with mock.patch.object(selftest, 'run_selftest',
                               return_value=(['text'], passed)), \
                mock.patch('sys.stdout'):
            eq_(cli.main(['selftest']), status)


@attr('slow')
def test_a_device_that_is_not_there():
    tiny.check_error(lambda: run_selftest('cuda7'), 'device=cuda7')


@attr('slow')
def test_the_speedups_of_this_machine():
    lines, passed = run_selftest()
    ok_(passed, '\n'.join(lines))
