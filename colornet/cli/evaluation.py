"""Commands that score networks and draw the paper's tables and figures."""

from pathlib import Path

from ..data.datasets import FOLDER, TABLE1
from ..errors import ColornetError
from ..files import check_output, write_json
from ..terminal import put, say
from .options import (add, add_decoding, add_engine, add_network, add_networks,
                      add_out, add_subset, add_vgg, check_outputs, positive)

__all__ = ['add_decodings', 'add_evaluate', 'add_everyday', 'add_figure',
           'add_hints', 'add_table1', 'add_table2']


def add_evaluate(commands):
    """Add ``colornet evaluate``."""
    command = add(commands, 'evaluate', _evaluate, 'score a network on photos')
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
    add_engine(command)


def _evaluate(options):
    from ..evaluation.evaluate import evaluate_network
    from ..network.stored import network_file
    from ..photos.writing import check_suffix
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
                              options.pictures, options.engine)
    if options.out:
        write_json(options.out, result)
    for name, value in result['mean'].items():
        put('%-22s %.5g' % (name, value))


def add_table1(commands):
    """Add ``colornet table1``."""
    command = add(commands, 'table1', _table1,
                  "the counts of photos of Table 1, the paper's and ours")
    for dataset in TABLE1:
        command.add_argument('--' + dataset, default='data/' + dataset,
                             metavar='DIR', help='(default: %(default)s)')
    add_out(command, 'runs/table1.csv')


def _table1(options):
    from ..evaluation.table1 import make_table1
    check_output(options.out, '.csv')
    put(make_table1({name: getattr(options, name) for name in TABLE1},
                    options.out))
    say('written to %s' % options.out)


def add_table2(commands):
    """Add ``colornet table2``."""
    command = add(commands, 'table2', _table2,
                  "the paper's Table 2 with our numbers")
    command.add_argument('--data', default='data/cvcl', metavar='DIR',
                         help="CVCL's photos (default: %(default)s)")
    add_networks(command)
    add_out(command, 'runs/table2.csv')
    add_vgg(command)
    add_engine(command)


def _table2(options):
    from ..evaluation.table2 import make_table2
    check_output(options.out, '.csv')
    put(make_table2(options.data, options.runs, options.out, options.vgg,
                    options.engine))
    say('written to %s' % options.out)


def add_decodings(commands):
    """Add ``colornet decodings``."""
    command = add(commands, 'decodings', _decodings,
                  'compare ways from class scores to colours')
    command.add_argument('network', metavar='FILE', help='classification '
                         'network or run folder')
    command.add_argument('--data', required=True, metavar='DIR',
                         help='folder of the data set')
    add_subset(command, 'validation')
    add_out(command, 'runs/decodings.csv')
    add_vgg(command)
    add_engine(command)


def _decodings(options):
    from ..evaluation.decodings import compare_decodings
    from ..network.stored import network_file
    check_output(options.out, '.csv')
    put(compare_decodings(network_file(options.network), options.data,
                          options.subset, options.out, options.vgg,
                          options.engine))
    say('written to %s' % options.out)


def add_everyday(commands):
    """Add ``colornet everyday``."""
    command = add(commands, 'everyday', _everyday,
                  'score networks on photos of any size, as "colornet '
                  'colorize" colours them')
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
    _add_sheet(command, 'grey | networks | original')
    add_vgg(command)
    add_engine(command)


def _add_sheet(command, columns):
    """Let a command show some of the photos that it scores."""
    command.add_argument('--sheet', metavar='PNG',
                         help='contact sheet: ' + columns)
    command.add_argument('--every', type=positive, metavar='N', help='show '
                         'every Nth photo (default: 60 photos at most)')


def _everyday(options):
    from ..evaluation.everyday import score_everyday
    check_outputs(options)
    put(score_everyday(options.data, options.out, options.networks,
                       options.decodings, options.list, options.sheet,
                       options.every, options.vgg, options.engine))
    say('written to %s' % options.out)


def add_hints(commands):
    """Add ``colornet hints``."""
    command = add(commands, 'hints', _hints,
                  'score a network with 0 to 30 hints, drawn from the '
                  'originals')
    command.add_argument('--data', required=True, metavar='DIR',
                         help='folder of photos in colour')
    command.add_argument('--list', metavar='LIST', help='as of "colornet '
                         'everyday" (default: all in the folder)')
    add_network(command)
    add_out(command, 'runs/hints.csv')
    _add_sheet(command, 'grey | network | 3 hints | 10 hints | original')
    add_vgg(command)
    add_engine(command)


def _hints(options):
    from ..evaluation.hints import score_hints
    check_outputs(options)
    put(score_hints(options.data, options.out, options.network,
                    options.list, options.sheet, options.every, options.vgg,
                    options.engine))
    say('written to %s' % options.out)


def add_figure(commands):
    """Add ``colornet figure``."""
    command = add(commands, 'figure', _figure,
                  "a figure of the paper with our networks' layers and "
                  'colours')
    command.add_argument('number', type=int, choices=range(1, 9),
                         metavar='N', help='1 to 8')
    command.add_argument('--data', metavar='DIR', help='photos (default: '
                         'demo/photos for figure 1, data/ilsvrc for figure '
                         '6, data/cvcl for the others)')
    add_networks(command)
    command.add_argument('--out', metavar='PNG',
                         help='(default: runs/figureN.png)')
    command.add_argument('--photos', nargs='+', default=[], metavar='NAME',
                         help="instead of those chosen by the figure's rule")
    command.add_argument('--dataset', choices=(FOLDER,), help='choose from '
                         "all photos in --data, not CVCL's test photos "
                         '(figures 5, 7, 8)')
    add_vgg(command)
    add_engine(command)


def _figure(options):
    from ..photos.writing import check_suffix
    out = options.out or 'runs/figure%d.png' % options.number
    check_suffix(out)
    check_output(out)
    from ..evaluation.figures import FIGURES, make_figure
    if options.number not in FIGURES:
        if options.data or options.photos or options.dataset:
            raise ColornetError('figure %d shows layers: it takes no --data '
                                'and no --photos' % options.number)
        from ..evaluation.schematics import draw_network
        put(draw_network(options.number, out))
        say('written to %s' % out)
        return
    put(make_figure(options.number, out, options.data, options.runs,
                    options.photos, options.vgg, options.dataset,
                    options.engine))
    say('written to %s' % out)
