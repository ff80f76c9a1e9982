"""Colours that a user gives for single spots, spread to what belongs together.

Levin, Lischinski and Weiss (2004) spread colours from scribbles to neighbours
of like luminance. Here, it is the *difference* between the user's colours and
the network's that is spread: where it has faded, far away or beyond edges, the
network's colours stay.

The difference is the smoothest that has the values wanted at the spots: it
minimizes the squared differences between neighbours, weighted by how like
their luminance is, and its own squares, weighted by a small pull. The matrix
of this quadratic form depends on the photo alone. It is factorised once;
then, each spot costs one solution, and another colour of it none.
"""

import re
from dataclasses import dataclass
from typing import Tuple

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
from PIL import ImageColor

from ..color import split_channels
from ..errors import ColornetError
from ..scaling import enlarge_chroma
from .pixels import resize

__all__ = ['Hint', 'HintSpreader', 'parse_hint', 'spread_hints']

#: Pixels of the grid on which differences are spread, at most: a factorisation
#: takes a third of a second.
_GRID_PIXELS = 30000

#: In units of the photo's side (the root of its area): where luminance is
#: even, a hint has faded to 1/e at this distance.
REACH = 1.

#: Differences of luminance between neighbours on the grid at which the weight
#: falls to exp(-1/2) of that of equals; and the least weight, so that a spot
#: of noise is not left alone.
CONTRAST, LEAST_WEIGHT = 3., 1e-4

#: In a thing of one material, chroma grows with luminance. Differences grow
#: with the root of luminance, and this added, so that black is bearable.
LUMINANCE_OFFSET = 10.

#: Of the spot around a hint, in units of the photo's side.
SPOT_RADIUS = 0.017


@dataclass(frozen=True)
class Hint:
    """A colour for a spot of a photo.

    Attributes
    ----------
    x, y : float
        Pixels from the left and upper edge of the upright photo.
    color : (int, int, int)
        sRGB, 0 to 255; of which hue and saturation count. Any grey says that
        the spot has no colour.
    """

    x: float
    y: float
    color: Tuple[int, int, int]


def parse_hint(text):
    """Read a hint such as ``120,85=#C04020`` or ``120,85=grey``.

    Parameters
    ----------
    text : str
        ``X,Y=COLOUR``; the colour as CSS has it.

    Returns
    -------
    Hint

    Raises
    ------
    ColornetError
        If it is no hint.
    """
    found = re.fullmatch(r'\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*=\s*'
                         r'(\S.*?)\s*', text, re.ASCII)
    if not found:
        raise ColornetError('a hint is X,Y=#RRGGBB or X,Y=grey, with pixels '
                            'from the left and from above, not %r' % text)
    x, y, name = found.groups()
    try:
        color = ImageColor.getrgb(name)
    except ValueError:
        color = ()
    if len(color) != 3:
        raise ColornetError('%r in the hint %r is no colour such as #C04020, '
                            'skyblue or grey' % (name, text))
    return Hint(float(x), float(y), color)


def spread_hints(luminance, chroma, hints, shape=None):
    """Spread a user's colours to what belongs together.

    Parameters
    ----------
    luminance : ndarray, (rows, columns)
        CIELUV L of the photo, as the network sees it.
    chroma : ndarray, (any rows, any columns, 2)
        The network's U and V.
    hints : sequence of Hint
    shape : (int, int), optional
        Rows and columns of the photo in whose pixels the hints are; those of
        `luminance` if not given.

    Returns
    -------
    ndarray of float32, (rows, columns, 2)
        U and V; `chroma` itself if there are no hints.

    Raises
    ------
    ColornetError
        If a hint is outside the photo.
    """
    if not hints:
        return chroma
    return HintSpreader(luminance, chroma, shape).spread(hints)


class HintSpreader:
    """Spreads hints on one photo, many times.

    Parameters
    ----------
    luminance, chroma, shape
        As for :func:`spread_hints`.
    """

    def __init__(self, luminance, chroma, shape=None):
        self._photo_shape = tuple(shape or luminance.shape)
        self._luminance = np.asarray(luminance, np.float32)
        self._chroma = enlarge_chroma(np.asarray(chroma, np.float32),
                                      luminance.shape)
        scale = min(1, np.sqrt(_GRID_PIXELS / luminance.size))
        self._shape = tuple(max(1, round(scale * side))
                            for side in luminance.shape)
        small = resize(self._luminance / 100, self._shape) * np.float32(100)
        self._light = small.ravel()
        self._small_chroma = enlarge_chroma(self._chroma, self._shape).reshape(
            -1, 2)
        self._factors = scipy.sparse.linalg.splu(
            _precision(small.astype(np.float64)), 'MMD_AT_PLUS_A', 0,
            options={'SymmetricMode': True})
        self._responses = {}

    def spread(self, hints):
        """The network's chroma and what hints change of it.

        Parameters
        ----------
        hints : sequence of Hint
            Those that were there in the call before cost next to nothing,
            whatever their colours.

        Returns
        -------
        ndarray of float32, (rows, columns, 2)
            As of :func:`spread_hints`.
        """
        if not hints:
            return self._chroma
        spots = self._find_spots(hints)
        self._responses = {spot: self._responses[spot]
                           if spot in self._responses else self._respond(spot)
                           for spot in spots}
        responses = np.array([self._responses[spot] for spot in spots])
        among = np.array([responses[:, list(spot)].mean(axis=1)
                          for spot in spots])
        wanted = np.array([self._difference(hint, spot)
                           for hint, spot in zip(hints, spots)])
        # Two hints for one spot are met half-way.
        sources = np.linalg.lstsq(among, wanted, rcond=1e-9)[0]
        change = responses.T.dot(sources).astype(np.float32)
        change = enlarge_chroma(change.reshape(self._shape + (2,)),
                                self._luminance.shape)
        return self._chroma + change * _strength(self._luminance)[..., None]

    def _find_spots(self, hints):
        """Pixels of the grid around each hint, no nearer to another one."""
        rows, columns = self._photo_shape
        for hint in hints:
            if not (0 <= hint.x < columns and 0 <= hint.y < rows):
                raise ColornetError(
                    'the hint at %g,%g is outside the photo, which has %d x '
                    '%d pixels' % (hint.x, hint.y, columns, rows))
        # Whole pixels, so that each hint has its own or shares it.
        middles = np.array([(int(hint.y * self._shape[0] / rows),
                             int(hint.x * self._shape[1] / columns))
                            for hint in hints])
        places = np.indices(self._shape).reshape(2, 1, -1)
        distances = np.square(places - middles.T[..., None]).sum(axis=0)
        radius = SPOT_RADIUS * np.sqrt(distances.shape[1])
        inside = (distances <= max(radius, 1) ** 2) & (
            distances == distances.min(axis=0))
        return [tuple(np.flatnonzero(row)) for row in inside]

    def _respond(self, spot):
        """What the difference is everywhere if it is pushed at a spot."""
        push = np.zeros(len(self._light))
        push[list(spot)] = 1 / len(spot)
        return self._factors.solve(push)

    def _difference(self, hint, spot):
        """Between a hint's chroma and the network's, before its strength."""
        spot = list(spot)
        light = self._light[spot].mean()
        color_light, chroma = split_channels(np.uint8([[hint.color]]))
        # A lighter colour, seen in less light.
        chroma = chroma[0, 0] * min(1, light / max(color_light[0, 0], 1e-3))
        return ((chroma - self._small_chroma[spot].mean(axis=0)) /
                _strength(self._light[spot]).mean())


def _strength(luminance):
    """How differences of chroma grow with luminance."""
    return np.sqrt((luminance + LUMINANCE_OFFSET) / 100)


def _precision(luminance):
    """Matrix of the quadratic form that is minimized.

    Parameters
    ----------
    luminance : ndarray of float64, (rows, columns)

    Returns
    -------
    scipy.sparse.csc_matrix
    """
    size = luminance.size
    numbers = np.arange(size).reshape(luminance.shape)
    affinity = scipy.sparse.csc_matrix((size, size))
    for one, other, distance in (
            (np.s_[:, :-1], np.s_[:, 1:], 1),
            (np.s_[:-1], np.s_[1:], 1),
            (np.s_[:-1, :-1], np.s_[1:, 1:], 2),
            (np.s_[:-1, 1:], np.s_[1:, :-1], 2)):
        contrast = (luminance[one] - luminance[other]).ravel() / CONTRAST
        weights = (np.exp(-0.5 * contrast ** 2) + LEAST_WEIGHT) / distance
        affinity += scipy.sparse.csc_matrix(
            (weights, (numbers[one].ravel(), numbers[other].ravel())),
            (size, size))
    affinity += affinity.T
    degrees = np.asarray(affinity.sum(axis=0)).ravel()
    # In an even region, the weights make three times this the pull of the
    # differential equation.
    pull = 1 / (3 * size * REACH ** 2)
    return (scipy.sparse.diags((1 + pull) * degrees) - affinity).tocsc()
