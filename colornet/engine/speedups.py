"""Which speed-ups are on, and why the others are not."""

import os

from .backend import describe_backend, theano
from .convolvers import onednn_status, onednn_version, strips_status
from .kernels import kernels_status
from .native import SPEEDUPS, VARIABLE, wanted

__all__ = ['speedup_status', 'missing_speedups', 'describe_installation']


def speedup_status():
    """What became of each speed-up.

    Returns
    -------
    dict of str to str
        For each of :data:`colornet.engine.native.SPEEDUPS`, '' if it is on,
        else why not.
    """
    reasons = {'stack': '', 'kernels': kernels_status(),
               'strips': strips_status(), 'onednn': onednn_status(),
               'winograd': onednn_status()}
    if theano.config.floatX != 'float32':
        reasons.update((name, 'for float32, not floatX=%s' %
                        theano.config.floatX)
                       for name in ('strips', 'onednn', 'winograd'))
    if not wanted('onednn'):
        reasons['winograd'] = 'needs onednn'
    return {name: reasons[name] if wanted(name) else
            'switched off by ' + VARIABLE for name in SPEEDUPS}


def missing_speedups():
    """Why those are off that the user did not switch off, in lines.

    None on a GPU: all of them are for the CPU.
    """
    if not theano.config.device.startswith('cpu'):
        return []
    return sorted({'%s: %s' % (name, reason) for name, reason
                   in speedup_status().items()
                   if reason and wanted(name) and name != 'winograd'})


def describe_installation():
    """What computes here, in lines of text."""
    backend = describe_backend()
    lines = ['Theano %(theano)s, Lasagne %(lasagne)s, device %(device)s, '
             '%(floatX)s' % backend,
             'threads: %s' % (os.environ.get('OMP_NUM_THREADS') or
                              len(os.sched_getaffinity(0))
                              if theano.config.openmp else 1),
             'compiled code: %s' % theano.config.compiledir,
             'speed-ups:']
    for name, reason in speedup_status().items():
        version = (' (oneDNN %s)' % onednn_version()
                   if name == 'onednn' and not reason else '')
        lines.append('  %-9s %-4s %s%s' % (
            name, 'off' if reason else 'on', SPEEDUPS[name], version))
        if reason:
            lines.append(16 * ' ' + reason)
    return lines
