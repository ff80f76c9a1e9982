"""Files of every kind that is read, and what each of them shows.

Each yields (what it is, how its samples are stored, content, expected, alpha,
tolerance): expected in [0, 1], the tolerance in 1/255. docs/formats.rst has
their table.
"""

import io

import numpy as np
import tifffile
from PIL import Image

from tests.formats.tiffs import picture, tiff

__all__ = ['ALPHA', 'KINDS', 'levels']

#: A ramp that leaves no pixel clear.
ALPHA = np.linspace(.2, 1, 37)[None] * np.ones((27, 1))

_XYZ = np.array([[.4360747, .3850649, .1430804],
                 [.2225045, .7168786, .0606169],
                 [.0139322, .0971045, .7141733]])


def levels(values, bits):
    """Integers from 0 to the largest of that many bits."""
    if bits <= 32:
        return np.round(values * ((1 << bits) - 1)).astype(np.int64)
    # Longer ones than floating point can hold, of a picture's 61 levels.
    steps = [[[int(round(value * 60)) * ((1 << bits) - 1) // 60
               for value in np.atleast_1d(pixel)] for pixel in row]
             for row in values]
    return np.array(steps, np.uint64).reshape(values.shape)


def rounding(bits):
    """What is lost by rounding to that many bits, in 1/255."""
    return 255. / ((1 << bits) - 1) / 2 + .6


def grey():
    for bits in range(1, 65):
        for order in '<', '>':
            yield ('TIFF, grey', 'unsigned integers', '%d' % bits,
                   tiff(levels(picture(), bits), bits, order=order,
                        deflate=order == '<'),
                   picture(), None, rounding(bits))
        yield ('TIFF, grey, white is zero', 'unsigned integers', '%d' % bits,
               tiff(levels(1 - picture(), bits), bits, photometric=0),
               picture(), None, rounding(bits))
        yield ('BigTIFF, grey', 'unsigned integers', '%d' % bits,
               tiff(levels(picture(), bits), bits, big=True), picture(), None,
               rounding(bits))


def signed():
    for bits in range(2, 65):
        coarse = 2 * rounding(bits - 1)
        yield ('TIFF, grey', 'signed integers from 0 on', '%d' % bits,
               tiff(levels(picture(), bits - 1), bits, form=2), picture(),
               None, coarse)
        values = levels(picture(), bits).astype(object) - (1 << (bits - 1))
        yield ('TIFF, grey', 'signed integers, the lowest black',
               '%d' % bits, tiff(values, bits, form=2), picture(), None,
               coarse)


def floating():
    for bits in 16, 32, 64:
        for order in '<', '>':
            for scale, words in ((1, '1 is white'), (255, '255 is white'),
                                 (1.2, '1 is white, some are beyond')):
                yield ('TIFF, grey', 'floating point, ' + words,
                       '%d' % bits, tiff(picture() * scale, bits, form=3,
                                         order=order),
                       (picture() * (scale if scale < 2 else 1)).clip(0, 1),
                       None, .3)
        odd, shown = picture(), picture()
        for at, value, expected in ((3, np.nan, 0), (5, np.inf, 1),
                                    (7, -np.inf, 0)):
            odd[at, at], shown[at, at] = value, expected
        yield ('TIFF, grey', 'floating point with NaN and infinities',
               '%d' % bits, tiff(odd, bits, form=3), shown, None, .3)
        yield ('TIFF, grey', 'floating point, SMinSampleValue and '
               'SMaxSampleValue', '%d' % bits,
               tiff(picture() * 40 - 8, bits, form=3, more=[
                   (340, 12, (-8.,)), (341, 12, (32.,))]), picture(), None,
               .3)


def rgb():
    for bits in list(range(1, 17)) + [24, 32, 48, 64]:
        for planar, words in (False, ''), (True, ', planes apart'):
            yield ('TIFF, RGB' + words, 'unsigned integers', '%d' % bits,
                   tiff(levels(picture(3), bits), bits, 2, planar=planar,
                        order='<>'[bits % 2], deflate=planar), picture(3),
                   None, rounding(bits))
    for bits in 16, 32, 64:
        yield ('TIFF, RGB, planes apart', 'floating point, 1 is white',
               '%d' % bits, tiff(picture(3), bits, 2, form=3, planar=True),
               picture(3), None, .3)


def alpha():
    clear = ALPHA[..., None]
    for bits in 8, 16, 32:
        for planar in False, True:
            yield ('TIFF, RGB with alpha', 'unsigned integers', '%d' % bits,
                   tiff(levels(np.dstack([picture(3), clear]), bits), bits, 2,
                        extra=[2], planar=planar), picture(3), ALPHA, .6)
            yield ('TIFF, RGB multiplied by alpha', 'unsigned integers',
                   '%d' % bits,
                   tiff(levels(np.dstack([picture(3) * clear, clear]), bits),
                        bits, 2, extra=[1], planar=planar), picture(3), ALPHA,
                   4 if bits == 8 else .6)
        yield ('TIFF, grey with alpha', 'unsigned integers', '%d' % bits,
               tiff(levels(np.dstack([picture(), ALPHA]), bits), bits,
                    extra=[2]), picture(), ALPHA, .6)
        yield ('TIFF, RGB with a sample that is no alpha',
               'unsigned integers', '%d' % bits,
               tiff(levels(np.dstack([picture(3), ALPHA]), bits), bits, 2,
                    extra=[0]), picture(3), None, .6)


def inks():
    shown = picture(3)
    key = 1 - shown.max(axis=-1, keepdims=True)
    cmyk = np.dstack([(1 - shown - key) / np.maximum(1 - key, 1e-9), key])
    for bits in 8, 16:
        for planar in False, True:
            yield ('TIFF, CMYK', 'unsigned integers', '%d' % bits,
                   tiff(levels(cmyk, bits), bits, 5, planar=planar), shown,
                   None, 2)


def lab():
    shown = picture(3)
    linear = np.where(shown > .04045, ((shown + .055) / 1.055) ** 2.4,
                      shown / 12.92)
    xyz = linear @ _XYZ.T / [.9642, 1, .8249]
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz),
                 (24389 / 27 * xyz + 16) / 116)
    lab = np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]),
                    200 * (f[..., 1] - f[..., 2])], axis=-1)
    for photometric, name, scale, offset in (
            (8, 'CIELAB', (2.55, 1, 1), 0), (9, 'ICC CIELAB', (2.55, 1, 1),
                                             128)):
        for bits in 8, 16:
            values = lab * scale + [0, offset, offset]
            if bits == 16:
                values *= [257 if photometric == 8 else 256, 256, 256]
            # Of 8 bits, a step of a or b is many of RGB where it is dark.
            yield ('TIFF, ' + name, 'integers', '%d' % bits,
                   tiff(np.round(values).astype(np.int64), bits, photometric),
                   shown, None, 18 if bits == 8 else .8)


def ycbcr():
    shown = picture(3)
    for coefficients in (.299, .587, .114), (.2126, .7152, .0722):
        y = shown @ coefficients
        cb, cr = [(shown[..., at] - y) / (2 - 2 * coefficients[at])
                  for at in (2, 0)]
        for bits in 8, 16:
            unit = 1 << (bits - 8)
            for ends in (0, 255, 128, 255, 128, 255), (16, 235, 128, 240, 128,
                                                       240):
                more = [(529, 5, tuple((int(round(each * 10000)), 10000)
                                       for each in coefficients)),
                        (530, 3, (1, 1)),
                        (532, 5, tuple((end * unit, 1) for end in ends))]
                values = np.stack(
                    [y * (ends[1] - ends[0]) + ends[0]] +
                    [128 + each * 255 / 127 * (ends[3] - 128)
                     for each in (cb, cr)], axis=-1)
                yield ('TIFF, YCbCr of any coefficients', 'unsigned integers',
                       '%d' % bits,
                       tiff(np.round(values.clip(0, 255.9) * unit)
                            .astype(np.int64), bits, 6, more=more), shown,
                       None, 3)
    units = [bytes([40, 40, 40, 40, 128, 128]), bytes([200] * 4 + [128] * 2)]
    shown = np.kron(np.ones((9, 9)), [[40., 200.]]).repeat(2, 0).repeat(2, 1)
    yield ('TIFF, YCbCr with a quarter of the chrominance',
           'unsigned integers', '8',
           tiff(np.zeros((18, 36, 3), int), 8, 6, strip=18,
                data=[b''.join(units) * 81], more=[
                    (530, 3, (2, 2)), (532, 5, tuple(
                        (end, 1) for end in (0, 255, 128, 255, 128, 255)))]),
           np.stack([shown / 255] * 3, axis=-1), None, 2)


def palettes():
    for bits in 1, 2, 4, 8, 16:
        numbers = np.random.RandomState(bits).randint(0, 1 << bits, (27, 37))
        colours = np.random.RandomState(1).randint(0, 256, (3, 1 << bits))
        for unit, words in ((257, '16-bit colours'), (1, '8-bit colours')):
            yield ('TIFF, palette', words, '%d' % bits,
                   tiff(numbers, bits, 3, more=[
                       (320, 3, tuple((colours * unit).ravel()))]),
                   (colours.T / 255.)[numbers], None, .01)


def compressions():
    large = np.kron(picture(3), np.ones((4, 4, 1)))
    for name in 'lzw', 'zlib', 'packbits', 'lzma', 'zstd', 'lerc':
        for dtype in np.uint8, np.uint16, np.float32:
            white = 1 if dtype == np.float32 else np.iinfo(dtype).max
            values = (large * white + .5 * (white > 1)).astype(dtype)
            for options in ({'rowsperstrip': 20}, {'tile': (32, 48)}):
                if name in ('lzw', 'zlib', 'lzma', 'zstd'):
                    options['predictor'] = 'tile' in options
                yield _compressed(name, values, large, .6, options)
    for name, dtype in (('webp', np.uint8), ('png', np.uint16),
                        ('jpeg2000', np.uint16), ('jpegxl', np.uint8)):
        white = np.iinfo(dtype).max
        values = (large * white + .5).astype(dtype)
        yield _compressed(name, values, large, .6, {})
    smooth = np.mgrid[:96, :144][1][..., None] / 143. * np.ones(3)
    yield _compressed('jpeg', (smooth * 255 + .5).astype(np.uint8), smooth, 6,
                      {'tile': (48, 48)})
    bits = Image.fromarray((large[..., 0] > .5) * np.uint8(255)).convert('1')
    for name, words in (('group3', 'Group 3 fax'), ('group4', 'Group 4 fax'),
                        ('tiff_ccitt', 'CCITT RLE')):
        stream = io.BytesIO()
        bits.save(stream, 'TIFF', compression=name)
        yield ('TIFF, compressed', words, '1', stream.getvalue(),
               np.array(bits, float), None, 0)


def _compressed(name, values, shown, tolerance, options):
    words = {'lzw': 'LZW', 'zlib': 'Deflate', 'packbits': 'PackBits',
             'lzma': 'LZMA', 'zstd': 'Zstandard', 'lerc': 'LERC',
             'webp': 'WebP', 'png': 'PNG', 'jpeg2000': 'JPEG 2000',
             'jpegxl': 'JPEG XL', 'jpeg': 'JPEG'}[name]
    stream = io.BytesIO()
    tifffile.imwrite(stream, values, photometric='rgb', compression=name,
                     **options)
    return ('TIFF, compressed', words, '%d' % (8 * values.dtype.itemsize),
            stream.getvalue(), shown, None, tolerance)


#: Of all kinds of TIFF.
KINDS = [grey, signed, floating, rgb, alpha, inks, lab, ycbcr, palettes,
         compressions]
