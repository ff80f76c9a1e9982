"""The page by keyboard, for a screen reader, on a phone, in the dark."""

from nose.tools import assert_in, eq_, ok_

from tests.web.browser import ActionChains, Keys, Page
from tests.web.test_page import photos

#: Contrast of each text with what is behind it, after WCAG 2.
CONTRASTS = '''
const light = (color) => {
  const [r, g, b] = color.match(/[0-9.]+/g).slice(0, 3).map((byte) => {
    const value = byte / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  for (; element; element = element.parentElement) {
    const color = getComputedStyle(element).backgroundColor;
    if (!/, 0\\)|transparent/.test(color)) return color;
  }
};
return [...document.querySelectorAll('body *')].filter((element) =>
  element.tagName !== 'H1' && element.checkVisibility() &&
  [...element.childNodes].some((node) => node.nodeType === 3 &&
    node.data.trim())).map((element) => {
  const [low, high] = [light(getComputedStyle(element).color),
    light(behind(element))].sort((a, b) => a - b);
  return [element.textContent, (high + 0.05) / (low + 0.05)];
});
'''


class TestAccess(Page):
    """One photo, coloured."""

    def setup(self):
        super().setup()
        self.give(photos()[:1])
        self.wait_for_photos()

    setup_method = setup

    def press(self, key):
        self.driver.switch_to.active_element.send_keys(key)

    def focused(self):
        return self.driver.switch_to.active_element

    def test_tab_goes_everywhere(self):
        self.run('document.activeElement.blur(); window.focus()')
        names = []
        for _ in range(20):
            ActionChains(self.driver).send_keys(Keys.TAB).perform()
            element = self.focused()
            names.append(element.get_attribute('class') or
                         element.get_attribute('name') or
                         element.get_attribute('id'))
            ok_(self.run('''
                const element = arguments[0];
                const seen = element.id === 'files' ?
                  element.nextElementSibling : element;
                return getComputedStyle(seen).outlineStyle !== 'none';
                ''', element), names)
            if 'reset' in names[-1]:
                break
        order = [name for name in names if name]
        for name in ('files', 'remove', 'compare', 'saturation',
                     'temperature', 'download', 'reset'):
            ok_(any(name in one for one in order), (name, order))

    def test_before_and_after(self):
        compare = self.one('.compare')
        eq_(compare.get_attribute('aria-valuenow'), '50')
        self.run('arguments[0].focus()', compare)
        self.press(Keys.END)
        eq_(compare.get_property('value'), 100)
        eq_(compare.get_attribute('aria-valuetext'), '100 % as it came')
        self.press(Keys.HOME)
        eq_(compare.get_property('value'), 0)
        # A held key moves it until it is let go.
        ActionChains(self.driver).key_down(Keys.ARROW_RIGHT).pause(0.3).key_up(
            Keys.ARROW_RIGHT).perform()
        value = compare.get_property('value')
        ok_(0 < value < 100, value)
        eq_(compare.get_attribute('aria-valuenow'), '%.0f' % value)

    def test_strength_by_keyboard(self):
        slider = self.one('input[name=saturation]')
        eq_(slider.get_attribute('aria-valuetext'), '100 %')
        self.run('arguments[0].focus()', slider)
        self.wait_for_change(lambda: self.press(Keys.HOME))
        eq_(slider.get_attribute('aria-valuetext'), '0 %')
        red, green, blue = self.means()
        ok_(max(red, green, blue) - min(red, green, blue) < 1)
        self.wait_for_change(lambda: self.press(Keys.ARROW_RIGHT))
        eq_(slider.get_attribute('value'), '5')

    def test_everything_has_a_name(self):
        self.one('summary').click()
        nodes = self.driver.execute_cdp_cmd(
            'Accessibility.getFullAXTree', {})['nodes']
        roles = set()
        for node in nodes:
            if node.get('ignored'):
                continue
            role = node['role'].get('value')
            focusable = any(one['name'] == 'focusable' and
                            one['value'].get('value')
                            for one in node.get('properties', []))
            if role == 'image' or focusable and role != 'RootWebArea':
                roles.add(role)
                ok_(node['name'].get('value'), node)
        kinds = {'button', 'slider', 'image', 'combobox', 'checkbox',
                 'spinbutton'}
        eq_(roles & kinds, kinds)
        region = self.one('#status')
        eq_(region.get_attribute('aria-live'), 'polite')
        eq_(region.text, 'old.jpg is coloured')
        eq_(self.run('return document.documentElement.lang'), 'en')

    def test_errors_are_said(self):
        self.give([('words.txt', b'words')])
        self.wait(lambda: 'words.txt: ' in self.one('#status').text)
        assert_in('not an image', self.one('#status').text)

    def test_on_a_phone(self):
        self.show(400, 800)
        ok_(self.run('return document.documentElement.scrollWidth') <= 400)
        for element in self.all('button, .button, .compare, .slider input'):
            if not element.is_displayed():
                continue
            box = element.rect
            ok_(box['x'] >= 0 and box['x'] + box['width'] <= 400, box)
            ok_(box['height'] >= 24, (element.text, box))
        ok_(self.one('.compare').rect['width'] > 300)

    def test_long_names_on_a_phone(self):
        self.show(400, 800)
        self.connect(False)
        self.give([('a_photo_of_%s.jpg' % ('somebody' * 12), b'')])
        try:
            self.wait(lambda: self.all('.retry')[-1].is_displayed())
        finally:
            self.connect(True)
        self.one('summary').click()
        ok_(self.run('return document.documentElement.scrollWidth') <= 400)
        ok_(self.all('.photo h2')[-1].rect['width'] > 250)

    def test_in_the_dark(self):
        backs = []
        self.one('summary').click()
        for dark in False, True:
            self.show(dark=dark)
            contrasts = self.run(CONTRASTS)
            ok_(len(contrasts) > 12)
            for text, contrast in contrasts:
                ok_(contrast >= 4.5, (dark, text, contrast))
            backs.append(self.run(
                'return getComputedStyle(document.body).backgroundColor'))
        light, dark = [sum(map(int, back[4:-1].split(','))) / 3
                       for back in backs]
        ok_(light > 200 and dark < 60, backs)

    def test_a_tall_photo_fits_the_window(self):
        self.give(photos()[1:])
        self.wait_for_photos(2)
        compare = self.one('.photo:last-child .compare')
        ok_(compare.rect['height'] <= 0.85 * 900, compare.rect)
