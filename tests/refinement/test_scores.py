"""Scores that are kept, against both engines and against scipy."""

import tempfile
from pathlib import Path
from unittest import SkipTest

import numpy as np
import scipy.ndimage
from nose.tools import assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.color import get_color_space, unbin_channel
from colornet.engine.available import missing_onnx, missing_theano
from colornet.network.stored import with_decodings
from colornet.prediction.engines import load_outputs, load_prediction
from colornet.prediction.onnx import export_onnx
from colornet.refinement.scores import decode_scores, keep_scores, num_bytes
from colornet.resources import DEFAULT_NETWORK, find_resource
from tests import tiny
from tests.inventing import save_invented

RNG = np.random.RandomState(0)
LIMITS = -100., 100.
DECODINGS = [
    (), ['decoding.method=argmax'], ['decoding.temperature=0.38'],
    ['decoding.temperature=0.05', 'decoding.saturation=0.5'],
    ['decoding.temperature=3'], ['decoding.smoothing=1.5'],
    ['decoding.method=argmax', 'decoding.smoothing=1']]
REGRESSION = ['data.size=16', 'network.kind=regression', 'objective.loss=l2',
              'network.batch_norm=no', 'network.chroma_scale=3']


def setup_module():
    global folder
    folder = tempfile.TemporaryDirectory()
    tiny.use_own_cache(folder.name)


def teardown_module():
    tiny.use_users_cache()
    folder.cleanup()


def need(engine):
    reason = missing_theano() if engine == 'theano' else missing_onnx()
    if reason:
        raise SkipTest(reason)


def luminance(rows=16, columns=24, batch=2):
    return RNG.uniform(0, 100, (batch, rows, columns)).astype(np.float32)


def check_decodings(engine, network, decodings, images, tolerance=0.02):
    """What is kept and decoded is what the engine decodes itself."""
    need(engine)
    outputs, config, _ = load_outputs(network, engine=engine)
    kept = keep_scores(outputs(images))
    eq_(len(kept), len(images))
    predict, _, _ = load_prediction(network, None, decodings, engine)
    limits = get_color_space(config.network['color_space']).limits
    for changed, expected in zip(with_decodings(config, decodings),
                                 predict(images)):
        got = np.stack([decode_scores(one, limits, **changed.decoding)
                        for one in kept])
        eq_((got.shape, got.dtype), (expected.shape, np.float32))
        ok_(expected.std() > 0.5)
        # A bin that wins by a hair may lose by one, by another's rounding.
        near = abs(got - expected) <= tolerance
        ok_(near.mean() > 0.998, (changed.decoding, near.mean()))
    return kept


def test_both_engines():
    network = Path(folder.name) / 'network.h5'
    save_invented(network)
    for engine in 'theano', 'onnx':
        yield check_decodings, engine, network, DECODINGS, luminance()


def test_the_default_network():
    network = find_resource(DEFAULT_NETWORK)
    kept = check_decodings('onnx', network, DECODINGS,
                           luminance(64, 96, 1))[0]
    eq_([scores.shape for scores in kept], [(50, 16, 24)] * 2)
    eq_(num_bytes(kept), 2 * 2 * 50 * 16 * 24)


def test_regression_keeps_its_chrominance():
    network = Path(folder.name) / 'regression.h5'
    save_invented(network, base=REGRESSION)
    for engine in 'theano', 'onnx':
        yield (check_decodings, engine, network,
               [(), ['decoding.saturation=2']], luminance(16, 16), 1e-4)


def test_exported_files():
    network = Path(folder.name) / 'to_export.h5'
    save_invented(network)
    need('onnx')
    path = Path(folder.name) / 'network.onnx'
    export_onnx(network, path, decoding=DECODINGS[2])
    images = luminance()
    outputs, config, _ = load_outputs(path)
    eq_(config.decoding['temperature'], 0.38)
    for got, expected in zip(outputs(images), load_outputs(
            network, engine='onnx')[0](images)):
        assert_allclose(got, expected, atol=1e-4)
    tiny.check_error(lambda: load_outputs(path, tiny.VGG16_FILE),
                     'VGG16 is in it')


def test_bfloat16_is_not_for_onnx_runtime():
    need('onnx')
    tiny.check_error(lambda: load_outputs(
        find_resource(DEFAULT_NETWORK), engine='onnx', bfloat16=True),
        'bfloat16 is for the engines theano and')


def random_scores(batch=1, bins=9, rows=11, columns=14):
    return [(RNG.normal(size=(batch, bins, rows, columns)) * 6 + 300).astype(
        np.float32) for _ in range(2)]


def test_what_is_kept():
    outputs = random_scores(3)
    kept = keep_scores(outputs)
    eq_(len(kept), 3)
    for number, photo in enumerate(kept):
        for array, scores in zip(photo, outputs):
            eq_(array.dtype, np.float16)
            expected = scores[number] - scores[number].max(axis=0)
            assert_allclose(array, expected, rtol=6e-4, atol=1e-7)
    far = [scores * np.float32(1e5) for scores in random_scores()]
    for array in keep_scores(far)[0]:
        ok_(np.isfinite(array).all())


def test_a_low_temperature_is_argmax():
    kept, = keep_scores(random_scores())
    best = decode_scores(kept, LIMITS)
    assert_allclose(decode_scores(kept, LIMITS, 'mean', 1e-4), best,
                    atol=1e-3)
    ok_(len(np.unique(best)) == 9)


def test_decodings_by_scipy():
    outputs = random_scores()
    kept, = keep_scores(outputs)
    means = unbin_channel(np.arange(9), 9, LIMITS)
    for deviation in 0, 1.5:
        chroma = []
        for (scores,) in outputs:
            if deviation:
                scores, ones = [scipy.ndimage.gaussian_filter(
                    maps, (0, deviation, deviation), mode='constant',
                    truncate=3) for maps in (scores.astype(float),
                                             np.ones(scores.shape))]
                scores = scores / ones
            weights = np.exp(scores - scores.max(axis=0))
            chroma.append((weights * means[:, None, None]).sum(axis=0) /
                          weights.sum(axis=0))
        got = decode_scores(kept, LIMITS, 'mean', smoothing=deviation)
        assert_allclose(got, np.stack(chroma, axis=-1), atol=0.1)


def test_saturation_is_a_factor():
    kept, = keep_scores(random_scores())
    assert_array_equal(decode_scores(kept, LIMITS, saturation=0), 0)
    assert_allclose(decode_scores(kept, LIMITS, saturation=1.5),
                    1.5 * decode_scores(kept, LIMITS))
    chroma, = keep_scores([RNG.normal(size=(1, 2, 3, 4)).astype('f4')])
    assert_allclose(decode_scores(chroma, LIMITS, saturation=2),
                    2 * np.moveaxis(chroma[0], 0, -1))
    assert_raises(ValueError, decode_scores, kept, LIMITS, 'mode')
