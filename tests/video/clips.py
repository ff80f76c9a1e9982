"""Tiny clips, made here, and a network that costs nothing."""

import contextlib
import shutil
import struct
import tempfile
from fractions import Fraction
from pathlib import Path
from unittest import SkipTest

import numpy as np
from PIL import Image

from colornet.config import load_config
from colornet.errors import ColornetError
from colornet.video.colouring import FilmColorizer
from colornet.video.packages import import_package
from tests import tiny

#: Rows and columns of frames, and their number.
SHAPE, COUNT = (48, 64), 12

#: Seconds that a timestamp counts in what is written here.
TIME_BASE = Fraction(1, 600)
STEP = 24


def need_video():
    """Leave a test out where PyAV or OpenCV is missing; PyAV otherwise."""
    need('cv2')
    return need('av')


def need(name):
    try:
        return import_package(name)
    except ColornetError as error:
        raise SkipTest(str(error))


class InFolder:
    """A temporary folder for each test."""

    def setUp(self):
        self.av = need_video()
        self.folder = Path(tempfile.mkdtemp())

    def tearDown(self):
        shutil.rmtree(str(self.folder))

    def write(self, name='in.mp4', **options):
        path = self.folder / name
        write_clip(path, **options)
        return path


def moving(count=COUNT, shape=SHAPE, scene=0):
    """Frames of a photo that moves to and fro, a pixel a frame, uint8."""
    photo = np.asarray(Image.open(sorted(tiny.PHOTOS.glob('*.jpg'))[scene]))
    rows, columns = shape
    places = np.arange(photo.shape[1] - columns + 1)
    places = np.resize(np.append(places, places[-2:0:-1]), count)
    return [photo[:rows, place:place + columns] for place in places]


def write_clip(path, frames=None, times=None, codec='libx264',
               pixel_format='yuv420p', options=None, sound=False,
               colours=None, rate=25, about=None, time_base=TIME_BASE):
    """Write a clip.

    `times` are timestamps in `time_base`, `colours` is what FFmpeg's
    "scale" takes, `about` is what the file says of itself.
    """
    from colornet.video.pictures import Filters
    av = import_package('av')
    frames = moving() if frames is None else frames
    step = round(time_base ** -1 / rate)
    times = range(0, step * len(frames), step) if times is None else times
    with av.open(str(path), 'w') as container:
        container.metadata.update(about or {})
        stream = container.add_stream(codec, rate=rate, options=dict(
            {'crf': '1', 'bf': '2'} if codec == 'libx264' else {},
            **options or {}))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixel_format
        stream.time_base = stream.codec_context.time_base = time_base
        beside = Sound(container) if sound else None
        filters = None
        for pixels, time in zip(frames, times):
            picture = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(pixels),
                'rgb48le' if pixels.dtype == np.uint16 else 'rgb24')
            filters = filters or Filters(picture, time_base, [
                'scale=flags=accurate_rnd+full_chroma_int:in_range=pc' +
                (colours or ''), 'format=' + pixel_format])
            picture, = filters(picture)
            picture.pts, picture.time_base = time, time_base
            if sound:
                beside.write_until(time * time_base)
            for packet in stream.encode(picture):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
        if sound:
            beside.finish()


class Sound:
    """A tone, written beside frames."""

    RATE, SIZE = 8000, 1024

    def __init__(self, container, codec='aac', rate=RATE, format='fltp'):
        self.container, self.at, self.rate = container, 0, rate
        self.format = format
        self.stream = container.add_stream(codec, rate=rate)
        self.stream.codec_context.layout = 'mono'
        self.stream.codec_context.format = format

    def write_until(self, seconds):
        av = import_package('av')
        while self.at < seconds * self.rate:
            size = self.stream.codec_context.frame_size or self.SIZE
            tone = np.sin(np.arange(self.at, self.at + size) * .3)
            if self.format.startswith('s16'):
                tone = 20000 * tone
            frame = av.AudioFrame.from_ndarray(tone[np.newaxis].astype(
                np.int16 if self.format.startswith('s16') else np.float32),
                self.format, 'mono')
            frame.rate, frame.pts = self.rate, self.at
            frame.time_base = Fraction(1, self.rate)
            self.at += size
            self._mux(self.stream.encode(frame))

    def finish(self):
        self._mux(self.stream.encode(None))

    def _mux(self, packets):
        for packet in packets:
            self.container.mux(packet)


def turn(path, matrix):
    """Let an MP4 file be shown turned: a, b, c, d of its matrix."""
    content = bytearray(path.read_bytes())
    a, b, c, d = [value * 65536 for value in matrix]
    place = content.index(b'tkhd') + 4 + 40
    content[place:place + 36] = struct.pack('>9i', a, b, 0, c, d, 0, 0, 0,
                                            1 << 30)
    path.write_bytes(content)


def contents(path):
    """Times of frames in seconds; (stream, time, bytes) of what is copied."""
    av = import_package('av')
    times, copied = [], []
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.stream.type == 'video':
                times.extend(picture.pts * picture.time_base
                             for picture in packet.decode())
            elif packet.size:
                copied.append((packet.stream.index, packet.pts *
                               packet.time_base, bytes(packet)))
    return times, copied


def frames_of(source):
    """Frames of a clip as pixels, as FFmpeg turns them into RGB."""
    from colornet.video.reading import Clip, Frame
    with contextlib.closing(Clip(source)) as clip:
        return [clip.pixels(item) for item in clip.items()
                if isinstance(item, Frame)]


#: Settings that the stand-in has: its colours are means of probabilities.
OVERRIDES = ['data.size=32', 'refinement.steps=none']


def configuration(*overrides):
    return load_config(tiny.ROOT / 'experiments' / 'everyday.ini',
                       OVERRIDES + list(overrides))


class StandIn:
    """Scores that say: bright is warm, dark is cold; and count the frames.

    Parameters
    ----------
    flicker : float
        Bins by which it is off, in one frame up, in the next down.
    """

    BINS = np.arange(50, dtype=np.float32)[:, np.newaxis, np.newaxis]

    def __init__(self, flicker=0.):
        self.seen, self.flicker = 0, flicker

    def __call__(self, luminances):
        scores = [self.scores(luminance) for luminance in luminances]
        return [np.stack(channel) for channel in zip(*scores)]

    def scores(self, luminance):
        self.seen += 1
        off = self.flicker * (-1) ** self.seen
        rows, columns = luminance.shape
        small = luminance.reshape(rows // 4, 4, columns // 4, 4).mean((1, 3))
        warmth = small / 12 - 4 + off
        return [-np.square(self.BINS - 24.5 - sign * warmth) / 4
                for sign in (1, -1)]


def colorizer(outputs=None, overrides=(), **options):
    return FilmColorizer(outputs or StandIn(), configuration(*overrides),
                         **options)
