"""Memory of arrays that are gone, for the next ones.

glibc returns the memory of arrays above 32 MB to the system as soon as they
are gone, and asks for it again a moment later, filled with zeros: a fifth of
the time of a training step, whose maps are of the same sizes in each. And it
gives each thread a heap of its own, in which what others free is no use.
"""

import ctypes

from .switches import wanted

__all__ = ['memory_status', 'keep_freed_memory', 'share_heaps']

#: Parameters of mallopt (malloc.h): the most memory at the end of the heap
#: that is free; blocks that are not of the heap; heaps.
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8


def memory_status():
    """'' if freed memory can be kept, else why not."""
    return '' if _mallopt() else 'the C library has no mallopt'


def keep_freed_memory():
    """Let this process keep what it frees until it ends, where that can be.

    Unless the speed-up ``memory`` is switched off. The most memory that is
    used at a time grows by 5 to 7 %, as the heap gets gaps.
    """
    mallopt = _mallopt()
    if mallopt and wanted('memory'):
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, -1)


def share_heaps(number=2):
    """Let the threads of this process share heaps, where that can be.

    Parameters
    ----------
    number : int
        Of the heaps that there may be.
    """
    mallopt = _mallopt()
    if mallopt:
        mallopt(_M_ARENA_MAX, number)


def _mallopt():
    try:
        return ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return None
