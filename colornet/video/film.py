"""Which part of a clip is coloured, and what its result is."""

import contextlib
import io
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Optional

from ..photos.prints import find_picture
from .reading import Frame
from .writing import Encoder, Encoding, add_copy, open_container

__all__ = ['Film', 'FilmOptions']

#: Frames in which borders are looked for, all over the clip.
_SAMPLES = 8


@dataclass(frozen=True)
class FilmOptions:
    """How a clip is coloured and written.

    Attributes
    ----------
    crf : int, optional
        Constant rate factor of the encoder: the lower, the better.
    start : Fraction
        Seconds of it that are left out.
    duration : Fraction, optional
        Seconds that are coloured; all, if not given.
    borders : 'neutral' or 'colour'
        As for :class:`colornet.photos.colorizer.Colorizer`; looked for in
        all of the clip.
    mark : bool
        Say in the comment that colours are computed.
    """

    crf: Optional[int] = None
    start: Fraction = Fraction(0)
    duration: Optional[Fraction] = None
    borders: str = 'neutral'
    mark: bool = True


class Film:
    """A clip, or a part of it, that is coloured.

    Parameters
    ----------
    clip : Clip
    format : Format
        Of the result.
    options : FilmOptions

    Attributes
    ----------
    clip, format, options
        As given.
    encoding : Encoding
    shift : int
        What is taken from timestamps, in the clip's: with a start, the
        result begins at 0.

    Raises
    ------
    ColornetError
        If a file of this format cannot hold the result.
    """

    def __init__(self, clip, format, options):
        self.clip, self.format, self.options = clip, format, options
        self.encoding = Encoding.choose(clip, format.codec, options.crf)
        # After its own beginning, which is not always at 0.
        self._first = clip.start + round(options.start / clip.time_base)
        self.shift = self._first if options.start else 0
        self._end = (None if options.duration is None else self._first +
                     round(options.duration / clip.time_base))
        # Before the work, not after it.
        with open_container(
                io.BytesIO(), 'the sound and subtitles of %s into a %s file'
                % (clip.name, format.name), replace(
                    format, options=())) as container:
            Encoder(container, clip, self.encoding)
            for stream in clip.copied:
                add_copy(container, stream)
            container.start_encoding()

    @property
    def num_frames(self):
        """How many frames are coloured, as far as the clip says."""
        total = self.clip.num_frames
        if total is None:
            return None
        total -= round(self.options.start * self.clip.rate)
        if self.options.duration is not None:
            total = min(total, round(self.options.duration * self.clip.rate))
        return max(total, 0)

    def frames(self, after=None, take=lambda packet: None):
        """The frames that are coloured.

        Parameters
        ----------
        after : int, optional
            Timestamp of the last frame that is not wanted any more.
        take : callable
            Takes the packets of sound and subtitles between them.

        Yields
        ------
        Frame
        """
        # Sound may come a little later in a file than its frames.
        late = round(1 / self.clip.time_base)
        for item in self.clip.items():
            if not isinstance(item, Frame):
                if self.takes(item):
                    take(item)
            elif self._end is not None and item.pts >= self._end:
                if item.pts > self._end + late:
                    return
            elif item.pts >= self._first and (after is None or
                                              item.pts > after):
                yield item

    def takes(self, packet):
        """Whether a packet of sound or subtitles is of the part's time."""
        ticks = packet.pts if packet.dts is None else packet.dts
        if ticks is None:
            return False
        at = ticks * packet.time_base / self.clip.time_base
        # Sound may begin before the first frame.
        return ((at >= self._first or not self.options.start) and
                (self._end is None or at < self._end))

    def find_picture(self, again=None):
        """Where the picture is within an even border, in all of the clip.

        Parameters
        ----------
        again : callable, optional
            Opens the clip again; if not given, only the first frame is looked
            at.

        Returns
        -------
        (slice, slice)
            Rows and columns.
        """
        if self.options.borders == 'colour':
            return tuple(slice(0, side) for side in self.clip.shape)
        boxes = [find_picture(self.clip.pixels(self.clip.first))]
        if again is not None:
            boxes.extend(map(find_picture, self._samples(again)))
        return tuple(slice(min(box[axis].start for box in boxes),
                           max(box[axis].stop for box in boxes))
                     for axis in (0, 1))

    def _samples(self, again):
        """Pixels of some frames; several, for one may be dark."""
        with contextlib.closing(again()) as clip:
            length = (clip.num_frames or 0) / clip.rate / clip.time_base
            for number in range(1, _SAMPLES + 1):
                clip.seek(clip.start +
                          round(length * number / (_SAMPLES + 1)))
                yield clip.pixels(next(item for item in clip.items()
                                       if isinstance(item, Frame)))
