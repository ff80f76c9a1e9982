"""Where things are, and what the environment may say."""

from pathlib import Path

from nose.tools import eq_

from colornet.resources import (cache_folder, find_resource, image_commit,
                                take_environment)
from tests.tiny import check_error


def test_resources():
    assert find_resource('experiments/defaults.ini').is_file()
    check_error(lambda: find_resource('weights/none.h5'), 'weights/none.h5')


def check_environment(variables, folder, commit):
    take_environment(variables)
    try:
        eq_((cache_folder(), image_commit()), (folder, commit))
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
