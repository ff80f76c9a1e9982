"""Layers where PyTorch's own differ from Theano's."""

import numpy as np
from nose.tools import assert_raises
from numpy.testing import assert_allclose, assert_array_equal

from tests.tiny import need


def setup_module():
    need('torch')


def test_each_of_equal_numbers_gets_the_gradient():
    import torch

    from colornet.pytorch.layers import max_pool

    # Odd rows and columns; zeros, as after a rectifier, are often equal.
    maps = np.random.RandomState(0).randint(0, 3, (2, 3, 5, 7)).astype('f')
    variable = torch.tensor(maps, requires_grad=True)
    pooled = max_pool(variable, ceil_mode=True)
    weights = np.random.RandomState(1).normal(size=pooled.shape).astype('f')
    (pooled * torch.from_numpy(weights)).sum().backward()
    expected = np.zeros_like(maps)
    for row in range(3):
        for column in range(4):
            block = (slice(None), slice(None), slice(2 * row, 2 * row + 2),
                     slice(2 * column, 2 * column + 2))
            largest = maps[block].max((2, 3))
            assert_array_equal(pooled.detach().numpy()[:, :, row, column],
                               largest)
            expected[block] = weights[:, :, row, column][
                :, :, None, None] * (maps[block] == largest[:, :, None, None])
    assert_allclose(variable.grad.numpy(), expected)
    assert_array_equal(max_pool(torch.tensor(maps[:, :, :4, :6])).numpy(),
                       pooled.detach().numpy()[:, :, :2, :3])


def test_one_number_is_normalized_to_the_shift():
    import torch

    from colornet.pytorch.layers import BatchNorm
    layer = BatchNorm(2)
    with torch.no_grad():
        layer.bias.copy_(torch.tensor([3., -4.]))
    maps = torch.tensor([[[[5.]], [[7.]]]], requires_grad=True)
    with assert_raises(ValueError):  # Why there is a layer of ours.
        torch.nn.BatchNorm2d(2)(maps)
    result = layer(maps)
    assert_array_equal(result.detach().numpy().ravel(), [3, -4])
    result.sum().backward()
    assert_array_equal(maps.grad.numpy(), np.zeros((1, 2, 1, 1)))
    assert_allclose(layer.running_mean.numpy(), [0.5, 0.7], rtol=1e-6)
    assert_array_equal(layer.running_var.numpy(), [1, 1])
