"""What ships: the table of networks and the files are the same."""

import re

from nose.tools import assert_in, eq_

from colornet.network.saved import load_configuration
from colornet.resources import (DEFAULT_NETWORK, SHIPPED_NETWORKS,
                                find_resource, weights_file)
from tests import tiny

WEIGHTS = tiny.ROOT / 'weights'


def test_the_table_has_the_networks_that_ship():
    eq_(sorted(SHIPPED_NETWORKS),
        sorted(path.stem for path in WEIGHTS.glob('*.h5')))
    for name in SHIPPED_NETWORKS:
        eq_(find_resource(weights_file(name)), WEIGHTS / (name + '.h5'))
    assert_in(find_resource(DEFAULT_NETWORK).stem, SHIPPED_NETWORKS)


def test_those_of_table_2_were_trained_on_its_photos():
    for name in SHIPPED_NETWORKS:
        config, _ = load_configuration(find_resource(weights_file(name)))
        eq_(config.data['dataset'] == 'cvcl', name.startswith('cvcl_'), name)


def test_the_readme_of_the_weights_has_each_once():
    names = re.findall(r'^ +[0-9a-f]{64}  (\w+)\.h5$',
                       (WEIGHTS / 'README.rst').read_text(), re.MULTILINE)
    eq_(sorted(names), sorted(SHIPPED_NETWORKS))
