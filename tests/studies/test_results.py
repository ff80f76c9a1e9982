"""Numbers of a study's rows, against an obvious twin."""

import tempfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
from nose.tools import eq_
from numpy.testing import assert_allclose

from colornet.config import load_config
from colornet.network.networks import (build_network, decoder_parameters,
                                       trainable_parameters)
from colornet.network.parameters import save_arrays
from colornet.studies.results import _count_parameters, _training_numbers
from tests import tiny


def test_the_numbers_of_a_training_follow_from_its_curves():
    random = np.random.RandomState(0)
    losses = 5 - 0.05 * np.arange(40) + random.rand(40)
    minibatches = [{'minibatch': number, 'epoch': (number - 1) // 20 + 1,
                    'training_loss': loss}
                   for number, loss in enumerate(losses, 1)]
    epochs = [{'epoch': 1, 'seconds': 9., 'training_loss': 4.5, 'acc_u': 0.3,
               'acc_v': 0.1, 'validation_loss': 4.1, 'peak_mb': 320.},
              {'epoch': 2, 'seconds': 14., 'training_loss': 3.5, 'acc_u': 0.1,
               'acc_v': 0.1, 'validation_loss': 4.0, 'peak_mb': 310.}]
    curves = {'epochs': epochs, 'minibatches': minibatches}
    numbers = _training_numbers(curves, 50, 6, 'loss')
    expected = {
        'epochs': 2, 'minibatches': 40, 'training_loss': 3.5,
        'validation_loss': 4.0, 'best_epoch': 2,
        # The lowest mean of ten in a row.
        'lowest_loss': min(sum(losses[start:start + 10]) / 10
                           for start in range(31)),
        # From the first minibatch to the mean of the last tenth.
        'loss_decrease': (losses[0] - sum(losses[36:]) / 4) / 40,
        # Of the last epoch, as many minibatches together as make 24 photos.
        'loss_spread': np.std([np.mean(losses[start:start + 4])
                               for start in range(20, 40, 4)]),
        'seconds_per_image': 5. / 50, 'peak_mb': 320.}
    eq_(set(numbers), set(expected))
    for name, value in expected.items():
        assert_allclose(numbers[name], value, rtol=1e-12, err_msg=name)
    eq_(_training_numbers(curves, 50, 6, 'accuracy')['best_epoch'], 1)
    # What is left over in the end does not count, nor are 24 less than one.
    spreads = [_training_numbers(curves, 50, size, 'loss')['loss_spread']
               for size in (8, 30)]
    assert_allclose(spreads, [
        np.std([np.mean(losses[start:start + 3])
                for start in range(20, 38, 3)]), np.std(losses[20:])])


def test_fewer_minibatches_than_a_mean_takes():
    curves = {'epochs': [OrderedDict(epoch=1, seconds=2., training_loss=2.,
                                     peak_mb=1.)],
              'minibatches': [{'epoch': 1, 'training_loss': loss}
                              for loss in (3., 2., 1.)]}
    numbers = _training_numbers(curves, 4, 8, 'loss')
    assert_allclose(numbers['lowest_loss'], 2)
    assert_allclose(numbers['loss_decrease'], 2. / 3)
    eq_(set(numbers) & {'validation_loss', 'best_epoch', 'loss_spread'},
        set())


def test_what_is_counted_is_what_is_trained():
    for settings in tiny.CLASSIFICATION, tiny.OVERRIDES + [
            'network.kind=regression', 'objective.loss=l2']:
        net = build_network(load_config(overrides=settings))
        with tempfile.TemporaryDirectory() as folder:
            save_arrays(Path(folder) / 'best.h5', {'parameters': {
                '/'.join(name): variable.get_value()
                for name, variable in decoder_parameters(net).items()}}, {})
            eq_(_count_parameters(Path(folder)), sum(
                variable.get_value().size
                for variable in trainable_parameters(net)))
