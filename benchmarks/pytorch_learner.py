"""A network that learns by PyTorch: see :mod:`colornet.training.learner`.

The same losses, updates and averages as :mod:`colornet.training.updates`.
"""

import copy
import math
from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F

from colornet.color import get_color_space, unbin_channel
from colornet.errors import ColornetError
from colornet.network.vgg16_weights import load_vgg16_weights
from colornet.resources import find_resource

from .photos import decode_photos
from .pytorch_color import (bin_chroma, make_inputs, shrink_chroma,
                            split_channels)
from .pytorch_network import Network, Variable

__all__ = ['PyTorchLearner', 'check_settings']

#: Settings of which there is one value here.
ONLY = {'network.color_space': 'luv', 'network.aggregation': 'concat',
        'network.residual_units': True, 'network.batch_norm': True,
        'training.update_rule': 'adam', 'training.weight_decay': 0,
        'training.start_from': '', 'decoding.smoothing': 0}

#: Options of the network that are settings.
NETWORK_OPTIONS = ('kind', 'num_bins', 'tail', 'chroma_scale',
                   'batch_norm_taps', 'output_stride', 'global_features',
                   'context', 'fine_tune')

#: Added to the roots of Adam's squares, as by Lasagne.
EPSILON = 1e-8


def check_settings(config):
    """Refuse settings that are Theano's only.

    Raises
    ------
    ColornetError
    """
    for name, value in ONLY.items():
        section, _, key = name.partition('.')
        if config[section][key] != value:
            raise ColornetError('PyTorch trains without %s; "colornet train" '
                                'has it' % config.setting(section, key))


class PyTorchLearner:
    """As :class:`colornet.training.learner.TheanoLearner`.

    Parameters
    ----------
    config : Config
    device : str
        ``cuda``, where convolutions are computed in bfloat16, or ``cpu``.
    pool : ProcessPoolExecutor
        Decodes photos and measures predictions.
    vgg_weights : str or Path, optional

    Raises
    ------
    ColornetError
        If a setting is not supported, or there is no such GPU.
    """

    def __init__(self, config, device, pool, vgg_weights=None):
        check_settings(config)
        if device == 'cuda' and not torch.cuda.is_available():
            raise ColornetError('PyTorch %s finds no CUDA GPU; --device cpu '
                                'is slow' % torch.__version__)
        self.config = config
        self.device = torch.device(device)
        self.map = pool.map
        self._pool = pool
        self._vgg_weights = vgg_weights
        self._rate = 0.
        self._space = get_color_space(config.network['color_space'])

    def load_photos(self, folder):
        """Decode all photos into memory."""
        return decode_photos(self.config, folder, self._pool)

    def build(self, resume=False):
        """Build the network, with VGG16's weights."""
        torch.manual_seed(self.config.training['seed'])
        # Minibatches are of one size: try out which convolutions are fast.
        torch.backends.cudnn.benchmark = True
        network = Network(**{name: self.config.network[name]
                             for name in NETWORK_OPTIONS})
        network.initialize(self.config.network['initialization'])
        tensors = network.tensors()
        weights = load_vgg16_weights(self._vgg_weights or
                                     find_resource('weights/vgg16.pkl'))
        with torch.no_grad():
            for layer, (filters, biases) in weights.items():
                tensors[layer, 'W'].copy_(torch.from_numpy(filters))
                tensors[layer, 'b'].copy_(torch.from_numpy(biases))
        self._layout = (torch.channels_last if self.device.type == 'cuda' else
                        torch.contiguous_format)
        self._network = network.to(self.device, memory_format=self._layout)
        self.parameters = self._learned(self._network)

    def _learned(self, network):
        """What training changes, by our names."""
        return OrderedDict(
            (key, Variable(tensor)) for key, tensor in
            network.tensors().items()
            if network.fine_tune or key[0] not in network.encoder)

    def describe(self):
        """What the numbers of a run depend on, a dict for JSON."""
        backend = {'pytorch': torch.__version__, 'device': str(self.device)}
        if self.device.type == 'cuda':
            backend.update(gpu=torch.cuda.get_device_name(),
                           cuda=torch.version.cuda,
                           cudnn=torch.backends.cudnn.version())
        return {'backend': backend}

    def compile(self):
        """Make ready for :meth:`step` and :meth:`validate`."""
        trained = [(layer, variable.tensor) for (layer, _), variable in
                   self.parameters.items() if variable.tensor.requires_grad]
        self._trained = [tensor for _, tensor in trained]
        encoder_rate = self.config.training['encoder_rate']
        self._rate_factors = [encoder_rate if layer in self._network.encoder
                              else 1. for layer, _ in trained]
        self._means, self._squares = [
            [torch.zeros_like(tensor) for tensor in self._trained]
            for _ in range(2)]
        self._num_steps = torch.zeros(())
        self.optimizer_state = [Variable(tensor) for tensor in (
            self._means + self._squares + [self._num_steps])]
        self._averaged, self.averages = self._network, OrderedDict()
        if self.config.training['average']:
            self._averaged = copy.deepcopy(self._network)
            self.averages = self._learned(self._averaged)
            self.optimizer_state += list(self.averages.values())

    def transform(self, rgb):
        """See :mod:`colornet.network.inputs`; on the device."""
        luminance, chroma = split_channels(
            torch.from_numpy(rgb).to(self.device))
        network = self.config.network
        targets = shrink_chroma(chroma, network['output_stride'])
        if network['kind'] == 'classification':
            targets = bin_chroma(targets, network['num_bins'],
                                 self._space.limits)
        return make_inputs(luminance), targets, rgb

    def set_learning_rate(self, rate):
        """For the steps from now on."""
        self._rate = rate

    def step(self, inputs, targets):
        """Train on a minibatch; returns the loss."""
        self._network.train()
        loss = self._objective(self._outputs(self._network, inputs), targets)
        gradients = torch.autograd.grad(loss, self._trained)
        with torch.no_grad():
            self._update(self._clip(gradients))
            self._update_averages()
            self._num_steps += 1
        return loss.item()

    @torch.no_grad()
    def validate(self, inputs, targets):
        """Loss and chrominance, (batch, 2, rows, columns), an ndarray."""
        self._averaged.eval()
        outputs = self._outputs(self._averaged, inputs)
        return (self._objective(outputs, targets).item(),
                self._decode(outputs).cpu().numpy())

    def _outputs(self, network, inputs):
        """Float32; computed in bfloat16 on a GPU."""
        with torch.autocast(self.device.type, torch.bfloat16,
                            enabled=self.device.type == 'cuda'):
            outputs = network(inputs.contiguous(memory_format=self._layout))
        return [output.float() for output in outputs]

    def _objective(self, outputs, targets):
        """As :mod:`colornet.network.objectives` has them (3.5, 3.6)."""
        loss = self.config.objective['loss']
        if loss == 'cross_entropy':
            return sum(F.cross_entropy(scores, targets[:, channel])
                       for channel, scores in enumerate(outputs))
        size = (outputs[0] - targets).abs()
        penalty = size ** 2
        if loss == 'huber':
            threshold = self.config.objective['huber_threshold']
            penalty = torch.where(size <= threshold, penalty,
                                  threshold * (2 * size - threshold))
        return penalty.sum(1).mean()

    def _decode(self, outputs):
        """As :func:`colornet.network.decoding.predicted_chroma`."""
        decoding = self.config.decoding
        if len(outputs) == 1:
            return outputs[0] * decoding['saturation']
        num_bins = self.config.network['num_bins']
        means = torch.from_numpy(unbin_channel(
            np.arange(num_bins), num_bins, self._space.limits)).to(self.device)
        if decoding['method'] == 'argmax':
            channels = [means[scores.argmax(1)] for scores in outputs]
        else:
            channels = [((scores / decoding['temperature']).softmax(1) *
                         means[:, None, None]).sum(1) for scores in outputs]
        return torch.stack(channels, 1) * decoding['saturation']

    def _clip(self, gradients):
        """Scale the gradient of all together down (choice 29)."""
        largest = self.config.training['gradient_clip']
        if not largest:
            return gradients
        norm = torch.stack(torch._foreach_norm(gradients)).norm()
        return torch._foreach_mul(gradients,
                                  norm.clamp(max=largest) / (norm + 1e-7))

    def _update(self, gradients):
        """One step of Adam, with Lasagne's place of epsilon (5.2)."""
        settings = self.config.training
        beta1, beta2 = settings['beta1'], settings['beta2']
        number = self._num_steps.item() + 1
        rate = self._rate * (math.sqrt(1 - beta2 ** number) /
                             (1 - beta1 ** number))
        # All tensors at once: one by one, a GPU waits for Python.
        torch._foreach_lerp_(self._means, gradients, 1 - beta1)
        torch._foreach_mul_(self._squares, beta2)
        torch._foreach_addcmul_(self._squares, gradients, gradients, 1 - beta2)
        roots = torch._foreach_sqrt(self._squares)
        torch._foreach_add_(roots, EPSILON)
        torch._foreach_addcdiv_(self._trained, self._means, roots, [
            -rate * factor for factor in self._rate_factors])

    def _update_averages(self):
        """See :func:`colornet.training.updates.compile_training`."""
        steps = self._num_steps.item()
        weight = min(self.config.training['average'],
                     (1 + steps) / (10 + steps))
        if self.averages:
            torch._foreach_lerp_(
                [average.tensor for average in self.averages.values()],
                [variable.tensor for variable in self.parameters.values()],
                1 - weight)
