"""What is beside pictures, sound and subtitles: copied, or named."""

import re
import shutil
import subprocess
import sys
import threading
import time
from unittest import SkipTest, mock

from nose.tools import assert_in, assert_not_in, eq_

from colornet.video import beside
from colornet.video.converting import colour_file, colour_stream
from colornet.video.reading import Clip
from colornet.video.writing import choose_format
from tests import tiny
from tests.video import clips
from tests.video.clips import colorizer

CHAPTERS = ';FFMETADATA1\n' + ''.join(
    '[CHAPTER]\nTIMEBASE=1/1000\nSTART=%d\nEND=%d\ntitle=%s\n' % chapter
    for chapter in [(0, 200, 'Chapter #0:0: start 0'), (200, 480, 'Two')])


def colour(source, target):
    colour_file(colorizer, source, target)


class TestBeside(clips.InFolder):

    def made(self, name, *options):
        """A clip that FFmpeg has added something to."""
        if not shutil.which('ffmpeg'):
            raise SkipTest('needs ffmpeg')
        plain = self.write('plain.mkv', sound=True)
        (self.folder / 'chapters.txt').write_text(CHAPTERS)
        (self.folder / 'font.ttf').write_bytes(b'a font' * 20)
        subprocess.run(['ffmpeg', '-v', 'error', '-i', str(plain)] +
                       list(options) + ['-c', 'copy', name],
                       cwd=str(self.folder), check=True)
        return self.folder / name

    def told(self, source, **options):
        with tiny.noted() as err:
            colour_file(colorizer, source, self.folder / 'out.mkv',
                        overwrite=True, **options)
        return err.getvalue()

    def test_what_is_left_out_is_named(self):
        source = self.made(
            'in.mkv', '-i', 'chapters.txt', '-map', '0', '-map_metadata', '1',
            '-attach', 'font.ttf', '-metadata:s:t', 'mimetype=font/ttf')
        words = '2 chapters, 1 attachment'
        eq_(Clip(source).left_out, words)
        line = 'colornet: note: left out of %s: %s\n' % (source, words)
        assert_in(line, self.told(source))
        with mock.patch('colornet.video.converting.note') as note:
            colour_file(colorizer, source, self.folder / 'quiet.mkv',
                        progress=False)
        eq_(note.call_count, 0)
        with tiny.noted() as err:
            colour_stream(colorizer, source, self.folder / 'piped.mkv',
                          choose_format('mkv'), name=str(source))
        assert_in(line, err.getvalue())

    def test_films_are_looked_at_by_several_threads(self):
        path, found = self.write(sound=True), []

        class Slow:
            """A film of which others look at another meanwhile."""

            def __init__(self, container):
                self.container = container

            def dumps_format(self):
                time.sleep(.01)
                return self.container.dumps_format()

        def look():
            for _ in range(10):
                with self.av.open(str(path)) as container:
                    found.append(beside._count_chapters(Slow(container)))
        # There is one of those in each, also without a tool for chapters.
        with mock.patch.object(beside, '_CHAPTER', re.compile(
                'Stream #0.*Video')):
            threads = [threading.Thread(target=look) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        eq_(found, [1] * 30)

    def test_later_errors_are_not_printed_because_of_it(self):
        done = subprocess.run([sys.executable, '-c', (
            'import sys, av\n'
            'from colornet.video.reading import Clip\n'
            'Clip(sys.argv[1]).close()\n'
            # Of None, another thread may be about to make a comparison.
            'assert isinstance(av.logging.get_level(), int)\n'
            'for level in av.logging.ERROR, av.logging.FATAL:\n'
            '    av.logging.log(level, "a", "told")\n'
            '    av.logging.log(level, "a", "told again")\n'),
            str(self.write())], cwd=str(tiny.ROOT), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, universal_newlines=True)
        eq_((done.stdout, done.returncode), ('', 0))

    def test_meanwhile_errors_of_others_are_not_printed(self):
        done = subprocess.run([sys.executable, '-c', (
            'import sys, threading, av\n'
            'from colornet.video import beside\n'
            'class Looked:\n'
            '    def dumps_format(self):\n'
            '        other = threading.Thread(target=av.logging.log, args=(\n'
            '            av.logging.ERROR, "a", "of another film"))\n'
            '        other.start()\n'
            '        other.join()\n'
            '        return container.dumps_format()\n'
            'with av.open(sys.argv[1]) as container:\n'
            '    beside._count_chapters(Looked())\n'), str(self.write())],
            cwd=str(tiny.ROOT), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, universal_newlines=True)
        eq_((done.stdout, done.returncode), ('', 0))

    def test_who_wants_to_be_told_of_errors_still_is(self):
        log = self.av.logging
        log.set_level(log.ERROR)
        try:
            Clip(self.write()).close()
            eq_(log.get_level(), log.ERROR)
        finally:
            log.set_level(None)

    def test_data_and_covers(self):
        source = self.made('in.mov', '-timecode', '01:00:00:00', '-c:a',
                           'copy')
        eq_(Clip(source).left_out, '1 data stream')
        assert_in('1 data stream\n', self.told(source))
        source = self.made('in.mp4', '-i', str(sorted(
            tiny.PHOTOS.glob('*.jpg'))[0]), '-map', '0', '-map', '1',
            '-disposition:v:1', 'attached_pic')
        eq_(Clip(source).left_out, '1 cover')
        source = self.made('two.mkv', '-map', '0', '-map', '0:v')
        eq_(Clip(source).left_out, '1 further stream of pictures')

    def test_sound_of_an_unknown_kind(self):
        source = self.write(sound=True)
        content = source.read_bytes()
        # What says that it is AAC, in two ways.
        for word in b'mp4a', b'esds':
            eq_(content.count(word), 1)
            content = content.replace(word, b'????')
        source.write_bytes(content)
        # What crashes shall not end the tests.
        done = subprocess.run(
            [sys.executable, '-c', 'import sys; from tests.video import '
             'test_beside; test_beside.colour(*sys.argv[1:])', str(source),
             str(self.folder / 'out.mkv')], cwd=str(tiny.ROOT),
            stderr=subprocess.PIPE, universal_newlines=True)
        eq_(done.returncode, 0, done.stderr)
        assert_in('left out of %s: 1 unknown stream of sound\n' % source,
                  done.stderr)
        with self.av.open(str(self.folder / 'out.mkv')) as container:
            eq_([stream.type for stream in container.streams], ['video'])

    def test_transparency(self):
        source = self.write('in.mkv', codec='ffv1', pixel_format='bgra')
        eq_(Clip(source).left_out, 'transparency')
        assert_in('transparency\n', self.told(source))

    def test_transparency_of_webm(self):
        source = self.made('in.mkv', '-metadata:s:v', 'alpha_mode=1')
        eq_(Clip(source).left_out, 'transparency')

    def test_nothing_is_left_out(self):
        source = self.write('in.mkv', sound=True)
        eq_(Clip(source).left_out, '')
        assert_not_in('left out', self.told(source))

    def test_what_pictures_say_of_themselves(self):
        source = self.made('in.mkv', '-metadata:s:v', 'language=fra',
                           '-metadata:s:v', 'title=Director',
                           '-metadata:s:v', 'BPS=1')
        with open(str(source), 'rb') as stream, open(
                str(self.folder / 'piped.mkv'), 'wb') as sink:
            colour_stream(colorizer, stream, sink, choose_format('mkv'),
                          progress=False)
        for name in 'out.mkv', 'out.mov', 'piped.mkv':
            path = self.folder / name
            if name != 'piped.mkv':
                colour_file(colorizer, source, path, progress=False)
            said = Clip(path).stream.metadata
            eq_(said['language'], 'fra', name)
            assert_not_in('BPS', said)
            if path.suffix == '.mkv':  # FFmpeg has no place in others.
                eq_(said['title'], 'Director', name)
