"""Trained networks: their files, and what is predicted from them."""

import json
import os
import pickle
import shutil
from pathlib import Path

import h5py
import numpy as np
from nose.tools import assert_in, assert_not_in, assert_raises, eq_, ok_
from numpy.testing import assert_array_equal

from colornet.color import unbin_channel
from colornet.config import load_config
from colornet.engine.backend import lasagne
from colornet.errors import ColornetError
from colornet.network.networks import all_parameters, decoder_parameters
from colornet.network.saved import (build_pretrained, learned_parameters,
                                    load_network, save_network)
from colornet.network.vgg16 import VGG16_LAYERS, load_vgg16_weights
from tests import tiny
from tests.networks import (SIZE, TINY, SavedNetwork, check_same_values,
                            stored_names, values_of)


def setup_module():
    global saved
    saved = SavedNetwork()


def teardown_module():
    saved.remove()


def test_networks_start_from_vgg16():
    for name, (W, b) in load_vgg16_weights(tiny.VGG16_FILE).items():
        assert_array_equal(saved.net[name].W.get_value()[:, :, ::-1, ::-1], W)
        assert_array_equal(saved.net[name].b.get_value(), b)


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
    with open(tiny.VGG16_FILE, 'rb') as stream:
        content = pickle.load(stream)
    content['param values'][1][:] = 0.25
    path = saved.path_of('other.pkl')
    with open(path, 'wb') as stream:
        pickle.dump(content, stream, 4)
    other = build_pretrained(saved.config, path)
    assert_array_equal(other['conv1_1'].b.get_value(), np.full(64, 0.25))
    loaded, _, _ = load_network(saved.path, path)
    assert_array_equal(loaded['conv1_1'].b.get_value(), np.full(64, 0.25))
    missing = saved.path_of('none.pkl')
    for function in (lambda: build_pretrained(saved.config, missing),
                     lambda: load_network(saved.path, missing)):
        with assert_raises(ColornetError) as raised:
            function()
        assert_in('none.pkl', str(raised.exception))


def test_a_saved_network_comes_back():
    loaded, loaded_config, attributes = load_network(saved.path)
    check_same_values(values_of(loaded), values_of(saved.net))
    eq_(loaded_config, saved.config)
    eq_((attributes['trained_on'], attributes['epoch']), ('nothing', 3))
    eq_(os.listdir(saved.folder).count('network.h5'), 1)


def test_a_file_holds_the_decoder_alone():
    eq_(stored_names(saved.path),
        {'/'.join(key) for key in decoder_parameters(saved.net)})
    eq_(learned_parameters(saved.net, saved.config),
        decoder_parameters(saved.net))


def test_fine_tuned_networks_keep_their_vgg16():
    tuned = load_config(overrides=TINY + ['network.fine_tune=yes'])
    network = build_pretrained(tuned)
    eq_(learned_parameters(network, tuned), all_parameters(network))
    shape = network['conv3_2'].W.get_value().shape
    network['conv3_2'].W.set_value(np.full(shape, 0.5, 'float32'))
    network['conv4_3'].b.set_value(np.full(512, -0.5, 'float32'))
    path = saved.path_of('tuned.h5')
    save_network(path, network, tuned, {})
    eq_(stored_names(path), {'/'.join(key) for key in all_parameters(network)})
    loaded, loaded_config, _ = load_network(path)
    ok_(loaded_config.network['fine_tune'])
    check_same_values(values_of(loaded), values_of(network))


def test_float16_halves_the_file():
    path = saved.path_of('half.h5')
    save_network(path, saved.net, saved.config, {}, np.float16)
    loaded, _, _ = load_network(path)
    expected = values_of(saved.net)
    for key in decoder_parameters(saved.net):
        # The variance of VGG16's maps is beyond float16's range.
        if expected[key].max() < 65504:
            expected[key] = expected[key].astype('float16').astype('float32')
    ok_(expected['conv3_3_bn', 'variance'].max() > 65504)
    check_same_values(values_of(loaded), expected)
    ok_(os.path.getsize(path) < 0.75 * os.path.getsize(saved.path))


def test_saving_where_nothing_can_be_written():
    Path(saved.path_of('nowhere.txt')).write_text('a file')
    with assert_raises(ColornetError) as raised:
        save_network(saved.path_of('nowhere.txt/network.h5'), saved.net,
                     saved.config, {})
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
    path = saved.path_of('other.h5')
    whole = Path(saved.path).read_bytes()
    for content in b'', b'<html>404</html>', whole[:5000], whole[:-1000]:
        Path(path).write_bytes(content)
        error_of(path)
    error_of(tiny.VGG16_FILE)
    error_of(saved.folder)
    assert_in('does not exist', error_of(saved.path_of('missing.h5')))
    with h5py.File(path, 'w') as file:
        file['model_weights/block1_conv1/kernel'] = np.zeros(3)
    assert_in('parameters', error_of(path))


def error_after(change):
    """The refusal of a saved network after changing the file."""
    path = saved.path_of('changed.h5')
    shutil.copy(saved.path, path)
    with tiny.editing(path) as file:
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


def check_same_chroma(got, expected):
    # Rounding may decide between two equal scores.
    ok_((abs(got - expected) < 1e-4).mean() > 0.998)


def test_prediction_is_the_best_bin_of_each_pixel():
    expected = np.stack([unbin_channel(channel.argmax(1), 6)
                         for channel in saved.scores(saved.inputs)], axis=-1)
    ok_(len(np.unique(expected)) > 4, 'too dull to tell')
    chroma = saved.predict(saved.photos)
    eq_((chroma.shape, chroma.dtype), ((4, SIZE, SIZE, 2), np.float32))
    check_same_chroma(chroma, expected)


def test_prediction_of_a_photo_does_not_depend_on_the_others():
    chroma = saved.predict(saved.photos)
    for number, photo in enumerate(saved.photos):
        check_same_chroma(saved.predict(photo[np.newaxis])[0], chroma[number])
    check_same_chroma(saved.predict(saved.photos[::-1]), chroma[::-1])


def test_prediction_uses_the_running_averages():
    before = saved.predict(saved.photos)
    mean = saved.net['tail1_bn'].mean
    value = mean.get_value()
    mean.set_value(value - 3 * np.arange(7, dtype='float32'))
    try:
        ok_((saved.predict(saved.photos) != before).mean() > 0.05)
    finally:
        mean.set_value(value)


def test_networks_of_older_versions_get_the_defaults():
    path = saved.path_of('old.h5')
    shutil.copy(saved.path, path)
    with tiny.editing(path) as file:
        stored = json.loads(file.attrs['config'])
        del stored['data']['proportions']
        for name in 'output_stride', 'global_features', 'context':
            del stored['network'][name]
        file.attrs['config'] = json.dumps(stored)
    loaded, loaded_config, _ = load_network(path)
    eq_(loaded_config, saved.config)
    check_same_values(values_of(loaded), values_of(saved.net))


def test_loading_a_whole_network_draws_no_random_numbers():
    random = np.random.RandomState(0)
    lasagne.random.set_rng(random)
    net, _, _ = load_network(tiny.ROOT / 'weights' / 'everyday.h5')
    ok_(lasagne.random.get_rng() is random)
    eq_(random.randint(1 << 30), np.random.RandomState(0).randint(1 << 30))
    ok_(all(np.isfinite(variable.get_value(borrow=True)).all()
            for variable in all_parameters(net).values()))
    ok_(abs(net['conv1_1'].W.get_value()).max() > 0.1)
