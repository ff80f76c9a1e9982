"""Each kind of photo in Python comes back as its kind."""

import io
import threading
from pathlib import Path
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_less, assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from colornet.color import as_uint8
from colornet.errors import ColornetError
from colornet.formats.decoding import photo_of_image
from colornet.photos.colorizer import Colorizer
from tests.formats.kinds import levels
from tests.formats.tiffs import picture, tiff
from tests.photos.colouring import SIZE, warm
from tests.photos.samples import ORIENTATION, InFolder, grey, photo

colorizer = Colorizer(warm, SIZE)


def expected():
    """The grey photo coloured, uint8."""
    return as_uint8(colorizer.colorize(np.array(grey())))


def encoded(image, format, **options):
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def test_arrays_of_each_type():
    pixels = np.array(grey())
    for array in (pixels, pixels.astype(np.uint16) * 257, pixels / 255.,
                  (pixels / 255.).astype(np.float32)):
        rgb = colorizer(array)
        eq_((rgb.dtype, rgb.shape), (array.dtype, pixels.shape + (3,)))
        assert_allclose(as_uint8(rgb).astype(int), expected(), atol=1)
    rgb = colorizer((pixels / 255.).astype(np.float16))
    eq_(rgb.dtype, np.float16)
    rgb = colorizer(pixels > 99)
    eq_((rgb.dtype, rgb.shape), (np.uint8, pixels.shape + (3,)))
    assert_array_equal(rgb, colorizer((pixels > 99) * np.uint8(255)))


def test_arrays_of_any_byte_order():
    pixels = np.array(grey())
    for array, kinds in ((pixels.astype(np.uint16) * 257, '<u2 >u2'),
                         (pixels / 255., '<f4 >f4 <f8 >f8')):
        for kind in kinds.split():
            swapped = array.astype(kind)
            rgb = colorizer(swapped)
            eq_((rgb.dtype, rgb.shape), (np.dtype(kind), array.shape + (3,)))
            assert_allclose(as_uint8(rgb).astype(int), expected(), atol=1)
            for result in (colorizer.colorize(swapped),
                           colorizer.colorize_batch([swapped])[0]):
                assert_allclose(as_uint8(result).astype(int), expected(),
                                atol=1)
    clear = np.dstack([pixels, pixels[::-1]]).astype('>u2') * 257
    assert_array_equal(colorizer(clear)[..., 3], clear[..., 1])


def test_arrays_of_each_number_of_channels():
    pixels = np.array(grey())
    alpha = pixels[::-1]
    assert_array_equal(colorizer(pixels[..., None]), expected())
    assert_array_equal(colorizer(np.dstack([pixels] * 3)), expected())
    for channels in [pixels], [pixels] * 3:
        rgba = colorizer(np.dstack(channels + [alpha]))
        assert_array_equal(rgba, np.dstack([expected(), alpha]))
    deep = np.dstack([pixels, alpha]).astype(np.uint16) * 257
    assert_array_equal(colorizer(deep)[..., 3], deep[..., 1])


def test_hints_are_for_any_kind_but_for_one_photo():
    hints = ['5,5=#3050c0']
    hinted = as_uint8(colorizer.colorize(np.array(grey()), hints))
    ok_((hinted != expected()).any())
    of_array = colorizer(np.array(grey()), hints=hints)
    # Floats and bytes may be rounded to either side of a half.
    assert_allclose(of_array.astype(int), hinted, atol=1)
    assert_less((of_array != hinted).mean(), 1e-3)
    for image in (colorizer(grey(), hints=hints),
                  colorizer.colorize(grey(), hints)):
        assert_array_equal(np.array(image), of_array)
    with assert_raises(ColornetError) as caught:
        colorizer([grey(), grey()], hints=hints)
    assert_in('one photo', str(caught.exception))


def test_arrays_that_are_no_photo():
    for array in (np.zeros((3, 4), int), np.zeros((3, 4, 5), np.uint8),
                  np.zeros(7, np.uint8), np.zeros((0, 3), np.uint8),
                  np.full((3, 4), 1.5), np.full((3, 4), np.nan),
                  np.array(['photo']), None, object()):
        with assert_raises(ColornetError):
            colorizer(array)


def test_images_of_each_mode():
    for mode in '1', 'L', 'P', 'RGB', 'CMYK', 'YCbCr', 'F':
        image = colorizer(grey().convert(mode))
        eq_((image.mode, image.size), ('RGB', grey().size))
        if mode != '1':
            assert_allclose(np.array(image, int), expected(), atol=3)
    for mode in 'LA', 'RGBA':
        source = grey().convert(mode)
        source.putalpha(grey().rotate(180))
        image = colorizer(source)
        eq_(image.mode, 'RGBA')
        assert_array_equal(image.getchannel('A'), grey().rotate(180))
        assert_allclose(np.array(image.convert('RGB'), int), expected(),
                        atol=1)


def test_integers_that_do_not_say_how_many_bits_they_are():
    values = np.array(grey(), np.int32)
    values[0, :2] = 0, 255
    for factor in 1, 257, 65793:
        image = Image.fromarray(values * factor)
        eq_(image.mode, 'I')
        assert_allclose(photo_of_image(image).pixels, values * 257., atol=1)
    # What a file says counts more: dark is dark.
    dark = np.array(grey(), np.uint16)
    for content in (encoded(Image.fromarray(dark), 'PNG'),
                    encoded(Image.fromarray(dark), 'TIFF'),
                    b'P5 128 96 65535\n' + dark.astype('>u2').tobytes()):
        opened = Image.open(io.BytesIO(content))
        assert_array_equal(photo_of_image(opened).pixels, dark)
    # As older versions of Pillow open deep PNG.
    old = Image.fromarray(dark.astype(np.int32))
    old.format = 'PNG'
    assert_array_equal(photo_of_image(old).pixels, dark)
    short = Image.open(io.BytesIO(tiff(levels(picture(), 15), 16, form=2)))
    eq_(short.mode, 'I')
    assert_allclose(photo_of_image(short).pixels / 65535., picture(),
                    atol=1e-4)


def test_an_image_keeps_what_it_says():
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    source = Image.open(io.BytesIO(encoded(
        grey(), 'JPEG', exif=exif, dpi=(300, 300), quality=95)))
    image = colorizer(source)
    # As it is stored, since EXIF says how that is.
    eq_(image.size, source.size)
    eq_(image.info['exif'], source.info['exif'])
    eq_(image.info['dpi'], (300, 300))


def test_bytes_of_each_format():
    for format, result in ('JPEG', 'JPEG'), ('PNG', 'PNG'), ('TIFF', 'TIFF'), (
            'GIF', 'PNG'), ('BMP', 'BMP'), ('WEBP', 'WEBP'):
        content = colorizer(encoded(grey(), format))
        ok_(isinstance(content, bytes))
        eq_(Image.open(io.BytesIO(content)).format, result)
    content = encoded(grey(), 'PNG')
    for kind in bytearray, memoryview:
        assert_array_equal(Image.open(io.BytesIO(colorizer(kind(content)))),
                           expected())
    with assert_raises(ColornetError):
        colorizer(b'no photo')


def test_open_files():
    content = encoded(grey(), 'PNG')
    for source in (io.BytesIO(content), io.BufferedReader(io.BytesIO(
            content)), [io.BytesIO(content), grey()]):
        result = colorizer(source)
        result = result[0] if isinstance(source, list) else result
        ok_(isinstance(result, io.BytesIO))
        eq_(result.tell(), 0)
        assert_array_equal(Image.open(result), expected())
    # From where it is on.
    behind = io.BytesIO(b'header' + content)
    behind.seek(6)
    eq_(colorizer.colorize(behind).getvalue(), colorizer(content))
    for source, words in ((io.StringIO('text'), "open for bytes ('rb')"),
                          (io.BytesIO(b''), 'empty file')):
        with assert_raises(ColornetError) as caught:
            colorizer(source)
        assert_in(words, str(caught.exception))


def test_what_is_no_photo_is_told_in_a_line():
    for source, words in (
            ('', "no photo is called ''"), ([''], "no photo is called ''"),
            (None, 'an array of numbers, not NoneType'),
            ({}, 'an array of numbers, not dict'),
            ([None], 'not NoneType'), (7, 'not int64'),
            (np.array([[None]]), 'not an array of object'),
            (np.ones((9, 9), complex), 'not an array of complex128'),
            (np.ones((9, 9), int), 'not int64'),
            (np.ones((9, 9, 5)), '1 to 4 channels, not (9, 9, 5)'),
            (np.ones((9, 0, 3)), '1 to 4 channels, not (9, 0, 3)'),
            (np.ones(9), '1 to 4 channels, not (9,)')):
        with assert_raises(ColornetError) as caught:
            colorizer(source)
        assert_in(words, str(caught.exception))
        eq_(len(str(caught.exception).splitlines()), 1)


def test_options():
    content = encoded(photo(), 'PNG')
    eq_(colorizer(content, colour='keep'), content)
    eq_(Image.open(io.BytesIO(colorizer(content, format='jpg'))).format,
        'JPEG')
    with assert_raises(ColornetError) as caught:
        colorizer(photo(), colour='skip')
    assert_in('colour=', str(caught.exception))
    pixels = np.array(photo())
    for array in pixels, pixels / 255.:
        assert_allclose(colorizer(array, colour='keep'), array, rtol=1e-6)
        blend = colorizer(array, colour='blend')
        spread = [np.ptp(rgb.astype(float), axis=-1).mean() for rgb in
                  (colorizer(array), blend)]
        ok_(abs(spread[0] - spread[1]) > 0.05 * spread[0], spread)


def test_borders_and_tones():
    pixels = np.pad(np.array(grey()), 12, constant_values=255)
    coloured = colorizer(pixels, borders='colour')
    assert_array_equal(coloured, Colorizer(warm, SIZE, borders='colour')(
        pixels))
    ok_((coloured != colorizer(pixels)).any())
    seen = []

    def network(luminances):
        seen.append(luminances)
        return warm(luminances)
    looking, dark = Colorizer(network, SIZE), np.array(grey()) // 4
    for tones in 'keep', None:
        looking(dark, tones=tones)
    ok_(seen[1].max() > 1.5 * seen[0].max())
    eq_((looking.borders, looking.tones), ('neutral', 'stretch'))


def test_options_that_there_are_not():
    for options, words in (
            ({'color': 'keep'}, 'batch_size, borders, colour, depth'),
            ({'hint': '9,9=red', 'max_pixels': 9}, 'hint, max_pixels;'),
            ({'quality': '90'}, "not '90'"), ({'format': 7}, 'not 7'),
            ({'depth': (8,)}, 'not (8,)'), ({'hints': '9,9=red'}, 'a list'),
            ({'hints': [9]}, 'a list'), ({'batch_size': '4'}, "not '4'"),
            ({'batch_size': 0}, 'not 0'), ({'out': 7}, 'not 7'),
            ({'borders': 'wide'}, "'wide'"), ({'tones': 7}, 'not 7')):
        with assert_raises(ColornetError) as caught:
            colorizer(grey(), **options)
        assert_in(words, str(caught.exception))
        eq_(len(str(caught.exception).splitlines()), 1)


def test_a_list_is_a_batch():
    calls = []

    def network(luminances):
        calls.append(len(luminances))
        return warm(luminances)

    pixels = np.array(grey())
    photos = [pixels, grey(), encoded(grey(), 'PNG'), pixels[:50], pixels]
    results = Colorizer(network, SIZE)(photos, batch_size=2)
    eq_(calls, [2, 2, 1])
    eq_([type(result) for result in results],
        [np.ndarray, Image.Image, bytes, np.ndarray, np.ndarray])
    for result, source in zip(results, photos):
        rgb = result if not isinstance(result, bytes) else Image.open(
            io.BytesIO(result))
        assert_array_equal(np.array(rgb), expected()[:np.shape(rgb)[0]]
                           if np.shape(rgb)[0] > 50 else colorizer(source))
    eq_(Colorizer(network, SIZE)([]), [])


def test_colorize_takes_them_too():
    eq_(colorizer.colorize(grey()).mode, 'RGB')
    # Arrays give what they always gave.
    rgb = colorizer.colorize(np.array(grey()))
    eq_((rgb.dtype, rgb.max() <= 1), (np.float32, True))


def test_several_threads():
    photos = [np.array(grey().rotate(angle)) for angle in range(8)]
    results = {}

    def work(number):
        results[number] = colorizer(photos[number])
    threads = [threading.Thread(target=work, args=[number])
               for number in range(len(photos))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, pixels in enumerate(photos):
        assert_array_equal(results[number], colorizer(pixels))


def test_modes_that_nobody_converts():
    image = Image.new('RGB', (37, 27))
    # Pillow 12 has no such images, but those before it.
    with mock.patch.object(Image.Image, 'mode', 'BGR;15'):
        with assert_raises(ColornetError) as caught:
            colorizer(image)
    assert_in('BGR;15', str(caught.exception))


class TestFiles(InFolder):

    def test_a_file_beside_it(self):
        path = self.saved(grey(), 'a.png')
        for source in path, str(path):
            result = colorizer(source, overwrite=source != path)
            eq_(result, self.folder / 'a-coloured.png')
            ok_(isinstance(result, Path))
        assert_array_equal(Image.open(result), expected())
        assert_array_equal(Image.open(path), grey())

    def test_a_folder_for_the_results(self):
        paths = [self.saved(grey(), name) for name in ('a.png', 'a.gif')]
        out = self.folder / 'out'
        eq_(colorizer(paths, out=out, format='jpg'),
            [out / 'a.jpg', out / 'a.gif.jpg'])
        clear = grey().convert('LA')
        clear.putalpha(9)
        path = self.saved(clear, 'b.jpg', format='PNG')
        eq_(colorizer([path], out=out), [out / 'b.png'])

    def test_what_is_there_is_not_replaced(self):
        gif, jpg = [self.saved(grey(), name) for name in ('a.gif', 'b.jpg')]
        clear = grey().convert('LA')
        clear.putalpha(9)
        clear = self.saved(clear, 'c.jpg', format='PNG')
        for path, name in (gif, 'a.png'), (jpg, 'b-coloured.jpg'), (
                clear, 'c.png'):
            target = self.written(name, b'another')
            with assert_raises(ColornetError) as caught:
                colorizer(path)
            eq_(str(caught.exception), '%s is there; overwrite=True replaces '
                'it' % target)
            eq_(target.read_bytes(), b'another')
            eq_(colorizer(path, overwrite=True), target)
            eq_(Image.open(target).size, grey().size)

    def test_a_file_twice_in_a_list(self):
        path = self.saved(grey(), 'a.png')
        eq_(colorizer([path, path], batch_size=1),
            2 * [self.folder / 'a-coloured.png'])

    def test_what_is_no_file(self):
        with assert_raises(ColornetError):
            colorizer(self.folder / 'missing.jpg')
        with assert_raises(ColornetError):
            colorizer(self.written('text.jpg', b'text'))
