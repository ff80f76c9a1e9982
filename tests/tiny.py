"""Tiny data sets of real pixels, and settings that train in seconds."""

import contextlib
import importlib.util
import io
import os
import signal
import tempfile
import threading
import time
from pathlib import Path
from unittest import SkipTest, mock

import h5py
import numpy as np
from nose.tools import assert_raises
from PIL import Image

import colornet
from colornet import errors
from colornet.color import split_channels
from colornet.data.splits import read_split
from colornet.engine.available import missing_theano
from colornet.errors import ColornetError
from colornet.network.parameters import seal
from colornet.photos.finding import find_images
from colornet.photos.reading import read_rgb
from colornet.resources import take_environment

ROOT = Path(colornet.__file__).resolve().parent.parent
VGG16_FILE = ROOT / 'weights' / 'vgg16.pkl'
PHOTOS = Path(__file__).resolve().parent / 'free_photos'
EXPERIMENT = ROOT / 'experiments' / 'cvcl_classification.ini'
REGRESSION = ROOT / 'experiments' / 'cvcl_regression.ini'

#: VGG16's layers are as they are, but a picture has only 32 x 32 pixels.
OVERRIDES = ['data.size=32', 'data.dataset=folder', 'data.hold_out=0.25',
             'training.batch_size=2', 'training.epochs=1']

#: For the classification network.
CLASSIFICATION = OVERRIDES + ['network.num_bins=10', 'network.tail=8 8']


def write_crops(folder, names, side=40, width=None, seed=0):
    """Write crops of the test photos, as JPEG, one for each name.

    They are squares unless `width` is given.
    """
    width = width or side
    os.makedirs(str(folder), exist_ok=True)
    photos = [Image.open(path) for path in sorted(PHOTOS.glob('*.jpg'))]
    random = np.random.RandomState(seed)
    for number, name in enumerate(names):
        photo = photos[number % len(photos)]
        left = random.randint(photo.width - width)
        top = random.randint(photo.height - side)
        photo.crop((left, top, left + width, top + side)).save(
            os.path.join(str(folder), name), quality=95)


def write_wider_crops(folder):
    """Write seven crops of one height, each wider than the one before."""
    for number in range(7):
        write_crops(folder, ['%d.jpg' % number], 40, width=40 + 8 * number,
                    seed=number)


def load_batches():
    """Minibatches of two real photos each: luminance and U, V."""
    rgb = np.array([read_rgb(path, 24) for path in find_images(PHOTOS)])
    luminance, chroma = split_channels(rgb)
    inputs = np.repeat(luminance[:, np.newaxis] / 100, 3, axis=1)
    targets = np.ascontiguousarray(np.moveaxis(chroma, -1, 1)) / 100
    return [(inputs[:2], targets[:2]), (inputs[2:], targets[2:])]


class InFolder:
    """A test class with a temporary folder, photos, and a cache of its own."""

    #: In ``cls.root / 'photos'``.
    NUM_PHOTOS = 12

    @classmethod
    def setup_class(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.root = Path(cls.temporary.name)
        use_own_cache(cls.root)
        write_crops(cls.root / 'photos', ['%d.jpg' % number for number in
                                          range(cls.NUM_PHOTOS)])

    @classmethod
    def teardown_class(cls):
        use_users_cache()
        cls.temporary.cleanup()


def cvcl_names(*subsets):
    """Names of Open Country's photos; if no subset is given, of all."""
    splits = ROOT / 'experiments' / 'splits'
    return [name for subset in subsets or ('train', 'test') for name in
            read_split(splits / ('cvcl_%s.txt' % subset))]


def write_cvcl(folder):
    """Write crops that have the names of Open Country's photos."""
    write_crops(folder, cvcl_names())


def save_untrained(runs, name, experiment, overrides, **attributes):
    """Save an experiment's network as ``<runs>/<name>/best.h5``, untrained.

    Returns its path.
    """
    from colornet.config import load_config
    from colornet.network.saved import build_pretrained, save_network
    config = load_config(experiment, overrides)
    path = Path(runs) / name / 'best.h5'
    path.parent.mkdir(parents=True)
    save_network(path, build_pretrained(config), config, attributes)
    return path


@contextlib.contextmanager
def interrupting(number, is_time):
    """Send this process a signal as soon as a function returns true."""
    def send():
        while not is_time():
            time.sleep(0.02)
        os.kill(os.getpid(), number)
    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def interrupt(number):
    """Send this process a signal; return when it has been handled.

    It may reach another thread first, and then Python handles it later.
    """
    handler = signal.getsignal(number)
    os.kill(os.getpid(), number)
    for _ in range(1000):
        if signal.getsignal(number) is not handler:
            return
        time.sleep(0.01)
    raise RuntimeError('signal %d was not handled' % number)


def check_error(function, *words):
    """A call raises one line that has the words in it."""
    with assert_raises(ColornetError) as caught:
        function()
    message = str(caught.exception)
    for word in words:
        assert word in message, (word, message)
    assert '\n' not in message, message


@contextlib.contextmanager
def editing(path):
    """Change a file of parameters, which HDF5 has open, and seal it."""
    with h5py.File(path, 'r+') as file:
        yield file
    content = bytearray(Path(path).read_bytes())
    seal(memoryview(content))
    Path(path).write_bytes(content)


def need_theano():
    """Leave a test out where Theano is missing."""
    if missing_theano():
        raise errors.TheanoMissing('this test', missing_theano())


def need(*packages):
    """Leave a test out where one of these is missing."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise SkipTest('needs %s' % package)


@contextlib.contextmanager
def noted():
    """What is said on the standard error stream, which must be something."""
    with mock.patch('sys.stderr', io.StringIO()) as err:
        yield err
    assert err.getvalue()


def use_own_cache(folder):
    """Keep the image cache of the tests away from the user's.

    Also that of commands which they start.
    """
    os.environ['COLORNET_CACHE'] = os.path.join(str(folder), 'cache')
    take_environment(os.environ)


def use_users_cache():
    """Undo :func:`use_own_cache`."""
    del os.environ['COLORNET_CACHE']
    take_environment(os.environ)
