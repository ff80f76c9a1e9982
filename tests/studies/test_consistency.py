"""Decoders times refinements: what is scored is what users get."""

import contextlib
import csv
import io
from unittest import mock

import numpy as np
import skimage.metrics
from nose.tools import assert_in, assert_raises, eq_, ok_
from numpy.testing import assert_allclose
from PIL import Image

from colornet.color import split_channels
from colornet.config import load_config
from colornet.errors import ColornetError
from colornet.further_metrics import colour_inconsistency, edge_errors
from colornet.metrics import bin_accuracy, regression_distance
from colornet.photos.colorizer import Colorizer
from colornet.photos.reading import read_photo
from colornet.refinement.decoder import Decoder
from colornet.resources import find_resource
from colornet.schema import SCHEMA
from colornet.studies import combinations
from colornet.studies.combinations import (CANDIDATES, COMBINATIONS,
                                           Combination, Scorer)
from colornet.studies.consistency import (COLUMNS, choose_settings,
                                          format_table, score_consistency)
from tests import tiny

OWN = ['data.size=64', 'data.proportions=keep', 'decoding.method=mean',
       'decoding.saturation=1.5']


def outputs(luminance):
    """What stands in for a network: blotches, at a quarter of the size."""
    small = luminance[:, 2::4, 2::4]
    random = np.random.RandomState(0)
    centres = np.arange(-98., 100., 4)[:, np.newaxis, np.newaxis]
    return [(-((centres - sign * (small[:, np.newaxis] / 3 - 10) -
                random.normal(0, 9, small[:, np.newaxis].shape)) / 15) **
             2).astype(np.float32) for sign in (1, -1)]


def load_stand_in(network, vgg_weights=None, decoding=(), engine=None):
    return outputs, load_config(overrides=OWN), {}


def stand_in():
    return mock.patch.object(combinations, 'load_outputs', load_stand_in)


def scorer_of(chosen=COMBINATIONS):
    with stand_in():
        return Scorer('network.h5', chosen)


def read_rows(path):
    with open(str(path), newline='') as stream:
        return list(csv.DictReader(stream))


def test_scores_are_of_what_a_user_gets():
    pixels = read_photo(find_resource('demo/photos/coffee.jpg')).pixels
    pixels = pixels[::3, ::3]
    scorer = scorer_of()
    rows, picture = scorer.score(pixels)
    eq_(len(rows), len(scorer.combinations))
    for changes, steps, decoder in (
            ((), 'total_variation', 'own'),
            (('decoding.saturation=1', 'decoding.method=argmax'),
             'segments total_variation', 'argmax'),
            (('decoding.saturation=1',), 'total_variation guided', 'mean'),
            (('decoding.saturation=1',), 'crf', 'mean'),
            (('decoding.saturation=1',), 'none', 'mean')):
        decoder_of = Decoder(outputs, load_config(
            overrides=OWN + list(changes)))
        user = Colorizer(decoder_of, 64, 'luv', 'keep', 'colour', 'keep',
                         decoder_of.refinement)
        expected = user(pixels, refinement=steps)
        combination = Combination(decoder, steps)
        eq_(abs(picture(combination).astype(int) - expected).max(), 0)
        row = rows[scorer.combinations.index(combination)]
        light, actual = split_channels(pixels)
        chroma = split_channels(expected)[1]
        assert_allclose(row['psnr'], skimage.metrics.peak_signal_noise_ratio(
            pixels, expected), rtol=1e-6)
        assert_allclose(row['acc_v'], bin_accuracy(chroma[..., 1],
                                                   actual[..., 1]))
        assert_allclose(row['l_reg'], regression_distance(chroma, actual))
        assert_allclose(row['inconsistency'], colour_inconsistency(
            expected, pixels))
        assert_allclose((row['edge_error'], row['error_elsewhere']),
                        edge_errors(chroma, actual, light))
        ok_(0 < row['milliseconds'] < 60000)


def test_the_truth_is_a_bound():
    pixels = read_photo(find_resource('demo/photos/life.jpg')).pixels
    scorer = scorer_of()
    scored = dict(zip(scorer.combinations, scorer.score(pixels)[0]))
    gains = {one.steps: row['psnr_gain'] for one, row in scored.items()
             if one.decoder == 'oracle'}
    mean = scored[Combination('mean', 'none')]['psnr_gain']
    # Nothing is known better than all of it; nothing can be worse than grey.
    ok_(gains['colours of the grid'] > gains['one colour a segment'] >
        gains['best strength'] > mean, (gains, mean))
    ok_(gains['best strength'] > -0.1)


def test_the_default_is_the_network_s_own():
    own = [one for one in scorer_of().combinations if one.decoder == 'own']
    eq_([one.steps for one in own], ['none', 'total_variation'])


def test_what_was_taken_is_among_the_candidates():
    config = load_config()
    defaults = {setting: value for setting, value in config.refinement.items()
                if setting != 'steps'}
    tried = {}
    for one in CANDIDATES:
        for change in one.changes:
            setting, _, text = change.partition('.')[2].partition('=')
            tried.setdefault(setting, set()).add(
                SCHEMA['refinement'][setting](text))
    for setting, values in tried.items():
        assert_in(defaults[setting], values)
        ok_(len(values) > 1)


class TestFiles(tiny.InFolder):
    NUM_PHOTOS = 0

    @classmethod
    def setup_class(cls):
        super().setup_class()
        cls.photos = cls.root / 'everyday'
        cls.photos.mkdir()
        for name in 'coffee', 'sunset':
            Image.open(str(find_resource(
                'demo/photos/%s.jpg' % name))).resize((72, 64)).save(
                    str(cls.photos / (name + '.png')))
        Image.new('L', (60, 60)).save(str(cls.photos / 'grey.png'))
        with contextlib.redirect_stderr(io.StringIO()) as notes, stand_in():
            cls.text = score_consistency(
                cls.root / 'all.csv', everyday=cls.photos,
                sheet_file=cls.root / 'sheet.png')
        cls.notes = notes.getvalue()
        cls.rows = read_rows(cls.root / 'all.csv')

    def test_rows(self):
        eq_(tuple(self.rows[0]), COLUMNS)
        default = [row for row in self.rows if row['network'] == 'everyday']
        eq_([(row['decoder'], row['steps']) for row in default],
            [(one.decoder, one.steps) for one in scorer_of().combinations])
        eq_({row['count'] for row in default}, {'2'})
        # Each fourth one.
        eq_({row['count'] for row in self.rows
             if row['network'] == 'cvcl_best'}, {'1'})
        assert_in('grey.png', self.notes)

    def test_numbers_are_means(self):
        chosen = [Combination('argmax', 'fade')]
        scorer = scorer_of(chosen)
        scores = [scorer.score(read_photo(path).pixels)[0][0]
                  for path in sorted(self.photos.glob('*.png'))
                  if path.stem != 'grey']
        row = next(row for row in self.rows if row['steps'] == 'fade')
        for name in 'psnr', 'edge_error', 'inconsistency':
            assert_allclose(float(row[name]), np.mean(
                [one[name] for one in scores]), rtol=1e-4)
        assert_allclose(float(row['acc_u']), 100 * np.mean(
            [one['acc_u'] for one in scores]), rtol=1e-4)
        assert_allclose(float(row['colourfulness_ratio']), sum(
            one['colourfulness_predicted'] for one in scores) / sum(
            one['colourfulness_actual'] for one in scores), rtol=1e-4)

    def test_the_table_has_what_the_file_has(self):
        rows = [{key: value if key in COLUMNS[:5] else float(value)
                 for key, value in row.items()} for row in self.rows]
        lines = [[line.split() for line in text.splitlines()]
                 for text in (format_table(rows), self.text)]
        eq_(len(lines[0]), len(lines[1]))
        for one, other in zip(*lines):
            words = one[:-11] if one and one[-1].isdigit() else one
            eq_(words, other[:len(words)])
            # The file has six figures.
            assert_allclose([float(word) for word in one[len(words):]],
                            [float(word) for word in other[len(words):]],
                            atol=0.0101)
        assert_in('everyday, 2 photos, network everyday', self.text)

    def test_the_sheet_shows_all_ways(self):
        sheet = np.asarray(Image.open(str(self.root / 'sheet.png')))
        # Grey, six ways, the default and the original.
        eq_(sheet.shape[1], 9 * 220)

    def test_candidates(self):
        chosen = CANDIDATES[2:4] + CANDIDATES[-1:]
        with contextlib.redirect_stderr(io.StringIO()), stand_in(), \
                mock.patch('colornet.studies.consistency.CANDIDATES', chosen):
            text = choose_settings(self.root / 'choice.csv', self.photos,
                                   None, 2)
        rows = read_rows(self.root / 'choice.csv')
        eq_([row['changes'] for row in rows], [one.text for one in chosen])
        eq_({row['count'] for row in rows}, {'2'})
        assert_in('total_variation, ' + chosen[1].text, text)

    def test_candidates_of_a_step(self):
        chosen = CANDIDATES[:2] + CANDIDATES[3:4] + CANDIDATES[-1:]
        with contextlib.redirect_stderr(io.StringIO()), stand_in(), \
                mock.patch('colornet.studies.consistency.CANDIDATES', chosen):
            choose_settings(self.root / 'choice.csv', self.photos, None, 2,
                            steps=('guided',))
        rows = read_rows(self.root / 'choice.csv')
        eq_([row['steps'] for row in rows], ['none', 'none', 'guided'])

    def test_what_is_wrong(self):
        assert_raises(ColornetError, score_consistency, self.root / 'a.csv')
        with stand_in(), contextlib.redirect_stderr(io.StringIO()):
            folder = self.root / 'none'
            folder.mkdir()
            Image.new('L', (60, 60)).save(str(folder / 'grey.png'))
            with assert_raises(ColornetError) as caught:
                score_consistency(self.root / 'a.csv', everyday=folder)
        assert_in('grey.png', str(caught.exception))
        with assert_raises(ColornetError) as caught:
            Scorer(tiny.ROOT / 'weights' / 'cvcl_regression.h5', [],
                   engine='onnx' if not _has_theano() else None)
        assert_in('no class scores', str(caught.exception))


def _has_theano():
    from colornet.engine.available import missing_theano
    return not missing_theano()


def read_shipped(name):
    rows = read_rows(find_resource('experiments/results/%s.csv' % name))
    return [{key: value if key in COLUMNS[:5] else float(value)
             for key, value in row.items()} for row in rows]


def test_the_page_shows_the_table_that_ships():
    page = (tiny.ROOT / 'docs' / 'refinement.rst').read_text()
    lines = format_table(read_shipped('consistency')).splitlines()
    ok_(len(lines) > 70)
    for line in lines:
        assert_in(line, page)


def no_harm(rows, step, decoder):
    """Rows of a step that are no worse than those without."""
    tried = [row for row in rows
             if (row['decoder'], row['steps']) == (decoder, step)]
    none, = [row for row in rows
             if (row['decoder'], row['steps'], row['count']) ==
             (decoder, 'none', tried[0]['count'])]
    return [row for row in tried
            if row['psnr_gain'] >= none['psnr_gain'] and
            row['edge_error'] <= none['edge_error'] and
            (step != 'total_variation' or row['colourfulness_ratio'] >=
             0.95 * none['colourfulness_ratio'])]


def test_settings_are_those_that_the_rule_takes():
    """docs/refinement.rst: the most even that does no harm."""
    rows = read_shipped('consistency_choices')
    config = load_config().refinement
    for step, decoder in (('total_variation', 'own'), ('crf', 'argmax'),
                          ('fade', 'argmax')):
        best = min(no_harm(rows, step, decoder),
                   key=lambda row: row['inconsistency'])
        for change in best['changes'].split():
            setting, _, text = change.partition('=')
            eq_(config[setting], SCHEMA['refinement'][setting](text), step)
    # By the mean, too.
    assert_in(min(no_harm(rows, 'total_variation', 'own'),
                  key=lambda row: row['inconsistency'])['changes'],
              [row['changes']
               for row in no_harm(rows, 'total_variation', 'mean')])
