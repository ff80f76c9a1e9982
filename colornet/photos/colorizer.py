"""Colorizing photos of any size (paper, 3.1, 5.3).

A network predicts the chrominance of a small copy of the photo. It is
enlarged and joined to the photo's own luminance, so that no detail is lost:
the eye sees far less detail in colour than in luminance.
"""

import copy

import numpy as np

from ..color import as_uint8, get_color_space, join_channels, luminance
from ..errors import ColornetError
from ..luv import join_to_bytes, limit_chroma
from ..refinement.refiner import Refinement
from ..scaling import enlarge_chroma
from .hints import spread_hints
from .kinds import colorize_kinds, is_kind
from .pixels import checked_join, checked_pixels, resize
from .prints import find_picture, is_even, stretch_tones

__all__ = ['Colorizer', 'proportional_shape']

#: Longer side of a photo that keeps its proportions over the shorter one.
MAX_RATIO = 3

#: What rows and columns of a network's input must be divisible by.
DIVISOR = 8

# Pixels that are joined at a time; converting colours takes some twenty
# times the memory of the pixels.
_STRIP_PIXELS = 1 << 20


def proportional_shape(shape, size):
    """Rows and columns of a small copy that keeps proportions (choice 26).

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the photo.
    size : int
        Of the copy's shorter side; divisible by :data:`DIVISOR`.

    Returns
    -------
    (int, int)
        The longer side is the nearest number that is divisible, too, and at
        most :data:`MAX_RATIO` times the shorter one.
    """
    longer = size * max(shape) / min(shape)
    longer = DIVISOR * int(min(longer, MAX_RATIO * size) / DIVISOR + 0.5)
    return (longer, size) if shape[0] > shape[1] else (size, longer)


class Colorizer:
    """Colorizes photos of any size with a network for small copies (3.1).

    Parameters
    ----------
    predict_chroma : callable
        Takes luminance, float32 (batch, rows, columns), in [0, 100] for
        CIELUV; returns chrominance, float32 (batch, rows, columns, 2), in
        the units of :func:`colornet.color.split_channels`. Its rows and
        columns may be fewer than those of the luminance.
    size : int
        Rows and columns of the network's input.
    color_space : 'luv' or 'hsv'
        That the network was trained in.
    proportions : 'squash' or 'keep'
        Whether `size` is that of both sides of the network's input, or of
        the shorter one: see :func:`proportional_shape`.
    borders : 'neutral' or 'colour'
        Whether a border around the picture (see
        :func:`colornet.photos.prints.find_picture`) is left out of the
        network's input and stays neutral, or is coloured like the rest.
    tones : 'stretch' or 'keep'
        Whether the network sees faded and dark photos with the tones of
        others (see :func:`colornet.photos.prints.stretch_tones`); the result
        keeps its own.
    refinement : Refinement
        What makes colours even (6). Where it has steps, `predict_chroma` takes
        it as a second argument: :class:`colornet.refinement.decoder.Decoder`.

    Attributes
    ----------
    predict_chroma, size, color_space, proportions, borders, tones, refinement
        As given.
    """

    def __init__(self, predict_chroma, size=224, color_space='luv',
                 proportions='squash', borders='neutral', tones='stretch',
                 refinement=Refinement()):
        self.predict_chroma = predict_chroma
        self.size = size
        self.color_space = get_color_space(color_space).name
        if proportions not in ('squash', 'keep'):
            raise ColornetError("proportions must be 'squash' or 'keep', not "
                                '%r' % (proportions,))
        self.proportions = proportions
        if borders not in ('neutral', 'colour'):
            raise ColornetError("borders must be 'neutral' or 'colour', not "
                                '%r' % (borders,))
        self.borders = borders
        if tones not in ('stretch', 'keep'):
            raise ColornetError("tones must be 'stretch' or 'keep', not %r"
                                % (tones,))
        self.tones = tones
        self.refinement = refinement

    @property
    def _white(self):
        return get_color_space(self.color_space).luminance_max

    def __call__(self, photos, borders=None, tones=None, **options):
        """Colorize whatever a photo is in Python, and return the same.

        Parameters
        ----------
        photos : str, Path, bytes, PIL.Image.Image or ndarray; or list of them
            As for :func:`.kinds.colorize_kinds`.
        borders, tones : str, optional
            In place of those that the colorizer was given.
        options
            As there; ``overwrite=True`` lets the results of files replace
            what is there.

        Returns
        -------
        The same kind
        """
        colorizer = self
        if borders is not None or tones is not None:
            # Not changed itself: other threads may use it.
            colorizer = Colorizer(
                self.predict_chroma, self.size, self.color_space,
                self.proportions, self.borders if borders is None else borders,
                self.tones if tones is None else tones, self.refinement)
        if isinstance(photos, (list, tuple)):
            return colorize_kinds(colorizer, photos, **options)
        return colorize_kinds(colorizer, [photos], **options)[0]

    def refined(self, steps):
        """The same with other steps that make colours even.

        Parameters
        ----------
        steps : str, or None
            Such as ``'total_variation guided'``, or ``'none'``; None changes
            nothing.

        Returns
        -------
        Colorizer
            Itself, if nothing changes.

        Raises
        ------
        ColornetError
            If one is unknown, or does not suit the network.
        """
        refinement = self.refinement.replaced(steps)
        if refinement is self.refinement:
            return self
        colorizer = copy.copy(self)
        colorizer.refinement = refinement
        return colorizer

    def colorize(self, pixels, hints=()):
        """Colorize a photo.

        Parameters
        ----------
        pixels : ndarray, (rows, columns) or (rows, columns, 3)
            Grey or sRGB, of which the luminance counts; uint8, uint16 or
            floating point in [0, 1]; at least one pixel. A file's name, its
            bytes or Pillow's image is for :meth:`__call__`.
        hints : sequence of Hint or str
            Colours for spots of it, such as ``'120,85=#C04020'``: see
            :mod:`.hints`.

        Returns
        -------
        ndarray of float32, (rows, columns, 3)
            sRGB in [0, 1].

        Raises
        ------
        ColornetError
            If `pixels` is not such an array, or something is no hint.
        """
        if is_kind(pixels):
            return self(pixels, hints=hints)
        pixels = np.asarray(pixels)
        luminance = self.reduce(pixels)
        chroma, = self.predict_reduced([luminance])
        return self.join(pixels, self.add_hints(luminance, chroma, hints,
                                                pixels))

    def colorize_batch(self, photos):
        """Colorize photos, of any sizes.

        Those that the network sees at one size are one minibatch.

        Parameters
        ----------
        photos : sequence of ndarray
            As for :meth:`colorize`.

        Returns
        -------
        list of ndarray
        """
        return [self.join(np.asarray(pixels), chroma)
                for pixels, chroma in zip(photos, self.predict(photos))]

    def predict(self, photos):
        """Predict the chrominance of photos, as the network sees them.

        Parameters
        ----------
        photos : sequence of ndarray
            As for :meth:`colorize`.

        Returns
        -------
        ndarray of float32, (batch, rows, columns, 2); or list of ndarray
            Rows and columns are those of the network's output. A list, if
            they differ between photos. 0, grey, for one that shows nothing
            (:func:`.prints.is_even`).
        """
        return self.predict_reduced([self.reduce(pixels)
                                     for pixels in photos])

    def reduce(self, pixels):
        """What the network sees of a photo: its luminance, small.

        Parameters
        ----------
        pixels : ndarray
            As for :meth:`colorize`.

        Returns
        -------
        ndarray of float32, (rows, columns)
        """
        pixels = checked_pixels(pixels)
        pixels = pixels[self.find_picture(pixels)]
        # Resized first, as the training photos are, then converted.
        reduced = luminance(resize(pixels, self._input_shape(
            pixels.shape[:2])), self.color_space)
        if self.tones == 'keep':
            return reduced
        return stretch_tones(reduced, self._white)

    def find_picture(self, pixels):
        """Which part of a photo the predicted chrominance is for.

        Parameters
        ----------
        pixels : ndarray
            As for :meth:`colorize`.

        Returns
        -------
        (slice, slice)
            Rows and columns; those outside stay neutral.
        """
        if self.borders == 'neutral':
            return find_picture(pixels)
        return slice(0, pixels.shape[0]), slice(0, pixels.shape[1])

    def predict_reduced(self, luminances):
        """:meth:`predict` for photos that :meth:`reduce` has reduced.

        Parameters
        ----------
        luminances : sequence of ndarray

        Returns
        -------
        ndarray or list of ndarray
            As of :meth:`predict`.
        """
        shapes = [reduced.shape for reduced in luminances]
        if len(set(shapes)) == 1:
            return self._predict_alike(luminances)
        chroma = [None] * len(luminances)
        for shape in set(shapes):
            numbers = [number for number, other in enumerate(shapes)
                       if other == shape]
            alike = self._predict_alike([luminances[number]
                                         for number in numbers])
            for number, one in zip(numbers, alike):
                chroma[number] = one
        return chroma

    def _input_shape(self, shape):
        """Rows and columns of what the network sees of a photo."""
        return ((self.size, self.size) if self.proportions == 'squash' else
                proportional_shape(shape, self.size))

    def _predict_alike(self, luminances):
        """Predict the chrominance of photos of one shape."""
        given = [self.refinement] if self.refinement.steps else []
        chroma = np.asarray(self.predict_chroma(np.stack(luminances), *given),
                            np.float32)
        if (chroma.ndim != 4 or len(chroma) != len(luminances) or
                chroma.shape[3] != 2 or not chroma.size):
            raise ValueError('the network returned an array of shape %s for '
                             '%d photos' % (chroma.shape, len(luminances)))
        if not np.isfinite(chroma).all():
            raise ColornetError('the network predicts values that are not '
                                'finite: its weights are damaged')
        even = [is_even(luminance, self._white) for luminance in luminances]
        if any(even):
            chroma = chroma.copy()
            chroma[even] = 0
        return chroma

    def add_hints(self, luminance, chroma, hints, pixels):
        """Change predicted chrominance by a user's hints.

        Parameters
        ----------
        luminance : ndarray, (rows, columns)
            What the network has seen.
        chroma : ndarray, (any rows, any columns, 2)
        hints : sequence of Hint or str
        pixels : ndarray
            The photo in whose pixels they are.

        Returns
        -------
        ndarray of float32
            `chroma` itself if there are no hints.

        Raises
        ------
        ColornetError
            If there are, and the network is not one of CIELUV, or if one is
            outside the picture.
        """
        if hints and self.color_space != 'luv':
            raise ColornetError('hints are for networks of CIELUV, not %s'
                                % self.color_space)
        return spread_hints(luminance, chroma, hints,
                            self.find_picture(pixels))

    def join(self, pixels, chroma, dtype=np.float32):
        """Join predicted chrominance to a photo's own luminance (3.1).

        Parameters
        ----------
        pixels : ndarray
            As for :meth:`colorize`.
        chroma : ndarray of float32, (any rows, any columns, 2)
            Enlarged with a bicubic filter, to :meth:`find_picture`, or as the
            photo's luminance guides it.
        dtype : np.float32, np.uint8 or np.uint16
            Of the result; uint8 takes a quarter of the memory.

        Returns
        -------
        ndarray, (rows, columns, 3)
            sRGB, of the luminance of the photo: of CIELUV, chrominance that
            it cannot have is reduced (:func:`colornet.luv.limit_chroma`), and
            what sRGB cannot show even so is clipped.

        Raises
        ------
        ColornetError
            If one is none of these.
        """
        pixels = checked_pixels(pixels)
        chroma, dtype = checked_join(chroma, dtype)
        rows, columns = pixels.shape[:2]
        rgb = np.empty((rows, columns, 3), dtype)
        down, across = self.find_picture(pixels)
        shape = down.stop - down.start, across.stop - across.start
        enlarge = self._enlarger(pixels[down, across], chroma)
        exact = np.float64 if self.color_space == 'luv' else np.float32
        step = max(1, _STRIP_PIXELS // columns)
        for start in range(0, rows, step):
            stop = min(start + step, rows)
            light = luminance(pixels[start:stop], self.color_space, exact)
            strip = np.zeros((stop - start, columns, 2), np.float32)
            first, last = max(start, down.start), min(stop, down.stop)
            if first < last:
                inside = slice(first - start, last - start), across
                strip[inside] = enlarge(shape, light[inside], (
                    first - down.start, last - down.start))
            rgb[start:stop] = self._join_strip(light, strip, dtype)
        return rgb

    def _enlarger(self, pixels, chroma):
        """What enlarges chrominance to a picture."""
        if self.refinement.is_guided:
            return self.refinement.follow(chroma, luminance(
                resize(pixels, chroma.shape[:2]), self.color_space))
        return lambda shape, _, rows: enlarge_chroma(
            chroma, shape, self.color_space, rows)

    def _join_strip(self, light, chroma, dtype):
        if self.color_space == 'luv':
            chroma = limit_chroma(light, chroma)
            if dtype == np.uint8:
                return join_to_bytes(light, chroma[..., 0], chroma[..., 1])
        rgb = join_channels(light, chroma, self.color_space)
        if dtype == np.uint16:
            return (rgb * np.float32(65535) + 0.5).astype(np.uint16)
        return as_uint8(rgb) if dtype == np.uint8 else rgb
