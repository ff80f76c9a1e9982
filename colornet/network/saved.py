"""Trained networks: their files, and predictions from them (paper, 3.1)."""

import functools
import hashlib
import sys
from pathlib import Path

import numpy as np

from ..color import get_color_space
from ..config import Config
from ..engine.backend import T, lasagne, theano
from ..engine.function_cache import load_or_compile
from ..errors import ColornetError
from ..photos.colorizer import Colorizer
from ..resources import find_resource
from .decoding import predicted_chroma
from .inputs import preprocess
from .networks import (all_parameters, build_network, decoder_parameters,
                       fold_batch_norm, output_layers)
from .parameters import (NETWORK_FORMAT, load_arrays, save_parameters,
                         set_parameters)
from .vgg16 import load_vgg16_weights, set_vgg16_weights

__all__ = ['DEFAULT_NETWORK', 'build_pretrained', 'learned_parameters',
           'save_network', 'network_file', 'load_configuration',
           'load_network', 'start_from', 'compile_prediction',
           'compile_decodings', 'load_colorizer', 'load_colorizers']

#: The network that colours photos unless another is named.
DEFAULT_NETWORK = 'weights/everyday.h5'


def build_pretrained(config, vgg_weights=None):
    """Build a configuration's network with VGG16's weights (paper, 3.2).

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
    net = build_network(config, T.tensor4('inputs'))
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


def network_file(path):
    """The best network of a run folder, or the file itself.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Path
    """
    path = Path(path)
    return path / 'best.h5' if path.is_dir() else path


def load_configuration(path):
    """Load the configuration of a network that :func:`save_network` saved.

    Returns
    -------
    config : Config
    attributes : dict

    Raises
    ------
    ColornetError
        If the file is missing or is not such a network.
    """
    _, attributes = load_arrays(path, [])
    return _read_configuration(path, attributes), attributes


def _read_configuration(path, attributes):
    """The configuration among a file's attributes."""
    if 'progress' in attributes:
        best = Path(path).with_name('best.h5')
        raise ColornetError(
            '%s is the checkpoint of a training, not a network; %s' % (
                path, 'take %s' % best if best.exists() else
                'best.h5 comes with the first finished epoch'))
    if attributes.get('format') != NETWORK_FORMAT:
        raise ColornetError('%s is not a trained network of this version'
                            % path)
    try:
        return Config.from_json(attributes['config'])
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise ColornetError('%s has no valid configuration: %s'
                            % (path, error))


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
    groups, attributes = load_arrays(path, ['parameters'])
    config = _read_configuration(path, attributes)
    config.override_decoding(decoding)
    parameters = groups['parameters']
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
        return build_network(config, T.tensor4('inputs'))
    finally:
        lasagne.random.set_rng(random)


def start_from(net, config):
    """Give a network the parameters of ``training.start_from``.

    Parameters
    ----------
    net : dict of str to Layer
    config : Config
        Of `net`. It names a file of :func:`save_network`, or a run folder. If
        the VGG16 in there was fine-tuned, that of `net` must be, too.

    Returns
    -------
    dict
        Where the parameters come from: ``file``, ``sha256``, ``trained_on``,
        ``epoch``.

    Raises
    ------
    ColornetError
        If the file is missing or is not a network of the same kind.

    Notes
    -----
    If photos that are held out now may have been trained on before, a line on
    stderr says so.
    """
    path = network_file(config.training['start_from'])
    groups, attributes = load_arrays(path, ['parameters'])
    stored = _read_configuration(path, attributes)
    for key, value in stored.network.items():
        if (key not in ('fine_tune', 'initialization') and
                value != config.network[key]):
            raise ColornetError('%s has network.%s = %s, not %s: training '
                                'cannot start from it'
                                % (path, key, value, config.network[key]))
    if stored.network['fine_tune'] and not config.network['fine_tune']:
        # What is saved would lack the VGG16 that it was trained with.
        raise ColornetError('%s has a fine-tuned VGG16: training can start '
                            'from it with network.fine_tune = yes only' % path)
    set_parameters(learned_parameters(net, stored), groups['parameters'],
                   path)

    def what_is_held_out(settings):
        return [settings.data[key] for key in (
            'hold_out', 'num_images', 'test_share')] + [settings.draw_seed]
    if stored.data['dataset'] == config.data['dataset'] and \
            what_is_held_out(stored) != what_is_held_out(config):
        print('note: %s was trained with another data.draw_seed, hold_out, '
              'num_images or test_share: if its photos were the same, some '
              'that are held out now were among them' % path,
              file=sys.stderr)
    return {'file': str(path),
            'sha256': hashlib.sha256(path.read_bytes()).hexdigest(),
            'trained_on': str(attributes.get('trained_on', 'others')),
            'epoch': int(attributes.get('epoch', 0))}


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
    space = get_color_space(config.network['color_space'])

    def compile_function():
        outputs = lasagne.layers.get_output(output_layers(net),
                                            deterministic=True)
        return theano.function(
            [net['input'].input_var],
            [predicted_chroma(outputs, config.network['num_bins'],
                              space.limits, **options)
             for options in decodings])

    run = load_or_compile(
        'prediction', [config.network, decodings, net['input'].shape],
        {'/'.join(key): variable
         for key, variable in all_parameters(net).items()}, compile_function)

    def predict(luminance):
        return [np.moveaxis(chroma, 1, -1) for chroma in
                run(preprocess(luminance, space.luminance_max))]
    return predict


def load_colorizer(network=None, vgg_weights=None, decoding=()):
    """Load a network that colours photos.

    Parameters
    ----------
    network : str or Path, optional
        :data:`DEFAULT_NETWORK` if not given.
    vgg_weights : str or Path, optional
    decoding : iterable of str
        As for :func:`load_network`.

    Returns
    -------
    Colorizer
    """
    return load_colorizers(network, vgg_weights, [decoding])[0]


def load_colorizers(network=None, vgg_weights=None, decodings=((),)):
    """Load a network that colours photos with several decodings.

    Parameters
    ----------
    network, vgg_weights
        As for :func:`load_colorizer`.
    decodings : sequence of iterables of str
        Each as `decoding` there.

    Returns
    -------
    list of Colorizer
        One for each. Where they are asked for the same photo in turn, the
        network is run once. Several of them are not for several threads.
    """
    network = network or find_resource(DEFAULT_NETWORK)
    net, config, attributes = load_network(network, vgg_weights, fold=True,
                                           decoding=decodings[0])
    if len(decodings) == 1:
        functions = [compile_prediction(net, config)]
    else:
        own = [_read_configuration(network, attributes) for _ in decodings]
        for one, decoding in zip(own, decodings):
            one.override_decoding(decoding)
        functions = _share_passes(compile_decodings(
            net, config, [one.decoding for one in own]), len(own))
    return [Colorizer(function, config.data['size'],
                      config.network['color_space'],
                      config.data['proportions']) for function in functions]


def _share_passes(predict, count):
    """Split a function of :func:`compile_decodings` into one per decoding."""
    latest = [None, None]

    def predict_one(number, luminance):
        if not np.array_equal(luminance, latest[0]):
            latest[:] = luminance, predict(luminance)
        return latest[1][number]
    return [functools.partial(predict_one, number) for number in range(count)]
