"""Which speed-ups are on, and why the others are not."""

from .backend import describe_backend, theano
from .convolvers import onednn_version, winograd_status
from .memory import memory_status
from .native import code_status, links_from_pip
from .switches import SPEEDUPS, VARIABLE, wanted

__all__ = ['speedup_status', 'missing_speedups', 'describe_installation']


def speedup_status():
    """What became of each speed-up.

    Returns
    -------
    dict of str to str
        For each of :data:`colornet.engine.switches.SPEEDUPS`, '' if it is on,
        else why not.
    """
    return {name: _reason(speedup) for name, speedup in SPEEDUPS.items()}


def _reason(speedup):
    """Why a speed-up is off, '' if it is on."""
    if not wanted(speedup.name):
        return 'switched off by ' + VARIABLE
    if speedup.needs:
        if not wanted(speedup.needs):
            return 'needs ' + speedup.needs
        return _reason(SPEEDUPS[speedup.needs]) or winograd_status()
    if speedup.float32 and theano.config.floatX != 'float32':
        return 'for float32, not floatX=%s' % theano.config.floatX
    return (memory_status() if speedup.name == 'memory' else
            code_status(speedup.name))


def missing_speedups():
    """Why those are off that the user did not switch off, in lines.

    None on a GPU: all of them are for the CPU.
    """
    if not theano.config.device.startswith('cpu'):
        return []
    return sorted({'%s: %s' % (name, reason) for name, reason
                   in speedup_status().items()
                   if reason and wanted(name) and not SPEEDUPS[name].needs})


def describe_installation():
    """What computes here, in lines of text."""
    backend = describe_backend()
    lines = ['Theano %(theano)s, Lasagne %(lasagne)s, device %(device)s, '
             '%(floatX)s' % backend,
             'threads: %(threads)s' % backend,
             'compiled code: %s' % theano.config.compiledir,
             'speed-ups:']
    for name, reason in speedup_status().items():
        version = (' (oneDNN %s, %s)' % (
            onednn_version(), 'by pip' if links_from_pip(name) else
            "the system's") if name == 'onednn' and not reason else '')
        lines.append('  %-9s %-4s %s%s' % (
            name, 'off' if reason else 'on', SPEEDUPS[name].what, version))
        if reason:
            lines.append(16 * ' ' + reason)
    return lines
