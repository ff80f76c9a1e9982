"""The command line from end to end, on real pixels."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_not_in, eq_, ok_
from numpy.testing import assert_allclose
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

import colornet
from colornet import cli
from colornet.files import read_csv
from colornet.network.saved import load_configuration
from colornet.photos.colorizer import Colorizer
from tests import tiny


def run(*arguments):
    """Exit status, standard output and standard error of a command."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as exit:  # argparse
            status = exit.code
    return status, out.getvalue(), err.getvalue()


def check_is_refused(words, *arguments):
    status, out, err = run(*arguments)
    eq_(status, 2, err)
    eq_(out, '')
    lines = [line for line in err.splitlines()
             if not line.startswith('usage:') and not line.startswith(' ')]
    eq_(len(lines), 1, err)
    assert_in(words, lines[0])
    assert_not_in('Traceback', err)


class TestJourney(tiny.InFolder):
    """Train, score, colour: each command takes what the last one made."""

    @classmethod
    def setup_class(cls):
        super().setup_class()
        root = cls.root
        settings = [word for setting in tiny.CLASSIFICATION
                    for word in ('--set', setting)]
        cls.train = ['train', tiny.EXPERIMENT, '--data', root / 'photos',
                     '--out', root / 'run'] + settings
        cls.trained = run(*cls.train)

    def test_train(self):
        status, out, err = self.trained
        eq_(status, 0, err)
        assert_in('trained', out)
        assert_in('validation_loss', err)
        ok_((self.root / 'run' / 'best.h5').exists())

    def test_train_again_is_quick(self):
        status, out, _ = run(*self.train)
        eq_(status, 0)
        assert_in('already trained', out)

    def test_evaluate(self):
        scores, sheet = self.root / 'new' / 's.json', self.root / 'sheet.png'
        status, out, err = run('evaluate', self.root / 'run', '--data',
                               self.root / 'photos', '--out', scores,
                               '--sheet', sheet)
        eq_(status, 0, err)
        result = json.loads(scores.read_text())
        eq_(len(result['images']), 1)
        assert_in('acc_u', result['mean'])
        assert_in('acc_u', out)
        ok_(sheet.exists())

    def test_colorize_a_mixed_folder(self):
        source = self.root / 'mixed'
        source.mkdir()
        random = np.random.RandomState(0)
        photo = Image.open(str(sorted(tiny.PHOTOS.glob('*.jpg'))[0]))
        photo.save(str(source / 'good.jpg'))
        Image.fromarray(random.randint(0, 65536, (20, 30)).astype(
            np.uint16)).save(str(source / 'deep.png'))
        Image.fromarray(random.randint(0, 256, (21, 31, 4)).astype(
            np.uint8)).save(str(source / 'rgba.png'))
        photo.convert('L').save(str(source / 'grey.jpg'))
        (source / 'text.jpg').write_text('no photo')
        content = (source / 'good.jpg').read_bytes()
        (source / 'truncated.jpg').write_bytes(content[:len(content) // 2])
        status, out, err = run('colorize', source, '--out',
                               self.root / 'coloured', '--network',
                               self.root / 'run' / 'best.h5')
        eq_(status, 1)
        assert_in('4 coloured', out)
        for name in ('text.jpg', 'truncated.jpg'):
            assert_in(name, err)
        for name in ('good.jpg', 'deep.png', 'rgba.png', 'grey.jpg'):
            assert_not_in(name, err)
            result = Image.open(str(self.root / 'coloured' / name))
            original = Image.open(str(source / name))
            eq_(result.size, original.size)
            ok_(result.mode in ('RGB', 'RGBA'))
        eq_(len(list((self.root / 'coloured').iterdir())), 4)
        grey = np.array(Image.open(str(self.root / 'coloured' / 'grey.jpg')))
        ok_((grey.max(axis=-1) > grey.min(axis=-1)).any(), 'still grey')

    def test_everyday_scores_what_colorize_writes(self):
        source, scores = self.root / 'everyday', self.root / 'e.csv'
        source.mkdir()
        photo = Image.open(str(sorted(tiny.PHOTOS.glob('*.jpg'))[0]))
        photo.crop((5, 9, 95, 60)).save(str(source / 'wide.png'))
        status, out, err = run(
            'everyday', '--data', source, '--network', self.root / 'run',
            '--out', scores, '--sheet', self.root / 'everyday.png')
        eq_(status, 0, err)
        assert_in('run, mean, temperature 0.5', out)
        eq_(run('colorize', source, '--network', self.root / 'run', '--out',
                self.root / 'written')[0], 0)
        psnr = peak_signal_noise_ratio(*[
            np.array(Image.open(str(folder / 'wide.png')))
            for folder in (source, self.root / 'written')])
        row, = [row for row in read_csv(scores) if row['own']]
        eq_(row['decoding'], 'argmax')
        # Folded alone or with others, scores may be rounded differently.
        assert_allclose(float(row['psnr']), psnr, atol=0.01)

    def test_a_checkpoint_is_no_network(self):
        for words in 'is the checkpoint of a training', 'run/best.h5':
            check_is_refused(words, 'colorize', tiny.PHOTOS, '--out',
                             self.root / 'out', '--network',
                             self.root / 'run' / 'last.h5')

    def test_export_spares_its_source(self):
        network = self.root / 'run' / 'best.h5'
        content = network.read_bytes()
        link = self.root / 'link.h5'
        link.symlink_to(network)
        for source, out in ((network, network), (self.root / 'run', link)):
            check_is_refused('is the network to be exported', 'export',
                             source, out)
        eq_(network.read_bytes(), content)
        half = self.root / 'half.h5'
        eq_(run('export', network, half, '--set',
                'decoding.saturation=1.25')[0], 0)
        eq_(load_configuration(half)[0].decoding['saturation'], 1.25)
        check_is_refused('decoding.key=value', 'export', network, half,
                         '--set', 'network.num_bins=7')

    def test_a_misspelt_setting(self):
        check_is_refused('unknown setting training.epoch', *self.train +
                         ['--set', 'training.epoch=2'])

    def test_a_data_set_that_is_not_there(self):
        check_is_refused('nowhere', 'train', tiny.EXPERIMENT, '--data',
                         self.root / 'nowhere', '--out', self.root / 'none')
        ok_(not (self.root / 'none').exists())

    def test_missing_vgg16(self):
        check_is_refused('/no/such.pkl', 'evaluate', self.root / 'run',
                         '--data', self.root / 'photos', '--vgg',
                         '/no/such.pkl')


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


def test_outputs_are_checked_before_the_work():
    photos = ['--data', tiny.PHOTOS, '--out', tiny.PHOTOS]
    for command in (['evaluate', '/no/such.h5'], ['table2'],
                    ['decodings', '/no/such.h5'], ['everyday'],
                    ['figure', '5']):
        check_is_refused('photos', *command + photos)
    check_is_refused('/dev/null/a', 'evaluate', '/no/such.h5', '--data',
                     tiny.PHOTOS, '--pictures', '/dev/null/a')
    for command, suffix in (
            (['evaluate', '/no/such.h5', '--data', tiny.PHOTOS], '.json'),
            (['table1'], '.csv'), (['table2'], '.csv'), (['report'], '.html')):
        check_is_refused(suffix, *command + ['--out', 'x.png'])
    check_is_refused('.h5', 'export', '/no/such.h5', 'x.png')


def test_everyday_photos_that_are_not_there():
    photos = ['everyday', '--data', tiny.PHOTOS]
    check_is_refused('/no/such', 'everyday', '--data', '/no/such')
    check_is_refused('/no/such.txt', *photos + ['--list', '/no/such.txt'])
    check_is_refused('/no/such.h5', *photos + ['--network', '/no/such.h5'])
    check_is_refused('decoding.colour', *photos + ['--decoding', 'colour=1'])
    check_is_refused('unknown suffix', *photos + ['--sheet', 'sheet.doc'])
    check_is_refused('positive', *photos + ['--every', '0'])


def test_no_folder_is_without_a_name():
    check_is_refused('--runs is empty', 'study', 'bins', '--data',
                     tiny.PHOTOS, '--runs', '')
    check_is_refused('--set', 'train', tiny.EXPERIMENT, '--data', tiny.PHOTOS,
                     '--set', '')


def test_figures_of_layers_take_no_photos():
    check_is_refused('--data', 'figure', '2', '--data', tiny.PHOTOS)


def test_the_sheet_is_checked_before_the_network_is_loaded():
    check_is_refused('unknown suffix ".doc"', 'evaluate', '/no/such.h5',
                     '--data', tiny.PHOTOS, '--sheet', '/tmp/sheet.doc')


def test_batch_size():
    for text in ('0', '-1', 'many'):
        check_is_refused('positive', 'colorize', tiny.PHOTOS,
                         '--batch-size=' + text)


def test_info():
    with tiny.without_speedups('winograd'):
        status, out, err = run('info')
    eq_((status, err), (0, ''))
    for words in colornet.__version__, 'Theano 1.0.5', 'winograd  off':
        assert_in(words, out)


def test_an_unknown_speedup():
    with tiny.without_speedups('magic'):
        check_is_refused('COLORNET_WITHOUT=magic: no such speed-up', 'info')
        check_is_refused('COLORNET_WITHOUT=magic: no such speed-up', 'demo')


def test_unknown_command():
    check_is_refused('invalid choice', 'paint')


def test_bugs_show_one_line_unless_asked():
    for error, words in ((KeyError('oops'), "KeyError: 'oops' (COLORNET"),
                         (ValueError('so\nit\nwent ' * 999),
                          'so it went so it ... (COLORNET')):
        with mock.patch.object(cli, '_demo', side_effect=error):
            check_is_refused(words, 'demo')
            ok_(len(run('demo')[2]) < 300)


def test_the_program_starts():
    output = subprocess.check_output([sys.executable, '-m', 'colornet',
                                      '--version'], cwd=str(tiny.ROOT))
    eq_(output.decode().strip(), 'colornet ' + colornet.__version__)
