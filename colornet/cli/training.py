"""Commands that fetch photos, train networks and store them."""

from pathlib import Path

from ..engine.available import choose_trainer
from ..errors import ColornetError
from ..files import check_output
from ..terminal import say
from .options import add, add_decoding, add_device, add_vgg

__all__ = ['add_data', 'add_export', 'add_train']


def add_train(commands):
    """Add ``colornet train``."""
    command = add(commands, 'train', _train,
                  'train a network, or resume its training',
                  '; or take --engine pytorch')
    command.add_argument('config', metavar='INI', help='an experiment, such '
                         'as experiments/cvcl_classification.ini')
    command.add_argument('--data', required=True, metavar='DIR',
                         help='folder of the data set')
    command.add_argument('--out', metavar='DIR', help='run folder (default: '
                         'runs/<name of the experiment>)')
    command.add_argument('--set', action='append', default=[],
                         metavar='SECTION.KEY=VALUE', dest='overrides',
                         help='change a setting of the experiment; the last '
                         'time counts')
    add_vgg(command)
    command.add_argument('--engine', choices=('theano', 'pytorch'),
                         help='what computes; a training may go on with the '
                         'other (default: Theano, or PyTorch where only that '
                         'is)')
    add_device(command)
    command.add_argument('--bfloat16', action='store_true', help='faster and '
                         'less exact, where processor or GPU have it: '
                         'compute maps, not weights and losses, in bfloat16')


def _train(options):
    from ..config import load_config
    from ..training.run import train
    config = load_config(options.config, options.overrides)
    out = options.out or 'runs/%s' % Path(options.config).stem
    trained = train(config, options.data, out,
                    learner=_make_learner(config, options))
    say('%s %s: %d epochs' % ('trained' if trained else 'already trained',
                              out, config.training['epochs']))


def _make_learner(config, options):
    """The learner by the engine that is asked for, or by that there is."""
    if choose_trainer(options.engine) == 'pytorch':
        from ..pytorch.learner import PyTorchLearner
        return PyTorchLearner(config, options.vgg, options.device,
                              options.bfloat16)
    if options.device != 'auto':
        raise ColornetError('--device is for --engine pytorch; Theano takes '
                            'COLORNET_DEVICE=cuda')
    from ..training.run import make_learner
    return make_learner(config, options.vgg, options.bfloat16)


def add_export(commands):
    """Add ``colornet export``."""
    command = add(commands, 'export', _export,
                  'store a trained network in half the space, as those in '
                  'weights/, or as ONNX')
    command.add_argument('network', metavar='FILE', help='trained network '
                         'or run folder')
    command.add_argument('out', metavar='OUT', help='.h5, or .onnx: for ONNX '
                         'Runtime and other programs, with all that makes '
                         'chrominance of luminance')
    command.add_argument('--format', choices=('h5', 'onnx'),
                         help='(default: by the ending of OUT)')
    command.add_argument('--half', action='store_true',
                         help='store the filters of ONNX as float16, which '
                         'halves the file (those of .h5 always are)')
    add_decoding(command)
    add_vgg(command)


def _export(options):
    from ..network.stored import export_half, network_file
    suffix = Path(options.out).suffix.lower()
    to_onnx = options.format == 'onnx' or (not options.format and
                                           suffix == '.onnx')
    check_output(options.out, '.onnx' if to_onnx else '.h5')
    network = network_file(options.network)
    out = Path(options.out)
    if out.exists() and network.exists() and network.samefile(out):
        raise ColornetError('%s is the network to be exported; choose another '
                            'file' % options.out)
    if to_onnx:
        from ..prediction.onnx import export_onnx
        export_onnx(network, options.out, options.vgg, options.decoding,
                    options.half)
    else:
        export_half(network, options.out, options.decoding)
    say('written to %s' % options.out)


def add_data(commands):
    """Add ``colornet data``."""
    command = add(commands, 'data', _data, 'fetch or check a data set')
    command.add_argument('dataset', choices=('cvcl',))
    command.add_argument('--out', default='data/cvcl', metavar='DIR',
                         help='folder to download to (default: %(default)s)')
    command.add_argument('--archive', metavar='ZIP', help='a copy of the '
                         'published archive, instead of downloading it')
    command.add_argument('--verify', metavar='DIR',
                         help='only check a folder that is already there')


def _data(options):
    from ..data.download import fetch_cvcl, verify_folder
    from ..resources import find_resource
    digests = find_resource('experiments/splits/cvcl.sha256')
    if options.verify:
        count = verify_folder(options.verify, digests)
        say('%s: all %d photos are right' % (options.verify, count))
    else:
        count = fetch_cvcl(options.out, digests, archive=options.archive)
        say('%s: all photos are right, %d of them new' % (options.out, count))
