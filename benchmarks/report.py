"""The benchmark's table, and the ratios beneath it."""

from collections import OrderedDict

from colornet.errors import ColornetError
from colornet.files import read_csv, write_csv

from .engines import COLORNET, COLORNET_BFLOAT16, ONNX, PYTORCH_BFLOAT16
from .processes import FOLDER, WARM, is_process
from .tables import format_table

__all__ = ['CSV_COLUMNS', 'format_report', 'read_rows', 'write_rows']

CSV_COLUMNS = ('work', 'engine', 'seconds_per_image', 'peak_memory_mb',
               'of_peak')

#: Of which the fastest is what the others are compared with.
FLOAT32_PYTORCH = ('pytorch', 'pytorch channels_last', 'pytorch compile')


def write_rows(path, rows):
    """Write rows as CSV.

    Parameters
    ----------
    path : Path
    rows : list of (str, str, float, float, float or None)
        See :data:`CSV_COLUMNS`.
    """
    write_csv(path, CSV_COLUMNS, [
        (work, engine, '%.6g' % seconds, '%.0f' % memory,
         '' if fraction is None else '%.3g' % fraction)
        for work, engine, seconds, memory, fraction in rows])


def read_rows(path):
    """Read what :func:`write_rows` has written.

    Raises
    ------
    ColornetError
        If it is no such file.
    """
    rows = read_csv(path)
    try:
        return [(row['work'], row['engine'], float(row['seconds_per_image']),
                 float(row['peak_memory_mb']),
                 float(row['of_peak']) if row['of_peak'] else None)
                for row in rows]
    except (KeyError, ValueError):
        raise ColornetError('%s is no table of the benchmark' % path)


def format_report(rows):
    """Format the table and the ratios beneath it.

    Parameters
    ----------
    rows : list of (str, str, float, float, float or None)
        See :data:`CSV_COLUMNS`.

    Returns
    -------
    str
    """
    seconds = {row[:2]: row[2] for row in rows}
    references = _references(seconds)
    cells = []
    for work, engine, value, memory, fraction in rows:
        times = ('%.2f' % (references[work][0] / value)
                 if work in references else '-')
        cells.append((work, engine, '%.3f' % value, '%.1f' % (1 / value),
                      '%.0f' % memory,
                      '-' if fraction is None else '%.2f' % fraction, times))
    table = format_table(('work', 'engine', 's/image', 'images/s', 'peak MB',
                          'of peak', 'times faster'), cells)
    return '\n'.join([table, ''] + _ratios(seconds, references))


def _references(seconds):
    """Work -> (seconds, engine) of what the others are compared with."""
    references = {}
    for work in OrderedDict.fromkeys(work for work, _ in seconds):
        names = FLOAT32_PYTORCH
        if is_process(work):  # Another version of ours.
            names = [engine for other, engine in seconds if other == work and
                     engine not in COLORNET and engine != ONNX]
        found = [(seconds[work, engine], engine) for engine in names
                 if (work, engine) in seconds]
        if found:
            references[work] = min(found)
    return references


def _ratios(seconds, references):
    """Lines that compare two engines, with the numbers of both."""
    lines = []

    def compare(text, work, engine, other=None):
        other = other or references.get(work, (0, None))[1]
        if (work, engine) in seconds and (work, other) in seconds:
            ours, theirs = seconds[work, engine], seconds[work, other]
            lines.append('- %s: %s %.3f s, %s %.3f s: %.2f times as fast.' % (
                text, engine, ours, other, theirs, theirs / ours))

    for engine, text in (('colornet', ''),
                         ('colornet, no oneDNN', ' without oneDNN')):
        compare('Training%s, float32' % text, 'train_6', engine)
        compare('Training%s, bfloat16' % text, 'train_6', engine,
                PYTORCH_BFLOAT16)
    compare('Training, both in bfloat16', 'train_6', COLORNET_BFLOAT16,
            PYTORCH_BFLOAT16)
    for work in OrderedDict.fromkeys(work for work, _ in seconds):
        if work.startswith(('predict_', 'everyday_')):
            network, batch = work.split('_')
            text = '%s, %s at a time' % (
                {'predict': "Prediction, the paper's network",
                 'everyday': 'Prediction, the default network'}[network],
                batch)
            compare(text + ', float32', work, 'colornet')
            compare(text + ', bfloat16', work, 'colornet', PYTORCH_BFLOAT16)
            compare(text + ', both in bfloat16', work, COLORNET_BFLOAT16,
                    PYTORCH_BFLOAT16)
            compare(text + ', ONNX Runtime', work, 'colornet', ONNX)
        elif is_process(work):
            text = ('A folder of %s photos, each' % work[len(FOLDER):]
                    if work.startswith(FOLDER) else 'A photo, %s' % (
                        'later starts' if work == WARM else 'first start'))
            compare(text, work, 'colornet')
            compare(text, work, 'colornet', ONNX)
    return lines
