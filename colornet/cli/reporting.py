"""What ``colornet colorize`` says of photos: the end of each, and of all."""

import json

from ..terminal import note, put, say

__all__ = ['FIRST_ONLY', 'IN_COLOUR', 'NO_PHOTOS', 'STREAM', 'THERE',
           'print_line', 'print_report']

#: The standard input or output, in place of a file.
STREAM = '-'

#: What was not done as somebody might expect.
FIRST_ONLY = ('of animations, only the first picture is coloured, of pages '
              'the largest (--pages all): ')
IN_COLOUR = ('left out, as they have colours (--colour keep, blend or '
             'replace): ')
THERE = '--overwrite replaces what is already there'
NO_PHOTOS = 'left out, as they are no photos: '


def print_line(entry):
    """A photo as a line of JSON."""
    put(json.dumps(entry), flush=True)


def print_report(report, out, options=None, told=None):
    """Name the failures; say what was done.

    Parameters
    ----------
    report : Report
    out : str
    options : argparse.Namespace, optional
        Of :func:`.colorize.add_colorize`.
    told : str, optional
        The error that ended all, which has a line of its own: of the photo
        that alone failed by it, there is no second one.

    Returns
    -------
    int
        The exit status.
    """
    reasons = [reason for _, reason in report.failed]
    for source, reason in report.failed:
        if reason != told or reasons.count(reason) > 1:
            note('colornet: failed: %s: %s' % (source, reason))
    if options is None or not options.quiet:
        skipped = (', %d already there' % len(report.skipped)
                   if report.skipped else '')
        if out != STREAM:
            tell = note if options is not None and options.json else say
            tell('%d coloured in %s%s, %d failed%s' % (
                len(report.written), out, skipped, len(report.failed),
                ', %d not done' % len(report.undone) if report.undone
                else ''))
        for text in _notes(report, options):
            note('colornet: note: ' + text)
    done = report.written or report.skipped
    if report.failed:
        return 1 if done else 2
    return 2 if report.in_colour and not done else 0


def _notes(report, options):
    """What was not done as somebody might expect."""
    if report.first_only:
        yield FIRST_ONLY + _first_of(report.first_only)
    for text, sources in report.notes.items():
        yield '%s: %s' % (text, _first_of(sources))
    if report.in_colour:
        yield IN_COLOUR + _first_of(report.in_colour)
    if report.skipped and not (options and options.skip_existing):
        yield THERE
    if report.others:
        yield NO_PHOTOS + ', '.join(
            '%d %s' % (count, suffix or 'without ending')
            for suffix, count in report.others.most_common())


def _first_of(paths):
    more = len(paths) - 1
    return '%s%s' % (paths[0], ', %d more' % more if more else '')
