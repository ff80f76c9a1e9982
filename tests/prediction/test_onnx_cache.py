"""Networks that are made for ONNX Runtime once, and kept."""

import errno
import hashlib
import shutil
import tempfile
from pathlib import Path
from unittest import SkipTest, mock

import numpy as np
from nose.tools import assert_in, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.engine.available import missing_onnx
from colornet.prediction import onnx_cache
from colornet.prediction.onnx import export_onnx
from colornet.prediction.onnx_cache import load_for_onnx_runtime
from colornet.prediction.onnx_runtime import load_onnx
from tests import tiny
from tests.cli.commands import run
from tests.inventing import save_invented
from tests.tiny import check_error

ARGMAX = ['decoding.method=argmax']
LIVELY = ['decoding.saturation=1.5', 'decoding.temperature=0.5']
SMOOTH = ARGMAX + ['decoding.smoothing=1']
REGRESSION = ['data.size=16', 'network.kind=regression', 'objective.loss=l2',
              'network.batch_norm=no']


def photos():
    return np.random.RandomState(0).uniform(0, 100, (3, 16, 24)).astype(
        'float32')


class TestCache:
    """In a folder of its own."""

    def setup(self):
        if missing_onnx():
            raise SkipTest(missing_onnx())
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        tiny.use_own_cache(self.folder)
        self.network = self.folder / 'network.h5'
        self.config = save_invented(self.network)

    setup_method = setup

    def teardown(self):
        tiny.use_users_cache()
        self.temporary.cleanup()

    teardown_method = teardown

    def kept(self):
        """The graphs of networks, without those of decodings."""
        return sorted(path for path in (self.folder / 'cache/onnx').glob('*')
                      if path.stat().st_size > 1e5)

    def predict(self, *decodings, network=None, vgg_weights=None):
        predict, _, _ = load_for_onnx_runtime(
            network or self.network, vgg_weights, decodings or ((),))
        return predict(photos())

    def exported(self, decoding=(), name='exported.onnx'):
        path = self.folder / name
        export_onnx(self.network, path, decoding=decoding)
        return path

    def test_it_predicts_what_an_exported_file_does(self):
        decodings = (), ARGMAX, LIVELY, SMOOTH
        got = self.predict(*decodings)
        eq_(len(got), 4)
        for chroma, decoding in zip(got, decodings):
            expected = load_onnx(self.exported(decoding))[0](photos())
            ok_(expected.std() > 0.01)
            assert_allclose(chroma, expected, atol=1e-4)
            eq_((chroma.shape, chroma.dtype), ((3, 16, 24, 2), np.float32))
        ok_(abs(got[0] - got[1]).max() > 1)

    def test_regression_has_no_scores(self):
        for scale in 1, 3:
            save_invented(self.network, ['network.chroma_scale=%d' % scale],
                          base=REGRESSION)
            plain, double = self.predict((), ['decoding.saturation=2'])
            assert_allclose(double, 2 * plain, rtol=1e-6)
            assert_allclose(plain, load_onnx(self.exported())[0](photos()),
                            rtol=1e-4, atol=1e-4)

    def test_what_is_loaded(self):
        _, config, attributes = load_for_onnx_runtime(self.network, None,
                                                      [ARGMAX, LIVELY])
        self.config.override_decoding(ARGMAX)
        eq_(config, self.config)
        eq_((attributes['trained_on'], attributes['epoch']), ('nothing', '3'))

    def test_later_starts_make_nothing(self):
        first, = self.predict(LIVELY)
        eq_(len(self.kept()), 1)
        with mock.patch.object(onnx_cache, '_write',
                               side_effect=AssertionError), \
                mock.patch.dict('sys.modules', onnx=None), \
                mock.patch.object(onnx_cache, 'missing_onnx', lambda: ''):
            again, = self.predict(LIVELY)
        assert_array_equal(again, first)

    def test_one_graph_for_all_decodings(self):
        for decoding in (), ARGMAX, LIVELY:
            self.predict(decoding)
        eq_(len(self.kept()), 1)

    def test_other_files_are_other_networks(self):
        first, = self.predict()
        save_invented(self.network, seed=1)
        second, = self.predict()
        eq_(len(self.kept()), 2)
        ok_(abs(second - first).max() > 0.1)
        # The same weights in another file: nothing is read after a pickle.
        vgg_weights = self.folder / 'vgg16.pkl'
        vgg_weights.write_bytes(tiny.VGG16_FILE.read_bytes() + b'\n')
        third, = self.predict(vgg_weights=vgg_weights)
        eq_(len(self.kept()), 3)
        assert_array_equal(third, second)

    def test_other_code_makes_it_anew(self):
        self.predict()
        source = self.folder / 'onnx.py'
        source.write_text('another')
        with mock.patch.object(onnx_cache, 'SOURCES', [source]):
            self.predict()
        eq_(len(self.kept()), 2)

    def test_damaged_files_are_made_again(self):
        first, = self.predict()
        path, = self.kept()
        content = path.read_bytes()
        for damaged in (content[:-1], b'', b'<html>', content[:99999] +
                        bytes([content[99999] ^ 1]) + content[100000:]):
            path.write_bytes(damaged)
            assert_array_equal(self.predict()[0], first)
            eq_(hashlib.sha256(path.read_bytes()).digest(),
                hashlib.sha256(content).digest())

    def test_where_nothing_can_be_written(self):
        expected, = self.predict()
        (self.folder / 'cache').rename(self.folder / 'moved')
        (self.folder / 'cache').write_text('no folder')
        assert_array_equal(self.predict()[0], expected)
        eq_((self.folder / 'cache').read_text(), 'no folder')
        with mock.patch.object(onnx_cache, 'cache_folder',
                               side_effect=RuntimeError):
            assert_array_equal(self.predict()[0], expected)

    def test_who_has_chosen_a_folder_is_told_that_it_cannot_be_used(self):
        cache = self.folder / 'cache'
        arguments = ['colorize', tiny.PHOTOS, '--engine=onnx', '--network',
                     self.network, '--colour=replace', '-o']

        def notes(*more):
            out = tempfile.mkdtemp(dir=str(self.folder))
            with mock.patch.dict('os.environ', COLORNET_CACHE=str(cache)):
                status, _, err = run(*arguments, out, *more)
            eq_(status, 0, err)
            return [line for line in err.splitlines()
                    if 'COLORNET_CACHE' in line]
        eq_(notes(), [])
        # What is there is of use, wherever nothing more can be written.
        with mock.patch.object(onnx_cache, 'replacing', side_effect=OSError(
                errno.EROFS, 'Read-only file system')):
            eq_(notes(), [])
        shutil.rmtree(str(cache))
        cache.write_text('no folder')
        line, = notes()
        assert_in('note: the cache %s cannot be used: not a directory; '
                  % cache, line)
        # Nobody has chosen that of all who say nothing.
        onnx_cache._tell_unusable.cache_clear()
        with mock.patch.object(onnx_cache, 'chose_cache', lambda: False):
            eq_(notes(), [])

    def test_what_was_not_used_for_longest_goes(self):
        self.predict()
        first, = self.kept()
        save_invented(self.network, seed=1)
        with mock.patch.object(onnx_cache, 'MAX_BYTES',
                               1.5 * first.stat().st_size):
            self.predict()
        second, = self.kept()
        ok_(second != first)

    def test_an_exported_file_with_its_own_decoding(self):
        path = self.exported(LIVELY)
        expected, = self.predict(LIVELY)
        for decoding in (), LIVELY:
            got, = self.predict(decoding, network=path)
            assert_allclose(got, expected, atol=1e-4)
        eq_(len(self.kept()), 1)

    def test_an_exported_file_with_other_decodings(self):
        path = self.exported(SMOOTH)
        decodings = ['decoding.smoothing=0'], LIVELY + [
            'decoding.smoothing=0', 'decoding.method=mean']
        expected = self.predict(ARGMAX, LIVELY)
        for _ in 'made', 'kept':
            got = self.predict(*decodings, network=path)
            for chroma, other in zip(got, expected):
                assert_allclose(chroma, other, atol=1e-4)
        eq_(len(self.kept()), 2)

    def test_what_is_wrong(self):
        path = self.exported()
        for arguments, words in (
                ((self.folder / 'none.h5',), 'none.h5 does not exist'),
                ((self.folder / 'none.onnx',), 'none.onnx does not exist'),
                ((tiny.VGG16_FILE,), 'is no HDF5 file'),
                ((self.network, self.folder / 'none.pkl'), 'none.pkl'),
                ((self.network, self.network), 'not a Keras VGG16 file'),
                ((path, tiny.VGG16_FILE), 'VGG16 is in it'),
                ((self.network, None, [['data.size=8']]),
                 'takes decoding.key=value and refinement.key=value only'),
                ((path, None, [['decoding.method=none']]), 'decoding.method')):
            check_error(lambda: load_for_onnx_runtime(*arguments), words)

    def test_without_the_packages(self):
        for package in 'onnx', 'onnxruntime':
            with mock.patch.dict('sys.modules', {package: None}):
                check_error(self.predict, 'needs the package ' + package)


def test_the_folder_is_named():
    with tempfile.TemporaryDirectory() as folder:
        tiny.use_own_cache(folder)
        try:
            eq_(onnx_cache._folder(), Path(folder) / 'cache' / 'onnx')
        finally:
            tiny.use_users_cache()
    for name in 'onnx_cache.py', 'defaults.ini':
        assert_in(name, [path.name for path in onnx_cache.SOURCES])
