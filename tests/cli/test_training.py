"""Networks from training to use: each command takes what the last made."""

import json
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_not_in, eq_, ok_
from numpy.testing import assert_allclose
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from colornet.files import read_csv
from colornet.network.stored import load_configuration, load_stored
from tests import tiny
from tests.cli.commands import check_is_refused, run


class TestJourney(tiny.InFolder):
    """Train, score, colour: each command takes what the last one made."""

    @classmethod
    def setup_class(cls):
        tiny.need_theano()
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
        status, out, err = run('colorize', source, '--colour=replace',
                               '--out', self.root / 'coloured', '--network',
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
        eq_(run('colorize', source, '--network', self.root / 'run',
                '--colour=replace', '--refinement=none',
                '--out', self.root / 'written')[0], 0)
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
        # A GPU's machine may have PyTorch alone.
        with mock.patch.dict('sys.modules', theano=None,
                             **{'colornet.network.saved': None}):
            eq_(run('export', network, half, '--decoding',
                    'decoding.saturation=1.25')[0], 0)
        arrays, _, attributes = load_stored(half)
        for name, array in load_stored(network)[0].items():
            if abs(array).max() <= np.finfo(np.float16).max:
                array = array.astype(np.float16).astype(np.float32)
            eq_(arrays[name].tobytes(), array.tobytes(), name)
        eq_(attributes['epoch'], load_stored(network)[2]['epoch'])
        eq_(load_configuration(half)[0].decoding['saturation'], 1.25)
        check_is_refused('decoding.key=value', 'export', network, half,
                         '--decoding', 'network.num_bins=7')

    def test_what_is_exported_already(self):
        exported = self.root / 'exported.ONNX'
        exported.write_text('a graph')
        for out in 'again.onnx', 'again.h5':
            check_is_refused(
                'exported.ONNX is an ONNX file, which comes of a trained '
                'network: take that, an .h5', 'export', exported,
                self.root / out)
            ok_(not (self.root / out).exists())

    def test_export_to_onnx(self):
        network = self.root / 'run' / 'best.h5'
        for out, options, words in (
                ('a.onnx', ['--format', 'h5'], 'the result is a .h5 file'),
                ('a.h5', ['--format', 'onnx'], 'the result is a .onnx file')):
            check_is_refused(words, 'export', network, self.root / out,
                             *options)
        with mock.patch.dict('sys.modules', onnx=None):
            check_is_refused("'.[onnx]'", 'export', network,
                             self.root / 'a.onnx')
        ok_(not (self.root / 'a.onnx').exists())
        with mock.patch('colornet.prediction.onnx.export_onnx') as export:
            for out, options in (('a.ONNX', []), ('a.onnx', ['--half'])):
                out = str(self.root / out)
                eq_(run('export', self.root / 'run', out, '--decoding',
                        'decoding.saturation=1.5', '--vgg', 'v', *options),
                    (0, 'written to %s\n' % out, ''))
                eq_(export.call_args[0], (
                    network, out, 'v', ['decoding.saturation=1.5'],
                    bool(options)))

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
