"""The photos to train on and to test with."""

import os
from collections import Counter
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_

from colornet.data.datasets import DATASETS, ILSVRC_CLASSES
from colornet.data.splits import (SPLIT_SEED, draw_split, load_split,
                                  read_split, resolve, split_by_hash)
from colornet.errors import ColornetError
from tests import tiny
from tests.data.folders import EmptyFolder

SPLITS = str(tiny.ROOT / 'experiments' / 'splits')


def read_cvcl_names():
    with open(os.path.join(SPLITS, 'cvcl.sha256')) as file:
        return [line.split()[1] for line in file]


def test_committed_split_is_a_partition_of_open_country():
    train = read_split(os.path.join(SPLITS, 'cvcl_train.txt'))
    test = read_split(os.path.join(SPLITS, 'cvcl_test.txt'))
    eq_((len(train), len(test)), (360, 50))
    eq_(sorted(train + test), sorted(read_cvcl_names()))
    eq_((train, test), (sorted(train), sorted(test)))


def test_committed_split_is_drawn_by_the_seed():
    names = read_cvcl_names()
    with tiny.noted() as err:
        train, test = draw_split(names, 361, 50, SPLIT_SEED)
    assert_in('410 photos', err.getvalue())
    eq_(train, read_split(os.path.join(SPLITS, 'cvcl_train.txt')))
    eq_(test, read_split(os.path.join(SPLITS, 'cvcl_test.txt')))
    eq_((train, test), draw_split(names, 360, 50, SPLIT_SEED))


def test_draw_depends_on_seed_and_not_on_order():
    names = ['im%d.jpg' % number for number in range(100)]
    train, test = draw_split(names, 60, 20, seed=1)
    eq_((len(train), len(test)), (60, 20))
    eq_(len(set(train) | set(test)), 80)
    eq_((train, test), draw_split(names[::-1], 60, 20, seed=1))
    ok_(test != draw_split(names, 60, 20, seed=2)[1])


def test_too_few_photos_keep_the_proportion():
    names = ['%d.jpg' % number for number in range(21)]
    for num_photos, expected in [(21, (17, 4)), (11, (9, 2)), (2, (1, 1))]:
        with tiny.noted() as err:
            train, test = draw_split(names[:num_photos], 80, 20, seed=0)
        eq_((len(train), len(test)), expected)
        eq_(sorted(train + test), sorted(names[:num_photos]))
        assert_in('using %d to train and %d to test' % expected,
                  err.getvalue())
    for few in [[], names[:1]]:
        assert_raises(ColornetError, draw_split, few, 80, 20, 0)


def test_draw_is_even_over_categories():
    sizes = {'a': 1000, 'b': 40, 'c': 12}
    names = ['%s/%d' % (group, number) for group, size in sizes.items()
             for number in range(size)]
    train, test = draw_split(names, 60, 12, 0, [name[0] for name in names])
    drawn = Counter(name[0] for name in train + test)
    eq_(drawn, {'a': 30, 'b': 30, 'c': 12})
    eq_(Counter(name[0] for name in test), {'a': 5, 'b': 5, 'c': 2})


def test_as_many_mirflickr_photos_as_table_1_counts_are_all_taken():
    names = ['im%d.jpg' % number for number in range(1, 25001)]
    chosen = np.random.RandomState(0).permutation(names)[:8500]
    with mock.patch('colornet.data.splits.note') as note:
        train, test = draw_split(chosen, 7500, 1000, SPLIT_SEED)
    ok_(not note.called)
    # The rule in other words: sort as text, permute, test with the first.
    order = np.random.RandomState(2016).permutation(8500)
    expected = [sorted(chosen)[number] for number in order]
    eq_(test, sorted(expected[:1000]))
    eq_(train, sorted(expected[1000:]))


class TestFolders(EmptyFolder):

    def test_split_files_hold_names_and_comments(self):
        path = os.path.join(self.folder, 'split.txt')
        with open(path, 'wb') as file:
            file.write(b'# comment\r\n\r\n a.jpg\r\n#b.jpg\nc.jpg')
        eq_(read_split(path), ['a.jpg', 'c.jpg'])

    def test_bad_split_files_are_refused(self):
        path = os.path.join(self.folder, 'split.txt')
        assert_raises(ColornetError, read_split, path)
        assert_raises(ColornetError, read_split, self.folder)
        for text, word in [('# nothing\n', 'no photo'),
                           ('a.jpg\nb.jpg\na.jpg\n', 'a.jpg twice')]:
            with open(path, 'w') as file:
                file.write(text)
            with assert_raises(ColornetError) as caught:
                read_split(path)
            assert_in(word, str(caught.exception))

    def test_ilsvrc_draws_evenly_from_the_ten_classes(self):
        names = ['%s/%s_%d.JPEG' % (wnid, wnid, number)
                 for wnids in ILSVRC_CLASSES.values() for wnid in wnids
                 for number in range(1300 if len(wnids) == 1 else 650)]
        find_group = DATASETS['ilsvrc'].find_group
        groups = [find_group(name) for name in names]
        train, test = draw_split(names, 12486, 494, SPLIT_SEED, groups)
        eq_((len(train), len(test)), (12486, 494))
        drawn = Counter(find_group(name) for name in train + test)
        eq_((len(drawn), set(drawn.values())), (10, {1298}))
        ok_(set(Counter(map(find_group, test)).values()) <= {49, 50})

    def test_a_folder_may_be_for_training_alone(self):
        names = ['%d.jpg' % number for number in range(30)]
        self.touch(*names)
        paths = load_split('folder', self.folder, 'train', test_proportion=0)
        eq_(paths, sorted(os.path.join(self.folder, name) for name in names))
        with assert_raises(ColornetError) as caught:
            load_split('folder', self.folder, 'test', test_proportion=0)
        assert_in('data.test_share = 0', str(caught.exception))

    def test_photos_stay_on_their_side_when_others_come(self):
        few = ['%d.jpg' % number for number in range(500)]
        train, test = split_by_hash(few, 0.1)
        ok_(30 < len(test) < 70, len(test))
        eq_(sorted(train + test), sorted(few))
        more = few + ['%d.jpg' % number for number in range(500, 700)]
        more_train, more_test = split_by_hash(more, 0.1)
        ok_(set(train) < set(more_train) and set(test) < set(more_test))

    def test_a_few_photos_are_split_as_well(self):
        for number in range(2, 9):
            train, test = split_by_hash([str(i) for i in range(number)], 0.1)
            ok_(train and test)
        assert_raises(ColornetError, split_by_hash, ['a.jpg'], 0.1)

    def test_split_file_goes_before_the_draw(self):
        self.touch('a.jpg', 'b.jpg', 'c.jpg')
        splits = os.path.join(self.folder, 'splits')
        os.mkdir(splits)
        with open(os.path.join(splits, 'folder_test.txt'), 'w') as file:
            file.write('c.jpg\n')
        eq_(load_split('folder', self.folder, 'test', splits),
            [os.path.join(self.folder, 'c.jpg')])

    def test_missing_photos_are_counted_and_named(self):
        self.touch('opencountry_a.jpg', 'b.jpg')
        with assert_raises(ColornetError) as caught:
            resolve('cvcl', self.folder,
                    ['a.jpg', 'b.jpg'] + ['c%d.jpg' % n for n in range(9)])
        message = str(caught.exception)
        for word in ['9 of 11', 'c0.jpg, c1.jpg, c2.jpg, ...', self.folder,
                     'make data-cvcl', 'CVCL=']:
            assert_in(word, message)
        ok_('c3.jpg' not in message)

    def test_what_leads_out_of_the_folder_is_missing(self):
        self.touch('a.jpg')
        eq_(resolve('folder', self.folder, ['a.jpg']),
            [os.path.join(self.folder, 'a.jpg')])
        for name in (os.path.join(self.folder, 'a.jpg'), 'a\0.jpg',
                     '../%s/a.jpg' % os.path.basename(self.folder)):
            with assert_raises(ColornetError) as caught:
                resolve('folder', self.folder, [name])
            assert_in('1 of 1 photos are missing', str(caught.exception))
