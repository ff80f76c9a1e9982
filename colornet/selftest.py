"""Compare a device with the plain CPU: outputs, gradients, losses, speed.

For users with a GPU that the developers do not have: the report is meant to
be pasted into an issue.
"""

import contextlib
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter, OrderedDict
from pathlib import Path

import numpy as np

from . import __version__
from .config import load_config
from .errors import ColornetError
from .flow.jobs import last_message
from .photos.finding import find_images
from .photos.reading import read_rgb
from .resources import find_resource

__all__ = ['LIMITS', 'measure', 'run_selftest']

#: Images, and their rows and columns: few enough for any GPU.
BATCH_SIZE, SIZE = 2, 64

#: Steps of Adam whose losses are compared.
NUM_STEPS = 3

#: Repetitions that are timed, but none is begun after so many seconds.
NUM_TIMED, MAX_SECONDS = 5, 10

#: What is compared, and the largest difference that passes: root mean square
#: of the difference over root mean square, the worst of all arrays of a kind.
LIMITS = OrderedDict([('scores', 1e-4), ('prediction', 1e-4),
                      ('loss', 1e-4), ('gradients', 5e-3),
                      ('losses of %d steps' % NUM_STEPS, 1e-4)])


#: What a GPU has to do: how the names of its ops begin, and those of the ops
#: on the CPU that do the same.
ON_GPU = [
    ('convolutions are', ('GpuCorrMM', 'GpuDnnConv'),
     ('CorrMM', 'Conv', 'BaseCorrMM')),
    ('pooling is', ('GpuPool', 'GpuDnnPool'), ('Pool', 'MaxPool')),
    ('elementwise operations are', ('GpuElemwise',), ('Elemwise', 'Softmax')),
    ('reductions of pictures are', ('GpuCAReduce',), ('Softmax',))]


def _problem(config):
    """Demo photos as a minibatch: inputs and targets."""
    from .network.inputs import make_transform
    paths = find_images(find_resource('demo/photos'))[:BATCH_SIZE]
    rgb = np.array([read_rgb(path, SIZE) for path in paths])
    return make_transform(config.network)(rgb)[:2]


def measure(out_file, plain=False):
    """What this process computes, on its device.

    Parameters
    ----------
    out_file : str or Path
        NPZ file: arrays named ``<kind>/<name>``, seconds, and the names of
        the compiled training step's ops, once more those that make whole
        pictures elsewhere than on a GPU.
    plain : bool
        Without this project's speed-ups.
    """
    from .engine.backend import describe_backend
    from .engine.switches import SPEEDUPS, without
    with without(*SPEEDUPS) if plain else contextlib.nullcontext():
        arrays = _measure()
    arrays['device/device'] = np.array(describe_backend()['device'])
    with open(out_file, 'wb') as stream:
        np.savez(stream, **arrays)


def _measure():
    """The arrays of :func:`measure`."""
    from .engine.backend import T, lasagne, theano
    from .network.networks import output_layers, trainable_parameters
    from .network.objectives import cross_entropy_loss
    from .network.saved import build_pretrained
    from .training.updates import compile_training
    config = load_config(overrides=['data.size=%d' % SIZE])
    inputs, targets = _problem(config)
    net = build_pretrained(config)
    bins = T.itensor4('targets')
    layers = output_layers(net)
    outputs = lasagne.layers.get_output(layers)
    loss = cross_entropy_loss(outputs, bins)
    parameters = trainable_parameters(net)
    function = theano.function([net['input'].input_var, bins], outputs +
                               [loss] + T.grad(loss, parameters))
    found = [np.array(array) for array in function(inputs, targets)]
    arrays = OrderedDict([('scores/u', found[0]), ('scores/v', found[1]),
                          ('loss/loss', found[2])])
    for number, (variable, gradient) in enumerate(zip(parameters, found[3:])):
        arrays['gradients/%02d %s %s' % (
            number, variable.name, 'x'.join(map(str, gradient.shape)))
        ] = gradient
    predict = theano.function([net['input'].input_var],
                              lasagne.layers.get_output(layers,
                                                        deterministic=True))
    for channel, scores in zip('uv', predict(inputs)):
        arrays['prediction/' + channel] = np.array(scores)
    step, _ = compile_training(net, cross_entropy_loss)
    losses = [float(step(inputs, targets)) for _ in range(NUM_STEPS)]
    arrays['losses of %d steps/losses' % NUM_STEPS] = np.array(losses)
    arrays['seconds/training step'] = _time(lambda: step(inputs, targets))
    arrays['seconds/prediction'] = _time(lambda: predict(inputs))
    nodes = step.maker.fgraph.toposort()
    arrays['ops/ops'] = np.array([type(node.op).__name__ for node in nodes])
    arrays['ops/of pictures'] = np.array([
        type(node.op).__name__ for node in nodes
        if not type(node.op).__name__.startswith('Gpu') and
        any(getattr(output.type, 'ndim', 0) > 2 for output in node.outputs)],
        dtype=str)
    return arrays


def _time(function):
    function()
    seconds = []
    while len(seconds) < NUM_TIMED and sum(seconds) < MAX_SECONDS:
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return np.median(seconds)


def run_selftest(device=None, theano_flags=''):
    """Compare a device with the obvious graph on the CPU.

    Parameters
    ----------
    device : str, optional
        Such as ``cuda`` or ``opencl0:0``; what THEANO_FLAGS or .theanorc say,
        or else the CPU with its speed-ups, if not given.
    theano_flags : str
        What else to set, as the variable THEANO_FLAGS has it.

    Returns
    -------
    lines : list of str
        The report.
    passed : bool

    Raises
    ------
    ColornetError
        If one of the two cannot be run.
    """
    def run(flag, *options):
        return _run(','.join(filter(None, [theano_flags, flag])), *options)

    tested = run('device=' + device if device else '')
    reference = run('device=cpu,init_gpu_device=', '--plain')
    name = str(tested['device/device'])
    lines = ['colornet %s selftest: %s against the CPU' % (
        __version__, name if not name.startswith('cpu') else
        'the CPU with its speed-ups'), '']
    lines += _describe(name, theano_flags)
    passed = True
    lines += ['', '%-20s %12s %9s' % ('compared', 'difference', 'limit')]
    for kind, limit in LIMITS.items():
        difference = _difference(*[
            [arrays[key] for key in reference if key.startswith(kind + '/')]
            for arrays in (tested, reference)])
        ok = difference <= limit
        passed &= bool(ok)
        lines.append('%-20s %12.1e %9.0e  %s' % (
            kind, difference, limit, 'ok' if ok else 'WRONG'))
    lines += ['', '%-20s %12s %12s' % ('seconds', name, 'plain CPU')]
    for key in reference:
        if key.startswith('seconds/'):
            lines.append('%-20s %12.4f %12.4f' % (
                key.partition('/')[2], tested[key], reference[key]))
    ops = Counter(str(op) for op in tested['ops/ops'])
    on_gpu = sum(count for op, count in ops.items() if op.startswith('Gpu'))
    lines += ['', 'ops of a training step: %d, %d of them on the GPU'
              % (sum(ops.values()), on_gpu),
              '  ' + _count(ops)]
    if not name.startswith('cpu'):
        elsewhere = Counter(map(str, tested['ops/of pictures']))
        lines += ['of these, on whole pictures but not on the GPU: ' +
                  (_count(elsewhere) or 'none')]
        for what, wanted, unwanted in ON_GPU:
            if not any(op.startswith(wanted) for op in ops) or \
                    any(op.startswith(unwanted) for op in elsewhere):
                passed = False
                lines.append('WRONG: %s not on the GPU' % what)
    lines += ['', 'passed' if passed else 'FAILED']
    return lines, passed


def _count(ops):
    """The most frequent of a Counter's names, in words."""
    return ', '.join('%d %s' % (count, op) for op, count in
                     ops.most_common(20))


def _run(flags, *options):
    """Arrays that :func:`measure` saves in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'measured.npz'
        process = subprocess.run(
            [sys.executable, '-m', 'colornet', 'selftest', '--measure',
             str(path)] + list(options),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=dict(os.environ, THEANO_FLAGS=flags))
        if process.returncode or not path.exists():
            message = last_message(process.stderr) or \
                'status %d' % process.returncode
            raise ColornetError('with THEANO_FLAGS=%s: %s' % (flags, message)
                                if flags else message)
        with np.load(path) as file:
            return {key: file[key] for key in file.files}


def _difference(arrays, references):
    """The largest difference of two lists of arrays, relative to the second.

    Some gradients are zero but for rounding, such as those of a shift before
    another batch normalization: beside the largest, such arrays count as a
    thousandth of it.
    """
    def rms(values):
        return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
    scales = [rms(reference) for reference in references]
    errors = [rms(np.subtract(array, reference, dtype=np.float64)) /
              max(scale, 1e-3 * max(scales)) for array, reference, scale in
              zip(arrays, references, scales)]
    # What is not finite fails, whatever the limit.
    return max(errors) if np.isfinite(errors).all() else np.inf


def _describe(device, theano_flags):
    """The machine, in lines."""
    lines = ['system: %s, Python %s' % (platform.platform(),
                                        platform.python_version())]
    for key, command in (
            ('GPU', ['nvidia-smi', '--query-gpu=name,driver_version,'
                     'compute_cap,memory.total', '--format=csv,noheader']),
            ('CUDA', ['nvcc', '--version'])):
        try:
            output = subprocess.run(command, stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, timeout=30,
                                    check=True).stdout.decode()
        except (OSError, subprocess.SubprocessError):
            continue
        lines.append('%s: %s' % (key, ' '.join(output.split())))
    lines.append('THEANO_FLAGS: %s' % theano_flags)
    return lines + ['device: %s' % device]
