"""Trained networks for ONNX Runtime, made once and kept; without Theano.

What is kept are graphs with float32 parameters, in ``onnx`` within
:func:`colornet.resources.cache_folder`: of each network once, whatever the
decoding. Where nothing can be written there, they are made at each start; who
has chosen the folder is told.
"""

import contextlib
import copy
import functools
import hashlib
import json
import logging
import os
from pathlib import Path

from .. import color, scaling
from ..engine.available import is_onnx, missing_onnx
from ..errors import ColornetError
from ..files import check_regular, digest_file, replacing
from ..network import parameters
from ..network.stored import with_decodings
from ..resources import cache_folder, chose_cache, find_resource
from ..terminal import note
from .layer_by_layer import output_names
from .onnx_graph import import_package
from .onnx_runtime import load_onnx, read_config, run_session, start_session

__all__ = ['load_for_onnx_runtime', 'load_outputs_for_onnx_runtime']

logger = logging.getLogger(__name__)

#: Bytes of all that is kept; what was not used for longest goes.
MAX_BYTES = 500 << 20

#: All of these decide what is made, also the defaults of settings that a
#: network does not have yet: they are kept beside it.
SOURCES = [path for module in (__file__, parameters.__file__)
           for path in sorted(Path(module).parent.glob('*.py'))] + [
    Path(color.__file__), Path(scaling.__file__),
    find_resource('experiments/defaults.ini')]


def load_for_onnx_runtime(network, vgg_weights=None, decodings=((),)):
    """Load a trained network that predicts by ONNX Runtime.

    Parameters
    ----------
    network : str or Path
        A file as :func:`colornet.network.saved.save_network` writes it, or
        as :func:`colornet.prediction.onnx.export_onnx` does.
    vgg_weights, decodings
        As for :func:`colornet.prediction.engines.load_prediction`.

    Returns
    -------
    predict, config, attributes
        As there.

    Raises
    ------
    ColornetError
    """
    _check_installed()
    if is_onnx(network):
        return _load_exported(network, vgg_weights, decodings)
    return _join_decodings(network, _first_part(network, vgg_weights),
                           decodings)


def load_outputs_for_onnx_runtime(network, vgg_weights=None, decoding=()):
    """Load a trained network, to decode its outputs elsewhere.

    Parameters
    ----------
    network, vgg_weights
        As for :func:`load_for_onnx_runtime`.
    decoding
        As for :func:`colornet.prediction.engines.load_outputs`.

    Returns
    -------
    outputs, config, attributes
        As there.

    Raises
    ------
    ColornetError
    """
    _check_installed()
    if is_onnx(network):
        _check_own_vgg16(network, vgg_weights)
        packed = _cut(network, load_onnx(network)[1].network)
    else:
        packed = _first_part(network, vgg_weights)
    graph, metadata, (config,) = _unpack(network, packed, [decoding])

    def make():
        from .onnx import build_outputs
        return build_outputs(config.network).SerializeToString()
    return (_start(network, graph, _key('outputs', config.network), make,
                   config.network, output_names(config.network)), config,
            metadata)


def _check_installed():
    if missing_onnx():
        raise ColornetError(missing_onnx())


def _first_part(network, vgg_weights):
    """The network itself, packed."""
    def make():
        from .onnx import build_network
        return _pack(build_network(network, vgg_weights))
    for path in network, vgg_weights:
        if path is not None:
            check_regular(path)
    return _remember(_key_of('network', network,
                             vgg_weights or _shipped_vgg16()), make)


def _shipped_vgg16():
    """VGG16's weights, unless a fine-tuned network must do without."""
    try:
        return find_resource('weights/vgg16.pkl')
    except ColornetError:
        return None


def _load_exported(path, vgg_weights, decodings):
    """The same of a file that is ONNX already, with a decoding in it."""
    _check_own_vgg16(path, vgg_weights)
    predict, config, metadata = load_onnx(path)
    if all(one.decoding == config.decoding
           for one in with_decodings(config, decodings)):
        return (lambda luminance: [predict(luminance)] * len(decodings),
                config, metadata)
    return _join_decodings(path, _cut(path, config.network), decodings)


def _check_own_vgg16(path, vgg_weights):
    if vgg_weights is not None:
        raise ColornetError('%s is an ONNX file: VGG16 is in it, other '
                            'weights cannot be' % path)


def _cut(path, settings):
    """The network itself of an ONNX file, packed."""
    return _remember(_key_of('exported', path),
                     lambda: _pack(_cut_network(path, settings)))


def _cut_network(path, settings):
    """A file as :func:`colornet.prediction.onnx.build_network` makes it."""
    model = import_package('onnx').load(
        str(path), load_external_data=False)  # Of no file but this.
    wanted, nodes = set(output_names(settings)), []
    for node in reversed(model.graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input)
            nodes.append(node)
    constants = [constant for constant in model.graph.initializer
                 if constant.name in wanted]
    for field, values in (('node', nodes[::-1]), ('initializer', constants),
                          ('output', [])):
        values = copy.deepcopy(values)
        model.graph.ClearField(field)
        getattr(model.graph, field).extend(values)
    return model


def _pack(model):
    """The length of a model's metadata, these and the model, as bytes."""
    metadata = json.dumps({entry.key: entry.value for entry
                           in model.metadata_props}).encode('ascii')
    return b''.join([len(metadata).to_bytes(4, 'big'), metadata,
                     model.SerializeToString()])


def _unpack(network, packed, decodings):
    """The model of :func:`_pack`, its metadata, a configuration for each."""
    # Copying fifty megabytes takes time: views do without.
    packed = memoryview(packed)
    length = int.from_bytes(packed[:4], 'big')
    metadata = json.loads(bytes(packed[4:4 + length]).decode('ascii'))
    configs = with_decodings(read_config(metadata, network), decodings)
    return packed[4 + length:], metadata, configs


def _join_decodings(network, packed, decodings):
    """Put the decodings behind a network."""
    graph, metadata, configs = _unpack(network, packed, decodings)
    settings = configs[0].network
    options = [config.decoding for config in configs]

    def make():
        from .onnx import build_decodings
        return build_decodings(settings, options).SerializeToString()
    names = ['chroma%d' % number for number in range(len(options))]
    return (_start(network, graph, _key('decodings', settings, options), make,
                   settings, names), configs[0], metadata)


def _start(network, graph, key, make, settings, names):
    """What computes the outputs of a network with its second part."""
    session = start_session(b''.join([graph, _remember(key, make)]), network)
    return lambda luminance: run_session(session, settings, luminance, names,
                                         network)


def _key(*parts):
    """Digest of what decides what is made."""
    digest = hashlib.sha256(json.dumps(parts).encode('utf-8'))
    for path in SOURCES:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _key_of(kind, *paths):
    """The same of files; None if one cannot be read."""
    try:
        return _key(kind, *[path and digest_file(path) for path in paths])
    except OSError:
        return None  # Whoever takes the file will say so.


def _remember(key, make):
    """What an earlier start has made by this key, or what is made now.

    Parameters
    ----------
    key : str or None
    make : callable
        Returns bytes.

    Returns
    -------
    bytes or memoryview
    """
    path = _folder() / (key[:32] + '.bin') if key and _folder() else None
    found = path and _read(path)
    if found is None:
        found = make()
        if path:
            _write(path, found)
    return found


def _folder():
    try:
        return cache_folder() / 'onnx'
    except RuntimeError:  # There is no home.
        return None


def _read(path):
    """What :func:`_write` wrote; None if there is none, or it is damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    content = memoryview(content)
    digest, content = bytes(content[:32]), content[32:]
    if digest != hashlib.sha256(content).digest():
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # Used now.
    return content


def _write(path, content):
    """Keep bytes, if that is possible, and what else there is room for."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            with open(temporary, 'wb') as stream:
                stream.write(hashlib.sha256(content).digest())
                stream.write(content)
        files = sorted(path.parent.glob('*.bin'), reverse=True,
                       key=lambda file: file.stat().st_mtime)
        room = MAX_BYTES
        for file in files:
            room -= file.stat().st_size
            if room < 0 and file != path:
                file.unlink()
    except OSError as error:
        logger.debug('cannot write %s', path, exc_info=True)
        if chose_cache():
            _tell_unusable(path.parents[1], str(
                error.strerror or error).lower())


@functools.lru_cache()
def _tell_unusable(folder, reason):
    """Once, whatever the number of networks."""
    note('colornet: note: the cache %s cannot be used: %s; networks for ONNX '
         'Runtime are made at each start (COLORNET_CACHE)' % (folder, reason))
