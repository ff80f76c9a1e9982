"""Score an adversarial training on test photos: ``make adversarial``.

Beside it stand ways to stronger colours that need no training
(docs/adversarial.rst).
"""

import sys
from collections import OrderedDict

from colornet.cli import report_errors
from colornet.evaluation.columns import Column, format_columns, metric_columns
from colornet.evaluation.evaluate import evaluate_network
from colornet.files import check_output, write_rows
from colornet.metrics import in_units
from colornet.network.stored import network_file
from colornet.resources import find_resource, weights_file

START = 'cvcl_best'


def _mean(factor):
    return ['decoding.method=mean', 'decoding.temperature=0.38',
            'decoding.saturation=%g' % factor]


#: Of each network, names of rows and what they change of its decoding.
WAYS = OrderedDict([
    ('start', [('start, mean', _mean(1)),
               ('start, mean, times 1.2', _mean(1.2)),
               ('start, mean, times 1.3', _mean(1.3)),
               ('start, best class, times 1.05', [])]),
    ('adversarial', [('adversarial, mean', _mean(1))])])

COLUMNS = metric_columns(
    ['acc_u', 'acc_v', 'sat_diff_pooled', 'colourfulness_ratio', 'psnr'],
    sat_diff_pooled=Column('saturation, %', '%+14.1f'),
    colourfulness_ratio=Column('colour ratio', '%13.2f'),
    psnr=Column('PSNR, dB', '%9.2f'))


def write_table(data_folder, network, out_file, engine=None):
    """Score the network and what it started from, and print the table.

    Parameters
    ----------
    data_folder : str or Path
        CVCL's Open Country photos.
    network : str or Path
        That was trained, or its run folder.
    out_file : str or Path
        CSV file with the mean of each metric.
    engine : 'theano', 'onnx' or 'pytorch', optional
        As for :func:`colornet.api.load_colorizer`.
    """
    check_output(out_file, '.csv')
    files = {'start': find_resource(weights_file(START)),
             'adversarial': network_file(network)}
    rows = OrderedDict()
    for system, ways in WAYS.items():
        for name, decoding in ways:
            means = evaluate_network(files[system], data_folder,
                                     dataset='cvcl', decoding=decoding,
                                     engine=engine)['mean']
            rows[name] = OrderedDict((metric, in_units(metric, value))
                                     for metric, value in means.items())
    write_rows(out_file, ['network'] + list(rows['start, mean']), [
        dict(row, network=name) for name, row in rows.items()])
    print(format_table(rows))


def format_table(rows):
    """The table of docs/adversarial.rst.

    Parameters
    ----------
    rows : dict of str to dict
        Name -> metric -> number, in the units of the file.

    Returns
    -------
    str
    """
    return '\n'.join(format_columns('test photos'.ljust(29), rows, COLUMNS))


if __name__ == '__main__':
    sys.exit(report_errors(write_table, *sys.argv[1:]))
