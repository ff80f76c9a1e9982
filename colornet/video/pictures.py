"""FFmpeg's pictures as arrays and back: upright, progressive."""

import itertools
from dataclasses import dataclass

import numpy as np

from ..errors import ColornetError
from .packages import import_package

__all__ = ['Colours', 'Converter', 'Filters', 'upright_filters']

#: Matrices of YCbCr by their number in ITU-T H.273, as FFmpeg's "scale" calls
#: them.
_MATRICES = {1: 'bt709', 4: 'fcc', 5: 'bt601', 6: 'bt601', 7: 'smpte240m',
             9: 'bt2020', 10: 'bt2020'}
_UNKNOWN = 2, 3

#: Where none is named: what players take above this size, and up to it.
_HIGH_DEFINITION = 1280, 576
_ASSUMED_HIGH, _ASSUMED_LOW = 1, 6

#: Transfer functions of high dynamic range: PQ and HLG.
_HIGH_DYNAMIC_RANGE = 16, 18

#: ``color_range`` of FFmpeg: levels from 16 to 235 of 255, and from 0 on.
_LIMITED, _FULL = 1, 2

#: Unit of the matrices that turn pictures.
_ONE = 1 << 16

#: Filters for such a matrix: where the picture's right and its bottom go.
_TURNS = {(1, 0, 0, 1): (), (-1, 0, 0, 1): ('hflip',),
          (1, 0, 0, -1): ('vflip',), (-1, 0, 0, -1): ('hflip', 'vflip'),
          (0, 1, -1, 0): ('transpose=clock',),
          (0, -1, 1, 0): ('transpose=cclock',),
          (0, 1, 1, 0): ('transpose=cclock_flip',),
          (0, -1, -1, 0): ('transpose=clock_flip',)}


@dataclass(frozen=True)
class Colours:
    """How a clip writes colours.

    Attributes
    ----------
    matrix, primaries, transfer : int
        By ITU-T H.273; 2 for what is not said, but for the matrix.
    full : bool
        Whether black is 0, and not 16 of 255.
    deep : bool
        Whether it has more than 8 bits.
    """

    matrix: int
    primaries: int
    transfer: int
    full: bool
    deep: bool

    @classmethod
    def of(cls, picture, codec, name):
        """Those of a decoded picture.

        Parameters
        ----------
        picture : av.VideoFrame
        codec : av.VideoCodecContext
            That it comes from.
        name : str
            Of the clip.

        Raises
        ------
        ColornetError
            If nothing here converts them.
        """
        is_rgb = picture.format.is_rgb or picture.format.has_palette
        matrix = int(picture.colorspace)
        if is_rgb or matrix in _UNKNOWN:
            width, height = _HIGH_DEFINITION
            matrix = (_ASSUMED_HIGH if picture.width >= width or
                      picture.height > height else _ASSUMED_LOW)
        transfer = int(codec.color_trc)
        if matrix not in _MATRICES or transfer in _HIGH_DYNAMIC_RANGE:
            raise ColornetError(
                '%s: its colours (matrix %d, transfer %d of ITU-T H.273) are '
                'not for colornet; ffmpeg can convert it to BT.709'
                % (name, matrix, transfer))
        full = not is_rgb and (int(picture.color_range) == _FULL or
                               picture.format.name.startswith('yuvj'))
        return cls(matrix, int(codec.color_primaries), transfer, full, max(
            component.bits for component in picture.format.components) > 8)

    @property
    def pixel_format(self):
        """FFmpeg's name of the arrays that its pictures become."""
        return 'rgb48le' if self.deep else 'rgb24'

    def options(self):
        """Of an encoder, so that players know."""
        return {'colorspace': str(self.matrix),
                'color_primaries': str(self.primaries),
                'color_trc': str(self.transfer),
                'color_range': 'pc' if self.full else 'tv'}


class Filters:
    """A chain of FFmpeg's filters, each of which makes one picture of one.

    Some keep the first until the second is there. PyAV's errors leave 400
    bytes each for ever, so a picture is asked for only where one should be.

    Parameters
    ----------
    picture : av.VideoFrame
        Like those that go through.
    time_base : Fraction
    names : sequence of str
        Of filters, with what they take: ``'scale=w=64:h=48'``.
    """

    def __init__(self, picture, time_base, names):
        self._av = import_package('av')
        self._graph = self._av.filter.Graph()
        last = self._graph.add_buffer(
            width=picture.width, height=picture.height,
            format=picture.format.name, time_base=time_base)
        for name in names:
            node = self._graph.add(*name.split('=', 1))
            last.link_to(node)
            last = node
        last.link_to(self._graph.add('buffersink'))
        self._graph.configure()

    def __call__(self, picture):
        """What comes out once this picture has gone in: one, or none."""
        self._graph.push(picture)
        return self._pull()

    def flush(self):
        """What is still in there, a list; nothing goes in any more."""
        self._graph.push(None)
        return list(itertools.chain.from_iterable(iter(self._pull, [])))

    def _pull(self):
        try:
            return [self._graph.pull()]
        except (BlockingIOError, self._av.error.EOFError):
            return []


def upright_filters(picture, name):
    """What makes a clip's pictures upright and progressive.

    Parameters
    ----------
    picture : av.VideoFrame
    name : str
        Of the clip.

    Returns
    -------
    list of str
        For :class:`Filters`.

    Raises
    ------
    ColornetError
        If it is turned by anything but quarters.
    """
    # Combs are not coloured well; this leaves each frame its time.
    names = (['bwdif=mode=send_frame:deint=interlaced']
             if picture.interlaced_frame else [])
    turn = _turn_of(picture)
    if turn not in _TURNS:
        raise ColornetError('%s is not turned by quarters, but by the matrix '
                            '%s' % (name, turn))
    return names + list(_TURNS[turn])


def _turn_of(picture):
    """The first two rows and columns of the matrix that turns a picture."""
    for number in range(len(picture.side_data)):
        item = picture.side_data[number]
        if item.type.name == 'DISPLAYMATRIX':
            matrix = np.frombuffer(bytes(item), '<i4').reshape(3, 3)
            return tuple(int(value) if value % _ONE else value // _ONE
                         for value in matrix[:2, :2].ravel().tolist())
    return 1, 0, 0, 1


def _grey_pixels(picture):
    """Pixels of a picture that has luminance only, from 16 to 235 of 255.

    FFmpeg's "scale" takes what has no colours for levels from 0 on, whatever
    it is told: blacks would be dark grey, and whites light grey.
    """
    bits = picture.format.components[0].bits
    samples = np.dtype('u1' if bits == 8 else
                       '>u2' if picture.format.name.endswith('be') else '<u2')
    most, kind = (255, np.uint8) if bits == 8 else (65535, np.uint16)
    rows = np.frombuffer(picture.planes[0], samples).reshape(
        picture.height, -1)[:, :picture.width].astype(np.float32)
    grey = (rows - (16 << bits - 8)) * np.float32(most / (219 << bits - 8))
    return np.repeat(np.clip(np.rint(grey), 0, most).astype(kind)[..., None],
                     3, axis=2)


class Converter:
    """Pictures of a clip as pixels in sRGB, and back.

    Parameters
    ----------
    colours : Colours
    time_base : Fraction
    """

    # Exact, where FFmpeg would be quick. One thread: to wait for another takes
    # longer than the frame, where other programs run.
    _FLAGS = 'threads=1:flags=bicubic+accurate_rnd+full_chroma_int'

    def __init__(self, colours, time_base):
        self._av = import_package('av')
        self.colours = colours
        self.time_base = time_base
        self._to_rgb = self._to_yuv = None
        self._named = 'color_matrix=%s:%%s_range=%s' % (
            _MATRICES[colours.matrix], 'pc' if colours.full else 'tv')

    def to_pixels(self, picture):
        """Pixels of an upright picture.

        Returns
        -------
        ndarray of uint8 or uint16, (rows, columns, 3)
        """
        if (picture.format.name.startswith('gray') and
                int(picture.color_range) == _LIMITED):
            return _grey_pixels(picture)
        if self._to_rgb is None:
            self._to_rgb = Filters(picture, self.time_base, [
                'scale=%s:in_%s:out_range=pc' % (
                    self._FLAGS, self._named % 'in'),
                'format=' + self.colours.pixel_format])
        rgb, = self._to_rgb(picture)
        return rgb.to_ndarray()

    def to_picture(self, pixels, pixel_format):
        """The picture of pixels.

        Parameters
        ----------
        pixels : ndarray, (rows, columns, 3)
            uint8 or uint16, as :meth:`to_pixels` returns them.
        pixel_format : str
            FFmpeg's name of a kind of YCbCr.

        Returns
        -------
        av.VideoFrame
        """
        rgb = self._av.VideoFrame.from_ndarray(
            np.ascontiguousarray(pixels), self.colours.pixel_format)
        if self._to_yuv is None:
            self._to_yuv = Filters(rgb, self.time_base, [
                'scale=%s:out_%s:in_range=pc' % (
                    self._FLAGS, self._named % 'out'),
                'format=' + pixel_format])
        picture, = self._to_yuv(rgb)
        return picture
