"""Completion for shells, where shtab is installed."""

import subprocess
import sys
from unittest import mock

from nose.plugins.skip import SkipTest
from nose.tools import assert_in, eq_, ok_

from tests.cli.commands import check_is_refused, run

TRY = '''
source /dev/stdin
complete() {
    COMP_WORDS=(colornet "$@") COMP_CWORD=$#
    _shtab_colornet
    echo "${COMPREPLY[@]}"
}
complete colo
complete colorize --overw
complete colorize --colour ""
'''


def test_what_is_missing_is_named():
    with mock.patch.dict(sys.modules, shtab=None):
        check_is_refused('the package shtab', '--print-completion', 'bash')


def test_each_shell():
    try:
        import shtab  # noqa: F401
    except ImportError:
        raise SkipTest('shtab is not installed')
    for shell in 'bash', 'zsh', 'tcsh':
        status, out, err = run('--print-completion', shell)
        eq_((status, err), (0, ''))
        assert_in('skip-existing', out)
        if shell == 'zsh':
            for name in 'set', 'decoding', 'hints', 'allowed-host':
                ok_('"*--%s[' % name in out, name)
                ok_('"--%s[' % name not in out, name)
    check_is_refused('invalid choice', '--print-completion', 'fish')
    done = subprocess.run(
        ['bash', '-c', TRY], universal_newlines=True, stdout=subprocess.PIPE,
        input=run('--print-completion', 'bash')[1])
    eq_(done.stdout.splitlines(),
        ['colorize', '--overwrite', 'skip keep blend replace'])
