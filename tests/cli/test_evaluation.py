"""Commands that score: what they refuse before the work."""

from nose.tools import assert_in

from colornet.evaluation.figures import FIGURES
from tests import tiny
from tests.cli.commands import check_is_refused, run


def test_outputs_are_checked_before_the_work():
    photos = ['--data', tiny.PHOTOS, '--out', tiny.PHOTOS]
    for command in (['evaluate', '/no/such.h5'], ['table2'],
                    ['decodings', '/no/such.h5'], ['everyday'], ['hints'],
                    ['figure', '5']):
        check_is_refused('photos', *command + photos)
    check_is_refused('/dev/null/a', 'evaluate', '/no/such.h5', '--data',
                     tiny.PHOTOS, '--pictures', '/dev/null/a')
    for command, suffix in (
            (['evaluate', '/no/such.h5', '--data', tiny.PHOTOS], '.json'),
            (['table1'], '.csv'), (['table2'], '.csv'), (['report'], '.html')):
        check_is_refused(suffix, *command + ['--out', 'x.png'])
    check_is_refused('.h5', 'export', '/no/such.h5', 'x.png')


def test_everyday_photos_that_are_not_there():
    photos = ['everyday', '--data', tiny.PHOTOS]
    check_is_refused('/no/such', 'everyday', '--data', '/no/such')
    check_is_refused('/no/such.txt', *photos + ['--list', '/no/such.txt'])
    check_is_refused('/no/such.h5', *photos + ['--network', '/no/such.h5'])
    check_is_refused('decoding.colour', *photos + ['--decoding', 'colour=1'])
    check_is_refused('unknown suffix', *photos + ['--sheet', 'sheet.doc'])
    check_is_refused('positive', *photos + ['--every', '0'])
    photos = ['hints', '--data', tiny.PHOTOS]
    check_is_refused('/no/such.txt', *photos + ['--list', '/no/such.txt'])
    check_is_refused('unknown suffix', *photos + ['--sheet', 'sheet.doc'])


def test_figures_of_layers_take_no_photos():
    check_is_refused('--data', 'figure', '2', '--data', tiny.PHOTOS)


def test_the_help_names_the_figures_of_any_photos():
    _, out, _ = run('figure', '--help')
    assert_in('(figures %s)' % ', '.join(
        str(number) for number, figure in FIGURES.items() if figure.score),
        ' '.join(out.split()))


def test_the_sheet_is_checked_before_the_network_is_loaded():
    check_is_refused('unknown suffix ".doc"', 'evaluate', '/no/such.h5',
                     '--data', tiny.PHOTOS, '--sheet', '/tmp/sheet.doc')
