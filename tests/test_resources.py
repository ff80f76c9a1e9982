"""Where things are: the networks that ship, what the environment may say."""

import os
import re
from pathlib import Path
from unittest import mock

from nose.tools import assert_in, eq_

from colornet.network.stored import load_configuration
from colornet.resources import (DEFAULT_NETWORK, SHIPPED_NETWORKS,
                                cache_folder, chose_cache, find_resource,
                                image_commit, num_processors, take_environment,
                                weights_file)
from tests import tiny
from tests.tiny import check_error

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


def test_resources():
    assert find_resource('experiments/defaults.ini').is_file()
    check_error(lambda: find_resource('weights/none.h5'), 'weights/none.h5')


def check_environment(variables, folder, commit):
    take_environment(variables)
    try:
        eq_((cache_folder(), image_commit()), (folder, commit))
        eq_(chose_cache(), folder != Path.home() / '.cache' / 'colornet')
    finally:
        take_environment({})


def test_the_environment_says_where_photos_are_kept():
    home = Path.home() / '.cache' / 'colornet'
    for case in [
            ({}, home, None),
            ({'COLORNET_CACHE': '', 'XDG_CACHE_HOME': ''}, home, None),
            ({'XDG_CACHE_HOME': '/x'}, Path('/x/colornet'), None),
            ({'COLORNET_CACHE': '/y', 'XDG_CACHE_HOME': '/x',
              'COLORNET_COMMIT': 'abc'}, Path('/y'), 'abc')]:
        yield (check_environment,) + case


def test_processors_where_the_system_does_not_say_which_are_ours():
    eq_(num_processors(), len(os.sched_getaffinity(0)))
    with mock.patch.object(os, 'sched_getaffinity') as function:
        del os.sched_getaffinity
        with mock.patch.object(os, 'cpu_count', lambda: 5):
            eq_(num_processors(), 5)
        with mock.patch.object(os, 'cpu_count', lambda: None):
            eq_(num_processors(), 1)
        os.sched_getaffinity = function
    eq_(num_processors(), len(os.sched_getaffinity(0)))
