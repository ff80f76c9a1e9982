"""Warnings of libraries about files, which nobody should see, left out."""

import contextlib
import os
import sys
import tempfile
import threading
import warnings

__all__ = ['quietly', 'without_lines']

_thread = threading.local()

#: Held by who has the standard error stream elsewhere.
_elsewhere = threading.Lock()


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


@contextlib.contextmanager
def without_lines(start):
    """Leave out lines of C libraries on the standard error stream.

    What others print there meanwhile comes when the block ends.

    Parameters
    ----------
    start : bytes
        Of the lines.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_elsewhere)
            lines = stack.enter_context(tempfile.TemporaryFile())
            screen = stack.enter_context(open(os.dup(2), 'wb', 0))
        except OSError:  # There is no such stream, or no room.
            yield
            return
        _flush()
        os.dup2(lines.fileno(), 2)
        try:
            yield
        finally:
            _flush()
            os.dup2(screen.fileno(), 2)
            lines.seek(0)
            with contextlib.suppress(OSError):  # Who reads it has gone.
                for line in lines:
                    if not line.startswith(start):
                        screen.write(line)


def _flush():
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
