"""A clip in, a coloured clip out, with the same times and sound."""

import contextlib
import dataclasses
import heapq
import itertools
import os
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from .. import __version__
from ..errors import ColornetError
from ..files import check_output, replacing, writing
from ..terminal import note, progress_bar
from .film import Film, FilmOptions
from .parts import FORMAT, Parts, folder_of
from .reading import Clip, read_copied
from .writing import (Encoder, add_copy, add_metadata, choose_format,
                      copy_packet, open_container)

__all__ = ['OneWay', 'colour_file', 'colour_stream', 'open_target']

#: Frames after which a part ends, if no scene does before.
PART = 240


def colour_file(load, source, target, options=FilmOptions(), overwrite=False,
                resume=False, progress=True):
    """Colour a file, part by part.

    Parameters
    ----------
    load : callable
        Returns a :class:`.colouring.FilmColorizer`.
    source, target : str or Path
    options : FilmOptions
    overwrite : bool
        Whether `target` may be there.
    resume : bool
        Go on behind the parts that are finished.
    progress : bool
        Show a bar.

    Returns
    -------
    int
        How many frames it has.

    Raises
    ------
    ColornetError
        If `source` is no clip that comes out right, or `target` cannot be
        written or cannot hold the result.
    """
    source, target = Path(source), Path(target)
    format = choose_format(target.suffix[1:])
    if os.path.realpath(source) == os.path.realpath(target):
        raise ColornetError('%s would replace its source' % target)
    _check_target(target, overwrite)
    with contextlib.closing(Clip(source)) as clip:
        film = Film(clip, format, options)
        _tell_left_out(film, progress)
        colorizer = load()
        with Parts.opened(folder_of(target), clip.time_base, _settings(
                film, colorizer, source), resume, overwrite) as parts:
            picture = film.find_picture(lambda: Clip(source))
            if parts.count:
                clip.seek(parts.last)
            with _bar(film, parts.frames, progress) as bar:
                _write_parts(film, colorizer, picture, parts, bar)
            if not parts.frames:
                parts.remove()
                raise _no_frames(film)
            with writing(target), replacing(target) as temporary:
                _join(film, parts, source, temporary, target)
            parts.remove()
            return parts.frames


@contextlib.contextmanager
def open_target(target, overwrite=False):
    """A file that is there once it is whole.

    Parameters
    ----------
    target : str or Path
    overwrite : bool
        Whether it may be there.

    Yields
    ------
    str
        The name that it has until then.

    Raises
    ------
    ColornetError
        If it is there, or cannot be written.
    """
    _check_target(target, overwrite)
    with writing(target), replacing(target) as temporary:
        yield temporary


def colour_stream(load, source, sink, format, options=FilmOptions(),
                  name='-', progress=True):
    """Colour a stream, or into one.

    Parameters
    ----------
    load : callable
        Returns a :class:`.colouring.FilmColorizer`.
    source : str or Path, binary file, or callable
        A callable returns the same binary file from its beginning whenever it
        is called; a binary file itself is read once.
    sink : str or binary file
        Need not be one that goes back, if `format` is for streams.
    format : Format
    options : FilmOptions
    name : str
        What errors call the source.
    progress : bool or callable
        Whether to show a bar; or what takes the number of frames, None if it
        is not known, and returns a context with ``update()``, which is called
        after each.

    Returns
    -------
    int
        How many frames it has.

    Raises
    ------
    ColornetError
        As :func:`colour_file` does.
    """
    def open_clip():
        return Clip(source() if callable(source) else source, name)
    with contextlib.closing(open_clip()) as clip:
        return _stream(Film(clip, format, options), load, None if hasattr(
            source, 'read') else open_clip, sink, progress)


def _stream(film, load, again, sink, progress):
    _tell_left_out(film, progress)
    colorizer = load()
    picture = film.find_picture(again)
    frames = 0
    with open_container(sink, 'the result', film.format) as container, _bar(
            film, 0, progress) as bar:
        encoder = Encoder(container, film.clip, film.encoding, film.shift)
        add_metadata(container, encoder.stream, film.clip,
                     film.options.mark)
        take = _Copier(container, film)
        for block in colorizer.blocks(film.frames(take=take),
                                      film.clip.pixels, picture):
            frames += _write_block(film, colorizer, picture, block, encoder,
                                   bar)
        if not frames:
            raise _no_frames(film)
        encoder.finish()
    return frames


def _check_target(target, overwrite):
    check_output(target)
    if not overwrite and os.path.lexists(target):
        raise ColornetError('%s is there; --overwrite replaces it' % target)


class OneWay:
    """A binary file that is written from its beginning to its end.

    Parameters
    ----------
    file : binary file
        Such as the standard output, which may be a file with more in it.
    """

    def __init__(self, file):
        self.write = file.write


class _Copier:
    """Takes packets of sound and subtitles into a result."""

    def __init__(self, container, film):
        self.container = container
        self.shift = film.shift * film.clip.time_base
        self.streams = {stream.index: add_copy(container, stream)
                        for stream in film.clip.copied}

    def __call__(self, packet):
        copy_packet(self.container, packet,
                    self.streams[packet.stream.index], self.shift)


def _tell_left_out(film, progress):
    """Say what is not copied, where a terminal is told how far it is."""
    if film.clip.left_out and progress and not callable(progress):
        note('colornet: note: left out of %s: %s'
             % (film.clip.name, film.clip.left_out))


def _bar(film, frames, progress):
    if callable(progress):
        return progress(film.num_frames)
    return progress_bar(total=film.num_frames, initial=frames, unit='frame',
                        disable=not progress)


def _no_frames(film):
    # Not as a float, which has no room for what may be asked for.
    start = Fraction(film.options.start)
    return ColornetError('%s has no frames at second %s or behind' % (
        film.clip.name, format(Decimal(start.numerator) / start.denominator,
                               '.6g')))


def _write_parts(film, colorizer, picture, parts, bar):
    blocks = colorizer.blocks(film.frames(parts.last), film.clip.pixels,
                              picture, parts.state)
    block = next(blocks, None)
    while block is not None:
        with parts.add() as path, open_container(
                path, path, FORMAT) as container:
            encoder = Encoder(container, film.clip, film.encoding, film.shift)
            frames = 0
            while True:
                last, state = block.frames[-1], block.state
                frames += _write_block(film, colorizer, picture, block,
                                       encoder, bar)
                if block.ends_scene or frames >= PART:
                    break
                block = next(blocks)
            encoder.finish()
        parts.note(frames, last, state)
        # Not before: it takes long, and who ends the program meanwhile shall
        # find the part.
        block = next(blocks, None)


def _write_block(film, colorizer, picture, block, encoder, bar):
    """Write the frames of a block, and let go of them: they are large."""
    count = len(block.frames)
    for frame, chroma in zip(block.frames, block.chroma):
        pixels = film.clip.pixels(frame)
        encoder.write(frame, colorizer.join(pixels, chroma, picture))
        bar.update()
    block.frames.clear()
    return count


def _join(film, parts, source, path, name):
    """Join the parts, with the sound and subtitles of their source."""
    with open_container(path, name, film.format) as container:
        packets = parts.packets()
        first = next(packets)
        pictures = add_copy(container, first.stream)
        copy_sound = _Copier(container, film)
        add_metadata(container, pictures, film.clip, film.options.mark)

        def in_time(packets, shift, copy):
            return (((packet.pts if packet.dts is None else packet.dts) *
                     packet.time_base - shift, copy, packet)
                    for packet in packets)
        for _, copy, packet in heapq.merge(
                in_time(itertools.chain([first], packets), 0,
                        lambda packet: copy_packet(container, packet,
                                                   pictures)),
                in_time(filter(film.takes, read_copied(source)),
                        copy_sound.shift, copy_sound),
                key=lambda item: item[0]):
            copy(packet)


def _settings(film, colorizer, source):
    """What the parts of a film have in common, as text."""
    status = os.stat(source)
    settings = dict(
        dataclasses.asdict(film.options), **dataclasses.asdict(film.encoding))
    settings.update(colorizer.settings, version=__version__,
                    source=os.path.abspath(source),
                    size=status.st_size, changed=status.st_mtime)
    return {name: str(value) for name, value in settings.items()}
