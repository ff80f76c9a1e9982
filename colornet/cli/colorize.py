"""``colornet colorize``: photos in, coloured photos out."""

import argparse
import contextlib
import dataclasses
import errno
import os
import sys
from pathlib import Path

from ..errors import ColornetError, Unfinished
from ..files import is_special
from ..terminal import note, say, standard_output
from .options import Keyed, add, add_photo_network, positive
from .reporting import (FIRST_ONLY, IN_COLOUR, NO_PHOTOS, STREAM, THERE,
                        print_line, print_report)

__all__ = ['add_colorize']


class _Hints(Keyed):
    """Hints, of which no two may give a place different colours."""

    def read(self, text):
        from ..photos.hints import parse_hint
        hint = parse_hint(text)
        return (hint.x, hint.y), hint.color


def add_colorize(commands):
    """Add ``colornet colorize``."""
    command = add(commands, 'colorize', _colorize,
                  'colour photos and folders of photos')
    command.add_argument('sources', nargs='+', metavar='IN',
                         help='photo, folder of photos, or - for the standard '
                         'input')
    command.add_argument('-o', '--out', metavar='OUT', help='file for one '
                         'photo; folder for the results, which replace no '
                         'source: beside it, they are NAME-coloured; or - for '
                         'the standard output (default: the folder colorized; '
                         '- for -)')
    _add_result_options(command)
    command.add_argument('--watch', action='store_true', help='go on: colour '
                         'what comes into folders or changes there, once it '
                         'has settled, until Ctrl-C')
    command.add_argument('--scheduler', metavar='ADDRESS', help='of Dask: '
                         'share the photos among its workers, which see the '
                         'same files')
    # What such a worker runs.
    command.add_argument('--chunk', type=int, help=argparse.SUPPRESS)
    command.add_argument('--batch-size', type=positive, default=4,
                         metavar='N', help='photos computed at a time '
                         '(default: %(default)s)')
    add_photo_network(command)


def _add_result_options(command):
    """What :class:`colornet.photos.options.Options` has, and more."""
    command.add_argument('--format', metavar='FORMAT', help='of the results: '
                         'jpg, png, tif, webp, bmp or ppm (default: that of '
                         'each photo, or png)')
    command.add_argument('--quality', type=int, metavar='N', help='of '
                         'JPEG and WebP, 1 to 100 (default: 95)')
    command.add_argument('--depth', type=int, choices=(8, 16), help='bits a '
                         'channel (default: 16 where photo and format have '
                         'them, PNG and TIFF)')
    command.add_argument('--no-mark', dest='mark', action='store_false',
                         help='do not say in XMP that colours are computed')
    command.add_argument('--keep-times', action='store_true',
                         help='give results the times of their sources')
    command.add_argument('--pages', default='largest', choices=(
        'largest', 'all'), help='of files with several: the largest, or all, '
        'as NAME-page1, NAME-page2 (default: %(default)s)')
    command.add_argument('--colour', default='skip', choices=(
        'skip', 'keep', 'blend', 'replace'), help='what becomes of photos '
        'that have colours, and not just one tone: they are left out, keep '
        'theirs, get the mean of both, or new ones (default: %(default)s)')
    command.add_argument('--borders', default='neutral', choices=(
        'neutral', 'colour'), help='of prints: left as they are, or coloured '
        'like the rest (default: %(default)s)')
    command.add_argument('--tones', default='stretch', choices=(
        'stretch', 'keep'), help='what the network sees of faded and dark '
        'prints; results keep their own tones (default: %(default)s)')
    command.add_argument('--hints', action=_Hints, default=[],
                         metavar='X,Y=COLOUR', help='for one photo: the '
                         'colour of the thing at a pixel, from the left and '
                         'from above, such as 120,85=#C04020 or 120,85=grey; '
                         'may be repeated')
    command.add_argument('--refinement', metavar='"STEP ..."', help='what '
                         'makes colours even: none, or one or several of '
                         'segments, crf, total_variation, fade, guided '
                         '(default: as the network has it, total_variation '
                         'for those that ship)')
    command.add_argument('--max-pixels', type=positive, metavar='N',
                         help='refuse larger photos (default: 178 million)')
    there = command.add_mutually_exclusive_group()
    there.add_argument('--overwrite', action='store_true',
                       help='replace results that are already there')
    there.add_argument('--skip-existing', action='store_true',
                       help='leave them: so it is without --overwrite, but '
                       'for a file as OUT, which is an error')
    command.add_argument('--json', action='store_true', help='print a line '
                         'of JSON for each photo')
    command.add_argument('-q', '--quiet', action='store_true',
                         help='print errors only')


def _colorize(options):
    if options.chunk is not None:
        return _colorize_chunk(options)
    from ..photos.report import Report
    report = Report(listener=print_line if options.json else None)
    if all(source != STREAM and _why_missing(source)
           for source in options.sources):
        return _tell_missing(options, report)
    if options.hints and (options.watch or len(options.sources) > 1 or
                          os.path.isdir(options.sources[0])):
        raise ColornetError('--hints is for one photo, not for several, a '
                            'folder or --watch')
    out = options.out or (STREAM if STREAM in options.sources
                          else 'colorized')
    _check_streams(options, out)
    _check_out(out)
    _limit_pixels(options)
    try:
        if options.watch:
            return _watch(options, out, report)
        _choose_way(options, out)(options, out, report)
    except BrokenPipeError:
        raise
    except (ColornetError, KeyboardInterrupt, MemoryError, OSError) as error:
        # Of Ctrl-C and of short memory, nothing, as no reason of a photo is.
        told = str(error)
        # Who watches was told of each photo; of one alone, the error tells.
        if not options.watch and (
                report.written or len(report.failed + report.undone) > 1 or
                any(why != told for _, why in report.failed)):
            print_report(report, out, options, told)
        if (isinstance(error, KeyboardInterrupt) or
                not (report.written or report.skipped)):
            raise
        raise Unfinished(told or 'out of memory')
    return print_report(report, out, options)


def _tell_missing(options, report):
    """Tell that there is nothing to colour, before a network is loaded."""
    for source in options.sources:
        reason = _why_missing(source)
        report.add_failed(source, os.strerror(reason).lower())
    if len(options.sources) == 1:
        raise ColornetError(
            '%s does not exist' % source if reason == errno.ENOENT else
            '%s: %s' % (source, os.strerror(reason).lower()))
    return print_report(report, options.out or 'colorized', options)


def _why_missing(source):
    """Number of the error of looking for a file; 0 if it is there."""
    try:
        os.lstat(source)
    except OSError as error:
        return error.errno
    return 0


def _check_out(out):
    """Refuse what is there and can be neither file nor folder of results."""
    if out == STREAM or _names_file(out):
        return
    if is_special(out):
        raise ColornetError('cannot write %s: neither a folder nor a photo; '
                            '-o - is the standard output' % out)
    from ..photos.finding import IMAGE_SUFFIXES
    from ..photos.writing import check_suffix
    if os.path.isdir(out) or out.endswith('/'):
        return
    if Path(out).suffix.lower() in IMAGE_SUFFIXES:
        check_suffix(out)  # Photos are read in more formats than written.
    if os.path.lexists(out):
        raise ColornetError(
            '%s is no folder, and not named as a photo: OUT is a folder, or '
            'a file such as %s.png' % (out, out))


def _check_streams(options, out):
    """Refuse what the standard streams are not for."""
    if STREAM in options.sources and len(options.sources) > 1:
        raise ColornetError('- for the standard input must be the only IN')
    if out != STREAM:
        return
    if options.json:
        raise ColornetError('-o - and --json would both print')
    if sys.stdout.isatty():
        raise ColornetError('the photo would be printed on the terminal: -o '
                            'FILE, or > FILE')


def _choose_way(options, out):
    """What colours from IN to OUT."""
    source, *others = options.sources
    if options.scheduler and options.pages == 'all':
        raise ColornetError('--pages all is not for --scheduler')
    if source != STREAM and out != STREAM and not _names_file(out):
        return _share_folder if options.scheduler else _colorize_folder
    if options.pages == 'all':
        raise ColornetError('--pages all is for files, and a folder as OUT')
    if options.scheduler:
        raise ColornetError('--scheduler is for files and folders, and a '
                            'folder as OUT')
    if others or os.path.isdir(source):
        raise ColornetError('%s is one file; several photos need a folder as '
                            'OUT' % out)
    if source != STREAM and out != STREAM:
        return _colorize_file
    if out != STREAM and not _names_file(out):
        raise ColornetError('%s is no name of a photo: what comes from the '
                            'standard input needs one, such as %s.png, or -'
                            % (out, out.rstrip('/')))
    if options.keep_times:
        raise ColornetError('--keep-times is for files, and not for the '
                            'standard input or output')
    return _colorize_stream


def _names_file(out):
    """Whether OUT is a file, which it says by its suffix, or a folder."""
    from ..photos.writing import check_suffix
    try:
        check_suffix(out)
    except ColornetError:
        return False
    return not (os.path.isdir(out) or out.endswith('/'))


def _result_options(options, out=None):
    """The options of results; `out` decides the format, if it is a file."""
    from ..photos.hints import parse_hint
    from ..photos.options import Options
    from ..photos.writing import check_suffix, takes_quality
    format = options.format
    if out is not None:
        # JPEG is jpg as well as jpeg.
        if format is not None and (check_suffix('format.' + format) !=
                                   check_suffix(out)):
            raise ColornetError('--format %s and %s contradict each other'
                                % (format, out))
        format = Path(out).suffix[1:]
    chosen = {field.name: getattr(options, field.name)
              for field in dataclasses.fields(Options)}
    chosen.update(format=format, hints=tuple(map(parse_hint, options.hints)))
    results = Options(**chosen)
    if options.quality is not None and format and not takes_quality(format):
        raise ColornetError('--quality is of JPEG and WebP, and not of %s'
                            % format)
    return results


def _watch(options, out, report):
    """Tell of each photo when it ends, since there is no end of all."""
    from ..flow.watching import watch_files
    if _choose_way(options, out) is not _colorize_folder:
        raise ColornetError('--watch is for files and folders, and a folder '
                            'as OUT')

    told = set()

    def tell_once(kind, text):
        if kind not in told and not options.quiet:
            told.add(kind)
            note('colornet: note: ' + text)

    def tell(entry):
        if options.json:
            print_line(entry)
        if entry['status'] == 'failed':
            note('colornet: failed: %(source)s: %(reason)s' % entry)
        elif not options.json and not options.quiet:
            say('%s: %s' % (entry['status'],
                            entry.get('output', entry['source'])))
            with standard_output():
                sys.stdout.flush()
            for text in entry.get('notes', ()):
                note('colornet: note: %s: %s' % (text, entry['source']))
            if entry.get('first_only'):
                note('colornet: note: ' + FIRST_ONLY + entry['source'])
        if entry['status'] == 'in colour':
            tell_once('in colour', IN_COLOUR + entry['source'])
        if entry['status'] == 'skipped' and not options.skip_existing:
            tell_once('skipped', THERE)

    def tell_others():
        for suffix in sorted(report.others):
            tell_once(('other', suffix),
                      NO_PHOTOS + (suffix or 'without ending'))
        return False
    report.listener = tell
    results = _result_options(options)
    watch_files(_load(options), options.sources, out, options.batch_size,
                options.overwrite, report, results, tell_others)


def _load(options):
    from ..api import load_colorizer
    colorizer = load_colorizer(
        options.network, options.vgg, options.decoding, options.engine,
        options.bfloat16, options.device)
    colorizer.refined(options.refinement).refinement.check_changes(
        options.decoding)
    colorizer.borders, colorizer.tones = options.borders, options.tones
    return colorizer


def _colorize_folder(options, out, report):
    from ..photos.folders import colorize_files, find_photos
    results = _result_options(options)
    # Before a network is loaded.
    found = find_photos(options.sources, out, report)
    if found:
        colorize_files(_load(options), options.sources, out,
                       options.batch_size, options.overwrite,
                       not options.quiet, report, results, found)


def _share_folder(options, out, report):
    from ..flow.sharing import colorize_shared

    # Workers may run elsewhere.
    for name in 'network', 'vgg':
        if getattr(options, name):
            setattr(options, name, os.path.abspath(getattr(options, name)))
    settings = {name: value for name, value in vars(options).items()
                if name != 'run'}
    colorize_shared(options.scheduler, options.sources, out, settings,
                    _result_options(options), options.overwrite, report,
                    not options.quiet)


def _colorize_chunk(options):
    """What a worker does; what becomes of the photos it notes in a file."""
    from ..flow.sharing import colorize_chunk, read_settings
    file, = options.sources
    settings = argparse.Namespace(**read_settings(file))
    _limit_pixels(settings)
    colorize_chunk(_load(settings), file, options.chunk,
                   _result_options(settings), settings.batch_size)


def _limit_pixels(options):
    if options.max_pixels:
        from ..formats.photo import limit_pixels
        limit_pixels(options.max_pixels)


def _colorize_file(options, out, report):
    from ..photos.folders import colorize_file
    results = _result_options(options, out)
    if options.skip_existing and os.path.lexists(out):
        report.add_skipped(options.sources[0], out)
        return
    colorize_file(_load(options), options.sources[0], out, options.overwrite,
                  report, results)


def _colorize_stream(options, out, report):
    from ..flow.pipes import colorize_stream, open_sink
    from ..photos.reading import open_photo
    file = None if out == STREAM else out
    results = _result_options(options, file)
    source = options.sources[0]
    if file and options.skip_existing and os.path.lexists(file):
        report.add_skipped(source, file)
        if not options.quiet:
            note('colornet: note: %s is there and left' % file)
        return
    with contextlib.ExitStack() as stack:
        stream = (sys.stdin.buffer if source == STREAM else
                  stack.enter_context(open_photo(source)))
        sink = stack.enter_context(open_sink(file, options.overwrite))
        colorize_stream(_load(options), stream, sink, results, source, file,
                        report, options.batch_size, not options.quiet)
