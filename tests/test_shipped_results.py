"""Results of the studies that ship: tables, curves, findings, README."""

import re
import textwrap
from collections import OrderedDict

import numpy as np
from nose.tools import assert_almost_equal, assert_in, eq_, ok_

from colornet.files import read_csv
from colornet.metrics import in_units
from colornet.studies.study import find_studies, load_study, plan_study
from tests import tiny

RESULTS = tiny.ROOT / 'experiments' / 'results'
STUDIES = [load_study(path) for path in find_studies()]


def rows_of(study, ending='.csv'):
    """Rows of one of the study's files by variant."""
    found = OrderedDict()
    for row in read_csv(RESULTS / (study.name + ending)):
        found.setdefault(row['variant'], []).append(row)
    return found


def test_every_study_has_numbers_of_every_variant_and_a_finding():
    ok_(len(STUDIES) >= 15)
    for study in STUDIES:
        rows = rows_of(study)
        eq_(set(rows), set(study.variants), study.name)
        for variant in plan_study(study, 'quick'):
            row, = rows[variant.name]
            eq_((row['scale'], row['status']), ('quick', 'done'))
            settings = variant.overrides + variant.decoding
            eq_(row['settings'].split('; ')[:len(settings)] if settings
                else '', settings or '', (study.name, variant.name))
            for name in study.columns:
                ok_(row[name], (study.name, variant.name, name))
        ok_(study.finding, study.name)


def check_against_curve(row, points):
    """A row's numbers of the training follow from its epochs."""
    def column(name):
        return [float(point[name]) for point in points if point.get(name)]

    def check(name, expected):
        assert_almost_equal(float(row[name]), expected,
                            delta=1e-4 * abs(expected))
    eq_([float(row[name]) for name in ('epochs', 'minibatches')],
        [column(name)[-1] for name in ('epoch', 'minibatches')])
    check('training_loss', column('training_loss')[-1])
    check('peak_mb', max(column('peak_mb')))
    # Seconds of the curves have one decimal place.
    seconds = np.diff([0.] + column('seconds')).min()
    assert_almost_equal(float(row['seconds_per_image']) * int(row['photos']),
                        seconds, delta=0.11)
    losses = column('validation_loss')
    if losses:
        check('validation_loss', min(losses))
        eq_(int(row['best_epoch']), 1 + int(np.argmin(losses)))
        for name in 'acc_u', 'acc_v', 'sat_diff', 'psnr':
            # Scored again, of the network in float16.
            if study_scores_argmax(row):
                assert_almost_equal(
                    float(row[name]),
                    column(name)[int(np.argmin(losses))],
                    delta=1e-2 if name != 'psnr' else 0.1)


def study_scores_argmax(row):
    return 'decoding.' not in row['settings']


def test_tables_follow_from_their_curves():
    for study in STUDIES:
        curves = rows_of(study, '_curves.csv')
        for variant, (row,) in rows_of(study).items():
            points = curves[variant]
            if study.curve == ['minibatch']:
                losses = [float(point['training_loss']) for point in points]
                eq_(len(losses), int(row['minibatches']))
                tenth = len(losses) // 10
                assert_almost_equal(
                    float(row['loss_decrease']),
                    (losses[0] - np.mean(losses[-tenth:])) / len(losses),
                    delta=1e-6)
                assert_almost_equal(float(row['lowest_loss']), min(
                    np.mean(losses[start:start + 10])
                    for start in range(len(losses) - 9)), delta=1e-4)
            else:
                check_against_curve(row, points)


#: Columns that findings name besides those of their study's table.
ALSO = ['training_loss', 'validation_loss', 'epochs', 'best_epoch', 'photos',
        'size', 'sat_diff', 'psnr', 'inconsistency']


def numbers_of(study):
    """What a finding may say: names, settings and numbers of the results.

    Those of the seeds, which tell what chance does, are everybody's.
    """
    known = [] if study.name == 'seeds' else list(numbers_of(load_study(
        'seeds')))
    for variant, (row,) in rows_of(study).items():
        words = '%s %s' % (variant, row['settings'])
        known += [float(word) for word in re.findall(r'\d+(?:\.\d+)?', words)]
        known += [in_units(name, float(row[name]))
                  for name in study.columns + ALSO if row.get(name)]
    for points in rows_of(study, '_curves.csv').values():
        known += [float(point[name]) for point in points
                  for name in ('epoch', 'training_loss', 'validation_loss',
                               'minibatches') if point.get(name)]
    return np.array(known)


def test_findings_have_the_numbers_of_their_tables():
    for study in STUDIES:
        known = numbers_of(study)
        # Names, such as VGG16 and L2, and sizes are no findings.
        text = re.sub(r'[A-Za-z]+\d+|\d+ x \d+|\(choice \d+\)|Table \d',
                      '', study.finding)
        for word in re.findall(r'-?\d+(?:\.\d+)?', text):
            places = len(word.partition('.')[2])
            ok_(np.any(np.abs(known - float(word)) <=
                       0.5 * 10. ** -places + 1e-9), (study.name, word))


def row_of(study):
    """The study's row in the README's table."""
    cells = ['``%s`` (%s)' % (study.name, study.section), study.claim,
             study.finding, study.agrees or 'n/a']
    return ''.join(textwrap.fill(
        cell, 79, initial_indent='     - ' if number else '   * - ',
        subsequent_indent='       ', break_long_words=False,
        break_on_hyphens=False) + '\n' for number, cell in enumerate(cells))


def test_the_readme_has_what_the_studies_found():
    readme = (tiny.ROOT / 'README.rst').read_text(encoding='utf-8')
    for study in STUDIES:
        assert_in(row_of(study), readme)


def test_table_of_everyday_photos_follows_from_its_scores():
    rows = read_csv(RESULTS / 'everyday.csv')
    text = (tiny.ROOT / 'docs' / 'everyday.rst').read_text()
    table = re.search(r'\nnetwork .*\n=.*\n((?:.*\n)+?)=',
                      text).group(1).splitlines()
    eq_(len(table), len(rows))
    for line, row in zip(table, rows):
        ok_(line.startswith(row['network'] + ' '), line)
        assert_in(row['decoding'], line)
        eq_(line.split()[-7:], [form % float(row[name]) for form, name in (
            ('%.2f', 'psnr'), ('%+.2f', 'psnr_gain'),
            ('%.1f', 'nearer_than_grey'), ('%.2f', 'colourfulness_ratio'),
            ('%.2f', 'auc'), ('%.2f', 'acc_u'), ('%.2f', 'acc_v'))])
        eq_(row['photos'], '422')
