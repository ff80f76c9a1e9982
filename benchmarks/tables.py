"""Rows as reStructuredText."""

from colornet.files import is_number

__all__ = ['format_table']


def format_table(header, rows):
    """Format a simple table of reStructuredText.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequences of str
        The first cells are aligned to the left if they are no numbers.

    Returns
    -------
    str
    """
    lines = [list(header)] + [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    is_text = [not any(is_number(row[index]) for row in rows)
               for index in range(len(header))]
    rule = ' '.join('=' * width for width in widths)
    text = [' '.join(cell.ljust(width) if left else cell.rjust(width)
                     for cell, width, left in
                     zip(line, widths, is_text)).rstrip() for line in lines]
    return '\n'.join([rule, text[0], rule] + text[1:] + [rule])
