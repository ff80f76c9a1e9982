"""A discriminator that learns beside a network (paper, 6; choice 31)."""

from collections import OrderedDict

import numpy as np

from ..engine.backend import T, lasagne, theano
from ..network.discriminator import (build_discriminator,
                                     discriminator_accuracy,
                                     discriminator_loss, generator_loss)
from .updates import make_updates

__all__ = ['Opponent']


class Opponent:
    """A discriminator, for :func:`.updates.compile_training`.

    Parameters
    ----------
    decode : callable
        Takes the network's outputs, returns chrominance with a gradient,
        (batch, 2, rows, columns).
    update_options
        Of :func:`.updates.make_updates`.

    Attributes
    ----------
    net : OrderedDict of str to Layer
    photos : tensor4, (batch, 3, rows, columns)
        Their L, U and V, divided by 100, at the size of the chrominance.
    weight : shared scalar
        Of the loss that the network gets.
    outputs : list of tensor4
        Of the network that it faces.
    results : list of scalar
        That network's loss, its own, and the share that it tells right.
    updates : OrderedDict of shared variable to expression
        Of all that it learns and remembers.
    """

    def __init__(self, decode, **update_options):
        self.net = build_discriminator()
        self.photos = T.tensor4('photos')
        self.weight = theano.shared(lasagne.utils.floatX(0), 'weight')
        self._decode, self._options = decode, update_options

    def face(self, outputs):
        """Look at a network's colours beside those of photos.

        Parameters
        ----------
        outputs : list of tensor4
            Of the network, for the photos' luminance.

        Returns
        -------
        scalar
            The loss that the network gets, times the weight.
        """
        coloured = T.concatenate([
            self.photos[:, :1], self._decode(outputs) / np.float32(100)],
            axis=1)
        spectral_updates = OrderedDict()
        real, fake = [lasagne.layers.get_output(
            self.net['scores'], images, spectral_updates=spectral_updates)
            for images in (self.photos, coloured)]
        loss = discriminator_loss(real, fake)
        self.outputs = outputs
        self.results = [generator_loss(fake), loss,
                        discriminator_accuracy(real, fake)]
        self.updates = make_updates(loss, lasagne.layers.get_all_params(
            self.net['scores'], trainable=True), **self._options)
        self.updates.update(spectral_updates)
        return self.weight * self.results[0]
