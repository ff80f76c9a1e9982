"""Run a training's epochs, and resume them (paper, 5.2).

This module gets a step and minibatches; it knows neither what computes them
nor an architecture or a data set.
"""

import contextlib
import json
import resource
import time
from collections import OrderedDict
from pathlib import Path

import numpy as np

from ..errors import ColornetError, Diverged
from ..network.parameters import (load_arrays, load_progress, save_arrays,
                                  set_parameters)
from ..terminal import Interrupted, catch_signals, progress_bar

__all__ = ['Trainer']


class Trainer:
    """Runs epochs, and saves and restores everything they depend on.

    Parameters
    ----------
    step : callable
        Takes inputs and targets, changes the parameters, returns the loss,
        or a list: the loss and then `further_losses`.
    checkpoint_file : str or Path
    optimizer_state : list of variables
        What `step` remembers, in a fixed order. A variable has the methods
        ``get_value`` and ``set_value`` of Theano's shared variables.
    parameters : dict of (str, str) to variable
        All that training changes.
    attributes : dict
        Stored with every checkpoint, such as the configuration.
    further_losses : sequence of str
        Names of the numbers that `step` returns after the loss.
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
    losses : list of (int, int, float, ...)
        Epoch and minibatch, both counted from 1, its loss and further ones,
        of all minibatches so far.
    """

    def __init__(self, step, checkpoint_file, *, optimizer_state, parameters,
                 attributes=(), further_losses=(), checkpoint_minutes=5.,
                 progress=True):
        self.step = step
        self.further_losses = further_losses
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
        Diverged
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
            Takes the history and the losses, before the checkpoint of the
            last epoch: after a crash in between, it is validated again and
            nothing is lost.

        Raises
        ------
        Interrupted
            On SIGINT or SIGTERM, after saving a checkpoint.
        Diverged
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
        # A clock that nobody sets back: checkpoints would have to wait for it.
        started = saved = time.monotonic()
        seconds = self._seconds
        bar = progress_bar(
            total=num_images, initial=self._num_images, unit='image',
            desc='epoch %d/%d' % (epoch + 1, num_epochs),
            disable=not self.progress)
        batches = training_batches(epoch, self.iteration)
        with bar, contextlib.closing(batches):
            for inputs, targets in batches:
                check_signals()
                losses = np.ravel(self.step(inputs, targets)).tolist()
                loss = losses[0]
                if not np.isfinite(losses).all():
                    raise self._diverged('the loss is %s'
                                         % ', '.join(map(str, losses)))
                self.iteration += 1
                self.losses.append((epoch + 1, self.iteration, *losses))
                self._loss_sum += loss * len(inputs)
                self._num_images += len(inputs)
                self._seconds = seconds + time.monotonic() - started
                bar.set_postfix(loss='%.4f' % (self._loss_sum /
                                               self._num_images),
                                refresh=False)
                bar.update(len(inputs))
                if time.monotonic() - saved > 60 * self.checkpoint_minutes:
                    self.save()
                    saved = time.monotonic()
        # Before the validation, which takes a while, too.
        self.save()
        check_signals()

    def _finish_epoch(self, validation, on_epoch):
        """Log the epoch and save."""
        row = OrderedDict([('epoch', len(self.history) + 1), (
            'training_loss', self._loss_sum / self._num_images)])
        for number, name in enumerate(self.further_losses, 3):
            row[name] = float(np.mean([losses[number] for losses in self.losses
                                       if losses[0] == row['epoch']]))
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
            on_epoch(self.history, self.losses)
        self.save()

    def _diverged(self, what):
        kept = (' (the last checkpoint stays in %s)' % self.checkpoint_file
                if Path(self.checkpoint_file).exists() else '')
        return Diverged(
            'training diverged: %s in epoch %d, after %d minibatches; a lower '
            'learning rate may help%s' % (what, len(self.history) + 1,
                                          self.iteration, kept))
