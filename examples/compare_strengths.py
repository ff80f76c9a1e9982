"""One photo, ever stronger: python examples/compare_strengths.py photo.jpg out

The network runs once; how strong its colours are is a matter of decoding.
"""

import sys
from pathlib import Path

from PIL import Image

from colornet.api import load_colorizers

STRENGTHS = 0.5, 1, 1.5

photo, folder = Image.open(sys.argv[1]), Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
colorizers = load_colorizers(decodings=[
    ['decoding.saturation=%s' % strength] for strength in STRENGTHS])
for strength, colorizer in zip(STRENGTHS, colorizers):
    path = folder / ('strength-%s.png' % strength)
    colorizer(photo).save(path)
    print(path)
