"""A configuration and a folder of photos become a trained network (5.2)."""

import contextlib
from collections import OrderedDict
from itertools import repeat
from pathlib import Path

import numpy as np

from ..data.datasets import FOLDER
from ..data.minibatches import EpochMinibatches, iterate_minibatches, prefetch
from ..data.subsets import digest_photos, draw_training
from ..errors import Diverged
from ..files import locked, write_text
from ..metrics import image_metrics, summarize
from ..network.balance import balance_classes
from ..network.parameters import save_parameters
from ..scaling import enlarge_chroma
from ..terminal import note
from .adversarial import AdversarialLearner
from .history import best_epoch, describe_epoch, write_history
from .learner import TheanoLearner
from .provenance import Provenance, describe_run
from .run_folder import (check_photos, forget_divergence, load_checkpoint,
                         note_divergence)
from .schedules import make_schedule
from .trainer import Trainer

__all__ = ['Run', 'make_learner', 'train']


def make_learner(config, vgg_weights=None, bfloat16=False):
    """The learner by Theano that a configuration asks for.

    Parameters
    ----------
    config : Config
    vgg_weights, bfloat16
        As for :class:`colornet.training.learner.TheanoLearner`.

    Returns
    -------
    Learner
    """
    learner = (AdversarialLearner if config.adversarial['weight'] else
               TheanoLearner)
    return learner(config, vgg_weights, bfloat16)


def train(config, data_folder, run_folder, vgg_weights=None, *, learner=None):
    """Train a network, or resume or skip its training (paper, 5.2).

    The run folder gets ``config.ini``, ``provenance.json``, ``log.csv`` (the
    epochs), ``losses.csv`` (the minibatches), ``last.h5`` (the checkpoint)
    and ``best.h5`` (the network of
    :func:`colornet.training.history.best_epoch`).

    Parameters
    ----------
    config : Config
    data_folder, run_folder : str or Path
    vgg_weights : str or Path, optional
    learner : optional
        Made of `config`: see :mod:`colornet.training.learner`; that of
        :func:`make_learner` if not given.

    Returns
    -------
    bool
        False if the training was already finished.

    Raises
    ------
    ColornetError
        If the run folder holds other settings.
    Diverged
        The run folder gets ``diverged.json`` then.
    Interrupted
        On SIGINT or SIGTERM; the checkpoint is written.
    """
    folder = Path(run_folder)
    learner = learner or make_learner(config, vgg_weights)
    with locked(folder, 'another training is running in %s' % folder):
        run = Run(config, folder, learner, data_folder)
        if run.is_finished:
            return False
        try:
            run.prepare()
            forget_divergence(folder)
            run.learn()
        except Diverged as error:
            note_divergence(config, folder, error)
            raise
    return True


class Run:
    """A training of a learner on photos, told in a folder.

    Parameters
    ----------
    config : Config
    folder : Path
        What is in there is resumed.
    learner : Learner
        Made of `config`: see :mod:`colornet.training.learner`.
    data_folder : str or Path

    Attributes
    ----------
    is_finished : bool
        Whether all epochs were done before.
    num_images : int
        In an epoch.
    trained_on : str
        What with, in words; after :meth:`prepare`.

    Raises
    ------
    ColornetError
        If the folder holds other settings or other photos, or is damaged.
    """

    def __init__(self, config, folder, learner, data_folder):
        self.config, self.folder, self.learner = config, folder, learner
        self.data_folder = data_folder
        num_epochs, self._stored = load_checkpoint(config, folder)
        self.is_finished = (bool(self._stored) and
                            num_epochs >= config.training['epochs'])
        self._images, names = learner.load_photos(data_folder)
        self._digests = digest_photos(self._images, names)
        check_photos(folder, self._stored, self._digests)
        self._training, self._held_out = draw_training(len(self._images),
                                                       config)
        self.num_images = len(self._training)
        self._in_epoch = -(-self.num_images // config.training['batch_size'])
        self._minibatches = EpochMinibatches(
            self._images, self._training, config.training['batch_size'],
            seed=config.training['seed'], flip=config.data['flip'],
            min_crop=(config.data['min_crop']
                      if config.data['proportions'] == 'keep' else None))
        self._find_rate = make_schedule(config.training, self.num_images)

    def prepare(self):
        """Build the network, and tell in the folder what is trained."""
        start = self.learner.build(resume=bool(self._stored))
        part = describe_run(self.data_folder, len(self._images))
        part.update(self.learner.describe())
        self.trained_on = self._stored.get('trained_on',
                                           self._describe_photos())
        if start:
            part['start_from'] = start
            self.trained_on = '%s, then %s' % (start['trained_on'],
                                               self.trained_on)
        write_text(self.folder / 'config.ini', self.config.to_ini())
        self.provenance = Provenance(self.folder, part)
        self.provenance.write()

    def _describe_photos(self):
        dataset = self.config.data['dataset']
        return '%d photos of %s' % (
            self.num_images, Path(self.data_folder).resolve().name
            if dataset == FOLDER else dataset)

    def learn(self):
        """Train until all epochs are done, from the checkpoint if there is."""
        if self.config.objective['balance']:
            self.learner.class_weights = balance_classes(
                self._images, self._training, self.config)
        self.learner.compile()
        settings = self.config.training
        trainer = Trainer(
            self.learner.step, self.folder / 'last.h5',
            optimizer_state=self.learner.optimizer_state,
            parameters=self.learner.parameters,
            attributes=dict(self._digests, config=self.config.to_json(),
                            trained_on=self.trained_on),
            further_losses=self.learner.further_losses,
            checkpoint_minutes=settings['checkpoint_minutes'])
        if self._stored:
            trainer.restore()
            note('resuming after %d epochs and %d minibatches'
                 % (len(trainer.history), trainer.iteration))
        trainer.run(settings['epochs'], self.training_batches,
                    self.num_images, self.validate, self.finish_epoch)

    def training_batches(self, epoch, skip=0):
        """Minibatches of an epoch, each with its learning rate set.

        Parameters
        ----------
        epoch : int
            Counted from 0.
        skip : int
            Minibatches to leave out at the start.

        Yields
        ------
        inputs, targets
            As the learner's step takes them.
        """
        batches = prefetch(self._minibatches.iterate(epoch, skip),
                           self.learner.transform)
        with contextlib.closing(batches):
            for minibatch, (inputs, targets, _) in enumerate(batches, skip):
                self.learner.set_progress(epoch, minibatch, self._in_epoch)
                self.learner.set_learning_rate(self._find_rate(epoch,
                                                               minibatch))
                yield inputs, targets

    def validate(self, check_signals):
        """Measure the network on the photos that are held out (paper, 5.2).

        Parameters
        ----------
        check_signals : callable
            Called before each minibatch.

        Returns
        -------
        OrderedDict of str to float
            ``validation_loss`` and the means of
            :data:`colornet.metrics.METRICS`; empty if none are held out.
        """
        if not len(self._held_out):
            return OrderedDict()
        space = self.config.network['color_space']
        loss_sum, rows = 0., []
        batches = prefetch(iterate_minibatches(
            self._images, self._held_out, self.config.training['batch_size']),
            self.learner.transform)
        with contextlib.closing(batches):
            for inputs, targets, rgb in batches:
                check_signals()
                loss, chroma = self.learner.validate(inputs, targets)
                loss_sum += float(loss) * len(inputs)
                rows += self.learner.map(_score, chroma, rgb, repeat(space))
        return OrderedDict(
            [('validation_loss', loss_sum / len(self._held_out))],
            **summarize(rows))

    def finish_epoch(self, history, losses):
        """Tell of an epoch in the folder and on the screen.

        Parameters
        ----------
        history, losses
            As :class:`colornet.training.trainer.Trainer` has them.
        """
        write_history(self.folder, history, losses,
                      self.learner.further_losses)
        self.provenance.write(photos_per_second=round(
            self.num_images / max(history[-1]['seconds'], 0.1), 1))
        self.keep_best(history)
        note(describe_epoch(history[-1]))

    def keep_best(self, history):
        """Save the network, ``best.h5``, if that of the last epoch is best.

        Parameters
        ----------
        history : list of dict
        """
        if best_epoch(history, self.config.training['keep']) != len(history):
            return
        save_parameters(
            self.folder / 'best.h5',
            self.learner.averages or self.learner.parameters, self.config,
            {'trained_on': self.trained_on, 'epoch': len(history),
             'validation_loss': history[-1].get('validation_loss', 'none'),
             'git_commit': self.provenance.commit or 'unknown'})


def _score(chroma, rgb, color_space):
    """Metrics of a prediction, (2, rows, columns), of its own size."""
    return image_metrics(enlarge_chroma(np.moveaxis(chroma, 0, -1),
                                        rgb.shape[:2], color_space),
                         rgb, color_space)
