"""What commands have in common: options that several of them take."""

import argparse
import contextlib
import math

from ..engine.available import DEVICES, ENGINES
from ..files import check_output
from ..resources import DEFAULT_NETWORK

__all__ = ['Keyed', 'add', 'add_bfloat16', 'add_decoding', 'add_device',
           'add_engine', 'add_network', 'add_networks', 'add_out',
           'add_photo_network', 'add_subset', 'add_vgg', 'check_outputs',
           'positive', 'whole']


class _Once(argparse.Action):
    """An option of which a second value would make the first do nothing."""

    given = None

    def __call__(self, parser, options, value, option=None):
        if option and self.given not in (None, value):
            raise argparse.ArgumentError(self, 'given twice, as %s and %s'
                                         % (self.given, value))
        self.given = value
        setattr(options, self.dest, value)


# shtab tells by this class which options may be repeated.
class Keyed(argparse._AppendAction):
    """A list of KEY=VALUE, in which no key may have two values."""

    def __call__(self, parser, options, text, option=None):
        for other in getattr(options, self.dest):
            (key, value), (same, wanted) = self.read(other), self.read(text)
            if key == same and value != wanted:
                raise argparse.ArgumentError(self, '%s and %s contradict each '
                                             'other' % (other, text))
        super().__call__(parser, options, text, option)

    def read(self, text):
        """A setting's name and value; what is wrong with it is said later."""
        from ..schema import SCHEMA
        name, _, value = map(str.strip, text.partition('='))
        # What a decoding says without its section.
        name = name if '.' in name else 'decoding.' + name
        section, _, key = name.partition('.')
        with contextlib.suppress(KeyError, ValueError):
            value = SCHEMA[section][key](value)
        return name, value


def add(commands, name, run, text, instead=None):
    """Add a command.

    Parameters
    ----------
    commands : object
        What :meth:`argparse.ArgumentParser.add_subparsers` returns.
    name : str
    run : callable
        Takes the options; returns the exit status, or None for 0.
    text : str
        What it does.
    instead : str, optional
        What else can do it where Theano is missing, for the error's end.

    Returns
    -------
    argparse.ArgumentParser
        For the command's own options.
    """
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run, instead=instead)
    for action in None, 'store':
        command.register('action', action, _Once)
    return command


def add_vgg(command):
    """Let a command take the file of VGG16's weights."""
    command.add_argument(
        '--vgg', metavar='FILE',
        help="VGG16's weights: Model Zoo pickle or Keras .h5 "
             '(default: weights/vgg16.pkl)')


def add_engine(command):
    """Let a command choose what computes."""
    command.add_argument(
        '--engine', choices=tuple(ENGINES), help='what computes: Theano, ONNX '
        'Runtime or PyTorch (default: Theano where it is installed and the '
        'network is no .onnx file, else ONNX Runtime)')


def add_device(command):
    """Let a command choose what PyTorch computes with."""
    command.add_argument(
        '--device', choices=DEVICES, default='auto', help="with --engine "
        "pytorch: a CUDA GPU, Apple's, or the processor; auto: the first of "
        'them that is there (default: %(default)s)')


def add_bfloat16(command):
    """Let a command compute faster and less exactly."""
    command.add_argument(
        '--bfloat16', action='store_true', help='faster, where the processor '
        'has AVX512_BF16 or AMX: in bfloat16, by oneDNN or PyTorch. By '
        'oneDNN, 95 of 100 pixels change by at most 1/255 (docs/speed.rst)')


def add_out(command, default):
    """Let a command take the file of its result."""
    command.add_argument(
        '--out', default=default, help='(default: %(default)s)',
        metavar=default.rpartition('.')[2].upper())


def add_network(command):
    """Let a command take one network."""
    command.add_argument(
        '--network', metavar='FILE',
        help='trained network or run folder (default: %s)' % DEFAULT_NETWORK)


def add_photo_network(command):
    """Let a command choose what colours photos, and how."""
    for add_option in (add_network, add_decoding, add_vgg, add_engine,
                       add_device, add_bfloat16):
        add_option(command)


def add_networks(command):
    """Let a command take the folder of the trained networks."""
    command.add_argument(
        '--runs', default='runs', metavar='DIR',
        help='trained networks (default: %(default)s; those in weights/ '
             'if there are none)')


def add_subset(command, default):
    """Let a command take the part of a data set that it is about."""
    command.add_argument(
        '--subset', choices=('train', 'validation', 'test'),
        default=default, help='(default: %(default)s)')


def add_decoding(command):
    """Let a command change how scores become colours."""
    command.add_argument(
        '--decoding', action=Keyed, default=[], metavar='KEY=VALUE',
        help='how class scores become colours, such as method=mean; of '
             '[decoding] in experiments/defaults.ini; of photos also '
             'refinement.KEY=VALUE; may be repeated')


def check_outputs(options):
    """Refuse a table or a sheet that cannot be written, before the work."""
    from ..photos.writing import check_suffix
    check_output(options.out, '.csv')
    if options.sheet:
        check_suffix(options.sheet)
        check_output(options.sheet)


def positive(text):
    """Type of an option: a whole number from 1 on."""
    return whole(text, 'is no positive number', 1)


def whole(text, otherwise, least=0, most=math.inf):
    """For types of options: a whole number, of digits only.

    Parameters
    ----------
    text : str
    otherwise : str
        What the error says behind the text.
    least, most : int
        Limits of the number, which is not negative.

    Returns
    -------
    int

    Raises
    ------
    argparse.ArgumentTypeError
    """
    try:
        number = int(text) if text.isdecimal() else -1
    except ValueError:  # Python may take some thousand digits only.
        number = -1
    if not least <= number <= most:
        raise argparse.ArgumentTypeError('%r %s' % (text, otherwise))
    return number
