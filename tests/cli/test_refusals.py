"""What ``colornet colorize`` refuses or cannot do: a true line for each."""

import errno
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
from nose.tools import assert_in, eq_, ok_

from colornet.errors import ColornetError
from colornet.photos.colorizer import Colorizer
from colornet.photos.folders import Steps
from tests import tiny
from tests.cli.commands import check_is_refused, run
from tests.cli.test_colorize import GREY
from tests.photos.samples import InFolder, grey, photo


class TestRefusals(InFolder):

    def setUp(self):
        super().setUp()
        self.grey = self.saved(grey(), 'grey.png')
        self.out = self.folder / 'out'

    def colorize(self, *arguments):
        """With a network that leaves photos grey."""
        colorizer = Colorizer(lambda luminance: np.zeros(
            luminance.shape + (2,), np.float32), 8)
        with mock.patch('colornet.api.load_colorizer',
                        lambda *arguments: colorizer):
            return run('colorize', *arguments)

    def check_refused(self, words, *arguments):
        before = sorted(self.folder.rglob('*'))
        status, out, err = self.colorize(*arguments)
        eq_((status, out, len(err.splitlines())), (2, '', 1), err)
        assert_in(words, err)
        eq_(sorted(self.folder.rglob('*')), before)

    def test_settings_that_do_nothing(self):
        self.check_refused(
            'refinement.crf_weight is of the step crf', self.grey, '-o',
            self.out, '--decoding', 'refinement.crf_weight=3')
        self.check_refused(
            'refinement.steps=crf does nothing: refinement is none', self.grey,
            '-o', self.out, '--refinement=none', '--decoding',
            'refinement.steps=crf')
        for out, more, of in ((self.out, ['--format=png'], 'png'),
                              (self.folder / 'a.TIF', [], 'TIF'),
                              ('-', ['--format=bmp'], 'bmp')):
            self.check_refused(
                '--quality is of JPEG and WebP, and not of %s\n' % of,
                self.grey, '-o', out, '--quality=90', *more)
        self.check_refused('--keep-times is for files', self.grey, '-o', '-',
                           '--keep-times')
        for more in (['--decoding', 'saturation=2'], [
                '--quality=90', '--format=jpg'], [
                '--refinement=none', '--decoding', 'refinement.steps=none']):
            status, _, err = self.colorize(self.grey, '-o', self.out,
                                           '--overwrite', *more)
            eq_((status, err), (0, ''))

    def test_what_is_given_twice(self):
        """One of the two would do nothing."""
        for words, *arguments in (
                ('-o/--out: given twice, as - and x.png', '-o', '-', '--out',
                 'x.png'),
                ('--format: given twice, as jpg and png', '--format=jpg',
                 '--format=png'),
                ('--hints: 1,1=red and 1, 1=blue contradict', '--hints',
                 '1,1=red', '--hints=1,2=red', '--hints', '1, 1=blue'),
                ('--hints: 5,5=red and 5.0,05=blue contradict',
                 '--hints=5,5=red', '--hints=5.0,05=blue'),
                ('--decoding: saturation=2 and decoding.saturation=1 contra',
                 '--decoding=saturation=2',
                 '--decoding=decoding.saturation=1')):
            check_is_refused(words, 'colorize', self.grey, *arguments)
            ok_(not Path('x.png').exists())
        for once, again in (
                ('--out=%s' % self.out, '-o%s' % self.out),
                ('--hints=1,1=#C04020', '--hints=1.0, 1 = #c04020'),
                ('--hints=1,1=red', '--hints=1,2=blue'),
                ('--decoding=saturation=1', '--decoding=saturation= 1.0'),
                ('--decoding=method=mean',
                 '--decoding=decoding.method = mean')):
            status, _, err = self.colorize(self.grey, once, again, '-o',
                                           self.out, '--overwrite')
            eq_((status, err), (0, ''))

    def test_what_results_cannot_go_to(self):
        (self.folder / 'full.png').symlink_to('/dev/full')
        text = self.written('notes.txt', b'text')
        (self.folder / 'link').symlink_to('nowhere')
        for out, words in (
                ('/dev/null', 'neither a folder nor a photo; -o -'),
                ('/dev/full', 'neither a folder nor a photo; -o -'),
                (text, 'notes.txt is no folder, and not named as a photo'),
                (self.folder / 'link', 'link is no folder'),
                (self.folder / 'a.gif', 'unknown suffix ".gif" of the output'),
                (self.folder / 'a.NEF', 'unknown suffix ".NEF" of the output'),
                (self.folder / 'full.png', 'not a regular file'),
                (text / 'a.png', 'notes.txt is no folder')):
            for more in [], ['--overwrite']:
                self.check_refused(words, self.grey, '-o', out, *more)

    def test_hints_that_are_no_place(self):
        for hint in '--hints=-1,5=red', '--hints -1,5=red', '--hint -1,5=red':
            self.check_refused("not '-1,5=red'", self.grey, *hint.split(),
                               '-o', self.out)

    def test_a_full_standard_output(self):
        with open('/dev/full', 'wb') as full:
            done = subprocess.run(
                [sys.executable, '-c', GREY, 'colorize', str(self.grey), '-o',
                 '-'], cwd=str(tiny.ROOT), stdout=full,
                stderr=subprocess.PIPE, universal_newlines=True)
        eq_((done.returncode, done.stderr), (
            2, 'colornet: error: cannot write to the standard output: No '
               'space left on device\n'))

    def test_photos_that_are_missing(self):
        names = [str(self.folder / name) for name in ('a.png', 'b.png')]
        entries = [{'source': name, 'status': 'failed',
                    'reason': 'no such file or directory'} for name in names]
        for more in [], [self.grey]:
            status, out, err = self.colorize(*names, *more, '--json', '-o',
                                             self.out)
            eq_(status, 1 if more else 2)
            eq_([json.loads(line) for line in out.splitlines()][:2], entries)
            for name in names:
                assert_in('failed: %s: no such file' % name, err)
            ok_(self.out.exists() == bool(more))
        status, out, err = self.colorize(names[0], '--json')
        eq_((status, [json.loads(out)]), (2, entries[:1]))
        eq_(err, 'colornet: error: %s does not exist\n' % names[0])
        status, out, err = self.colorize(*names, '-q')
        eq_((status, out, len(err.splitlines())), (2, '', 2))

    def test_photos_that_nobody_can_see(self):
        text = self.written('notes.txt', b'text')
        long = str(self.folder / ('n' * 300 + '.jpg'))
        for source, words in ((text / 'x.jpg', 'not a directory'),
                              (long, 'file name too long')):
            self.check_refused('%s: %s\n' % (source, words), source)
            status, out, err = self.colorize(source, self.grey, '-o',
                                             self.out, '--overwrite')
            eq_(status, 1)
            assert_in('failed: %s: %s' % (source, words), err)
            status, out, err = self.colorize(source, source)
            eq_(err.count('failed: %s: %s' % (source, words)), 2)
        denied = PermissionError(errno.EACCES, 'Permission denied')
        with mock.patch('os.lstat', side_effect=denied):
            status, _, err = self.colorize(self.grey)
        eq_((status, err), (2, 'colornet: error: %s: permission denied\n'
                            % self.grey))

    def test_options_that_are_wrong_before_a_network_is_loaded(self):
        result = self.saved(photo(), 'there.png')
        for words, *arguments in (
                ('--out is empty', '-o', ''),
                ('--hints is for one photo', '--watch', '--hints=5,5=red'),
                ('unknown suffix ".gif"', '--watch', '--format=gif'),
                ('quality must be 1 to 100, not 0', '--quality=0'),
                ('quality must', '-o', result, '--skip-existing',
                 '--quality=101'),
                ('contradict', '-o', result, '--skip-existing',
                 '--format=jpg')):
            with mock.patch('colornet.api.load_colorizer') as load, \
                    mock.patch('colornet.flow.watching.watch_files'):
                status, out, err = run('colorize', self.grey, *arguments)
            eq_((status, out, len(err.splitlines())), (2, '', 1), err)
            assert_in(words, err)
            ok_(not load.called, words)

    def test_hints_for_a_photo_that_keeps_its_colours(self):
        colour = self.saved(photo(), 'colour.png')
        stdin = io.TextIOWrapper(io.BytesIO(colour.read_bytes()))
        for source, out, more in (
                (colour, self.out, []), (colour, self.out, ['--format=bmp']),
                ('-', self.folder / 'a.png', []),
                ('-', self.folder / 'a.jpg', [])):
            stdin.seek(0)
            with mock.patch('sys.stdin', stdin):
                status, _, err = self.colorize(
                    source, '-o', out, '--colour=keep', '--overwrite',
                    '--hints=5,5=red', *more)
            eq_(status, 0)
            eq_(err.count('keeps its colours, hints are not used: '), 1, err)
        _, _, err = self.colorize(self.grey, '-o', self.out, '--colour=keep',
                                  '--hints=5,5=red')
        eq_(err, '')

    def test_what_ends_it_when_a_part_is_done(self):
        folder = self.folder / 'photos'
        folder.mkdir()
        for name in 'a.png', 'b.png':
            grey().save(folder / name)
        write = Steps.write
        for fault, words in (
                (OSError(errno.ENOSPC, 'No space left on device'),
                 'No space left on device'),
                (ColornetError('cannot write b.png: no space left'),
                 'cannot write b.png: no space left')):
            for first, expected in ('b.png', 1), ('a.png', 2):
                def write_some(steps, job, chroma):
                    if job.source.name >= first:
                        raise fault
                    write(steps, job, chroma)
                shutil.rmtree(self.out, ignore_errors=True)
                with mock.patch.object(Steps, 'write', write_some):
                    status, out, err = self.colorize(
                        folder, '-o', self.out, '--batch-size=1', '--json')
                eq_(status, expected, err)
                *_, counted, last = err.splitlines()
                assert_in(words, last)
                # Each photo has a line; the second may have been begun.
                entries = {Path(entry['source']).name: entry for entry in
                           map(json.loads, out.splitlines())}
                eq_(sorted(entries), ['a.png', 'b.png'])
                eq_(entries[first]['status'], 'failed')
                assert_in(words, entries[first]['reason'])
                statuses = [entry['status'] for entry in entries.values()]
                undone = statuses.count('not done')
                eq_(counted, '%d coloured in %s, %d failed%s' % (
                    statuses.count('written'), self.out,
                    statuses.count('failed'),
                    ', 1 not done' if undone else ''))

    def test_what_a_full_disk_leaves(self):
        folder = self.folder / 'photos'
        folder.mkdir()
        for number in range(9):
            grey().save(folder / ('%d.png' % number))
        full = OSError(errno.ENOSPC, 'No space left on device')
        with mock.patch('colornet.photos.folders.write_photo',
                        side_effect=full):
            status, out, err = self.colorize(
                folder, '-o', self.out, '--batch-size=1', '--json')
            _, _, one = self.colorize(folder / '0.png', '-o',
                                      self.folder / 'one.png')
        eq_(status, 2)
        entries = [json.loads(line) for line in out.splitlines()]
        eq_([Path(entry['source']).name for entry in entries],
            ['%d.png' % number for number in range(9)])
        eq_(entries[0]['reason'], 'cannot write %s: no space left on device'
            % (self.out / '0.png'))
        eq_(entries[-1], {'source': str(folder / '8.png'),
                          'status': 'not done'})
        eq_(err.count('/0.png: '), 1)  # Which ended all.
        assert_in(' not done\n', err)
        eq_(one, 'colornet: error: cannot write %s: no space left on device\n'
            % (self.folder / 'one.png'))

    def test_without_photos_no_network_is_loaded(self):
        folder = self.folder / 'empty'
        folder.mkdir()
        with mock.patch('colornet.api.load_colorizer') as load:
            status, _, err = run('colorize', folder, '-o', self.out)
        eq_((status, load.called), (2, False))
        assert_in('no photos (.3fr', err)

    def test_links_to_nothing(self):
        for name in 'lost', 'lost.png', 'folder/lost':
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.symlink_to('nowhere')
            status, _, err = self.colorize(
                path.parent if 'folder' in name else path, '-o', self.out)
            eq_(status, 2)
            assert_in('%s: link to nothing\n' % path, err)
            ok_('folder (' not in err, err)


def test_photos_that_are_no_networks():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'grey.jpg')
        grey().save(path)
        for option, words in (
                ('--network', 'grey.jpg is no HDF5 file, as trained networks'),
                ('--vgg', "weights are a pickle or HDF5, and this is "
                 'neither')):
            status, out, err = run('colorize', path, '-o',
                                   Path(folder, 'out'), option, path)
            eq_((status, out, len(err.splitlines())), (2, '', 1), err)
            assert_in(words, err)
            eq_(os.listdir(folder), ['grey.jpg'])


def test_choices_are_those_of_the_interface_in_python():
    """Options are called the same and take the same, wherever they are."""
    from dataclasses import fields

    from colornet.cli.program import _make_parser
    from colornet.photos.options import Options
    actions = {action.dest: action for action in
               _make_parser()[1]['colorize']._actions}
    ok_(set(actions) >= {field.name for field in fields(Options)} | {
        'borders', 'tones', 'network', 'decoding', 'vgg', 'engine', 'device',
        'bfloat16'})
    for name, action in actions.items():
        named = {option.lstrip('-').replace('-', '_')
                 for option in action.option_strings}
        ok_(not named or named & {name, 'no_' + name, 'o', 'h'}, name)
        for choice in action.choices or ():
            if name in ('borders', 'tones'):
                Colorizer(None, **{name: choice})
            elif name not in ('engine', 'device'):
                Options(**{name: choice})
