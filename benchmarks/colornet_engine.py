"""colornet's side of the benchmark, by its public functions."""

import numpy as np

from colornet.engine.backend import T, describe_backend, lasagne, theano
from colornet.engine.convolutions import bfloat16_mode
from colornet.engine.convolvers import onednn_version
from colornet.engine.speedups import speedup_status
from colornet.network.networks import (all_parameters, output_layers,
                                       trainable_parameters)
from colornet.network.objectives import cross_entropy_loss
from colornet.network.saved import compile_prediction
from colornet.prediction.bfloat16 import load_rounded, load_rounded_outputs
from colornet.resources import DEFAULT_NETWORK, find_resource
from colornet.training.updates import compile_training

from . import NETWORK
from .peaks import MATRIX_SIZE
from .problem import correlation_order, load_shipped_network

__all__ = ['ColornetEngine']


class ColornetEngine:
    """The network in Theano; which speed-ups, the environment says.

    Parameters
    ----------
    luminance, inputs, targets : ndarray
        A minibatch; see :func:`benchmarks.problem.write_problem`.
    bfloat16 : bool
    """

    def __init__(self, luminance, inputs, targets, bfloat16=False):
        self.luminance, self.inputs, self.targets = luminance, inputs, targets
        self.bfloat16 = bfloat16
        self.net, self.config = load_shipped_network(luminance.shape[1])

    def describe(self):
        """Versions and speed-ups, in a line."""
        status = speedup_status()
        return 'Theano %s%s; speed-ups: %s' % (
            describe_backend()['theano'],
            '' if status['onednn'] else ', oneDNN %s' % onednn_version(),
            ', '.join(name for name, reason in status.items() if not reason)
            or 'none')

    def make_train(self):
        """Return a function that does one training step."""
        options = {name: self.config.training[name] for name in
                   ('update_rule', 'learning_rate', 'beta1', 'beta2',
                    'momentum')}
        step, _ = compile_training(self.net, cross_entropy_loss,
                                   bfloat16=self.bfloat16, **options)
        return lambda: step(self.inputs, self.targets)

    def make_predict(self):
        """Return a function that predicts chrominance from luminance."""
        return self._make_predict(NETWORK)

    def make_everyday(self):
        """The same, by the network that photos are coloured with."""
        return self._make_predict(DEFAULT_NETWORK)

    def _make_predict(self, network):
        # As load_colorizer() does it.
        if self.bfloat16:
            predict = load_rounded(find_resource(network))[0]
            return lambda: predict(self.luminance)[0]
        predict = compile_prediction(*load_shipped_network(
            self.luminance.shape[1], fold=True, network=network))
        return lambda: predict(self.luminance)

    def make_peak(self):
        """Return a function that multiplies matrices by Theano's BLAS."""
        matrix = theano.shared(np.random.RandomState(0).rand(
            MATRIX_SIZE, MATRIX_SIZE).astype(np.float32))
        return theano.function([], T.dot(matrix, matrix))

    def scores(self):
        """Class scores of the prediction, for U and V."""
        if self.bfloat16:
            return load_rounded_outputs(find_resource(NETWORK))[0](
                self.luminance)
        outputs = lasagne.layers.get_output(output_layers(self.net),
                                            deterministic=True)
        return theano.function([self.net['input'].input_var],
                               outputs)(self.inputs)

    def training_scores(self):
        """Class scores while training, and the loss's gradients by name."""
        outputs = lasagne.layers.get_output(output_layers(self.net))
        targets = T.itensor4('targets')
        names = {variable: key for key, variable in
                 all_parameters(self.net).items()}
        parameters = trainable_parameters(self.net)
        values = theano.function(
            [self.net['input'].input_var, targets], outputs + T.grad(
                cross_entropy_loss(outputs, targets), parameters),
            mode=bfloat16_mode() if self.bfloat16 else None)(
                self.inputs, self.targets)
        return values[:2], {
            '/'.join(names[variable]):
            correlation_order(names[variable], np.asarray(gradient))
            for variable, gradient in zip(parameters, values[2:])}

    def running_averages(self):
        """Means and variances of the batch normalizations, by name."""
        return {'/'.join(key): variable.get_value() for key, variable
                in all_parameters(self.net).items()
                if key[1] in ('mean', 'variance')}
