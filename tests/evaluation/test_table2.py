"""Table 2 from networks in a runs folder and photos with CVCL's names."""

import csv
import json
from collections import OrderedDict
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_
from numpy.testing import assert_allclose

from colornet.errors import ColornetError
from colornet.evaluation.table2 import (NETWORKS, PAPER, _intervals,
                                        bootstrap_interval, make_table2)
from colornet.metrics import in_units
from colornet.photos.reading import read_rgb
from tests import tiny


class TestTable2(tiny.InFolder):
    NUM_PHOTOS = 0

    @classmethod
    def setup_class(cls):
        super().setup_class()
        root = cls.root
        tiny.write_cvcl(root / 'cvcl')
        # Untrained, for the table does not care.
        for path, stem, overrides in (
                (tiny.EXPERIMENT, 'cvcl_classification', tiny.CLASSIFICATION),
                (tiny.REGRESSION, 'cvcl_regression', tiny.OVERRIDES),
                (tiny.REGRESSION, 'cvcl_regression_l2',
                 tiny.OVERRIDES + ['decoding.saturation=1.2'])):
            tiny.save_untrained(
                root / 'runs', stem, path, overrides + ['data.dataset=cvcl'],
                epoch=3, trained_on='7 photos of cvcl')
        # Of the networks that need not be there, one is.
        cls.networks = OrderedDict([
            (kind, NETWORKS[kind]) for kind in
            ('classification', 'regression', 'regression_l2')],
            best='cvcl_that_does_not_exist')
        with mock.patch('colornet.evaluation.table2.NETWORKS', cls.networks):
            cls.text = make_table2(root / 'cvcl', root / 'runs',
                                   root / 'runs' / 'table2.csv')
        with open(str(root / 'runs' / 'table2.csv')) as stream:
            reader = csv.DictReader(stream)
            cls.rows = {row['system']: row for row in reader}
            cls.columns = reader.fieldnames
        with open(str(root / 'runs' / 'table2_intervals.csv')) as stream:
            cls.intervals = list(csv.DictReader(stream))
        cls.results = {
            kind: json.loads((root / 'runs' / ('table2_%s.json' % kind))
                             .read_text())
            for kind in ('classification', 'regression', 'regression_l2')}

    def test_columns_and_rows(self):
        eq_(self.columns[:5], ['system', 'acc_u', 'acc_v', 'sat_diff',
                               'abs_sat_diff'])
        for column in ('l_reg', 'sat_diff_pooled', 'psnr', 'ssim', 'acc_u_8',
                       'acc_v_8', 'within_3_v', 'colourfulness_predicted',
                       'psnr_grey', 'psnr_gain', 'nearer_than_grey', 'auc',
                       'colourfulness_ratio'):
            assert_in(column, self.columns)
        eq_(list(self.rows), [
            'paper_classification', 'paper_regression', 'classification',
            'regression', 'regression_l2', 'floor_mode', 'floor_grey',
            'floor_lookup'])

    def test_what_cannot_be_written_is_told_before_the_work(self):
        for name in 'intervals.csv', 'regression.json', 'classification.png':
            folder = self.root / ('other_' + name)
            folder.mkdir()
            with mock.patch('colornet.evaluation.table2.NETWORKS',
                            self.networks), \
                    mock.patch('colornet.evaluation.table2.evaluate_network'
                               ) as evaluate:
                tiny.check_error(lambda: make_table2(
                    self.root / 'cvcl', self.root / 'runs',
                    self.root / 'other.csv'), folder.name)
            eq_(evaluate.call_count, 0)
            folder.rmdir()

    def test_units(self):
        for system in ('classification', 'floor_lookup'):
            row = {name: float(value) for name, value
                   in self.rows[system].items() if name != 'system'}
            result = self.results.get(system)
            if result:
                eq_(row['psnr'], float('%.10g' % result['mean']['psnr']))
                assert_allclose(row['within_1_v'],
                                100 * result['mean']['within_1_v'])
            ok_(row['acc_u'] <= row['within_1_u'] <= row['within_2_u'] <= 100)
            ok_(0 < row['ssim'] <= 1)

    def test_intervals_hold_the_means_and_the_spread_of_the_images(self):
        systems = {row['system'] for row in self.intervals}
        ok_('classification - regression' in systems)
        ok_('floor_grey - regression' not in systems)
        for row in self.intervals:
            values = {name: float(row[name])
                      for name in ('mean', 'std', 'low', 'high')}
            ok_(values['low'] <= values['mean'] <= values['high'], row)
            if row['system'] not in self.results:
                continue
            scores = np.array([image[row['metric']] for image in
                               self.results[row['system']]['images']])
            if row['metric'] in ('acc_v', 'sat_diff'):
                scores *= 100
            elif row['metric'] != 'ssim':
                continue
            assert_allclose(values['mean'], scores.mean(), rtol=1e-6)
            assert_allclose(values['std'], scores.std(ddof=1), rtol=1e-6)
            assert_allclose([values['low'], values['high']],
                            bootstrap_interval(scores), rtol=1e-6)

    def test_differences_are_taken_photo_by_photo(self):
        row, = [row for row in self.intervals if row['metric'] == 'psnr' and
                row['system'] == 'classification - regression']
        differences = [
            one['psnr'] - other['psnr'] for one, other in
            zip(self.results['classification']['images'],
                self.results['regression']['images'])]
        assert_allclose(float(row['std']), np.std(differences, ddof=1),
                        rtol=1e-6)
        mean = np.mean(differences)
        ok_(abs(mean) > 1e-3)  # So that its sign can be wrong.
        assert_allclose(float(row['mean']), mean, rtol=1e-6)

    def test_differences_of_other_photos_are_refused(self):
        images = {name: [dict(row) for row in result['images']]
                  for name, result in self.results.items()}
        images['classification'].reverse()
        with assert_raises(ValueError):
            list(_intervals({name: {'images': rows}
                             for name, rows in images.items()}))

    def test_the_papers_rows(self):
        for system, numbers in (('classification', [34.64, 24.14, 6.5]),
                                ('regression', [12.92, 19.02, 85.8])):
            row = self.rows['paper_' + system]
            eq_([float(row[name]) for name in ('acc_u', 'acc_v', 'sat_diff')],
                numbers)
        eq_(self.rows['paper_regression']['psnr'], '')
        eq_(len(PAPER), 2)

    def test_the_gain_is_over_grey(self):
        grey = self.rows['floor_grey']
        eq_([float(grey[name]) for name in ('psnr_gain', 'nearer_than_grey')],
            [0, 0])
        eq_(grey['psnr'], grey['psnr_grey'])
        row, result = self.rows['regression'], self.results['regression']
        assert_allclose(float(row['psnr']) - float(row['psnr_gain']),
                        float(grey['psnr']), rtol=1e-6)
        assert_allclose(float(row['nearer_than_grey']), 2 * sum(
            image['psnr_gain'] > 0 for image in result['images']))
        assert_in('nearer than grey, %', self.text)

    def test_grey_has_no_saturation(self):
        ok_(abs(float(self.rows['floor_grey']['sat_diff']) + 100) < 0.1)

    def test_a_floor_that_learns_is_better_than_grey(self):
        ok_(float(self.rows['floor_lookup']['acc_u']) >
            float(self.rows['floor_grey']['acc_u']))

    def test_rows_are_the_means_of_the_images(self):
        for kind, result in self.results.items():
            images = result['images']
            eq_(len(images), 50)
            expected = {name: sum(image[name] for image in images) / 50
                        for name in images[0] if name != 'name'}
            # These two are of all images together.
            for name, words in (('sat_diff_pooled', 'saturation_%s'),
                                ('colourfulness_ratio', 'colourfulness_%s')):
                expected[name] = (expected[words % 'predicted'] /
                                  expected[words % 'actual'])
            expected['sat_diff_pooled'] -= 1
            eq_(set(self.columns), {'system'} | set(expected))
            for name, mean in expected.items():
                assert_allclose(float(self.rows[kind][name]),
                                in_units(name, mean), rtol=1e-6, atol=1e-6,
                                err_msg='%s, %s' % (kind, name))

    def test_rows_have_the_means_of_the_intervals(self):
        seen = set()
        for interval in self.intervals:
            system, metric = interval['system'], interval['metric']
            if ' - ' not in system:
                eq_(self.rows[system][metric], interval['mean'])
                seen.add(system)
        eq_(seen, {name for name in self.rows if 'paper' not in name})

    def test_the_text_names_the_networks_and_the_floors(self):
        assert_in(str(self.root / 'runs' / 'cvcl_regression' / 'best.h5'),
                  self.text)
        assert_in('epoch 3, 7 photos of cvcl', self.text)
        assert_in('decoding.saturation: 1.2, not 1', self.text)
        assert_in('floor_lookup', self.text)
        assert_in('34.64', self.text)

    def test_contact_sheets_are_pictures(self):
        for kind in ('classification', 'regression'):
            sheet = self.root / 'runs' / ('table2_%s.png' % kind)
            eq_(read_rgb(sheet, 64).shape, (64, 64, 3))

    def test_a_network_of_other_photos_is_refused(self):
        runs = self.root / 'other'
        tiny.save_untrained(runs, 'cvcl_classification', tiny.EXPERIMENT,
                            tiny.CLASSIFICATION)
        # As a folder, the photos have another split.
        with mock.patch(
                'colornet.evaluation.table2.evaluate_network') as evaluate:
            with assert_raises(ColornetError) as caught:
                make_table2(self.root / 'cvcl', runs, runs / 'table2.csv')
        assert_in("data set 'folder'", str(caught.exception))
        ok_(not evaluate.called)
        ok_(not (runs / 'table2.csv').exists())

    def test_networks_of_two_sizes_are_refused(self):
        runs = self.root / 'sizes'
        for stem, path, overrides in (
                ('cvcl_classification', tiny.EXPERIMENT, tiny.CLASSIFICATION +
                 ['data.dataset=cvcl', 'data.size=48']),
                ('cvcl_regression', tiny.REGRESSION, tiny.OVERRIDES +
                 ['data.dataset=cvcl'])):
            tiny.save_untrained(runs, stem, path, overrides)
        tiny.check_error(lambda: make_table2(
            self.root / 'cvcl', runs, runs / 'table2.csv'), 'one image size',
            'has 48')


def test_bootstrap_interval_of_many_values_is_the_textbooks():
    values = np.random.RandomState(1).normal(5, 2, 400)
    low, high = bootstrap_interval(values)
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    assert_allclose([low, high], [values.mean() - half, values.mean() + half],
                    atol=0.03)
    eq_(bootstrap_interval(values), (low, high))
    wider = bootstrap_interval(values, 0.99)
    ok_(wider[0] < low < high < wider[1])
    eq_(bootstrap_interval([3, 3, 3]), (3, 3))
