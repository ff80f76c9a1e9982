"""Seconds of a prediction by the networks that ship, by turns."""

import argparse
import sys
import time

import numpy as np

from colornet.api import load_colorizer
from colornet.cli import report_errors
from colornet.photos.finding import find_images
from colornet.photos.pixels import resize
from colornet.photos.reading import read_photo
from colornet.resources import DEFAULT_NETWORK, find_resource

from .problem import NETWORK
from .tables import format_table

__all__ = ['time_networks', 'main']

NETWORKS = NETWORK, DEFAULT_NETWORK


def time_networks(networks, rounds=9, size=224):
    """Time the prediction of one photo, decoding included.

    Parameters
    ----------
    networks : sequence of str or Path
    rounds : int
        Each network predicts once in each, after one that is not timed.
    size : int
        Rows and columns of the photo, one of the demo's.

    Returns
    -------
    list of float
        The median for each network.
    """
    pixels = resize(read_photo(find_images(
        find_resource('demo/photos'))[0]).pixels, (size, size))
    colorizers = [load_colorizer(network) for network in networks]
    seconds = []
    for _ in range(1 + rounds):
        seconds.append([])
        for colorizer in colorizers:
            started = time.perf_counter()
            colorizer.predict([pixels])
            seconds[-1].append(time.perf_counter() - started)
    return np.median(seconds[1:], axis=0).tolist()


def _run(options):
    networks = options.networks or [find_resource(name) for name in NETWORKS]
    medians = time_networks(networks, options.rounds)
    print(format_table(('network', 's/photo', 'of the first'), [
        (str(network), '%.3f' % seconds, '%.2f' % (seconds / medians[0]))
        for network, seconds in zip(networks, medians)]))


def main(arguments=None):
    """Print a table."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.networks',
                                     description=__doc__)
    parser.add_argument('networks', nargs='*', metavar='FILE',
                        help='(default: %s)' % ' '.join(NETWORKS))
    parser.add_argument('--rounds', type=int, default=9)
    return report_errors(_run, parser.parse_args(arguments),
                         program='benchmark')


if __name__ == '__main__':
    sys.exit(main())
