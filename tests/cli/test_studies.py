"""Commands of studies: which are run, and what is told of them."""

from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from nose.tools import assert_in, eq_

from colornet.studies.study import find_studies
from tests import tiny
from tests.cli.commands import check_is_refused, run


def run_study(*arguments, failed=()):
    """What ``colornet study`` prints and returns, and the names it runs.

    `failed` are, for each study, how many of its three variants have failed.
    """
    with mock.patch('colornet.studies.runner.run_studies') as run_studies:
        run_studies.return_value = [
            (SimpleNamespace(name='study%d' % number, variants=[1, 2, 3]),
             'table %d' % number, num_failed)
            for number, num_failed in enumerate(failed)]
        status, out, _ = run('study', *arguments + (
            '--data', tiny.PHOTOS, '--results', 'results'))
    return status, out, run_studies.call_args[0][0]


def test_all_are_the_studies_that_ship():
    _, _, names = run_study('all')
    eq_(names, [str(path) for path in find_studies()])
    _, _, names = run_study('bins', 'my.ini')
    eq_(names, ['bins', 'my.ini'])


def test_tables_are_printed_and_the_status_tells_what_failed():
    for failed, expected in (((0, 0), 0), ((0, 1), 1), ((3, 2), 1),
                             ((3, 3), 2)):
        status, out, _ = run_study('bins', failed=failed)
        eq_(status, expected, failed)
        for number in 0, 1:
            assert_in('table %d\nstudy%d: %s\n' % (
                number, number, Path('results') / ('study%d.csv' % number)),
                out)


def test_a_study_that_is_none_is_refused():
    for words, arguments in (('no-such', ['no-such']),
                             ('positive', ['bins', '--threads', '0']),
                             ('half', ['bins', '--scale', 'half'])):
        check_is_refused(words, 'study', '--data', tiny.PHOTOS, *arguments)


def test_the_report_tells_what_is_missing():
    with mock.patch('colornet.studies.report.make_report',
                    return_value=['Table 1: run "make table1"']) as make:
        status, out, _ = run('report', '--runs', 'a', '--results', 'b',
                             '--out', 'c/report.html')
    eq_(make.call_args[0], ('a', 'b', 'c/report.html'))
    eq_((status, out), (0, 'missing: Table 1: run "make table1"\n'
                           'written to c/report.html\n'))
