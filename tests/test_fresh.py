"""What runs colornet on machines that have less, as far as it needs no root.

``docker/fresh.sh`` makes such machines; ``tools/fetch-python`` fetches a
Python that can train.
"""
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from pathlib import Path
from unittest import SkipTest

from nose.plugins.attrib import attr
from nose.tools import assert_in, eq_, ok_

from tests.tiny import ROOT

SYSTEMS = ['debian-12', 'debian-13', 'ubuntu-22.04', 'ubuntu-24.04']

#: Where uv finds its Pythons, unless a mirror has them.
RELEASES = ('https://github.com/astral-sh/python-build-standalone/releases/'
            'download')


def run(*command, status=0, **options):
    """What the command prints; where `status` is an error's, what is said."""
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **options)
    eq_(done.returncode, status, done)
    return (done.stderr if status else done.stdout).decode()


def fresh(*arguments, folder=ROOT, status=0):
    return run(str(Path(folder) / 'docker' / 'fresh.sh'), *arguments,
               status=status)


def test_packages_of_the_readme():
    lines = fresh('--packages').splitlines()
    eq_([line.split(': ')[0] for line in lines], SYSTEMS)
    for line in lines:
        packages = line.split(': ')[1].split()
        assert_in('make', packages)
        assert_in('python3-venv', packages)
    # Theano compiles.
    for line in lines[0], lines[2]:
        assert_in(' g++ ', line)
        assert_in(' python3-dev ', line)
    eq_(fresh('--packages', 'ubuntu-22.04').splitlines(), lines[2:3])


def test_packages_of_a_version_come_first():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / 'docker').mkdir()
        shutil.copy(str(ROOT / 'docker' / 'fresh.sh'), str(folder / 'docker'))
        readme = folder / 'README.rst'
        readme.write_text('On (Debian, Ubuntu: ``apt-get install a\nb``), on '
                          '(Debian 13 and Ubuntu 24.04:\n``apt-get install '
                          'c``), and (Ubuntu 20.04: ``apt-get install d``).')
        eq_(fresh('--packages', folder=folder).splitlines(),
            ['debian-12: a b', 'debian-13: c', 'ubuntu-22.04: a b',
             'ubuntu-24.04: c'])
        readme.write_text('Install ``make``.')
        eq_(fresh('--packages', folder=folder, status=2),
            'docker/fresh.sh: README.rst names no packages for debian-12\n')


def test_systems_and_options_that_there_are_not():
    for word, message in [('debian-11', "there is no system 'debian-11'"),
                          ('--test', "there is no option '--test'")]:
        line, = fresh(word, status=2).splitlines()
        assert_in(message, line)


def test_scripts_are_of_the_shell():
    for path in sorted((ROOT / 'docker').glob('*.sh')):
        run('bash', '-n', str(path))


def check_broken(program, text, step):
    """A program that fails makes a step fail, and the whole."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        shutil.copytree(str(ROOT / 'docker'), str(folder / 'docker'))
        (folder / 'README.rst').write_text('Debian: ``apt-get install a``')
        (folder / 'bin').mkdir()
        stand_ins = {
            'id': 'echo 0', 'unshare': 'exit 0', 'chown': 'exit 0',
            'git': '[ $1 != archive ] || exec tar -cT /dev/null; echo 1234',
            # Of what is copied into a root.
            'mmdebstrap': 'cd "${4%/*}"; mkdir -p etc/dpkg/dpkg.cfg.d; '
                          'exec tar -cf "$4" etc'}
        stand_ins[program] = text
        for name, line in stand_ins.items():
            path = folder / 'bin' / name
            path.write_text('#!/bin/sh\n%s\n' % line)
            path.chmod(0o755)
        done = subprocess.run(
            [str(folder / 'docker' / 'fresh.sh'), '--demo', 'debian-12'],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
            env={'PATH': '%s:/usr/bin:/bin' % (folder / 'bin'),
                 'TMPDIR': str(folder)}, universal_newlines=True)
        if step:
            assert_in('FAILED debian-12: %s (' % step, done.stdout)
            assert_in('nothing works', done.stdout)
        eq_(done.returncode, bool(step), done.stdout)


def test_each_command_of_a_step_counts():
    broken = 'echo nothing works >&2; exit 1'
    yield check_broken, 'chown', 'exit 0', None
    for program, step in (('mmdebstrap', 'a minimal root'),
                          ('chown', 'the checkout'),
                          ('cp', 'the checkout'),
                          ('unshare', 'apt-get install a')):
        yield check_broken, program, broken, step
    for program, text in (
            ('tar', 'case $* in *-x*) %s ;; esac; exec /bin/tar "$@"'),
            ('git', '[ $1 != archive ] || { %s; }; echo 1234')):
        yield check_broken, program, text % broken, 'the checkout'


class TestFetchPython:

    def setup(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name)
        self.into = self.folder / 'a folder'

    setup_method = setup

    def teardown(self):
        self.temporary.cleanup()

    teardown_method = teardown

    def add_program(self, name, text):
        path = self.folder / name
        path.write_text('#!/bin/sh\n' + text)
        path.chmod(0o755)

    def fetch(self, path='/usr/bin:/bin', status=0, **environment):
        return run(str(ROOT / 'tools' / 'fetch-python'), str(self.into),
                   status=status,
                   env=dict(environment, HOME=str(self.folder),
                            PATH='%s:%s' % (self.folder, path))).rstrip('\n')

    def test_uv_fetches_once(self):
        self.add_program('uv', '''
            [ "$*" = "python install 3.11" ] || exit 1
            [ "$UV_PYTHON_INSTALL_BIN" = 0 ] || exit 1
            bin="$UV_PYTHON_INSTALL_DIR/cpython-3.11.9-linux/bin"
            mkdir -p "$bin"
            cp "$0" "$bin/python3.11"
        ''')
        expected = str(self.into.resolve() / 'cpython-3.11.9-linux' / 'bin'
                       / 'python3.11')
        eq_(self.fetch(), expected)
        self.add_program('uv', 'exit 1\n')
        eq_(self.fetch(), expected)

    def test_pip_of_a_virtual_environment_installs_uv(self):
        # Debian's Python has no pip of its own.
        self.add_program('python3', r'''
            if [ "$1 $2" = "-m venv" ]; then
                mkdir -p "$3/bin"
                cp "$0" "$3/bin/python"
                exit
            fi
            case "$0 $*" in
                */uv/bin/python\ -m\ pip\ install\ uv) ;;
                *) exit 1 ;;
            esac
            { echo '#!/bin/sh'; echo 'echo it ran; exit 1'; } > "${0%python}uv"
            chmod +x "${0%python}uv"
        ''')
        if shutil.which('uv', path='/usr/bin:/bin'):
            raise SkipTest('uv is installed')
        said = self.fetch(status=2).splitlines()
        ok_(said[0].startswith('Installing uv into '))
        ok_(said[-1].startswith('colornet: uv cannot fetch Python 3.11 ('))
        ok_(said[-1].endswith(': it ran'))

    def test_nothing_that_could_fetch_is_told_in_one_line(self):
        if shutil.which('uv', path='/usr/bin:/bin'):
            raise SkipTest('uv is installed')
        for name in 'python3', 'python':
            self.add_program(name, 'exit 1\n')
        line, = self.fetch(status=2).splitlines()
        assert_in('apt-get install python3-venv', line)

    def test_what_fails_is_told_in_one_line(self):
        self.add_program('uv', 'echo "error: no"; echo "  cause: no way";'
                               'exit 2\n')
        eq_(self.fetch(status=2).splitlines()[1:],
            ['colornet: uv cannot fetch Python 3.11 (%s): cause: no way'
             % (self.into.resolve() / 'log')])

    @attr('slow')
    def test_from_a_mirror(self):
        uv = shutil.which('uv')
        prefix = Path(sys.base_prefix)
        if not uv or sys.version_info[:2] != (3, 11) or prefix == Path('/usr'):
            raise SkipTest('needs uv and a Python 3.11 in a folder of its own')
        name = 'cpython-%d.%d.%d' % sys.version_info[:3]
        mirror = self.folder / 'mirror'
        archive = mirror / '20240107' / (
            name + '+20240107-x86_64-unknown-linux-gnu-'
            'install_only_stripped.tar.gz')
        archive.parent.mkdir(parents=True)
        left_out = {'site-packages', 'test', 'tests', '__pycache__'}
        with tarfile.open(str(archive), 'w:gz', compresslevel=1) as file:
            for part in 'bin', 'include', 'lib':
                file.add(str(prefix / part), 'python/' + part, filter=(
                    lambda member: None if member.name.endswith('.a')
                    or left_out & set(member.name.split('/')) else member))
        # Those that uv knows have checksums.
        known = self.folder / 'known.json'
        known.write_text(json.dumps({name + '-linux-x86_64-gnu': {
            'name': 'cpython', 'arch': {'family': 'x86_64', 'variant': None},
            'os': 'linux', 'libc': 'gnu', 'major': 3, 'minor': 11,
            'patch': sys.version_info[2], 'prerelease': '', 'sha256': None,
            'url': '%s/20240107/%s' % (RELEASES, archive.name.replace(
                '+', '%2B')), 'variant': None, 'build': '20240107'}}))
        python = self.fetch(
            path='%s:/usr/bin:/bin' % Path(uv).parent,
            UV_PYTHON_INSTALL_MIRROR=mirror.as_uri(),
            UV_PYTHON_DOWNLOADS_JSON_URL=str(known))
        ok_(Path(python).resolve().is_relative_to(self.into.resolve()))
        # With what a virtual environment and Theano need.
        headers = run(python, '-c', 'import ensurepip, sysconfig, venv;'
                      'print(sysconfig.get_path("include"))').rstrip('\n')
        ok_(headers != sysconfig.get_path('include'))
        ok_(os.path.exists(os.path.join(headers, 'Python.h')))
