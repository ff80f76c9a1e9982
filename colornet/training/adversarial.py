"""Training against a discriminator (paper, 6; choice 31).

The network is the generator: its class scores become chrominance by their
mean, which has a gradient. It keeps its objective. Discriminator and network
take their steps at the same time, of the same minibatch, so that photos and
what is made of them are mirrored and cropped alike; at first, the
discriminator learns alone.
"""

import numpy as np

from ..color import get_color_space, split_channels
from ..network.inputs import make_targets, preprocess
from ..scaling import shrink_chroma
from .learner import TheanoLearner, make_objective
from .schedules import adversarial_weight

__all__ = ['AdversarialLearner']

#: Pixels of an image for one of VGG16's last map.
STEP = 8


class AdversarialLearner(TheanoLearner):
    """A network that learns against a discriminator, by Theano.

    What the discriminator learns is part of ``optimizer_state``: it goes on
    with a training that is resumed, and ends with it.

    Parameters
    ----------
    config : Config
    vgg_weights, bfloat16
        As for :class:`colornet.training.learner.TheanoLearner`.
    """

    further_losses = ('generator_loss', 'discriminator_loss',
                      'discriminator_accuracy')

    def __init__(self, config, vgg_weights=None, bfloat16=False):
        super().__init__(config, vgg_weights, bfloat16)
        self._epochs, self._number = 0., (0, 0)

    def set_progress(self, epoch, minibatch, num_minibatches):
        """Tell where the next step is: numbers from 0, and an epoch's."""
        self._epochs = epoch + minibatch / num_minibatches
        self._number = epoch, minibatch

    def compile(self):
        """Make ready to train and to validate."""
        from .updates import compile_opponent
        super().compile()
        self._step_of_both = self.step
        self._validate_network = self.validate
        self._step_of_opponent = compile_opponent(
            self._net, make_objective(self.config.objective,
                                      self.class_weights), self._opponent,
            self.bfloat16)
        self.step, self.validate = self._step, self._validate
        self.transform = self._transform

    def _make_opponent(self):
        from ..network.decoding import predicted_chroma
        from .opponent import Opponent
        settings, training = self.config.adversarial, self.config.training
        self._opponent = Opponent(
            lambda outputs: predicted_chroma(
                outputs, self.config.network['num_bins'],
                get_color_space('luv').limits, method='mean',
                temperature=settings['temperature']),
            learning_rate=settings['learning_rate'],
            beta1=training['beta1'], beta2=training['beta2'])
        return self._opponent

    def _transform(self, rgb):
        """As :mod:`colornet.network.inputs`; targets are two then.

        The second is what the discriminator sees of the photos: L, U and V,
        divided by 100, (batch, 3, rows, columns).
        """
        luminance, chroma = split_channels(rgb)
        network = self.config.network
        photos = shrink_chroma(
            np.concatenate([luminance[..., np.newaxis], chroma], axis=-1),
            network['output_stride']) / np.float32(100)
        return preprocess(luminance), (
            make_targets(chroma, network),
            np.ascontiguousarray(np.moveaxis(photos, -1, 1))), rgb

    def _step(self, inputs, targets):
        """Train both on a minibatch, or the discriminator alone."""
        from ..engine.backend import lasagne
        settings = self.config.adversarial
        batch = self._cut([inputs, *targets])
        if self._epochs < settings['pretrain']:
            return self._step_of_opponent(*batch)
        self._opponent.weight.set_value(lasagne.utils.floatX(
            adversarial_weight(self._epochs, settings)))
        return self._step_of_both(*batch)

    def _cut(self, arrays):
        """The same square of all images and of their outputs.

        Its place is a pure function of the seed and the minibatch's number.
        """
        size, side = arrays[0].shape[-1], self.config.adversarial['crop']
        if not side or side >= size:
            return arrays
        random = np.random.RandomState(
            (self.config.training['seed'],) + self._number)
        # Where VGG16's maps have pixels of their own.
        top, left = STEP * random.randint(0, (size - side) // STEP + 1, 2)
        cut = []
        for array in arrays:
            scale = size // array.shape[-1]
            rows, columns = [slice(start // scale, (start + side) // scale)
                             for start in (top, left)]
            cut.append(np.ascontiguousarray(array[..., rows, columns]))
        return cut

    def _validate(self, inputs, targets):
        """Loss and chrominance, by the network alone."""
        return self._validate_network(inputs, targets[0])
