"""A stream cut into pictures, however it arrives."""

import io

import numpy as np
from nose.tools import eq_
from PIL import Image

from colornet.flow.pictures import split_pictures
from tests.photos.samples import grey, photo


class Slow:
    """A stream that gives few bytes at a time."""

    def __init__(self, content, step):
        self.stream = io.BytesIO(content)
        self.step = step

    def read(self, length):
        return self.stream.read(min(length, self.step))


def encoded(image, format, **options):
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def check(pictures, expected=None):
    content = b''.join(pictures)
    for step in 7, 4096, 1 << 20:
        eq_(list(split_pictures(Slow(content, step))),
            pictures if expected is None else expected)
    eq_(list(split_pictures(io.BytesIO(content))),
        pictures if expected is None else expected)


def test_each_kind():
    small = photo().resize((40, 30))
    noise = Image.fromarray(np.random.RandomState(0).randint(
        0, 256, (50, 70, 3)).astype('uint8'))
    bits = small.convert('1')
    for pictures in (
            [encoded(image, 'JPEG', quality=quality, **options)
             for image in (small, grey(), noise)
             for quality, options in (
                 (30, {}), (95, {}), (80, {'progressive': True}),
                 (75, {'restart_marker_rows': 1}))],
            [encoded(image, 'PNG') for image in (small, bits, noise)],
            [encoded(image, 'BMP') for image in (noise, small, grey())],
            [encoded(image, 'PPM') for image in (bits, noise, small,
                                                 grey())]):
        for picture in pictures:
            check([picture])
        check(pictures)
        check(pictures[::-1] * 2)


def test_headers_of_ppm():
    deep = b'P5\n# by hand\n2 3 # two\n65535\n' + bytes(range(12))
    odd = b'P4 9 2\n' + bytes(4)
    plain = b'P6 1 1 255 \xff\n\x00'
    check([deep, odd, plain, deep])


def test_one_file_of_another_kind():
    for content in (encoded(photo(), 'TIFF'), encoded(photo(), 'WEBP'), b'?',
                    b'P1\n2 1\n0 1\n', b'BM\0\0\0\0rest'):
        check([content])
    check([])


def test_what_is_behind_a_photo_belongs_to_it():
    jpeg = encoded(photo(), 'JPEG')
    check([jpeg + b'\0' * 20 + b'trailer'])
    check([jpeg, jpeg + b'trailer'])
    # Cameras announce that a second picture follows.
    preview = encoded(photo().resize((20, 15)), 'JPEG')
    announced = jpeg[:2] + b'\xff\xe2\0\x08MPF\0??' + jpeg[2:] + preview
    check([announced])
    check([jpeg, announced])


def test_kinds_that_cannot_follow_are_no_trailer():
    jpeg = encoded(photo(), 'JPEG')
    samples = [encoded(photo(), format) + jpeg
               for format in ('GIF', 'WEBP', 'TIFF')]
    samples += [b'P2\n1 1\n9\n5\n', b'\0\0\0\x18ftypheic\0\0\0\0',
                b'\0\0\0\x0cjP  \r\n\x87\n', b'\xff\x4f\xff\x51\0']
    for other in samples:
        check([jpeg, jpeg, other])
    # Telephones put a film behind a photo.
    check([jpeg + b'\0\0\0\x18ftypmp42'])


def test_damaged_ones_are_the_rest():
    for format in 'JPEG', 'PNG', 'BMP', 'PPM':
        whole = encoded(photo(), format)
        check([whole, whole[:len(whole) // 2]])
        check([whole, whole[:20]])


def test_kinds_may_follow_each_other():
    check([encoded(photo(), format)
           for format in ('PNG', 'JPEG', 'PPM', 'BMP', 'JPEG', 'PNG')])


def test_what_is_left_is_told():
    jpeg, told = encoded(photo(), 'JPEG'), []
    for content, expected in (jpeg + b'hello' + jpeg, [len(jpeg) + 5]), (
            jpeg * 2, []):
        del told[:]
        list(split_pictures(io.BytesIO(content), told.append))
        eq_(told, expected)


def test_whole_ones_behind_a_damaged_one_are_not_lost():
    whole = encoded(photo(), 'PNG')
    for size in 2000, 20, 9:
        check([whole, whole[:size], whole, whole[:size], whole])
