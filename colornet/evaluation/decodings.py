"""Decodings of one network's class scores compared (paper, 3.6, 5.3)."""

from collections import OrderedDict
from pathlib import Path

import numpy as np

from ..data.subsets import load_subset
from ..errors import ColornetError
from ..files import check_output, write_rows
from ..metrics import METRICS, image_metrics, in_units, summarize
from ..prediction.engines import load_configuration, load_prediction
from ..terminal import progress_bar
from .columns import Column, format_columns
from .predictions import predict_images
from .sheets import save_sheet, show_prediction

__all__ = ['DECODINGS', 'compare_decodings']

#: Name -> settings, see ``[decoding]`` in experiments/defaults.ini.
DECODINGS = OrderedDict(
    [('argmax', {}),
     ('expectation', {'method': 'mean'})] +
    [('annealed mean %g' % temperature,
      {'method': 'mean', 'temperature': temperature})
     for temperature in (0.7, 0.5, 0.38, 0.25)] +
    [('argmax, smoothed by %g' % deviation, {'smoothing': deviation})
     for deviation in (1, 2, 4, 8)])

#: What is not said there: these are no network's own.
PLAIN = {'method': 'argmax', 'temperature': 1, 'smoothing': 0}

#: Of which the sheet has pictures.
SHOWN = ('argmax', 'expectation', 'annealed mean 0.38',
         'argmax, smoothed by 4')

#: Photos on the sheet.
NUM_SHOWN = 10


def _column(name):
    """A column headed by its name in the file, if that is short."""
    return Column(heading=METRICS[name].heading if len(name) > 11 else name,
                  form='%11.2f' if METRICS[name].is_share else '%11.3f')


#: The tables to print: first the scores, then what they are beside those of
#: a grey picture.
_TABLES = [
    OrderedDict((name, _column(name)) for name in (
        'acc_u', 'acc_v', 'acc_u_8', 'acc_v_8', 'within_1_u', 'within_1_v',
        'sat_diff', 'psnr', 'ssim', 'colourfulness_predicted', 'edge_error',
        'error_elsewhere', 'inconsistency')),
    OrderedDict((name, Column(heading=name, form='%%%d.2f' % len(name)))
                for name in ('psnr_grey', 'psnr_gain', 'nearer_than_grey',
                             'colourfulness_ratio', 'auc'))]

#: The columns of the file.
_COLUMNS = [name for columns in _TABLES for name in columns]


def compare_decodings(network, data_folder, subset, out_file,
                      vgg_weights=None, engine=None):
    """Score all of :data:`DECODINGS` of a classification network.

    Parameters
    ----------
    network : str or Path
    data_folder : str or Path
    subset : 'train', 'validation' or 'test'
    out_file : str or Path
        CSV file; ``<name>.png`` beside it gets the first photos: grey |
        decodings | original.
    vgg_weights : str or Path, optional
    engine : 'theano', 'onnx' or 'pytorch', optional
        As for :func:`colornet.api.load_colorizer`.

    Returns
    -------
    str
        The tables to print. The network's factor for the chrominance is kept.
        Errors are root mean squares in U and V; the edges are the tenth of
        the pixels with the steepest luminance
        (:func:`colornet.further_metrics.edge_errors`). Inconsistency is
        :func:`colornet.further_metrics.colour_inconsistency`.

    Raises
    ------
    ColornetError
        If it is no classification network of U and V.
    """
    out_file = Path(out_file)
    check_output(out_file.with_suffix('.png'))
    config, _ = load_configuration(network)
    if config.network['kind'] != 'classification':
        raise ColornetError('%s is a %s network: it has no class scores to '
                            'decode' % (network, config.network['kind']))
    space = config.network['color_space']
    if space != 'luv':
        raise ColornetError('%s is a network of %s: its class scores have no '
                            'means' % (network, space))
    images, _ = load_subset(config, data_folder, subset)
    rows = OrderedDict((name, []) for name in DECODINGS)
    pictures = []
    decode, _, _ = load_prediction(network, vgg_weights, [
        ['decoding.%s=%s' % item for item in dict(PLAIN, **options).items()]
        for options in DECODINGS.values()], engine)
    found = predict_images(
        lambda luminance: np.stack(decode(luminance), axis=-2), images)
    for rgb, chroma in progress_bar(found, total=len(images), unit='image',
                                    desc='decodings'):
        for name, predicted in zip(DECODINGS, np.moveaxis(chroma, -2, 0)):
            rows[name].append(image_metrics(predicted, rgb, objects=True))
        if len(pictures) < NUM_SHOWN:
            pictures.append(show_prediction(rgb, [
                chroma[..., number, :] for number, name in
                enumerate(DECODINGS) if name in SHOWN]))
    means = OrderedDict((name, summarize(metrics))
                        for name, metrics in rows.items())
    save_sheet(out_file.with_suffix('.png'), pictures,
               ('grey',) + SHOWN + ('original',), width=1500)
    write_rows(out_file, ['decoding'] + _COLUMNS, (
        dict(mean, decoding=name) for name, mean in means.items()))
    shown = OrderedDict((name, {column: in_units(column, mean[column])
                                for column in _COLUMNS})
                        for name, mean in means.items())
    return '\n\n'.join('\n'.join(format_columns('%-24s' % 'decoding', shown,
                                                columns))
                       for columns in _TABLES)
