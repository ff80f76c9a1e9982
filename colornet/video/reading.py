"""Frames of a clip, upright and progressive, with their times."""

import contextlib
import os
from collections import deque
from dataclasses import dataclass, replace
from fractions import Fraction

from ..errors import ColornetError
from ..files import check_regular
from .beside import describe_left_out, is_copied, is_cover
from .packages import import_package
from .pictures import Colours, Converter, Filters, upright_filters

__all__ = ['Clip', 'Frame', 'naming_errors', 'read_copied']

#: Formats that say when each frame is shown. In others, AVI for one, FFmpeg
#: counts, and counts otherwise once it has gone somewhere.
_TIMED = {'mov', 'matroska', 'nut', 'mpegts', 'flv', 'ogg', 'asf'}

#: FFmpeg's formats of photos, beside those called "..._pipe"; files of them
#: may have several pictures.
_PICTURES = 'image2', 'image2pipe', 'gif', 'apng'


@dataclass(frozen=True)
class Frame:
    """A picture of a clip.

    Attributes
    ----------
    pts, duration : int
        When it is shown and for how long, in ``Clip.time_base``.
    picture : av.VideoFrame
        Upright.
    """

    pts: int
    duration: int
    picture: object


class Clip:
    """A clip that is read from its beginning to its end.

    Parameters
    ----------
    source : str or Path, or binary file
        A file, or a stream of which nothing is read twice.
    name : str, optional
        What errors call it.
    check : callable, optional
        Takes the rows and columns that it says it has, before any picture is
        decoded; raises what it raises.

    Attributes
    ----------
    name : str
    container, stream : of PyAV
        The stream is that of its pictures.
    copied : list of av.stream.Stream
        Its sound and subtitles.
    left_out : str
        What else it has beside its pictures, which is not copied.
    time_base : Fraction
        Seconds that a timestamp counts.
    rate : Fraction
        Frames a second, on average.
    first : Frame
    start : int
        The first frame's timestamp.
    shape : (int, int)
        Rows and columns of its frames, upright.
    aspect : Fraction
        Width of a pixel as a multiple of its height, upright.
    colours : Colours
        How it writes them.

    Raises
    ------
    ColornetError
        If it is no clip, or one that would come out wrong.
    """

    def __init__(self, source, name=None, check=None):
        self.name = str(source if name is None else name)
        self._source = source
        self._open()
        try:
            if check is not None:
                codec = self.stream.codec_context
                check(codec.height, codec.width)
            self.left_out = describe_left_out(self.container, self.stream)
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self):
        """Decode the first picture, and take what it says."""
        self.time_base = self.stream.time_base
        self.rate = (self.stream.average_rate or self.stream.base_rate or
                     Fraction(25))
        self._coded = self._filters = None
        self._usual = max(1, round(1 / (self.rate * self.time_base)))
        self._items, self._ahead = self._read(), deque()
        first = self._read_ahead()
        if first is None:
            raise ColornetError('%s has no pictures' % self.name)
        if self._is_photo():
            raise ColornetError('%s is a photo; colornet colorize is for these'
                                % self.name)
        self.first, self.start = first, first.pts
        self.shape = first.picture.height, first.picture.width
        self.aspect = self.stream.sample_aspect_ratio or Fraction(1)
        if self.shape != (self._coded[1], self._coded[0]):
            self.aspect = 1 / self.aspect
        self._converter = Converter(self.colours, self.time_base)

    def _open(self):
        self.container = _open(self._source, self.name)
        streams = self.container.streams
        self.stream = next((stream for stream in streams.video
                            if stream.codec_context is not None and
                            not is_cover(stream)), None)
        if self.stream is None:
            raise ColornetError('%s has no pictures that can be decoded'
                                % self.name)
        self.stream.thread_type = 'AUTO'
        self.copied = list(filter(is_copied, streams))

    def close(self):
        """Close the file."""
        self.container.close()

    @property
    def seconds(self):
        """How long it is, as far as it says so; 0 if not."""
        if self.stream.duration:
            return self.stream.duration * self.time_base
        av = import_package('av')
        return Fraction(self.container.duration or 0, av.time_base)

    @property
    def num_frames(self):
        """How many frames it has, as far as it says so; None if not."""
        return self.stream.frames or round(self.seconds * self.rate) or None

    def items(self):
        """What comes, in the file's order.

        Yields
        ------
        Frame or av.Packet
            Packets of the streams in :attr:`copied`.
        """
        while True:
            while self._ahead:
                yield self._ahead.popleft()
            item = next(self._items, None)
            if item is None:
                return
            yield item

    def seek(self, pts):
        """Go on at a frame or before it; not for streams.

        Parameters
        ----------
        pts : int
        """
        av = import_package('av')
        ways = [self._begin_anew]
        if _TIMED.intersection(self.container.format.name.split(',')):
            ways.insert(0, lambda: self.container.seek(pts,
                                                       stream=self.stream))
        # Some do not go where they are asked to, or go nowhere.
        for go in ways:
            self._ahead.clear()
            with contextlib.suppress(av.error.FFmpegError):
                go()
                self._filters = None
                self._items = self._read()
                first = self._read_ahead()
                if first is not None and first.pts <= pts:
                    return

    def pixels(self, frame):
        """Pixels of a frame.

        Parameters
        ----------
        frame : Frame

        Returns
        -------
        ndarray of uint8 or uint16, (rows, columns, 3)
            sRGB; uint16 where the clip has more than 8 bits.
        """
        return self._converter.to_pixels(frame.picture)

    def _begin_anew(self):
        self.close()
        if hasattr(self._source, 'seek'):
            self._source.seek(0)
        self._open()

    def _is_photo(self):
        """Whether it is a file of one picture."""
        format = self.container.format.name
        return (format in _PICTURES or format.endswith('_pipe')
                ) and self._read_ahead() is None

    def _read_ahead(self):
        """The next frame, which :meth:`items` yields again."""
        for item in self._items:
            self._ahead.append(item)
            if isinstance(item, Frame):
                return item
        return None

    def _read(self):
        packets = self.container.demux([self.stream] + self.copied)
        last, durations = None, {}
        while True:
            with naming_errors('cannot read ' + self.name):
                packet = next(packets, None)
            if packet is None:
                if last is not None:
                    yield replace(last, duration=durations.get(
                        last.pts, self._usual))
                return
            if packet.stream is not self.stream:
                if packet.size:
                    yield packet
                continue
            if packet.duration:
                # Where others come behind what is shown last, it is how long
                # that is decoded, not shown.
                durations = {packet.pts: packet.duration}
            for frame in self._frames(packet, last):
                if last is not None:
                    # Whatever packets say, which come in another order.
                    yield replace(last, duration=frame.pts - last.pts)
                last = frame

    def _frames(self, packet, last):
        for picture in self._pictures(packet):
            pts = (None if picture.pts is None else
                   round(picture.pts * picture.time_base / self.time_base))
            if last is not None and (pts is None or pts <= last.pts):
                # Damaged, or without times.
                pts = last.pts + (last.duration if pts is None else 1)
            last = Frame(pts or 0, packet.duration or self._usual, picture)
            yield last

    def _pictures(self, packet):
        """Upright pictures that come out once a packet has gone in."""
        av = import_package('av')
        try:
            decoded = packet.decode()
        except av.error.InvalidDataError:
            decoded = []  # Damaged: left out, as players do.
        for picture in decoded:
            self._check_alike(picture)
            filters = upright_filters(picture, self.name)
            if self._filters is None or len(filters) > self._filters[0]:
                if self._filters:
                    yield from self._filters[1].flush()
                self._filters = len(filters), Filters(
                    picture, self.time_base, filters)
            yield from self._filters[1](picture)
        if not packet.size and self._filters:
            yield from self._filters[1].flush()
            self._filters = None

    def _check_alike(self, picture):
        """Refuse clips whose pictures change their size or format."""
        coded = picture.width, picture.height, picture.format.name
        if self._coded is None:
            self._coded = coded
            self.colours = Colours.of(picture, self.stream.codec_context,
                                      self.name)
        elif coded != self._coded:
            raise ColornetError('%s: its pictures change from %d x %d (%s) to '
                                '%d x %d (%s) at second %.2f' % (
                                    (self.name,) + self._coded + coded +
                                    (picture.time or 0,)))


def _open(source, name):
    """A container that is read, and from which nothing else is opened."""
    av = import_package('av')
    with naming_errors('cannot read %s' % name):
        if hasattr(source, 'read'):
            return av.open(source, container_options={
                'protocol_whitelist': 'none'})
        check_regular(source)
        if not os.stat(source).st_size:
            raise ColornetError('cannot read %s: it is empty' % name)
        # Absolute, or what is before a colon would be a protocol. Playlists
        # fetch nothing from elsewhere.
        return av.open(os.path.abspath(source), container_options={
            'protocol_whitelist': 'file,crypto,data'})


def read_copied(source):
    """Packets of a file's sound and subtitles.

    Parameters
    ----------
    source : str or Path

    Yields
    ------
    av.Packet
    """
    what = 'cannot read %s' % source
    with _open(source, source) as container:
        copied = list(filter(is_copied, container.streams))
        packets = container.demux(copied) if copied else iter(())
        while True:
            with naming_errors(what):
                packet = next(packets, None)
            if packet is None:
                return
            if packet.size:
                yield packet


@contextlib.contextmanager
def naming_errors(what):
    """Turn FFmpeg's errors into a line that says what cannot be done.

    Parameters
    ----------
    what : str
        Such as 'cannot read film.mp4'.

    Raises
    ------
    ColornetError
    BrokenPipeError
        If nobody reads what is written any more.
    """
    av = import_package('av')
    try:
        yield
    except (ColornetError, BrokenPipeError):
        raise
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise ColornetError('%s: %s' % (
            what, getattr(error, 'strerror', None) or error))
