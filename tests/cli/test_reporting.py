"""What ``colornet colorize`` says in the end of photos."""

import contextlib
import io
from unittest import mock

import numpy as np
from nose.tools import assert_in, eq_

from colornet.cli.reporting import print_report
from colornet.photos.colorizer import Colorizer
from colornet.photos.report import Report
from tests.cli.commands import run
from tests.photos.samples import InFolder, grey


def leave_grey(luminance):
    return np.zeros(luminance.shape + (2,), np.float32)


class TestReports(InFolder):

    def colorize(self, *arguments, network=leave_grey):
        with mock.patch('colornet.api.load_colorizer',
                        lambda *arguments: Colorizer(network, 8)):
            return run('colorize', *arguments, '--batch-size=1')

    def test_an_interruption_names_those_that_memory_was_short_for(self):
        names = [self.saved(grey(), name) for name in ('a.png', 'b.png')]
        status, out, err = self.colorize(
            *names, '-o', self.folder / 'out', network=mock.Mock(
                side_effect=[MemoryError, KeyboardInterrupt]))
        eq_((status, err), (130, 'colornet: failed: %s: out of memory\n'
                            'colornet: interrupted\n' % names[0]))
        assert_in('0 coloured', out)

    def test_only_what_ended_all_has_no_line(self):
        for names, expected in ('a', ''), ('ab', 'ab'):
            report = Report(failed=[(name, 'full') for name in names] +
                            [('c', 'no photo')])
            with contextlib.redirect_stderr(io.StringIO()) as err, \
                    contextlib.redirect_stdout(io.StringIO()):
                eq_(print_report(report, 'out', told='full'), 2)
            eq_(err.getvalue(), ''.join(
                'colornet: failed: %s: full\n' % name for name in expected) +
                'colornet: failed: c: no photo\n')

    def test_results_without_a_quality(self):
        """Where each has the format of its photo, none is refused."""
        folder = self.folder / 'photos'
        folder.mkdir()
        for name in 'a.png', 'b.jpg', 'c.png':
            grey().save(folder / name)
        words = 'colornet: note: quality is of JPEG and WebP, and not of PNG: '
        for source, told in (
                (folder, words + '%s, 1 more\n' % (folder / 'a.png')),
                (folder / 'a.png', words + '%s\n' % (folder / 'a.png')),
                (folder / 'b.jpg', '')):
            status, _, err = self.colorize(
                source, '-o', self.folder / 'out', '--quality=90',
                '--overwrite')
            eq_((status, err), (0, told))

    def test_a_stream_without_a_quality(self):
        stream = io.BytesIO()
        grey().save(stream, 'PNG')
        for more, told in ([], True), (['-q'], False):
            with mock.patch('sys.stdin', io.TextIOWrapper(io.BytesIO(
                    stream.getvalue()))), mock.patch(
                        'colornet.flow.pipes._take_stdout',
                        lambda: contextlib.nullcontext(io.BytesIO())):
                status, _, err = self.colorize('-', '-o', '-', '--quality=90',
                                               *more)
            eq_((status, err), (0, 'colornet: note: quality is of JPEG and '
                                'WebP, and not of PNG: -\n' * told))
