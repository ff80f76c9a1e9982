"""Luminance in, chrominance out: what a network says, decoded and refined."""

import threading

import numpy as np

from ..color import get_color_space
from .refiner import Refinement

__all__ = ['Decoder']


class Decoder:
    """A network's outputs become chrominance, each call in its own way.

    Parameters
    ----------
    outputs, config
        Of :func:`colornet.prediction.engines.load_outputs`.

    Attributes
    ----------
    config : Config
        As given.
    refinement : Refinement
        That of the network's configuration.
    """

    def __init__(self, outputs, config):
        self._outputs = outputs
        # A compiled network computes in memory of its own: one call at a time.
        self._lock = threading.Lock()
        self._limits = get_color_space(config.network['color_space']).limits
        self.config = config
        self.refinement = Refinement.of(config)

    def __call__(self, luminance, refinement=Refinement()):
        """Predict the chrominance of photos.

        Parameters
        ----------
        luminance : ndarray of float32, (batch, rows, columns)
        refinement : Refinement
            Its steps, but for ``guided``, are taken.

        Returns
        -------
        ndarray of float32, (batch, any rows, any columns, 2)
        """
        with self._lock:
            outputs = self._outputs(luminance)
        return np.stack([
            refinement(list(photo), light, self._limits, self.config.decoding)
            for photo, light in zip(zip(*outputs), luminance)])
