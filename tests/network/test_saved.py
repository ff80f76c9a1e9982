"""Trained networks: their files, and what is predicted from them."""

import json
import os
import pickle
import shutil
import tempfile
from pathlib import Path
from unittest import mock

import h5py
import numpy as np
from nose.tools import (assert_in, assert_is, assert_not_in, assert_raises,
                        eq_, ok_)
from numpy.testing import assert_allclose, assert_array_equal

from colornet.color import luminance, unbin_channel
from colornet.config import load_config
from colornet.engine.backend import T, lasagne, theano
from colornet.engine.native import SPEEDUPS
from colornet.errors import ColornetError
from colornet.network.networks import (all_parameters, decoder_parameters,
                                       fold_batch_norm, output_layers)
from colornet.network.saved import (build_pretrained, compile_prediction,
                                    learned_parameters, load_colorizer,
                                    load_colorizers, load_network,
                                    save_network, start_from)
from colornet.network.vgg16 import VGG16_LAYERS, load_vgg16_weights
from colornet.photos.colorizer import Colorizer
from colornet.photos.reading import find_images, read_rgb, resize
from colornet.scaling import enlarge_chroma
from colornet.training.run import predict_images
from tests import tiny
from tests.tiny import without_speedups

ROOT = Path(__file__).resolve().parents[2]
VGG16_FILE = ROOT / 'weights' / 'vgg16.pkl'
SIZE = 16
TINY = ['data.size=16', 'network.num_bins=6', 'network.tail=7 5']
REGRESSION = ['data.size=16', 'network.kind=regression', 'objective.loss=l2',
              'network.color_space=hsv', 'network.chroma_scale=0.5']
MEAN_BGR = np.reshape([103.939, 116.779, 123.68], (3, 1, 1))


def setup_module():
    """One network with parameters that show, in a file, compiled once."""
    global folder, config, net, saved, predict, photos, inputs, scores
    folder = tempfile.TemporaryDirectory()
    config = load_config(overrides=TINY)
    net = build_pretrained(config)
    randomize(net)
    photos = np.array([luminance(read_rgb(path, SIZE)) for path in
                       find_images(tiny.PHOTOS)])
    eq_(photos.shape, (4, SIZE, SIZE))
    # Luminance in [0, 100] -> [0, 255], thrice, minus ImageNet's mean.
    inputs = (photos[:, np.newaxis] * 2.55 - MEAN_BGR).astype('float32')
    scores = theano.function(
        [net['input'].input_var], lasagne.layers.get_output(
            output_layers(net), deterministic=True))
    # No bin may win everywhere.
    for layer, values in zip(output_layers(net), scores(inputs)):
        layer.b.set_value(layer.b.get_value() - values.mean((0, 2, 3)))
    saved = path_of('network.h5')
    save_network(saved, net, config, {'trained_on': 'nothing', 'epoch': 3})
    predict = compile_prediction(net, config)


def teardown_module():
    folder.cleanup()


def path_of(name):
    return os.path.join(folder.name, name)


def randomize(net, seed=1):
    """As if the network had been trained."""
    rng = np.random.RandomState(seed)
    for (layer, name), variable in decoder_parameters(net).items():
        shape = variable.get_value().shape
        # VGG16's maps reach thousands.
        size = 1000. if layer.startswith('conv') else 1.
        if name == 'W':
            values = rng.normal(0, np.prod(shape[1:]) ** -0.5, shape)
        elif name == 'variance':
            values = size ** 2 * rng.uniform(0.5, 2, shape)
        elif name == 'mean':
            values = size * rng.uniform(0, 1, shape)
        else:
            values = rng.uniform(0.5, 2, shape)
        variable.set_value(values.astype('float32'))


def values_of(net):
    return {key: variable.get_value()
            for key, variable in all_parameters(net).items()}


def check_same_values(got, expected):
    eq_(list(got), list(expected))
    for key, value in expected.items():
        eq_(got[key].dtype, np.float32)
        assert_array_equal(got[key], value, str(key))


def stored_names(path):
    names = []
    with h5py.File(path, 'r') as file:
        file['parameters'].visititems(lambda name, item: names.append(name) if
                                      isinstance(item, h5py.Dataset) else None)
    return set(names)


# Building.

def test_networks_start_from_vgg16():
    for name, (W, b) in load_vgg16_weights(VGG16_FILE).items():
        assert_array_equal(net[name].W.get_value()[:, :, ::-1, ::-1], W)
        assert_array_equal(net[name].b.get_value(), b)


def test_seed_decides_the_decoder():
    def built(seed):
        return values_of(build_pretrained(load_config(
            overrides=TINY + ['training.seed=%d' % seed])))
    first = built(1)
    check_same_values(built(1), first)
    other = built(2)
    for key in first:
        if key[1] == 'W':
            eq_((first[key] != other[key]).any(), key[0] not in VGG16_LAYERS)


def test_other_vgg16_weights_are_taken():
    with open(VGG16_FILE, 'rb') as stream:
        content = pickle.load(stream)
    content['param values'][1][:] = 0.25
    path = path_of('other.pkl')
    with open(path, 'wb') as stream:
        pickle.dump(content, stream, 4)
    other = build_pretrained(config, path)
    assert_array_equal(other['conv1_1'].b.get_value(), np.full(64, 0.25))
    loaded, _, _ = load_network(saved, path)
    assert_array_equal(loaded['conv1_1'].b.get_value(), np.full(64, 0.25))
    for function in (lambda: build_pretrained(config, path_of('none.pkl')),
                     lambda: load_network(saved, path_of('none.pkl'))):
        with assert_raises(ColornetError) as raised:
            function()
        assert_in('none.pkl', str(raised.exception))


# Saving and loading.

def test_a_saved_network_comes_back():
    loaded, loaded_config, attributes = load_network(saved)
    check_same_values(values_of(loaded), values_of(net))
    eq_(loaded_config, config)
    eq_((attributes['trained_on'], attributes['epoch']), ('nothing', 3))
    eq_(os.listdir(folder.name).count('network.h5'), 1)


def test_a_file_holds_the_decoder_alone():
    eq_(stored_names(saved),
        {'/'.join(key) for key in decoder_parameters(net)})
    eq_(learned_parameters(net, config), decoder_parameters(net))


def test_fine_tuned_networks_keep_their_vgg16():
    tuned = load_config(overrides=TINY + ['network.fine_tune=yes'])
    network = build_pretrained(tuned)
    eq_(learned_parameters(network, tuned), all_parameters(network))
    shape = network['conv3_2'].W.get_value().shape
    network['conv3_2'].W.set_value(np.full(shape, 0.5, 'float32'))
    network['conv4_3'].b.set_value(np.full(512, -0.5, 'float32'))
    path = path_of('tuned.h5')
    save_network(path, network, tuned, {})
    eq_(stored_names(path), {'/'.join(key) for key in all_parameters(network)})
    loaded, loaded_config, _ = load_network(path)
    ok_(loaded_config.network['fine_tune'])
    check_same_values(values_of(loaded), values_of(network))
    # A training whose VGG16 stays as it is would not save this one.
    start = 'training.start_from=%s' % path
    frozen = load_config(overrides=TINY + [start])
    with assert_raises(ColornetError) as raised:
        start_from(build_pretrained(frozen), frozen)
    assert_in('fine_tune', str(raised.exception))
    fresh = build_pretrained(tuned)
    tuned.override(start)
    start_from(fresh, tuned)
    check_same_values(values_of(fresh), values_of(network))


def test_float16_halves_the_file():
    path = path_of('half.h5')
    save_network(path, net, config, {}, np.float16)
    loaded, _, _ = load_network(path)
    expected = values_of(net)
    for key in decoder_parameters(net):
        # The variance of VGG16's maps is beyond float16's range.
        if expected[key].max() < 65504:
            expected[key] = expected[key].astype('float16').astype('float32')
    ok_(expected['conv3_3_bn', 'variance'].max() > 65504)
    check_same_values(values_of(loaded), expected)
    ok_(os.path.getsize(path) < 0.75 * os.path.getsize(saved))


def test_saving_where_nothing_can_be_written():
    Path(path_of('nowhere.txt')).write_text('a file')
    with assert_raises(ColornetError) as raised:
        save_network(path_of('nowhere.txt/network.h5'), net, config, {})
    assert_in('nowhere.txt', str(raised.exception))


def error_of(path):
    """The one line that refuses a file."""
    with assert_raises(ColornetError) as raised:
        load_network(path)
    message = str(raised.exception)
    assert_in(str(path), message)
    assert_not_in('\n', message)
    return message


def test_files_that_are_no_networks():
    path = path_of('other.h5')
    for content in (b'', b'<html>404</html>', Path(saved).read_bytes()[:5000],
                    Path(saved).read_bytes()[:-1000]):
        Path(path).write_bytes(content)
        error_of(path)
    error_of(VGG16_FILE)
    error_of(folder.name)
    assert_in('does not exist', error_of(path_of('missing.h5')))
    with h5py.File(path, 'w') as file:
        file['model_weights/block1_conv1/kernel'] = np.zeros(3)
    assert_in('parameters', error_of(path))


def error_after(change):
    """The refusal of a saved network after changing the file."""
    path = path_of('changed.h5')
    shutil.copy(saved, path)
    with h5py.File(path, 'r+') as file:
        change(file)
    return error_of(path)


def test_files_that_do_not_fit():
    def replace(name, array):
        def change(file):
            del file['parameters/' + name]
            if array is not None:
                file['parameters/' + name] = array
        return change

    def add(file):
        file['parameters/unit9/W'] = np.zeros(3)

    message = error_after(replace('unit1_conv/W', None))
    assert_in('unit1_conv/W is missing', message)
    message = error_after(replace('unit1_bn/mean', np.zeros(127)))
    assert_in('unit1_bn/mean', message)
    assert_in('(127,)', message)
    assert_in('(128,)', message)
    message = error_after(replace('u_scores/b', np.full(6, np.nan)))
    assert_in('u_scores/b is not finite', message)
    assert_in('unit9/W is unknown', error_after(add))


def test_files_of_another_format():
    def later(file):
        file.attrs['format'] = 'colornet network 2'

    def no_format(file):
        del file.attrs['format']

    def no_config(file):
        del file.attrs['config']

    def broken_config(file):
        file.attrs['config'] = file.attrs['config'][:-20]

    for change in later, no_format, no_config, broken_config:
        error_after(change)


def test_configuration_of_a_file_is_checked():
    def change(file):
        file.attrs['config'] = file.attrs['config'].replace(
            '"num_bins": 6', '"num_bins": -6')
    assert_in('network.num_bins', error_after(change))


# Predicting.

def check_same_chroma(got, expected):
    # Rounding may decide between two equal scores.
    ok_((abs(got - expected) < 1e-4).mean() > 0.998)


def test_prediction_is_the_best_bin_of_each_pixel():
    expected = np.stack([unbin_channel(channel.argmax(1), 6)
                         for channel in scores(inputs)], axis=-1)
    ok_(len(np.unique(expected)) > 4, 'too dull to tell')
    chroma = predict(photos)
    eq_((chroma.shape, chroma.dtype), ((4, SIZE, SIZE, 2), np.float32))
    check_same_chroma(chroma, expected)


def test_prediction_of_a_photo_does_not_depend_on_the_others():
    chroma = predict(photos)
    for number, photo in enumerate(photos):
        check_same_chroma(predict(photo[np.newaxis])[0], chroma[number])
    check_same_chroma(predict(photos[::-1]), chroma[::-1])


def test_prediction_uses_the_running_averages():
    before = predict(photos)
    mean = net['tail1_bn'].mean
    value = mean.get_value()
    mean.set_value(value - 3 * np.arange(7, dtype='float32'))
    try:
        ok_((predict(photos) != before).mean() > 0.05)
    finally:
        mean.set_value(value)


def test_colorizer_of_a_saved_network():
    hsv = load_config(overrides=REGRESSION)
    network = build_pretrained(hsv)
    randomize(network, 2)
    network['unit3_conv'].b.set_value(np.float32([0.3, 1.2]))
    path = path_of('regression.h5')
    save_network(path, network, hsv, {})
    colorizer = load_colorizer(path)
    eq_((colorizer.size, colorizer.color_space), (SIZE, 'hsv'))

    # Value in [0, 1] is the luminance of HSV.
    chroma = colorizer.predict_chroma(photos / 100)
    expected = lasagne.layers.get_output(
        network['chroma'], inputs, deterministic=True).eval()
    assert_allclose(chroma, np.moveaxis(expected, 1, -1), rtol=1e-3,
                    atol=1e-4 * abs(expected).max())

    grey = np.random.RandomState(0).randint(0, 256, (20, 33)).astype('uint8')
    rgb = colorizer.colorize(grey)
    eq_((rgb.shape, rgb.dtype), ((20, 33, 3), np.float32))
    ok_(rgb.min() >= 0 and rgb.max() <= 1)
    # HSV's value is the largest of red, green and blue.
    assert_allclose(rgb.max(-1), grey / 255, atol=1e-5)
    ok_((np.ptp(rgb, axis=-1) > 0.01).any(), 'no colour')


#: Everything that is not the paper's.
VARIANT = ['data.size=24', 'data.proportions=keep', 'network.num_bins=6',
           'network.tail=7', 'network.output_stride=4',
           'network.global_features=9', 'network.context=2',
           'decoding.method=mean']


class TestVariant:
    """A network of all options, saved and loaded again."""

    @classmethod
    def setup_class(cls):
        cls.config = load_config(overrides=VARIANT)
        cls.net = build_pretrained(cls.config)
        randomize(cls.net, 3)
        cls.path = path_of('variant.h5')
        save_network(cls.path, cls.net, cls.config, {'trained_on': 'nothing'})
        cls.colorizer = load_colorizer(cls.path)

    def chroma_of(self, light):
        """From the network as it was trained, without speed-ups."""
        with without_speedups(*SPEEDUPS):
            x = T.tensor4()
            run = theano.function([x], lasagne.layers.get_output(
                output_layers(self.net), x, deterministic=True))
        means = unbin_channel(np.arange(6), 6)
        chroma = []
        for channel in run((light[:, np.newaxis] * 2.55 - MEAN_BGR).astype(
                'float32')):
            weights = np.exp(channel - channel.max(1, keepdims=True))
            chroma.append(np.tensordot(weights / weights.sum(1, keepdims=True),
                                       means, (1, 0)))
        return np.stack(chroma, axis=-1)

    def test_it_comes_back(self):
        loaded, loaded_config, _ = load_network(self.path)
        check_same_values(values_of(loaded), values_of(self.net))
        eq_(loaded_config, self.config)
        names = stored_names(self.path)
        for name in ('global1/W', 'global1/b', 'global2/W', 'global2/b',
                     'context1_conv/W', 'context2_bn/gamma'):
            assert_in(name, names)

    def test_it_colours_photos_of_any_proportions(self):
        random = np.random.RandomState(0)
        grey = [random.randint(0, 256, shape).astype('uint8')
                for shape in ((30, 60), (60, 30), (50, 50), (60, 120))]
        eq_((self.colorizer.size, self.colorizer.proportions), (24, 'keep'))
        got = self.colorizer.predict(grey)
        eq_([chroma.shape for chroma in got],
            [(6, 12, 2), (12, 6, 2), (6, 6, 2), (6, 12, 2)])
        for chroma, photo, shape in zip(got, grey, [
                (24, 48), (48, 24), (24, 24), (24, 48)]):
            expected = self.chroma_of(luminance(resize(photo, shape))[None])
            assert_allclose(chroma, expected[0], rtol=0,
                            atol=1e-3 * abs(expected).max())
        rgb, = self.colorizer.colorize_batch(grey[:1])
        eq_(rgb.shape, (30, 60, 3))

    def test_scores_are_those_of_the_enlarged_prediction(self):
        images = np.array([read_rgb(path, 24) for path in
                           find_images(tiny.PHOTOS)])
        found = list(predict_images(self.colorizer.predict_chroma, images,
                                    batch_size=3))
        expected = self.chroma_of(np.array([luminance(rgb)
                                            for rgb in images]))
        for (rgb, chroma), image, small in zip(found, images, expected):
            assert_array_equal(rgb, image)
            assert_allclose(chroma, enlarge_chroma(
                small.astype('float32'), (24, 24)), rtol=0,
                atol=1e-3 * abs(small).max())

    def test_other_options_are_no_start(self):
        for setting in ('output_stride=2', 'global_features=8', 'context=0'):
            config = load_config(overrides=VARIANT + [
                'network.' + setting, 'training.start_from=%s' % self.path])
            # The refusal comes before anything is done with the network.
            tiny.check_error(lambda: start_from(self.net, config),
                             'network.' + setting.split('=')[0],
                             'cannot start from it')
        config = load_config(overrides=VARIANT + [
            'training.start_from=%s' % self.path])
        other = build_pretrained(config)
        start_from(other, config)
        check_same_values(values_of(other), values_of(self.net))


def test_networks_of_older_versions_get_the_defaults():
    path = path_of('old.h5')
    shutil.copy(saved, path)
    with h5py.File(path, 'r+') as file:
        stored = json.loads(file.attrs['config'])
        del stored['data']['proportions']
        for name in 'output_stride', 'global_features', 'context':
            del stored['network'][name]
        file.attrs['config'] = json.dumps(stored)
    loaded, loaded_config, _ = load_network(path)
    eq_(loaded_config, config)
    check_same_values(values_of(loaded), values_of(net))


def test_colorizer_of_a_classification_network():
    def stand_in(loaded, loaded_config):
        folded = fold_batch_norm({'/'.join(key): value for key, value
                                  in values_of(net).items()})
        got = {'/'.join(key): value
               for key, value in values_of(loaded).items()}
        eq_(set(got), set(folded))
        for name, value in got.items():
            assert_allclose(value, folded[name], rtol=1e-6)
        return predict
    # The network is compiled already.
    from colornet.network import saved as module
    compiled, module.compile_prediction = compile_prediction, stand_in
    try:
        colorizer = load_colorizer(saved)
    finally:
        module.compile_prediction = compiled
    eq_((colorizer.size, colorizer.color_space), (SIZE, 'luv'))
    assert_is(type(colorizer), Colorizer)
    photo = read_rgb(find_images(tiny.PHOTOS)[0], 40)
    rgb = colorizer.colorize(photo)
    eq_(rgb.shape, (40, 40, 3))
    ok_(abs(luminance(rgb) - luminance(photo)).mean() < 15)
    ok_(np.ptp(rgb, axis=-1).max() > 0.1, 'no colour')


def test_colorizers_of_several_decodings_share_a_pass():
    seen = []

    def stand_in(loaded, loaded_config, decodings):
        def predict(luminance):
            seen.append(luminance)
            return [np.stack([luminance * options['saturation'],
                              luminance * 0], axis=-1)
                    for options in decodings]
        return predict
    with mock.patch('colornet.network.saved.compile_decodings', stand_in):
        double, half = load_colorizers(saved, decodings=[
            ['decoding.saturation=2'], ['decoding.saturation=0.5']])
    photos = [read_rgb(path, 40) for path in
              find_images(tiny.PHOTOS)[:2]]
    for number, photo in enumerate(photos, 1):
        chromas = [colorizer.predict([photo])[0]
                   for colorizer in (double, half)]
        eq_(len(seen), number)
        for chroma, factor in zip(chromas, (2, 0.5)):
            assert_allclose(chroma[..., 0], factor * seen[-1][0], rtol=1e-6)
    ok_(abs(seen[0] - seen[1]).max() > 1)
    # An earlier photo once more.
    double.predict(photos[:1])
    eq_(len(seen), 3)


def test_loading_a_whole_network_draws_no_random_numbers():
    random = np.random.RandomState(0)
    lasagne.random.set_rng(random)
    net, _, _ = load_network(ROOT / 'weights' / 'everyday.h5')
    ok_(lasagne.random.get_rng() is random)
    eq_(random.randint(1 << 30), np.random.RandomState(0).randint(1 << 30))
    ok_(all(np.isfinite(variable.get_value(borrow=True)).all()
            for variable in all_parameters(net).values()))
    ok_(abs(net['conv1_1'].W.get_value()).max() > 0.1)
