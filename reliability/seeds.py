"""Small photos of every format, to be damaged."""

import contextlib
import io
from collections import OrderedDict

import imagecodecs
import numpy as np
import tifffile
from PIL import ImageCms

from colornet.formats.decoding import decode_photo
from colornet.formats.photo import ImageError
from colornet.photos.writing import encode_photo
from tests.formats import kinds, other_kinds
from tests.formats.test_metadata import everything
from tests.formats.test_optional import dng, heif
from tests.photos.samples import photo
from tests.photos.test_profiles import cmyk_profile, swapped_rgb_profile

__all__ = ['photo_seeds']

#: Endings of the names of files that ``docs/formats.rst`` lists.
_SUFFIXES = {'TIFF': '.tif', 'BigTIFF': '.tif', 'PNG': '.png', 'WebP': '.webp',
             'JPEG 2000': '.jp2', 'JPEG': '.jpg', 'BMP': '.bmp',
             'GIF': '.gif', 'PPM': '.ppm', 'PFM': '.pfm'}


def photo_seeds():
    """Files that are whole, by format.

    Returns
    -------
    OrderedDict of str to list of (str, bytes)
        Format -> for each of its kinds, ending of a name and content: all
        that ``docs/formats.rst`` lists, those with all metadata, animations,
        and what optional packages read, where these are installed.
    """
    seeds = OrderedDict()
    for kind in kinds.KINDS + other_kinds.KINDS:
        for what, _, _, content, *_ in kind():
            format = what.partition(',')[0]
            if format == 'Colour profile':
                format = 'TIFF'
            suffix = _SUFFIXES.get(format, '.ppm')
            seeds.setdefault(format, []).append((suffix, content))
    for format, make in (('with metadata', _with_metadata),
                         ('more JPEG', _jpegs), ('more TIFF', _tiffs),
                         ('animations', _animations), ('HEIC', _heics),
                         ('AVIF', _avifs), ('camera raw', _raws)):
        found = list(make())
        if found:
            seeds[format] = found
    return seeds


def _saved(image, format, **options):
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def _with_metadata():
    """EXIF, XMP, IPTC, comments, resolution and a profile, in each format."""
    rgb = np.array(photo().resize((48, 36)))
    whole = decode_photo(_saved(photo().resize((48, 36)), 'JPEG'), 'a')
    for order in '<', '>':
        whole.metadata = everything(order)
        for suffix in '.jpg', '.png', '.tif', '.webp':
            yield suffix, encode_photo(rgb, whole, suffix, tell=str)
    profile = swapped_rgb_profile()
    for suffix, format in (('.jpg', 'JPEG'), ('.png', 'PNG'),
                           ('.webp', 'WEBP'), ('.tif', 'TIFF')):
        yield suffix, _saved(photo().resize((48, 36)), format,
                             icc_profile=profile)
    yield '.jpg', _saved(photo().resize((48, 36)).convert('CMYK'), 'JPEG',
                         icc_profile=cmyk_profile())


def _jpegs():
    small = photo().resize((48, 36))
    for image in small, small.convert('L'), small.convert('CMYK'):
        for options in ({}, {'progressive': True}, {'optimize': True},
                        {'restart_marker_blocks': 2}, {'comment': b'a' * 40}):
            yield '.jpg', _saved(image, 'JPEG', quality=70, **options)
    for bits in 8, 12, 16:
        with contextlib.suppress(Exception):  # of what is not built in
            yield '.jpg', imagecodecs.ljpeg_encode(
                np.arange(37 * 27, dtype=np.uint16).reshape(27, 37) % 256,
                bitspersample=bits)
    with contextlib.suppress(Exception):
        yield '.jpg', imagecodecs.jpeg_encode(
            np.array(small).astype(np.uint16) * 16, bitspersample=12)


def _tiffs():
    pixels = np.array(photo().resize((48, 64)))
    for options in ({'tile': (16, 16)}, {'tile': (32, 16), 'compression':
                    'zlib', 'predictor': True}, {'rowsperstrip': 7},
                    {'compression': 'lzw', 'byteorder': '>'},
                    {'compression': 'jpeg', 'tile': (32, 32)},
                    {'subifds': 1, 'bigtiff': True}):
        stream = io.BytesIO()
        with tifffile.TiffWriter(stream, **{
                name: options.pop(name) for name in ('byteorder', 'bigtiff')
                if name in options}) as writer:
            writer.write(pixels, photometric='rgb', **options)
            writer.write(pixels[::2, ::2], photometric='rgb',
                         subfiletype=1)
            writer.write(pixels[..., 0], photometric='minisblack')
        yield '.tif', stream.getvalue()
    for mode in 'RGB', 'L', '1', 'P', 'CMYK', 'LAB', 'RGBA', 'F', 'I':
        image = photo().resize((48, 36))
        if mode == 'LAB':
            image = ImageCms.profileToProfile(
                image, ImageCms.createProfile('sRGB'),
                ImageCms.createProfile('LAB'), outputMode='LAB')
        elif mode in 'FI':
            image = image.convert('L').convert(mode)
        yield '.tif', _saved(image.convert(mode), 'TIFF')


def _animations():
    frames = [photo().resize((48, 36)).rotate(90 * turn) for turn in range(3)]
    for suffix, format in ('.gif', 'GIF'), ('.png', 'PNG'), ('.webp', 'WEBP'):
        yield suffix, _saved(frames[0], format, save_all=True, duration=50,
                             append_images=frames[1:])
        yield suffix, _saved(frames[0].convert('RGBA'), format)


def _heics():
    with contextlib.suppress(ImportError):
        pixels = np.array(photo().resize((48, 36)))
        clear = np.dstack([pixels, pixels[..., 0]])
        for each in pixels, clear, pixels.astype(np.uint16) * 257:
            yield '.heic', heif(each)
        yield '.heic', heif(pixels, exif=everything().exif,
                            xmp=everything().xmp)


def _avifs():
    pixels = np.array(photo().resize((48, 36)))
    content = imagecodecs.avif_encode(pixels)
    with contextlib.suppress(ImageError):
        decode_photo(content, 'a.avif')
        yield '.avif', content
        yield '.avif', imagecodecs.avif_encode(
            np.dstack([pixels, pixels[..., 0]]))
        yield '.avif', imagecodecs.avif_encode(
            pixels.astype(np.uint16) * 4, bitspersample=10)


def _raws():
    content = dng()
    with contextlib.suppress(ImageError):
        decode_photo(content, 'a.dng')
        yield '.dng', content
