"""Learning rates and weights by how far a training is (5.2, 6); no Theano."""

import math

__all__ = ['adversarial_weight', 'cycle_learning_rate', 'learning_rate_after',
           'make_schedule']


def learning_rate_after(epochs, learning_rate, drop_epochs, drop_factor):
    """The learning rate after some epochs, which drops now and then.

    Parameters
    ----------
    epochs : int
        That are done.
    learning_rate : float
        At the start.
    drop_epochs : sequence of int
        After how many epochs it drops.
    drop_factor : float
        By what it is multiplied each time.

    Returns
    -------
    float
    """
    return learning_rate * drop_factor ** sum(epochs >= drop for drop
                                              in drop_epochs)


def cycle_learning_rate(minibatch, num_minibatches, learning_rate, warm_up):
    """The learning rate of one cycle: up in a line, down in half a cosine.

    Parameters
    ----------
    minibatch : int
        Of the whole training, counted from 0.
    num_minibatches : int
        Of the whole training.
    learning_rate : float
        The highest.
    warm_up : float in [0, 1)
        Share of the minibatches in which it rises.

    Returns
    -------
    float
        Above zero; it would be zero at the minibatch after the last.
    """
    rising = warm_up * num_minibatches
    if minibatch < rising:
        return learning_rate * min((minibatch + 1) / rising, 1)
    falling = (minibatch - rising) / (num_minibatches - rising)
    return learning_rate * 0.5 * (1 + math.cos(math.pi * falling))


def make_schedule(settings, num_images):
    """The configured learning rate.

    Parameters
    ----------
    settings : dict
        Those of ``[training]``.
    num_images : int
        In an epoch.

    Returns
    -------
    callable
        Takes the numbers of epoch and minibatch, both from 0.
    """
    rate = settings['learning_rate']
    if settings['schedule'] == 'constant':
        drops = settings['drop_epochs'], settings['drop_factor']
        return lambda epoch, minibatch: learning_rate_after(epoch, rate,
                                                            *drops)
    in_epoch = -(-num_images // settings['batch_size'])
    return lambda epoch, minibatch: cycle_learning_rate(
        epoch * in_epoch + minibatch, settings['epochs'] * in_epoch, rate,
        settings['warm_up'])


def adversarial_weight(epochs, settings):
    """The weight of what a discriminator says (paper, 6; choice 31).

    Parameters
    ----------
    epochs : float
        That are done.
    settings : dict
        Those of ``[adversarial]``.

    Returns
    -------
    float
        Zero while the discriminator learns alone, ``pretrain``; then it
        grows in a line over ``ramp`` epochs.
    """
    epochs -= settings['pretrain']
    if epochs < 0:
        return 0.
    return settings['weight'] * (min(epochs / settings['ramp'], 1)
                                 if settings['ramp'] else 1)
