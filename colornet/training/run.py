"""A configuration and a folder of photos become a trained network (5.2)."""

import contextlib
import hashlib
import json
import math
import os
import platform
import subprocess
import sys
import time
from collections import OrderedDict
from itertools import repeat
from pathlib import Path

import numpy as np

from ..color import get_color_space, split_channels
from ..config import Config
from ..data.image_cache import load_images
from ..data.minibatches import (epoch_crops, epoch_plan, hold_out,
                                iterate_minibatches, prefetch)
from ..data.splits import load_split
from ..errors import ColornetError, Diverged
from ..files import locked, write_csv, write_json, write_rows, write_text
from ..metrics import image_metrics, summarize
from ..network.inputs import make_transform
from ..network.parameters import load_progress, save_parameters
from ..resources import ROOT, cache_folder, find_resource, image_commit
from ..scaling import enlarge_chroma
from ..schema import SCHEMA
from .schedules import cycle_learning_rate, learning_rate_after
from .trainer import Trainer

__all__ = ['TheanoLearner', 'best_epoch', 'check_subset', 'draw_training',
           'find_divergence', 'find_photos', 'largest_side', 'load_subset',
           'is_finished', 'git_commit', 'read_provenance',
           'train', 'predict_images', 'evaluate']

#: In a run folder whose training diverged: the message, and the settings that
#: it is true of.
DIVERGED = 'diverged.json'

#: Of an epoch's numbers, those that are printed; the log has all.
SHOWN = ('epoch', 'training_loss', 'validation_loss', 'acc_u', 'acc_v',
         'sat_diff', 'seconds')

#: Settings that may change when a training is resumed: they change no
#: parameter.
RESUMABLE = ('training.epochs', 'training.checkpoint_minutes') + tuple(
    'decoding.' + key for key in SCHEMA['decoding'])


def load_subset(config, folder, subset):
    """Load the photos of one subset of the configured data set.

    Parameters
    ----------
    config : Config
    folder : str or Path
        Holds the data set.
    subset : 'train', 'test' or 'validation'
        The last are those of the first that are held out.

    Returns
    -------
    images : CachedImages or ndarray of uint8, (number, size, size, 3)
        With ``data.proportions = keep``, the central squares.
    names : list of str

    Notes
    -----
    Photos left out are named on stderr.
    """
    _check_held_out(config, subset)
    images, names = _load_photos(config, folder, _split_of(subset))
    if subset == 'test':
        return images, names
    training, held_out = draw_training(len(images), config)
    chosen = (held_out if subset == 'validation' else
              np.union1d(training, held_out))
    if len(chosen) == len(images):
        return images, names
    return images[chosen], [names[number] for number in chosen]


def check_subset(config, folder, subset):
    """Refuse what :func:`load_subset` cannot load, before a long training.

    No photo is opened.
    """
    _check_held_out(config, subset)
    find_photos(config, folder, _split_of(subset))


def _check_held_out(config, subset):
    if subset == 'validation' and not config.data['hold_out']:
        raise ColornetError('data.hold_out = 0: no photos are held out')


def _split_of(subset):
    return 'test' if subset == 'test' else 'train'


def find_photos(config, folder, split):
    """Files of the configured data set's photos, 'train' or 'test'."""
    return load_split(config.data['dataset'], folder, split,
                      find_resource('experiments/splits'),
                      config.data['test_share'])


def largest_side(config):
    """The shorter side to which a photo is reduced before crops are taken.

    Returns
    -------
    int, or None with ``data.proportions = squash``
        The smallest crop of a photo that is large enough has all the pixels
        that the network takes.
    """
    return (int(math.ceil(config.data['size'] / config.data['min_crop']))
            if config.data['proportions'] == 'keep' else None)


def draw_training(num_images, config):
    """Draw the photos to train on and those to hold out (paper, 5.2).

    Parameters
    ----------
    num_images : int
        In the data set's training split.
    config : Config

    Returns
    -------
    training, validation : ndarray of int
        Sorted, disjoint, together ``data.num_images`` or all there are.
    """
    wanted, seed = config.data['num_images'], config.draw_seed
    drawn = np.arange(num_images)
    if 0 < wanted < num_images:
        drawn = np.sort(np.random.RandomState(seed).choice(
            num_images, wanted, replace=False))
    return [drawn[part] for part in
            hold_out(len(drawn), config.data['hold_out'], seed)]


def _load_photos(config, folder, split):
    """All photos of a split, 'train' or 'test', from the cache."""
    dataset, size = config.data['dataset'], config.data['size']
    largest = largest_side(config)
    sides = size if largest is None else '%d-%d' % (size, largest)
    paths = find_photos(config, folder, split)
    key = hashlib.sha256(os.fsencode(Path(folder).resolve())).hexdigest()[:12]
    images, names, skipped = load_images(
        paths, cache_folder() / (
            '%s_%s_%s_%s.h5' % (dataset, split, sides, key)), size,
        largest=largest)
    for path, reason in skipped:
        print('left out %s: %s' % (path, reason), file=sys.stderr)
    return images, names


def _make_objective(config):
    """The configured objective, of outputs and targets (3.5, 3.6)."""
    from ..network import objectives
    loss = config.objective['loss']
    if loss == 'cross_entropy':
        return objectives.cross_entropy_loss
    if loss == 'l2':
        return lambda outputs, targets: objectives.l2_loss(outputs[0],
                                                           targets)
    threshold = config.objective['huber_threshold']
    return lambda outputs, targets: objectives.huber_loss(outputs[0], targets,
                                                          threshold)


def _make_schedule(config, num_images):
    """The learning rate, a function of epoch and minibatch, both from 0."""
    rate = config.training['learning_rate']
    if config.training['schedule'] == 'constant':
        drops = [config.training[name] for name in ('drop_epochs',
                                                    'drop_factor')]
        return lambda epoch, minibatch: learning_rate_after(epoch, rate,
                                                            *drops)
    in_epoch = -(-num_images // config.training['batch_size'])
    return lambda epoch, minibatch: cycle_learning_rate(
        epoch * in_epoch + minibatch, config.training['epochs'] * in_epoch,
        rate, config.training['warm_up'])


def _digest_photos(images, names):
    """Digests by which a checkpoint knows its photos.

    Times of files are left out: copies have others.
    """
    def digest(words):
        return hashlib.sha256(b'\n'.join(map(os.fsencode, words))).hexdigest()
    return {'photos': digest(names),
            'photo_sizes': digest(map(str, images.file_sizes))}


def _check_photos(folder, stored, digests):
    """Refuse to resume with other photos than a training was begun with.

    Parameters
    ----------
    folder : Path
        Of the training.
    stored : dict
        Attributes of its checkpoint; older ones have fewer digests.
    digests : dict
        As :func:`_digest_photos` returns them.
    """
    for name, what in (('photos', 'other photos than those in the folder now'),
                       ('photo_sizes', 'photos of which some have changed '
                                       'since')):
        if stored.get(name, digests[name]) != digests[name]:
            raise ColornetError('%s was trained on %s; choose another folder '
                                'or remove it' % (folder, what))


def is_finished(config, folder, data_folder):
    """Whether a run folder holds all epochs of a configuration.

    Parameters
    ----------
    config : Config
    folder, data_folder : str or Path

    Raises
    ------
    ColornetError
        If it holds a training with other settings or other photos, or is
        damaged.
    """
    folder = Path(folder)
    progress, stored = _load_checkpoint(config, folder)
    if progress is None:
        return False
    _check_photos(folder, stored, _digest_photos(*_load_photos(
        config, data_folder, 'train')))
    return len(progress['history']) >= config.training['epochs']


def _load_checkpoint(config, folder):
    """Progress and attributes of a run folder's checkpoint; or None, {}.

    Raises
    ------
    ColornetError
        If it has other settings, or is damaged.
    """
    path = folder / 'last.h5'
    if not path.exists():
        return None, {}
    progress, attributes = load_progress(path)
    try:
        stored = Config.from_json(attributes.get('config', ''))
    except ColornetError as error:
        raise ColornetError('%s: %s' % (path, error))
    resumable = RESUMABLE
    if config.training['schedule'] == 'cycle':
        # The learning rate of every minibatch depends on how many there are.
        resumable = [name for name in RESUMABLE if name != 'training.epochs']
    differences = config.differences(stored, resumable)
    if differences:
        raise ColornetError('%s holds a training with other settings (%s); '
                            'choose another folder or remove it'
                            % (folder, '; '.join(differences)))
    if progress['history'] and not (folder / 'best.h5').exists():
        raise ColornetError('%s has lost its network, best.h5; remove the '
                            'folder to train again' % folder)
    return progress, attributes


def git_commit():
    """The checkout's commit, or that of a container's image, or None."""
    return _git('rev-parse', 'HEAD') or image_commit()


def _git(*arguments):
    try:
        return subprocess.run(
            ('git',) + arguments, check=True, stdout=subprocess.PIPE,
            cwd=str(ROOT),
            stderr=subprocess.DEVNULL).stdout.decode().strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _provenance(folder, num_images):
    """What the numbers of a run depend on besides its configuration."""
    return {'command': sys.argv, 'date': time.strftime('%Y-%m-%d %H:%M:%S'),
            'git_commit': git_commit(),
            'git_changes': bool(_git('status', '--porcelain', '--',
                                     'colornet', 'benchmarks',
                                     'experiments')),
            'python': platform.python_version(), 'numpy': np.__version__,
            'data_folder': str(folder), 'num_images': num_images}


def read_provenance(folder):
    """Where the parts of a training were made.

    Parameters
    ----------
    folder : Path
        Of the run.

    Returns
    -------
    list of dict
        The last has all of ``git_commit``, ``git_changes``, ``date`` and
        ``num_images``.

    Raises
    ------
    ColornetError
        If that cannot be read.
    """
    path = folder / 'provenance.json'
    try:
        parts = json.loads(path.read_text())
        for name in ('git_commit', 'git_changes', 'date', 'num_images'):
            parts[-1][name]
        return parts
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        raise ColornetError('%s is missing or damaged; remove the folder to '
                            'train again' % path)


def _read_parts(path):
    """Where each part of a resumed training was made, so far."""
    try:
        known = json.loads(path.read_text())
    except (OSError, ValueError):
        known = []
    # Whatever else somebody put there is kept.
    return known if isinstance(known, list) else [known]


def _write_log(path, history):
    """Write the epochs so far as CSV."""
    # A training that was begun by an older version has fewer columns there.
    columns = OrderedDict((name, None) for row in history for name in row)
    write_rows(path, list(columns), history)


def _write_losses(path, losses):
    """Write the loss of each minibatch as CSV (5.2)."""
    write_csv(path, ('epoch', 'minibatch', 'training_loss'),
              (('%d' % epoch, '%d' % minibatch, '%.6g' % loss)
               for epoch, minibatch, loss in losses))


def best_epoch(history, keep='loss'):
    """The epoch whose network is kept (choice 8).

    Parameters
    ----------
    history : list of dict
        Numbers of each epoch, as in ``log.csv``.
    keep : 'loss', 'accuracy' or 'last'
        The lowest validation loss, the highest mean of Acc. U and Acc. V, or
        the last epoch.

    Returns
    -------
    int
        Counted from 1. Without validation, the last; of equals, the last.
    """
    def score(row):
        if 'validation_loss' not in row or keep == 'last':
            return 0.
        return (float(row['acc_u']) + float(row['acc_v'])
                if keep == 'accuracy' else -float(row['validation_loss']))
    return 1 + max(range(len(history)),
                   key=lambda number: (score(history[number]), number))


class TheanoLearner:
    """A network that learns, as :func:`train` asks for one: by Theano.

    Others have the same methods and attributes; ``benchmarks`` has one that
    learns by PyTorch.

    Parameters
    ----------
    config : Config
    vgg_weights : str or Path, optional

    Attributes
    ----------
    parameters : OrderedDict of (str, str) to shared variable
        What training changes, after :meth:`build`.
    averages : OrderedDict of (str, str) to shared variable
        Their moving averages, after :meth:`compile`; may be empty.
    optimizer_state : list of shared variables
        What else a training that is resumed needs, after :meth:`compile`.
    """

    def __init__(self, config, vgg_weights=None):
        self.config = config
        self.vgg_weights = vgg_weights
        self.parameters = self.averages = OrderedDict()
        self.optimizer_state = []

    def load_photos(self, folder):
        """Images, as :func:`iterate_minibatches` takes them, and names."""
        return _load_photos(self.config, folder, 'train')

    def build(self):
        """Build the network, with VGG16's weights."""
        # Theano takes seconds to import: wrong settings are known before.
        from ..network.saved import build_pretrained, learned_parameters
        self._net = build_pretrained(self.config, self.vgg_weights)
        self.parameters = learned_parameters(self._net, self.config)

    def describe(self):
        """What the numbers of a run depend on, a dict for JSON."""
        from ..engine.backend import describe_backend
        from ..engine.speedups import speedup_status
        return {'backend': describe_backend(), 'speedups': {
            name: reason or 'on' for name, reason in speedup_status().items()}}

    def start_from(self):
        """See :func:`colornet.network.saved.start_from`."""
        from ..network.saved import start_from
        return start_from(self._net, self.config)

    def compile(self):
        """Make ready for :meth:`step` and :meth:`validate`."""
        from ..engine.backend import lasagne, theano
        from ..engine.speedups import missing_speedups
        from ..network.decoding import predicted_chroma
        from .updates import (compile_training, compile_validation,
                              make_averages)
        config = self.config
        options = {name: config.training[name] for name in
                   ('update_rule', 'beta1', 'beta2', 'momentum',
                    'weight_decay', 'average', 'encoder_rate',
                    'gradient_clip')}
        if config.training['average']:
            self.averages = make_averages(self.parameters)
        pairs = [(self.parameters[key], average) for key, average in
                 self.averages.items()]
        for line in missing_speedups():
            print('note: slower without ' + line, file=sys.stderr)
        print('compiling the training step', file=sys.stderr)
        objective = _make_objective(config)
        rate = theano.shared(lasagne.utils.floatX(0), 'learning_rate')
        self.set_learning_rate = lambda value: rate.set_value(
            lasagne.utils.floatX(value))
        self.step, self.optimizer_state = compile_training(
            self._net, objective, learning_rate=rate, averages=pairs,
            **options)
        limits = get_color_space(config.network['color_space']).limits
        self.validate = compile_validation(
            self._net, objective, lambda outputs: predicted_chroma(
                outputs, config.network['num_bins'], limits,
                **config.decoding), pairs)
        self.transform = make_transform(config.network)

    #: Applied to what the validation measures, image by image.
    map = staticmethod(map)


def train(config, data_folder, run_folder, vgg_weights=None, learner=None):
    """Train a network, or resume or skip its training (paper, 5.2).

    The run folder gets ``config.ini``, ``provenance.json``, ``log.csv`` (the
    epochs), ``losses.csv`` (the minibatches), ``last.h5`` (the checkpoint)
    and ``best.h5`` (the network of :func:`best_epoch`).

    Parameters
    ----------
    config : Config
    data_folder, run_folder : str or Path
    vgg_weights : str or Path, optional
    learner : optional
        :class:`TheanoLearner`, or another of `config`.

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
    run_folder = Path(run_folder)
    learner = learner or TheanoLearner(config, vgg_weights)
    with locked(run_folder, 'another training is running in %s' % run_folder):
        progress, stored = _load_checkpoint(config, run_folder)
        images, names = learner.load_photos(data_folder)
        photos = _digest_photos(images, names)
        _check_photos(run_folder, stored, photos)
        if progress and len(progress['history']) >= config.training['epochs']:
            return False
        try:
            _train(config, data_folder, run_folder, learner, images, photos,
                   stored)
        except Diverged as error:
            write_json(run_folder / DIVERGED, {
                'message': str(error), 'config': json.loads(config.to_json())})
            raise
    return True


def find_divergence(config, run_folder):
    """Whether a training with these settings diverged.

    Parameters
    ----------
    config : Config
    run_folder : str or Path

    Returns
    -------
    str
        The message, or empty.
    """
    try:
        stored = json.loads((Path(run_folder) / DIVERGED).read_text())
        if stored['config'] == json.loads(config.to_json()):
            return stored['message']
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return ''


def _train(config, data_folder, run_folder, learner, images, photos, stored):
    """The part of :func:`train` that trains.

    `photos` are digests; `stored` are the attributes of the checkpoint, or
    empty.
    """
    training, validation = draw_training(len(images), config)
    learner.build()
    provenance = dict(_provenance(data_folder, len(images)),
                      **learner.describe())
    checkpoint = run_folder / 'last.h5'
    dataset = config.data['dataset']
    trained_on = '%d photos of %s' % (
        len(training), Path(data_folder).resolve().name
        if dataset == 'folder' else dataset)
    if stored:
        trained_on = stored.get('trained_on', trained_on)
    elif config.training['start_from']:
        provenance['start_from'] = learner.start_from()
        trained_on = '%s, then %s' % (provenance['start_from']['trained_on'],
                                      trained_on)
    write_text(run_folder / 'config.ini', config.to_ini())
    provenance_file = run_folder / 'provenance.json'
    earlier_parts = _read_parts(provenance_file)
    write_json(provenance_file, earlier_parts + [provenance])
    space = config.network['color_space']
    batch_size, seed = config.training['batch_size'], config.training['seed']
    find_rate = _make_schedule(config, len(training))
    learner.compile()
    trainer = Trainer(learner.step, learner.optimizer_state,
                      learner.parameters, checkpoint,
                      dict(photos, config=config.to_json(),
                           trained_on=trained_on),
                      config.training['checkpoint_minutes'])
    if stored:
        trainer.restore()
        print('resuming after %d epochs and %d minibatches'
              % (len(trainer.history), trainer.iteration), file=sys.stderr)

    def training_batches(epoch, skip):
        order, flips = epoch_plan(training, seed, epoch, config.data['flip'])
        done = skip * batch_size
        crops = None
        if config.data['proportions'] == 'keep':
            crops = epoch_crops(len(order), seed, epoch,
                                config.data['min_crop'])[done:]
        batches = prefetch(iterate_minibatches(
            images, order[done:], batch_size, flips[done:], crops),
            learner.transform)
        with contextlib.closing(batches):
            for minibatch, (inputs, targets, _) in enumerate(batches, skip):
                learner.set_learning_rate(find_rate(epoch, minibatch))
                yield inputs, targets

    def validate(check_signals):
        if not len(validation):
            return {}
        loss_sum, rows = 0., []
        batches = prefetch(iterate_minibatches(images, validation,
                                               batch_size), learner.transform)
        with contextlib.closing(batches):
            for inputs, targets, rgb in batches:
                check_signals()
                loss, chroma = learner.validate(inputs, targets)
                loss_sum += float(loss) * len(inputs)
                rows += learner.map(_score, chroma, rgb, repeat(space))
        return OrderedDict([('validation_loss', loss_sum / len(validation))],
                           **summarize(rows))

    def on_epoch(history):
        _write_log(run_folder / 'log.csv', history)
        _write_losses(run_folder / 'losses.csv', trainer.losses)
        provenance['photos_per_second'] = round(
            len(training) / max(history[-1]['seconds'], 0.1), 1)
        write_json(provenance_file, earlier_parts + [provenance])
        if best_epoch(history, config.training['keep']) == len(history):
            save_parameters(
                run_folder / 'best.h5', learner.averages or learner.parameters,
                config, {'trained_on': trained_on, 'epoch': len(history),
                         'validation_loss': history[-1].get('validation_loss',
                                                            'none'),
                         'git_commit': provenance['git_commit'] or 'unknown'})
        print(', '.join('%s %.4g' % item for item in history[-1].items()
                        if item[0] in SHOWN), file=sys.stderr)

    trainer.run(config.training['epochs'], training_batches, len(training),
                validate, on_epoch)


def _score(chroma, rgb, color_space):
    """Metrics of a prediction, (2, rows, columns), of its own size."""
    return image_metrics(enlarge_chroma(np.moveaxis(chroma, 0, -1),
                                        rgb.shape[:2], color_space),
                         rgb, color_space)


def predict_images(predict, images, color_space='luv', batch_size=4):
    """Predict the chrominance of images from their luminance.

    Parameters
    ----------
    predict : callable
        Luminance to chrominance, see
        :func:`colornet.network.saved.compile_prediction`.
    images : array of uint8, (number, size, size, 3)
    color_space : 'luv' or 'hsv'
        That of `predict`.
    batch_size : int

    Yields
    ------
    rgb : ndarray of uint8, (size, size, 3)
    chroma : ndarray of float32, (size, size, 2)
        Enlarged, if the network's output is smaller.
    """
    batches = prefetch(
        iterate_minibatches(images, range(len(images)), batch_size),
        lambda rgb: (split_channels(rgb, color_space)[0], rgb))
    with contextlib.closing(batches):
        for luminance, rgb in batches:
            for actual, chroma in zip(rgb, predict(luminance)):
                yield actual, enlarge_chroma(chroma, actual.shape[:2],
                                             color_space)


def evaluate(predictions, names, color_space='luv'):
    """Score predictions (paper, 5.1).

    Parameters
    ----------
    predictions : iterable of (rgb, chroma)
        As :func:`predict_images` yields them.
    names : list of str
        Of the images.
    color_space : 'luv' or 'hsv'

    Returns
    -------
    dict
        ``mean``: of each metric over images; ``images``: a dict for each,
        with its name.
    """
    rows = [image_metrics(chroma, rgb, color_space, objects=True)
            for rgb, chroma in predictions]
    return {'mean': summarize(rows),
            'images': [OrderedDict([('name', name)], **row)
                       for name, row in zip(names, rows)]}
