"""The photos of a configuration: drawn, held out, left out."""

import io
import os
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_
from PIL import Image

from colornet.config import load_config
from colornet.data.subsets import draw_training, load_subset
from colornet.errors import ColornetError
from tests import tiny


class TestSubsets(tiny.InFolder):
    NUM_PHOTOS = 9

    @classmethod
    def setup_class(cls):
        super().setup_class()
        cls.data = cls.root / 'photos'
        (cls.data / 'broken.jpg').write_text('no photo')
        cls.config = load_config(tiny.REGRESSION, tiny.OVERRIDES)

    def test_validation_photos_are_those_that_are_held_out(self):
        held_out, names = load_subset(self.config, self.data, 'validation')
        images, all_names = load_subset(self.config, self.data, 'train')
        ok_(0 < len(names) < len(all_names))
        for image, name in zip(held_out, names):
            np.testing.assert_array_equal(image,
                                          images[[all_names.index(name)]][0])
        config = load_config(tiny.REGRESSION,
                             tiny.OVERRIDES + ['data.hold_out=0'])
        with assert_raises(ColornetError) as caught:
            load_subset(config, self.data, 'validation')
        assert_in('hold_out', str(caught.exception))

    def test_a_number_of_photos_is_drawn(self):
        config = load_config(tiny.REGRESSION, tiny.OVERRIDES +
                             ['data.num_images=5'])
        parts = [load_subset(config, self.data, subset)[1]
                 for subset in ('train', 'validation')]
        eq_([len(names) for names in parts], [5, 1])
        ok_(set(parts[1]) < set(parts[0]))
        _, everything = load_subset(self.config, self.data, 'train')
        ok_(set(parts[0]) < set(everything))
        training, validation = draw_training(360, config)
        eq_((len(training), len(validation)), (4, 1))
        config.override('data.num_images=400')
        training, validation = draw_training(360, config)
        np.testing.assert_array_equal(
            np.sort(np.concatenate([training, validation])), np.arange(360))

    def test_a_seed_of_their_own_keeps_the_held_out_photos(self):
        first, other, fixed = [
            draw_training(360, load_config(overrides=[
                'data.num_images=100'] + settings)) for settings in (
                    [], ['training.seed=5'],
                    ['training.seed=5', 'data.draw_seed=2016'])]
        for part, same in zip(first, fixed):
            np.testing.assert_array_equal(part, same)
        ok_((first[1] != other[1]).any())

    def test_what_cannot_be_read_is_named_and_left_out(self):
        odd = self.root / 'odd photos'
        tiny.write_crops(odd, ['%d.jpg' % number for number in range(9)])
        (odd / 'dead.jpg').symlink_to('nowhere.jpg')
        os.mkfifo(str(odd / 'pipe.jpg'))
        (odd / 'folder.jpg').mkdir()
        with mock.patch('sys.stderr', io.StringIO()) as err:
            names = [name for subset in ('train', 'test') for name in
                     load_subset(self.config, odd, subset)[1]]
        eq_(len(names), 9)
        for name in 'dead.jpg: missing', 'pipe.jpg: not a regular file':
            assert_in(name, err.getvalue())


class TestCrops(tiny.InFolder):
    NUM_PHOTOS = 0

    @classmethod
    def setup_class(cls):
        super().setup_class()
        cls.data = cls.root / 'photos'
        tiny.write_wider_crops(cls.data)
        cls.config = load_config(tiny.REGRESSION, tiny.OVERRIDES + [
            'data.proportions=keep', 'data.min_crop=0.75',
            'data.test_share=0'])

    def test_validation_takes_central_squares(self):
        images, names = load_subset(self.config, self.data, 'validation')
        eq_(images.shape, (2, 32, 32, 3))
        for image, name in zip(images, names):
            photo = Image.open(self.data / name)
            left = (photo.width - 40) // 2
            square = photo.crop((left, 0, left + 40, 40))
            # The longest one has lost its ends.
            np.testing.assert_allclose(
                image, np.array(square.resize((32, 32), Image.LANCZOS)),
                atol=2)
        with assert_raises(ColornetError) as caught:
            load_subset(self.config, self.data, 'test')
        assert_in('test_share', str(caught.exception))
