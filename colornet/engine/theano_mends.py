"""Mends of Theano 1.0.5 that make programs start in less time.

Theano is passed in: :mod:`colornet.engine.backend` alone imports it.
"""

import contextlib
import hashlib
import sys
import types

__all__ = ['without_scipy_stats', 'mend_module_cache']


@contextlib.contextmanager
def without_scipy_stats():
    """Leave out ``scipy.stats`` while Theano is imported.

    It takes a third of that time, for one function that is seldom called;
    scipy imports it by itself when it is.
    """
    name = 'scipy.stats'
    if name in sys.modules:
        yield
        return
    sys.modules[name] = types.ModuleType(name)
    try:
        yield
    finally:
        del sys.modules[name]


def mend_module_cache(theano):
    """Let all C++ code that Theano compiles be found again by later starts.

    Two faults of Theano 1.0.5 make every start compile some ops anew, two
    seconds for the classification network, and leave the files behind: the
    version of code that is kept in files is a hash of strings, which
    Python 3 draws anew each time; and ops that have no properties, such as
    ``Dot22`` and ``Alloc``, count as having no version.

    Parameters
    ----------
    theano : module
    """
    def c_code_cache_version(self):
        code = '\0'.join(self.func_codes).encode('utf-8')
        version = (hashlib.sha256(code).hexdigest(),)
        if hasattr(self, 'params_type'):
            version += (self.params_type.c_code_cache_version(),)
        return version

    theano.gof.COp.c_code_cache_version = c_code_cache_version
    for op in _subclasses(theano.gof.op.PureOp):
        # The metaclass has made what ``==`` and ``hash`` need from it.
        if vars(op).get('__props__') == ():
            del op.__props__


def _subclasses(cls):
    """All classes below one, each once."""
    found = set()
    for subclass in cls.__subclasses__():
        found |= {subclass} | _subclasses(subclass)
    return found
