"""Films that are damaged, and what reads them."""

import importlib
import io
import sys

from colornet.video.converting import colour_stream
from colornet.video.packages import import_package, missing_package
from colornet.video.writing import choose_format
from tests.video.clips import colorizer, frames_of

from .asking_films import encode_films
from .processes import Process
from .readers import Reader

__all__ = ['FilmReader']


class FilmReader(Reader):
    """A film: each frame that can be decoded is coloured, or an error.

    FFmpeg's threads would be missing in a process that is forked from one in
    which it has worked; so all that it does is done in such processes.
    """

    name = 'film.mp4'

    def make(self):
        if missing_package():
            raise ImportError(missing_package())
        import_package('cv2').setNumThreads(0)
        process = Process([], self.folder / 'log', command=self._encode)
        process.wait()
        if process.status:
            raise AssertionError(process.lines())
        return [path.read_bytes() for path in sorted(
            self.folder.glob('whole-*'))]

    def warm(self):
        for name in (self.folder / 'imported').read_text().split():
            importlib.import_module(name)

    def _encode(self, _):
        """Write whole films, and the names of all modules that read them."""
        before = set(sys.modules)
        for name, content in encode_films():
            path = self.folder / ('whole-' + name)
            path.write_bytes(content)
            self.read(path)
        (self.folder / 'imported').write_text('\n'.join(
            name for name in sys.modules if name not in before and
            getattr(sys.modules[name], '__spec__', None)))
        return 0

    def read(self, path):
        result = io.BytesIO()
        colour_stream(colorizer, path, result, choose_format('mkv'),
                      name=path.name, progress=False)
        return result

    def is_right(self, result):
        result.seek(0)
        ours, theirs = [len(frames_of(source)) for source in (
            str(self.path), result)]
        return ours == theirs > 0
