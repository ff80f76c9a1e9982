"""Decoding and objectives, of the same scores by both engines."""

import itertools

import numpy as np
from numpy.testing import assert_allclose

from colornet.color import get_color_space
from colornet.config import load_config
from tests.tiny import need


def setup_module():
    need('torch', 'theano')


def test_decodings_agree():
    import torch

    from colornet.engine.backend import T
    from colornet.network.decoding import predicted_chroma
    from colornet.pytorch import decoding
    scores = np.random.RandomState(0).normal(
        scale=3, size=(2, 2, 12, 5, 7)).astype('f')
    for method, temperature, smoothing, space in itertools.product(
            ('argmax', 'mean'), (0.4, 1), (0, 1.3), ('luv', 'hsv')):
        settings = {'method': method, 'temperature': temperature,
                    'smoothing': smoothing, 'saturation': 1.5}
        expected = predicted_chroma(
            list(map(T.constant, scores)), 12, get_color_space(space).limits,
            **settings).eval()
        chroma = decoding.predicted_chroma(
            list(map(torch.from_numpy, scores)),
            {'num_bins': 12, 'color_space': space}, settings)
        assert_allclose(chroma.numpy(), expected, atol=1e-4,
                        err_msg=str(settings))
    single = torch.from_numpy(scores[0][:, :2])
    assert_allclose(decoding.predicted_chroma([single], {}, settings).numpy(),
                    1.5 * scores[0][:, :2])


def test_objectives_agree():
    import torch

    from colornet.engine.backend import T
    from colornet.pytorch.objectives import find_loss
    from colornet.training.learner import make_objective
    random = np.random.RandomState(0)
    chroma, actual = random.normal(scale=9, size=(2, 3, 2, 4, 5)).astype('f')
    scores = random.normal(scale=9, size=(2, 3, 7, 4, 5)).astype('f')
    bins = random.randint(0, 7, (3, 2, 4, 5)).astype('int32')
    weights = random.uniform(0.1, 9, (2, 7)).astype('f')
    for outputs, targets, words, weights in (
            (scores, bins, [], None), (scores, bins, [], weights),
            (chroma[None], actual, ['objective.loss=l2'], None),
            (chroma[None], actual, ['objective.loss=huber',
                                    'objective.huber_threshold=9'], None)):
        settings = load_config(overrides=words and words + [
            'network.kind=regression']).objective
        expected = make_objective(settings, weights)(
            list(map(T.constant, outputs)), T.constant(targets)).eval()
        targets = torch.from_numpy(targets)
        loss = find_loss(list(map(torch.from_numpy, outputs)),
                         targets if words else targets.long(), settings,
                         weights if weights is None else
                         torch.from_numpy(weights))
        assert_allclose(loss.item(), expected, rtol=1e-6)
