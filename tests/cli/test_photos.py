"""The demo, and commands about the installation."""

import os
import subprocess
import sys
import tempfile
from unittest import mock

from nose.tools import assert_in, eq_

import colornet
from colornet.engine.switches import without
from colornet.resources import DEFAULT_NETWORK, find_resource
from tests import tiny
from tests.cli.commands import run


def test_info():
    tiny.need_theano()
    with without('winograd'):
        status, out, err = run('info')
    eq_((status, err), (0, ''))
    for words in colornet.__version__, 'Theano 1.0.5', 'winograd  off':
        assert_in(words, out)


def test_info_of_what_is_missing():
    with mock.patch.dict(sys.modules, theano=None, onnxruntime=None):
        status, out, err = run('info')
    eq_((status, err), (0, ''))
    for words in (colornet.__version__, 'Theano is missing',
                  'onnxruntime is missing', 'needs PyTorch, or Theano, which'):
        assert_in(words, out)


#: Runs a command as if Theano were not installed.
NO_THEANO = '''
import sys
sys.modules['theano'] = None
from colornet import cli
sys.exit(cli.main(sys.argv[1:]))
'''


def test_what_needs_theano_says_so():
    with tempfile.TemporaryDirectory() as folder:
        for command in (['figure', '2', '--out', 'a.png'],
                        ['colorize', tiny.PHOTOS, '--engine', 'theano']):
            done = subprocess.run(
                [sys.executable, '-c', NO_THEANO] + list(map(str, command)),
                cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=dict(os.environ, PYTHONPATH=str(tiny.ROOT)),
                universal_newlines=True)
            eq_((done.returncode, done.stdout), (2, ''))
            line, = done.stderr.splitlines()
            assert_in('colornet: error: %s needs Theano, which '
                      % command[0], line)
        eq_(os.listdir(folder), [])
        # It only rounds what is stored.
        subprocess.check_call(
            [sys.executable, '-c', NO_THEANO, 'export',
             str(find_resource(DEFAULT_NETWORK)), 'a.h5'], cwd=folder,
            stdout=subprocess.DEVNULL,
            env=dict(os.environ, PYTHONPATH=str(tiny.ROOT)))
        eq_(os.listdir(folder), ['a.h5'])


def test_an_unknown_speedup():
    tiny.need_theano()
    # Read once, when Theano is set up: in processes of their own.
    for command in 'info', 'demo':
        process = subprocess.run(
            [sys.executable, '-m', 'colornet', command], cwd=str(tiny.ROOT),
            env=dict(os.environ, COLORNET_WITHOUT='magic'),
            stderr=subprocess.PIPE, universal_newlines=True)
        eq_(process.returncode, 2)
        line, = process.stderr.splitlines()
        assert_in('error: COLORNET_WITHOUT=magic: no such speed-up', line)
