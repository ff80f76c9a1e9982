"""Colours for spots of a photo, by mouse and by keyboard."""

import io

from nose.tools import assert_in, eq_, ok_

from tests.web.browser import ActionChains, Keys, Page
from tests.web.test_page import photos

#: Red, green and blue of the coloured photo at a place, 0 to 1.
PIXEL = '''
const [image, x, y] = arguments;
const canvas = document.createElement('canvas');
canvas.width = image.naturalWidth;
canvas.height = image.naturalHeight;
const context = canvas.getContext('2d');
context.drawImage(image, 0, 0);
return [...context.getImageData(x, y, 1, 1).data];
'''


class TestHints(Page):
    """One photo of 128 x 96, coloured."""

    def setup(self):
        super().setup()
        self.give(photos()[:1])
        self.wait_for_photos()
        self.one('.hinting').click()

    setup_method = setup

    def teardown(self):
        eq_(self.complaints(), [])

    teardown_method = teardown

    def choose(self, name):
        self.one('.swatch input[aria-label="%s"]' % name).click()

    def click(self, x, y):
        """A spot, in pixels of the photo."""
        area = self.one('.spots')
        size = area.size
        self.wait_for_change(ActionChains(
            self.driver).move_to_element_with_offset(
                area, round((x + 0.5) * size['width'] / 128 -
                            size['width'] / 2),
                round((y + 0.5) * size['height'] / 96 -
                      size['height'] / 2)).click().perform)

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def pixel(self, x, y):
        return self.run(PIXEL, self.one('.after'), x, y)[:3]

    def spots(self):
        return [(int(item.find_element('class name', 'x').get_property(
            'value')), int(item.find_element('class name', 'y').get_property(
                'value')), item.find_element(
                    'class name', 'color').get_property('value'))
                for item in self.all('.hints li')]

    def test_three_hints(self):
        first = self.one('.after').get_attribute('src')
        self.choose('Red')
        self.click(20, 30)
        red, green, blue = self.pixel(20, 30)
        ok_(red > max(green, blue) + 30, (red, green, blue))
        self.choose('This is grey')
        self.click(100, 80)
        pixel = self.pixel(100, 80)
        ok_(max(pixel) - min(pixel) < 12, pixel)
        self.choose('Blue')
        self.click(60, 10)
        spots = self.spots()
        eq_([color for _, _, color in spots],
            ['#b3322c', '#808080', '#2f5597'])
        for (x, y, _), expected in zip(spots, [(20, 30), (100, 80),
                                               (60, 10)]):
            ok_(abs(x - expected[0]) <= 1 and abs(y - expected[1]) <= 1,
                spots)
        eq_(len(self.all('.mark')), 3)
        assert_in('spot 3 at', self.one('#status').text)
        # What is downloaded has them.
        content = photos()[0][1]
        answer = self.app.test_client().post('/api/colorize', data={
            'file': (io.BytesIO(content), 'old.jpg'),
            'hints': ['%d,%d=%s' % spot for spot in spots]})
        eq_(self.download()[1], answer.data)
        for count in 2, 1, 0:
            self.wait_for_change(self.one('.undo').click)
            eq_(self.spots(), spots[:count])
        ok_(not self.one('.undo').is_enabled())
        ok_(self.one('.after').get_attribute('src') != first)

    def test_by_keyboard(self):
        self.run('arguments[0].focus()', self.one('.spots'))
        self.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.ARROW_UP)
        self.wait(lambda: self.one('#status').text == '58, 45 of 128 × 96')
        self.wait_for_change(lambda: self.press(Keys.ENTER))
        eq_(self.spots(), [(58, 45, '#7a5230')])
        ActionChains(self.driver).key_down(Keys.SHIFT).send_keys(
            Keys.ARROW_RIGHT).key_up(Keys.SHIFT).perform()
        self.wait_for_change(lambda: self.press(' '))
        eq_(self.spots()[1], (59, 45, '#7a5230'))
        self.wait_for_change(ActionChains(self.driver).key_down(
            Keys.CONTROL).send_keys('z').key_up(Keys.CONTROL).perform)
        eq_(len(self.spots()), 1)
        self.press(Keys.ESCAPE)
        ok_(not self.one('.spots').is_displayed())
        eq_(self.driver.switch_to.active_element.text, 'Colour hints')
        eq_(len(self.spots()), 1)

    def test_by_fields(self):
        self.click(20, 30)
        field = self.one('.hints .x')
        field.send_keys(Keys.CONTROL, 'a')
        field.send_keys('99')
        self.wait_for_change(lambda: field.send_keys(Keys.TAB))
        eq_(self.spots()[0][0], 99)
        ok_(abs(self.spots()[0][1] - 30) <= 1)
        field = self.one('.hints .y')
        field.send_keys(Keys.CONTROL, 'a')
        field.send_keys('5000')
        self.wait_for_change(lambda: field.send_keys(Keys.TAB))
        eq_(self.spots()[0][:2], (99, 95))
        self.wait_for_change(lambda: self.run('''
            arguments[0].value = '#0000ff';
            arguments[0].dispatchEvent(new Event('change'));
            ''', self.one('.hints .color')))
        eq_(self.spots(), [(99, 95, '#0000ff')])
        self.wait_for_change(self.one('.hints button').click)
        eq_(self.spots(), [])
        self.wait_for_change(self.one('.undo').click)
        eq_(self.spots(), [(99, 95, '#0000ff')])
        self.wait_for_change(self.one('.reset').click)
        eq_(self.spots(), [])

    def test_on_a_phone(self):
        self.show(400, 800)
        self.click(20, 30)
        ok_(self.run('return document.documentElement.scrollWidth') <= 400)
        for element in self.all('.hint-tools button, .hint-tools input'):
            box = element.rect
            ok_(box['x'] >= 0 and box['x'] + box['width'] <= 400, box)

    def test_before_and_after_comes_back(self):
        compare = self.one('.compare')
        eq_(compare.get_property('value'), 0)
        self.one('.hinting').click()
        eq_(compare.get_property('value'), 50)
        self.one('.hinting').click()
        eq_(compare.get_property('value'), 0)
