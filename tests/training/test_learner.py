"""The learner of Theano: its objective, what it says of itself."""

import numpy as np
from nose.tools import eq_
from numpy.testing import assert_allclose

from colornet.config import load_config
from colornet.engine.backend import T
from colornet.training.learner import TheanoLearner, make_objective


def test_the_objective_is_the_configured_one():
    random = np.random.RandomState(0)
    chroma, actual = random.normal(scale=9, size=(2, 3, 2, 4, 5)).astype(
        'float32')
    size = abs(chroma - actual)
    for settings, expected in (
            (['l2'], size ** 2),
            (['huber', 'objective.huber_threshold=9'],
             np.where(size <= 9, size ** 2, 9 * (2 * size - 9)))):
        objective = make_objective(load_config(overrides=[
            'network.kind=regression', 'objective.loss=' + settings[0]] +
            settings[1:]).objective)
        loss = objective([T.constant(chroma)], T.constant(actual)).eval()
        assert_allclose(loss, expected.sum(axis=1).mean(), rtol=1e-5)
    # Of seven classes with equal scores, in each of the two channels.
    scores = np.zeros((2, 3, 7, 4, 5), 'float32')
    objective = make_objective(load_config().objective)
    loss = objective(list(map(T.constant, scores)), T.constant(np.zeros(
        (3, 2, 4, 5), 'int32'))).eval()
    assert_allclose(loss, 2 * np.log(7), rtol=1e-5)


def test_a_run_says_whether_it_rounds():
    for bfloat16, expected in (False, 'float32'), (True, 'bfloat16'):
        learner = TheanoLearner(load_config(), bfloat16=bfloat16)
        eq_(learner.describe()['backend']['floats'], expected)
