"""Objectives and their gradients against loops and scipy."""

import numpy as np
import scipy.special
from numpy.testing import assert_allclose

from colornet.engine.backend import T, theano
from colornet.network.objectives import cross_entropy_loss, huber_loss, l2_loss

BATCH, ROWS, COLUMNS, NUM_BINS = 2, 3, 4, 5
PIXELS = BATCH * ROWS * COLUMNS
THRESHOLD = 20.


def regression_examples():
    """Predictions and targets, residuals on both sides of the threshold."""
    random = np.random.RandomState(0)
    target = random.uniform(-100, 100, (BATCH, 2, ROWS, COLUMNS))
    residuals = random.normal(scale=THRESHOLD, size=target.shape)
    assert 10 < np.sum(abs(residuals) > THRESHOLD) < residuals.size - 10
    return target + residuals, target


def compile_regression(loss):
    """Loss and its gradient by the prediction, in float64."""
    prediction, target = T.dtensor4s('prediction', 'target')
    value = loss(prediction, target)
    return theano.function([prediction, target],
                           [value, T.grad(value, prediction)])


class TestHuber:
    """Compiled once for all tests."""

    @classmethod
    def setup_class(cls):
        cls.run = staticmethod(compile_regression(
            lambda *pair: huber_loss(*pair, threshold=THRESHOLD)))

    def one(self, residual):
        """Penalty and slope of a single residual."""
        value, gradient = self.run(np.full((1, 1, 1, 1), residual),
                                   np.zeros((1, 1, 1, 1)))
        return float(value), float(gradient.ravel()[0])

    def test_is_the_formula_of_the_paper(self):
        prediction, target = regression_examples()
        total = 0
        for u in (prediction - target).ravel():
            total += (u ** 2 if abs(u) < THRESHOLD else
                      THRESHOLD * (2 * abs(u) - THRESHOLD))
        assert_allclose(self.run(prediction, target)[0], total / PIXELS)

    def test_is_twice_the_usual_penalty(self):
        prediction, target = regression_examples()
        usual = scipy.special.huber(THRESHOLD, prediction - target)
        assert_allclose(self.run(prediction, target)[0],
                        2 * usual.sum(axis=1).mean())

    def test_gradient(self):
        prediction, target = regression_examples()
        assert_allclose(
            self.run(prediction, target)[1],
            2 * (prediction - target).clip(-THRESHOLD, THRESHOLD) / PIXELS)

    def test_both_sides_of_the_threshold(self):
        assert_allclose(self.one(10.), (100, 20))
        assert_allclose(self.one(-10.), (100, -20))
        assert_allclose(self.one(100.), (20 * 180, 40))
        assert_allclose(self.one(-100.), (20 * 180, -40))
        assert_allclose(self.one(0.), (0, 0))

    def test_joins_smoothly_at_the_threshold(self):
        for sign in (-1, 1):
            for offset in (-1e-6, 0, 1e-6):
                assert_allclose(self.one(sign * (THRESHOLD + offset)),
                                (THRESHOLD ** 2, sign * 2 * THRESHOLD),
                                rtol=1e-6)

    def test_large_residuals(self):
        value, slope = self.one(1e20)
        assert_allclose((value, slope), (4e21, 40))


def test_l2_is_the_mean_over_pixels():
    prediction, target = regression_examples()
    total = 0
    for u in (prediction - target).ravel():
        total += u * u
    value, gradient = compile_regression(l2_loss)(prediction, target)
    assert_allclose(value, total / PIXELS)
    assert_allclose(gradient, 2 * (prediction - target) / PIXELS)


def test_losses_keep_float32():
    prediction, target = T.ftensor4s('prediction', 'target')
    for loss in (l2_loss(prediction, target),
                 huber_loss(prediction, target, 20)):
        assert loss.dtype == 'float32', loss.dtype
    scores = [T.ftensor4(), T.ftensor4()]
    assert cross_entropy_loss(scores, T.itensor4()).dtype == 'float32'


class TestCrossEntropy:
    """Compiled once for all tests."""

    @classmethod
    def setup_class(cls):
        scores = [T.ftensor4('u'), T.ftensor4('v')]
        target = T.itensor4('target')
        loss = cross_entropy_loss(scores, target)
        cls.run = staticmethod(theano.function(
            scores + [target], [loss] + T.grad(loss, scores)))

    def examples(self, scale=3.):
        random = np.random.RandomState(0)
        shape = (BATCH, NUM_BINS, ROWS, COLUMNS)
        u, v = random.normal(scale=scale, size=(2,) + shape)
        target = random.randint(0, NUM_BINS, (BATCH, 2, ROWS, COLUMNS))
        return u.astype('float32'), v.astype('float32'), np.int32(target)

    def check(self, u, v, target):
        """Against scipy, pixel by pixel."""
        total = 0
        gradients = np.zeros((2, BATCH, NUM_BINS, ROWS, COLUMNS))
        for channel, scores in enumerate((u, v)):
            for image, row, column in np.ndindex(BATCH, ROWS, COLUMNS):
                pixel = scores[image, :, row, column].astype(float)
                number = target[image, channel, row, column]
                total -= scipy.special.log_softmax(pixel)[number]
                gradient = scipy.special.softmax(pixel)
                gradient[number] -= 1
                gradients[channel, image, :, row, column] = gradient
        got = self.run(u, v, target)
        assert_allclose(got[0], total / PIXELS, rtol=1e-5)
        assert_allclose(got[1:], gradients / PIXELS, atol=1e-6)

    def test_value_and_gradient(self):
        self.check(*self.examples())

    def test_each_channel_has_its_target(self):
        u, v, target = self.examples()
        assert (target[:, 0] != target[:, 1]).any()
        right = np.float32(30) * (np.arange(NUM_BINS)[:, None, None] ==
                                  target[:, :, None])
        assert_allclose(
            self.run(np.float32(right[:, 0]), np.float32(right[:, 1]),
                     target)[0], 0, atol=1e-6)

    def test_equal_scores_cost_the_logarithm_of_the_bins(self):
        u, v, target = self.examples()
        assert_allclose(self.run(0 * u, 0 * v + 7, target)[0],
                        2 * np.log(NUM_BINS), rtol=1e-6)

    def test_huge_scores(self):
        self.check(*self.examples(scale=1e4))
        u, v, target = self.examples()
        for size in (1e4, -1e4):
            self.check(u + np.float32(size), 0 * v + np.float32(size), target)

    def test_infinitely_unlikely_targets_still_give_a_gradient(self):
        u, v, target = self.examples()
        wrong = np.where(np.arange(NUM_BINS)[:, None, None] ==
                         target[:, :1], -1e4, 1e4).astype('float32')
        loss, gradient, _ = self.run(wrong, v, target)
        assert 2e4 < loss < 2.1e4, loss
        assert_allclose(gradient.min(), -1. / PIXELS, rtol=1e-5)
