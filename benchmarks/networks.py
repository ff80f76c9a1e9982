"""Seconds of a prediction by the networks that ship, by turns."""

import argparse
import itertools
import sys
import time

import numpy as np

from colornet.api import load_colorizer
from colornet.cli import report_errors
from colornet.engine.available import ENGINES, choose_engine
from colornet.photos.finding import find_images
from colornet.photos.pixels import resize
from colornet.photos.reading import read_photo
from colornet.resources import DEFAULT_NETWORK, find_resource

from . import NETWORK
from .tables import format_table

__all__ = ['time_networks', 'main']

NETWORKS = NETWORK, DEFAULT_NETWORK


def time_networks(networks, rounds=9, size=224, engines=(None,)):
    """Time the prediction of one photo, decoding included.

    Parameters
    ----------
    networks : sequence of str or Path
    rounds : int
        Each network predicts once in each, after one that is not timed.
    size : int
        Rows and columns of the photo, one of the demo's.
    engines : sequence of str or None
        See :func:`colornet.engine.available.choose_engine`.

    Returns
    -------
    list of (str or Path, str or None, float)
        Each network by each engine, and the median of its seconds.
    """
    pixels = resize(read_photo(find_images(
        find_resource('demo/photos'))[0]).pixels, (size, size))
    pairs = list(itertools.product(networks, engines))
    colorizers = [load_colorizer(network, engine=engine)
                  for network, engine in pairs]
    seconds = []
    for _ in range(1 + rounds):
        seconds.append([])
        for colorizer in colorizers:
            started = time.perf_counter()
            colorizer.predict([pixels])
            seconds[-1].append(time.perf_counter() - started)
    return [pair + (median,) for pair, median in
            zip(pairs, np.median(seconds[1:], axis=0).tolist())]


def _run(options):
    networks = options.networks or [find_resource(name) for name in NETWORKS]
    engines = options.engines or [choose_engine()]
    found = time_networks(networks, options.rounds, engines=engines)
    print(format_table(('network', 'engine', 's/photo', 'of the first'), [
        (str(network), engine, '%.3f' % seconds,
         '%.2f' % (seconds / found[0][2]))
        for network, engine, seconds in found]))


def main(arguments=None):
    """Print a table."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.networks',
                                     description=__doc__)
    parser.add_argument('networks', nargs='*', metavar='FILE',
                        help='(default: %s)' % ' '.join(NETWORKS))
    parser.add_argument('--engines', nargs='+', choices=list(ENGINES),
                        metavar='ENGINE', help='%s (default: the one that '
                        'colornet takes)' % ', '.join(ENGINES))
    parser.add_argument('--rounds', type=int, default=9)
    return report_errors(_run, parser.parse_args(arguments),
                         program='benchmark')


if __name__ == '__main__':
    sys.exit(main())
