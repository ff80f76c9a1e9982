"""The interface by HTTP: limits, what the page asks, descriptions."""

import argparse
import dataclasses
import io
import re
import threading
import time

import numpy as np
from nose.tools import assert_in, assert_not_equal, eq_, ok_
from PIL import Image

from colornet.cli.colorize import add_colorize
from colornet.formats.photo import limit_pixels
from colornet.photos.options import Options
from colornet.photos.reading import Photo
from colornet.web.options import DECODING, parse_options
from tests.photos.samples import photo
from tests.tiny import noted
from tests.web import serving
from tests.web.serving import Client, encoded, make_model, pixels_of
from tests.web.test_colorize import bordered


class TestLimits(Client):
    """Of files and of photos."""

    OPTIONS = {'max_bytes': 1 << 16, 'max_pixels': 128 * 96}

    def setup(self):
        super().setup()
        # Before Pillow warns of it.
        self.small = encoded()
        self.large = encoded(photo().convert('L').resize((129, 96)))
        limit_pixels(128 * 96)

    setup_method = setup

    def teardown(self):
        limit_pixels(178956970)

    teardown_method = teardown

    def test_large_files(self):
        for size in (1 << 16) + 1, 1 << 18:
            self.refuses(413, 'larger than 65536 bytes',
                         self.colorize(bytes(size)))
        eq_(self.colorize(bytes(1 << 16)).status_code, 415)

    def test_large_photos(self):
        eq_(self.colorize(self.small).status_code, 200)
        self.refuses(413, 'too large, more than 12288 pixels',
                     self.colorize(self.large))
        eq_(self.model.outputs.count, 1)

    def test_the_page_knows(self):
        eq_(self.client.get('/api/options').json['limits'],
            {'bytes': 1 << 16, 'pixels': 128 * 96})


class TestBusy(Client):
    """More photos at a time than there are places."""

    OPTIONS = {'places': 2}

    def make_model(self):
        self.go, self.looking = threading.Event(), threading.Semaphore(0)

        def look_slowly(luminance):
            self.looking.release()
            ok_(self.go.wait(30))
            return serving.Looks()(luminance)
        return make_model(outputs=look_slowly)

    def test_it_says_when_to_try_again(self):
        answers = []

        def send():
            client = self.app.test_client()
            answers.append(client.post('/api/colorize', data={
                'file': (io.BytesIO(encoded()), 'photo.jpg')}))
        threads = [threading.Thread(target=send) for _ in range(2)]
        try:
            for thread in threads:
                thread.start()
            ok_(self.looking.acquire(timeout=30))
            while self.client.get('/api/health').json['waiting'] < 2:
                pass
            answer = self.refuses(503, 'try again', self.colorize(encoded()))
            ok_(re.fullmatch('[1-9][0-9]*', answer.headers['Retry-After']))
            # What does not need the network does not wait for it.
            eq_(self.client.get('/').status_code, 200)
        finally:
            self.go.set()
            for thread in threads:
                thread.join()
        eq_([answer.status_code for answer in answers], [200, 200])
        eq_(self.client.get('/api/health').json['waiting'], 0)
        eq_(self.colorize(encoded()).status_code, 200)


class TestPhotos(Client):
    """What the page asks."""

    OPTIONS = {'room': 1}

    def add(self, content, name='photo.jpg'):
        answer = self.post('/api/photos', content, name)
        eq_(answer.status_code, 201, answer.data)
        return answer.json

    def get(self, seen, which, **options):
        return self.client.get('/api/photos/%s/%s' % (seen['key'], which),
                               query_string=options)

    def test_a_photo_that_fits_the_screen(self):
        seen = self.add(encoded(), 'old.jpg')
        eq_((seen['rows'], seen['columns']), (96, 128))
        eq_(seen['small'], {'rows': 96, 'columns': 128})
        eq_((seen['has_colours'], seen['notes']), (False, []))
        before = pixels_of(self.get(seen, 'before').data).astype(int)
        ok_(abs(before - pixels_of(encoded())).mean() < 2)
        # It is small already: the page shows what is downloaded.
        eq_(self.get(seen, 'after').data, self.colorize(encoded()).data)
        for options in {'saturation': '0.2'}, {'hints': [
                '9,9=red', '9,9=red', '80,50=#203040']}:
            eq_(self.get(seen, 'after', **options).data,
                self.colorize(encoded(), **options).data)
        eq_(self.model.outputs.count, 1)
        self.refuses(422, 'saturation', self.get(seen, 'after',
                                                 saturation='x'))

    def test_pictures_are_made_one_after_the_other(self):
        seen, threads, colour = self.add(encoded()), [], self.model.colour

        def colour_slowly(*arguments):
            threads.append(threading.get_ident())
            count = len(threads)
            time.sleep(0.02)
            eq_(len(threads), count)
            return colour(*arguments)
        self.model.colour = colour_slowly
        statuses = []

        def ask():
            statuses.append(self.app.test_client().get(
                '/api/photos/%s/after' % seen['key']).status_code)
        asking = [threading.Thread(target=ask) for _ in range(6)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        eq_(statuses, [200] * 6)
        # Each thread of its own would keep memory of its own.
        eq_(len(set(threads)), 1)

    def test_what_the_network_sees_is_asked_first(self):
        self.app.extensions['shelf'].room = 1 << 20
        content = encoded(bordered(), 'PNG')
        keys = {self.post('/api/photos', content, **options).json['key']
                for options in ({}, {'borders': 'colour'}, {'tones': 'keep'},
                                {'borders': 'neutral'})}
        eq_((len(keys), self.model.outputs.count), (3, 3))
        self.refuses(422, 'saturation cannot be chosen here', self.post(
            '/api/photos', content, saturation='1'))
        seen = self.post('/api/photos', content, borders='colour').json
        self.refuses(422, 'borders cannot be chosen here, but with POST '
                     '/api/photos', self.get(seen, 'after', borders='colour'))
        self.refuses(422, 'cannot be chosen here, but with POST /api/colorize',
                     self.get(seen, 'after', format='png'))
        got = pixels_of(self.get(seen, 'after').data).astype(int)
        ok_(np.ptp(got[:18], axis=2).mean() > 3)

    def test_a_large_one(self):
        large = photo().resize((3000, 2250))
        seen = self.add(encoded(large, 'PNG'), 'big.png')
        eq_((seen['rows'], seen['columns']), (2250, 3000))
        eq_(seen['small'], {'rows': 960, 'columns': 1280})
        for which in 'before', 'after':
            eq_(pixels_of(self.get(seen, which).data).shape, (960, 1280, 3))
        ok_(seen['has_colours'])

    def test_any_kind(self):
        deep = np.asarray(photo().convert('L')).astype(np.uint16) * 257
        clear = photo().convert('LA')
        clear.putalpha(Image.linear_gradient('L').resize(clear.size))
        for image, format in [
                (Image.fromarray(deep), 'TIFF'), (clear, 'PNG')]:
            seen = self.add(encoded(image, format))
            for which in 'before', 'after':
                eq_(pixels_of(self.get(seen, which).data).shape[:2],
                    (96, 128))
        eq_(pixels_of(self.get(seen, 'after').data).shape, (96, 128, 4))

    def test_hints_are_in_pixels_of_the_photo(self):
        large = photo().convert('L').resize((2560, 1920))
        seen = self.add(encoded(large))
        with_hint = [pixels_of(self.get(seen, 'after', **options).data)
                     .astype(int) for options in (
                         {'saturation': 0},
                         {'saturation': 0, 'hints': '2000,1600=#2040d0'})]
        change = abs(np.subtract(*with_hint)).sum(axis=2)
        ok_(change[800, 1000] > 3 * change[100, 100])
        ok_(change[800, 1000] > 30)

    def test_hints_have_an_end(self):
        seen = self.add(encoded())
        for number, status in (100, 200), (101, 422):
            reply = self.get(seen, 'after', hints=[
                '%d,9=grey' % place for place in range(number)])
            eq_(reply.status_code, status)
        assert_in(b'at most 100 hints', reply.data)

    def test_names_of_files_may_hold_anything(self):
        for name in 'a%0D%0AX-Evil: 1.jpg', '%0A', '..', 'a/b%E2%80%AE.jpg':
            head = ('--x\r\nContent-Disposition: form-data; name="file"; '
                    "filename*=UTF-8''%s\r\n\r\n" % name)
            reply = self.client.post(
                '/api/colorize', data=b''.join([
                    head.encode(), encoded(), b'\r\n--x--\r\n']),
                content_type='multipart/form-data; boundary=x')
            eq_(reply.status_code, 200, (name, reply.data))
            ok_('X-Evil' not in reply.headers)

    def test_parts_of_forms_need_not_have_names(self):
        reply = self.client.post(
            '/api/colorize', data=b'--x\r\nContent-Disposition: form-data; '
            b'a\r\n\r\n1\r\n' + serving.multipart(encoded())[0],
            content_type='multipart/form-data; boundary=x')
        self.refuses(422, 'option', reply)

    def test_what_is_not_kept_any_more(self):
        first, second = [self.add(encoded(quality=quality))
                         for quality in (80, 90)]
        self.refuses(404, 'send it again', self.get(first, 'after'))
        eq_(self.get(second, 'after').status_code, 200)
        eq_(self.add(encoded(quality=80)), first)
        eq_(self.get(first, 'after').status_code, 200)

    def test_nobody_can_guess_a_key(self):
        first = self.add(encoded())
        self.setup()
        assert_not_equal(self.add(encoded())['key'], first['key'])


def test_a_blank_page_stays_grey():
    model = make_model()
    page = np.full((60, 80), 118, np.uint8)
    for pixels, is_grey in (page, True), (np.array(photo().convert('L')),
                                          False):
        seen = model.look(Photo(pixels))
        for values, hinted in ([], False), ([('hints', '9,9=#b06060')],
                                            True):
            rgb = model.colour(pixels, seen, parse_options(model, values))
            eq_(np.ptp(rgb, axis=-1).max() == 0, is_grey and not hinted)


class TestRegression(Client):
    """A network that has no classes."""

    def make_model(self):
        return make_model(serving.REGRESSION, serving.warm)

    def test_its_options(self):
        names = [option['name'] for option in
                 self.client.get('/api/options').json['options']]
        eq_(names, ['saturation', 'hints', 'borders', 'tones', 'colour',
                    'format', 'quality', 'depth', 'refinement', 'mark'])
        self.refuses(422, 'temperature is of the classification network',
                     self.colorize(encoded(), temperature='0.5'))

    def test_a_damaged_network_is_no_fault_of_the_request(self):
        self.model.outputs = lambda luminance: [
            np.nan * one for one in serving.warm(luminance)]
        with noted() as said:
            self.refuses(500, 'its weights are damaged',
                         self.colorize(encoded()))
        assert_in('its weights are damaged', said.getvalue())

    def test_it_colours(self):
        red, _, blue = pixels_of(self.colorize(encoded()).data).mean((0, 1))
        ok_(red > blue + 10)


class TestDescriptions(Client):
    """Health, options, OpenAPI."""

    def test_health(self):
        answer = self.client.get('/api/health')
        eq_(answer.status_code, 200)
        eq_((answer.json['status'], answer.json['network']),
            ('ok', 'stand-in'))
        eq_(answer.json['kept_bytes'], 0)
        self.colorize(encoded())
        # Two channels of eight bins, what the network saw, and the copy.
        eq_(self.client.get('/api/health').json['kept_bytes'],
            2 * 2 * 8 * 32 * 40 + 4 * 32 * 40 + 96 * 128)

    def test_options(self):
        options = self.client.get('/api/options').json['options']
        eq_({option['name']: option['default'] for option in options},
            {'saturation': 0.5, 'temperature': 1., 'method': 'mean',
             'smoothing': 0., 'hints': [], 'borders': 'neutral',
             'tones': 'stretch', 'colour': 'replace',
             'format': None, 'quality': None, 'depth': None,
             'refinement': None, 'mark': True})

    def test_they_are_those_of_the_command(self):
        parser = argparse.ArgumentParser()
        add_colorize(parser.add_subparsers())
        commands, = parser._subparsers._group_actions
        command = {action.dest: action for action in
                   commands.choices['colorize']._actions}
        options = {option['name']: option for option in
                   self.client.get('/api/options').json['options']}
        for name in DECODING:
            options.pop(name)
        for name, option in options.items():
            choices = option['schema'].get('enum')
            if name == 'hints':
                eq_(command[name].default, [])
            elif name == 'format':
                for one in choices:
                    assert_in(one, command[name].help)
            elif name == 'colour':
                # A photo that is sent is to be coloured.
                eq_(set(command[name].choices), set(choices) | {'skip'})
                continue
            else:
                eq_(command[name].choices and list(command[name].choices),
                    choices, name)
            eq_(command[name].default, option['default'], name)
        # What is not for one photo that is sent and answered.
        eq_({field.name for field in dataclasses.fields(Options)} -
            set(options), {'keep_times', 'pages'})

    def test_openapi_names_what_there_is(self):
        described = self.client.get('/api/openapi.json').json
        ok_(described['openapi'].startswith('3.'))
        rules = {(re.sub('<(.*?)>', r'{\1}', rule.rule), method.lower())
                 for rule in self.app.url_map.iter_rules()
                 for method in rule.methods - {'HEAD', 'OPTIONS'}
                 if rule.rule.startswith('/api/')}
        eq_({(path, method) for path, methods in described['paths'].items()
             for method in methods}, rules)
        form = described['paths']['/api/colorize']['post']['requestBody'][
            'content']['multipart/form-data']['schema']
        eq_(form['required'], ['file'])
        health = described['paths']['/api/health']['get']['responses']['200'][
            'content']['application/json']['schema']
        said = self.client.get('/api/health').json
        eq_(list(said), health['required'])
        kinds = {'string': str, 'integer': int}
        eq_({name: type(value) for name, value in said.items()},
            {name: kinds[one['type']] for name, one in
             health['properties'].items()})
        assert_in('saturation', form['properties'])
        assert_in('hints', form['properties'])
