"""Which networks are scored, and on which photos (5.3).

Networks are those trained here, or those that ship; photos those of a list or
a folder.
"""

from pathlib import Path

from ..color import as_uint8
from ..data.splits import read_split
from ..errors import ColornetError
from ..photos.finding import find_images
from ..photos.reading import check_colours, check_sides, read_photo
from ..resources import find_resource, weights_file

__all__ = ['LISTS', 'check_dataset', 'find_list', 'find_network',
           'find_photos', 'read_colours']

#: Lists of photos that ship, ``experiments/splits/everyday_<name>.txt``.
LISTS = 'nature', 'objects', 'people'


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


def find_list(name):
    """The file of a list of photos, such as those of nature (paper, 5.3).

    Parameters
    ----------
    name : str or Path
        One of :data:`LISTS`, or a file, where it is the file itself.

    Returns
    -------
    str or Path
    """
    return find_resource('experiments/splits/everyday_%s.txt' % name) \
        if name in LISTS else name


def find_photos(folder, list_file):
    """Paths of the photos to be scored.

    Parameters
    ----------
    folder : str or Path
    list_file : str or Path, or None
        As for :func:`.everyday.score_everyday`.

    Returns
    -------
    list of Path

    Raises
    ------
    ColornetError
        If there are none, or one of the list is missing.
    """
    folder = Path(folder)
    if list_file is None:
        paths = find_images(folder)
        if not paths:
            raise ColornetError('there are no photos in %s' % folder)
        return paths
    paths = [folder / name for name in read_split(find_list(list_file))]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise ColornetError('%s is missing; %s names it'
                            % (missing[0], list_file))
    return paths


def read_colours(path):
    """Pixels of a photo that colours can be compared with.

    Parameters
    ----------
    path : Path

    Returns
    -------
    ndarray of uint8, (rows, columns, 3)

    Raises
    ------
    ImageError
        If it has none.
    """
    pixels = as_uint8(read_photo(path).pixels)
    check_sides(path, pixels)
    check_colours(path, pixels)
    return pixels
