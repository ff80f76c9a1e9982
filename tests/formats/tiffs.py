"""TIFF files written bit by bit, without the libraries that read them."""

import struct
import zlib

import numpy as np

#: Rows and columns: odd, so that rows of few bits end within a byte.
SHAPE = 27, 37


def picture(channels=1):
    """A picture in [0, 1] that has black, white and all between.

    Returns
    -------
    ndarray of float64, (27, 37) or (27, 37, channels)
    """
    rows, columns = np.mgrid[:SHAPE[0], :SHAPE[1]]
    channel = [(rows * (3 + number) + columns * (5 - number)) % 61 / 60.
               for number in range(channels)]
    return channel[0] if channels == 1 else np.stack(channel, axis=-1)


def packed(samples, bits, order='<'):
    """Rows of samples as bytes, each row beginning with a byte.

    Parameters
    ----------
    samples : ndarray, (rows, columns, samples)
        Integers; floating point of 16, 32 or 64 bits.
    bits : int
    order : '<' or '>'
    """
    if samples.dtype.kind == 'f':
        return samples.astype('%sf%d' % (order, bits // 8)).tobytes()
    rows = samples.reshape(len(samples), -1)
    if bits in (8, 16, 32, 64):
        wide = [[int(value) % (1 << bits) for value in row] for row in rows]
        return np.array(wide, '%su%d' % (order, bits // 8)).tobytes()
    data = b''
    for row in rows:
        values = [int(value) % (1 << bits) for value in row]
        if bits == 24:  # like other whole bytes, in the file's order
            data += b''.join(value.to_bytes(3, 'little' if order == '<' else
                                            'big') for value in values)
            continue
        text = ''.join(format(value, '0%db' % bits) for value in values)
        text += '0' * (-len(text) % 8)
        data += int(text, 2).to_bytes(len(text) // 8, 'big')
    return data


def tiff(samples, bits, photometric=1, form=1, order='<', big=False,
         planar=False, extra=(), more=(), deflate=False, strip=10, data=None,
         bits_list=None):
    """A TIFF file.

    Parameters
    ----------
    samples : ndarray, (rows, columns) or (rows, columns, samples)
    bits : int
        Of each sample.
    photometric : int
        PhotometricInterpretation.
    form : int
        SampleFormat: 1 unsigned, 2 signed, 3 floating point.
    order : '<' or '>'
    big : bool
        BigTIFF.
    planar : bool
        Planes apart.
    extra : sequence of int
        ExtraSamples.
    more : sequence of (tag, type, tuple)
        Further tags: of type 3 (short), 4 (long), 5 (rational: pairs) or 2
        and 7 (bytes).
    deflate : bool
        Compressed strip by strip.
    strip : int
        Rows of one.
    data : list of bytes, optional
        Strips that are encoded already.
    bits_list : tuple of int, optional
        BitsPerSample as it is written.

    Returns
    -------
    bytes
    """
    if samples.ndim == 2:
        samples = samples[..., None]
    rows, columns, count = samples.shape
    planes = ([samples[..., number:number + 1] for number in range(count)]
              if planar else [samples])
    strips = data or [
        packed(plane[start:start + strip], bits, order)
        for plane in planes for start in range(0, rows, strip)]
    if deflate:
        strips = [zlib.compress(each) for each in strips]
    head = 16 if big else 8
    offsets, at = [], head
    for each in strips:
        offsets.append(at)
        at += len(each) + len(each) % 2
    body = b''.join(each + b'\0' * (len(each) % 2) for each in strips)
    word = 16 if big else 4  # LONG8 or LONG
    tags = [(256, 4, (columns,)), (257, 4, (rows,)),
            (258, 3, bits_list or (bits,) * count),
            (259, 3, (8 if deflate else 1,)), (262, 3, (photometric,)),
            (273, word, tuple(offsets)), (277, 3, (count,)),
            (278, 4, (strip,)), (279, word, tuple(map(len, strips))),
            (284, 3, (2 if planar else 1,)), (339, 3, (form,) * count)]
    if extra:
        tags.append((338, 3, tuple(extra)))
    replaced = {tag for tag, _, _ in more}
    tags = sorted([tag for tag in tags if tag[0] not in replaced]
                  + list(more))
    start = struct.pack(order + 'H', 43 if big else 42)
    header = ({'<': b'II', '>': b'MM'}[order] + start
              + (struct.pack(order + 'HHQ', 8, 0, head + len(body)) if big
                 else struct.pack(order + 'I', head + len(body))))
    return header + body + _directory(tags, order, big, head + len(body))


def _directory(tags, order, big, offset):
    forms = {3: 'H', 4: 'I', 16: 'Q', 12: 'd'}
    size = 20 if big else 12
    field = 8 if big else 4
    word = 'Q' if big else 'I'
    behind = offset + (8 if big else 2) + size * len(tags) + field
    entries, content = b'', b''
    for tag, kind, values in tags:
        if kind in (2, 7):
            count, value = len(values), values
        elif kind == 5:
            count = len(values)
            value = b''.join(struct.pack(order + 'II', *pair)
                             for pair in values)
        else:
            count = len(values)
            value = struct.pack('%s%d%s' % (order, count, forms[kind]),
                                *values)
        entries += struct.pack(order + 'HH' + word, tag, kind, count)
        if len(value) <= field:
            entries += value.ljust(field, b'\0')
        else:
            entries += struct.pack(order + word, behind + len(content))
            content += value + b'\0' * (len(value) % 2)
    count = struct.pack(order + ('Q' if big else 'H'), len(tags))
    return count + entries + b'\0' * field + content
