"""Commands that run studies and make a page of all results."""

from pathlib import Path

from ..errors import ColornetError
from ..files import check_output
from ..refinement.steps import check_steps
from ..terminal import printable, put, say
from .options import add, add_engine, add_out, add_vgg, check_outputs, positive

__all__ = ['add_consistency', 'add_report', 'add_study']


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
                         help='change a setting of all variants; the last '
                         'time counts; numbers made without or with another '
                         'need another --results')
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
        put('%s\n%s: %s\n' % (text, study.name, printable(str(Path(
            options.results) / (study.name + '.csv')))))
        num_variants += len(study.variants)
        num_failed += failed
    if not num_failed:
        return 0
    return 1 if num_failed < num_variants else 2


def add_consistency(commands):
    """Add ``colornet consistency``."""
    command = add(commands, 'consistency', _consistency,
                  'what makes colours even, and what it costs (paper, 6)')
    command.add_argument('--cvcl', metavar='DIR', help="Open Country's "
                         'photos, of which the test photos are scored')
    command.add_argument('--everyday', metavar='DIR', help='folder of other '
                         'photos in colour')
    command.add_argument('--list', metavar='LIST', help='of these, as of '
                         '"colornet everyday" (default: all in the folder)')
    command.add_argument('--choose', nargs='*', metavar='STEP', help='score '
                         'what settings of [refinement] were chosen among, '
                         'all or those of some steps, on --everyday; never '
                         'with test photos')
    command.add_argument('--default', action='store_true', help='score what '
                         'photos get and the same without steps, and no '
                         'other ways')
    command.add_argument('--out', metavar='CSV', help='(default: '
                         'runs/consistency.csv, consistency_choices.csv with '
                         '--choose, consistency_default.csv with --default)')
    command.add_argument('--sheet', metavar='PNG', help='contact sheet: grey '
                         '| ways | original of the most uneven photos')
    command.add_argument('--every', type=positive, default=1, metavar='N',
                         help='score every Nth of --everyday (default: 1)')
    add_vgg(command)
    add_engine(command)


def _consistency(options):
    # None may take the place of another.
    options.out = options.out or 'runs/consistency%s.csv' % (
        '_choices' if options.choose is not None else
        '_default' if options.default else '')
    from ..studies.consistency import choose_settings, score_consistency
    check_outputs(options)
    if options.choose is not None:
        if (not options.everyday or options.cvcl or options.sheet or
                options.default):
            raise ColornetError('--choose takes photos by --everyday alone, '
                                'and neither --sheet nor --default')
        if not options.list:
            raise ColornetError('--choose takes held-out photos only: name '
                                'them by --list')
        put(choose_settings(options.out, options.everyday, options.list,
                            options.every, options.vgg, options.engine,
                            check_steps(' '.join(options.choose))))
    else:
        if options.default and options.sheet:
            raise ColornetError('--sheet shows what --default leaves out: '
                                'give one of them')
        put(score_consistency(options.out, options.cvcl, options.everyday,
                              options.list, options.sheet, options.every,
                              options.vgg, options.engine, options.default))
    say('written to %s' % options.out)


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
