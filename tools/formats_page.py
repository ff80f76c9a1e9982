"""Write the page of formats: ``make docs``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from colornet.files import write_text  # noqa: E402
from tests.formats.page import make_page  # noqa: E402

if __name__ == '__main__':
    write_text(sys.argv[1], make_page())
