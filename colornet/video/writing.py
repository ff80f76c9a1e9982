"""Coloured frames as a stream of a file, and what is copied beside them."""

import contextlib
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Tuple

from .. import __version__
from ..errors import ColornetError
from .packages import import_package
from .pictures import Converter
from .reading import naming_errors

__all__ = ['CRF', 'Encoder', 'Encoding', 'FORMATS', 'Format', 'add_copy',
           'add_metadata', 'choose_format', 'copy_packet', 'open_container']


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes
    ----------
    name : str
        FFmpeg's, of the container.
    codec : str
        FFmpeg's, of the encoder.
    options : tuple of (str, str)
        Of the container.
    """

    name: str
    codec: str
    options: Tuple[Tuple[str, str], ...] = ()


#: Of results, by their suffix. What is played from a server begins with the
#: list of its frames.
FORMATS = {'mp4': Format('mp4', 'libx264', (('movflags', '+faststart'),)),
           'm4v': Format('mp4', 'libx264', (('movflags', '+faststart'),)),
           'mov': Format('mov', 'libx264', (('movflags', '+faststart'),)),
           'mkv': Format('matroska', 'libx264'),
           'webm': Format('webm', 'libvpx-vp9')}

#: The same for streams, where nobody goes back to the beginning.
_STREAMED = (('movflags', '+frag_keyframe+empty_moov+default_base_moof'),)

#: Constant rate factors: the lower, the larger and the better.
CRF = {'libx264': 18, 'libvpx-vp9': 24}

#: What no frame waits for: without pictures that look ahead, each is written
#: at its own time, and parts of a film join without a gap. Without trees of
#: macroblocks, the same pictures give the same bytes: with them, 1 to 4 of 100
#: encodings differ, also by one thread.
_OPTIONS = {'libx264': {'bf': '0', 'mbtree': '0'},
            'libvpx-vp9': {'b': '0', 'row-mt': '1', 'cpu-used': '2'}}

#: Of a file, what is not of its result.
_OF_THE_FILE = {'encoder', 'major_brand', 'minor_version',
                'compatible_brands'}

#: Of a stream of pictures, what is of its result, too.
_OF_PICTURES = {'language', 'title', 'handler_name'}

_MARK = 'Colours computed by colornet ' + __version__


def choose_format(name, streamed=False):
    """The container of a result.

    Parameters
    ----------
    name : str
        A suffix, without its dot.
    streamed : bool
        Whether it is written from its beginning to its end only.

    Returns
    -------
    Format

    Raises
    ------
    ColornetError
        If there is none.
    """
    format = FORMATS.get(name.lower())
    if format is None:
        raise ColornetError('films are written as %s, not %r'
                            % (', '.join(sorted(FORMATS)), name))
    return (replace(format, options=_STREAMED) if streamed and format.options
            else format)


@dataclass(frozen=True)
class Encoding:
    """How frames are encoded.

    Attributes
    ----------
    codec : str
        FFmpeg's encoder.
    pixel_format : str
    crf : int
    """

    codec: str
    pixel_format: str
    crf: int

    @classmethod
    def choose(cls, clip, codec, crf=None):
        """That of a clip's result: its size, its depth.

        Raises
        ------
        ColornetError
            If the encoder has not the depth.
        """
        # Half the rows and columns of colours, where halves are whole.
        even = not any(side % 2 for side in clip.shape)
        name = 'yuv420p' if even else 'yuv444p'
        if clip.colours.deep:
            if codec != 'libx264':
                raise ColornetError('%s has more than 8 bits, which webm has '
                                    'not here; take mp4, mov or mkv'
                                    % clip.name)
            name += '10le'
        return cls(codec, name, CRF[codec] if crf is None else crf)


class Encoder:
    """Encodes a clip's coloured frames into a container.

    Parameters
    ----------
    container : av.container.OutputContainer
    clip : Clip
    encoding : Encoding
    shift : int
        Taken from timestamps.
    """

    def __init__(self, container, clip, encoding, shift=0):
        self.container = container
        self.shift = shift
        self._pixel_format = encoding.pixel_format
        self._converter = Converter(clip.colours, clip.time_base)
        self._time_base = clip.time_base
        self._durations = {}
        stream = container.add_stream(
            encoding.codec, rate=Fraction(clip.rate), options=dict(
                _OPTIONS[encoding.codec], crf=str(encoding.crf),
                **clip.colours.options()))
        stream.height, stream.width = clip.shape
        stream.pix_fmt = encoding.pixel_format
        stream.time_base = clip.time_base
        stream.codec_context.time_base = clip.time_base
        stream.codec_context.sample_aspect_ratio = clip.aspect
        self.stream = stream

    def write(self, frame, pixels):
        """Write a frame.

        Parameters
        ----------
        frame : Frame
            Whose time it has.
        pixels : ndarray, (rows, columns, 3)
        """
        picture = self._converter.to_picture(pixels, self._pixel_format)
        picture.pts = frame.pts - self.shift
        picture.time_base = self._time_base
        self._durations[picture.pts] = frame.duration
        self._mux(self.stream.encode(picture))

    def finish(self):
        """Write what the encoder still has."""
        self._mux(self.stream.encode(None))

    def _mux(self, packets):
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, 0)
            self.container.mux(packet)


@contextlib.contextmanager
def open_container(target, name, format):
    """A container to write to.

    Parameters
    ----------
    target : str or Path, or binary file
    name : str
        What errors call it.
    format : Format

    Yields
    ------
    av.container.OutputContainer
        Whole when the block ends.

    Raises
    ------
    ColornetError
        If it cannot be written, or takes not what is put into it.
    """
    av = import_package('av')
    if not hasattr(target, 'write'):
        target = str(target)
    with naming_errors('cannot write %s' % name):
        container = av.open(target, 'w', format=format.name,
                            container_options=dict(format.options))
        try:
            yield container
        except BaseException:
            # Closing writes the end of the file, which may fail as well.
            with contextlib.suppress(Exception):
                container.close()
            raise
        container.close()


def add_copy(container, stream):
    """A stream that takes the packets of another as they are.

    Parameters
    ----------
    container : av.container.OutputContainer
    stream : av.stream.Stream
        Of a file that is read.

    Returns
    -------
    av.stream.Stream

    Raises
    ------
    ColornetError
        If the container cannot have it.
    """
    if hasattr(container, 'add_stream_from_template'):
        copy = container.add_stream_from_template(stream)
    else:  # PyAV before 14.
        copy = container.add_stream(template=stream)
    copy.metadata.update(stream.metadata)
    with contextlib.suppress(AttributeError):
        copy.disposition = stream.disposition.value
    return copy


def copy_packet(container, packet, stream, shift=Fraction(0)):
    """Copy a packet.

    Parameters
    ----------
    container : av.container.OutputContainer
    packet : av.Packet
        Of a file that is read.
    stream : av.stream.Stream
        Where it goes.
    shift : Fraction
        Seconds taken from its time.
    """
    if shift:
        ticks = round(shift / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - ticks
        packet.dts = None if packet.dts is None else packet.dts - ticks
    packet.stream = stream
    container.mux(packet)


def add_metadata(container, pictures, clip, mark=True):
    """What a file says of itself: as in the source, and how it was made.

    Parameters
    ----------
    container : av.container.OutputContainer
    pictures : av.stream.Stream
        Of it.
    clip : Clip
    mark : bool
        Whether it says that colours are computed.
    """
    said = {key.lower(): value
            for key, value in clip.container.metadata.items()
            if key.lower() not in _OF_THE_FILE}
    if mark:
        said['comment'] = '; '.join(filter(None, [said.get('comment'),
                                                  _MARK]))
    container.metadata.update(said)
    # Of the rest, most is not of the result's: sizes, encoders, durations.
    pictures.metadata.update({
        key.lower(): value for key, value in clip.stream.metadata.items()
        if key.lower() in _OF_PICTURES})
