"""Seconds of a training step on whatever device Theano uses.

``COLORNET_DEVICE=cuda python -m benchmarks.step`` times it on a GPU; the
other benchmarks are of the CPU.
"""

import argparse
import sys
import time

import numpy as np

from colornet.cli import report_errors
from colornet.config import load_config
from colornet.errors import ColornetError
from colornet.network.inputs import make_transform

from .tables import format_table

__all__ = ['time_steps', 'main']

#: Steps before those that are timed: memory is found, code is loaded.
NUM_WARM_UP = 3


def time_steps(config, batch_sizes, rounds=10):
    """Time training steps of a configuration's network on random photos.

    Parameters
    ----------
    config : Config
        Of a classification network.
    batch_sizes : sequence of int
    rounds : int
        Steps that are timed for each.

    Yields
    ------
    batch_size : int
    seconds : float
        The median for a step; the loss has come back to the CPU then.
    """
    # Theano's: a device that is not there is told in one line.
    from colornet.network.objectives import cross_entropy_loss
    from colornet.network.saved import build_pretrained
    from colornet.training.updates import compile_training
    step, _ = compile_training(build_pretrained(config), cross_entropy_loss)
    transform = make_transform(config.network)
    random = np.random.RandomState(config.training['seed'])
    size = config.data['size']
    for batch_size in batch_sizes:
        inputs, targets, _ = transform(random.randint(
            0, 256, (batch_size, size, size, 3)).astype(np.uint8))
        seconds = []
        for _ in range(NUM_WARM_UP + rounds):
            started = time.perf_counter()
            float(step(inputs, targets))
            seconds.append(time.perf_counter() - started)
        yield batch_size, float(np.median(seconds[NUM_WARM_UP:]))


def _run(options):
    from colornet.engine.backend import describe_backend
    config = load_config(options.experiment, options.set)
    if config.network['kind'] == 'regression':
        raise ColornetError('%s: only classification networks are timed'
                            % options.experiment)
    print('device: %s' % describe_backend()['device'])
    print(format_table(('batch', 's/image', 'images/s'), [
        ('%d' % batch, '%.4f' % (seconds / batch), '%.1f' % (batch / seconds))
        for batch, seconds in time_steps(config, options.batch_sizes,
                                         options.rounds)]))


def main(arguments=None):
    """Print a table."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.step', description=__doc__.splitlines()[0])
    parser.add_argument('experiment', nargs='?',
                        help='an .ini file; the paper\'s network if not given')
    parser.add_argument('--set', action='append', default=[],
                        metavar='SECTION.KEY=VALUE')
    parser.add_argument('--batch-sizes', type=int, nargs='+',
                        default=[6, 16, 32])
    parser.add_argument('--rounds', type=int, default=10)
    return report_errors(_run, parser.parse_args(arguments),
                         program='benchmark')


if __name__ == '__main__':
    sys.exit(main())
