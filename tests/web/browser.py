"""The page in headless Chromium, served by this process."""

import base64
import shutil
import tempfile
import threading
from pathlib import Path
from unittest import SkipTest

from colornet.web.server import listen
from tests.web import serving
from tests.web.serving import make_model

try:
    from selenium import webdriver
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait
except ImportError:  # need_chromium() says so.
    webdriver = ActionChains = Keys = WebDriverWait = None

#: Seconds that anything on the page may take.
PATIENCE = 30

#: Files as a page takes them, of names and base64.
FILES = '''
const transfer = new DataTransfer();
for (const [name, text] of arguments[0]) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  transfer.items.add(new File([bytes], name));
}
'''

DROP = FILES + '''
const target = document.querySelector('#intake h2');
for (const type of ['dragenter', 'dragover', 'drop']) {
  target.dispatchEvent(new DragEvent(type, {
    dataTransfer: transfer, bubbles: true, cancelable: true }));
}
'''

PASTE = FILES + '''
document.body.dispatchEvent(new ClipboardEvent('paste', {
  clipboardData: transfer, bubbles: true }));
'''

#: A function: mean red, green and blue of what can be drawn.
MEAN = '''
const mean = (source, width, height) => {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  context.drawImage(source, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const sums = [0, 0, 0];
  data.forEach((value, i) => { if (i % 4 < 3) sums[i % 4] += value; });
  return sums.map((sum) => sum / (data.length / 4));
};
'''

#: Of a picture of the page.
MEANS = MEAN + '''
const image = arguments[0];
return mean(image, image.naturalWidth, image.naturalHeight);
'''


def need_chromium():
    """Leave a test out where there is no browser, or nothing to drive it."""
    serving.need_flask()
    for program in 'chromium', 'chromedriver':
        if not shutil.which(program):
            raise SkipTest('needs %s (apt-get install chromium '
                           'chromium-driver)' % program)
    if webdriver is None:
        raise SkipTest('needs selenium (make .venv/browser)')


class Page:
    """A browser and a server for each class, a fresh page for each test."""

    OPTIONS = {}
    OVERRIDES = serving.CLASSIFICATION
    OUTPUTS = None

    @classmethod
    def setup_class(cls):
        need_chromium()
        from colornet.web.app import make_app
        cls.model = make_model(cls.OVERRIDES, cls.OUTPUTS)
        cls.app = make_app(cls.model, **cls.OPTIONS)
        cls.server = listen(cls.app, '127.0.0.1', 0)
        cls.url = 'http://127.0.0.1:%s/' % cls.server.effective_port
        cls.thread = threading.Thread(target=cls.server.run, daemon=True)
        cls.thread.start()
        cls.temporary = tempfile.TemporaryDirectory()
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which('chromium')
        for argument in ('--headless=new', '--no-sandbox',
                         '--disable-dev-shm-usage',
                         '--force-prefers-reduced-motion'):
            options.add_argument(argument)
        options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
        cls.driver = webdriver.Chrome(
            options=options, service=webdriver.ChromeService(
                shutil.which('chromedriver')))
        cls.driver.set_script_timeout(PATIENCE)
        cls.allow_downloads('allow')

    @classmethod
    def allow_downloads(cls, behavior):
        cls.driver.execute_cdp_cmd('Browser.setDownloadBehavior', {
            'behavior': behavior, 'downloadPath': cls.temporary.name})

    @classmethod
    def teardown_class(cls):
        cls.driver.quit()
        cls.server.close()
        cls.thread.join(60)
        cls.temporary.cleanup()

    def setup(self):
        self.show()
        self.driver.get(self.url)

    setup_method = setup

    def show(self, width=1200, height=900, dark=False):
        """The size of the screen, and the user's taste."""
        self.driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {
            'width': width, 'height': height, 'deviceScaleFactor': 1,
            'mobile': False})
        self.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {
            'features': [{'name': 'prefers-color-scheme',
                          'value': 'dark' if dark else 'light'}]})

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, selector):
        return self.driver.find_elements('css selector', selector)

    def one(self, selector):
        return self.driver.find_element('css selector', selector)

    def wait(self, is_true):
        """What a function returns, as soon as that is true."""
        return WebDriverWait(self.driver, PATIENCE, 0.05).until(
            lambda driver: is_true())

    def give(self, files, script=DROP):
        """Drop files, (name, content) pairs, or paste them."""
        self.run(script, [[name, base64.b64encode(content).decode()]
                          for name, content in files])

    def wait_for_photos(self, count=1):
        self.wait(lambda: len(self.all('.done:not([hidden])')) == count)

    def wait_for_change(self, act, selector='.after'):
        """Do something after which another picture is shown."""
        old = self.one(selector).get_attribute('src')
        act()
        self.wait(lambda: self.one(selector).get_attribute('src') != old and
                  not self.all('[aria-busy]'))

    def means(self, selector='.after'):
        return self.run(MEANS, self.one(selector))

    def download(self, selector='.download'):
        """Click it; the file's name and content."""
        folder = Path(self.temporary.name)
        self.one(selector).click()
        path, = self.wait(lambda: [
            path for path in folder.iterdir() if path.suffix != '.crdownload'
            and not path.name.startswith('.')])
        content = path.read_bytes()
        path.unlink()
        self.wait(self.one(selector).is_enabled)
        return path.name, content

    def connect(self, is_there):
        """Whether the server answers."""
        self.driver.execute_cdp_cmd('Network.enable', {})
        self.driver.execute_cdp_cmd('Network.emulateNetworkConditions', {
            'offline': not is_there, 'latency': 0, 'downloadThroughput': -1,
            'uploadThroughput': -1})

    def complaints(self):
        """What the browser says of the page, but for answers of errors."""
        return [entry['message'] for entry in self.driver.get_log('browser')
                if 'Failed to load resource' not in entry['message']]
