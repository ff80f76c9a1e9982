"""The demo, and commands about the installation."""

import argparse
import os
import platform
from pathlib import Path

from .. import __version__
from ..resources import find_resource
from ..terminal import put, say
from .options import add, add_bfloat16, add_device, add_engine
from .reporting import print_report

__all__ = ['add_demo', 'add_info', 'add_selftest']


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
    report = colorize_files(colorizer, [photos], options.out,
                            overwrite=True)
    sheet = Path(options.out) / 'sheet.png'
    save_demo_sheet(sheet, photos, report.written)
    status = print_report(report, options.out)
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
    put('\n'.join(lines))


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
    put('\n'.join(lines))
    return 0 if passed else 1
