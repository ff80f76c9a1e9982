"""Networks: built, saved, loaded, compiled to predict (paper, 3.1)."""

import numpy as np

from ..color import get_color_space
from ..engine.backend import T, lasagne, theano
from ..engine.function_cache import load_or_compile
from ..engine.switches import wanted
from ..resources import find_resource
from .decoding import predicted_chroma
from .inputs import preprocess
from .networks import (all_parameters, build_network, decoder_parameters,
                       output_layers)
from .parameters import save_parameters, set_parameters
from .stored import fold_batch_norm, load_stored
from .vgg16 import load_vgg16_weights, set_vgg16_weights

__all__ = ['build_pretrained', 'learned_parameters', 'save_network',
           'load_network', 'compile_prediction', 'compile_decodings',
           'compile_outputs']


def build_pretrained(config, vgg_weights=None):
    """Build a configuration's network with VGG16's weights (paper, 3.2).

    The paper calls it transfer learning.

    Parameters
    ----------
    config : Config
    vgg_weights : str or Path, optional
        See :func:`colornet.network.vgg16.load_vgg16_weights`; those that ship
        with the project if not given.

    Returns
    -------
    OrderedDict of str to Layer
        The decoder is freshly initialized (5.2) by the configured seed.
    """
    lasagne.random.set_rng(np.random.RandomState(config.training['seed']))
    net = build_network(config, T.tensor4('inputs'), wanted('stack'))
    _set_vgg16(net, vgg_weights)
    return net


def _set_vgg16(net, vgg_weights):
    """Give the encoder VGG16's weights, those that ship by default."""
    set_vgg16_weights(net, load_vgg16_weights(
        vgg_weights or find_resource('weights/vgg16.pkl')))


def learned_parameters(net, config):
    """What training changes: the decoder, and VGG16 if it is fine-tuned."""
    return (all_parameters if config.network['fine_tune'] else
            decoder_parameters)(net)


def save_network(path, net, config, attributes, dtype=None):
    """Save a trained network, without VGG16 unless it was fine-tuned.

    Parameters
    ----------
    path : str or Path
    net : dict of str to Layer
    config : Config
    attributes : dict of str to (str, int or float)
        Where the network comes from.
    dtype : dtype, optional
        float16 halves the file.
    """
    save_parameters(path, learned_parameters(net, config), config, attributes,
                    dtype)


def load_network(path, vgg_weights=None, fold=False, size=None,
                 decoding=()):
    """Load a network that :func:`save_network` saved.

    Parameters
    ----------
    path : str or Path
    vgg_weights : str or Path, optional
        As for :func:`build_pretrained`.
    fold : bool
        Fold batch normalization into the convolutions: for prediction only,
        the same numbers in less time. The configuration says so then.
    size : int, optional
        Rows and columns of the images, if not those of the training.
    decoding : iterable of str
        Changes of settings, such as ``decoding.method=mean``.

    Returns
    -------
    net : OrderedDict of str to Layer
    config : Config
    attributes : dict

    Raises
    ------
    ColornetError
        If the file is missing or is not such a network.
    """
    parameters, config, attributes = load_stored(path)
    config.override_decoding(decoding)
    if size is not None:
        config.override('data.size=%d' % size, 'size')
    if fold and config.network['batch_norm']:
        config.override('network.batch_norm=no')
        parameters = fold_batch_norm(parameters)
    net = _build_undrawn(config)
    # A VGG16 that was fine-tuned is in the file.
    if vgg_weights is not None or not config.network['fine_tune']:
        _set_vgg16(net, vgg_weights)
    set_parameters(learned_parameters(net, config), parameters, path)
    return net, config, attributes


class _NoDraws:
    """Zeros in place of random numbers."""

    @staticmethod
    def uniform(low, high, size):
        return np.zeros(size, np.float32)


def _build_undrawn(config):
    """Build a network all of whose parameters will be loaded.

    Drawing them takes longer than loading them.
    """
    random = lasagne.random.get_rng()
    lasagne.random.set_rng(_NoDraws)
    try:
        return build_network(config, T.tensor4('inputs'), wanted('stack'))
    finally:
        lasagne.random.set_rng(random)


def compile_prediction(net, config):
    """Compile a network to a function from luminance to chrominance.

    Later calls, also of other processes, load what one has compiled; see
    :mod:`colornet.engine.function_cache`.

    Parameters
    ----------
    net : dict of str to Layer
    config : Config

    Returns
    -------
    callable
        Takes float32 luminance, (batch, rows, columns), returns float32
        chrominance, (batch, rows, columns, 2), both in the units of the
        colour space. The latter's rows and columns are the former's divided
        by ``network.output_stride``.
    """
    predict = compile_decodings(net, config, [config.decoding])
    return lambda luminance: predict(luminance)[0]


def compile_decodings(net, config, decodings):
    """:func:`compile_prediction` for several decodings of the same outputs.

    Parameters
    ----------
    net, config
        As there; the decoding of `config` is not used.
    decodings : list of dict
        Options of :func:`colornet.network.decoding.predicted_chroma`.

    Returns
    -------
    callable
        Takes the same, returns a list: the chrominance by each decoding.
    """
    run = _compile(net, config, decodings)
    return lambda luminance: [np.moveaxis(chroma, 1, -1)
                              for chroma in run(luminance)]


def compile_outputs(net, config):
    """:func:`compile_decodings` without any decoding.

    Parameters
    ----------
    net, config
        As there; the decoding of `config` is not used.

    Returns
    -------
    callable
        Takes the same, returns a list of float32 arrays, (batch, channels,
        rows, columns): the class scores of both channels before any softmax,
        or one array of chrominance.
    """
    return _compile(net, config, None)


def _compile(net, config, decodings):
    """Function from luminance to what decodings, or none, make of outputs."""
    space = get_color_space(config.network['color_space'])

    def compile_function():
        outputs = lasagne.layers.get_output(output_layers(net),
                                            deterministic=True)
        if decodings is not None:
            outputs = [predicted_chroma(outputs, config.network['num_bins'],
                                        space.limits, **options)
                       for options in decodings]
        return theano.function([net['input'].input_var], outputs)

    run = load_or_compile(
        'prediction', [config.network, decodings, net['input'].shape],
        {'/'.join(key): variable
         for key, variable in all_parameters(net).items()}, compile_function)
    return lambda luminance: run(preprocess(luminance, space.luminance_max))
