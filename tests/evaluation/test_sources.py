"""Which networks and photos are scored, and which are refused."""

import tempfile
from pathlib import Path

from nose.tools import eq_

from colornet.evaluation.sources import (ColourPhotos, check_dataset,
                                         find_network)
from tests import tiny
from tests.photos.samples import InFolder, grey, photo


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


class TestColourPhotos(InFolder):

    def test_some_without_colours_are_left_out(self):
        paths = [self.saved(photo(), 'a.png'), self.saved(grey(), 'b.png')]
        photos = ColourPhotos(paths, self.folder)
        eq_([pixels is None for pixels in map(photos.read, paths)],
            [False, True])
        photos.check_some()

    def test_all_are_an_error(self):
        paths = [self.saved(grey(), 'b.png')]
        for folder, where in (self.folder, ' in %s' % self.folder), (None, ''):
            photos = ColourPhotos(paths, folder)
            photos.read(*paths)
            tiny.check_error(photos.check_some, 'none of the 1 photos%s can '
                             'be scored: ' % where, 'b.png: grey')
        tiny.check_error(ColourPhotos([]).check_some, 'of the 0 photos')


def test_a_network_of_other_photos_is_refused():
    network = tiny.ROOT / 'weights' / 'cvcl_regression.h5'
    eq_(check_dataset(network, 'cvcl', 'Table 2').data['dataset'], 'cvcl')
    tiny.check_error(lambda: check_dataset(network, 'ilsvrc', 'figure 6'),
                     str(network), "data set 'cvcl'",
                     "figure 6 is about 'ilsvrc'")
