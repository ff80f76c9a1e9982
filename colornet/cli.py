"""The command line: arguments, errors and exit statuses, nothing else.

Exit statuses: 0, all is done; 1, some photos could not be coloured, the
others are; 2, nothing could be done; 128 + n, ended by signal n.
"""

import argparse
import io
import os
import platform
import signal
import sys
import textwrap
import traceback
from pathlib import Path

from . import __version__
from .data.datasets import TABLE1
from .errors import ColornetError
from .files import check_output, write_json
from .resources import take_environment

__all__ = ['main']

#: Characters of an internal error that are shown.
MAX_MESSAGE = 200


def main(arguments=None):
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        ``sys.argv[1:]`` if not given.

    Returns
    -------
    int
        The exit status.
    """
    _prepare_streams()
    take_environment(os.environ)
    options = _make_parser().parse_args(arguments)
    try:
        _refuse_empty(options)
        return options.run(options) or 0
    except ColornetError as error:
        print('colornet: error: %s' % error, file=sys.stderr)
        return 2
    except KeyboardInterrupt as interrupt:
        print('colornet: %s' % (str(interrupt) or 'interrupted'),
              file=sys.stderr)
        return 128 + getattr(interrupt, 'signal_number', signal.SIGINT)
    except BrokenPipeError:
        # Whoever read our output has gone; nothing more can be printed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except MemoryError:
        print('colornet: error: out of memory', file=sys.stderr)
        return 2
    except OSError as error:
        print('colornet: error: %s' % error, file=sys.stderr)
        return 2
    except Exception as error:
        if os.environ.get('COLORNET_DEBUG'):
            traceback.print_exc()
        # Theano's messages fill pages.
        text = textwrap.shorten(str(error), MAX_MESSAGE, placeholder=' ...')
        print('colornet: internal error: %s: %s (COLORNET_DEBUG=1 shows '
              'where)' % (type(error).__name__, text), file=sys.stderr)
        return 2


def _refuse_empty(options):
    """No file or folder is called ''; paths take it for the current one."""
    for name, value in vars(options).items():
        if value == '':
            raise ColornetError('--%s is empty' % name)


def _prepare_streams():
    """Let all that is printed go somewhere."""
    # Where a standard stream is closed, the next file opened would take its
    # number, and C++ libraries would print into it.
    for name in ('stdin', 'stdout', 'stderr'):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, 'r' if name == 'stdin'
                                    else 'w'))
    # Names of files need not be in the encoding of the terminal.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')


def _make_parser():
    parser = argparse.ArgumentParser(
        prog='colornet', description='Colours for black-and-white photos.')
    parser.add_argument('--version', action='version',
                        version='colornet ' + __version__)
    commands = parser.add_subparsers(title='commands', metavar='COMMAND',
                                     dest='command')
    commands.required = True

    def add(name, run, text):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    def add_vgg(command):
        command.add_argument(
            '--vgg', metavar='FILE',
            help="VGG16's weights: Model Zoo pickle or Keras .h5 "
                 '(default: weights/vgg16.pkl)')

    def add_out(command, default):
        command.add_argument(
            '--out', default=default, help='(default: %(default)s)',
            metavar=default.rpartition('.')[2].upper())

    def add_networks(command):
        command.add_argument(
            '--runs', default='runs', metavar='DIR',
            help='trained networks (default: %(default)s; those in weights/ '
                 'if there are none)')

    def add_subset(command, default):
        command.add_argument(
            '--subset', choices=('train', 'validation', 'test'),
            default=default, help='(default: %(default)s)')

    def add_decoding(command):
        command.add_argument(
            '--set', action='append', default=[],
            metavar='decoding.KEY=VALUE', dest='decoding',
            help='how class scores become colours, such as '
                 'decoding.method=mean (experiments/defaults.ini)')

    command = add('colorize', _colorize, 'colour photos and folders of photos')
    command.add_argument('sources', nargs='+', metavar='IN',
                         help='photo or folder of photos')
    command.add_argument('--out', default='colorized', metavar='DIR',
                         help='folder for the results, which replace files of '
                         'their names, but no source: beside it, they are '
                         'NAME-coloured (default: %(default)s)')
    command.add_argument('--network', metavar='FILE', help='trained network '
                         'or run folder (default: weights/everyday.h5)')
    command.add_argument('--skip-existing', action='store_true',
                         help='leave results that are already there')
    command.add_argument('--batch-size', type=_positive, default=4,
                         metavar='N', help='photos computed at a time '
                         '(default: %(default)s)')
    add_decoding(command)
    add_vgg(command)

    command = add('demo', _demo, 'colour the photos that ship with colornet')
    command.add_argument('--out', default='runs/demo', metavar='DIR',
                         help='folder for the results (default: %(default)s)')

    command = add('train', _train, 'train a network, or resume its training')
    command.add_argument('config', metavar='INI', help='an experiment, such '
                         'as experiments/cvcl_classification.ini')
    command.add_argument('--data', required=True, metavar='DIR',
                         help='folder of the data set')
    command.add_argument('--out', metavar='DIR', help='run folder (default: '
                         'runs/<name of the experiment>)')
    command.add_argument('--set', action='append', default=[],
                         metavar='SECTION.KEY=VALUE', dest='overrides',
                         help='change a setting of the experiment')
    add_vgg(command)

    command = add('evaluate', _evaluate, 'score a network on photos')
    command.add_argument('network', metavar='FILE', help='trained network '
                         'or run folder')
    command.add_argument('--data', required=True, metavar='DIR',
                         help='folder of the data set')
    command.add_argument('--dataset', help='layout and split of the folder '
                         "(default: those of the network's training)")
    add_subset(command, 'test')
    add_decoding(command)
    command.add_argument('--out', metavar='JSON',
                         help='scores of each image and their means')
    command.add_argument('--sheet', metavar='PNG',
                         help='contact sheet: grey | network | original')
    command.add_argument('--pictures', metavar='DIR',
                         help="the network's colours of each photo")
    add_vgg(command)

    command = add('export', _export, 'store a trained network in half the '
                  'space, as those in weights/')
    command.add_argument('network', metavar='FILE', help='trained network '
                         'or run folder')
    command.add_argument('out', metavar='H5')
    add_decoding(command)
    add_vgg(command)

    command = add('table2', _table2, "the paper's Table 2 with our numbers")
    command.add_argument('--data', default='data/cvcl', metavar='DIR',
                         help="CVCL's photos (default: %(default)s)")
    add_networks(command)
    add_out(command, 'runs/table2.csv')
    add_vgg(command)

    command = add('decodings', _decodings, 'compare ways from class scores to '
                  'colours')
    command.add_argument('network', metavar='FILE', help='classification '
                         'network or run folder')
    command.add_argument('--data', required=True, metavar='DIR',
                         help='folder of the data set')
    add_subset(command, 'validation')
    add_out(command, 'runs/decodings.csv')
    add_vgg(command)

    command = add('everyday', _everyday, 'score networks on photos of any '
                  'size, as "colornet colorize" colours them')
    command.add_argument('--data', required=True, metavar='DIR',
                         help='folder of photos in colour')
    command.add_argument('--list', metavar='LIST', help='nature, objects or '
                         'people, of the test photos of this project, or a '
                         'file with names of photos, one a line (default: all '
                         'in the folder)')
    command.add_argument('--network', action='append', default=[],
                         metavar='FILE', dest='networks',
                         help='trained network or run folder; may be repeated '
                         '(default: all in weights/)')
    command.add_argument(
        '--decoding', action='append', default=[], dest='decodings',
        metavar='"KEY=VALUE ..."', help='settings of [decoding] in '
        'experiments/defaults.ini, such as "method=mean temperature=0.5"; may '
        "be repeated (default: argmax and two means; the network's own comes "
        'with any)')
    add_out(command, 'runs/everyday.csv')
    command.add_argument('--sheet', metavar='PNG',
                         help='contact sheet: grey | networks | original')
    command.add_argument('--every', type=_positive, metavar='N', help='show '
                         'every Nth photo (default: 60 photos at most)')
    add_vgg(command)

    command = add('study', _study, 'train and compare the variants of studies '
                  '(paper, 3.4 to 5.3)')
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
                         help='change a setting of all variants')
    command.add_argument('--scheduler', metavar='ADDRESS',
                         help='of Dask, to train on other machines')
    command.add_argument('--threads', type=_positive, metavar='N',
                         help='for each training')

    command = add('table1', _table1, 'the counts of photos of Table 1, the '
                  "paper's and ours")
    for dataset in TABLE1:
        command.add_argument('--' + dataset, default='data/' + dataset,
                             metavar='DIR', help='(default: %(default)s)')
    add_out(command, 'runs/table1.csv')

    command = add('report', _report, 'one page with all tables, curves and '
                  'pictures that there are')
    command.add_argument('--runs', default='runs', metavar='DIR',
                         help='(default: %(default)s)')
    command.add_argument('--results', default='runs/results', metavar='DIR',
                         help='tables of studies (default: %(default)s; those '
                              'in experiments/results if there are none)')
    add_out(command, 'runs/report.html')

    command = add('figure', _figure, "a figure of the paper with our "
                  "networks' layers and colours")
    command.add_argument('number', type=int, choices=range(1, 9),
                         metavar='N', help='1 to 8')
    command.add_argument('--data', metavar='DIR', help="photos (default: "
                         'demo/photos for figure 1, data/ilsvrc for figure '
                         '6, data/cvcl for the others)')
    add_networks(command)
    command.add_argument('--out', metavar='PNG',
                         help='(default: runs/figureN.png)')
    command.add_argument('--photos', nargs='+', default=[], metavar='NAME',
                         help="instead of those chosen by the figure's rule")
    add_vgg(command)

    command = add('data', _data, 'fetch or check a data set')
    command.add_argument('dataset', choices=('cvcl',))
    command.add_argument('--out', default='data/cvcl', metavar='DIR',
                         help='folder to download to (default: %(default)s)')
    command.add_argument('--archive', metavar='ZIP', help='a copy of the '
                         'published archive, instead of downloading it')
    command.add_argument('--verify', metavar='DIR',
                         help='only check a folder that is already there')

    command = add('selftest', _selftest, 'compare a device, such as a GPU, '
                  'with the CPU')
    command.add_argument('--device', metavar='DEVICE', help='such as cuda or '
                         'opencl0:0 (default: that of THEANO_FLAGS)')
    # What it runs itself.
    command.add_argument('--measure', help=argparse.SUPPRESS)
    command.add_argument('--plain', action='store_true',
                         help=argparse.SUPPRESS)

    add('info', _info, 'versions, device, and which speed-ups are on')
    return parser


def _positive(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError('%r is no positive number' % text)
    return int(text)


def _colorize(options):
    missing = [source for source in options.sources
               if not os.path.lexists(source)]
    if len(missing) == len(options.sources):
        raise ColornetError('%s does not exist' % missing[0])
    from .api import load_colorizer
    from .network.saved import network_file
    from .photos.folders import Report, colorize_files
    network = options.network and network_file(options.network)
    colorizer = load_colorizer(network, options.vgg, options.decoding)
    report = Report([], [], [], [])
    try:
        colorize_files(colorizer, options.sources, options.out,
                       batch_size=options.batch_size,
                       overwrite=not options.skip_existing, report=report)
    except (ColornetError, KeyboardInterrupt):
        if report.written or report.failed:
            _print_report(report, options.out)
        raise
    return _print_report(report, options.out)


def _print_report(report, folder):
    """Name the failures; say what was done."""
    for source, reason in report.failed:
        print('colornet: failed: %s: %s' % (source, reason), file=sys.stderr)
    skipped = (', %d already there' % len(report.skipped)
               if report.skipped else '')
    print('%d coloured in %s%s, %d failed'
          % (len(report.written), folder, skipped, len(report.failed)))
    if report.first_only:
        more = len(report.first_only) - 1
        print('colornet: note: of animations and of files with several pages, '
              'only the first picture is coloured: %s%s'
              % (report.first_only[0], ', %d more' % more if more else ''),
              file=sys.stderr)
    if not report.failed:
        return 0
    return 1 if report.written or report.skipped else 2


def _demo(options):
    from .api import load_colorizer
    from .evaluation.evaluate import save_demo_sheet
    from .photos.folders import colorize_files
    from .resources import find_resource
    photos = find_resource('demo/photos')
    report = colorize_files(load_colorizer(), [photos], options.out)
    sheet = Path(options.out) / 'sheet.png'
    save_demo_sheet(sheet, photos, report.written)
    status = _print_report(report, options.out)
    print('contact sheet: %s' % sheet)
    return status


def _train(options):
    from .config import load_config
    from .training.run import train
    config = load_config(options.config, options.overrides)
    out = options.out or 'runs/%s' % Path(options.config).stem
    trained = train(config, options.data, out, options.vgg)
    print('%s %s: %d epochs' % ('trained' if trained else 'already trained',
                                out, config.training['epochs']))


def _export(options):
    import numpy as np

    from .network.saved import load_network, network_file, save_network
    check_output(options.out, '.h5')
    network = network_file(options.network)
    if os.path.exists(options.out) and os.path.exists(network) and \
            os.path.samefile(network, options.out):
        raise ColornetError('%s is the network to be exported; choose another '
                            'file' % options.out)
    net, config, attributes = load_network(network, options.vgg,
                                           decoding=options.decoding)
    save_network(options.out, net, config, attributes, np.float16)
    print('written to %s' % options.out)


def _evaluate(options):
    from .evaluation.evaluate import evaluate_network
    from .network.saved import network_file
    from .photos.writing import check_suffix
    if options.out:
        check_output(options.out, '.json')
    if options.sheet:
        check_suffix(options.sheet)
        check_output(options.sheet)
    if options.pictures:
        check_output(Path(options.pictures) / 'photo.png')
    result = evaluate_network(network_file(options.network), options.data,
                              options.subset, options.sheet, options.vgg,
                              options.dataset, options.decoding,
                              options.pictures)
    if options.out:
        write_json(options.out, result)
    for name, value in result['mean'].items():
        print('%-22s %.5g' % (name, value))


def _table2(options):
    from .evaluation.table2 import make_table2
    check_output(options.out, '.csv')
    print(make_table2(options.data, options.runs, options.out, options.vgg))
    print('written to %s' % options.out)


def _decodings(options):
    from .evaluation.decodings import compare_decodings
    from .network.saved import network_file
    check_output(options.out, '.csv')
    print(compare_decodings(network_file(options.network), options.data,
                            options.subset, options.out, options.vgg))
    print('written to %s' % options.out)


def _everyday(options):
    from .evaluation.everyday import score_everyday
    from .photos.writing import check_suffix
    check_output(options.out, '.csv')
    if options.sheet:
        check_suffix(options.sheet)
        check_output(options.sheet)
    print(score_everyday(options.data, options.out, options.networks,
                         options.decodings, options.list, options.sheet,
                         options.every, options.vgg))
    print('written to %s' % options.out)


def _table1(options):
    from .evaluation.table1 import make_table1
    check_output(options.out, '.csv')
    print(make_table1({name: getattr(options, name) for name in TABLE1},
                      options.out))
    print('written to %s' % options.out)


def _report(options):
    from .studies.report import make_report
    check_output(options.out, '.html')
    for line in make_report(options.runs, options.results, options.out):
        print('missing: %s' % line)
    print('written to %s' % options.out)


def _study(options):
    from .studies.runner import run_studies
    from .studies.study import find_studies
    names = []
    for name in options.names:
        names += map(str, find_studies()) if name == 'all' else [name]
    num_variants = num_failed = 0
    for study, text, failed in run_studies(
            names, options.data, options.scale, options.runs, options.results,
            options.overrides, options.scheduler, options.threads):
        print('%s\n%s: %s\n' % (text, study.name, Path(
            options.results) / (study.name + '.csv')))
        num_variants += len(study.variants)
        num_failed += failed
    if not num_failed:
        return 0
    return 1 if num_failed < num_variants else 2


def _figure(options):
    from .photos.writing import check_suffix
    out = options.out or 'runs/figure%d.png' % options.number
    check_suffix(out)
    check_output(out)
    if options.number in (2, 3):
        if options.data or options.photos:
            raise ColornetError('figure %d shows layers: it takes no --data '
                                'and no --photos' % options.number)
        from .evaluation.schematics import draw_network
        print(draw_network(options.number, out))
        print('written to %s' % out)
        return
    from .evaluation.figures import make_figure
    print(make_figure(options.number, out, options.data, options.runs,
                      options.photos, options.vgg))
    print('written to %s' % out)


def _data(options):
    from .data.download import fetch_cvcl, verify_folder
    from .resources import find_resource
    digests = find_resource('experiments/splits/cvcl.sha256')
    if options.verify:
        count = verify_folder(options.verify, digests)
        print('%s: all %d photos are right' % (options.verify, count))
    else:
        count = fetch_cvcl(options.out, digests, archive=options.archive)
        print('%s: all photos are right, %d of them new'
              % (options.out, count))


def _selftest(options):
    from .selftest import measure, run_selftest
    if options.measure:
        measure(options.measure, options.plain)
        return 0
    lines, passed = run_selftest(options.device)
    print('\n'.join(lines))
    return 0 if passed else 1


def _info(options):
    from .engine.speedups import describe_installation
    print('\n'.join(['colornet %s, Python %s' % (
        __version__, platform.python_version())] + describe_installation()))
