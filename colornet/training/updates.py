"""Compile a training (paper, 5.2).

This module gets a network and an objective; it knows no data set and no
architecture.
"""

from collections import OrderedDict

from ..engine.backend import T, lasagne, theano
from ..engine.convolutions import bfloat16_mode
from ..engine.memory import keep_freed_memory
from ..network.networks import (decoder_parameters, output_layers,
                                trainable_parameters)

__all__ = ['compile_opponent', 'compile_training', 'compile_validation',
           'make_averages', 'make_updates']


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
                     learning_rate=0.0003, bfloat16=False, opponent=None,
                     **update_options):
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
    bfloat16 : bool
        Convolutions round what they are given to bfloat16; see
        :func:`colornet.engine.convolutions.bfloat16_mode`.
    opponent : Opponent, optional
        That the network learns against: see
        :mod:`colornet.training.opponent`.
    update_options
        Of :func:`make_updates`.

    Returns
    -------
    step : callable
        Takes inputs and targets, changes the parameters, returns the loss,
        without weight decay. With an opponent, takes also its photos, and
        returns also its results.
    optimizer_state : list of shared variables
        What the update rule and the averages remember, in a fixed order.
    """
    keep_freed_memory()
    layers = output_layers(net)
    targets = _targets(layers)
    batch_norm_updates = OrderedDict()
    outputs = lasagne.layers.get_output(layers,
                                        batch_norm_updates=batch_norm_updates)
    loss = objective(outputs, targets)
    trained = trainable_parameters(net)
    minimized = loss
    if opponent is not None:
        minimized += opponent.face(outputs)
    if weight_decay:
        minimized += weight_decay * lasagne.regularization.apply_penalty(
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
    inputs, results = [net['input'].input_var, targets], loss
    if opponent is not None:
        inputs, results = inputs + [opponent.photos], [loss] + opponent.results
        updates.update(opponent.updates)
        optimizer_state += list(opponent.updates)
    step = theano.function(inputs, results, updates=updates,
                           mode=_find_mode(bfloat16))
    return step, optimizer_state


def _find_mode(bfloat16):
    return bfloat16_mode() if bfloat16 else None


def compile_opponent(net, objective, opponent, bfloat16=False):
    """Compile a step of the opponent alone; the network stays as it is.

    Parameters
    ----------
    net, objective, opponent, bfloat16
        As in :func:`compile_training`, after it was called with them.

    Returns
    -------
    callable
        Takes and returns what the step of both does.
    """
    targets = _targets(output_layers(net))
    loss = objective(opponent.outputs, targets)
    return theano.function(
        [net['input'].input_var, targets, opponent.photos],
        [loss] + opponent.results, updates=opponent.updates,
        mode=_find_mode(bfloat16))


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
