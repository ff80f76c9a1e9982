"""Decodings of an untrained network, compared on tiny photos."""

import csv
import io
from unittest import mock

import numpy as np
from nose.tools import assert_in, eq_
from numpy.testing import assert_allclose

from colornet import cli
from colornet.config import load_config
from colornet.data.subsets import load_subset
from colornet.evaluation.decodings import DECODINGS, SHOWN, compare_decodings
from colornet.evaluation.predictions import predict_images
from colornet.metrics import image_metrics
from colornet.network.saved import (build_pretrained, compile_prediction,
                                    load_network, save_network)
from colornet.photos.reading import read_rgb
from tests import tiny


class TestDecodings(tiny.InFolder):

    @classmethod
    def setup_class(cls):
        super().setup_class()
        cls.networks = {}
        for kind, path, overrides in (
                ('classification', tiny.EXPERIMENT, tiny.CLASSIFICATION +
                 ['decoding.saturation=1.5']),
                ('hsv', tiny.EXPERIMENT, tiny.CLASSIFICATION +
                 ['network.color_space=hsv']),
                ('regression', tiny.REGRESSION, tiny.OVERRIDES)):
            config = load_config(path, overrides)
            cls.networks[kind] = cls.root / (kind + '.h5')
            save_network(cls.networks[kind], build_pretrained(config), config,
                         {})
        cls.text = compare_decodings(
            cls.networks['classification'], cls.root / 'photos', 'validation',
            cls.root / 'decodings.csv')
        with open(str(cls.root / 'decodings.csv')) as stream:
            cls.rows = {row['decoding']: row
                        for row in csv.DictReader(stream)}

    def test_every_decoding_has_a_row(self):
        eq_(list(self.rows), list(DECODINGS))
        for name in DECODINGS:
            assert_in(name, self.text)
        # An untrained network's expectation is nearly grey.
        assert float(self.rows['expectation']['colourfulness_predicted']) < \
            float(self.rows['argmax']['colourfulness_predicted'])

    def test_rows_are_those_of_the_decoding_alone(self):
        for name in 'argmax', 'annealed mean 0.38', 'argmax, smoothed by 2':
            net, config, _ = load_network(
                self.networks['classification'],
                decoding=['decoding.%s=%s' % item
                          for item in DECODINGS[name].items()])
            images, _ = load_subset(config, self.root / 'photos',
                                    'validation')
            found = predict_images(compile_prediction(net, config), images)
            rows = [image_metrics(chroma, rgb) for rgb, chroma in found]
            for metric in 'within_1_u', 'sat_diff', 'auc', 'psnr_gain':
                mean = np.mean([row[metric] for row in rows])
                # Folded or not: rounding may decide between equal scores.
                assert_allclose(float(self.rows[name][metric]), mean,
                                atol=2e-3)

    def test_the_sheet_is_a_picture(self):
        assert set(SHOWN) < set(DECODINGS)
        eq_(read_rgb(self.root / 'decodings.png', 64).shape, (64, 64, 3))

    def test_regression_has_nothing_to_decode(self):
        tiny.check_error(lambda: compare_decodings(
            self.networks['regression'], self.root / 'photos', 'test',
            self.root / 'none.csv'), 'regression.h5', 'class scores')

    def test_a_sheet_that_cannot_be_written_is_told_before_the_work(self):
        (self.root / 'other.png').mkdir()
        tiny.check_error(lambda: compare_decodings(
            'none.h5', 'none', 'test', self.root / 'other.csv'), 'other.png')

    def test_hue_has_no_mean(self):
        tiny.check_error(lambda: compare_decodings(
            self.networks['hsv'], self.root / 'photos', 'test',
            self.root / 'none.csv'), 'hsv.h5')

    def test_the_table_does_not_overwrite_the_pictures(self):
        with mock.patch('sys.stderr', io.StringIO()) as err:
            eq_(cli.main(['decodings', str(self.networks['classification']),
                          '--data', str(self.root / 'photos'), '--out',
                          str(self.root / 'none.png')]), 2)
        assert_in('none.png', err.getvalue())
