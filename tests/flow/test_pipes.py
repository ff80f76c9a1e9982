"""Photos from a stream and into one."""

import io
import subprocess
import sys

import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_
from numpy.testing import assert_array_equal
from PIL import Image

from colornet.errors import ColornetError
from colornet.flow.pictures import split_pictures
from colornet.flow.pipes import colorize_stream, open_sink
from colornet.photos.colorizer import Colorizer
from colornet.photos.options import Options
from tests import tiny
from tests.flow.test_pictures import encoded
from tests.photos.colouring import SIZE, warm
from tests.photos.samples import InFolder, grey, photo


def colorize(content, network=warm, **options):
    """The pictures that come out, and the report."""
    sink = io.BytesIO()
    more = {name: options.pop(name) for name in ('target', 'batch_size')
            if name in options}
    report = colorize_stream(Colorizer(network, SIZE), io.BytesIO(content),
                             sink, Options(**options), **more)
    return sink.getvalue(), report


def opened(content):
    return [Image.open(io.BytesIO(picture))
            for picture in split_pictures(io.BytesIO(content))]


def test_one_photo_keeps_its_format():
    for format in 'JPEG', 'PNG', 'BMP', 'PPM', 'TIFF', 'WEBP':
        content, report = colorize(encoded(grey(), format))
        image = Image.open(io.BytesIO(content))
        eq_((image.format, image.size), (format, photo().size))
        rgb = np.array(image.convert('RGB')).astype(int)
        ok_((rgb[..., 0] - rgb[..., 2]).mean() > 10)  # warm
        eq_(len(report.written), 1)


def test_a_stream_in_its_order():
    turned = [grey().rotate(angle) for angle in range(0, 360, 20)]
    colorizer = Colorizer(warm, SIZE)
    for format in 'PNG', 'BMP', 'PPM':
        content, report = colorize(b''.join(
            encoded(image, format) for image in turned), batch_size=4)
        images = opened(content)
        eq_(len(images), len(turned))
        for image, source in zip(images, turned):
            eq_(image.format, format)
            rgb = colorizer.colorize(np.array(source))
            assert_array_equal(image, (rgb * 255).round().astype('uint8'))
    eq_(str(report.written[0]), '-')


def test_another_format_and_quality():
    content = encoded(grey(), 'PNG') * 2
    sizes = []
    for quality in 20, 90:
        result, _ = colorize(content, format='jpg', quality=quality)
        eq_([image.format for image in opened(result)], ['JPEG'] * 2)
        sizes.append(len(result))
    ok_(sizes[0] < sizes[1] / 2, sizes)


def test_a_broken_picture_is_named_and_the_others_go_on():
    good = encoded(grey(), 'PNG')
    bad = bytearray(good)
    bad[200] ^= 255
    content, report = colorize(good + bytes(bad) + good)
    eq_(len(opened(content)), 2)
    (source, reason), = report.failed
    eq_(str(source), '-, picture 2')
    assert_in('damaged', reason)


def test_kinds_that_cannot_follow_are_named():
    jpeg, gif = encoded(grey(), 'JPEG'), encoded(grey(), 'GIF')
    content, report = colorize(jpeg + gif + jpeg)
    eq_(len(opened(content)), 1)
    (source, reason), = report.failed
    eq_(str(source), '-, picture 2')
    assert_in('GIF', reason)
    assert_in('%d bytes' % len(gif + jpeg), reason)


def test_colours():
    colour = encoded(photo(), 'PNG')
    with assert_raises(ColornetError) as caught:
        colorize(colour, colour='skip')
    assert_in('--colour', str(caught.exception))
    eq_(colorize(colour, colour='keep')[0], colour)
    ok_(colorize(colour, colour='blend')[0] !=
        colorize(colour, colour='replace')[0])
    # No picture of a film may be missing.
    content, _ = colorize(encoded(grey(), 'PNG') + colour, colour='skip')
    eq_(list(split_pictures(io.BytesIO(content)))[1], colour)
    # Behind a damaged one, it is not the first.
    bad = bytearray(encoded(grey(), 'PNG'))
    bad[200] ^= 255
    content, report = colorize(bytes(bad) + colour, colour='skip')
    eq_((content, len(report.failed)), (colour, 1))


def test_nothing_and_too_much():
    with assert_raises(ColornetError) as caught:
        colorize(b'')
    assert_in('empty', str(caught.exception))
    with assert_raises(ColornetError) as caught:
        colorize(encoded(grey(), 'PNG') * 2, target='a.png')
    assert_in('several', str(caught.exception))


class TestSink(InFolder):

    def test_a_file_appears_when_all_is_done(self):
        path = self.folder / 'a.png'
        with open_sink(path) as sink:
            sink.write(b'photo')
            ok_(not path.exists())
        eq_(path.read_bytes(), b'photo')
        with assert_raises(ColornetError):
            with open_sink(path, overwrite=False):
                pass
        with assert_raises(KeyError):
            with open_sink(path) as sink:
                sink.write(b'half')
                raise KeyError
        eq_(path.read_bytes(), b'photo')

    def test_what_cannot_be_written_is_refused_before(self):
        for path in self.folder, self.written('file', b'') / 'a.png':
            with assert_raises(ColornetError):
                with open_sink(path):
                    raise AssertionError('too late')


#: Leaves the last bytes, as of a film, to whoever closes the sink.
LEFT = '''
import sys
from colornet.cli import report_errors
from colornet.flow.pipes import open_sink


def write():
    with open_sink() as sink:
        sink.write(b'film')


sys.exit(report_errors(write))
'''


def test_the_last_bytes_for_a_full_standard_output():
    with open('/dev/full', 'wb') as full:
        done = subprocess.run(
            [sys.executable, '-c', LEFT], cwd=str(tiny.ROOT), stdout=full,
            stderr=subprocess.PIPE, universal_newlines=True)
    eq_((done.returncode, done.stderr), (
        2, 'colornet: error: cannot write to the standard output: No space '
           'left on device\n'))


def test_a_closed_standard_output():
    done = subprocess.run(
        ['sh', '-c', 'exec "$0" -m colornet colorize - -o - >&-',
         sys.executable], cwd=str(tiny.ROOT), stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE, universal_newlines=True)
    eq_((done.returncode, done.stderr), (
        2, 'colornet: error: the standard output is closed\n'))
