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

from colornet import cli
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
from colornet.studies.consistency import (COLUMNS, INTERVAL_COLUMNS,
                                          choose_settings, format_intervals,
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


def numbers_of(rows):
    return [{key: value if key in COLUMNS[:5] + ('metric',) else float(value)
             for key, value in row.items()} for row in rows]


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

    def test_intervals_are_of_differences_photo_by_photo(self):
        rows = read_rows(self.root / 'all_intervals.csv')
        eq_(tuple(rows[0]), INTERVAL_COLUMNS)
        # Nothing to be compared with: none itself, and those who know.
        eq_({(row['decoder'], row['steps']) for row in rows},
            {(one.decoder, one.steps) for one in scorer_of().combinations
             if one.steps != 'none' and one.decoder != 'oracle'})
        scorer = scorer_of([Combination('mean', 'none'),
                            Combination('mean', 'segments')])
        scores = [scorer.score(read_photo(path).pixels)[0]
                  for path in sorted(self.photos.glob('*.png'))
                  if path.stem != 'grey']
        chosen = {row['metric']: row for row in rows
                  if (row['network'], row['decoder'], row['steps']) ==
                  ('everyday', 'mean', 'segments')}
        eq_(set(chosen), {'psnr_gain', 'inconsistency', 'edge_error',
                          'colourfulness_predicted'})
        for metric, row in chosen.items():
            eq_(row['count'], '2')
            pairs = np.array([[one[metric] for one in photo]
                              for photo in scores])
            changes = pairs[:, 1] - pairs[:, 0]
            if metric in ('psnr_gain', 'edge_error'):
                ok_(abs(changes[0] - changes[1]) > 1e-3, metric)
            # Of two photos, one is drawn twice in half of all draws.
            assert_allclose(
                [float(row[name]) for name in
                 ('without', 'with', 'difference', 'low', 'high')],
                [*pairs.mean(axis=0), changes.mean(), changes.min(),
                 changes.max()], rtol=1e-4, atol=1e-5)

    def test_default_only(self):
        with contextlib.redirect_stderr(io.StringIO()), stand_in():
            text = score_consistency(
                self.root / 'default.csv', everyday=self.photos,
                default_only=True)
        rows = read_rows(self.root / 'default.csv')
        eq_([(row['decoder'], row['steps']) for row in rows],
            2 * [('own', 'none'), ('own', 'total_variation')])
        everything = [row for row in self.rows if row['decoder'] == 'own']
        for row, other in zip(rows, everything):
            eq_(dict(row, milliseconds=''), dict(other, milliseconds=''))
        intervals = read_rows(self.root / 'default_intervals.csv')
        eq_(intervals, [row for row in
                        read_rows(self.root / 'all_intervals.csv')
                        if row['decoder'] == 'own'])
        assert_in('own, total_variation  +', text)

    def test_the_tables_have_what_the_files_have(self):
        lines = [[line.split() for line in text.splitlines()] for text in (
            format_table(numbers_of(self.rows)) + '\n\n' + format_intervals(
                numbers_of(read_rows(self.root / 'all_intervals.csv'))),
            self.text)]
        eq_(len(lines[0]), len(lines[1]))
        for one, other in zip(*lines):
            eq_(len(one), len(other))
            for word, same in zip(one, other):
                if not word.strip('[],').lstrip('+-').replace(
                        '.', '').isdigit():
                    eq_(word, same)
                    continue
                # The file has six figures.
                assert_allclose(*[float(text.strip('[],'))
                                  for text in (word, same)], atol=0.0101)
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
        (self.root / 'b_intervals.csv').mkdir()
        with mock.patch.object(Scorer, 'score') as score:
            tiny.check_error(lambda: score_consistency(
                self.root / 'b.csv', everyday=self.photos), 'b_intervals.csv')
        eq_(score.call_count, 0)
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


def test_each_way_has_a_file_of_its_own():
    for options, name in ((['--default'], 'consistency_default'),
                          (['--choose', 'crf', '--list', 'none.txt'],
                           'consistency_choices'), ([], 'consistency')):
        way = '%s.%s' % (score_consistency.__module__,
                         'choose_settings' if '--choose' in options else
                         'score_consistency')
        with mock.patch(way, return_value='') as called, \
                contextlib.redirect_stderr(io.StringIO()), \
                contextlib.redirect_stdout(io.StringIO()):
            eq_(cli.main(['consistency', '--everyday', 'none'] + options), 0)
        eq_(called.call_args[0][0], 'runs/%s.csv' % name)


def test_options_that_exclude_each_other():
    for options, word in (
            (['--default', '--sheet', 'sheet.png'], '--sheet shows'),
            (['--default', '--choose'], 'neither --sheet nor --default')):
        with contextlib.redirect_stderr(io.StringIO()) as shown:
            eq_(cli.main(['consistency', '--everyday', 'none', '--out',
                          'none.csv'] + options), 2)
        assert_in(word, shown.getvalue())
