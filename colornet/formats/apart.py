"""A decoder in a process of its own, as damaged files make it crash.

``python -m colornet.formats.apart`` takes a lossless JPEG file on its standard
input, and prints its samples as NumPy does.
"""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

__all__ = ['decode_ljpeg', 'guard_decoders']

#: Seconds after which it is ended; a photo takes a few.
_LONGEST = 120

_PACKAGE = Path(__file__).parents[2]


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
    places = [str(_PACKAGE), os.environ.get('PYTHONPATH')]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(
        filter(None, places)))
    try:
        done = subprocess.run(
            [sys.executable, '-m', 'colornet.formats.apart'], input=content,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=_LONGEST, env=environment)
    except (OSError, subprocess.TimeoutExpired):
        raise ValueError('lossless JPEG that cannot be decoded')
    if done.returncode:
        raise ValueError('lossless JPEG that cannot be decoded')
    return np.load(io.BytesIO(done.stdout), allow_pickle=False)


if __name__ == '__main__':
    import imagecodecs

    # Not at once: NumPy would ask a pipe where it is.
    saved = io.BytesIO()
    np.save(saved, imagecodecs.ljpeg_decode(sys.stdin.buffer.read()),
            allow_pickle=False)
    sys.stdout.buffer.write(saved.getvalue())
