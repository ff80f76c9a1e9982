"""Scripts of the images, with stand-ins for the programs that they call."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from nose.tools import assert_in, assert_not_in, eq_, ok_

from tests import tiny

#: Prints its own name and its arguments, a line each.
STAND_IN = '#!/bin/sh\nprintf "%s\\n" "${0##*/}" "$@"\n'


class TestScripts:

    def setup(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.photos = self.folder / 'my "photos", all'
        for name in 'colornet', 'make', 'docker':
            (self.folder / name).write_text(STAND_IN)
            (self.folder / name).chmod(0o755)

    setup_method = setup

    def teardown(self):
        self.temporary.cleanup()

    teardown_method = teardown

    def run(self, *command, status=0, **environment):
        """Lines printed by the program that the script runs in the end.

        Where `status` is that of an error, what is said of it.
        """
        environment = dict(os.environ, PATH='%s:%s' % (
            self.folder, os.environ['PATH']), **environment)
        # Of the make that runs the tests.
        environment.pop('MAKEFLAGS', None)
        done = subprocess.run(command, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=environment,
                              cwd=str(tiny.ROOT))
        eq_(done.returncode, status, done)
        printed = done.stderr if status else done.stdout
        return printed.decode().split('\n')[:-1]

    def test_arguments_are_colornets_unless_it_is_make(self):
        for given, expected in [
                (['colorize', 'a b.jpg', '--out', '/data'],
                 ['colornet', 'colorize', 'a b.jpg', '--out', '/data']),
                (['--help'], ['colornet', '--help']), ([], ['colornet']),
                (['make', 'table2'], ['make', 'table2']),
                (['colornet', 'info'], ['colornet', 'info']),
                (['env', 'A=b', 'make'], ['make']),
                (['/bin/echo', 'x'], ['x']),
                (['sh', '-c', 'echo x'], ['x'])]:
            eq_(self.run('docker/entrypoint.sh', *given,
                         COLORNET_VOLUME=str(self.folder)), expected)

    def test_each_user_has_a_home_of_its_own(self):
        cache = self.folder / 'cache'
        eq_(self.run('docker/entrypoint.sh', 'sh', '-c', 'echo "$HOME"',
                     COLORNET_VOLUME=str(cache)),
            ['%s/%d' % (cache, os.getuid())])
        ok_((cache / str(os.getuid())).is_dir())

    def test_a_volume_that_cannot_be_written_to(self):
        line, = self.run('docker/entrypoint.sh', 'demo', status=2,
                         COLORNET_VOLUME=str(self.folder / 'make'))
        assert_in('cannot write to', line)

    def run_target(self, *arguments, status=0, **changes):
        self.photos.mkdir(exist_ok=True)
        folders = dict.fromkeys(['CVCL', 'EVERYDAY', 'EVERYDAY_TEST',
                                 'GENERAL', 'ILSVRC',
                                 'MCGILL', 'MIRFLICKR'], '/no/such')
        return self.run('docker/run.sh', *arguments, status=status, **dict(
            dict(folders, DOCKER='docker', IMAGE='image',
                 DATA=str(self.photos),
                 RUNS=str(self.folder / 'new' / 'runs')), **changes))

    def test_a_target_runs_with_this_machines_folders(self):
        words = self.run_target('train-folder', 'EPOCHS=2', GPUS='--gpus all')
        eq_(words[:3], ['docker', 'run', '--rm'])
        eq_(words[-6:], ['--gpus', 'all', 'image', 'make', 'train-folder',
                         'EPOCHS=2'])
        real = self.folder.resolve()
        assert_in('type=bind,"source=%s/my ""photos"", all",'
                  'target=/colornet/data/photos,readonly' % real, words)
        assert_in('type=bind,"source=%s/new/runs",target=/colornet/runs'
                  % real, words)
        eq_(len([word for word in words if 'target=' in word]), 2)
        assert_in('%d:%d' % (os.getuid(), os.getgid()), words)

    def test_no_gpus_and_a_program_of_two_words(self):
        words = self.run_target('test', GPUS='', DOCKER='env docker')
        eq_(words[:2], ['docker', 'run'])
        assert_not_in('--gpus', words)

    def test_a_folder_that_was_named_must_be_there(self):
        line, = self.run_target('train-mcgill', GIVEN='DATA MCGILL', status=2)
        eq_(line, "colornet: error: there is no folder '/no/such' (MCGILL)")

    def test_what_cannot_be_is_told_in_one_line(self):
        for changes, words in [
                ({'DOCKER': ''}, 'install Docker'),
                ({'DOCKER': 'no-such-program'}, 'no-such-program'),
                ({'IMAGE': ''}, 'IMAGE'), ({'RUNS': ''}, 'RUNS'),
                ({'RUNS': str(self.folder / 'make')}, 'cannot make')]:
            line, = self.run_target('test', status=2, **changes)
            assert_in(words, line)
        line, = self.run('docker/run.sh', status=2)
        assert_in('make docker-TARGET', line)

    def test_targets_that_no_container_can_run(self):
        for target in 'data-cvcl', 'benchmark-sizes', 'clean', 'docker-test', \
                'lint', 'python', 'train-everyday-gpu':
            line, = self.run_target(target, status=2)
            assert_in('make %s is for this machine' % target, line)

    def test_a_target_of_the_makefile(self):
        self.photos.mkdir()
        words = self.run(
            shutil.which('make'), '--silent', 'docker-train-folder',
            'DATA=%s' % self.photos, 'RUNS=%s' % (self.folder / "it's  new"),
            'EPOCHS=2 `x`', 'SCALE=quick', 'DOCKER=env docker',
            'IMAGE=colornet:cpu')
        eq_(words[:2], ['docker', 'run'])
        eq_(words[-5:], ['colornet:cpu', 'make', 'train-folder',
                         'EPOCHS=2 `x`', 'SCALE=quick'])
        real = self.folder.resolve()
        assert_in('type=bind,"source=%s/my ""photos"", all",'
                  'target=/colornet/data/photos,readonly' % real, words)
        assert_in('type=bind,"source=%s/it\'s  new",target=/colornet/runs'
                  % real, words)
        assert_not_in('--gpus', words)

    def test_the_page_is_for_this_machine(self):
        words = self.run(
            shutil.which('make'), '--silent', 'docker-serve', 'PORT=8080',
            'RUNS=%s' % self.folder, 'IMAGE=colornet:cpu')
        assert_in('127.0.0.1:8080:8000', words)
        eq_(words[words.index('make'):], [
            'make', 'serve', 'EPOCHS=', 'SCALE=quick', 'ADDRESS=0.0.0.0',
            'PORT=8000'])

    def test_settings_of_a_target(self):
        settings = ['EVERYDAY_LIST=nature', 'SCHEDULER=tcp://a b:8786']
        for given in settings, settings[1:], []:
            words = self.run(
                shutil.which('make'), '--silent', 'docker-aggregation',
                'RUNS=%s' % self.folder, *given)
            eq_(words[words.index('make'):],
                ['make', 'aggregation', 'EPOCHS=', 'SCALE=quick'] + given)
