"""Colorizing files and folders: names, batches and what is left behind."""

import io
import os
import shutil
from unittest import mock

import numpy as np
from nose.tools import assert_in, assert_raises, eq_, ok_
from numpy.testing import assert_array_equal
from PIL import Image

from colornet.errors import ColornetError
from colornet.photos import folders
from colornet.photos.colorizer import Colorizer
from colornet.photos.folders import colorize_files
from colornet.photos.reading import read_photo
from tests.photos.colouring import SIZE, InFolder, files_in, warm
from tests.photos.samples import photo


class TestResultsAmongSources(InFolder):
    """However often they are made, nothing is coloured that was."""

    def check(self, choose, out, expected, **options):
        for _ in range(3):
            report = self.run(choose(), out=out, **options)
            eq_(files_in(self.input), expected)
            eq_(report.failed, [])
        return report

    def test_folders_around_which_results_go(self):
        self.save('p/a.jpg', 'p/b.gif', 'p/b.png', 'q/a.jpg')
        for overwrite in False, True:
            report = self.check(
                lambda: [self.input / 'p', self.input / 'q'], self.input, [
                    'p/a-coloured.jpg', 'p/a.jpg', 'p/b-coloured.gif.png',
                    'p/b-coloured.png', 'p/b.gif', 'p/b.png',
                    'q/a-coloured.jpg', 'q/a.jpg'], overwrite=overwrite)
            eq_(len(report.written if overwrite else report.skipped), 4)

    def test_files_beside_which_results_go(self):
        self.save('a.jpg', 'sub/a.jpg')
        self.check(lambda: sorted(self.input.rglob('*.jpg')), self.input, [
            'a-coloured-2.jpg', 'a-coloured.jpg', 'a.jpg', 'sub/a.jpg'])

    def test_photos_that_are_only_called_so(self):
        self.save('a.jpg', 'a-coloured.jpg', 'b-coloured.jpg')
        # Results go elsewhere.
        report = self.run()
        eq_(len(report.written), 3)
        # Nothing here is what it would be of.
        report = self.run([self.input / 'b-coloured.jpg'], out=self.input)
        eq_(report.written, [self.input / 'b-coloured-coloured.jpg'])


class TestMixedFolder(InFolder):

    def setUp(self):
        super().setUp()
        grey = photo().convert('L')
        self.save('a_color.jpg')
        deep = np.array(grey).astype(np.uint16) * 257
        self.save('b_deep.png', image=Image.fromarray(deep[:50]))
        clear = photo().crop((0, 0, 70, 40))
        clear.putalpha(grey.crop((0, 0, 70, 40)))
        self.save('c_clear.png', image=clear)
        self.save('d_grey.jpg', image=grey.rotate(90, expand=True))
        (self.input / 'e_text.jpg').write_text('not a photo')
        content = self.save('f_cut.jpg').read_bytes()
        (self.input / 'f_cut.jpg').write_bytes(content[:len(content) // 2])
        self.names = ['a_color.jpg', 'b_deep.png', 'c_clear.png',
                      'd_grey.jpg']

    def test_the_good_are_done_and_the_bad_are_named(self):
        for batch_size in 1, 3, 100:
            shutil.rmtree(str(self.out), ignore_errors=True)
            report = self.run(batch_size=batch_size)
            eq_(report.written, [self.out / name for name in self.names])
            eq_(files_in(self.out), self.names)
            failed = dict(report.failed)
            eq_(set(failed), {self.input / 'e_text.jpg',
                              self.input / 'f_cut.jpg'})
            assert_in('not an image file', failed[self.input / 'e_text.jpg'])
            assert_in('truncated', failed[self.input / 'f_cut.jpg'])

    def test_outputs_have_the_size_and_the_colour(self):
        self.run()
        for name in self.names:
            source = Image.open(self.input / name)
            output = Image.open(self.out / name)
            eq_(output.size, source.size)
            eq_(output.mode, 'RGBA' if name == 'c_clear.png' else 'RGB')
            rgb = np.array(output.convert('RGB')).astype(int)
            ok_((rgb[..., 0] - rgb[..., 2]).mean() > 10)  # warm
        assert_array_equal(
            read_photo(self.out / 'c_clear.png').alpha,
            read_photo(self.input / 'c_clear.png').alpha)

    def test_the_outputs_are_those_of_the_colorizer(self):
        self.run()
        colorizer = Colorizer(warm, SIZE)
        for name, dtype in (('b_deep.png', np.uint16),
                            ('c_clear.png', np.uint8)):
            rgb = colorizer.colorize(read_photo(self.input / name).pixels)
            white = np.iinfo(dtype).max
            written = read_photo(self.out / name).pixels
            eq_(written.dtype, dtype)
            assert_array_equal(written,
                               (rgb * white + .5).astype(dtype))

    def test_photos_of_several_proportions_go_through_together(self):
        shapes = []

        def network(luminances):
            shapes.append(luminances.shape)
            return warm(luminances[:, ::4, ::4])

        colorizer = Colorizer(network, SIZE, proportions='keep')
        report = colorize_files(colorizer, [self.input], self.out,
                                batch_size=100, progress=False)
        eq_(report.written, [self.out / name for name in self.names])
        ok_(len(set(shapes)) > 2, shapes)
        eq_(sum(shape[0] for shape in shapes), len(self.names))
        for name in self.names:
            eq_(Image.open(self.out / name).size,
                Image.open(self.input / name).size)

    def test_the_inputs_stay_as_they_were(self):
        before = {name: (self.input / name).read_bytes()
                  for name in files_in(self.input)}
        self.run()
        eq_(before, {name: (self.input / name).read_bytes()
                     for name in files_in(self.input)})


class TestNames(InFolder):

    def test_a_folder_is_mirrored(self):
        self.save('a.jpg', 'x/b.jpg', 'x/y/c.png')
        self.run()
        eq_(files_in(self.out), ['a.jpg', 'x/b.jpg', 'x/y/c.png'])

    def test_several_sources_keep_their_folder_names(self):
        self.save('x/a.jpg', 'y/a.jpg', 'z.jpg')
        self.run([self.input / 'x', str(self.input / 'y') + os.sep,
                  str(self.input / 'z.jpg')])
        eq_(files_in(self.out), ['x/a.jpg', 'y/a.jpg', 'z.jpg'])

    def test_one_source_need_not_be_a_list(self):
        path = self.save('a.jpg')
        for source in path, str(path), self.input, str(self.input):
            eq_(self.run(source).written, [self.out / 'a.jpg'])

    def test_relative_sources(self):
        self.save('x/a.jpg')
        before = os.getcwd()
        os.chdir(str(self.input / 'x'))
        try:
            self.run(['.'], out='../../out')
            self.run(['..', 'a.jpg'], out='../../out2')
        finally:
            os.chdir(before)
        eq_(files_in(self.out), ['a.jpg'])
        eq_(files_in(self.folder / 'out2'), ['in/x/a.jpg'])

    def test_names_that_collide(self):
        sources = [self.save(name) for name in
                   ('x/a.jpg', 'y/a.jpg', 'z/A.jpg', 'w/a-2.jpg')]
        report = self.run(sources)
        eq_(report.failed, [])
        eq_(files_in(self.out), ['A-3.jpg', 'a-2-2.jpg', 'a-2.jpg', 'a.jpg'])
        eq_(self.run(sources), report)

    def test_suffixes_that_change(self):
        self.save('a.gif', 'a.png', 'b.gif')
        self.save('c.pgm', 'c.gif', image=photo().convert('L'))
        report = self.run()
        eq_(report.written, [self.out / name for name in
                             ('a.gif.png', 'a.png', 'b.png', 'c.png',
                              'c.pgm.png')])
        eq_(Image.open(self.out / 'b.png').mode, 'RGB')
        eq_(self.run(), report)

    def test_transparency_behind_a_suffix_that_has_none(self):
        clear = photo()
        clear.putalpha(photo().convert('L'))
        self.save('a.png')
        self.save('a.jpg', 'b.jpg', image=clear, format='PNG')
        report = self.run(batch_size=1)
        eq_(files_in(self.out), ['a.jpg.png', 'a.png', 'b.png'])
        eq_(report.failed, [])
        eq_(Image.open(self.out / 'b.png').mode, 'RGBA')
        eq_(Image.open(self.out / 'a.png').mode, 'RGB')
        report = self.run(overwrite=False)
        eq_((report.written, len(report.skipped)), ([], 3))

    def test_a_photo_named_twice_is_done_once(self):
        path = self.save('a.jpg')
        report = self.run([self.input, path, str(path)])
        eq_(report.written, [self.out / 'in' / 'a.jpg'])

    def test_a_file_without_suffix(self):
        path = self.save('a.jpg')
        path.rename(self.input / 'scan')
        eq_(self.run([self.input / 'scan']).written, [self.out / 'scan.png'])


class TestNothingIsLost(InFolder):

    def test_the_output_folder_must_not_be_a_source(self):
        content = self.save('a.jpg').read_bytes()
        for out in self.input, self.input / 'x' / '..':
            with assert_raises(ColornetError) as caught:
                self.run(out=out)
            assert_in('output folder', str(caught.exception))
        eq_((self.input / 'a.jpg').read_bytes(), content)

    def test_a_file_is_not_overwritten_by_its_output(self):
        path = self.save('a.jpg')
        other = self.save('x/b.jpg')
        content = path.read_bytes()
        report = self.run([path, other], out=self.input)
        eq_(report.written,
            [self.input / 'a-coloured.jpg', self.input / 'b.jpg'])
        eq_(path.read_bytes(), content)
        # Again, now with all that is there.
        done = (self.input / 'a-coloured.jpg').read_bytes()
        report = self.run(sorted(self.input.glob('*.jpg')), out=self.input)
        eq_([path.name for path in report.written],
            ['a-coloured.jpg', 'b-coloured.jpg'])
        eq_(path.read_bytes(), content)
        eq_((self.input / 'a-coloured.jpg').read_bytes(), done)

    def test_nor_through_a_link(self):
        path = self.save('a.jpg')
        content = path.read_bytes()
        self.out.symlink_to(self.input)
        eq_(self.run([path]).written, [self.out / 'a-coloured.jpg'])
        eq_(path.read_bytes(), content)
        with assert_raises(ColornetError):
            self.run()

    def test_nor_by_that_of_another(self):
        clear = photo()
        clear.putalpha(9)
        png = self.save('a.png')
        jpg = self.save('x/a.jpg', image=clear, format='PNG')
        content = png.read_bytes()
        # x/a.jpg proves to be transparent, so its output is a.png.
        report = self.run([jpg, self.save('y/b.png'), png], out=self.input)
        eq_(png.read_bytes(), content)
        eq_(report.failed, [])
        eq_([path.name for path in report.written],
            ['a-coloured.jpg.png', 'b.png', 'a-coloured.png'])

    def test_an_output_folder_inside_the_input(self):
        self.save('a.jpg', 'x/b.jpg')
        out = self.input / 'out'
        for _ in range(3):
            report = self.run(out=out)
            eq_(len(report.written), 2)
        eq_(files_in(out), ['a.jpg', 'x/b.jpg'])

    def test_an_output_folder_around_the_input(self):
        self.save('a.jpg')
        eq_(self.run(out=self.folder).written, [self.folder / 'a.jpg'])

    def test_skipping_what_is_there(self):
        self.save('a.jpg', 'b.gif')
        self.out.mkdir()
        (self.out / 'a.jpg').write_bytes(b'kept')
        with mock.patch.object(folders, 'read_photo',
                               side_effect=read_photo) as read:
            report = self.run(overwrite=False)
        eq_(report.skipped, [self.out / 'a.jpg'])
        eq_(report.written, [self.out / 'b.png'])
        eq_(read.call_args_list, [mock.call(self.input / 'b.gif', None)])
        eq_((self.out / 'a.jpg').read_bytes(), b'kept')
        eq_(self.run().skipped, [])
        Image.open(self.out / 'a.jpg')

    def test_interruption_leaves_no_half_file(self):
        self.save('a.png', 'b.png')
        replace = os.replace

        def interrupt_second(partial, path):
            if os.path.basename(path) == 'b.png':
                raise KeyboardInterrupt
            replace(partial, path)

        with mock.patch('os.replace', interrupt_second):
            with assert_raises(KeyboardInterrupt):
                self.run()
        eq_(files_in(self.out), ['a.png'])


class TestStreaming(InFolder):

    def test_batches_are_full(self):
        self.save(*['%d.jpg' % number for number in range(7)])
        (self.input / '1b.jpg').write_text('broken')
        network = mock.Mock(side_effect=warm)
        self.run(network=network, batch_size=3)
        eq_([len(call[0][0]) for call in network.call_args_list], [3, 3, 1])

    def test_large_photos_do_not_wait_for_each_other(self):
        self.save(*['%d.jpg' % number for number in range(4)])
        network = mock.Mock(side_effect=warm)
        pixels = 3 * photo().width * photo().height
        with mock.patch.object(folders, '_BATCH_PIXELS', pixels):
            self.run(network=network, batch_size=8)
        eq_([len(call[0][0]) for call in network.call_args_list], [2, 2])

    def test_the_bar(self):
        self.save('a.jpg')
        for terminal, progress in [(True, True), (True, False),
                                   (False, True)]:
            stream = io.StringIO()
            stream.isatty = lambda: terminal
            with mock.patch('sys.stderr', stream):
                colorize_files(Colorizer(warm, SIZE), [self.input], self.out,
                               overwrite=True, progress=progress)
            eq_('1/1' in stream.getvalue(), terminal and progress)

    def test_without_a_standard_error_stream(self):
        self.save('a.jpg')
        with mock.patch('sys.stderr', None):
            report = colorize_files(Colorizer(warm, SIZE), [self.input],
                                    self.out)
        eq_(len(report.written), 1)

    def test_a_long_run_shows_in_a_log(self):
        self.save(*['%d.png' % number for number in range(21)],
                  image=photo().resize((8, 8)))
        stream = io.StringIO()
        with mock.patch('sys.stderr', stream):
            colorize_files(Colorizer(warm, SIZE), [self.input], self.out)
        assert_in('21/21', stream.getvalue())
        ok_(len(stream.getvalue().split('\r')) < 6)
