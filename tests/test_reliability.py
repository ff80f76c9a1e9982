"""Figures for faults: how they are judged, and a quick part of each."""

import contextlib
import io
import json
import tempfile
import time
from pathlib import Path
from unittest import SkipTest, mock

from nose.plugins.attrib import attr
from nose.tools import assert_in, assert_not_in, assert_raises, eq_, ok_
from tqdm import tqdm

from colornet.errors import ColornetError
from reliability import faults, processes, supply, trainings
from reliability.processes import Process, read_marks
from reliability.state import State, read_state, resumed_from
from reliability.trainings import judge
from tests import tiny

#: Five minibatches in an epoch; checkpoints after the first, second, third.
MARKS = [('minibatch', 1.), ('checkpoint', 2.), ('minibatch', 3.),
         ('checkpoint', 4.), ('minibatch', 5.), ('checkpoint', 6.)]


def test_what_was_killed_after_a_checkpoint_lost_nothing():
    lines = ['resuming after 1 epochs and 4 minibatches']
    eq_(judge(State(1, 4), State(2, 2), lines, MARKS, 5, 0.), (0, []))
    eq_(judge(State(1, 4), State(2, 2), lines, MARKS + [('minibatch', 7.)],
              5, 0.), (1, []))
    eq_(judge(State(0, 0), State(0, 0), [], [], 5, 0.), (0, []))


def check_fault(words, *arguments):
    _, found = judge(*arguments)
    eq_(len(found), 1, found)
    assert_in(words, found[0])


def test_what_is_lost_is_told():
    again = MARKS + [('minibatch', 6.1), ('minibatch', 6.2)]
    check_fault('went back', State(1, 4), State(0, 5), [], [], 5, 1.)
    for lines in ['resuming after 1 epochs and 3 minibatches'], []:
        check_fault('it went on from', State(1, 4), State(2, 2), lines,
                    MARKS, 5, 0.)
    check_fault('2 minibatches repeated', State(1, 4), State(2, 2),
                ['resuming after 1 epochs and 4 minibatches'], again, 5, 0.)
    late = [('checkpoint', 0.), ('minibatch', 59.), ('minibatch', 61.),
            ('minibatch', 62.)]
    check_fault('no checkpoint for more than 1', State(0, 0), State(0, 0), [],
                late, 5, 1.)
    eq_(judge(State(0, 0), State(0, 0), [], late[:-1], 5, 1.), (2, []))


class TestProcess:

    def setup(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.log = Path(self.temporary.name, 'log')

    def teardown(self):
        self.temporary.cleanup()

    setup_method, teardown_method = setup, teardown

    def test_a_command_ends_with_its_status(self):
        process = Process(['--version'], self.log)
        ok_(process.wait(60))
        eq_(process.status, 0)
        ok_(process.lines()[0].startswith('colornet '))
        process = Process(['colorize', '/nowhere.jpg'], self.log)
        ok_(process.wait())
        eq_(process.status, 2)
        assert_in('/nowhere.jpg', process.lines()[-1])

    def test_what_a_command_printed_is_there_wherever_it_is_printed(self):
        with open(str(self.log) + '-elsewhere', 'w') as kept, \
                mock.patch('sys.stdout', kept):
            process = Process(['--version'], self.log)
            process.wait()
        ok_(process.lines()[0].startswith('colornet '))

    def test_a_command_is_killed(self):
        def sleep():
            import time
            time.sleep(1000)
        process = Process(['--version'], self.log, before=sleep)
        ok_(not process.wait(0.05))
        process.kill()
        eq_(process.status, -9)

    def test_what_was_printed_before_a_kill_is_there(self):
        def speak():
            print('begun')
            time.sleep(1000)
        process = Process(['--version'], self.log, before=speak)
        while not process.wait(0.05) and not process.lines():
            pass
        process.kill()
        eq_(process.lines(), ['begun'])

    def test_a_command_that_hangs_is_found(self):
        process = Process(['--version'], self.log,
                          before=lambda: time.sleep(1000))
        with mock.patch.object(processes, 'LONGEST', 0.05):
            with assert_raises(ColornetError) as caught:
                process.wait()
        assert_in('hung', str(caught.exception))
        eq_(process.status, -9)

    def test_locks_of_progress_bars_are_not_shared(self):
        tqdm.get_lock()  # There before they are forked.

        def lock():
            tqdm.get_lock().acquire()
            time.sleep(1000)
        process = Process(['--version'], self.log, before=lock)
        ok_(not process.wait(0.2))
        process.kill()
        process = Process(['--version'], self.log,
                          before=lambda: tqdm.write('colornet'))
        ok_(process.wait(20))
        eq_(process.status, 0)

    def test_there_are_no_marks_of_what_did_nothing(self):
        eq_(read_marks(self.log), [])


class Resumed:
    """A training that goes on, whatever its checkpoint was."""

    status = 0

    def __init__(self, run, *lines):
        self.run, self._lines = Path(run), list(lines)

    def start(self):
        return self

    wait = start

    def lines(self):
        return self._lines


def test_a_training_that_begins_anew_is_told_though_it_ends_alike():
    from tests.test_reliability_cluster import write_run
    line = 'resuming after 1 epochs and 2 minibatches'
    eq_(resumed_from(['begun', line]), State(1, 2))
    with tempfile.TemporaryDirectory() as folder:
        def found(kept, *lines):
            return faults.finished(Resumed(folder, *lines), kept, None,
                                   lambda *_: [])
        write_run(Path(folder), 1, 2)
        eq_(read_state(Path(folder)), State(1, 2))
        eq_(found(State(1, 2), line), [])
        eq_(found(State(1, 1), line), [])
        for kept, lines in ((State(1, 2), []), (State(0, 0), [line]),
                            (State(2, 0), [line]),
                            (State(1, 2), [line.replace('1', '0')])):
            eq_(len(found(kept, *lines)), 1, (kept, lines))
        Path(folder, 'last.h5').unlink()
        fault, = found(State(1, 2))
        assert_in('its checkpoint was', fault)


def test_packages_of_each_python():
    packages = supply.list_packages()
    eq_(set(packages['theano', '']), {'3.8', '3.9', '3.10', '3.11'})
    eq_(set(packages['onnxruntime', '']), {'3.12', '3.13'})
    eq_(set(packages['onnxruntime', 'onnx']), {'3.8', '3.9', '3.10', '3.11'})
    eq_(set(packages['pillow', '']), set(supply.PYTHONS))
    ok_(all('any' not in versions.values() for versions in
            packages.values()))


def test_licences():
    assert_in('BSD', supply.licence('numpy'))
    eq_(supply.licence('no-such-package'), '')


def test_what_packages_bring_along_is_listed_once_with_its_licence():
    companions = supply.known_companions()
    eq_(len({companion[:2] for companion in companions}), len(companions))
    named = supply.list_packages()
    for companion in companions:
        first, _, last = companion.pythons.partition(' - ')
        ok_({first, last or first} <= set(supply.PYTHONS), companion)
        ok_(set(companion.extras.split()) <=
            {extra for _, extra in named} | {'Python'}, companion)
        ok_(companion.licence, companion)
    ok_({'werkzeug', 'tornado', 'click', 'msgpack', 'pyyaml', 'urllib3'} <=
        {companion.package for companion in companions})


def package(version, *requires):
    return mock.Mock(version=version, requires=requires)


def test_what_is_installed_but_was_not_looked_up_is_told():
    here = {'flask': package('3.1.3', 'Werkzeug>=3', 'New[more]',
                             'colorama; sys_platform == "no"', 'absent'),
            'werkzeug': package('3.1.3'), 'torch': package('2.13.0+cpu'),
            'new': package('1.0', 'fsspec; extra == "more"',
                           'click; extra == "others"', 'flask'),
            'fsspec': package('2026.9.0'), 'click': package('0.1')}

    def distribution(name):
        if name not in here:
            raise supply.metadata.PackageNotFoundError(name)
        return here[name]
    with mock.patch.object(supply.metadata, 'distribution', distribution):
        eq_(dict(supply.installed(['flask'])), {
            'flask': '3.1.3', 'werkzeug': '3.1.3', 'new': '1.0',
            'fsspec': '2026.9.0'})
        arguments = supply.list_packages(), supply.known_companions()
        eq_(sorted(supply.not_looked_up(*arguments)),
            [('new', '1.0'), ('werkzeug', '3.1.3')])
        status, printed, _ = ask(['--offline'], None, None)
        eq_(status, 1)
        assert_in('NOT LOOKED UP werkzeug 3.1.3\n', printed)
        assert_in(' 2 not looked up, ', printed)
        # Of one that is known, another version.
        del here['new']
        status, printed, _ = ask(['--offline'], None, None)
        eq_(status, 0)
        assert_in('NOT LOOKED UP werkzeug 3.1.3\n', printed)

        def answers(path, question):
            asked.extend(json.loads(question.decode())['queries'])
            return {'results': [{}] * len(asked)}
        asked = []
        status, printed, _ = ask([], answers, None)
        eq_(status, 0)
        assert_in({'package': {'name': 'werkzeug', 'ecosystem': 'PyPI'},
                   'version': '3.1.3'}, asked)
        assert_not_in('NOT LOOKED UP', printed)
        here['werkzeug'].version = '3.1.9'
        eq_(supply.not_looked_up(*arguments), [])


def test_every_advisory_that_is_known_is_of_a_version_that_is_listed():
    versions = {(name, version) for (name, _), found in
                supply.list_packages().items() for version in found.values()}
    versions |= {companion[:2] for companion in supply.known_companions()}
    known = supply.known_advisories()
    for advisory in known:
        ok_(any(supply.touching([advisory], *version)
                for version in versions), advisory)
        ok_(advisory.what and advisory.here, advisory)
    eq_(supply.touching(known, 'pillow', '1000'), [])


def ask(arguments, answers, here=()):
    """What is printed, and the status, where OSV answers so.

    Newer versions than those of the list may be installed meanwhile: tests see
    no others than ``here``, or what is there (None).
    """
    def urlopen(request, timeout):
        answer = answers(request.full_url[len(supply.OSV):], request.data)
        return io.BytesIO(json.dumps(answer).encode())
    printed = io.StringIO()
    with contextlib.ExitStack() as stack:
        if here is not None:
            stack.enter_context(mock.patch.object(
                supply, 'installed', lambda names: dict(here)))
        stack.enter_context(mock.patch('urllib.request.urlopen', urlopen))
        said = stack.enter_context(mock.patch('sys.stderr', io.StringIO()))
        stack.enter_context(contextlib.redirect_stdout(printed))
        status = supply.main(arguments)
    return status, printed.getvalue(), said.getvalue()


def test_advisories_that_nobody_has_judged_are_told():
    def answers(path, question):
        if path.startswith('vulns/'):
            return {'aliases': ['CVE-2026-25990']
                    if path == 'vulns/GHSA-known' else ['CVE-1-2']}
        queries = json.loads(question.decode())['queries']
        return {'results': [
            {'vulns': [{'id': 'GHSA-known'}, {'id': 'GHSA-new'},
                       {'id': 'CVE-2026-40192'}]}
            if query['package']['name'] == 'pillow' and
            query['version'] == '10.4.0' else {} for query in queries]}
    status, printed, said = ask([], answers)
    eq_(status, 1)
    eq_([line for line in printed.splitlines() if 'NOT JUDGED' in line],
        ['NOT JUDGED pillow 10.4.0: GHSA-new'])
    assert_in('OSV was asked', said)


def test_without_the_database_what_is_known_is_listed():
    def unreachable(path, question):
        raise OSError('no network')
    for arguments, answers, words in (
            ([], unreachable, 'no network'), ([], lambda *_: {}, 'nobody'),
            (['--offline'], unreachable, '')):
        status, printed, said = ask(arguments, answers)
        eq_(status, 0)
        assert_in('CVE-2026-25990', printed)
        assert_in(words, said)
        eq_('OSV' in said, bool(words))
    with assert_raises(OSError):
        with mock.patch('urllib.request.urlopen',
                        lambda *_, **__: io.BytesIO(b'<html>')):
            supply.ask_osv([('numpy', '1.0')])


@attr('slow')
def test_trainings_that_are_killed_lose_nothing():
    tiny.need('torch')
    # In a process of its own, as they fork.
    import subprocess
    import sys
    done = subprocess.run(
        [sys.executable, '-m', 'reliability.trainings', '--kills', '5'],
        cwd=str(tiny.ROOT), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        universal_newlines=True)
    eq_(done.returncode, 0, done.stdout + done.stderr)
    assert_in('5 kills in', done.stdout)
    assert_in(', 1 in exports', done.stdout)
    assert_in('two trainings of a folder: the second is refused',
              done.stdout)
    assert_in('\n0 faults\n', done.stdout)
    for name in 'a full disk', 'a read-only folder':
        if '\n%s: not tried' % name in done.stdout:
            raise SkipTest('%s: not tried' % name)
        assert_in('\n%s: it ends in one line and goes on later\n' % name,
                  done.stdout)


def test_other_networks_are_told_apart():
    with tempfile.TemporaryDirectory() as folder:
        from colornet.files import write_text
        from colornet.network.parameters import save_arrays
        runs = []
        for number, value in enumerate((1., 1., 2.)):
            run = Path(folder, '%d' % number)
            progress = {'history': [{'epoch': 1, 'training_loss': 1.,
                                     'seconds': number}],
                        'iteration': 0, 'loss_sum': 0., 'num_images': 0,
                        'seconds': 0.}
            save_arrays(run / 'last.h5', {
                'parameters': {('a', 'W'): [value]},
                'optimizer': {'0000': [1.]}},
                {'progress': json.dumps(progress)})
            save_arrays(run / 'best.h5', {
                'parameters': {('a', 'W'): [1.]}}, {})
            write_text(run / 'losses.csv', 'epoch\n%g\n' % value)
            runs.append(run)
        eq_(trainings.differences(runs[1], runs[0]), [])
        eq_(trainings.differences(runs[2], runs[0]),
            ['last.h5: other parameters', 'other losses.csv'])
