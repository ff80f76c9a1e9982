"""What hints bring: how they are drawn, what is counted, what is written."""

import contextlib
import csv
import io
from unittest import mock

import numpy as np
import skimage.metrics
from nose.tools import assert_in, assert_less, eq_, ok_
from numpy.testing import assert_allclose
from PIL import Image

from colornet.color import as_uint8
from colornet.evaluation.hints import COUNTS, draw_hints, score_hints
from colornet.photos.colorizer import Colorizer
from colornet.photos.hints import Hint, spread_hints
from colornet.photos.pixels import resize
from colornet.photos.reading import read_photo
from tests import tiny

RED, GREEN, BLUE = (200, 40, 30), (40, 140, 50), (60, 80, 170)


def predict(luminance):
    """What stands in for a network: brownish everywhere, at half the size."""
    chroma = np.zeros(luminance[:, ::2, ::2].shape + (2,), np.float32)
    return chroma + np.float32([12, 15])


def load_stand_in(network, vgg_weights=None, engine=None, space='luv'):
    # What is around the patches is no border of paper.
    return Colorizer(predict, 64, space, 'keep', borders='colour')


def patches(rows=60, columns=80):
    """Red, in it a high green and a smaller blue thing."""
    pixels = np.empty((rows, columns, 3), np.uint8)
    pixels[...] = RED
    pixels[10:50, 5:26] = GREEN
    pixels[11:32, 50:71] = BLUE
    return pixels


def test_hints_are_in_the_middle_of_the_largest_segments():
    # Beyond these three, there are only strips along edges.
    hints = draw_hints(patches(), 3)
    eq_([hint.color for hint in hints], [RED, GREEN, BLUE])
    ok_(len(draw_hints(patches(), 30)) < 10)
    # A square has one middle, a high rectangle a line of them.
    eq_(hints[2], Hint(60, 21, BLUE))
    eq_(hints[1].x, 15)
    ok_(20 <= hints[1].y <= 39)
    # Red is widest between the two.
    ok_(26 <= hints[0].x < 50 or hints[0].y >= 32, hints[0])
    eq_(draw_hints(patches(), 2), hints[:2])


def test_middles_are_not_at_the_border_of_the_photo():
    hint, = draw_hints(np.full((41, 61, 3), 99, np.uint8), 3)
    eq_(hint.y, 20)
    ok_(20 <= hint.x <= 40)


def read_rows(path):
    with open(str(path), newline='') as stream:
        return [dict(row, hints=int(row['hints']))
                for row in csv.DictReader(stream)]


class TestScores(tiny.InFolder):
    NUM_PHOTOS = 2

    @classmethod
    def setup_class(cls):
        super().setup_class()
        Image.fromarray(patches()).save(str(cls.root / 'photos' / 'p.png'))
        Image.new('L', (40, 40)).save(str(cls.root / 'photos' / 'grey.png'))
        cls.text, cls.notes = cls.score('all',
                                        sheet_file=cls.root / 'sheet.png')
        cls.rows = read_rows(cls.root / 'all.csv')

    @classmethod
    def score(cls, name, folder='photos', space='luv', **options):
        """Printed table and notes."""
        notes = io.StringIO()
        with contextlib.redirect_stderr(notes), mock.patch(
                'colornet.api.load_colorizer', lambda *words, **more:
                load_stand_in(*words, space=space, **more)):
            return score_hints(cls.root / folder, cls.root / (
                name + '.csv'), **options), notes.getvalue()

    def row(self, start, count):
        row, = [row for row in self.rows
                if (row['start'], row['hints']) == (start, count)]
        return row

    def test_there_is_a_row_for_each_number(self):
        eq_([(row['start'], row['hints']) for row in self.rows],
            [(start, count) for start in ('network', 'grey')
             for count in COUNTS])
        eq_({row['photos'] for row in self.rows}, {'3'})
        assert_in('3 photos', self.text)
        assert_in('grey, 30', self.text)
        assert_in('grey.png', self.notes)

    def test_scores_are_of_what_a_user_gets(self):
        photos = [read_photo(path).pixels for path in sorted(
            (self.root / 'photos').glob('*.*')) if path.stem != 'grey']
        colorizer = load_stand_in(None)
        for start in 'network', 'grey':
            for count in COUNTS:
                psnr, given = [], []
                for pixels in photos:
                    chroma = colorizer.predict([pixels])[0] * (
                        start == 'network')
                    seen = colorizer.reduce(pixels)
                    picture = pixels[colorizer.find_picture(pixels)]
                    hints = draw_hints(resize(picture, seen.shape), count)
                    given.append(len(hints))
                    picture = as_uint8(colorizer.join(pixels, spread_hints(
                        seen, chroma, hints)))
                    psnr.append(skimage.metrics.peak_signal_noise_ratio(
                        pixels, picture))
                row = self.row(start, count)
                assert_allclose(float(row['psnr']), np.mean(psnr), atol=0.02)
                assert_allclose(float(row['given']), np.mean(given), rtol=1e-4)

    def test_gains_are_over_no_hints(self):
        for start in 'network', 'grey':
            first = self.row(start, 0)
            eq_([float(first[name]) for name in ('given', 'gain', 'better')],
                [0, 0, 0])
            for count in COUNTS[1:]:
                row = self.row(start, count)
                assert_allclose(float(row['gain']), float(row['psnr']) -
                                float(first['psnr']), atol=1e-3)
            # Three patches, three hints: hardly anything is missing.
            assert_less(2, float(self.row(start, 3)['gain']))
            eq_(float(self.row(start, 10)['better']), 100)
            ok_(float(self.row(start, 3)['given']) <= 3)

    def test_curves_and_sheet_are_pictures(self):
        eq_(Image.open(str(self.root / 'all.png')).mode, 'RGB')
        sheet = np.asarray(Image.open(str(self.root / 'sheet.png')))
        # Five pictures of each photo, two photos side by side.
        eq_(sheet.shape[1], 10 * 200)
        # The marks of the hints are in their colours.
        for color in RED, GREEN, BLUE:
            ok_((sheet == color).all(axis=-1).sum() > 20)

    def test_what_cannot_be_scored(self):
        (self.root / 'empty').mkdir()
        tiny.check_error(lambda: self.score('none', 'empty'), 'no photos')
        (self.root / 'greys').mkdir()
        Image.new('L', (20, 30)).save(str(self.root / 'greys' / 'a.png'))
        tiny.check_error(lambda: self.score('none', 'greys'),
                         'none of the 1 photos', 'a.png')
        tiny.check_error(lambda: self.score('none', space='hsv'), 'CIELUV')
        tiny.check_error(lambda: self.score(
            'none', list_file=self.root / 'nowhere.txt'), 'nowhere.txt')
        ok_(not (self.root / 'none.csv').exists())
