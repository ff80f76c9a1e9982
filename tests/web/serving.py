"""A model without a network, a client, and photos to send to it."""

import io
import re

import numpy as np
from nose.tools import assert_in, assert_not_in, eq_
from PIL import Image

from colornet.config import load_config
from colornet.web.model import Model
from colornet.web.openapi import describe_api
from tests import tiny
from tests.photos.samples import photo

NUM_BINS = 8
CLASSIFICATION = ['data.size=32', 'data.proportions=keep',
                  'network.num_bins=%d' % NUM_BINS, 'decoding.method=mean',
                  'decoding.saturation=0.5']
REGRESSION = ['data.size=32', 'network.kind=regression', 'objective.loss=l2']


def need_flask():
    """Leave a test out where the extra is missing."""
    tiny.need('flask', 'waitress')


class Looks:
    """Class scores that depend on the luminance; counts the looks."""

    def __init__(self):
        self.count = 0

    def __call__(self, luminance):
        self.count += len(luminance)
        bins = np.arange(NUM_BINS)[:, np.newaxis, np.newaxis]
        return [np.float32(4) * np.cos(
            luminance[:, np.newaxis] / np.float32(period) + bins
        ).astype(np.float32) for period in (20, 35)]


def warm(luminance):
    """Chrominance that is the same everywhere."""
    return [np.full((len(luminance), 2) + luminance.shape[1:], 20,
                    np.float32)]


def make_model(overrides=CLASSIFICATION, outputs=None):
    return Model(outputs or Looks(), load_config(overrides=overrides),
                 'stand-in')


def encoded(image=None, format='JPEG', **options):
    """The bytes of a real photo, as a file holds them."""
    stream = io.BytesIO()
    (image or photo().convert('L')).save(stream, format, **options)
    return stream.getvalue()


def multipart(content, name='photo.jpg', fields=()):
    """Body of a request that sends a photo, and its type."""
    parts = [('"%s"' % field, value.encode()) for field, value in fields]
    parts.append(('"file"; filename="%s"' % name, content))
    body = b''.join(b'--x\r\nContent-Disposition: form-data; name=%s\r\n\r\n'
                    b'%s\r\n' % (head.encode(), part)
                    for head, part in parts)
    return body + b'--x--\r\n', 'multipart/form-data; boundary=x'


def pixels_of(content):
    return np.asarray(Image.open(io.BytesIO(content)))


def described_answers(described, method, path):
    """Answers that a description has for a request, or None."""
    for pattern, methods in described['paths'].items():
        if re.fullmatch(re.sub('{.*?}', '[^/]+', pattern), path):
            return methods.get(method.lower(), {'responses': ['405']})[
                'responses']


class Client:
    """A client of an application without a network.

    Whatever is asked, the description has the status of the answer.
    """

    OPTIONS = {}

    def setup(self):
        need_flask()
        from flask.testing import FlaskClient

        from colornet.web.app import make_app
        self.model = self.make_model()
        self.app = make_app(self.model, **self.OPTIONS)
        described = describe_api(self.model, '')

        class Checked(self.app.test_client_class or FlaskClient):

            def open(self, *arguments, **options):
                answer = super().open(*arguments, **options)
                answers = described_answers(
                    described, answer.request.method, answer.request.path)
                if answers is not None:
                    assert_in(str(answer.status_code), answers)
                return answer
        self.app.test_client_class = Checked
        self.client = self.app.test_client()

    setup_method = setup

    def make_model(self):
        return make_model()

    def post(self, path, content, name='photo.jpg', **fields):
        return self.client.post(path, data=dict(
            fields, file=(io.BytesIO(content), name)))

    def colorize(self, content, name='photo.jpg', **fields):
        return self.post('/api/colorize', content, name, **fields)

    def refuses(self, status, words, answer):
        eq_(answer.status_code, status, answer.data[:200])
        eq_(answer.mimetype, 'application/json')
        assert_in(words, answer.json['error'])
        assert_not_in('\n', answer.json['error'])
        return answer
