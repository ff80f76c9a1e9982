"""Damaged photos and other files: how they are made and judged."""

import contextlib
import io
import os
import random
import re
import struct
import tempfile
import time
import zlib
from pathlib import Path
from unittest import SkipTest, mock

import numpy as np
from nose.plugins.attrib import attr
from nose.tools import assert_in, eq_, ok_
from PIL import Image

from colornet.engine.available import missing_onnx, missing_theano
from colornet.errors import ColornetError, TheanoMissing
from colornet.video.packages import missing_package
from reliability.mutations import mutate, mutate_text
from reliability.structure import find_fields, find_parts, with_checksums
from tests import tiny
from tests.video.clips import moving, write_clip


def encoded(format, **options):
    stream = io.BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8)).save(
        stream, format, **options)
    return stream.getvalue()


def test_numbers_that_say_how_a_file_is_built():
    for format, at, size, order, value in (
            ('PNG', 16, 4, '>', 8), ('BMP', 22, 4, '<', 6),
            ('GIF', 6, 2, '<', 8)):
        content = encoded(format)
        assert_in((at, size, order), find_fields(content))
        eq_(struct.unpack_from(order + {2: 'H', 4: 'I'}[size], content, at),
            (value,))
    content = encoded('JPEG', exif=b'Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1'
                                   b'\0\0\0\6\0\0\0\0\0\0\0')
    frame = content.index(b'\xff\xc0')
    orientation = content.index(b'\x12\1\3\0')
    for field in (frame + 5, 2, '>'), (orientation + 8, 2, '<'):
        assert_in(field, find_fields(content))
    assert_in((orientation + 4, 4, '<'), find_fields(content))


def test_parts_and_checksums():
    content = encoded('PNG')
    kinds = [content[start + 4:start + 8] for start, _ in
             find_parts(content)]
    eq_(kinds, [b'IHDR', b'IDAT', b'IEND'])
    broken = content[:16] + b'\0\0\0\7' + content[20:]
    whole = with_checksums(broken)
    eq_(whole[29:33], struct.pack('>I', zlib.crc32(broken[12:29])))
    eq_(with_checksums(content), content)


def test_damages_are_drawn_and_can_be_drawn_again():
    for change, content in ((mutate, encoded('PNG')),
                            (mutate_text, b'[data]\nsize = 32\n')):
        found = [change(content, random.Random(number), [content, b'other'])
                 for number in range(200)]
        ok_(content not in found)
        ok_(len(set(found)) > 150, len(set(found)))
        eq_(found, [change(content, random.Random(number),
                           [content, b'other']) for number in range(200)])


class Reads:
    """A reader of what tests want."""

    may = frozenset()

    def __init__(self, read, folder, right=True):
        self.read, self.folder, self.right = read, folder, right

    def is_right(self, result):
        return self.right


def refuse(text):
    def read(path):
        raise ColornetError(text)
    return read


def test_what_is_a_fault():
    from reliability.inputs import try_file
    with tempfile.TemporaryDirectory() as folder:
        path, log = Path(folder, 'file'), Path(folder, 'log')
        path.touch()

        def evaluate(_):
            return eval('1 + 1')  # As a pickle would.

        def write(path):
            path.with_name('canary').touch()

        def touch(path):
            # By what no audit event tells of.
            import h5py
            h5py.File(str(path.with_name('other.h5')), 'w').close()
        for read, right, what, words in (
                (str, True, 'read', ''),
                (str, False, 'fault', 'another result'),
                (refuse('a: b'), True, 'refused', 'a: b'),
                (refuse('a\x1b[31m'), True, 'refused', '\\x1b'),
                (lambda _: 1 / 0, True, 'fault', 'ZeroDivisionError'),
                (lambda _: os.system('true'), True, 'fault', 'os.system'),
                (evaluate, True, 'fault', 'compile'),
                (evaluate, True, 'fault', 'it does exec'),
                (write, True, 'fault', 'it does open'),
                (write, True, 'fault', 'it leaves canary'),
                (touch, True, 'fault', 'it leaves other.h5'),
                (Path.read_bytes, True, 'read', ''),
                (lambda _: os.abort(), True, 'fault', 'status -6'),
                (lambda _: print('a\tb'), True, 'fault', 'a\tb')):
            found = try_file(Reads(read, path.parent, right), path, log)
            eq_(found[0], what, words)
            assert_in(words, found[1])
            eq_({each.name for each in path.parent.iterdir()},
                {'file', 'log'})


def spin(seconds):
    start = time.process_time()
    while time.process_time() < start + seconds:
        pass


def fill(megabytes):
    """Have memory, and use it."""
    return np.ones(megabytes << 20, np.uint8).any()


def test_what_takes_too_much_is_a_fault():
    from reliability import inputs
    with tempfile.TemporaryDirectory() as folder:
        path, log = Path(folder, 'file'), Path(folder, 'log')
        path.write_bytes(b'')
        for read, name, most, words in (
                (lambda _: fill(150), 'MOST_BYTES', 100 << 20,
                 ' bytes, more than 104857600'),
                (lambda _: spin(1.5), 'MOST_SECONDS', 1,
                 '1 seconds, more than 1'),
                (lambda _: time.sleep(60), 'MOST_WAITING', .5, 'it hangs')):
            reader = Reads(read, path.parent)
            with mock.patch.object(inputs, name, most):
                what, reason = inputs.try_file(reader, path, log)
            eq_(what, 'fault', words)
            assert_in(words, reason)
        # Nobody else shall be without memory, whatever a file says.
        reader = Reads(lambda _: bytearray(5 << 30), path.parent)
        what, reason = inputs.try_file(reader, path, log)
        eq_(what, 'fault')
        assert_in('out of memory', reason)
        # What is there before is not the file's.
        kept = np.ones(700 << 20, np.uint8)
        for read in (lambda _: fill(300), lambda _: spin(.1)):
            eq_(inputs.try_file(Reads(read, path.parent), path, log),
                ('read', ''))
        ok_(kept.all())


def test_files_that_are_read_together_may_wait_no_longer():
    from reliability import inputs
    with tempfile.TemporaryDirectory() as folder:
        path, log = Path(folder, 'file'), Path(folder, 'log')
        reader = Reads(lambda _: time.sleep(5), path.parent)
        process = inputs._start(reader, path, log)
        # As if the first ones had taken that long.
        process.started -= inputs.MOST_WAITING
        eq_(inputs._judge(reader, process, set()), ('fault', 'it hangs'))


def test_a_pickle_that_runs_something_is_a_fault():
    from colornet.network import vgg16_weights
    from reliability.inputs import KINDS, try_file
    find_class = vgg16_weights._ArrayUnpickler.find_class

    def find_too_much(unpickler, module, name):
        if (module, name) == ('builtins', 'eval'):
            return eval
        return find_class(unpickler, module, name)
    with tempfile.TemporaryDirectory() as folder:
        reader = KINDS['vgg16'](Path(folder))
        log = Path(folder, 'log')
        canary = Path(folder, 'canary')
        content = (b'cbuiltins\neval\n(S\'open("%s","w")\'\ntR.'
                   % os.fsencode(canary))
        reader.path.write_bytes(content)
        eq_(try_file(reader, reader.path, log)[0], 'refused')
        with mock.patch.object(vgg16_weights._ArrayUnpickler, 'find_class',
                               find_too_much):
            what, reason = try_file(reader, reader.path, log)
        eq_(what, 'fault')
        assert_in('it leaves canary', reason)
        assert_in('it does exec', reason)
        ok_(not canary.exists())


def test_tables_that_are_not_whole():
    from reliability.readers import table_rows
    eq_(table_rows(b'a,b\n1,"2,3"\n\n4,5\r\n'), [
        {'a': '1', 'b': '2,3'}, {'a': '4', 'b': '5'}])
    for content in (b'a,b\n1,2', b'a,b\n1\n', b'a,a\n1,2\n',
                    b'a,b\n1,"2\n3,4"\n', b'a,b\n1,"2\n3,4\n'):
        eq_(table_rows(content), None, content)


def judged(kind, content, wrong):
    """What is said of a file that is read as something else than it is."""
    from reliability.inputs import KINDS, try_file
    with tempfile.TemporaryDirectory() as folder:
        reader = KINDS[kind](Path(folder))
        reader.warm()
        reader.path.write_bytes(content(reader))
        log = Path(folder, 'log')
        eq_(try_file(reader, reader.path, log), ('read', ''))
        read = reader.read
        reader.read = lambda path: wrong(read(path))
        return try_file(reader, reader.path, log)


def test_what_is_half_loaded_is_a_fault():
    for kind in 'log', 'results', 'curves', 'split':
        for wrong in (lambda read: read[:-1], lambda read: read[::-1],
                      lambda read: [], lambda read: read + read[-1:]):
            eq_(judged(kind, lambda reader: reader.seeds[0], wrong),
                ('fault', '#FAULT another result'), kind)
    for kind in 'log', 'results', 'curves':
        def shift(read):
            return [dict(zip(row, list(row.values())[::-1])) for row in read]
        eq_(judged(kind, lambda reader: reader.seeds[0], shift)[0], 'fault')
    eq_(judged('split', lambda reader: reader.seeds[0], lambda read: [
        '/etc/passwd'] + read[1:])[0], 'fault')


def test_films_with_missing_frames_are_faults():
    if missing_package():
        raise SkipTest(missing_package())

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'a.mkv')
        write_clip(path, moving(3))
        content = path.read_bytes()
    eq_(judged('film', lambda reader: reader.seeds[0],
               lambda result: io.BytesIO(content)),
        ('fault', '#FAULT another result'))


def test_a_result_that_is_refused_itself_is_a_fault():
    from reliability.inputs import try_file
    with tempfile.TemporaryDirectory() as folder:
        path, log = Path(folder, 'file'), Path(folder, 'log')
        reader = Reads(str, path.parent)
        reader.is_right = refuse('what was read cannot be read again')
        eq_(try_file(reader, path, log), ('fault', '#FAULT another result'))


def test_an_onnx_file_that_has_others_read_is_a_fault():
    need_onnx()
    tiny.need('onnx')
    import onnx

    from colornet.prediction import onnx_runtime
    from reliability.inputs import KINDS, try_file
    with tempfile.TemporaryDirectory() as folder:
        reader = KINDS['onnx'](Path(folder))
        model = onnx.ModelProto.FromString(reader.seeds[0])
        constant = max(model.graph.initializer,
                       key=lambda each: len(each.raw_data))
        constant.data_location = 1
        for key, value in (('location', 'secret'),
                           ('length', '%d' % len(constant.raw_data))):
            constant.external_data.add(key=key, value=value)
        constant.ClearField('raw_data')
        reader.path.write_bytes(model.SerializeToString())
        log = Path(folder, 'log')
        eq_(try_file(reader, reader.path, log)[0], 'refused')
        # As it was: a path, at which nobody looked.
        start = onnx_runtime.start_session

        def start_as_before(model, source, num_threads):
            return start(str(source), source, num_threads)
        with mock.patch.object(onnx_runtime, 'start_session',
                               start_as_before), mock.patch.object(
                onnx_runtime, 'has_external_data', lambda _: False):
            eq_(try_file(reader, reader.path, log),
                ('fault', '#FAULT another result'))


def test_requests_that_are_less_than_they_say():
    from reliability.readers import is_short
    post = b'POST / HTTP/1.1\r\n%s\r\n\r\n'
    for content, expected in (
            (b'', True), (b'GET / HTTP/1.1\r\nHost: a\r\n', True),
            (post % b'Host: a', False), (b'\r\n' + post % b'a: b', False),
            (post % b'content-length: 3' + b'ab', True),
            (post % b'Content-Length:3' + b'abc', False),
            (post % b'Transfer-Encoding: chunked' + b'1\r\na\r\n', True),
            (post % b'Transfer-Encoding: chunked' + b'0\r\n\r\n', False)):
        eq_(is_short(content), expected, content)


def test_whole_requests_without_an_answer_are_faults():
    tiny.need('flask', 'waitress')
    from reliability import readers
    with tempfile.TemporaryDirectory() as folder:
        reader = readers.READERS['request'](Path(folder))
        whole, short = reader.seeds[0], reader.seeds[0][:-2]
        for content, answer, is_open, expected in (
                (whole, b'', True, False), (whole, b'', False, False),
                (short, b'', True, True), (short, b'', False, False),
                (whole, b'HTTP/1.1 200 OK\r\n\r\n', False, True)):
            eq_(reader.is_right((content, answer, is_open)), expected)
        for content in whole, short:
            reader.path.write_bytes(content)
            eq_(reader.read(reader.path)[2], content is short)


def need_onnx():
    if missing_onnx():
        raise SkipTest(missing_onnx())


def run(main, *arguments):
    """The status and what a script prints, in a process of its own."""
    import subprocess
    import sys
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, '-m', main, '--keep', folder, *arguments],
            cwd=str(tiny.ROOT), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, universal_newlines=True)
    return done.returncode, done.stdout + done.stderr


@attr('slow')
def test_damaged_photos():
    need_onnx()
    status, printed = run('reliability.photos', '--files', '100', '--fast',
                          '--seed', '7')
    eq_(status, 0, printed)
    assert_in('100 files, 0 faults', printed)


@attr('slow')
def test_damaged_inputs():
    need_onnx()
    tiny.need('flask', 'waitress')
    status, printed = run('reliability.inputs', '--files', '10', '--seed',
                          '7')
    eq_(status, 0, printed)
    eq_(len(re.findall(r'^\S+ +10 ', printed, re.MULTILINE)),
        14 - bool(missing_theano()) - bool(missing_package()), printed)
    eq_('function       not tried' in printed, bool(missing_theano()),
        printed)


def test_without_theano_all_but_compiled_functions_are_tried():
    from reliability import inputs

    def make(folder):
        raise TheanoMissing('this', 'which is not here')
    kinds = {'function': make, 'split': inputs.KINDS['split']}
    for arguments, status, words in (
            ([], 0, ['split                3', 'function       not tried: '
                     'this needs Theano, which is not here']),
            (['--kind', 'function'], 2, ['error: this needs Theano'])):
        with mock.patch.object(inputs, 'KINDS', kinds), mock.patch.object(
                inputs, 'take_environment'), mock.patch.dict(os.environ), \
                contextlib.redirect_stdout(io.StringIO()) as printed, \
                contextlib.redirect_stderr(printed):
            eq_(inputs.main(['--files', '3', *arguments]), status)
        for line in words:
            assert_in(line, printed.getvalue())


def test_the_most_that_files_took_is_told():
    from reliability import inputs
    from reliability.readers import Reader

    class Takes(Reader):
        def make(self):
            self.contents = iter([b'fill', b'spin', b'sleep', b''])
            return [b'']

        def mutate(self, chance):
            return next(self.contents)

        def read(self, path):
            what = path.read_bytes()
            return (what == b'fill' and fill(150) or
                    what == b'spin' and spin(1.2) or
                    what == b'sleep' and time.sleep(4))

        def is_right(self, result):
            return True
    with mock.patch.object(inputs, 'KINDS', {'takes': Takes}), \
            mock.patch.object(inputs, 'take_environment'), \
            mock.patch.dict(os.environ), contextlib.redirect_stdout(
                io.StringIO()) as printed, contextlib.redirect_stderr(
                    io.StringIO()):
        eq_(inputs.main(['--files', '4']), 0)
    line = printed.getvalue().splitlines()[1]
    found = re.fullmatch(r'takes +4 +4 +0 +0 +(\d+) +([.\d]+) s +([.\d]+) s',
                         line)
    ok_(found, line)
    megabytes, computing, waited = map(float, found.groups())
    ok_(150 <= megabytes < 500, line)
    ok_(1.2 <= computing < 4 <= waited, line)
