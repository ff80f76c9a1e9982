"""Table 2 from networks in a runs folder and photos with CVCL's names."""

import csv
import json
import os
import tempfile
from pathlib import Path
from unittest import mock

from nose.tools import assert_in, assert_raises, eq_, ok_

import tiny
from colornet.config import load_config
from colornet.errors import ColornetError
from colornet.images import read_rgb
from colornet.predict import build_pretrained, save_network
from colornet.reports import PAPER_TABLE2, find_network, make_table2


class TestTable2:

    @classmethod
    def setup_class(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        root = Path(cls.temporary.name)
        tiny.use_own_cache(root)
        splits = tiny.ROOT / 'experiments' / 'splits'
        names = [line for subset in ('train', 'test') for line in
                 (splits / ('cvcl_%s.txt' % subset)).read_text().split('\n')
                 if line and not line.startswith('#')]
        eq_(len(names), 410)
        tiny.write_crops(root / 'cvcl', names)
        for path, overrides in ((tiny.EXPERIMENT, tiny.CLASSIFICATION),
                                (tiny.REGRESSION, tiny.OVERRIDES)):
            config = load_config(path, overrides + ['data.dataset=cvcl'])
            (root / 'runs' / path.stem).mkdir(parents=True)
            # Untrained, for the table does not care.
            save_network(root / 'runs' / path.stem / 'best.h5',
                         build_pretrained(config), config, {'epoch': 3})
        cls.root = root
        cls.text = make_table2(root / 'cvcl', root / 'runs',
                               root / 'runs' / 'table2.csv')
        with open(str(root / 'runs' / 'table2.csv')) as stream:
            reader = csv.DictReader(stream)
            cls.rows = {row['system']: row for row in reader}
            cls.columns = reader.fieldnames

    @classmethod
    def teardown_class(cls):
        del os.environ['COLORNET_CACHE']
        cls.temporary.cleanup()

    def test_columns_and_rows(self):
        eq_(self.columns, ['system', 'acc_u', 'acc_v', 'sat_diff', 'l_reg',
                           'psnr'])
        eq_(list(self.rows), [
            'paper_classification', 'paper_regression', 'classification',
            'regression', 'floor_mode', 'floor_grey', 'floor_lookup'])

    def test_the_papers_rows(self):
        eq_(float(self.rows['paper_classification']['acc_u']), 34.64)
        eq_(float(self.rows['paper_regression']['sat_diff']), 85.8)
        eq_(self.rows['paper_regression']['psnr'], '')
        eq_(len(PAPER_TABLE2), 2)

    def test_grey_has_no_saturation(self):
        ok_(abs(float(self.rows['floor_grey']['sat_diff']) + 100) < 0.1)

    def test_a_floor_that_learns_is_better_than_grey(self):
        ok_(float(self.rows['floor_lookup']['acc_u']) >
            float(self.rows['floor_grey']['acc_u']))

    def test_rows_are_the_means_of_the_images(self):
        for kind in ('classification', 'regression'):
            path = self.root / 'runs' / ('table2_%s.json' % kind)
            result = json.loads(path.read_text())
            eq_(len(result['images']), 50)
            mean = sum(row['acc_u'] for row in result['images']) / 50
            ok_(abs(100 * mean - float(self.rows[kind]['acc_u'])) < 1e-3)

    def test_the_text_names_the_networks_and_the_floors(self):
        assert_in(str(self.root / 'runs' / 'cvcl_regression' / 'best.h5'),
                  self.text)
        assert_in('floor_lookup', self.text)
        assert_in('34.64', self.text)

    def test_contact_sheets_are_pictures(self):
        for kind in ('classification', 'regression'):
            sheet = self.root / 'runs' / ('table2_%s.png' % kind)
            eq_(read_rgb(sheet, 64).shape, (64, 64, 3))

    def test_a_network_of_other_photos_is_refused(self):
        runs = self.root / 'other'
        config = load_config(tiny.EXPERIMENT, tiny.CLASSIFICATION)
        (runs / 'cvcl_classification').mkdir(parents=True)
        save_network(runs / 'cvcl_classification' / 'best.h5',
                     build_pretrained(config), config, {})
        # As a folder, the photos have another split.
        with mock.patch('colornet.reports.evaluate_network') as evaluate:
            with assert_raises(ColornetError) as caught:
                make_table2(self.root / 'cvcl', runs, runs / 'table2.csv')
        assert_in("data set 'folder'", str(caught.exception))
        ok_(not evaluate.called)
        ok_(not (runs / 'table2.csv').exists())

    def test_a_network_trained_here_comes_before_the_shipped_one(self):
        runs = self.root / 'runs'
        eq_(find_network('cvcl_regression', runs),
            runs / 'cvcl_regression' / 'best.h5')
        eq_(find_network('cvcl_regression', self.root / 'none'),
            tiny.ROOT / 'weights' / 'cvcl_regression.h5')
