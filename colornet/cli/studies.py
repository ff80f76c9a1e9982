"""Commands that run studies and make a page of all results."""

from pathlib import Path

from ..files import check_output
from ..terminal import printable, say
from .options import add, add_out, positive

__all__ = ['add_report', 'add_study']


def add_study(commands):
    """Add ``colornet study``."""
    command = add(commands, 'study', _study,
                  'train and compare the variants of studies (paper, 3.4 to '
                  '5.3)')
    command.add_argument('names', nargs='+', metavar='STUDY',
                         help='such as aggregation, or an .ini file; "all" '
                              'runs those in experiments/')
    command.add_argument('--data', required=True, metavar='DIR',
                         help='photos to train on')
    command.add_argument('--scale', choices=('quick', 'full'),
                         default='quick', help='(default: %(default)s)')
    command.add_argument('--runs', default='runs/studies', metavar='DIR',
                         help='for networks and plots (default: %(default)s)')
    command.add_argument('--results', default='runs/results', metavar='DIR',
                         help='for the tables (default: %(default)s)')
    command.add_argument('--set', action='append', default=[],
                         metavar='SECTION.KEY=VALUE', dest='overrides',
                         help='change a setting of all variants; numbers made '
                         'without or with another need another --results')
    command.add_argument('--scheduler', metavar='ADDRESS',
                         help='of Dask, to train on other machines')
    command.add_argument('--threads', type=positive, metavar='N',
                         help='for each training')


def _study(options):
    from ..studies.runner import run_studies
    from ..studies.study import find_studies
    names = []
    for name in options.names:
        names += map(str, find_studies()) if name == 'all' else [name]
    num_variants = num_failed = 0
    for study, text, failed in run_studies(
            names, options.data, options.scale, options.runs, options.results,
            options.overrides, options.scheduler, options.threads):
        print('%s\n%s: %s\n' % (text, study.name, printable(str(Path(
            options.results) / (study.name + '.csv')))))
        num_variants += len(study.variants)
        num_failed += failed
    if not num_failed:
        return 0
    return 1 if num_failed < num_variants else 2


def add_report(commands):
    """Add ``colornet report``."""
    command = add(commands, 'report', _report,
                  'one page with all tables, curves and pictures that there '
                  'are')
    command.add_argument('--runs', default='runs', metavar='DIR',
                         help='(default: %(default)s)')
    command.add_argument('--results', default='runs/results', metavar='DIR',
                         help='tables of studies (default: %(default)s; those '
                              'in experiments/results if there are none)')
    add_out(command, 'runs/report.html')


def _report(options):
    check_output(options.out, '.html')
    from ..studies.report import make_report
    for line in make_report(options.runs, options.results, options.out):
        say('missing: %s' % line)
    say('written to %s' % options.out)
