"""C++ code: compiled once, loaded again, left out where that fails."""
import contextlib
import ctypes
import hashlib
import os
import pathlib
import tempfile
from unittest import mock

from nose.tools import assert_in, assert_not_in, assert_raises, eq_, ok_

from colornet.engine import native
from colornet.engine.backend import theano
from colornet.engine.native import code_status, enabled
from colornet.engine.switches import without
from colornet.errors import ColornetError


@contextlib.contextmanager
def source(text):
    """A source file of its own for the name that is yielded."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / 'not_a_module.cpp'
        path.write_text(text)
        with mock.patch.object(native, '_SOURCES', path.parent):
            native.load_library.cache_clear()
            yield path.stem
    native.load_library.cache_clear()


def test_code_that_does_not_compile_is_one_line():
    with source('#include <no_such_header.h>\n') as name:
        with assert_raises(ColornetError) as raised:
            native.load_library(name)
    assert_in('no_such_header.h', str(raised.exception))
    assert_not_in('\n', str(raised.exception))


def test_what_is_compiled_is_no_folder_of_theanos():
    # Which fails of a file with such a name, also where a kill has left it.
    def run(command, **options):
        names.append(pathlib.Path(command[command.index('-o') + 1]))
        ok_(names[0].exists())
        return original(command, **options)
    names, original = [], native.subprocess.run
    with source('extern "C" int part_%d() { return 0; }'
                % os.getpid()) as name:
        with mock.patch.object(native.subprocess, 'run', run):
            native.load_library(name)
    part, = names
    ok_(not part.name.startswith('tmp'), part)
    eq_(list(part.parent.glob(part.name)), [])
    for library in part.parent.glob(name + '_*.so'):
        library.unlink()


def test_libraries_that_are_damaged_or_no_longer_load():
    compiledir = pathlib.Path(theano.config.compiledir)
    with source('extern "C" int answer_%d() { return 42; }'
                % os.getpid()) as name:
        native.load_library(name)
        library, = compiledir.glob(name + '_*.so')
        content = library.read_bytes()
        stem, _, _ = library.stem.rpartition('_')
        # What it linked with was upgraded: whole, but it does not load.
        other = b'no library'
        named = compiledir / ('%s_%s.so' % (
            stem, hashlib.sha256(other).hexdigest()[:16]))
        # Of one that is in use, the pages are mapped: another file, then.
        for path, damaged in ((library, content[:2 * len(content) // 3]),
                              (library, content[:500] + bytes(3000) +
                               content[3500:]), (library, b''),
                              (named, other)):
            library.unlink()
            path.write_bytes(damaged)
            native.load_library.cache_clear()
            loaded = native.load_library(name)
            eq_(native.call(getattr(loaded, 'answer_%d' % os.getpid()),
                            result=ctypes.c_int), 42)
            eq_(library.read_bytes(), content)
        library.unlink()
        named.unlink()


def test_what_a_linker_says_is_told():
    messages = (b'/usr/bin/ld: cannot find -lnone: No such file\n'
                b'collect2: error: ld returned 1 exit status\n')
    eq_(native._first_error(messages),
        '/usr/bin/ld: cannot find -lnone: No such file')
    eq_(native._first_error(b'a.cpp: In function f:\na.cpp:1: error: no'),
        'a.cpp:1: error: no')


def test_without_a_compiler_theanos_ops_do_it():
    def failing(name, libraries, blas, packages):
        raise ColornetError('no compiler')

    native.library_status.cache_clear()
    with mock.patch.object(native, 'load_library', failing):
        eq_(code_status('kernels'), 'no compiler')
        ok_(not enabled('kernels'))
    native.library_status.cache_clear()
    with without():
        ok_(enabled('kernels'))
    with without('kernels'):
        eq_(code_status('kernels'), '')
        ok_(not enabled('kernels'))


def test_a_part_needs_the_whole():
    with mock.patch.object(native, 'library_status', lambda *library: ''):
        for names, is_enabled in [((), True), (('winograd',), False),
                                  (('onednn',), False)]:
            with without(*names):
                eq_(enabled('winograd'), is_enabled)
    with mock.patch.object(native, 'library_status', lambda *library: 'no'), \
            without():
        ok_(not enabled('winograd'))
        ok_(enabled('stack'))  # Without C++.


def test_only_a_missing_onednn_is_not_installed():
    for reason, installed in [
            ('onednn.cpp: fatal error: dnnl.hpp: No such file', False),
            ('/usr/bin/ld: cannot find -ldnnl', False),
            ('libdnnl.so.2: version mismatch', True)]:
        with mock.patch.object(native, 'library_status',
                               lambda *library: reason):
            eq_('not installed' not in code_status('onednn'), installed)
            eq_(code_status('winograd'), code_status('onednn'))


def test_libraries_by_pip_or_the_systems():
    """Both the headers and the library, or neither; never one of each."""
    with tempfile.TemporaryDirectory() as folder:
        # As wheels bring them: outside of the folder that lists them.
        for path in 'include/dnnl.hpp', 'lib/libdnnl.so', 'lib/libdnnl.so.3':
            pathlib.Path(folder, path).parent.mkdir(exist_ok=True)
            pathlib.Path(folder, path).write_text('')
        files = {'headers': ['include/dnnl.hpp'],
                 'library': ['lib/libdnnl.so.3', 'lib/libdnnl.so'],
                 'moved': ['else/libdnnl.so'], 'other': ['lib/other.so']}

        def list_files(package):
            if package not in files:
                raise native.importlib.metadata.PackageNotFoundError(package)
            return [Listed(folder, name) for name in files[package]]

        with mock.patch.object(native.importlib.metadata, 'files',
                               list_files):
            root = pathlib.Path(os.path.realpath(folder))
            for packages, expected in [
                    (('headers', 'library'), (root / 'include', root / 'lib')),
                    (('headers', 'missing'), (None, None)),
                    (('headers', 'moved'), (None, None)),
                    (('headers', 'other'), (None, None)),
                    (('library',), (None, None)), ((), (None, None))]:
                eq_(tuple(native._installed_by_pip(('dnnl',), packages)),
                    expected)


class Listed(pathlib.PurePosixPath):
    """As :func:`importlib.metadata.files` has them."""

    def __new__(cls, folder, name):
        path = super().__new__(cls, name)
        path.folder = folder
        return path

    def locate(self):
        return pathlib.Path(self.folder, str(self))
