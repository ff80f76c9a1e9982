"""Prediction by ONNX Runtime, where Theano is not; without Theano.

It runs what :func:`colornet.network.onnx.export_onnx` has written.
"""

import os
from pathlib import Path

import numpy as np

from ..config import Config
from ..errors import ColornetError
from ..files import check_regular
from ..photos.colorizer import Colorizer
from .onnx import ONNX_FORMAT
from .onnx_graph import import_package

__all__ = ['load_onnx', 'load_onnx_colorizer']


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
    runtime = import_package('onnxruntime')
    check_regular(path)
    if not Path(path).exists():
        raise ColornetError('%s does not exist' % path)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = num_threads or len(os.sched_getaffinity(0))
    options.log_severity_level = 3  # Errors only.
    try:
        session = runtime.InferenceSession(
            str(path), options, providers=['CPUExecutionProvider'])
        metadata = session.get_modelmeta().custom_metadata_map
    except Exception as error:  # Its own have no class in common.
        raise ColornetError('cannot read %s: %s'
                            % (path, ' '.join(str(error).split())))
    if metadata.get('format') != ONNX_FORMAT:
        raise ColornetError('%s is not an ONNX file of this version of '
                            'colornet' % path)
    try:
        config = Config.from_json(metadata['config'])
    except (KeyError, ValueError) as error:
        raise ColornetError('%s has no valid configuration: %s'
                            % (path, error))

    def predict(luminance):
        return session.run(['chroma'], {'luminance': np.asarray(
            luminance, np.float32)})[0]
    return predict, config, metadata


def load_onnx_colorizer(path, num_threads=None):
    """Load an ONNX file as :func:`load_onnx`, to colour photos.

    Parameters
    ----------
    path, num_threads
        As there.

    Returns
    -------
    Colorizer
    """
    predict, config, _ = load_onnx(path, num_threads)
    return Colorizer(predict, config.data['size'],
                     config.network['color_space'],
                     config.data['proportions'])
