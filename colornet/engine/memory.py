"""Memory of arrays that are gone, for the next ones.

glibc returns the memory of arrays above 32 MB to the system as soon as they
are gone, and asks for it again a moment later, filled with zeros: a fifth of
the time of a training step, whose maps are of the same sizes in each. Before
it has seen such arrays, and for smaller ones ever after, it keeps their memory
in heaps, one of each thread, which get gaps and grow for hours.
"""

import ctypes

from .switches import wanted

__all__ = ['memory_status', 'keep_freed_memory', 'return_freed_memory']

#: Parameters of mallopt (malloc.h): the most memory at the end of the heap
#: that is free; bytes from which a block is not of the heap, and how many such
#: blocks there may be; heaps.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -3, -4
_M_ARENA_MAX = -8


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


def return_freed_memory(heaps=2, smallest=1 << 17):
    """Let this process return what it frees, where that can be.

    For servers, whose threads take turns with photos of all sizes.

    Parameters
    ----------
    heaps : int
        That its threads share.
    smallest : int
        Bytes from which memory is asked of the system, and returned to it.
    """
    mallopt = _mallopt()
    if mallopt:
        mallopt(_M_ARENA_MAX, heaps)
        # Once said, it does not grow by itself.
        mallopt(_M_MMAP_THRESHOLD, smallest)


def _mallopt():
    try:
        return ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return None
