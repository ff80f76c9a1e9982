"""Tags of TIFF and EXIF, which are alike, byte for byte.

Libraries that write EXIF make its values anew: texts that are not ASCII are
damaged, unknown types dropped. Here, a value is its bytes.
"""

import struct
from dataclasses import dataclass, field

__all__ = ['EXIF_IFD', 'GPS_IFD', 'RESOLUTION', 'TagError', 'Tags',
           'drop_thumbnail', 'exif_block', 'is_cut', 'pack_tags', 'read_tags',
           'resolution_values', 'set_upright', 'with_entries', 'with_tags']

#: Tags that lead to further directories.
EXIF_IFD, GPS_IFD, _INTEROPERABILITY_IFD = 0x8769, 0x8825, 0xa005
_DIRECTORIES = {EXIF_IFD, GPS_IFD, _INTEROPERABILITY_IFD}

#: Pixels per unit across and down, and the unit.
RESOLUTION = 282, 283, 296

# Bytes of a value of each type.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4,
          12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

# BigTIFF's types, and those that EXIF has instead.
_SHORTER = {16: 4, 17: 9, 18: 13}

# Nobody has more tags in a directory.
_MOST_TAGS = 4000


class TagError(ValueError):
    """A directory that is damaged; one line says how."""


@dataclass
class Tags:
    """A directory of tags.

    Attributes
    ----------
    order : '<' or '>'
        Byte order of all values.
    values : dict
        (type, count, bytes) by tag, or Tags, where a tag leads to a further
        directory.
    """

    order: str = '<'
    values: dict = field(default_factory=dict)


def read_tags(data, offset=None, leave=(), damaged=None):
    """Directory of a TIFF file or of an EXIF block, with those below it.

    Parameters
    ----------
    data : bytes-like
        From its header on.
    offset : int, optional
        Of another directory than the first.
    leave : container of int
        Tags that are not wanted.
    damaged : list, optional
        Gets the tags whose values are, which are left out; if not given,
        they raise.

    Returns
    -------
    Tags

    Raises
    ------
    TagError
    """
    order, big = _header(data)
    try:
        if offset is None:
            offset, = struct.unpack_from(order + ('Q' if big else 'I'), data,
                                         8 if big else 4)
        return _read(data, order, big, offset, leave, True, damaged)
    except struct.error:
        raise TagError('truncated tags')


def _header(data):
    orders = {b'II': '<', b'MM': '>'}
    order = orders.get(bytes(data[:2]))
    number = struct.unpack(order + 'H', data[2:4])[0] if order and len(
        data) >= 8 else 0
    if number not in (42, 43):
        raise TagError('no tags')
    return order, number == 43


def _read(data, order, big, offset, leave, nested, damaged=None):
    tags = Tags(order)
    count, = struct.unpack_from(order + ('Q' if big else 'H'), data, offset)
    if count > _MOST_TAGS:
        raise TagError('damaged tags')
    at = offset + (8 if big else 2)
    form = order + ('HHQ8s' if big else 'HHI4s')
    size = struct.calcsize(form)
    for number in range(count):
        entry = bytes(data[at + number * size:at + (number + 1) * size])
        tag = int.from_bytes(entry[:2], 'little' if order == '<' else 'big')
        if tag in leave or tag in _DIRECTORIES and not nested:
            continue
        try:
            _, kind, length, field = struct.unpack(form, entry)
            if kind not in _SIZES:
                continue
            value = _value(data, order, big, kind, length, field)
            if tag not in _DIRECTORIES:
                tags.values[tag] = _shortened(order, value)
                continue
            # Of interoperability, below EXIF's, but no deeper.
            tags.values[tag] = _read(data, order, big, _number(order, value),
                                     leave, tag == EXIF_IFD, damaged)
        except (TagError, struct.error):
            if damaged is None:
                raise
            damaged.append(tag)
            if not entry:
                break
    return tags


def _value(data, order, big, kind, length, field):
    size = length * _SIZES[kind]
    if size > len(field):
        start, = struct.unpack(order + ('Q' if big else 'I'), field)
        field = bytes(data[start:start + size])
        if len(field) < size:
            raise TagError('truncated tags')
    return kind, length, field[:size]


def _number(order, value):
    kind, _, content = value
    form = {2: 'H', 4: 'I', 8: 'Q'}.get(_SIZES[kind])
    if form is None or len(content) < _SIZES[kind]:
        raise TagError('damaged tags')
    return struct.unpack_from(order + form, content)[0]


def _shortened(order, value):
    """A value of BigTIFF's as EXIF can hold it."""
    kind, count, content = value
    if kind not in _SHORTER:
        return value
    wide, narrow = ('qi' if kind == 17 else 'QI')
    numbers = struct.unpack(order + '%d%s' % (count, wide), content)
    try:
        return (_SHORTER[kind], count,
                struct.pack(order + '%d%s' % (count, narrow), *numbers))
    except struct.error:
        return 7, len(content), content


def is_cut(stream):
    """Whether a part of the first directory is beyond the file's end.

    Parameters
    ----------
    stream : binary file
        TIFF or BigTIFF.

    Returns
    -------
    bool
    """
    end = stream.seek(0, 2)
    stream.seek(0)
    start = stream.read(16)
    order = 'little' if start[:2] == b'II' else 'big'
    big = 43 in start[2:4]
    offset = int.from_bytes(start[8:] if big else start[4:8], order)
    if offset >= end:
        return True
    stream.seek(offset)
    count = int.from_bytes(stream.read(8 if big else 2), order)
    return offset + count * (20 if big else 12) > end


def resolution_values(order, resolution):
    """Values of the tags :data:`RESOLUTION`.

    Parameters
    ----------
    order : '<' or '>'
    resolution : (float, float)
        Pixels per inch, across and down.

    Returns
    -------
    dict
    """
    across, down, unit = RESOLUTION
    values = {}
    for tag, value in zip((across, down), resolution):
        below = 10000 if value < 100000 else 1
        above = min(int(value * below + .5), 0xffffffff)
        values[tag] = 5, 1, struct.pack(order + 'II', above, below)
    values[unit] = 3, 1, struct.pack(order + 'H', 2)
    return values


def pack_tags(tags, offset=8):
    """A directory as bytes, those below it and its values behind it.

    Parameters
    ----------
    tags : Tags
    offset : int
        Where the bytes will be; even.

    Returns
    -------
    bytes
        With an even offset of 8, an EXIF block; without its header
        elsewhere.
    """
    order = tags.order
    entries = sorted(tags.values.items())
    behind = offset + 2 + 12 * len(entries) + 4
    fields, content = b'', b''
    for tag, value in entries:
        content += b'\0' * (len(content) % 2)
        at = behind + len(content)
        if isinstance(value, Tags):
            fields += struct.pack(order + 'HHII', tag, 4, 1, at)
            content += pack_tags(value, at)
            continue
        kind, count, data = value
        fields += struct.pack(order + 'HHI', tag, kind, count)
        if len(data) <= 4:
            fields += data.ljust(4, b'\0')
        else:
            fields += struct.pack(order + 'I', at)
            content += data
    return (struct.pack(order + 'H', len(entries)) + fields + b'\0' * 4
            + content)


def exif_block(tags):
    """An EXIF block of a directory; empty, if there are no tags."""
    if not tags.values:
        return b''
    start = b'II*\0' if tags.order == '<' else b'MM\0*'
    return start + struct.pack(tags.order + 'I', 8) + pack_tags(tags)


def _first_directory(block):
    """Order of bytes of an EXIF block; start and end of its entries."""
    order, big = _header(block)
    if big:
        raise TagError('damaged tags')
    try:
        first, = struct.unpack_from(order + 'I', block, 4)
        count, = struct.unpack_from(order + 'H', block, first)
    except struct.error:
        raise TagError('truncated tags')
    return order, first + 2, first + 2 + 12 * count


def drop_thumbnail(block):
    """An EXIF block without its thumbnail, which shows the photo as it was.

    Nothing else moves: makers' notes have offsets within the block.

    Parameters
    ----------
    block : bytes

    Returns
    -------
    bytes

    Raises
    ------
    TagError
        If the block is damaged.
    """
    order, _, at = _first_directory(block)
    try:
        second, = struct.unpack_from(order + 'I', block, at)
    except struct.error:
        return block  # nothing behind the tags, not even the end
    if not second:
        return block
    block = block[:at] + b'\0' * 4 + block[at + 4:]
    try:
        values = _read(block, order, False, second, (), False).values
        start, size = [_number(order, values[tag]) for tag in (513, 514)]
    except (KeyError, TagError, struct.error):
        return block
    if size and start + size >= len(block) - 3:
        return block[:start]
    return block[:start] + b'\0' * size + block[start + size:]


def set_upright(block):
    """An EXIF block whose orientation, if it has one, is 1.

    Parameters
    ----------
    block : bytes
        One that :func:`read_tags` can read.

    Returns
    -------
    bytes
    """
    order, start, end = _first_directory(block)
    for at in range(start, end, 12):
        tag, kind = struct.unpack_from(order + 'HH', block, at)
        if tag == 0x0112 and kind in (3, 4):
            value = struct.pack(order + 'HI'[kind - 3], 1).ljust(4, b'\0')
            return block[:at + 8] + value + block[at + 12:]
    return block


def with_entries(block, tags):
    """An EXIF block with further tags; nothing that is in it moves.

    Parameters
    ----------
    block : bytes
        Or empty.
    tags : Tags
        In the byte order of the block; they replace tags that are there.

    Returns
    -------
    bytes

    Raises
    ------
    TagError
        If the block is damaged.
    """
    if not block:
        return exif_block(tags)
    order, start, behind = _first_directory(block)
    entries = [block[at:at + 12] for at in range(start, behind, 12)]
    if len(block) < behind:
        raise TagError('damaged tags')
    block += b'\0' * (len(block) % 2)
    # The new directory goes behind all, and its values behind it.
    kept = {struct.unpack_from(order + 'H', entry)[0]: entry
            for entry in entries}
    number = len(set(kept) | set(tags.values))
    at = len(block) + 2 + 12 * number + 4
    content = b''
    for tag, (kind, length, value) in tags.values.items():
        field = value.ljust(4, b'\0')
        if len(value) > 4:
            field = struct.pack(order + 'I', at + len(content))
            content += value + b'\0' * (len(value) % 2)
        kept[tag] = struct.pack(order + 'HHI', tag, kind, length) + field
    return (block[:4] + struct.pack(order + 'I', len(block)) + block[8:]
            + struct.pack(order + 'H', number)
            + b''.join(entry for _, entry in sorted(kept.items()))
            + block[behind:behind + 4].ljust(4, b'\0') + content)


def with_tags(tiff, tags):
    """A TIFF file of one page that has further tags.

    Parameters
    ----------
    tiff : bytes
        In the byte order of the tags; not BigTIFF.
    tags : Tags
        They replace tags that are there.

    Returns
    -------
    bytes
    """
    both = read_tags(tiff)
    both.values.update(tags.values)
    tiff += b'\0' * (len(tiff) % 2)
    header = tiff[:4] + struct.pack(both.order + 'I', len(tiff))
    return header + tiff[8:] + pack_tags(both, len(tiff))
