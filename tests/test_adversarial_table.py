"""Test photos of the adversarial training: scored by what ``make`` starts."""

import contextlib
import importlib.util
import io
from collections import OrderedDict
from unittest import mock

from nose.tools import assert_in, eq_
from numpy.testing import assert_allclose

from colornet.files import read_csv
from colornet.resources import find_resource, weights_file
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

        def evaluate(network, data_folder, dataset=None, decoding=(),
                     engine=None):
            eq_((data_folder, dataset, engine), ('photos', 'cvcl', 'onnx'))
            asked.append((network, decoding))
            return {'mean': OrderedDict(
                (metric, (number + 1) * len(asked) / 100)
                for number, metric in enumerate(TOOL.COLUMNS))}
        network = self.root / 'network.h5'
        network.write_bytes(b'')
        out = self.root / 'test.csv'
        with mock.patch.object(TOOL, 'evaluate_network', evaluate), \
                contextlib.redirect_stdout(io.StringIO()) as shown:
            TOOL.write_table('photos', network, out, 'onnx')
        start = find_resource(weights_file('cvcl_best'))
        eq_([one for one, _ in asked], 4 * [start] + [network])
        plain = ['decoding.method=mean', 'decoding.temperature=0.38']
        eq_([decoding for _, decoding in asked], [
            plain + ['decoding.saturation=' + factor]
            for factor in ('1', '1.2', '1.3')] + [
                [], plain + ['decoding.saturation=1']])
        rows = read_rows(out)
        eq_(list(rows), NAMES)
        # Shares are in percent.
        assert_allclose([rows['start, mean, times 1.3'][metric] for metric in
                         ('acc_u', 'acc_v', 'sat_diff_pooled',
                          'colourfulness_ratio', 'psnr')],
                        [3, 6, 9, 0.12, 0.15])
        eq_(shown.getvalue(), TOOL.format_table(rows) + '\n')

    def test_what_is_no_table_is_refused_before_the_work(self):
        with mock.patch.object(TOOL, 'evaluate_network') as evaluate:
            tiny.check_error(lambda: TOOL.write_table(
                'photos', 'network.h5', self.root / 'test.json'), '.csv')
        eq_(evaluate.call_count, 0)


def test_the_page_shows_the_table_that_ships():
    rows = read_rows(find_resource('experiments/results/adversarial_test.csv'))
    eq_(list(rows), NAMES)
    assert_in('\n'.join('    ' + line for line in
                        TOOL.format_table(rows).splitlines()) + '\n',
              (tiny.ROOT / 'docs' / 'adversarial.rst').read_text())


def test_table_2_has_the_same_numbers():
    """Of the two that have its decoding, by the engine of another day."""
    rows = read_rows(find_resource('experiments/results/adversarial_test.csv'))
    table = {row['system']: row for row in read_csv(
        find_resource('experiments/results/table2.csv'))}
    for name, system in (('start, best class, times 1.05', 'best'),
                         ('adversarial, mean', 'adversarial')):
        for metric, number in rows[name].items():
            assert_allclose(number, float(table[system][metric]), rtol=1e-3,
                            atol=0.01)


def test_make_writes_it():
    assert_in("tools/adversarial_table.py 'a b' ",
              dry_run('adversarial', 'CVCL=a b'))
