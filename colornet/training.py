"""Compile and run a training (paper, 5.2).

This module gets a network, an objective and minibatches; it knows no data
set and no architecture.
"""

import contextlib
import json
import math
import os
import resource
import time
from collections import OrderedDict

import numpy as np

from .backend import T, lasagne, theano
from .checkpoint import (load_arrays, load_progress, save_arrays,
                         set_parameters)
from .errors import ColornetError
from .networks import (decoder_parameters, output_layers,
                       trainable_parameters)
from .progress import progress_bar
from .signals import Interrupted, catch_signals

__all__ = ['Trainer', 'compile_training', 'compile_validation',
           'cycle_learning_rate', 'learning_rate_after', 'make_averages',
           'make_updates']


def make_updates(loss, parameters, update_rule='adam', learning_rate=0.0003,
                 beta1=0.9, beta2=0.999, momentum=0.9):
    """Updates by Adam or Nesterov momentum (paper, 5.2).

    Parameters
    ----------
    loss : scalar, or list of expressions
        The gradients, if it is a list.
    parameters : list of shared variables
    update_rule : 'adam' or 'nesterov'
    learning_rate : float or scalar
    beta1, beta2, momentum : float

    Returns
    -------
    OrderedDict of shared variable to expression
    """
    if update_rule == 'adam':
        return lasagne.updates.adam(loss, parameters, learning_rate,
                                    beta1, beta2)
    if update_rule == 'nesterov':
        return lasagne.updates.nesterov_momentum(loss, parameters,
                                                 learning_rate, momentum)
    raise ValueError("update_rule must be 'adam' or 'nesterov', not %r"
                     % update_rule)


def _targets(output_layers):
    """Bin numbers for two score maps, chrominance for one output."""
    return (T.itensor4 if len(output_layers) == 2 else T.tensor4)('targets')


def learning_rate_after(epochs, learning_rate, drop_epochs, drop_factor):
    """The learning rate after some epochs, which drops now and then.

    Parameters
    ----------
    epochs : int
        That are done.
    learning_rate : float
        At the start.
    drop_epochs : sequence of int
        After how many epochs it drops.
    drop_factor : float
        By what it is multiplied each time.

    Returns
    -------
    float
    """
    return learning_rate * drop_factor ** sum(epochs >= drop for drop
                                              in drop_epochs)


def cycle_learning_rate(minibatch, num_minibatches, learning_rate, warm_up):
    """The learning rate of one cycle: up in a line, down in half a cosine.

    Parameters
    ----------
    minibatch : int
        Of the whole training, counted from 0.
    num_minibatches : int
        Of the whole training.
    learning_rate : float
        The highest.
    warm_up : float in [0, 1)
        Share of the minibatches in which it rises.

    Returns
    -------
    float
        Above zero; it would be zero at the minibatch after the last.
    """
    rising = warm_up * num_minibatches
    if minibatch < rising:
        return learning_rate * min((minibatch + 1) / rising, 1)
    falling = (minibatch - rising) / (num_minibatches - rising)
    return learning_rate * 0.5 * (1 + math.cos(math.pi * falling))


def make_averages(parameters):
    """Shared variables for the moving averages of parameters.

    Parameters
    ----------
    parameters : dict of key to shared variable

    Returns
    -------
    OrderedDict of key to shared variable
        With the values that the parameters have now.
    """
    return OrderedDict(
        (key, theano.shared(variable.get_value(), 'average of %s' % (key,),
                            broadcastable=variable.broadcastable))
        for key, variable in parameters.items())


def _average_updates(updates, averages, decay):
    """Updates of moving averages, and of a count of steps."""
    steps = theano.shared(lasagne.utils.floatX(0), 'steps')
    # At first, averages of few steps: what was at the start is soon forgotten.
    weight = T.minimum(lasagne.utils.floatX(decay), (1 + steps) / (10 + steps))
    changes = OrderedDict(
        (average, weight * average + (1 - weight) * updates.get(parameter,
                                                                parameter))
        for parameter, average in averages)
    changes[steps] = steps + 1
    return changes


def compile_training(net, objective, weight_decay=0., gradient_clip=0.,
                     encoder_rate=1., averages=(), average=0.,
                     learning_rate=0.0003, **update_options):
    """Compile one training step.

    Parameters
    ----------
    net : dict of str to Layer
    objective : callable
        Takes the list of outputs and the targets, returns the loss.
    weight_decay : float
        Times the sum of squares of the trained convolutions' weights, added
        to the loss that is minimized.
    gradient_clip : float
        Largest norm of the gradient of all parameters together; a longer one
        is scaled down to it. 0: none.
    encoder_rate : float
        Learning rate of VGG16's layers, as a multiple of `learning_rate`.
    averages : sequence of (shared variable, shared variable)
        Parameters, and what holds their moving averages.
    average : float in (0, 1)
        Weight of the old value in these: that, or (1 + t) / (10 + t) after t
        steps, while this is smaller.
    learning_rate : float or scalar
    update_options
        Of :func:`make_updates`.

    Returns
    -------
    step : callable
        Takes inputs and targets, changes the parameters, returns the loss,
        without weight decay.
    optimizer_state : list of shared variables
        What the update rule and the averages remember, in a fixed order.
    """
    layers = output_layers(net)
    targets = _targets(layers)
    batch_norm_updates = OrderedDict()
    outputs = lasagne.layers.get_output(layers,
                                        batch_norm_updates=batch_norm_updates)
    loss = objective(outputs, targets)
    trained = trainable_parameters(net)
    minimized = loss
    if weight_decay:
        minimized = loss + weight_decay * lasagne.regularization.apply_penalty(
            lasagne.layers.get_all_params(layers, trainable=True,
                                          regularizable=True),
            lasagne.regularization.l2)
    if gradient_clip:
        minimized = lasagne.updates.total_norm_constraint(
            T.grad(minimized, trained), gradient_clip)
    updates = _updates_at_two_rates(minimized, trained, set(
        decoder_parameters(net).values()), learning_rate, encoder_rate,
        update_options)
    optimizer_state = [variable for variable in updates
                       if variable not in trained]
    updates.update(batch_norm_updates)
    if averages:
        changes = _average_updates(updates, averages, average)
        optimizer_state += list(changes)
        updates.update(changes)
    step = theano.function([net['input'].input_var, targets], loss,
                           updates=updates)
    return step, optimizer_state


def _updates_at_two_rates(minimized, trained, decoder, learning_rate,
                          encoder_rate, update_options):
    """:func:`make_updates`, VGG16 at a learning rate of its own."""
    if encoder_rate == 1:
        return make_updates(minimized, trained, learning_rate=learning_rate,
                            **update_options)
    gradients = (minimized if isinstance(minimized, list) else
                 T.grad(minimized, trained))
    updates = OrderedDict()
    for rate, is_in_decoder in ((learning_rate, True),
                                (learning_rate * encoder_rate, False)):
        part = [(gradient, variable) for gradient, variable in
                zip(gradients, trained)
                if (variable in decoder) == is_in_decoder]
        updates.update(make_updates(
            [gradient for gradient, _ in part],
            [variable for _, variable in part], learning_rate=rate,
            **update_options))
    return updates


def compile_validation(net, objective, decode, averages=()):
    """Compile loss and prediction with the parameters as they are.

    Parameters
    ----------
    net, objective
        As in :func:`compile_training`.
    decode : callable
        Takes the list of outputs, returns the predicted chrominance.
    averages : sequence of (shared variable, shared variable)
        Parameters, and what to take instead: their averages.

    Returns
    -------
    callable
        Takes inputs and targets, returns the loss and the chrominance.
    """
    layers = output_layers(net)
    targets = _targets(layers)
    outputs = lasagne.layers.get_output(layers, deterministic=True)
    return theano.function([net['input'].input_var, targets],
                           [objective(outputs, targets), decode(outputs)],
                           givens=list(averages))


class Trainer:
    """Runs epochs, and saves and restores everything they depend on.

    Parameters
    ----------
    step : callable
    optimizer_state : list of shared variables
        As :func:`compile_training` returns them.
    parameters : dict of (str, str) to shared variable
        All that training changes.
    checkpoint_file : str or Path
    attributes : dict
        Stored with every checkpoint, such as the configuration.
    checkpoint_minutes : float
        Between checkpoints within an epoch.
    progress : bool
        Show a progress bar on the standard error stream.

    Attributes
    ----------
    history : list of dict
        One for each finished epoch.
    iteration : int
        Minibatches done of the epoch in work.
    losses : list of (int, int, float)
        Epoch and minibatch, both counted from 1, and its loss, of all
        minibatches so far.
    """

    def __init__(self, step, optimizer_state, parameters, checkpoint_file,
                 attributes=(), checkpoint_minutes=5., progress=True):
        self.step = step
        self.optimizer_state = optimizer_state
        self.parameters = parameters
        self.checkpoint_file = checkpoint_file
        self.attributes = dict(attributes)
        self.checkpoint_minutes = checkpoint_minutes
        self.progress = progress
        self.history = []
        self.iteration = 0
        self.losses = []
        self._loss_sum = 0.
        self._num_images = 0
        self._seconds = 0.

    def save(self):
        """Write the checkpoint, atomically.

        Raises
        ------
        ColornetError
            If a parameter is not finite: the last checkpoint stays.
        """
        values = OrderedDict((key, variable.get_value())
                             for key, variable in self.parameters.items())
        for key, value in values.items():
            if not np.isfinite(value).all():
                raise self._diverged('%s is not finite' % '/'.join(key))
        progress = {'history': self.history, 'iteration': self.iteration,
                    'loss_sum': self._loss_sum,
                    'num_images': self._num_images, 'seconds': self._seconds}
        optimizer = {'%04d' % number: variable.get_value() for
                     number, variable in enumerate(self.optimizer_state)}
        save_arrays(self.checkpoint_file,
                    {'parameters': values, 'optimizer': optimizer,
                     'log': {'losses': np.array(self.losses)}
                     if self.losses else {}},
                    dict(self.attributes, progress=json.dumps(progress)))

    def restore(self):
        """Continue from the checkpoint as if never stopped."""
        groups, _ = load_arrays(self.checkpoint_file,
                                ['parameters', 'optimizer'])
        progress, _ = load_progress(self.checkpoint_file)
        set_parameters(self.parameters, groups['parameters'],
                       self.checkpoint_file)
        stored = [groups['optimizer'][name]
                  for name in sorted(groups['optimizer'])]
        if [array.shape for array in stored] != [
                variable.get_value(borrow=True).shape
                for variable in self.optimizer_state]:
            raise ColornetError('%s has the state of another update rule'
                                % self.checkpoint_file)
        for variable, array in zip(self.optimizer_state, stored):
            variable.set_value(array)
        self.history = progress['history']
        self.losses = progress['losses']
        self.iteration = progress['iteration']
        self._loss_sum = progress['loss_sum']
        self._num_images = progress['num_images']
        self._seconds = progress['seconds']

    def run(self, num_epochs, training_batches, num_images, validate,
            on_epoch=None):
        """Train until `num_epochs` epochs are done.

        Parameters
        ----------
        num_epochs : int
        training_batches : callable
            Takes the epoch's number, counted from 0, and how many
            minibatches to leave out at its start; returns a generator of
            (inputs, targets).
        num_images : int
            In an epoch.
        validate : callable
            Takes a callable to be called now and then (see
            :func:`catch_signals`), returns a dict of numbers to log.
        on_epoch : callable, optional
            Takes the history, before the checkpoint of its last epoch: after
            a crash in between, the epoch is validated again and nothing is
            lost.

        Raises
        ------
        Interrupted
            On SIGINT or SIGTERM, after saving a checkpoint.
        ColornetError
            If the loss is not finite.
        """
        with catch_signals() as check_signals:
            try:
                while len(self.history) < num_epochs:
                    self._run_epoch(num_epochs, training_batches, num_images,
                                    check_signals)
                    self._finish_epoch(validate(check_signals), on_epoch)
            except Interrupted:
                self.save()
                raise

    def _run_epoch(self, num_epochs, training_batches, num_images,
                   check_signals):
        """The rest of the epoch in work."""
        epoch = len(self.history)
        started = saved = time.time()
        seconds = self._seconds
        bar = progress_bar(
            total=num_images, initial=self._num_images, unit='image',
            desc='epoch %d/%d' % (epoch + 1, num_epochs),
            disable=not self.progress)
        batches = training_batches(epoch, self.iteration)
        with bar, contextlib.closing(batches):
            for inputs, targets in batches:
                check_signals()
                loss = float(self.step(inputs, targets))
                if not np.isfinite(loss):
                    raise self._diverged('the loss is %s' % loss)
                self.iteration += 1
                self.losses.append((epoch + 1, self.iteration, loss))
                self._loss_sum += loss * len(inputs)
                self._num_images += len(inputs)
                self._seconds = seconds + time.time() - started
                bar.set_postfix(loss='%.4f' % (self._loss_sum /
                                               self._num_images),
                                refresh=False)
                bar.update(len(inputs))
                if time.time() - saved > 60 * self.checkpoint_minutes:
                    self.save()
                    saved = time.time()
        # Before the validation, which takes a while, too.
        self.save()
        check_signals()

    def _finish_epoch(self, validation, on_epoch):
        """Log the epoch and save."""
        row = OrderedDict([('epoch', len(self.history) + 1), (
            'training_loss', self._loss_sum / self._num_images)])
        row.update(validation)
        row['seconds'] = round(self._seconds, 1)
        row['peak_mb'] = resource.getrusage(
            resource.RUSAGE_SELF).ru_maxrss * 1024e-6
        if not all(map(np.isfinite, row.values())):
            raise self._diverged('the validation is not finite')
        self.history.append(row)
        self.iteration = self._num_images = 0
        self._loss_sum = self._seconds = 0.
        if on_epoch is not None:
            on_epoch(self.history)
        self.save()

    def _diverged(self, what):
        kept = (' (the last checkpoint stays in %s)' % self.checkpoint_file
                if os.path.exists(str(self.checkpoint_file)) else '')
        return ColornetError(
            'training diverged: %s in epoch %d, after %d minibatches; a lower '
            'learning rate may help%s' % (what, len(self.history) + 1,
                                          self.iteration, kept))
