"""Results of studies as tables of text (paper, 3.4 to 5.3)."""

from collections import OrderedDict

from ..evaluation.columns import Column, format_columns
from ..metrics import METRICS, in_units
from .study import TRAINING_NUMBERS

__all__ = ['COLUMNS', 'format_number', 'format_result', 'format_results',
           'study_table']

#: What a study's columns are.
COLUMNS = (
    'training loss: the last epoch\'s; validation loss: the lowest; lowest '
    'loss: of means over ten minibatches; loss decrease: per minibatch; loss '
    'spread: of means over 24 photos in the last epoch; accuracies and other '
    'metrics: of the network that is kept, shares and saturation differences '
    'in percent; seconds per image: the fastest epoch\'s')

#: Formats of numbers of the training, where not four digits.
_FORMATS = {'peak_mb': '%.0f', 'num_parameters': '%.0f',
            'seconds_per_image': '%.3f', 'loss_decrease': '%.5f'}


def format_number(text):
    """A number to four digits, as text; other text as it is.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    try:
        value = float(text)
    except ValueError:
        return text
    return ('%.0f' if abs(value) >= 1e4 else '%.4g') % value


def format_result(name, text):
    """A result to four digits, shares in percent.

    Parameters
    ----------
    name : str
        Of the column.
    text : str
        As it is in the CSV file; may be empty.

    Returns
    -------
    str
    """
    if not text or name in TRAINING_NUMBERS:
        return format_number(text)
    return '%.4g' % in_units(name, float(text))


def study_table(study, rows):
    """The columns that a study shows.

    Parameters
    ----------
    study : Study
    rows : list of dict of str to str
        Of its CSV file, of one scale.

    Returns
    -------
    dict
        ``header``, a list of str, and ``rows``, lists of str of its length.
        Where a variant has no numbers, its status is in their place.
    """
    columns = [name for name in study.columns if name in rows[0]]
    return {'header': ['variant (%s)' % rows[0]['scale']] + [
        name.replace('_', ' ') for name in columns],
        'rows': [[row['variant']] + (
            [format_result(name, row[name]) for name in columns]
            if row['status'] == 'done' else [row['status']] +
            [''] * (len(columns) - 1)) for row in rows]}


def format_results(study, scale, rows):
    """Format the table of a study's columns.

    Parameters
    ----------
    study : Study
    scale : str
    rows : dict of str to dict
        As of :class:`colornet.studies.results.Results`.

    Returns
    -------
    str
        The table, and why variants have no numbers.
    """
    columns = OrderedDict((name, _column(name)) for name in study.columns)
    shown = OrderedDict(
        (variant, OrderedDict(
            (name, in_units(name, row[name])) for name in study.columns
            if name in row)) for variant, row in rows.items())
    title = max([len(name) for name in rows] + [len('variant')])
    lines = ['%s (%s; %s)' % (study.title, study.section, scale)]
    lines += format_columns('variant'.ljust(title), shown, columns)
    return '\n'.join(lines + ['%s: %s' % (variant, row['status'])
                              for variant, row in rows.items()
                              if row['status'] != 'done'])


def _column(name):
    """A column of a printed table, headed by its name."""
    if name in METRICS:
        form = '%%.%df' % (2 if METRICS[name].is_share else
                           METRICS[name].places)
    else:
        form = _FORMATS.get(name, '%.4g')
    return Column(heading=name, form=form.replace(
        '%', '%%%d' % max(len(name), 9)))
