"""ONNX Runtime's side of the benchmark: prediction alone."""

import os
import tempfile
from pathlib import Path

from colornet.prediction.onnx import export_onnx
from colornet.prediction.onnx_graph import import_package
from colornet.prediction.onnx_runtime import load_onnx
from colornet.resources import DEFAULT_NETWORK, find_resource

from . import NETWORK

__all__ = ['OnnxEngine']


class OnnxEngine:
    """The networks that ship, as ``colornet export`` writes them for ONNX.

    Parameters
    ----------
    luminance : ndarray
        Of a minibatch; see :func:`benchmarks.problem.write_problem`.
    """

    def __init__(self, luminance):
        self.luminance = luminance

    def describe(self):
        """Versions, in a line."""
        return 'ONNX Runtime %s' % import_package('onnxruntime').__version__

    def make_predict(self):
        """Return a function that predicts chrominance from luminance."""
        return self._make(NETWORK)

    def make_everyday(self):
        """The same, by the network that photos are coloured with."""
        return self._make(DEFAULT_NETWORK)

    def _make(self, network):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, 'prediction.onnx')
            export_onnx(find_resource(network), path)
            # Each engine gets the same number.
            predict, _, _ = load_onnx(path, int(os.environ['OMP_NUM_THREADS']))
        return lambda: predict(self.luminance)
