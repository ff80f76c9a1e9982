"""Networks on everyday photos, as users see them; not in the paper.

The paper scores small square copies of photos. Here, each photo is coloured
at its own size, as ``colornet colorize`` does it, and compared in 8 bits.
"""

import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import __version__
from ..config import load_config
from ..data.splits import read_split
from ..engine.available import choose_engine
from ..errors import ColornetError
from ..files import check_output, digest_file, write_json, write_rows
from ..metrics import METRICS, in_units, picture_metrics, summarize
from ..network.stored import network_file
from ..photos.colorizer import Colorizer
from ..photos.finding import find_images
from ..resources import find_resource
from ..terminal import (Interrupted, catch_signals, note, printable,
                        progress_bar)
from .baselines import predict_grey
from .columns import Column, format_columns, metric_columns
from .sheets import fill_rows, save_sheet, shrink_picture
from .sources import ColourPhotos

__all__ = ['DEFAULT_DECODINGS', 'LISTS', 'find_list', 'find_photos',
           'score_everyday']

#: Name -> settings that classification networks are scored with, besides
#: their own.
DEFAULT_DECODINGS = OrderedDict((name, [
    'decoding.method=' + method, 'decoding.temperature=%g' % temperature,
    'decoding.saturation=1']) for name, method, temperature in (
        ('argmax', 'argmax', 1), ('mean', 'mean', 1),
        ('mean, temperature 0.5', 'mean', 0.5)))

#: Lists of photos that ship, ``experiments/splits/everyday_<name>.txt``.
LISTS = 'nature', 'objects', 'people'

#: Metrics in the file of means.
COLUMNS = tuple('''psnr psnr_grey psnr_gain nearer_than_grey
    colourfulness_ratio auc acc_u acc_v sat_diff abs_sat_diff ssim'''.split())

#: Those of each photo: what a set's are made of in place of those.
PHOTO_COLUMNS = tuple(name for name in COLUMNS
                      if METRICS[name].of == 'image') + (
    'colourfulness_predicted', 'colourfulness_actual')

#: The table to print.
_TABLE = metric_columns(
    [name for name in COLUMNS if name != 'psnr_grey'],
    nearer_than_grey=Column(heading='nearer, %', form='%9.1f'),
    colourfulness_ratio=Column(heading='colour ratio', form='%12.2f'),
    acc_u=Column(heading='Acc U, %', form='%8.2f'),
    acc_v=Column(heading='Acc V, %', form='%8.2f'))

#: Photos on a sheet, unless told which; pictures side by side; pixels of each.
NUM_SHOWN, NUM_COLUMNS, SHOWN_WIDTH = 60, 9, 200


@dataclass(frozen=True)
class _Row:
    """A decoding of a network.

    Attributes
    ----------
    network, decoding : str
    is_default : bool
        Whether it is the network's own.
    colorizer : Colorizer
    """

    network: str
    decoding: str
    is_default: bool
    colorizer: Colorizer


class _Kept:
    """Scores of a call that was interrupted, for one that goes on.

    Parameters
    ----------
    path : Path
    *what : object
        What scores depend on besides the photos, for JSON.
    """

    def __init__(self, path, *what):
        self.path = path
        self.key = hashlib.sha256(json.dumps(what).encode(
            'utf-8')).hexdigest()
        self.photos = {}
        try:
            stored = json.loads(path.read_text(encoding='utf-8'))
            if stored['key'] == self.key:
                self.photos = stored['photos']
        except (OSError, ValueError, TypeError, KeyError):
            pass  # There are none, or they are not ours.

    def find(self, path):
        """The metrics of a photo by each row, or None."""
        return self.photos.get(self._name(path)) if path.exists() else None

    def add(self, path, metrics):
        self.photos[self._name(path)] = metrics

    @staticmethod
    def _name(path):
        status = path.stat()
        return '%s %d %d' % (path, status.st_size, status.st_mtime_ns)

    def write(self):
        write_json(self.path, {'key': self.key, 'photos': self.photos})

    def remove(self):
        if self.path.exists():
            self.path.unlink()


def score_everyday(data_folder, out_file, networks=(), decodings=(),
                   list_file=None, sheet_file=None, every=None,
                   vgg_weights=None, engine=None):
    """Score networks on photos as users see them.

    Parameters
    ----------
    data_folder : str or Path
        Photos, also in folders below it. Those without colours, too small or
        damaged are left out and named on the standard error stream.
    out_file : str or Path
        CSV file with the means. Beside it, ``<name>_photos.csv`` gets the
        scores of each photo. Shares are in percent.
    networks : sequence of str or Path
        Files or run folders; all that ship if none is given.
    decodings : sequence of str
        Such as ``method=mean temperature=0.5``, each ``key=value`` of
        ``[decoding]``, instead of :data:`DEFAULT_DECODINGS`. A network is
        scored with those that suit it and with its own.
    list_file : str or Path, optional
        Names the photos of the folder to be scored, one a line; or one of
        :data:`LISTS`.
    sheet_file : str or Path, optional
        Gets a contact sheet: grey | networks | original, of each network with
        its own decoding and, if `decodings` are given, with these.
    every : int, optional
        The sheet has every so many-th photo; if not given, 60 at most.
    vgg_weights : str or Path, optional
    engine : 'theano', 'onnx' or 'pytorch', optional
        As for :func:`colornet.api.load_colorizer`.

    Returns
    -------
    str
        The table to print.

    Raises
    ------
    ColornetError
        If there are no photos, or a network, a decoding or a name of the list
        is wrong.
    Interrupted
        On SIGINT or SIGTERM; ``<name>_partial.json`` beside `out_file` has
        the scores so far, with which the same call goes on.
    """
    out_file = Path(out_file)
    photos_file = out_file.with_name(out_file.stem + '_photos.csv')
    check_output(photos_file)
    paths = find_photos(data_folder, list_file)
    networks = networks or sorted(find_resource('weights').glob('*.h5'))
    network_names = _name_networks(networks)
    networks = list(map(network_file, networks))
    known = _parse_decodings(decodings)
    rows = [row for network, name in zip(networks, network_names)
            for row in _load_rows(network, name, known, vgg_weights, engine)]
    grey = _Row(network='grey', decoding='', is_default=False,
                colorizer=Colorizer(predict_grey))
    shown = [row for row in rows if row.is_default or decodings]
    every = every or -(-len(paths) // NUM_SHOWN)
    kept = _Kept(out_file.with_name(out_file.stem + '_partial.json'),
                 __version__, known, _digest(vgg_weights),
                 [(choose_engine(engine, network), _digest(network))
                  for network in networks])
    scores = OrderedDict((row, []) for row in [grey] + rows)
    names, sheet, photos = [], [], ColourPhotos(paths, data_folder)
    with catch_signals() as check_signals:
        for path in progress_bar(paths, unit='photo', desc='everyday'):
            _go_on(check_signals, kept, len(paths))
            is_shown = sheet_file is not None and len(names) % every == 0
            metrics = None if is_shown else kept.find(path)
            if metrics is None:
                pixels = photos.read(path)
                if pixels is None:
                    continue
                metrics, pictures = _score(scores, pixels)
                kept.add(path, metrics)
            name = path.relative_to(data_folder).as_posix()
            if is_shown:
                pictures = [pictures[grey]] + [
                    pictures[row] for row in shown] + [pixels]
                sheet.append((name, [
                    shrink_picture(picture, SHOWN_WIDTH)
                    for picture in pictures]))
            for row, values in zip(scores, metrics):
                scores[row].append(values)
            names.append(name)
    photos.check_some()
    if sheet_file is not None:
        _save_sheet(sheet_file, sheet, shown)
    means = OrderedDict((row, _in_units(summarize(metrics)))
                        for row, metrics in scores.items())
    _write_files(out_file, photos_file, names, scores, means)
    kept.remove()
    title = 'network, decoding (* its own)'
    width = max([len(title)] + [len(_label(row)) for row in means])
    lines = ['%d photos of %s, %.2f dB without colours; "nearer": nearer to '
             'the original than that' % (len(names), list_file or data_folder,
                                         means[grey]['psnr'])]
    lines += format_columns(title.ljust(width), OrderedDict(
        (_label(row), mean) for row, mean in means.items()), _TABLE)
    return '\n'.join(map(printable, lines))


def find_list(name):
    """The file of a list of photos, such as those of nature (paper, 5.3).

    Parameters
    ----------
    name : str or Path
        One of :data:`LISTS`, or a file, where it is the file itself.

    Returns
    -------
    str or Path
    """
    return find_resource('experiments/splits/everyday_%s.txt' % name) \
        if name in LISTS else name


def find_photos(folder, list_file):
    """Paths of the photos to be scored.

    Parameters
    ----------
    folder : str or Path
    list_file : str or Path, or None
        As for :func:`score_everyday`.

    Returns
    -------
    list of Path

    Raises
    ------
    ColornetError
        If there are none, or one of the list is missing.
    """
    folder = Path(folder)
    if list_file is None:
        paths = find_images(folder)
        if not paths:
            raise ColornetError('there are no photos in %s' % folder)
        return paths
    paths = [folder / name for name in read_split(find_list(list_file))]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise ColornetError('%s is missing; %s names it'
                            % (missing[0], list_file))
    return paths


def _name_networks(networks):
    """Names for tables: as short as they can be told apart."""
    stems = [Path(network).stem for network in networks]
    return [stem if stems.count(stem) == 1 else str(network)
            for stem, network in zip(stems, networks)]


def _parse_decodings(texts):
    """Name -> settings, as of :data:`DEFAULT_DECODINGS`, checked."""
    known = OrderedDict()
    for text in texts:
        settings = [word if word.startswith('decoding.') else
                    'decoding.' + word for word in text.split()]
        config = load_config()
        for word, setting in zip(text.split(), settings):
            if '=' not in word:
                raise ColornetError('--decoding takes "KEY=VALUE ...", such '
                                    'as "method=mean", not %r' % text)
            config.override(setting, '--decoding')
        name = ' '.join(word.partition('.')[2] for word in settings)
        if not name or name in known:
            raise ColornetError('--decoding %r: give each one, once' % text)
        known[name] = settings
    return known or DEFAULT_DECODINGS


def _load_rows(network, name, known, vgg_weights, engine):
    """Rows of a network: the decodings that suit it and its own."""
    from ..api import load_colorizers
    from ..prediction.engines import load_configuration
    own, _ = load_configuration(network)
    chosen = OrderedDict()
    for label, settings in known.items():
        decoding = _decode_as(own, settings)
        if decoding is not None:
            chosen[label] = settings, decoding == own.decoding
    if not any(is_own for _, is_own in chosen.values()):
        chosen['default'] = [], True
    colorizers = load_colorizers(network, vgg_weights, [
        settings for settings, _ in chosen.values()], engine)
    for colorizer in colorizers:
        # Of photos that are no prints: networks are compared, not this.
        colorizer.borders, colorizer.tones = 'colour', 'keep'
    return [_Row(network=name, decoding=label, is_default=is_own,
                 colorizer=colorizer)
            for (label, (_, is_own)), colorizer in zip(chosen.items(),
                                                       colorizers)]


def _decode_as(own, settings):
    """A network's decoding with other settings; None if they do not suit."""
    is_regression = own.network['kind'] == 'regression'
    if is_regression and any(not setting.startswith('decoding.saturation=')
                             for setting in settings):
        return None  # It has no class scores.
    config = type(own).from_json(own.to_json())
    try:
        config.override_decoding(settings)
    except ColornetError:
        return None
    return config.decoding


def _colour(colorizer, pixels):
    """A photo in 8 bits, as ``colornet colorize`` writes it."""
    chroma, = colorizer.predict([pixels])
    return colorizer.join(pixels, chroma, np.uint8)


def _score(rows, pixels):
    """Metrics of a photo by each row, the first without colours; pictures."""
    pictures = OrderedDict((row, _colour(row.colorizer, pixels))
                           for row in rows)
    without = next(iter(pictures.values()))
    return [picture_metrics(picture, pixels, without)
            for picture in pictures.values()], pictures


def _go_on(check_signals, kept, num_photos):
    """Keep the scores if a signal came."""
    try:
        check_signals()
    except Interrupted:
        kept.write()
        note('note: scores of %d of %d photos are kept in %s; the same '
             'command goes on' % (len(kept.photos), num_photos, kept.path))
        raise


def _digest(path):
    """Of a file's content; '' of none."""
    return path and digest_file(path)


def _save_sheet(path, sheet, shown):
    """Save (name, pictures) pairs, as many to a row as there is room for."""
    networks = [row.network for row in shown]
    if len(shown) == 1:
        titles = ['network']
    elif len(set(networks)) == len(networks):
        titles = networks
    else:
        titles = ['%s, %s' % (row.network, row.decoding) for row in shown]
    titles = ['grey'] + titles + ['original']
    per_row = max(1, NUM_COLUMNS // len(titles))
    rows, names = fill_rows([pictures for _, pictures in sheet],
                            [name for name, _ in sheet], per_row)
    save_sheet(path, rows, titles * per_row, names=names,
               width=SHOWN_WIDTH * len(titles) * per_row)


def _in_units(metrics):
    return OrderedDict((name, in_units(name, value))
                       for name, value in metrics.items())


def _label(row):
    return row.network + (', ' + row.decoding if row.decoding else '') + (
        ' *' if row.is_default else '')


def _write_files(out_file, photos_file, names, scores, means):
    """Write the means, and the scores of each photo."""
    def head(row):
        return {'network': row.network, 'decoding': row.decoding,
                'own': 'yes' if row.is_default else ''}
    write_rows(out_file, ('network', 'decoding', 'own', 'photos') + COLUMNS, [
        dict(mean, photos=len(names), **head(row))
        for row, mean in means.items()])
    write_rows(photos_file, ('network', 'decoding', 'photo') + PHOTO_COLUMNS, [
        dict(_in_units(metrics), photo=name, **head(row))
        for row, values in scores.items()
        for name, metrics in zip(names, values)])
