"""``colornet video``: a film in, a coloured film out; how it flickers."""

import argparse
import os
import re
import sys
from fractions import Fraction
from functools import reduce

from ..errors import ColornetError
from ..files import check_output, digest_file
from ..resources import DEFAULT_NETWORK, find_resource
from ..terminal import note, put, say
from .options import add, add_out, add_photo_network, positive, whole

__all__ = ['add_flicker', 'add_video']

#: The standard input or output, in place of a file.
STREAM = '-'

_TIME = re.compile(r'(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)')


def add_video(commands):
    """Add ``colornet video``."""
    command = add(commands, 'video', _video,
                  'colour a film, so that its colours do not flicker')
    command.add_argument('source', metavar='IN', help='film, of any format '
                         'that FFmpeg reads, or - for the standard input')
    command.add_argument('out', metavar='OUT', help='film: mp4, m4v, mov, mkv '
                         'or webm; or - for the standard output')
    command.add_argument('--smooth', type=_weight, default=0.9, metavar='W',
                         help='what a frame weighs in the colours of the '
                         'next, 0 to below 1: 0 colours each for itself '
                         '(default: %(default)s)')
    command.add_argument('--every', type=positive, default=1, metavar='N',
                         help='let the network see every Nth frame only; the '
                         'others take colours from these along what moves: '
                         'faster (default: %(default)s)')
    command.add_argument('--start', type=_seconds, default=Fraction(0),
                         metavar='TIME', help='where to begin: seconds, or '
                         '1:02:03.5')
    command.add_argument('--duration', type=_seconds, metavar='TIME',
                         help='how much to colour (default: all)')
    command.add_argument('--resume', action='store_true', help='go on where '
                         'the same command was interrupted')
    command.add_argument('--crf', type=_crf, metavar='N', help="the "
                         "encoder's constant rate factor: the lower, the "
                         'better and larger (default: 18; webm: 24)')
    command.add_argument('--format', metavar='FORMAT', help='of OUT, if it '
                         'is -: mkv, mp4, mov or webm (default: mkv)')
    command.add_argument('--borders', default='neutral', choices=(
        'neutral', 'colour'), help='bars around the picture: left as they '
        'are, or coloured like the rest (default: %(default)s)')
    command.add_argument('--tones', default='stretch', choices=(
        'stretch', 'keep'), help='what the network sees of faded and dark '
        'frames; results keep their own tones (default: %(default)s)')
    command.add_argument('--refinement', metavar='"STEP ..."', help='what '
                         'makes colours even, as for photos (default: as the '
                         'network has it)')
    command.add_argument('--no-mark', dest='mark', action='store_false',
                         help='do not say in the comment that colours are '
                         'computed')
    there = command.add_mutually_exclusive_group()
    there.add_argument('--overwrite', action='store_true',
                       help='replace OUT if it is there')
    there.add_argument('--skip-existing', action='store_true',
                       help='leave it')
    command.add_argument('--batch-size', type=positive, default=4,
                         metavar='N', help='frames computed at a time '
                         '(default: %(default)s)')
    command.add_argument('-q', '--quiet', action='store_true',
                         help='print errors only')
    add_photo_network(command)


def _weight(text):
    try:
        weight = float(text)
    except ValueError:
        weight = -1
    if not 0 <= weight < 1:
        raise argparse.ArgumentTypeError('%r is not from 0 to below 1' % text)
    return weight


def _crf(text):
    return whole(text, 'is not from 0 to 63', most=63)


def _seconds(text):
    try:
        parts = [Fraction(part) for part in
                 _TIME.fullmatch(text).groups() if part is not None]
        if max(parts[1:], default=0) >= 60:
            raise ValueError
    except (AttributeError, ValueError):  # No match; thousands of digits.
        raise argparse.ArgumentTypeError('%r is no time, such as 90, 1:30 or '
                                         '1:02:03.5' % text)
    return reduce(lambda total, part: 60 * total + part, parts)


def _video(options):
    from ..video.film import FilmOptions
    film = FilmOptions(options.crf, options.start, options.duration,
                       options.borders, options.mark)
    if STREAM in (options.source, options.out):
        return _colour_stream(options, film)
    if options.format:
        raise ColornetError('--format is for - as OUT; a file says it by its '
                            'name')
    from ..video.converting import colour_file
    from ..video.parts import has_parts
    if _is_left(options):
        return
    try:
        frames = colour_file(lambda: _load(options), options.source,
                             options.out, film, options.overwrite,
                             options.resume, not options.quiet)
    except KeyboardInterrupt:
        if has_parts(options.out):
            note('colornet: what is finished is kept: --resume goes on there')
        raise
    if not options.quiet:
        say('%d frames coloured in %s' % (frames, options.out))


def _is_left(options):
    """Whether there is a result that shall stay; says so."""
    left = (not options.overwrite and os.path.lexists(options.out) and
            (options.skip_existing or options.resume))
    if left and not options.quiet:
        note('colornet: note: %s is there and left' % options.out)
    return left


def _colour_stream(options, film):
    from ..flow.pipes import open_sink
    from ..video.converting import OneWay, colour_stream, open_target
    from ..video.writing import choose_format
    if options.resume:
        raise ColornetError('--resume is for files, not -')
    to_stdout = options.out == STREAM
    if to_stdout and sys.stdout.isatty():
        raise ColornetError('the film would be printed on the terminal: '
                            'OUT, or > FILE')
    if options.format and not to_stdout:
        raise ColornetError('--format is for - as OUT; a file says it by its '
                            'name')
    if not to_stdout and _is_left(options):
        return
    source = (sys.stdin.buffer if options.source == STREAM else
              options.source)
    if to_stdout:
        format = choose_format(options.format or 'mkv', streamed=True)
        sink = open_sink()
    else:
        format = choose_format(os.path.splitext(options.out)[1][1:])
        sink = open_target(options.out, options.overwrite)
    with sink as opened:
        colour_stream(lambda: _load(options), source, OneWay(opened) if
                      to_stdout else opened, format, film, options.source,
                      not options.quiet)


def _load(options):
    """The network, once it is known that there is something to colour."""
    from ..video.colouring import FilmColorizer
    network, outputs, config = _load_network(options)
    film = FilmColorizer(outputs, config, options.smooth, options.every,
                         options.batch_size, options.tones,
                         options.refinement, _origin(options, network))
    film.refinement.check_changes(options.decoding)
    return film


def _origin(options, network):
    """What a film's parts must have in common of the network."""
    from ..engine.available import choose_engine
    return {'network': '%s, SHA-256 %s' % (network.stem,
                                           digest_file(network)),
            'vgg': options.vgg and digest_file(options.vgg),
            # Each rounds in its own way.
            'engine': choose_engine(options.engine, network),
            'device': options.device,
            'bfloat16': options.bfloat16}


def _load_network(options):
    from ..network.stored import network_file
    from ..prediction.engines import load_outputs
    network = (network_file(options.network) if options.network else
               find_resource(DEFAULT_NETWORK))
    outputs, config, _ = load_outputs(
        network, options.vgg, options.decoding, options.engine,
        options.bfloat16, options.device)
    return network, outputs, config


def add_flicker(commands):
    """Add ``colornet flicker``."""
    command = add(commands, 'flicker', _flicker,
                  'score films coloured frame by frame and smoothed')
    command.add_argument('--data', nargs='+', required=True, metavar='PATH',
                         help='clips in colour, or folders of them')
    command.add_argument('--frames', type=positive, default=48, metavar='N',
                         help='of each clip, from its beginning (default: '
                         '%(default)s)')
    add_out(command, 'runs/flicker.csv')
    add_photo_network(command)


def _flicker(options):
    from ..studies.flicker import find_clips, score_flicker
    from ..video.packages import import_package
    check_output(options.out, '.csv')
    import_package('av')
    find_clips(options.data)
    _, outputs, config = _load_network(options)
    put(score_flicker(options.data, options.out, outputs, config,
                      options.frames))
    say('written to %s' % options.out)
