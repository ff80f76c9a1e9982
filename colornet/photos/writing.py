"""Writing of photos and sheets, each completely or not at all."""

import io
import os
import struct
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from ..color import as_uint8
from ..files import make_folder, replacing
from ..formats.arrays import to_stored
from ..formats.containers import (byte_order, into_jpeg, into_png, into_tiff,
                                  into_webp, without_format)
from ..formats.marks import LONGEST_IN_JPEG, is_marked, marked
from ..formats.metadata import Metadata, exif_orientation
from ..formats.photo import ImageError
from ..formats.profiles import from_srgb
from ..terminal import note

__all__ = ['check_format', 'check_suffix', 'encode_photo', 'output_dtype',
           'output_suffix', 'save_image', 'takes_quality', 'write_bytes',
           'write_photo']


@dataclass(frozen=True)
class _Encoding:
    """A format, and Pillow's options for it."""

    format: str
    options: dict = field(default_factory=dict)
    holds_alpha: bool = False
    holds_metadata: bool = False
    holds_16_bits: bool = False


# 4:4:4 (subsampling 0): the colours are what this program makes.
_JPEG = _Encoding('JPEG', {'quality': 95, 'subsampling': 0},
                  holds_metadata=True)
_PNG = _Encoding('PNG', holds_alpha=True, holds_metadata=True,
                 holds_16_bits=True)
_TIFF = _Encoding('TIFF', holds_alpha=True, holds_metadata=True,
                  holds_16_bits=True)
_WEBP = _Encoding('WEBP', {'quality': 95}, holds_alpha=True,
                  holds_metadata=True)
_BMP = _Encoding('BMP')
_PPM = _Encoding('PPM')

_ENCODINGS = {'.jpg': _JPEG, '.jpeg': _JPEG, '.jpe': _JPEG, '.jfif': _JPEG,
              '.png': _PNG, '.tif': _TIFF, '.tiff': _TIFF, '.webp': _WEBP,
              '.bmp': _BMP, '.ppm': _PPM}

# TIFF's compressions of which the colours have the same, as tifffile calls
# them; what is not here (of faxes, of greys) becomes the second.
_COMPRESSIONS = {1: None, 8: 'zlib', 5: 'lzw', 7: 'jpeg', 32773: 'packbits',
                 32946: 'zlib', 34925: 'lzma', 50000: 'zstd'}
_PREDICTED = {'zlib', 'lzw', 'lzma', 'zstd'}


def check_suffix(path):
    """Refuse a path that :func:`save_image` would refuse.

    Returns
    -------
    str
        The format that its suffix stands for, as Pillow calls it.

    Raises
    ------
    ImageError
        If its suffix stands for no format.
    """
    return _encoding(Path(path).suffix, path).format


def check_format(name):
    """Refuse a format that results cannot have.

    Parameters
    ----------
    name : str
        Such as 'png'.

    Raises
    ------
    ImageError
    """
    _encoding('.' + name, 'format %s' % name)


def takes_quality(name):
    """Whether a format, named as for :func:`check_format`, has a quality."""
    return 'quality' in _encoding('.' + name, 'format %s' % name).options


def output_suffix(path, photo, depth=None):
    """Suffix of the file that holds the colorized photo.

    Parameters
    ----------
    path : str or Path
        File that the photo was read from.
    photo : Photo, or None
        None: not read yet, so taken to be opaque and of 8 bits.
    depth : 8 or 16, optional
        As for :func:`output_dtype`.

    Returns
    -------
    str
        The suffix of `path`; or '.png', where that format cannot hold full
        colour, or the transparency or the bits of this photo.
    """
    suffix = Path(path).suffix
    encoding = _ENCODINGS.get(suffix.lower())
    if encoding is None:
        return '.png'
    clear = photo is not None and photo.alpha is not None
    deep = (depth == 16 if depth is not None else
            photo is not None and photo.pixels.dtype != np.uint8)
    return '.png' if (clear and not encoding.holds_alpha or
                      deep and not encoding.holds_16_bits) else suffix


def output_dtype(photo, suffix, depth=None):
    """Type of the pixels that a result should have.

    Parameters
    ----------
    photo : Photo
    suffix : str
        Of the output.
    depth : 8 or 16, optional
        If not given, 16 where the photo has more than 8 bits.

    Returns
    -------
    np.uint8 or np.uint16
        np.uint8, where the format cannot hold more.
    """
    encoding = _ENCODINGS.get(suffix.lower())
    deep = photo.pixels.dtype != np.uint8 if depth is None else depth == 16
    return (np.uint16 if deep and encoding and encoding.holds_16_bits
            else np.uint8)


def write_photo(path, rgb, photo, depth=None, mark=True, quality=None,
                times=None, tell=None):
    """Write a colorized photo beside what its file held.

    The format follows the suffix. EXIF (without its thumbnail), XMP, IPTC,
    comments, resolution, texts of PNG and alpha are kept byte for byte where
    the format can hold them, a colour profile where it can describe colours,
    the compression of TIFF; what is lost is said. Where it can hold EXIF,
    the pixels are stored in the orientation of the original file, so that
    the stored size is the same too; otherwise upright.

    Parameters
    ----------
    path : str or Path
        Appears complete or not at all.
    rgb : ndarray, (rows, columns, 3)
        Upright sRGB; uint8, uint16, or floating point in [0, 1].
    photo : Photo
        As it was read.
    depth : 8 or 16, optional
        Bits a channel; see :func:`output_dtype`.
    mark : bool
        Say in XMP that colours are computed, and by what.
    quality : int, optional
        Of JPEG and WebP, 1 to 100; of others, it is said that they have none.
    times : os.stat_result, optional
        Of a file whose times of access and modification the output gets.
    tell : callable, optional
        Takes a line about what is lost; if not given, it is printed.

    Raises
    ------
    ImageError
        If the format cannot hold the photo.
    OSError
        If the disk cannot.
    """
    content = encode_photo(rgb, photo, Path(path).suffix, path, depth, mark,
                           quality, tell)
    write_bytes(path, content, times)


def encode_photo(rgb, photo, suffix, name=None, depth=None, mark=True,
                 quality=None, tell=None):
    """Encode a colorized photo in memory, as :func:`write_photo` writes it.

    Parameters
    ----------
    rgb : ndarray, (rows, columns, 3)
        Upright sRGB; uint8, uint16, or floating point in [0, 1].
    photo : Photo
        As it was read.
    suffix : str
        Of a file in the format that is wanted, such as '.jpg'.
    name : str or Path, optional
        What errors call the photo.
    depth, mark, quality, tell
        As for :func:`write_photo`.

    Returns
    -------
    bytes

    Raises
    ------
    ImageError
        If the format cannot hold the photo, or there is none.
    """
    name = name or 'photo' + suffix
    if tell is None:
        def tell(text):
            note('colornet: note: %s: %s' % (name, text))
    encoding = _encoding(suffix, name)
    if photo.alpha is not None and not encoding.holds_alpha:
        raise ImageError(name, '%s cannot hold the transparency of this '
                               'photo, use .png' % encoding.format)
    if depth == 16 and not encoding.holds_16_bits:
        raise ImageError(name, '%s cannot hold 16 bits, use .png or .tif'
                         % encoding.format)
    for text in photo.notes:
        tell(text)
    if quality is not None and 'quality' not in encoding.options:
        tell('quality is of JPEG and WebP, and not of ' + encoding.format)
    dtype = output_dtype(photo, suffix, depth)
    pixels = _with_depth(rgb, dtype)
    lost = []
    if depth is None and dtype == np.uint8 and photo.pixels.dtype == np.uint16:
        lost.append('more than 8 bits')
    options = {} if quality is None else {'quality': quality}
    if encoding.holds_metadata:
        return _encode_with_metadata(pixels, photo, encoding, name, options,
                                     mark, tell, lost)
    metadata = photo.metadata
    _tell_lost(tell, lost + without_format(metadata, encoding is _PPM))
    if metadata.resolution:
        # Which BMP can hold, to some 50 million.
        options['dpi'] = [min(value, 5e7) for value in metadata.resolution]
    if photo.alpha is not None:
        pixels = np.dstack([pixels, _with_depth(photo.alpha, dtype)])
    return _encode(pixels, encoding, name, options)


def _encode_with_metadata(pixels, photo, encoding, name, options, mark, tell,
                          lost):
    """Encode a photo with all that can be kept of what its file says."""
    all_ = photo.metadata
    profiled = (from_srgb(pixels, all_.profile) if all_.profile else None)
    if profiled is None:
        all_ = replace(all_, profile=b'')
    # Of a photo, its colours are worth more than what is said of it.
    tries = [('', all_), ('EXIF', replace(all_, exif=b'')),
             ('EXIF and other metadata', Metadata(profile=all_.profile)),
             ('EXIF, other metadata and its colour profile', Metadata())]
    told = ''
    for what, metadata in tries:
        # Stored as it was, where EXIF says how that is.
        orientation = exif_orientation(metadata.exif)
        stored = to_stored(profiled if metadata.profile else pixels,
                           orientation)
        if photo.alpha is not None:
            stored = np.dstack([stored, to_stored(
                _with_depth(photo.alpha, stored.dtype), orientation)])
        try:
            content, more = _with_metadata(stored, encoding, name, options,
                                           metadata, photo.compression, mark)
        except ImageError:
            raise
        except Exception as error:  # of whatever is damaged in it
            told = told or str(error)
            continue
        if what:
            tell('written without %s, which cannot be kept (%s)'
                 % (what, told))
        _tell_lost(tell, lost + more)
        return content
    raise ImageError(name, 'cannot be encoded as %s (%s)'
                     % (encoding.format, told))


def _with_depth(values, dtype):
    """Levels of another type; 16 bits of 8 are the same level."""
    if dtype == np.uint8:
        return as_uint8(values)
    if values.dtype == np.uint8:
        return values * np.uint16(257)
    if values.dtype == np.uint16:
        return values
    return (values.clip(0, 1) * 65535 + 0.5).astype(np.uint16)


def _with_metadata(pixels, encoding, name, options, metadata, compression,
                   mark):
    unmarked = []
    if mark:
        metadata = marked(metadata, LONGEST_IN_JPEG if encoding is _JPEG
                          else (None, None))
        unmarked = ['a mark that colours are computed'] * (
            not is_marked(metadata))
    if encoding.format == 'TIFF':
        content = _encode_tiff(pixels, name, metadata, compression)
        content, lost = into_tiff(content, metadata, mark)
    elif encoding.format == 'WEBP':
        more, lost = into_webp(metadata)
        content = _encode(pixels, encoding, name, dict(options, **more))
    else:
        put = into_jpeg if encoding.format == 'JPEG' else into_png
        content, lost = put(_encode(pixels, encoding, name, options),
                            metadata)
    return content, unmarked + lost


def _tell_lost(tell, lost):
    if lost:
        tell('its format cannot keep: ' + ', '.join(lost))


def save_image(path, image, **options):
    """Save a Pillow image under its suffix, completely or not at all.

    Parameters
    ----------
    path : str or Path
        With a suffix that :func:`write_photo` knows; its folder is made if it
        is missing.
    image : PIL.Image.Image
    options
        Further options of the format, see Pillow.

    Raises
    ------
    ImageError
        If the format cannot hold the image.
    OSError
        If the disk cannot.
    """
    encoding = _encoding(Path(path).suffix, path)
    write_bytes(path, _encode(image, encoding, path, options))


def _encode(pixels, encoding, name, options):
    """Bytes of an array, or of a Pillow image.

    In memory first: it tells the faults of a photo from those of the disk,
    of which Pillow's encoders do not give the reason.
    """
    if getattr(pixels, 'dtype', None) == np.uint16:
        import imagecodecs
        return imagecodecs.png_encode(np.ascontiguousarray(pixels), level=6)
    image = (Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else
             pixels)
    if encoding is _JPEG and max(image.size) > 65500:
        # libjpeg would say so on the screen.
        raise ImageError(name, 'cannot be encoded as JPEG (more than 65500 '
                               'pixels a side)')
    encoded = io.BytesIO()
    try:
        image.save(encoded, encoding.format, **dict(encoding.options,
                                                    **options))
    except (OSError, ValueError, RuntimeError, struct.error) as error:
        raise ImageError(name, 'cannot be encoded as %s (%s)'
                         % (encoding.format, error))
    return encoded.getvalue()


def _encode_tiff(pixels, name, metadata, compression):
    """Bytes of an array as TIFF, compressed as the photo was."""
    import tifffile
    kind = _COMPRESSIONS.get(compression, 'zlib')
    options = {}
    if kind == 'jpeg' and (pixels.dtype != np.uint8 or pixels.shape[2] > 3):
        kind = 'zlib'
    if kind == 'jpeg':
        options = {'compressionargs': {'level': 95}, 'subsampling': (1, 1)}
    encoded = io.BytesIO()
    try:
        tifffile.imwrite(
            encoded, pixels, photometric='rgb', planarconfig='contig',
            compression=kind, predictor=kind in _PREDICTED or None,
            byteorder=byte_order(metadata), metadata=None, software=False,
            extrasamples=['unassalpha'] * (pixels.shape[2] - 3) or None,
            **options)
    except Exception as error:  # of the compressor, or too large a file
        raise ImageError(name, 'cannot be encoded as TIFF (%s)' % error)
    return encoded.getvalue()


def write_bytes(path, content, times=None):
    """Write a file, completely or not at all.

    Parameters
    ----------
    path : str or Path
        Its folder is made if it is missing.
    content : bytes
    times : os.stat_result, optional
        As for :func:`write_photo`.

    Raises
    ------
    OSError
        If the disk cannot.
    """
    make_folder(Path(path).parent)
    with replacing(path) as temporary:
        Path(temporary).write_bytes(content)
    if times is not None:
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _encoding(suffix, name):
    """Encoding that a suffix stands for."""
    try:
        return _ENCODINGS[suffix.lower()]
    except KeyError:
        raise ImageError(name, 'unknown suffix "%s" of the output, use one '
                               'of %s' % (suffix,
                                          ' '.join(sorted(_ENCODINGS))))
