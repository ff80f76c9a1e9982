"""Compiled functions that outlive the process that compiled them."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import TestCase, mock

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_in, eq_
from numpy.testing import assert_array_equal

from colornet.engine import function_cache
from colornet.engine.backend import T, theano
from colornet.engine.function_cache import load_or_compile
from colornet.engine.switches import without
from tests import tiny

#: Of the files, which lie among the user's.
NAME = 'test_%d' % os.getpid()


def files():
    return sorted(Path(theano.config.compiledir).glob('colornet_%s_*' % NAME))


def shared(value):
    return theano.shared(np.full((3, 2), value, 'float32'), 'weights')


class TestLoadOrCompile:

    def setup(self):
        self.num_compiled = 0
        self.weights = shared(2)

    setup_method = setup

    def teardown(self):
        for path in files():
            path.unlink()

    teardown_method = teardown

    def check(self, num_compiled, weights=None, constant=(1, 2),
              description='x'):
        """Compute, and count how often that took a compilation."""
        weights = self.weights if weights is None else weights

        def compile():
            self.num_compiled += 1
            matrix = T.fmatrix()
            return theano.function([matrix], T.dot(matrix, weights) +
                                   np.float32(constant))
        function = load_or_compile(NAME, description, {'weights': weights},
                                   compile)
        str(function.maker.fgraph)  # Theano's error messages need it.
        inputs = np.float32([[1, 2, 3], [4, 5, 6]])
        assert_array_equal(function(inputs), inputs.dot(
            weights.get_value()) + np.float32(constant))
        eq_(self.num_compiled, num_compiled)

    def test_a_function_is_compiled_once(self):
        self.check(1)
        self.check(1)
        eq_(len(files()), 1)

    def test_parameters_are_not_stored(self):
        self.check(1)
        self.check(1, shared(7))
        self.weights.set_value(np.ones((3, 2), 'float32'))
        self.check(1)

    def test_another_graph(self):
        self.check(1)
        self.check(2, description='y')
        self.check(2)
        self.check(3, theano.shared(np.ones((3, 4), 'float32')), (1, 2, 3, 4))
        self.check(3)

    def test_old_files_are_replaced(self):
        self.check(1)
        with mock.patch.object(function_cache, '__version__', '0.0'):
            self.check(2)
            self.check(2)
        with without('winograd'):
            self.check(3)
        with theano.configparser.change_flags(optimizer='fast_compile'):
            self.check(4)
        eq_(len(files()), 1)

    def test_the_number_of_threads_decides_nothing(self):
        self.check(1)
        with mock.patch.dict(os.environ, OMP_NUM_THREADS='7'):
            self.check(1)

    def test_damaged_files_are_replaced(self):
        self.check(1)
        path, = files()
        content = path.read_bytes()
        for number, damaged in enumerate((
                b'', content[:40], content[:64], content[:128],
                content[:-100], content[:128] + b'\x80\x04N.',
                content[:200] + bytes(300) + content[500:]), 2):
            path.write_bytes(damaged)
            self.check(number)
            self.check(number)

    def test_a_file_of_somebody_else_is_not_read(self):
        self.check(1)
        with mock.patch('os.geteuid', lambda: os.getuid() + 1):
            self.check(2)
        files()[0].chmod(0o666)
        self.check(3)
        self.check(3)

    def test_a_folder_that_cannot_be_written(self):
        with mock.patch.object(function_cache, 'replacing',
                               side_effect=PermissionError(13, 'no')):
            self.check(1)
            self.check_log('cannot write', 2)
        eq_(files(), [])

    def check_log(self, words, num_compiled):
        """What goes wrong is found by whoever asks."""
        with TestCase().assertLogs(function_cache.__name__, 'DEBUG') as logs:
            self.check(num_compiled)
        for line in logs.output:
            assert_in(words, line)
            assert_in('Traceback', line)

    def test_failures_are_logged(self):
        with mock.patch.object(function_cache, '_cache_key',
                               side_effect=ValueError('a strange flag')):
            self.check_log('no key', 1)
        eq_(files(), [])
        self.check(2)
        with mock.patch.object(function_cache, '_put_together',
                               side_effect=KeyError):
            self.check_log('cannot read', 3)

    def test_nothing_is_logged_where_it_works(self):
        with mock.patch.object(function_cache.logger, 'debug') as debug:
            self.check(1)
            self.check(1)
        eq_(debug.call_count, 0)

    def test_values_that_the_key_does_not_know_are_not_stored(self):
        many = np.arange(2000).reshape(1000, 2)
        compiled = theano.function([], T.constant(many))
        function_cache._store(
            Path(theano.config.compiledir, 'colornet_%s_0' % NAME), 'key', {},
            compiled)
        other = theano.function([], self.weights * 2)
        function_cache._store(
            Path(theano.config.compiledir, 'colornet_%s_0' % NAME), 'key', {},
            other)
        eq_(files(), [])


# Starts Python anew, with another seed for its hashes of strings.
def run(code, seed, root=tiny.ROOT):
    return subprocess.check_output(
        [sys.executable, '-c', code], cwd=str(root),
        env=dict(os.environ, PYTHONHASHSEED=str(seed)),
        universal_newlines=True).split()


def test_the_second_start_compiles_nothing():
    check_second_start([])


@attr('slow')
def test_nor_that_of_other_networks():
    check_second_start(['network.kind=regression', 'objective.loss=l2'])
    check_second_start(['network.aggregation=sum',
                        'network.residual_units=no'])
    check_second_start(['data.proportions=keep', 'network.output_stride=4',
                        'network.global_features=8', 'network.context=2'])


def check_second_start(options):
    """It compiles neither graph nor C++."""
    with tempfile.TemporaryDirectory() as folder:
        code = '''if True:
            import numpy as np
            from colornet.config import load_config
            from colornet.engine.backend import theano
            from colornet.network import saved
            config = load_config(None, ['data.size=16'] + %r)
            net = saved.build_pretrained(config)
            def count(*arguments, **options):
                print('compiled')
                return function(*arguments, **options)
            function, theano.function = theano.function, count
            run = saved.compile_prediction(net, config)
            np.save(%r, run(np.linspace(
                0, 100, 256, dtype='float32').reshape(1, 16, 16)))
            # Hits, loads, compilations.
            print(theano.gof.cc.get_module_cache().stats[2])
            '''
        names = [os.path.join(folder, '%d.npy' % number) for number in (1, 2)]
        outputs = [run(code % (options, name), seed)
                   for seed, name in enumerate(names, 1)]
        eq_(outputs[1], ['0'], options)
        assert_array_equal(*map(np.load, names))


def test_every_source_and_every_speedup_decides():
    code = '''if True:
        import theano
        from %s import load_or_compile
        def compile():
            print('compiled')
            return theano.function([], theano.tensor.constant(1))
        load_or_compile(%r, 'x', {}, compile)
        ''' % (function_cache.__name__, NAME)
    with tempfile.TemporaryDirectory() as root:
        package = Path(shutil.copytree(
            str(tiny.ROOT / 'colornet'), os.path.join(root, 'colornet')))
        (package / 'wing' / 'room').mkdir(parents=True)
        (package / 'wing' / 'room' / 'errors.py').write_text('')
        folders = {path.parent: path for path in
                   sorted(package.rglob('*.py')) + sorted(
                       package.rglob('*.cpp'))}
        try:
            eq_(run(code, 1, root), ['compiled'])
            eq_(run(code, 2, root), [])
            for path in folders.values():
                with path.open('a') as stream:
                    stream.write('\n')
                eq_(run(code, 1, root), ['compiled'], path)
            with mock.patch.dict(os.environ, {'COLORNET_WITHOUT': 'winograd'}):
                eq_(run(code, 1, root), ['compiled'])
                eq_(run(code, 2, root), [])
        finally:
            for path in files():
                path.unlink()


def test_scipy_stats_is_there_when_it_is_needed():
    output = run('''if True:
        import sys
        from colornet.engine.backend import theano
        print('scipy.stats' in sys.modules)
        import scipy.stats
        print(scipy.stats.chi2.sf(0, 1))
        x = theano.tensor.dscalar()
        print(theano.tensor.chi2sf(x, 1.).eval({x: 0.}))''', 0)
    eq_(output, ['False', '1.0', '1.0'])
