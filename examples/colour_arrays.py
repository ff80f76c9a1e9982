"""Colour arrays in batches: python examples/colour_arrays.py grey.npy out.npy

The first holds (pictures, rows, columns) of uint8, uint16, or floating point
in [0, 1]; the second gets (pictures, rows, columns, 3) of the same type.
"""

import sys

import numpy as np

import colornet

pictures = np.load(sys.argv[1])
coloured = colornet.colorize(list(pictures), batch_size=8)
np.save(sys.argv[2], np.stack(coloured))
print('%d pictures of %s' % (len(coloured), coloured[0].dtype))
