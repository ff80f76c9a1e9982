"""Which networks are scored, and which are refused."""

import tempfile
from pathlib import Path

from nose.tools import eq_

from colornet.evaluation.sources import check_dataset, find_network
from tests import tiny


def test_a_network_trained_here_comes_before_the_shipped_one():
    with tempfile.TemporaryDirectory() as runs:
        shipped = tiny.ROOT / 'weights' / 'cvcl_regression.h5'
        eq_(find_network('cvcl_regression', runs), shipped)
        trained = Path(runs) / 'cvcl_regression' / 'best.h5'
        trained.parent.mkdir()
        trained.write_bytes(b'')
        eq_(find_network('cvcl_regression', runs), trained)
        tiny.check_error(lambda: find_network('cvcl_none', runs),
                         'weights/cvcl_none.h5')


def test_a_network_of_other_photos_is_refused():
    network = tiny.ROOT / 'weights' / 'cvcl_regression.h5'
    eq_(check_dataset(network, 'cvcl', 'Table 2').data['dataset'], 'cvcl')
    tiny.check_error(lambda: check_dataset(network, 'ilsvrc', 'figure 6'),
                     str(network), "data set 'cvcl'",
                     "figure 6 is about 'ilsvrc'")
