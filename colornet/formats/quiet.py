"""Warnings of libraries about files, which nobody should see, left out."""

import contextlib
import threading
import warnings

__all__ = ['quietly']

_thread = threading.local()


class _InThisThread:
    """What filters have for names of modules: all, while a thread is quiet.

    :class:`warnings.catch_warnings` changes the filters of all threads, and
    two that end in another order than they began leave them changed.
    """

    def match(self, module):
        return getattr(_thread, 'depth', 0) > 0


_FILTER = 'ignore', None, Warning, _InThisThread(), 0


@contextlib.contextmanager
def quietly():
    """Leave out the warnings of this thread, and of no other."""
    # Others may have reset the filters, or put theirs before it.
    if warnings.filters[:1] != [_FILTER]:
        warnings.filters.insert(0, _FILTER)
    _thread.depth = getattr(_thread, 'depth', 0) + 1
    try:
        yield
    finally:
        _thread.depth -= 1
