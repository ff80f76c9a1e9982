"""Evaluations of single networks, and contact sheets (paper, 5.1, 5.3)."""

from pathlib import Path

import numpy as np
from PIL import Image

from ..color import join_channels, split_channels
from ..config import load_config
from ..data.subsets import load_subset
from ..errors import ColornetError
from ..photos.reading import as_uint8, read_photo
from ..photos.writing import save_image
from ..resources import find_resource
from ..terminal import progress_bar
from .predictions import evaluate, predict_images
from .sheets import fill_rows, save_sheet

__all__ = ['check_dataset', 'evaluate_network', 'find_network',
           'format_columns', 'grey_picture', 'picture_name', 'save_demo_sheet',
           'show_prediction']


def grey_picture(luminance, color_space='luv'):
    """The black-and-white picture of a luminance channel.

    Parameters
    ----------
    luminance : ndarray, (rows, columns)

    Returns
    -------
    ndarray of float32, (rows, columns, 3)
    """
    return join_channels(luminance, np.zeros(luminance.shape + (2,)),
                         color_space)


def show_prediction(rgb, chromas, color_space='luv'):
    """Pictures for a row of a sheet: grey | predicted, ... | original.

    Parameters
    ----------
    rgb : ndarray, (rows, columns, 3)
        The original.
    chromas : sequence of ndarray, (rows, columns, 2)
        Predicted from its luminance, in `color_space`.

    Returns
    -------
    list of ndarray, (rows, columns, 3)
    """
    luminance, _ = split_channels(rgb, color_space)
    return ([grey_picture(luminance, color_space)] +
            [join_channels(luminance, chroma, color_space)
             for chroma in chromas] + [rgb])


def format_columns(title, rows, columns, unsigned=()):
    """Format a table as aligned text.

    Parameters
    ----------
    title : str
        Above the names of the rows, padded to their width.
    rows : dict of str to dict
        Name -> column -> number; where a column is missing, there is a dash.
        Rows without any of the columns are left out.
    columns : dict of str to (str, str)
        Column -> heading and format; of one width for all numbers.
    unsigned : collection of str
        Rows whose numbers get no plus sign.

    Returns
    -------
    list of str
        Lines.
    """
    def width(form):
        return len(form % 0)
    lines = [' '.join([title] + [heading.rjust(width(form))
                                 for heading, form in columns.values()])]
    for name, row in rows.items():
        if not set(row) & set(columns):
            continue
        cells = [name.ljust(len(title))]
        for column, (_, form) in columns.items():
            text = (form % row[column] if column in row else
                    '-'.rjust(width(form)))
            cells.append(text.replace('+', ' ') if name in unsigned else text)
        lines.append(' '.join(cells))
    return lines


def evaluate_network(network_file, data_folder, subset='test',
                     sheet_file=None, vgg_weights=None, dataset=None,
                     decoding=(), picture_folder=None):
    """Score a network on photos (paper, 5.1).

    Parameters
    ----------
    network_file : str or Path
    data_folder : str or Path
    subset : 'test', 'train' or 'validation'
        As :func:`colornet.data.subsets.load_subset`.
    sheet_file : str or Path, optional
        Gets a contact sheet: grey | network | original.
    vgg_weights : str or Path, optional
    dataset : str, optional
        Layout and split of the folder, such as ``cvcl``; those of the
        network's training if not given.
    decoding : iterable of str
        As for :func:`colornet.network.saved.load_network`.
    picture_folder : str or Path, optional
        Gets the network's colours, as PNG: the number in the subset and the
        photo's name.

    Returns
    -------
    dict
        As :func:`colornet.evaluation.predictions.evaluate`, and ``network``
        and ``data``: where the numbers come from.
    """
    from ..network.saved import compile_prediction, load_network
    net, config, attributes = load_network(network_file, vgg_weights,
                                           fold=True, decoding=decoding)
    if dataset is not None:
        config.override('data.dataset=' + dataset, '--dataset')
    images, names = load_subset(config, data_folder, subset)
    space = config.network['color_space']
    sheet = []

    def predictions():
        found = predict_images(compile_prediction(net, config), images, space)
        for number, (rgb, chroma) in enumerate(progress_bar(
                found, total=len(images), unit='image',
                desc=config.network['kind'])):
            if sheet_file is not None or picture_folder is not None:
                pictures = show_prediction(rgb, [chroma], space)
            if sheet_file is not None:
                sheet.append(pictures)
            if picture_folder is not None:
                save_image(Path(picture_folder) /
                           picture_name(number, names[number]),
                           Image.fromarray(as_uint8(pictures[1])))
            yield rgb, chroma

    result = evaluate(predictions(), names, space)
    if sheet_file is not None:
        _save_groups(sheet_file, sheet, names, 'network', 3)
    result['network'] = {'file': str(network_file),
                         'kind': config.network['kind'],
                         'trained_on': str(attributes.get('trained_on', '')),
                         'epoch': int(attributes.get('epoch', 0)),
                         'decoding': config.decoding,
                         'changed_decoding': [
                             line for line in config.differences(load_config())
                             if line.startswith('decoding.')]}
    result['data'] = {'folder': str(data_folder), 'subset': subset,
                      'size': config.data['size'],
                      'num_images': len(images)}
    return result


def picture_name(number, name):
    """File name of a coloured photo: two folders may have one of a name.

    Parameters
    ----------
    number : int
        In the subset.
    name : str
        Of the photo.
    """
    return '%05d_%s.png' % (number, Path(name).stem)


def save_demo_sheet(path, folder, coloured):
    """Save a contact sheet of coloured photos: grey | coloured | original.

    The widest come first, two to a row.

    Parameters
    ----------
    path : str or Path
    folder : Path
        Holds the originals.
    coloured : list of Path
        Named as the originals are.
    """
    groups = []
    for result in coloured:
        original = read_photo(folder / result.name).pixels
        groups.append((grey_picture(split_channels(original)[0]),
                       read_photo(result).pixels, original))
    # Photos of like proportions side by side leave no gaps.
    order = sorted(range(len(groups)), key=lambda number: (
        groups[number][2].shape[0] / groups[number][2].shape[1]))
    _save_groups(path, [groups[number] for number in order],
                 [coloured[number].name for number in order], 'coloured', 2)


def _save_groups(path, triples, names, title, per_row):
    """Save (grey, predicted, original) triples, some to a row."""
    rows, row_names = fill_rows(triples, names, per_row)
    save_sheet(path, rows, ('grey', title, 'original') * per_row,
               names=row_names, width=600 * per_row)


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
        'weights/%s.h5' % name)


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
    from ..network.saved import load_configuration
    config, _ = load_configuration(network)
    if config.data['dataset'] != dataset:
        raise ColornetError('%s was trained on data set %r: %s is about %r'
                            % (network, config.data['dataset'], result,
                               dataset))
    return config
