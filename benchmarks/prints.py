"""What stretching the tones of faded prints brings (docs/formats.rst).

``python -m benchmarks.prints`` fades photos by formulas, colours them with
their tones as they are and stretched, and compares both with the originals.
"""

import argparse
import sys
from collections import OrderedDict

import numpy as np

from colornet.api import load_colorizer
from colornet.cli import report_errors
from colornet.color import luminance
from colornet.luv import join_to_bytes
from colornet.metrics import peak_signal_to_noise
from colornet.photos.finding import find_images
from colornet.photos.reading import read_photo
from colornet.resources import find_resource
from colornet.terminal import progress_bar

from .tables import format_table

__all__ = ['FADINGS', 'compare_tones', 'main']

#: Luminance of the print, of the photo's in [0, 100].
FADINGS = OrderedDict([
    ('L, not faded', lambda light: light),
    ('30 + 0.5 L', lambda light: 30 + 0.5 * light),
    ('40 + 0.3 L', lambda light: 40 + 0.3 * light),
    ('50 + 0.5 L', lambda light: 50 + 0.5 * light),
    ('0.45 L', lambda light: 0.45 * light),
    ('60 (L / 100) to power 2.2', lambda light: 60 * (light / 100) ** 2.2)])


def compare_tones(colorizers, photos, fade):
    """Fade photos, colour them, and give the originals these colours.

    Parameters
    ----------
    colorizers : sequence of Colorizer
    photos : sequence of ndarray of uint8, (rows, columns, 3)
    fade : callable
        One of :data:`FADINGS`.

    Returns
    -------
    ndarray, (photos, colorizers)
        PSNR against the original, dB, of its luminance with the chrominance
        that was predicted.
    """
    scores = []
    for pixels in photos:
        light = fade(luminance(pixels)).astype(np.float32)
        nothing = np.zeros_like(light)
        faded = join_to_bytes(light, nothing, nothing)
        scores.append([peak_signal_to_noise(
            colorizer.join(pixels, colorizer.predict([faded])[0], np.uint8),
            pixels) for colorizer in colorizers])
    return np.array(scores)


def _run(options):
    photos = [read_photo(path).pixels for path in find_images(options.folder)]
    colorizers = []
    for tones in 'keep', 'stretch':
        colorizers.append(load_colorizer(engine=options.engine))
        colorizers[-1].tones = tones
        # The edges of these photos are no paper.
        colorizers[-1].borders = 'colour'
    rows = []
    for name, fade in progress_bar(FADINGS.items(), desc='fading',
                                   unit='formula'):
        kept, stretched = compare_tones(colorizers, photos, fade).T
        rows.append((name, '%.2f' % kept.mean(), '%.2f' % stretched.mean(),
                     '%d/%d' % ((stretched > kept).sum(),
                                (stretched != kept).sum())))
    grey = np.mean([peak_signal_to_noise(colorizers[0].join(
        pixels, np.zeros((1, 1, 2), np.float32), np.uint8), pixels)
        for pixels in photos])
    print('%d photos; left grey, they have %.2f dB.' % (len(photos), grey))
    print(format_table(('luminance L of the print', 'as is', 'stretched',
                        'better/changed'), rows))


def main(arguments=None):
    """Print a table."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.prints',
                                     description=__doc__.splitlines()[0])
    parser.add_argument('folder', nargs='?', metavar='FOLDER',
                        default=find_resource('demo/photos'),
                        help='of photos (default: those that ship)')
    parser.add_argument('--engine', help='as of colornet colorize')
    return report_errors(_run, parser.parse_args(arguments),
                         program='benchmark')


if __name__ == '__main__':
    sys.exit(main())
