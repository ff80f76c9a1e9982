"""Metadata put into files of JPEG, PNG, TIFF and WebP."""

import struct
import zlib

from .marks import SOFTWARE, software_value
from .metadata import (DESCRIPTION, IPTC_BLOCK, LAYOUT_TAGS, ORIENTATION,
                       resource_blocks)
from .tags import (RESOLUTION, TagError, Tags, read_tags, resolution_values,
                   with_entries, with_tags)

__all__ = ['byte_order', 'into_jpeg', 'into_png', 'into_tiff', 'into_webp',
           'png_texts', 'without_format']

# A JPEG segment holds that many bytes, of which two are its length.
_SEGMENT = 65533

_TEXTS = b'tEXt', b'zTXt', b'iTXt'
_TIME = b'tIME'
_XMP_KEYWORD = b'XML:com.adobe.xmp\0'

# Those of which the content is elsewhere in Metadata, too.
_READ_TEXTS = (b'Comment\0',) + tuple(
    b'Raw profile type %s\0' % name
    for name in (b'exif', b'APP1', b'iptc', b'8bim', b'xmp'))


def into_jpeg(content, metadata):
    """A JPEG file with metadata.

    Parameters
    ----------
    content : bytes
        A JPEG file without any.
    metadata : Metadata

    Returns
    -------
    bytes, list of str
        The file, and what it cannot hold.

    Raises
    ------
    ValueError
        If it cannot hold EXIF, which says how the pixels are stored.
    """
    lost = _lost_texts(metadata)
    segments = []
    if metadata.resolution and content[6:11] == b'JFIF\0':
        across, down = [min(65535, max(1, int(value + .5)))
                        for value in metadata.resolution]
        content = (content[:13] + struct.pack('>BHH', 1, across, down)
                   + content[18:])
    if metadata.exif:
        segment = b'Exif\0\0' + metadata.exif
        if len(segment) > _SEGMENT:
            # Without it, pixels are stored otherwise.
            raise ValueError('%d bytes, more than JPEG can hold'
                             % len(metadata.exif))
        segments.append((0xe1, segment, 'EXIF'))
    if metadata.xmp:
        segments.append((0xe1, b'http://ns.adobe.com/xap/1.0/\0'
                         + metadata.xmp, 'XMP'))
    segments += [(0xe1, more, 'XMP') for more in metadata.more_xmp]
    parts = _split(metadata.profile, _SEGMENT - 14)
    segments += [(0xe2, b'ICC_PROFILE\0' + bytes([number, len(parts)]) + part,
                  'profile') for number, part in enumerate(parts, 1)]
    segments += [(0xed, b'Photoshop 3.0\0' + part, 'IPTC')
                 for part in _split(metadata.photoshop, _SEGMENT - 14)]
    segments += [(0xfe, comment, 'comment') for comment in metadata.comments]
    packed = b''
    for number, segment, name in segments:
        if len(segment) > _SEGMENT:
            lost.append('%s of %d bytes' % (name, len(segment)))
            continue
        packed += struct.pack('>BBH', 0xff, number, len(segment) + 2)
        packed += segment
    # Behind the start and, if it is there, JFIF's segment.
    at = 2
    if content[2:4] == b'\xff\xe0':
        at += 2 + struct.unpack('>H', content[4:6])[0]
    return content[:at] + packed + content[at:], lost


def _split(content, size):
    return [content[start:start + size]
            for start in range(0, len(content), size)]


def png_texts(content):
    """Chunks of text of a PNG file, and others of no colours; XMP apart.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    list of (bytes, bytes)
        Type and content.
    """
    found, at = [], 8
    while at + 8 <= len(content):
        size, kind = struct.unpack_from('>I4s', content, at)
        chunk = bytes(content[at + 8:at + 8 + size])
        if (kind in _TEXTS and not chunk.startswith(_XMP_KEYWORD) or
                kind == _TIME or _is_aspect(kind, chunk)):
            found.append((kind, chunk))
        at += 12 + size
    return found


def _is_aspect(kind, chunk):
    """Whether a chunk is a resolution of no unit."""
    return kind == b'pHYs' and chunk[8:] == b'\0'


def _lost_texts(metadata):
    """Of texts of PNG and the like, what is not kept otherwise."""
    kinds = {kind for kind, text in metadata.texts
             if not text.startswith(_READ_TEXTS)}
    return [name for name, there in [
        ('PNG texts', kinds.intersection(_TEXTS)),
        ('time of PNG', _TIME in kinds),
        ('shape of pixels', any(
            _is_aspect(kind, chunk) and chunk[:4] != chunk[4:8]
            for kind, chunk in metadata.texts))] if there]


def into_png(content, metadata):
    """As :func:`into_jpeg`, for a PNG file."""
    lost = ['XMP beyond its packet'] * bool(metadata.more_xmp)
    chunks = []
    if metadata.profile:
        chunks.append((b'iCCP', b'ICC profile\0\0'
                       + zlib.compress(metadata.profile)))
    # There may be one of a kind.
    if metadata.resolution and b'pHYs' not in dict(metadata.texts):
        chunks.append((b'pHYs', struct.pack('>IIB', *[
            min(int(value / .0254 + .5), 0x7fffffff)
            for value in metadata.resolution], 1)))
    if metadata.exif:
        chunks.append((b'eXIf', metadata.exif))
    if metadata.xmp:
        chunks.append((b'iTXt', _XMP_KEYWORD + b'\0\0\0\0' + metadata.xmp))
    if metadata.photoshop and not any(
            text.startswith((b'Raw profile type iptc\0',
                             b'Raw profile type 8bim\0'))
            for _, text in metadata.texts):
        chunks.append((b'zTXt', b'Raw profile type iptc\0\0' + zlib.compress(
            _as_raw_profile(metadata.photoshop))))
    if not metadata.texts:
        chunks += [_comment_chunk(comment) for comment in metadata.comments]
    chunks += metadata.texts
    packed = b''.join(
        struct.pack('>I', len(chunk)) + kind + chunk
        + struct.pack('>I', zlib.crc32(kind + chunk))
        for kind, chunk in chunks)
    # Behind the header, where all of them may be.
    return content[:33] + packed + content[33:], lost


def _as_raw_profile(block):
    """A block as ImageMagick writes it, and others read it."""
    lines = '\n'.join(_split(block.hex(), 72))
    return ('\niptc\n%8d\n%s\n' % (len(block), lines)).encode('ascii')


def _comment_chunk(comment):
    comment = comment.replace(b'\0', b'')
    try:
        comment.decode('ascii')
    except UnicodeDecodeError:
        try:
            comment.decode('utf-8')
        except UnicodeDecodeError:
            return b'tEXt', b'Comment\0' + comment  # Latin-1, as PNG has it
        return b'iTXt', b'Comment\0\0\0\0\0' + comment
    return b'tEXt', b'Comment\0' + comment


def into_webp(metadata):
    """Pillow's options for a WebP file, and what it cannot hold."""
    lost = _lost_texts(metadata) + [name for name, there in [
        ('IPTC', metadata.photoshop), ('comment', metadata.comments),
        ('XMP beyond its packet', metadata.more_xmp)] if there]
    exif = metadata.exif
    # It has no other place for the resolution.
    tags = read_tags(exif) if exif else Tags()
    if metadata.resolution and RESOLUTION[0] not in tags.values:
        exif = with_entries(exif, Tags(tags.order, resolution_values(
            tags.order, metadata.resolution)))
    options = {'exif': exif, 'xmp': metadata.xmp,
               'icc_profile': metadata.profile}
    return {name: value for name, value in options.items() if value}, lost


def byte_order(metadata):
    """'<' or '>': that of a TIFF file which can hold the metadata."""
    return '>' if metadata.exif[:2] == b'MM' else '<'


def into_tiff(content, metadata, mark=False):
    """As :func:`into_jpeg`, for a TIFF file of one page.

    Parameters
    ----------
    content : bytes
        In :func:`byte_order`.
    metadata : Metadata
    mark : bool
        Name the program, unless another is named.
    """
    lost = _lost_texts(metadata)
    lost += ['XMP beyond its packet'] * bool(metadata.more_xmp)
    order = byte_order(metadata)
    tags = Tags(order)
    if metadata.exif:
        tags = read_tags(metadata.exif)
        # Of the file that the block was made of, or of its thumbnail.
        for tag in LAYOUT_TAGS:
            tags.values.pop(tag, None)
    values = tags.values
    if metadata.resolution and RESOLUTION[0] not in values:
        values.update(resolution_values(order, metadata.resolution))
    if metadata.comments:
        text = b'\n'.join(comment.rstrip(b'\0')
                          for comment in metadata.comments)
        if DESCRIPTION not in values:
            values[DESCRIPTION] = 2, len(text) + 1, text + b'\0'
        elif text not in values[DESCRIPTION][2]:
            lost.append('comment')
    if mark and SOFTWARE not in values:
        values[SOFTWARE] = software_value()
    iptc = b''.join(_content(block) for number, block in
                    resource_blocks(metadata.photoshop)
                    if number == IPTC_BLOCK)
    for tag, block, kind in [(700, metadata.xmp, 1), (33723, iptc, 7),
                             (34377, metadata.photoshop, 1),
                             (34675, metadata.profile, 7)]:
        if block:
            values[tag] = kind, len(block), block
    return with_tags(content, tags), lost


def _content(block):
    """What is in one of Photoshop's resource blocks."""
    name = block[6] + 1
    start = 6 + name + name % 2
    size = int.from_bytes(block[start:start + 4], 'big')
    return block[start + 4:start + 4 + size]


def without_format(metadata, resolution=True):
    """What formats that hold no metadata lose; some keep the resolution."""
    return [name for name, there in [
        ('EXIF', _says_more(metadata.exif)), ('XMP', metadata.xmp),
        ('IPTC', metadata.photoshop), ('comment', metadata.comments),
        ('resolution', resolution and metadata.resolution)] if there
    ] + _lost_texts(metadata)


def _says_more(exif):
    """Whether EXIF has more than the resolution and how pixels lie."""
    try:
        return not set(read_tags(exif).values) <= {*RESOLUTION, ORIENTATION}
    except TagError:
        return bool(exif)
