"""Table 2, evaluations of single networks, contact sheets (paper, 5.3)."""

import csv
import io
import json
from collections import OrderedDict
from pathlib import Path

import numpy as np

from .color import join_channels, split_channels
from .config import find_resource, load_config
from .errors import ColornetError
from .experiment import evaluate, load_subset, predict_images
from .files import write_text
from .floors import fit_lookup, fit_mode, predict_grey
from .images import read_photo
from .progress import progress_bar
from .sheets import save_sheet

__all__ = ['TABLE2_COLUMNS', 'PAPER_TABLE2', 'evaluate_network',
           'find_network', 'grey_picture', 'make_table2', 'save_demo_sheet']

TABLE2_COLUMNS = ('acc_u', 'acc_v', 'sat_diff', 'l_reg', 'psnr')

#: Table 2 of the paper, in percent, without the columns that it lacks. It
#: gives the size of the saturation difference, not its sign.
PAPER_TABLE2 = OrderedDict([
    ('paper_classification', {'acc_u': 34.64, 'acc_v': 24.14,
                              'sat_diff': 6.5}),
    ('paper_regression', {'acc_u': 12.92, 'acc_v': 19.02, 'sat_diff': 85.8}),
])

#: Columns in percent, stored as fractions.
PERCENTAGES = ('acc_u', 'acc_v', 'sat_diff')


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


def evaluate_network(network_file, data_folder, subset='test',
                     sheet_file=None, vgg_weights=None, dataset=None):
    """Score a network on photos (paper, 5.1).

    Parameters
    ----------
    network_file : str or Path
    data_folder : str or Path
    subset : 'test' or 'train'
    sheet_file : str or Path, optional
        Gets a contact sheet: grey | network | original.
    vgg_weights : str or Path, optional
    dataset : str, optional
        Layout and split of the folder, such as ``cvcl``; those of the
        network's training if not given.

    Returns
    -------
    dict
        As :func:`colornet.experiment.evaluate`, and ``network`` and
        ``data``: where the numbers come from.
    """
    from .predict import compile_prediction, load_network
    net, config, attributes = load_network(network_file, vgg_weights,
                                           fold=True)
    trained_on = config.data['dataset']
    if dataset is not None:
        config.override('data.dataset=' + dataset, '--dataset')
    images, names = load_subset(config, data_folder, subset)
    space = config.network['color_space']
    sheet = []

    def predictions():
        found = predict_images(compile_prediction(net, config), images, space)
        for rgb, chroma in progress_bar(found, total=len(images), unit='image',
                                        desc=config.network['kind']):
            if sheet_file is not None:
                luminance, _ = split_channels(rgb, space)
                sheet.append((grey_picture(luminance, space),
                              join_channels(luminance, chroma, space), rgb))
            yield rgb, chroma

    result = evaluate(predictions(), names, space)
    if sheet_file is not None:
        _save_test_sheet(sheet_file, sheet, names)
    result['network'] = {'file': str(network_file),
                         'kind': config.network['kind'],
                         'dataset': trained_on,
                         'epoch': int(attributes.get('epoch', 0))}
    result['data'] = {'folder': str(data_folder), 'subset': subset,
                      'size': config.data['size'],
                      'num_images': len(images)}
    return result


def save_demo_sheet(path, folder, coloured):
    """Save a contact sheet of coloured photos: grey | coloured | original.

    Parameters
    ----------
    path : str or Path
    folder : Path
        Holds the originals.
    coloured : list of Path
        Named as the originals are.
    """
    rows = []
    for result in coloured:
        original = read_photo(folder / result.name).pixels
        rows.append((grey_picture(split_channels(original)[0]),
                     read_photo(result).pixels, original))
    save_sheet(path, rows, ('grey', 'coloured', 'original'),
               names=[result.name for result in coloured])


def _save_test_sheet(path, triples, names, per_row=3):
    """Save many (grey, network, original) triples, some to a row."""
    blank = np.full((1, 1, 3), 255, np.uint8)
    rows, row_names = [], []
    for start in range(0, len(triples), per_row):
        row = [picture for triple in triples[start:start + per_row]
               for picture in triple]
        rows.append(row + [blank] * (3 * per_row - len(row)))
        row_names.append(', '.join(names[start:start + per_row]))
    save_sheet(path, rows, ('grey', 'network', 'original') * per_row,
               names=row_names, width=1800)


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
    """
    trained = Path(runs_folder) / name / 'best.h5'
    return trained if trained.exists() else find_resource(
        'weights/%s.h5' % name)


def make_table2(data_folder, runs_folder, out_file, vgg_weights=None):
    """Table 2: the paper's numbers, ours, and floors (paper, 5.3).

    Parameters
    ----------
    data_folder : str or Path
        CVCL's Open Country photos.
    runs_folder : str or Path
        Networks trained here are in ``cvcl_classification/best.h5`` and
        ``cvcl_regression/best.h5``.
    out_file : str or Path
        CSV file; beside it, ``<name>_<kind>.json`` and
        ``<name>_<kind>.png`` get the scores of each image and a contact
        sheet.
    vgg_weights : str or Path, optional

    Returns
    -------
    str
        The table to print, with where each row comes from.
    """
    out_file = Path(out_file)
    rows, sources = OrderedDict(PAPER_TABLE2), []
    networks = [(kind, find_network('cvcl_' + kind, runs_folder))
                for kind in ('classification', 'regression')]
    for _, network in networks:
        _check_is_of_cvcl(network)
    for kind, network in networks:
        stem = '%s_%s' % (out_file.with_suffix(''), kind)
        result = evaluate_network(network, data_folder,
                                  sheet_file=stem + '.png',
                                  vgg_weights=vgg_weights)
        write_text(stem + '.json', json.dumps(result, indent=1) + '\n')
        rows[kind] = _to_percent(result['mean'])
        sources.append('%s: %s, epoch %d' % (kind, network,
                                             result['network']['epoch']))
    rows.update(_score_floors(data_folder, result['data']['size']))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, ('system',) + TABLE2_COLUMNS,
                            lineterminator='\n')
    writer.writeheader()
    for system, row in rows.items():
        writer.writerow(dict({column: '%.10g' % value
                              for column, value in row.items()},
                             system=system))
    write_text(out_file, stream.getvalue())
    return '\n'.join([_format_table2(rows)] + sources)


def _check_is_of_cvcl(network):
    """Refuse a network that was trained on other photos than Table 2's."""
    from .predict import load_configuration
    config, _ = load_configuration(network)
    if config.data['dataset'] != 'cvcl':
        raise ColornetError("%s was trained on data set %r: Table 2 is about "
                            "'cvcl'" % (network, config.data['dataset']))


def _score_floors(data_folder, size):
    """Rows of the predictors without a network, at the networks' size."""
    config = load_config(overrides=['data.size=%d' % size])
    training, _ = load_subset(config, data_folder, 'train')
    test, names = load_subset(config, data_folder, 'test')
    floors = OrderedDict([('floor_mode', fit_mode(training)),
                          ('floor_grey', predict_grey),
                          ('floor_lookup', fit_lookup(training))])
    return OrderedDict(
        (name, _to_percent(evaluate(predict_images(predict, test),
                                    names)['mean']))
        for name, predict in floors.items())


def _to_percent(mean):
    """The columns of Table 2, in its units."""
    return {column: mean[column] * (100 if column in PERCENTAGES else 1)
            for column in TABLE2_COLUMNS}


def _format_table2(rows):
    """Table 2 as aligned text."""
    lines = ['%-22s %9s %9s %11s %13s %10s' % (
        'system', 'Acc U, %', 'Acc V, %', 'sat diff, %', 'L_reg', 'PSNR, dB')]
    formats = {'acc_u': '%9.2f', 'acc_v': '%9.2f', 'sat_diff': '%+11.1f',
               'l_reg': '%13.0f', 'psnr': '%10.2f'}
    for system, row in rows.items():
        cells = []
        for column in TABLE2_COLUMNS:
            text = formats[column] % row.get(column, 0)
            if column not in row:
                text = '-'.rjust(len(text))
            elif system in PAPER_TABLE2:
                text = text.replace('+', ' ')  # The paper gives no sign.
            cells.append(text)
        lines.append(' '.join(['%-22s' % system] + cells))
    return '\n'.join(lines)
