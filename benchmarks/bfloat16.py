"""How far bfloat16 moves the pixels of photos.

``python -m benchmarks.bfloat16`` colours the photos that ship with colornet
twice by each of two networks, with ``--bfloat16`` and without.
"""

import argparse
import sys

import numpy as np

from colornet.api import load_colorizer
from colornet.cli import report_errors
from colornet.resources import DEFAULT_NETWORK, find_resource

from . import NETWORK
from .pixels import colour, count_differences, demo_photos
from .tables import format_table

__all__ = ['NETWORKS', 'count_moved', 'main']

#: The network that colours photos, and the paper's.
NETWORKS = DEFAULT_NETWORK, NETWORK


def count_moved(network, photos):
    """Count pixels by how far they move.

    Parameters
    ----------
    network : str
    photos : sequence of ndarray of uint8, (rows, columns, 3)

    Returns
    -------
    ndarray of int, (256,)
        See :func:`benchmarks.pixels.count_differences`.
    """
    colorizers = [load_colorizer(find_resource(network), bfloat16=which)
                  for which in (False, True)]
    return sum(count_differences(*[colour(colorizer, pixels)
                                   for colorizer in colorizers])
               for pixels in photos)


def _run(options):
    photos, rows = demo_photos(), []
    for network in NETWORKS:
        share = np.cumsum(count_moved(network, photos))
        share = 100 * share / share[-1]
        rows.append((network,) + tuple('%.2f' % share[level]
                                       for level in (0, 1, 2, 5, 10)))
    print('Of 100 pixels, so many move by at most n levels of 255:')
    print(format_table(('network', 'n = 0', '1', '2', '5', '10'), rows))


def main(arguments=None):
    """Print a table."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.bfloat16',
        description=__doc__.splitlines()[0])
    return report_errors(_run, parser.parse_args(arguments),
                         program='benchmark')


if __name__ == '__main__':
    sys.exit(main())
