"""Whether a coloured photo is whole and as large as what it was made of."""

import contextlib
import io
import logging
import warnings
from pathlib import Path

import tifffile
from PIL import Image

__all__ = ['judge_result', 'sizes']


def judge_result(source, result):
    """What is wrong with a coloured photo.

    Parameters
    ----------
    source, result : Path

    Returns
    -------
    str
        Empty if the result can be decoded to its end and has a size that
        other programs find in the source, of one of its pages, upright or
        not; where they find none, that as colornet reads it.
    """
    warnings.simplefilter('ignore')
    logging.disable()
    Image.MAX_IMAGE_PIXELS = 1 << 60
    try:
        if result.suffix in ('.tif', '.tiff'):
            # Not what a description says of its own, which may be damaged
            # in the source as well.
            with tifffile.TiffFile(result) as file:
                shape = file.pages[0].asarray().shape[:2]
        else:
            with Image.open(result) as image:
                image.load()
                shape = image.height, image.width
    except Exception as error:
        return 'the result cannot be decoded: %s' % error
    expected = sizes(source)
    if not expected:
        from colornet.photos.reading import read_photo
        expected = {read_photo(source).pixels.shape[:2]}
    if not {shape, shape[::-1]} & expected:
        return 'the result has %s pixels, not %s' % (shape, sorted(expected))
    return ''


def sizes(path):
    """(Rows, columns) that libraries find in a file, a set."""
    content, found = Path(path).read_bytes(), set()
    with contextlib.suppress(Exception):
        with Image.open(io.BytesIO(content)) as image:
            found.add((image.height, image.width))
    if content[:2] in (b'II', b'MM'):
        with contextlib.suppress(Exception):
            for page in tifffile.TiffFile(io.BytesIO(content)).pages:
                for each in [page] + list(page.pages or ()):
                    found.add((each.imagelength, each.imagewidth))
    if content[4:8] == b'ftyp' and not found:
        with contextlib.suppress(Exception):
            import pillow_heif
            for image in pillow_heif.open_heif(io.BytesIO(content)):
                found.add(image.size[::-1])
    if Path(path).suffix == '.dng':
        with contextlib.suppress(Exception):
            import rawpy
            with rawpy.imread(io.BytesIO(content)) as raw:
                found.add((raw.sizes.height, raw.sizes.width))
    return found
