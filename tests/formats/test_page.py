"""docs/formats.rst follows from the files that prove it."""

import subprocess
import sys
import tempfile
from pathlib import Path

from nose.tools import assert_in, eq_

from tests import tiny
from tests.formats.page import PAGE, make_page


def test_the_page_is_what_the_tests_make():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'formats.rst'
        subprocess.check_call(
            [sys.executable, str(tiny.ROOT / 'tools' / 'formats_page.py'),
             str(path)], cwd=str(tiny.ROOT))
        eq_(path.read_bytes(), PAGE.read_bytes(), 'make docs')


def test_what_it_must_say():
    page = make_page()
    for words in ('1 to 64', 'BigTIFF', 'Zstandard', 'JPEG 2000',
                  'planes apart', 'multiplied by alpha'):
        assert_in(words, page)
