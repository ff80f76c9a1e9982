"""How far bfloat16 moves the pixels of photos.

``python -m benchmarks.bfloat16`` colours the photos that ship with colornet
twice by each of two networks, with ``--bfloat16`` and without.
"""

import argparse
import sys

import numpy as np

from colornet.api import load_colorizer
from colornet.cli import report_errors
from colornet.photos.finding import find_images
from colornet.photos.reading import read_photo
from colornet.resources import DEFAULT_NETWORK, find_resource

from .tables import format_table

__all__ = ['NETWORKS', 'count_differences', 'main']

#: The network that colours photos, and the paper's.
NETWORKS = (DEFAULT_NETWORK, 'weights/cvcl_classification.h5')


def count_differences(network, photos):
    """Count pixels by how far they move.

    Parameters
    ----------
    network : str
    photos : sequence of ndarray of uint8, (rows, columns, 3)

    Returns
    -------
    ndarray of int, (256,)
        The pixels whose channels move by at most so many levels of 255.
    """
    exact, rounded = (load_colorizer(find_resource(network), bfloat16=which)
                      for which in (False, True))
    counts = np.zeros(256, np.int64)
    for pixels in photos:
        first, second = (np.rint(255 * colorizer.colorize(pixels)).astype(int)
                         for colorizer in (exact, rounded))
        counts += np.bincount(abs(first - second).max(-1).ravel(),
                              minlength=256)
    return counts


def _run(options):
    photos = [read_photo(path).pixels
              for path in find_images(find_resource('demo/photos'))]
    rows = []
    for network in NETWORKS:
        share = np.cumsum(count_differences(network, photos))
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
