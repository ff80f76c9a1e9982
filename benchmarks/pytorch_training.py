"""Train a network by PyTorch on one GPU: ``make train-everyday-gpu``.

The same settings, held-out photos and run folder as ``colornet train``, which
trains by Theano; the network is for ``colornet``. A training that was
interrupted goes on when the command is given again.
"""

import argparse
import os
import sys
from pathlib import Path

from colornet.cli import report_errors
from colornet.config import load_config
from colornet.errors import ColornetError
from colornet.resources import take_environment
from colornet.training.run import train

from .photos import worker_processes
from .run import check_packages

__all__ = ['main']


def _train(options):
    config = load_config(options.config, options.overrides)
    check_packages('torch')
    import torch

    from .pytorch_learner import PyTorchLearner
    out = options.out or Path('runs', options.config.stem)
    with worker_processes() as pool:
        learner = PyTorchLearner(config, options.device, pool, options.vgg)
        try:
            trained = train(config, options.data, out, learner=learner)
        except torch.OutOfMemoryError as error:
            raise ColornetError('%s; a smaller training.batch_size takes less'
                                % str(error).split('. ')[0])
    print('%s %s: %d epochs' % ('trained' if trained else 'already trained',
                                out, config.training['epochs']))


def main(arguments=None):
    parser = argparse.ArgumentParser(prog='benchmarks.pytorch_training',
                                     description=__doc__.split(':')[0])
    parser.add_argument('config', type=Path, metavar='INI',
                        help='an experiment, such as '
                             'experiments/everyday.ini')
    parser.add_argument('--data', type=Path, required=True, metavar='DIR',
                        help='folder of the data set; all photos must fit '
                             'into memory, decoded')
    parser.add_argument('--out', type=Path, metavar='DIR',
                        help='run folder (default: runs/<name of the '
                             'experiment>)')
    parser.add_argument('--set', action='append', default=[],
                        metavar='SECTION.KEY=VALUE', dest='overrides',
                        help='change a setting of the experiment')
    parser.add_argument('--device', choices=('cuda', 'cpu'), default='cuda',
                        help='(default: %(default)s)')
    parser.add_argument('--vgg', type=Path, metavar='FILE',
                        help="VGG16's weights (default: weights/vgg16.pkl)")
    take_environment(os.environ)
    return report_errors(_train, parser.parse_args(arguments),
                         program='pytorch_training')


if __name__ == '__main__':
    sys.exit(main())
