"""What is scored: networks trained here, or that ship (5.3), and photos."""

from pathlib import Path

from ..errors import ColornetError
from ..photos.reading import ImageError, read_colours
from ..resources import find_resource, weights_file
from ..terminal import note

__all__ = ['ColourPhotos', 'check_dataset', 'find_network']


class ColourPhotos:
    """Photos whose colours are known; others are named and left out.

    Parameters
    ----------
    paths : sequence of Path
    folder : str or Path, optional
        Where they are, for the error.
    """

    def __init__(self, paths, folder=None):
        self._paths, self._folder = paths, folder
        self._reasons = []

    def read(self, path):
        """Read one of them.

        Returns
        -------
        ndarray of uint8, (rows, columns, 3), or None
            None, if there is nothing to compare with.
        """
        try:
            return read_colours(path)
        except ImageError as error:
            self._reasons.append(str(error))
            note('left out %s' % error)
            return None

    def check_some(self):
        """Refuse photos of which all were left out.

        Raises
        ------
        ColornetError
        """
        if len(self._reasons) == len(self._paths):
            raise ColornetError('none of the %d photos%s can be scored%s' % (
                len(self._paths),
                ' in %s' % self._folder if self._folder else '',
                ''.join(': ' + reason for reason in self._reasons[:1])))


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
