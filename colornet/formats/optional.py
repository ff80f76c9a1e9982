"""Formats that need a package of their own: HEIC, AVIF and camera raw.

Each package is imported when the first such photo comes; where it is
missing, its name is in the error.
"""

import importlib
import io
import json

import numpy as np
from PIL import Image

from .apart import call_apart
from .photo import ImageError, check_size, damage
from .quiet import without_lines

__all__ = ['RAW_SUFFIXES', 'open_heif', 'read_raw', 'sniff']

# Brands of ISO media files, of the 4 bytes after "ftyp".
_HEIC_BRANDS = {b'heic', b'heix', b'hevc', b'hevx', b'heim', b'heis', b'hevm',
                b'hevs', b'mif1', b'msf1'}
_AVIF_BRANDS = {b'avif', b'avis'}

# How camera raw starts, if not as TIFF does.
_RAW_STARTS = (b'FUJIFILMCCD-RAW', b'IIRO', b'IIRS', b'MMOR', b'IIU\0',
               b'II\x1a\0\0\0HEAPCCDR', b'FOVb', b'\0MRM')

# Raw files that start as TIFF: Canon's, and whose pixels are where no other
# program of TIFF looks for them.
_RAW_TIFF_MARK = slice(8, 10), b'CR'

# What is taken of what a HEIC or AVIF file says.
_HEIF_INFO = 'exif', 'xmp', 'icc_profile'

#: Suffixes of camera raw.
RAW_SUFFIXES = {'.dng', '.cr2', '.cr3', '.crw', '.nef', '.nrw', '.arw',
                '.srf', '.sr2', '.orf', '.rw2', '.raf', '.pef', '.srw',
                '.rwl', '.3fr', '.erf', '.kdc', '.dcr', '.mrw', '.x3f',
                '.iiq', '.mef'}


def sniff(start, suffix=''):
    """Which of these formats a file has.

    Parameters
    ----------
    start : bytes
        Its first 32 bytes.
    suffix : str
        Of its name, in lower case: raw that starts as TIFF is told by it.

    Returns
    -------
    'HEIC', 'AVIF', 'RAW' or None
    """
    if start[4:8] == b'ftyp':
        brands = {start[8:12]} | {start[at:at + 4] for at in range(16, 32, 4)}
        if start[8:12] == b'crx ':
            return 'RAW'
        # AVIF also has the brands that HEIC and it have in common.
        if brands & _AVIF_BRANDS:
            return 'AVIF'
        return 'HEIC' if brands & _HEIC_BRANDS else None
    where, mark = _RAW_TIFF_MARK
    if start.startswith(_RAW_STARTS) or (
            start[:4] in (b'II*\0', b'MM\0*') and
            (start[where] == mark or suffix in RAW_SUFFIXES)):
        return 'RAW'
    return None


def _package(module, name, file, kind):
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ImageError(file, '%s, which needs the package %s: pip install '
                               '%s' % (kind, name, name))


def open_heif(content, name, kind):
    """Open a HEIC or AVIF photo.

    Parameters
    ----------
    content : bytes
    name : str or Path
        What errors call it.
    kind : 'HEIC' or 'AVIF'

    Returns
    -------
    pixels : ndarray of uint8 or uint16, (rows, columns, 1 to 4)
    info : dict
        As of Pillow's images: EXIF, XMP, profile.
    associated : bool
        Whether the pixels are multiplied by their alpha.
    has_more : bool

    Raises
    ------
    ImageError
        If the package is missing, or the file damaged.
    """
    _package('pillow_heif', 'pillow-heif', name, kind)
    try:
        # Damaged files make libheif crash.
        found = call_apart(__name__, '_decode_heif', content,
                           Image.MAX_IMAGE_PIXELS)
    except ValueError:
        raise ImageError(name, damage('', 'its %s picture' % kind))
    said = json.loads(found['said'].tobytes().decode())
    if 'reason' in said:
        raise ImageError(name, said['reason'] if said['is_ours'] else damage(
            said['reason'], 'its %s picture' % kind))
    info = {key: found[key].tobytes() for key in _HEIF_INFO if key in found}
    return (found['pixels'], info, said['associated'], said['has_more'])


def _decode_heif(content, max_pixels):
    """What :func:`open_heif` returns, for :func:`.apart.call_apart`."""
    import pillow_heif
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        photos = pillow_heif.open_heif(io.BytesIO(content),
                                       convert_hdr_to_8bit=False)
        photo = photos[photos.primary_index]
        check_size('', photo.size[1], photo.size[0], len(content))
        # A copy: the memory is libheif's, and goes with it.
        pixels = np.array(photo)
        said = {'associated': bool(getattr(photo, 'premultiplied_alpha',
                                           False)),
                'has_more': len(photos) > 1}
        found = {key: np.frombuffer(photo.info[key], np.uint8)
                 for key in _HEIF_INFO if photo.info.get(key)}
        found['pixels'] = pixels.reshape(pixels.shape[:2] + (-1,))
    except MemoryError:
        raise
    except Exception as error:  # libheif's faults come as several
        is_ours = isinstance(error, ImageError)
        said = {'reason': error.reason if is_ours else str(error),
                'is_ours': is_ours}
        found = {}
    return dict(found, said=np.frombuffer(json.dumps(said).encode(),
                                          np.uint8))


def read_raw(content, name):
    """Develop camera raw with the camera's white balance.

    Parameters
    ----------
    content : bytes
    name : str or Path
        What errors call it.

    Returns
    -------
    ndarray of uint16, (rows, columns, 3)
        Upright sRGB; (rows, columns), if the sensor sees no colours.

    Raises
    ------
    ImageError
        If the package is missing, or the file damaged.
    """
    rawpy = _package('rawpy', 'rawpy', name, 'camera raw')
    try:
        # LibRaw tells the screen what is damaged.
        with without_lines(b'unknown file: '), rawpy.imread(
                io.BytesIO(content)) as raw:
            check_size(name, raw.sizes.height, raw.sizes.width,
                       len(content))
            pixels = raw.postprocess(
                use_camera_wb=True, output_bps=16, gamma=(2.4, 12.92),
                output_color=rawpy.ColorSpace.sRGB)
    except (ImageError, MemoryError):
        raise
    except Exception as error:
        text = error.args[0] if error.args else error
        if isinstance(text, bytes):
            text = text.decode('utf-8', 'replace')
        raise ImageError(name, 'camera raw that is not read (%s)' % text)
    pixels = pixels.reshape(pixels.shape[:2] + (-1,))
    if pixels.shape[2] == 1:
        return pixels[..., 0]
    if pixels.shape[2] != 3:
        raise ImageError(name, 'camera raw of %d colours, which is not read'
                         % pixels.shape[2])
    return pixels
