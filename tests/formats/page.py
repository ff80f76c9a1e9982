"""docs/formats.rst, made of the files that prove it."""

import io
import struct
from collections import OrderedDict
from dataclasses import replace

import numpy as np
from PIL import Image

from colornet.formats.decoding import decode_photo
from colornet.formats.photo import ImageError
from colornet.formats.tags import set_upright
from colornet.photos.writing import encode_photo, output_dtype
from tests.formats import kinds, other_kinds
from tests.formats.test_metadata import everything
from tests.formats.test_tiff import assert_shows
from tests.photos.test_profiles import grey_profile, swapped_rgb_profile
from tests.tiny import ROOT

__all__ = ['PAGE', 'make_page']

PAGE = ROOT / 'docs' / 'formats.rst'

#: What stands around the tables.
_TEMPLATE = ROOT / 'tests' / 'formats' / 'page.rst'

_TARGETS = [('JPEG', '.jpg'), ('PNG', '.png'), ('TIFF', '.tif'),
            ('WebP', '.webp'), ('BMP', '.bmp'), ('PPM', '.ppm')]


def make_page():
    """The page's text; an error, if a file is not read as it should be.

    Returns
    -------
    str
    """
    text = _TEMPLATE.read_text(encoding='utf-8')
    return text.replace('{read}', _read_table()).replace(
        '{kept}', _kept_table())


def _read_table():
    found = OrderedDict()
    for kind in kinds.KINDS + other_kinds.KINDS:
        for what, samples, depth, *rest in kind():
            assert_shows(*rest, name='%s, %s of %s bits'
                         % (what, samples, depth))
            found.setdefault((what, samples), set()).add(int(depth))
    rows = [(what, samples, _ranges(sorted(depths)))
            for (what, samples), depths in found.items()]
    return _table(('file', 'samples', 'bits'), rows)


def _ranges(numbers):
    """Numbers as text, those that follow each other as ``1 to 64``."""
    runs = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words = []
    for run in runs:
        words += (['%d to %d' % (run[0], run[-1])] if len(run) > 2 else
                  map(str, run))
    return ', '.join(words)


def _kept_table():
    rows = [(name,) + tuple('yes' if kept else 'no'
                            for kept in _kept(suffix))
            for name, suffix in _TARGETS]
    return _table(('written', 'EXIF', 'XMP', 'IPTC', 'comment', 'resolution',
                   'RGB profile', 'grey profile', 'alpha', '16 bits'), rows)


def _kept(suffix):
    """What is found in a file of a format when it is read again."""
    photo = _photo()
    metadata = decode_photo(encode_photo(
        photo.pixels, photo, suffix, mark=False), 'a').metadata
    # In TIFF, a comment is the description, which is one of EXIF's tags.
    alone = replace(photo, metadata=replace(photo.metadata, exif=b''))
    comment = encode_photo(photo.pixels, alone, suffix, mark=False)
    before = everything()
    yield b'1931:05:04' in metadata.exif
    yield metadata.xmp == before.xmp
    yield metadata.photoshop == before.photoshop
    yield before.comments[0] in comment
    yield (metadata.resolution or (0, 0))[0] > 599 or (
        struct.pack('<II', 600, 1) in metadata.exif)
    for profile in swapped_rgb_profile(), grey_profile(1.8):
        profiled = replace(photo, metadata=replace(photo.metadata,
                                                   profile=profile))
        yield decode_photo(encode_photo(
            photo.pixels, profiled, suffix), 'a').metadata.profile == profile
    clear = replace(photo, alpha=np.array(Image.linear_gradient('L')))
    try:
        alpha = decode_photo(encode_photo(photo.pixels, clear, suffix),
                             'a').alpha
        yield bool(np.array_equal(alpha, clear.alpha))
    except ImageError:
        yield False
    yield output_dtype(photo, suffix, 16) == np.uint16


def _photo():
    """A grey ramp of 256 x 256 pixels that says everything."""
    stream = io.BytesIO()
    Image.linear_gradient('L').convert('RGB').save(stream, 'PNG')
    return replace(decode_photo(stream.getvalue(), 'a'),
                   metadata=replace(everything(), exif=set_upright(
                       everything().exif)))


def _table(head, rows):
    """A table of reStructuredText."""
    widths = [max(len(row[at]) for row in [head] + rows)
              for at in range(len(head))]
    rule = '  '.join('=' * width for width in widths)
    lines = ['  '.join(cell.ljust(width) for cell, width in zip(row, widths))
             .rstrip() for row in [head] + rows]
    return '\n'.join([rule, lines[0], rule] + lines[1:] + [rule])
