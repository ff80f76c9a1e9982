"""The data sets: counts, classes, published layouts, messages."""

import os
import re
import shutil
from collections import Counter

from nose.tools import assert_in, assert_raises, eq_, ok_

from colornet.data.datasets import DATASETS, ILSVRC_CLASSES, TABLE1
from colornet.data.splits import load_split, read_split
from colornet.errors import ColornetError
from tests import tiny
from tests.data.folders import EmptyFolder

SPLITS = str(tiny.ROOT / 'experiments' / 'splits')


def test_counts_are_those_of_table_1():
    eq_({name: (dataset.num_train, dataset.num_test)
         for name, dataset in DATASETS.items()},
        {'mcgill': (896, 150), 'cvcl': (361, 50), 'ilsvrc': (12486, 494),
         'mirflickr': (7500, 1000), 'folder': (None, None)})
    eq_(TABLE1, ('cvcl', 'mcgill', 'ilsvrc', 'mirflickr'))


#: Leaves of ILSVRC and their first names in WordNet 3.0. A breastplate is none
#: of its armor, but a plate.
LEAVES = {
    'spatula': 'n04270147 spatula',
    'school bus': 'n04146614 school bus',
    'bear': """
        n02132136 brown bear, n02133161 American black bear,
        n02134084 ice bear, n02134418 sloth bear""",
    'book shelf': 'n02870880 bookcase',
    'armor': """
        n02916936 bulletproof vest, n03000247 chain mail, n03146219 cuirass,
        n04192698 shield""",
    'kangaroo': 'n01877812 wallaby',
    'spider': """
        n01773157 black and gold garden spider, n01773549 barn spider,
        n01773797 garden spider, n01774384 black widow, n01774750 tarantula,
        n01775062 wolf spider""",
    'sweater': 'n02963159 cardigan, n04370456 sweatshirt',
    'hair dryer': 'n03483316 hand blower',
    'bird': """
        n01514668 cock, n01514859 hen, n01518878 ostrich, n01530575 brambling,
        n01531178 goldfinch, n01532829 house finch, n01534433 junco,
        n01537544 indigo bunting, n01558993 robin, n01560419 bulbul,
        n01580077 jay, n01582220 magpie, n01592084 chickadee,
        n01601694 water ouzel, n01608432 kite, n01614925 bald eagle,
        n01616318 vulture, n01622779 great grey owl, n01795545 black grouse,
        n01796340 ptarmigan, n01797886 ruffed grouse,
        n01798484 prairie chicken, n01806143 peacock, n01806567 quail,
        n01807496 partridge, n01817953 African grey, n01818515 macaw,
        n01819313 sulphur-crested cockatoo, n01820546 lorikeet,
        n01824575 coucal, n01828970 bee eater, n01829413 hornbill,
        n01833805 hummingbird, n01843065 jacamar, n01843383 toucan,
        n01847000 drake, n01855032 red-breasted merganser, n01855672 goose,
        n01860187 black swan, n02002556 white stork, n02002724 black stork,
        n02006656 spoonbill, n02007558 flamingo, n02009229 little blue heron,
        n02009912 American egret, n02011460 bittern, n02012849 crane,
        n02013706 limpkin, n02017213 European gallinule,
        n02018207 American coot, n02018795 bustard, n02025239 ruddy turnstone,
        n02027492 red-backed sandpiper, n02028035 redshank,
        n02033041 dowitcher, n02037110 oystercatcher, n02051845 pelican,
        n02056570 king penguin, n02058221 albatross""",
}


def test_ilsvrc_classes_are_the_leaves_below_the_words_of_the_paper():
    eq_(', '.join(ILSVRC_CLASSES), 'spatula, school bus, bear, book shelf, '
        'armor, kangaroo, spider, sweater, hair dryer, bird')
    eq_(set(LEAVES), set(ILSVRC_CLASSES))
    for name, leaves in LEAVES.items():
        eq_(ILSVRC_CLASSES[name], re.findall(r'n\d{8}', leaves), name)
    wnids = sum(ILSVRC_CLASSES.values(), [])
    eq_(len(set(wnids)), len(wnids))


class TestFolders(EmptyFolder):

    def draw(self, name, **kwargs):
        """Names below the folder of the photos drawn, sorted."""
        train, test = [
            [os.path.relpath(path, self.folder) for path in
             load_split(name, self.folder, subset, **kwargs)]
            for subset in ['train', 'test']]
        eq_(set(train) & set(test), set())
        return train, test

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
        with tiny.noted():
            train, test = self.draw('cvcl')
        eq_(sorted(train + test),
            ['opencountry_land1.jpg', 'opencountry_land2.jpg'])

    def test_mcgill_takes_each_photo_once(self):
        self.touch(*['%s/merry_%04d.%s' % (category, number, suffix)
                     for category in ['Animals', 'Flowers', 'Snow']
                     for number in range(10) for suffix in ['jpg', 'tif']])
        with tiny.noted():
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
            with tiny.noted():
                train, test = self.draw('ilsvrc')
            eq_(sorted(train + test), sorted(names[:6]))  # No goldfish.
            shutil.rmtree(self.folder)
            os.mkdir(self.folder)

    def test_ilsvrc_in_folders_of_the_ten_classes(self):
        names = ['bear/a.jpg', 'bear/b.JPEG', 'hair_dryer/n0_1.jpg',
                 'n02132136/n02132136_1.JPEG']
        self.touch('goldfish/c.jpg', 'bear/notes.txt', 'n02132136/d.jpg',
                   *names)
        with tiny.noted():
            train, test = self.draw('ilsvrc')
        eq_(sorted(train + test), names)
        eq_([DATASETS['ilsvrc'].find_group(name) for name in names],
            ['bear', 'bear', 'hair dryer', 'bear'])

    def test_mirflickr_layouts(self):
        photos = ['im%d.jpg' % number for number in range(1, 18)]
        for root in ['', 'mirflickr']:
            names = [os.path.join(root, photo) for photo in photos]
            self.touch(*names)
            self.touch(os.path.join(root, 'doc', 'im99.jpg'),
                       os.path.join(root, 'im2.jpg.part'))
            with tiny.noted():
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

    def test_a_folder_of_links_to_folders_is_one_data_set(self):
        self.touch('a/1.jpg', 'b/1.jpg', 'all/2.jpg')
        for name in 'ab':
            os.symlink(os.path.join('..', name),
                       os.path.join(self.folder, 'all', name))
        everything = os.path.join(self.folder, 'all')
        eq_(load_split('folder', everything, 'train', test_proportion=0),
            [os.path.join(everything, name) for name in
             ('2.jpg', 'a/1.jpg', 'b/1.jpg')])

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
