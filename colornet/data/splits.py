"""The photos of a data set to train on and to test with (paper, 4, Table 1).

Two lists name them. The lists of CVCL are part of this project; those of the
other data sets, whose photos the paper does not name, are drawn by seed from
what the folder holds.
"""

import hashlib
import os
from collections import Counter
from pathlib import Path

import numpy as np

from ..errors import ColornetError
from ..terminal import note
from .datasets import get_dataset

__all__ = ['SPLIT_SEED', 'SUBSETS', 'draw_split', 'find_photo', 'load_split',
           'read_split', 'resolve', 'split_by_hash']

#: All splits are drawn with this seed.
SPLIT_SEED = 2016

SUBSETS = 'train', 'test'


def load_split(name, folder, subset, splits_folder=None, test_proportion=0.1):
    """Return the photos to train on, or to test with.

    They are those of ``<splits_folder>/<name>_<subset>.txt`` if there is such
    a file. Otherwise they are drawn from all photos of the folder: by
    :data:`SPLIT_SEED` to the counts of Table 1, or by :func:`split_by_hash`
    where it has none.

    Parameters
    ----------
    name : str
        A key of :data:`colornet.data.datasets.DATASETS`.
    folder : str or Path
        Holds the data set.
    subset : 'train' or 'test'
    splits_folder : str or Path, optional
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
    if splits_folder is not None:
        split_file = Path(splits_folder, '%s_%s.txt' % (name, subset))
        if os.path.exists(split_file):
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
        a line on stderr says so.
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
        num_test = int(round(len(names) * num_test / total))
        num_test = min(max(num_test, 1), len(names) - 1)
        total = len(names)
        note('there are %d photos, not %s: using %d to train and %d to test'
             % (total, wanted, total - num_test, num_test))
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
    """Return the path of a photo by its name in a split, or None.

    What leads out of the folder is no name of one of its photos.
    """
    if os.path.isabs(name) or '..' in Path(name).parts or '\0' in name:
        return None
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
        A key of :data:`colornet.data.datasets.DATASETS`.
    folder : str or Path
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
