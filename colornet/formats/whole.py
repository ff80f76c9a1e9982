"""Whether what is compressed is all there: decoders fill up what is cut."""

import functools

import numpy as np

from .photo import ImageError

__all__ = ['check_page', 'is_whole_jpeg']

#: JPEG's markers before the data of a scan, and behind all.
_SCAN, _END = b'\xff\xda', b'\xff\xd9'

#: Two ways how data may go on: no code begins with both, and neither is all
#: zeros or ones, which decoders often take for the same, none.
_MORE = b'\x55' * 64, b'\xaa' * 64

#: Compressions of TIFF whose strips are each a JPEG stream.
_JPEG = {7, 34892, 33007}


def is_whole_jpeg(content, decode, may_be_open=False):
    """Whether a JPEG stream has data for all of its samples.

    Parameters
    ----------
    content : bytes
    decode : callable
        Takes such a stream; returns its samples, or raises.
    may_be_open : bool
        Whether it may lack the marker of its end, as what it is in says where
        that is.

    Returns
    -------
    bool
        False also where the end's marker is there, and samples came from
        beyond it.
    """
    end = content.find(_END, content.rfind(_SCAN))
    if end < 0:
        if not may_be_open:
            return False
        end = len(content)
    try:
        one, other = [decode(content[:end] + more + _END) for more in _MORE]
    except MemoryError:
        raise
    except Exception:  # of the decoder, which tells nobody what is missing
        return False
    return np.array_equal(one, other)


def check_page(stream, page, name):
    """Refuse a page of a TIFF file of which a part is not there.

    Parameters
    ----------
    stream : binary file
    page : tifffile.TiffPage
    name : str or Path
        What errors call the file.

    Raises
    ------
    ImageError
    """
    size = stream.seek(0, 2)
    places = list(zip(page.dataoffsets, page.databytecounts))
    if any(offset + count > size for offset, count in places):
        raise ImageError(name, 'truncated file')
    # Where all strips have one head, they are parts of one stream.
    if page.compression not in _JPEG or page.jpegheader:
        return
    decode = functools.partial(page.decode, jpegtables=page.jpegtables)
    for number, (offset, count) in enumerate(places):
        stream.seek(offset)
        content = stream.read(count)
        # Nearly all have an end, and are not decoded here.
        if content and _END not in content[content.rfind(_SCAN):] and (
                not is_whole_jpeg(content, lambda data: decode(
                    data, number)[0], True)):
            raise ImageError(name, 'truncated file')
