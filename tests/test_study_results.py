"""Numbers of a study's rows, against an obvious twin."""

from collections import OrderedDict

import numpy as np
from nose.tools import eq_
from numpy.testing import assert_allclose

from colornet.study_results import _training_numbers


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
    numbers = _training_numbers(curves, 50, 'loss')
    expected = {
        'epochs': 2, 'minibatches': 40, 'training_loss': 3.5,
        'validation_loss': 4.0, 'best_epoch': 2,
        # The lowest mean of ten in a row.
        'lowest_loss': min(sum(losses[start:start + 10]) / 10
                           for start in range(31)),
        # From the first minibatch to the mean of the last tenth.
        'loss_decrease': (losses[0] - sum(losses[36:]) / 4) / 40,
        'loss_spread': np.sqrt(np.mean(
            (losses[20:] - np.mean(losses[20:])) ** 2)),
        'seconds_per_image': 5. / 50, 'peak_mb': 320.}
    eq_(set(numbers), set(expected))
    for name, value in expected.items():
        assert_allclose(numbers[name], value, rtol=1e-12, err_msg=name)
    eq_(_training_numbers(curves, 50, 'accuracy')['best_epoch'], 1)


def test_fewer_minibatches_than_a_mean_takes():
    curves = {'epochs': [OrderedDict(epoch=1, seconds=2., training_loss=2.,
                                     peak_mb=1.)],
              'minibatches': [{'epoch': 1, 'training_loss': loss}
                              for loss in (3., 2., 1.)]}
    numbers = _training_numbers(curves, 4, 'loss')
    assert_allclose(numbers['lowest_loss'], 2)
    assert_allclose(numbers['loss_decrease'], 2. / 3)
    eq_(set(numbers) & {'validation_loss', 'best_epoch'}, set())
