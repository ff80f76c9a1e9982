"""Frames in, their colours out, a block of frames after another."""

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Optional

import numpy as np

from ..color import get_color_space
from ..errors import ColornetError
from ..photos.colorizer import Colorizer
from ..photos.prints import is_even, stretch_tones
from ..refinement.refiner import Refinement
from ..refinement.scores import keep_scores
from .motion import Motion, find_motion
from .smoothing import as_grey, as_scores, as_weighted, smooth

__all__ = ['Block', 'FilmColorizer', 'State']

#: Frames that are coloured together, and that are looked ahead. Of a clip,
#: both and a batch, which is no longer than a block, are in memory at a time.
BLOCK, AHEAD = 24, 24

#: Trust in what moved below which the network sees a frame in any case.
SURE = .6


@dataclass
class State:
    """What is known of the frames so far.

    Attributes
    ----------
    luminance : ndarray of float32, (rows, columns), optional
        Of the last frame, as the network sees it but for its tones.
    sums : ndarray of float32, optional
        Of :func:`.smoothing.smooth`.
    since : int
        Frames since the network has seen one.
    """

    luminance: Optional[np.ndarray] = None
    sums: Optional[np.ndarray] = None
    since: int = 0


@dataclass
class Block:
    """Frames that are coloured.

    Attributes
    ----------
    frames : list
    chroma : list of ndarray of float32, (rows, columns, 2)
    ends_scene : bool
        Whether none after them is of their scene.
    state : State
        After the last.
    """

    frames: list
    chroma: list
    ends_scene: bool
    state: State


@dataclass
class _Seen:
    """A frame, and what the network says of it."""

    frame: object
    luminance: np.ndarray
    # None: a scene begins.
    motion: Optional[Motion]
    since: int
    weighted: Optional[np.ndarray] = field(default=None)


class FilmColorizer:
    """Colours the frames of a clip.

    Parameters
    ----------
    outputs, config
        Of :func:`colornet.prediction.engines.load_outputs`.
    memory : float
        In [0, 1): what a frame weighs in the next one's colours; 0: each for
        itself.
    every : int
        The network sees every so many-th frame of a scene, and those where
        too much is new; the others take their colours from these, along what
        moves.
    batch_size : int
        Frames that go through the network at a time, :data:`BLOCK` at most.
    tones : 'stretch' or 'keep'
        As for :class:`colornet.photos.colorizer.Colorizer`.
    refinement : str, optional
        Steps that make colours even, as for photos; those of the network, if
        not given.
    origin : dict, optional
        What else colours depend on, for :attr:`settings`: the network's file
        and how it is computed.

    Raises
    ------
    ColornetError
        If the network is not one of CIELUV.
    """

    def __init__(self, outputs, config, memory=.9, every=1, batch_size=4,
                 tones='stretch', refinement=None, origin=None):
        self.outputs, self.config = outputs, config
        self.origin = origin or {}
        self.memory, self.every = memory, every
        self.batch_size, self.tones = batch_size, tones
        space = config.network['color_space']
        if space != 'luv':
            raise ColornetError('video is for networks of CIELUV, not %s'
                                % space)
        self._limits = get_color_space(space).limits
        self.refinement = Refinement.of(config).replaced(refinement)
        self._num_scores = 2 - (config.network['kind'] == 'regression')
        # Borders are looked for in the whole clip, and tones kept for the
        # motion.
        self._colorizer = Colorizer(
            None, config.data['size'], space, config.data['proportions'],
            borders='colour', tones='keep', refinement=self.refinement)
        self._grid = {}

    @property
    def settings(self):
        """What its colours depend on, as a dict."""
        numbers = {'refinement.' + key: value
                   for key, value in self.refinement.settings.items()
                   if key != 'steps'}
        return dict(self.config.decoding, **numbers, **self.origin,
                    smooth=self.memory, every=self.every, tones=self.tones,
                    refinement=self.refinement.text)

    def blocks(self, frames, pixels_of, picture, state=None):
        """Find the colours of frames.

        Parameters
        ----------
        frames : iterable
        pixels_of : callable
            Takes one of them, returns its pixels.
        picture : (slice, slice)
            Rows and columns without a border.
        state : State, optional
            After the frames before these.

        Yields
        ------
        Block
            Of one scene each, in their order.
        """
        state = State() if state is None else replace(state)
        looked = self._predict(self._look(frames, pixels_of, picture, state))
        waiting = deque()
        for seen in looked:
            if seen.motion is None:  # a cut
                while waiting:
                    yield self._block(waiting, state)
            elif len(waiting) == BLOCK + AHEAD:
                yield self._block(waiting, state)
            waiting.append(seen)
        while waiting:
            yield self._block(waiting, state)

    def join(self, pixels, chroma, picture):
        """Join colours to a frame's own luminance.

        Parameters
        ----------
        pixels : ndarray of uint8 or uint16, (rows, columns, 3)
        chroma : ndarray of float32, (any rows, any columns, 2)
        picture : (slice, slice)

        Returns
        -------
        ndarray, like `pixels`
        """
        join = self._colorizer.join
        inside = join(pixels[picture], chroma, pixels.dtype.type)
        if inside.shape == pixels.shape:
            return inside
        rgb = join(pixels, np.zeros_like(chroma), pixels.dtype.type)
        rgb[picture] = inside
        return rgb

    def _look(self, frames, pixels_of, picture, state):
        """Frames with their motion, and whether the network shall see them."""
        before, since = state.luminance, state.since
        for frame in frames:
            luminance = self._colorizer.reduce(pixels_of(frame)[picture])
            motion = None
            if before is not None:
                motion = find_motion(before, luminance,
                                     self._grid_of(luminance.shape))
            since = (0 if motion is None or motion.trust < SURE else
                     (since + 1) % self.every)
            yield _Seen(frame, luminance, motion, since)
            before = luminance

    def _predict(self, looked):
        """Let the network see those that it shall, some at a time."""
        batch = []
        for seen in looked:
            batch.append(seen)
            # However few of them the network sees: all are kept meanwhile.
            if len(batch) == BLOCK or sum(
                    not one.since for one in batch) == self.batch_size:
                yield from self._see(batch)
                batch = []
        yield from self._see(batch)

    def _see(self, batch):
        wanted = [seen for seen in batch if not seen.since]
        if wanted:
            luminances = [seen.luminance for seen in wanted]
            if self.tones == 'stretch':
                luminances = list(map(stretch_tones, luminances))
            for seen, kept in zip(wanted, keep_scores(self.outputs(
                    np.stack(luminances)))):
                seen.weighted = as_weighted(kept)
                if is_even(seen.luminance):
                    seen.weighted = as_grey(seen.weighted, self._num_scores)
        return batch

    def _grid_of(self, shape):
        """Rows and columns of what the network predicts for a size."""
        if shape not in self._grid:
            prediction = self.outputs(np.zeros((1,) + shape, np.float32))
            self._grid[shape] = prediction[0].shape[2:]
        return self._grid[shape]

    def _block(self, waiting, state):
        """The next frames of those that wait, all of one scene."""
        if waiting[0].motion is None:  # a cut
            state.sums = None
        seen = [(one.weighted, one.motion) for one in waiting]
        done = [waiting.popleft() for _ in range(min(BLOCK, len(waiting)))]
        chroma = []
        for one, (total, state.sums) in zip(done, smooth(
                state.sums, seen, len(done), self.memory)):
            chroma.append(self.refinement(
                as_scores(total, self._num_scores), one.luminance,
                self._limits, self.config.decoding))
        state.luminance, state.since = done[-1].luminance, done[-1].since
        # Two blocks wait, unless a scene has come to its end.
        return Block([one.frame for one in done], chroma, not waiting,
                     replace(state))
