"""Colour a photo: python examples/colour_one.py photo.jpg

The result is beside it, photo-coloured.jpg.
"""

import sys

import colornet

print(colornet.colorize(sys.argv[1]))
