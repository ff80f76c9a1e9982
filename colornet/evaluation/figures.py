"""Figures 1 and 4 to 8 of the paper, with our photos and networks.

The paper does not say how it came by the photos that it shows. Here each
figure has a rule that leaves nothing to taste (:data:`FIGURES`).
"""

import os
from collections import OrderedDict, namedtuple
from pathlib import Path

import numpy as np

from ..color import join_channels, luminance, split_channels
from ..data.datasets import get_dataset
from ..data.splits import SPLIT_SEED, SUBSETS, load_split
from ..data.subsets import load_subset
from ..errors import ColornetError
from ..metrics import (colour_inconsistency, image_metrics,
                       saturation_difference)
from ..photos.reading import read_photo
from ..resources import find_resource
from ..terminal import progress_bar
from .evaluate import check_dataset, find_network, grey_picture
from .predictions import predict_images
from .sheets import fill_rows, save_sheet

__all__ = ['DEMO_PHOTO', 'FIGURES', 'Figure', 'draw', 'largest', 'make_figure',
           'middle', 'smallest']

#: Colours Figure 6 until there is a network that was trained on its photos.
STAND_IN = 'everyday'

#: In Figure 1: open countryside, all that its network was trained on.
DEMO_PHOTO = 'picosdeeuropa.jpg'


class Figure(namedtuple('Figure', 'title dataset networks titles num_photos '
                        'per_row score choose rule score_format')):
    """How a figure chooses its photos and lays them out.

    Attributes
    ----------
    title : str
        What the paper shows there.
    dataset : str
        As :data:`colornet.data.datasets.DATASETS`; ``demo`` for those that
        ship.
    networks : tuple of str
        Kinds, one for each column of outputs. The last one's are scored.
    titles : tuple of str
        Of the columns of one photo.
    num_photos, per_row : int
    score : callable or None
        Takes an :class:`_Output`, returns a number.
    choose : callable or None
        Takes the scores, or the number of photos where there is no `score`,
        and `num_photos`; returns indices.
    rule : str
        All this in words.
    score_format : str
        For the score below a photo.
    """

    __slots__ = ()


class _Output(namedtuple('_Output', 'name actual chroma color_space')):
    """A test photo, (size, size, 3), and its predicted chrominance."""

    @property
    def grey(self):
        return grey_picture(split_channels(self.actual, self.color_space)[0],
                            self.color_space)

    @property
    def picture(self):
        return join_channels(split_channels(self.actual, self.color_space)[0],
                             self.chroma, self.color_space)


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


#: The figures of the paper that show photos, by number.
FIGURES = OrderedDict([
    (1, Figure('Input and output', 'demo', ('classification',),
               ('input image', 'output image'), 1, 1, None, None,
               'the demo photo ' + DEMO_PHOTO, '')),
    (4, Figure('Photos of Open Country', 'cvcl', (), ('',), 8, 4, None, draw,
               'drawn by seed %d from all photos' % SPLIT_SEED, '')),
    (5, Figure('Outputs of both networks', 'cvcl',
               ('regression', 'classification'),
               ('input', 'regression network output',
                'classification network output'), 2, 1, _accuracy, middle,
               'the test photos of median accuracy of the classification '
               'network', 'accuracy %.1f %%')),
    (6, Figure('Outputs on ImageNet', 'ilsvrc', ('classification',),
               ('input', 'output'), 8, 2, None, draw,
               'drawn by seed %d from the test photos' % SPLIT_SEED, '')),
    (7, Figure('Inconsistent colours', 'cvcl', ('classification',),
               ('input', 'output'), 2, 1, _inconsistency, largest,
               'the test photos of the largest colour inconsistency',
               'inconsistency %.0f')),
    (8, Figure('Too little colour', 'cvcl', ('classification',),
               ('input', 'output'), 2, 1, _saturation_difference, smallest,
               'the test photos of the most negative saturation difference',
               'saturation difference %+.0f %%')),
])


def make_figure(number, out_file, data_folder=None, runs_folder='runs',
                photos=(), vgg_weights=None):
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

    Returns
    -------
    str
        Which photos are shown, by which rule, and the networks' files.

    Raises
    ------
    ColornetError
        If photos or a network are missing, or the network was trained on
        another data set.
    """
    figure = FIGURES[number]
    if number == 1:
        make = _colour_photos
    else:
        make = _test_outputs if figure.networks else _sample_photos
        data_folder = data_folder or 'data/' + figure.dataset
    titles, groups, names, sources = make(number, data_folder, runs_folder,
                                          photos, vgg_weights)
    rows, row_names = fill_rows(groups, names, figure.per_row)
    titles *= figure.per_row
    save_sheet(out_file, rows, titles, names=row_names,
               width=640 if len(titles) == 2 else 960)
    rule = 'named on the command line' if photos else figure.rule
    return '\n'.join(['figure %d: %s' % (number, rule)] + names + sources)


def _colour_photos(number, data_folder, runs_folder, photos, vgg_weights):
    """Photos of any size, each with its output (Figure 1)."""
    folder = Path(data_folder or find_resource('demo/photos'))
    names = list(photos) or [DEMO_PHOTO]
    pixels = [read_photo(folder / name).pixels for name in names]
    from ..api import load_colorizer
    network = find_network('cvcl_classification', runs_folder)
    colorizer = load_colorizer(network, vgg_weights)
    space = colorizer.color_space
    groups = [(grey_picture(luminance(photo, space), space),
               colorizer.colorize(photo)) for photo in pixels]
    return FIGURES[number].titles, groups, names, [
        'classification: %s' % network]


def _sample_photos(number, data_folder, runs_folder, photos, vgg_weights):
    """Photos of a data set as they are (Figure 4)."""
    figure = FIGURES[number]
    splits = find_resource('experiments/splits')
    paths = [path for subset in SUBSETS for path in
             load_split(figure.dataset, data_folder, subset, splits)]
    names = [os.path.basename(path) for path in paths]
    chosen = _indices(names, photos, figure, number) if photos else \
        figure.choose(len(names), figure.num_photos)
    return (figure.titles,
            [(read_photo(paths[index]).pixels,) for index in chosen],
            [names[index] for index in chosen], [])


def _test_outputs(number, data_folder, runs_folder, photos, vgg_weights):
    """Test photos, each with the networks' outputs (Figures 5 to 8)."""
    figure = FIGURES[number]
    stand_in = _find_stand_in(figure, runs_folder)
    networks = [stand_in] if stand_in else [
        _find_network(figure, kind, number, runs_folder)
        for kind in figure.networks]

    def select(names):
        if photos:
            return _indices(names, photos, figure, number)
        if figure.score is None:
            return figure.choose(len(names), figure.num_photos)
        return range(len(names))

    outputs, source = _predict(networks[-1], figure.dataset, data_folder,
                               select, vgg_weights)
    scores = [figure.score(output) if figure.score else None
              for output in outputs]
    if figure.score and not photos:
        chosen = figure.choose(scores, figure.num_photos)
        outputs = [outputs[index] for index in chosen]
        scores = [scores[index] for index in chosen]
    names = [output.name for output in outputs]
    columns, sources = [[output.picture for output in outputs]], [source]
    for network in networks[-2::-1]:
        others, source = _predict(
            network, figure.dataset, data_folder,
            lambda known: _indices(known, names, figure, number), vgg_weights)
        columns.insert(0, [output.picture for output in others])
        sources.insert(0, source)
    groups = list(zip([output.grey for output in outputs], *columns))
    if figure.score:
        names = ['%s: %s' % (name, figure.score_format % score)
                 for name, score in zip(names, scores)]
    titles = figure.titles
    if stand_in:
        titles = titles[:-1] + (titles[-1] + ', %s network' % STAND_IN,)
        sources.append('it stands in for a network trained on the ten classes '
                       'alone, which "make train-ilsvrc" makes; ImageNet\'s '
                       'photos may be among those that it was trained on')
    return titles, groups, names, sources


def _find_stand_in(figure, runs_folder):
    """The network for all photos, where the figure's own takes days.

    None if the figure needs no other, its own is there, or there is none.
    """
    if figure.dataset != 'ilsvrc' or _own_run(
            figure, figure.networks[-1], runs_folder).exists():
        return None
    try:
        return find_network(STAND_IN, runs_folder)
    except ColornetError:
        return None


def _own_run(figure, kind, runs_folder):
    return Path(runs_folder) / ('%s_%s' % (figure.dataset, kind)) / 'best.h5'


def _find_network(figure, kind, number, runs_folder):
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
                number, run / 'best.h5', name, run,
                get_dataset(figure.dataset).layout,
                get_dataset(figure.dataset).source))
    check_dataset(network, figure.dataset, 'figure %d' % number)
    return network


def _indices(names, wanted, figure, number):
    """Where the photos called `wanted` are."""
    for name in wanted:
        if name not in names:
            raise ColornetError(
                'figure %d: %s is not among the %d photos of %s that it '
                'chooses from (%s, ...)' % (number, name, len(names),
                                            figure.dataset,
                                            ', '.join(names[:3])))
    return [names.index(name) for name in wanted]


def _predict(network, dataset, data_folder, select, vgg_weights):
    """Predict the chrominance of some test photos.

    Parameters
    ----------
    network : Path
    dataset : str
        Whose layout and split the folder has.
    data_folder : str or Path
    select : callable
        Takes the names of all test photos, returns indices.
    vgg_weights : str or Path, optional

    Returns
    -------
    outputs : list of _Output
    source : str
        Where they come from.
    """
    from ..network.saved import (compile_prediction, load_configuration,
                                 load_network)
    config, attributes = load_configuration(network)
    config.override('data.dataset=' + dataset, 'the figure')
    images, names = load_subset(config, data_folder, 'test')
    indices = list(select(names))
    net, config, _ = load_network(network, vgg_weights, fold=True)
    kind, space = config.network['kind'], config.network['color_space']
    found = predict_images(compile_prediction(net, config), images[indices],
                           space)
    outputs = [_Output(names[index], rgb, chroma, space)
               for (rgb, chroma), index in zip(progress_bar(
                   found, total=len(indices), unit='image', desc=kind),
                   indices)]
    return outputs, '%s: %s, epoch %d' % (kind, network,
                                          int(attributes.get('epoch', 0)))
