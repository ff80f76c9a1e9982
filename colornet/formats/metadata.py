"""What a file says of a photo beside its pixels, byte for byte.

EXIF, XMP, IPTC (within Photoshop's block), comments, colour profile and
resolution are found here; :mod:`.containers` puts them into files, and
:mod:`.marks` adds that colours are computed.
"""

import json
import struct
from dataclasses import dataclass, replace
from typing import Optional, Tuple

from .tags import (EXIF_IFD, GPS_IFD, RESOLUTION, TagError, Tags,
                   drop_thumbnail, exif_block, read_tags)

__all__ = ['DESCRIPTION', 'LAYOUT_TAGS', 'ORIENTATION', 'Metadata',
           'exif_orientation', 'iptc_resource', 'metadata_of_image',
           'metadata_of_raw', 'metadata_of_tiff', 'resource_blocks']

ORIENTATION = 0x0112

#: TIFF's tag for what JPEG and PNG have as comments.
DESCRIPTION = 270
_XMP, _IPTC, _PHOTOSHOP, _PROFILE = 700, 33723, 34377, 34675

#: Photoshop's numbers of IPTC, and of thumbnails.
IPTC_BLOCK = 0x0404
_THUMBNAIL_BLOCKS = {0x0409, 0x040c}

#: What a TIFF file says of its own layout and pixels, which another file has
#: differently: sizes, compression, strips, tiles, palettes, sample formats;
#: what is kept elsewhere in Metadata; and other programs' private blocks.
LAYOUT_TAGS = (set(range(254, 267)) | set(range(317, 348)) |
               {273, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291, 292,
                293, 301, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529,
                530, 531, 532, 32995, 32996, 32997, 32998, 50838, 50839,
                37724, _XMP, _IPTC, _PHOTOSHOP, _PROFILE})

# What ImageJ says of it in the description.
_IMAGEJ_LAYOUT = {b'ImageJ', b'images', b'channels', b'slices', b'frames',
                  b'hyperstack', b'mode', b'loop', b'min', b'max', b''}

# Tags of camera raw that are about the photo; others are about a sensor, or
# make programs take a file for raw. It is developed upright.
_RAW_TAGS = {DESCRIPTION, 271, 272, *RESOLUTION, 305, 306, 315, 18246, 18249,
             33432, EXIF_IFD, GPS_IFD}

# How raw begins that is TIFF but for its number.
_NUMBERS = {b'IIRO': b'II*\0', b'IIRS': b'II*\0', b'IIU\0': b'II*\0',
            b'MMOR': b'MM\0*'}

# Its offsets lead to other parts of the file.
_MAKER_NOTE = 0x927c

_XMP_IN_JPEG = b'http://ns.adobe.com/xap/1.0/\0'
_MORE_XMP_IN_JPEG = b'http://ns.adobe.com/xmp/extension/\0'
_PHOTOSHOP_IN_JPEG = b'Photoshop 3.0\0'


@dataclass(frozen=True)
class Metadata:
    """What a file says of a photo.

    Attributes
    ----------
    exif : bytes
        EXIF block from its TIFF header on, without its thumbnail.
    xmp : bytes
        XMP packet.
    more_xmp : tuple of bytes
        JPEG's segments of what did not fit into the packet.
    photoshop : bytes
        Photoshop's resource blocks, without thumbnails; IPTC is one.
    comments : tuple of bytes
    profile : bytes
        ICC profile.
    resolution : (float, float), or None
        Pixels per inch, across and down.
    texts : tuple of (bytes, bytes)
        Type and content of PNG's chunks of text, of its time and of the
        shape of pixels.
    notes : tuple of str
        What is damaged, each a line.
    """

    exif: bytes = b''
    xmp: bytes = b''
    more_xmp: Tuple[bytes, ...] = ()
    photoshop: bytes = b''
    comments: Tuple[bytes, ...] = ()
    profile: bytes = b''
    resolution: Optional[Tuple[float, float]] = None
    texts: Tuple[Tuple[bytes, bytes], ...] = ()
    notes: Tuple[str, ...] = ()


def metadata_of_image(image, texts=()):
    """What a file that Pillow has opened says; TIFF apart.

    Parameters
    ----------
    image : PIL.Image.Image
    texts : sequence of (bytes, bytes)
        PNG's chunks of text, see :attr:`Metadata.texts`.

    Returns
    -------
    Metadata
        Without what is damaged.
    """
    info = image.info
    exif, xmp = info.get('exif') or b'', info.get('xmp') or b''
    more_xmp, photoshop, comments = (), b'', ()
    for name, content in getattr(image, 'applist', ()):
        if name == 'APP1' and content.startswith(_XMP_IN_JPEG):
            xmp = content[len(_XMP_IN_JPEG):]
        elif name == 'APP1' and content.startswith(_MORE_XMP_IN_JPEG):
            more_xmp += content,
        elif name == 'APP13' and content.startswith(_PHOTOSHOP_IN_JPEG):
            photoshop += content[len(_PHOTOSHOP_IN_JPEG):]
        elif name == 'COM':
            comments += content,
    if image.format == 'PNG':
        xmp = info.get('XML:com.adobe.xmp', xmp)
        exif = exif or _raw_profile(info, 'exif', 'APP1')
        if exif.startswith(_XMP_IN_JPEG):  # the other kind of APP1
            xmp, exif = xmp or exif[len(_XMP_IN_JPEG):], b''
        xmp = xmp or _raw_profile(info, 'xmp')
        photoshop = _raw_profile(info, 'iptc', '8bim')
        comments += tuple(_bytes(info[name]) for name in ['Comment']
                          if name in info)
    elif not comments and info.get('comment'):
        comments = _bytes(info['comment']),
    if image.format == 'JPEG2000':
        photoshop = info.get('photoshop', b'')
    exif, notes = _checked_exif(exif)
    resolution = _resolution(info) or (
        _resolution_of_tags(read_tags(exif)) if exif else None)
    return Metadata(exif, _bytes(xmp), more_xmp,
                    _join_blocks(resource_blocks(photoshop)), comments,
                    info.get('icc_profile') or b'', resolution, tuple(texts),
                    notes)


def _bytes(text):
    return text.encode('utf-8', 'replace') if isinstance(text, str) else text


def _raw_profile(info, *names):
    """A block that ImageMagick keeps as hexadecimal text in PNG files."""
    for name in names:
        words = _bytes(info.get('Raw profile type ' + name, '')).split()
        try:
            block = bytes.fromhex(b''.join(words[2:]).decode('ascii'))
        except ValueError:
            continue
        if block:
            return block
    return b''


def _checked_exif(block):
    """What of an EXIF block can be read, and a line about what cannot."""
    if block.startswith(b'Exif\0\0'):
        block = block[6:]
    if not block:
        return b'', ()
    try:
        return drop_thumbnail(block) if read_tags(block).values else b'', ()
    except TagError:
        return _readable_exif(block)


def _readable_exif(block):
    try:
        tags = read_tags(block, leave={_MAKER_NOTE}, damaged=[])
    except TagError:
        return b'', ('damaged EXIF, ignored',)
    return exif_block(tags), (
        'damaged EXIF, kept as far as it can be read',)


def _resolution(info):
    """Pixels per inch, across and down."""
    if 'jfif_density' in info:
        scale = {1: 1, 2: 2.54}.get(info.get('jfif_unit'))
        density = info['jfif_density']
        if scale is None or not all(density):
            return None
        return density[0] * scale, density[1] * scale
    try:
        across, down = [float(value) for value in info['dpi']]
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if across > 0 and down > 0 else None


def metadata_of_tiff(data, offset):
    """What a page of a TIFF file says.

    Parameters
    ----------
    data : bytes-like
        The file.
    offset : int, or None
        Of the page's directory; None: of the first.

    Returns
    -------
    Metadata
        What is in tags is in `exif`.
    """
    damaged = []
    try:
        tags = read_tags(data, offset, damaged=damaged)
    except TagError:
        return Metadata()
    notes = ('damaged tags, kept as far as they can be read',) * bool(damaged)
    blocks = {tag: tags.values.get(tag, (7, 0, b''))[2]
              for tag in (_XMP, _IPTC, _PHOTOSHOP, _PROFILE)}
    photoshop = resource_blocks(blocks[_PHOTOSHOP])
    if blocks[_IPTC] and IPTC_BLOCK not in dict(photoshop):
        photoshop += [(IPTC_BLOCK, iptc_resource(blocks[_IPTC]))]
    resolution = _resolution_of_tags(tags)
    kept = {tag: value for tag, value in tags.values.items()
            if tag not in LAYOUT_TAGS}
    before = kept.get(DESCRIPTION, (2, 0, b''))[2]
    text = _without_layout(before)
    if text != before:
        kept[DESCRIPTION] = 2, len(text), text
    if not text:
        kept.pop(DESCRIPTION, None)
    return Metadata(exif_block(Tags(tags.order, kept)), blocks[_XMP],
                    photoshop=_join_blocks(photoshop),
                    profile=blocks[_PROFILE], resolution=resolution,
                    notes=notes)


def _without_layout(text):
    """A description but for what programs write there of a file's layout.

    They would read the result by it.
    """
    bare = text.rstrip(b'\0')
    if bare.startswith(b'ImageJ='):
        lines = [line for line in bare.split(b'\n')
                 if line.partition(b'=')[0] not in _IMAGEJ_LAYOUT]
        bare = b'\n'.join(lines).strip()
    elif bare.startswith(b'{') and b'"shape"' in bare:  # tifffile's
        try:
            said = json.loads(bare.decode('utf-8'))
            del said['shape']
        except (ValueError, KeyError):
            return text
        bare = json.dumps(said).encode('ascii') if said else b''
    else:
        return text
    return bare + b'\0' if bare else b''


def metadata_of_raw(data):
    """What camera raw says, if it is built as TIFF is.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    Metadata
        Of an upright photo in sRGB; empty for other raw.
    """
    data = _NUMBERS.get(data[:4], data[:4]) + data[4:]
    metadata = metadata_of_tiff(data, None)
    if metadata.exif:
        tags = read_tags(metadata.exif, leave={_MAKER_NOTE})
        tags.values = {tag: value for tag, value in tags.values.items()
                       if tag in _RAW_TAGS}
        metadata = replace(metadata, exif=exif_block(tags), profile=b'')
    return metadata


def _resolution_of_tags(tags):
    values = []
    for tag in 282, 283:
        kind, count, content = tags.values.get(tag, (0, 0, b''))
        if kind != 5 or len(content) != 8:
            return None
        above, below = struct.unpack(tags.order + 'II', content)
        values.append(above / below if below else 0)
    unit = tags.values.get(296, (3, 1, struct.pack(tags.order + 'H', 2)))[2]
    unit = struct.unpack_from(tags.order + 'H', unit.ljust(2, b'\0'))[0]
    scale = {2: 1, 3: 2.54}.get(unit)
    if scale is None or not all(values):
        return None
    return values[0] * scale, values[1] * scale


def exif_orientation(block):
    """Orientation, 1 to 8, that an EXIF block says; 1 if it does not."""
    try:
        kind, _, content = read_tags(block).values[ORIENTATION]
        order = '<' if block[:1] == b'I' else '>'
        orientation = struct.unpack_from(
            order + {1: 'B', 3: 'H', 4: 'I'}[kind], content)[0]
    except (TagError, KeyError, TypeError, ValueError, struct.error):
        return 1
    return orientation if orientation in range(1, 9) else 1


def resource_blocks(data):
    """Photoshop's resource blocks.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    list of (int, bytes)
        Number and the whole block; none beyond one that is damaged.
    """
    blocks, at = [], 0
    while data[at:at + 4] in (b'8BIM', b'MeSa', b'AgHg', b'PHUT', b'DCSR'):
        if at + 7 > len(data):
            break
        name = data[at + 6] + 1
        start = at + 6 + name + name % 2
        size = int.from_bytes(data[start:start + 4], 'big')
        end = start + 4 + size
        if end > len(data):
            break
        end += size % 2
        number = int.from_bytes(data[at + 4:at + 6], 'big')
        blocks.append((number, data[at:end]))
        at = end
    return blocks


def iptc_resource(content):
    """The resource block that holds IPTC."""
    return (b'8BIM' + struct.pack('>HHI', IPTC_BLOCK, 0, len(content))
            + content + b'\0' * (len(content) % 2))


def _join_blocks(blocks):
    return b''.join(block for number, block in blocks
                    if number not in _THUMBNAIL_BLOCKS)
