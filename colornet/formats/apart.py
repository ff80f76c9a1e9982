"""A decoder in a process of its own, as damaged files make it crash."""

import io
import subprocess
import sys

import numpy as np

__all__ = ['decode_ljpeg', 'guard_decoders', 'main']

#: Seconds after which it is ended; a photo takes a few.
_LONGEST = 120

#: Takes the places to import from.
_START = ('import sys; sys.path[:] = sys.argv[1:]; '
          'from colornet.formats.apart import main; main()')


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
    # What is imported here is imported there, and nothing of the working
    # directory, where others may have put what they like.
    places = [place for place in sys.path if place]
    try:
        done = subprocess.run(
            [sys.executable, '-I', '-c', _START] + places, input=content,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=_LONGEST)
    except (OSError, subprocess.TimeoutExpired):
        raise ValueError('lossless JPEG that cannot be decoded')
    if done.returncode:
        raise ValueError('lossless JPEG that cannot be decoded')
    return np.load(io.BytesIO(done.stdout), allow_pickle=False)


def main():
    """Decode the file on standard input to standard output, as NumPy's."""
    import imagecodecs

    # Not at once: NumPy would ask a pipe where it is.
    saved = io.BytesIO()
    np.save(saved, imagecodecs.ljpeg_decode(sys.stdin.buffer.read()),
            allow_pickle=False)
    sys.stdout.buffer.write(saved.getvalue())
