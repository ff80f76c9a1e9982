"""Files of other formats than TIFF, and with profiles; as in kinds.py."""

import io
import struct
import zlib

import imagecodecs
import numpy as np
from PIL import Image

from tests.formats.kinds import ALPHA, levels
from tests.formats.tiffs import packed, picture, tiff
from tests.photos.test_profiles import (cmyk_profile, grey_profile,
                                        swapped_rgb_profile)

__all__ = ['KINDS', 'chunk', 'jp2_file', 'saved']


def chunk(kind, content):
    """A chunk of a PNG file."""
    return (struct.pack('>I', len(content)) + kind + content
            + struct.pack('>I', zlib.crc32(kind + content)))


def png_file(samples, bits, colours, *chunks):
    """A PNG file: samples (rows, columns, n), its kind of colours, chunks."""
    rows, columns = samples.shape[:2]
    lines = packed(samples.reshape(rows, -1), bits, '>')
    length = len(lines) // rows
    lines = b''.join(b'\0' + lines[start:start + length]
                     for start in range(0, len(lines), length))
    header = struct.pack('>IIBBBBB', columns, rows, bits, colours, 0, 0, 0)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + b''.join(chunks)
            + chunk(b'IDAT', zlib.compress(lines)) + chunk(b'IEND', b''))


def png():
    for bits in 1, 2, 4, 8, 16:
        values = levels(picture(), bits)
        yield ('PNG', 'grey', '%d' % bits, png_file(values, bits, 0),
               picture(), None, 255. / ((1 << bits) - 1) / 2 + .6)
        exact = values / float((1 << bits) - 1)
        # Black, white, and one between them.
        for clear in values.min(), values.max(), values[3, 3]:
            yield ('PNG', 'grey with a transparent value', '%d' % bits,
                   png_file(values, bits, 0, chunk(b'tRNS', struct.pack(
                       '>H', clear))), exact, values != clear, .6)
    for bits in 8, 16:
        values = levels(picture(3), bits)
        clear = levels(ALPHA[..., None], bits)
        yield ('PNG', 'RGB', '%d' % bits, png_file(values, bits, 2),
               picture(3), None, .6)
        yield ('PNG', 'RGB with a transparent value', '%d' % bits,
               png_file(values, bits, 2, chunk(b'tRNS', struct.pack(
                   '>HHH', *values[3, 3]))), picture(3),
               (values != values[3, 3]).any(axis=-1), .6)
        yield ('PNG', 'RGB with alpha', '%d' % bits,
               png_file(np.dstack([values, clear]), bits, 6), picture(3),
               ALPHA, .6)
        yield ('PNG', 'grey with alpha', '%d' % bits,
               png_file(np.dstack([levels(picture(), bits), clear]), bits,
                        4), picture(), ALPHA, .6)
        linear = np.where(picture() > .04045, ((picture() + .055) / 1.055)
                          ** 2.4, picture() / 12.92)
        yield ('PNG', 'grey, linear by its gAMA', '%d' % bits,
               png_file(levels(linear, bits), bits, 0, chunk(
                   b'gAMA', struct.pack('>I', 100000))), picture(), None,
               14 if bits == 8 else .6)
    for bits in 1, 2, 4, 8:
        numbers = np.random.RandomState(1).randint(0, 1 << bits, (27, 37))
        colours = np.random.RandomState(2).randint(0, 256, (1 << bits, 3))
        yield ('PNG', 'palette', '%d' % bits,
               png_file(numbers, bits, 3, chunk(b'PLTE', bytes(
                   colours.astype(np.uint8).tobytes()))),
               (colours / 255.)[numbers], None, .01)


def saved(image, format, **options):
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def jp2_file(values, bits, profile):
    """A JPEG 2000 file, its colours those of a profile."""
    content = imagecodecs.jpeg2k_encode(values, level=0, bitspersample=bits,
                                        codecformat='jp2')
    header, at = [content.index(kind) - 4 for kind in (b'jp2h', b'colr')]
    whole, size = [struct.unpack_from('>I', content, start)[0]
                   for start in (header, at)]
    colours = (struct.pack('>I', 11 + len(profile)) + b'colr\2\0\0'
               + profile)
    return (content[:header] + struct.pack('>I', whole - size + len(colours))
            + content[header + 4:at] + colours + content[at + size:])


def others():
    grey, rgb = [Image.fromarray((picture(n) * 255).round().astype(np.uint8))
                 for n in (1, 3)]
    smooth = np.mgrid[:48, :80][1] / 79.
    ramp = Image.fromarray((smooth * 255).round().astype(np.uint8))
    colour = np.stack([smooth, smooth[:, ::-1], smooth * 0 + .5], axis=-1)
    ramps = Image.fromarray((colour * 255).round().astype(np.uint8))
    yield ('JPEG', 'grey', '8', saved(ramp, 'JPEG', quality=98), smooth,
           None, 3)
    yield ('JPEG', 'RGB', '8', saved(ramps, 'JPEG', quality=98,
                                     subsampling=0), colour, None, 6)
    yield ('JPEG', 'CMYK', '8', saved(ramps.convert('CMYK'), 'JPEG',
                                      quality=98), colour, None, 12)
    yield ('JPEG', 'lossless, grey', '16', imagecodecs.ljpeg_encode(
        levels(picture(), 16).astype(np.uint16), bitspersample=16),
        picture(), None, .01)
    for bits in 8, 12, 16:
        for channels, words in (1, 'grey'), (3, 'RGB'):
            values = levels(picture(channels), bits).astype(
                np.uint8 if bits == 8 else np.uint16)
            yield ('JPEG 2000', words, '%d' % bits, imagecodecs.jpeg2k_encode(
                values, level=0, bitspersample=bits, codecformat='jp2'),
                picture(channels), None, .6)
    yield 'WebP', 'RGB', '8', saved(rgb, 'WEBP', lossless=True), picture(
        3), None, .6
    for format in 'BMP', 'GIF', 'PPM':
        name = 'PPM, PGM, PBM' if format == 'PPM' else format
        yield (name, 'grey', '8', saved(grey, format),
               picture() if format != 'GIF' else
               np.stack([picture()] * 3, axis=-1), None, .6)
        if format != 'GIF':
            yield name, 'RGB', '8', saved(rgb, format), picture(3), None, .6
    for words, magic, channels in ('grey', b'P5', 1), ('RGB', b'P6', 3):
        for bits in 10, 16:
            yield ('PPM, PGM, PBM', words, '%d' % bits,
                   b'%s 37 27 %d\n' % (magic, (1 << bits) - 1)
                   + levels(picture(channels), bits).astype('>u2').tobytes(),
                   picture(channels), None, .6)


def float_maps():
    for words, magic, channels in ('grey', b'Pf', 1), ('RGB', b'PF', 3):
        for scale, order in (b'-1.0', '<f4'), (b'1.0', '>f4'):
            yield ('PFM', '%s, floating point' % words, '32',
                   b'%s\n37 27\n%s\n' % (magic, scale) + picture(
                       channels)[::-1].astype(order).tobytes(),
                   picture(channels), None, .6)


def profiles():
    for bits in 8, 16:
        for gamma in 1., 1.8, 2.2:
            light = picture() ** gamma
            shown = np.where(light > .0031308, 1.055 * light ** (1 / 2.4)
                             - .055, 12.92 * light)
            tag = 34675, 7, grey_profile(gamma)
            yield ('Colour profile', 'grey, gamma 1, 1.8 or 2.2',
                   '%d' % bits, tiff(levels(picture(), bits), bits,
                                     more=[tag]), shown, None,
                   7 if bits == 8 else .6)
        values = levels(picture(3)[..., [1, 0, 2]], bits)
        yield ('JPEG 2000', 'RGB, of a profile', '%d' % bits, jp2_file(
            values.astype(np.uint8 if bits == 8 else np.uint16), bits,
            swapped_rgb_profile()), picture(3), None, 3)
        tag = 34675, 7, swapped_rgb_profile()
        yield ('Colour profile', 'RGB, matrix and curves', '%d' % bits,
               tiff(levels(picture(3)[..., [1, 0, 2]], bits), bits, 2,
                    more=[tag]), picture(3), None, 3)
        cmyk = np.zeros((27, 37, 4))
        cmyk[..., :3] = 1
        yield ('Colour profile', 'CMYK, table', '%d' % bits,
               tiff(levels(cmyk, bits), bits, 5,
                    more=[(34675, 7, cmyk_profile())]),
               np.full((27, 37, 3), 188 / 255.), None, 4)


#: Of other formats.
KINDS = [png, others, float_maps, profiles]
