"""What is no film, or half of one: refused in one line, nothing is left."""

import gc
import io
import os
import shutil
import subprocess
import sys
from unittest import SkipTest

from nose.tools import (assert_greater, assert_in, assert_less, assert_raises,
                        eq_, ok_)
from PIL import Image

from colornet.errors import ColornetError
from colornet.video.converting import colour_file, colour_stream
from colornet.video.reading import Clip
from colornet.video.writing import choose_format
from tests import tiny
from tests.cli.commands import check_is_refused
from tests.cli.test_video import start
from tests.video import clips
from tests.video.clips import COUNT, contents, frames_of


class TestRefused(clips.InFolder):

    def setUp(self):
        super().setUp()
        self.out = self.folder / 'out'
        self.out.mkdir()

    def refuses(self, words, source):
        check_is_refused(words, 'video', source, self.out / 'out.mp4')
        eq_(os.listdir(str(self.out)), [])

    def made(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def sound(self, name):
        with self.av.open(str(self.folder / name), 'w') as container:
            beside = clips.Sound(container, 'libmp3lame', 16000)
            beside.write_until(1)
            beside.finish()
        return self.folder / name

    def test_no_files(self):
        self.refuses('No such file', self.folder / 'none.mp4')
        self.refuses('directory', self.folder)
        self.refuses('it is empty', self.made('empty.mp4', b''))
        self.refuses('cannot read', self.made('text.mp4', b'words'))
        # FFmpeg has patterns and protocols for names.
        for name in 'http://localhost/a.mp4', 'file%02d.png', 'concat:a|b':
            self.refuses('No such file', name)

    def test_photos(self):
        photo = Image.open(sorted(tiny.PHOTOS.glob('*.jpg'))[0])
        for kind in 'JPEG', 'PNG', 'TIFF', 'WEBP', 'GIF', 'BMP':
            stream = io.BytesIO()
            photo.save(stream, kind)
            self.refuses('colornet colorize is for these', self.made(
                'photo.' + kind.lower(), stream.getvalue()))

    def test_several_pictures_are_a_film(self):
        frames = [Image.fromarray(pixels) for pixels in clips.moving(4)]
        stream = io.BytesIO()
        frames[0].save(stream, 'GIF', save_all=True, append_images=frames[1:],
                       duration=40)
        eq_(len(frames_of(self.made('film.gif', stream.getvalue()))), 4)
        stream = io.BytesIO()
        for frame in frames:
            frame.save(stream, 'PNG')
        eq_(len(frames_of(self.made('film.png', stream.getvalue()))), 4)

    def test_files_are_closed(self):
        source = self.write('in.mkv', sound=True)
        both = self.made('both.h264', b''.join(self.write(
            name, frames=clips.moving(shape=shape)).read_bytes()
            for name, shape in [('a.h264', (48, 64)), ('b.h264', (64, 80))]))
        turned = self.write('turned.mp4')
        clips.turn(turned, (1, 1, -1, 1))
        gc.collect()
        before = set(os.listdir('/proc/self/fd'))
        for path, suffix in (source, '.webm'), (both, '.mkv'), (
                turned, '.mkv'):
            errors = []  # Their frames hold what was open, if it still is.
            for colour in (lambda out: colour_file(
                    clips.colorizer, path, out, progress=False), lambda out:
                    colour_stream(clips.colorizer, path, str(out),
                                  choose_format(out.suffix[1:]),
                                  progress=False)):
                with assert_raises(ColornetError) as caught:
                    colour(self.out / ('out' + suffix))
                errors.append(caught.exception)
            eq_(set(os.listdir('/proc/self/fd')) - before, set())
            eq_(len(errors), 2)

    def test_sound(self):
        self.refuses('no pictures', self.sound('sound.mp3'))
        # A cover is none that moves.
        stream = io.BytesIO()
        Image.fromarray(clips.moving(1)[0]).save(stream, 'JPEG')
        cover = self.av.open(io.BytesIO(stream.getvalue()))
        plain = self.av.open(str(self.folder / 'sound.mp3'))
        path = self.folder / 'covered.mp3'
        with self.av.open(str(path), 'w') as container:
            if not hasattr(container, 'add_stream_from_template'):
                raise SkipTest('needs PyAV 14')
            streams = [container.add_stream_from_template(one.streams[0])
                       for one in (plain, cover)]
            streams[1].disposition = 1024  # attached_pic
            for one, stream in zip((plain, cover), streams):
                for packet in one.demux(one.streams[0]):
                    if packet.size:
                        packet.stream = stream
                        container.mux(packet)
        with self.av.open(str(path)) as container:
            eq_([stream.type for stream in container.streams],
                ['audio', 'video'])
        self.refuses('no pictures', path)

    def test_truncated(self):
        whole = self.write('in.mp4', frames=clips.moving(40)).read_bytes()
        self.refuses('cannot read', self.made('cut.mp4', whole[:-500]))
        self.refuses('cannot read', self.made('start.mp4', whole[:300]))
        whole = self.write('in.mkv', frames=clips.moving(40)).read_bytes()
        # What is there is coloured, where a file need not be whole.
        clip = Clip(self.made('cut.mkv', whole[:len(whole) // 2]))
        frames = [item for item in clip.items()]
        assert_greater(len(frames), 5)
        assert_less(len(frames), 40)

    def test_program_streams(self):
        # PyAV ends the process, if it is given options of streams.
        path = self.write('in.mpg', codec='mpeg2video', options={'bf': '0'},
                          time_base=1 / clips.Fraction(25))
        eq_(len(frames_of(path)), COUNT)


class TestPipeline(clips.InFolder):
    """Between two of FFmpeg's own programs."""

    def test_pipeline(self):
        if not shutil.which('ffmpeg'):
            raise SkipTest('needs ffmpeg')
        source = self.write('in.mkv', frames=clips.moving(30), sound=True)
        out = self.folder / 'out.mkv'
        first = subprocess.Popen(
            ['ffmpeg', '-v', 'error', '-i', str(source), '-c', 'copy', '-f',
             'matroska', '-'], stdout=subprocess.PIPE)
        ours = start(0, '-', '-', '-q', stdin=first.stdout)
        first.stdout.close()
        subprocess.run(['ffmpeg', '-v', 'error', '-i', '-', '-c', 'copy',
                        str(out)], stdin=ours.stdout, check=True)
        eq_((first.wait(), ours.wait(), ours.stderr.read()), (0, 0, b''))
        (times, sound), (got_times, got) = contents(source), contents(out)
        # FFmpeg lets nothing begin before 0.
        shift = got_times[0]
        eq_([time - shift for time in got_times], times)
        ok_([(time - shift, content) for _, time, content in got] ==
            [(time, content) for _, time, content in sound])

    def test_a_file_by_redirection(self):
        """One whose list of frames is at its end: it goes back."""
        source = self.write('in.mp4', sound=True)
        with open(str(source), 'rb') as file:
            content, err = start(0, '-', '-', '-q', '--format', 'mkv',
                                 stdin=file).communicate(timeout=300)
        eq_(err, b'')
        out = self.folder / 'out.mkv'
        out.write_bytes(content)
        eq_(len(contents(out)[0]), COUNT)
        assert_in(b'matroska', content[:64])

    def test_behind_what_is_there(self):
        """A result never goes over what a file has before it."""
        source = self.write('in.mkv')
        path = self.folder / 'appended'
        path.write_bytes(b'before')
        with open(str(path), 'ab') as file:
            process = subprocess.Popen(
                [sys.executable, '-c', 'from tests.cli.test_video import SLOW;'
                 'exec(SLOW)', '0', 'video', str(source), '-', '-q'],
                cwd=str(tiny.ROOT), stdout=file, stderr=subprocess.PIPE)
            err = process.communicate(timeout=300)[1]
        eq_((process.returncode, err), (0, b''))
        content = path.read_bytes()
        assert_in(b'matroska', content[6:70])
        eq_(content[:6], b'before')
