"""The project's C++ code, compiled and loaded.

A source file in ``cpp`` is compiled once for a machine, into
Theano's compile directory, and called through ctypes by Theano ops: their
code need not be compiled again for every graph.
"""

import ctypes
import functools
import hashlib
import importlib.metadata
import os
import platform
import shlex
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from ..errors import ColornetError
from ..files import digest_file
from .backend import theano
from .switches import SPEEDUPS, wanted

__all__ = ['load_library', 'library_status', 'load_code', 'code_status',
           'links_from_pip', 'enabled', 'processor_features', 'call',
           'contiguous']

_SOURCES = Path(__file__).parent / 'cpp'


@functools.lru_cache(maxsize=None)
def load_library(name, libraries=(), blas=False, packages=()):
    """Compile ``<name>.cpp``, unless that was done, and load it.

    Parameters
    ----------
    name : str
    libraries : tuple of str
        To link with.
    blas : bool
        Link with Theano's BLAS, too.
    packages : tuple of str
        What pip installs them from, headers and all. Where one of these is
        missing, they are the system's.

    Returns
    -------
    ctypes.CDLL

    Raises
    ------
    ColornetError
        If Theano does not run on the CPU, or compiling or loading fails.
    """
    config = theano.config
    if not config.device.startswith('cpu'):
        raise ColornetError('for the CPU, not device=%s' % config.device)
    if not config.cxx:
        raise ColornetError('there is no C++ compiler')
    source = _SOURCES / (name + '.cpp')
    command = shlex.split(config.cxx) + [
        '-O3', '-march=native', '-fno-math-errno', '-fno-trapping-math',
        '-std=c++14', '-fPIC', '-shared'] + ['-fopenmp'] * config.openmp
    links = []
    headers, folder = _installed_by_pip(libraries, packages)
    if folder is not None:
        command.append('-I%s' % headers)
        links += ['-L%s' % folder, '-Wl,-rpath,%s' % folder]
    links += ['-l' + library for library in libraries]
    if blas:
        if not config.blas.ldflags:
            raise ColornetError('Theano has no BLAS')
        # The names of the functions may be mapped by macros.
        command += [flag for flag in shlex.split(config.gcc.cxxflags)
                    if flag.startswith('-D')]
        links += shlex.split(config.blas.ldflags)
    key = hashlib.sha256(repr((source.read_text(), command, links,
                               _processor())).encode()).hexdigest()[:16]
    stem = '%s_%s' % (name, key)
    try:
        return (_find(stem) or
                ctypes.CDLL(str(_compile(command, source, links, stem))))
    except OSError as error:
        raise ColornetError(' '.join(str(error).split()))


def _installed_by_pip(libraries, packages):
    """Folders of their headers and of the libraries, or (None, None)."""
    found = {}
    for package in packages:
        try:
            files = importlib.metadata.files(package) or ()
        except importlib.metadata.PackageNotFoundError:
            return None, None
        for file in files:
            for library in libraries:
                if file.name in (library + '.hpp', 'lib%s.so' % library):
                    # The header is there twice; either includes the other's.
                    found.setdefault(file.suffix, Path(os.path.realpath(
                        file.locate())))
    if any(not path.exists() for path in found.values()):
        return None, None
    return [found[suffix].parent if len(found) == 2 else None
            for suffix in ('.hpp', '.so')]


def _find(stem):
    """The library of an earlier start, or None.

    Its file is named by its contents: loading one that a full disk or a power
    cut has damaged would end the process.
    """
    for path in Path(theano.config.compiledir).glob(stem + '_*.so'):
        try:
            if path.stem == '%s_%s' % (stem, _digest(path)):
                return ctypes.CDLL(str(path))
        except OSError:
            pass  # What it links with was upgraded.
    return None


def _digest(path):
    return digest_file(path)[:16]


@functools.lru_cache(maxsize=None)
def library_status(name, libraries=(), blas=False, packages=()):
    """'' if :func:`load_library` succeeds, else why not."""
    try:
        load_library(name, libraries, blas, packages)
    except ColornetError as error:
        return str(error)
    return ''


def load_code(speedup):
    """Compile a speed-up's code, unless that was done, and load it.

    Parameters
    ----------
    speedup : str
        One of :data:`colornet.engine.switches.SPEEDUPS`.

    Returns
    -------
    ctypes.CDLL

    Raises
    ------
    ColornetError
        As :func:`load_library` does.
    """
    return load_library(*_library(SPEEDUPS[speedup]))


def code_status(speedup):
    """'' if a speed-up's code can be used, or it has none, else why not."""
    speedup = SPEEDUPS[speedup]
    if speedup.needs:
        return code_status(speedup.needs)
    reason = library_status(*_library(speedup)) if speedup.source else ''
    missing = [word for link in speedup.links
               for word in (link + '.h', '-l' + link) if word in reason]
    return speedup.install if missing else reason


def links_from_pip(speedup):
    """Whether what a speed-up's code is linked with came by pip."""
    speedup = SPEEDUPS[speedup]
    return _installed_by_pip(speedup.links, speedup.packages)[1] is not None


def _library(speedup):
    """Arguments of :func:`load_library`."""
    return speedup.source, speedup.links, speedup.blas, speedup.packages


def enabled(speedup):
    """Whether a speed-up is wanted and possible."""
    needs = SPEEDUPS[speedup].needs
    return (wanted(speedup) and (not needs or enabled(needs)) and
            not code_status(speedup))


def _compile(command, source, links, stem):
    """Compile to a temporary name first: others may do the same.

    Returns
    -------
    Path
    """
    folder = Path(theano.config.compiledir)
    # By the usual name, tmp..., Theano would take it for a folder of its own
    # and fail, as long as it is there, or for ever where a kill has left it.
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=stem + '_part_')
    os.close(descriptor)
    temporary = Path(name)
    try:
        done = subprocess.run(
            command + [str(source), '-o', name] + links,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, env=dict(os.environ, LC_ALL='C'))
        if done.returncode:
            raise ColornetError('compiling %s failed: %s' % (
                source.name, _first_error(done.stderr)))
        library = folder / ('%s_%s.so' % (stem, _digest(temporary)))
        temporary.replace(library)
        return library
    finally:
        if temporary.exists():
            temporary.unlink()


def _first_error(messages):
    """The line of a compiler's or linker's messages that says most."""
    lines = messages.decode(errors='replace').splitlines()
    for word in 'error: ', 'ld: ':
        for line in lines:
            # Of which the last only counts the others.
            if word in line and not line.startswith('collect2'):
                return line
    return ' '.join(lines[:1])


def _processor():
    """What -march=native depends on: home directories may be shared."""
    try:
        with open('/proc/cpuinfo') as file:
            return sorted({line for line in file if line.startswith(
                ('model name', 'flags', 'Features'))})
    except OSError:
        return [platform.processor()]


def processor_features():
    """What the processor can do, such as 'avx2', as Linux has it."""
    return {word for line in _processor() if line.startswith('flags')
            for word in line.partition(':')[2].split()}


def contiguous(array, dtype=None):
    """The array itself where possible, else a copy in C order."""
    return np.ascontiguousarray(array, dtype)


def call(function, *arguments, result=None):
    """Call a C function with arrays, whole numbers, floats and None.

    Parameters
    ----------
    function : function of a ctypes.CDLL
        Takes pointers for arrays (null for None), int64_t for int, double
        for float.
    result : ctypes type, optional
        Of what it returns.
    """
    function.restype = result
    return function(*[
        ctypes.c_double(argument) if isinstance(argument, float) else
        ctypes.c_int64(argument) if isinstance(argument, int) else
        argument if argument is None else
        ctypes.c_void_p(argument.ctypes.data) for argument in arguments])
