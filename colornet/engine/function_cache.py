"""Compiled Theano functions that later starts of the program load.

Optimizing the graph of a network takes about a second. The optimized graph
is kept in Theano's compile directory, beside the C++ code that Theano
compiled for it; parameters are left out.
"""

import copy
import copyreg
import hashlib
import io
import json
import logging
import os
import pickle
import stat
import sys
from pathlib import Path

import numpy as np

from .. import __version__
from ..files import digest_file, replacing
from .backend import describe_backend, theano
from .convolvers import onednn_version
from .native import code_status
from .speedups import speedup_status

__all__ = ['load_or_compile']

logger = logging.getLogger(__name__)

#: Elements of the largest constant that is stored. Larger ones would be
#: parameters in disguise, and the key does not know their values.
MAX_CONSTANT = 1000

_PACKAGE = Path(__file__).parents[1]


def load_or_compile(name, description, variables, compile_function):
    """Load a compiled function from the cache, or compile and cache it.

    Parameters
    ----------
    name : str
        Of the file.
    description : object that json takes
        With `name` and `variables`, all that decides the graph, but for
        what :func:`_cache_key` knows.
    variables : dict of str to shared variable
        All that the graph may use. The function works on these, whatever
        their values were when it was stored.
    compile_function : callable
        Returns the function; called if the cache has none.

    Returns
    -------
    theano.compile.Function

    Notes
    -----
    Failures of the cache are no errors: the function is compiled then. They
    are logged, at level DEBUG.
    """
    description = [description, [
        (name, str(variable.type), variable.get_value(borrow=True).shape)
        for name, variable in variables.items()]]
    if theano.config.profile:
        return compile_function()  # A cached one would tell nothing.
    path = Path(theano.config.compiledir) / ('colornet_%s_%s.pkl' % (
        name, _digest(description)[:12]))
    try:
        key = _cache_key(description)
    except Exception:
        # Some of Theano's flags fail when they are read.
        logger.debug('no key for %s', path, exc_info=True)
        return compile_function()
    function = _load(path, key, variables)
    if function is None:
        function = compile_function()
        _store(path, key, variables, function)
    return function


def _cache_key(description):
    """Digest of what decides the compiled function: add to it freely."""
    sources = {str(path.relative_to(_PACKAGE)): digest_file(path)
               for pattern in ('*.py', '*.cpp')
               for path in _PACKAGE.rglob(pattern)}
    flags = {flag.fullname: str(flag.__get__(True, None))
             for flag in theano.configparser._config_var_list}
    speedups = [speedup_status(), code_status('onednn') or onednn_version()]
    backend = describe_backend()
    del backend['threads']  # The same code runs in any number of them.
    return _digest([description, __version__, sources, sys.version,
                    np.__version__, backend, flags, speedups])


def _digest(content):
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode('utf-8')).hexdigest()


class _Pickler(pickle.Pickler):
    """Leaves out what later starts have, or make themselves."""

    def __init__(self, stream, variables):
        super().__init__(stream, protocol=4)
        self.names = {id(variable.container): name
                      for name, variable in variables.items()}

    def persistent_id(self, item):
        if isinstance(item, theano.gof.Container):
            if id(item) not in self.names:
                raise pickle.PicklingError('an unknown shared variable')
            return self.names[id(item)]
        if isinstance(item, theano.Constant) and \
                np.size(item.data) > MAX_CONSTANT:
            raise pickle.PicklingError('a large constant')
        return None

    def reducer_override(self, item):
        if isinstance(item, theano.gof.utils.scratchpad):
            # The source lines that made it, and what Python cannot pickle.
            return type(item), (), {
                name: value for name, value in vars(item).items()
                if name not in ('trace', 'ufunc')}
        if isinstance(item, (theano.Variable, theano.Apply)):
            # References to later nodes would be followed through the whole
            # graph, deeper than Python goes; fgraph sets them anew.
            return copyreg.__newobj__, (type(item),), {
                name: value for name, value in vars(item).items()
                if name not in ('clients', 'deps', 'fgraph')}
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    """Puts in the shared variables of this process."""

    def __init__(self, stream, variables):
        super().__init__(stream)
        self.variables = variables

    def persistent_load(self, name):
        return self.variables[name].container


def _store(path, key, variables, function):
    """Write a function, if that is possible."""
    stream = io.BytesIO()
    try:
        _Pickler(stream, variables).dump(_take_apart(function.maker))
        with replacing(path) as temporary:
            Path(temporary).write_bytes(
                _header(key, stream.getvalue()) + stream.getvalue())
    except Exception:
        # Ops of others may refuse to be pickled in any way they like.
        logger.debug('cannot write %s', path, exc_info=True)


def _header(key, content):
    """What a file begins with: its key, and the digest of the rest."""
    return (key + hashlib.sha256(content).hexdigest()).encode('ascii')


def _load(path, key, variables):
    """Read a function; None if there is none, or an old or damaged one."""
    try:
        with open(path, 'rb') as stream:
            # Pickles can do anything: only what this user wrote is read.
            status = os.fstat(stream.fileno())
            if status.st_uid != os.geteuid() or status.st_mode & stat.S_IWOTH:
                return None
            header = stream.read(len(_header(key, b'')))
            content = stream.read()
        if header != _header(key, content):
            return None
        return _put_together(*_Unpickler(io.BytesIO(content),
                                         variables).load())
    except FileNotFoundError:
        return None
    except Exception:
        # What a damaged pickle raises, nobody can list.
        logger.debug('cannot read %s', path, exc_info=True)
        return None


def _take_apart(maker):
    """Nodes, inputs and outputs of an optimized graph.

    The nodes come in the order of computation: each refers to earlier ones.
    """
    if type(maker) is not theano.compile.FunctionMaker:
        raise pickle.PicklingError('made for debugging')

    def refer(specs, variables):
        # To the optimized graph, not to that of the expressions.
        specs = [copy.copy(spec) for spec in specs]
        for spec, variable in zip(specs, variables):
            spec.variable = variable
        return specs

    return (maker.fgraph.toposort(), refer(maker.inputs, maker.fgraph.inputs),
            refer(maker.outputs, maker.fgraph.outputs), maker.unpack_single)


def _put_together(nodes, inputs, outputs, is_single):
    """A function of what :func:`_take_apart` returns."""
    fgraph = theano.gof.FunctionGraph(
        [spec.variable for spec in inputs],
        [spec.variable for spec in outputs], clone=False)
    # Knows which nodes must wait because others overwrite their inputs.
    fgraph.attach_feature(theano.gof.DestroyHandler())
    maker = theano.compile.FunctionMaker(
        inputs, outputs[0] if is_single else outputs,
        mode=theano.compile.mode.get_default_mode(), fgraph=fgraph,
        on_unused_input='ignore')
    return maker.create([spec.value for spec in maker.inputs])
