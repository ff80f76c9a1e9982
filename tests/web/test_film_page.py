"""Films on the page."""

import base64

from nose.tools import assert_in, eq_, ok_

from tests import tiny
from tests.video import clips
from tests.web.browser import MEAN, Page
from tests.web.serving import encoded
from tests.web.test_films import Gate, contents, made

#: Mean red, green and blue of what a video shows in the middle of it.
SHOWN = MEAN + """
const done = arguments[0];
const video = document.querySelector('video');
video.onseeked = () => done(mean(video, video.videoWidth, video.videoHeight));
video.currentTime = video.duration / 2;
"""


class TestFilms(Page):

    OPTIONS = {'max_seconds': 5}
    OUTPUTS = Gate()

    @classmethod
    def setup_class(cls):
        clips.need_video()
        super().setup_class()
        cls.films = cls.app.extensions['films']

    def teardown(self):
        self.model.outputs.open.set()
        eq_(self.complaints(), [])

    teardown_method = teardown

    def gone(self):
        """Wait until the server keeps none."""
        self.wait(lambda: not self.films._jobs and not self.films.working())

    def coloured(self):
        self.wait(lambda: '64 \u00d7 48' in self.one('.film .state').text)

    def test_a_film(self):
        film = made(sound=True)
        self.give([('old film.mp4', film)])
        self.coloured()
        eq_(self.one('.state').text, '64 \u00d7 48, 1 s')
        self.gone()
        eq_(self.all('.bar:not([hidden])'), [])
        red, green, blue = self.driver.execute_async_script(SHOWN)
        ok_(max(red, green, blue) - min(red, green, blue) > 5)
        name, content = self.download()
        eq_(name, 'old film-coloured.mp4')
        eq_(contents(content), contents(film))
        eq_(self.one('#status').text, 'old film.mp4 is given to the browser '
            'as old film-coloured.mp4')
        self.one('.remove').click()
        eq_(self.all('.film'), [])

    def test_progress(self):
        self.model.outputs.open.clear()
        self.give([('film.mp4', made()), ('photo.jpg', encoded()),
                   ('later.mkv', made('in.mkv'))])
        self.wait(lambda: 'waiting for another film' in
                  self.all('.film .state')[1].text)
        self.wait(lambda: self.all('.film .state')[0].text ==
                  'frame 0 of 12 \u2026')
        bar = self.one('.bar')
        ok_(bar.is_displayed())
        eq_((bar.get_property('max'), bar.get_property('value')), (12, 0))
        self.model.outputs.open.set()
        self.wait_for_photos(3)
        self.gone()

    def test_colour_again(self):
        self.give([('film.mp4', made())])
        self.coloured()
        before = self.one('video').get_attribute('src')
        self.one('summary').click()
        slider = self.one('.film input[name=saturation]')
        self.run('arguments[0].value = 0;'
                 'arguments[0].dispatchEvent(new Event("input"))', slider)
        self.one('.film [name=format] [value=webm]').click()
        self.one('.recolour').click()
        self.wait(lambda: self.one('video').get_attribute('src') != before)
        self.coloured()
        red, green, blue = self.driver.execute_async_script(SHOWN)
        ok_(max(red, green, blue) - min(red, green, blue) < 2)
        eq_(self.download()[0], 'film-coloured.webm')

    def test_who_leaves_or_removes_it(self):
        for leave in (lambda: self.one('.remove').click(),
                      lambda: self.driver.get('about:blank')):
            self.model.outputs.open.clear()
            self.give([('film.mp4', made())])
            self.wait(lambda: 'frame 0' in self.one('.state').text)
            leave()
            self.wait(lambda: not self.films._jobs)
            self.model.outputs.open.set()
            self.gone()

    def test_films_that_are_gone_hold_nothing(self):
        self.run('window.listeners = []; const add = addEventListener;'
                 'window.addEventListener = (...given) => {'
                 '  listeners.push(given[0]); add(...given); };')
        for _ in range(2):
            self.give([('film.mp4', made())])
            self.coloured()
            self.one('.remove').click()
        self.gone()
        ok_('pagehide' not in self.run('return listeners'))

    def test_refused(self):
        self.give([('long.mp4', made(times=range(0, 12 * 600, 600))),
                   ('text.mp4', b'words'), ('sound.mkv', b''),
                   ('photo.jpg', encoded())])
        self.wait_for_photos()
        self.wait(lambda: len(self.all('.error')) == 3)
        long, text, empty = [state.text for state in self.all('.error')]
        assert_in('5 seconds, and this one has 11', long)
        assert_in('cannot read text.mp4', text)
        assert_in('cannot read sound.mkv', empty)
        ok_(not self.one('.film .retry').is_displayed())
        ok_(not self.films._jobs)
        self.complaints()  # The browser tells of the statuses, too.

    def test_what_a_browser_cannot_play(self):
        self.give([('film.mp4', made())])
        self.coloured()
        self.run('document.querySelector("video").src = arguments[0]',
                 'data:video/mp4;base64,' + base64.b64encode(
                     b'words').decode())
        self.wait(lambda: 'cannot play it' in self.one('.state').text)
        ok_(not self.one('video').is_displayed())
        ok_(self.one('.download').is_displayed())
        self.complaints()


class TestNoFilms(Page):
    """A server that takes none."""

    OPTIONS = {'max_seconds': 0}

    def test_it_says_so(self):
        assert_in('Drop photos here', self.one('#intake').text)
        self.give([('film.mp4', b'words')])
        state = self.wait(lambda: self.one('.state.error'))
        eq_(state.text, 'this server takes no films')


def test_types():
    """Each format has one."""
    tiny.need('flask')
    from colornet.video.writing import FORMATS
    from colornet.web import film_views
    eq_(sorted(film_views._TYPES), sorted('.' + name for name in FORMATS))
