"""What a user at a terminal sees; processes that end with their parents."""

import io
import os
import signal
import subprocess
import sys
from unittest import mock

from nose.tools import eq_, ok_

from colornet import cli
from colornet.terminal import (PARENT, note, on_terminal, printable,
                               progress_bar, say)
from tests import tiny


def stream(is_terminal):
    stream = io.StringIO()
    stream.isatty = lambda: is_terminal
    return stream


def test_a_note_is_a_line():
    with mock.patch('sys.stderr', stream(False)) as printed:
        note('one')
        note('two')
    eq_(printed.getvalue(), 'one\ntwo\n')


def test_control_characters_are_shown():
    name = 'a\x1b[31m\r\n\t\x7f\x9b\u2028\u202eé \u200d.jpg'
    shown = 'a\\x1b[31m\\r\\n\\t\\x7f\\x9b\\u2028\\u202eé \u200d.jpg'
    eq_(printable(name), shown)
    with mock.patch('sys.stderr', stream(False)) as printed:
        note(name)
    eq_(printed.getvalue(), shown + '\n')
    with mock.patch('sys.stdout', stream(False)) as printed:
        say(name)
    eq_(printed.getvalue(), shown + '\n')


def test_a_note_breaks_no_bar():
    with mock.patch('sys.stderr', stream(True)) as printed:
        for _ in progress_bar(range(3), unit='photo'):
            note('note')
    for line in printed.getvalue().split('\n')[:-2]:
        eq_(line.split('\r')[-1], 'note')
    ok_('3/3' in printed.getvalue().split('\r')[-1])


def test_without_a_standard_error_stream():
    with mock.patch('sys.stderr', None):
        ok_(not on_terminal())
        note('nobody reads this')
        eq_(list(progress_bar(range(3))), [0, 1, 2])


def run_main(**environment):
    """Status and output of ``colornet --version``."""
    done = subprocess.run(
        [sys.executable, '-m', 'colornet', '--version'], cwd=str(tiny.ROOT),
        env=dict(os.environ, **environment), stdout=subprocess.PIPE)
    return done.returncode, done.stdout


def test_a_command_whose_parent_has_gone_ends_at_once():
    status, output = run_main(**{PARENT: '1234567'})
    eq_((status, output), (-signal.SIGTERM, b''))


def test_a_command_whose_parent_is_there_goes_on():
    for parent in str(os.getpid()), '', 'x':
        status, output = run_main(**{PARENT: parent})
        ok_(status == 0 and output.startswith(b'colornet '), parent)


def test_what_it_starts_has_another_parent():
    with mock.patch.dict(os.environ, {PARENT: str(os.getppid())}), \
            mock.patch('ctypes.CDLL', side_effect=OSError):
        with mock.patch('sys.stdout'):
            eq_(cli.main(['--version']), 0)
        ok_(PARENT not in os.environ)
