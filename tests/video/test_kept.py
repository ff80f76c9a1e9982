"""What is beside the pictures stays as it is, bit for bit."""

import os
import shutil
import subprocess
from fractions import Fraction
from unittest import SkipTest

from nose.tools import assert_less, eq_, ok_

from colornet.video.converting import colour_file
from colornet.video.film import FilmOptions
from tests.video import clips
from tests.video.clips import COUNT, colorizer, contents

#: Codecs of sound -> rate and samples.
SOUNDS = {'aac': (8000, 'fltp'), 'libmp3lame': (16000, 'fltp'),
          'flac': (8000, 's16'), 'pcm_s16le': (8000, 's16'),
          'libopus': (48000, 'flt'), 'mp2': (16000, 's16'),
          'libvorbis': (16000, 'fltp')}

#: Subtitles, as files have them.
LINES = ('1\n00:00:00,100 --> 00:00:00,200\nOne\n\n'
         '2\n00:00:00,300 --> 00:00:00,400\n<i>Two</i>\nlines\n')
TEXTS = {
    'srt': LINES, 'vtt': 'WEBVTT\n\n' + LINES.replace(',', '.'),
    'ass': '[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, '
    'Fontname\nStyle: Default,Arial\n\n[Events]\nFormat: Layer, Start, End, '
    'Style, Text\nDialogue: 0,0:00:00.10,0:00:00.20,Default,One\n'
    'Dialogue: 0,0:00:00.30,0:00:00.40,Default,{\\i1}Two\n'}

#: Timestamps of MPEG and AVI.
FRAMES = Fraction(1, 25)


class TestKept(clips.InFolder):

    def setUp(self):
        super().setUp()
        self.out = self.folder / 'out'
        self.out.mkdir()

    def make(self, name, sounds, texts=(), **options):
        """A file of pictures, sounds and subtitles."""
        options.setdefault('options', {'bf': '0'})  # Each has a time.
        sources = [self.write('pictures.mkv', **options)]
        for number, codec in enumerate(sounds):
            sources.append(self.folder / ('sound%d.mkv' % number))
            with self.av.open(str(sources[-1]), 'w') as container:
                beside = clips.Sound(container, codec, *SOUNDS[codec])
                beside.write_until(.48 - .1 * number)
                beside.finish()
        for kind in texts:
            sources.append(self.folder / ('text.' + kind))
            sources[-1].write_text(TEXTS[kind])
        path = self.folder / name
        with self.av.open(str(path), 'w') as target:
            packets = []
            for number, source in enumerate(map(str, sources)):
                container = self.av.open(source)
                stream = container.streams[0]
                copy = (target.add_stream_from_template(stream) if hasattr(
                    target, 'add_stream_from_template') else
                    target.add_stream(template=stream))
                copy.metadata['language'] = 'fra deu ita spa por'.split()[
                    number % 5]
                for packet in container.demux(stream):
                    if packet.size:
                        packet.stream = copy
                        packets.append(packet)
            for packet in sorted(packets, key=lambda packet: (
                    packet.dts * packet.time_base)):
                target.mux(packet)
        for source in sources:
            source.unlink()
        return path

    def check(self, source, suffix, step=0.):
        """Colour it; times may differ by what the result cannot say.

        Of Matroska, all by the same: nothing is before its zero.
        """
        target = self.out / ('out' + suffix)
        eq_(colour_file(colorizer, source, target, FilmOptions(),
                        overwrite=True, progress=False), COUNT)
        ok_(target.name in os.listdir(str(self.out)))
        (times, copied), (got_times, got) = contents(source), contents(target)
        shift = got_times[0] - times[0]
        ok_(shift <= step or suffix == '.mkv')
        self.alike([time + shift for time in times], got_times, step)
        order = sorted({stream for stream, _, _ in copied})
        eq_(sorted({stream for stream, _, _ in got}), order)
        for stream in order:
            before, after = [[item[1:] for item in items if item[0] == stream]
                             for items in (copied, got)]
            eq_([content for _, content in after],
                [content for _, content in before])
            self.alike([time + shift for time, _ in before],
                       [time for time, _ in after], step)
        return target

    def alike(self, times, others, step):
        eq_(len(times), len(others))
        assert_less(max(abs(float(time - other)) for time, other in
                        zip(times, others)), step + 1e-9)

    def streams(self, path):
        with self.av.open(str(path)) as container:
            return [(stream.type, stream.metadata.get('language'))
                    for stream in container.streams]

    def test_matroska(self):
        source = self.make('in.mkv', ['aac', 'libmp3lame', 'flac'],
                           ['srt', 'ass', 'vtt'])
        target = self.check(source, '.mkv')
        eq_(self.streams(target)[1:], self.streams(source)[1:])
        eq_([kind for kind, _ in self.streams(target)],
            ['video'] + 3 * ['audio'] + 3 * ['subtitle'])

    def test_mp4_and_mov(self):
        self.check(self.make('in.mp4', ['aac', 'libmp3lame']), '.mp4')
        source = self.make('in.mov', ['pcm_s16le', 'aac'])
        target = self.check(source, '.mov')
        eq_(self.streams(target)[1:], self.streams(source)[1:])
        self.check(source, '.mkv', step=1e-3)

    def test_webm(self):
        source = self.make('in.webm', ['libopus', 'libvorbis'], ['vtt'],
                           codec='libvpx-vp9', options={'cpu-used': '8'})
        for suffix in '.webm', '.mkv':
            self.check(source, suffix)

    def test_nut(self):
        source = self.make('in.nut', ['aac', 'mp2'])
        # Where pictures count by the same clock.
        self.check(source, '.mkv', step=1e-3)
        self.check(source, '.mp4', step=1e-4)

    def test_avi(self):
        source = self.make('in.avi', ['libmp3lame'], codec='mpeg4',
                           time_base=FRAMES)
        self.check(source, '.mkv', step=1e-3)

    def test_mpeg(self):
        for name in 'in.ts', 'in.mpg':
            source = self.make(name, ['mp2', 'mp2'], codec='mpeg2video',
                               time_base=FRAMES, options={'bf': '2'})
            for suffix in '.mkv', '.mp4':
                self.check(source, suffix, step=1e-3)

    def test_subtitles_of_mp4(self):
        if not shutil.which('ffmpeg'):
            raise SkipTest('needs ffmpeg')
        source = self.make('in.mkv', ['aac'], ['srt'])
        for codec, suffix in ('mov_text', '.mp4'), ('mov_text', '.mov'), (
                'ass', '.mkv'):
            made = self.folder / ('made' + suffix)
            subprocess.run(['ffmpeg', '-v', 'error', '-i', str(source),
                            '-map', '0', '-c', 'copy', '-c:s', codec,
                            str(made)], check=True)
            self.check(made, suffix)

    def test_a_part_is_resumed(self):
        """With sound that is cut at both its ends."""
        source = self.write(frames=clips.moving(120), sound=True)
        film = FilmOptions(start=Fraction(1), duration=Fraction(3))
        results = []
        for name, resume in ('whole', False), ('resumed', True):
            target = self.out / (name + '.mp4')
            if resume:
                network = clips.StandIn()

                def stopped(luminances):
                    if network.seen > 60:
                        raise KeyboardInterrupt
                    return network(luminances)
                try:
                    self.colour(source, target, film, stopped)
                except KeyboardInterrupt:
                    eq_(sorted(os.listdir(str(self.out))),
                        ['resumed.mp4.parts', 'whole.mp4'])
            eq_(self.colour(source, target, film, resume=resume), 75)
            results.append(contents(target))
        eq_(*results)
        eq_(results[0][0], [Fraction(number, 25) for number in range(75)])

    def colour(self, source, target, film, network=None, **options):
        from unittest import mock
        with mock.patch('colornet.video.converting.PART', 24):
            return colour_file(lambda: colorizer(network), source, target,
                               film, progress=False, **options)
