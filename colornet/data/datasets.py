"""The data sets (paper, 4, Table 1): where they come from, their layout.

The only list of them. The settings and the command line take their names from
here, so this imports neither numpy nor Pillow.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional, Sequence

from ..errors import ColornetError

__all__ = ['DATASETS', 'DataSet', 'FOLDER', 'ILSVRC_CLASSES', 'TABLE1',
           'get_dataset']

#: The ten classes (paper, 4) as leaf classes of ILSVRC 2015 CLS-LOC: a word
#: that is no leaf there stands for the leaves below it in WordNet (choice 19).
ILSVRC_CLASSES = {
    'spatula': ['n04270147'],
    'school bus': ['n04146614'],
    # Brown, American black, ice and sloth bear.
    'bear': ['n02132136', 'n02133161', 'n02134084', 'n02134418'],
    # Bookcase.
    'book shelf': ['n02870880'],
    # Bulletproof vest, chain mail, cuirass, shield.
    'armor': ['n02916936', 'n03000247', 'n03146219', 'n04192698'],
    # Wallaby.
    'kangaroo': ['n01877812'],
    # Black and gold garden, barn and garden spider, black widow, tarantula,
    # wolf spider.
    'spider': ['n01773157', 'n01773549', 'n01773797', 'n01774384',
               'n01774750', 'n01775062'],
    # Cardigan, sweatshirt.
    'sweater': ['n02963159', 'n04370456'],
    # Hand blower.
    'hair dryer': ['n03483316'],
    # All 59, from cock to albatross.
    'bird': """
        n01514668 n01514859 n01518878 n01530575 n01531178 n01532829 n01534433
        n01537544 n01558993 n01560419 n01580077 n01582220 n01592084 n01601694
        n01608432 n01614925 n01616318 n01622779 n01795545 n01796340 n01797886
        n01798484 n01806143 n01806567 n01807496 n01817953 n01818515 n01819313
        n01820546 n01824575 n01828970 n01829413 n01833805 n01843065 n01843383
        n01847000 n01855032 n01855672 n01860187 n02002556 n02002724 n02006656
        n02007558 n02009229 n02009912 n02011460 n02012849 n02013706 n02017213
        n02018207 n02018795 n02025239 n02027492 n02028035 n02033041 n02037110
        n02051845 n02056570 n02058221""".split(),
}

_CVCL_PREFIX = 'opencountry_'
_CLASS_OF_FOLDER = {folder: name for name, wnids in ILSVRC_CLASSES.items()
                    for folder in wnids + [name.replace(' ', '_')]}


def _list_photos(folder):
    """All photos in a folder and those below it, also through links."""
    from ..photos.finding import find_images
    return [path.relative_to(folder).as_posix() for path in
            find_images(folder, follow_links=True)]


def _list_cvcl(folder):
    """Open Country photos: those of its prefix, or all if none has it."""
    names = [name for name in os.listdir(folder) if name.endswith('.jpg')]
    prefixed = [name[len(_CVCL_PREFIX):] for name in names
                if name.startswith(_CVCL_PREFIX)]
    return prefixed or names


def _list_mcgill(folder):
    """One photo of each name: it is published as .jpg and as .tif."""
    return list({Path(name).with_suffix(''): name
                 for name in sorted(_list_photos(folder))}.values())


def _list_ilsvrc(folder):
    """Photos of the ten classes: of their synsets, or in their own folders."""
    return ['%s/%s' % (below, name) for below in sorted(_CLASS_OF_FOLDER)
            if os.path.isdir(os.path.join(folder, below))
            for name in os.listdir(os.path.join(folder, below))
            if (name.startswith(below) and name.endswith('.JPEG')
                if re.match(r'n\d+$', below) else
                name.lower().endswith(('.jpg', '.jpeg')))]


def _list_mirflickr(folder):
    return [name for name in os.listdir(folder)
            if re.match(r'im\d+\.jpg$', name)]


@dataclass(frozen=True)
class DataSet:
    """A data set as it is published.

    Attributes
    ----------
    name : str
    source : str
        Where to get the photos, and on which terms.
    layout, remedy : str
        What the folder holds, and what to do when it does not.
    list_photos : callable
        Takes a folder, returns the names of the photos.
    num_train, num_test : int or None
        Counts of Table 1 (choice 11).
    subfolders : sequence of str
        Places below the folder where the photos may be.
    find_group : callable or None
        Takes a name, returns the category to draw evenly from.
    prefix : str
        That files may carry before the name in a split.
    """

    name: str
    source: str
    layout: str
    remedy: str
    list_photos: Callable
    num_train: Optional[int] = None
    num_test: Optional[int] = None
    subfolders: Sequence[str] = ('',)
    find_group: Optional[Callable] = None
    prefix: str = ''

    @property
    def in_table1(self):
        """Whether Table 1 has counts for it."""
        return self.num_train is not None


#: The one that is no data set of the paper: any photos, such as those in
#: demo/photos.
FOLDER = 'folder'

#: Name -> :class:`DataSet`.
DATASETS = {dataset.name: dataset for dataset in [
    DataSet(
        name='cvcl', num_train=361, num_test=50,
        source='https://people.csail.mit.edu/torralba/code/spatialenvelope/; '
               'research use, cite Oliva and Torralba (2001)',
        layout='land143.jpg or opencountry_land143.jpg, and so on',
        remedy='run "make data-cvcl", or give your copy as CVCL=folder',
        subfolders=('', 'spatial_envelope_256x256_static_8outdoorcategories'),
        list_photos=_list_cvcl, prefix=_CVCL_PREFIX),
    DataSet(
        name='mcgill', num_train=896, num_test=150,
        source='http://tabby.vision.mcgill.ca/html/browsedownload.html; '
               'research use, cite Olmos and Kingdom (2004)',
        layout='a folder of .tif or .jpg files for each category: Animals, '
               'Flowers, Foliage, ...',
        remedy='unpack its archives and give the folder as --data',
        list_photos=_list_mcgill, find_group=os.path.dirname),
    DataSet(
        name='ilsvrc', num_train=12486, num_test=494,
        source='https://image-net.org (login); research use',
        layout='Data/CLS-LOC/train/n02132136/n02132136_12.JPEG, or '
               'bear/NAME.jpg and book_shelf/NAME.jpg, and so on',
        remedy='unpack it and give the folder as --data',
        subfolders=('', 'train', 'Data/CLS-LOC/train',
                    'ILSVRC/Data/CLS-LOC/train'),
        list_photos=_list_ilsvrc,
        find_group=lambda name: _CLASS_OF_FOLDER[name.split('/')[0]]),
    DataSet(
        name='mirflickr', num_train=7500, num_test=1000,
        source='https://press.liacs.nl/mirflickr (mirflickr25k.zip); '
               'Creative Commons licences, one for each photo',
        layout='im1.jpg to im25000.jpg',
        remedy='unpack mirflickr25k.zip and give the folder as --data',
        subfolders=('', 'mirflickr'), list_photos=_list_mirflickr),
    DataSet(
        name=FOLDER, source='your own',
        layout='photos, also in folders of any depth',
        remedy='give a folder that holds photos', list_photos=_list_photos),
]}

#: Names of the data sets of Table 1.
TABLE1 = tuple(name for name, dataset in DATASETS.items() if dataset.in_table1)


def get_dataset(name):
    """Return the :class:`DataSet` called `name`.

    Raises
    ------
    ColornetError
        If there is none.
    """
    try:
        return DATASETS[name]
    except KeyError:
        raise ColornetError('unknown data set %r; choose one of %s'
                            % (name, ', '.join(sorted(DATASETS))))
