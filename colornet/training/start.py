"""Start a training from a trained network (paper, 5.2)."""


from ..errors import ColornetError
from ..files import digest_file
from ..network.parameters import set_parameters
from ..network.stored import load_stored, network_file
from ..terminal import note

__all__ = ['start_from']


def start_from(learned, config):
    """Give a network the parameters of ``training.start_from``.

    Parameters
    ----------
    learned : callable
        Takes a configuration, returns what a training with it changes, by
        layer and name: variables, as
        :func:`colornet.network.parameters.set_parameters` takes them.
    config : Config
        Of the network. It names a file of
        :func:`colornet.network.saved.save_network`, or a run folder. If the
        VGG16 in there was fine-tuned, that of the network must be, too.

    Returns
    -------
    dict
        Where the parameters come from: ``file``, ``sha256``, ``trained_on``,
        ``epoch``.

    Raises
    ------
    ColornetError
        If the file is missing or is not a network of the same kind.

    Notes
    -----
    If photos that are held out now may have been trained on before, a line on
    stderr says so.
    """
    path = network_file(config.training['start_from'])
    parameters, stored, attributes = load_stored(path)
    for key, value in stored.network.items():
        if (key not in ('fine_tune', 'initialization') and
                value != config.network[key]):
            raise ColornetError('%s has network.%s = %s, not %s: training '
                                'cannot start from it'
                                % (path, key, value, config.network[key]))
    if stored.network['fine_tune'] and not config.network['fine_tune']:
        # What is saved would lack the VGG16 that it was trained with.
        raise ColornetError('%s has a fine-tuned VGG16: training can start '
                            'from it with network.fine_tune = yes only' % path)
    set_parameters(learned(stored), parameters, path)
    if stored.data['dataset'] == config.data['dataset'] and \
            _what_is_held_out(stored) != _what_is_held_out(config):
        note('note: %s was trained with another data.draw_seed, hold_out, '
             'num_images or test_share: if its photos were the same, some '
             'that are held out now were among them' % path)
    return {'file': str(path),
            'sha256': digest_file(path),
            'trained_on': str(attributes.get('trained_on', 'others')),
            'epoch': int(attributes.get('epoch', 0))}


def _what_is_held_out(config):
    return [config.data[key] for key in (
        'hold_out', 'num_images', 'test_share')] + [config.draw_seed]
