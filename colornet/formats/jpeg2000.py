"""What JPEG 2000 files say beside their pixels, in boxes.

Pillow and imagecodecs do not hand it on; Pillow fails where colours are those
of a profile.
"""

import struct

from .metadata import iptc_resource

__all__ = ['is_jp2', 'read_boxes']

# Which boxes of other programs' hold what.
_UUIDS = {bytes.fromhex('be7acfcb97a942e89c71999491e3afac'): 'xmp',
          b'JpgTiffExif->JP2': 'exif',
          bytes.fromhex('33c7a4d2b81d4723a0baf1a3e097ad38'): 'iptc'}

# Colours by their number, of those that a profile may be for.
_COLOURS = {b'RGB ': 16, b'GRAY': 17}


def is_jp2(content):
    """Whether a file is JPEG 2000 with boxes."""
    return content.startswith(b'\0\0\0\x0cjP  \r\n\x87\n')


def read_boxes(content):
    """A file whose profile is taken out of it, and what it says.

    Parameters
    ----------
    content : bytes
        One that :func:`is_jp2`.

    Returns
    -------
    bytes, dict
        The file, whose colours are as they are stored; `icc_profile`, `xmp`,
        `exif` and `photoshop`, each bytes, those that there are.
    """
    said = {}
    for kind, start, inside, end in _boxes(content, 0, len(content)):
        if kind == b'uuid':
            name = _UUIDS.get(content[inside:inside + 16])
            if name:
                said.setdefault(name, content[inside + 16:end])
    if 'iptc' in said:
        said['photoshop'] = iptc_resource(said.pop('iptc'))
    for kind, start, inside, end in _boxes(content, 0, len(content)):
        if kind == b'jp2h':
            header, profile = _without_profile(content[inside:end])
            if profile:
                said['icc_profile'] = profile
                content = (content[:start] + _box(kind, header)
                           + content[end:])
            break
    return content, said


def _without_profile(header):
    """The boxes of a header, and the profile that was in them, or None."""
    for kind, start, inside, end in _boxes(header, 0, len(header)):
        if kind == b'colr':
            # Of several, the first counts.
            profile = header[inside + 3:end]
            number = _COLOURS.get(profile[16:20])
            if header[inside] not in (2, 3) or number is None:
                break
            colours = struct.pack('>BBBI', 1, 0, 0, number)
            return (header[:start] + _box(kind, colours) + header[end:],
                    profile)
    return header, None


def _box(kind, content):
    return struct.pack('>I', len(content) + 8) + kind + content


def _boxes(content, at, end):
    """Of each box: kind, where it starts, where its content is, its end."""
    while at + 16 <= end:
        size, kind, long_ = struct.unpack_from('>I4sQ', content, at)
        inside = at + (16 if size == 1 else 8)
        size = {0: end - at, 1: long_}.get(size, size)
        if at + size < inside or at + size > end:
            break
        yield kind, at, inside, at + size
        at += size
