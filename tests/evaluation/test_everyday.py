"""Everyday photos: rows, numbers and what is left out, with stand-ins for the
networks' predictions."""

import contextlib
import csv
import io
import math
import shutil
import signal
import tempfile
from unittest import mock

import numpy as np
import skimage.metrics
from nose.tools import assert_in, assert_not_in, eq_, ok_
from numpy.testing import assert_allclose
from PIL import Image

from colornet.color import as_uint8
from colornet.config import load_config
from colornet.data.splits import read_split
from colornet.evaluation.everyday import (COLUMNS, DEFAULT_DECODINGS, LISTS,
                                          PHOTO_COLUMNS, find_list,
                                          score_everyday)
from colornet.further_metrics import colourfulness
from colornet.network.parameters import NETWORK_FORMAT, save_arrays
from colornet.photos.colorizer import Colorizer
from colornet.photos.reading import read_photo
from colornet.terminal import Interrupted
from tests import tiny

BEST = tiny.ROOT / 'weights' / 'cvcl_best.h5'
REGRESSION = tiny.ROOT / 'weights' / 'cvcl_regression.h5'

#: What each decoding's network predicts everywhere.
CHROMA = {' '.join(DEFAULT_DECODINGS['argmax']): (20, 30), '': (-4, 3),
          ' '.join(DEFAULT_DECODINGS['mean']): (8, 9),
          ' '.join(DEFAULT_DECODINGS['mean, temperature 0.5']): (-60, -60)}


def colorizer_of(settings):
    chroma = np.float32(CHROMA.get(' '.join(settings), (5, 5)))
    return Colorizer(lambda luminance: np.broadcast_to(
        chroma, luminance.shape + (2,)), 16)


def load_stand_ins(network, vgg_weights, decodings, engine):
    return [colorizer_of(settings) for settings in decodings]


def save_configuration(path, *overrides):
    """A network without any parameters."""
    save_arrays(path, {'parameters': {}}, {'format': NETWORK_FORMAT, 'config':
                load_config(overrides=overrides).to_json()})
    return path


def read_rows(path):
    with open(str(path), newline='') as stream:
        return list(csv.DictReader(stream))


class TestEveryday(tiny.InFolder):
    NUM_PHOTOS = 3

    @classmethod
    def setup_class(cls):
        super().setup_class()
        photos = cls.root / 'photos'
        (photos / 'below').mkdir()
        picture = Image.open(str(sorted(tiny.PHOTOS.glob('*.jpg'))[1]))
        picture.crop((10, 20, 81, 53)).save(str(photos / 'below' / 'wide.png'))
        cls.names = ['0.jpg', '1.jpg', '2.jpg', 'below/wide.png']
        picture.convert('L').save(str(photos / 'grey.png'))
        picture.convert('L').convert('RGB').save(str(photos / 'grey.jpg'))
        picture.resize((40, 9)).save(str(photos / 'low.png'))
        (photos / 'broken.jpg').write_text('no photo')
        cls.text, cls.notes = cls.score('all', networks=[BEST, REGRESSION],
                                        sheet_file=cls.root / 'sheet.png')
        cls.rows = read_rows(cls.root / 'all.csv')
        cls.photo_rows = read_rows(cls.root / 'all_photos.csv')

    @classmethod
    def score(cls, name, folder='photos', **options):
        """Printed table and notes."""
        notes = io.StringIO()
        with contextlib.redirect_stderr(notes), mock.patch(
                'colornet.api.load_colorizers', load_stand_ins):
            return score_everyday(cls.root / folder, cls.root / (
                name + '.csv'), **options), notes.getvalue()

    def rows_of(self, *arguments, **options):
        self.score(*arguments, **options)
        return [(row['network'], row['decoding'], row['own'])
                for row in read_rows(self.root / (arguments[0] + '.csv'))]

    def photo_rows_of(self, network, decoding):
        return [row for row in self.photo_rows
                if (row['network'], row['decoding']) == (network, decoding)]

    def test_an_interrupted_call_goes_on(self):
        partial = self.root / 'some_partial.json'
        coloured = []

        def load(network, vgg_weights, decodings, engine):
            def counted(settings):
                colorizer = colorizer_of(settings)
                return mock.Mock(
                    join=colorizer.join, predict=lambda photos: coloured
                    .append(settings) or colorizer.predict(photos))
            return [counted(settings) for settings in decodings]

        def score(num_interrupted, network=BEST, **options):
            """Predictions, after an interruption if so many photos are."""
            del coloured[:]
            check = mock.Mock(side_effect=[None] * num_interrupted + [
                Interrupted(signal.SIGTERM)] if num_interrupted else None)
            with contextlib.redirect_stderr(io.StringIO()) as notes, \
                    mock.patch('colornet.api.load_colorizers', load), \
                    mock.patch('colornet.evaluation.everyday.catch_signals',
                               lambda: contextlib.nullcontext(check)):
                with contextlib.suppress(Interrupted):
                    score_everyday(self.root / 'photos', self.root /
                                   'some.csv', [network], **options)
            eq_(partial.exists(), bool(num_interrupted))
            return len(coloured), notes.getvalue()

        # Of four photos, by four decodings.
        count, _ = score(0)
        whole = (self.root / 'some_photos.csv').read_bytes()
        eq_(count, 4 * 4)
        count, notes = score(2)
        eq_(count, 2 * 4)
        assert_in('scores of 2 of 8 photos are kept in %s' % partial, notes)
        eq_(score(0)[0], 2 * 4)
        eq_((self.root / 'some_photos.csv').read_bytes(), whole)
        # What is shown is coloured again; of other settings is nothing kept.
        score(2)
        eq_(score(0, sheet_file=self.root / 'some.png', every=2)[0], 3 * 4)
        score(2)
        eq_(score(0, decodings=['method=mean'])[0], 4 * 2)
        score(2)
        partial.write_text('{"key"')
        eq_(score(0)[0], 4 * 4)

    def test_every_network_has_the_decodings_that_suit_it(self):
        eq_([(row['network'], row['decoding'], row['own'])
             for row in self.rows],
            [('grey', '', ''), ('cvcl_best', 'argmax', ''),
             ('cvcl_best', 'mean', ''),
             ('cvcl_best', 'mean, temperature 0.5', ''),
             ('cvcl_best', 'default', 'yes'),
             ('cvcl_regression', 'default', 'yes')])
        eq_({row['photos'] for row in self.rows}, {'4'})
        for words in ('4 photos', 'cvcl_best, argmax  ', 'grey  ',
                      'cvcl_regression, default *'):
            assert_in(words, self.text)

    def test_scores_are_of_what_a_user_gets(self):
        for network, decoding, settings in (
                ('cvcl_best', 'argmax', DEFAULT_DECODINGS['argmax']),
                ('cvcl_best', 'mean', DEFAULT_DECODINGS['mean']),
                ('cvcl_best', 'default', []),
                ('cvcl_regression', 'default', [])):
            rows = self.photo_rows_of(network, decoding)
            eq_([row['photo'] for row in rows], self.names)
            for row in rows:
                photo = read_photo(self.root / 'photos' / row['photo']).pixels
                picture = as_uint8(colorizer_of(settings).colorize(photo))
                grey = as_uint8(Colorizer(lambda luminance: np.zeros(
                    luminance.shape + (2,), np.float32)).colorize(photo))
                eq_(picture.shape, photo.shape)
                psnr, without = [
                    skimage.metrics.peak_signal_noise_ratio(photo, each)
                    for each in (picture, grey)]
                for name, value in (
                        ('psnr', psnr), ('psnr_grey', without),
                        ('psnr_gain', psnr - without),
                        ('nearer_than_grey', 100. * (psnr > without)),
                        ('colourfulness_predicted', colourfulness(picture)),
                        ('colourfulness_actual', colourfulness(photo))):
                    # A file's bytes are rounded once, not by way of float32:
                    # a few pixels differ by 1/255.
                    assert_allclose(float(row[name]), value, rtol=1e-4,
                                    atol=1e-3, err_msg=name)
        # Both happen.
        eq_({row['nearer_than_grey'] for row in self.photo_rows}, {'0', '100'})

    def test_means_are_of_the_photos(self):
        for row in self.rows:
            photos = self.photo_rows_of(row['network'], row['decoding'])
            eq_(len(photos), 4)
            for name in set(COLUMNS) & set(PHOTO_COLUMNS):
                assert_allclose(float(row[name]), math.fsum(
                    float(photo[name]) for photo in photos) / 4, rtol=1e-4,
                    atol=1e-4, err_msg=name)
            predicted, actual = [
                sum(float(photo['colourfulness_' + which]) for photo in photos)
                for which in ('predicted', 'actual')]
            assert_allclose(float(row['colourfulness_ratio']),
                            predicted / actual, rtol=1e-4)

    def test_grey_gains_nothing(self):
        row = self.rows[0]
        eq_([float(row[name]) for name in ('psnr_gain', 'nearer_than_grey')],
            [0, 0])
        eq_(row['psnr'], row['psnr_grey'])
        ok_(float(row['colourfulness_ratio']) < 0.02)

    def test_photos_that_cannot_be_compared_are_named(self):
        for name in 'grey.png: grey', 'grey.jpg: grey', 'low.png: too small', \
                'broken.jpg: not an image':
            assert_in(name, self.notes)
        for name in self.names:
            assert_not_in(name, self.notes)

    def test_a_network_that_decodes_otherwise(self):
        network = save_configuration(
            self.root / 'own.h5', 'decoding.method=mean',
            'decoding.temperature=0.3')
        eq_(self.rows_of('own', networks=[network])[1:], [
            ('own', 'argmax', ''), ('own', 'mean', ''),
            ('own', 'mean, temperature 0.5', ''), ('own', 'default', 'yes')])

    def test_hue_has_no_mean(self):
        network = save_configuration(self.root / 'hsv.h5',
                                     'network.color_space=hsv')
        eq_(self.rows_of('hsv', networks=[network])[1:],
            [('hsv', 'argmax', 'yes')])

    def test_decodings_that_are_named(self):
        eq_(self.rows_of('named', networks=[BEST, REGRESSION], decodings=[
            'method=mean temperature=0.4', 'decoding.saturation=1.2']),
            [('grey', '', ''),
             ('cvcl_best', 'method=mean temperature=0.4', ''),
             ('cvcl_best', 'saturation=1.2', ''),
             ('cvcl_best', 'default', 'yes'),
             ('cvcl_regression', 'saturation=1.2', ''),
             ('cvcl_regression', 'default', 'yes')])

    def test_networks_of_one_name(self):
        folders = [self.root / name for name in ('a', 'b')]
        for folder in folders:
            folder.mkdir()
            save_configuration(folder / 'best.h5')
        networks = [folder / 'best.h5' for folder in folders]
        eq_([row[0] for row in self.rows_of('same', networks=networks)][1::3],
            [str(network) for network in networks])
        # A run folder is called by its own name.
        eq_(self.rows_of('folders', networks=folders)[1][0], 'a')

    def test_a_list_chooses_photos(self):
        names = self.root / 'names.txt'
        names.write_text('# wide\nbelow/wide.png\n1.jpg\n')
        text, notes = self.score('some', networks=[BEST], list_file=names)
        assert_in('2 photos of %s' % names, text)
        eq_({row['photo'] for row in read_rows(self.root / 'some_photos.csv')},
            {'1.jpg', 'below/wide.png'})
        assert_not_in('left out', notes)
        names.write_text('1.jpg\nlost.jpg\n')
        tiny.check_error(lambda: self.score(
            'none', networks=[BEST], list_file=names), 'lost.jpg is missing',
            'names.txt')

    def test_the_sheet(self):
        # Grey, two networks by their own decodings, the original; two photos
        # to a row.
        sheet = read_photo(self.root / 'sheet.png').pixels
        eq_(sheet.shape[1], 1600)
        self.score('one', networks=[BEST], every=3,
                   sheet_file=self.root / 'one.png')
        one = read_photo(self.root / 'one.png').pixels
        self.score('every', networks=[BEST], every=1,
                   sheet_file=self.root / 'every.png')
        eq_(one.shape[1], 1800)
        # Of three photos to a row, the fourth begins another one.
        ok_(read_photo(self.root / 'every.png').pixels.shape[0] >
            one.shape[0])
        self.score('named', networks=[BEST], decodings=['saturation=2'],
                   sheet_file=self.root / 'named.png')
        eq_(read_photo(self.root / 'named.png').pixels.shape[1], 1600)

    def test_a_list_that_ships(self):
        name = read_split(find_list('people'))[0]
        tiny.check_error(lambda: self.score('none', networks=[BEST],
                                            list_file='people'),
                         name + ' is missing; people names it')
        (self.root / 'test').mkdir()
        for name in read_split(find_list('objects')):
            (self.root / 'test' / name).write_text('no photo')
        shutil.copy(str(self.root / 'photos' / '0.jpg'),
                    str(self.root / 'test' / name))
        shutil.copy(str(self.root / 'photos' / '0.jpg'),
                    str(self.root / 'test' / 'another.jpg'))
        text, _ = self.score('objects', 'test', networks=[BEST],
                             list_file='objects')
        assert_in('1 photos of objects', text)
        rows = read_rows(self.root / 'objects_photos.csv')
        eq_({row['photo'] for row in rows}, {name})

    def test_errors(self):
        for words, options in (
                ('unknown setting decoding.colour',
                 {'decodings': ['colour=red']}),
                ('decoding.method = red', {'decodings': ['method=red']}),
                ('such as "method=mean", not', {'decodings': ['mean']}),
                ('once', {'decodings': ['method=mean', 'method=mean']}),
                ('once', {'decodings': [' ']}),
                ('nowhere.h5', {'networks': [self.root / 'nowhere.h5']}),
                ('nowhere.txt', {'list_file': self.root / 'nowhere.txt'}),
                ('nowhere', {'folder': 'nowhere'})):
            tiny.check_error(lambda: self.score('none', **options), words)
        (self.root / 'empty').mkdir()
        tiny.check_error(lambda: self.score('none', 'empty'), 'no photos',
                         'empty')
        (self.root / 'greys').mkdir()
        Image.new('L', (20, 30)).save(str(self.root / 'greys' / 'a.png'))
        tiny.check_error(lambda: self.score('none', 'greys', networks=[BEST]),
                         'none of the 1 photos', 'a.png: grey')
        (self.root / 'busy_photos.csv').mkdir()
        tiny.check_error(lambda: self.score('busy'), 'busy_photos.csv')
        ok_(not (self.root / 'none.csv').exists())


def test_all_networks_that_ship_are_scored():
    with tempfile.TemporaryDirectory() as folder, mock.patch(
            'colornet.api.load_colorizers', load_stand_ins):
        tiny.write_crops(folder + '/photos', ['a.jpg'])
        with contextlib.redirect_stderr(io.StringIO()):
            score_everyday(folder + '/photos', folder + '/all.csv')
        rows = read_rows(folder + '/all.csv')
    eq_({row['network'] for row in rows if row['own']},
        {path.stem for path in (tiny.ROOT / 'weights').glob('*.h5')})


def test_lists_that_ship():
    names = {name: read_split(find_list(name)) for name in LISTS}
    for name, listed in names.items():
        eq_(listed, sorted(listed))
        header = find_list(name).read_text(encoding='ascii')
        assert_in('%d of 422,' % len(listed), header)
    ok_(len(names['nature']) >= 150 and len(names['objects']) >= 150)
    ok_(len(names['people']) >= 80)
    eq_(set(names['nature']) & set(names['objects']), set())
    eq_(find_list('my/list.txt'), 'my/list.txt')
