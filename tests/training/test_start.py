"""Trainings that start from a trained network."""

import hashlib
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
from nose.tools import eq_

from colornet.config import load_config
from colornet.network.saved import (build_pretrained, learned_parameters,
                                    save_network)
from colornet.training.start import start_from
from tests import tiny
from tests.networks import (TINY, VARIANT, check_same_values, randomize,
                            values_of)


def start(net, config):
    return start_from(lambda one: learned_parameters(net, one), config)


class TestStart:

    def setup(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / 'trained.h5'

    setup_method = setup

    def teardown(self):
        self.folder.cleanup()

    teardown_method = teardown

    def save(self, overrides, **attributes):
        """A network that was trained, in the file."""
        config = load_config(overrides=overrides)
        net = build_pretrained(config)
        randomize(net, 3)
        if config.network['fine_tune']:
            net['conv4_3'].b.set_value(np.full(512, -0.5, 'float32'))
        save_network(self.path, net, config, attributes)
        return net

    def configured(self, overrides):
        """Settings that start from the file."""
        return load_config(overrides=overrides + [
            'training.start_from=%s' % self.path])

    def start(self, overrides):
        """A network of these settings that has started from the file."""
        config = self.configured(overrides)
        net = build_pretrained(config)
        return net, start(net, config)

    def test_other_options_are_no_start(self):
        net = self.save(VARIANT)
        for setting in ('output_stride=2', 'global_features=8', 'context=0'):
            config = self.configured(VARIANT + ['network.' + setting])
            # The refusal comes before anything is done with the network.
            tiny.check_error(lambda: start(net, config),
                             'network.' + setting.split('=')[0],
                             'cannot start from it')
        other, _ = self.start(VARIANT)
        check_same_values(values_of(other), values_of(net))

    def test_a_fine_tuned_vgg16_comes_along_where_it_would_be_saved(self):
        tuned = TINY + ['network.fine_tune=yes']
        net = self.save(tuned)
        # A training whose VGG16 stays as it is would not save this one.
        tiny.check_error(lambda: start(net, self.configured(TINY)),
                         'network.fine_tune = yes')
        fresh, _ = self.start(tuned)
        check_same_values(values_of(fresh), values_of(net))

    def test_where_the_parameters_come_from_is_told(self):
        self.save(TINY, trained_on='7 photos', epoch=3)
        expected = {
            'file': str(self.path), 'trained_on': '7 photos', 'epoch': 3,
            'sha256': hashlib.sha256(self.path.read_bytes()).hexdigest()}
        eq_(self.start(TINY)[1], expected)

    def test_photos_that_may_have_been_trained_on_are_told(self):
        net = self.save(TINY)
        for settings, is_told in (
                ([], False), (['training.seed=5'], True),
                (['training.seed=5', 'data.draw_seed=2016'], False),
                (['data.hold_out=0.5'], True),
                # Of other photos, nothing is known.
                (['data.hold_out=0.5', 'data.dataset=mcgill'], False)):
            with mock.patch('colornet.training.start.note') as note:
                start(net, self.configured(TINY + settings))
            eq_(note.called, is_told, settings)
