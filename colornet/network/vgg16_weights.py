"""VGG16's weights, conv1_1 to conv4_3 (paper, 3.2); no Theano."""

import pickle
import pickletools
from collections import OrderedDict

import h5py
import numpy as np

from ..errors import ColornetError
from ..files import check_regular

__all__ = ['BLOCKS', 'VGG16_LAYERS', 'load_vgg16_weights']

#: Convolutions of each block: (number of layers, number of filters).
BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512))

#: Name -> (number of input channels, number of filters).
VGG16_LAYERS = OrderedDict()
for _block, (_count, _filters) in enumerate(BLOCKS, 1):
    for _index in range(1, _count + 1):
        _channels = (_filters if _index > 1 else
                     BLOCKS[_block - 2][1] if _block > 1 else 3)
        VGG16_LAYERS['conv%d_%d' % (_block, _index)] = (_channels, _filters)

#: The Model Zoo's vgg16.pkl has some 4,000.
MAX_PICKLE_CODES = 20000


def load_vgg16_weights(path):
    """Read VGG16's weights, conv1_1 to conv4_3.

    Parameters
    ----------
    path : str or Path
        A pickle in the layout of Lasagne's Model Zoo (``weights/vgg16.pkl``
        or the whole vgg16.pkl), or Keras' VGG16 file (``.h5``).

    Returns
    -------
    OrderedDict of str to (W, b)
        W: float32, (filters, channels, 3, 3), correlation order, input
        channels blue, green, red; b: float32, (filters,).

    Raises
    ------
    ColornetError
        If the file cannot be read, holds anything else than arrays, or the
        arrays are not those of VGG16.
    """
    check_regular(path)
    try:
        arrays = (_read_keras(path) if h5py.is_hdf5(path) else
                  _read_pickle(path))
    except ColornetError:
        raise
    except (OSError, RuntimeError, KeyError, AttributeError, TypeError,
            ValueError, MemoryError) as error:  # h5py raises all of them
        raise ColornetError('cannot read VGG16 weights %s: %s' % (
            path, getattr(error, 'strerror', None) or
            ' '.join(str(error).split()) or type(error).__name__))
    weights = OrderedDict()
    for index, (name, (channels, filters)) in enumerate(VGG16_LAYERS.items()):
        expected = [(filters, channels, 3, 3), (filters,)]
        pair = arrays[2 * index:2 * index + 2]
        if ([array.shape for array in pair] != expected or
                any(array.dtype.kind != 'f' or not np.isfinite(array).all()
                    for array in pair)):
            raise ColornetError(
                '%s is not VGG16: %s must be finite arrays of shape %s and '
                '%s, got %s' % (path, name, expected[0], expected[1],
                                ', '.join('%s %s' % (array.dtype, array.shape)
                                          for array in pair) or 'nothing'))
        weights[name] = tuple(array.astype(np.float32) for array in pair)
    return weights


def _read_keras(path):
    """Arrays of Keras' vgg16_weights_tf_dim_ordering_tf_kernels*.h5."""
    arrays = []
    with h5py.File(path, 'r') as file:
        root = file['model_weights'] if 'model_weights' in file else file
        for name in VGG16_LAYERS:
            group_name = 'block%s_conv%s' % tuple(name[4:].split('_'))
            if group_name not in root:
                raise ColornetError('%s is not a Keras VGG16 file: no group '
                                    '%s' % (path, group_name))
            found = {}
            root[group_name].visititems(
                lambda _, item: found.update({item.ndim: item[()]})
                if isinstance(item, h5py.Dataset) else None)
            if set(found) != {1, 4}:
                raise ColornetError('%s is not a Keras VGG16 file: %s must '
                                    'hold a kernel and a bias'
                                    % (path, group_name))
            # Keras stores (rows, columns, channels, filters).
            arrays += [found[4].transpose(3, 2, 0, 1), found[1]]
    return arrays


class _Dtype:
    """Stands for numpy.dtype in a pickle."""

    def __init__(self, code, *_):
        self.dtype = np.dtype(str(code))

    def __setstate__(self, state):
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stands for numpy.ndarray in a pickle."""

    values = np.array(None)

    def __setstate__(self, state):
        _, shape, dtype, is_fortran, data = state
        if isinstance(data, str):
            data = data.encode('latin1')
        self.values = np.frombuffer(data, dtype.dtype).reshape(
            shape, order='F' if is_fortran else 'C')


def _encode(text, encoding):
    """The one use of ``_codecs.encode`` in pickles of numpy arrays."""
    if encoding != 'latin1':
        raise pickle.UnpicklingError('encoding %r' % encoding)
    return text.encode('latin1')


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickles arrays, strings, numbers, lists and dicts, nothing else.

    A pickle can name any callable to be called while it is read, so a file
    from elsewhere could run code. Even numpy's own dtype and ndarray take a
    state that makes them read memory anywhere, hence the stand-ins.
    """

    def find_class(self, module, name):
        if module in ('numpy.core.multiarray', 'numpy._core.multiarray'):
            if name == '_reconstruct':
                return lambda *_: _Array()
            if name == 'scalar':
                return lambda *_: None
        found = {('_codecs', 'encode'): _encode, ('numpy', 'dtype'): _Dtype,
                 ('numpy', 'ndarray'): _Array}.get((module, name))
        if found is None:
            raise pickle.UnpicklingError('it would call %s.%s, and only '
                                         'numpy arrays are allowed'
                                         % (module, name))
        return found


def _read_pickle(path):
    """Arrays of a pickle in the Model Zoo's layout: W, b, W, b, ..."""
    is_pickle = False
    with open(path, 'rb') as stream:
        try:
            # Objects nested without end would crash Python.
            for count, (code, argument, _) in enumerate(
                    pickletools.genops(stream)):
                if count > MAX_PICKLE_CODES or 'PUT' in code.name and \
                        argument > MAX_PICKLE_CODES:
                    is_pickle = True
                    raise pickle.UnpicklingError('it is too complicated')
            is_pickle = True
            stream.seek(0)
            # The Model Zoo's files were written by Python 2: latin-1.
            content = _ArrayUnpickler(stream, encoding='latin1').load()
        except OSError:
            raise
        except Exception as error:
            reason = ' '.join(str(error).split()) or type(error).__name__
            if not is_pickle:  # Two files may be mixed up.
                reason = ("VGG16's weights are a pickle or HDF5, and this is "
                          'neither, or damaged; weights/vgg16.pkl is taken '
                          'where none are given')
            raise ColornetError('refused to unpickle %s: %s' % (path, reason))
    values = content.get('param values') if isinstance(content, dict) else None
    if not isinstance(values, (list, tuple)):
        raise ColornetError("%s is not in the Model Zoo's layout: no list "
                            "'param values'" % path)
    return [value.values if isinstance(value, _Array) else _Array.values
            for value in values]
