"""What a user at a terminal sees."""

import io
from unittest import mock

from nose.tools import eq_, ok_

from colornet.terminal import note, on_terminal, progress_bar


def stream(is_terminal):
    stream = io.StringIO()
    stream.isatty = lambda: is_terminal
    return stream


def test_a_note_is_a_line():
    with mock.patch('sys.stderr', stream(False)) as printed:
        note('one')
        note('two')
    eq_(printed.getvalue(), 'one\ntwo\n')


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
