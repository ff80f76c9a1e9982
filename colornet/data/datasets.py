"""The data sets of the paper and their splits (paper, 4, Table 1).

A data set is a folder of photos, and two lists that name the photos to train
on and to test with. The lists of CVCL are part of this project; those of the
other data sets, whose photos the paper does not name, are drawn by seed from
what the folder holds.
"""

import hashlib
import logging
import os
import re
from collections import Counter, namedtuple

import numpy as np

from ..errors import ColornetError
from ..photos.reading import find_images

__all__ = ['DATASETS', 'DataSet', 'ILSVRC_CLASSES', 'SPLIT_SEED', 'SUBSETS',
           'draw_split', 'find_photo', 'get_dataset', 'load_split',
           'read_split', 'resolve', 'split_by_hash']

logger = logging.getLogger(__name__)

#: All splits are drawn with this seed.
SPLIT_SEED = 2016

SUBSETS = 'train', 'test'

#: The ten classes (paper, 4) as leaf classes of ILSVRC 2015 CLS-LOC (choice
#: 19).
#: A word that is no leaf there stands for the leaves below it in WordNet.
ILSVRC_CLASSES = {
    'spatula': ['n04270147'],
    'school bus': ['n04146614'],
    # Brown, American black, ice and sloth bear.
    'bear': ['n02132136', 'n02133161', 'n02134084', 'n02134418'],
    # Bookcase.
    'book shelf': ['n02870880'],
    # Breastplate, chain mail, cuirass.
    'armor': ['n02895154', 'n03000247', 'n03146219'],
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
    return list({os.path.splitext(name)[0]: name
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


#: `num_train` and `num_test` are the counts of Table 1 (choice 11), None where
#: it has none. `source` tells where to get the photos and on which terms,
#: `layout` what the folder holds, and `remedy` what to do when it does not.
#: `subfolders` are the places below the folder where the photos may be.
#: `list_photos(folder)` gives their names, `find_group(name)` the category to
#: draw evenly from. Files may carry `prefix` before the name in a split.
DataSet = namedtuple('DataSet', 'name num_train num_test source layout remedy '
                     'subfolders list_photos find_group prefix')

DATASETS = {dataset.name: dataset for dataset in [
    DataSet(
        'cvcl', 361, 50,
        source='https://people.csail.mit.edu/torralba/code/spatialenvelope/; '
               'research use, cite Oliva and Torralba (2001)',
        layout='land143.jpg or opencountry_land143.jpg, and so on',
        remedy='run "make data-cvcl", or give your copy as CVCL=folder',
        subfolders=['', 'spatial_envelope_256x256_static_8outdoorcategories'],
        list_photos=_list_cvcl, find_group=None, prefix=_CVCL_PREFIX),
    DataSet(
        'mcgill', 896, 150,
        source='http://tabby.vision.mcgill.ca/html/browsedownload.html; '
               'research use, cite Olmos and Kingdom (2004)',
        layout='a folder of .tif or .jpg files for each category: Animals, '
               'Flowers, Foliage, ...',
        remedy='unpack its archives and give the folder as --data',
        subfolders=[''], list_photos=_list_mcgill,
        find_group=os.path.dirname, prefix=''),
    DataSet(
        'ilsvrc', 12486, 494,
        source='https://image-net.org (login); research use',
        layout='Data/CLS-LOC/train/n02132136/n02132136_12.JPEG, or '
               'bear/NAME.jpg and book_shelf/NAME.jpg, and so on',
        remedy='unpack it and give the folder as --data',
        subfolders=['', 'train', 'Data/CLS-LOC/train',
                    'ILSVRC/Data/CLS-LOC/train'],
        list_photos=_list_ilsvrc,
        find_group=lambda name: _CLASS_OF_FOLDER[name.split('/')[0]],
        prefix=''),
    DataSet(
        'mirflickr', 7500, 1000,
        source='https://press.liacs.nl/mirflickr (mirflickr25k.zip); '
               'Creative Commons licences, one for each photo',
        layout='im1.jpg to im25000.jpg',
        remedy='unpack mirflickr25k.zip and give the folder as --data',
        subfolders=['', 'mirflickr'], list_photos=_list_mirflickr,
        find_group=None, prefix=''),
    DataSet(
        'folder', None, None, source='your own',
        layout='photos, also in folders of any depth',
        remedy='give a folder that holds photos', subfolders=[''],
        list_photos=_list_photos, find_group=None, prefix=''),
]}


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


def load_split(name, folder, subset, splits_folder=None, test_proportion=0.1):
    """Return the photos to train on, or to test with.

    They are those of ``<splits_folder>/<name>_<subset>.txt`` if there is such
    a file. Otherwise they are drawn from all photos of the folder: by
    :data:`SPLIT_SEED` to the counts of Table 1, or by :func:`split_by_hash`
    where it has none.

    Parameters
    ----------
    name : str
        A key of :data:`DATASETS`.
    folder : str or pathlib.Path
        Holds the data set.
    subset : 'train' or 'test'
    splits_folder : str or pathlib.Path, optional
    test_proportion : float in [0, 1)
        Of the photos, where Table 1 has no counts for the data set.

    Returns
    -------
    list of str
        Paths, sorted by the name in the split.

    Raises
    ------
    ColornetError
        If the data set is unknown, photos are missing, or none are for tests.
    """
    dataset = get_dataset(name)
    if subset not in SUBSETS:
        raise ColornetError('unknown subset %r; choose train or test'
                            % (subset,))
    split_file = os.path.join(os.fspath(splits_folder or ''),
                              '%s_%s.txt' % (name, subset))
    if splits_folder is not None and os.path.exists(split_file):
        return resolve(name, folder, read_split(split_file))
    # What a listing names is there; whether it can be read is found out, and
    # told, when it is read.
    found = os.path.lexists
    names = _list_names(dataset, folder)
    num_train, num_test = dataset.num_train, dataset.num_test
    if num_test is None:
        split = split_by_hash(names, test_proportion)
        if not split[SUBSETS.index(subset)]:
            raise ColornetError('%s: data.test_share = 0: no photos of %s are '
                                'for tests' % (name, folder))
        return resolve(name, folder, split[SUBSETS.index(subset)], found)
    groups = (None if dataset.find_group is None
              else [dataset.find_group(photo) for photo in names])
    split = draw_split(names, num_train, num_test, SPLIT_SEED, groups)
    return resolve(name, folder, split[SUBSETS.index(subset)], found)


def draw_split(names, num_train, num_test, seed, groups=None):
    """Draw photos to train on and to test with.

    Parameters
    ----------
    names : sequence of str
        Their order does not matter.
    num_train, num_test : int
        Where there are fewer photos, both become smaller in proportion, and
        a warning is logged.
    seed : int
        In [0, 2 ** 32), for ``numpy.random.RandomState``.
    groups : sequence of str, same length as `names`, optional
        Categories. As many photos are drawn from each as from any other, or
        all where a category has fewer; each gives the same proportion of
        its photos to the test.

    Returns
    -------
    train, test : list of str
        Sorted, disjoint.

    Raises
    ------
    ColornetError
        If there are fewer than two photos.
    """
    if len(names) < 2:
        raise ColornetError('a split needs at least two photos, not %d'
                            % len(names))
    total = num_train + num_test
    if len(names) < total:
        wanted = '%d + %d' % (num_train, num_test)
        num_test = int(round(len(names) * num_test / float(total)))
        num_test = min(max(num_test, 1), len(names) - 1)
        total = len(names)
        logger.warning('there are %d photos, not %s: using %d to train and '
                       '%d to test', total, wanted, total - num_test, num_test)
    photos = sorted(zip(names, groups or [''] * len(names)))
    shuffled = np.random.RandomState(seed).permutation(len(photos))
    # The first of each category, then the second of each, and so on.
    ranked, sizes = [], Counter()
    for name, group in (photos[i] for i in shuffled):
        ranked.append((sizes[group], name, group))
        sizes[group] += 1
    drawn = sorted(ranked, key=lambda photo: photo[0])[:total]
    # The same proportion of each category comes first.
    sizes = Counter(group for _, _, group in drawn)
    drawn.sort(key=lambda photo: (photo[0] + 0.5) / sizes[photo[2]])
    ordered = [name for _, name, _ in drawn]
    return sorted(ordered[num_test:]), sorted(ordered[:num_test])


def split_by_hash(names, test_proportion):
    """Choose photos to test with by a hash of their names.

    A photo stays on its side when others come or go, so a network is never
    tested with what it was trained on.

    Parameters
    ----------
    names : sequence of str
    test_proportion : float in [0, 1)
        Of all names that there may be; of a few, more or fewer.

    Returns
    -------
    train, test : list of str
        Sorted, disjoint; neither is empty, except the second for a
        proportion of zero.

    Raises
    ------
    ColornetError
        If there are fewer than two photos.
    """
    if not 0 <= test_proportion < 1:
        raise ColornetError('the test proportion must be at least 0 and below '
                            '1, not %s' % test_proportion)
    if test_proportion == 0:
        return sorted(names), []
    if len(names) < 2:
        raise ColornetError('a split needs at least two photos, not %d'
                            % len(names))
    # From 0 to 1, evenly spread and always the same for a name.
    ranks = {name: int(hashlib.sha256(os.fsencode(name)).hexdigest()[:12], 16)
             / 16. ** 12 for name in names}
    ordered = sorted(names, key=ranks.get)
    num_test = sum(rank < test_proportion for rank in ranks.values())
    num_test = min(max(num_test, 1), len(names) - 1)
    return sorted(ordered[num_test:]), sorted(ordered[:num_test])


def read_split(path):
    """Read the names of photos, one a line; lines of ``#`` are comments.

    Raises
    ------
    ColornetError
        If the file cannot be read, names no photo, or names one twice.
    """
    try:
        with open(path, encoding='utf-8', errors='surrogateescape') as file:
            lines = [line.strip() for line in file]
    except OSError as error:
        raise ColornetError('cannot read the split %s: %s'
                            % (path, error.strerror))
    names = [line for line in lines if line and not line.startswith('#')]
    if not names:
        raise ColornetError('the split %s names no photo' % path)
    if len(set(names)) < len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise ColornetError('the split %s names %s twice' % (path, twice))
    return names


def find_photo(dataset, folder, name, exists=os.path.isfile):
    """Return the path of a photo by its name in a split, or None."""
    for subfolder in dataset.subfolders:
        for prefix in sorted({'', dataset.prefix}):
            path = os.path.join(folder, subfolder, prefix + name)
            if exists(path):
                return path
    return None


def resolve(name, folder, photos, exists=os.path.isfile):
    """Return the paths of photos by their names in a split.

    Parameters
    ----------
    name : str
        A key of :data:`DATASETS`.
    folder : str or pathlib.Path
    photos : sequence of str
    exists : callable
        Whether a path is there.

    Returns
    -------
    list of str

    Raises
    ------
    ColornetError
        If the folder or photos are missing; it says what to do.
    """
    dataset = get_dataset(name)
    _check_folder(dataset, folder)
    paths = [find_photo(dataset, folder, photo, exists)
             for photo in photos]
    missing = [photo for photo, path in zip(photos, paths) if path is None]
    if missing:
        raise ColornetError(
            '%s: %d of %d photos are missing from %s (%s%s); %s'
            % (name, len(missing), len(photos), folder,
               ', '.join(missing[:3]), ', ...' if missing[3:] else '',
               dataset.remedy))
    return paths


def _check_folder(dataset, folder):
    if not folder or not os.path.isdir(folder):
        raise ColornetError('%s: there is no folder %s; %s (source: %s)'
                            % (dataset.name, folder or '', dataset.remedy,
                               dataset.source))


def _list_names(dataset, folder):
    """Names of all photos, from the first subfolder that has any."""
    _check_folder(dataset, folder)
    for subfolder in dataset.subfolders:
        path = os.path.join(folder, subfolder)
        names = dataset.list_photos(path) if os.path.isdir(path) else []
        if names:
            return names
    raise ColornetError('%s: there are no photos in %s; expected %s; %s'
                        % (dataset.name, folder, dataset.layout,
                           dataset.remedy))
