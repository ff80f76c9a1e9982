"""Write the page of all studies: ``make docs``."""

import sys

from colornet.cli import report_errors
from colornet.files import write_text
from colornet.studies.page import make_page


def write_page(path):
    """Write docs/studies.rst, or a file of another name."""
    write_text(path, make_page())


if __name__ == '__main__':
    sys.exit(report_errors(write_page, *sys.argv[1:]))
