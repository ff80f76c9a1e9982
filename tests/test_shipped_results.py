"""Results that ship: tables, curves and findings of studies, Table 2."""

import re
import tempfile
from collections import OrderedDict
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from pathlib import Path

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_almost_equal, assert_in, eq_, ok_
from PIL import Image

from colornet import cli
from colornet.evaluation.decodings import DECODINGS
from colornet.evaluation.table2 import NETWORKS, PAIRS, PAPER
from colornet.files import read_csv
from colornet.metrics import in_units
from colornet.studies import report
from colornet.studies.study import find_studies, load_study, plan_study
from colornet.training.history import best_epoch
from tests import tiny
from tests.test_makefile import dry_run

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
        best = (len(losses) if 'training.keep=last' in row['settings'] else
                1 + int(np.argmin(losses)))
        eq_(int(row['best_epoch']), best)
        check('validation_loss', min(losses))
        for name in 'acc_u', 'acc_v', 'sat_diff', 'psnr':
            # Scored again, of the network in float16.
            if study_scores_argmax(row):
                assert_almost_equal(
                    float(row[name]),
                    column(name)[best - 1],
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


def numbers_of(study, is_whole):
    """What a number of a finding may be.

    Those of the seeds tell what chance does, to findings that name them.
    """
    rows = [row for rows in rows_of(study).values() for row in rows]
    columns = study.columns + (['photos', 'epochs', 'minibatches'] if is_whole
                               else [])
    found = [in_units(name, float(row[name])) for row in rows
             for name in columns]
    for row in rows:
        found += map(float, re.findall(r'\d+(?:\.\d+)?', '%s %s' % (
            row['variant'], row['settings'])))
    if 'minibatches' in study.curve and not is_whole:
        found += [float(point['validation_loss']) for points in
                  rows_of(study, '_curves.csv').values() for point in points]
    if study.name != 'seeds' and 'seeds' in study.finding:
        found += [in_units(name, float(row[name]))
                  for rows in rows_of(load_study('seeds')).values()
                  for row in rows for name in study.columns if row[name]]
    return np.array(found)


def wrong_numbers(study, finding):
    """Numbers of a finding that the study's table does not have."""
    # Names, such as VGG16 and L2, and sizes are no findings.
    text = re.sub(r'[A-Za-z]+\d+|\d+ x \d+|\(choice \d+\)|Table \d',
                  '', finding)
    known = {is_whole: numbers_of(study, is_whole)
             for is_whole in (False, True)}
    return [word for word in re.findall(r'-?\d+(?:\.\d+)?', text)
            if not np.any(np.abs(known['.' not in word] - float(word)) <=
                          0.5 * 10. ** -len(word.partition('.')[2]) + 1e-9)]


def test_findings_have_the_numbers_of_their_tables():
    for study in STUDIES:
        eq_(wrong_numbers(study, study.finding), [], study.name)


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


#: Columns of docs/results.rst, heading and format, of each table and its file.
SHOWN = [
    ('table2', 'system', [
        ('acc_u', 'Acc U, %', '%.2f'), ('acc_v', 'Acc V, %', '%.2f'),
        ('sat_diff', 'sat diff, %', '%+.1f'),
        ('acc_u_8', 'U, 8 units', '%.2f'), ('acc_v_8', 'V, 8 units', '%.2f')]),
    ('table2', 'system', [
        ('abs_sat_diff', '|sat diff|, %', '%.1f'),
        ('sat_diff_pooled', 'pooled, %', '%+.1f'),
        ('colourfulness_predicted', 'colourful', '%.1f'),
        ('l_reg', 'L_reg', '%.0f'), ('psnr', 'PSNR, dB', '%.2f'),
        ('ssim', 'SSIM', '%.3f')]),
    ('table2', 'system', [
        ('within_1_u', 'U within 1', '%.1f'), ('within_2_u', '2', '%.1f'),
        ('within_3_u', '3 bins', '%.1f'),
        ('within_1_v', 'V within 1', '%.1f'), ('within_2_v', '2', '%.1f'),
        ('within_3_v', '3 bins', '%.1f')]),
    ('table2', 'system', [
        ('psnr_gain', 'gain, dB', '%+.2f'),
        ('nearer_than_grey', 'nearer than grey, %', '%.0f'),
        ('colourfulness_ratio', 'colourfulness ratio', '%.2f'),
        ('auc', 'AuC, %', '%.2f')]),
    ('decodings', 'decoding', [
        (name, heading or name, form) for form, columns in (
            ('%.2f', [('acc_u', ''), ('acc_v', ''), ('acc_u_8', ''),
                      ('acc_v_8', ''), ('within_1_u', ''), ('within_1_v', ''),
                      ('sat_diff', '')]),
            ('%.3f', [('psnr', ''), ('ssim', ''),
                      ('colourfulness_predicted', 'colourful'),
                      ('edge_error', ''), ('error_elsewhere', 'elsewhere'),
                      ('inconsistency', 'inconsistent')]))
        for name, heading in columns]),
]

INTERVALS = 'acc_u', 'acc_v', 'sat_diff', 'abs_sat_diff'


def roundings(text, form, unit=1):
    """A number as a table shows it: two, where it ends in half a digit.

    That many digits do not tell what they were rounded from.
    """
    value = Decimal(text) * unit
    last = Decimal(1).scaleb(-int(re.search(r'[.](\d)', form).group(1)))
    return {('+' if '+' in form and value >= 0 else '') +
            str(value.quantize(last, way))
            for way in (ROUND_HALF_UP, ROUND_HALF_DOWN)}


def expected_tables():
    """Heading and rows of each table of docs/results.rst.

    A heading is a list of words; a row, of sets of what each word may be.
    """
    for name, first, columns in SHOWN:
        rows = []
        for row in read_csv(RESULTS / (name + '.csv')):
            if not any(row[column] for column, _, _ in columns):
                continue
            cells = [{word} for word in row[first].split()]
            for column, _, form in columns:
                # Table 2 has percent in its file, and the paper no signs.
                unit = (int(in_units(column, 1)) if name == 'decodings' else 1)
                if row[first] in PAPER:
                    form = form.replace('+', '')
                cells.append(roundings(row[column], form, unit)
                             if row[column] else {'-'})
            rows.append(cells)
        yield ' '.join([first] + [heading for _, heading, _ in
                                  columns]).split(), rows
    bounds = OrderedDict()
    for row in read_csv(RESULTS / 'table2_intervals.csv'):
        bounds.setdefault(row['system'], {})[row['metric']] = row
    rows = []
    for system, found in bounds.items():
        rows.append([{word} for word in system.split()])
        for metric in INTERVALS:
            rows[-1] += [{form % text for text in roundings(
                found[metric][name], '%.2f')}
                for name, form in (('low', '[%s,'), ('high', '%s]'))]
    yield ['95', '%', 'intervals'] + list(INTERVALS), rows


EXPECTED = list(expected_tables())


def read_tables(lines):
    """Line numbers of the rows of each expected table; none where none is."""
    for heading, _ in EXPECTED:
        numbers = [number for number, line in enumerate(lines)
                   if line.split() == heading]
        start = end = numbers[0] + 1 if numbers else len(lines)
        while end < len(lines) and lines[end].strip():
            end += 1
        yield range(start, end)


def wrong_rows(lines):
    """Rows of docs/results.rst that are not those of the files, or missing."""
    wrong = []
    for (heading, rows), numbers in zip(EXPECTED, read_tables(lines)):
        found = [lines[number].split() for number in numbers]
        wrong += [' '.join(words) for words, cells in zip(found, rows)
                  if len(words) != len(cells) or not all(
                      word in cell for word, cell in zip(words, cells))]
        if len(found) != len(rows):
            wrong.append('%d rows of %s' % (len(found), ' '.join(heading)))
    return wrong


def page_of_results():
    return (tiny.ROOT / 'docs' / 'results.rst').read_text(
        encoding='utf-8').split('\n')


def test_tables_in_docs_have_the_numbers_of_the_files():
    eq_(wrong_rows(page_of_results()), [])


def test_any_other_digit_in_a_table_of_docs_would_be_found():
    lines, changed, halves = page_of_results(), 0, 0
    for numbers in read_tables(lines):
        for number in numbers:
            line = lines[number]
            for match in re.finditer(r'\d(?![\d.])', line):
                found = []
                for step in 1, 9:
                    lines[number] = ''.join([
                        line[:match.start()],
                        str((int(match.group()) + step) % 10),
                        line[match.end():]])
                    found.append(bool(wrong_rows(lines)))
                ok_(any(found), lines[number])
                changed += 1
                halves += not all(found)
            lines[number] = line
    eq_(wrong_rows(lines), [])
    ok_(changed > 400, changed)
    eq_(halves, sum(len(cell) > 1 for _, rows in EXPECTED for row in rows
                    for cell in row))
    ok_(halves <= 5)


def test_the_networks_and_decodings_that_ship_are_all_there():
    systems = [row['system'] for row in read_csv(RESULTS / 'table2.csv')]
    eq_(systems, list(PAPER) + list(NETWORKS) + [
        'everyday', 'floor_mode', 'floor_grey', 'floor_lookup'])
    for row in read_csv(RESULTS / 'table2.csv'):
        if row['system'] in PAPER:
            eq_({name: float(text) for name, text in row.items()
                 if text and name != 'system'}, PAPER[row['system']])
    intervals = {}
    for row in read_csv(RESULTS / 'table2_intervals.csv'):
        intervals.setdefault(row['system'], {})[row['metric']] = row
    eq_(set(intervals), set(systems[2:]) | {
        '%s - %s' % pair for pair in PAIRS})
    for row in read_csv(RESULTS / 'table2.csv')[2:]:
        for name, found in intervals[row['system']].items():
            # Of the files that ship, one is of the other's scores.
            eq_(found['mean'], row[name], (row['system'], name))
            ok_(float(found['low']) <= float(row[name]) <=
                float(found['high']))
    decodings = read_csv(RESULTS / 'decodings.csv')
    eq_([row['decoding'] for row in decodings], list(DECODINGS))
    # Both are of the same network and photos.
    scores, = [row for row in read_csv(RESULTS / 'table2.csv')
               if row['system'] == 'classification']
    for name, text in decodings[0].items():
        if name != 'decoding':
            assert_almost_equal(in_units(name, float(text)),
                                float(scores[name]),
                                delta=1e-4 * abs(float(scores[name])))


def test_the_table_of_the_adversarial_training_is_its_log():
    rows = read_csv(RESULTS / 'adversarial.csv')
    text = (tiny.ROOT / 'docs' / 'adversarial.rst').read_text()
    table = re.search(r'\n    epoch .*\n((?:.*\n)+?)\n', text).group(1)
    eq_([line.split() for line in table.splitlines()], [
        [form % in_units(name, float(row[name])) for form, name in (
            ('%d', 'epoch'), ('%.3f', 'validation_loss'),
            ('%.3f', 'generator_loss'), ('%.3f', 'discriminator_loss'))] +
        ['%.1f' % (100 * float(row['discriminator_accuracy']))] +
        [form % in_units(name, float(row[name])) for form, name in (
            ('%.2f', 'acc_u'), ('%.2f', 'acc_v'),
            ('%+.1f', 'sat_diff_pooled'), ('%.2f', 'colourfulness_ratio'))]
        for row in rows])
    eq_(best_epoch(rows, 'colourfulness'), 6)


def test_results_that_ship_name_no_folder_and_are_no_studies():
    names = {study.name for study in STUDIES}
    others = {'table2', 'table2_intervals', 'decodings', 'everyday',
              'consistency', 'consistency_choices',
              'consistency_choices_others', 'consistency_default_intervals',
              'consistency_intervals',
              'flicker', 'adversarial', 'adversarial_held_out',
              'adversarial_test', 'benchmark', 'ghosts',
              'ghosts_stand_in'}
    for name in others:
        text = (RESULTS / (name + '.csv')).read_text()
        ok_(not re.search(r'[/\\]|\.(jpg|png|h5)', text), name)
        ok_(name not in names)
    eq_({path.stem.replace('_curves', '') for path in RESULTS.iterdir()},
        names | others)


#: Of docs/: number and width. make docs-figures makes them.
FIGURES = {5: 960, 7: 640, 8: 640}


def figure_file(number):
    return tiny.ROOT / 'docs' / ('figure%d.jpg' % number)


def test_figures_of_free_photos_are_there():
    for number, width in FIGURES.items():
        eq_(Image.open(str(figure_file(number))).width, width)
        ok_(figure_file(number).stat().st_size < 400e3)
        assert_in('image:: figure%d.jpg' % number, (
            tiny.ROOT / 'docs' / 'results.rst').read_text())


def test_targets_that_write_docs():
    assert_in('tools/studies_page.py docs/studies.rst', dry_run('docs'))
    commands = dry_run('docs-figures')
    assert_in('colornet figure $number --data demo/photos \\\n'
              '    --dataset folder --runs weights', commands)
    for number in FIGURES:
        assert_in(' %d' % number, commands)
    assert_in('docs/figure$number.jpg', commands)


def test_targets_that_docs_and_the_report_name_exist():
    text = ''.join((tiny.ROOT / 'docs' / name).read_text() for name in (
        'results.rst', 'studies.rst')) + ' '.join(
        vars(report)['_SHIPPED'].values()).replace('%s', 'figure7')
    named = set(' '.join(re.findall(
        r'(?:``|")make\s((?:[a-z0-9-]+\s*)+)(?:[A-Z]|``|")', text)).split())
    ok_({'docs-figures', 'figure5', 'bins', 'table2'} <= named, named)
    for target in named:
        dry_run(target)


@attr('slow')
def test_figures_are_what_the_command_draws():
    with tempfile.TemporaryDirectory() as folder:
        for number in FIGURES:
            out = Path(folder) / ('figure%d.jpg' % number)
            eq_(cli.main(['figure', str(number), '--data',
                          str(tiny.ROOT / 'demo' / 'photos'), '--dataset',
                          'folder', '--runs', folder, '--out', str(out)]), 0)
            made, shipped = [
                np.asarray(Image.open(str(path)), np.float64)
                for path in (out, figure_file(number))]
            eq_(made.shape, shipped.shape)
            ok_(abs(made - shipped).mean() < 2, number)
