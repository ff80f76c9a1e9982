"""CIELUV, inputs and targets on PyTorch's device (paper, 3.1, 3.6, 4).

The same as :mod:`colornet.color` and :mod:`colornet.network.inputs` compute.
"""

import torch
import torch.nn.functional as F

from ..network.inputs import IMAGENET_MEAN_BGR

__all__ = ['bin_chroma', 'make_inputs', 'shrink_chroma', 'split_channels']

#: Linear sRGB to CIEXYZ, and the white of D65, as scikit-image has them.
XYZ_FROM_RGB = ((0.412453, 0.357580, 0.180423),
                (0.212671, 0.715160, 0.072169),
                (0.019334, 0.119193, 0.950227))
WHITE = (0.95047, 1., 1.08883)


def split_channels(rgb):
    """See :func:`colornet.color.split_channels`.

    Parameters
    ----------
    rgb : tensor of uint8, (batch, rows, columns, 3)

    Returns
    -------
    luminance : tensor of float32, (batch, rows, columns)
    chroma : tensor of float32, (batch, 2, rows, columns)
    """
    rgb = rgb.float() / 255
    linear = torch.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4,
                         rgb / 12.92).unbind(-1)
    # Not a product of matrices, for which GPUs may round to TF32.
    x, y, z = [sum(weight * channel for weight, channel in zip(row, linear))
               for row in XYZ_FROM_RGB]
    luminance = torch.where(y > 0.008856, 116 * y.clamp(min=1e-6) ** (1 / 3) -
                            16, 903.3 * y)
    white = _add(*WHITE)
    total = _add(x, y, z) + torch.finfo(torch.float64).eps
    return luminance, torch.stack(
        [13 * luminance * (4 * x / total - 4 * WHITE[0] / white),
         13 * luminance * (9 * y / total - 9 * WHITE[1] / white)], 1)


def _add(x, y, z):
    return x + 15 * y + 3 * z


def make_inputs(luminance):
    """See :func:`colornet.network.inputs.preprocess`."""
    mean = torch.from_numpy(IMAGENET_MEAN_BGR).to(luminance.device)
    return (luminance * (255 / 100))[:, None] - mean[:, None, None]


def shrink_chroma(chroma, scale):
    """Means of blocks; see :func:`colornet.scaling.shrink_chroma`."""
    return chroma if scale == 1 else F.avg_pool2d(chroma, scale)


def bin_chroma(chroma, num_bins, limits):
    """See :func:`colornet.color.bin_channel`; int64."""
    low, high = limits
    bins = ((chroma.double() - low) * (num_bins / (high - low))).floor()
    return bins.clamp(0, num_bins - 1).long()
