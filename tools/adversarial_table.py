"""Score an adversarial training on test photos: ``make adversarial``.

Beside it stand ways to stronger colours that need no training, of which the
factor was chosen on held-out photos (docs/adversarial.rst).
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

#: On the held-out photos, factors among which that of colours is chosen.
FACTORS = OrderedDict([('start', [
    ('start, mean', _mean(1))] + [
        ('start, mean, times %g' % factor, _mean(factor))
        for factor in (1.1, 1.2, 1.3)])])

COLUMNS = metric_columns(
    ['acc_u', 'acc_v', 'sat_diff_pooled', 'colourfulness_ratio', 'psnr',
     'inconsistency', 'edge_error'],
    sat_diff_pooled=Column('saturation, %', '%+14.1f'),
    colourfulness_ratio=Column('colour ratio', '%13.2f'),
    psnr=Column('PSNR, dB', '%9.2f'),
    inconsistency=Column('uneven', '%6.1f'),
    edge_error=Column('edges', '%5.2f'))


def write_tables(data_folder, network, out_file, held_out_file, engine=None):
    """Score the network and what it started from, and print the tables.

    Parameters
    ----------
    data_folder : str or Path
        CVCL's Open Country photos.
    network : str or Path
        That was trained, or its run folder.
    out_file, held_out_file : str or Path
        CSV files with the mean of each metric: of :data:`WAYS` on the test
        photos, and of :data:`FACTORS` on those held out.
    engine : 'theano', 'onnx' or 'pytorch', optional
        As for :func:`colornet.api.load_colorizer`.
    """
    check_output(out_file, '.csv')
    check_output(held_out_file, '.csv')
    files = {'start': find_resource(weights_file(START)),
             'adversarial': network_file(network)}
    for subset, ways, path in (('validation', FACTORS, held_out_file),
                               ('test', WAYS, out_file)):
        rows = score_ways(files, ways, data_folder, subset, engine)
        write_rows(path, ['network'] + list(rows['start, mean']), [
            dict(row, network=name) for name, row in rows.items()])
        print(format_table(rows, subset))


def score_ways(files, ways, data_folder, subset, engine=None):
    """Score networks by some decodings of each.

    Parameters
    ----------
    files : dict of str to Path
        Of the networks.
    ways : dict of str to list
        As :data:`WAYS`.
    data_folder, engine
        As for :func:`write_tables`.
    subset : 'test' or 'validation'

    Returns
    -------
    OrderedDict of str to OrderedDict
        Name -> metric -> mean, in the units of the file.
    """
    rows = OrderedDict()
    for system, decodings in ways.items():
        for name, decoding in decodings:
            means = evaluate_network(files[system], data_folder, subset,
                                     dataset='cvcl', decoding=decoding,
                                     engine=engine)['mean']
            rows[name] = OrderedDict((metric, in_units(metric, value))
                                     for metric, value in means.items())
    return rows


def format_table(rows, subset='test'):
    """A table of docs/adversarial.rst.

    Parameters
    ----------
    rows : dict of str to dict
        Name -> metric -> number, in the units of the file.
    subset : 'test' or 'validation'
        Which photos.

    Returns
    -------
    str
    """
    title = {'test': 'test photos', 'validation': 'held-out photos'}[subset]
    return '\n'.join(format_columns(title.ljust(29), rows, COLUMNS))


if __name__ == '__main__':
    sys.exit(report_errors(write_tables, *sys.argv[1:]))
