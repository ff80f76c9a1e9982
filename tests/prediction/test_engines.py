"""All engines: the same pixels, the same errors."""

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import SkipTest, mock

import numpy as np
from nose.tools import assert_in, assert_not_in, assert_raises, eq_, ok_
from numpy.testing import assert_allclose

from colornet.api import load_colorizer, load_colorizers
from colornet.engine.available import missing_onnx, missing_theano
from colornet.errors import ColornetError
from colornet.photos.finding import find_images
from colornet.photos.reading import read_photo
from colornet.prediction.engines import (load_configuration, load_outputs,
                                         load_prediction)
from colornet.prediction.onnx import export_onnx
from colornet.resources import DEFAULT_NETWORK, find_resource, weights_file
from tests import tiny
from tests.inventing import save_invented

ENGINES = 'theano', 'onnx'
MEAN = 'decoding.method=mean'


def setup_module():
    global folder, network
    folder = tempfile.TemporaryDirectory()
    tiny.use_own_cache(folder.name)
    network = Path(folder.name) / 'network.h5'
    save_invented(network)


def teardown_module():
    tiny.use_users_cache()
    folder.cleanup()


def need(*missing):
    for reason in filter(None, [one() for one in missing]):
        raise SkipTest(reason)


def with_pytorch(*engines):
    """Those engines, and PyTorch where it is installed."""
    return engines + ('pytorch',) * bool(importlib.util.find_spec('torch'))


def check_same_pixels(name):
    need(missing_theano, missing_onnx)
    path = find_resource(weights_file(name))
    theano, onnx = [load_colorizer(path, engine=engine) for engine in ENGINES]
    eq_([theano.size, theano.proportions, theano.color_space],
        [onnx.size, onnx.proportions, onnx.color_space])
    for photo in find_images(tiny.PHOTOS)[:2]:
        pixels = read_photo(photo).pixels
        expected, got = [colorizer.predict([pixels])
                         for colorizer in (theano, onnx)]
        ok_((abs(got - expected) < 1e-3).mean() > 0.998)
        expected, got = [colorizer.join(pixels, chroma[0], np.uint8).astype(
            int) for colorizer, chroma in ((theano, expected), (onnx, got))]
        ok_((abs(got - expected) <= 1).all(axis=2).mean() >= 0.999)


def test_a_photo_gets_the_same_colours():
    for name in 'everyday', 'cvcl_classification':
        yield check_same_pixels, name


def test_several_decodings():
    need(missing_theano, missing_onnx)
    decodings = (), [MEAN, 'decoding.temperature=0.5'], [
        'decoding.saturation=2']
    pixels = read_photo(find_images(tiny.PHOTOS)[0]).pixels
    theano, *others = [[colorizer.predict([pixels])[0] for colorizer in
                        load_colorizers(network, None, decodings, engine)]
                       for engine in with_pytorch(*ENGINES)]
    for other in others:
        for got, expected in zip(other, theano):
            ok_(expected.std() > 0.01)
            assert_allclose(got, expected, atol=1e-2)


def test_one_pass_for_several_decodings():
    need(missing_onnx)
    pixels = read_photo(find_images(tiny.PHOTOS)[0]).pixels
    single, double = [
        colorizer.predict([pixels])[0] for colorizer in load_colorizers(
            network, None, [(), ['decoding.saturation=2']], 'onnx')]
    assert_allclose(double, 2 * single, rtol=1e-5)


def test_bfloat16_moves_colours_a_little():
    need(missing_theano)
    from colornet.engine.convolvers import bfloat16_status
    need(bfloat16_status)
    pixels = read_photo(find_images(tiny.PHOTOS)[0]).pixels
    exact, rounded = [load_colorizer(network, engine='theano',
                                     bfloat16=which).predict([pixels])
                      for which in (False, True)]
    difference = abs(rounded - exact).mean() / exact.std()
    ok_(1e-4 < difference < 0.05, difference)


def test_options_that_an_engine_does_not_take():
    need(missing_onnx)
    eq_(error_of(network, None, (), 'onnx', True),
        'bfloat16 is for the engines theano and pytorch, not onnx')
    for engine in ENGINES:
        eq_(error_of(network, None, (), engine, False, 'cuda'),
            'device is for the engine pytorch, not ' + engine)
    eq_(error_of(network, None, (), 'pytorch', False, 'tpu'),
        "device must be one of auto, cuda, mps, cpu, not 'tpu'")


def test_an_onnx_file_is_a_network():
    need(missing_onnx)
    path = Path(folder.name) / 'exported.onnx'
    export_onnx(network, path)
    config, attributes = load_configuration(path)
    eq_(config, load_configuration(network)[0])
    eq_(attributes['trained_on'], 'nothing')
    photo = np.random.RandomState(0).uniform(0, 100, (1, 16, 16)).astype('f4')
    (got,), (expected,) = [load_prediction(one, engine=engine)[0](photo)
                           for one, engine in ((path, None),
                                               (network, 'onnx'))]
    assert_allclose(got, expected, atol=1e-5)


def error_of(*arguments):
    try:
        load_colorizer(*arguments)
    except ColornetError as error:
        return str(error)
    raise AssertionError(arguments)


def test_the_same_errors():
    need(missing_theano, missing_onnx)
    here = Path(folder.name)
    (here / 'page.h5').write_text('<html>404</html>')
    for arguments in (
            (here / 'none.h5',), (here / 'page.h5',), (here,),
            (tiny.VGG16_FILE,), (network, here / 'none.pkl'),
            (network, here / 'page.h5'), (network, network),
            (network, None, ['data.size=32']),
            (network, None, ['decoding.method=none']),
            (network, None, ['decoding.temperature=-1'])):
        arguments += ((None, ()) if len(arguments) == 1 else
                      ((),) if len(arguments) == 2 else ())
        errors = [error_of(*arguments + (engine,))
                  for engine in with_pytorch(*ENGINES)]
        eq_(len(set(errors)), 1, errors)


def test_decodings_are_checked_before_an_engine_is_imported():
    loaders = ['colornet.prediction.onnx_cache.load_outputs_for_onnx_runtime',
               'colornet.prediction.onnx_cache.load_for_onnx_runtime']
    with mock.patch(loaders[0]) as outputs, mock.patch(loaders[1]) as both:
        for load, decoding in ((load_outputs, ['foo=1']),
                               (load_prediction, [[], ['foo=1']])):
            with assert_raises(ColornetError) as caught:
                load(find_resource(DEFAULT_NETWORK), None, decoding, 'onnx')
            assert_in('unknown setting decoding.foo', str(caught.exception))
        # Tables and figures are without steps: these would do nothing.
        with assert_raises(ColornetError) as caught:
            load_prediction(find_resource(DEFAULT_NETWORK), None,
                            [[], ['refinement.steps=crf']], 'onnx')
        assert_in('refinement.steps=crf', str(caught.exception))
    eq_((outputs.called, both.called), (False, False))


def test_sizes_that_no_network_takes():
    need(missing_onnx)
    pools = Path(folder.name) / 'pools.h5'
    save_invented(pools, ['network.residual_units=no',
                          'data.proportions=squash'])
    for path, divisor in (network, 8), (pools, 16):
        predict, _, _ = load_prediction(path, engine='onnx')
        predict(np.zeros((1, 16, 32), np.float32))
        for shape in (1, 16, 16 + divisor // 2), (1, 16 + divisor // 2, 16):
            tiny.check_error(lambda: predict(np.zeros(shape, np.float32)),
                             'divisible by %d, got' % divisor)


#: Colours a photo, then names the modules that it took.
COLOUR = '''
import sys
from colornet import cli
status = cli.main(sys.argv[1:])
print(status, *sys.modules)
'''


def test_onnx_runtime_reports_nothing():
    need(missing_onnx)
    home = Path(folder.name) / 'home'
    home.mkdir()
    subprocess.check_call(
        [sys.executable, '-c', 'from colornet.prediction.onnx_graph import '
         'import_package; import_package("onnxruntime")'],
        cwd=str(tiny.ROOT), env={'HOME': str(home)})
    eq_(list(home.rglob('*')), [])


def test_nothing_imports_theano():
    need(missing_onnx)
    photo = find_images(tiny.PHOTOS)[0]
    exported = Path(folder.name) / 'exported.onnx'
    export_onnx(network, exported)
    works = [(exported, 'onnx')] + [
        (network, engine) for engine in with_pytorch('onnx')]
    for number, (source, engine) in enumerate(works):
        done = subprocess.check_output(
            [sys.executable, '-c', COLOUR, 'colorize', str(photo),
             '--network', str(source), '--engine', engine, '--decoding',
             'decoding.saturation=1.2', '--colour', 'replace', '--out',
             os.path.join(folder.name, 'out%d' % number)],
            cwd=str(tiny.ROOT), universal_newlines=True).split()
        eq_(done[0], '1')  # photo
        eq_('torch' in done, engine == 'pytorch')
        for name in ('theano', 'lasagne', 'colornet.engine.backend',
                     'scipy_openblas32', 'matplotlib'):
            assert_not_in(name, done)
