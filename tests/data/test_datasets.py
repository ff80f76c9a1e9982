"""Tests of colornet.data.datasets: splits, published layouts, messages."""

import os
import shutil
import tempfile
import unittest
from collections import Counter
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_

from colornet.data.datasets import (DATASETS, ILSVRC_CLASSES, SPLIT_SEED,
                                    draw_split, load_split, read_split,
                                    resolve, split_by_hash)
from colornet.errors import ColornetError
from tests import tiny

SPLITS = str(tiny.ROOT / 'experiments' / 'splits')


def read_cvcl_names():
    with open(os.path.join(SPLITS, 'cvcl.sha256')) as file:
        return [line.split()[1] for line in file]


def test_counts_are_those_of_table_1():
    eq_({name: (dataset.num_train, dataset.num_test)
         for name, dataset in DATASETS.items()},
        {'mcgill': (896, 150), 'cvcl': (361, 50), 'ilsvrc': (12486, 494),
         'mirflickr': (7500, 1000), 'folder': (None, None)})


def test_committed_split_is_a_partition_of_open_country():
    train = read_split(os.path.join(SPLITS, 'cvcl_train.txt'))
    test = read_split(os.path.join(SPLITS, 'cvcl_test.txt'))
    eq_((len(train), len(test)), (360, 50))
    eq_(sorted(train + test), sorted(read_cvcl_names()))
    eq_((train, test), (sorted(train), sorted(test)))


def test_committed_split_is_drawn_by_the_seed():
    names = read_cvcl_names()
    with assert_logs() as logs:
        train, test = draw_split(names, 361, 50, SPLIT_SEED)
    assert_in('410 photos', logs.output[0])
    eq_(train, read_split(os.path.join(SPLITS, 'cvcl_train.txt')))
    eq_(test, read_split(os.path.join(SPLITS, 'cvcl_test.txt')))
    eq_((train, test), draw_split(names, 360, 50, SPLIT_SEED))


def assert_logs():
    return unittest.TestCase().assertLogs('colornet.data.datasets', 'WARNING')


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
        with assert_logs() as logs:
            train, test = draw_split(names[:num_photos], 80, 20, seed=0)
        eq_((len(train), len(test)), expected)
        eq_(sorted(train + test), sorted(names[:num_photos]))
        assert_in('using %d to train and %d to test' % expected,
                  logs.output[0])
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
    with mock.patch('colornet.data.datasets.logger.warning') as warning:
        train, test = draw_split(chosen, 7500, 1000, SPLIT_SEED)
    ok_(not warning.called)
    # The rule in other words: sort as text, permute, test with the first.
    order = np.random.RandomState(2016).permutation(8500)
    expected = [sorted(chosen)[number] for number in order]
    eq_(test, sorted(expected[:1000]))
    eq_(train, sorted(expected[1000:]))


def test_ilsvrc_classes_are_ten_and_disjoint():
    eq_(', '.join(ILSVRC_CLASSES), 'spatula, school bus, bear, book shelf, '
        'armor, kangaroo, spider, sweater, hair dryer, bird')
    wnids = sum(ILSVRC_CLASSES.values(), [])
    eq_(len(set(wnids)), len(wnids))
    eq_({len(wnid) for wnid in wnids}, {9})
    eq_(len(ILSVRC_CLASSES['bird']), 59)


class TestFolders(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp()

    def tearDown(self):
        shutil.rmtree(self.folder)

    def touch(self, *names):
        for name in names:
            path = os.path.join(self.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            open(path, 'w').close()

    def draw(self, name, **kwargs):
        """Names below the folder of the photos drawn, sorted."""
        train, test = [
            [os.path.relpath(path, self.folder) for path in
             load_split(name, self.folder, subset, **kwargs)]
            for subset in ['train', 'test']]
        eq_(set(train) & set(test), set())
        return train, test

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

    def test_cvcl_is_found_with_and_without_prefix(self):
        archive = 'spatial_envelope_256x256_static_8outdoorcategories'
        names = read_split(os.path.join(SPLITS, 'cvcl_test.txt'))
        for form in ['%s', 'opencountry_%s',
                     archive + '/opencountry_%s']:
            self.touch(*[form % name for name in names])
            self.touch(os.path.dirname(form) + '/coast_arnat59.jpg'
                       if '/' in form else 'coast_arnat59.jpg')
            paths = load_split('cvcl', self.folder, 'test', SPLITS)
            eq_(paths, [os.path.join(self.folder, form % name)
                        for name in names])
            shutil.rmtree(self.folder)
            os.mkdir(self.folder)

    def test_cvcl_draw_takes_open_country_alone(self):
        self.touch('opencountry_land1.jpg', 'opencountry_land2.jpg',
                   'coast_land3.jpg', 'Thumbs.db')
        with assert_logs():
            train, test = self.draw('cvcl')
        eq_(sorted(train + test),
            ['opencountry_land1.jpg', 'opencountry_land2.jpg'])

    def test_mcgill_takes_each_photo_once(self):
        self.touch(*['%s/merry_%04d.%s' % (category, number, suffix)
                     for category in ['Animals', 'Flowers', 'Snow']
                     for number in range(10) for suffix in ['jpg', 'tif']])
        with assert_logs():
            train, test = self.draw('mcgill')
        eq_((len(train), len(test)), (26, 4))
        eq_({name[-4:] for name in train + test}, {'.tif'})
        eq_(set(Counter(name.split('/')[0]
                        for name in train + test).values()), {10})

    def test_ilsvrc_layouts(self):
        photos = ['%s/%s_%d.JPEG' % (wnid, wnid, number)
                  for wnid in ['n04146614', 'n02132136', 'n01443537']
                  for number in range(3)]
        for root in ['', 'Data/CLS-LOC/train', 'ILSVRC/Data/CLS-LOC/train']:
            names = [os.path.join(root, photo) for photo in photos]
            self.touch(*names)
            self.touch(os.path.join(root, 'n04146614', 'notes.txt'))
            with assert_logs():
                train, test = self.draw('ilsvrc')
            eq_(sorted(train + test), sorted(names[:6]))  # No goldfish.
            shutil.rmtree(self.folder)
            os.mkdir(self.folder)

    def test_ilsvrc_in_folders_of_the_ten_classes(self):
        names = ['bear/a.jpg', 'bear/b.JPEG', 'hair_dryer/n0_1.jpg',
                 'n02132136/n02132136_1.JPEG']
        self.touch('goldfish/c.jpg', 'bear/notes.txt', 'n02132136/d.jpg',
                   *names)
        with assert_logs():
            train, test = self.draw('ilsvrc')
        eq_(sorted(train + test), names)
        eq_([DATASETS['ilsvrc'].find_group(name) for name in names],
            ['bear', 'bear', 'hair dryer', 'bear'])

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

    def test_mirflickr_layouts(self):
        photos = ['im%d.jpg' % number for number in range(1, 18)]
        for root in ['', 'mirflickr']:
            names = [os.path.join(root, photo) for photo in photos]
            self.touch(*names)
            self.touch(os.path.join(root, 'doc', 'im99.jpg'),
                       os.path.join(root, 'im2.jpg.part'))
            with assert_logs():
                train, test = self.draw('mirflickr')
            eq_((len(train), len(test)), (15, 2))
            eq_(sorted(train + test), sorted(names))
            shutil.rmtree(self.folder)
            os.mkdir(self.folder)

    def test_any_folder(self):
        self.touch(*['day %d/p.JPG' % number for number in range(20)])
        self.touch('notes.txt')
        train, test = self.draw('folder')
        eq_(len(train) + len(test), 20)
        ok_(len(self.draw('folder', test_proportion=0.5)[1]) > len(test) > 0)
        for proportion in [1, -0.5, float('nan')]:
            assert_raises(ColornetError, load_split, 'folder', self.folder,
                          'test', test_proportion=proportion)

    def test_a_folder_may_be_for_training_alone(self):
        names = ['%d.jpg' % number for number in range(30)]
        self.touch(*names)
        paths = load_split('folder', self.folder, 'train', test_proportion=0)
        eq_(paths, sorted(os.path.join(self.folder, name) for name in names))
        with assert_raises(ColornetError) as caught:
            load_split('folder', self.folder, 'test', test_proportion=0)
        assert_in('data.test_share = 0', str(caught.exception))

    def test_a_folder_of_links_to_folders_is_one_data_set(self):
        self.touch('a/1.jpg', 'b/1.jpg', 'all/2.jpg')
        for name in 'ab':
            os.symlink(os.path.join('..', name),
                       os.path.join(self.folder, 'all', name))
        everything = os.path.join(self.folder, 'all')
        eq_(load_split('folder', everything, 'train', test_proportion=0),
            [os.path.join(everything, name) for name in
             ('2.jpg', 'a/1.jpg', 'b/1.jpg')])

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

    def test_missing_and_empty_folders_say_what_to_do(self):
        for name, word in [('cvcl', 'make data-cvcl'), ('mcgill', '--data'),
                           ('ilsvrc', '--data'), ('folder', 'photos'),
                           ('mirflickr', '--data')]:
            for folder in [self.folder, os.path.join(self.folder, 'none'),
                           '', None]:
                with assert_raises(ColornetError) as caught:
                    load_split(name, folder, 'train')
                assert_in(word, str(caught.exception))
                ok_('\n' not in str(caught.exception))

    def test_unknown_names_are_refused(self):
        with assert_raises(ColornetError) as caught:
            load_split('imagenet', self.folder, 'train')
        assert_in('ilsvrc', str(caught.exception))
        assert_raises(ColornetError, load_split, 'cvcl', self.folder, 'val')
