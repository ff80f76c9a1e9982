"""Scripts of the images, with stand-ins for the programs that they call."""

import os
import subprocess
import tempfile
from pathlib import Path

from nose.tools import assert_in, assert_not_in, eq_

import tiny

#: Prints its own name and its arguments, a line each.
STAND_IN = '#!/bin/sh\nprintf "%s\\n" "${0##*/}" "$@"\n'


class TestScripts:

    def setup(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        for name in 'colornet', 'make', 'docker':
            (self.folder / name).write_text(STAND_IN)
            (self.folder / name).chmod(0o755)

    setup_method = setup

    def teardown(self):
        self.temporary.cleanup()

    teardown_method = teardown

    def run(self, script, *arguments, **environment):
        """Lines that the program prints which the script runs in the end."""
        environment = dict(os.environ, PATH='%s:%s' % (
            self.folder, os.environ['PATH']), **environment)
        return subprocess.run(
            [str(tiny.ROOT / 'docker' / script)] + list(arguments), check=True,
            stdout=subprocess.PIPE, env=environment).stdout.decode().split(
                '\n')[:-1]

    def test_arguments_are_colornets_unless_it_is_make(self):
        for given, expected in [
                (['colorize', 'a b.jpg', '--out', '/data'],
                 ['colornet', 'colorize', 'a b.jpg', '--out', '/data']),
                (['--help'], ['colornet', '--help']), ([], ['colornet']),
                (['make', 'table2'], ['make', 'table2']),
                (['sh', '-c', 'echo x'], ['x'])]:
            eq_(self.run('entrypoint.sh', *given), expected)

    def run_target(self, gpus):
        photos = self.folder / 'my photos'
        photos.mkdir(exist_ok=True)
        folders = dict.fromkeys(['CVCL', 'GENERAL', 'ILSVRC', 'MCGILL',
                                 'MIRFLICKR'], '/no/such')
        return self.run('run.sh', 'train-folder', 'EPOCHS=2', DOCKER='docker',
                        IMAGE='image', GPUS=gpus, PHOTOS=str(photos),
                        RUNS=str(self.folder / 'new' / 'runs'), **folders)

    def test_a_target_runs_with_this_machines_folders(self):
        words = self.run_target('--gpus all')
        eq_(words[:3], ['docker', 'run', '--rm'])
        eq_(words[-6:], ['--gpus', 'all', 'image', 'make', 'train-folder',
                         'EPOCHS=2'])
        real = self.folder.resolve()
        assert_in('type=bind,source=%s/my photos,target=/colornet/data/photos,'
                  'readonly' % real, words)
        assert_in('type=bind,source=%s/new/runs,target=/colornet/runs' % real,
                  words)
        eq_(len([word for word in words if 'target=' in word]), 2)
        assert_in('%d:%d' % (os.getuid(), os.getgid()), words)

    def test_no_gpus(self):
        assert_not_in('--gpus', self.run_target(''))
