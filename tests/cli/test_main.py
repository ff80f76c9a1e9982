"""Errors and exit statuses of the command line."""

import contextlib
import io
import signal
import subprocess
import sys
from unittest import mock

from nose.tools import eq_, ok_

import colornet
from colornet import cli
from colornet.errors import ColornetError
from colornet.terminal import Interrupted
from tests import tiny
from tests.cli.commands import check_is_refused, run


def test_no_folder_is_without_a_name():
    check_is_refused('--runs is empty', 'study', 'bins', '--data',
                     tiny.PHOTOS, '--runs', '')
    check_is_refused('--set', 'train', tiny.EXPERIMENT, '--data', tiny.PHOTOS,
                     '--set', '')


def test_unknown_command():
    check_is_refused('invalid choice', 'paint')


def test_a_photo_is_no_command():
    photo = str(sorted(tiny.PHOTOS.glob('*.jpg'))[0])
    check_is_refused('to colour it: colornet colorize %s --quiet' % photo,
                     photo, '--quiet')
    check_is_refused("colornet colorize 'no such.jpg'", 'no such.jpg')


def test_bugs_show_one_line_unless_asked():
    for error, words in ((KeyError('oops'), "KeyError: 'oops' (COLORNET"),
                         (ValueError('so\nit\nwent ' * 999),
                          'so it went so it ... (COLORNET')):
        with mock.patch.object(cli.photos, '_demo', side_effect=error):
            check_is_refused(words, 'demo')
            ok_(len(run('demo')[2]) < 300)


def test_what_is_raised_becomes_a_line_and_a_status():
    for error, status, line in (
            (ColornetError('no photos'), 2, 'benchmark: error: no photos'),
            (OSError(28, 'No space left'), 2,
             'benchmark: error: [Errno 28] No space left'),
            (MemoryError(), 2, 'benchmark: error: out of memory'),
            (KeyboardInterrupt(), 130, 'benchmark: interrupted'),
            (Interrupted(signal.SIGTERM), 143,
             'benchmark: interrupted by SIGTERM'),
            (KeyError('oops'), 2, 'benchmark: internal error: KeyError: '
             "'oops' (COLORNET_DEBUG=1 shows where)")):
        run = mock.Mock(side_effect=error)
        with contextlib.redirect_stderr(io.StringIO()) as printed:
            eq_(cli.report_errors(run, 3, program='benchmark'), status)
        eq_(printed.getvalue(), line + '\n')
        run.assert_called_once_with(3)
    eq_([cli.report_errors(lambda: status) for status in (None, 0, 1)],
        [0, 0, 1])


def test_the_program_starts():
    output = subprocess.check_output([sys.executable, '-m', 'colornet',
                                      '--version'], cwd=str(tiny.ROOT))
    eq_(output.decode().strip(), 'colornet ' + colornet.__version__)
