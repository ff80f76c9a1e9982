"""Contact sheets: their layout, measured in pixels."""

import os
import shutil
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
from nose.tools import assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from colornet.color import split_channels
from colornet.evaluation import sheets
from colornet.evaluation.sheets import (contact_sheet, fill_rows, grey_picture,
                                        save_demo_sheet, save_sheet,
                                        show_prediction)
from colornet.photos.reading import ImageError

RED, GREEN, BLUE = [255, 0, 0], [0, 255, 0], [0, 0, 255]


def plain(color, rows=40, columns=60):
    return np.full((rows, columns, 3), color, np.uint8)


def box(sheet, color):
    """First and last row, first and last column of a colour."""
    rows, columns = np.nonzero((np.array(sheet) == color).all(axis=-1))
    return rows.min(), rows.max(), columns.min(), columns.max()


def ink(sheet, background=(255, 255, 255)):
    """Where anything is drawn."""
    return (np.array(sheet) != background).any(axis=-1)


def test_groups_fill_rows():
    groups = [(plain(RED), plain([value] * 3)) for value in range(5)]
    rows, names = fill_rows(groups, 'abcde', 2)
    eq_(names, [['a', 'b'], ['c', 'd'], ['e', '']])
    eq_([len(row) for row in rows], [4, 4, 4])
    eq_([picture[0, 0, 2] for row in rows for picture in row],
        [0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 255, 255])
    ok_((rows[2][3] == 255).all())
    rows, names = fill_rows(groups[:2], 'ab', 2)
    eq_((len(rows), names), (1, [['a', 'b']]))


def test_columns_side_by_side():
    sheet = contact_sheet([[plain(RED), plain(GREEN), plain(BLUE)]],
                          ['', '', ''], width=300)
    eq_((sheet.mode, sheet.width), ('RGB', 300))
    boxes = [box(sheet, color) for color in (RED, GREEN, BLUE)]
    eq_(len({(top, bottom) for top, bottom, _, _ in boxes}), 1)
    widths = [right - left + 1 for _, _, left, right in boxes]
    eq_(len(set(widths)), 1)
    ok_(3 * widths[0] > 270)
    ok_(boxes[0][3] < boxes[1][2] and boxes[1][3] < boxes[2][2])
    top, bottom, left, right = boxes[0]
    eq_(round((right - left + 1) * 40 / 60.), bottom - top + 1)


def test_rows_one_below_the_other():
    sheet = contact_sheet([[plain(RED)], [plain(GREEN, 80)], [plain(BLUE)]],
                          [''], width=200)
    boxes = [box(sheet, color) for color in (RED, GREEN, BLUE)]
    ok_(boxes[0][1] < boxes[1][0] and boxes[1][1] < boxes[2][0])
    ok_(boxes[2][1] < sheet.height)


def test_kinds_of_pixels():
    grey = np.full((40, 60), 51, np.uint8)
    sheets = [contact_sheet([[pixels]], ['']) for pixels in (
        grey, grey / 255., np.stack([grey] * 3, axis=-1),
        grey.astype(np.uint16) * 257)]
    for sheet in sheets[1:]:
        assert_array_equal(np.array(sheet), np.array(sheets[0]))
    eq_(sheets[0].getpixel((480, 200)), (51, 51, 51))


def test_titles_are_above_their_columns():
    titles = ['grey', 'a much longer title that has to be cut off', 'truth']
    sheet = contact_sheet([[plain(RED), plain(GREEN), plain(BLUE)]], titles,
                          width=420)
    for color in RED, GREEN, BLUE:
        top, _, left, right = box(sheet, color)
        text = ink(sheet)[:top, left:right + 1].any(axis=0).nonzero()[0]
        ok_(len(text) > 10)
        middle = (text.min() + text.max()) / 2.
        ok_(abs(middle - (right - left) / 2.) < 4)
        # Nothing runs over into the next column.
        ok_(not ink(sheet)[:top, right + 1:right + 4].any())


def test_names_are_below_their_rows():
    sheet = contact_sheet([[plain(RED)], [plain(GREEN)]], [''],
                          names=['first.jpg', 'x' * 500], width=200)
    first, second = box(sheet, RED), box(sheet, GREEN)
    ok_(ink(sheet)[first[1] + 1:second[0]].any())
    below = ink(sheet)[second[1] + 1:]
    ok_(below.any())
    ok_(not below[:, -3:].any())


def test_names_are_below_their_share_of_a_row():
    row = [plain(RED), plain(RED), plain(GREEN, 20), plain(GREEN, 20)]
    sheets = [contact_sheet([row], [''] * 4, names=[names], width=400)
              for names in (['', 'x'], ['', 'x' * 500], ['x' * 500, ''])]
    _, bottom, left, right = box(sheets[0], GREEN)
    for sheet in sheets[:2]:
        # Right below its photos, though the others are higher.
        text = ink(sheet)[bottom + 1:, left:]
        ok_(text[:20].any() and not text[20:].any())
        ok_(not text[:, right - left + 1:].any())
    for sheet in sheets:
        eq_(box(sheet, GREEN), box(sheets[0], GREEN))
    below = box(sheets[2], RED)[1] + 1
    ok_(ink(sheets[2])[below:, :left].any())
    ok_(not ink(sheets[2])[below:, left:].any())


def test_any_file_name_can_be_drawn():
    name = 'caf\u00e9 \u5c71\n' + os.fsdecode(b'\xff') + '.jpg'
    sheet = contact_sheet([[plain(RED)]], [''], names=[name])
    ok_(ink(sheet)[box(sheet, RED)[1] + 1:].any())
    on_one_line = contact_sheet([[plain(RED)]], [''],
                                names=[name.replace('\n', ' ')])
    assert_array_equal(np.array(sheet), np.array(on_one_line))


def test_high_photos_do_not_fill_the_sheet():
    sheet = contact_sheet([[plain(RED, 2000, 10)]], [''], width=200)
    ok_(sheet.height < 500)
    top, bottom, left, right = box(sheet, RED)
    ok_(abs((left + right) / 2. - 100) < 3)


def test_black_background_has_white_text():
    sheet = contact_sheet([[plain(RED)]], ['title'], background='black')
    eq_(np.array(sheet)[0, 0].tolist(), [0, 0, 0])
    top = box(sheet, RED)[0]
    eq_(np.array(sheet)[:top].max(), 255)


def test_fifty_rows_stay_readable():
    sheet = contact_sheet([[plain(RED), plain(BLUE)]] * 50, ['a', 'b'],
                          names=['name.jpg'] * 50, width=500)
    left = (np.array(sheet)[:, box(sheet, RED)[2]] == RED).all(axis=-1)
    eq_((np.diff(left.astype(int)) == 1).sum(), 50)
    ok_(left.sum() / 50 > 100)


def test_what_does_not_fit_is_refused():
    for arguments in [([], ['a']), ([[]], []), ([[plain(RED)]], ['a', 'b']),
                      ([[plain(RED)] * 9], ['a'] * 9)]:
        with assert_raises(ValueError):
            contact_sheet(*arguments, width=120)
    with assert_raises(ValueError):
        contact_sheet([[plain(RED)]], ['a'], names=['one', 'two'])
    for names in ['one', 'two'], []:
        with assert_raises(ValueError):
            contact_sheet([[plain(RED)] * 3], [''] * 3, names=[names])


def test_a_row_shows_grey_the_predictions_and_the_original():
    rgb = np.uint8(plain([90, 120, 30]) + np.arange(60)[:, None])
    for space in 'luv', 'hsv':
        luminance, chroma = split_channels(rgb, space)
        grey, right, wrong, original = show_prediction(
            rgb, [chroma, 0.5 * chroma], space)
        assert_allclose(grey, grey_picture(luminance, space))
        ok_(np.ptp(grey, axis=-1).max() < 1e-3)
        assert_allclose(right, rgb / 255., atol=1e-3)
        ok_(abs(wrong - right).max() > 0.05)
        ok_(original is rgb)


class TestSaving:

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())

    def tearDown(self):
        shutil.rmtree(str(self.folder))

    def test_it_is_saved(self):
        path = self.folder / 'sheet.png'
        save_sheet(path, [[plain(RED)]], ['title'], names=['n'], width=200)
        assert_array_equal(
            np.array(Image.open(path)),
            np.array(contact_sheet([[plain(RED)]], ['title'], names=['n'],
                                   width=200)))

    def test_a_failure_leaves_nothing(self):
        with mock.patch('os.replace', side_effect=OSError(28, 'full')):
            with assert_raises(OSError):
                save_sheet(self.folder / 'a.png', [[plain(RED)]], ['a'])
        with assert_raises(ImageError):
            save_sheet(self.folder / 'a.xyz', [[plain(RED)]], ['a'])
        eq_(os.listdir(str(self.folder)), [])

    def test_the_demo_shows_photos_of_like_proportions_side_by_side(self):
        coloured = []
        (self.folder / 'out').mkdir()
        for name, color, rows in (('a', RED, 90), ('b', GREEN, 30),
                                  ('c', BLUE, 60)):
            for folder, ink_color in ((self.folder, color),
                                      (self.folder / 'out', color[::-1])):
                Image.fromarray(plain(ink_color, rows)).save(
                    str(folder / (name + '.png')))
            coloured.append(self.folder / 'out' / (name + '.png'))
        with mock.patch.object(sheets, 'save_sheet') as save:
            save_demo_sheet('x.png', self.folder, coloured)
        (_, rows, titles), options = save.call_args
        eq_(options['names'], [['b.png', 'c.png'], ['a.png', '']])
        eq_(titles, ('grey', 'coloured', 'original') * 2)
        for group, color in ((rows[0][:3], GREEN), (rows[0][3:], BLUE),
                             (rows[1][:3], RED)):
            eq_(group[2][0, 0].tolist(), color)
            eq_(group[1][0, 0].tolist(), color[::-1])
            ok_(np.ptp(group[0]) < 0.01)


def test_every_photo_that_ships_has_its_credits():
    root = Path(__file__).resolve().parents[2]
    for folder in root / 'demo' / 'photos', root / 'tests' / 'free_photos':
        lines = (folder / 'README.rst').read_text().splitlines()
        credited = sorted(line.split()[0] for line in lines
                          if line.split()[:1] and '.jpg  ' in line)
        eq_(credited, sorted(path.name for path in folder.iterdir()
                             if path.name != 'README.rst'))
        for line in lines:
            if '.jpg  ' in line:
                ok_('CC BY' in line or 'CC0' in line or 'public domain'
                    in line, line)
