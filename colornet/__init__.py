"""colornet: colours for black-and-white photos.

A reproduction of *Image Colorization with Deep Convolutional Neural
Networks* (Hwang & Zhou, 2016) in Theano and Lasagne.

>>> from colornet import load_colorizer
>>> colorizer = load_colorizer()
>>> rgb = colorizer.colorize(grey)      # doctest: +SKIP
"""

__version__ = '0.1.0'
__all__ = ['ColornetError', 'Colorizer', 'load_colorizer']


def __getattr__(name):
    """Import on first use, so that ``import colornet`` compiles nothing."""
    if name == 'load_colorizer':
        from .api import load_colorizer
        return load_colorizer
    if name == 'Colorizer':
        from .photos.colorizer import Colorizer
        return Colorizer
    if name == 'ColornetError':
        from .errors import ColornetError
        return ColornetError
    raise AttributeError('module %r has no attribute %r' % (__name__, name))
