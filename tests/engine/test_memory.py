"""Memory that is freed, and used again."""

import subprocess
import sys
from unittest import SkipTest

from nose.tools import eq_, ok_

from colornet.engine.memory import memory_status
from colornet.engine.speedups import speedup_status
from colornet.engine.switches import without
from tests import tiny

# An array above what glibc ever keeps by itself, made and freed; how often
# the system had to give memory for it.
_CODE = '''
import resource
import numpy as np
from colornet.engine.memory import keep_freed_memory
from colornet.engine.switches import switch_off
switch_off(%r)
keep_freed_memory()

def count():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

np.ones(10 << 20)
before = count()
for _ in range(5):
    np.ones(10 << 20)
print(count() - before)
'''


def faults(*switched_off):
    return int(subprocess.check_output(
        [sys.executable, '-c', _CODE % (switched_off,)], cwd=str(tiny.ROOT)))


def test_memory_is_used_again():
    if memory_status():
        raise SkipTest(memory_status())
    # In pages of 2 MB at most, five times 80 MB are 200.
    ok_(faults('memory') >= 200)
    ok_(faults() < 20)


def test_status():
    with without():
        eq_(speedup_status()['memory'], memory_status())


_THREADS = '''
import ctypes
import threading
from colornet.engine.memory import return_freed_memory
%s
gate = threading.Barrier(8)
def work():
    kept = [bytearray(1000) for _ in range(1000)]
    gate.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
ctypes.CDLL(None).malloc_stats()
'''


def heaps(call):
    said = subprocess.run([sys.executable, '-c', _THREADS % call],
                          cwd=str(tiny.ROOT), stderr=subprocess.PIPE,
                          check=True).stderr
    return said.count(b'Arena ')


def test_threads_share_heaps():
    if memory_status() or heaps('') <= 2:
        raise SkipTest('needs glibc')
    eq_(heaps('return_freed_memory()'), 2)


_ARRAYS = '''
import numpy as np
from colornet.engine.memory import return_freed_memory
%s

def resident():
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * 4096

np.ones(20 << 17)  # From now on, glibc would keep smaller ones.
before = resident()
arrays, small = [], []
for _ in range(100):
    arrays.append(np.ones(1 << 17))
    small.append(bytearray(5000))
arrays.clear()
print(resident() - before)
'''


def test_gaps_between_what_is_kept_are_returned():
    if memory_status() or not sys.platform.startswith('linux'):
        raise SkipTest('needs glibc')

    def kept(call):
        return int(subprocess.check_output(
            [sys.executable, '-c', _ARRAYS % call], cwd=str(tiny.ROOT)))
    ok_(kept('return_freed_memory()') < 8 << 20)
    ok_(kept('') > 80 << 20)
