"""Whether the benchmark's engines agree: the comparison, and they."""

import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_almost_equal, assert_in, eq_, ok_

from benchmarks import agreement
from benchmarks.agreement import (BFLOAT16_TOLERANCES, FACTOR, FLOOR,
                                  TOLERANCES, check_agreement, compare,
                                  tolerances)
from benchmarks.children import write_problem
from benchmarks.engines import (COLORNET_BFLOAT16, ONNX, PYTORCH_BFLOAT16,
                                REFERENCE)
from colornet.errors import ColornetError
from tests import tiny


def make_results():
    random = np.random.RandomState(0)
    return {'scores': random.randn(2, 3), 'losses': np.ones(3),
            'chrominance': np.zeros((10, 10)),
            'gradient a/W': random.randn(4, 5),
            'gradient b/W': 1e-9 * random.randn(4, 5),
            'average a/mean': random.randn(5)}


def check_difference(name, difference, allowed):
    """The worst of a comparison."""
    def check(results):
        worst, measured, limit = compare(results, make_results())[0]
        eq_(worst, name)
        assert_almost_equal(measured, difference, 10)
        eq_(limit, allowed)
    return check


def test_compare_equal():
    rows = compare(make_results(), make_results())
    eq_(len(rows), 6)
    eq_([difference for _, difference, _ in rows], [0.] * 6)


def test_compare_names_the_worst():
    results = make_results()
    results['scores'] = results['scores'] * (1 + 1e-6)
    results['gradient a/W'] = results['gradient a/W'] * 1.01
    check_difference('gradient a/W', 0.01, TOLERANCES['gradient'])(results)
    results['chrominance'][0, :5] = 4.
    check_difference('chrominance', 0.05, 1e-3)(results)


def test_compare_counts_what_is_only_rounding_by_others_of_its_kind():
    expected = make_results()
    results = dict(expected, **{'gradient b/W': -expected['gradient b/W']})
    rows = {row[0]: row[1] for row in compare(results, expected)}
    size = np.sqrt(np.mean(expected['gradient a/W'] ** 2))
    assert_almost_equal(rows['gradient b/W'], 2 * np.sqrt(np.mean(
        expected['gradient b/W'] ** 2)) / (FLOOR * size), 12)


def test_tolerances_follow_from_the_other_side():
    exact, theirs = make_results(), make_results()
    theirs['gradient a/W'] = theirs['gradient a/W'] * 1.0005
    allowed = tolerances(theirs, exact)
    assert_almost_equal(allowed['gradient'], 0.0005 * FACTOR, 10)
    eq_({kind: allowed[kind] for kind in TOLERANCES if kind != 'gradient'},
        {kind: TOLERANCES[kind] for kind in TOLERANCES if kind != 'gradient'})
    eq_(tolerances(exact, exact), TOLERANCES)
    eq_(tolerances(exact, exact, BFLOAT16_TOLERANCES), BFLOAT16_TOLERANCES)
    assert_almost_equal(
        tolerances(theirs, exact, dict(TOLERANCES, gradient=0.0008), 2)[
            'gradient'], 0.001, 10)
    ours = dict(exact, **{'gradient a/W': exact['gradient a/W'] * 1.0015})
    for given, fits in ((allowed, True), (TOLERANCES, False)):
        _, difference, limit = compare(ours, exact, given)[0]
        eq_(difference <= limit, fits)
    # Who is far off does not let others be.
    far = dict(exact, **{'gradient a/W': exact['gradient a/W'] * 1.1})
    eq_(tolerances(far, exact)['gradient'],
        FACTOR * TOLERANCES['gradient'])
    # What is missing or no number allows nothing.
    theirs['losses'] = np.array([np.nan, 1, 1])
    eq_(tolerances(theirs, exact)['losses'], TOLERANCES['losses'])


def test_compare_bad_values_and_missing_arrays():
    results = make_results()
    results['losses'] = np.array([1., np.nan, 1.])
    ok_(np.isnan(compare(results, make_results())[0][1]))
    for change in ({'losses': np.ones(2)}, {'more': np.ones(2)}):
        rows = compare(dict(make_results(), **change), make_results())
        eq_(rows[0][:2], (list(change)[0], float('inf')))


class FakeChild:
    """Its results differ from the exact ones by a part of their size."""

    description = 'a fake'

    def __init__(self, engine, problem, batch_size, num_threads):
        self.engine = engine

    def write_results(self, path):
        part = self.parts.get(self.engine, 0.)
        if part is None:
            raise ColornetError('%s: it is gone' % self.engine)
        np.savez(path, **{
            name: array * (1 + part) for name, array in
            make_results().items()})

    def stop(self):
        pass


def check_with(engines, parts):
    """Lines of the check, and which engines died."""
    deaths = []
    with tempfile.TemporaryDirectory() as folder, \
            mock.patch.object(agreement, 'Child', FakeChild), \
            mock.patch.object(FakeChild, 'parts', parts, create=True):
        lines = check_agreement(None, folder, 1, engines,
                                lambda *death: deaths.append(death))
    return lines, deaths


def test_engines_are_held_against_floats_as_theirs():
    engines = 'colornet', COLORNET_BFLOAT16, 'pytorch', ONNX
    lines, deaths = check_with(engines, {})
    eq_(deaths, [])
    eq_([line.split(':')[0] for line in lines], [
        'colornet', 'pytorch', 'pytorch is as near to float64 as',
        'colornet is as near to float64 as', COLORNET_BFLOAT16,
        PYTORCH_BFLOAT16, PYTORCH_BFLOAT16 + ' is as near to float64 as',
        COLORNET_BFLOAT16 + ' is as near to float64 as'])
    part = BFLOAT16_TOLERANCES['losses'] / 2
    lines, _ = check_with(engines, {COLORNET_BFLOAT16: part,
                                    PYTORCH_BFLOAT16: part})
    assert_in('losses %.0e' % part, lines[-1])
    tiny.check_error(lambda: check_with(engines, {'colornet': part}),
                     'colornet does not compute what PyTorch does')
    tiny.check_error(lambda: check_with(engines, {'pytorch': 0.1}),
                     'pytorch does not compute what PyTorch does in float64')
    tiny.check_error(
        lambda: check_with(engines, {COLORNET_BFLOAT16: 1.}),
        COLORNET_BFLOAT16 + ' does not compute')


def test_engines_that_die_are_told_and_pytorch_has_to_live():
    lines, deaths = check_with(('colornet', COLORNET_BFLOAT16),
                               {COLORNET_BFLOAT16: None})
    eq_(deaths, [(COLORNET_BFLOAT16, COLORNET_BFLOAT16 + ': it is gone')])
    eq_(len(lines), 4)
    for engine in REFERENCE, 'pytorch':
        tiny.check_error(lambda: check_with(('colornet',), {engine: None}),
                         engine + ': it is gone')


@attr('slow')
def test_the_two_sides_agree():
    tiny.need('torch')
    from colornet.engine.convolvers import bfloat16_status
    engines = ['colornet'] + [COLORNET_BFLOAT16] * (not bfloat16_status())
    deaths = []
    with tempfile.TemporaryDirectory() as folder:
        # Smaller photos have so few pixels that one at a rectifier's edge
        # shows in the gradients.
        problem = Path(folder, 'problem.npz')
        write_problem(problem, 224)
        lines = check_agreement(str(problem), folder, 2, engines,
                                lambda *death: deaths.append(death))
        with np.load(str(Path(folder, 'results.npz'))) as file:
            names = list(file)
    eq_(deaths, [])
    # Two for each layer: 10 normalizations, 6 convolutions, 2 outputs' pairs.
    eq_(len([name for name in names if name.startswith('gradient ')]),
        2 * 10 + 6 + 2 * 2)
    eq_(len(lines), 4 * len(engines))
    assert_in('chrominance 0e+00', lines[3])
    # What is rounded differs.
    ok_(all('chrominance 0e+00' not in line for line in lines[4:]))
