"""Colours that follow a photo's own luminance: the guided filter.

He, Sun and Tang (2010) write what is filtered, within each small window, as a
line of the guide: a slope and an offset. Where the guide has an edge, so has
the line; where it is even, the line is a mean.
"""

import numpy as np
from scipy.ndimage import uniform_filter

from ..scaling import enlarge_chroma

__all__ = ['GuidedFilter', 'follow_luminance', 'window_radius']


def window_radius(reach, shape):
    """Half the side of a window, in pixels, at least 1.

    Parameters
    ----------
    reach : float
        The same as a share of the shorter side.
    shape : (int, int)
        Rows and columns.

    Returns
    -------
    int
    """
    return max(1, int(round(reach * min(shape))))


class GuidedFilter:
    """Smooths planes within what is even in a guide.

    Parameters
    ----------
    guide : ndarray of float, (rows, columns)
    radius : int
        Of windows, ``2 * radius + 1`` pixels wide; beyond the border, planes
        are reflected.
    contrast : float, above 0
        Standard deviation of the guide in a window from which on it counts as
        an edge.
    """

    def __init__(self, guide, radius, contrast):
        self.guide = np.asarray(guide, np.float32)
        self.size = 2 * radius + 1
        self._mean = self._average(self.guide)
        self._variance = (self._average(self.guide ** 2) -
                          self._mean ** 2).clip(0) + np.float32(contrast ** 2)

    def slopes(self, planes):
        """Slopes of the planes over the guide, means of all windows.

        Parameters
        ----------
        planes : ndarray of float32, (..., rows, columns)

        Returns
        -------
        ndarray of float32, same shape
        """
        return self._average(self._lines(planes)[0])

    def __call__(self, planes):
        """Filter planes.

        Parameters
        ----------
        planes : ndarray of float32, (..., rows, columns)

        Returns
        -------
        ndarray of float32, same shape
        """
        slopes, offsets = self._lines(planes)
        return self._average(slopes) * self.guide + self._average(offsets)

    def _lines(self, planes):
        means = self._average(planes)
        slopes = (self._average(planes * self.guide) -
                  means * self._mean) / self._variance
        return slopes, means - slopes * self._mean

    def _average(self, planes):
        size = (1,) * (planes.ndim - 2) + (self.size, self.size)
        return uniform_filter(planes, size)


def follow_luminance(chroma, guide, reach, contrast):
    """Lines of luminance that give chrominance at any size.

    Enlarged by a bicubic filter, they are what chrominance enlarged so is,
    and besides what the photo's luminance has in detail, times the slopes: a
    colour ends where its thing ends.

    Parameters
    ----------
    chroma : ndarray of float32, (rows, columns, 2)
    guide : ndarray of float32, (rows, columns)
        The photo's luminance, as small.
    reach : float
        Half the side of windows, as a share of the shorter side.
    contrast : float
        As for :class:`GuidedFilter`.

    Returns
    -------
    callable
        Takes the shape of the photo, (rows, columns), the luminance of some
        of its rows and which ones, (first, beyond the last); returns their
        chrominance.
    """
    planes = np.moveaxis(chroma, -1, 0)
    slopes = GuidedFilter(guide, window_radius(reach, guide.shape),
                          contrast).slopes(planes)
    lines = np.moveaxis(np.stack([slopes, planes - slopes * guide]),
                        (0, 1), (2, 3))

    def enlarge(shape, luminance, rows):
        slopes, offsets = np.moveaxis(enlarge_chroma(lines, shape, rows=rows),
                                      2, 0)
        return slopes * luminance[..., np.newaxis] + offsets
    return enlarge
