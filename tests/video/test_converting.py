"""Clips in, coloured clips out."""

import io
import os
import weakref
from fractions import Fraction
from unittest import mock

import numpy as np
from nose.tools import assert_greater, assert_less, assert_raises, eq_, ok_
from numpy.testing import assert_array_equal

from colornet.color import luminance
from colornet.video.colouring import AHEAD, BLOCK, FilmColorizer
from colornet.video.converting import colour_file, colour_stream, open_target
from colornet.video.film import FilmOptions
from colornet.video.parts import folder_of
from colornet.video.reading import Clip, Frame
from colornet.video.writing import choose_format
from tests.tiny import check_error
from tests.video import clips
from tests.video.clips import StandIn, colorizer, contents, frames_of, moving


class Interruption(Exception):
    """In place of Ctrl-C."""


def most_at_once(work):
    """How many frames of clips were in memory at a time, at most."""
    read, there, most = Clip.items, [], 0

    def items(clip):
        nonlocal most
        for item in read(clip):
            if isinstance(item, Frame):
                there[:] = [frame for frame in there if frame() is not None]
                there.append(weakref.ref(item))
                most = max(most, len(there))
            yield item
    with mock.patch.object(Clip, 'items', items):
        work()
    return most


def parts_of(frames):
    return mock.patch('colornet.video.converting.PART', frames)


def stopping(calls):
    """What loads a network that is interrupted after so many frames."""
    network = StandIn()

    def outputs(luminances):
        if network.seen > calls:
            raise Interruption
        return network(luminances)
    return lambda: colorizer(outputs)


class TestFiles(clips.InFolder):

    def setUp(self):
        super().setUp()
        self.out = self.folder / 'out.mp4'

    def colour(self, source, out=None, film=None, load=None, **options):
        return colour_file(load or colorizer, source, out or self.out,
                           FilmOptions(**film or {}), progress=False,
                           **options)

    def test_times_sound_and_luminance(self):
        times = [0, 24, 25, 100, 101, 102, 103, 300, 324, 348, 349, 600]
        for name in 'in.mp4', 'in.mov', 'in.mkv':
            source = self.write(name, times=times, sound=True)
            out = self.folder / ('out' + source.suffix)
            eq_(self.colour(source, out, {'crf': 1}), len(times))
            eq_(contents(out), contents(source))
            eq_(sorted(os.listdir(str(self.folder))),
                sorted({'in.mp4', 'in.mov', 'in.mkv', 'out.mp4', 'out.mov',
                        'out.mkv'} & set(os.listdir(str(self.folder)))))
            before, after = [np.array([luminance(pixels) for pixels in
                                       frames_of(path)])
                             for path in (source, out)]
            assert_less(np.abs(before - after).mean(), 1.5)
            # Red where it is bright, green where it is dark.
            coloured = np.array(frames_of(out), int)
            difference = coloured[..., 0] - coloured[..., 1]
            ok_(np.corrcoef(difference.ravel(), before.ravel())[0, 1] > .8)

    def test_the_last_frame_is_as_long(self):
        source = self.write(times=[0, 24, 48, 72, 96, 120, 144, 168, 192, 216,
                                   240, 500])
        self.colour(source)
        clip = Clip(self.out)
        eq_(clip.stream.duration * clip.time_base,
            500 * clips.TIME_BASE + Fraction(1, 25))

    def test_kinds(self):
        for name, options, expected in [
                ('odd', {'frames': moving(3, (47, 61)),
                         'pixel_format': 'yuv444p'}, ('yuv444p', 61, 47)),
                ('deep', {'pixel_format': 'yuv420p10le'},
                 ('yuv420p10le', 64, 48)),
                ('full', {'options': {'color_range': 'pc'},
                          'colours': ':out_range=pc'}, None),
                ('wide', {'options': {'aspect': '2:1'}}, ('yuv420p', 64, 48)),
                ('colours', {'pixel_format': 'bgr0', 'codec': 'ffv1'},
                 ('yuv420p', 64, 48))]:
            suffix = '.mkv' if name == 'colours' else '.mp4'
            source = self.write(name + suffix, **options)
            self.colour(source, film={'crf': 1}, overwrite=True)
            clip = Clip(self.out)
            codec = clip.stream.codec_context
            if expected:
                eq_((codec.pix_fmt, codec.width, codec.height), expected)
            eq_(clip.aspect, 2 if name == 'wide' else 1)
            eq_(clip.colours.full, name == 'full')
            before, after = [np.array([luminance(pixels) for pixels in
                                       frames_of(path)])
                             for path in (source, self.out)]
            difference = np.abs(before - after)
            assert_less(difference.mean(), 1, name)
            assert_less(np.percentile(difference, 99), 4, name)
            # Blacks and whites, which another range would move by 5 and 7.
            for share in .1, 1, 50, 99:
                assert_less(abs(np.percentile(before, share) -
                                np.percentile(after, share)), 3, name)

    def test_turned(self):
        source = self.write(options={'aspect': '4:3'})
        clips.turn(source, (0, 1, -1, 0))
        self.colour(source)
        clip = Clip(self.out)
        eq_(clip.shape, (64, 48))
        eq_(clip.aspect, Fraction(3, 4))
        before, after = [np.array([luminance(pixels) for pixels in
                                   frames_of(path)])
                         for path in (source, self.out)]
        assert_less(np.abs(before - after).mean(), 2)

    def test_metadata(self):
        source = self.write('in.mkv', sound=True, about={
            'title': 'A film', 'comment': 'by nobody'})
        out = self.folder / 'out.mkv'
        self.colour(source, out)
        said = Clip(out).container.metadata
        eq_(said['title'], 'A film')
        ok_(said['COMMENT' if 'COMMENT' in said else 'comment'].startswith(
            'by nobody; Colours computed by colornet '))
        self.colour(source, out, {'mark': False}, overwrite=True)
        said = Clip(out).container.metadata
        eq_(said['COMMENT' if 'COMMENT' in said else 'comment'], 'by nobody')

    def test_a_part(self):
        source = self.write(frames=moving(60), sound=True)
        eq_(self.colour(source, film={'start': Fraction(1), 'duration':
                                      Fraction(1, 2)}), 13)
        times, sound = contents(self.out)
        eq_(times, [Fraction(number, 25) for number in range(13)])
        expected = [(time - 1, content) for _, time, content in
                    contents(source)[1] if 1 <= time < Fraction(3, 2)]
        eq_([content for _, _, content in sound],
            [content for _, content in expected])
        assert_less(max(abs(float(time - other)) for (_, time, _), (other, _)
                        in zip(sound, expected)), 1e-3)
        assert_less(np.abs(luminance(frames_of(self.out)[0]) -
                           luminance(frames_of(source)[25])).mean(), 2)
        check_error(lambda: self.colour(source, overwrite=True, film={
            'start': Fraction(10)}), 'no frames', 'second 10')

    def test_a_part_of_what_does_not_begin_at_0(self):
        source = self.write('in.ts', frames=moving(60), sound=True,
                            codec='mpeg2video', time_base=Fraction(1, 25),
                            times=range(35, 95))
        begin = Clip(source)
        assert_greater(begin.start * begin.time_base, 1)
        with parts_of(24):
            eq_(self.colour(source, film={'start': Fraction(1), 'crf': 1}),
                35)
        out = self.folder / 'out.mkv'
        self.colour(source, out, {'start': Fraction(1)})
        for path in self.out, out:
            times, sound = contents(path)
            assert_less(max(abs(time - Fraction(number, 25)) for number, time
                            in enumerate(times)), 1e-3)
            ok_(0 <= sound[0][1] < .2, sound[0][1])
        assert_less(np.abs(luminance(frames_of(self.out)[0]) -
                           luminance(frames_of(source)[25])).mean(), 2)

    def test_interrupted_and_resumed(self):
        source = self.write(frames=moving(60) + moving(100, scene=1),
                            sound=True)
        whole = self.folder / 'whole.mp4'
        with parts_of(48):
            self.colour(source, whole)
            done = []
            for _ in range(5):
                try:
                    self.colour(source, load=stopping(80), resume=True)
                    break
                except Interruption:
                    ok_(not self.out.exists())
                    done.append(len(list(folder_of(self.out).glob('*.nut'))))
        eq_(done, [2, 3])
        eq_(contents(self.out), contents(whole))
        assert_array_equal(frames_of(self.out), frames_of(whole))
        ok_(not folder_of(self.out).exists())

    def test_a_scene_is_kept_before_the_next_is_coloured(self):
        source = self.write(frames=moving(30) + moving(60, scene=1))
        kept = []

        class Watching(FilmColorizer):
            def blocks(self, *arguments):
                for block in super().blocks(*arguments):
                    kept.append((len(block.frames), there()))
                    yield block

        def there():
            return (self.folder / 'out.mp4.parts' / 'state.npz').exists()
        self.colour(source, load=lambda: Watching(
            StandIn(), clips.configuration()))
        # There, when the first block of the second scene is.
        eq_(kept, [(24, False), (6, False), (24, True), (24, True),
                   (12, True)])

    def test_frames_in_memory(self):
        source = self.write('in.mkv', frames=moving(1) * 200)
        for every in 1, 4, 100:
            for work in (
                    lambda: self.colour(source, overwrite=True, load=lambda: (
                        colorizer(every=every))),
                    lambda: colour_stream(
                        lambda: colorizer(every=every), source, io.BytesIO(),
                        choose_format('mkv'), progress=False)):
                # What waits, a batch, and what is being read and written.
                most = most_at_once(work)
                assert_greater(most, BLOCK + AHEAD)
                assert_less(most, BLOCK + AHEAD + (
                    4 if every == 1 else BLOCK) + 8)

    def test_other_settings_are_not_mixed(self):
        source = self.write(frames=moving(100))
        with parts_of(24):
            with assert_raises(Interruption):
                self.colour(source, load=stopping(80))
            check_error(lambda: self.colour(source), 'finished parts',
                        '--resume', '--overwrite')
            check_error(lambda: self.colour(source, film={'crf': 30},
                                            resume=True),
                        'another crf: 18, now 30', '--overwrite')
            check_error(lambda: self.colour(source, resume=True, load=lambda: (
                colorizer(overrides=['refinement.variation_weight=.5']))),
                        'another refinement.variation_weight', '0.5')
            with mock.patch('colornet.video.converting.__version__', '9.9'):
                check_error(lambda: self.colour(source, resume=True),
                            'another version', 'now 9.9')
            eq_(self.colour(source, film={'crf': 30}, overwrite=True), 100)

    def test_what_is_there(self):
        source = self.write()
        self.out.write_text('mine')
        check_error(lambda: self.colour(source), 'is there', '--overwrite')
        eq_(self.out.read_text(), 'mine')
        self.colour(source, overwrite=True)
        eq_(len(frames_of(self.out)), clips.COUNT)

    def test_refused(self):
        source = self.write()
        check_error(lambda: self.colour(source, source), 'its source')
        check_error(lambda: self.colour(source, self.folder / 'out.txt'),
                    'mp4', "'txt'")
        check_error(lambda: self.colour(source, self.folder / 'out'), 'mp4')
        check_error(lambda: self.colour(
            source, source / 'out.mp4'), 'no folder')
        sound = self.write('sound.mp4', sound=True)
        check_error(lambda: self.colour(sound, self.folder / 'out.webm'),
                    'sound and subtitles', 'webm')
        deep = self.write('deep.mp4', pixel_format='yuv420p10le')
        check_error(lambda: self.colour(deep, self.folder / 'out.webm'),
                    '8 bits', 'webm')
        eq_(sorted(os.listdir(str(self.folder))),
            ['deep.mp4', 'in.mp4', 'sound.mp4'])

    def test_webm(self):
        out = self.folder / 'out.webm'
        source = self.write('in.mkv')
        self.colour(source, out)
        eq_(contents(out)[0], contents(source)[0])
        eq_(Clip(out).stream.codec_context.name, 'vp9')

    def test_streams(self):
        source = self.write('in.mkv', sound=True)
        whole = self.folder / 'whole.mkv'
        self.colour(source, whole)
        for name in 'mkv', 'mp4':
            sink = io.BytesIO()
            count = colour_stream(
                colorizer, io.BytesIO(source.read_bytes()), sink,
                choose_format(name, streamed=True), progress=False)
            eq_(count, clips.COUNT)
            out = self.folder / ('piped.' + name)
            out.write_bytes(sink.getvalue())
            eq_(len(contents(out)[0]), clips.COUNT)
            if name == 'mkv':
                eq_(contents(out), contents(whole))
        with open_target(self.out) as path:
            colour_stream(colorizer, io.BytesIO(source.read_bytes()), path,
                          choose_format('mp4'), progress=False)
        eq_(contents(self.out)[0], contents(source)[0])
        check_error(lambda: open_target(self.out).__enter__(), 'is there')

    def test_a_stream_that_nobody_reads(self):
        source = self.write('in.mkv')
        sink = mock.Mock(spec=['write'], write=mock.Mock(
            side_effect=BrokenPipeError))
        with assert_raises(BrokenPipeError):
            colour_stream(colorizer, source, sink,
                          choose_format('mkv', streamed=True), progress=False)

    def test_borders_are_looked_for_in_the_whole_clip(self):
        dark = [pixels // 40 for pixels in moving(10)]
        frames = [np.pad(pixels, ((16, 16), (0, 0), (0, 0)))
                  for pixels in dark + moving(30)]
        source = self.write(frames=frames)
        self.colour(source)
        saturation = np.ptp(np.array(frames_of(self.out), int), axis=-1)
        assert_less(saturation[:, :14].max(), 6)
        assert_greater(saturation[15:, 20:-20].mean(), 10)


def test_choose_format():
    eq_(choose_format('MP4').name, 'mp4')
    eq_(choose_format('mkv', streamed=True), choose_format('mkv'))
    ok_('empty_moov' in choose_format('mov', streamed=True).options[0][1])
    check_error(lambda: choose_format('avi'), 'mkv', 'avi')
