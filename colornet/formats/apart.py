"""Decoders in processes of their own, as damaged files make them crash."""

import importlib
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

__all__ = ['call_apart', 'decode_ljpeg', 'guard_decoders', 'main']

#: Seconds after which one is ended; a photo takes a few.
_LONGEST = 120

#: Takes the places to import from, which come last.
_START = ('import sys; sys.path[:] = sys.argv[4:]; '
          'from colornet.formats.apart import main; main()')

#: Exit status of a process that has not enough memory.
_NO_MEMORY = 77


def call_apart(module, function, content, *arguments):
    """Call a decoder in a process of its own.

    Parameters
    ----------
    module, function : str
        Where it is, and its name. It takes `content` and `arguments`, and
        returns a dict of str to ndarray.
    content : bytes
    arguments
        As JSON can write them.

    Returns
    -------
    mapping of str to ndarray
        None of Python's objects: what the file says, nothing runs.

    Raises
    ------
    ValueError
        If the process does not end well.
    MemoryError
        If it had too little memory.
    """
    # What is imported here is imported there, and nothing of the working
    # directory, where others may have put what they like, but for colornet.
    places = [place for place in sys.path if place] + [
        str(Path(__file__).resolve().parents[2])]
    try:
        done = subprocess.run(
            [sys.executable, '-I', '-c', _START, module, function,
             json.dumps(arguments)] + places, input=content,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=_LONGEST)
    except (OSError, subprocess.TimeoutExpired):
        raise ValueError('%s does not end well' % function)
    if done.returncode == _NO_MEMORY:
        raise MemoryError
    if done.returncode:
        raise ValueError('%s does not end well' % function)
    return np.load(io.BytesIO(done.stdout), allow_pickle=False)


def main():
    """Decode the file on standard input to standard output, as NumPy's."""
    module, function, arguments = sys.argv[1:4]
    decode = getattr(importlib.import_module(module), function)
    try:
        decoded = decode(sys.stdin.buffer.read(), *json.loads(arguments))
        # Not at once: NumPy would ask a pipe where it is.
        saved = io.BytesIO()
        np.savez(saved, **decoded)
    except MemoryError:
        sys.exit(_NO_MEMORY)
    with saved.getbuffer() as content:
        sys.stdout.buffer.write(content)


def guard_decoders():
    """Let imagecodecs use :func:`decode_ljpeg` for its own from now on.

    It does so for JPEG that another decoder refuses, in TIFF, too.
    """
    import imagecodecs
    imagecodecs.ljpeg_decode = decode_ljpeg


def decode_ljpeg(content, out=None):
    """Samples of a lossless JPEG file.

    Parameters
    ----------
    content : bytes
    out
        As of imagecodecs; not used.

    Returns
    -------
    ndarray of uint8 or uint16, (rows, columns) or (rows, columns, samples)

    Raises
    ------
    ValueError
        If it cannot be decoded.
    """
    return call_apart(__name__, '_decode_ljpeg', content)['pixels']


def _decode_ljpeg(content):
    import imagecodecs
    return {'pixels': imagecodecs.ljpeg_decode(content)}
