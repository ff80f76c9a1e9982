"""What computes convolutions: oneDNN, or BLAS on strips of the images.

oneDNN comes by pip on x86-64 Linux; elsewhere the system's is taken, if it
and its header are installed (Debian: ``libdnnl-dev``). BLAS is always there.
Each is C++ code beside this module, for float32 arrays.
"""

import ctypes
import functools

import numpy as np

from .native import call, code_status, enabled, load_code, processor_features

__all__ = ['FORWARD', 'GRAD_INPUTS', 'GRAD_FILTERS', 'bfloat16_status',
           'onednn_version', 'winograd_status', 'choose_engine',
           'convolve']

#: Which of the arrays is computed from the others.
FORWARD, GRAD_INPUTS, GRAD_FILTERS = range(3)


def onednn_version():
    """Version of the library that was found, such as '2.6.3'."""
    return call(load_code('onednn').onednn_version,
                result=ctypes.c_char_p).decode()


@functools.lru_cache(maxsize=None)
def winograd_status():
    """'' if oneDNN has Winograd's algorithm here, else why not."""
    reason = code_status('onednn')
    if not reason and not call(load_code('onednn').onednn_has_winograd,
                               result=ctypes.c_int64):
        reason = ('oneDNN %s has none for this processor'
                  % onednn_version())
    return reason


def choose_engine(stride, size=(None, None)):
    """The fastest engine that is wanted and possible.

    Parameters
    ----------
    stride : (int, int)
    size : (int or None, int or None)
        Rows and columns of the filters, if they are known.

    Returns
    -------
    'winograd', 'onednn', 'strips' or None
        oneDNN with Winograd's algorithm where that applies, without it,
        BLAS, or Theano's own.
    """
    # A product of matrices as they are; oneDNN would bring them into its
    # layout first.
    if stride == tuple(size) == (1, 1) and enabled('strips'):
        return 'strips'
    for engine in 'winograd', 'onednn':
        if enabled(engine):
            return engine
    if stride == (1, 1) and enabled('strips'):
        return 'strips'
    return None


def bfloat16_status():
    """'' if convolutions can be in bfloat16, and gain by it, else why not."""
    if not enabled('onednn'):
        return code_status('onednn') or 'onednn is switched off'
    if not processor_features() & {'avx512_bf16', 'amx_bf16'}:
        return 'this processor has neither AVX512_BF16 nor AMX'
    return ''


def convolve(engine, kind, inputs, filters, bias, outputs, padding, stride,
             rectify=False):
    """Compute a convolution without flip of filters, or a gradient of it.

    Parameters
    ----------
    engine : 'winograd', 'onednn', 'bfloat16' or 'strips'
        With bfloat16, oneDNN rounds what is given to 8 bits.
    kind : int
        :data:`FORWARD`, :data:`GRAD_INPUTS` or :data:`GRAD_FILTERS`.
    inputs, filters, outputs : ndarray of float32, 4 dimensions, contiguous
        That which `kind` decides is filled.
    bias : ndarray of float32, (number of filters,), or None
    padding, stride : (int, int)
        Of rows and columns.
    rectify : bool
        Replace negative outputs by zero. oneDNN replaces NaN, too.
    """
    numbers = [kind, inputs.shape[0], inputs.shape[1], filters.shape[0],
               *inputs.shape[2:], *filters.shape[2:], *padding]
    if engine == 'strips':
        function = load_code('strips').strips_convolution
        numbers += [rectify]
    else:
        function = load_code('onednn').onednn_convolution
        numbers += [*stride, bias is not None, rectify, engine == 'winograd',
                    engine == 'bfloat16']
    message = call(function, np.array(numbers, np.int64), inputs, filters,
                   bias, outputs, result=ctypes.c_char_p)
    if message is not None:
        raise RuntimeError('%s: %s' % (engine, message.decode()))
