"""The page, as users with a mouse, a keyboard, a phone see it."""

import io
import time
from pathlib import Path

from nose.tools import assert_in, eq_, ok_

from colornet.photos.finding import IMAGE_SUFFIXES
from tests.photos.samples import photo
from tests.web import serving
from tests.web.browser import PASTE, Keys, Page
from tests.web.serving import encoded
from tests.web.test_colorize import bordered


def photos():
    """Two files."""
    return [('old.jpg', encoded()),
            ('older.png', encoded(photo().convert('L').rotate(
                90, expand=True), 'PNG'))]


class TestPhotos(Page):
    """Photos come in, and out."""

    def teardown(self):
        eq_(self.complaints(), [])

    teardown_method = teardown

    def api(self, content, **options):
        answer = self.app.test_client().post('/api/colorize', data=dict(
            options, file=(io.BytesIO(content), 'photo.jpg')))
        eq_(answer.status_code, 200)
        return answer.data

    def test_choose(self):
        path = Path(self.temporary.name) / 'chosen.jpg'
        path.write_bytes(encoded())
        self.one('#files').send_keys(str(path))
        self.wait_for_photos()
        path.unlink()
        for name in 'before', 'after':
            image = self.one('.' + name)
            eq_((image.get_property('naturalWidth'),
                 image.get_property('naturalHeight')), (128, 96))
        red, green, blue = self.means('.before')
        ok_(max(red, green, blue) - min(red, green, blue) < 1)
        red, green, blue = self.means()
        ok_(max(red, green, blue) - min(red, green, blue) > 5)
        eq_(self.one('#status').text, 'chosen.jpg is coloured')
        # The same file again.
        path.write_bytes(encoded())
        self.one('#files').send_keys(str(path))
        self.wait_for_photos(2)
        path.unlink()

    def test_drop_two(self):
        self.give(photos())
        self.wait_for_photos(2)
        eq_([title.text for title in self.all('.photo h2')],
            ['old.jpg', 'older.png'])
        eq_([state.text for state in self.all('.state')],
            ['128 × 96', '96 × 128'])
        ok_(not self.one('#progress').is_displayed())
        eq_(self.all('.dragging'), [])

    def test_progress_counts_what_failed(self):
        self.run('''window.seen = [];
            const bar = document.getElementById('progress');
            new MutationObserver(() => seen.push(`${bar.value}/${bar.max}`))
                .observe(bar, { attributeFilter: ['value'] });''')
        self.give([('broken.jpg', b'no photo')] + photos())
        self.wait_for_photos(2)
        eq_(list(dict.fromkeys(self.run('return seen'))),
            ['0/3', '1/3', '2/3'])

    def test_paste(self):
        self.give(photos()[:1], PASTE)
        self.wait_for_photos()

    def test_download_is_what_the_api_answers(self):
        files = photos()
        self.give(files)
        self.wait_for_photos(2)
        eq_(self.download(),
            ('old-coloured.jpg', self.api(files[0][1])))
        eq_(self.download('.photo:last-child .download'),
            ('older-coloured.png', self.api(files[1][1])))
        self.set('saturation', 40)
        self.set('temperature', 0.25)
        name, content = self.download()
        eq_(content, self.api(files[0][1], saturation='0.2', method='mean',
                              temperature='0.25'))
        self.set('temperature', 0)
        name, content = self.download()
        eq_(content, self.api(files[0][1], saturation='0.2',
                              method='argmax'))
        self.wait_for_change(self.one('.reset').click)
        eq_(self.download()[1], self.api(files[0][1]))

    def test_a_photo_in_colour(self):
        content = encoded(photo(), 'PNG')
        self.give([('grey.jpg', photos()[0][1]), ('colour.png', content)])
        self.wait_for_photos(2)
        ok_(not self.one('.choice').is_displayed())
        last = '.photo:last-child '
        ok_(self.one(last + '.choice').is_displayed())
        for colour in 'blend', 'keep':
            self.wait_for_change(self.one(
                last + 'option[value=%s]' % colour).click, last + '.after')
            eq_(self.download(last + '.download')[1],
                self.api(content, colour=colour))

    def test_download_all(self):
        files = photos()
        self.give(files[:1])
        self.wait_for_photos()
        ok_(not self.one('#all').is_displayed())
        self.give(files[1:])
        self.wait_for_photos(2)
        self.wait(self.one('#all').is_displayed)
        self.one('#all').click()
        folder = Path(self.temporary.name)
        names = ['old-coloured.jpg', 'older-coloured.png']
        self.wait(lambda: sorted(path.name for path in folder.iterdir()) ==
                  names)
        self.wait(lambda: len([state for state in self.all('.state')
                               if 'given to the browser' in state.text]) ==
                  2)
        for name, (_, content) in zip(names, files):
            eq_((folder / name).read_bytes(), self.api(content))
            (folder / name).unlink()
        # What becomes of them is not known.
        self.wait(lambda: self.one('#status').text.startswith(
            '2 of 2 photos were given to the browser. If it has saved fewer'))
        self.one('.remove').click()
        ok_(not self.one('#all').is_displayed())

    def test_a_download_that_is_forbidden(self):
        self.give(photos()[:1])
        self.wait_for_photos()
        self.allow_downloads('deny')
        try:
            self.one('.download').click()
            self.wait(lambda: self.one('.state').text ==
                      'given to the browser as old-coloured.jpg')
        finally:
            self.allow_downloads('allow')
        eq_(list(Path(self.temporary.name).iterdir()), [])
        ok_('saved' not in self.one('#status').text)

    def test_all_formats_can_be_chosen(self):
        accepted = self.one('#files').get_attribute('accept').split(',')
        eq_(sorted(set(accepted) - {'video/*', '.mkv'}),
            sorted(IMAGE_SUFFIXES | {'image/*'}))

    def test_more_options(self):
        content = encoded(bordered())
        self.give([('print.jpg', content)])
        self.wait_for_photos()
        self.one('summary').click()
        options = self.app.test_client().get('/api/options').json['options']
        names = {option['name'] for option in options} - {
            'saturation', 'temperature', 'method', 'hints', 'colour'}
        controls = {control.get_attribute('name'): control
                    for control in self.all('.choices [name]')}
        eq_(set(controls), names)
        for name in self.all('.choices span'):
            ok_(name.text.strip() and name.text not in names, name.text)
        self.model.outputs.count = 1
        for name, value in (('borders', 'colour'), ('tones', 'keep'),
                            ('refinement', 'none')):
            self.wait_for_change(controls[name].find_element(
                'css selector', '[value=%s]' % value).click)
        eq_(self.model.outputs.count, 3)
        self.wait_for_change(lambda: controls['smoothing'].send_keys(
            Keys.CONTROL, 'a') or controls['smoothing'].send_keys(
                '2', Keys.TAB))
        for name, value in ('format', 'png'), ('depth', '16'):
            controls[name].find_element('css selector', '[value="%s"]'
                                        % value).click()
        controls['mark'].click()
        name, got = self.download()
        eq_(name, 'print-coloured.png')
        eq_(got, self.api(content, borders='colour', tones='keep',
                          smoothing='2', format='png', depth='16',
                          refinement='none', mark='false'))
        self.wait_for_change(self.one('.reset').click)
        eq_(self.download()[1], self.api(content))

    def test_a_number_that_is_none(self):
        self.give(photos()[:1])
        self.wait_for_photos()
        self.one('summary').click()
        for text in '500', '0', '', '-', '7.5':
            quality = self.one('[name=quality]')
            quality.send_keys(Keys.CONTROL, 'a')
            quality.send_keys(Keys.BACKSPACE, text, Keys.TAB)
            eq_(quality.get_property('value'), '')
        quality.send_keys('20', Keys.TAB)
        eq_(self.download()[1], self.api(photos()[0][1], quality='20'))

    def set(self, name, value):
        def move():
            self.run('arguments[0].value = arguments[1];'
                     'arguments[0].dispatchEvent(new Event("input"))',
                     self.one('input[name=%s]' % name), value)
        self.wait_for_change(move)

    def test_sliders_answer_within_a_second(self):
        large = photo().convert('L').resize((4000, 3000))
        self.give([('large.jpg', encoded(large))])
        self.wait_for_photos()
        looks = self.model.outputs.count
        # Not by the clock: other programs may be at work, too.
        start = time.process_time()
        for percent in 0, 50, 100, 150, 200:
            self.set('saturation', percent)
        took = (time.process_time() - start) / 5
        ok_(took < 1, took)
        eq_(self.model.outputs.count, looks)

    def test_a_broken_file_does_not_stop_the_others(self):
        self.give([('broken.jpg', encoded()[:2000]), ('text.txt', b'words'),
                   photos()[0]])
        self.wait_for_photos()
        broken, text = self.all('.state.error')
        assert_in('truncated file', broken.text)
        assert_in('not an image file', text.text)
        ok_(broken.is_displayed() and text.is_displayed())
        eq_(len(self.all('.photo')), 3)

    def test_remove(self):
        self.give(photos())
        self.wait_for_photos(2)
        self.one('.remove').click()
        eq_([title.text for title in self.all('.photo h2')], ['older.png'])
        eq_(self.driver.switch_to.active_element.get_attribute('aria-label'),
            'Remove older.png')
        self.one('.remove').click()
        eq_(self.all('.photo'), [])
        eq_(self.driver.switch_to.active_element.get_attribute('id'),
            'files')

    def test_nothing_leaves_the_machine(self):
        self.give(photos()[:1])
        self.wait_for_photos()
        names = self.run('return performance.getEntriesByType("resource")'
                         '.map((entry) => entry.name)')
        ok_(len(names) > 5)
        for name in names:
            ok_(name.startswith((self.url, 'blob:' + self.url)), name)


class TestWithoutRoom(Page):
    """A server that keeps one photo only, and takes small files."""

    OPTIONS = {'room': 1, 'max_bytes': 100000}

    def test_a_photo_is_sent_again(self):
        self.give(photos())
        self.wait_for_photos(2)
        self.wait_for_change(lambda: self.run(
            'const slider = arguments[0]; slider.value = 0;'
            'slider.dispatchEvent(new Event("input"))',
            self.one('input[name=saturation]')))
        red, green, blue = self.means()
        ok_(max(red, green, blue) - min(red, green, blue) < 1)
        eq_(self.all('.error'), [])

    def test_too_large(self):
        self.give([('large.jpg', bytes(100001))])
        state = self.wait(lambda: self.one('.state.error'))
        assert_in('larger than', state.text)


class TestBusy(Page):
    """A server that has no place at first."""

    def test_it_tries_again(self):
        self.give([])
        inner, refused = self.app.wsgi_app, []

        def outer(environ, start_response):
            if environ['PATH_INFO'] == '/api/photos' and not refused:
                refused.append(1)
                environ['wsgi.input'].read()
                start_response('503 SERVICE UNAVAILABLE', [
                    ('Content-Type', 'application/json'),
                    ('Retry-After', '1')])
                return [b'{"error": "full"}']
            return inner(environ, start_response)
        self.app.wsgi_app = outer
        try:
            self.give(photos()[:1])
            self.wait(lambda: 'busy, again in 1 s' in self.one('.state').text)
            self.wait_for_photos()
        finally:
            self.app.wsgi_app = inner
        eq_(refused, [1])


class TestRegression(Page):
    """A network without temperature."""

    OVERRIDES = serving.REGRESSION
    OUTPUTS = staticmethod(serving.warm)

    def test_there_is_no_such_slider(self):
        self.give(photos()[:1])
        self.wait_for_photos()
        eq_([slider.get_attribute('name') for slider in
             self.all('.controls input')], ['saturation'])
