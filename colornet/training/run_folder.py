"""Whether a run folder holds this training (paper, 5.2)."""

import json
from pathlib import Path

from ..config import Config
from ..data.subsets import digest_photos, load_photos
from ..errors import ColornetError
from ..files import write_json
from ..network.parameters import load_progress
from ..schema import SCHEMA

__all__ = ['check_photos', 'find_divergence', 'forget_divergence',
           'is_finished', 'load_checkpoint', 'note_divergence']

#: In a run folder whose training diverged: the message, and the settings that
#: it is true of.
DIVERGED = 'diverged.json'

#: Settings that may change when a training is resumed: they change no
#: parameter.
RESUMABLE = ('training.epochs', 'training.checkpoint_minutes') + tuple(
    '%s.%s' % (section, key) for section in ('decoding', 'refinement')
    for key in SCHEMA[section])


def load_checkpoint(config, folder):
    """What a run folder holds of a training with these settings.

    Parameters
    ----------
    config : Config
    folder : Path

    Returns
    -------
    num_epochs : int
        That are done.
    attributes : dict
        Of the checkpoint; empty if there is none.

    Raises
    ------
    ColornetError
        If it has other settings, or is damaged.
    """
    path = folder / 'last.h5'
    if not path.exists():
        return 0, {}
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
    return len(progress['history']), attributes


def check_photos(folder, stored, digests):
    """Refuse to resume with other photos than a training was begun with.

    Parameters
    ----------
    folder : Path
        Of the training.
    stored : dict
        Attributes of its checkpoint; older ones have fewer digests.
    digests : dict
        As :func:`colornet.data.subsets.digest_photos` returns them.

    Raises
    ------
    ColornetError
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
    num_epochs, stored = load_checkpoint(config, folder)
    if not stored:
        return False
    check_photos(folder, stored, digest_photos(*load_photos(
        config.data, data_folder, 'train')))
    return num_epochs >= config.training['epochs']


def note_divergence(config, folder, error):
    """Tell of a training that diverged, for :func:`find_divergence`.

    Parameters
    ----------
    config : Config
    folder : Path
        Of the run; gets ``diverged.json``.
    error : Diverged
    """
    write_json(folder / DIVERGED, {
        'message': str(error), 'config': json.loads(config.to_json())})


def forget_divergence(folder):
    """Take back what :func:`note_divergence` told: a training goes on."""
    path = folder / DIVERGED
    if path.exists():
        path.unlink()


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
