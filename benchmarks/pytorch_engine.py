"""PyTorch's side of the benchmark."""

import re

import numpy as np
import torch
import torch.nn.functional as F

from colornet.network.stored import load_stored
from colornet.pytorch.network import Network
from colornet.pytorch.prediction import load_for_pytorch
from colornet.pytorch.updates import Updates
from colornet.resources import DEFAULT_NETWORK, find_resource

from . import NETWORK
from .peaks import CONVOLUTION, MATRIX_SIZE

__all__ = ['PyTorchEngine']


def _widen(tensor):
    """Float32, where it was bfloat16."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def _cross_entropy(scores, targets):
    # Not in bfloat16, whatever the scores are in.
    return sum(F.cross_entropy(_widen(channel), targets[:, number])
               for number, channel in enumerate(scores))


class PyTorchEngine:
    """The same network, weights, loss and update rule in PyTorch.

    Parameters
    ----------
    luminance, inputs, targets : ndarray
        A minibatch; see :func:`benchmarks.problem.write_problem`.
    problem : dict of str to ndarray
        Parameters, and what the prediction needs.
    channels_last : bool
        Memory layout of maps and filters.
    bfloat16 : bool
        Autocast convolutions to bfloat16.
    compile : bool
        Compile loss and prediction by torch.compile.
    float64 : bool
        Compute in float64.
    """

    def __init__(self, luminance, inputs, targets, problem,
                 channels_last=False, bfloat16=False, compile=False,
                 float64=False):
        self.bfloat16 = bfloat16
        self.compile = torch.compile if compile else lambda function: function
        dtype = torch.float64 if float64 else torch.float32
        self.network = Network().to(dtype)
        # As colornet names them; a problem's filters are PyTorch's.
        self.variables = {'/'.join(key): tensor for key, tensor in
                          self.network.tensors().items()}
        for name, variable in self.variables.items():
            array = np.ascontiguousarray(problem[name])
            variable.data.copy_(torch.from_numpy(array))
        layout = (torch.channels_last if channels_last else
                  torch.contiguous_format)
        self.network.to(memory_format=layout)
        self.luminance = torch.from_numpy(luminance).to(dtype)
        self.inputs = torch.from_numpy(inputs).to(dtype).contiguous(
            memory_format=layout)
        self.targets = torch.from_numpy(targets.astype(np.int64))
        # The means of the bins as they are shown: more saturated.
        self.mean_bgr, self.means = [
            torch.from_numpy(np.asarray(problem[name], np.float32)).to(dtype)
            for name in ('mean_bgr', 'means')]
        self.layout = layout

    def describe(self):
        """Versions, in a line."""
        built = torch.__config__.show()
        found = [(name, re.search(pattern, built)) for name, pattern in (
            ('oneDNN', r'MKL-DNN v(\S+)'),
            ('MKL', r'Math Kernel Library Version (\S+?)-'))]
        return ', '.join(['PyTorch ' + torch.__version__] + [
            '%s %s' % (name, match.group(1)) for name, match in found
            if match])

    def _autocast(self):
        return torch.autocast('cpu', torch.bfloat16, enabled=self.bfloat16)

    def _loss(self, inputs, targets):
        with self._autocast():
            scores = self.network(inputs)
        return _cross_entropy(scores, targets)

    def _chroma(self, luminance):
        inputs = (luminance * (255 / 100))[:, None] - \
            self.mean_bgr[:, None, None]
        with self._autocast():
            scores = self.network(inputs.contiguous(memory_format=self.layout))
        bins = torch.stack([channel.argmax(1) for channel in scores], -1)
        return self.means[bins]

    def make_train(self):
        """Return a function that does one training step."""
        self.network.train()
        trained = self.network.trained()
        tensors = [tensor for _, tensor in trained]
        settings = load_stored(find_resource(NETWORK))[1].training
        # Not torch.optim's, whose epsilon is at another place than Lasagne's.
        updates = Updates(trained, self.network.encoder, settings)
        loss_of = self.compile(self._loss)

        def step():
            loss = loss_of(self.inputs, self.targets)
            updates.apply(torch.autograd.grad(loss, tensors),
                          settings['learning_rate'])
            return loss.item()
        return step

    def make_predict(self):
        """Return a function that predicts chrominance from luminance."""
        self.network.eval()
        chroma_of = self.compile(self._chroma)

        def predict():
            with torch.inference_mode():
                return chroma_of(self.luminance).numpy()
        return predict

    def make_everyday(self):
        """The same, by the network that photos are coloured with.

        In the layout that :mod:`colornet.pytorch` chooses.
        """
        predict = load_for_pytorch(find_resource(DEFAULT_NETWORK),
                                   device='cpu', bfloat16=self.bfloat16)[0]
        luminance = self.luminance.numpy()
        return lambda: predict(luminance)[0]

    def make_peak(self):
        """Return a function that multiplies matrices, or convolves."""
        if self.layout is torch.contiguous_format:
            matrix = torch.rand(MATRIX_SIZE, MATRIX_SIZE)
            return lambda: matrix @ matrix
        images, channels, size = CONVOLUTION
        maps, filters = [
            torch.rand(shape).contiguous(memory_format=self.layout) for shape
            in ((images, channels, size, size), (channels, channels, 3, 3))]
        return lambda: F.conv2d(maps, filters, padding=1)

    def scores(self):
        """Class scores of the prediction, for U and V."""
        self.network.eval()
        with torch.inference_mode(), self._autocast():
            return [_widen(scores).numpy()
                    for scores in self.network(self.inputs)]

    def training_scores(self):
        """Class scores while training, and the loss's gradients by name."""
        averages = {name: average.copy() for name, average in
                    self.running_averages().items()}
        self.network.train()
        with self._autocast():
            scores = self.network(self.inputs)
        _cross_entropy(scores, self.targets).backward()
        for name, average in averages.items():  # That was not a step.
            self.variables[name].copy_(torch.from_numpy(average))
        return [_widen(channel.detach()).numpy() for channel in scores], {
            name: variable.grad.numpy() for name, variable in
            self.variables.items() if variable.grad is not None}

    def running_averages(self):
        """Means and variances of the batch normalizations, by name."""
        return {name: variable.numpy() for name, variable in
                self.variables.items()
                if name.endswith(('/mean', '/variance'))}
