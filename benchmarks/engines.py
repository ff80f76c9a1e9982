"""The engines, and the process in which one of them works.

``python -m benchmarks.engines ENGINE PROBLEM BATCH_SIZE`` answers each line
of JSON that it reads with one. ``{"task": "train"}`` is done once, after
building what it needs (the engine's ``make_train``); ``predict`` is done by
the paper's network, ``everyday`` by the one that colours photos. The answer
has ``seconds`` and ``peak_memory_mb``, the largest so far. ``{"results":
FILE}`` writes what :mod:`benchmarks.agreement` compares. The end of the input
ends it.
"""

import json
import os
import resource
import sys
import time
from collections import OrderedDict

import numpy as np

from colornet.engine.switches import SPEEDUPS, VARIABLE

__all__ = ['COLORNET', 'COLORNET_BFLOAT16', 'PYTORCH', 'PYTORCH_BFLOAT16',
           'ONNX', 'ENGINES', 'REFERENCE', 'environment', 'repeat_photos',
           'make_engine', 'collect_results']

#: What computes in bfloat16.
COLORNET_BFLOAT16, PYTORCH_BFLOAT16 = ('colornet bf16',
                                       'pytorch channels_last bf16')

#: Name -> speed-ups left out, by their names in SPEEDUPS.
COLORNET = OrderedDict([
    ('colornet', []),
    ('colornet, no oneDNN', ['onednn']),
    ('colornet, direct', ['winograd']),
    ('colornet, obvious graph', list(SPEEDUPS)),
    (COLORNET_BFLOAT16, []),
])

#: Name -> options of PyTorchEngine.
PYTORCH = OrderedDict([
    ('pytorch', {}),
    ('pytorch channels_last', {'channels_last': True}),
    (PYTORCH_BFLOAT16, {'channels_last': True, 'bfloat16': True}),
    ('pytorch compile', {'channels_last': True, 'compile': True}),
])

#: Predicts, and cannot train.
ONNX = 'onnx runtime'

ENGINES = list(COLORNET) + list(PYTORCH) + [ONNX]

#: The same, never timed: decides who is off where float32 engines differ.
REFERENCE = 'pytorch float64'

#: Training steps that are compared.
NUM_STEPS = 3


def environment(engine, num_threads):
    """Environment variables for the process of an engine.

    Parameters
    ----------
    engine : str
    num_threads : int

    Returns
    -------
    dict of str to str
    """
    variables = dict(os.environ)
    for name in 'OMP', 'OPENBLAS', 'MKL':
        variables[name + '_NUM_THREADS'] = str(num_threads)
    variables[VARIABLE] = ','.join(COLORNET.get(engine, []))
    # Otherwise torch.compile leaves a pool of processes behind.
    variables['TORCHINDUCTOR_COMPILE_THREADS'] = '1'
    return variables


def repeat_photos(array, batch_size):
    """Repeat photos, or cut off some, to fill a minibatch."""
    return array[np.arange(batch_size) % len(array)]


def make_engine(name, problem, batch_size):
    """Build an engine for minibatches of a size.

    Parameters
    ----------
    name : str
        One of :data:`ENGINES`, or :data:`REFERENCE`.
    problem : dict of str to ndarray
        See :func:`benchmarks.problem.write_problem`.
    batch_size : int

    Returns
    -------
    ColornetEngine, PyTorchEngine or OnnxEngine
    """
    batch = [repeat_photos(problem[array], batch_size)
             for array in ('luminance', 'inputs', 'targets')]
    # Neither library should be in the other's process.
    if name in COLORNET:
        from .colornet_engine import ColornetEngine
        return ColornetEngine(*batch, bfloat16=name == COLORNET_BFLOAT16)
    if name == ONNX:
        from .onnx_engine import OnnxEngine
        return OnnxEngine(batch[0])
    from .pytorch_engine import PyTorchEngine
    options = {'float64': True} if name == REFERENCE else PYTORCH[name]
    return PyTorchEngine(*batch, problem, **options)


def collect_results(engine):
    """Compute what two engines must agree on.

    Returns
    -------
    dict of str to ndarray
        ``scores``, ``chrominance``, ``training scores``, ``losses`` of the
        first steps, and ``gradient <parameter>`` and ``average <parameter>``,
        the running averages after the first step.
    """
    results = {'scores': np.stack(engine.scores()),
               'chrominance': engine.make_predict()()}
    scores, gradients = engine.training_scores()
    results['training scores'] = np.stack(scores)
    results.update(('gradient ' + name, gradient)
                   for name, gradient in gradients.items())
    step = engine.make_train()
    losses = [step()]
    results.update(('average ' + name, np.array(average)) for name, average
                   in engine.running_averages().items())
    losses += [step() for _ in range(NUM_STEPS - 1)]
    results['losses'] = np.array(losses, np.float64)
    return results


def main(arguments):
    name, problem, batch_size = arguments
    # Libraries may print, too: only answers go to whoever asks.
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)

    def answer(**content):
        print(json.dumps(content), file=answers, flush=True)

    with np.load(problem) as file:
        engine = make_engine(name, file, int(batch_size))
    answer(description=engine.describe())
    tasks = {}
    for line in sys.stdin:
        request = json.loads(line)
        if 'results' in request:
            np.savez(request['results'], **collect_results(engine))
            answer()
            continue
        task = request['task']
        if task not in tasks:
            tasks[task] = getattr(engine, 'make_' + task)()
        start = time.perf_counter()
        tasks[task]()
        seconds = time.perf_counter() - start
        answer(seconds=seconds, peak_memory_mb=_peak_memory() * 1024e-6)


def _peak_memory():
    """Of this process, in KiB; not of that which has started it."""
    try:
        with open('/proc/self/status') as file:
            return next(int(line.split()[1]) for line in file
                        if line.startswith('VmHWM'))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == '__main__':
    try:
        main(sys.argv[1:])
    except Exception as error:
        # The last line is what the driver shows.
        sys.exit('%s: %s' % (type(error).__name__,
                             str(error).strip().split('\n')[0]))
