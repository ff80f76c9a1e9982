"""Which networks are scored: those trained here, or those that ship (5.3)."""

from pathlib import Path

from ..errors import ColornetError
from ..resources import find_resource, weights_file

__all__ = ['check_dataset', 'find_network']


def find_network(name, runs_folder):
    """The network that was trained here, or else the one that ships.

    Parameters
    ----------
    name : str
        Such as ``cvcl_classification``.
    runs_folder : str or Path

    Returns
    -------
    Path

    Raises
    ------
    ColornetError
        If there is neither.
    """
    trained = Path(runs_folder) / name / 'best.h5'
    return trained if trained.exists() else find_resource(
        weights_file(name))


def check_dataset(network, dataset, result):
    """Refuse a network that was trained on another data set.

    Its test photos may be among those that the network was trained on.

    Parameters
    ----------
    network : str or Path
    dataset : str
        A key of :data:`colornet.data.datasets.DATASETS`.
    result : str
        What is to be made with the network, such as ``Table 2``.

    Returns
    -------
    Config
        The network's.

    Raises
    ------
    ColornetError
    """
    from ..network.stored import load_configuration
    config, _ = load_configuration(network)
    if config.data['dataset'] != dataset:
        raise ColornetError('%s was trained on data set %r: %s is about %r'
                            % (network, config.data['dataset'], result,
                               dataset))
    return config
