"""What ``colornet video`` takes, writes and prints."""

import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from unittest import mock

from nose.tools import assert_in, assert_not_in, assert_raises, eq_, ok_

from colornet.cli import video
from colornet.errors import ColornetError
from colornet.video.packages import import_package
from tests import tiny
from tests.cli.commands import check_is_refused, run
from tests.video import clips
from tests.video.clips import StandIn, configuration, contents, moving

#: Runs the command line with a network that takes some time.
SLOW = '''
import signal, sys, time
from unittest import mock
from colornet import cli
from tests.video.clips import StandIn, configuration
signal.signal(signal.SIGINT, signal.default_int_handler)
network = StandIn()
def outputs(luminances):
    time.sleep(float(sys.argv[1]) * len(luminances))
    return network(luminances)
with mock.patch('colornet.prediction.engines.load_outputs',
                lambda *arguments: (outputs, configuration(), {})):
    sys.exit(cli.main(sys.argv[2:]))
'''


def start(delay, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, '-c', SLOW, str(delay), 'video'] +
        list(map(str, arguments)), cwd=str(tiny.ROOT),
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, **options)


def test_missing_packages():
    for name, words in ('av', 'package av'), ('cv2', 'opencv-python-headless'):
        with mock.patch.dict(sys.modules, {name: None}):
            with assert_raises(ColornetError) as caught:
                import_package(name)
        assert_in(words, str(caught.exception))
        assert_in("pip install '.[video]'", str(caught.exception))
    with mock.patch.dict(sys.modules, {'av': None}):
        check_is_refused('video needs the package av', 'video', __file__,
                         'out.mp4')


def test_times():
    for text, seconds in [('90', 90), ('1:30', 90), ('1:02:03.5', 3723.5),
                          ('0.04', Fraction(1, 25)), ('00:00:07', 7),
                          ('90:00', 5400), ('99', 99),
                          ('1:59.9', Fraction('119.9'))]:
        eq_(video._seconds(text), Fraction(seconds))
    for text in ['1:', '-3', '1:2:3:4', 'x', '', '1,5', '1:99', '1:60',
                 '0:60:00']:
        check_is_refused('--start', 'video', 'in', 'out', '--start=' + text)


def test_flicker():
    check_is_refused('--data', 'flicker')
    check_is_refused('.csv', 'flicker', '--data', 'x', '--out', 'flicker.txt')
    clips.need_video()
    check_is_refused('none does not exist', 'flicker', '--data', 'none')


def test_values():
    for option in ['--smooth=1', '--smooth=-.1', '--smooth=x', '--every=0',
                   '--crf=64', '--crf=-1', '--borders=x']:
        check_is_refused(option.split('=')[0], 'video', 'in', 'out', option)
    # A digit that is no number.
    for option, words in [('--crf', 'is not from 0 to 63'),
                          ('--every', 'is no positive number'),
                          ('--start', 'is no time')]:
        check_is_refused(words, 'video', 'in', 'out', option, '\xb2')
    for option, words in [('--port', 'is no port'),
                          ('--max-seconds', 'is no number of seconds')]:
        check_is_refused(words, 'serve', option, '\xb2')
    check_is_refused('not allowed with', 'video', 'in', 'out', '--overwrite',
                     '--skip-existing')


class TestVideo(clips.InFolder):

    def setUp(self):
        super().setUp()
        self.out = self.folder / 'out.mp4'

    def run(self, *arguments):
        self.network = StandIn()
        with mock.patch('colornet.prediction.engines.load_outputs',
                        lambda *given: (self.network, configuration(), {})):
            return run('video', *arguments)

    def test_a_film(self):
        source = self.write(sound=True)
        status, out, err = self.run(source, self.out)
        eq_((status, out), (0, '12 frames coloured in %s\n' % self.out))
        assert_in('12/12', err)
        assert_in('frame/s', err)
        eq_(contents(self.out), contents(source))
        eq_(self.network.seen, 13)
        status, out, err = self.run(source, self.out)
        eq_((status, out), (2, ''))
        assert_in('--overwrite replaces it', err)
        for option in '--skip-existing', '--resume':
            status, out, err = self.run(source, self.out, option)
            eq_((status, out), (0, ''))
            assert_in('is there and left', err)
        eq_(self.run(source, self.out, '--overwrite', '-q', '--every', '4',
                     '--smooth', '.5', '--start', '0.2', '--duration', '.2',
                     '--crf', '30', '--no-mark', '--batch-size', '2',
                     '--borders', 'colour', '--tones', 'keep'), (0, '', ''))
        eq_(len(contents(self.out)[0]), 5)
        eq_(self.network.seen, 3)

    def test_pipes(self):
        source = self.write('in.mkv', frames=moving(30), sound=True)
        reader = start(0, '-', '-', '-q', stdin=open(str(source), 'rb'))
        content, err = reader.communicate(timeout=300)
        eq_((reader.returncode, err), (0, b''))
        piped = self.folder / 'piped.mkv'
        piped.write_bytes(content)
        eq_(contents(piped), contents(source))
        check_is_refused('--resume is for files', 'video', '-', 'o.mp4',
                         '--resume')
        check_is_refused('--format is for -', 'video', source, 'o.mp4',
                         '--format', 'mkv')
        check_is_refused('--format is for -', 'video', '-', 'o.mp4',
                         '--format', 'mkv')
        check_is_refused("'avi'", 'video', '-', 'o.avi')
        # A result that is there is left, and the film not even read.
        self.out.write_text('mine')
        eq_(self.run('-', self.out, '--skip-existing'), (
            0, '', 'colornet: note: %s is there and left\n' % self.out))
        eq_(self.run('-', self.out, '--skip-existing', '-q'), (0, '', ''))
        eq_(self.out.read_text(), 'mine')

    def test_refused(self):
        check_is_refused('none.mp4', 'video', self.folder / 'none.mp4',
                         self.out)
        path = self.folder / 'text.mp4'
        path.write_text('no film')
        check_is_refused('cannot read', 'video', path, self.out)
        source = self.write()
        status, out, err = self.run(source, self.folder / 'out.gif')
        eq_(status, 2)
        assert_in('mkv', err)
        with mock.patch('colornet.cli.video.sys') as terminal:
            terminal.stdout.isatty.return_value = True
            check_is_refused('terminal', 'video', source, '-')
        status, out, err = self.run(source, self.out, '--decoding',
                                    'refinement.crf_weight=3')
        eq_(status, 2)
        assert_in('refinement.crf_weight is of the step crf', err)
        status, out, err = self.run(source, self.out, '--start', '9')
        eq_(status, 2)
        assert_in('no frames at second 9 or', err)
        for source_now in source, '-':
            with mock.patch('sys.stdin') as stdin:
                stdin.buffer = open(str(source), 'rb')
                status, out, err = self.run(source_now, self.out, '--start',
                                            '9' * 400, '-q')
                stdin.buffer.close()
            eq_((status, out), (2, ''))
            assert_in('no frames at second 1.00000e+400 or', err)
        eq_(sorted(os.listdir(str(self.folder))), ['in.mp4', 'text.mp4'])

    def test_parts_are_of_one_network(self):
        source = self.write(frames=moving(60))
        folder = self.folder / 'out.mp4.parts'
        networks = [self.folder / name for name in ('a/best.h5', 'b/best.h5')]
        for path in networks:
            path.parent.mkdir()
            path.write_text(str(path))
        weights = self.folder / 'vgg16.pkl'
        weights.write_text('weights')

        def video(network, *arguments, engine='onnx'):
            return self.run(source, self.out, '--engine', engine, '--network',
                            network, *arguments)
        with mock.patch('colornet.video.converting.PART', 24):
            with mock.patch('colornet.video.converting._join',
                            side_effect=ColornetError('no')):
                eq_(video(networks[0])[0], 2)
        ok_((folder / 'state.npz').exists())
        for words, network, options in [
                ('another network: best, SHA-256', networks[1], ()),
                ('another vgg: None', networks[0], ('--vgg', weights)),
                ('another bfloat16: False, now True', networks[0],
                 ('--bfloat16',)),
                ('another device: auto, now cpu', networks[0],
                 ('--device', 'cpu')),
                ('another engine: onnx, now pytorch', networks[0], ())]:
            status, out, err = video(
                network, '--resume', *options,
                engine='pytorch' if 'pytorch' in words else 'onnx')
            eq_((status, out), (2, ''))
            assert_in(words, err)
        networks[0].write_text('trained again')
        status, out, err = video(networks[0], '--resume')
        eq_(status, 2)
        assert_in('another network', err)
        networks[0].write_text(str(networks[0]))
        eq_(video(networks[0], '--resume')[0], 0)
        eq_(self.network.seen, 0)

    def test_interrupted_before_a_part_is_finished(self):
        source = self.write()
        with mock.patch('tests.cli.test_video.StandIn.__call__',
                        side_effect=KeyboardInterrupt):
            status, out, err = self.run(source, self.out, '-q')
        eq_((status, out), (130, ''))
        assert_not_in('--resume', err)
        eq_(os.listdir(str(self.folder)), ['in.mp4'])
        eq_(self.run(source, self.out, '-q'), (0, '', ''))

    def test_interrupted(self):
        source = self.write(frames=moving(400))
        process = start(.02, source, self.out)
        folder = self.folder / 'out.mp4.parts'
        wait_for(lambda: (folder / 'state.npz').exists())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=100)
        eq_(process.returncode, 130)
        assert_in(b'--resume goes on', err)
        assert_not_in(b'Traceback', err)
        eq_(self.run(source, self.out)[0], 2)
        status, out, err = self.run(source, self.out, '--resume')
        eq_((status, out), (0, '400 frames coloured in %s\n' % self.out))
        ok_(self.network.seen < 300)
        eq_(contents(self.out)[0], contents(source)[0])
        eq_(sorted(os.listdir(str(self.folder))), ['in.mp4', 'out.mp4'])


def wait_for(condition, seconds=300):
    end = time.time() + seconds
    while not condition():
        ok_(time.time() < end)
        time.sleep(.05)
