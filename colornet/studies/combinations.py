"""Decoders times refinements, on one photo after another (paper, 6)."""

import copy
import itertools
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Tuple

import numpy as np

from ..color import get_color_space, split_channels
from ..errors import ColornetError
from ..metrics import Truth
from ..photos.colorizer import Colorizer
from ..photos.pixels import resize
from ..prediction.engines import load_outputs
from ..refinement.refiner import Refinement, on_grid
from ..refinement.segments import average_in_segments, find_segments
from ..scaling import enlarge_chroma

__all__ = ['CANDIDATES', 'COMBINATIONS', 'Combination', 'METRICS', 'Scorer']

#: What is scored, besides milliseconds of refinement and enlarging.
METRICS = ('acc_u', 'acc_v', 'sat_diff', 'abs_sat_diff', 'l_reg', 'psnr',
           'psnr_gain', 'colourfulness_predicted', 'colourfulness_actual',
           'inconsistency', 'edge_error', 'error_elsewhere')

_PLAIN = ('decoding.smoothing=0', 'decoding.saturation=1')

#: Name -> changes of a network's settings.
DECODERS = OrderedDict([
    ('argmax', ('decoding.method=argmax',) + _PLAIN),
    ('mean', ('decoding.method=mean', 'decoding.temperature=1') + _PLAIN),
    ('annealed mean', ('decoding.method=mean', 'decoding.temperature=0.38') +
     _PLAIN),
    ('own', ())])

#: Steps, with the two decoders that are farthest apart.
REFINEMENTS = ('none', 'segments', 'crf', 'total_variation', 'fade', 'guided',
               'segments total_variation', 'total_variation fade',
               'total_variation guided')

#: What could be reached if the truth were known: actual colours, one for each
#: segment; on the network's grid; the mean's colours, as strong as is best for
#: the photo.
ORACLES = ('one colour a segment', 'colours of the grid', 'best strength')


@dataclass(frozen=True)
class Combination:
    """A decoder with steps.

    Attributes
    ----------
    decoder : str
        Of :data:`DECODERS`; or 'oracle', with one of :data:`ORACLES` as steps.
    steps : str
        As :func:`colornet.refinement.steps.parse_steps` takes them.
    changes : tuple of str
        Of ``[refinement]``: ``refinement.key=value``.
    """

    decoder: str
    steps: str
    changes: Tuple[str, ...] = ()

    @property
    def text(self):
        """The changes as users write them."""
        return ' '.join(change.partition('.')[2] for change in self.changes)


#: Those of the table.
COMBINATIONS = list(itertools.starmap(Combination, itertools.chain(
    itertools.product(('argmax', 'mean'), REFINEMENTS),
    itertools.product(('annealed mean', 'own'), (
        'none', 'total_variation')),
    [('own', 'default')], (('oracle', name) for name in ORACLES))))


def _vary(decoders, steps, **values):
    """Combinations of all values of some settings."""
    for decoder, numbers in itertools.product(
            decoders, itertools.product(*values.values())):
        yield Combination(decoder, steps, tuple(
            'refinement.%s=%s' % item for item in zip(values, numbers)))


#: Among which the numbers of each step were chosen, on held-out photos.
CANDIDATES = [Combination(decoder, 'none')
              for decoder in ('argmax', 'mean', 'own')] + [
    *_vary(['mean', 'own'], 'total_variation',
           variation_weight=(0.1, 0.2, 0.4),
           variation_slope=(1, 50, 100, 200, 400), variation_contrast=(2,)),
    # What is weaker than all other total variation, and stronger and rounder.
    *_vary(['mean', 'own'], 'total_variation', variation_weight=(0.05,),
           variation_slope=(1,), variation_contrast=(2,)),
    *_vary(['mean', 'own'], 'total_variation', variation_weight=(0.8,),
           variation_slope=(400, 800), variation_contrast=(2,)),
    *_vary(['mean', 'own'], 'total_variation', variation_weight=(0.2,),
           variation_slope=(100, 200), variation_contrast=(1, 4)),
    *_vary(['mean', 'own'], 'total_variation', variation_weight=(0.05, 0.1),
           variation_slope=(200, 400), variation_contrast=(4,)),
    *_vary(['argmax'], 'segments',
           segmentation=('felzenszwalb', 'slic'), segment_size=(25, 100),
           segment_strength=(0.5, 1)),
    *_vary(['argmax'], 'crf', crf_weight=(0.5, 2), crf_reach=(0.05, 0.2)),
    *_vary(['argmax'], 'fade', fade_spread=(30, 60, 120)),
    *_vary(['mean'], 'guided', guided_reach=(0.02, 0.05),
           guided_contrast=(4, 8, 16))]


class Scorer:
    """A network that sees each photo once, and is scored in many ways.

    Parameters
    ----------
    network : Path
    combinations : sequence of Combination
    vgg_weights, engine
        As for :func:`colornet.api.load_colorizer`.

    Attributes
    ----------
    combinations : list of Combination
        As given, 'default' steps replaced by those of the network.
    default : Combination
        What photos get.

    Raises
    ------
    ColornetError
        If it is no classification network of CIELUV.
    """

    def __init__(self, network, combinations, vgg_weights=None, engine=None):
        self._outputs, config, _ = load_outputs(network, vgg_weights,
                                                engine=engine)
        settings = config.network
        if (settings['kind'], settings['color_space']) != ('classification',
                                                           'luv'):
            raise ColornetError('%s has no class scores of CIELUV to decode'
                                % network)
        self._limits = get_color_space('luv').limits
        self._settings = config.refinement
        self.default = Combination('own', Refinement.of(config).text)
        # Of photos that are no prints.
        self._colorizer = Colorizer(
            None, config.data['size'], 'luv', config.data['proportions'],
            borders='colour', tones='keep')
        self._ways = OrderedDict()
        for combination in combinations:
            one = copy.deepcopy(config)
            one.override_decoding(DECODERS.get(combination.decoder, ()) +
                                  combination.changes)
            refinement = Refinement.of(one)
            if combination.steps not in ORACLES + ('default',):
                refinement = refinement.replaced(combination.steps)
            if combination.steps == 'default':
                combination = self.default
            self._ways[combination] = one.decoding, refinement

    @property
    def combinations(self):
        return list(self._ways)

    def score(self, pixels):
        """Score a photo.

        Parameters
        ----------
        pixels : ndarray of uint8, (rows, columns, 3)

        Returns
        -------
        rows : list of dict
            For each combination :data:`METRICS` and milliseconds.
        pictures : callable
            Takes a combination, returns the picture, of 8 bits.
        """
        light = self._colorizer.reduce(pixels)
        outputs = [output[0] for output in self._outputs(light[np.newaxis])]
        seen = _Seen(outputs, light, self._limits)
        grey = self._colorizer.join(pixels, np.zeros((8, 8, 2), np.float32),
                                    np.uint8)
        truth = Truth(pixels, grey)

        def picture(combination):
            return self._picture(combination, seen, truth)[0]
        rows = []
        # The first picture of a photo waits for memory: it is not timed.
        picture(self.combinations[0])
        for combination in self._ways:
            found, milliseconds = self._picture(combination, seen, truth)
            rows.append(dict(truth.score(found, METRICS),
                             milliseconds=milliseconds))
        return rows, picture

    def _picture(self, combination, seen, truth):
        """A photo's colours, and the milliseconds that they took."""
        decoding, refinement = self._ways[combination]
        colorizer = copy.copy(self._colorizer)
        colorizer.refinement = refinement
        if combination.decoder == 'oracle':
            chroma, spent = self._know(combination.steps, seen, truth), 0.
        else:
            chroma, spent = seen.refine(refinement, decoding)
        start = time.process_time()
        picture = colorizer.join(truth.rgb, chroma, np.uint8)
        return picture, 1000 * (spent + time.process_time() - start)

    def _know(self, oracle, seen, truth):
        """Chrominance that is made with the truth."""
        actual = split_channels(resize(truth.rgb, seen.light.shape))[1]
        if oracle == 'one colour a segment':
            segments = find_segments(seen.light,
                                     self._settings['segment_size'],
                                     self._settings['segmentation'])
            return np.moveaxis(average_in_segments(
                np.moveaxis(actual, -1, 0), segments), 0, -1)
        # One pixel of the grid is the mean of those that it stands for.
        grid = seen.grid[0][0].shape[1:]
        actual = actual.reshape(grid[0], len(actual) // grid[0], grid[1], -1,
                                2).mean(axis=(1, 3))
        if oracle == 'colours of the grid':
            return actual
        mean = seen.refine(Refinement(), {'method': 'mean'})[0]
        mean = enlarge_chroma(mean, grid) if mean.shape[:2] != grid else mean
        strength = (mean * actual).sum() / max((mean * mean).sum(), 1e-6)
        return mean * np.float32(max(strength, 0))


class _Seen:
    """What a network says of a photo; what is costly is computed once."""

    def __init__(self, outputs, light, limits):
        self.outputs, self.light, self.limits = outputs, light, limits
        self._evened = {}
        self.grid, self._spent = _timed(on_grid, outputs)

    def refine(self, refinement, decoding):
        """Chrominance, and the seconds of the processor that it takes."""
        if not set(refinement.steps) - {'guided'}:
            return _timed(refinement, self.outputs, self.light, self.limits,
                          decoding)
        outputs, scale = self.grid
        decoding = dict(decoding, smoothing=decoding['smoothing'] / scale)
        key = (tuple(step for step in refinement.steps
                     if step in ('segments', 'crf')),
               tuple(refinement.settings.items()))
        if key not in self._evened:
            self._evened[key] = _timed(refinement.even_scores, outputs,
                                       self.light, self.limits)
        scores, spent = self._evened[key]
        chroma, more = _timed(refinement.even, scores, self.light,
                              self.limits, decoding)
        return chroma, self._spent + spent + more


def _timed(function, *arguments):
    """What a function returns, and the seconds of the processor."""
    start = time.process_time()
    result = function(*arguments)
    return result, time.process_time() - start
