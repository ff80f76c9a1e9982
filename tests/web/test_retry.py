"""What failed, and can be tried again."""

from pathlib import Path

from nose.tools import assert_in, eq_, ok_

from tests.web.browser import Keys, Page
from tests.web.serving import encoded
from tests.web.test_page import photos


class TestRetry(Page):
    """A server that does not answer for some time."""

    def teardown(self):
        self.connect(True)
        eq_(self.complaints(), [])

    teardown_method = teardown

    def wait_for_errors(self, count, words):
        self.wait(lambda: len(self.all('.state.error')) == count)
        for state in self.all('.state.error'):
            assert_in(words, state.text)

    def can_retry(self):
        return [button.is_displayed() for button in self.all('.retry')]

    def test_before_anything_was_asked(self):
        self.connect(False)
        self.give(photos() + [('third.jpg', encoded())])
        self.wait_for_errors(3, 'The server does not answer')
        assert_in('third.jpg: The server does not answer',
                  self.one('#status').text)
        eq_(self.can_retry(), [True] * 3)
        # It still does not.
        self.one('.retry').click()
        self.wait_for_errors(3, 'The server does not answer')
        self.connect(True)
        retry = self.one('.retry')
        eq_(retry.get_attribute('aria-label'), 'Try again with old.jpg')
        retry.send_keys(Keys.ENTER)
        self.wait_for_photos(1)
        eq_(self.can_retry(), [False, True, True])
        eq_(self.driver.switch_to.active_element.text, 'old.jpg')
        self.one('#again').click()
        self.wait_for_photos(3)
        eq_(self.can_retry(), [False] * 3)
        ok_(not self.one('#again').is_displayed())
        eq_(len(self.all('.notes li')), 0)

    def test_a_slider_and_a_download(self):
        self.give(photos()[:1])
        self.wait_for_photos()
        self.connect(False)
        self.run('arguments[0].value = 0;'
                 'arguments[0].dispatchEvent(new Event("input"))',
                 self.one('input[name=saturation]'))
        self.wait_for_errors(1, 'The server does not answer')
        self.connect(True)
        self.wait_for_change(self.one('.retry').click)
        red, green, blue = self.means()
        ok_(max(red, green, blue) - min(red, green, blue) < 1)
        self.wait(lambda: self.one('.state').text == '128 × 96')
        self.connect(False)
        self.one('.download').click()
        self.wait_for_errors(1, 'The server does not answer')
        eq_(self.can_retry(), [True])
        self.connect(True)
        name, _ = self.download('.retry')
        eq_(name, 'old-coloured.jpg')
        eq_(self.can_retry(), [False])

    def test_what_no_retry_mends(self):
        self.give([('words.txt', b'words')])
        self.wait_for_errors(1, 'not an image')
        eq_(self.can_retry(), [False])

    def test_a_file_that_is_gone(self):
        path = Path(self.temporary.name) / 'gone.jpg'
        path.write_bytes(encoded())
        self.connect(False)
        self.one('#files').send_keys(str(path))
        self.wait_for_errors(1, 'The server does not answer')
        path.unlink()
        self.connect(True)
        self.one('.retry').click()
        self.wait(lambda: self.can_retry() == [False])
        self.wait_for_errors(1, 'The file cannot be read any more')
        eq_(self.can_retry(), [False])

    def test_a_fault_of_the_server(self):
        inner = self.app.wsgi_app

        def outer(environ, start_response):
            environ['wsgi.input'].read()
            start_response('502 Bad Gateway', [('Content-Type', 'text/html')])
            return [b'<h1>A proxy</h1>']
        self.app.wsgi_app = outer
        try:
            self.give(photos()[:1])
            self.wait_for_errors(1, 'The server answers 502 Bad Gateway')
        finally:
            self.app.wsgi_app = inner
        self.one('.retry').click()
        self.wait_for_photos()
