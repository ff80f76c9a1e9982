"""What is offered in Python: networks that colour photos."""

import threading
import time
from pathlib import Path
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_is, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

import colornet
from colornet import api
from colornet.api import load_colorizer, load_colorizers
from colornet.color import luminance, unbin_channel
from colornet.config import load_config
from colornet.engine.backend import T, lasagne, theano
from colornet.engine.switches import SPEEDUPS, without
from colornet.evaluation.predictions import predict_images
from colornet.network.networks import output_layers
from colornet.network.saved import build_pretrained, load_network, save_network
from colornet.network.stored import fold_batch_norm
from colornet.photos.colorizer import Colorizer
from colornet.photos.finding import find_images
from colornet.photos.pixels import resize
from colornet.photos.prints import stretch_tones
from colornet.photos.reading import read_rgb
from colornet.scaling import enlarge_chroma
from tests import tiny
from tests.networks import (MEAN_BGR, SIZE, VARIANT, SavedNetwork,
                            check_same_values, randomize, stored_names,
                            values_of)

REGRESSION = ['data.size=16', 'network.kind=regression', 'objective.loss=l2',
              'network.color_space=hsv', 'network.chroma_scale=0.5']


def setup_module():
    global saved
    saved = SavedNetwork()


def teardown_module():
    saved.remove()


def test_what_the_package_offers():
    assert_is(colornet.load_colorizer, load_colorizer)
    assert_is(colornet.Colorizer, Colorizer)
    assert_is(colornet.colorize, api.colorize)


def test_a_network_is_loaded_once():
    def load(network, vgg, decoding, engine, bfloat16, device):
        seen.append((network, decoding, engine))
        return Colorizer(lambda luminance: np.zeros(luminance.shape + (2,),
                                                    np.float32), 8)
    seen, grey = [], np.full((9, 9), 99, np.uint8)
    api._kept_colorizer.cache_clear()
    try:
        with mock.patch.object(api, 'load_colorizer', load):
            for engine in None, None, 'onnx', None:
                rgb = colornet.colorize(grey, engine=engine, colour='blend')
                eq_((rgb.shape, rgb.dtype), ((9, 9, 3), np.uint8))
            first, second = colornet.colorize([grey, grey / 255.], 'a.h5',
                                              ['saturation=2'])
            eq_((first.dtype, second.dtype), (np.uint8, np.float64))
    finally:
        api._kept_colorizer.cache_clear()
    eq_(seen, [(None, (), None), (None, (), 'onnx'),
               ('a.h5', ('saturation=2',), None)])


def test_what_is_no_path_is_refused():
    for name, given in (('network', 3), ('network', ['a.h5']),
                        ('network', b'a.h5'), ('vgg', 7), ('vgg', 0)):
        for call in (load_colorizer, load_colorizers,
                     lambda **given: colornet.colorize(b'', **given)):
            tiny.check_error(lambda: call(**{name: given}),
                             '%s must be a path, not %r' % (name, given))


def test_threads_take_turns():
    running, most = [], []

    def predict(luminance):
        running.append(1)
        most.append(len(running))
        time.sleep(0.01)
        running.pop()
        return [luminance + 1, luminance + 2]
    for count in 1, 2:
        functions = api._share_passes(predict, count)
        results = {}

        def work(number):
            results[number] = functions[number % count](np.full(3, number))
        threads = [threading.Thread(target=work, args=[number])
                   for number in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        eq_(set(most), {1})
        for number, result in results.items():
            assert_array_equal(result, np.full(3, number) + 1 +
                               number % count)


def test_colorizer_of_a_saved_network():
    hsv = load_config(overrides=REGRESSION)
    network = build_pretrained(hsv)
    randomize(network, 2)
    network['unit3_conv'].b.set_value(np.float32([0.3, 1.2]))
    path = saved.path_of('regression.h5')
    save_network(path, network, hsv, {})
    colorizer = load_colorizer(path)
    eq_((colorizer.size, colorizer.color_space), (SIZE, 'hsv'))

    # Value in [0, 1] is the luminance of HSV.
    chroma = colorizer.predict_chroma(saved.photos / 100)
    expected = lasagne.layers.get_output(
        network['chroma'], saved.inputs, deterministic=True).eval()
    assert_allclose(chroma, np.moveaxis(expected, 1, -1), rtol=1e-3,
                    atol=1e-4 * abs(expected).max())

    grey = np.random.RandomState(0).randint(0, 256, (20, 33)).astype('uint8')
    rgb = colorizer.colorize(grey)
    eq_((rgb.shape, rgb.dtype), ((20, 33, 3), np.float32))
    ok_(rgb.min() >= 0 and rgb.max() <= 1)
    # HSV's value is the largest of red, green and blue.
    assert_allclose(rgb.max(-1), grey / 255, atol=1e-5)
    ok_((np.ptp(rgb, axis=-1) > 0.01).any(), 'no colour')


def test_a_run_folder_is_a_network():
    run = Path(saved.path_of('a run'))
    run.mkdir()
    save_network(run / 'best.h5', saved.net, saved.config, {})
    eq_(load_colorizer(run).size, SIZE)


class TestVariant:
    """A network of all options, saved and loaded again."""

    @classmethod
    def setup_class(cls):
        cls.config = load_config(overrides=VARIANT)
        cls.net = build_pretrained(cls.config)
        randomize(cls.net, 3)
        cls.path = saved.path_of('variant.h5')
        save_network(cls.path, cls.net, cls.config, {'trained_on': 'nothing'})
        cls.colorizer = load_colorizer(cls.path)

    def chroma_of(self, light):
        """From the network as it was trained, without speed-ups."""
        with without(*SPEEDUPS):
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
        got = self.colorizer.refined('none').predict(grey)
        eq_([chroma.shape for chroma in got],
            [(6, 12, 2), (12, 6, 2), (6, 6, 2), (6, 12, 2)])
        for chroma, photo, shape in zip(got, grey, [
                (24, 48), (48, 24), (24, 24), (24, 48)]):
            # Their tones are few: all are seen with those of others.
            expected = self.chroma_of(stretch_tones(
                luminance(resize(photo, shape)))[None])
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


def test_colorizer_of_a_classification_network():
    def stand_in(loaded, loaded_config, decodings):
        eq_(decodings, [saved.config.decoding])
        folded = fold_batch_norm({'/'.join(key): value for key, value
                                  in values_of(saved.net).items()})
        got = {'/'.join(key): value
               for key, value in values_of(loaded).items()}
        eq_(set(got), set(folded))
        for name, value in got.items():
            assert_allclose(value, folded[name], rtol=1e-6)
        return lambda luminance: [saved.predict(luminance)]
    # The network is compiled already.
    with mock.patch('colornet.network.saved.compile_decodings', stand_in):
        colorizer = load_colorizer(saved.path)
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
        double, half = load_colorizers(saved.path, decodings=[
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
