"""Big photos: peak memory and seconds of ``colornet colorize``.

``python -m reliability.sizes`` colours grey photos of 24, 100 and 400
megapixels, panoramas and 16-bit TIFF by the default network and ONNX Runtime,
one after the other, each in a process of its own. The exit status is 1 if one
is not coloured in its size and luminance, 24 megapixels take more than 1 GB,
or memory grows faster than pixels.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
from PIL import Image

from colornet.cli import report_errors
from colornet.errors import ColornetError
from colornet.formats.photo import limit_pixels
from colornet.photos.finding import find_images
from colornet.photos.reading import read_photo
from colornet.resources import find_resource
from colornet.terminal import say

from .right_size import judge_colours
from .verdict import say_faults

__all__ = ['KINDS', 'Kind', 'apart', 'judge', 'judge_photo', 'main',
           'measure', 'write_photo']

#: MB that 24 megapixels may take.
MOST_MB = 1000

#: How much more a further megapixel of large photos may take than one of
#: smaller photos.
FASTER = 1.6

#: That are read.
_MOST_PIXELS = 1000000000

#: Bands of rows that are looked at, and rows of each: all would take minutes.
_BANDS, _ROWS = 8, 25


class Kind(namedtuple('Kind', 'name suffix columns rows')):
    """A photo: what it is, and how large."""

    @property
    def megapixels(self):
        return self.rows * self.columns / 1e6


#: From small to large.
KINDS = [
    Kind('JPEG', '.jpg', 3000, 2000),
    Kind('JPEG', '.jpg', 6000, 4000),
    Kind('JPEG', '.jpg', 12240, 8160),
    Kind('JPEG', '.jpg', 24480, 16320),
    Kind('panorama', '.jpg', 11000, 550),
    Kind('panorama', '.jpg', 22000, 1100),
    Kind('panorama', '.jpg', 44800, 2240),
    Kind('16-bit TIFF', '.tif', 3000, 2000),
    Kind('16-bit TIFF', '.tif', 6000, 4000),
    Kind('16-bit TIFF', '.tif', 12240, 8160),
    Kind('16-bit TIFF', '.tif', 24480, 16320)]


class Measured(namedtuple('Measured', 'kind peak_mb seconds busy')):
    """Memory at the most, and seconds, those of all cores together, too."""


def write_photo(path, kind):
    """Write a grey photo: one of the demo's, many times beside itself.

    Parameters
    ----------
    path : Path
    kind : Kind
    """
    with Image.open(find_images(find_resource('demo/photos'))[0]) as image:
        tile = np.asarray(image.convert('L'))
    wide = np.tile(tile, (1, -(-kind.columns // tile.shape[1])))
    rows = np.arange(kind.rows) % len(tile)
    pixels = wide[rows, :kind.columns]
    if kind.suffix == '.tif':
        import tifffile
        tifffile.imwrite(
            path, pixels * np.uint16(257), photometric='minisblack',
            compression='zlib', predictor=True)
    else:
        Image.fromarray(pixels).save(path, quality=90)


def measure(path, out, kind, options=()):
    """Colour a photo in a process of its own.

    Parameters
    ----------
    path, out : Path
    kind : Kind
    options : sequence of str
        More of ``colornet colorize``.

    Returns
    -------
    Measured

    Raises
    ------
    ColornetError
        If it is not coloured.
    """
    begun = time.monotonic()
    with tempfile.TemporaryFile('w+') as said:
        process = subprocess.Popen(
            [sys.executable, '-m', 'colornet', 'colorize', str(path), '-o',
             str(out), '--engine', 'onnx', '--max-pixels', str(_MOST_PIXELS),
             '--quiet', *options], stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status = (
            os.WEXITSTATUS(status) if os.WIFEXITED(status) else
            -os.WTERMSIG(status))
        seconds = time.monotonic() - begun
        said.seek(0)
        if status:
            raise ColornetError('%s of %.0f megapixels: status %d: %s' % (
                kind.name, kind.megapixels, status,
                ' '.join(said.read().split())))
    # Linux counts KB, macOS bytes.
    peak = usage.ru_maxrss / (1 << (20 if sys.platform == 'darwin' else 10))
    return Measured(kind, peak, seconds, usage.ru_utime + usage.ru_stime)


def apart(function, *arguments):
    """Call a function in a process of its own, for its memory's sake.

    What this process has had at the most, Linux counts as that of every
    process that it starts.
    """
    with multiprocessing.Pool(1) as pool:
        return pool.apply(function, arguments)


def judge_photo(path, out):
    """What is wrong with a coloured photo.

    Parameters
    ----------
    path, out : Path

    Returns
    -------
    str
        Empty if it can be decoded, has the size of the photo, and, in each of
        some bands of rows, its luminance and a colour.
    """
    limit_pixels(_MOST_PIXELS)
    source = read_photo(path).pixels
    shape, bands = source.shape[:2], []
    for rows in np.array_split(np.arange(shape[0]), _BANDS):
        rows = rows[::-(-len(rows) // _ROWS)]
        bands.append((rows, source[rows]))
    del source
    try:
        result = read_photo(out).pixels
    except ColornetError as error:
        return 'the result cannot be decoded: %s' % error
    if result.shape[:2] != shape:
        return 'the result has %s pixels, not %s' % (result.shape[:2], shape)
    for rows, band in bands:
        reason = judge_colours(band, result[rows])
        if reason:
            return 'rows %d to %d: %s' % (rows[0], rows[-1], reason)
    return ''


def judge(found):
    """What is wrong with some measurements.

    Parameters
    ----------
    found : list of Measured

    Returns
    -------
    list of str
        Faults: too much for 24 megapixels, or growth that is not linear: each
        megapixel more takes much more of larger photos than of smaller ones,
        or there are fewer than three sizes of a kind, which do not tell.
    """
    faults = []
    for one in found:
        if one.kind.megapixels <= 24.5 and one.peak_mb > MOST_MB:
            faults.append('%.0f MB for %.0f megapixels' % (
                one.peak_mb, one.kind.megapixels))
    for kind in sorted({one.kind.name for one in found}):
        ours = [one for one in found if one.kind.name == kind]
        if len(ours) < 3:
            faults.append('%s: %d sizes do not tell how memory grows' % (
                kind, len(ours)))
        slopes = [(after.peak_mb - before.peak_mb) / (
            after.kind.megapixels - before.kind.megapixels)
            for before, after in zip(ours, ours[1:])]
        for smaller, larger in zip(slopes, slopes[1:]):
            # At small sizes, other steps than at large ones take the most;
            # growth by the square would be some four times as fast.
            if larger > FASTER * smaller:
                faults.append('%s: %.1f MB a megapixel, then %.1f' % (
                    kind, smaller, larger))
    return faults


def _run(options):
    kinds = [kind for kind in KINDS
             if round(kind.megapixels) <= options.most]
    # As many as tell how memory grows, of each kind.
    for name in {kind.name for kind in KINDS}:
        if sum(kind.name == name for kind in kinds) < 3:
            raise ColornetError('--most must be 100 at least, not %g'
                                % options.most)
    found, faults = [], []
    say('photo         megapixels      file MB   peak MB   seconds   of all '
        'cores')
    with tempfile.TemporaryDirectory(prefix='colornet-sizes-') as folder:
        for kind in kinds:
            path, out = [Path(folder, name + kind.suffix)
                         for name in ('photo', 'coloured')]
            apart(write_photo, path, kind)
            one = measure(path, out, kind)
            reason = apart(judge_photo, path, out)
            if reason:
                faults.append('%s of %.0f megapixels: %s' % (
                    kind.name, kind.megapixels, reason))
            say('%-13s %10.1f %12.1f %9.0f %9.1f %14.1f' % (
                kind.name, kind.megapixels, path.stat().st_size / 1e6,
                one.peak_mb, one.seconds, one.busy))
            sys.stdout.flush()
            found.append(one)
            for file in path, out:
                file.unlink()
    return say_faults(faults + judge(found))


def main(arguments=None):
    """Print a table."""
    parser = argparse.ArgumentParser(prog='python -m reliability.sizes',
                                     description=__doc__.splitlines()[0])
    parser.add_argument('--most', type=float, default=400, metavar='N',
                        help='megapixels, 100 at least, as fewer sizes do '
                        'not tell how memory grows (default: %(default)s)')
    return int(report_errors(_run, parser.parse_args(arguments),
                             program='reliability'))


if __name__ == '__main__':
    sys.exit(main())
