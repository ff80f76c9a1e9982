"""What users choose about results: the same names everywhere."""

from dataclasses import dataclass
from numbers import Integral
from typing import Optional, Tuple

from ..errors import ColornetError
from ..refinement.steps import check_steps
from .hints import Hint
from .reading import PAGES
from .writing import check_format, output_suffix

__all__ = ['COLOURS', 'Options', 'format_suffix']

#: What becomes of photos that have colours of their own.
COLOURS = ('skip', 'keep', 'blend', 'replace')


@dataclass(frozen=True)
class Options:
    """How photos are coloured and written.

    Attributes
    ----------
    format : str, optional
        Of the results, such as 'png'; if not given, that of each photo,
        where it can hold the result.
    quality : int, optional
        1 to 100, for formats that lose something; 95 if not given.
    depth : 8 or 16, optional
        Bits a channel; if not given, 16 where photo and format have them.
    mark : bool
        Say in XMP that colours are computed.
    keep_times : bool
        Give files the times of their sources.
    pages : 'largest' or 'all'
        Of files with several: one of them, or all, each a result of its own,
        ``NAME-page2.tif``; also of the frames of an animation.
    colour : one of :data:`COLOURS`
        What becomes of photos that have colours of their own
        (:func:`.tones.has_colours`): they are left out, keep them, get the
        mean of their own and the network's, or the network's.
    hints : tuple of Hint or str
        A user's colours for spots of one photo (:mod:`.hints`).
    refinement : str, optional
        Steps that make colours even, such as 'total_variation guided', or
        'none' (:data:`colornet.refinement.steps.STEPS`); if not given,
        those of the network's configuration.

    Raises
    ------
    ColornetError
        If a value is none of these.
    """

    format: Optional[str] = None
    quality: Optional[int] = None
    depth: Optional[int] = None
    mark: bool = True
    keep_times: bool = False
    pages: str = 'largest'
    colour: str = 'replace'
    hints: Tuple[Hint, ...] = ()
    refinement: Optional[str] = None

    def __post_init__(self):
        if self.format is not None:
            if not isinstance(self.format, str):
                raise ColornetError("format must be a name such as 'png', "
                                    'not %r' % (self.format,))
            check_format(self.format)
        if self.quality is not None and not (
                isinstance(self.quality, Integral) and
                1 <= self.quality <= 100):
            raise ColornetError('quality must be 1 to 100, not %r'
                                % (self.quality,))
        if self.depth not in (None, 8, 16):
            raise ColornetError('depth must be 8 or 16, not %r'
                                % (self.depth,))
        if not (isinstance(self.hints, (list, tuple)) and
                all(isinstance(hint, (Hint, str)) for hint in self.hints)):
            raise ColornetError('hints must be a list of Hint or text, not %r'
                                % (self.hints,))
        if self.refinement is not None:
            check_steps(self.refinement)
        if self.pages not in PAGES:
            raise ColornetError('pages must be %s, not %r'
                                % (' or '.join(PAGES), self.pages))
        if self.colour not in COLOURS:
            raise ColornetError('colour must be one of %s, not %r'
                                % (', '.join(COLOURS), self.colour))

    def suffix(self, path, photo=None):
        """Suffix of the result for a photo.

        Parameters
        ----------
        path : str or Path, or None
            That it was read from; None, if it was in memory.
        photo : Photo, optional
            None: not read yet, so taken to be opaque and of 8 bits.

        Returns
        -------
        str
            Such as '.png'.
        """
        if self.format:
            return '.' + self.format
        if path is None:
            path = 'photo' + format_suffix(photo)
        return output_suffix(path, photo, self.depth)


def format_suffix(photo):
    """Suffix of the format that a photo had, such as '.jpg'."""
    return '.' + {'JPEG': 'jpg', 'MPO': 'jpg', 'TIFF': 'tif'}.get(
        photo.format, photo.format.lower())
