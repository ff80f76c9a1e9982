"""Table 1 (paper, 4): the photos of the data sets, the paper's and found."""

import os
from collections import OrderedDict

from ..data.datasets import DATASETS
from ..data.splits import SUBSETS, load_split
from ..errors import ColornetError
from ..files import write_csv
from ..resources import find_resource
from ..terminal import printable

__all__ = ['make_table1']

_COLUMNS = ('dataset', 'paper_train', 'paper_test', 'train', 'test', 'note')


def make_table1(folders, out_file):
    """Count the photos of the data sets (paper, 4, Table 1).

    Parameters
    ----------
    folders : dict of str to (str or Path)
        Where each data set is, or would be.
    out_file : str or Path
        CSV file.

    Returns
    -------
    str
        The table to print. Of a data set that is not there, it names the
        folder, what it should hold and where to get it.
    """
    rows = [_count(dataset, folders[name]) for name, dataset in
            DATASETS.items() if dataset.in_table1]
    write_csv(out_file, _COLUMNS, ([str(row[name]) for name in _COLUMNS]
                                   for row in rows))
    lines = ['data set    paper: train  test   here: train  test']
    for row in rows:
        lines.append('%-11s %12s %5s %13s %5s' % tuple(
            row[name] if row[name] != '' else '-' for name in _COLUMNS[:-1]))
    return '\n'.join(lines + [''] + [
        printable('%s: %s' % (row['dataset'], row['note'])) for row in rows
        if row['note']])


def _count(dataset, folder):
    row = OrderedDict([
        ('dataset', dataset.name), ('paper_train', dataset.num_train),
        ('paper_test', dataset.num_test), ('train', ''), ('test', ''),
        ('note', '')])
    if not os.path.isdir(folder):
        row['note'] = 'there is no folder %s; it should hold %s (%s)' % (
            folder, dataset.layout, dataset.source)
        return row
    try:
        for subset in SUBSETS:
            row[subset] = len(load_split(
                dataset.name, folder, subset,
                find_resource('experiments/splits')))
    except ColornetError as error:
        # It begins with the data set's name, as the line does.
        row['note'] = str(error).replace(dataset.name + ': ', '', 1)
    return row
