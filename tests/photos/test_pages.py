"""Files with several pages: the largest, or all of them."""

import io
import os

import numpy as np
import tifffile
from nose.tools import assert_raises, eq_
from numpy.testing import assert_array_equal
from PIL import Image

from colornet.errors import ColornetError
from colornet.photos.colorizer import Colorizer
from colornet.photos.folders import colorize_file
from colornet.photos.options import Options
from colornet.photos.reading import photo_pages, read_photo
from tests.photos.colouring import SIZE, InFolder, files_in, warm
from tests.photos.samples import photo


def pages():
    """A TIFF of a small copy and of two pages, the second turned."""
    stream = io.BytesIO()
    picture = np.array(photo().convert('L'))
    with tifffile.TiffWriter(stream) as writer:
        writer.write(picture[::4, ::4], subfiletype=1, metadata=None)
        writer.write(picture, metadata=None)
        writer.write(picture[:, :64], metadata=None)
    return stream.getvalue()


class TestPages(InFolder):

    def setUp(self):
        super().setUp()
        self.save('plain.png', image=photo().convert('L'))
        (self.input / 'scan.tif').write_bytes(pages())

    def shapes(self):
        return {name: read_photo(self.out / name).pixels.shape[:2]
                for name in files_in(self.out)}

    def test_the_largest(self):
        report = self.run()
        eq_(report.first_only, [self.input / 'scan.tif'])
        eq_(self.shapes(), {'plain.png': (96, 128), 'scan.tif': (96, 128)})

    def test_all(self):
        # A photo that has the name of a page keeps it.
        self.save('scan-page2.tif', image=Image.new('L', (40, 40)))
        for _ in range(2):
            report = self.run(options=Options(pages='all'))
            eq_((report.first_only, report.failed), ([], []))
            eq_(self.shapes(), {
                'plain.png': (96, 128), 'scan-page1.tif': (96, 128),
                'scan-page2.tif': (40, 40), 'scan-page2-2.tif': (96, 64)})

    def test_all_frames(self):
        path = self.save('film.gif', save_all=True, append_images=[
            photo().rotate(90), photo().rotate(180)])
        eq_(photo_pages(path), [0, 1, 2])
        eq_(photo_pages(path, 'largest'), [0])
        self.run([path], options=Options(pages='all'))
        eq_(files_in(self.out), ['film-page%d.png' % number
                                 for number in (1, 2, 3)])

    def test_pages_that_keep_their_colours(self):
        path = self.input / 'colours.tif'
        colours = [photo(), photo().resize((64, 48))]
        colours[0].save(path, save_all=True, append_images=colours[1:])
        self.run([path], options=Options(pages='all', colour='keep'))
        for number, page in enumerate(colours, 1):
            with Image.open(self.out / ('colours-page%d.tif' % number)) as it:
                eq_((it.n_frames, it.size), (1, page.size))
                assert_array_equal(it, page)

    def test_what_cannot_be_read_fails_once(self):
        os.makedirs(str(self.input), exist_ok=True)
        (self.input / 'broken.tif').write_bytes(pages()[:50])
        report = self.run(options=Options(pages='all'))
        eq_([path.name for path, _ in report.failed], ['broken.tif'])
        eq_(len(report.written), 3)

    def test_one_file_cannot_hold_all(self):
        colorizer = Colorizer(warm, SIZE)
        with assert_raises(ColornetError):
            colorize_file(colorizer, self.input / 'scan.tif',
                          self.out / 'a.tif', options=Options(pages='all'))
        with assert_raises(ColornetError):
            colorizer(self.input / 'scan.tif', pages='all')
        with assert_raises(ColornetError):
            Options(pages='some')
