"""TIFF files: pages, and samples as their tags define them.

tifffile reads the tags, imagecodecs decompresses; what they do not decode
(faxes, YCbCr with fewer samples of chrominance), libtiff does, within
imagecodecs.
"""

import itertools
import logging
import math
from dataclasses import dataclass
from typing import Optional

import numpy as np

from ..color import as_uint8
from .arrays import straighten_alpha, to_levels, to_upright
from .metadata import Metadata, metadata_of_tiff
from .photo import MOST_OF_SCANS, ImageError, check_size, damage
from .profiles import lab_of_samples, lab_to_rgb, to_srgb, ycbcr_to_rgb
from .tags import is_cut
from .whole import check_page

__all__ = ['TiffPage', 'is_tiff', 'read_page', 'read_pages']

_STARTS = b'II*\0', b'MM\0*', b'II+\0', b'MM\0+'

# PhotometricInterpretation.
_WHITE_IS_ZERO, _RGB, _PALETTE, _SEPARATED, _YCBCR = 0, 2, 3, 5, 6
_CIELAB, _ICCLAB, _ITULAB = 8, 9, 10
_RAW = {32803, 34892}  # a camera's filters, or its linear samples

#: Samples of a pixel that are not beside the photo, such as alpha.
_COLOURS = {_RGB: 3, _SEPARATED: 4, _YCBCR: 3, _CIELAB: 3, _ICCLAB: 3,
            _ITULAB: 3}

# Compressions: those by a JPEG decoder, which makes RGB of YCbCr; those that
# some versions of imagecodecs do not have (faxes, NeXT, ThunderScan, Pixar's,
# old JPEG).
_JPEG = {6, 7, 34892, 33007}
_ONLY_LIBTIFF = {2, 3, 4, 6, 32766, 32771, 32809, 32909}

#: Samples of a pixel, where there are as many pixels as may be.
_MOST_SAMPLES = 8

#: Directories that are looked at.
_MOST_PAGES = 10000

# The coefficients of YCbCr, where a file does not say them.
_REC_601 = .299, .587, .114

# tifffile tells what it finds odd; a user is told what matters.
logging.getLogger('tifffile').addHandler(logging.NullHandler())


@dataclass(frozen=True)
class TiffPage:
    """A page of a TIFF file, to be read.

    Attributes
    ----------
    page : tifffile.TiffPage
    number : int
        Of the page in its file, from 0.
    is_main : bool
        Whether it is neither a mask nor a smaller copy of another page.
    """

    page: object
    number: int
    is_main: bool

    @property
    def size(self):
        """How many pixels it has."""
        return self.page.imagewidth * self.page.imagelength

    @property
    def is_raw(self):
        """Whether it has what a camera's sensor saw."""
        return self.page.photometric in _RAW


def is_tiff(start):
    """Whether a file that starts with these 4 bytes is TIFF or BigTIFF."""
    return bytes(start[:4]) in _STARTS


def read_pages(stream, name):
    """Pages of a TIFF file, those that other pages lead to among them.

    Parameters
    ----------
    stream : binary file
        Stays open while pages are read.
    name : str or Path
        What errors call it.

    Returns
    -------
    list of TiffPage
        None that has no pixels.

    Raises
    ------
    ImageError
    """
    import tifffile
    found, seen = [], set()
    try:
        stream.seek(0)
        for number, page in enumerate(tifffile.TiffFile(stream).pages):
            # The chain may lead back, or on and on.
            if page.offset in seen or len(seen) >= _MOST_PAGES:
                break
            for each in itertools.chain([page], page.pages or ()):
                if each.offset in seen or len(seen) >= _MOST_PAGES:
                    break
                seen.add(each.offset)
                # Pages alike may be read as frames without tags of theirs.
                each = each.aspage() if hasattr(each, 'aspage') else each
                kind = int(each.subfiletype or 0)
                if _has_pixels(each) and not kind & 4:
                    found.append(TiffPage(each, number, each is page
                                          and not kind & 1))
    # tifffile's on damage are of any kind, of memory, too: it multiplies
    # sides that are no numbers.
    except Exception as error:
        if not found:
            raise ImageError(name, 'truncated file' if is_cut(stream) else
                             damage(error, 'its directories'))
    if not found:
        raise ImageError(name, 'truncated file' if is_cut(stream) else
                         'damaged file (no picture in it)')
    return found


def _has_pixels(page):
    """Whether a page has rows and columns, each a number."""
    sides = page.imagelength, page.imagewidth
    return (all(isinstance(side, int) and side > 0 for side in sides) and
            bool(page.shaped) and 0 not in page.shaped)


@dataclass(frozen=True)
class _Decoded:
    """Levels of a page before its profile is applied."""

    pixels: np.ndarray
    alpha: Optional[np.ndarray] = None


def read_page(stream, page, name):
    """Decode a page.

    Parameters
    ----------
    stream : binary file
    page : TiffPage
    name : str or Path
        What errors call the file.

    Returns
    -------
    pixels : ndarray of uint8 or uint16
        Grey (rows, columns) or sRGB (rows, columns, 3); upright.
    alpha : ndarray or None
        Upright.
    orientation : int
    metadata : Metadata
    notes : tuple of str
        See :class:`colornet.formats.photo.Photo`.

    Raises
    ------
    ImageError
        If it is damaged, truncated, too large, or of a kind that nobody
        reads.
    """
    page, end = page.page, stream.seek(0, 2)
    check_size(name, page.imagelength, page.imagewidth, end, MOST_OF_SCANS)
    # Samples that no colours need, and pages in depth.
    check_size(name, math.prod(page.shaped) // _MOST_SAMPLES, 1)
    try:
        check_page(stream, page, name)
        decoded = _decode(stream, page)
        stream.seek(0)
        metadata = metadata_of_tiff(stream.read(), page.offset)
    except (ImageError, MemoryError):
        raise
    except _Unreadable as error:
        raise ImageError(name, error)
    except Exception as error:
        raise ImageError(name, damage(error, _part(page, error)))
    pixels, notes = decoded.pixels, metadata.notes
    try:
        pixels = to_srgb(pixels, metadata.profile)
    except ValueError as error:
        notes += '%s, ignored' % error,
        metadata = Metadata(**dict(vars(metadata), profile=b''))
        pixels = to_srgb(pixels, b'')
    orientation = _tag(page, 274, 1)
    if orientation not in range(1, 9):
        orientation = 1
    alpha = decoded.alpha
    return (to_upright(pixels, orientation),
            None if alpha is None else to_upright(alpha, orientation),
            orientation, metadata, notes)


def _part(page, error):
    """What of a page could not be decoded."""
    name = getattr(page.compression, 'name', 'NONE')
    if name == 'NONE' or not type(error).__module__.startswith('imagecodecs'):
        return 'its tags or its pixels'
    return 'its pixels, compressed by %s,' % name


class _Unreadable(Exception):
    """A page of a kind that is not read, and which."""


def _tag(page, code, default):
    tag = page.tags.get(code)
    value = default if tag is None else tag.value
    # Enumerations are numbers, too.
    return int(value) if isinstance(default, int) and np.isscalar(
        value) else value


def _decode(stream, page):
    """Grey, RGB or CMYK levels, and alpha."""
    photometric = page.photometric
    if photometric in _RAW:
        raise _Unreadable('what a camera\'s sensor saw, in a TIFF that is '
                          'not read as camera raw')
    if photometric is None:
        photometric = _RGB if page.samplesperpixel >= 3 else 1
    photometric = int(photometric)
    if page.sampleformat in (5, 6):
        raise _Unreadable('TIFF with complex numbers, which are no photo')
    if photometric > _ITULAB and photometric != 51177:
        return _by_libtiff(stream, page)
    if photometric == _YCBCR and page.compression in _JPEG:
        photometric = _RGB  # which the JPEG decoder has made of it
    if page.is_subsampled and page.compression not in _JPEG:
        return _by_libtiff(stream, page)
    try:
        samples = _samples(stream, page)
    except Exception as error:
        # Not whatever fails: libtiff leaves what it cannot decode black.
        if page.compression in _ONLY_LIBTIFF:
            return _by_libtiff(stream, page)
        raise _explained(page, error)
    colours = _COLOURS.get(photometric, 1)
    if photometric == _SEPARATED and (_tag(page, 332, 1) != 1 or
                                      samples.shape[-1] < 4):
        raise _Unreadable('TIFF of %d inks that are not CMYK'
                          % samples.shape[-1])
    if samples.shape[-1] < colours:
        raise _Unreadable('TIFF of %d samples a pixel where its colours need '
                          '%d'
                          % (samples.shape[-1], colours))
    bits = page.bitspersample
    bits = bits if isinstance(bits, int) else None
    pixels = _colours(page, photometric, samples[..., :colours], bits)
    number, associated = _alpha_sample(page, colours, samples.shape[-1])
    if number is None:
        return _Decoded(pixels)
    alpha = to_levels(samples[..., number], bits, _limits(page))
    alpha = _like(alpha, pixels)
    return _Decoded(straighten_alpha(pixels, alpha) if associated else
                    pixels, alpha)


def _like(levels, pixels):
    """Levels of the type of the pixels."""
    if levels.dtype == pixels.dtype:
        return levels
    return (as_uint8(levels) if pixels.dtype == np.uint8 else
            levels.astype(np.uint16) * np.uint16(257))


def _explained(page, error):
    """Why neither library decodes a page."""
    kind, text = page.compression, str(error)
    known = 'requires' in text or 'not supported' in text or (
        'is not a valid' in text or 'COMPRESSION' in text)
    if not known or not isinstance(kind, int):
        return error
    return _Unreadable('TIFF with compression %s and %s-bit samples, which '
                       'is not read'
                       % (getattr(kind, 'name', kind), page.bitspersample))


def _samples(stream, page):
    """Samples as they are stored: (rows, columns, samples)."""
    bits = page.bitspersample
    signed = page.sampleformat == 2
    if isinstance(bits, int) and bits not in (8, 16, 32, 64) and (
            signed or bits > 32 or bits == 24) and page.sampleformat != 3:
        samples = _odd_samples(stream, page)
    else:
        samples = page.asarray().reshape(page.shaped)
    samples = samples[:, 0]  # of a volume, the first picture
    samples = (np.moveaxis(samples[..., 0], 0, -1) if len(samples) > 1
               else samples[0])
    if signed and samples.dtype.kind == 'u':
        sign = 1 << (bits - 1)
        samples = (samples.astype(np.int64) ^ sign) - sign
    return samples


def _odd_samples(stream, page):
    """Integers that imagecodecs does not unpack, without their sign."""
    import tifffile
    if page.is_tiled or page.predictor != 1:
        raise _Unreadable('TIFF with tiles of %d-bit samples'
                          % page.bitspersample)
    planes, _, rows, columns, samples = page.shaped
    bits, row = page.bitspersample, columns * samples
    packed = []
    for offset, count in zip(page.dataoffsets, page.databytecounts):
        stream.seek(offset)
        data = stream.read(count)
        if page.compression != 1:
            data = tifffile.TIFF.DECOMPRESSORS[page.compression](data)
        packed.append(np.frombuffer(data, np.uint8))
    length = (row * bits + 7) // 8
    packed = np.concatenate(packed)[:planes * rows * length]
    if bits == 24 and page.parent.byteorder == '<':
        packed = packed.reshape(-1, 3)[:, ::-1]  # as 16 and 32 bits are
    flags = np.unpackbits(packed.reshape(planes * rows, length), axis=1)
    flags = flags[:, :row * bits].reshape(-1, bits)
    whole = np.zeros((len(flags), 64), np.uint8)
    whole[:, 64 - bits:] = flags
    values = np.packbits(whole, axis=1).view('>u8').astype(np.uint64)
    return values.reshape(page.shaped)


def _limits(page):
    """Black and white, where SMinSampleValue and SMaxSampleValue say them."""
    low, high = [np.ravel(_tag(page, code, ())) for code in (340, 341)]
    if low.size and high.size and float(high[0]) > float(low[0]):
        return float(low[0]), float(high[0])
    return None


def _colours(page, photometric, samples, bits):
    """Grey, RGB or CMYK levels of samples."""
    if photometric == _PALETTE:
        return _palette(page)[samples[..., 0].astype(np.intp)]
    if photometric in (_CIELAB, _ICCLAB, _ITULAB):
        if photometric == _ITULAB or (samples.dtype.kind != 'f' and
                                      bits not in (8, 16)):
            raise _Unreadable('TIFF with %sCIELAB of %s bits' % (
                'ITU ' * (photometric == _ITULAB), bits))
        rgb = lab_to_rgb(lab_of_samples(samples, photometric == _ICCLAB))
        return as_uint8(rgb) if bits == 8 else rgb
    levels = to_levels(samples, bits, _limits(page))
    if photometric == _YCBCR:
        range_ = _tag(page, 532, ())
        if len(range_) == 12:  # fractions
            range_ = [above / below for above, below in zip(range_[::2],
                                                            range_[1::2])]
        coefficients = _tag(page, 529, ())
        if len(coefficients) == 6:
            coefficients = [above / below for above, below in zip(
                coefficients[::2], coefficients[1::2])]
        white = (1 << (bits or 8)) - 1
        neutral = (white + 1) / 2
        range_ = range_ or (0, white, neutral, white, neutral, white)
        return ycbcr_to_rgb(levels, coefficients or _REC_601,
                            np.float32(range_) / white)
    if photometric == _WHITE_IS_ZERO:
        levels = np.iinfo(levels.dtype).max - levels
    return levels[..., 0] if levels.shape[-1] == 1 else levels


def _palette(page):
    """Colours of a palette: (numbers, 3)."""
    colours = np.asarray(page.colormap).T.astype(np.uint16)
    if colours.max() < 256:  # old programs wrote 8 bits
        return colours.astype(np.uint8)
    short = (colours >> 8).astype(np.uint8)
    if (colours == short * np.uint16(257)).all() or (
            colours == short.astype(np.uint16) << 8).all():
        return short
    return colours


def _alpha_sample(page, colours, count):
    """Which sample is alpha, and whether the others are multiplied by it."""
    extra = [int(kind) for kind in page.extrasamples]
    if not extra and count == colours + 1 and colours in (1, 3):
        return count - 1, False  # as others read files that do not say
    for kind, associated in (2, False), (1, True):
        if kind in extra and colours + extra.index(kind) < count:
            return colours + extra.index(kind), associated
    return None, False


def _by_libtiff(stream, page):
    """Pixels of 8 bits by libtiff, for what only it decodes."""
    import imagecodecs
    stream.seek(0)
    data = bytearray(stream.read())
    tag = page.tags.get(274)
    if tag is not None:
        # It would turn the picture half-way.
        size = {1: 1, 3: 2, 4: 4}[int(tag.dtype)]
        order = 'little' if page.parent.byteorder == '<' else 'big'
        data[tag.valueoffset:tag.valueoffset + size] = (1).to_bytes(size,
                                                                    order)
    rgba = imagecodecs.tiff_decode(bytes(data), index=page.index, asrgb=True)
    rgba = rgba.reshape(page.imagelength, page.imagewidth, 4)
    pixels = np.ascontiguousarray(rgba[..., :3])
    if page.photometric in (0, 1):
        pixels = pixels[..., 0]
    if not {1, 2}.intersection(int(kind) for kind in page.extrasamples):
        return _Decoded(pixels)
    alpha = np.ascontiguousarray(rgba[..., 3])
    return _Decoded(straighten_alpha(pixels, alpha), alpha)
