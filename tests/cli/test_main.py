"""Errors and exit statuses of the command line."""

import ast
import contextlib
import io
import os
import signal
import subprocess
import sys
from unittest import mock

from nose.tools import eq_, ok_

import colornet
from colornet import cli
from colornet.cli import photos
from colornet.errors import ColornetError
from colornet.terminal import Interrupted
from tests import tiny
from tests.cli.commands import check_is_refused, run


def test_no_folder_is_without_a_name():
    check_is_refused('--runs is empty', 'study', 'bins', '--data',
                     tiny.PHOTOS, '--runs', '')
    check_is_refused('--set', 'train', tiny.EXPERIMENT, '--data', tiny.PHOTOS,
                     '--set', '')


def test_neither_are_photos():
    for arguments, name in (
            ([''], 'IN'), (['a.jpg', ''], 'IN'), (['a.jpg', '-o', ''],
                                                  '--out'),
            (['a.jpg', '--network', ''], '--network'),
            (['a.jpg', '--decoding', ''], '--decoding')):
        check_is_refused('error: %s is empty' % name, 'colorize', *arguments)


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
        with mock.patch.object(photos, '_demo', side_effect=error):
            check_is_refused(words, 'demo')
            ok_(len(run('demo')[2]) < 300)


def test_what_is_raised_becomes_a_line_and_a_status():
    for error, status, line in (
            (ColornetError('no photos'), 2, 'benchmark: error: no photos'),
            (OSError(28, 'No space left'), 2,
             'benchmark: error: No space left'),
            (FileNotFoundError(2, 'No such file', 'a.jpg'), 2,
             'benchmark: error: a.jpg: No such file'),
            (OSError('broken'), 2, 'benchmark: error: broken'),
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


#: Starts the program, which gets a signal while it imports a module.
INTERRUPTED = '''
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)


class Interrupting:
    def find_spec(self, name, *arguments):
        if name == sys.argv[-1]:
            os.kill(os.getpid(), signal.SIGINT)


sys.meta_path.insert(0, Interrupting())
from colornet.cli import main
sys.exit(main(['colorize', 'no.jpg']))
'''


def test_an_interruption_at_the_start():
    for module in 'argparse', 'tqdm', 'colornet.cli.colorize':
        done = subprocess.run(
            [sys.executable, '-c', INTERRUPTED, module], cwd=str(tiny.ROOT),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            universal_newlines=True)
        eq_((done.returncode, done.stdout, done.stderr),
            (130, '', 'colornet: interrupted\n'))


def test_there_is_little_before_the_guard():
    output = subprocess.check_output(
        [sys.executable, '-c', 'import sys; before = set(sys.modules); '
         'import colornet.cli; print(*sorted(set(sys.modules) - before))'],
        cwd=str(tiny.ROOT))
    eq_(output.decode().split(), ['colornet', 'colornet.cli'])


def test_what_cannot_be_printed():
    for arguments in (['info'], ['--version'], ['--help'], ['demo', '--help'],
                      ['colorize', 'no', 'nor', '--json']):
        for unbuffered in '', '1':
            with open('/dev/full', 'w') as full:
                done = subprocess.run(
                    [sys.executable, '-m', 'colornet'] + arguments,
                    cwd=str(tiny.ROOT), stdout=full, stderr=subprocess.PIPE,
                    universal_newlines=True, env=dict(
                        os.environ, PYTHONUNBUFFERED=unbuffered))
            eq_((done.returncode, done.stderr), (
                2, 'colornet: error: cannot write to the standard output: No '
                   'space left on device\n'))


def test_who_prints_names_the_standard_output():
    """All but colornet.terminal print among the errors, or in files."""
    for path in sorted((tiny.ROOT / 'colornet').rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(node, ast.Call) and getattr(
                    node.func, 'id', '') == 'print' and path.name != (
                        'terminal.py'):
                ok_('file' in {word.arg for word in node.keywords},
                    '%s:%d' % (path, node.lineno))


def test_the_program_starts():
    output = subprocess.check_output([sys.executable, '-m', 'colornet',
                                      '--version'], cwd=str(tiny.ROOT))
    eq_(output.decode().strip(), 'colornet ' + colornet.__version__)
