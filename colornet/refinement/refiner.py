"""From class scores to even colours: the steps, in their order (paper, 6).

All but the last work on a small grid, that of the network's output or
coarser, so that memory and time do not depend on the size of the photo.
"""

from dataclasses import dataclass, field, replace
from typing import Mapping, Tuple

import numpy as np
from PIL import Image

from ..errors import ColornetError
from .crf import bin_costs, mean_field
from .fade import fade_chroma, predicted_spread, trust_of
from .guided import GuidedFilter, follow_luminance, window_radius
from .scores import decode_scores
from .segments import average_in_segments, find_segments
from .steps import OF_SCORES, STEPS, check_steps, parse_steps, step_of
from .total_variation import luminance_ties, minimize_variation

__all__ = ['Refinement', 'on_grid']

#: Pixels of the grid: at most so many, such as 112 x 112, where sides can be
#: halved as often as that takes, and never more than four times that.
GRID_PIXELS = 15000


@dataclass(frozen=True)
class Refinement:
    """Which steps are taken, and how.

    Attributes
    ----------
    steps : tuple of str
        Of :data:`STEPS`, in this order; none by default.
    settings : mapping
        ``[refinement]`` of the configuration.
    suited : tuple of str
        Those of :data:`STEPS` that the network's outputs can take.
    """

    steps: Tuple[str, ...] = ()
    settings: Mapping = field(default_factory=dict)
    suited: Tuple[str, ...] = ()

    @classmethod
    def of(cls, config):
        """That of a network's configuration, as far as it suits.

        Parameters
        ----------
        config : Config

        Returns
        -------
        Refinement
        """
        suited = suited_steps(config.network)
        return cls(tuple(step for step in config.refinement['steps']
                         if step in suited), config.refinement, suited)

    def replaced(self, text):
        """The same with other steps.

        Parameters
        ----------
        text : str, or None
            As for :func:`.steps.parse_steps`; None changes nothing.

        Returns
        -------
        Refinement

        Raises
        ------
        ColornetError
            If one is unknown, or does not suit the network.
        """
        if text is None:
            return self
        steps = check_steps(text)
        for step in steps:
            if step not in self.suited:
                raise ColornetError(
                    'refinement %s is not for this network; there are: %s'
                    % (step, ', '.join(self.suited) or 'none'))
        return replace(self, steps=steps)

    def check_changes(self, changes):
        """Refuse changes that do nothing, as their step is not taken.

        Parameters
        ----------
        changes : iterable of str
            As :meth:`colornet.config.Config.override_decoding` took them.

        Raises
        ------
        ColornetError
        """
        for text in changes:
            name = text.partition('=')[0].strip()
            section, _, setting = name.partition('.')
            step = step_of(setting) if section == 'refinement' else None
            if step and step not in self.steps:
                raise ColornetError('%s is of the step %s, and refinement is '
                                    '%s' % (name, step, self.text))
            if (name == 'refinement.steps' and
                    parse_steps(text.partition('=')[2]) != self.steps):
                raise ColornetError('%s does nothing: refinement is %s'
                                    % (text, self.text))

    @property
    def text(self):
        """The steps as :meth:`replaced` takes them."""
        return ' '.join(self.steps) or 'none'

    @property
    def is_guided(self):
        """Whether chrominance is enlarged by the photo's luminance."""
        return 'guided' in self.steps

    def __call__(self, outputs, luminance, limits, decoding):
        """Chrominance of a photo by all steps but ``guided``.

        Parameters
        ----------
        outputs : list of ndarray, (bins, rows, columns)
            Class scores of U and of V, or, once, chrominance, (2, rows,
            columns).
        luminance : ndarray of float32, (rows, columns)
            As the network saw it, in [0, 100].
        limits : (float, float)
            Of the bins.
        decoding : mapping
            ``[decoding]`` of the configuration.

        Returns
        -------
        ndarray of float32, (any rows, any columns, 2)
        """
        if not set(self.steps) - {'guided'}:
            return decode_scores(outputs, limits, **decoding)
        outputs, scale = on_grid(outputs)
        if len(outputs) > 1:
            outputs = self.even_scores(outputs, luminance, limits)
        # It is given in pixels of the network.
        decoding = dict(decoding, smoothing=decoding['smoothing'] / scale)
        return self.even(outputs, luminance, limits, decoding)

    def even_scores(self, scores, luminance, limits):
        """The steps before scores are decoded.

        Parameters
        ----------
        scores : list of ndarray of float32, (bins, rows, columns)
            Logarithms of probabilities.
        luminance, limits
            As for :meth:`__call__`.

        Returns
        -------
        list of ndarray of float32
            As `scores`.
        """
        settings, shape = self.settings, scores[0].shape[1:]
        if 'segments' in self.steps:
            segments = find_segments(luminance, settings['segment_size'],
                                     settings['segmentation'])
            scores = [average_in_segments(channel, segments,
                                          settings['segment_strength'])
                      for channel in scores]
        if 'crf' in self.steps:
            smooth = GuidedFilter(
                shrink(luminance, shape),
                window_radius(settings['crf_reach'], shape),
                settings['crf_contrast'])
            costs = bin_costs(len(scores[0]), limits)
            scores = [mean_field(channel, costs, smooth,
                                 settings['crf_weight'])
                      for channel in scores]
        return scores

    def even(self, outputs, luminance, limits, decoding):
        """Decode scores, and the steps after that.

        Parameters and result are as for :meth:`__call__`.
        """
        chroma = decode_scores(outputs, limits, **decoding)
        settings = self.settings
        if {'total_variation', 'fade'} & set(self.steps):
            spread = (predicted_spread(outputs, limits)
                      if len(outputs) > 1 else
                      np.zeros(chroma.shape[:2], np.float32))
        if 'total_variation' in self.steps:
            grid = chroma.shape[:2]
            ties = luminance_ties(shrink(luminance, grid),
                                  settings['variation_contrast'])
            # Both are of the photo, whatever the grid: of twice as many rows,
            # a thing has four times the pixels, its border twice.
            side = min(grid)
            chroma = minimize_variation(
                chroma, trust_of(spread), ties,
                settings['variation_weight'] * side,
                settings['variation_slope'] / side)
        if 'fade' in self.steps:
            chroma = fade_chroma(chroma, spread, settings['fade_spread'])
        return chroma

    def follow(self, chroma, luminance):
        """The step ``guided``.

        Parameters
        ----------
        chroma : ndarray of float32, (rows, columns, 2)
        luminance : ndarray of float32, (rows, columns)
            The photo's own, as small.

        Returns
        -------
        callable
            As of :func:`.guided.follow_luminance`.
        """
        return follow_luminance(chroma, luminance,
                                self.settings['guided_reach'],
                                self.settings['guided_contrast'])


def suited_steps(network):
    """Steps that a network's outputs can take.

    Parameters
    ----------
    network : mapping
        ``[network]`` of its configuration.

    Returns
    -------
    tuple of str
        Of :data:`STEPS`.
    """
    if network['color_space'] != 'luv':
        return ()
    if network['kind'] == 'regression':
        return tuple(step for step in STEPS if step not in OF_SCORES)
    return STEPS


def shrink(luminance, shape):
    """Means of blocks of luminance, of any sizes.

    Parameters
    ----------
    luminance : ndarray, (rows, columns)
    shape : (int, int)
        Rows and columns.

    Returns
    -------
    ndarray of float32
    """
    image = Image.fromarray(np.ascontiguousarray(luminance, np.float32))
    return np.array(image.resize(shape[::-1], Image.BOX))


def log_probabilities(scores):
    """Logarithms of the probabilities of class scores.

    Parameters
    ----------
    scores : ndarray, (bins, rows, columns)

    Returns
    -------
    ndarray of float32, same shape
    """
    scores = np.asarray(scores, np.float32)
    scores = scores - scores.max(axis=0)
    return scores - np.log(np.exp(scores).sum(axis=0))


def on_grid(outputs):
    """A network's outputs on a grid that is small enough.

    Parameters
    ----------
    outputs : list of ndarray
        As for :class:`Refinement`.

    Returns
    -------
    outputs : list of ndarray of float32
        Chrominance; or logarithms of probabilities.
    scale : int
        Of :func:`grid_scale`.
    """
    scale = grid_scale(outputs[0].shape[1:])
    if len(outputs) == 1:
        return [block_means(outputs[0], scale)], scale
    return [coarser_scores(scores, scale) for scores in outputs], scale


def grid_scale(shape):
    """Sides of the blocks that make a grid of some :data:`GRID_PIXELS`.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.

    Returns
    -------
    1, 2, 4 or 8
        Divides both.
    """
    scale = 1
    while (scale < 8 and shape[0] * shape[1] > GRID_PIXELS * scale ** 2 and
           not (shape[0] % (2 * scale) or shape[1] % (2 * scale))):
        scale *= 2
    return scale


def block_means(planes, scale):
    """Means of blocks of ``scale x scale`` pixels.

    Parameters
    ----------
    planes : ndarray, (planes, rows, columns)
    scale : int

    Returns
    -------
    ndarray, (planes, rows / scale, columns / scale)
    """
    count, rows, columns = planes.shape
    return planes.reshape(count, rows // scale, scale, columns // scale,
                          scale).mean(axis=(2, 4))


def coarser_scores(scores, scale):
    """Scores of blocks of pixels, as :func:`log_probabilities`.

    Parameters
    ----------
    scores : ndarray of float32, (bins, rows, columns)
    scale : int

    Returns
    -------
    ndarray of float32, (bins, rows / scale, columns / scale)
        Logarithms of the blocks' mean probabilities.
    """
    found = log_probabilities(scores)
    return found if scale == 1 else np.log(
        block_means(np.exp(found), scale) + np.float32(1e-12))
