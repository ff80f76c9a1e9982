"""What ships of consistency, beside docs/refinement.rst and the settings."""

from nose.tools import assert_in, eq_, ok_
from numpy.testing import assert_allclose

from colornet.config import load_config
from colornet.resources import find_resource
from colornet.schema import SCHEMA
from colornet.studies.combinations import CANDIDATES
from colornet.studies.consistency import format_intervals, format_table
from tests import tiny
from tests.studies.test_consistency import numbers_of, read_rows


def read_shipped(name):
    return numbers_of(read_rows(find_resource('experiments/results/%s.csv' %
                                              name)))


def test_the_page_shows_the_table_that_ships():
    page = (tiny.ROOT / 'docs' / 'refinement.rst').read_text()
    lines = format_table(read_shipped('consistency')).splitlines()
    ok_(len(lines) > 70)
    for line in lines:
        assert_in(line, page)


def test_the_page_shows_the_intervals_that_ship():
    rows = read_shipped('consistency_default_intervals')
    page = (tiny.ROOT / 'docs' / 'refinement.rst').read_text()
    lines = format_intervals(rows).splitlines()
    ok_(len(lines) > 5)
    for line in lines:
        assert_in('    %s\n' % line if line else '', page)
    for row in rows:
        ok_(row['low'] <= row['difference'] <= row['high'])
        assert_allclose(row['with'] - row['without'], row['difference'],
                        rtol=1e-5, atol=2e-4)


def test_intervals_of_all_ways_are_of_the_table():
    means = {(row['photos'], row['network'], row['decoder'], row['steps']): row
             for row in read_shipped('consistency')}
    rows = read_shipped('consistency_intervals')
    eq_(len(rows), 4 * sum(key[2] != 'oracle' and key[3] != 'none'
                           for key in means))
    for row in rows:
        key = row['photos'], row['network'], row['decoder'], row['steps']
        eq_(row['count'], means[key]['count'])
        assert_allclose(row['with'], means[key][row['metric']], rtol=1e-5,
                        atol=1e-5)
        # The page: total variation helps by more than chance, but once.
        if row['steps'] == 'total_variation' and row['metric'] in (
                'psnr_gain', 'inconsistency'):
            eq_(row['low'] * row['high'] < 0,
                (key[1:3], row['metric']) == (('everyday', 'mean'),
                                              'psnr_gain'), row)


def no_harm(rows, step, decoder):
    """Rows of a step that are no worse than those without."""
    none, = [row for row in rows
             if (row['decoder'], row['steps']) == (decoder, 'none')]
    return [row for row in rows
            if (row['decoder'], row['steps']) == (decoder, step) and
            row['psnr_gain'] >= none['psnr_gain'] and
            round(row['edge_error'], 2) <= round(none['edge_error'], 2) and
            (step != 'total_variation' or row['colourfulness_ratio'] >=
             0.95 * none['colourfulness_ratio'])]


def most_even(rows):
    """Of those that are so to the page's digit, the first: the weakest."""
    return min(rows, key=lambda row: round(row['inconsistency'], 1))


def test_settings_are_those_that_the_rules_take():
    """docs/refinement.rst: the most even that does no harm; or others."""
    rows = read_shipped('consistency_choices')
    others = read_shipped('consistency_choices_others')
    even = no_harm(rows, 'total_variation', 'own')
    # Of segments, none pass.
    eq_(no_harm(others, 'segments', 'argmax'), [])
    config = load_config().refinement
    for taken in (
            most_even(even),
            most_even(no_harm(others, 'crf', 'argmax')),
            most_even(no_harm(others, 'fade', 'argmax')),
            max((row for row in others if row['steps'] == 'segments'),
                key=lambda row: row['psnr_gain']),
            min((row for row in others if row['steps'] == 'guided'),
                key=lambda row: row['edge_error'])):
        for change in taken['changes'].split():
            setting, _, text = change.partition('=')
            eq_(config[setting], SCHEMA['refinement'][setting](text),
                taken['steps'])
    # By the mean, too.
    assert_in(most_even(even)['changes'],
              [row['changes']
               for row in no_harm(rows, 'total_variation', 'mean')])


def test_candidates_that_ship_are_those_of_the_commands():
    for name, is_there, count in (
            ('', lambda steps: steps == 'total_variation', 40),
            ('_others', lambda steps: steps != 'total_variation', 25)):
        eq_([(row['decoder'], row['steps'], row['changes'], row['count'])
             for row in read_shipped('consistency_choices' + name)],
            [(one.decoder, one.steps, one.text, count) for one in CANDIDATES
             if one.steps == 'none' or is_there(one.steps)])


def test_the_page_shows_candidates_that_ship():
    page = (tiny.ROOT / 'docs' / 'refinement.rst').read_text()
    table = page[page.index('    weight slope contrast'):].split('\n\n')[0]
    lines = [line.split() for line in table.splitlines()[1:]]
    ok_(len(lines) > 10)
    ways = [' '.join(line[:-4]) for line in lines]
    eq_(len(set(ways)), len(ways))
    for row in read_shipped('consistency_choices'):
        way = ' '.join([change.partition('=')[2] for change in
                        row['changes'].split()] or ['none'])
        way += ' ' + row['decoder']
        if way in ways:
            eq_(lines[ways.index(way)][-4:], [
                form % row[name] for form, name in (
                    ('%.3f', 'psnr_gain'), ('%.3f', 'edge_error'),
                    ('%.1f', 'inconsistency'),
                    ('%.3f', 'colourfulness_ratio'))])
            ways[ways.index(way)] = 'found'
    eq_(set(ways), {'found'})
