"""Where clips have cuts, and how far from the limit these are.

``python -m benchmarks.cuts --data data/clips`` prints, for each clip, the
frames that :func:`colornet.video.motion.find_motion` takes for the first of a
scene, with the trust in what moved, and the lowest trust of all others.
"""

import argparse
import contextlib
import itertools
import sys
from pathlib import Path

from colornet.cli import report_errors
from colornet.cli.options import positive
from colornet.config import load_config
from colornet.photos.colorizer import Colorizer
from colornet.resources import find_resource
from colornet.studies.flicker import find_clips
from colornet.terminal import say
from colornet.video.motion import CUT, find_trusts
from colornet.video.reading import Clip, Frame

__all__ = ['main', 'trusts_of']


def trusts_of(path, count):
    """Trust in what moved, as films are looked at.

    Parameters
    ----------
    path : Path
        A clip.
    count : int
        Frames that are looked at, at most.

    Returns
    -------
    list of float
        Of each frame from the second on.
    """
    data = load_config(find_resource('experiments/everyday.ini'), []).data
    reduce = Colorizer(None, data['size'], 'luv', data['proportions'],
                       borders='colour', tones='keep').reduce
    trusts, before = [], None
    with contextlib.closing(Clip(path)) as clip:
        frames = (item for item in clip.items() if isinstance(item, Frame))
        for frame in itertools.islice(frames, count):
            luminance = reduce(clip.pixels(frame))
            if before is not None:
                trusts.append(float(min(
                    trust.mean() for trust in
                    find_trusts(before, luminance)[1])))
            before = luminance
    return trusts


def _run(options):
    cuts, others = [], []
    for path in find_clips(options.data):
        trusts = trusts_of(path, options.frames)
        found = {number: trust for number, trust in enumerate(trusts, 1)
                 if trust < CUT}
        rest = [trust for trust in trusts if trust >= CUT]
        say('%s: %d frames, cuts: %s; others: %s' % (
            path.name, 1 + len(trusts), ', '.join(
                '%.3f at %d' % (trust, number)
                for number, trust in found.items()) or 'none',
            '%.3f at least' % min(rest) if rest else 'none'))
        cuts += found.values()
        others += rest
    say('%d cuts: %s; %d other frames: %s' % (
        len(cuts), '%.3f at most' % max(cuts) if cuts else '-',
        len(others), '%.3f at least' % min(others) if others else '-'))
    return 0


def main(arguments=None):
    """Print the trust at cuts and elsewhere."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.cuts',
                                     description=__doc__.splitlines()[0])
    parser.add_argument('--data', nargs='+', required=True, metavar='PATH',
                        type=Path, help='clips, or folders of them')
    parser.add_argument('--frames', type=positive, default=300, metavar='N',
                        help='of each, at most (default: %(default)s)')
    return int(report_errors(_run, parser.parse_args(arguments),
                             program='benchmarks'))


if __name__ == '__main__':
    sys.exit(main())
