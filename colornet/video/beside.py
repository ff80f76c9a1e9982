"""What a film has beside its pictures, and what of it no result has."""

import logging
import re
import threading
from collections import Counter

from .packages import import_package

__all__ = ['describe_left_out', 'is_copied', 'is_cover']

#: Types of streams that are copied.
_COPIED = 'audio', 'subtitle'

#: What others are called, one and several.
_NAMES = {'video': ('further stream of pictures',
                    'further streams of pictures'),
          'attachment': ('attachment', 'attachments'),
          'data': ('data stream', 'data streams'),
          'cover': ('cover', 'covers'),
          'chapter': ('chapter', 'chapters'),
          'audio': ('unknown stream of sound', 'unknown streams of sound'),
          'subtitle': ('unknown stream of subtitles',
                       'unknown streams of subtitles')}
_UNKNOWN = 'unknown stream', 'unknown streams'

#: Of a stream, as FFmpeg and Matroska tell that a second one, which its
#: decoders do not look at, has its transparency.
_ALPHA_MODE = 'alpha_mode'

#: Of FFmpeg's messages, which all threads share.
_LOCK = threading.Lock()

_NOWHERE = logging.NullHandler()

#: FFmpeg's level at which nothing is told.
_QUIET = -8

_CHAPTER = re.compile(r'^ *Chapter #\d+:\d+: start ', re.MULTILINE)


def describe_left_out(container, pictures):
    """What of a film is not copied: PyAV cannot, or no result holds it.

    Parameters
    ----------
    container : av.container.InputContainer
        Just opened: nothing is decoded yet.
    pictures : av.stream.Stream
        That is coloured.

    Returns
    -------
    str
        Such as '2 chapters, 1 attachment'; '' if all is copied.
    """
    counts = Counter(chapter=_count_chapters(container))
    counts.update('cover' if is_cover(stream) else stream.type
                  for stream in container.streams
                  if stream.index != pictures.index and
                  not is_copied(stream))
    words = ['%d %s' % (count, _NAMES.get(kind, _UNKNOWN)[count > 1])
             for kind, count in counts.items() if count]
    if _has_alpha(pictures):
        words.append('transparency')
    return ', '.join(words)


def is_copied(stream):
    """Whether a stream is sound or subtitles that FFmpeg could decode.

    Of one for which this build of it has no decoder, PyAV has no codec to
    copy, and crashes when it is asked to.
    """
    return stream.type in _COPIED and stream.codec_context is not None


def is_cover(stream):
    """Whether a stream is the one picture of, say, a sound file."""
    av = import_package('av')
    # Of PyAV from 13 on.
    return hasattr(stream, 'disposition') and bool(
        stream.disposition & av.stream.Disposition.attached_pic)


def _count_chapters(container):
    """How many; PyAV does not say, but what FFmpeg prints does."""
    av = import_package('av')
    with _LOCK:
        level = av.logging.get_level()
        # What others' films say meanwhile is not for the screen.
        logging.getLogger('libav').addHandler(_NOWHERE)
        av.logging.set_level(av.logging.INFO)
        try:
            return len(_CHAPTER.findall(container.dumps_format()))
        finally:
            _set_level(av, level)


def _set_level(av, level):
    """Let FFmpeg tell what it did.

    Off, by default, as FFmpeg's threads would wait for Python's; and not by
    None, which PyAV would compare with the level of what another thread's
    film says at this moment, and print that it cannot.
    """
    if level is not None and level > av.logging.PANIC:
        av.logging.set_level(level)
        logging.getLogger('libav').removeHandler(_NOWHERE)
        return
    av.logging.set_level(av.logging.PANIC)
    av.logging.set_libav_level(_QUIET)
    av.logging.restore_default_callback()


def _has_alpha(stream):
    format = stream.codec_context.format
    said = {key.lower(): value for key, value in stream.metadata.items()}
    return (said.get(_ALPHA_MODE) == '1' or format is not None and any(
        component.is_alpha for component in format.components))
