"""Photos of any format and mode become upright arrays in sRGB."""

import io
import itertools
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image, features

from ..errors import ColornetError
from .apart import guard_decoders
from .arrays import straighten_alpha, to_levels, to_upright
from .containers import png_texts
from .deep import jpeg_headers, read_deep, read_deep_jpeg, read_pfm
from .jpeg2000 import is_jp2, read_boxes
from .metadata import (Metadata, exif_orientation, metadata_of_image,
                       metadata_of_raw)
from .optional import open_heif, read_raw, sniff
from .photo import MOST_IN_A_BYTE, ImageError, Photo, check_size, damage
from .profiles import apply_gamma, to_srgb
from .quiet import quietly
from .tags import set_upright
from .tiff import is_tiff, read_page, read_pages

__all__ = ['PAGES', 'decode_photo', 'page_numbers', 'photo_of_image']

# How files of formats that Pillow reads begin, if damage has not left them
# anything else.
_KNOWN_STARTS = (b'\xff\xd8\xff', b'\x89PNG\r\n\x1a\n', b'GIF87a', b'GIF89a',
                 b'\0\0\0\x0cjP  \r\n\x87\n')

# Pillow could also read formats that start other programs (EPS).
_READ_FORMATS = ('JPEG', 'PNG', 'WEBP', 'BMP', 'GIF', 'PPM', 'JPEG2000')

# Later versions read AVIF, for which pillow-heif is needed with others.
if 'avif' in features.modules and features.check_module('avif'):
    _READ_FORMATS += 'AVIF',

_FORMATS = ('not an image file (JPEG, PNG, TIFF, WebP, BMP, GIF, PPM, JPEG '
            '2000, HEIC, AVIF or camera raw)')

#: Which pages of a file may be chosen.
PAGES = 'largest', 'all'

# Of a PNG that says so, samples are nearly sRGB.
_NEARLY_SRGB = .45455

#: Samples of a pixel of PNG by its type of colours; bytes that zlib makes of
#: one at the most.
_SAMPLES, _MOST_INFLATED = {2: 3, 4: 2, 6: 4}, 1032


def decode_photo(source, name, page=None):
    """Decode a photo from memory or from an open file.

    Parameters
    ----------
    source : bytes or binary file
        The whole file; it must be seekable.
    name : str or Path
        What errors call it; its suffix tells camera raw from TIFF.
    page : int, optional
        One of :func:`page_numbers`.

    Returns
    -------
    Photo
        Of an animation, the first frame; of the pages of a TIFF, the one
        with the most pixels, unless `page` is given.

    Raises
    ------
    ImageError
        If it is no image, damaged, truncated, too large or of a kind that
        needs a package which is not installed.
    """
    source, start = _start(source, name)
    kind = _sniff(start, name)
    if kind in ('HEIC', 'AVIF') and kind not in _READ_FORMATS:
        return _decode_heif(source, name, kind)
    if kind == 'RAW':
        return _decode_raw(source, name)
    if is_tiff(start):
        return _decode_tiff(source, name, page)
    return _decode_by_pillow(source, name, page or 0)


def photo_of_image(image):
    """A photo of what Pillow has in memory.

    Parameters
    ----------
    image : PIL.Image.Image
        Of any mode but BGR;15, BGR;16 and BGR;24.

    Returns
    -------
    Photo

    Raises
    ------
    ColornetError
        If Pillow cannot convert its mode.
    """
    if image.mode.startswith('BGR;'):
        raise ColornetError('an image of mode %s, which Pillow does not '
                            'convert to RGB' % image.mode)
    with quietly():
        pixels, alpha = _decode(image)
        return _finished(pixels, alpha, metadata_of_image(image),
                         image.format or '', False)


def _start(source, name):
    """A file, and how it starts."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        source = io.BytesIO(source)
    source.seek(0)
    start = source.read(32)
    if not start:
        raise ImageError(name, 'empty file')
    return source, start


def _sniff(start, name):
    return sniff(start, Path(str(name)).suffix.lower())


def page_numbers(source, name, pages='all'):
    """Which pages or frames of a file are to be coloured.

    Parameters
    ----------
    source : bytes or binary file
        The whole file; it must be seekable.
    name : str or Path
        As for :func:`decode_photo`.
    pages : 'all' or 'largest'
        Of an animation, the largest is the first.

    Returns
    -------
    list of int
        To be given to :func:`decode_photo`. Of a TIFF, smaller copies of a
        page and masks are none.

    Raises
    ------
    ColornetError
        If it cannot be read, or there is no such choice of pages.
    """
    if pages not in PAGES:
        raise ColornetError('pages must be %s, not %r'
                            % (' or '.join(PAGES), pages))
    source, start = _start(source, name)
    if not is_tiff(start) or _sniff(start, name):
        source.seek(0)
        return list(range(_count_frames(source) if pages == 'all' else 1))
    found = read_pages(source, name)
    main = [number for number, page in enumerate(found) if page.is_main]
    if pages == 'largest' or not main or any(page.is_raw for page in found):
        return [found.index(_largest(found))]
    return main


def _largest(pages):
    return max(pages, key=lambda page: page.size)


def _decode_tiff(source, name, number):
    guard_decoders()
    pages = read_pages(source, name)
    if any(page.is_raw for page in pages):
        return _decode_raw(source, name)
    if number is not None and number >= len(pages):
        raise ImageError(name, 'has no page %d' % (number + 1))
    page = _largest(pages) if number is None else pages[number]
    pixels, alpha, orientation, metadata, notes = read_page(source, page,
                                                            name)
    others = [other for other in pages if other.is_main and other is not page]
    return Photo(pixels, alpha, orientation, metadata, 'TIFF', bool(others),
                 int(page.page.compression), notes)


def _decode_raw(source, name):
    source.seek(0)
    content = source.read()
    metadata = metadata_of_raw(content)
    return Photo(read_raw(content, name), metadata=metadata, format='RAW',
                 notes=metadata.notes if metadata.exif else (
                     'no EXIF found in camera raw',))


def _decode_heif(source, name, kind):
    source.seek(0)
    pixels, info, associated, has_more = open_heif(source.read(), name, kind)
    image = SimpleNamespace(info=info, format=kind)
    metadata = metadata_of_image(image)
    if metadata.exif:
        # The decoder has turned the photo, as the container says.
        metadata = replace(metadata, exif=set_upright(metadata.exif))
    return _photo_of(pixels, metadata, kind, has_more, associated)


def _photo_of(samples, metadata, format, has_more, associated=False,
              gamma=None):
    """A photo of (rows, columns, 1 to 4) levels, alpha the last if even."""
    alpha = None
    if samples.shape[2] in (2, 4):
        alpha = np.ascontiguousarray(samples[..., -1])
        samples = samples[..., :-1]
    pixels = np.ascontiguousarray(samples if samples.shape[2] > 1 else
                                  samples[..., 0])
    if associated and alpha is not None:
        pixels = straighten_alpha(pixels, alpha)
    return _finished(pixels, alpha, metadata, format, has_more, gamma)


def _finished(pixels, alpha, metadata, format, has_more, gamma=None):
    """A photo of levels in the colours of its file, as they are stored."""
    notes = metadata.notes
    try:
        pixels = to_srgb(pixels, metadata.profile)
    except ValueError as error:
        notes += '%s, ignored' % error,
        metadata = replace(metadata, profile=b'')
        pixels = to_srgb(pixels, b'')
    if gamma and not metadata.profile and abs(gamma - _NEARLY_SRGB) > .01:
        pixels = apply_gamma(pixels, gamma)
    orientation = exif_orientation(metadata.exif)
    return Photo(to_upright(pixels, orientation),
                 None if alpha is None else to_upright(alpha, orientation),
                 orientation, metadata, format, has_more, notes=notes)


@quietly()
def _decode_by_pillow(source, name, frame):
    source.seek(0)
    content, said = source.read(), {}
    if is_jp2(content):
        content, said = read_boxes(content)
    image, has_more = _load(content, name, frame)
    if image is None:
        return _decode_unknown(content, name)
    image.info.update(said)
    texts, gamma = (), None
    if image.format == 'PNG':
        texts = png_texts(content)
        if 'srgb' not in image.info:
            gamma = image.info.get('gamma')
        if isinstance(image.info.get('transparency'), int) and (
                image.mode in ('1', 'L') and content[24] < 8 and
                image.info['transparency'] < 1 << content[24]):
            # Pillow scales the levels, but not that of the transparent one,
            # or, in later versions, not always.
            image.info['transparency'] *= 255 // ((1 << content[24]) - 1)
    metadata = metadata_of_image(image, texts)
    try:
        deep = read_deep(image, content) if frame == 0 else None
    except ValueError as error:
        raise ImageError(name, error)
    if deep is not None:
        return _photo_of(deep, metadata, image.format, has_more, gamma=gamma)
    pixels, alpha = _decode(image)
    return _finished(pixels, alpha, metadata, image.format, has_more, gamma)


def _decode_unknown(content, name):
    """A photo of a kind that Pillow does not know."""
    try:
        levels = read_pfm(content, name)
        if levels is not None:
            return _photo_of(levels, Metadata(), 'PPM', False)
        levels = read_deep_jpeg(content, name)
    except ImageError:
        raise
    except ValueError as error:
        if str(error) != 'not an image file':
            raise ImageError(name, error)
        raise ImageError(name, 'damaged file (its headers cannot be decoded)'
                         if content.startswith(_KNOWN_STARTS) or (
                             content[:4] + content[8:12] == b'RIFFWEBP')
                         else _FORMATS)
    return _photo_of(levels, _metadata_of_deep_jpeg(content), 'JPEG', False)


def _metadata_of_deep_jpeg(content):
    """What a JPEG that Pillow does not read says, before pixels it reads."""
    stream = io.BytesIO()
    Image.new('L', (1, 1)).save(stream, 'JPEG')
    headers = jpeg_headers(content)[0]
    try:
        return metadata_of_image(Image.open(io.BytesIO(
            b'\xff\xd8' + headers + stream.getvalue()[20:])))
    except MemoryError:
        raise
    except Exception:  # as damage makes Pillow raise
        return Metadata()


def _load(content, name, frame):
    """Loaded Pillow image, None if it knows none; whether there are more."""
    stream = io.BytesIO(content)
    part = 'its headers'
    try:
        image = Image.open(stream, formats=_READ_FORMATS)
        check_size(name, image.height, image.width, len(content),
                   _most_in_a_byte(image.format, content, name))
        part = 'its pixels'
        if image.format == 'PNG':
            # Otherwise Pillow leaves what follows a damage black.
            image.verify()
            image = Image.open(stream, formats=_READ_FORMATS)
        if frame:
            image.seek(frame)
        image.load()
        has_more = _count_frames(io.BytesIO(content), 2) > 1
    except (ImageError, MemoryError):
        raise
    except Image.UnidentifiedImageError:
        return None, False
    except Image.DecompressionBombError:
        check_size(name, math.inf, 1)
    # Pillow's decoders raise almost anything on damaged files: OSError,
    # SyntaxError, ValueError, struct.error, KeyError, ...
    except Exception as error:
        raise ImageError(name, damage(error, part))
    return image, has_more


def _most_in_a_byte(format, content, name):
    """Pixels that a byte of a file may stand for."""
    if format != 'PNG':
        return MOST_IN_A_BYTE
    if content[12:16] != b'IHDR':
        # Pillow takes another order, which is none.
        raise ImageError(name, 'damaged file (it does not begin with its '
                               'size)')
    return 8 * _MOST_INFLATED // max(
        content[24] * _SAMPLES.get(content[25], 1), 1)


def _count_frames(stream, most=None):
    """Frames of an animation; 1 for a photo.

    The second picture that cameras put behind a JPEG is none.
    """
    number = 1
    try:
        image = Image.open(stream, formats=['GIF', 'PNG', 'WEBP'])
        for number in itertools.count(1):
            if number == most:
                break
            image.seek(number)
    except Exception:  # no more, or none that can be read
        pass
    return number


def _decode(image):
    """Levels and alpha of a loaded Pillow image; of inks, still CMYK."""
    if image.mode[0] == 'I':
        return _decode_integers(image), None
    if image.mode == 'F':
        return to_levels(np.array(image)), None
    grey = image.mode in ('1', 'L', 'LA', 'La')
    alpha = None
    if image.mode[-1] in 'Aa' or 'transparency' in image.info:
        image = image.convert('LA' if grey else 'RGBA')
        alpha = np.array(image.getchannel('A'))
    if image.mode != 'CMYK':
        image = image.convert('L' if grey else 'RGB')
    return np.array(image), alpha


def _decode_integers(image):
    """Levels of Pillow's integers, which do not say how many bits they are."""
    values = np.array(image)
    if values.dtype.itemsize == 2:
        return values.astype(np.uint16)
    if image.format in _READ_FORMATS:
        # Of files, Pillow has made them count to 65535.
        return values.clip(0, 65535).astype(np.uint16)
    bits = getattr(image, 'tag_v2', {}).get(258)
    # Those without a sign are not of this mode.
    return to_levels(values.astype(np.int16) if bits and bits[0] == 16
                     else values)
