"""What ``colornet colorize`` takes, writes and prints."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
from nose.tools import assert_in, eq_, ok_
from numpy.testing import assert_array_equal
from PIL import Image

from colornet.flow.pictures import split_pictures
from colornet.photos.colorizer import Colorizer
from tests import tiny
from tests.cli.commands import check_is_refused, run


def test_nothing_could_be_coloured():
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / 'broken.jpg'
        source.write_text('no photo')
        colorizer = Colorizer(lambda luminance: np.zeros(
            luminance.shape + (2,), np.float32), 8)
        with mock.patch('colornet.api.load_colorizer',
                        lambda *arguments: colorizer):
            status, out, err = run('colorize', source, '--out',
                                   Path(folder) / 'out')
    eq_(status, 2)
    assert_in('broken.jpg', err)
    assert_in('1 failed', out)


#: Runs the command line with a network that leaves photos grey.
GREY = '''
import signal, sys
from unittest import mock
import numpy as np
from colornet import cli
# Shells ignore it for what they start in the background, as tests may be.
signal.signal(signal.SIGINT, signal.default_int_handler)
from colornet.photos.colorizer import Colorizer
colorizer = Colorizer(lambda luminance: np.zeros(
    luminance.shape + (2,), np.float32), 8)
with mock.patch('colornet.api.load_colorizer',
                lambda *arguments: colorizer):
    sys.exit(cli.main(sys.argv[1:]))
'''


class TestColorize:
    """With a stand-in for the network."""

    def setup(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.chroma = lambda luminance: np.zeros(luminance.shape + (2,),
                                                 np.float32)
        self.photo = Image.open(
            str(sorted(tiny.PHOTOS.glob('*.jpg'))[0])).convert('L')

    setup_method = setup

    def teardown(self):
        self.temporary.cleanup()

    teardown_method = teardown

    def colorize(self, *names):
        with mock.patch('colornet.api.load_colorizer',
                        lambda *arguments: Colorizer(self.chroma, 8)):
            return run('colorize', *[name if name.startswith('-') else
                                     self.folder / name for name in names],
                       '--out', self.folder / 'out', '--batch-size=1')

    def start(self, *arguments, content=b'', **options):
        """The same as a process: status, what it printed, errors."""
        done = subprocess.run(
            [sys.executable, '-c', GREY, 'colorize',
             *map(str, arguments)], cwd=str(tiny.ROOT), input=content,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        return done.returncode, done.stdout, done.stderr.decode()

    def encoded(self, image=None, format='PNG'):
        stream = io.BytesIO()
        (image or self.photo).save(stream, format)
        return stream.getvalue()

    def test_an_interruption_names_the_failures_so_far(self):
        (self.folder / 'broken.jpg').write_text('no photo')
        for name in 'a.jpg', 'b.jpg':
            self.photo.save(str(self.folder / name))
        self.chroma = mock.Mock(side_effect=[self.chroma(np.zeros((1, 8, 8))),
                                             KeyboardInterrupt])
        status, out, err = self.colorize('broken.jpg', 'a.jpg', 'b.jpg')
        eq_(status, 130)
        assert_in('broken.jpg', err)
        assert_in('interrupted', err)
        assert_in('1 coloured', out)

    def test_hints(self):
        Image.new('L', (60, 40), 128).save(str(self.folder / 'a.png'))
        status, _, _ = self.colorize('--hints=9,20=#b56a6a', 'a.png',
                                     '--hints=50,20=grey')
        eq_(status, 0)
        pixels = np.asarray(Image.open(str(self.folder / 'out' / 'a.png')),
                            int)
        ok_(abs(pixels[20, 9] - (0xb5, 0x6a, 0x6a)).max() < 9, pixels[20, 9])
        ok_(np.ptp(pixels[20, 50]) < 9, pixels[20, 50])

    def test_hints_that_cannot_be(self):
        for name in 'a.png', 'b.png':
            self.photo.save(str(self.folder / name))
        for sources, hint, words in (
                (['a.png', 'b.png'], '9,9=red', '--hints is for one photo'),
                ([''], '9,9=red', '--hints is for one photo'),
                (['a.png'], '9;9=red', 'X,Y=#RRGGBB'),
                (['a.png'], '9,9=reddish', "'reddish'"),
                (['a.png'], '9999,9=red', 'outside the picture')):
            status, _, err = self.colorize('--hints=' + hint, *sources)
            eq_(status, 2, err)
            assert_in(words, err)
            eq_(len(err.splitlines()), 1)
        ok_(not list(self.folder.glob('out/*')))
        status, _, err = self.start(
            '-', '--hints=9,9=red', content=self.encoded() * 2)
        eq_(status, 2)
        assert_in('one photo', err)

    def test_animations_are_noted(self):
        for name in 'a.gif', 'b.gif', 'c.gif':
            self.photo.save(str(self.folder / name), save_all=name != 'c.gif',
                            append_images=[self.photo.rotate(180)])
        status, out, err = self.colorize('a.gif', 'b.gif', 'c.gif')
        eq_(status, 0)
        line, = err.splitlines()
        assert_in('only the first picture is coloured', line)
        assert_in('a.gif, 1 more', line)

    def test_names_that_the_terminal_cannot_show(self):
        for name in (b'caf\xe9.jpg', 'é.txt'.encode()):
            with open(os.path.join(os.fsencode(self.folder), name),
                      'wb') as stream:
                self.photo.save(stream, 'JPEG')
        out = os.fsdecode(os.path.join(os.fsencode(self.folder), b'\xe9out'))
        done = subprocess.run(
            [sys.executable, '-c', GREY, 'colorize', str(self.folder),
             '--out', out], cwd=str(tiny.ROOT), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(os.environ, PYTHONIOENCODING='ascii'))
        eq_(done.returncode, 0, done.stderr)
        assert_in(b'1 coloured in ', done.stdout)
        eq_(os.listdir(os.fsencode(out)), [b'caf\xe9.jpg'])

    def test_names_with_control_characters(self):
        for name in 'a\x1b[2J.jpg', 'b\n.jpg':
            (self.folder / name).write_text('no photo')
        status, out, err = self.colorize('a\x1b[2J.jpg', 'b\n.jpg')
        eq_((status, len(out.splitlines())), (2, 1))
        eq_([line.partition(': not an image')[0].rpartition('/')[2]
             for line in err.splitlines()], ['a\\x1b[2J.jpg', 'b\\n.jpg'])
        status, out, err = run('colorize', self.folder / 'none\x1b')
        eq_(err, 'colornet: error: %s/none\\x1b does not exist\n'
            % self.folder)

    def test_closed_streams(self):
        self.photo.save(str(self.folder / 'a.jpg'))
        for closed in '2>&-', '>&-', '<&- >&- 2>&-':
            out = self.folder / 'out'
            done = subprocess.run(
                ['sh', '-c', 'exec "$@" ' + closed, 'sh', sys.executable, '-c',
                 GREY, 'colorize', str(self.folder / 'a.jpg'), '--out',
                 str(out)], cwd=str(tiny.ROOT), stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, universal_newlines=True)
            eq_(done.returncode, 0, done.stderr)
            eq_(done.stderr, '')
            assert_in(done.stdout, ('', '1 coloured in %s, 0 failed\n' % out))
            (out / 'a.jpg').unlink()

    def test_from_the_standard_input_to_the_standard_output(self):
        content = self.encoded()
        status, out, err = self.start('-', content=content)
        eq_((status, err), (0, ''))
        assert_array_equal(Image.open(io.BytesIO(out)).convert('L'),
                           self.photo)
        path = self.folder / 'a.png'
        path.write_bytes(2 * content)
        status, twice, err = self.start(path, '-o', '-')
        eq_((status, err), (0, ''))
        eq_(list(split_pictures(io.BytesIO(twice))), [out, out])

    def colorize_to(self, source, *arguments, content=b''):
        """To a file, in this process; with the standard input."""
        with mock.patch('colornet.api.load_colorizer',
                        lambda *arguments: Colorizer(self.chroma, 8)), \
                mock.patch('sys.stdin', io.TextIOWrapper(io.BytesIO(
                    content))):
            return run('colorize', source, *arguments)

    def test_from_and_to_files(self):
        path, target = self.folder / 'a.png', self.folder / 'b.bmp'
        path.write_bytes(self.encoded())
        eq_(self.colorize_to(path, '-o', target), (
            0, '1 coloured in %s, 0 failed\n' % target, ''))
        out = target.read_bytes()
        assert_array_equal(Image.open(target).convert('L'), self.photo)
        target.unlink()
        eq_(self.colorize_to('-', '-o', target, '--json', '-q',
                             content=path.read_bytes()),
            (0, json.dumps({'source': '-', 'status': 'written',
                            'output': str(target)}) + '\n', ''))
        eq_(target.read_bytes(), out)
        # A file is not replaced unless that is said.
        for source in path, '-':
            status, printed, err = self.colorize_to(
                source, '-o', target, content=path.read_bytes())
            eq_((status, printed), (2, ''))
            assert_in('--overwrite', err)
            eq_(self.colorize_to(source, '-o', target, '--overwrite', '-q',
                                 content=path.read_bytes()), (0, '', ''))
        target.write_bytes(b'kept')
        status, _, err = self.colorize_to('-', '-o', target,
                                          '--skip-existing')
        eq_((status, err, target.read_bytes()), (
            0, 'colornet: note: %s is there and left\n' % target, b'kept'))
        status, printed, err = self.colorize_to(path, '-o', path,
                                                '--overwrite')
        eq_(status, 2)
        assert_in('would replace its source', err)

    def test_formats_that_have_two_names(self):
        for format, name in ('jpg', 'a.jpeg'), ('TIFF', 'a.tif'):
            eq_(self.colorize_to('-', '-o', self.folder / name, '-q',
                                 '--format', format, content=self.encoded()),
                (0, '', ''))
            Image.open(self.folder / name).verify()

    def test_what_the_standard_input_cannot_be(self):
        target = self.folder / 'a.png'
        for content, words in ((b'', 'empty'), (b'text', 'not an image'),
                               (self.encoded()[:99], 'truncated')):
            status, out, err = self.colorize_to('-', '-q', '-o', target,
                                                content=content)
            eq_((status, out), (2, ''))
            assert_in(words, err)
            eq_(len(err.splitlines()), 1)
            ok_(not target.exists())

    def test_whoever_reads_has_gone(self):
        reader, writer = os.pipe()
        os.close(reader)
        with open(writer, 'wb') as stream:
            done = subprocess.run(
                [sys.executable, '-c', GREY, 'colorize', '-'],
                cwd=str(tiny.ROOT), input=self.encoded(), stdout=stream,
                stderr=subprocess.PIPE)
        eq_((done.returncode, done.stderr), (141, b''))

    def test_watching_until_it_is_interrupted(self):
        (self.folder / 'a.png').write_bytes(self.encoded())
        out = self.folder / 'out'
        process = subprocess.Popen(
            [sys.executable, '-c', GREY, 'colorize', str(self.folder), '-o',
             str(out), '--watch'], cwd=str(tiny.ROOT), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, universal_newlines=True)
        eq_(process.stdout.readline(), 'written: %s\n' % (out / 'a.png'))
        process.send_signal(signal.SIGINT)
        eq_(process.communicate(timeout=60),
            ('', 'colornet: interrupted\n'))
        eq_(process.returncode, 130)

    def test_watching_tells_what_it_does_not_do(self):
        self.photo.save(self.folder / 'a.gif', save_all=True,
                        append_images=[self.photo.rotate(180)])
        for name in 'b.png', 'c.png':
            (self.folder / name).write_bytes(self.encoded(Image.open(
                str(sorted(tiny.PHOTOS.glob('*.jpg'))[0]))))
        for name in 'd.mov', 'e.mov':
            (self.folder / name).write_text('film')
        looks = []

        def sleep(seconds):
            looks.append(seconds)
            if len(looks) > 6:
                raise KeyboardInterrupt
        with mock.patch('time.sleep', sleep):
            status, out, err = self.colorize('', '--watch')
        eq_((status, out.count('in colour: '), out.count('written: ')),
            (130, 2, 1))
        for words in ('only the first picture', 'have colours',
                      'no photos: .mov'):
            eq_(err.count(words), 1, err)

    def test_a_line_of_json_for_each_photo(self):
        for name in 'a.png', 'c.png':
            (self.folder / name).write_bytes(self.encoded())
        (self.folder / 'b.jpg').write_text('no photo')
        (self.folder / 'd.png').write_bytes(self.encoded(
            Image.open(str(sorted(tiny.PHOTOS.glob('*.jpg'))[0]))))
        (self.folder / 'e.mov').write_text('film')
        out = self.folder / 'out'
        status, lines, err = self.colorize_to(self.folder, '-o', out,
                                              '--json')
        eq_(status, 1)
        entries = {Path(entry.pop('source')).name: entry for entry in
                   map(json.loads, lines.splitlines())}
        eq_(entries, {
            'a.png': {'status': 'written', 'output': str(out / 'a.png')},
            'b.jpg': {'status': 'failed', 'reason': entries['b.jpg'][
                'reason']},
            'c.png': {'status': 'written', 'output': str(out / 'c.png')},
            'd.png': {'status': 'in colour'}})
        assert_in('not an image', entries['b.jpg']['reason'])
        for words in ('b.jpg: not an image', '2 coloured in', '1 .mov',
                      '--colour keep, blend or replace): %s'
                      % (self.folder / 'd.png')):
            assert_in(words, err)
        status, lines, err = self.colorize_to(self.folder, '-o', out,
                                              '--quiet')
        eq_((status, lines, len(err.splitlines())), (1, '', 1))

    def test_what_is_there_is_left(self):
        path, out = self.folder / 'a.png', self.folder / 'out'
        path.write_bytes(self.encoded())
        run_it = self.colorize
        eq_(run_it('a.png')[0], 0)
        (out / 'a.png').write_bytes(b'kept')
        status, printed, err = run_it('a.png')
        eq_(status, 0)
        assert_in('0 coloured', printed)
        assert_in('1 already there', printed)
        assert_in('--overwrite', err)
        eq_((out / 'a.png').read_bytes(), b'kept')
        eq_(run_it('a.png', '--skip-existing')[2], '')
        eq_((out / 'a.png').read_bytes(), b'kept')
        assert_in('1 coloured', run_it('a.png', '--overwrite')[1])
        eq_(Image.open(out / 'a.png').mode, 'RGB')

    def test_photos_that_have_colours(self):
        colour = Image.open(str(sorted(tiny.PHOTOS.glob('*.jpg'))[0]))
        path, out = self.folder / 'a.jpg', self.folder / 'out' / 'a.jpg'
        colour.save(path)
        status, printed, err = self.colorize('a.jpg')
        eq_(status, 2)
        assert_in('0 coloured', printed)
        assert_in('--colour', err)
        ok_(not out.exists())
        results = {}
        for choice in 'keep', 'blend', 'replace':
            eq_(self.colorize('a.jpg', '--overwrite',
                              '--colour=' + choice)[0], 0)
            results[choice] = out.read_bytes()
        eq_(results['keep'], path.read_bytes())
        spread = {name: np.ptp(np.array(Image.open(io.BytesIO(content)),
                                        int), axis=-1).mean()
                  for name, content in results.items()}
        ok_(spread['replace'] < 2, spread)
        ok_(0.3 < spread['blend'] / spread['keep'] < 0.7, spread)

    def test_larger_ones_may_be_refused(self):
        self.photo.resize((50, 41)).save(self.folder / 'a.png')
        limit = Image.MAX_IMAGE_PIXELS
        try:
            status, out, err = self.colorize('a.png', '--max-pixels=2049')
            eq_(status, 2)
            assert_in('more than 2049 pixels', err)
            eq_(self.colorize('a.png', '--max-pixels=2050')[0], 0)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def test_what_contradicts_itself():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'a.jpg')
        path.write_bytes(b'')
        for words, arguments in (
                ('only IN', ['-', path]),
                ('would both print', ['-', '--json']),
                ('need a folder', [path, path, '-o', 'b.jpg']),
                ('need a folder', [folder, '-o', '-']),
                ('no name of a photo', ['-', '-o', folder]),
                ('--watch is for', [path, '--watch', '-o', 'b.jpg']),
                ('contradict', [path, '-o', 'b.jpg', '--format', 'png']),
                ('unknown suffix', [path, '--format', 'gif']),
                ('quality must', [path, '--quality', '101']),
                ('not allowed with', [path, '--overwrite',
                                      '--skip-existing'])):
            check_is_refused(words, 'colorize', *arguments)


def test_all_options_are_documented():
    page = (tiny.ROOT / 'docs' / 'colorize.rst').read_text()
    status, out, err = run('colorize', '--help')
    options = set(re.findall(r'--[a-z][a-z-]+', out)) - {'--help'}
    ok_(len(options) > 18, options)
    eq_({option for option in options if option not in page}, set())


def test_missing_photo():
    check_is_refused('/no/such.jpg', 'colorize', '/no/such.jpg')


def test_missing_network():
    check_is_refused('/no/such.h5', 'colorize', tiny.PHOTOS, '--network',
                     '/no/such.h5')


def test_a_pipe_is_no_network():
    with tempfile.TemporaryDirectory() as folder:
        pipe = os.path.join(folder, 'pipe')
        os.mkfifo(pipe)
        check_is_refused('not a regular file', 'colorize', tiny.PHOTOS,
                         '--network', pipe)
        check_is_refused('not a regular file', 'colorize', tiny.PHOTOS,
                         '--vgg', pipe)


def test_batch_size():
    for text in ('0', '-1', 'many'):
        check_is_refused('positive', 'colorize', tiny.PHOTOS,
                         '--batch-size=' + text)
