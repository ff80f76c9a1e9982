"""Total variation of colours, small but where luminance has edges (paper, 6).

Of chrominance x, near what was predicted, y, this is close to the minimum of

    weight * sum over pixels of h(|ties * gradient of x|)
        + 1/2 * sum over pixels of trust * |x - y|^2

where the gradient is of U and V together, so that they change at the same
places, ties are weak across edges of luminance, and the trust of a pixel is
what the network knows of it. h is Huber's function: s - slope / 2 of an s
above the slope, s^2 / (2 slope) of one below, so that what is nearly even
becomes smooth before colours become pale (Werlberger et al., 2009).

The algorithm is Chambolle and Pock's (2011), with steps of each pixel's own
length (Pock and Chambolle, 2011), the longer the less it is trusted, and
over-relaxed: a step goes nearly twice as far as it leads.
"""

import numpy as np

__all__ = ['luminance_ties', 'minimize_variation', 'variation_energy']

#: Steps of the algorithm.
NUM_STEPS = 120

#: Length of a pixel's steps in chrominance, times its trust.
STEP = 0.05

#: How far to go where a step leads; below 2.
RELAXATION = 1.9

#: Ties across the strongest edges.
LEAST_TIE = 0.02


def luminance_ties(luminance, contrast):
    """How strongly neighbours are tied, by their difference in luminance.

    Parameters
    ----------
    luminance : ndarray, (rows, columns)
    contrast : float, above 0
        Difference at which a tie is exp(-1/2) of that of equals.

    Returns
    -------
    down : ndarray of float32, (rows - 1, columns)
        Of each pixel with the one below it.
    across : ndarray of float32, (rows, columns - 1)
        With the one to the right.
    """
    return tuple(
        (np.exp(-0.5 * (np.diff(luminance, axis=axis) / contrast) ** 2) *
         (1 - LEAST_TIE) + LEAST_TIE).astype(np.float32) for axis in (0, 1))


def minimize_variation(chroma, trust, ties, weight, slope,
                       num_steps=NUM_STEPS):
    """Chrominance of little total variation, near what was predicted.

    Parameters
    ----------
    chroma : ndarray of float32, (rows, columns, 2)
        U and V.
    trust : ndarray, (rows, columns)
        Above 0.
    ties : (ndarray, ndarray)
        Of :func:`luminance_ties`; at most 1.
    weight : float, above 0
        In units of U and V times pixels of the grid: with trust 1, a disc is
        lower by twice this over its radius.
    slope : float, 0 or above
        In units of U and V from a pixel to the next; with 0, it is total
        variation by itself.
    num_steps : int

    Returns
    -------
    ndarray of float32, same shape as `chroma`
    """
    # Channels first: each plane in one piece.
    target = np.ascontiguousarray(np.moveaxis(chroma, -1, 0), np.float32)
    lengths = np.float32(STEP) / np.asarray(trust, np.float32)
    pulls = lengths / np.float32(1 + STEP)
    pulled = target * np.float32(STEP / (1 + STEP))
    dual_lengths = _dual_lengths(lengths, ties)
    shares = 1 / (1 + dual_lengths * np.float32(slope / weight))
    found = target.copy()
    dual = np.zeros((2,) + target.shape, np.float32)
    for _ in range(num_steps):
        near = _transposed(dual, ties)
        near *= -pulls
        near += pulled
        near += found / np.float32(1 + STEP)
        found -= near
        change = _gradient(near - found, ties)
        change *= dual_lengths
        change += dual
        change *= shares
        norms = np.sqrt(np.einsum('dcij,dcij->ij', change, change))
        change *= np.float32(weight) / np.maximum(norms, np.float32(weight))
        change -= dual
        change *= np.float32(RELAXATION)
        dual += change
        found *= np.float32(1 - RELAXATION)
        found += near
    return np.moveaxis(near, 0, -1)


def variation_energy(chroma, predicted, trust, ties, weight, slope):
    """What :func:`minimize_variation` minimizes.

    Parameters
    ----------
    chroma, predicted : ndarray, (rows, columns, 2)
    trust, ties, weight, slope
        As there.

    Returns
    -------
    float
    """
    gradient = _gradient(np.moveaxis(chroma, -1, 0), ties)
    lengths = np.sqrt(np.square(gradient).sum(axis=(0, 1)))
    # Of a slope of 0, no length is below.
    costs = np.where(lengths > slope, lengths - slope / 2,
                     np.square(lengths) / (2 * slope or 1))
    distances = np.square(chroma - predicted).sum(axis=-1)
    return float(weight * costs.sum() + (trust * distances).sum() / 2)


def _dual_lengths(lengths, ties):
    """The longest steps of the dual that are sure to end at the minimum.

    That is one over how much they could change each other at most.
    """
    sums = np.zeros_like(lengths)
    for tie, first, second in _sides(sums, ties):
        first += tie
        second += tie
    sums *= lengths
    most = np.full_like(lengths, 1e-6)
    for (tie, first, second), (_, here, _) in zip(_sides(sums, ties),
                                                  _sides(most, ties)):
        np.maximum(here, tie * (first + second), out=here)
    return 1 / most


def _sides(plane, ties):
    """Of each direction the ties, and views of the pixels that they join."""
    return ((ties[0], plane[:-1], plane[1:]),
            (ties[1], plane[:, :-1], plane[:, 1:]))


def _gradient(planes, ties):
    """Tied differences with the pixels below and to the right; 0 at the end.

    (directions, channels, rows, columns) of (channels, rows, columns).
    """
    gradient = np.zeros((2,) + planes.shape, np.float32)
    gradient[0, :, :-1] = ties[0] * (planes[:, 1:] - planes[:, :-1])
    gradient[1, ..., :-1] = ties[1] * (planes[..., 1:] - planes[..., :-1])
    return gradient


def _transposed(dual, ties):
    """The transposed of :func:`_gradient`."""
    result = np.zeros_like(dual[0])
    flow = ties[0] * dual[0, :, :-1]
    result[:, :-1] -= flow
    result[:, 1:] += flow
    flow = ties[1] * dual[1, ..., :-1]
    result[..., :-1] -= flow
    result[..., 1:] += flow
    return result
