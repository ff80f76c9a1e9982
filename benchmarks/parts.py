"""Seconds of the parts of what colours a photo, beside the network.

``python -m benchmarks.parts`` times conversions between sRGB and CIELUV beside
scikit-image's, hints, what makes colours even, and requests of the page; with
names of these, some of them.
"""

import argparse
import dataclasses
import functools
import io
import sys
import time
from collections import OrderedDict

import numpy as np
import skimage.color
from PIL import Image

from colornet.cli import report_errors
from colornet.color import as_uint8, get_color_space
from colornet.luv import join_to_bytes, luminance_of_bytes
from colornet.photos.colorizer import Colorizer
from colornet.photos.finding import find_images
from colornet.photos.hints import Hint, HintSpreader
from colornet.photos.reading import read_photo
from colornet.prediction.engines import load_outputs
from colornet.refinement.refiner import Refinement
from colornet.refinement.steps import STEPS
from colornet.resources import DEFAULT_NETWORK, find_resource

from .tables import format_table

__all__ = ['PARTS', 'time_conversions', 'time_hints', 'time_page',
           'time_refinement', 'main']

#: Pixels of the photo whose colours are converted, of that on which hints
#: spread, as the network sees it, of that which is made even, and of that
#: which the page gets.
CONVERTED, HINTED, EVENED, SENT = 1000000, 224 * 296, 2000000, 12000000


def _photo(num_pixels):
    """One of the demo's photos, at another size."""
    image = Image.fromarray(read_photo(find_images(
        find_resource('demo/photos'))[0]).pixels)
    scale = (num_pixels / (image.width * image.height)) ** 0.5
    return image.resize(tuple(round(scale * side) for side in image.size),
                        Image.LANCZOS)


def time_conversions(rounds):
    """Luminance of a photo, and its colours joined to it again.

    Parameters
    ----------
    rounds : int

    Returns
    -------
    OrderedDict of str to list of float
        Seconds of each round, of all cores together, for each kind.
    """
    rgb = np.asarray(_photo(CONVERTED))
    luv = skimage.color.rgb2luv(rgb).astype(np.float32)

    def tables():
        join_to_bytes(luminance_of_bytes(rgb), luv[..., 1], luv[..., 2])

    def formulas():
        skimage.color.rgb2luv(rgb.astype(np.float32) / 255)
        as_uint8(skimage.color.luv2rgb(luv))
    return _by_turns([('tables (colornet)', tables),
                      ("formulas (scikit-image's float32)", formulas)],
                     rounds)


def time_hints(rounds):
    """Hints: the first three of a photo, one more, three other colours.

    Parameters, Returns
    -------------------
    As of :func:`time_conversions`.
    """
    luminance = luminance_of_bytes(np.asarray(_photo(HINTED)))
    rows, columns = luminance.shape
    chroma = np.zeros((rows, columns, 2), np.float32)
    hints = [Hint(columns * part // 8, rows * part // 8, color)
             for part, color in ((1, (224, 85, 44)), (4, (160, 26, 44)),
                                 (6, (44, 44, 108)), (7, (224, 176, 144)))]
    found = OrderedDict()
    for _ in range(rounds):
        spreader = HintSpreader(luminance)
        others = [dataclasses.replace(hint, color=hints[3].color)
                  for hint in hints[:3]]
        for name, given in (('the first three of a photo', hints[:3]),
                            ('one more', hints),
                            ('other colours of three', others)):
            started = time.process_time()
            spreader.spread(chroma, given)
            found.setdefault(name, []).append(time.process_time() - started)
    return found


def time_refinement(rounds):
    """A photo's colours, decoded and made even, then joined to it.

    Parameters, Returns
    -------------------
    As of :func:`time_conversions`; each step with decoding.
    """
    outputs, config, _ = load_outputs(find_resource(DEFAULT_NETWORK),
                                      engine='onnx')
    own = Refinement.of(config)
    limits = get_color_space(config.network['color_space']).limits
    colorizer = Colorizer(None, config.data['size'],
                          proportions=config.data['proportions'],
                          refinement=own)
    pixels = np.asarray(_photo(EVENED))
    light = colorizer.reduce(pixels)
    scores = [channel[0] for channel in outputs(light[np.newaxis])]

    def refine(steps):
        return own.replaced(steps)(scores, light, limits, config.decoding)
    chroma = refine(own.text)
    works = [('decoding, ' + steps, functools.partial(refine, steps))
             for steps in ('none',) + STEPS if steps != 'guided']
    works += [('joining, ' + steps, functools.partial(
        colorizer.refined(steps).join, pixels, chroma, np.uint8))
        for steps in ('none', 'guided')]
    return _by_turns(works, rounds)


def time_page(rounds):
    """What the page asks for, of a photo that it has not seen before.

    Parameters, Returns
    -------------------
    As of :func:`time_conversions`, but seconds of a clock.
    """
    from colornet.web.app import make_app
    from colornet.web.model import load_model
    client = make_app(load_model(engine='onnx')).test_client()
    found = OrderedDict()

    def ask(name, method, path, **options):
        started = time.perf_counter()
        answer = method(path, **options)
        if answer.status_code >= 300:
            raise RuntimeError(answer.data[:200])
        if name:
            found.setdefault(name, []).append(time.perf_counter() - started)
        return answer
    for number in range(rounds + 1):
        stream = io.BytesIO()
        # The first one waits for what comes with it.
        name = 'until the network has seen it' if number else ''
        image = _photo(SENT)
        image.rotate(number).convert('L').save(stream, 'JPEG', quality=92)
        content = stream.getvalue()
        key = ask(name, client.post, '/api/photos', data={
            'file': (io.BytesIO(content), 'photo.jpg')}).json['key']
        after = '/api/photos/%s/after?' % key
        hints = 'hints=200,100=%23e0552c'
        more = hints + '&hints=500,400=%232c2c6c'
        for name, query in (('a slider', 'saturation=1.5'),
                            ('the first hint', hints),
                            ('another hint', more)):
            ask(number and name, client.get, after + query)
        ask(number and 'the download', client.post, '/api/colorize', data={
            'file': (io.BytesIO(content), 'photo.jpg')})
    return found


def _by_turns(works, rounds):
    """Seconds of each of some functions, after one round for nothing."""
    found = OrderedDict((name, []) for name, _ in works)
    for number in range(rounds + 1):
        for name, work in works:
            started = time.process_time()
            work()
            if number:
                found[name].append(time.process_time() - started)
    return found


#: Name -> what times it.
PARTS = OrderedDict([('conversions', time_conversions), ('hints', time_hints),
                     ('refinement', time_refinement), ('page', time_page)])


def _run(options):
    print(format_table(('part', 'of it', 'seconds'), [
        (name, kind, '%.4f' % np.median(seconds))
        for name in options.parts or PARTS
        for kind, seconds in PARTS[name](options.rounds).items()]))


def main(arguments=None):
    """Print a table."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.parts',
                                     description=__doc__.splitlines()[0])
    parser.add_argument('parts', nargs='*', metavar='PART',
                        help=', '.join(PARTS) + ' (default: all)')
    parser.add_argument('--rounds', type=int, default=9, metavar='N',
                        help='of which the medians are taken '
                             '(default: %(default)s)')
    options = parser.parse_args(arguments)
    for name in options.parts:
        if name not in PARTS:
            parser.error('there is no part %s; there are %s' % (
                name, ', '.join(PARTS)))
    return report_errors(_run, options, program='benchmark')


if __name__ == '__main__':
    sys.exit(main())
