"""What hints bring, drawn from the originals; not in the paper."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt, find_objects
from skimage.segmentation import felzenszwalb

from ..color import as_float_rgb, as_uint8, luminance
from ..errors import ColornetError
from ..files import check_output, write_rows
from ..further_metrics import SEGMENTATION, peak_signal_to_noise
from ..photos.hints import Hint, HintSpreader
from ..photos.pixels import resize
from ..terminal import progress_bar
from .columns import Column, format_columns
from .everyday import NUM_SHOWN, SHOWN_WIDTH, find_photos
from .plots import import_pyplot, save_figure
from .sheets import fill_rows, grey_picture, save_sheet, shrink_picture
from .sources import ColourPhotos

__all__ = ['COUNTS', 'draw_hints', 'score_hints']

#: Numbers of hints.
COUNTS = 0, 1, 3, 10, 30

#: Those that a sheet shows, and how many photos are side by side on it.
_SHOWN, _PER_ROW = (0, 3, 10), 2

#: Pixels of the smallest segment that gets a hint: half of the photos have
#: some forty.
_MIN_SEGMENT = 100

#: Pixels around the middle of a segment whose mean is the hint's colour.
_REACH = 2

#: What the columns of the file are to people.
_TABLE = OrderedDict([
    ('given', Column('given', '%5.1f')), ('psnr', Column('PSNR, dB', '%8.2f')),
    ('gain', Column('gain, dB', '%+8.2f')),
    ('better', Column('better, %', '%9.1f'))])


def score_hints(data_folder, out_file, network=None, list_file=None,
                sheet_file=None, every=None, vgg_weights=None, engine=None):
    """Score a network with hints drawn from the originals.

    Parameters
    ----------
    data_folder : str or Path
        Photos, as for :func:`colornet.evaluation.everyday.score_everyday`.
    out_file : str or Path
        CSV file: for each of :data:`COUNTS`, with the network's colours to
        start from and without (``grey``), how many hints there were segments
        for (``given``), and means over photos of PSNR and of what the hints
        gain, in dB, and the share of photos that they make better, in
        percent. ``<name>.png`` beside it has the curves.
    network : str or Path, optional
        The default network if not given.
    list_file : str or Path, optional
        As for :func:`colornet.evaluation.everyday.score_everyday`.
    sheet_file : str or Path, optional
        Gets a contact sheet: grey, with the ten hints | network | with 3 |
        with 10 | original.
    every : int, optional
        The sheet has every so many-th photo; if not given, 60 at most.
    vgg_weights : str or Path, optional
    engine : 'theano' or 'onnx', optional
        As for :func:`colornet.api.load_colorizer`.

    Returns
    -------
    str
        The table to print.

    Raises
    ------
    ColornetError
        If there are no photos, or the network is not one of CIELUV.
    """
    from ..api import load_colorizer
    out_file = Path(out_file)
    plot_file = out_file.with_suffix('.png')
    check_output(plot_file)
    paths = find_photos(data_folder, list_file)
    colorizer = load_colorizer(network, vgg_weights, engine=engine)
    if colorizer.color_space != 'luv':
        raise ColornetError('hints are for networks of CIELUV, not %s'
                            % colorizer.color_space)
    every = every or -(-len(paths) // NUM_SHOWN)
    scores = OrderedDict(((start, count), []) for start in ('network', 'grey')
                         for count in COUNTS)
    names, sheet, photos = [], [], ColourPhotos(paths, data_folder)
    for path in progress_bar(paths, unit='photo', desc='hints'):
        pixels = photos.read(path)
        if pixels is None:
            continue
        pictures = _score_photo(colorizer, pixels, scores)
        name = path.relative_to(data_folder).as_posix()
        if sheet_file is not None and len(names) % every == 0:
            sheet.append((name, [shrink_picture(picture, SHOWN_WIDTH)
                                 for picture in pictures]))
        names.append(name)
    photos.check_some()
    rows = _summarize(scores)
    write_rows(out_file, ['start', 'hints', 'photos'] + list(_TABLE), (
        dict(row, start=start, hints=count, photos=len(names))
        for (start, count), row in rows.items()))
    _plot(plot_file, rows)
    if sheet_file is not None:
        _save_sheet(sheet_file, sheet)
    return '\n'.join(
        ['%d photos of %s; "better": than without hints'
         % (len(names), list_file or data_folder)] +
        format_columns('start, hints', OrderedDict(
            ('%s, %d' % key, row) for key, row in rows.items()), _TABLE))


def draw_hints(pixels, count):
    """Hints as a user would give them who knows the photo's colours.

    Parameters
    ----------
    pixels : ndarray of uint8, (rows, columns, 3)
        Some 224 x 224: what a segment is depends on it.
    count : int

    Returns
    -------
    list of Hint
        One in the middle of each of the largest segments, the largest first:
        at its point that is farthest from its border, with the mean colour
        around. Fewer, if there are fewer segments.
    """
    segments = felzenszwalb(as_float_rgb(pixels), **dict(
        SEGMENTATION, min_size=_MIN_SEGMENT)) + 1
    boxes = find_objects(segments)
    sizes = np.bincount(segments.ravel())[1:]
    hints = []
    for label in np.argsort(-sizes, kind='stable')[:count]:
        box = boxes[label]
        # Beyond the photo is outside of a segment, too.
        depths = distance_transform_edt(np.pad(segments[box] == label + 1, 1))
        place = np.unravel_index(depths.argmax(), depths.shape)
        y, x = [inside - 1 + side.start for inside, side in zip(place, box)]
        around = pixels[max(0, y - _REACH):y + _REACH + 1,
                        max(0, x - _REACH):x + _REACH + 1]
        color = around.reshape(-1, 3).mean(axis=0).round()
        hints.append(Hint(int(x), int(y), tuple(map(int, color))))
    return hints


def _score_photo(colorizer, pixels, scores):
    """Score a photo with and without a network; pictures for the sheet."""
    seen = colorizer.reduce(pixels)
    network, = colorizer.predict_reduced([seen])
    small = as_uint8(resize(pixels[colorizer.find_picture(pixels)],
                            seen.shape))
    hints = draw_hints(small, max(COUNTS))
    shown = [_mark(small, hints[:_SHOWN[-1]])]
    spreader = HintSpreader(seen)
    for count in COUNTS:
        given = hints[:count]
        for start, chroma in (('network', network),
                              ('grey', np.zeros_like(network))):
            picture = colorizer.join(pixels, spreader.spread(chroma, given),
                                     np.uint8)
            psnr = peak_signal_to_noise(picture, pixels)
            without = scores[start, 0][-1]['psnr'] if count else psnr
            scores[start, count].append({
                'given': len(given), 'psnr': psnr, 'gain': psnr - without,
                'better': 100. * (psnr > without)})
            if start == 'network' and count in _SHOWN:
                shown.append(picture)
    return shown + [pixels]


def _mark(pixels, hints):
    """A photo without colours, and a dot for each hint."""
    picture = Image.fromarray(as_uint8(grey_picture(luminance(pixels))))
    draw = ImageDraw.Draw(picture)
    for hint in hints:
        for radius, ink in ((6, 'white'), (5, 'black'), (4, hint.color)):
            draw.ellipse((hint.x - radius, hint.y - radius, hint.x + radius,
                          hint.y + radius), fill=ink)
    return np.asarray(picture)


def _summarize(scores):
    return OrderedDict((key, {name: float(np.mean([row[name] for row in rows]))
                              for name in _TABLE})
                       for key, rows in scores.items())


def _plot(path, rows):
    """Draw PSNR over the number of hints."""
    pyplot = import_pyplot()
    figure, axis = pyplot.subplots(figsize=(5, 4))
    for start, label in (('network', 'network'), ('grey', 'without network')):
        axis.plot(COUNTS, [rows[start, count]['psnr'] for count in COUNTS],
                  marker='.', label=label)
    axis.set_xlabel('hints')
    axis.set_title('PSNR, dB')
    axis.grid(alpha=0.3)
    axis.legend(fontsize='small')
    figure.tight_layout()
    save_figure(figure, path)
    pyplot.close(figure)


def _save_sheet(path, sheet):
    titles = ['grey', 'network'] + ['%d hints' % count for count in _SHOWN[1:]]
    titles = (titles + ['original']) * _PER_ROW
    rows, names = fill_rows([pictures for _, pictures in sheet],
                            [name for name, _ in sheet], _PER_ROW)
    save_sheet(path, rows, titles, names=names,
               width=SHOWN_WIDTH * len(titles))
