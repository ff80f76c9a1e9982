"""Tables of numbers as aligned text."""

from collections import OrderedDict
from dataclasses import dataclass

from ..metrics import METRICS

__all__ = ['Column', 'format_columns', 'metric_columns']


@dataclass(frozen=True)
class Column:
    """A column of a printed table.

    Attributes
    ----------
    heading : str
    form : str
        Format of its numbers, all of one width.
    """

    heading: str
    form: str

    @property
    def width(self):
        return len(self.form % 0)


def metric_columns(names, **others):
    """Columns of metrics, as :data:`colornet.metrics.METRICS` describes them.

    Parameters
    ----------
    names : iterable of str
    others : dict of str to Column
        Name -> column, where a table has another one.

    Returns
    -------
    OrderedDict of str to Column
    """
    columns = OrderedDict()
    for name in names:
        metric = METRICS[name]
        heading = metric.heading or name
        columns[name] = others.get(name) or Column(
            heading=heading, form='%%%s%d.%df' % (
                '+' if metric.is_signed else '',
                max(len(heading), metric.width), metric.places))
    return columns


def format_columns(title, rows, columns, unsigned=()):
    """Format a table as aligned text.

    Parameters
    ----------
    title : str
        Above the names of the rows, padded to their width.
    rows : dict of str to dict
        Name -> column -> number; where a column is missing, there is a dash.
        Rows without any of the columns are left out.
    columns : dict of str to Column
    unsigned : collection of str
        Rows whose numbers get no plus sign.

    Returns
    -------
    list of str
        Lines.
    """
    lines = [' '.join([title] + [column.heading.rjust(column.width)
                                 for column in columns.values()])]
    for name, row in rows.items():
        if not set(row) & set(columns):
            continue
        cells = [name.ljust(len(title))]
        for key, column in columns.items():
            text = (column.form % row[key] if key in row else
                    '-'.rjust(column.width))
            cells.append(text.replace('+', ' ') if name in unsigned else text)
        lines.append(' '.join(cells))
    return lines
