"""Test photos of the adversarial training: scored by what ``make`` starts."""

import contextlib
import importlib.util
import io
from collections import OrderedDict
from unittest import mock

from nose.tools import assert_in, eq_, ok_
from numpy.testing import assert_allclose

from colornet.files import read_csv
from colornet.resources import find_resource, weights_file
from colornet.training.history import best_epoch
from tests import tiny
from tests.test_makefile import dry_run


def load_tool():
    spec = importlib.util.spec_from_file_location(
        'adversarial_table', str(tiny.ROOT / 'tools/adversarial_table.py'))
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


TOOL = load_tool()
NAMES = [name for ways in TOOL.WAYS.values() for name, _ in ways]


def read_rows(path):
    rows = OrderedDict()
    for row in read_csv(path):
        name = row.pop('network')
        rows[name] = {metric: float(text) for metric, text in row.items()}
    return rows


class TestTable(tiny.InFolder):
    NUM_PHOTOS = 0

    def test_each_network_is_scored_by_its_decodings(self):
        asked = []

        def evaluate(network, data_folder, subset, dataset=None, decoding=(),
                     engine=None):
            eq_((data_folder, dataset, engine), ('photos', 'cvcl', 'onnx'))
            asked.append((subset, network, decoding))
            return {'mean': OrderedDict(
                (metric, (number + 1) * len(asked) / 100)
                for number, metric in enumerate(TOOL.COLUMNS))}
        network = self.root / 'network.h5'
        network.write_bytes(b'')
        out, held_out = self.root / 'test.csv', self.root / 'held_out.csv'
        with mock.patch.object(TOOL, 'evaluate_network', evaluate), \
                contextlib.redirect_stdout(io.StringIO()) as shown:
            TOOL.write_tables('photos', network, out, held_out, 'onnx')
        start = find_resource(weights_file('cvcl_best'))

        def mean(factor):
            return ['decoding.method=mean', 'decoding.temperature=0.38',
                    'decoding.saturation=' + factor]
        eq_(asked, [('validation', start, mean(factor))
                    for factor in ('1', '1.1', '1.2', '1.3')] +
            [('test', start, mean(factor)) for factor in ('1', '1.2', '1.3')] +
            [('test', start, []), ('test', network, mean('1'))])
        rows = read_rows(out)
        eq_(list(rows), NAMES)
        # Shares are in percent.
        assert_allclose([rows['start, mean, times 1.3'][metric] for metric in
                         ('acc_u', 'acc_v', 'sat_diff_pooled',
                          'colourfulness_ratio', 'psnr')],
                        [7, 14, 21, 0.28, 0.35])
        eq_(shown.getvalue(), '%s\n%s\n' % (
            TOOL.format_table(read_rows(held_out), 'validation'),
            TOOL.format_table(rows)))

    def test_what_is_no_table_is_refused_before_the_work(self):
        good, bad = self.root / 'test.csv', self.root / 'test.json'
        with mock.patch.object(TOOL, 'evaluate_network') as evaluate:
            for files in (good, bad), (bad, good):
                tiny.check_error(lambda: TOOL.write_tables(
                    'photos', 'network.h5', *files), '.csv')
        eq_(evaluate.call_count, 0)


def read_shipped(name):
    return read_rows(find_resource('experiments/results/%s.csv' % name))


def test_the_page_shows_the_tables_that_ship():
    page = (tiny.ROOT / 'docs' / 'adversarial.rst').read_text()
    for name, subset, ways in (
            ('adversarial_test', 'test', TOOL.WAYS),
            ('adversarial_held_out', 'validation', TOOL.FACTORS)):
        rows = read_shipped(name)
        eq_(list(rows), [name for found in ways.values() for name, _ in found])
        assert_in('\n'.join('    ' + line for line in TOOL.format_table(
            rows, subset).splitlines()) + '\n', page)


def test_the_factor_is_that_which_the_rule_takes():
    rows = read_shipped('adversarial_held_out')
    history = [{name: row[name] / (1 if name == 'colourfulness_ratio' else
                                   100)
                for name in ('acc_u', 'acc_v', 'sat_diff_pooled',
                             'colourfulness_ratio')}
               for row in rows.values()]
    taken = best_epoch([dict(row, validation_loss=0) for row in history],
                       'colourfulness')
    eq_(list(rows)[taken - 1], 'start, mean, times 1.3')
    # Before, it is the network that the training started from.
    first = read_csv(find_resource('experiments/results/adversarial.csv'))[0]
    for name, number in history[0].items():
        assert_allclose(number, float(first[name]), atol=0.004)


def test_table_2_has_the_same_numbers():
    """Of the two that have its decoding, by the engine of another day."""
    rows = read_shipped('adversarial_test')
    table = {row['system']: row for row in read_csv(
        find_resource('experiments/results/table2.csv'))}
    for name, system in (('start, best class, times 1.05', 'best'),
                         ('adversarial, mean', 'adversarial')):
        for metric, number in rows[name].items():
            assert_allclose(number, float(table[system][metric]), rtol=1e-3,
                            atol=0.01)


def test_make_writes_it():
    run = dry_run('adversarial', 'CVCL=a b')
    assert_in("tools/adversarial_table.py 'a b' ", run)
    # What ships as adversarial.csv is the log of the training.
    ok_('adversarial.csv' not in run)
    for name in 'photos', 'held_out', 'test':
        assert_in('adversarial_%s.csv' % name, run)
