"""Decodings of one network's class scores compared (paper, 3.6, 5.3)."""

import csv
import io
from collections import OrderedDict
from pathlib import Path

import numpy as np

from .color import get_color_space, join_channels, split_channels
from .errors import ColornetError
from .experiment import load_subset, predict_images
from .files import write_text
from .metrics import edge_errors, image_metrics, summarize
from .progress import progress_bar
from .reports import grey_picture
from .sheets import save_sheet

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

#: Of which the sheet has pictures.
SHOWN = ('argmax', 'expectation', 'annealed mean 0.38',
         'argmax, smoothed by 4')

#: Photos on the sheet.
NUM_SHOWN = 10

_COLUMNS = ('acc_u', 'acc_v', 'acc_u_8', 'acc_v_8', 'within_1_u',
            'within_1_v', 'sat_diff', 'psnr', 'ssim',
            'colourfulness_predicted', 'edge_error', 'error_elsewhere')


def compare_decodings(network, data_folder, subset, out_file,
                      vgg_weights=None):
    """Score all of :data:`DECODINGS` of a classification network.

    Parameters
    ----------
    network : str or Path
    data_folder : str or Path
    subset : 'train', 'validation' or 'test'
    out_file : str or Path
        CSV file; ``<name>.png`` gets the first photos: grey | decodings |
        original.
    vgg_weights : str or Path, optional

    Returns
    -------
    str
        The table to print. Errors are root mean squares in U and V; the edges
        are the tenth of the pixels with the steepest luminance
        (:func:`colornet.metrics.edge_errors`).

    Raises
    ------
    ColornetError
        If it is no classification network.
    """
    from .predict import load_network
    net, config, _ = load_network(network, vgg_weights, fold=True)
    if config.network['kind'] != 'classification':
        raise ColornetError('%s is a %s network: it has no class scores to '
                            'decode' % (network, config.network['kind']))
    images, _ = load_subset(config, data_folder, subset)
    space = config.network['color_space']
    rows = OrderedDict((name, []) for name in DECODINGS)
    pictures = []
    found = predict_images(_compile_all(net, config), images, space)
    for rgb, chroma in progress_bar(found, total=len(images), unit='image',
                                    desc='decodings'):
        luminance, actual = split_channels(rgb, space)
        for name, predicted in zip(DECODINGS, np.moveaxis(chroma, -2, 0)):
            metrics = image_metrics(predicted, rgb, space)
            metrics['edge_error'], metrics['error_elsewhere'] = edge_errors(
                predicted, actual, luminance)
            rows[name].append(metrics)
        if len(pictures) < NUM_SHOWN:
            pictures.append([grey_picture(luminance, space)] + [
                join_channels(luminance, chroma[..., number, :], space)
                for number, name in enumerate(DECODINGS) if name in SHOWN] +
                [rgb])
    means = OrderedDict((name, summarize(metrics))
                        for name, metrics in rows.items())
    out_file = Path(out_file)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator='\n')
    writer.writerow(('decoding',) + _COLUMNS)
    writer.writerows([name] + ['%.6g' % mean[column] for column in _COLUMNS]
                     for name, mean in means.items())
    save_sheet(out_file.with_suffix('.png'), pictures,
               ('grey',) + SHOWN + ('original',), width=1500)
    write_text(out_file, stream.getvalue())
    return _format(means)


def _compile_all(net, config):
    """All decodings at once: (batch, rows, columns, decodings, 2)."""
    from .backend import lasagne, theano
    from .decoding import predicted_chroma
    from .networks import output_layers
    from .vgg16 import preprocess
    space = get_color_space(config.network['color_space'])
    outputs = lasagne.layers.get_output(output_layers(net),
                                        deterministic=True)
    run = theano.function(
        [net['input'].input_var],
        [predicted_chroma(outputs, config.network['num_bins'], space.limits,
                          **options) for options in DECODINGS.values()])

    def predict(luminance):
        chroma = run(preprocess(luminance, space.luminance_max))
        return np.moveaxis(np.array(chroma), (0, 2), (-2, -1))
    return predict


def _format(means):
    """The table as aligned text; shares in percent."""
    lines = ['%-24s' % 'decoding' + ''.join(
        ('%s' % column.replace('colourfulness_predicted', 'colourful')
         ).rjust(12) for column in _COLUMNS).replace('error_elsewhere',
                                                     '   elsewhere')]
    for name, mean in means.items():
        lines.append('%-24s' % name + ''.join(
            '%12.3f' % mean[column] if column in (
                'psnr', 'ssim', 'colourfulness_predicted', 'edge_error',
                'error_elsewhere') else '%12.2f' % (100 * mean[column])
            for column in _COLUMNS))
    return '\n'.join(lines)
