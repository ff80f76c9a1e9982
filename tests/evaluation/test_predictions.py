"""Predictions of many images, and their scores."""

import tempfile
from pathlib import Path

from nose.tools import assert_almost_equal, eq_

from colornet.color import split_channels
from colornet.config import load_config
from colornet.data.subsets import load_subset
from colornet.evaluation.predictions import evaluate, predict_images
from tests import tiny


def test_true_chrominance_scores_perfectly():
    with tempfile.TemporaryDirectory() as folder:
        tiny.use_own_cache(folder)
        data = Path(folder) / 'photos'
        tiny.write_crops(data, ['%d.jpg' % number for number in range(12)])
        config = load_config(tiny.REGRESSION, tiny.OVERRIDES)
        images, names = load_subset(config, data, 'train')
        chroma = iter(split_channels(images[:])[1])
        result = evaluate(
            predict_images(
                lambda luminance: [next(chroma) for _ in luminance], images),
            names)
        tiny.use_users_cache()
    eq_(len(result['images']), len(names))
    eq_([row['name'] for row in result['images']], names)
    eq_(result['mean']['acc_u'], 1)
    eq_(result['mean']['acc_v'], 1)
    assert_almost_equal(result['mean']['sat_diff'], 0, places=3)
    assert_almost_equal(result['mean']['l_reg'], 0)
