"""Figures 1 and 4 to 8 (paper, 4, 5.3), with our photos and networks.

The paper does not say how it came by the photos that it shows. Here each
figure has a rule that leaves nothing to taste (:data:`FIGURES`).
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Optional

import numpy as np

from ..color import luminance
from ..data.datasets import FOLDER, get_dataset
from ..data.splits import SPLIT_SEED, SUBSETS, load_split
from ..errors import ColornetError
from ..further_metrics import colour_inconsistency
from ..metrics import image_metrics, saturation_difference
from ..photos.reading import read_photo
from ..resources import EVERYDAY, find_resource
from ..terminal import printable
from .outputs import predict_outputs
from .sheets import fill_rows, grey_picture, save_sheet
from .sources import check_dataset, find_network

__all__ = ['DEMO_PHOTO', 'FIGURES', 'Figure', 'draw', 'largest', 'make_figure',
           'middle', 'smallest']

#: In Figure 1: open countryside, all that its network was trained on.
DEMO_PHOTO = 'picosdeeuropa.jpg'


@dataclass(frozen=True)
class Figure:
    """How a figure chooses its photos and lays them out.

    Attributes
    ----------
    number : int
    title : str
        What the paper shows there.
    rule : str
        How the photos are chosen, in words.
    dataset : str
        As :data:`colornet.data.datasets.DATASETS`; ``demo`` for those that
        ship.
    titles : tuple of str
        Of the columns of one photo.
    num_photos, per_row : int
    networks : tuple of str
        Kinds, one for each column of outputs. The last one's are scored.
    score : callable, optional
        Takes an :class:`colornet.evaluation.outputs.Output`, returns a number.
    choose : callable, optional
        Takes the scores, or the number of photos where there is no `score`,
        and `num_photos`; returns indices.
    score_format : str
        For the score below a photo.
    """

    number: int
    title: str
    rule: str
    dataset: str
    titles: tuple
    num_photos: int
    per_row: int
    networks: tuple = ()
    score: Optional[Callable] = None
    choose: Optional[Callable] = None
    score_format: str = ''


def draw(num_items, count, seed=SPLIT_SEED):
    """Draw items by a seed.

    Parameters
    ----------
    num_items, count : int
    seed : int
        In [0, 2 ** 32), for ``numpy.random.RandomState``.

    Returns
    -------
    ndarray of int, (at most count,)
        Different numbers below `num_items`.
    """
    return np.random.RandomState(seed).permutation(num_items)[:count]


def middle(scores, count):
    """The items in the middle of the order of scores, the lowest first.

    Parameters
    ----------
    scores : sequence of float
    count : int

    Returns
    -------
    ndarray of int, (at most count,)
        Around the median; where as many cannot lie on both sides, there is
        one more above.
    """
    start = max(0, (len(scores) - count) // 2)
    return np.argsort(scores, kind='stable')[start:start + count]


def largest(scores, count):
    """The items of the largest scores, the largest first.

    Parameters and result are as for :func:`middle`.
    """
    return smallest(np.negative(scores), count)


def smallest(scores, count):
    """The items of the smallest scores, the smallest first.

    Parameters and result are as for :func:`middle`.
    """
    return np.argsort(scores, kind='stable')[:count]


def _accuracy(output):
    """Mean of Acc. U and Acc. V (5.1), percent."""
    metrics = image_metrics(output.chroma, output.actual, output.color_space)
    return 50 * (metrics['acc_u'] + metrics['acc_v'])


def _saturation_difference(output):
    """In percent (5.1)."""
    return 100 * saturation_difference(output.picture, output.actual)


def _inconsistency(output):
    return colour_inconsistency(output.picture, output.actual)


@dataclass(frozen=True)
class _Sheet:
    """What a figure shows.

    Attributes
    ----------
    titles : tuple of str
        Of the columns of one photo.
    groups : list of tuple of ndarray
        The pictures of each photo.
    names : list of str
        Below each photo.
    sources : list of str
        Where the pictures come from.
    """

    titles: tuple
    groups: list
    names: list
    sources: list


#: The figures of the paper that show photos, by number.
FIGURES = OrderedDict((figure.number, figure) for figure in [
    Figure(number=1, title='Input and output',
           rule='the demo photo ' + DEMO_PHOTO, dataset='demo',
           networks=('classification',),
           titles=('input image', 'output image'), num_photos=1, per_row=1),
    Figure(number=4, title='Photos of Open Country',
           rule='drawn by seed %d from all photos' % SPLIT_SEED,
           dataset='cvcl', titles=('',), num_photos=8, per_row=4, choose=draw),
    Figure(number=5, title='Outputs of both networks',
           rule='the test photos of median accuracy of the classification '
                'network', dataset='cvcl',
           networks=('regression', 'classification'),
           titles=('input', 'regression network output',
                   'classification network output'), num_photos=2, per_row=1,
           score=_accuracy, choose=middle, score_format='accuracy %.1f %%'),
    Figure(number=6, title='Outputs on ImageNet',
           rule='drawn by seed %d from the test photos' % SPLIT_SEED,
           dataset='ilsvrc', networks=('classification',),
           titles=('input', 'output'), num_photos=8, per_row=2, choose=draw),
    Figure(number=7, title='Inconsistent colours',
           rule='the test photos of the largest colour inconsistency',
           dataset='cvcl', networks=('classification',),
           titles=('input', 'output'), num_photos=2, per_row=1,
           score=_inconsistency, choose=largest,
           score_format='inconsistency %.0f'),
    Figure(number=8, title='Too little colour',
           rule='the test photos of the most negative saturation difference',
           dataset='cvcl', networks=('classification',),
           titles=('input', 'output'), num_photos=2, per_row=1,
           score=_saturation_difference, choose=smallest,
           score_format='saturation difference %+.0f %%')])


def make_figure(number, out_file, data_folder=None, runs_folder='runs',
                photos=(), vgg_weights=None, dataset=None, engine=None):
    """Make a figure of the paper with our networks' colours.

    Parameters
    ----------
    number : int
        A key of :data:`FIGURES`.
    out_file : str or Path
        PNG file.
    data_folder : str or Path, optional
        Photos: for Figure 1 ``demo/photos``, for the others ``data/cvcl`` or
        ``data/ilsvrc`` if not given.
    runs_folder : str or Path
        Networks trained here are in ``cvcl_classification/best.h5`` and so
        on; those of CVCL ship with the project, too. Where Figure 6 has none,
        it takes the one for everyday photos, and says so.
    photos : sequence of str
        File names, instead of what the figure's rule chooses. They must be
        among the photos that it chooses from.
    vgg_weights : str or Path, optional
    dataset : 'folder', optional
        Figures 5, 7 and 8 choose from all photos in `data_folder` instead of
        CVCL's test photos. They are shown, and scored, at their own
        proportions.
    engine : 'theano', 'onnx' or 'pytorch', optional
        As for :func:`colornet.api.load_colorizer`.

    Returns
    -------
    str
        Which photos are shown, by which rule, and the networks' files.

    Raises
    ------
    ColornetError
        If photos or a network are missing, the network was trained on
        another data set, or `dataset` is not for this figure.
    """
    figure = FIGURES[number]
    if dataset and not (dataset == FOLDER and figure.score and data_folder):
        *others, last = [str(number) for number, figure in FIGURES.items()
                         if figure.score]
        raise ColornetError('figure %d: --dataset is for figures %s and %s, '
                            'can be %r only, and needs --data' % (
                                number, ', '.join(others), last, FOLDER))
    folder = data_folder or (find_resource('demo/photos') if number == 1 else
                             'data/' + figure.dataset)
    if number == 1:
        sheet = _colour_photos(figure, Path(folder), photos, find_network(
            'cvcl_classification', runs_folder), vgg_weights, engine)
    elif figure.networks:
        sheet = _test_outputs(figure, folder, photos, runs_folder, vgg_weights,
                              dataset or figure.dataset, engine)
    else:
        sheet = _sample_photos(figure, folder, photos)
    rows, row_names = fill_rows(sheet.groups, sheet.names, figure.per_row)
    titles = sheet.titles * figure.per_row
    save_sheet(out_file, rows, titles, names=row_names,
               width=640 if len(titles) == 2 else 960)
    rule = 'named on the command line' if photos else figure.rule
    if dataset and not photos:
        rule = rule.replace('the test photos', 'the photos in %s' %
                            data_folder)
    return '\n'.join(map(printable, ['figure %d: %s' % (number, rule)] +
                         sheet.names + sheet.sources))


def _colour_photos(figure, folder, photos, network, vgg_weights, engine):
    """Photos of any size, each with its output (Figure 1)."""
    names = list(photos) or [DEMO_PHOTO]
    pixels = [read_photo(folder / name).pixels for name in names]
    from ..api import load_colorizers

    # That is without refinement, as the paper is.
    colorizer, = load_colorizers(network, vgg_weights, engine=engine)
    space = colorizer.color_space
    groups = [(grey_picture(luminance(photo, space), space),
               colorizer.colorize(photo)) for photo in pixels]
    return _Sheet(titles=figure.titles, groups=groups, names=names,
                  sources=['classification: %s' % network])


def _sample_photos(figure, folder, photos):
    """Photos of a data set as they are (Figure 4)."""
    splits = find_resource('experiments/splits')
    paths = [path for subset in SUBSETS for path in
             load_split(figure.dataset, folder, subset, splits)]
    names = [Path(path).name for path in paths]
    chosen = _indices(names, photos, figure) if photos else figure.choose(
        len(names), figure.num_photos)
    return _Sheet(titles=figure.titles,
                  groups=[(read_photo(paths[index]).pixels,)
                          for index in chosen],
                  names=[names[index] for index in chosen], sources=[])


def _test_outputs(figure, folder, photos, runs_folder, vgg_weights, dataset,
                  engine):
    """Photos of a data set, with the networks' outputs (Figures 5 to 8)."""
    stand_in = _find_stand_in(figure, runs_folder)
    networks = [stand_in] if stand_in else [
        _find_network(figure, kind, runs_folder) for kind in figure.networks]
    figure = replace(figure, dataset=dataset)

    def select(names):
        if photos:
            return _indices(names, photos, figure)
        if figure.score is None:
            return figure.choose(len(names), figure.num_photos)
        return range(len(names))

    outputs, source = predict_outputs(networks[-1], figure.dataset, folder,
                                      select, vgg_weights, engine)
    scores = [figure.score(output) if figure.score else None
              for output in outputs]
    if figure.score and not photos:
        chosen = figure.choose(scores, figure.num_photos)
        outputs = [outputs[index] for index in chosen]
        scores = [scores[index] for index in chosen]
    names = [output.name for output in outputs]
    columns, sources = [[output.picture for output in outputs]], [source]
    for network in networks[-2::-1]:
        others, source = predict_outputs(
            network, figure.dataset, folder,
            lambda known: _indices(known, names, figure), vgg_weights,
            engine)
        columns.insert(0, [output.picture for output in others])
        sources.insert(0, source)
    groups = list(zip([output.grey for output in outputs], *columns))
    if figure.score:
        names = ['%s: %s' % (name, figure.score_format % score)
                 for name, score in zip(names, scores)]
    titles = figure.titles
    if stand_in:
        titles = titles[:-1] + (titles[-1] + ', %s network' % EVERYDAY,)
        sources.append('it stands in for a network trained on the ten classes '
                       'alone, which "make train-ilsvrc" makes; ImageNet\'s '
                       'photos may be among those that it was trained on')
    return _Sheet(titles=titles, groups=groups, names=names, sources=sources)


def _find_stand_in(figure, runs_folder):
    """The network for all photos, where the figure's own takes days.

    None if the figure needs no other, its own is there, or there is none.
    """
    if figure.dataset != 'ilsvrc' or _own_run(
            figure, figure.networks[-1], runs_folder).exists():
        return None
    try:
        return find_network(EVERYDAY, runs_folder)
    except ColornetError:
        return None


def _own_run(figure, kind, runs_folder):
    return Path(runs_folder) / ('%s_%s' % (figure.dataset, kind)) / 'best.h5'


def _find_network(figure, kind, runs_folder):
    """The file of a network that was trained on the figure's data set."""
    name = '%s_%s' % (figure.dataset, kind)
    try:
        network = find_network(name, runs_folder)
    except ColornetError:
        run = _own_run(figure, kind, runs_folder).parent
        raise ColornetError(
            'figure %d needs %s, which is missing and does not ship with the '
            'project: run "colornet train experiments/%s.ini --data FOLDER '
            '--out %s", where FOLDER holds %s (source: %s)' % (
                figure.number, run / 'best.h5', name, run,
                get_dataset(figure.dataset).layout,
                get_dataset(figure.dataset).source))
    check_dataset(network, figure.dataset, 'figure %d' % figure.number)
    return network


def _indices(names, wanted, figure):
    """Where the photos called `wanted` are."""
    for name in wanted:
        if name not in names:
            raise ColornetError(
                'figure %d: %s is not among the %d photos of %s that it '
                'chooses from (%s, ...)' % (figure.number, name, len(names),
                                            figure.dataset,
                                            ', '.join(names[:3])))
    return [names.index(name) for name in wanted]
