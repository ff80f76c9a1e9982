"""Pictures in a stream, one behind the other, as ffmpeg's image2pipe has them.

A stream of JPEG, PNG, BMP and PPM pictures is cut into the bytes of each. What
begins otherwise is one file.
"""

import re

__all__ = ['odd_kind', 'split_pictures']

#: Bytes that are read at a time.
_CHUNK = 1 << 16

# JPEG markers without a length: TEM, RST0 to RST7, SOI.
_BARE = {0x01, *range(0xD0, 0xD9)}

# What ends the entropy-coded part: a marker that is no part of it.
_END_OF_SCAN = re.compile(b'\xff[^\\x00\xd0-\xd7\xff]', re.DOTALL)

# Columns, rows and, but for one bit a pixel, the largest value; comments.
_PPM_HEADERS = [re.compile(
    br'P[456]' + br'(?:\s|#[^\n]*\n)+(\d+)' * numbers + br'\s')
    for numbers in (3, 2)]
_LONGEST_HEADER = 4096

_PNG = b'\x89PNG\r\n\x1a\n'
_NEXT_PNG = re.compile(re.escape(_PNG))

# How pictures begin of which nobody knows where they end.
_OTHERS = [(kind, re.compile(start, re.DOTALL)) for kind, start in (
    ('GIF', br'GIF8[79]a'), ('WebP', br'RIFF.{4}WEBP'),
    ('TIFF', br'II[*+]\0|MM\0[*+]'), ('PPM of text', br'P[123]\s+[\d#]'),
    ('PFM', br'P[Ff]\n'), ('JPEG 2000', br'\0{3}\x0cjP  |\xff\x4f\xff\x51'),
    ('HEIC or AVIF', br'.{4}ftyp(?:he[iv]|mif1|msf1|avi[fs])'))]


_LONGEST_START = 16


class _Source:
    """A stream of which as much is kept as one picture needs."""

    def __init__(self, stream):
        # What there is, rather than as much as was asked for.
        self._read = getattr(stream, 'read1', stream.read)
        self._is_at_end = False
        self.held = bytearray()

    def has(self, length):
        """Whether so many bytes are held; reads on."""
        while len(self.held) < length and not self._is_at_end:
            chunk = self._read(_CHUNK)
            self.held += chunk
            self._is_at_end = not chunk
        return len(self.held) >= length

    def match(self, pattern, start, longest):
        """First match from `start` on of at most so many bytes, or None."""
        while True:
            found = pattern.search(self.held, start)
            next_start = max(start, len(self.held) - longest + 1)
            if found or not self.has(len(self.held) + 1):
                return found
            start = next_start

    def has_odd_kind(self, start):
        """Whether an :func:`odd_kind` begins there."""
        self.has(start + _LONGEST_START)
        return odd_kind(self.held[start:start + _LONGEST_START]) is not None

    def take(self, length=None):
        """The first bytes, or all; they are held no longer."""
        if length is None:
            while self.has(len(self.held) + 1):
                pass
            length = len(self.held)
        taken = bytes(self.held[:length])
        del self.held[:length]
        return taken


def split_pictures(stream, leave=None):
    """Cut a stream into pictures.

    Parameters
    ----------
    stream : binary file
        It need not be seekable.
    leave : callable, optional
        Takes how many bytes behind the last picture are none: what cameras
        and telephones put there. They stay with it.

    Yields
    ------
    bytes
        A file; of a damaged one, all the rest, or what is before the next
        picture if both are PNG; the rest, too, if it is an :func:`odd_kind`.
        Nothing, if the stream is empty.
    """
    source = _Source(stream)
    while source.has(1):
        kind = _kind(source)
        length = kind and _LENGTHS[kind](source)
        if kind == 'png' and not length:
            # Its own next chunk is nowhere, but there is no other signature.
            found = source.match(_NEXT_PNG, len(_PNG), len(_PNG))
            length = found and found.start()
        elif length and source.has(length + 1) and not (
                _kind(source, length) or source.has_odd_kind(length)):
            picture = source.take()
            if leave is not None:
                leave(len(picture) - length)
            yield picture
            return
        yield source.take(length)


def odd_kind(content):
    """What a picture is that cannot be followed by others in a stream.

    Parameters
    ----------
    content : bytes
        It, or how it begins.

    Returns
    -------
    str, or None
        Such as ``'GIF'``; None for those that can, and for what is none.
    """
    return next((kind for kind, start in _OTHERS if start.match(content)),
                None)


def _kind(source, start=0):
    """Which of :data:`_LENGTHS` begins there, or None."""
    source.has(start + 8)
    head = bytes(source.held[start:start + 8])
    if head == _PNG:
        return 'png'
    if head[:3] == b'\xff\xd8\xff':
        return 'jpeg'
    if head[:2] == b'BM':
        return 'bmp'
    if re.match(br'P[456]\s', head):
        return 'ppm'
    return None


def _png_length(source):
    end = len(_PNG)
    while source.has(end + 12):
        name = source.held[end + 4:end + 8]
        end += 12 + int.from_bytes(source.held[end:end + 4], 'big')
        if name == b'IEND':
            return end if source.has(end) else None
    return None


def _jpeg_length(source):
    end = 2
    while source.has(end + 4) and source.held[end] == 0xFF:
        marker = source.held[end + 1]
        if marker == 0xD9:
            return end + 2
        if marker == 0xFF:  # It may be filled up with these.
            end += 1
            continue
        if marker in _BARE:
            end += 2
            continue
        if marker == 0xE2 and source.has(end + 8) and \
                source.held[end + 4:end + 8] == b'MPF\0':
            return None  # Several pictures, but one photo.
        end += 2 + int.from_bytes(source.held[end + 2:end + 4], 'big')
        if marker == 0xDA:  # What follows has no length of its own.
            found = source.match(_END_OF_SCAN, end, 2)
            if not found:
                return None
            end = found.start()
    if source.has(end + 2) and source.held[end:end + 2] == b'\xff\xd9':
        return end + 2
    return None


def _bmp_length(source):
    if not source.has(6):
        return None
    length = int.from_bytes(source.held[2:6], 'little')
    # Some programs leave it open.
    return length if length > 26 and source.has(length) else None


def _ppm_length(source):
    kind = source.held[1:2]
    header = source.match(_PPM_HEADERS[kind == b'4'], 0, _LONGEST_HEADER)
    if not header or header.start():
        return None
    columns, rows = map(int, header.groups()[:2])
    if kind == b'4':
        size = (columns + 7) // 8 * rows
    else:
        size = columns * rows * (1 if kind == b'5' else 3)
        size *= 1 if int(header.group(3)) < 256 else 2
    length = header.end() + size
    return length if source.has(length) else None


_LENGTHS = {'png': _png_length, 'jpeg': _jpeg_length, 'bmp': _bmp_length,
            'ppm': _ppm_length}
