"""A network that looks at a photo once and colours it in many ways."""

import copy
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..color import as_uint8, get_color_space
from ..errors import ColornetError
from ..network.stored import network_file
from ..photos.colorizer import Colorizer
from ..photos.pixels import is_grey, resize
from ..photos.reading import Photo, decode_photo
from ..photos.scores import decode_scores, keep_scores
from ..photos.writing import encode_photo, output_suffix
from ..prediction.engines import load_outputs
from ..resources import DEFAULT_NETWORK, find_resource
from .shelf import Seen

__all__ = ['Model', 'TooLarge', 'load_model']

#: Longer side of the copy that a page shows.
SMALL = 1280

#: Of files that are written in the format that was read; all others are PNG.
_SUFFIXES = {'JPEG': '.jpg', 'PNG': '.png', 'TIFF': '.tif', 'WEBP': '.webp',
             'BMP': '.bmp', 'PPM': '.ppm'}


class TooLarge(ColornetError):
    """A photo has more pixels than are taken."""


def load_model(network=None, vgg_weights=None, decoding=(), engine=None,
               bfloat16=False, max_pixels=None):
    """Load a network.

    Parameters
    ----------
    network, vgg_weights, decoding, engine, bfloat16
        As for :func:`colornet.api.load_colorizer`.
    max_pixels : int, optional
        Of a photo.

    Returns
    -------
    Model

    Raises
    ------
    ColornetError
    """
    network = (network_file(network) if network else
               find_resource(DEFAULT_NETWORK))
    outputs, config, _ = load_outputs(network, vgg_weights, decoding, engine,
                                      bfloat16)
    return Model(outputs, config, network.stem, max_pixels)


@dataclass
class Model:
    """A network, and how its scores become photos.

    Parameters
    ----------
    outputs, config
        Of :func:`colornet.prediction.engines.load_outputs`.
    name : str
        Of the network.
    max_pixels : int, optional
        Of a photo.
    """

    outputs: callable
    config: dict
    name: str
    max_pixels: int = None

    def __post_init__(self):
        network, data = self.config.network, self.config.data
        self._colorizer = Colorizer(None, data['size'],
                                    network['color_space'],
                                    data['proportions'])
        self._limits = get_color_space(network['color_space']).limits

    def decoding(self, changes):
        """How scores become colours, with changes of the network's own way.

        Parameters
        ----------
        changes : dict of str to str
            Settings of ``[decoding]``.

        Returns
        -------
        dict

        Raises
        ------
        ColornetError
            If there is no such setting or value.
        """
        config = copy.deepcopy(self.config)
        config.override_decoding(
            ['decoding.%s=%s' % change for change in changes.items()],
            'option')
        return config.decoding

    def adjustable(self):
        """Settings of ``[decoding]`` that change this network's colours."""
        network = self.config.network
        names = {'saturation', 'temperature', 'method', 'smoothing'}
        if network['kind'] == 'regression':
            names = {'saturation'}
        if network['color_space'] == 'hsv':
            names -= {'saturation', 'temperature', 'method'}
        return names

    def read(self, content, name):
        """Decode a photo.

        Parameters
        ----------
        content : bytes
            Of the file.
        name : str
            What errors call it.

        Returns
        -------
        Photo

        Raises
        ------
        TooLarge
        ImageError
        """
        if self.max_pixels:
            try:
                width, height = Image.open(io.BytesIO(content)).size
            except Exception:  # Whoever decodes it will say so.
                width = height = 0
            if width * height > self.max_pixels:
                raise TooLarge(
                    '%s: too large, %d x %d pixels; at most %d are taken'
                    % (name, width, height, self.max_pixels))
        return decode_photo(content, name)

    def look(self, photo):
        """Let the network see a photo.

        Parameters
        ----------
        photo : Photo

        Returns
        -------
        Seen
        """
        luminance = self._colorizer.reduce(photo.pixels)
        scores, = keep_scores(self.outputs(luminance[np.newaxis]))
        suffix = _SUFFIXES.get(photo.format, '.png')
        return Seen(scores, _small(photo), photo.pixels.shape[:2],
                    output_suffix('photo' + suffix, photo), _notes(photo))

    def colour(self, pixels, seen, decoding):
        """Colour a photo, or a copy of it of another size.

        Parameters
        ----------
        pixels : ndarray
            Of the photo or of the copy.
        seen : Seen
        decoding : dict

        Returns
        -------
        ndarray of uint8, (rows, columns, 3)
        """
        chroma = decode_scores(seen.scores, self._limits, **decoding)
        return self._colorizer.join(pixels, chroma, np.uint8)

    def encode(self, rgb, photo, suffix):
        """The file of a coloured photo, as bytes."""
        return encode_photo(rgb, photo, suffix)


def _small(photo):
    """A copy of a photo that fits a screen, without its metadata."""
    shape = photo.pixels.shape[:2]
    if max(shape) > SMALL:
        shape = [max(1, round(side * SMALL / max(shape))) for side in shape]
    pixels, alpha = [
        plane if plane is None else as_uint8(resize(plane, shape))
        for plane in (photo.pixels, photo.alpha)]
    return Photo(pixels, alpha)


def _notes(photo):
    """What the owner of a photo should know."""
    notes = []
    if photo.pixels.ndim == 3 and not is_grey(as_uint8(photo.pixels)):
        notes.append('It has colours; they give way to new ones.')
    if photo.has_more:
        notes.append('It has several pictures; the first is coloured.')
    return notes
