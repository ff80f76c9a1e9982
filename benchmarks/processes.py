"""Whole commands: ``colornet colorize`` of a photo, and of a folder.

Each is a process of its own, from its start to its end.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections import OrderedDict
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from colornet.errors import ColornetError
from colornet.photos.finding import find_images
from colornet.photos.reading import read_photo
from colornet.resources import find_resource
from colornet.terminal import progress_bar

from .children import PAUSE, ROOT, last_line
from .engines import COLORNET, ONNX, environment

__all__ = ['COLD', 'WARM', 'FOLDER', 'is_process', 'list_programs',
           'measure_processes', 'run_command', 'write_photos']

#: One photo, where nothing was compiled yet, and later.
COLD, WARM = 'colorize_cold', 'colorize_warm'

#: Begin of the work's name, before the number of photos.
FOLDER = 'folder_'

#: Pixels of the photos.
NUM_PIXELS = 1000000

#: Repetitions of what takes minutes.
MOST_ROUNDS = {COLD: 1, FOLDER: 3}


def is_process(work):
    """Whether a work is a whole command."""
    return work in (COLD, WARM) or work.startswith(FOLDER)


def write_photos(folder, count, num_pixels=NUM_PIXELS):
    """Write photos of one size, made of the demo's.

    Parameters
    ----------
    folder : Path
        Made if it is missing.
    count : int
    num_pixels : int
        Of each photo, about.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sources = find_images(find_resource('demo/photos'))
    random = np.random.RandomState(0)
    for number in range(count):
        image = Image.fromarray(
            read_photo(sources[number % len(sources)]).pixels)
        # No two are alike.
        part = np.array(image.size) * random.uniform(0.8, 1)
        left, top = (np.array(image.size) - part) * random.rand(2)
        scale = (num_pixels / np.prod(part)) ** 0.5
        image = image.resize(
            tuple(int(side) for side in np.round(part * scale)),
            Image.LANCZOS, (left, top, left + part[0], top + part[1]))
        if number % 2:
            image = ImageOps.mirror(image)
        # Black-and-white, as all versions of the program colour.
        image.convert('L').convert('RGB').save(
            folder / ('%03d.jpg' % number), quality=92)


def list_programs(engines, beside=None):
    """Commands that are compared.

    Parameters
    ----------
    engines : sequence of str
    beside : Path, optional
        Another version of colornet, by its root.

    Returns
    -------
    OrderedDict of str to (Path, list of str)
        Folder in which it starts, and options of ``colornet colorize``.
    """
    programs = OrderedDict()
    if 'colornet' in engines:
        programs['colornet'] = ROOT, []
    if ONNX in engines:
        programs[ONNX] = ROOT, ['--engine', 'onnx']
    if beside is not None:
        programs[Path(beside).name] = Path(beside), []
    return programs


#: Runs a command. A process that was forked begins with the peak memory of
#: the one that it was forked from: here it is a small one.
LAUNCHER = '''
import resource, subprocess, sys, time
start = time.perf_counter()
status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(time.perf_counter() - start,
      resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
'''


def run_command(arguments, folder, variables):
    """Run ``colornet`` once.

    Parameters
    ----------
    arguments : list of str
    folder : Path
        Root of the version that is run.
    variables : dict of str to str
        All of its environment.

    Returns
    -------
    seconds, peak_memory_mb : float

    Raises
    ------
    ColornetError
        If it fails: the last line that it printed.
    """
    time.sleep(PAUSE)
    done = subprocess.run(
        [sys.executable, '-c', LAUNCHER, sys.executable, '-m', 'colornet',
         *arguments], cwd=str(folder), env=variables, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, universal_newlines=True)
    if done.returncode:
        raise ColornetError(last_line(done.stderr) or
                            'ended with status %d' % done.returncode)
    seconds, peak_memory = map(float, done.stdout.split())
    return seconds, peak_memory * 1024e-6


def measure_processes(work, programs, num_rounds, num_threads, on_death):
    """Time a command of several programs by turns.

    Parameters
    ----------
    work : str
        :data:`COLD`, :data:`WARM` or :data:`FOLDER` with a number.
    programs : dict
        See :func:`list_programs`.
    num_rounds, num_threads : int
    on_death : callable
        Takes a program that failed and its message.

    Returns
    -------
    OrderedDict of str to (float, float)
        For each program: median of seconds for a photo, peak memory in MB.
    """
    count = int(work[len(FOLDER):]) if work.startswith(FOLDER) else 1
    rounds = min(num_rounds, MOST_ROUNDS.get(
        FOLDER if work.startswith(FOLDER) else work, num_rounds))
    found = OrderedDict((program, []) for program in programs)
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder, 'photos')
        write_photos(photos, count)
        for number in progress_bar(range(rounds + (work != COLD)), desc=work,
                                   unit='round'):
            for program in list(found):
                one = Path(folder, '%d %s' % (number, program))
                root, options = programs[program]
                variables = environment(program if program in COLORNET else
                                        'colornet', num_threads)
                if work == COLD:
                    _forget(variables, one / 'cache')
                try:
                    found[program].append(run_command(
                        ['colorize', str(photos), '--out', str(one / 'out')] +
                        options, root, variables))
                except ColornetError as error:
                    del found[program]
                    on_death(program, '%s: %s' % (program, error))
    # The first may have compiled something.
    return OrderedDict(
        (program, (statistics.median(seconds for seconds, _ in
                                     runs[work != COLD:]) / count,
                   max(memory for _, memory in runs)))
        for program, runs in found.items())


def _forget(variables, folder):
    """Let a process find nothing that another one has compiled."""
    variables['THEANO_FLAGS'] = ','.join(filter(None, [
        variables.get('THEANO_FLAGS'), 'base_compiledir=%s' % folder]))
    variables['XDG_CACHE_HOME'] = str(folder)
    variables.pop('COLORNET_CACHE', None)
