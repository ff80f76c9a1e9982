"""A network that learns, as :class:`colornet.training.run.Run` asks for one.

A learner is made of a configuration. In the order in which it is asked:
``load_photos``, ``build``, ``describe``, ``compile``, and then ``transform``,
``set_learning_rate``, ``step``, ``validate`` and ``map`` as often as wanted.
:class:`TheanoLearner` learns by Theano; ``colornet/pytorch`` has one that
learns by PyTorch.
"""

from collections import OrderedDict

from ..color import get_color_space
from ..data.subsets import load_photos
from ..network.inputs import make_transform
from ..terminal import note
from .start import start_from

__all__ = ['Learner', 'TheanoLearner', 'make_objective']

#: Settings of a training that
#: :func:`colornet.training.updates.compile_training` takes by their names.
STEP_OPTIONS = ('update_rule', 'beta1', 'beta2', 'momentum', 'weight_decay',
                'average', 'encoder_rate', 'gradient_clip')


def make_objective(settings, class_weights=None):
    """The configured objective (paper, 3.5, 3.6).

    Parameters
    ----------
    settings : dict
        Those of ``[objective]``.
    class_weights : ndarray, (2, num_bins), optional
        Of the cross-entropy.

    Returns
    -------
    callable
        Takes the list of outputs and the targets, returns the loss.
    """
    from ..network import objectives
    if settings['loss'] == 'cross_entropy':
        return lambda outputs, targets: objectives.cross_entropy_loss(
            outputs, targets, class_weights)
    if settings['loss'] == 'l2':
        return lambda outputs, targets: objectives.l2_loss(outputs[0],
                                                           targets)
    threshold = settings['huber_threshold']
    return lambda outputs, targets: objectives.huber_loss(outputs[0], targets,
                                                          threshold)


class Learner:
    """A network that learns, by whichever engine.

    Parameters
    ----------
    config : Config
    vgg_weights : str or Path, optional

    Attributes
    ----------
    class_weights : ndarray of float32, (2, num_bins), or None
        Of the cross-entropy; to be set before ``compile()``.
    parameters : OrderedDict of (str, str) to shared variable
        What training changes, after :meth:`build`.
    averages : OrderedDict of (str, str) to shared variable
        Their moving averages, after ``compile()``; may be empty.
    optimizer_state : list of shared variables
        What else a training that is resumed needs, after ``compile()``.
    transform : callable
        Of photos to inputs, targets and the photos, after ``compile()``;
        may be called in another thread.
    step : callable
        Takes inputs and targets, trains on them, returns the loss, and then
        ``further_losses``; after ``compile()``.
    set_learning_rate : callable
        For the steps from now on; after ``compile()``.
    validate : callable
        Takes inputs and targets, returns the loss and the chrominance,
        (batch, 2, rows, columns); after ``compile()``.
    """

    #: Applied to what the validation measures, image by image.
    map = staticmethod(map)
    #: Names of the numbers that ``step`` returns after the loss.
    further_losses = ()

    def __init__(self, config, vgg_weights=None):
        self.config = config
        self.vgg_weights = vgg_weights
        self.class_weights = None
        self.parameters = self.averages = OrderedDict()
        self.optimizer_state = []

    def load_photos(self, folder):
        """Images, as :mod:`colornet.data.minibatches` reads them, and names.

        Images also have ``file_sizes``.
        """
        return load_photos(self.config.data, folder, 'train')

    def build(self, resume=False):
        """Build the network, with VGG16's weights.

        Parameters
        ----------
        resume : bool
            Its parameters will come from a checkpoint.

        Returns
        -------
        dict or None
            As :func:`colornet.training.start.start_from`, if that is where
            the parameters come from.
        """
        self._build_network()
        self.parameters = self._learned(self.config)
        if self.config.training['start_from'] and not resume:
            return start_from(self._learned, self.config)
        return None

    def set_progress(self, epoch, minibatch, num_minibatches):
        """Tell where the next step is: numbers from 0, and an epoch's."""

    def _build_network(self):
        raise NotImplementedError

    def _learned(self, config):
        """What a training with a configuration changes."""
        raise NotImplementedError


class TheanoLearner(Learner):
    """A network that learns by Theano.

    Parameters
    ----------
    config : Config
    vgg_weights : str or Path, optional
    bfloat16 : bool
        Of steps, not of validations: see
        :func:`colornet.training.updates.compile_training`.
    """

    def __init__(self, config, vgg_weights=None, bfloat16=False):
        super().__init__(config, vgg_weights)
        self.bfloat16 = bfloat16
        if bfloat16:  # Before anything is read or written.
            from ..engine.convolutions import bfloat16_mode
            bfloat16_mode()

    def _build_network(self):
        # Theano takes seconds to import: wrong settings are known before.
        from ..network.saved import build_pretrained
        self._net = build_pretrained(self.config, self.vgg_weights)

    def _learned(self, config):
        from ..network.saved import learned_parameters
        return learned_parameters(self._net, config)

    def describe(self):
        """What the numbers of a run depend on, a dict for JSON."""
        from ..engine.backend import describe_backend
        from ..engine.speedups import speedup_status
        return {'engine': 'theano', 'backend': dict(
            describe_backend(),
            floats='bfloat16' if self.bfloat16 else 'float32'),
                'speedups': {name: reason or 'on' for name, reason in
                             speedup_status().items()}}

    def compile(self):
        """Make ready to train and to validate."""
        from ..engine.backend import lasagne, theano
        from ..engine.speedups import missing_speedups
        from ..network.decoding import predicted_chroma
        from .updates import (compile_training, compile_validation,
                              make_averages)
        network, training = self.config.network, self.config.training
        if training['average']:
            self.averages = make_averages(self.parameters)
        pairs = [(self.parameters[key], average) for key, average in
                 self.averages.items()]
        for line in missing_speedups():
            note('note: slower without ' + line)
        note('compiling the training step')
        objective = make_objective(self.config.objective, self.class_weights)
        rate = theano.shared(lasagne.utils.floatX(0), 'learning_rate')
        self.set_learning_rate = lambda value: rate.set_value(
            lasagne.utils.floatX(value))
        self.step, self.optimizer_state = compile_training(
            self._net, objective, learning_rate=rate, averages=pairs,
            bfloat16=self.bfloat16, opponent=self._make_opponent(),
            **{name: training[name] for name in STEP_OPTIONS})
        limits = get_color_space(network['color_space']).limits
        self.validate = compile_validation(
            self._net, objective, lambda outputs: predicted_chroma(
                outputs, network['num_bins'], limits, **self.config.decoding),
            pairs)
        self.transform = make_transform(network)

    def _make_opponent(self):
        """What the network learns against, if there is something."""
        return None
