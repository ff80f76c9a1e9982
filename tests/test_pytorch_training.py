"""Training by PyTorch against training by Theano; the rest needs neither."""

import importlib.util
import io
import json
import signal
import subprocess
import sys
from unittest import SkipTest, mock

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_almost_equal, assert_in, assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks import photos, pytorch_training
from benchmarks.agreement import compare, kind_of
from colornet import color
from colornet.config import load_config
from colornet.files import read_csv
from colornet.network.parameters import load_arrays
from colornet.terminal import Interrupted
from colornet.training import run as experiment
from tests import tiny

EVERYDAY = tiny.ROOT / 'experiments' / 'everyday.ini'

#: All that makes this network another than the paper's; of odd maps, as
#: conv4_3 has 5 x 5.
SETTINGS = ['data.size=40', 'data.hold_out=0.25', 'data.min_crop=0.8',
            'network.num_bins=10', 'network.tail=8 8',
            'network.output_stride=4', 'network.global_features=8',
            'network.context=1', 'training.batch_size=4',
            'training.epochs=2', 'training.average=0.9',
            'training.encoder_rate=0.5', 'training.gradient_clip=2',
            'decoding.method=mean']


class InProcess:
    """Stands for a pool of processes."""

    @staticmethod
    def map(function, *iterables, chunksize=1):
        return map(function, *iterables)


def need(package):
    if importlib.util.find_spec(package) is None:
        raise SkipTest('needs %s: make benchmark installs it' % package)


def make_learner(config):
    need('torch')
    from benchmarks.pytorch_learner import PyTorchLearner
    return PyTorchLearner(config, 'cpu', InProcess)


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


def test_settings_that_only_theano_has_are_refused():
    for settings in (['network.color_space=hsv', 'decoding.method=argmax',
                      'decoding.temperature=1', 'decoding.saturation=1'],
                     ['network.aggregation=sum'],
                     ['network.batch_norm=no'],
                     ['network.residual_units=no',
                      'data.proportions=squash'],
                     ['training.update_rule=nesterov'],
                     ['training.weight_decay=0.1'],
                     ['training.start_from=a.h5'], ['decoding.smoothing=1']):
        config = load_config(EVERYDAY, settings)
        tiny.check_error(lambda: make_learner(config), settings[0],
                         '"colornet train"')


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
            cached, cached_names = experiment.TheanoLearner(
                config).load_photos(self.data)
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


def all_colours():
    """A minibatch with each fifth value of each channel, and the last."""
    values = np.append(np.arange(0, 255, 5), 255).astype(np.uint8)
    return np.stack(np.meshgrid(values, values, values), -1)


def test_colours_on_the_device():
    need('torch')
    import torch

    from benchmarks import pytorch_color
    rgb = all_colours()
    luminance, chroma = pytorch_color.split_channels(torch.from_numpy(rgb))
    expected, expected_chroma = color.split_channels(rgb)
    expected_chroma = np.moveaxis(expected_chroma, -1, 1)
    assert_allclose(luminance.numpy(), expected, atol=2e-4)
    assert_allclose(chroma.numpy(), expected_chroma, atol=2e-3)
    bins = pytorch_color.bin_chroma(torch.from_numpy(expected_chroma), 50,
                                    (-100., 100.))
    assert_array_equal(bins.numpy(), color.bin_channel(expected_chroma))


def test_inputs_and_targets():
    for settings in ([], ['network.kind=regression', 'objective.loss=l2']):
        config = load_config(settings and tiny.REGRESSION or tiny.EXPERIMENT,
                             settings + ['network.output_stride=4'])
        learner = make_learner(config)
        rgb = all_colours()[:4, :48, :48]
        inputs, targets, same = learner.transform(rgb)
        expected, expected_targets, _ = experiment.make_transform(config)(rgb)
        ok_(same is rgb)
        assert_allclose(inputs.numpy(), expected, atol=1e-3)
        if settings:
            assert_allclose(targets.numpy(), expected_targets, atol=2e-3)
        else:  # Rounding may cross the edge of a bin.
            ok_((targets.numpy() != expected_targets).mean() < 1e-3)


def both_learners(settings, rgb):
    """Theano's and PyTorch's, with one network; inputs and targets."""
    from benchmarks.pytorch_network import Variable
    kind = tiny.EXPERIMENT
    if 'network.kind=regression' in settings:
        kind = tiny.REGRESSION
        settings = settings + ['network.chroma_scale=20']
    else:
        settings = settings + ['network.num_bins=10', 'network.tail=8 8',
                               'decoding.method=mean']
    config = load_config(kind, settings + [
        'data.size=%d' % rgb.shape[1], 'decoding.saturation=1.5'])
    theirs, ours = experiment.TheanoLearner(config), make_learner(config)
    for learner in (theirs, ours):
        learner.build()
    eq_(set(theirs.parameters), set(ours.parameters))
    random = np.random.RandomState(0)
    for (layer, name), variable in theirs.parameters.items():
        value = variable.get_value()
        eq_(value.shape, ours.parameters[layer, name].get_value().shape)
        if name == 'gamma' or name == 'variance':  # All are ones, ...
            variable.set_value(value * random.uniform(
                0.5, 2, value.shape).astype(value.dtype))
        elif name in ('beta', 'mean', 'b') and not value.any():  # or zeros.
            variable.set_value(random.uniform(
                -0.1, 0.1, value.shape).astype(value.dtype))
        ours.parameters[layer, name].set_value(variable.get_value())
    # Without zeros, of which there would be several in a block of four.
    for biases in (theirs._net['conv4_3'].b,
                   Variable(ours._network.tensors()['conv4_3', 'b'])):
        biases.set_value(biases.get_value() + np.float32(2000))
    for learner in (theirs, ours):
        with mock.patch('sys.stderr', io.StringIO()):
            learner.compile()
    return theirs, ours, theirs.transform(rgb)[:2]


def theano_results(learner, inputs, targets, rates):
    from colornet.engine.backend import T, lasagne, theano
    from colornet.network.networks import output_layers, trainable_parameters
    net = learner._net
    layers = output_layers(net)
    variable = (T.itensor4 if len(layers) == 2 else T.tensor4)()
    loss = experiment._make_objective(learner.config)(
        lasagne.layers.get_output(layers), variable)
    trained = trainable_parameters(net)
    results = dict(zip(
        ['gradient %s/%s' % key for parameter in trained
         for key, other in learner.parameters.items() if other is parameter],
        theano.function([net['input'].input_var, variable],
                        T.grad(loss, trained))(inputs, targets)))
    scores = theano.function([net['input'].input_var], lasagne.layers
                             .get_output(layers, deterministic=True))(inputs)
    return finish(learner, inputs, targets, rates, results, scores)


def pytorch_results(learner, inputs, targets, rates):
    import torch

    from benchmarks.pytorch_network import Variable
    inputs = torch.from_numpy(inputs)
    targets = torch.from_numpy(
        targets.astype(np.int64) if targets.dtype.kind == 'i' else targets)
    before = {key: variable.get_value()
              for key, variable in learner.parameters.items()}
    learner._network.train()
    loss = learner._objective(learner._outputs(learner._network, inputs),
                              targets)
    trained = [(key, variable.tensor) for key, variable in
               learner.parameters.items() if variable.tensor.requires_grad]
    results = {
        'gradient %s/%s' % key: Variable(gradient).get_value()
        for (key, _), gradient in zip(trained, torch.autograd.grad(
            loss, [tensor for _, tensor in trained]))}
    for key, value in before.items():  # That was not a step.
        learner.parameters[key].set_value(value)
    learner._network.eval()
    with torch.no_grad():
        scores = [channel.numpy() for channel in learner._network(inputs)]
    return finish(learner, inputs, targets, rates, results, scores)


def finish(learner, inputs, targets, rates, results, scores):
    """Results of a few steps besides."""
    before = {key: variable.get_value()
              for key, variable in learner.parameters.items()}
    loss, chroma = learner.validate(inputs, targets)
    results.update({'scores': np.stack(scores), 'validation loss': loss,
                    'validation chroma': chroma})
    losses = []
    for rate in rates:
        learner.set_learning_rate(rate)
        losses.append(float(learner.step(inputs, targets)))
    results['losses'] = np.array(losses)
    for key, variable in (learner.averages or learner.parameters).items():
        change = variable.get_value() - before[key]
        if key == ('conv4_3_bn', 'beta'):
            continue  # The next normalization takes it away: see agreement.
        kind = 'average' if key[1] in ('mean', 'variance') else 'change'
        results['%s %s/%s' % ((kind,) + key)] = change
    results['validation loss after'] = learner.validate(inputs, targets)[0]
    return results


#: Of results of :func:`finish`, as :mod:`benchmarks.agreement` has them for
#: its own. Few pixels: one at a rectifier's edge shows in the gradients, and
#: Adam makes much of small ones.
TOLERANCES = {'scores': 1e-5, 'validation loss': 1e-5,
              'validation chroma': 1e-4, 'gradient': 1e-4, 'losses': 1e-4,
              'change': 2e-2, 'average': 1e-4, 'validation loss after': 1e-4}

#: With VGG16, which has most rectifiers.
TUNED_TOLERANCES = dict(TOLERANCES, gradient=1e-2, change=5e-2, average=1e-3)


def check_agreement(settings):
    from colornet.photos.reading import find_images, read_rgb
    rgb = np.stack([read_rgb(path, 40)
                    for path in list(find_images(tiny.PHOTOS))[:3]])
    theirs, ours, batch = both_learners(settings, rgb)
    rates = [1e-5, 3e-5, 1e-5]
    expected = theano_results(theirs, *batch, rates=rates)
    results = pytorch_results(ours, *batch, rates=rates)
    tuned = 'network.fine_tune=yes' in settings
    for name, difference, _ in compare(results, expected):
        allowed = (TUNED_TOLERANCES if tuned else TOLERANCES)[kind_of(name)]
        ok_(difference <= allowed, (name, difference, allowed))


def test_a_network_with_all_that_is_new_agrees():
    need('torch')
    check_agreement(['network.output_stride=4', 'network.global_features=8',
                     'network.context=1', 'network.fine_tune=yes',
                     'training.average=0.9', 'training.encoder_rate=0.5',
                     'training.gradient_clip=1'])


@attr('slow')
def test_networks_agree():
    need('torch')
    classification, regression = [], ['network.kind=regression']
    for kind, stride, features, context, more in (
            (classification, 1, 0, 0, []),
            (classification, 2, 8, 0, ['training.average=0.9']),
            (classification, 4, 0, 2, ['network.batch_norm_taps=no']),
            (classification, 1, 8, 1, []),
            (regression, 1, 8, 2, ['training.gradient_clip=100']),
            (regression, 2, 0, 1, ['objective.loss=l2']),
            (regression, 4, 8, 0, ['network.fine_tune=yes']),
            (regression, 4, 0, 0, ['training.average=0.9'])):
        yield check_agreement, kind + more + [
            'network.output_stride=%d' % stride,
            'network.global_features=%d' % features,
            'network.context=%d' % context]


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
            experiment.train(cls.config, cls.data, folder, learner=learner)
        return learner

    def test_run_folder(self):
        eq_(load_config(self.folder / 'config.ini'), self.config)
        provenance = json.loads((self.folder / 'provenance.json').read_text())
        eq_(sorted(provenance[0]['backend']), ['device', 'pytorch'])
        ok_(provenance[0]['photos_per_second'] > 0)
        eq_(experiment.read_provenance(self.folder), provenance)
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
        ok_(experiment.is_finished(self.config, self.folder, self.data))

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
        best = experiment.best_epoch(history)
        eq_(int(attributes['epoch']), best)
        images, _ = experiment.load_subset(config, self.data, 'validation')
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
