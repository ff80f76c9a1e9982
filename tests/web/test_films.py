"""Films by HTTP: sent, coloured in their turn, fetched, forgotten."""

import io
import os
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from unittest import mock

from nose.tools import assert_in, eq_, ok_

from colornet.video.reading import Clip
from tests.video import clips
from tests.web import serving
from tests.web.serving import Client, encoded, pixels_of


def made(name='in.mp4', **options):
    """The bytes of a film."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        clips.write_clip(path, **options)
        return path.read_bytes()


def contents(content):
    """As of :func:`tests.video.clips.contents`."""
    with tempfile.NamedTemporaryFile(suffix='.mp4') as file:
        file.write(content)
        file.flush()
        return clips.contents(file.name)


class Gate(serving.Looks):
    """A network that waits before each look until it may."""

    def __init__(self):
        super().__init__()
        self.open = threading.Event()
        self.open.set()

    def __call__(self, luminance):
        ok_(self.open.wait(60))
        return super().__call__(luminance)


class TestFilms(Client):

    OPTIONS = {'max_seconds': 2, 'max_bytes': 300000}

    def setup(self):
        clips.need_video()
        super().setup()
        self.films = self.app.extensions['films']

    setup_method = setup

    def teardown(self):
        self.model.outputs.open.set()
        for key in list(self.films._jobs):
            self.films.remove(key)
        self.wait(lambda: not self.films.working())

    teardown_method = teardown

    def make_model(self):
        return serving.make_model(outputs=Gate())

    def add(self, content=None, name='in.mp4', **fields):
        return self.post('/api/films', content or made(), name, **fields)

    def wait(self, is_true, seconds=60):
        end = time.monotonic() + seconds
        while not is_true():
            ok_(time.monotonic() < end)
            time.sleep(.01)

    def done(self, key, state='done'):
        """What is said of a film when that is its state."""
        path = '/api/films/' + key
        self.wait(lambda: self.client.get(path).json['state'] in (
            'done', 'failed'))
        said = self.client.get(path).json
        eq_(said['state'], state, said)
        return said

    def test_a_film(self):
        content = made(sound=True)
        answer = self.add(content, name='Tom & Ann.mp4')
        eq_(answer.status_code, 202)
        key = answer.json['key']
        said = self.done(key)
        eq_((said['frames'], said['done'], said['error'], said['notes']),
            (12, 12, '', []))
        got = self.client.get('/api/films/%s/coloured' % key)
        eq_((got.status_code, got.mimetype), (200, 'video/mp4'))
        eq_(got.content_length, len(got.data))
        assert_in('Tom & Ann-coloured.mp4', got.headers[
            'Content-Disposition'])
        eq_(contents(got.data), contents(content))
        job = self.films._jobs[key]
        eq_(self.client.delete('/api/films/' + key).status_code, 204)
        ok_(job.source.closed and job.result.closed)
        for path in '', '/coloured':
            self.refuses(404, 'not kept', self.client.get(
                '/api/films/' + key + path))
        self.refuses(404, 'not kept', self.client.delete('/api/films/' + key))
        eq_(self.client.get('/api/films/x').status_code, 404)

    def test_as_the_command(self):
        content = made()
        with tempfile.TemporaryDirectory() as folder:
            source, target = [Path(folder) / name for name in ('a.mkv',
                                                               'b.mkv')]
            source.write_bytes(content)
            from colornet.video.colouring import FilmColorizer
            from colornet.video.converting import colour_file
            colour_file(lambda: FilmColorizer(
                serving.Looks(), self.model.config, every=3), source, target,
                progress=False)
            expected = clips.frames_of(target)
            key = self.add(content, every='3', format='mkv').json['key']
            self.done(key)
            source.write_bytes(self.client.get(
                '/api/films/%s/coloured' % key).data)
            got = clips.frames_of(source)
        eq_(len(got), 12)
        for one, other in zip(got, expected):
            ok_((one == other).all())

    def test_options(self):
        said = self.client.get('/api/options').json['films']
        eq_(said['refusal'], '')
        eq_((said['limits']['seconds'], said['limits']['bytes'],
             said['limits']['frames']), (2, 300000, 120))
        names = [one['name'] for one in said['options']]
        for name in 'every', 'smooth', 'format', 'refinement', 'saturation':
            assert_in(name, names)
        for fields, words in [
                ({'hints': '1,1=red'}, 'films have no option hints'),
                ({'every': '0'}, 'every = 0: must be 1 to 100'),
                ({'smooth': '1'}, 'smooth = 1: must be 0 to below 1'),
                ({'smooth': 'nan'}, 'must be 0 to below 1'),
                ({'smooth': 'x'}, 'must be a number'),
                ({'format': 'avi'}, 'choose one of m4v, mkv, mov, mp4, webm'),
                ({'saturation': '-1'}, 'saturation = -1: must be at least 0'),
                ({'refinement': 'magic'}, 'magic')]:
            self.refuses(422, words, self.add(**fields))
        self.refuses(422, 'given twice', self.post(
            '/api/films?every=2', made(), every='3'))
        self.refuses(422, 'send one file', self.client.post('/api/films'))
        self.refuses(422, 'sound and subtitles', self.add(made(sound=True),
                                                          format='webm'))
        eq_((self.films._jobs, self.model.outputs.count), ({}, 0))

    def test_what_is_left_out_is_a_note(self):
        said = self.add(made('in.mkv', codec='ffv1', pixel_format='bgra'))
        eq_(said.json['notes'], ['Left out: transparency.'])

    def test_grey(self):
        key = self.add(saturation='0', mark='false').json['key']
        self.done(key)
        with tempfile.NamedTemporaryFile(suffix='.mp4') as file:
            file.write(self.client.get('/api/films/%s/coloured' % key).data)
            file.flush()
            for pixels in clips.frames_of(file.name):
                ok_(pixels.astype(int).ptp(axis=-1).mean() < 1)

    def test_refused(self):
        for content, name, words in [
                (b'words', 'text.mp4', 'cannot read text.mp4'),
                (encoded(), 'photo.jpg', 'colornet colorize'),
                (made()[:500], 'cut.mp4', 'cannot read cut.mp4')]:
            self.refuses(415, words, self.add(content, name))
        self.refuses(413, '2 seconds, and this one has 2.79', self.add(
            made(times=range(0, 12 * 150, 150))))
        self.refuses(413, 'larger than 300000 bytes', self.add(
            bytes(400000)))
        frames = clips.moving(3)
        with mock.patch.object(type(self.films.limits), 'frames', 2):
            self.refuses(413, '2 frames, and this one has 3', self.add(
                made(frames=frames)))
            # One that does not say how many it has.
            key = self.add(made('in.h264', frames=frames)).json['key']
            assert_in('2 frames', self.done(key, 'failed')['error'])
        self.refuses(410, '2 frames, and this one has 3', self.client.get(
            '/api/films/%s/coloured' % key))

    def test_too_many_pixels_are_not_decoded(self):
        limits = self.films.limits
        self.films.limits = replace(limits, pixels=48 * 64 - 1)
        words = '3071 pixels a frame, and this one has 3072'
        with mock.patch.object(Clip, '_begin') as decode:
            self.refuses(413, words, self.add())
        eq_(decode.call_count, 0)
        # Nor coloured, where a stream says less than it has.
        with mock.patch('colornet.web.films.Clip', lambda source, name,
                        check: Clip(source, name)):
            self.refuses(413, words, self.add())
        eq_((self.films._jobs, self.model.outputs.count), ({}, 0))
        self.films.limits = replace(limits, pixels=48 * 64)
        eq_(self.add().status_code, 202)

    def test_previews_do_not_wait_for_looks(self):
        key = self.post('/api/photos', encoded()).json['key']
        entered, go_on = threading.Event(), threading.Event()

        def slow(*arguments):
            entered.set()
            ok_(go_on.wait(60))
            return Clip(*arguments)
        answers = []
        with mock.patch('colornet.web.films.Clip', slow):
            thread = threading.Thread(target=lambda: answers.append(
                self.add()))
            thread.start()
            try:
                ok_(entered.wait(60))
                got = self.client.get('/api/photos/%s/before' % key)
                eq_((got.status_code, answers), (200, []))
            finally:
                go_on.set()
                thread.join(60)
        eq_(answers[0].status_code, 202)

    def test_turns_are_by_arrival(self):
        self.model.outputs.open.clear()
        first = self.add().json['key']
        self.wait(lambda: self.films.describe(first)['state'] == 'working')
        # One that takes longer to arrive than one that came later.
        with self.films.place() as early, self.films.place() as late:
            for job in late, early:
                self.films.look(job, io.BytesIO(made()), 'in.mp4',
                                self.films._jobs[first].wanted)
                self.films.start(job)
            eq_([self.films.describe(job.key)['before']
                 for job in (early, late)], [1, 2])
            turns = []
            work = self.films.make_colorizer

            def noting(wanted):
                turns.extend(job for job in (early, late)
                             if job.state == 'working')
                return work(wanted)
            self.films.make_colorizer = noting
            self.model.outputs.open.set()
            for job in early, late:
                self.done(job.key)
            eq_(turns, [early, late])

    def test_playlists_open_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / 'secret.ts'
            clips.write_clip(path)
            text = ('#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n%s\n'
                    '#EXT-X-ENDLIST\n' % path)
            for name in 'list.m3u8', 'list.mp4':
                self.refuses(415, 'cannot read', self.add(text.encode(),
                                                          name))

    def test_too_large_a_result(self):
        with mock.patch('colornet.web.films._GROWTH', 1e-3):
            key = self.add().json['key']
            assert_in('bytes when coloured', self.done(key, 'failed')['error'])

    def test_without_the_packages(self):
        for options, words in [({}, "pip install '.[video]'"),
                               ({'max_seconds': 0}, 'takes no films')]:
            with mock.patch('colornet.web.film_views.missing_package',
                            return_value="video needs the package av: pip "
                            "install '.[video]' in colornet's folder"):
                from colornet.web.app import make_app
                client = make_app(self.model, **options).test_client()
            answer = client.post('/api/films', data={
                'file': (io.BytesIO(made()), 'in.mp4')})
            self.refuses(501, words, answer)
            assert_in(words, client.get('/api/options').json['films'][
                'refusal'])
            ok_(b'video/*' not in client.get('/').data)

    def test_photos_come_between(self):
        self.model.outputs.open.clear()
        key = self.add().json['key']
        self.wait(lambda: self.films.describe(key)['state'] == 'working')
        answers = []
        thread = threading.Thread(target=lambda: answers.append(
            self.colorize(encoded())))
        thread.start()
        self.model.outputs.open.set()
        thread.join(60)
        eq_(pixels_of(answers[0].data).shape, (96, 128, 3))
        self.done(key)

    def test_places(self):
        self.model.outputs.open.clear()
        keys = [self.add().json['key'] for _ in range(4)]
        self.wait(lambda: self.films.describe(keys[0])['state'] == 'working')
        eq_([self.films.describe(key)['before'] for key in keys],
            [0, 1, 2, 3])
        eq_(self.client.get('/api/health').json['films'], 4)
        answer = self.refuses(503, 'too many at a time', self.add())
        ok_(int(answer.headers['Retry-After']) > 0)
        self.refuses(409, 'not coloured yet', self.client.get(
            '/api/films/%s/coloured' % keys[0]))
        # One that waits goes, and is never coloured.
        self.client.delete('/api/films/' + keys[1])
        self.model.outputs.open.set()
        for key in keys[0], keys[2], keys[3]:
            self.done(key)
        self.wait(lambda: self.client.get('/api/health').json['films'] == 0)
        eq_(self.add().status_code, 202)

    def test_who_has_gone(self):
        """Nothing is kept of films that nobody asks for."""
        self.films.patience = 2
        self.model.outputs.open.clear()
        content = made(frames=clips.moving(50))
        jobs = [self.films._jobs[self.add(content).json['key']]
                for _ in range(2)]
        self.wait(lambda: not self.films._jobs)
        self.model.outputs.open.set()
        self.wait(lambda: all(job.source.closed and job.result.closed
                              for job in jobs))
        eq_([job.state for job in jobs], ['failed', 'waiting'])
        ok_(jobs[0].done < 50)
        # One that is done goes as well, as long as nobody asks.
        key = self.add().json['key']
        job = self.films._jobs[key]
        self.done(key)
        self.wait(lambda: job.result.closed)
        eq_(job.state, 'done')

    def test_files_have_no_names(self):
        with tempfile.TemporaryDirectory() as folder:
            with mock.patch('tempfile.tempdir', folder):
                self.done(self.add().json['key'])
                eq_(os.listdir(folder), [])
