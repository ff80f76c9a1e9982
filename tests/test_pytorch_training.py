"""Training by PyTorch; what Theano makes of it."""

import importlib.util
import io
import json
import signal
import subprocess
import sys
from unittest import mock

import numpy as np
from nose.tools import assert_almost_equal, assert_in, assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks import photos, pytorch_training
from colornet import color
from colornet.config import load_config
from colornet.data.subsets import load_photos, load_subset
from colornet.files import read_csv
from colornet.network.parameters import load_arrays
from colornet.terminal import Interrupted
from colornet.training.history import best_epoch
from colornet.training.provenance import read_provenance
from colornet.training.run import train
from colornet.training.run_folder import is_finished
from tests import tiny
from tests.pytorch import EVERYDAY, SETTINGS, InProcess, make_learner, need


def run(*arguments):
    """Status and standard error of the command."""
    with mock.patch('sys.stderr', io.StringIO()) as err, \
            mock.patch('sys.stdout', io.StringIO()):
        status = pytorch_training.main(list(map(str, arguments)))
    return status, err.getvalue()


def test_neither_loads_theano():
    code = 'import sys; import benchmarks.pytorch_training, benchmarks.photos'
    if importlib.util.find_spec('torch') is not None:
        code += '; import benchmarks.pytorch_learner'
    loaded = subprocess.check_output(
        [sys.executable, '-c', code + '; print(*sys.modules)'],
        cwd=str(tiny.ROOT), universal_newlines=True).split()
    for name in ('theano', 'lasagne', 'colornet.engine.backend'):
        ok_(name not in loaded, name)


def test_missing_pytorch_is_told_before_anything_runs():
    with mock.patch('importlib.util.find_spec', lambda name: None):
        status, err = run(EVERYDAY, '--data', 'nowhere')
    eq_((status, len(err.splitlines())), (2, 1))
    assert_in('torch is not installed', err)
    assert_in('make benchmark', err)


def test_missing_gpu_is_told_before_anything_runs():
    need('torch')
    with mock.patch('torch.cuda.is_available', lambda: False):
        status, err = run(EVERYDAY, '--data', 'nowhere')
    eq_((status, len(err.splitlines())), (2, 1))
    assert_in('finds no CUDA GPU', err)


class TestPhotos(tiny.InFolder):
    """Decoded by processes, and by the cache."""

    @classmethod
    def setup_class(cls):
        super().setup_class()
        cls.data = cls.root / 'photos'
        tiny.write_crops(cls.data / 'b', ['1.jpg'], side=60, width=80)
        (cls.data / 'broken.jpg').write_bytes(b'x')

    def check_same_photos(self, *settings):
        config = load_config(EVERYDAY, SETTINGS + list(settings))
        with photos.worker_processes() as pool, \
                mock.patch('sys.stderr', io.StringIO()) as err:
            images, names = photos.decode_photos(config, self.data, pool)
        with mock.patch('sys.stderr', io.StringIO()) as cached_err:
            cached, cached_names = load_photos(config.data, self.data, 'train')
        eq_(names, cached_names)
        eq_(len(names), self.NUM_PHOTOS + 1)
        eq_(images.file_sizes, cached.file_sizes)
        for text in (err.getvalue(), cached_err.getvalue()):
            assert_in('left out %s: ' % (self.data / 'broken.jpg'), text)
        numbers = [3, 12, 0]
        assert_array_equal(images[numbers], cached[numbers])
        return images, cached

    def test_keeping_proportions(self):
        images, cached = self.check_same_photos()
        crops = [(0.9, 0.2, 0.7), (1., 0.5, 0.), (0.8, 1., 1.)]
        assert_array_equal(images.read_crops([12, 5, 0], crops),
                           cached.read_crops([12, 5, 0], crops))

    def test_squashing(self):
        self.check_same_photos('data.proportions=squash', 'data.min_crop=1')

    def test_no_photos(self):
        folder = self.root / 'broken'
        folder.mkdir()
        (folder / 'a.jpg').write_bytes(b'x')
        with mock.patch('sys.stderr', io.StringIO()):
            tiny.check_error(
                lambda: photos.decode_photos(load_config(EVERYDAY), folder,
                                             InProcess),
                'none of the 1 photos', 'a.jpg')


class TestTraining(tiny.InFolder):
    """An uninterrupted training of a tiny everyday network."""

    @classmethod
    def setup_class(cls):
        need('torch')
        super().setup_class()
        cls.data = cls.root / 'photos'
        cls.folder = cls.root / 'run'
        cls.config = load_config(EVERYDAY, SETTINGS)
        cls.learner = cls.train(cls.folder)

    @classmethod
    def train(cls, folder, interrupt_after=None):
        learner = make_learner(cls.config)
        original, steps = learner.step, []

        def step(inputs, targets):
            loss = original(inputs, targets)
            steps.append(loss)
            if len(steps) == interrupt_after:
                tiny.interrupt(signal.SIGTERM)
            return loss
        learner.step = step
        with mock.patch('sys.stderr', io.StringIO()):
            train(cls.config, cls.data, folder, learner=learner)
        return learner

    def test_run_folder(self):
        eq_(load_config(self.folder / 'config.ini'), self.config)
        provenance = json.loads((self.folder / 'provenance.json').read_text())
        eq_(sorted(provenance[0]['backend']), ['device', 'pytorch'])
        ok_(provenance[0]['photos_per_second'] > 0)
        eq_(read_provenance(self.folder), provenance)
        rows = read_csv(self.folder / 'log.csv')
        eq_([row['epoch'] for row in rows], ['1', '2'])
        for name in ('validation_loss', 'acc_u', 'sat_diff', 'psnr_gain'):
            ok_(np.isfinite(float(rows[0][name])), name)
        # 3 of the 12 photos are held out.
        eq_(len(read_csv(self.folder / 'losses.csv')), 2 * 3)

    def test_a_finished_training_is_left_alone(self):
        before = (self.folder / 'last.h5').stat().st_mtime_ns
        self.train(self.folder)
        eq_((self.folder / 'last.h5').stat().st_mtime_ns, before)
        ok_(is_finished(self.config, self.folder, self.data))

    def test_an_interrupted_training_ends_as_an_uninterrupted_one(self):
        folder = self.root / 'interrupted'
        with assert_raises(Interrupted):
            self.train(folder, interrupt_after=4)
        eq_(len(load_arrays(folder / 'last.h5', ['log'])[0]['log']['losses']),
            4)
        self.train(folder)
        for name, groups in (('last.h5', ['parameters', 'optimizer', 'log']),
                             ('best.h5', ['parameters'])):
            expected, resumed = [load_arrays(path / name, groups)[0]
                                 for path in (self.folder, folder)]
            for group in groups:
                eq_(list(expected[group]), list(resumed[group]))
                for key, array in expected[group].items():
                    assert_allclose(resumed[group][key], array, rtol=1e-5,
                                    atol=1e-7, err_msg=key)

    def test_theano_predicts_as_pytorch_validates(self):
        from colornet.network.saved import compile_prediction, load_network
        net, config, attributes = load_network(self.folder / 'best.h5')
        eq_(config, self.config)
        eq_(attributes['trained_on'], '9 photos of photos')
        # The network that is kept is that of the last epoch, if it is best.
        history = read_csv(self.folder / 'log.csv')
        best = best_epoch(history)
        eq_(int(attributes['epoch']), best)
        images, _ = load_subset(config, self.data, 'validation')
        rgb = images[list(range(len(images)))]
        groups, _ = load_arrays(self.folder / 'best.h5', ['parameters'])
        learner = make_learner(config)
        learner.build()
        learner.compile()
        for (layer, name), average in learner.averages.items():
            average.set_value(groups['parameters']['%s/%s' % (layer, name)])
        loss, chroma = learner.validate(*learner.transform(rgb)[:2])
        assert_almost_equal(
            loss, float(history[best - 1]['validation_loss']), 4)
        predicted = compile_prediction(net, config)(
            color.split_channels(rgb)[0])
        assert_allclose(predicted, np.moveaxis(chroma, 1, -1), atol=0.01)

    def test_command(self):
        arguments = [EVERYDAY, '--data', self.data, '--out',
                     self.root / 'command', '--device', 'cpu']
        for setting in SETTINGS + ['training.epochs=1']:
            arguments += ['--set', setting]
        status, err = run(*arguments)
        eq_(status, 0, err)
        assert_in('validation_loss', err)
        ok_((self.root / 'command' / 'best.h5').exists())
