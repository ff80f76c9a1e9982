"""The networks in PyTorch: trained and run where Theano cannot be (5.2)."""

import sys

from ..errors import ColornetError

try:
    import torch  # noqa: F401 (all modules here need it)
except (ImportError, OSError) as error:  # The latter: a library is missing.
    if sys.version_info < (3, 10):
        raise ColornetError('PyTorch needs Python 3.10 or newer, and this is '
                            '%d.%d' % sys.version_info[:2])
    raise ColornetError("PyTorch is not installed (%s): pip install "
                        "'.[pytorch]' in colornet's folder" % error)
