"""The one place that configures and imports Theano and Lasagne (paper, 5.2).

Every other module takes ``theano``, ``T`` and ``lasagne`` from here, so that
the flags below are set before Theano reads them. What the user sets in
``THEANO_FLAGS`` or ``.theanorc`` always wins over them. ``COLORNET_DEVICE``
is a short way to choose the device; ``COLORNET_WITHOUT`` names the speed-ups
to leave out.
"""

import atexit
import configparser
import hashlib
import logging
import os
import re
import shutil
import sys
import tempfile
import types
import warnings
from pathlib import Path

from ..errors import ColornetError, TheanoMissing
from ..resources import num_processors
from ..terminal import note
from .available import missing_theano
from .switches import VARIABLE, switch_off
from .theano_mends import mend_module_cache, without_scipy_stats

__all__ = ['theano', 'T', 'lasagne', 'describe_backend']

#: The BLAS routines that Theano's generated code calls. scipy-openblas32
#: exports them with a prefix; the compiler maps the names.
BLAS_SYMBOLS = ('sgemm_', 'sgemv_', 'sdot_', 'sger_', 'dgemm_', 'dgemv_',
                'ddot_', 'dger_', 'openblas_get_num_threads',
                'openblas_set_num_threads')


def _default_flags():
    """Theano flags that this project wants, as a dict of strings."""
    import scipy_openblas32
    lib_dir = _plain_path(scipy_openblas32.get_lib_dir())
    names = ['-D%s=scipy_%s' % (name, name) for name in BLAS_SYMBOLS]
    device = os.environ.get('COLORNET_DEVICE')
    return dict({'device': device} if device else {}, **{
        'floatX': 'float32',
        'openmp': 'True',
        # Theano knows no cuDNN after 7: its convolutions would not compile.
        'dnn.enabled': 'False',
        'gcc.cxxflags': ' '.join(['-O3', '-march=native'] + names),
        # A comma would end the flag, hence the escape.
        'blas.ldflags': '-L%s -lscipy_openblas -Wl\\,-rpath\\,%s'
                        % (lib_dir, lib_dir),
    })


def _temporary_compiledir():
    """Theano's flags for what it compiles, where home cannot be written to."""
    usual = os.path.expanduser('~/.theano')
    try:
        os.makedirs(usual, exist_ok=True)
        if os.access(usual, os.W_OK):
            return {}
    except OSError:
        pass
    folder = tempfile.mkdtemp(prefix='colornet_')
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    note('colornet: note: %s cannot be written: what Theano compiles is not '
         'kept (THEANO_FLAGS=base_compiledir=DIR keeps it)' % usual)
    return {'base_compiledir': folder}


def _plain_path(folder):
    """The folder, or a link to it: Theano cuts flags at spaces and commas."""
    if not re.search(r'[\s,]', folder):
        return folder
    link = Path(tempfile.gettempdir(), 'colornet_%d_%s' % (
        os.getuid(), hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]))
    try:
        link.symlink_to(folder)
    except FileExistsError:
        # Anybody can write there.
        if link.lstat().st_uid != os.getuid() or \
                os.readlink(link) != folder:
            raise ColornetError('%s is not ours: remove it' % link)
    return str(link)


def _user_flags():
    """Names of the flags that the user has set."""
    names = {item.split('=', 1)[0].strip()
             for item in os.environ.get('THEANO_FLAGS', '').split(',')}
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    files = os.environ.get('THEANORC', '~/.theanorc').split(os.pathsep)
    try:
        parser.read([os.path.expanduser(name) for name in files])
    except (configparser.Error, UnicodeDecodeError) as error:
        raise ColornetError('cannot read .theanorc: %s'
                            % ' '.join(str(error).split()))
    for section in parser.sections():
        prefix = '' if section == 'global' else section + '.'
        names.update(prefix + key for key in parser[section])
    return {name.lower() for name in names}


def _set_flags():
    """Prepend the defaults that the user has not set to THEANO_FLAGS."""
    user = _user_flags()
    flags = _default_flags()
    if not user.intersection(('compiledir', 'base_compiledir')):
        flags.update(_temporary_compiledir())
    if 'blas.ldflags' in user and 'gcc.cxxflags' not in user:
        # The user's own BLAS has no prefix on its names.
        flags['gcc.cxxflags'] = '-O3 -march=native'
    if 'gcc.cxxflags' in user and 'blas.ldflags' not in user:
        raise ColornetError('gcc.cxxflags is set in THEANO_FLAGS or .theanorc '
                            'but blas.ldflags is not: set both or neither')
    given = os.environ.get('THEANO_FLAGS', '')
    if 'opencl' in (given if 'device' in user else flags.get('device', '')):
        # Theano multiplies what is in new memory by zero, before it adds a
        # product with a vector; by CLBlast, that can be no number.
        flags['optimizer_excluding'] = 'local_gemm_to_gemv'
    wanted = ['%s=%s' % item for item in flags.items()
              if item[0].lower() not in user]
    os.environ['THEANO_FLAGS'] = ','.join(wanted + ([given] if given else []))


def _switch_speedups_off():
    """Those that the user does not want."""
    names = os.environ.get(VARIABLE, '').split(',')
    try:
        switch_off(name.strip() for name in names if name.strip())
    except ColornetError as error:
        raise ColornetError('%s=%s' % (VARIABLE, error))


def _import_theano():
    """Import Theano with the flags set, or say why that is impossible."""
    if missing_theano():
        raise TheanoMissing('this part of colornet', missing_theano())
    if 'theano' not in sys.modules:
        _set_flags()
    # A device that is not there is told by _check_theano, in one line.
    logged = []
    logger = logging.getLogger('theano.gpuarray')
    logger.addFilter(logged.append)  # None: nothing is printed.
    with warnings.catch_warnings(), without_scipy_stats():
        # Theano 1.0.5 predates the deprecations that it triggers.
        warnings.simplefilter('ignore')
        try:
            import theano
            import theano.tensor
        except ColornetError:
            raise
        except Exception as error:
            raise ColornetError('Theano cannot start: %s'
                                % ' '.join(str(error).split()))
        finally:
            logger.removeFilter(logged.append)
    _check_theano(theano, logged)
    mend_module_cache(theano)
    return theano


def _check_theano(theano, logged=()):
    """Refuse a set-up that would fall back silently or crash.

    Parameters
    ----------
    theano : module
    logged : sequence of logging.LogRecord
        What Theano said of its GPU.

    Raises
    ------
    ColornetError
        If there is no C++ compiler, or the device asked for is not active:
        Theano itself would log a line and run on the CPU.
    """
    config = theano.config
    devices = [device for device in (config.device, config.init_gpu_device)
               if device.startswith(('cuda', 'opencl', 'gpu'))]
    if devices:
        import theano.gpuarray
        if not theano.gpuarray.pygpu_activated:
            raise ColornetError(
                'device=%s is asked for but is not active (%s); '
                'COLORNET_DEVICE=cpu or THEANO_FLAGS=device=cpu runs on the '
                'CPU' % (devices[0], _gpu_problem(logged)))
    elif not config.cxx:
        raise ColornetError('no C++ compiler found: install one '
                            '(apt-get install g++)')
    elif config.openmp and not config.blas.ldflags:
        raise ColornetError('blas.ldflags is empty: with openmp=True '
                            'convolutions would crash; unset it to use '
                            'scipy-openblas32')


def _gpu_problem(logged):
    """Why Theano has no GPU, in a few words."""
    errors = [record.exc_info[1] for record in logged if record.exc_info]
    try:
        import pygpu  # noqa: F401 (Theano keeps to itself why it cannot)
    except ImportError as error:
        errors.insert(0, error)
    text = errors[0].args[0] if errors and errors[0] and errors[0].args else ''
    if isinstance(text, bytes):  # pygpu's are.
        text = text.decode(errors='replace')
    return ' '.join(str(text).split()) or 'no reason is given'


def _import_lasagne(theano):
    """Import Lasagne 0.1, giving it the module that Theano 0.9 removed."""
    name = 'theano.tensor.signal.downsample'
    if name not in sys.modules:
        from theano.tensor.signal import pool

        def max_pool_2d(input, ds, ignore_border=None, st=None,
                        padding=(0, 0), mode='max'):
            return pool.pool_2d(input, ws=ds, ignore_border=ignore_border,
                                stride=st, pad=padding, mode=mode)

        shim = types.ModuleType(name)
        shim.max_pool_2d = max_pool_2d
        sys.modules[name] = shim
        import theano.tensor.signal
        theano.tensor.signal.downsample = shim
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        import lasagne
    return lasagne


def describe_backend():
    """Versions, flags and threads that compute, for provenance.

    Returns
    -------
    dict of str to str
    """
    config = theano.config
    threads = (os.environ.get('OMP_NUM_THREADS') or
               num_processors() if config.openmp else 1)
    return {'theano': theano.__version__, 'lasagne': lasagne.__version__,
            'device': config.device, 'floatX': config.floatX,
            'openmp': str(config.openmp), 'threads': str(threads),
            'blas.ldflags': config.blas.ldflags,
            'gcc.cxxflags': config.gcc.cxxflags}


_switch_speedups_off()
theano = _import_theano()
T = theano.tensor
lasagne = _import_lasagne(theano)
