"""What a training step changes, in PyTorch (paper, 5.2).

The same as :mod:`colornet.training.updates`; what is remembered from step to
step has the same order, so that Theano can go on with it.
"""

import numpy as np
import torch

from .variables import Variable

__all__ = ['Averages', 'Updates']

#: Added to the roots of Adam's squares, as by Lasagne.
EPSILON = 1e-8


class Updates:
    """Gradients become changes of the parameters.

    Parameters
    ----------
    trained : list of ((str, str), tensor)
        Layer and name of each, in the order in which Lasagne finds them.
    encoder : collection of str
        VGG16's layers.
    settings : dict
        Those of ``[training]``.

    Attributes
    ----------
    state : list of Variable
        What is remembered.
    """

    def __init__(self, trained, encoder, settings):
        self.settings = settings
        self._trained = [tensor for _, tensor in trained]
        self._is_decayed = [name == 'W' for (_, name), _ in trained]
        numbers = range(len(trained))
        parts = [(numbers, 1.)]
        if settings['encoder_rate'] != 1:
            in_encoder = [layer in encoder for (layer, _), _ in trained]
            parts = [([number for number in numbers
                       if in_encoder[number] == of_encoder], rate)
                     for of_encoder, rate in (
                         (False, 1.), (True, settings['encoder_rate']))]
        rule = {'adam': _Adam, 'nesterov': _Nesterov}[settings['update_rule']]
        self._parts = [
            (part, rate, rule([self._trained[number] for number in part],
                              settings)) for part, rate in parts]
        self.state = [variable for _, _, rule in self._parts
                      for variable in rule.state]

    @torch.no_grad()
    def apply(self, gradients, rate):
        """Change the parameters.

        Parameters
        ----------
        gradients : list of tensor
            Of the loss without weight decay.
        rate : float
            The learning rate.
        """
        gradients = self._clip(self._decay(gradients))
        for numbers, factor, rule in self._parts:
            rule.apply([gradients[number] for number in numbers],
                       rate * factor)

    def _decay(self, gradients):
        """Gradients of the sum of the squared weights, too."""
        decay = 2 * self.settings['weight_decay']
        if not decay:
            return gradients
        return [gradient + decay * tensor if is_decayed else gradient
                for gradient, tensor, is_decayed in zip(
                    gradients, self._trained, self._is_decayed)]

    def _clip(self, gradients):
        """Scale the gradient of all together down (choice 29)."""
        largest = self.settings['gradient_clip']
        if not largest:
            return gradients
        norm = torch.stack(torch._foreach_norm(gradients)).norm()
        return torch._foreach_mul(gradients,
                                  norm.clamp(max=largest) / (norm + 1e-7))


class _Adam:
    """With Lasagne's place of epsilon, and its order of what is kept."""

    def __init__(self, trained, settings):
        self._trained = trained
        self._beta1, self._beta2 = settings['beta1'], settings['beta2']
        self._means, self._squares = [
            [torch.zeros_like(tensor) for tensor in trained]
            for _ in range(2)]
        self._num_steps = torch.zeros(())
        self.state = [Variable(tensor) for pair in zip(
            self._means, self._squares) for tensor in pair]
        self.state.append(Variable(self._num_steps))

    def apply(self, gradients, rate):
        self._num_steps += 1
        # As rounded by Theano.
        number = np.float32(self._num_steps.item())
        one, beta1, beta2 = np.float32([1, self._beta1, self._beta2])
        rate = float(np.float32(rate) * np.sqrt(one - beta2 ** number) /
                     (one - beta1 ** number))
        # All tensors at once: one by one, a GPU waits for Python.
        torch._foreach_lerp_(self._means, gradients, 1 - self._beta1)
        torch._foreach_mul_(self._squares, self._beta2)
        torch._foreach_addcmul_(self._squares, gradients, gradients,
                                1 - self._beta2)
        roots = torch._foreach_sqrt(self._squares)
        torch._foreach_add_(roots, EPSILON)
        torch._foreach_addcdiv_(self._trained, self._means, roots, -rate)


class _Nesterov:
    """Nesterov momentum, as Lasagne has it."""

    def __init__(self, trained, settings):
        self._trained, self._momentum = trained, settings['momentum']
        self._velocities = [torch.zeros_like(tensor) for tensor in trained]
        self.state = [Variable(tensor) for tensor in self._velocities]

    def apply(self, gradients, rate):
        steps = torch._foreach_mul(gradients, -rate)
        torch._foreach_mul_(self._velocities, self._momentum)
        torch._foreach_add_(self._velocities, steps)
        torch._foreach_add_(self._trained, steps)
        torch._foreach_add_(self._trained, torch._foreach_mul(
            self._velocities, self._momentum))


class Averages:
    """Moving averages of all that is trained (choice 28).

    Parameters
    ----------
    pairs : list of (tensor, tensor)
        What is trained, and its average.
    largest : float in (0, 1)
        Weight of the old value, after the first steps.

    Attributes
    ----------
    state : list of Variable
        The averages, and how many steps there were.
    """

    def __init__(self, pairs, largest):
        self._values, self._averages = map(list, zip(*pairs))
        self._largest = largest
        self._num_steps = torch.zeros(())
        self.state = [Variable(tensor) for tensor in
                      self._averages + [self._num_steps]]

    @torch.no_grad()
    def apply(self):
        """Let the averages follow."""
        steps = self._num_steps.item()
        weight = min(self._largest, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(self._averages, self._values, 1 - weight)
        self._num_steps += 1
