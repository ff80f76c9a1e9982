"""Photos coloured by HTTP: what comes back."""

import errno
import io
from unittest import mock
from urllib.parse import unquote

import numpy as np
from nose.tools import assert_in, assert_not_in, eq_, ok_
from numpy.testing import assert_array_equal
from PIL import Image

from colornet.color import as_uint8
from colornet.photos.colorizer import Colorizer
from colornet.photos.reading import decode_photo
from colornet.photos.writing import encode_photo
from colornet.refinement.decoder import Decoder
from colornet.refinement.scores import keep_scores
from tests.photos.samples import photo
from tests.tiny import noted
from tests.web import serving
from tests.web.serving import Client, encoded, pixels_of


def bordered():
    """A grey photo in a white border of 20 pixels."""
    image = Image.new('L', (168, 136), 240)
    image.paste(photo().convert('L'), (20, 20))
    return image


def look(luminance):
    """What a page keeps of a network's scores."""
    return list(map(np.stack, zip(*keep_scores(
        serving.Looks()(luminance)))))


class TestColorize(Client):
    """``POST /api/colorize``."""

    def test_it_is_what_a_colorizer_makes_of_the_photo(self):
        decoder = Decoder(look, self.model.config)
        colorizer = Colorizer(decoder, 32, 'luv', 'keep',
                              refinement=decoder.refinement)
        for content, hints in [
                (encoded(), []), (encoded(), ['40,60=red', '90,20=grey']),
                (encoded(bordered()), ['60,80=#2040d0'])]:
            read = decode_photo(content, 'photo.jpg')
            rgb = colorizer.colorize(read.pixels, hints)
            answer = self.colorize(content, hints=hints)
            eq_(answer.status_code, 200)
            expected = pixels_of(encode_photo(rgb, read, '.jpg')).astype(int)
            ok_(abs(pixels_of(answer.data) - expected).max() <= 3)
            ok_(np.ptp(expected, axis=2).max() > 20)

    def test_the_type_is_that_of_the_photo(self):
        for format, type in [
                ('JPEG', 'image/jpeg'), ('PNG', 'image/png'),
                ('TIFF', 'image/tiff'), ('WEBP', 'image/webp'),
                ('BMP', 'image/bmp'), ('GIF', 'image/png')]:
            # Of the content: a name may lie.
            answer = self.colorize(encoded(format=format), 'scan.dat')
            eq_((answer.status_code, answer.mimetype), (200, type))
            image = Image.open(io.BytesIO(answer.data))
            eq_(Image.MIME[image.format], type)
            eq_((image.size, image.mode), (photo().size, 'RGB'))

    def test_borders_stay_neutral(self):
        content = encoded(bordered(), 'PNG')
        got = pixels_of(self.colorize(content).data).astype(int)
        for edge in got[:18], got[-18:], got[:, :18], got[:, -18:]:
            eq_(np.ptp(edge, axis=2).max(), 0)
        ok_(np.ptp(got[30:-30, 30:-30], axis=2).mean() > 10)
        got = pixels_of(self.colorize(content, hints='40,60=red').data)
        ok_(int(got[60, 40, 0]) > int(got[60, 40, 2]) + 30)
        self.refuses(422, 'outside the picture', self.colorize(
            content, hints='10,60=red'))

    def test_what_shows_nothing_has_no_colours(self):
        blank = encoded(Image.new('L', (128, 96), 200), 'PNG')
        ok_(np.ptp(serving.Looks()(np.full((1, 4, 4), 80.))[0]) > 1)
        got = pixels_of(self.colorize(blank).data)
        eq_(np.ptp(got.astype(int), axis=2).max(), 0)
        # But those that are asked for.
        got = pixels_of(self.colorize(blank, hints='60,50=red').data)
        ok_(int(got[50, 60, 0]) > int(got[50, 60, 2]) + 30)

    def test_borders_and_tones_as_asked(self):
        decoder = Decoder(look, self.model.config)
        faded = bordered().point(lambda level: 100 + level // 6)
        content, results = encoded(faded, 'PNG'), []
        for borders in 'neutral', 'colour':
            for tones in 'stretch', 'keep':
                expected = as_uint8(Colorizer(
                    decoder, 32, 'luv', 'keep', borders, tones,
                    decoder.refinement).colorize(
                        decode_photo(content, 'a').pixels))
                results.append(self.colorize(
                    content, borders=borders, tones=tones).data)
                ok_(abs(pixels_of(results[-1]).astype(int) -
                        expected).max() <= 3)
        eq_(len(set(results)), 4)
        eq_(self.colorize(content).data, results[0])
        eq_(self.model.outputs.count, 4)

    def test_deep_photos_stay_deep(self):
        deep = np.asarray(photo().convert('L')).astype(np.uint16) * 257 - 100
        answer = self.colorize(encoded(Image.fromarray(deep.clip(0)), 'PNG'))
        rgb = decode_photo(answer.data, 'a.png').pixels
        eq_((rgb.dtype, rgb.shape), (np.uint16, (96, 128, 3)))
        ok_((rgb % 257).any())

    def test_transparency_stays(self):
        image = photo().convert('LA')
        image.putalpha(Image.linear_gradient('L').resize(image.size))
        got = pixels_of(self.colorize(encoded(image, 'PNG')).data)
        assert_array_equal(got[..., 3], np.asarray(image)[..., 1])

    def test_names(self):
        for name, expected in [
                ('a b.jpg', 'filename="a b-coloured.jpg"'),
                ('C:/x/old photo.jpg', 'filename="old photo-coloured.jpg"'),
                ('x' * 100000 + '.jpg', '=%s-coloured.jpg' % ('x' * 120)),
                ('x.' + 'y' * 100000, 'filename=x-coloured.jpg'),
                ('..', 'filename=..-coloured.jpg'),
                ('../x/scan.tif', 'filename=scan-coloured.jpg'),
                ('é.png', "filename*=UTF-8''%C3%A9-coloured.jpg")]:
            answer = self.colorize(encoded(), name)
            eq_(answer.status_code, 200)
            assert_in(expected, answer.headers['Content-Disposition'])

    def test_options_come_in_the_form_or_the_address(self):
        content = encoded(format='PNG')
        plain = self.colorize(content, refinement='none').data
        grey = self.colorize(content, saturation='0').data
        eq_(np.ptp(pixels_of(grey), axis=2).max(), 0)
        ok_(np.ptp(pixels_of(plain), axis=2).max() > 40)
        eq_(self.post('/api/colorize?saturation=0', content).data, grey)
        found = {self.colorize(content, **options).data for options in (
            {}, {'temperature': '0.2'}, {'method': 'argmax'},
            {'smoothing': '2'}, {'saturation': '1'}, {'refinement': 'none'},
            {'refinement': 'crf guided'})}
        eq_(len(found), 7)
        eq_(self.colorize(content, saturation='0.5',
                          refinement='none').data, plain)

    def test_the_network_looks_once(self):
        first, second = encoded(), encoded(quality=50)
        for saturation in '0.1', '0.2', '0.3':
            eq_(self.colorize(first, saturation=saturation).status_code, 200)
        eq_(self.model.outputs.count, 1)
        self.colorize(second)
        eq_(self.model.outputs.count, 2)

    def test_hints(self):
        content = encoded(format='PNG')
        plain = pixels_of(self.colorize(content).data).astype(int)
        got = pixels_of(self.colorize(content, hints=[
            '20,30=#d02010', '100,80=grey']).data).astype(int)
        red, green, blue = got[30, 20]
        ok_(red > max(green, blue) + 30, got[30, 20])
        ok_(np.ptp(plain[80, 100]) > 20)
        ok_(np.ptp(got[80, 100]) < 10, got[80, 100])
        self.refuses(422, 'a hint is X,Y=', self.colorize(content, hints='1'))
        self.refuses(422, 'outside the picture', self.colorize(
            content, hints='128,0=red'))

    def test_colours_that_a_photo_has(self):
        content = encoded(photo(), 'PNG')
        own = pixels_of(content).astype(int)
        new, mean = [pixels_of(self.colorize(content, **options).data).astype(
            int) for options in ({}, {'colour': 'blend'})]
        eq_(self.colorize(content, colour='keep').data, content)
        kept = self.colorize(content, colour='keep', format='bmp').data
        assert_array_equal(pixels_of(kept), own)
        kept = self.colorize(content, colour='keep', format='jpg').data
        ok_(b'colornet' not in kept)
        ok_(abs(new - own).mean() > 8)
        for one in own, new:
            ok_(abs(mean - one).mean() < 0.7 * abs(new - own).mean())
        # Grey photos have none to keep.
        grey = encoded(format='PNG')
        eq_(self.colorize(grey, colour='keep').data, self.colorize(grey).data)

    def test_results(self):
        for format, type in [('jpg', 'image/jpeg'), ('png', 'image/png'),
                             ('tif', 'image/tiff'), ('webp', 'image/webp'),
                             ('bmp', 'image/bmp'),
                             ('ppm', 'image/x-portable-anymap')]:
            answer = self.colorize(encoded(), format=format)
            eq_((answer.status_code, answer.mimetype), (200, type))
            assert_in('photo-coloured.' + format,
                      answer.headers['Content-Disposition'])
        sizes = [len(self.colorize(encoded(), quality=quality).data)
                 for quality in (10, 95)]
        ok_(sizes[0] < 0.5 * sizes[1], sizes)
        deep = self.colorize(encoded(), format='png', depth='16').data
        eq_(decode_photo(deep, 'a.png').pixels.dtype, np.uint16)
        marked, plain = [self.colorize(encoded(), mark=mark).data
                         for mark in ('true', 'no')]
        ok_(b'colornet' in marked and b'colornet' not in plain)
        clear = photo().convert('LA')
        self.refuses(422, 'transparency', self.colorize(
            encoded(clear, 'PNG'), format='jpg'))
        self.refuses(422, '16 bits', self.colorize(
            encoded(), depth='16', format='jpg'))
        answer = self.colorize(encoded(), depth='16')
        eq_(answer.mimetype, 'image/png')
        eq_(decode_photo(answer.data, 'a.png').pixels.dtype, np.uint16)

    def test_what_is_lost(self):
        content = encoded(dpi=(300, 300))
        answer = self.colorize(content, format='ppm')
        assert_in('resolution', unquote(answer.headers['Colornet-Note']))
        for format, has_none in ('png', True), ('jpg', False), ('webp', False):
            answer = self.colorize(encoded(), format=format, quality='50')
            eq_(unquote(answer.headers.get('Colornet-Note', '')),
                'quality is of JPEG and WebP, and not of PNG' * has_none)
        assert_not_in('Colornet-Note', self.colorize(content).headers)

    def test_what_is_left_out(self):
        pages = encoded(photo(), 'TIFF', save_all=True,
                        append_images=[photo()])
        answer = self.colorize(pages)
        assert_in('several pictures', unquote(answer.headers['Colornet-Note']))
        for options in {'colour': 'keep'}, {}:
            answer = self.colorize(encoded(photo()), hints='3,3=red',
                                   **options)
            eq_('hints are not used' in unquote(answer.headers.get(
                'Colornet-Note', '')), bool(options))

    def test_bad_options(self):
        for options, words in [
                ({'nope': '1'}, 'there is no option nope'),
                ({'saturation': 'x'}, 'saturation = x: must be a number'),
                ({'saturation': '-1'}, 'saturation = -1: must be at least 0'),
                ({'temperature': '0'}, 'temperature = 0: must be at least'),
                ({'method': 'mode'}, 'choose one of argmax, mean'),
                ({'format': 'gif'}, 'format = gif: choose one of jpg, png'),
                ({'quality': 'x'}, 'quality = x: must be an integer'),
                ({'quality': '0'}, 'must be 1 to 100'),
                ({'mark': 'maybe'}, 'mark = maybe: must be a boolean'),
                ({'colour': 'skip'}, 'choose one of replace, blend, keep'),
                ({'borders': 'x'}, 'choose one of neutral, colour'),
                ({'tones': ''}, 'choose one of stretch, keep')]:
            answer = self.refuses(422, words, self.colorize(
                encoded(), **options))
            assert_not_in('decoding', answer.json['error'])
        self.refuses(422, 'given twice', self.post(
            '/api/colorize?saturation=1', encoded(), saturation='1'))
        eq_(self.model.outputs.count, 0)

    def test_large_fields(self):
        # They would be in memory.
        self.refuses(422, 'no option', self.colorize(encoded(), x='y' * 9999))
        self.refuses(413, 'beside the file is too large',
                     self.colorize(encoded(), x='y' * (1 << 20)))

    def test_no_photo(self):
        self.refuses(422, 'send one file', self.client.post('/api/colorize'))
        self.refuses(422, 'send one file', self.client.post(
            '/api/colorize', data=encoded(), content_type='image/jpeg'))
        self.refuses(422, 'send one file', self.client.post(
            '/api/colorize', data={'file': [
                (io.BytesIO(encoded()), name) for name in 'ab']}))

    def test_what_is_no_image(self):
        for content, words in [
                (b'plain text', 'not an image'), (b'', 'empty file'),
                (encoded()[:2000], 'truncated')]:
            self.refuses(415, 'photo.jpg: ' + words, self.colorize(content))
        eq_(self.model.outputs.count, 0)

    def test_faults_of_ours_are_told_in_a_line(self):
        with mock.patch.object(self.model, 'look', side_effect=MemoryError):
            self.refuses(413, 'out of memory', self.colorize(encoded()))
        with mock.patch.object(self.model, 'look',
                               side_effect=RuntimeError('secret')):
            with noted() as said:
                self.refuses(500, 'internal error', self.colorize(encoded()))
        eq_(said.getvalue(),
            'colornet: internal error: RuntimeError: secret\n')
        # So are those of temporary files, to which larger photos go.
        full = OSError(errno.ENOSPC, 'No space left on device')
        with mock.patch('werkzeug.formparser.SpooledTemporaryFile',
                        side_effect=full), noted() as said:
            self.refuses(507, 'temporary files is full',
                         self.colorize(encoded()))
        eq_(said.getvalue(), "colornet: error: the disk with the server's "
            'temporary files is full\n')
        eq_(self.colorize(encoded()).status_code, 200)
