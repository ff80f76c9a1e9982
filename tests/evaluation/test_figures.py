"""Figures 1 and 4 to 8: which photos they show, and where (paper, 5.3)."""

import shutil
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_not_in, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from colornet import cli
from colornet.api import load_colorizer
from colornet.color import join_channels, luminance, split_channels
from colornet.data.subsets import load_subset
from colornet.errors import ColornetError
from colornet.evaluation import figures
from colornet.evaluation.evaluate import evaluate_network
from colornet.evaluation.figures import (FIGURES, draw, largest, make_figure,
                                         middle, smallest)
from colornet.evaluation.schematics import SCHEMATICS
from colornet.further_metrics import colour_inconsistency
from colornet.metrics import image_metrics
from colornet.network.stored import load_configuration
from colornet.photos.pixels import resize
from colornet.photos.reading import read_photo, read_rgb
from colornet.scaling import enlarge_chroma
from tests import tiny

WNIDS = 'n02132136', 'n04146614'


def stand_in(net, config, decodings=((),)):
    """Chrominance by a formula, where a network would take its time."""
    scale = 40 if config.network['kind'] == 'classification' else 10

    def predict(luminance):
        return [np.float32(scale) * np.stack(
            [np.sin(luminance / 9), np.cos(luminance / 5)], axis=-1)]
    return predict


def loop_order(scores):
    """Indices by score, of equal ones the first in front."""
    return sorted(range(len(scores)), key=lambda index: (scores[index],
                                                         index))


def test_choosing_by_score_against_sorting():
    random = np.random.RandomState(0)
    for number in 1, 2, 3, 7, 8, 50:
        # Whole numbers, so that there are ties.
        scores = random.randint(-5, 5, number).astype(float).tolist()
        eq_(smallest(scores, 2).tolist(), loop_order(scores)[:2])
        eq_(largest(scores, 2).tolist(),
            loop_order([-score for score in scores])[:2])
        found = middle(scores, 2).tolist()
        eq_(len(found), min(2, number))
        order = loop_order(scores)
        below, above = order.index(found[0]), number - 1 - order.index(
            found[-1])
        ok_(above - below in (0, 1), (number, below, above))
        eq_(order[below:below + len(found)], found)


def test_the_middle_lies_around_the_median():
    scores = [0.5, 9., 2., -3., 4., 7.]
    eq_([scores[index] for index in middle(scores, 2)], [2., 4.])
    eq_(np.mean([2., 4.]), np.median(scores))


def test_draws():
    drawn = draw(410, 8).tolist()
    eq_(len(set(drawn)), 8)
    ok_(set(drawn) <= set(range(410)))
    eq_(drawn, np.random.RandomState(2016).permutation(410)[:8].tolist())
    ok_(drawn != draw(410, 8, seed=1).tolist())
    eq_(sorted(draw(3, 8)), [0, 1, 2])


def test_the_command_line_knows_the_figures():
    for number in range(12):
        with mock.patch('sys.stderr'), mock.patch.object(
                cli.evaluation, '_figure', return_value=0) as run:
            try:
                cli.main(['figure', str(number)])
            except SystemExit as exit:  # argparse
                eq_(exit.code, 2)
        eq_(run.called, number in list(FIGURES) + list(SCHEMATICS), number)


class TestFigures(tiny.InFolder):
    """With networks that are there, but not run: see ``stand_in``."""

    NUM_PHOTOS = 0

    @classmethod
    def setup_class(cls):
        super().setup_class()
        root = cls.root
        tiny.write_cvcl(root / 'cvcl')
        for wnid in WNIDS:
            tiny.write_crops(root / 'ilsvrc' / wnid, [
                '%s_%d.JPEG' % (wnid, number) for number in range(65)])
        cls.runs = root / 'runs'
        for path, name, overrides in (
                (tiny.EXPERIMENT, 'cvcl_classification', tiny.CLASSIFICATION),
                (tiny.REGRESSION, 'cvcl_regression', tiny.OVERRIDES),
                (tiny.EXPERIMENT, 'ilsvrc_classification',
                 tiny.CLASSIFICATION)):
            tiny.save_untrained(
                cls.runs, name, path, overrides + [
                    'data.dataset=' + name.split('_')[0]], epoch=3)
        cls.patch = mock.patch('colornet.network.saved.compile_decodings',
                               stand_in)
        cls.patch.start()

    @classmethod
    def teardown_class(cls):
        cls.patch.stop()
        super().teardown_class()

    def make(self, number, data=None, photos=(), runs=None):
        """The text of a figure, and what its sheet was made of."""
        out = self.root / ('figure%d.png' % number)
        data = None if number == 1 else self.root / (data or 'cvcl')
        with mock.patch.object(figures, 'save_sheet',
                               wraps=figures.save_sheet) as save:
            text = make_figure(number, out, data, runs or self.runs, photos)
        _, rows, titles = save.call_args[0]
        eq_(Image.open(str(out)).width, save.call_args[1]['width'])
        names = sum(save.call_args[1]['names'], [])
        return text, rows, titles, [name for name in names if name]

    def predictions(self, name):
        """Photo and picture of the output of each test photo, by name."""
        config, _ = load_configuration(self.runs / name / 'best.h5')
        images, names = load_subset(config, self.root / name.split('_')[0],
                                    'test')
        outputs = {}
        for name, rgb in zip(names, images):
            lightness = split_channels(rgb)[0]
            outputs[name] = rgb, join_channels(
                lightness, stand_in(None, config)(lightness)[0])
        return outputs

    def scores(self):
        network = self.runs / 'cvcl_classification' / 'best.h5'
        return evaluate_network(network, self.root / 'cvcl')['images']

    def check_pair(self, row, rgb, picture):
        """A row holds a grey input, then an output."""
        eq_(len(row), 2)
        grey = join_channels(split_channels(rgb)[0], np.zeros(
            rgb.shape[:2] + (2,)))
        assert_allclose(row[0], grey, atol=1e-5)
        ok_(np.ptp(row[0], axis=-1).max() < 0.01, 'the input has colours')
        assert_array_equal(row[1], picture)
        ok_(np.ptp(row[1], axis=-1).max() > 0.1, 'the output has none')

    def check_pairs(self, number, names):
        text, rows, titles, row_names = self.make(number)
        eq_(titles, ('input', 'output'))
        eq_([name.split(':')[0] for name in row_names], names)
        predictions = self.predictions('cvcl_classification')
        for name, row in zip(names, rows):
            self.check_pair(row, *predictions[name])
        for name in names + [str(self.runs / 'cvcl_classification')]:
            assert_in(name, text)

    def test_figure_1(self):
        photo = read_photo(tiny.ROOT / 'demo' / 'photos' / figures.DEMO_PHOTO)
        text, (row,), titles, names = self.make(1)
        eq_(titles, ('input image', 'output image'))
        self.check_pair(row, photo.pixels, row[1])
        # The output keeps the luminance, whatever the colours.
        difference = abs(split_channels(row[1])[0] - split_channels(row[0])[0])
        ok_(np.median(difference) < 1)
        eq_(names, [figures.DEMO_PHOTO])
        assert_in('cvcl_classification', text)

    def test_figure_4(self):
        text, rows, titles, names = self.make(4)
        eq_(titles, ('',) * 4)
        eq_([len(row) for row in rows], [4, 4])
        known = tiny.cvcl_names()
        expected = [known[index] for index in draw(410, 8)]
        eq_(names, expected)
        for name, pixels in zip(expected, rows[0] + rows[1]):
            assert_array_equal(pixels, np.array(Image.open(
                str(self.root / 'cvcl' / name))))
            assert_in(name, text)

    def test_figure_4_is_the_same_with_the_published_names(self):
        folder = self.root / 'published'
        folder.mkdir()
        for path in (self.root / 'cvcl').iterdir():
            shutil.copy(str(path), str(folder / ('opencountry_' + path.name)))
        pictures = [pixels for data in ('cvcl', 'published')
                    for row in self.make(4, data)[1] for pixels in row]
        for bare, published in zip(pictures[:8], pictures[8:]):
            assert_array_equal(bare, published)

    def test_figure_5(self):
        scores = sorted(self.scores(),
                        key=lambda row: row['acc_u'] + row['acc_v'])
        text, rows, titles, names = self.make(5)
        eq_(titles, ('input', 'regression network output',
                     'classification network output'))
        chosen = [row['name'] for row in scores[24:26]]
        eq_([name.split(':')[0] for name in names], chosen)
        outputs = [self.predictions('cvcl_' + kind)
                   for kind in ('regression', 'classification')]
        for name, row in zip(chosen, rows):
            self.check_pair(row[::2], *outputs[1][name])
            assert_array_equal(row[1], outputs[0][name][1])
            ok_(abs(row[1] - row[2]).max() > 0.1)
        ok_(text.index('cvcl_regression') < text.index('cvcl_classification'))
        accuracy = 50 * (scores[24]['acc_u'] + scores[24]['acc_v'])
        assert_in('accuracy %.1f %%' % accuracy, names[0])

    def test_figure_6(self):
        text, rows, titles, names = self.make(6, 'ilsvrc')
        eq_(titles, ('input', 'output') * 2)
        predictions = self.predictions('ilsvrc_classification')
        # All that there are of the eight, in the order of the draw.
        known = list(predictions)
        eq_(len(known), 5)
        drawn = [known[index] for index in draw(5, 8)]
        eq_(names, drawn)
        pictures = [picture for row in rows for picture in row]
        eq_(len(pictures), 12)
        for number, name in enumerate(drawn):
            self.check_pair(pictures[2 * number:2 * number + 2],
                            *predictions[name])
        for blank in pictures[10:]:
            ok_((blank == 255).all())

    def test_figure_6_of_the_network_for_everyday_photos(self):
        own = self.make(6, 'ilsvrc')
        assert_not_in('everyday', own[0])
        runs = self.root / 'everyday runs'
        network = tiny.save_untrained(
            runs, 'everyday', tiny.EXPERIMENT, tiny.CLASSIFICATION + [
                'data.dataset=folder', 'data.test_share=0'], epoch=7)
        shipped = self.root / 'everyday.h5'
        for found in network, shipped:
            with mock.patch('colornet.evaluation.sources.find_resource',
                            return_value=shipped) as find:
                text, rows, titles, names = self.make(6, 'ilsvrc', runs=runs)
            eq_(find.called, found == shipped)
            eq_(titles, ('input', 'output, everyday network') * 2)
            # The photos that its own network would show.
            eq_(names, own[3])
            for one, other in zip(sum(rows, []), sum(own[1], [])):
                assert_array_equal(one, other)
            assert_in('classification: %s, epoch 7' % found, text)
            assert_in('stands in', text)
            network.exists() and network.replace(shipped)
        # Its own is preferred, wherever the other is.
        with mock.patch('colornet.evaluation.sources.find_resource',
                        return_value=shipped):
            eq_(self.make(6, 'ilsvrc')[0], own[0])

    def test_figure_7(self):
        predictions = self.predictions('cvcl_classification')
        scores = {name: colour_inconsistency(picture, rgb)
                  for name, (rgb, picture) in predictions.items()}
        ok_(len(set(scores.values())) > 40)
        self.check_pairs(7, sorted(scores, key=scores.get)[:-3:-1])

    def test_figure_8(self):
        scores = sorted(self.scores(), key=lambda row: row['sat_diff'])
        self.check_pairs(8, [row['name'] for row in scores[:2]])
        assert_in('saturation difference %+.0f %%'
                  % (100 * scores[1]['sat_diff']), self.make(8)[0])

    def test_outputs_are_those_of_the_networks(self):
        name = tiny.cvcl_names('test')[3]
        self.patch.stop()
        try:
            row, = self.make(5, photos=[name])[1]
            photo = read_rgb(self.root / 'cvcl' / name, 32)
            for kind, picture in zip(('regression', 'classification'),
                                     row[1:]):
                colorizer = load_colorizer(
                    self.runs / ('cvcl_' + kind) / 'best.h5').refined('none')
                # As the paper joins them: a colorizer limits chrominance.
                chroma, = colorizer.predict([photo])
                assert_allclose(picture, join_channels(
                    luminance(photo), enlarge_chroma(chroma, (32, 32))),
                    atol=1e-3)
                ok_(np.ptp(picture, axis=-1).max() > 0.1)
        finally:
            self.patch.start()

    def test_photos_named_on_the_command_line(self):
        names = tiny.cvcl_names('test')[7:10]
        for number in 5, 8:
            text, rows, _, row_names = self.make(number, photos=names[::-1])
            eq_([name.split(':')[0] for name in row_names], names[::-1])
            assert_in('named on the command line', text)
            output = self.predictions('cvcl_classification')[names[0]][1]
            assert_array_equal(rows[2][-1], output)
        eq_(self.make(4, photos=names[:1])[3], names[:1])
        row, = self.make(1, photos=['seeding.jpg'])[1]
        eq_(row[0].shape, read_photo(
            tiny.ROOT / 'demo' / 'photos' / 'seeding.jpg').pixels.shape)

    def check_is_refused(self, number, *words, **options):
        out = self.root / 'none.png'
        tiny.check_error(lambda: make_figure(number, out, **dict(
            {'data_folder': self.root / 'cvcl', 'runs_folder': self.runs},
            **options)), *words)
        ok_(not out.exists())

    def make_free(self, number, folder, **options):
        """As :meth:`make`, of photos that are no data set of the paper."""
        out = self.root / 'free.png'
        with mock.patch.object(figures, 'save_sheet',
                               wraps=figures.save_sheet) as save:
            text = make_figure(number, out, folder, self.runs,
                               dataset='folder', **options)
        return text, save.call_args[0][1], [
            name for name in sum(save.call_args[1]['names'], []) if name]

    def test_figures_of_any_photos(self):
        folder = self.root / 'free' / 'below'
        tiny.write_crops(folder, ['%d.jpg' % number for number in range(5)],
                         width=60, seed=3)
        folder = folder.parent
        outputs = {}
        for path in sorted(folder.glob('*/*.jpg')):
            # 40 x 60, of which the shorter side becomes the network's 32.
            rgb = read_rgb(path, 32, largest=32)
            eq_(rgb.shape, (32, 48, 3))
            # The network sees a square, and its output is enlarged.
            seen = luminance(resize(rgb, (32, 32)))
            config, _ = load_configuration(
                self.runs / 'cvcl_classification' / 'best.h5')
            chroma = enlarge_chroma(stand_in(None, config)(seen)[0], (32, 48))
            picture = join_channels(split_channels(rgb)[0], chroma)
            outputs['below/' + path.name] = rgb, picture, image_metrics(
                chroma, rgb)
        eq_(len(outputs), 5)
        accuracy = sorted(outputs, key=lambda name: sum(
            outputs[name][2][key] for key in ('acc_u', 'acc_v')))[1:3]
        inconsistent = sorted(outputs, key=lambda name: -colour_inconsistency(
            outputs[name][1], outputs[name][0]))[:2]
        pale = sorted(outputs, key=lambda name: outputs[name][2][
            'sat_diff'])[:2]
        for number, expected in (5, accuracy), (7, inconsistent), (8, pale):
            text, rows, names = self.make_free(number, folder)
            eq_([name.split(':')[0] for name in names], expected)
            assert_in('the photos in %s of' % folder, text)
            for name, row in zip(expected, rows):
                self.check_pair([row[0], row[-1]], *outputs[name][:2])
                eq_(len(row), 3 if number == 5 else 2)
        eq_(self.make_free(8, folder, photos=['below/3.jpg'])[2][0][:11],
            'below/3.jpg')

    def test_any_photos_are_not_for_every_figure(self):
        for number in 1, 4, 6:
            self.check_is_refused(number, 'figures 5, 7 and 8',
                                  dataset='folder')
        self.check_is_refused(5, 'needs --data', dataset='folder',
                              data_folder=None)
        self.check_is_refused(5, "'folder' only", dataset='mcgill')
        self.check_is_refused(7, 'x.jpg', 'not among the 410 photos of folder',
                              dataset='folder', photos=['x.jpg'])

    def test_a_photo_that_is_not_there(self):
        training = tiny.cvcl_names('train')[0]
        self.check_is_refused(7, training, 'not among the 50',
                              photos=[training])
        self.check_is_refused(4, 'x.jpg', 'not among the 410',
                              photos=['x.jpg'])
        self.check_is_refused(1, 'x.jpg', 'no such file', data_folder=None,
                              photos=['x.jpg'])

    def test_figure_6_without_its_network_or_photos(self):
        with mock.patch('colornet.evaluation.sources.find_resource',
                        side_effect=ColornetError('missing')):
            self.check_is_refused(
                6, str(self.root / 'bare' / 'ilsvrc_classification' /
                       'best.h5'),
                'experiments/ilsvrc_classification.ini', 'colornet train',
                'image-net.org', data_folder=self.root / 'ilsvrc',
                runs_folder=self.root / 'bare')
        self.check_is_refused(6, str(self.root / 'nowhere'), '--data',
                              data_folder=self.root / 'nowhere')

    def test_a_network_of_other_photos_is_refused(self):
        runs = self.root / 'mixed'
        shutil.copytree(str(self.runs / 'ilsvrc_classification'),
                        str(runs / 'cvcl_classification'))
        self.check_is_refused(7, "data set 'ilsvrc'", 'figure 7 is about '
                              "'cvcl'", runs_folder=runs)

    def test_the_command(self):
        out = self.root / 'new' / 'figure.png'
        command = ['figure', '4', '--data', str(self.root / 'cvcl'),
                   '--runs', str(self.runs), '--out', str(out)]
        with mock.patch('builtins.print') as show:
            eq_(cli.main(command), 0)
        ok_(out.exists())
        assert_in('written to %s' % out, show.call_args[0])
        with mock.patch('builtins.print') as show:
            eq_(cli.main(command + ['--dataset', 'folder']), 2)
        assert_in('figure 4: --dataset is for', show.call_args[0][0])
        with mock.patch('builtins.print') as show:
            eq_(cli.main(command + ['--photos', 'x.jpg']), 2)
        assert_in('x.jpg', show.call_args[0][0])
        assert_not_in('internal', show.call_args[0][0])
