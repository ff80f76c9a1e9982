"""What ``colornet`` offers in Python: networks that colour photos."""

import functools
import os
import reprlib
import threading

import numpy as np

from .config import listed_changes
from .errors import ColornetError
from .network.stored import network_file
from .photos.colorizer import Colorizer
from .prediction.engines import load_outputs, load_prediction
from .refinement.decoder import Decoder
from .resources import DEFAULT_NETWORK, find_resource

__all__ = ['colorize', 'load_colorizer', 'load_colorizers']

#: Colorizers that :func:`colorize` keeps.
_KEPT = 2

_loading = threading.Lock()


def colorize(photos, network=None, decoding=(), engine=None, device='auto',
             vgg=None, bfloat16=False, **options):
    """Colorize photos: paths, bytes, open files, Pillow's images, arrays.

    The network is loaded once; calls from several threads wait for each
    other.

    Parameters
    ----------
    photos : str, Path, bytes, file, PIL.Image.Image, ndarray; or list of them
        As for :func:`colornet.photos.kinds.colorize_kinds`.
    network, decoding, engine, device, vgg, bfloat16
        As for :func:`load_colorizer`.
    options
        As for :func:`colornet.photos.kinds.colorize_kinds`: ``out``,
        ``overwrite``, ``format``, ``quality``, ``colour``, ``refinement``,
        ``batch_size``;
        ``borders`` and ``tones`` as for :class:`Colorizer`.

    Returns
    -------
    The same kind
        For a file, the path of the result, which is beside it unless `out` is
        given. What is there is not replaced, but by ``overwrite=True``.

    Raises
    ------
    ColornetError
        If something is no photo, there is no such network or option, or the
        result of a file is there.
    """
    _check_paths(network=network, vgg=vgg)
    with _loading:
        colorizer = _kept_colorizer(network, tuple(listed_changes(
            decoding, 'decoding')), engine, device, vgg, bfloat16)
    return colorizer(photos, **options)


@functools.lru_cache(_KEPT)
def _kept_colorizer(network, decoding, engine, device, vgg, bfloat16):
    return load_colorizer(network, vgg, decoding, engine, bfloat16, device)


def load_colorizer(network=None, vgg=None, decoding=(), engine=None,
                   bfloat16=False, device='auto'):
    """Load a network that colours photos.

    Parameters
    ----------
    network : str or Path, optional
        A file or a run folder;
        :data:`colornet.resources.DEFAULT_NETWORK` if not given. An ONNX file
        is one whose name ends in ``.onnx``.
    vgg : str or Path, optional
        VGG16's weights, as for :func:`colornet.network.saved.load_network`.
    decoding : str, or iterable of str
        Changes of ``[decoding]``, such as ``saturation=1.5``, and of
        ``[refinement]``, such as ``refinement.steps=crf`` and
        ``refinement.crf_weight=3``. Those of steps that are not taken do
        nothing until a call asks for their step.
    engine : 'theano', 'onnx' or 'pytorch', optional
        What computes; if not given, Theano where it is installed, else ONNX
        Runtime, as for ONNX files.
    bfloat16 : bool
        By oneDNN in place of Theano, or by PyTorch: much faster on processors
        that have AVX512_BF16 or AMX, and less exact (docs/speed.rst).
    device : 'auto', 'cuda', 'mps' or 'cpu'
        Of PyTorch: a CUDA GPU, Apple's, or the processor; ``auto`` is the
        first of them that is there.

    Returns
    -------
    Colorizer
        Several threads may call it; the network serves one at a time.

    Raises
    ------
    ColornetError
        If there is no such network or decoding, or it cannot be loaded.
    """
    _check_paths(network=network, vgg=vgg)
    decoder = Decoder(*load_outputs(_find(network), vgg, decoding, engine,
                                    bfloat16, device)[:2])
    return Colorizer(decoder, refinement=decoder.refinement,
                     **_view(decoder.config))


def load_colorizers(network=None, vgg=None, decodings=((),),
                    engine=None, bfloat16=False, device='auto'):
    """Load a network that colours photos with several decodings.

    Parameters
    ----------
    network, vgg, engine, bfloat16, device
        As for :func:`load_colorizer`.
    decodings : sequence of iterables of str
        Each as `decoding` there.

    Returns
    -------
    list of Colorizer
        One for each, without refinement. Where they are asked for the same
        photo in turn, the network is run once. Several threads may call them.
    """
    _check_paths(network=network, vgg=vgg)
    predict, config, _ = load_prediction(_find(network), vgg, decodings,
                                         engine, bfloat16, device)
    return [Colorizer(function, **_view(config))
            for function in _share_passes(predict, len(decodings))]


def _check_paths(**paths):
    """Refuse what would end in a TypeError, or name an open file."""
    for name, path in paths.items():
        if not isinstance(path, (str, os.PathLike, type(None))):
            raise ColornetError('%s must be a path, not %s'
                                % (name, reprlib.repr(path)))


def _find(network):
    """The file of a network, or of the default one."""
    return (network_file(network) if network else
            find_resource(DEFAULT_NETWORK))


def _view(config):
    """What a network sees of photos."""
    return {'size': config.data['size'],
            'proportions': config.data['proportions'],
            'color_space': config.network['color_space']}


def _share_passes(predict, count):
    """Split a function for several decodings into one per decoding.

    A compiled network computes in memory of its own: one call at a time.
    """
    lock = threading.Lock()
    latest = [None, None]

    def predict_one(number, luminance):
        with lock:
            if count == 1:
                return predict(luminance)[0]
            if not np.array_equal(luminance, latest[0]):
                latest[:] = luminance, predict(luminance)
            return latest[1][number]
    return [functools.partial(predict_one, number) for number in range(count)]
