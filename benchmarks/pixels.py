"""How far the engines' pixels are apart.

``python -m benchmarks.pixels`` colours the photos that ship with colornet by
Theano, ONNX Runtime and PyTorch with each network that ships, as ``colornet
colorize`` does it, and compares them. The exit status is 1 if, of any photo,
fewer pixels agree than :data:`WANTED` says.
"""

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np

from colornet.api import load_colorizer
from colornet.cli import report_errors
from colornet.engine.available import ENGINES
from colornet.photos.finding import find_images
from colornet.photos.reading import read_photo
from colornet.resources import SHIPPED_NETWORKS, find_resource, weights_file
from colornet.terminal import progress_bar

from .tables import format_table

__all__ = ['WANTED', 'colour', 'count_differences', 'demo_photos',
           'compare_engines', 'main']

#: Part of a photo's pixels that may move by at most 1/255.
WANTED = 0.999


def demo_photos():
    """Pixels of the photos that ship, a list of arrays of uint8."""
    return [read_photo(path).pixels
            for path in find_images(find_resource('demo/photos'))]


def colour(colorizer, pixels):
    """A photo in 8 bits, as ``colornet colorize`` writes it.

    Parameters
    ----------
    colorizer : Colorizer
    pixels : ndarray

    Returns
    -------
    ndarray of uint8, (rows, columns, 3)
    """
    chroma, = colorizer.predict([pixels])
    return colorizer.join(pixels, chroma, np.uint8)


def count_differences(first, second):
    """Count pixels by how far they are apart.

    Parameters
    ----------
    first, second : ndarray of uint8, (rows, columns, 3)

    Returns
    -------
    ndarray of int, (256,)
        The pixels whose channels differ by at most so many levels of 255.
    """
    apart = abs(first.astype(int) - second).max(-1)
    return np.bincount(apart.ravel(), minlength=256)


def compare_engines(network, photos, engines=tuple(ENGINES)):
    """Colour photos by several engines.

    Parameters
    ----------
    network : str or Path
    photos : sequence of ndarray
    engines : sequence of str

    Returns
    -------
    dict of (str, str) to ndarray of int, (photos, 256)
        For each pair of engines :func:`count_differences` of each photo.
    """
    pictures = {}
    for engine in engines:
        colorizer = load_colorizer(network, engine=engine)
        pictures[engine] = [colour(colorizer, pixels) for pixels in photos]
    return {pair: np.stack([count_differences(*both) for both in zip(
        *[pictures[engine] for engine in pair])])
            for pair in itertools.combinations(engines, 2)}


def _run(options):
    photos, rows, least = demo_photos(), [], 1.
    networks = options.networks or [
        find_resource(weights_file(name)) for name in SHIPPED_NETWORKS]
    for network in progress_bar(networks, unit='network'):
        found = compare_engines(network, photos)
        for pair, counts in found.items():
            shares = counts[:, :2].sum(1) / counts.sum(1)
            least = min(least, shares.min())
            together = counts.sum(0)
            rows.append((Path(network).stem, '%s, %s' % pair) + tuple(
                '%.3f' % (100 * share) for share in (
                    together[0] / together.sum(),
                    together[:2].sum() / together.sum(), shares.min())) + (
                        '%d' % np.flatnonzero(together)[-1],))
    print('Of 100 pixels of %d photos, so many differ by at most n levels of '
          '255; "least": of a\nphoto, n = 1; "most": the largest difference:'
          % len(photos))
    print(format_table(('network', 'engines', 'n = 0', 'n = 1', 'least',
                        'most'), rows))
    return int(least < WANTED)


def main(arguments=None):
    """Print a table."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.pixels',
        description=__doc__.splitlines()[0])
    parser.add_argument('networks', nargs='*', metavar='FILE',
                        help='(default: all that ship)')
    return report_errors(_run, parser.parse_args(arguments),
                         program='benchmark')


if __name__ == '__main__':
    sys.exit(main())
