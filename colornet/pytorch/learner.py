"""A network that learns by PyTorch: see :mod:`colornet.training.learner`."""

import copy
from concurrent.futures import ThreadPoolExecutor

import torch

from ..color import get_color_space
from ..engine.available import missing_theano
from ..errors import ColornetError
from ..network.inputs import make_transform
from ..training.learner import Learner
from .color import bin_chroma, make_inputs, shrink_chroma, split_channels
from .decoding import predicted_chroma
from .devices import (describe_device, fastest_layout, find_device,
                      telling_of_memory)
from .initial import draw_weights, set_vgg16
from .network import build_network
from .objectives import find_loss
from .updates import Averages, Updates
from .variables import learned_parameters

__all__ = ['PyTorchLearner']


class PyTorchLearner(Learner):
    """A network that learns by PyTorch.

    Parameters
    ----------
    config : Config
    vgg_weights : str or Path, optional
    device : str
        See :func:`colornet.pytorch.devices.find_device`.
    bfloat16 : bool
        Compute the network's maps in bfloat16 when training; parameters,
        losses, updates and validations stay in float32.

    Raises
    ------
    ColornetError
        If there is no such device, or the configuration asks for a
        discriminator.
    """

    def __init__(self, config, vgg_weights=None, device='auto',
                 bfloat16=False):
        super().__init__(config, vgg_weights)
        if config.adversarial['weight']:
            without = missing_theano()
            raise ColornetError(
                'adversarial.weight = %s: only Theano%s trains against a '
                'discriminator' % (config.adversarial['weight'],
                                   without and ' (%s)' % without))
        self.device = find_device(device)
        self.bfloat16 = bfloat16
        self._rate = 0.
        self._transform = make_transform(config.network)
        self._on_device = (self.device.type == 'cuda' and
                           config.network['color_space'] == 'luv')
        if self.device.type == 'cuda':
            # While the next photos are measured, numpy lets others compute.
            self.map = ThreadPoolExecutor().map

    def _build_network(self):
        settings = self.config.network
        # Minibatches are of one size: try out which convolutions are fast.
        torch.backends.cudnn.benchmark = True
        self._network = build_network(settings)
        draw_weights(self._network, self.config.training['seed'],
                     settings['initialization'])
        set_vgg16(self._network, self.vgg_weights)
        self._layout = fastest_layout(self.device)
        with telling_of_memory():
            self._network.to(self.device, memory_format=self._layout)

    def _learned(self, config):
        return learned_parameters(self._network, config.network['fine_tune'])

    def describe(self):
        """What the numbers of a run depend on, a dict for JSON."""
        return {'engine': 'pytorch', 'backend': dict(
            describe_device(self.device),
            floats='bfloat16' if self.bfloat16 else 'float32')}

    def compile(self):
        """Make ready for :meth:`step` and :meth:`validate`."""
        self._class_weights = (None if self.class_weights is None else
                               self._send(self.class_weights))
        training = self.config.training
        trained = self._network.trained()
        self._trained = [tensor for _, tensor in trained]
        self._updates = Updates(trained, self._network.encoder, training)
        self.optimizer_state = list(self._updates.state)
        self._averaged, self._averages = self._network, None
        if training['average']:
            self._averaged = copy.deepcopy(self._network)
            self.averages = learned_parameters(
                self._averaged, self.config.network['fine_tune'])
            self._averages = Averages(
                [(self.parameters[key].tensor, average.tensor)
                 for key, average in self.averages.items()],
                training['average'])
            self.optimizer_state += self._averages.state

    def transform(self, rgb):
        """As :mod:`colornet.network.inputs`; by a CUDA GPU for CIELUV."""
        if not self._on_device:
            inputs, targets, _ = self._transform(rgb)
            return self._send(inputs), self._send(targets), rgb
        luminance, chroma = split_channels(
            torch.from_numpy(rgb).to(self.device))
        network = self.config.network
        targets = shrink_chroma(chroma, network['output_stride'])
        if network['kind'] == 'classification':
            targets = bin_chroma(targets, network['num_bins'],
                                 get_color_space('luv').limits)
        return make_inputs(luminance), targets, rgb

    def _send(self, array):
        """A minibatch's array on the device; numbers of bins as int64."""
        tensor = torch.as_tensor(array)
        return (tensor if tensor.is_floating_point() else tensor.long()).to(
            self.device)

    def set_learning_rate(self, rate):
        """For the steps from now on."""
        self._rate = rate

    def step(self, inputs, targets):
        """Train on a minibatch; returns the loss."""
        self._network.train()
        with telling_of_memory():
            loss, _ = self._find_loss(self._network, inputs, targets,
                                      self.bfloat16)
            self._updates.apply(torch.autograd.grad(loss, self._trained),
                                self._rate)
            if self._averages:
                self._averages.apply()
            return loss.item()

    @torch.no_grad()
    def validate(self, inputs, targets):
        """Loss and chrominance, (batch, 2, rows, columns), an ndarray."""
        self._averaged.eval()
        with telling_of_memory():
            # Not rounded: other engines go on with trainings.
            loss, outputs = self._find_loss(self._averaged, inputs, targets,
                                            bfloat16=False)
            chroma = predicted_chroma(outputs, self.config.network,
                                      self.config.decoding)
            return loss.item(), chroma.cpu().numpy()

    def _find_loss(self, network, inputs, targets, bfloat16):
        """The loss, without weight decay, and the outputs in float32."""
        inputs = self._send(inputs).contiguous(memory_format=self._layout)
        with torch.autocast(self.device.type, torch.bfloat16,
                            enabled=bfloat16):
            outputs = network(inputs)
        outputs = [output.float() for output in outputs]
        return find_loss(outputs, self._send(targets),
                         self.config.objective, self._class_weights), outputs
