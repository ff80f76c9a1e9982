"""Commands that colour photos, and those about the installation."""

import argparse
import os
import platform
from pathlib import Path

from .. import __version__
from ..errors import ColornetError
from ..resources import DEFAULT_NETWORK, find_resource
from ..terminal import say
from .options import (add, add_bfloat16, add_decoding, add_device, add_engine,
                      add_vgg, positive)

__all__ = ['add_colorize', 'add_demo', 'add_info', 'add_selftest']


def add_colorize(commands):
    """Add ``colornet colorize``."""
    command = add(commands, 'colorize', _colorize,
                  'colour photos and folders of photos')
    command.add_argument('sources', nargs='+', metavar='IN',
                         help='photo or folder of photos')
    command.add_argument('--out', default='colorized', metavar='DIR',
                         help='folder for the results, which replace files of '
                         'their names, but no source: beside it, they are '
                         'NAME-coloured (default: %(default)s)')
    command.add_argument('--network', metavar='FILE', help='trained network '
                         'or run folder (default: %s)' % DEFAULT_NETWORK)
    command.add_argument('--skip-existing', action='store_true',
                         help='leave results that are already there')
    command.add_argument('--batch-size', type=positive, default=4,
                         metavar='N', help='photos computed at a time '
                         '(default: %(default)s)')
    add_decoding(command)
    add_vgg(command)
    add_engine(command)
    add_device(command)
    add_bfloat16(command)


def _colorize(options):
    missing = [source for source in options.sources
               if not os.path.lexists(source)]
    if len(missing) == len(options.sources):
        raise ColornetError('%s does not exist' % missing[0])
    from ..api import load_colorizer
    from ..photos.folders import Report, colorize_files
    colorizer = load_colorizer(options.network, options.vgg, options.decoding,
                               options.engine, options.bfloat16,
                               options.device)
    report = Report()
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
    from ..terminal import note
    for source, reason in report.failed:
        note('colornet: failed: %s: %s' % (source, reason))
    skipped = (', %d already there' % len(report.skipped)
               if report.skipped else '')
    say('%d coloured in %s%s, %d failed'
        % (len(report.written), folder, skipped, len(report.failed)))
    if report.first_only:
        more = len(report.first_only) - 1
        note('colornet: note: of animations and of files with several pages, '
             'only the first picture is coloured: %s%s'
             % (report.first_only[0], ', %d more' % more if more else ''))
    if not report.failed:
        return 0
    return 1 if report.written or report.skipped else 2


def add_demo(commands):
    """Add ``colornet demo``."""
    command = add(commands, 'demo', _demo,
                  'colour the photos that ship with colornet')
    command.add_argument('--out', default='runs/demo', metavar='DIR',
                         help='folder for the results (default: %(default)s)')
    add_engine(command)
    add_device(command)
    add_bfloat16(command)


def _demo(options):
    from ..api import load_colorizer
    from ..evaluation.sheets import save_demo_sheet
    from ..photos.folders import colorize_files
    photos = find_resource('demo/photos')
    colorizer = load_colorizer(engine=options.engine,
                               bfloat16=options.bfloat16,
                               device=options.device)
    report = colorize_files(colorizer, [photos], options.out)
    sheet = Path(options.out) / 'sheet.png'
    save_demo_sheet(sheet, photos, report.written)
    status = _print_report(report, options.out)
    say('contact sheet: %s' % sheet)
    return status


def add_info(commands):
    """Add ``colornet info``."""
    add(commands, 'info', _info,
        'versions, engines, device, and which speed-ups are on')


def _info(options):
    from ..engine.available import describe_engines, missing_theano
    lines = ['colornet %s, Python %s' % (
        __version__, platform.python_version())] + describe_engines()
    if missing_theano():
        lines.append('training needs PyTorch, or Theano, ' + missing_theano())
    else:
        from ..engine.speedups import describe_installation
        lines += describe_installation()
    print('\n'.join(lines))


def add_selftest(commands):
    """Add ``colornet selftest``."""
    command = add(commands, 'selftest', _selftest,
                  'compare a device, such as a GPU, with the CPU')
    command.add_argument('--device', metavar='DEVICE', help='such as cuda or '
                         'opencl0:0 (default: that of THEANO_FLAGS)')
    # What it runs itself.
    command.add_argument('--measure', help=argparse.SUPPRESS)
    command.add_argument('--plain', action='store_true',
                         help=argparse.SUPPRESS)


def _selftest(options):
    from ..selftest import measure, run_selftest
    if options.measure:
        measure(options.measure, options.plain)
        return 0
    lines, passed = run_selftest(
        options.device, os.environ.get('THEANO_FLAGS', ''))
    print('\n'.join(lines))
    return 0 if passed else 1
