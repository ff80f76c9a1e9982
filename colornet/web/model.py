"""A network that looks at a photo once and colours it in many ways."""

import copy
import threading

import numpy as np

from ..color import as_uint8, get_color_space
from ..network.stored import network_file
from ..photos.colorizer import Colorizer
from ..photos.hints import HintSpreader
from ..photos.pixels import resize
from ..photos.reading import Photo
from ..photos.tones import has_colours, mix_colours
from ..prediction.engines import load_outputs
from ..refinement.refiner import Refinement
from ..refinement.scores import keep_scores
from ..resources import DEFAULT_NETWORK, find_resource
from .shelf import Seen

__all__ = ['Model', 'load_model']

#: Longer side of the copy that a page shows.
SMALL = 1280


def load_model(network=None, vgg_weights=None, decoding=(), engine=None,
               bfloat16=False, device='auto'):
    """Load a network.

    Parameters
    ----------
    network, vgg_weights, decoding, engine, bfloat16, device
        As for :func:`colornet.api.load_colorizer`.

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
                                      bfloat16, device)
    return Model(outputs, config, network.stem)


class Model:
    """A network, and how its scores become photos.

    Parameters
    ----------
    outputs, config
        Of :func:`colornet.prediction.engines.load_outputs`.
    name : str
        Of the network.

    Attributes
    ----------
    outputs, config, name
        As given.
    refinement : Refinement
        That of the network's configuration.
    """

    def __init__(self, outputs, config, name):
        self.outputs = outputs
        self.config = config
        self.name = name
        network, data = config.network, config.data
        self._given = (None, data['size'], network['color_space'],
                       data['proportions'])
        # Borders are found once, and are the same in the copy.
        self._joiner = Colorizer(*self._given, borders='colour')
        self._space = get_color_space(network['color_space'])
        self.refinement = Refinement.of(config)
        self._spreader = None
        self._lock = threading.Lock()

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

    @property
    def takes_hints(self):
        """Whether a user's colours can be spread: they are CIELUV."""
        return self.config.network['color_space'] == 'luv'

    def adjustable(self):
        """Settings of ``[decoding]`` that change this network's colours."""
        network = self.config.network
        names = {'saturation', 'temperature', 'method', 'smoothing'}
        if network['kind'] == 'regression':
            names = {'saturation'}
        if network['color_space'] == 'hsv':
            names -= {'saturation', 'temperature', 'method'}
        return names

    def look(self, photo, **looks):
        """Let the network see a photo.

        Parameters
        ----------
        photo : Photo
        looks : str
            ``borders`` and ``tones`` of a
            :class:`colornet.photos.colorizer.Colorizer`.

        Returns
        -------
        Seen
        """
        colorizer = Colorizer(*self._given, **looks)
        luminance = colorizer.reduce(photo.pixels)
        scores, = keep_scores(self.outputs(luminance[np.newaxis]))
        return Seen(luminance, scores, _small(photo), photo.pixels.shape[:2],
                    colorizer.find_picture(photo.pixels),
                    has_colours(photo.pixels))

    def colour(self, pixels, seen, wanted, dtype=np.uint8):
        """Colour a photo, or a copy of it of another size.

        Parameters
        ----------
        pixels : ndarray
            Of the photo or of the copy.
        seen : Seen
        wanted : Wanted
        dtype : np.uint8 or np.uint16

        Returns
        -------
        ndarray, (rows, columns, 3)
            Of that type; if a photo keeps its colours, as they are.

        Raises
        ------
        ColornetError
            If a hint is outside the picture.
        """
        own = seen.has_colours and wanted.results.colour
        if own == 'keep':
            return pixels
        refinement = self.refinement.replaced(wanted.results.refinement)
        # By a colorizer, which sees to it that what it makes can be used.
        chroma, = Colorizer(lambda *_: refinement(
            seen.scores, seen.luminance, self._space.limits,
            wanted.decoding)[np.newaxis], *self._given[1:],
            refinement=refinement).predict_reduced([seen.luminance])
        if wanted.results.hints:
            chroma = self._spread(chroma, seen, wanted.results.hints)
        rgb = self._join(pixels, chroma, seen, dtype, refinement)
        return mix_colours(rgb, pixels) if own == 'blend' else rgb

    def _join(self, pixels, chroma, seen, dtype, refinement):
        """Join chrominance to a picture without its border."""
        joiner = copy.copy(self._joiner)
        joiner.refinement = refinement
        inside = tuple(
            slice(round(part.start * side / whole),
                  max(1, round(part.stop * side / whole)))
            for part, side, whole in zip(seen.picture, pixels.shape,
                                         seen.shape))
        if pixels[inside].shape == pixels.shape:
            return joiner.join(pixels, chroma, dtype)
        rgb = joiner.join(pixels, np.zeros_like(chroma), dtype)
        rgb[inside] = joiner.join(pixels[inside], chroma, dtype)
        return rgb

    def _spread(self, chroma, seen, hints):
        """Spread hints; those of the same photo as before are quick."""
        with self._lock:
            if self._spreader is None or self._spreader[0] is not seen:
                self._spreader = seen, HintSpreader(seen.luminance,
                                                    seen.picture)
            return self._spreader[1].spread(chroma, hints)


def _small(photo):
    """A copy of a photo that fits a screen, without its metadata."""
    shape = photo.pixels.shape[:2]
    if max(shape) > SMALL:
        shape = [max(1, round(side * SMALL / max(shape))) for side in shape]
    pixels, alpha = [
        plane if plane is None else as_uint8(resize(plane, shape))
        for plane in (photo.pixels, photo.alpha)]
    return Photo(pixels, alpha)
