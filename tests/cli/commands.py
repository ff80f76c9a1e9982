"""Commands run in this process, with what they print."""

import contextlib
import io

from nose.tools import assert_in, eq_

from colornet import cli


def run(*arguments):
    """Exit status, standard output and standard error of a command."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as exit:  # argparse
            status = exit.code
    return status, out.getvalue(), err.getvalue()


def check_is_refused(words, *arguments):
    status, out, err = run(*arguments)
    eq_(status, 2, err)
    eq_(out, '')
    eq_(len(err.splitlines()), 1, err)
    assert_in(words, err)
