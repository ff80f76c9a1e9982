"""Where files say how long, how many and of what kind their parts are."""

import re
import struct
import zlib

__all__ = ['find_fields', 'find_parts', 'with_checksums']

#: Bytes of a value of each type that TIFF has.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4,
          12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_PNG = b'\x89PNG\r\n\x1a\n'

#: Entries of a directory, and directories, that are looked at.
_MOST = 60

#: Boxes of ISO media files and JPEG 2000 that hold boxes.
_NESTED = {b'meta', b'iprp', b'ipco', b'iinf', b'jp2h', b'moov', b'trak',
           b'mdia', b'minf', b'stbl'}


def find_fields(content):
    """Where numbers are that say how a file is built.

    Parameters
    ----------
    content : bytes
        A file of any format.

    Returns
    -------
    list of (int, int, str)
        Where each is, its bytes, and their order, '<' or '>'; of EXIF,
        colour profiles and IPTC that are in it, too.
    """
    found = [field for _, _, fields in _parts(content) for field in fields]
    for match in re.finditer(b'II\\*\0|MM\0\\*|II\\+\0\x08\0\0\0|'
                             b'MM\0\\+\0\x08\0\0', content):
        found += _directories(content, match.start())
    for match in re.finditer(b'acsp', content):
        found += _profile(match.start() - 36)
    for match in re.finditer(b'8BIM', content):
        found += [(match.start() + 4, 2, '>'), (match.start() + 8, 4, '>')]
    for match in re.finditer(b'\x1c\x02', content):
        found.append((match.start() + 3, 2, '>'))
    return [field for field in found
            if 0 <= field[0] <= len(content) - field[1]]


def find_parts(content):
    """Where the parts are that a file is a sequence of.

    Returns
    -------
    list of (int, int)
        Start and end of segments, chunks or boxes, those within others, too.
    """
    return [(start, end) for start, end, _ in _parts(content) if end > start]


def with_checksums(content):
    """A PNG file with right checksums, so that its parts are looked at."""
    content = bytearray(content)
    for start, end, _ in _parts(bytes(content)):
        if content.startswith(_PNG) and end - start >= 12:
            content[end - 4:end] = struct.pack('>I', zlib.crc32(
                content[start + 4:end - 4]))
    return bytes(content)


def _parts(content):
    """(Start, end, fields) of parts."""
    if content.startswith(b'\xff\xd8'):
        return list(_jpeg(content))
    if content.startswith(_PNG):
        return list(_png(content))
    if content.startswith(b'RIFF'):
        return [(0, 0, [(4, 4, '<')])] + list(_riff(content))
    if content[4:8] in (b'ftyp', b'jP  '):
        return list(_boxes(content, 0, len(content)))
    if content.startswith(b'GIF8'):
        return [(0, 0, [(6, 2, '<'), (8, 2, '<'), (10, 1, '<')])] + [
            (0, 0, [(at.start() + 1 + 2 * number, 2, '<')
                    for number in range(4)])
            for at in re.finditer(b',', content)]
    if content.startswith(b'BM'):
        return [(0, 0, [(at, 4, '<') for at in (2, 10, 14, 18, 22, 30, 34, 46)]
                 + [(26, 2, '<'), (28, 2, '<')])]
    return []


def _jpeg(content):
    at = 2
    while at + 4 <= len(content) and content[at] == 255:
        marker = content[at + 1]
        size = struct.unpack_from('>H', content, at + 2)[0]
        fields = [(at + 1, 1, '>'), (at + 2, 2, '>')]
        if marker in range(0xc0, 0xd0) and marker not in (0xc4, 0xcc):
            fields += [(at + 4, 1, '>'), (at + 5, 2, '>'), (at + 7, 2, '>')]
            fields += [(at + 9 + number, 1, '>') for number in range(10)]
        elif marker in (0xc4, 0xda, 0xdb, 0xdd):
            fields += [(at + 4 + number, 1, '>') for number in range(10)]
        yield at, at + 2 + size, fields
        if marker == 0xda:
            break
        at += 2 + size


def _png(content):
    at = 8
    while at + 12 <= len(content):
        size, kind = struct.unpack_from('>I4s', content, at)
        fields = [(at, 4, '>')]
        if kind == b'IHDR':
            fields += [(at + 8, 4, '>'), (at + 12, 4, '>')]
            fields += [(at + 16 + number, 1, '>') for number in range(5)]
        elif kind in (b'acTL', b'fcTL', b'gAMA', b'pHYs', b'tRNS'):
            fields += [(at + 8 + 4 * number, 4, '>') for number in range(5)]
        yield at, min(at + 12 + size, len(content)), fields
        at += 12 + size


def _riff(content):
    at = 12
    while at + 8 <= len(content):
        size = struct.unpack_from('<I', content, at + 4)[0]
        fields = [(at + 4, 4, '<')]
        fields += [(at + 8 + number, 1, '<') for number in range(16)]
        yield at, min(at + 8 + size + size % 2, len(content)), fields
        at += 8 + size + size % 2


def _boxes(content, at, end):
    while at + 8 <= end:
        size, kind = struct.unpack_from('>I4s', content, at)
        size = size if 8 <= size <= end - at else end - at
        fields = [(at, 4, '>')]
        if kind in (b'ihdr', b'ispe', b'iloc', b'infe', b'pitm', b'hvcC',
                    b'av1C', b'irot', b'colr', b'pixi', b'ipma', b'iref'):
            fields += [(each, 4 if kind in (b'ihdr', b'ispe') else 1, '>')
                       for each in range(at + 8, at + size)][:40]
        elif kind == b'jp2c':
            fields += [(at + 12 + 4 * number, 4, '>') for number in range(11)]
            fields += [(at + 8 + number, 1, '>') for number in range(100)]
        yield at, at + size, fields
        if kind in _NESTED:
            inside = at + 8 + {b'meta': 4, b'iinf': 6}.get(kind, 0)
            yield from _boxes(content, inside, at + size)
        at += size


def _directories(content, base):
    """Numbers of the directories of a TIFF file, or one within a file."""
    order = '<' if content[base:base + 1] == b'I' else '>'
    big = content[base + (2 if order == '<' else 3)] == 43
    offset, count, entry = ('Q', 'Q', 20) if big else ('I', 'H', 12)
    width = struct.calcsize(offset)
    first = base + (8 if big else 4)
    found, seen, waiting = [(first, width, order)], set(), [first]
    while waiting and len(seen) < _MOST:
        try:
            at, = struct.unpack_from(order + offset, content, waiting.pop())
            at += base
            number, = struct.unpack_from(order + count, content, at)
            if at in seen:
                continue
            seen.add(at)
            found.append((at, struct.calcsize(count), order))
            at += struct.calcsize(count)
            for _ in range(min(number, _MOST)):
                tag, kind, values = struct.unpack_from(order + 'HH' + offset,
                                                       content, at)
                where = at + 4 + width
                found += [(at, 2, order), (at + 2, 2, order),
                          (at + 4, width, order)]
                found.append((where, min(width, _SIZES.get(kind, width)),
                              order))
                if tag in (330, 34665, 34853, 40965):
                    waiting.append(where)
                size = _SIZES.get(kind, 0) * values
                if size > width:
                    there = base + struct.unpack_from(
                        order + offset, content, where)[0]
                    found += [(there + number * _SIZES[kind],
                               min(_SIZES[kind], 4), order)
                              for number in range(min(values, 8))]
                at += entry
            waiting.append(at)
            found.append((at, width, order))
        except (struct.error, OverflowError):
            continue
    return found


def _profile(start):
    """Numbers of a colour profile: its size, its table of tags."""
    return [(start + at, 4, '>') for at in
            [0, 8, 12, 16, 20, 36] + list(range(128, 128 + 12 * 8, 4))]
