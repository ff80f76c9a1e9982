"""Parameters in HDF5 files, by layer and parameter name."""

import hashlib
import io
import json
from collections import OrderedDict
from pathlib import Path

import h5py
import numpy as np

from ..engine.available import is_onnx
from ..errors import ColornetError
from ..files import check_regular, make_folder, replacing, writing

__all__ = ['NETWORK_FORMAT', 'save_arrays', 'load_arrays', 'load_progress',
           'save_parameters', 'save_values', 'check_parameter', 'seal',
           'set_parameters']

#: By which a trained network is known.
NETWORK_FORMAT = 'colornet network 1'

# How files begin, before the digest of what comes after the bytes that HDF5
# leaves to users: it has no checksums of names, types and shapes, and crashes
# where some of them are damaged.
_SEAL, _SEALED = b'colornet sha256 ', 512


def save_arrays(path, groups, attributes, dtype=None):
    """Save arrays by group and name, with attributes, atomically.

    Parameters
    ----------
    path : str or Path
        Its folder is made if it is missing.
    groups : dict of str to dict of (str or tuple of str) to ndarray
        A tuple names nested groups: ``('conv1_1', 'W')``.
    attributes : dict of str to (str, int or float)
    dtype : dtype, optional
        Store floating point arrays in it, but those with values beyond its
        range; all are stored as they are otherwise.

    Raises
    ------
    ColornetError
        If the file cannot be written; the old one stays.
    """
    # HDF5 writes to memory, Python to the disk: after a failed write of its
    # own, such as to a full disk, HDF5 crashes when the program ends.
    memory = io.BytesIO()
    with h5py.File(memory, 'w', userblock_size=_SEALED) as file:
        for name, value in attributes.items():
            if isinstance(value, str):
                # Names of folders need not be valid Unicode, as HDF5 wants.
                value = value.encode('utf-8', 'backslashreplace').decode()
            file.attrs[name] = value
        for group, arrays in groups.items():
            for key, array in arrays.items():
                name = key if isinstance(key, str) else '/'.join(key)
                array = np.asarray(array)
                if (dtype is not None and array.dtype.kind == 'f' and
                        np.all(abs(array) <= np.finfo(dtype).max)):
                    array = array.astype(dtype)
                # Checksums also where another program has copied arrays.
                file.create_dataset(
                    '%s/%s' % (group, name), data=array,
                    chunks=array.shape or None, fletcher32=array.ndim > 0)
    # A view that an error keeps alive, as Path.write_bytes would one, would be
    # in the way of the memory's end.
    with memory.getbuffer() as content:
        seal(content)
        make_folder(Path(path).parent)
        with writing(path), replacing(path) as temporary:
            with open(temporary, 'wb') as stream:
                stream.write(content)


def seal(content):
    """Put the digest of what :func:`save_arrays` stores before it.

    Parameters
    ----------
    content : memoryview
        Changed in place.
    """
    digest = _seal_of(content)
    content[:len(digest)] = digest


def _seal_of(content):
    return _SEAL + hashlib.sha256(content[_SEALED:]).hexdigest().encode()


def _check_seal(path):
    """Refuse a damaged file; those of older versions have no seal."""
    with open(path, 'rb') as stream:
        if stream.read(8) == b'\x89HDF\r\n\x1a\n':
            return
        stream.seek(0)
        # Of a view, parts are no copies: a checkpoint may be large.
        content = memoryview(stream.read())
    start = bytes(content[:len(_SEAL)])
    is_ours = (start and _SEAL.startswith(start) or
               content[_SEALED:_SEALED + 4] == b'\x89HDF')
    if is_ours:
        expected = _seal_of(content)
        if content[:len(expected)] != expected:
            raise ColornetError('cannot read %s: it is damaged' % path)


def load_arrays(path, groups, optional=()):
    """Load what :func:`save_arrays` saved.

    Parameters
    ----------
    path : str or Path
    groups : sequence of str
        The groups to load.
    optional : collection of str
        Those of `groups` that may be missing: they are empty then.

    Returns
    -------
    arrays : dict of str to OrderedDict of str to ndarray
        Nested names joined by slashes; float16 comes back as float32.
    attributes : dict

    Raises
    ------
    ColornetError
        If the file is missing, damaged or something else.
    """
    check_regular(path)
    loaded = {}
    try:
        _check_seal(path)
        if not h5py.is_hdf5(path):
            # Who gave it may have mixed up two arguments.
            open(path, 'rb').close()
            raise ColornetError(
                '%s is an ONNX file, which comes of a trained network: take '
                'that, an .h5 file or a run folder' % path if is_onnx(path)
                else '%s is no HDF5 file, as trained networks are' % path)
        with h5py.File(path, 'r') as file:
            attributes = dict(file.attrs)
            for group in groups:
                arrays = loaded[group] = OrderedDict()
                if group not in file:
                    if group in optional:
                        continue
                    raise ColornetError('%s is not a file of this program: '
                                        'no group %r' % (path, group))

                for name, array in _read_group(file[group]).items():
                    arrays[name] = (array.astype(np.float32) if
                                    array.dtype == np.float16 else array)
    except FileNotFoundError:
        raise ColornetError('%s does not exist' % path)
    except ColornetError:
        raise
    except (OSError, RuntimeError, KeyError, AttributeError,
            ValueError) as error:
        raise ColornetError('cannot read %s: %s'
                            % (path, ' '.join(str(error).split())))
    return loaded, attributes


def _read_group(group):
    """The arrays of a group, by their names in it."""
    arrays = OrderedDict()

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            # HDF5 would make up what is not stored. Deflate makes at most
            # 1032 bytes of one.
            factor = 1032 if item.compression else 1
            if item.nbytes > factor * item.id.get_storage_size():
                raise ValueError('%s is more than is stored' % item.name)
            arrays[name] = item[()]
    group.visititems(visit)
    return arrays


def load_progress(path):
    """How far a training is, from its checkpoint.

    Parameters
    ----------
    path : str or Path
        As :meth:`colornet.training.trainer.Trainer.save` writes it.

    Returns
    -------
    progress : dict
        ``history``, a dict of numbers for each epoch; ``losses``, as
        :class:`colornet.training.trainer.Trainer` has them; and of the epoch
        in work ``iteration``, ``loss_sum``, ``num_images`` and ``seconds``.
    attributes : dict of str to str
        What else was stored.

    Raises
    ------
    ColornetError
        If the file is damaged or something else.
    """
    groups, attributes = load_arrays(path, ['log'], optional=['log'])
    try:
        attributes = {name: str(value) for name, value in attributes.items()}
        stored = json.loads(attributes.pop('progress'))
        progress = {'history': [OrderedDict(
            (name, float(value)) for name, value in row.items())
            for row in stored['history']]}
        for row in progress['history']:
            row['epoch'] = int(row['epoch'])
            row['training_loss'], row['seconds']
        for name, kind in (('iteration', int), ('loss_sum', float),
                           ('num_images', int), ('seconds', float)):
            progress[name] = kind(stored[name])
        # A checkpoint of an older version has none.
        progress['losses'] = [
            (int(epoch), int(minibatch), float(loss), *map(float, further))
            for epoch, minibatch, loss, *further
            in groups['log'].get('losses', ())]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ColornetError('%s is no checkpoint of a training, or damaged; '
                            'remove it to train again' % path)
    return progress, attributes


def save_parameters(path, parameters, config, attributes, dtype=None):
    """Save a trained network, for :func:`colornet.network.saved.load_network`.

    Parameters
    ----------
    path : str or Path
    parameters : dict of (str, str) to shared variable
        All that was trained: the decoder, and VGG16 if it was fine-tuned.
    config, attributes, dtype
        As for :func:`save_values`.
    """
    save_values(path, OrderedDict(
        (key, variable.get_value()) for key, variable in parameters.items()),
        config, attributes, dtype)


def save_values(path, values, config, attributes, dtype=None):
    """:func:`save_parameters` of what needs no Theano.

    Parameters
    ----------
    path : str or Path
    values : dict of (str or tuple of str) to ndarray
        Of all that was trained.
    config : Config
    attributes : dict of str to (str, int or float)
        Where the network comes from.
    dtype : dtype, optional
        float16 halves the file.
    """
    save_arrays(path, {'parameters': values},
                dict(attributes, format=NETWORK_FORMAT,
                     config=config.to_json()), dtype)


def check_parameter(name, array, shape, source):
    """Refuse what cannot be a network's parameter.

    Parameters
    ----------
    name : str
        ``layer/parameter``.
    array : ndarray
    shape : tuple of int
        That the network asks for.
    source : str or Path
        Named in errors.

    Raises
    ------
    ColornetError
    """
    if array.shape != shape:
        raise ColornetError('%s does not fit the network: %s has shape %s, '
                            'expected %s' % (source, name, array.shape,
                                             shape))
    if not np.isfinite(array).all():
        raise ColornetError('%s: %s is not finite' % (source, name))


def set_parameters(parameters, arrays, source):
    """Give shared variables their values, all or none.

    Parameters
    ----------
    parameters : dict of (str, str) to shared variable
        As :func:`colornet.network.networks.decoder_parameters` returns them.
    arrays : dict of str to ndarray
        Named ``layer/parameter``.
    source : str or Path
        Named in errors.

    Raises
    ------
    ColornetError
        If names or shapes are not those of the network.
    """
    expected = OrderedDict(('/'.join(key), variable)
                           for key, variable in parameters.items())
    odd = sorted(set(expected) ^ set(arrays))
    if odd:
        raise ColornetError('%s does not fit the network: %s is %s'
                            % (source, odd[0], 'missing' if odd[0] in expected
                               else 'unknown'))
    for name, variable in expected.items():
        check_parameter(name, arrays[name],
                        variable.get_value(borrow=True).shape, source)
    for name, variable in expected.items():
        dtype = variable.get_value(borrow=True).dtype
        variable.set_value(arrays[name].astype(dtype))
