"""Whether a coloured photo is whole, coloured, and of what it was made of."""

import contextlib
import io
import logging
import warnings
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from colornet.color import luminance
from colornet.formats.photo import ImageError
from colornet.photos.prints import find_picture, is_even
from colornet.photos.reading import read_photo

__all__ = ['is_grey', 'judge_colours', 'judge_result', 'sizes']

#: How far the luminance of pixels may move in the mean, of 100.
_TOLERANCE = 10

#: Difference of a pixel's channels, from 0 to 1, that is a colour.
_COLOUR = .01


def judge_result(source, result):
    """What is wrong with a coloured photo.

    Parameters
    ----------
    source, result : Path

    Returns
    -------
    str
        Empty if the result can be decoded to its end, has a size that other
        programs find in the source, of one of its pages, upright or not, or,
        where they find none, that as colornet reads it; and if it has the
        luminance of the source, and colours where there may be any.
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
    try:
        photo = read_photo(source)
    except ImageError as error:
        return 'the source cannot be read again: %s' % error.reason
    expected = sizes(source) or {photo.pixels.shape[:2]}
    if not {shape, shape[::-1]} & expected:
        return 'the result has %s pixels, not %s' % (shape, sorted(expected))
    # LibRaw develops a damaged file otherwise each time.
    return '' if photo.format == 'RAW' else judge_colours(
        photo.pixels, read_photo(result).pixels)


def judge_colours(source, result):
    """What is wrong with the pixels of a coloured photo.

    Parameters
    ----------
    source, result : ndarray of uint8 or uint16
        Upright, (rows, columns) or (rows, columns, 3).

    Returns
    -------
    str
        Empty if the result has the luminance of the source, and a colour
        somewhere, unless all is black, white or even.
    """
    if source.shape[:2] != result.shape[:2]:
        return 'the result is turned'
    ours, theirs = [luminance(pixels) for pixels in (source, result)]
    difference = np.abs(ours - theirs).mean()
    if difference > _TOLERANCE:
        return 'its luminance differs by %.1f of 100' % difference
    return 'the result is grey' if is_grey(source, result) else ''


def is_grey(source, result):
    """Whether a result has no colour, though there may be one.

    Parameters
    ----------
    source, result : ndarray of uint8 or uint16
        Of one size.

    Returns
    -------
    bool
        False if all is black, white or even.
    """
    ours = luminance(source)
    shown = (ours > 20) & (ours < 80)
    has_colour = np.ptp(_levels(result), axis=-1) > _COLOUR
    return bool(shown.any() and not has_colour[shown].any() and
                not _may_be_grey(source))


def _may_be_grey(pixels):
    """Whether nothing is on a photo but paper, near or from afar."""
    picture = luminance(pixels)[find_picture(pixels)]
    small = Image.fromarray(picture).resize((8, 8), Image.BOX)
    return is_even(picture) or is_even(np.asarray(small))


def _levels(pixels):
    """RGB from 0 to 1."""
    if pixels.ndim == 2:
        pixels = np.dstack([pixels] * 3)
    return pixels / float(np.iinfo(pixels.dtype).max)


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
