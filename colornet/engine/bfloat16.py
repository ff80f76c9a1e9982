"""Layers of a network that predicts in bfloat16, by oneDNN.

Maps are (batch, rows, columns, channels) arrays of uint16, whose bits are the
upper half of a float32's: half the memory, and what the matrix units of
processors with AVX512_BF16 or AMX take. Sums are float32.
"""

import ctypes
import threading
import weakref

import numpy as np

from .convolvers import FORWARD
from .native import call, contiguous, load_code, load_library

__all__ = ['Convolution', 'UpscaledStack', 'max_pool', 'mean_pool', 'narrow',
           'total', 'widen']


def _call(name, *arguments):
    """Call a function of ``bfloat16.cpp``."""
    call(getattr(load_library('bfloat16'), 'bfloat16_' + name), *arguments)


def _pointers(arrays):
    """Addresses for C; 0 for None."""
    return np.array([0 if array is None else array.ctypes.data
                     for array in arrays], np.uint64)


def narrow(array):
    """Round float32 to the nearest bfloat16, halves to the even one."""
    array = contiguous(array, np.float32)
    result = np.empty(array.shape, np.uint16)
    _call('narrow', array, result, array.size)
    return result


def widen(maps):
    """The same numbers as float32."""
    result = np.empty(maps.shape, np.float32)
    _call('widen', contiguous(maps), result, maps.size)
    return result


class Convolution:
    """A convolution whose filters oneDNN has brought into its layout.

    Parameters
    ----------
    filters : ndarray of float32, (number, channels, rows, columns)
        Not flipped.
    bias : ndarray of float32, (number,), optional
    padding : (int, int), optional
        Of rows and columns; as many as keep them if not given.
    wide : bool
        Whether outputs are float32.

    Attributes
    ----------
    shape : tuple of int
        Of the filters.
    rectify : bool
        Whether negative outputs become zero, and by oneDNN those that are no
        numbers, too; may be set before the first call.
    """

    def __init__(self, filters, bias=None, padding=None, wide=False):
        self.shape = number, _, rows, columns = filters.shape
        # Half the memory, until the layer in C++ takes them over.
        self._filters = narrow(filters)
        self.bias = (np.zeros(number, np.float32) if bias is None else
                     contiguous(bias, np.float32))
        self.padding = ((rows // 2, columns // 2) if padding is None else
                        padding)
        self.wide = wide
        self.rectify = False
        self._layer = None
        self._lock = threading.Lock()

    def __call__(self, maps):
        """Convolve.

        Parameters
        ----------
        maps : ndarray of uint16, (batch, rows, columns, channels)

        Returns
        -------
        ndarray of uint16 or float32, (batch, rows, columns, number)
        """
        maps = contiguous(maps)
        batch, rows, columns, channels = maps.shape
        number, expected, *size = self.shape
        if channels != expected or maps.dtype != np.uint16:
            raise ValueError('maps of shape %s and type %s for filters of '
                             'shape %s' % (maps.shape, maps.dtype,
                                           self.shape))
        outputs = np.empty(
            (batch, rows + 2 * self.padding[0] - size[0] + 1,
             columns + 2 * self.padding[1] - size[1] + 1, number),
            np.float32 if self.wide else np.uint16)
        message = call(load_code('onednn').onednn_run_layer, self._loaded(),
                       batch, rows, columns, maps, outputs,
                       result=ctypes.c_char_p)
        if message is not None:
            raise RuntimeError('oneDNN: %s' % message.decode())
        return outputs

    def _loaded(self):
        """The layer in C++, which has the filters, and a copy of the bias."""
        with self._lock:
            if self._layer is None:
                number, channels, rows, columns = self.shape
                code = load_code('onednn')
                numbers = [FORWARD, 1, channels, number, 1, 1, rows, columns,
                           *self.padding, 1, 1, True, self.rectify, False,
                           True]
                layer = call(code.onednn_layer, np.array(numbers, np.int64),
                             self._filters, self.bias, int(self.wide),
                             result=ctypes.c_void_p)
                if layer is None:
                    raise MemoryError
                self._layer, self._filters = layer, None
                weakref.finalize(self, code.onednn_free_layer,
                                 ctypes.c_void_p(layer))
            return self._layer


class UpscaledStack:
    """A 3x3 convolution of upscaled, concatenated maps (paper, 3.6).

    Each is convolved at its own resolution: see :mod:`.upscaled`.

    Parameters
    ----------
    filters : list of ndarray of float32, (number, channels, 3, 3)
        For each of the maps; not flipped.
    scales : list of int
    bias : ndarray of float32, (number,)

    Attributes
    ----------
    rectify : bool
    """

    def __init__(self, filters, scales, bias):
        self.rectify = False
        self.bias = contiguous(bias, np.float32)
        self.scales = [scale for scale in scales if scale > 1]
        own_size = [number for number, scale in enumerate(scales)
                    if scale == 1]
        self._upscaled = [number for number, scale in enumerate(scales)
                          if scale > 1]
        self._own_size = own_size
        self._convolution = Convolution(np.concatenate(
            [filters[number] for number in own_size], axis=1),
            bias) if own_size else None
        self._parts = [
            [Convolution(kernels, padding=(kernels.shape[2] - 1,
                                           kernels.shape[3] - 1))
             for kernels in _block_filters(filters[number], scales[number])]
            for number in self._upscaled]

    def __call__(self, maps):
        """Convolve.

        Parameters
        ----------
        maps : list of ndarray of uint16, (batch, rows, columns, channels)

        Returns
        -------
        ndarray of uint16, (batch, rows, columns, number)
        """
        image = None
        if self._own_size:
            image = [maps[number] for number in self._own_size]
            image = self._convolution(
                image[0] if len(image) == 1 else np.concatenate(image, axis=3))
        blocks = [[convolution(maps[number]) for convolution in part]
                  for number, part in zip(self._upscaled, self._parts)]
        first = maps[self._upscaled[0]].shape
        shape = (first[0], first[1] * self.scales[0],
                 first[2] * self.scales[0], len(self.bias))
        for scale, number in zip(self.scales, self._upscaled):
            batch, rows, columns, _ = maps[number].shape
            if (batch, rows * scale, columns * scale) != shape[:3]:
                raise ValueError('maps of shapes %s do not fit when upscaled'
                                 % [each.shape for each in maps])
        if image is not None and image.shape != shape:
            raise ValueError('maps of shapes %s do not fit when upscaled'
                             % [each.shape for each in maps])
        result = np.empty(shape, np.uint16) if image is None else image
        _call('add_blocks', np.array(self.scales, np.int64), _pointers(
            [block for part in blocks
             for block in part + [None] * (4 - len(part))]),
            image, self.bias, result, len(blocks), *shape, int(self.rectify))
        return result


def _halves(taps):
    """:func:`colornet.engine.upscaled._halves`, of arrays."""
    above, here, below = taps
    return np.stack([np.stack([above, here + below]),
                     np.stack([above + here, below])])


def _block_filters(filters, scale):
    """Filters of the kinds of pixels of a block (:mod:`.upscaled`).

    Returns
    -------
    list of ndarray, (kinds * number, channels, 1 or 2, 1 or 2)
        For corners, and if `scale` is above 2, sides, flanks and inner ones.
    """
    number, channels = filters.shape[:2]
    taps = np.moveaxis(filters, (2, 3), (0, 1))

    def shaped(kernels, rows, columns):
        return kernels.reshape(-1, channels, rows, columns)

    # (row of the block, tap, columns, number, channels)
    rows = _halves(taps)
    # (column of the block, tap, row of the block, tap, number, channels)
    corners = _halves(np.moveaxis(rows, 2, 0))
    blocks = [shaped(corners.transpose(2, 0, 4, 5, 3, 1), 2, 2)]
    if scale > 2:
        blocks += [
            shaped(rows.sum(axis=2).transpose(0, 2, 3, 1), 2, 1),
            shaped(_halves(taps.sum(axis=0)).transpose(0, 2, 3, 1), 1, 2),
            shaped(taps.sum(axis=(0, 1)), 1, 1)]
    return blocks


def max_pool(maps, partial=False):
    """The largest of blocks of 2 x 2 pixels.

    Parameters
    ----------
    maps : ndarray of uint16, (batch, rows, columns, channels)
    partial : bool
        Whether an odd last row or column is a block, too.
    """
    batch, rows, columns, channels = maps.shape
    pooled = np.empty((batch, (rows + partial) // 2, (columns + partial) // 2,
                       channels), np.uint16)
    _call('max_pool', contiguous(maps), pooled, *maps.shape,
          *pooled.shape[1:3])
    return pooled


def mean_pool(maps, scale):
    """Means of blocks of ``scale x scale`` pixels.

    Parameters
    ----------
    maps : ndarray of uint16, (batch, rows, columns, channels)
        Rows and columns divisible by `scale`.
    scale : int
    """
    batch, rows, columns, channels = maps.shape
    if rows % scale or columns % scale:
        raise ValueError('maps of shape %s are not made of %d x %d blocks'
                         % (maps.shape, scale, scale))
    means = np.empty((batch, rows // scale, columns // scale, channels),
                     np.uint16)
    _call('mean_pool', contiguous(maps), means, *means.shape, scale)
    return means


def total(maps, scales, factors, vectors, shape):
    """Sum of nearest-upscaled maps and of a vector for each image.

    Parameters
    ----------
    maps : list of ndarray of uint16, (batch, rows, columns, channels)
    scales : list of int
        Upscaling of each.
    factors : list of ndarray of float32, (channels,), or None
        By which each is multiplied.
    vectors : ndarray of float32, (batch, channels)
    shape : (int, int)
        Rows and columns of the sum; upscaled maps may have more.

    Returns
    -------
    ndarray of uint16, (batch, rows, columns, channels)
    """
    batch, channels = vectors.shape
    result = np.empty((batch,) + tuple(shape) + (channels,), np.uint16)
    for each, scale in zip(maps, scales):
        if (each.shape[0] != batch or each.shape[3] != channels or
                each.shape[1] * scale < shape[0] or
                each.shape[2] * scale < shape[1]):
            raise ValueError('maps of shape %s, upscaled by %d, for a sum of '
                             'shape %s' % (each.shape, scale, result.shape))
    maps = [contiguous(each) for each in maps]
    factors = [None if factor is None else contiguous(factor, np.float32)
               for factor in factors]
    numbers = np.array([each.shape[1:3] + (scale,)
                        for each, scale in zip(maps, scales)], np.int64)
    _call('total', numbers, _pointers(maps), _pointers(factors),
          contiguous(vectors, np.float32), result, len(maps), *result.shape)
    return result
