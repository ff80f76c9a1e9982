"""Files that are damaged by chance, at what they are built of."""

import re
import struct

from .structure import find_fields, find_parts, with_checksums

__all__ = ['mutate', 'mutate_text']

#: Numbers that programs stumble over.
_NUMBERS = [0, 1, 2, 3, 7, 8, 15, 16, 100, 127, 128, 255, 256, 257, 4096,
            13000, 32767, 32768, 65535, 65536, 100000, (1 << 24) - 1, 1 << 24,
            (1 << 31) - 1, 1 << 31, (1 << 32) - 1, (1 << 63) - 1,
            (1 << 64) - 1]

#: What may stand anywhere in a file.
_WORDS = [
    b'\0', b'\xff' * 4, b'\0' * 16, b'\xff\xd8\xff', b'\xff\xd9', b'II*\0',
    b'MM\0*', b'Exif\0\0', b'8BIM', b'IHDR', b'IDAT', b'IEND', b'iCCP',
    b'ftypheic', b'acsp', b'RIFF', b'\r\n', b'\x1b[2J\x1b]0;x\7',
    b'\x1b[31m', b'<?xml', b'<!DOCTYPE a [<!ENTITY b "c">]>', b'&b;',
    b'</rdf:RDF>', b'xmlns:x="y"', b'%s%n', b'../../', b'\xe2\x80\xae']

_WORDS_OF_TEXT = [
    b'', b'0', b'-1', b'1e400', b'nan', b'inf', b'9' * 400, b'1_0', b'0x10',
    b'yes', b'None', b'[]', b'{}', b'"', b"'", b',', b'=', b'\n', b'\r',
    b'\t', b' ', b'\0', b'\xff', b'\xc3\xa9', b'\xef\xbb\xbf',
    b'\xe2\x80\xae', b'\x1b[31m', b'#', b';', b'[data]', b'[DEFAULT]',
    b'../../x', b'/etc/passwd', b'%(a)s', b'$HOME', b'__import__("os")',
    b'!!python/object:os.system']


def mutate(content, chance, others):
    """A file that is damaged in one to some places.

    Parameters
    ----------
    content : bytes
    chance : random.Random
        Decides all.
    others : sequence of bytes
        Files from which parts are taken.

    Returns
    -------
    bytes
        Never `content`.
    """
    mutated = content
    while mutated == content:
        changed = bytearray(content)
        for _ in range(chance.choice((1, 1, 1, 1, 2, 3, 8))):
            change = chance.choice(
                [_field] * 6 + [_part] * 3 + [_bytes] * 4 + [_word] * 2
                + [_cut, _remove, _repeat, _splice])
            changed = bytearray(change(changed, chance, others))
        # A wrong checksum ends the reading of most PNG files early.
        mutated = (bytes(changed) if chance.random() < .2 else
                   with_checksums(changed))
    return mutated


def mutate_text(content, chance, others):
    """As :func:`mutate`, of words and lines."""
    mutated = content
    while mutated == content:
        for _ in range(chance.choice((1, 1, 1, 2, 5))):
            change = chance.choice([_token] * 4 + [_line] * 3 + [
                _bytes, _cut, _remove, _repeat, _splice])
            mutated = bytes(change(bytearray(mutated), chance, others))
    return mutated


def _at(content, chance):
    """A place in a file, often near its start or its end."""
    length = len(content) + 1
    near = chance.randrange(min(length, chance.choice((30, 300, length))))
    return near if chance.random() < .8 else length - 1 - near


def _field(content, chance, others):
    fields = find_fields(bytes(content))
    if not fields:
        return _bytes(content, chance, others)
    at, size, order = chance.choice(fields)
    order = 'little' if order == '<' else 'big'
    value = int.from_bytes(content[at:at + size], order)
    value = chance.choice([
        chance.choice(_NUMBERS), chance.getrandbits(8 * size), value + 1,
        value - 1, 2 * value, value // 2, value ^ 1 << chance.randrange(
            8 * size), len(content), -value, value + chance.randrange(99)])
    content[at:at + size] = (value & ((1 << 8 * size) - 1)).to_bytes(size,
                                                                     order)
    return content


def _part(content, chance, others):
    parts = find_parts(bytes(content))
    if not parts:
        return _field(content, chance, others)
    start, end = chance.choice(parts)
    part = bytes(content[start:end])
    kind = chance.randrange(4)
    if kind == 0:
        return content[:start] + content[end:]
    if kind == 1:
        at = chance.choice(parts)[0]
        return content[:at] + part * chance.choice((1, 1, 2, 50)) + content[
            at:]
    other = bytes(chance.choice(others))
    theirs = find_parts(other)
    if kind == 2 and theirs:
        first, last = chance.choice(theirs)
        return content[:start] + other[first:last] + content[start:]
    middle = chance.randrange(len(part) + 1)
    return content[:start] + part[:middle] + content[end:]


def _bytes(content, chance, others):
    for _ in range(chance.choice((1, 1, 3, 10))):
        if content:
            at = min(_at(content, chance), len(content) - 1)
            content[at] = chance.choice((
                chance.randrange(256), content[at] ^ 1 << chance.randrange(8),
                0, 255))
    return content


def _word(content, chance, others):
    at = _at(content, chance)
    word = chance.choice(_WORDS) if chance.random() < .5 else struct.pack(
        chance.choice('<>') + 'Q', chance.choice(_NUMBERS))[
            :chance.choice((2, 4, 8))]
    return content[:at] + word + content[
        at + (len(word) if chance.random() < .8 else 0):]


def _cut(content, chance, others):
    return content[:_at(content, chance)]


def _some(content, chance):
    at = _at(content, chance)
    return at, at + chance.choice((1, 2, 4, 100, len(content) // 3))


def _remove(content, chance, others):
    start, end = _some(content, chance)
    return content[:start] + (bytes(end - start) if chance.random() < .5
                              else b'') + content[end:]


def _repeat(content, chance, others):
    start, end = _some(content, chance)
    return content[:end] + content[start:end] * chance.choice(
        (1, 2, 30)) + content[end:]


def _splice(content, chance, others):
    other = chance.choice(others)
    return content[:_at(content, chance)] + other[_at(other, chance):]


def _token(content, chance, others):
    tokens = list(re.finditer(rb'[\w.+-]+|[^\w\s]', bytes(content)))
    word = chance.choice(_WORDS_OF_TEXT)
    if not tokens:
        return content + word
    token = chance.choice(tokens)
    if chance.random() < .3:
        word = chance.choice(tokens).group()
    end = token.end() if chance.random() < .7 else token.start()
    return content[:token.start()] + word + content[end:]


def _line(content, chance, others):
    lines = bytes(content).splitlines(True) or [b'']
    at, to = chance.randrange(len(lines)), chance.randrange(len(lines))
    line = lines[at]
    kind = chance.randrange(4)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(to, line * chance.choice((1, 1, 3, 1000)))
    elif kind == 2:
        lines[at], lines[to] = lines[to], lines[at]
    else:
        lines.insert(to, chance.choice(
            bytes(chance.choice(others)).splitlines(True) or [b'x']))
    return b''.join(lines)
