"""A study's tables: which rows are replaced, which stay."""

import contextlib
import tempfile
from collections import OrderedDict
from pathlib import Path

from nose.tools import eq_

from colornet.files import read_csv
from colornet.studies.results import Results
from colornet.studies.saving import merge_results, refuse_other_settings
from colornet.studies.study import Session, load_study
from tests import tiny

STUDY = load_study('seeds')


@contextlib.contextmanager
def session(*overrides, scale='quick'):
    with tempfile.TemporaryDirectory() as folder:
        yield session_in(folder, *overrides, scale=scale)


def session_in(folder, *overrides, scale='quick'):
    return Session(scale=scale, folder=Path(folder), data_folder=Path(folder),
                   results_folder=Path(folder), overrides=list(overrides))


def results_of(scale='quick', diverged=(), command='colornet study seeds',
               **numbers):
    """Results of variants: a number, or why there is none."""
    rows, curves = OrderedDict(), []
    for variant, number in numbers.items():
        is_done = not isinstance(number, str)
        rows[variant] = OrderedDict([
            ('study', 'seeds'), ('variant', variant), ('scale', scale),
            ('status', 'done' if is_done else number), ('command', command)])
        if is_done:
            rows[variant]['acc_u'] = number
            curves.append({'variant': variant, 'scale': scale, 'epoch': 1,
                           'acc_u': number})
    return Results(rows=rows, curves=curves, diverged=set(diverged))


def read(session, ending='.csv'):
    """(variant, scale, accuracy) of each row."""
    return [(row['variant'], row['scale'], row['acc_u']) for row in read_csv(
        session.results_folder / (STUDY.name + ending))]


def test_new_numbers_replace_those_of_the_scale():
    with session() as quick:
        merge_results(STUDY, quick, results_of(a=0.5, b=0.25))
        full = session_in(quick.folder, scale='full')
        merge_results(STUDY, full, results_of('full', a=1))
        merge_results(STUDY, quick, results_of(a=0.75, c=0.125))
        expected = [('a', 'full', '1'), ('a', 'quick', '0.75'),
                    ('c', 'quick', '0.125')]
        eq_(read(quick), expected)
        eq_(read(quick, '_curves.csv'), expected)


def test_numbers_stay_where_there_are_no_new_ones():
    with session() as quick:
        merge_results(STUDY, quick, results_of(a=0.5, b=0.25, c=0.75))
        merge_results(STUDY, quick, results_of(
            a='the disk is full', b='training diverged', c=1,
            d='the disk is full', diverged=['b']))
        eq_(read(quick), [('a', 'quick', '0.5'), ('b', 'quick', ''),
                          ('c', 'quick', '1'), ('d', 'quick', '')])
        eq_(read(quick, '_curves.csv'), [('a', 'quick', '0.5'),
                                         ('c', 'quick', '1')])


def test_numbers_of_other_settings_are_told():
    made_by = 'colornet study seeds --data DIR --scale quick'
    with session() as plain:
        seed = session_in(plain.folder, 'training.seed=5')
        for command, refused, welcome in (
                (made_by, seed, plain),
                (made_by + ' --set training.seed=5', plain, seed),
                (made_by + " --set 'training.seed=4' --set "
                 "'training.seed = 5'", plain, seed)):
            merge_results(STUDY, plain, results_of(command=command, a=1))
            refuse_other_settings(STUDY, welcome)
            tiny.check_error(lambda: refuse_other_settings(STUDY, refused),
                             'seeds.csv', command, '--results')
            refuse_other_settings(STUDY, session_in(
                plain.folder, 'training.seed=6', scale='full'))
        # Where there are no numbers, none are lost.
        merge_results(STUDY, plain, results_of(a='the disk is full',
                                               diverged=['a']))
        refuse_other_settings(STUDY, seed)
