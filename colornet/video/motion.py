"""What moved from one frame to the next, and how far that can be trusted."""

from dataclasses import dataclass

import numpy as np

from .packages import import_package

__all__ = ['Motion', 'find_flow', 'find_motion', 'find_trusts', 'follow',
           'is_consistent']

#: L in [0, 100]: what changes so much along the flow keeps 1/e of its past.
LUMINANCE_CHANGE = 15.

#: Of Lai et al. (2018): flow there and back may differ by a share of both
#: squared lengths, and by half a squared pixel.
_SHARE, _SLACK = .01, .5

#: The mean trust in what moved, at least, unless there is a cut:
#: ``python -m benchmarks.cuts`` tells how far from it frames are.
CUT = .25


def follow(values, flow):
    """Values of another frame, where this frame's pixels were there.

    Parameters
    ----------
    values : ndarray of float32, (rows, columns) or (rows, columns, channels)
    flow : ndarray of float32, (rows, columns, 2)
        From this frame's pixels to the other's: columns, rows.

    Returns
    -------
    ndarray of float32, as `values`
        Linear between pixels; beyond the border, that at the border.
    """
    cv2 = import_package('cv2')
    rows, columns = flow.shape[:2]
    across = flow[..., 0] + np.arange(columns, dtype=np.float32)
    down = flow[..., 1] + np.arange(rows, dtype=np.float32)[:, np.newaxis]
    return cv2.remap(values, across, down, cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_REPLICATE)


def is_consistent(flow, back):
    """Where a flow, and the one back, come to the pixel they began at.

    Parameters
    ----------
    flow, back : ndarray of float32, (rows, columns, 2)

    Returns
    -------
    ndarray of bool, (rows, columns)
        False where something is hidden in the other frame (Lai et al., 2018).
    """
    returned = follow(back, flow)
    squares = (np.square(flow) + np.square(returned)).sum(axis=-1)
    return np.square(flow + returned).sum(axis=-1) <= _SHARE * squares + _SLACK


@dataclass(frozen=True)
class Motion:
    """Between a frame and the one before it, on a coarse grid.

    Attributes
    ----------
    backward : ndarray of float32, (rows, columns, 2)
        From this frame's cells to those of the one before.
    forward : ndarray of float32, (rows, columns, 2)
        From the one before to this.
    trust_backward, trust_forward : ndarray of float32, (rows, columns)
        In [0, 1].
    """

    backward: np.ndarray
    forward: np.ndarray
    trust_backward: np.ndarray
    trust_forward: np.ndarray

    @property
    def trust(self):
        """The mean trust, in the direction that has less of it."""
        return min(self.trust_backward.mean(), self.trust_forward.mean())


def find_flow(first, second):
    """DIS optical flow (Kroeger et al., 2016) from one frame to another.

    Parameters
    ----------
    first, second : ndarray of float32, (rows, columns)
        Luminance, in [0, 100].

    Returns
    -------
    ndarray of float32, (rows, columns, 2)
        Columns, rows.
    """
    cv2 = import_package('cv2')
    # A new one each time: what it remembers changes the flow of small frames.
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    return dis.calc(*[(2.55 * luminance + .5).astype(np.uint8)
                      for luminance in (first, second)], None)


def find_trusts(before, luminance):
    """Flow between two frames, and how far each pixel's can be trusted.

    Parameters
    ----------
    before, luminance : ndarray of float32, (rows, columns)
        Of both frames, in [0, 100].

    Returns
    -------
    flows : (ndarray, ndarray) of float32, (rows, columns, 2)
        Backward, from the second frame to the first; forward.
    trusts : list of ndarray of float32, (rows, columns)
        Of both, in [0, 1].
    """
    backward = find_flow(luminance, before)
    forward = find_flow(before, luminance)
    trusts = []
    for here, there, flow, back in (
            (luminance, before, backward, forward),
            (before, luminance, forward, backward)):
        change = (here - follow(there, flow)) / np.float32(LUMINANCE_CHANGE)
        trusts.append(np.exp(-np.square(change)) * is_consistent(flow, back))
    return (backward, forward), trusts


def find_motion(before, luminance, shape):
    """Motion between two frames.

    Parameters
    ----------
    before, luminance : ndarray of float32, (rows, columns)
        Of both frames, in [0, 100].
    shape : (int, int)
        Rows and columns of the coarse grid.

    Returns
    -------
    Motion, or None
        None if there is a cut between them.
    """
    if before.shape != luminance.shape:
        return None
    flows, trusts = find_trusts(before, luminance)
    if min(trust.mean() for trust in trusts) < CUT:
        return None
    (backward, trust_backward), (forward, trust_forward) = [
        _coarsen(flow, trust, shape) for flow, trust in zip(flows, trusts)]
    return Motion(backward, forward, trust_backward, trust_forward)


def _coarsen(flow, trust, shape):
    """Means of cells: of the flow where it is trusted, and of the trust."""
    cv2 = import_package('cv2')
    scale = np.float32([shape[1] / trust.shape[1], shape[0] / trust.shape[0]])
    weights = trust + np.float32(1e-3)
    size = shape[1], shape[0]
    weighted, weights = [cv2.resize(values, size,
                                    interpolation=cv2.INTER_AREA)
                         for values in (flow * weights[..., np.newaxis],
                                        weights)]
    return (weighted / weights[..., np.newaxis] * scale,
            (weights - np.float32(1e-3)).clip(0, 1))
