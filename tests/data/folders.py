"""Folders of files whose names alone count."""

import os
import shutil
import tempfile
import unittest

__all__ = ['EmptyFolder']


class EmptyFolder(unittest.TestCase):
    """Each test has a folder of its own."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()

    def tearDown(self):
        shutil.rmtree(self.folder)

    def touch(self, *names):
        for name in names:
            path = os.path.join(self.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            open(path, 'w').close()
