"""Total variation of colours, small but where luminance has edges (paper, 6).

Of chrominance x, near what was predicted, y, this goes towards the minimum of

    weight * sum over pixels of |ties * gradient of x|
        + 1/2 * sum over pixels of trust * |x - y|^2

where the gradient is of U and V together, so that they change at the same
places, ties are weak across edges of luminance, and the trust of a pixel is
what the network knows of it. Chambolle and Pock's algorithm (2011), stopped
after 60 steps: photos are far from the minimum then, and nearer to what was
predicted. The default weight was chosen for so many.
"""

import numpy as np

__all__ = ['luminance_ties', 'minimize_variation', 'variation_energy']

#: Steps of the algorithm.
NUM_STEPS = 60

#: Of the steps in chrominance over those in its dual: as chrominance spreads.
SCALE = 10.

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


def minimize_variation(chroma, trust, ties, weight, num_steps=NUM_STEPS):
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
        In units of U and V times pixels of the grid: at the minimum, with
        trust 1, a disc is lower by twice this over its radius.
    num_steps : int

    Returns
    -------
    ndarray of float32, same shape as `chroma`
    """
    # Channels first: each plane in one piece.
    target = np.ascontiguousarray(np.moveaxis(chroma, -1, 0), np.float32)
    step = np.float32(SCALE / np.sqrt(8))
    dual_step = np.float32(1 / (SCALE * np.sqrt(8)))
    pull = step * np.asarray(trust, np.float32)
    found, ahead = target, target
    dual = np.zeros((2,) + target.shape, np.float32)
    for _ in range(num_steps):
        dual += dual_step * _gradient(ahead, ties)
        lengths = np.sqrt(np.square(dual).sum(axis=(0, 1)))
        dual /= np.maximum(1, lengths / np.float32(weight))
        before = found
        found = (found - step * _transposed(dual, ties) +
                 pull * target) / (1 + pull)
        ahead = 2 * found - before
    return np.moveaxis(found, 0, -1)


def variation_energy(chroma, predicted, trust, ties, weight):
    """What :func:`minimize_variation` minimizes.

    Parameters
    ----------
    chroma, predicted : ndarray, (rows, columns, 2)
    trust, ties, weight
        As there.

    Returns
    -------
    float
    """
    gradient = _gradient(np.moveaxis(chroma, -1, 0), ties)
    lengths = np.sqrt(np.square(gradient).sum(axis=(0, 1)))
    distances = np.square(chroma - predicted).sum(axis=-1)
    return float(weight * lengths.sum() + (trust * distances).sum() / 2)


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
