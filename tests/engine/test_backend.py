"""Theano's configuration, each in a process of its own."""

import io
import json
import logging
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import types
from unittest import mock

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_in, eq_
from numpy.testing import assert_allclose

from colornet.engine.backend import (T, _gpu_problem, _set_flags,
                                     _temporary_compiledir, describe_backend,
                                     lasagne, theano)

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMPILED = theano.config.base_compiledir

PRINT_FLAGS = '''
import json
try:
    from colornet.engine.backend import describe_backend, theano
except ValueError as error:
    print(json.dumps([type(error).__name__, str(error)]))
else:
    print(json.dumps(describe_backend()))
'''

# Do matrix products and convolutions run in the BLAS that is configured?
USE_BLAS = '''
import json
import numpy as np
from colornet.engine.backend import T, theano
a, b = np.random.RandomState(0).normal(size=(2, 30, 40)).astype('float32')
x, y = T.fmatrices('xy')
product = theano.function([x, y], T.dot(x, y.T))
images, filters = T.ftensor4s('images', 'filters')
convolve = theano.function([images, filters],
                           T.nnet.conv2d(images, filters))
convolved = convolve(a[None, None], b[None, None, :2, :3])
expected = sum(b[i, j] * a[1 - i:30 - i, 2 - j:40 - j]
               for i in range(2) for j in range(3))
print(json.dumps({
    'ops': [[type(node.op).__name__ for node in
             function.maker.fgraph.toposort()]
            for function in (product, convolve)],
    'errors': [float(abs(product(a, b) - a.dot(b.T)).max()),
               float(abs(convolved - expected).max())],
    'libraries': sorted({line.split()[-1] for line in open('/proc/self/maps')
                         if 'openblas' in line})}))
'''


class TestProcesses:
    """With a home folder of its own."""

    def setup(self):
        self.home = pathlib.Path(tempfile.mkdtemp())

    def teardown(self):
        shutil.rmtree(str(self.home))

    def run(self, code=PRINT_FLAGS, theanorc=None, **environment):
        """What the code prints as JSON, in a fresh environment."""
        if theanorc is not None:
            (self.home / '.theanorc').write_bytes(theanorc)
        variables = {name: value for name, value in os.environ.items()
                     if not name.startswith(('THEANO', 'CUDA'))}
        variables.update(HOME=str(self.home), **environment)
        result = subprocess.run(
            [sys.executable, '-c', code], cwd=str(ROOT), env=variables,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert result.returncode == 0, result.stderr.decode()
        return json.loads(result.stdout.decode().splitlines()[-1])

    def refused(self, *words, **arguments):
        """The import raises one line that has the words in it."""
        got = self.run(**arguments)
        eq_(type(got), list, got)
        name, message = got
        eq_(name, 'ColornetError')
        assert '\n' not in message, message
        for word in words:
            assert_in(word, message)

    def test_defaults_and_their_blas(self):
        got = self.run()
        eq_((got['device'], got['floatX'], got['openmp']),
            ('cpu', 'float32', 'True'))
        assert_in('-lscipy_openblas', got['blas.ldflags'])
        assert_in('-Wl,-rpath,/', got['blas.ldflags'])
        assert_in('-Dsgemm_=scipy_sgemm_', got['gcc.cxxflags'])

    def test_the_device_has_a_short_name_that_flags_override(self):
        eq_(self.run(COLORNET_DEVICE='cpu')['device'], 'cpu')
        self.refused('device=cuda7', 'COLORNET_DEVICE=cpu',
                     COLORNET_DEVICE='cuda7')
        eq_(self.run(COLORNET_DEVICE='cuda7',
                     THEANO_FLAGS='device=cpu')['device'], 'cpu')

    def test_speedups_to_leave_out_are_named(self):
        code = '''if True:
            import json
            from colornet.engine import backend
            from colornet.engine.switches import SPEEDUPS, wanted
            print(json.dumps([name for name in SPEEDUPS if not wanted(name)]))
            '''
        eq_(self.run(code, COLORNET_WITHOUT=' winograd,,stack '),
            ['stack', 'winograd'])
        eq_(self.run(code, COLORNET_WITHOUT=''), [])

    def test_a_wrong_name_is_known_before_theano_optimizes(self):
        # Which catches what optimizations raise, and prints it.
        self.refused('COLORNET_WITHOUT=magic: no such speed-up', 'winograd',
                     COLORNET_WITHOUT='stack,magic')

    def test_threads(self):
        eq_(self.run(OMP_NUM_THREADS='3')['threads'], '3')
        eq_(self.run(OMP_NUM_THREADS='')['threads'],
            str(len(os.sched_getaffinity(0))))
        eq_(self.run(THEANO_FLAGS='openmp=False')['threads'], '1')

    def test_products_and_convolutions_use_the_blas(self):
        got = self.run(USE_BLAS,
                       THEANO_FLAGS='base_compiledir=%s' % COMPILED)
        product, convolve = got['ops']
        assert set(product) & {'Dot22', 'Gemm'}, product
        assert_in('CorrMM', convolve)
        assert max(got['errors']) < 1e-4, got['errors']
        assert [path for path in got['libraries']
                if 'scipy_openblas32' in path], got['libraries']

    @attr('slow')
    def test_a_blas_in_a_folder_with_spaces_and_commas(self):
        folder = self.home / 'a b, ä'
        temporary = self.home / 'tmp'
        temporary.mkdir()
        # As if .venv were there; .theano is, in the home folder.
        moved = """if True:
            import shutil
            import scipy_openblas32
            lib_dir = scipy_openblas32.get_lib_dir()
            shutil.copytree(lib_dir, %r)
            scipy_openblas32.get_lib_dir = lambda: %r
            """ % (str(folder), str(folder))
        got = self.run(moved + USE_BLAS, TMPDIR=str(temporary))
        assert max(got['errors']) < 1e-4, got['errors']
        assert_in('Dot22', got['ops'][0])
        link, = temporary.glob('colornet_*')
        eq_(os.readlink(str(link)), str(folder))
        # Again, with the link there; and where somebody else put one.
        moved = moved.replace('shutil.copytree', '()  # ')
        self.run(moved + PRINT_FLAGS, TMPDIR=str(temporary))
        link.unlink()
        link.symlink_to('/somewhere')
        self.refused('colornet_', 'not ours', code=moved + PRINT_FLAGS,
                     TMPDIR=str(temporary))

    def test_theano_flags_win(self):
        got = self.run(THEANO_FLAGS='floatX=float64,openmp=False')
        eq_((got['floatX'], got['openmp']), ('float64', 'False'))
        assert_in('-lscipy_openblas', got['blas.ldflags'])

    def test_theanorc_wins(self):
        got = self.run(theanorc=b'[global]\nfloatX = float64\nopenmp=False\n'
                                b'[blas]\nldflags = -lmine -L/%x\n'
                                b'[gcc]\ncxxflags = -O1\n')
        eq_((got['floatX'], got['openmp'], got['blas.ldflags'],
             got['gcc.cxxflags']),
            ('float64', 'False', '-lmine -L/%x', '-O1'))

    def test_theanorc_of_another_name_and_flags_over_it(self):
        path = self.home / 'mine'
        path.write_text('[global]\nfloatX = float64\nopenmp = False\n')
        got = self.run(THEANORC='~/none:%s' % path,
                       THEANO_FLAGS='floatX=float16')
        eq_((got['floatX'], got['openmp']), ('float16', 'False'))

    def test_a_blas_of_ones_own_has_its_own_names(self):
        got = self.run(THEANO_FLAGS='blas.ldflags=-lmine')
        eq_(got['blas.ldflags'], '-lmine')
        assert '-Dsgemm_' not in got['gcc.cxxflags'], got['gcc.cxxflags']

    def test_compiler_flags_without_a_blas(self):
        self.refused('gcc.cxxflags', 'blas.ldflags',
                     THEANO_FLAGS='gcc.cxxflags=-O1')
        self.refused('gcc.cxxflags', 'blas.ldflags',
                     theanorc=b'[gcc]\ncxxflags = -O1\n')

    def test_a_gpu_that_is_not_there(self):
        hidden = {'CUDA_VISIBLE_DEVICES': ''}
        self.refused('device=cuda', 'device=cpu',
                     THEANO_FLAGS='device=cuda', **hidden)
        self.refused('device=cuda0', theanorc=b'[global]\ndevice = cuda0\n',
                     **hidden)

    def test_why_there_is_no_gpu(self):
        record = logging.LogRecord('', 0, '', 0, '', (), (
            None, RuntimeError(b'Could not load\n"libcuda.so"'), None))
        with mock.patch.dict(sys.modules, pygpu=types.ModuleType('pygpu')):
            eq_(_gpu_problem([record]), 'Could not load "libcuda.so"')
            eq_(_gpu_problem([]), 'no reason is given')
        with mock.patch.dict(sys.modules, pygpu=None):
            assert_in('pygpu', _gpu_problem([record]))

    def test_no_gpu_to_initialize(self):
        self.refused('device=cuda', THEANO_FLAGS='init_gpu_device=cuda',
                     CUDA_VISIBLE_DEVICES='')

    def test_no_compiler(self):
        self.refused('C++ compiler', THEANO_FLAGS='cxx=')

    def test_openmp_without_a_blas(self):
        self.refused('blas.ldflags is empty', THEANO_FLAGS='blas.ldflags=')
        got = self.run(THEANO_FLAGS='blas.ldflags=,openmp=False')
        eq_((got['blas.ldflags'], got['openmp']), ('', 'False'))

    def test_flags_that_theano_refuses(self):
        self.refused('Theano cannot start', 'floatX',
                     THEANO_FLAGS='floatX=float128')

    def test_a_broken_theanorc(self):
        self.refused('.theanorc', theanorc=b'floatX = float64\n')
        self.refused('.theanorc', theanorc=b'[global]\n\xff\xfe\x00\n')


def test_max_pooling_works_in_this_theano():
    images = np.random.RandomState(0).normal(size=(2, 3, 4, 6))
    images = images.astype(theano.config.floatX)
    layer = lasagne.layers.MaxPool2DLayer(
        lasagne.layers.InputLayer((None, 3, 4, 6)), 2)
    eq_(layer.output_shape, (None, 3, 2, 3))
    expected = [[[[channel[row:row + 2, column:column + 2].max()
                   for column in (0, 2, 4)] for row in (0, 2)]
                 for channel in image] for image in images]
    output = lasagne.layers.get_output(layer, theano.shared(images))
    assert_allclose(output.eval(), expected)


def test_pooling_passes_every_option_on():
    images = np.arange(25.).reshape(1, 1, 5, 5).astype(theano.config.floatX)
    pooled = lasagne.layers.Pool2DLayer(
        lasagne.layers.InputLayer((None, 1, 5, 5)), 3, stride=2, pad=1,
        mode='average_exc_pad')
    output = lasagne.layers.get_output(pooled, theano.shared(images)).eval()
    padded = np.full((7, 7), np.nan)
    padded[1:6, 1:6] = images[0, 0]
    expected = [[np.nanmean(padded[row:row + 3, column:column + 3])
                 for column in (0, 2, 4)] for row in (0, 2, 4)]
    assert_allclose(output[0, 0], expected)


def test_description():
    got = describe_backend()
    eq_((got['theano'], got['lasagne']),
        (theano.__version__, lasagne.__version__))
    eq_(got['floatX'], theano.config.floatX)
    assert T is theano.tensor
    json.dumps(got)


def test_opencl_multiplies_by_no_vectors():
    for device, given, expected in (
            ('opencl0:0', '', True), ('cpu', 'device=opencl0:0', True),
            ('cpu', '', False), ('opencl0:0', 'device=cpu', False),
            ('opencl0:0', 'optimizer_excluding=inplace', False)):
        with mock.patch.dict(os.environ, COLORNET_DEVICE=device,
                             THEANO_FLAGS=given):
            _set_flags()
            eq_('optimizer_excluding=local_gemm_to_gemv' in
                os.environ['THEANO_FLAGS'], expected, (device, given))


def test_a_home_that_cannot_be_written():
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder, 'home')
        with mock.patch.dict(os.environ, HOME=str(home)), \
                mock.patch('sys.stderr', io.StringIO()) as err, \
                mock.patch('atexit.register') as register:
            eq_(_temporary_compiledir(), {})
            eq_((os.listdir(home), err.getvalue()), (['.theano'], ''))
            os.environ['HOME'] = os.devnull
            flags = _temporary_compiledir()
        # Others may register something, too.
        (remove, made), options = register.call_args_list[0]
        eq_(flags, {'base_compiledir': made})
        assert_in('/dev/null/.theano cannot be written', err.getvalue())
        eq_(err.getvalue().count('\n'), 1)
        eq_(os.listdir(made), [])
        remove(made, **options)
        eq_(os.path.exists(made), False)
