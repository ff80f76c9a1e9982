"""Trained networks that predict, by Theano, ONNX Runtime or PyTorch."""

import itertools

from ..config import listed_changes
from ..engine.available import DEVICES, choose_engine, is_onnx
from ..errors import ColornetError
from ..network import stored

__all__ = ['load_configuration', 'load_outputs', 'load_prediction']


def load_prediction(network, vgg_weights=None, decodings=((),), engine=None,
                    bfloat16=False, device='auto'):
    """Load a trained network, to predict with several decodings.

    Parameters
    ----------
    network : Path
        A file; one whose name ends in ``.onnx`` is for ONNX Runtime.
    vgg_weights : str or Path, optional
        As for :func:`colornet.network.saved.load_network`.
    decodings : sequence of iterables of str
        Changes of settings for each, such as ``decoding.method=mean``.
    engine : 'theano', 'onnx' or 'pytorch', optional
        See :func:`colornet.engine.available.choose_engine`.
    bfloat16 : bool
        By oneDNN in place of Theano, or by PyTorch: much faster on processors
        and GPUs that have it, and less exact.
    device : str
        Of PyTorch: one of :data:`colornet.engine.available.DEVICES`.

    Returns
    -------
    predict : callable
        Takes luminance, returns a list: the chrominance by each decoding. See
        :func:`colornet.network.saved.compile_decodings`.
    config : Config
        With the first of the decodings.
    attributes : dict
        Where the network comes from.

    Raises
    ------
    ColornetError
        If the engine, the network or VGG16's weights are missing or damaged,
        or one of the changes is of refinement, which there is none of.
    """
    engine = _choose(engine, network, bfloat16, device)
    decodings = _checked(network, decodings)
    for text in itertools.chain(*decodings):
        if text.strip().startswith('refinement.'):
            raise ColornetError('%s does nothing: these colours are decoded '
                                'only' % text)
    if engine == 'onnx':
        from .onnx_cache import load_for_onnx_runtime
        return load_for_onnx_runtime(network, vgg_weights, decodings)
    if engine == 'pytorch':
        from ..pytorch.prediction import load_for_pytorch
        return load_for_pytorch(network, vgg_weights, decodings, device,
                                bfloat16)
    if bfloat16:
        from .bfloat16 import load_rounded
        return load_rounded(network, vgg_weights, decodings)
    return _load_for_theano(network, vgg_weights, decodings)


def load_outputs(network, vgg_weights=None, decoding=(), engine=None,
                 bfloat16=False, device='auto'):
    """Load a trained network, to decode its outputs elsewhere.

    Parameters
    ----------
    network, vgg_weights, engine, bfloat16, device
        As for :func:`load_prediction`.
    decoding : iterable of str
        Changes of settings, which the configuration has then.

    Returns
    -------
    outputs : callable
        Takes luminance, returns a list: the class scores of both channels, or
        one array of chrominance. See
        :func:`colornet.network.saved.compile_outputs`.
    config : Config
    attributes : dict

    Raises
    ------
    ColornetError
        As there.
    """
    engine = _choose(engine, network, bfloat16, device)
    decoding, = _checked(network, [decoding])
    if engine == 'onnx':
        from .onnx_cache import load_outputs_for_onnx_runtime
        return load_outputs_for_onnx_runtime(network, vgg_weights, decoding)
    if engine == 'pytorch':
        from ..pytorch.prediction import load_outputs_for_pytorch
        return load_outputs_for_pytorch(network, vgg_weights, decoding,
                                        device, bfloat16)
    if bfloat16:
        from .bfloat16 import load_rounded_outputs
        return load_rounded_outputs(network, vgg_weights, decoding)
    from ..network import saved
    net, config, attributes = saved.load_network(
        network, vgg_weights, fold=True, decoding=decoding)
    return saved.compile_outputs(net, config), config, attributes


def _choose(engine, network, bfloat16, device):
    """The engine, if it can do what is asked for."""
    engine = choose_engine(engine, network)
    if bfloat16 and engine == 'onnx':
        raise ColornetError('bfloat16 is for the engines theano and pytorch, '
                            'not onnx')
    if device not in DEVICES:
        raise ColornetError('device must be one of %s, not %r'
                            % (', '.join(DEVICES), device))
    if device != 'auto' and engine != 'pytorch':
        raise ColornetError('device is for the engine pytorch, not %s'
                            % engine)
    return engine


def _checked(network, decodings):
    """Changes of settings, refused before an engine is imported."""
    decodings = [listed_changes(decoding, 'decoding')
                 for decoding in decodings]
    if any(decodings) and not is_onnx(network):
        stored.with_decodings(stored.load_configuration(network)[0],
                              decodings)
    return decodings


def load_configuration(network):
    """:func:`colornet.network.stored.load_configuration`, also of ONNX files.

    Parameters
    ----------
    network : Path

    Returns
    -------
    config : Config
    attributes : dict

    Raises
    ------
    ColornetError
    """
    if is_onnx(network):
        from .onnx_runtime import load_onnx
        return load_onnx(network)[1:]
    return stored.load_configuration(network)


def _load_for_theano(network, vgg_weights, decodings):
    from ..network import saved
    net, config, attributes = saved.load_network(network, vgg_weights,
                                                 fold=True)
    configs = stored.with_decodings(config, decodings)
    return (saved.compile_decodings(net, config, [one.decoding for one in
                                                  configs]),
            configs[0], attributes)
