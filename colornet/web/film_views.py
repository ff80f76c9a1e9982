"""What the server answers of films."""

from flask import jsonify, send_file

from ..video.colouring import FilmColorizer
from ..video.packages import missing_package
from .errors import Forgotten, Refused
from .film_options import describe_film_options, parse_film_options
from .films import Films
from .line import Left, Line
from .uploads import has_left, result_name, sent_file, sent_values

__all__ = ['FilmService']

_TYPES = {'.m4v': 'video/mp4', '.mkv': 'video/x-matroska',
          '.mov': 'video/quicktime', '.mp4': 'video/mp4',
          '.webm': 'video/webm'}


class FilmService:
    """The answers.

    Parameters
    ----------
    model : Model
    line : Line
        Of the network: photos are coloured between a film's frames.
    limits : FilmLimits

    Attributes
    ----------
    films : Films
    refusal : str
        Why there can be none, or ''.
    """

    def __init__(self, model, line, limits):
        self.model, self.line = model, line
        self.films = Films(self._colorizer, limits)
        # Of their own: nobody waits for a preview meanwhile.
        self._looks = Line(self.films.places)
        self.refusal = (
            'this server takes no films' if not limits.seconds else
            missing_package() or ('' if model.takes_hints else
                                  'films are for networks of CIELUV'))

    def rules(self):
        """Paths, methods and functions."""
        return [('/api/films', 'POST', self.add_film),
                ('/api/films/<key>', 'GET', self.film),
                ('/api/films/<key>', 'DELETE', self.remove_film),
                ('/api/films/<key>/coloured', 'GET', self.coloured_film)]

    def describe(self):
        """What is taken, for who asks for options and limits."""
        limits = self.films.limits
        return {'refusal': self.refusal, 'options': describe_film_options(
            self.model), 'limits': {
                'bytes': limits.bytes, 'seconds': limits.seconds,
                'frames': limits.frames, 'pixels': limits.pixels,
                'places': self.films.places,
                'kept_seconds': self.films.patience}}

    def add_film(self):
        """Take a film, and colour it in its turn."""
        if self.refusal:
            raise Refused(501, self.refusal)
        gone = has_left()
        with self.films.place() as job, self._looks.place(gone) as call:
            stream, name = sent_file()
            wanted = parse_film_options(self.model, sent_values())
            call(self.films.look, job, stream, name, wanted)
            # Nobody would have its key, and it would hold its place until it
            # is given up.
            if gone is not None and gone():
                raise Left
            return jsonify(self.films.start(job)), 202

    def film(self, key):
        """How far a film is."""
        return jsonify(self._describe(key))

    def remove_film(self, key):
        """Keep a film no longer."""
        if not self.films.remove(key):
            raise Forgotten
        return '', 204

    def coloured_film(self, key):
        """A coloured film."""
        found = self.films.result(key)
        if found is None:
            said = self._describe(key)
            if said['state'] == 'failed':
                raise Refused(410, said['error'])
            raise Refused(409, 'this film is not coloured yet')
        content, size, name, suffix = found
        response = send_file(
            content, _TYPES[suffix], as_attachment=True, conditional=False,
            download_name=result_name(name, suffix))
        response.content_length = size
        return response

    def _describe(self, key):
        said = self.films.describe(key)
        if said is None:
            raise Forgotten
        return said

    def _colorizer(self, wanted):
        return FilmColorizer(
            lambda luminances: self.line.call(self.model.outputs, luminances),
            wanted.config, **wanted.colorizer)
