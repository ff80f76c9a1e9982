"""Which speed-ups are wanted."""
import subprocess
import sys

from nose.tools import eq_, ok_

from colornet.engine import switches
from colornet.engine.switches import SPEEDUPS, switch_off, wanted, without
from tests.tiny import ROOT, check_error


def unwanted():
    return [name for name in SPEEDUPS if not wanted(name)]


def test_each_is_an_entry_of_its_own():
    for name, speedup in SPEEDUPS.items():
        eq_(speedup.name, name)
        ok_(speedup.what)
        ok_(not speedup.needs or speedup.needs in SPEEDUPS)
        if speedup.source:
            source = 'colornet/engine/cpp/%s.cpp' % speedup.source
            ok_((ROOT / source).exists(), source)
        eq_(bool(speedup.links), bool(speedup.install))


def test_within_a_with_statement_others_are_off():
    before = unwanted()
    with without('onednn', 'winograd'):
        eq_(unwanted(), ['onednn', 'winograd'])
        with without('stack'):
            eq_(unwanted(), ['stack'])
        with without():
            eq_(unwanted(), [])
        eq_(unwanted(), ['onednn', 'winograd'])
    eq_(unwanted(), before)
    try:
        with without(*SPEEDUPS):
            eq_(unwanted(), list(SPEEDUPS))
            raise KeyError
    except KeyError:
        eq_(unwanted(), before)


def test_switched_off_for_all_of_a_process():
    before = unwanted()
    try:
        switch_off(['winograd'])
        eq_(unwanted(), ['winograd'])
        with without('stack'):
            switch_off([])
            eq_(unwanted(), ['stack'])
        eq_(unwanted(), [])
    finally:
        switch_off(before)


def test_unknown_names():
    before = unwanted()
    for names in ['colonels'], ['stack', 'colonels']:
        check_error(lambda: switch_off(names), 'colonels', 'winograd')
        check_error(without(*names).__enter__, 'colonels', 'winograd')
        eq_(unwanted(), before)


def test_the_list_needs_no_theano():
    loaded = subprocess.check_output(
        [sys.executable, '-c', 'import sys, %s; print(*sys.modules)'
         % switches.__name__], cwd=str(ROOT), universal_newlines=True).split()
    ok_('theano' not in loaded and 'numpy' not in loaded)
