"""Speed beside the same network in PyTorch, and training by PyTorch."""

from colornet.resources import weights_file

__all__ = ['NETWORK']

#: The paper's network, decoded as the paper does.
NETWORK = weights_file('cvcl_classification')
