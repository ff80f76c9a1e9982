"""Processes that end with their parents."""

import os
import signal
import subprocess
import sys
from unittest import mock

from nose.tools import eq_, ok_

from colornet.terminal import PARENT, end_with_parent
from tests import tiny


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
        end_with_parent()
        ok_(PARENT not in os.environ)
