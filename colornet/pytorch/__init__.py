"""The networks in PyTorch: trained and run where Theano cannot be (5.2)."""

from ..errors import ColornetError

try:
    import torch  # noqa: F401 (all modules here need it)
except (ImportError, OSError) as error:  # The latter: a library is missing.
    raise ColornetError("PyTorch is not installed (%s): pip install "
                        "'.[pytorch]' in colornet's folder" % error)
