"""colornet: colours for black-and-white photos.

A reproduction of *Image Colorization with Deep Convolutional Neural
Networks* (Hwang & Zhou, 2016) in Theano and Lasagne.

>>> import colornet
>>> colornet.colorize('old.jpg')        # doctest: +SKIP
PosixPath('old-coloured.jpg')
>>> colorizer = colornet.load_colorizer(engine='onnx')  # doctest: +SKIP
>>> rgb = colorizer(grey)               # doctest: +SKIP
"""

__version__ = '0.1.0'
__all__ = ['ColornetError', 'Colorizer', 'colorize', 'load_colorizer']


def __getattr__(name):
    """Import on first use, so that ``import colornet`` compiles nothing."""
    if name in ('colorize', 'load_colorizer'):
        from . import api
        return getattr(api, name)
    if name == 'Colorizer':
        from .photos.colorizer import Colorizer
        return Colorizer
    if name == 'ColornetError':
        from .errors import ColornetError
        return ColornetError
    raise AttributeError('module %r has no attribute %r' % (__name__, name))
