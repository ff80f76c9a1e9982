"""Where runs were made, and what a damaged file of it says."""

import json
import tempfile
from pathlib import Path
from unittest import mock

from nose.tools import eq_, ok_

from colornet.training.provenance import (Provenance, describe_run, git_commit,
                                          read_provenance)
from tests.tiny import check_error


class TestProvenance:

    def setup(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.path = self.folder / 'provenance.json'

    def teardown(self):
        self.temporary.cleanup()

    setup_method, teardown_method = setup, teardown

    def test_every_part_is_kept_and_the_last_grows(self):
        for number in 1, 2:
            provenance = Provenance(self.folder, describe_run('photos', 9))
            eq_(provenance.commit, git_commit())
            provenance.write()
            provenance.write(photos_per_second=number)
        parts = read_provenance(self.folder)
        eq_([part['photos_per_second'] for part in parts], [1, 2])
        eq_({part['num_images'] for part in parts}, {9})

    def test_what_somebody_else_put_there_is_kept(self):
        for content, expected in ('{"a": 1}', [{'a': 1}]), ('{', []):
            self.path.write_text(content)
            Provenance(self.folder, {'git_commit': None}).write()
            eq_(json.loads(self.path.read_text()),
                expected + [{'git_commit': None}])

    def test_a_damaged_file_is_told(self):
        for content in None, '{', '[]', '[{}]', '[1]', '3':
            if content is not None:
                self.path.write_text(content)
            check_error(lambda: read_provenance(self.folder),
                        'provenance.json', 'missing or damaged')


def test_an_image_has_no_git_but_a_commit():
    with mock.patch('subprocess.run', side_effect=OSError), \
            mock.patch('colornet.training.provenance.image_commit',
                       lambda: 'abc'):
        eq_(git_commit(), 'abc')
        part = describe_run('photos', 9)
        eq_(part['git_commit'], 'abc')
        ok_(not part['git_changes'])
