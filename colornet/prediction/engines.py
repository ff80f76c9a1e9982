"""Trained networks that predict, by Theano or ONNX Runtime."""

from ..engine.available import choose_engine, is_onnx
from ..errors import ColornetError
from ..network import stored

__all__ = ['load_configuration', 'load_outputs', 'load_prediction']


def load_prediction(network, vgg_weights=None, decodings=((),), engine=None,
                    bfloat16=False):
    """Load a trained network, to predict with several decodings.

    Parameters
    ----------
    network : Path
        A file; one whose name ends in ``.onnx`` is for ONNX Runtime.
    vgg_weights : str or Path, optional
        As for :func:`colornet.network.saved.load_network`.
    decodings : sequence of iterables of str
        Changes of settings for each, such as ``decoding.method=mean``.
    engine : 'theano' or 'onnx', optional
        See :func:`colornet.engine.available.choose_engine`.
    bfloat16 : bool
        By oneDNN: much faster on processors that have it, and less exact.

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
        If the engine, the network or VGG16's weights are missing or damaged.
    """
    chosen = _choose(engine, network, bfloat16)
    if bfloat16:
        from .bfloat16 import load_rounded
        return load_rounded(network, vgg_weights, decodings)
    if chosen == 'onnx':
        from .onnx_cache import load_for_onnx_runtime
        return load_for_onnx_runtime(network, vgg_weights, decodings)
    return _load_for_theano(network, vgg_weights, decodings)


def load_outputs(network, vgg_weights=None, decoding=(), engine=None,
                 bfloat16=False):
    """Load a trained network, to decode its outputs elsewhere.

    Parameters
    ----------
    network, vgg_weights, engine, bfloat16
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
    chosen = _choose(engine, network, bfloat16)
    if bfloat16:
        from .bfloat16 import load_outputs as load_rounded_outputs
        return load_rounded_outputs(network, vgg_weights, decoding)
    if chosen == 'onnx':
        from .onnx_cache import load_outputs_for_onnx_runtime
        return load_outputs_for_onnx_runtime(network, vgg_weights, decoding)
    from ..network import saved
    net, config, attributes = saved.load_network(
        network, vgg_weights, fold=True, decoding=decoding)
    return saved.compile_outputs(net, config), config, attributes


def _choose(engine, network, bfloat16):
    chosen = choose_engine(engine, network)
    if bfloat16 and chosen != 'theano':
        raise ColornetError('bfloat16 is for the engine theano, not %s'
                            % chosen)
    return chosen


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
    net, config, attributes = saved.load_network(
        network, vgg_weights, fold=True, decoding=decodings[0])
    if len(decodings) == 1:
        predict_one = saved.compile_prediction(net, config)
        return (lambda luminance: [predict_one(luminance)], config,
                attributes)
    config_as_stored, _ = stored.load_configuration(network)
    options = [one.decoding for one in
               stored.with_decodings(config_as_stored, decodings)]
    return saved.compile_decodings(net, config, options), config, attributes
