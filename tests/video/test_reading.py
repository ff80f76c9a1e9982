"""Clips of all kinds, read."""

import io
from fractions import Fraction

import numpy as np
from nose.tools import assert_greater, assert_less, eq_
from numpy.testing import assert_array_equal

from colornet.video.reading import Clip, Frame, read_copied
from tests.tiny import check_error
from tests.video import clips
from tests.video.clips import COUNT, SHAPE, TIME_BASE


def read(path):
    """A clip, and its frames."""
    clip = Clip(path)
    return clip, [item for item in clip.items() if isinstance(item, Frame)]


def seconds(clip, frames):
    return [frame.pts * clip.time_base for frame in frames]


def error_of(path, expected):
    """Mean and largest distance of a clip's frames from others."""
    difference = np.abs(np.array(clips.frames_of(path), np.float64) - expected)
    return difference.mean(), difference.max()


class TestReading(clips.InFolder):

    def test_frames_and_their_times(self):
        for name in 'in.mp4', 'in.mov', 'in.mkv':
            clip, frames = read(self.write(name))
            eq_(clip.shape, SHAPE)
            eq_(clip.num_frames, COUNT)
            eq_(clip.rate, 25)
            eq_(seconds(clip, frames), [Fraction(number, 25) for number in
                                        range(COUNT)])
            eq_(frames[0], clip.first)
            eq_(clip.copied, [])
            mean, most = error_of(self.folder / name, clips.moving())
            assert_less(mean, 4)  # A quarter of the colours is written.

    def test_times_that_vary(self):
        times = [0, 24, 25, 100, 101, 102, 103, 500, 524, 548, 549, 1200]
        path = self.write(times=times)
        clip, frames = read(path)
        eq_(seconds(clip, frames), [time * TIME_BASE for time in times])

    def test_durations(self):
        """Of what is shown, whatever the order of packets."""
        times = [0, 24, 25, 100, 101, 102, 103, 500, 524, 548, 549, 1200]
        options = {'bf': '3', 'b_strategy': '0', 'preset': 'ultrafast',
                   'g': '12'}
        with self.av.open(str(self.write(times=times, options=options))
                          ) as container:
            packets = [packet for packet in container.demux() if packet.size]
        # The test is one: the last that comes is not shown last.
        assert_less(packets[-1].pts, max(packet.pts for packet in packets))
        for name in 'in.mp4', 'in.mkv', 'in.nut':
            clip, frames = read(self.write(name, times=times, options=options))
            assert_less(max(abs(frame.duration * clip.time_base -
                                (after - before) * TIME_BASE)
                            for frame, before, after in
                            zip(frames, times, times[1:])),
                        # Matroska counts milliseconds.
                        1.01e-3 if name == 'in.mkv' else 1e-9)
            clip, frames = read(self.write(name, options=options))
            eq_({frame.duration * clip.time_base for frame in frames},
                {Fraction(1, 25)})

    def test_times_that_do_not_grow(self):
        clip = Clip(self.write())
        given = iter([5, 5, 3, None, 9])

        class Picture:
            time_base = clip.time_base

            def __init__(self):
                self.pts = next(given)
        clip._pictures = lambda packet: [Picture() for _ in range(5)]

        class Packet:
            duration = 2
        eq_([frame.pts for frame in clip._frames(Packet, None)],
            [5, 6, 7, 9, 10])

    def test_turned(self):
        path = self.write()
        upright = np.array(clips.frames_of(path), int)
        for matrix, turned in [
                ((1, 0, 0, 1), upright),
                ((0, 1, -1, 0), np.rot90(upright, -1, (1, 2))),
                ((0, -1, 1, 0), np.rot90(upright, 1, (1, 2))),
                ((-1, 0, 0, -1), upright[:, ::-1, ::-1]),
                ((-1, 0, 0, 1), upright[:, :, ::-1]),
                ((1, 0, 0, -1), upright[:, ::-1]),
                ((0, 1, 1, 0), upright.swapaxes(1, 2)),
                ((0, -1, -1, 0), upright.swapaxes(1, 2)[:, ::-1, ::-1])]:
            clips.turn(path, matrix)
            frames = np.array(clips.frames_of(path), int)
            eq_(frames.shape, turned.shape)
            # Colours are enlarged from other sides.
            assert_less(np.abs(frames - turned).mean(), 1, matrix)
        clips.turn(path, (1, 1, -1, 1))
        check_error(lambda: Clip(path), 'in.mp4', 'quarters')

    def test_pixels_that_are_not_square(self):
        eq_(Clip(self.write()).aspect, 1)
        path = self.write(options={'aspect': '4:3'})
        eq_(Clip(path).aspect, Fraction(4, 3))
        clips.turn(path, (0, 1, -1, 0))
        eq_(Clip(path).aspect, Fraction(3, 4))

    def test_ranges_and_matrices(self):
        patches = np.zeros(SHAPE + (3,), np.uint8)
        patches[:, :32] = 200, 90, 30
        patches[:24, 32:] = 20, 160, 220
        for options, colours in [
                ({'colorspace': 'bt709'}, ':out_color_matrix=bt709'),
                ({'colorspace': 'smpte170m'}, ':out_color_matrix=bt601'),
                ({}, ':out_color_matrix=bt601'),
                ({'color_range': 'pc', 'colorspace': 'bt709'},
                 ':out_color_matrix=bt709:out_range=pc')]:
            path = self.write(frames=[patches] * 3, colours=colours,
                              pixel_format='yuv444p', options=options)
            mean, most = error_of(path, [patches] * 3)
            assert_less(most, 4, (options, mean, most))

    def test_ten_bits(self):
        ramp = np.linspace(0, 65535, SHAPE[1]).astype(np.uint16)
        pixels = np.broadcast_to(ramp[:, np.newaxis], SHAPE + (3,))
        path = self.write(frames=[pixels] * 2, pixel_format='yuv420p10le',
                          colours=':out_color_matrix=bt601')
        clip, frames = read(path)
        got = clip.pixels(frames[0])
        eq_(got.dtype, np.uint16)
        assert_less(np.abs(got.astype(int) - pixels).max(), 200)
        assert_greater(len(np.unique(got[..., 1])), SHAPE[1] - 2)

    def test_interlaced(self):
        # What moves by eight pixels between two fields.
        bars = np.zeros((40,) + SHAPE + (3,), np.uint8)
        for number, field in enumerate(bars):
            field[:, 8 * number % 56:][:, :8] = 255
        woven = [np.where((np.arange(SHAPE[0]) % 2 == 0)[:, None, None],
                          bars[2 * number], bars[2 * number + 1])
                 for number in range(20)]
        plain = self.write('plain.mp4', frames=woven)
        path = self.write(frames=woven, options={
            'flags': '+ildct+ilme', 'x264-params': 'tff=1'})
        clip, frames = read(path)
        eq_(len(frames), 20)
        eq_(seconds(clip, frames), seconds(*read(plain)))

        def combs(path):
            luminance = np.array(clips.frames_of(path))[2:-2].mean(axis=-1)
            return np.abs(np.diff(luminance, axis=1)).mean()
        assert_less(combs(path), combs(plain) / 2)

    def test_streams(self):
        path = self.write('in.mkv', sound=True)

        class Pipe:
            read = io.BytesIO(path.read_bytes()).read
        clip = Clip(Pipe(), 'a pipe')
        items = list(clip.items())
        eq_(sum(isinstance(item, Frame) for item in items), COUNT)
        sound = [bytes(item) for item in items if not isinstance(item, Frame)]
        eq_(sound, [bytes(packet) for packet in read_copied(path)])
        assert_greater(len(sound), 2)

    def test_seek(self):
        path = self.write(frames=clips.moving(40), options={'g': '10'})
        clip, frames = read(path)
        for wanted in 0, 9, 10, 25, 39:
            clip.seek(frames[wanted].pts)
            items = [item.pts for item in clip.items()]
            pts = [frame.pts for frame in frames]
            eq_(items, pts[pts.index(items[0]):])
            assert_less(items[0], frames[wanted].pts + 1)
            assert_greater(len(items), 0)
            if wanted > 20:
                assert_greater(items[0], 0)  # It went there.

    def test_seek_where_times_are_counted(self):
        path = self.write(
            'in.avi', frames=clips.moving(60), time_base=Fraction(1, 25),
            options={'preset': 'ultrafast', 'g': '20', 'bf': '3',
                     'b_strategy': '0'})
        clip, frames = read(path)
        pts = [frame.pts for frame in frames]
        eq_(len(pts), 60)
        for wanted in range(60):
            clip.seek(pts[wanted])
            items = [item.pts for item in clip.items()]
            eq_(items, pts[pts.index(items[0]):], wanted)
            assert_less(items[0], pts[wanted] + 1)

    def test_seek_where_one_cannot(self):
        path = self.write('in.h264')
        clip = Clip(path)
        clip.seek(clip.start + 5 * clip.first.duration)
        eq_(len([item for item in clip.items()]), COUNT)

    def test_copied(self):
        path = self.write(sound=True)
        eq_([stream.type for stream in Clip(path).copied], ['audio'])
        eq_([bytes(packet) for packet in read_copied(path)],
            [content for _, _, content in clips.contents(path)[1]])
        eq_(list(read_copied(self.write('silent.mp4'))), [])

    def test_refused(self):
        path = self.folder / 'text.mp4'
        path.write_text('no film')
        check_error(lambda: Clip(path), 'cannot read', 'text.mp4')
        check_error(lambda: Clip(self.folder / 'none.mp4'), 'none.mp4',
                    'No such file')
        check_error(lambda: Clip(self.folder), 'cannot read')
        path = self.write('hdr.mp4', pixel_format='yuv420p10le', options={
            'color_trc': 'smpte2084', 'colorspace': 'bt2020nc'})
        check_error(lambda: Clip(path), 'hdr.mp4', 'matrix 9', 'transfer 16')
        with self.av.open(str(self.folder / 'sound.mkv'), 'w') as container:
            beside = clips.Sound(container)
            beside.write_until(1)
            beside.finish()
        check_error(lambda: Clip(self.folder / 'sound.mkv'), 'no pictures')

    def test_size_that_changes(self):
        # Streams of pictures may be joined as they are.
        small = self.write('a.h264').read_bytes()
        large = self.write('b.h264', frames=clips.moving(
            shape=(64, 80))).read_bytes()
        path = self.folder / 'both.h264'
        path.write_bytes(small + large)
        clip = Clip(path)
        check_error(lambda: list(clip.items()), 'both.h264', '64 x 48',
                    '80 x 64')

    def test_damaged_in_the_middle(self):
        path = self.write('in.mkv', frames=clips.moving(60),
                          options={'g': '5'})
        whole = read(path)[1]
        content = bytearray(path.read_bytes())
        middle = len(content) // 2
        content[middle:middle + 400] = bytes(400)
        path.write_bytes(content)
        clip, frames = read(path)
        assert_greater(len(frames), 20)
        times = [frame.pts for frame in frames]
        assert_array_equal(times, sorted(set(times)))
        assert_less(len(frames), len(whole) + 1)
