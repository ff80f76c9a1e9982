"""What ``docker/bundle.sh`` packs, as far as nothing must be packed.

``docker/bundle.sh --check`` runs a whole bundle.
"""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from unittest import SkipTest

from nose.tools import assert_in, eq_, ok_

from tests.tiny import ROOT

#: Stands for a bundle's Python.
PYTHON = '''#!/bin/sh
printf '%s\\n' "$LD_LIBRARY_PATH" "$CPATH" "$PYTHONPATH" "$*"
'''


def run(*command, status=0, **environment):
    """Lines that the command prints; with an error, what is said of it."""
    done = subprocess.run(
        [str(word) for word in command], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=dict(os.environ, **environment))
    eq_(done.returncode, status, done)
    return (done.stderr if status else done.stdout).decode().splitlines()


class TestBundle:

    def setup(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name).resolve() / 'of a host'
        self.bundle = self.folder / 'colornet'
        bin_folder = self.bundle / 'python' / 'bin'
        bin_folder.mkdir(parents=True)
        self.add_program(bin_folder / 'python3.11', PYTHON)
        shutil.copy(str(ROOT / 'docker' / 'bundle_run.sh'),
                    str(self.bundle / 'run.sh'))
        (self.bundle / 'lib').mkdir()
        self.programs = self.folder / 'bin'
        self.programs.mkdir()
        self.add_program(self.programs / 'g++', '#!/bin/sh\n')

    setup_method = setup

    def teardown(self):
        self.temporary.cleanup()

    teardown_method = teardown

    def add_program(self, path, text):
        path.write_text(text)
        path.chmod(0o755)

    def start(self, *arguments, **changes):
        return run(self.bundle / 'run.sh', *arguments, **dict({
            'PATH': '%s:/usr/bin:/bin' % self.programs,
            'LD_LIBRARY_PATH': ''}, **changes))

    def test_arguments_and_folders(self):
        libraries, headers, modules, arguments = self.start('info', CPATH='a')
        eq_(libraries.split(':')[:2], [str(self.bundle / 'links'),
                                       str(self.bundle / 'python' / 'lib')])
        eq_(headers, '%s:a' % (self.bundle / 'python' / 'include'))
        eq_(modules, '%s:%s' % (
            self.bundle / 'app', self.bundle / 'packages' / 'lib' /
            'python3.11' / 'site-packages'))
        eq_(arguments, '-P -m colornet info')
        eq_(self.start('python', '-c', 'x')[3], '-c x')

    def test_links_to_libraries_of_the_host(self):
        cuda = self.folder / 'cuda'
        cuda.mkdir()
        for name in 'libnvrtc.so.13', 'libcublas.so.13', 'libcublas.so':
            (cuda / name).touch()
        lacking = self.bundle / 'lib' / 'libnosuch.so.1'
        (self.bundle / 'lib' / 'libc.so.6').touch()
        lacking.touch()
        libraries = self.start(LD_LIBRARY_PATH=str(cuda))[0].split(':')
        links = self.bundle / 'links'
        eq_(os.readlink(str(links / 'libnvrtc.so')),
            str(cuda / 'libnvrtc.so.13'))
        eq_(os.readlink(str(links / 'libcublas.so')),
            str(cuda / 'libcublas.so.13'))
        eq_(os.readlink(str(links / 'libnosuch.so.1')), str(lacking))
        ok_(not (links / 'libc.so.6').exists())
        assert_in(str(cuda), libraries[2:])
        # Found once.
        eq_(self.start()[0].split(':'), libraries[:-1])

    def test_the_drivers_own_library(self):
        """A host has CUDA's "compat", too: of another driver."""
        compat, driver, other = (self.folder / name for name in (
            'compat', 'driver', 'other'))
        for folder in compat, driver, other:
            folder.mkdir()
            (folder / 'libcuda.so.1').touch()
        self.add_program(self.programs / 'ldconfig', ''.join(
            ['#!/bin/sh\n'] + [
                'echo "\tlibcuda.so.1 (libc6,x86-64) => %s/libcuda.so.1"\n'
                % folder for folder in (compat, driver)]))
        link = self.bundle / 'links' / 'libcuda.so'
        self.start()
        eq_(os.readlink(str(link)), str(driver / 'libcuda.so.1'))
        # What is named comes before all.
        shutil.rmtree(str(link.parent))
        self.start(LD_LIBRARY_PATH=str(other))
        eq_(os.readlink(str(link)), str(other / 'libcuda.so.1'))

    def test_without_a_compiler(self):
        (self.programs / 'g++').unlink()
        for name in 'sh', 'dirname':
            (self.programs / name).symlink_to(shutil.which(name))
        line, = run(self.bundle / 'run.sh', 'info', status=2,
                    PATH=str(self.programs))
        assert_in('no C++ compiler', line)

    def test_parts_are_checked_and_joined(self):
        if not shutil.which('xz'):
            raise SkipTest('needs xz')
        parts = self.folder / 'parts'
        parts.mkdir()
        shutil.copy(str(ROOT / 'docker' / 'bundle_unpack.sh'),
                    str(parts / 'unpack.sh'))
        subprocess.check_call(
            'tar -c colornet | xz | split -b 1k - parts/colornet.tar.xz. && '
            'cd parts && sha256sum colornet.tar.xz.* > SHA256SUMS',
            shell=True, cwd=str(self.folder))
        ok_(len(list(parts.glob('colornet.tar.xz.*'))) > 1)
        unpack = parts / 'unpack.sh'
        environment = {'PATH': '%s:/usr/bin:/bin' % self.programs}
        to = self.folder / 'unpacked'
        eq_(run('sh', unpack, to, **environment)[3], '-P -m colornet '
            '--version')
        line, = run('sh', unpack, to, status=2, **environment)
        assert_in('is there already', line)
        with open(str(parts / 'colornet.tar.xz.aa'), 'ab') as file:
            file.write(b'x')
        lines = run('sh', unpack, self.folder / 'more', status=2,
                    **environment)
        assert_in('missing or damaged', lines[-1])


def test_options_of_bundle():
    for arguments, words in [
            ([], 'name a folder'), (['--part-size', 'x', 'y'], 'number'),
            (['--part-size'], 'needs a value'), (['--parts'], 'no option')]:
        line, = run(ROOT / 'docker' / 'bundle.sh', *arguments, status=2)
        assert_in(words, line)
