"""The page from what the other commands would leave."""

import html.parser
import re
import shutil
import tempfile
from pathlib import Path
from unittest import mock

from nose.tools import assert_in, assert_not_in, eq_, ok_

from colornet.errors import ColornetError, TheanoMissing
from colornet.files import read_csv, write_csv
from colornet.studies import report
from colornet.studies.report import make_report
from colornet.studies.study import find_studies, load_study
from tests import tiny


class Reader(html.parser.HTMLParser):
    """Rows of tables, sources of pictures, texts, and unclosed tags."""

    VOID = 'meta', 'img', 'br'

    def __init__(self, text):
        super().__init__()
        self.rows, self.pictures, self.words, self.opened = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.opened.append(tag)
        if tag == 'tr':
            self.rows.append([])
        elif tag in ('td', 'th'):
            self.rows[-1].append('')
        elif tag == 'img':
            self.pictures.append(dict(attributes))

    def handle_endtag(self, tag):
        eq_(self.opened.pop(), tag)

    def handle_data(self, text):
        if self.opened and self.opened[-1] in ('td', 'th'):
            self.rows[-1][-1] += text
        self.words.append(text)


def write_results(folder, name='aggregation', loss='5.25'):
    write_csv(folder / (name + '.csv'),
              ['study', 'variant', 'scale', 'settings', 'status', 'size',
               'training_loss', 'acc_u', 'command', 'git_commit', 'date'],
              [[name, 'concatenation', 'quick', '', 'done', '112', loss,
                '0.21', 'colornet study ' + name, 'abc' * 8, '2026-01-01'],
               [name, 'sum & <more>', 'quick', '', 'training diverged', '112',
                '', '', 'colornet study ' + name, 'abc' * 8, '2026-01-01']])
    write_csv(folder / (name + '_curves.csv'),
              ['variant', 'scale', 'epoch', 'training_loss'],
              [['concatenation', 'quick', '1', '6'],
               ['concatenation', 'quick', '2', loss]])


def shipping(root):
    """As ``find_resource``, where nothing ships but what is in a folder."""
    def find(name):
        if name != 'experiments' and not (root / name).exists():
            raise ColornetError('%s is missing' % name)
        return root / name
    return mock.patch.object(report, 'find_resource', find)


def test_a_page_with_nothing_tells_what_to_run():
    with tempfile.TemporaryDirectory() as folder, shipping(Path(folder)):
        root = Path(folder)
        missing = make_report(root, root, root / 'new' / 'report.html')
        page = Reader((root / 'new' / 'report.html').read_text())
    eq_(page.opened, [])
    for target in ('table1', 'table2', 'everyday', 'figure5', 'aggregation',
                   'bins'):
        ok_(any('"make %s' % target in line for line in missing), target)
    # Figures 2 and 3 are drawn at once.
    eq_(len(page.pictures), 2)
    for path in find_studies():
        assert_in(load_study(path).claim, ''.join(page.words))


def test_results_pictures_and_what_went_wrong_are_shown():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_results(root / 'results')
        write_csv(root / 'table2.csv', ['system', 'acc_u', 'l_reg'],
                  [['paper_classification', '34.64', ''],
                   ['best', '21.0789', '35771282.1']])
        photo = sorted(tiny.PHOTOS.glob('*.jpg'))[0]
        shutil.copy(str(photo), str(root / 'figure5.png'))
        (root / 'studies' / 'quick').mkdir(parents=True)
        shutil.copy(str(photo), str(root / 'studies' / 'quick' /
                                    'aggregation_photos.png'))
        write_csv(root / 'table2_intervals.csv',
                  ['system', 'metric', 'mean', 'std', 'low', 'high'],
                  [['best', 'acc_u', '21.0789', 'nan', '17', '24.5']])
        write_csv(root / 'decodings.csv', ['decoding', 'acc_u'],
                  [['argmax', '0.2']])
        write_csv(root / 'everyday.csv', ['network', 'own', 'psnr_gain'],
                  [['cvcl_best', 'yes', '-1.29541']])
        shutil.copy(str(photo), str(root / 'everyday.jpg'))
        write_csv(root / 'a_run' / 'log.csv', ['epoch', 'training_loss'],
                  [['1', '7']])
        make_report(root, root / 'results', root / 'report.html')
        text = (root / 'report.html').read_text()
    page = Reader(text)
    eq_(page.opened, [])
    assert_in(['best', '21.08', '35771282'], page.rows)
    assert_in(['best', 'acc_u', '21.08', 'nan', '17', '24.5'], page.rows)
    assert_in(['argmax', '20'], page.rows)
    assert_in(['cvcl_best', 'yes', '-1.295'], page.rows)
    assert_in('a run', [picture['alt'] for picture in page.pictures])
    assert_in(['concatenation', '5.25', '21'], page.rows)
    assert_in(['sum & <more>', 'training diverged', ''], page.rows)
    for alt in ('figure5', 'everyday', 'aggregation photos',
                'aggregation quick'):
        assert_in(alt, [picture['alt'] for picture in page.pictures])
    ok_(all(picture['src'].startswith('data:image/')
            for picture in page.pictures))
    # Pictures are text, too, and may spell anything.
    text = re.sub(r'"data:[^"]*"', '""', text)
    assert_not_in('http', text.replace('https://github', ''))


def test_damaged_files_are_told_and_the_rest_is_shown():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / 'figure5.png').write_text('no picture')
        (root / 'table2.csv').write_bytes(b'\xff\xfe,')
        (root / 'table1.csv').write_text('dataset,train\ncvcl,360\n')
        write_csv(root / 'results' / 'bins.csv', ['variant', 'acc_u'],
                  [['10', '0.1']])
        with mock.patch('colornet.evaluation.schematics.draw_network',
                        side_effect=ColornetError('no font')), \
                shipping(root):
            missing = make_report(root, root / 'results',
                                  root / 'report.html')
        page = Reader((root / 'report.html').read_text())
    eq_(page.opened, [])
    assert_in(['cvcl', '360'], page.rows)
    for word in ('Figure 2: no font', 'figure5.png: not an image',
                 'table2.csv', 'bins.csv is damaged in line 2'):
        ok_(any(word in line for line in missing), (word, missing))


def test_own_results_come_before_those_that_ship():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shipped = root / 'experiments' / 'results'
        write_results(shipped, loss='9753.5')
        write_results(shipped, 'bins', loss='8642.5')
        write_results(root / 'own')
        with shipping(root):
            make_report(root, root / 'own', root / 'report.html')
        page = Reader((root / 'report.html').read_text())
    rows = page.rows
    assert_in(['concatenation', '5.25'], [row[:2] for row in rows])
    assert_not_in('9754', sum(rows, []))
    assert_in('colornet study bins', ' '.join(page.words))


def section(text, name):
    """Of the page, what has an id."""
    start = text.index('<section id="%s"' % name)
    return text[start:text.index('</section>', start)]


NOTE = 'this ships with colornet'


def test_what_ships_is_shown_where_nothing_was_run():
    study, = [path for path in find_studies() if path.stem == 'aggregation']
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(
            report, 'find_studies', lambda: [study]):
        root = Path(folder)
        missing = make_report(root / 'runs', root / 'results',
                              root / 'report.html')
        text = (root / 'report.html').read_text()
    results = tiny.ROOT / 'experiments' / 'results'
    for name, words in (
            ('table2', ['make table2', '50 test photos']),
            ('decodings', ['--subset test']), ('everyday', ['422 photos']),
            ('figure5', ['make docs-figures', 'demo/photos', 'Open Country']),
            ('figure7', ['make figure7 CVCL=folder']), ('figure8', []),
            ('aggregation', ['make aggregation CVCL=folder'])):
        part = section(text, name)
        assert_in(NOTE, part)
        for word in words:
            assert_in(word, part.replace('&#34;', '"'))
    for name in 'table1', 'figure1', 'figure2', 'figure4', 'figure6':
        assert_not_in(NOTE, section(text, name))
    for name, column in (('table2', 'system'), ('decodings', 'decoding'),
                         ('everyday', 'network')):
        rows = Reader(section(text, name)).rows
        for row in read_csv(results / (name + '.csv')):
            assert_in(row[column], [cells[0] for cells in rows])
            if 'psnr' in row and row['psnr']:
                ok_(any('%.4g' % float(row['psnr']) in cells
                        for cells in rows if cells[0] == row[column]))
    intervals = [row for row in read_csv(results / 'table2_intervals.csv')
                 if row['metric'] == 'acc_u']
    ok_(len(intervals) > 10)
    rows = Reader(section(text, 'table2')).rows
    for row in intervals:
        assert_in([row['system'], 'acc_u'] + [
            '%.4g' % float(row[name])
            for name in ('mean', 'std', 'low', 'high')], rows)
    for number in 5, 7, 8:
        eq_(section(text, 'figure%d' % number).count('<img'), 1)
    eq_([line.partition(':')[0] for line in missing],
        ['Table 1', 'Trainings', 'Figure 1', 'Figure 4', 'Figure 6'])
    # Of no folder of the machine that made it.
    assert_not_in(str(tiny.ROOT), text)


def test_what_was_run_comes_instead_of_what_ships():
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(
            report, 'find_studies', lambda: []):
        root = Path(folder)
        for name, column in (('table2', 'system'), ('decodings', 'decoding'),
                             ('everyday', 'network')):
            write_csv(root / (name + '.csv'), [column, 'psnr'],
                      [['mine', '98.76']])
        shutil.copy(str(sorted(tiny.PHOTOS.glob('*.jpg'))[0]),
                    str(root / 'figure5.png'))
        make_report(root, root, root / 'report.html')
        text = (root / 'report.html').read_text()
    for name in 'table2', 'decodings', 'everyday', 'figure5':
        part = section(text, name)
        assert_not_in(NOTE, part)
        assert_in('make %s: %s' % (name, root / name), part)
        if name != 'figure5':
            # Neither rows nor intervals of others beside them.
            eq_([row for row in Reader(part).rows if len(row) > 1][1:],
                [['mine', '98.76']])
    assert_in(NOTE, section(text, 'figure7'))


def test_without_theano_what_it_draws_is_missing():
    with tempfile.TemporaryDirectory() as folder, \
            mock.patch.object(report, '_study', lambda *_: report._part(
                'study', 'A study')), \
            mock.patch('builtins.__import__', _import_without_schematics()):
        root = Path(folder)
        missing = make_report(root, root, root / 'report.html')
    for number in 2, 3:
        assert_in('Figure %d: it is drawn from the layers of Theano, why'
                  % number, missing)


def _import_without_schematics():
    usual = __import__

    def import_(name, *arguments):
        if name == 'evaluation.schematics':
            raise TheanoMissing('this', 'why')
        return usual(name, *arguments)
    return import_
