"""Prediction by ONNX Runtime, where Theano is not; without Theano.

It runs what :mod:`colornet.prediction.onnx` has made.
"""

import re
import textwrap
from pathlib import Path

import numpy as np

from ..config import Config
from ..errors import ColornetError
from ..files import check_regular
from ..resources import num_processors
from .layer_by_layer import check_divisible
from .onnx import ONNX_FORMAT
from .onnx_external import has_external_data
from .onnx_graph import import_package

__all__ = ['load_onnx', 'read_config', 'run_session', 'start_session']

#: Characters of an error of ONNX Runtime that are told.
MAX_MESSAGE = 300


def load_onnx(path, num_threads=None):
    """Load a network that colours photos from an ONNX file.

    Parameters
    ----------
    path : str or Path
    num_threads : int, optional
        As many as there are cores for this process if not given.

    Returns
    -------
    predict : callable
        As :func:`colornet.network.saved.compile_prediction` returns it.
    config : Config
    metadata : dict of str to str
        Where the network comes from.

    Raises
    ------
    ColornetError
        If the package onnxruntime or the file is missing, or the latter is no
        such network.
    """
    import_package('onnxruntime')
    check_regular(path)
    if not Path(path).exists():
        raise ColornetError('%s does not exist' % path)
    session = start_session(Path(path).read_bytes(), path, num_threads)
    try:
        metadata = session.get_modelmeta().custom_metadata_map
    except UnicodeDecodeError:
        raise ColornetError('%s is damaged: its metadata are no text' % path)
    if metadata.get('format') != ONNX_FORMAT:
        raise ColornetError('%s is not an ONNX file of this version of '
                            'colornet' % path)
    config = read_config(metadata, path)

    def predict(luminance):
        return run_session(session, config.network, luminance, ['chroma'],
                           path)[0]
    return predict, config, metadata


def run_session(session, settings, luminance, names, source):
    """Outputs of a network, by their names.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
    settings : dict
        ``[network]`` of its configuration.
    luminance : ndarray, (batch, rows, columns)
    names : list of str
    source : str or Path
        Where the model comes from, for errors.

    Returns
    -------
    list of ndarray of float32
        As the model has them.

    Raises
    ------
    ColornetError
        If rows or columns are none that the network can halve so often, or
        the model is one that cannot be run.
    """
    check_divisible(luminance, settings)
    try:
        return session.run(names, {'luminance': np.asarray(luminance,
                                                           np.float32)})
    except MemoryError:
        raise
    except Exception as error:  # Its own have no class in common.
        if _is_memory(error):
            raise MemoryError
        raise ColornetError('cannot run %s: %s' % (source,
                                                   _one_line(error)))


def start_session(model, source, num_threads=None):
    """Let ONNX Runtime prepare a model.

    Parameters
    ----------
    model : bytes
        What a file holds.
    source : str or Path
        Where it comes from, for errors.
    num_threads : int, optional
        As for :func:`load_onnx`.

    Returns
    -------
    onnxruntime.InferenceSession

    Raises
    ------
    ColornetError
        If the package onnxruntime is missing, or this is no model, or one of
        which parts are in other files: nobody chose those.
    """
    runtime = import_package('onnxruntime')
    damaged = '%s is no ONNX file, or damaged' % source
    try:
        is_external = has_external_data(model)
    except ValueError:
        raise ColornetError(damaged)
    if is_external:
        raise ColornetError('%s has parts in other files, which are not read'
                            % source)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = num_threads or num_processors()
    options.log_severity_level = 4  # Errors are raised, too.
    try:
        return runtime.InferenceSession(
            model, options, providers=['CPUExecutionProvider'],
            enable_fallback=0)
    except Exception as error:
        text = _one_line(error)
        raise ColornetError(damaged if 'INVALID_PROTOBUF' in text else
                            'cannot read %s: %s' % (source, text))


def _is_memory(error):
    """Whether an error of ONNX Runtime is of memory."""
    return re.search('allocat|bad_alloc', str(error)) is not None


def _one_line(error):
    return textwrap.shorten(str(error), MAX_MESSAGE, placeholder=' ...')


def read_config(metadata, source):
    """The configuration among the metadata of a network.

    Raises
    ------
    ColornetError
        If there is none.
    """
    try:
        return Config.from_json(metadata['config'])
    except (KeyError, ValueError) as error:
        raise ColornetError('%s has no valid configuration: %s'
                            % (source, error))
