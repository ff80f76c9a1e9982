"""Halftones and negatives made of the demo's photos, and their colours.

::

    .venv/bin/python -m tests.photos.scans

prints the table in docs/formats.rst. What the network makes of each is joined
to the luminance of the photo, which tells how good its colours are.
"""

import numpy as np
from PIL import Image

from colornet.further_metrics import peak_signal_to_noise
from tests.tiny import ROOT

__all__ = ['KINDS', 'halftone', 'measure', 'photos']

#: Longer side of the photos.
SIDE = 800


def photos():
    """The demo's photos, sRGB of 8 bits."""
    for path in sorted((ROOT / 'demo' / 'photos').glob('*.jpg')):
        image = Image.open(path).convert('RGB')
        scale = SIDE / max(image.size)
        yield np.array(image.resize([round(scale * side) for side in
                                     image.size], Image.LANCZOS))


def halftone(grey, pitch):
    """Black and white dots as newspapers have them, at 45 degrees.

    Parameters
    ----------
    grey : ndarray of uint8, (rows, columns)
    pitch : float
        Pixels from dot to dot.

    Returns
    -------
    ndarray of uint8
        0 and 255; of the area around a dot, as much is white as it is light.
    """
    rows, columns = np.indices(grey.shape)
    turn = 2 * np.pi / pitch * np.sqrt(0.5)
    height = np.cos((columns + rows) * turn) + np.cos((columns - rows) * turn)
    # Each threshold is as frequent as any other.
    order = np.empty(grey.size)
    order[np.argsort(height, axis=None, kind='stable')] = np.arange(grey.size)
    return np.uint8(255) * (grey / 255 > order.reshape(grey.shape)
                            / grey.size)


#: What becomes of a grey photo.
KINDS = [('as it is', lambda grey: grey)] + [
    ('halftone, %d pixels a dot' % pitch,
     lambda grey, pitch=pitch: halftone(grey, pitch))
    for pitch in (3, 4, 6, 8, 12)] + [('negative', lambda grey: 255 - grey)]


def measure(colorizer, rgb, make):
    """Quality and strength of the colours of what is made of a photo.

    Returns
    -------
    quality, of_grey, strength : float
        PSNR in dB of the photo's own luminance with the chrominance that was
        predicted, the same without chrominance, and its mean in CIELUV.
    """
    grey = np.array(Image.fromarray(rgb).convert('L'))
    chroma, = colorizer.predict([make(grey)])
    quality, of_grey = [peak_signal_to_noise(colorizer.join(
        rgb, each, np.uint8), rgb) for each in (chroma, 0 * chroma)]
    return quality, of_grey, float(np.hypot(*chroma.T).mean())


def main():
    from colornet import load_colorizer
    colorizer = load_colorizer(engine='onnx')
    for name, make in KINDS:
        scores = np.array([measure(colorizer, rgb, make) for rgb in photos()])
        gains = scores[:, 0] - scores[:, 1]
        print('%-26s %6.2f %6.2f %5.1f  %4.1f to %4.1f' % (
            (name,) + tuple(scores.mean(axis=0)) + (gains.min(),
                                                    gains.max())), flush=True)


if __name__ == '__main__':
    main()
