"""Which engines there are, and which one computes."""

import importlib.util
import sys
import tempfile
from pathlib import Path
from unittest import mock

from nose.tools import assert_in, assert_not_in, eq_

from colornet.engine import available
from colornet.engine.available import (choose_engine, describe_engines,
                                       is_onnx, missing_onnx, missing_theano)
from tests.tiny import check_error

#: As if they were not installed.
NO_THEANO = {'theano': None}
NO_ONNX = {'onnxruntime': None}


def without(modules):
    return mock.patch.dict(sys.modules, modules)


def as_if_all_were_there():
    return mock.patch.object(available, '_missing', lambda engine: [])


def test_what_is_there():
    for missing, package in ((missing_theano, 'theano'),
                             (missing_onnx, 'onnxruntime')):
        if importlib.util.find_spec(package):
            eq_(missing(), '')
        else:
            assert_in('pip' if missing is missing_onnx else 'which', missing())


def test_what_is_missing():
    with without(NO_ONNX):
        assert_in('ONNX needs the package onnx', missing_onnx())
    with without(NO_THEANO):
        for version, words in (((3, 12), 'needs Python 3.8 to 3.11; "make '),
                               ((3, 11), 'is not installed')):
            with mock.patch.object(sys, 'version_info', version):
                assert_in(words, missing_theano())


def test_theano_is_the_default_where_it_is_installed():
    with as_if_all_were_there():
        eq_(choose_engine(), 'theano')
        eq_(choose_engine(network='a/best.h5'), 'theano')
    with without(NO_THEANO):
        eq_(choose_engine(), 'onnx')


def test_onnx_files_are_for_onnx_runtime():
    eq_([is_onnx(name) for name in (None, 'a.onnx', 'b/A.ONNX', 'a.h5', 'a')],
        [False, True, True, False, False])
    with as_if_all_were_there():
        eq_(choose_engine(network='a.onnx'), 'onnx')
        for engine, name in ('theano', 'Theano'), ('pytorch', 'PyTorch'):
            check_error(lambda: choose_engine(engine, 'a.onnx'), 'a.onnx',
                        name + ' takes .h5 files')


def test_who_asks_for_an_engine_gets_it():
    for engine in 'theano', 'onnx', 'pytorch':
        for modules in NO_THEANO, NO_ONNX:
            with without(modules):
                eq_(choose_engine(engine, 'a.h5'), engine)
    check_error(lambda: choose_engine('torch'),
                "'theano' or 'onnx' or 'pytorch'", "'torch'")


def test_description():
    with without(dict(NO_THEANO, torch=None, **NO_ONNX)):
        theano, onnx, pytorch = describe_engines()[1:]
    assert_in('theano    Theano is missing', theano)
    assert_in('onnxruntime is missing', onnx)
    assert_in('(default)', onnx)
    assert_not_in('(default)', theano)
    assert_in('torch is missing', pytorch)


def test_a_package_without_metadata_is_described():
    with tempfile.TemporaryDirectory() as folder, \
            mock.patch.dict(available.ENGINES, pytorch=('only_a_folder',)), \
            mock.patch.object(sys, 'path', [folder] + sys.path):
        Path(folder, 'only_a_folder').mkdir()
        assert_in('only_a_folder of unknown version', describe_engines()[-1])
