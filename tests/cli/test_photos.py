"""Commands about photos and the installation."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
from nose.tools import assert_in, eq_
from PIL import Image

import colornet
from colornet.engine.switches import without
from colornet.photos.colorizer import Colorizer
from colornet.resources import DEFAULT_NETWORK, find_resource
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
import sys
from unittest import mock
import numpy as np
from colornet import cli
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
        self.photo = Image.open(str(sorted(tiny.PHOTOS.glob('*.jpg'))[0]))

    setup_method = setup

    def teardown(self):
        self.temporary.cleanup()

    teardown_method = teardown

    def colorize(self, *names):
        with mock.patch('colornet.api.load_colorizer',
                        lambda *arguments: Colorizer(self.chroma, 8)):
            return run('colorize', *[self.folder / name for name in names],
                       '--out', self.folder / 'out', '--batch-size=1')

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


def test_info():
    tiny.need_theano()
    with without('winograd'):
        status, out, err = run('info')
    eq_((status, err), (0, ''))
    for words in colornet.__version__, 'Theano 1.0.5', 'winograd  off':
        assert_in(words, out)


def test_info_of_what_is_missing():
    with mock.patch.dict(sys.modules, theano=None, onnxruntime=None):
        status, out, err = run('info')
    eq_((status, err), (0, ''))
    for words in (colornet.__version__, 'Theano is missing',
                  'onnxruntime is missing', 'needs PyTorch, or Theano, which'):
        assert_in(words, out)


#: Runs a command as if Theano were not installed.
NO_THEANO = '''
import sys
sys.modules['theano'] = None
from colornet import cli
sys.exit(cli.main(sys.argv[1:]))
'''


def test_what_needs_theano_says_so():
    with tempfile.TemporaryDirectory() as folder:
        for command in (['figure', '2', '--out', 'a.png'],
                        ['export', find_resource(DEFAULT_NETWORK), 'a.h5'],
                        ['colorize', tiny.PHOTOS, '--engine', 'theano']):
            done = subprocess.run(
                [sys.executable, '-c', NO_THEANO] + list(map(str, command)),
                cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=dict(os.environ, PYTHONPATH=str(tiny.ROOT)),
                universal_newlines=True)
            eq_((done.returncode, done.stdout), (2, ''))
            line, = done.stderr.splitlines()
            assert_in('colornet: error: %s needs Theano, which '
                      % command[0], line)
        eq_(os.listdir(folder), [])


def test_an_unknown_speedup():
    tiny.need_theano()
    # Read once, when Theano is set up: in processes of their own.
    for command in 'info', 'demo':
        process = subprocess.run(
            [sys.executable, '-m', 'colornet', command], cwd=str(tiny.ROOT),
            env=dict(os.environ, COLORNET_WITHOUT='magic'),
            stderr=subprocess.PIPE, universal_newlines=True)
        eq_(process.returncode, 2)
        line, = process.stderr.splitlines()
        assert_in('error: COLORNET_WITHOUT=magic: no such speed-up', line)
