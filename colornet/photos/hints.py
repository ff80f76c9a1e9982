"""Colours that a user gives for single spots, spread to what belongs together.

Levin, Lischinski and Weiss (2004) spread colours from scribbles to neighbours
of like luminance. Here, the network's colours are there already, and each hint
gets a weight everywhere, by which it changes them: 1 at its spot, 0 at those
of the others. Where all weights have faded, far away or beyond edges, the
network's colours stay.

A weight is the smoothest map with these values: it minimizes the squared
differences between neighbours, weighted by how like their luminance is, and
its own squares, weighted by a small pull to 0. The matrix of this quadratic
form depends on luminance alone. It is factorised once; then, each new spot
costs one solution, and another colour of it none.
"""

import re
from dataclasses import dataclass
from typing import Tuple

import numpy as np
import scipy.linalg
from PIL import ImageColor

from ..color import split_channels
from ..errors import ColornetError
from ..scaling import enlarge_chroma
from .pixels import resize

__all__ = ['Hint', 'HintSpreader', 'parse_hint', 'spread_hints']

#: Pixels of the grid that weights are computed on, at most.
_GRID_PIXELS = 15000

# What follows was chosen on held-out photos (docs/hints.rst).

#: In units of the photo's side (the root of its area): where luminance is
#: even, a weight has faded to 1/e at about this distance.
REACH = 1.

#: Difference of luminance between neighbours on the grid at which their tie is
#: exp(-1/2) of that of equals; and the least tie, so that noise is not left
#: alone.
CONTRAST, LEAST_TIE = 3., 1e-3

#: Power of the weights before they are made to add up to 1 with what is the
#: network's: hints are more even within a thing, and end sooner beyond it.
SHARPNESS = 1.5

#: By how much a hint replaces the network's colours around it; as for the
#: rest, it shifts them, and what varies stays.
REPLACED = 0.5

#: In a thing of one material, chroma grows with luminance: here, with the root
#: of luminance and this, so that black is bearable.
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
    # Pillow takes parts of any size.
    if len(color) != 3 or not all(0 <= part <= 255 for part in color):
        raise ColornetError('%r in the hint %r is no colour such as #C04020, '
                            'skyblue or grey' % (name, text))
    return Hint(float(x), float(y), color)


def spread_hints(luminance, chroma, hints, picture=None):
    """Spread a user's colours to what belongs together.

    Parameters
    ----------
    luminance : ndarray, (rows, columns)
        CIELUV L of the photo, about as large as the network sees it.
    chroma : ndarray, (any rows, any columns, 2)
        The network's U and V.
    hints : sequence of Hint or str
        Text is for :func:`parse_hint`.
    picture : (slice, slice), optional
        The rows and columns that `luminance` shows of the photo in whose
        pixels the hints are; if not given, the photo is `luminance` itself.

    Returns
    -------
    ndarray of float32, (rows, columns, 2)
        U and V; `chroma` itself if there are no hints.

    Raises
    ------
    ColornetError
        If a hint is outside the picture.
    """
    return HintSpreader(luminance, picture).spread(chroma, hints)


class HintSpreader:
    """Spreads hints on one photo, many times, whatever the network's colours.

    Parameters
    ----------
    luminance, picture
        As for :func:`spread_hints`.
    """

    def __init__(self, luminance, picture=None):
        self._picture = picture or tuple(slice(0, side)
                                         for side in luminance.shape)
        self._luminance = np.asarray(luminance, np.float32)
        scale = min(1, np.sqrt(_GRID_PIXELS / luminance.size))
        self._shape = tuple(max(1, round(scale * side))
                            for side in luminance.shape)
        small = resize(self._luminance / 100, self._shape) * np.float32(100)
        self._light = small.ravel()
        self._factors = None
        self._responses = {}

    def spread(self, chroma, hints):
        """The network's chroma and what hints change of it.

        Parameters
        ----------
        chroma : ndarray, (any rows, any columns, 2)
            The network's U and V.
        hints : sequence of Hint or str
            Those that were there in the call before cost next to nothing,
            whatever their colours.

        Returns
        -------
        ndarray of float32, (rows, columns, 2)
            As of :func:`spread_hints`.
        """
        if not hints:
            return chroma
        hints = [parse_hint(hint) if isinstance(hint, str) else hint
                 for hint in hints]
        spots = self._find_spots(hints)
        weights = self._weigh(spots)
        chroma = enlarge_chroma(np.asarray(chroma, np.float32),
                                self._luminance.shape)
        network = enlarge_chroma(chroma, self._shape).reshape(-1, 2)
        shifts = np.array([
            (self._seen_chroma(hint, spot) -
             (1 - REPLACED) * network[spot].mean(axis=0)) /
            _strength(self._light[spot]).mean()
            for hint, spot in zip(hints, map(list, spots))])
        planes = np.column_stack([weights.T.dot(shifts), weights.sum(axis=0)])
        planes = enlarge_chroma(planes.reshape(self._shape + (3,)),
                                self._luminance.shape)
        return (chroma * (1 - REPLACED * planes[..., 2:]) + planes[..., :2] *
                _strength(self._luminance)[..., np.newaxis])

    def _find_spots(self, hints):
        """Pixels of the grid around each hint, no nearer to another one."""
        middles = np.array([self._find_middle(hint) for hint in hints])
        places = np.indices(self._shape).reshape(2, 1, -1)
        distances = np.square(places - middles.T[..., None]).sum(axis=0)
        radius = SPOT_RADIUS * np.sqrt(distances.shape[1])
        inside = (distances <= max(radius, 1) ** 2) & (
            distances == distances.min(axis=0))
        return [tuple(np.flatnonzero(row)) for row in inside]

    def _find_middle(self, hint):
        """Row and column of a hint on the grid: its own pixel there."""
        down, across = self._picture
        if not (down.start <= hint.y < down.stop and
                across.start <= hint.x < across.stop):
            raise ColornetError(
                'the hint at %g,%g is outside the picture, which goes from '
                '%d,%d to %d,%d' % (hint.x, hint.y, across.start, down.start,
                                    across.stop - 1, down.stop - 1))
        return [int((place - part.start) * side / (part.stop - part.start))
                for place, part, side in zip((hint.y, hint.x), self._picture,
                                             self._shape)]

    def _weigh(self, spots):
        """Weight of each hint everywhere: (hints, pixels of the grid)."""
        self._responses = {spot: self._responses[spot]
                           if spot in self._responses else self._respond(spot)
                           for spot in spots}
        responses = np.array([self._responses[spot] for spot in spots])
        among = np.array([responses[:, list(spot)].mean(axis=1)
                          for spot in spots])
        # Of two hints for one spot, each has half of the weight.
        weights = np.linalg.lstsq(among, responses, rcond=1e-9)[0].clip(0)
        left = (1 - weights.sum(axis=0)).clip(0) ** SHARPNESS
        weights **= SHARPNESS
        return weights / (weights.sum(axis=0) + left)

    def _respond(self, spot):
        """What a map is everywhere if it is pushed up at a spot."""
        # Pixels are numbered along the shorter side, so that neighbours are
        # near in the matrix. (SuperLU, for sparse ones, is slower, and never
        # frees what another thread than its own lets go.)
        order = 'C' if self._shape[1] <= self._shape[0] else 'F'
        if self._factors is None:
            light = self._light.reshape(self._shape)
            self._factors = scipy.linalg.cholesky_banded(
                _precision(light if order == 'C' else light.T),
                overwrite_ab=True, lower=True, check_finite=False)
        push = np.zeros(self._shape)
        push.flat[list(spot)] = 1 / len(spot)
        return scipy.linalg.cho_solve_banded(
            (self._factors, True), push.ravel(order),
            check_finite=False).reshape(self._shape, order=order).ravel()

    def _seen_chroma(self, hint, spot):
        """U and V of a hint's colour in the light of its spot."""
        color_light, chroma = split_channels(np.uint8([[hint.color]]))
        # A lighter colour, seen in less light.
        return chroma[0, 0] * min(1, self._light[spot].mean() /
                                  max(color_light[0, 0], 1e-3))


def _strength(luminance):
    """How chroma grows with luminance."""
    return np.sqrt((luminance + LUMINANCE_OFFSET) / 100)


def _precision(luminance):
    """Matrix of the quadratic form that is minimized.

    Parameters
    ----------
    luminance : ndarray, (rows, columns)

    Returns
    -------
    ndarray, (columns + 2, pixels)
        Its diagonal and those below, as :mod:`scipy.linalg` takes them: row
        `i` has what ties each pixel to the one `i` after it.
    """
    size = luminance.size
    numbers = np.arange(size).reshape(luminance.shape)
    bands = np.zeros((luminance.shape[1] + 2, size), order='F')
    for one, other, distance in (
            (np.s_[:, :-1], np.s_[:, 1:], 1),
            (np.s_[:-1], np.s_[1:], 1),
            (np.s_[:-1, :-1], np.s_[1:, 1:], 2),
            (np.s_[:-1, 1:], np.s_[1:, :-1], 2)):
        contrast = (luminance[one] - luminance[other]).ravel() / CONTRAST
        ties = (np.exp(-0.5 * np.square(contrast, dtype=np.float64)) +
                LEAST_TIE) / distance
        first, second = numbers[one].ravel(), numbers[other].ravel()
        bands[second - first, first] -= ties
        bands[0, first] += ties
        bands[0, second] += ties
    # In an even region, three times this is the pull of the differential
    # equation whose solutions fade to 1/e within the reach.
    bands[0] *= 1 + 1 / (3 * size * REACH ** 2)
    # Who has no neighbours is a picture by himself.
    bands[0, bands[0] == 0] = 1
    return bands
