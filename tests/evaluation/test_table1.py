"""Table 1 on folders of the data sets' layouts."""

import csv
import tempfile
from pathlib import Path

from nose.tools import assert_in, eq_

from colornet.evaluation.table1 import make_table1
from tests import tiny


def test_counts_and_what_is_missing():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        names = tiny.cvcl_names()
        tiny.write_crops(root / 'cvcl', names[:1])
        for name in names[1:]:
            (root / 'cvcl' / name).symlink_to(names[0])
        tiny.write_crops(root / 'mirflickr', ['im%d.jpg' % number
                                              for number in range(1, 18)])
        (root / 'ilsvrc').mkdir()
        text = make_table1({name: root / name for name in (
            'cvcl', 'mcgill', 'ilsvrc', 'mirflickr')}, root / 'table1.csv')
        with open(str(root / 'table1.csv')) as stream:
            rows = {row['dataset']: row for row in csv.DictReader(stream)}
    counts = {name: (row['paper_train'], row['paper_test'], row['train'],
                     row['test']) for name, row in rows.items()}
    eq_(counts, {'cvcl': ('361', '50', '360', '50'),
                 'mcgill': ('896', '150', '', ''),
                 'ilsvrc': ('12486', '494', '', ''),
                 'mirflickr': ('7500', '1000', '15', '2')})
    assert_in('mcgill: there is no folder', text)
    assert_in('tabby.vision.mcgill.ca', text)
    assert_in('there are no photos', rows['ilsvrc']['note'])
    assert_in('360', text)
