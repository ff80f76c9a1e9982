"""How much colours flicker: errors along what moves, and their consistency."""

import numpy as np

from .motion import follow, is_consistent
from .packages import import_package

__all__ = ['FLOWS', 'ColourConsistency', 'WarpingError', 'find_visible']

#: Frames that colours are compared over, for their consistency.
DISTANCES = 1, 2, 4

#: Lai et al. (2018): where the flow changes more than by a share of its
#: squared length and by this, something moves before something else.
_BOUNDARY, _SLACK = .01, .002


def _dis(first, second):
    cv2 = import_package('cv2')
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return dis.calc(first, second, None)


def _farneback(first, second):
    cv2 = import_package('cv2')
    return cv2.calcOpticalFlowFarneback(first, second, None, .5, 5, 15, 3, 5,
                                        1.1, 0)


#: Optical flows by which errors are taken. DIS is what smoothing takes, too,
#: but of smaller frames and more coarsely; Farneback's is another.
FLOWS = {'dis': _dis, 'farneback': _farneback}


def find_visible(before, luminance, flow='dis'):
    """Where a frame shows what the frame before showed, and where it was.

    Parameters
    ----------
    before, luminance : ndarray of float32, (rows, columns)
        In [0, 100].
    flow : str
        Of :data:`FLOWS`.

    Returns
    -------
    flow : ndarray of float32, (rows, columns, 2)
        From the frame to the one before.
    visible : ndarray of bool, (rows, columns)
        By the test of Lai et al. (2018).
    """
    before, luminance = [(2.55 * frame + .5).astype(np.uint8)
                         for frame in (before, luminance)]
    back = FLOWS[flow](luminance, before)
    forward = FLOWS[flow](before, luminance)
    slopes = sum(np.square(slope).sum(axis=-1)
                 for slope in np.gradient(back, axis=(0, 1)))
    moves = slopes > _BOUNDARY * np.square(back).sum(axis=-1) + _SLACK
    return back, is_consistent(back, forward) & ~moves


class WarpingError:
    """Mean squared difference of what two successive frames both show.

    E_warp of Lai et al. (2018), of any pictures: the mean over pairs of
    frames of the mean over pixels and channels.
    """

    def __init__(self):
        self._errors = []

    def add(self, before, values, flow, visible):
        """Add a pair of frames.

        Parameters
        ----------
        before, values : ndarray of float32, (rows, columns, channels)
        flow, visible
            Of :func:`find_visible`.
        """
        if visible.any():
            difference = values - follow(before, flow)
            self._errors.append(np.square(difference[visible]).mean())

    def mean(self):
        """Of all pairs; NaN, if there are none."""
        return float(np.mean(self._errors)) if self._errors else np.nan


class ColourConsistency:
    """CDC of TCVC (Zhang et al., 2023): how much histograms change.

    The mean over :data:`DISTANCES`, channels and pairs of frames so far from
    each other of the Jensen-Shannon divergence of their histograms. Low for
    colours that stay, lowest for none: what counts is the distance to that of
    the true colours.
    """

    def __init__(self):
        self._histograms = []
        self._divergences = {distance: [] for distance in DISTANCES}

    def add(self, pixels):
        """Add the next frame of a scene.

        Parameters
        ----------
        pixels : ndarray of uint8, (rows, columns, 3)
        """
        size = pixels[..., 0].size
        self._histograms.append(np.array([
            np.bincount(channel.ravel(), minlength=256) / size
            for channel in np.moveaxis(pixels, -1, 0)]))
        for distance in DISTANCES:
            if len(self._histograms) > distance:
                self._divergences[distance].append(_divergence(
                    self._histograms[-1 - distance], self._histograms[-1]))
        del self._histograms[:-max(DISTANCES)]

    def cut(self):
        """Begin another scene."""
        self._histograms.clear()

    def mean(self):
        """Of all distances that there are pairs for; NaN, if none."""
        means = [np.mean(values) for values in self._divergences.values()
                 if values]
        return float(np.mean(means)) if means else np.nan


def _divergence(first, second):
    """Jensen-Shannon divergences, mean of the channels; natural logarithm."""
    middle = (first + second) / 2

    def relative(histogram):
        ratio = np.where(histogram > 0, histogram, 1) / np.where(
            histogram > 0, middle, 1)
        return (histogram * np.log(ratio)).sum(axis=-1)
    return float(((relative(first) + relative(second)) / 2).mean())
