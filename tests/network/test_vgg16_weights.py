"""VGG16's weights, and files that are not VGG16."""

import hashlib
import os
import pathlib
import pickle
import re
import struct
import subprocess
import sys
import tempfile
from collections import OrderedDict

import h5py
import numpy as np
from nose.tools import assert_in, assert_not_in, assert_raises, eq_, ok_
from numpy.testing import assert_allclose, assert_array_equal

from colornet.errors import ColornetError
from colornet.network.vgg16_weights import VGG16_LAYERS, load_vgg16_weights
from tests import tiny

WEIGHTS = tiny.ROOT / 'weights'

#: ImageNet's mean, blue, green and red, as published with VGG16.
MEAN = [103.939, 116.779, 123.68]

#: (array, index, value), from published listings of the ImageNet model.
PUBLISHED = [('conv1_1', 0, (0, 0, 0, 0), 0.42947057),
             ('conv1_1', 1, (25,), 0.7446502),
             ('conv1_2', 0, (63, 63, 2, 2), 0.016082443),
             ('conv2_1', 1, (1,), 0.06440781),
             ('conv4_3', 0, (0, 0, 0, 0), -0.0041355654),
             ('conv4_3', 1, (0,), 0.03757768)]

#: Names and shapes of VGG16's convolutions, written out.
SHAPES = [('conv1_1', (64, 3, 3, 3)), ('conv1_2', (64, 64, 3, 3)),
          ('conv2_1', (128, 64, 3, 3)), ('conv2_2', (128, 128, 3, 3)),
          ('conv3_1', (256, 128, 3, 3)), ('conv3_2', (256, 256, 3, 3)),
          ('conv3_3', (256, 256, 3, 3)), ('conv4_1', (512, 256, 3, 3)),
          ('conv4_2', (512, 512, 3, 3)), ('conv4_3', (512, 512, 3, 3))]


def setup_module():
    global weights, fake, folder
    weights = load_vgg16_weights(tiny.VGG16_FILE)
    rng = np.random.RandomState(3)
    fake = [array for _, shape in SHAPES for array in
            (rng.random_sample(shape).astype('float32'),
             rng.random_sample(shape[:1]).astype('float32'))]
    folder = tempfile.TemporaryDirectory()


def teardown_module():
    folder.cleanup()


def path_of(name):
    return os.path.join(folder.name, name)


def write(content):
    """Path of a file of these bytes."""
    path = path_of('weights.pkl')
    with open(path, 'wb') as stream:
        stream.write(content)
    return path


def error_of(path):
    """The one line that refuses a file."""
    with assert_raises(ColornetError) as raised:
        load_vgg16_weights(path)
    message = str(raised.exception)
    assert_in(str(path), message)
    assert_not_in('\n', message)
    ok_(len(message) < 300, message)
    return message


def check_loads_fake(path):
    loaded = load_vgg16_weights(path)
    eq_(list(loaded), [name for name, _ in SHAPES])
    arrays = [array for pair in loaded.values() for array in pair]
    for array, expected in zip(arrays, fake):
        eq_(array.dtype, np.float32)
        assert_array_equal(array, expected)


def test_readme_has_the_checksums_of_all_weights():
    text = (WEIGHTS / 'README.rst').read_text(encoding='utf-8')
    listed = {name: digest for digest, name in re.findall(
        r'^ +([0-9a-f]{64})  (\S+)$', text, re.MULTILINE)}
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
             for path in WEIGHTS.iterdir() if path.suffix in ('.pkl', '.h5')}
    assert_in('vgg16.pkl', files)
    eq_(listed, files)


def test_shipped_weights_are_the_published_ones():
    for name, which, index, value in PUBLISHED:
        eq_(weights[name][which][index], np.float32(value))


def test_shipped_weights_are_those_layers():
    eq_([(name, W.shape) for name, (W, _) in weights.items()], SHAPES)
    eq_([(name, (filters, channels, 3, 3)) for name, (channels, filters)
         in VGG16_LAYERS.items()], SHAPES)
    for W, b in weights.values():
        eq_((W.dtype, b.dtype, b.shape), (np.float32, np.float32, W.shape[:1]))
    eq_(sum(W.size + b.size for W, b in weights.values()), 7635264)


def test_shipped_file_is_in_the_model_zoos_layout():
    with open(str(tiny.VGG16_FILE), 'rb') as stream:
        content = pickle.load(stream)
    eq_(len(content['param values']), 20)
    assert_allclose(content['mean value'], MEAN)


class Python2Pickler(pickle._Pickler):
    """Writes strings and bytes as Python 2 did: one type, any bytes."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, text):
        data = text.encode('latin1') if isinstance(text, str) else text
        self.write(b'T' + struct.pack('<i', len(data)) + data)
        self.memoize(text)

    dispatch[str] = dispatch[bytes] = save_string


def model_zoo():
    """All 32 arrays of the Model Zoo's file; the last 12 are smaller here."""
    rest = [np.zeros(2 + index, 'float32') for index in range(12)]
    return {'model type': 'vgg16', 'param values': fake + rest,
            'mean value': np.array(MEAN), 'synset words': ['caf\xe9'] * 1000}


def test_model_zoos_whole_file_of_python_2():
    path = path_of('python2.pkl')
    with open(path, 'wb') as stream:
        Python2Pickler(stream, protocol=2).dump(model_zoo())
    with assert_raises(UnicodeDecodeError), open(path, 'rb') as stream:
        pickle.load(stream)
    check_loads_fake(path)


def check_protocol(protocol):
    check_loads_fake(write(pickle.dumps(model_zoo(), protocol)))


def test_pickle_protocols_of_python_3():
    # 0 and 1 would take seconds; 5 is not what numpy wrote in those days.
    for protocol in 2, 3, 4:
        yield check_protocol, protocol


def test_byte_order_and_memory_order_do_not_matter():
    turned = [np.asfortranarray(array).astype('>f8') for array in fake]
    check_loads_fake(write(pickle.dumps({'param values': turned}, 4)))


def write_keras(root, W_name, b_name):
    for index, (name, _) in enumerate(SHAPES):
        group = 'block%s_conv%s' % (name[4], name[6])
        # Keras stores (rows, columns, channels, filters).
        root['/'.join([group, W_name % group])] = np.moveaxis(
            fake[2 * index], [2, 3, 1, 0], [0, 1, 2, 3])
        root['/'.join([group, b_name % group])] = fake[2 * index + 1]
    root['predictions/predictions_W_1:0'] = np.zeros((4, 5), 'float32')


def check_keras(W_name, b_name, group):
    path = path_of('keras.h5')
    with h5py.File(path, 'w') as file:
        write_keras(file.create_group(group) if group else file,
                    W_name, b_name)
    check_loads_fake(path)


def test_keras_files():
    yield check_keras, '%s_W_1:0', '%s_b_1:0', ''
    yield check_keras, '%s/kernel:0', '%s/bias:0', ''
    yield check_keras, '%s/kernel:0', '%s/bias:0', 'model_weights'


class Calls:
    """Pickles to a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def named(module, name, *arguments):
    """A pickle of the call of ``module.name``, which need not be there."""
    pairs = b''.join(pickle.dumps(text, 3)[2:-1] for text in (module, name))
    return (b'\x80\x04' + pairs + b'\x93(' +
            b''.join(pickle.dumps(argument, 3)[2:-1]
                     for argument in arguments) + b'tR.')


def hostile_pickles():
    """Name -> pickle; the first seven make the file `marker`, if they run."""
    marker = path_of('marker')
    code = 'open(%r, "w").close()' % marker
    run = Calls(os.system, 'touch ' + marker)
    bomb = path_of('bomb.npy')
    np.save(bomb, np.array([run], object), allow_pickle=True)
    in_array = np.array([run], object)
    return OrderedDict([
        ('os.system', pickle.dumps(run)),
        ('builtins.eval', pickle.dumps(Calls(eval, code))),
        ('in a list', pickle.dumps({'param values': fake[:2] + [run]}, 4)),
        ('in an object array', pickle.dumps({'param values': [in_array]}, 4)),
        ('numpy.load', pickle.dumps(Calls(np.load, bomb, None, True))),
        ('runstring', pickle.dumps(Calls(np.testing.runstring, code, {}))),
        ('old opcode', b"(S'touch %s'\nios\nsystem\n." % marker.encode()),
        ('attribute of a module', named('numpy', 'core.os.system',
                                        'touch ' + marker)),
        ('attribute of this module', named(
            'colornet.network.vgg16_weights',
            'pickle.sys.modules.__class__')),
        ('attribute of a class', named('numpy', 'ndarray.mro')),
        ('a codec', named('_codecs', 'encode', 'a', 'rot13')),
        ('copyreg', named('copyreg', 'add_extension', 'os', 'system', 255)),
        ('getattr', named('builtins', 'getattr', 'a', 'upper'))])


def check_refused(name, runs):
    content = hostile_pickles()[name]
    marker = path_of('marker')
    assert_in('refused to unpickle', error_of(write(content)))
    ok_(not os.path.exists(marker), name)
    if runs:
        pickle.loads(content)
        ok_(os.path.exists(marker), name + ' would do nothing anywhere')
        os.remove(marker)


def test_hostile_pickles_do_not_run():
    for number, name in enumerate(hostile_pickles()):
        yield check_refused, name, number < 7


def test_object_scalars_hold_no_code():
    run = Calls(os.system, 'touch ' + path_of('marker'))
    scalar = Calls(np.core.multiarray.scalar, np.dtype('O'), pickle.dumps(run))
    error_of(write(pickle.dumps({'param values': [scalar] * 20})))
    ok_(not os.path.exists(path_of('marker')))


def crashing_pickles():
    """Pickles that crash Python or fill its memory while they are read."""
    # An object dtype that claims to hold no objects: numpy would take the
    # bytes for an address.
    dtype = (b'cnumpy\ndtype\n(X\x02\x00\x00\x00O8I0\nI1\ntR'
             b'(I3\nX\x01\x00\x00\x00|NNNI-1\nI-1\nI0\ntb')
    yield (b'\x80\x03cnumpy.core.multiarray\nscalar\n(' + dtype +
           b'C\x08AAAAAAAAtR.')
    # Nested tuples as a key: hashing them overflows the stack.
    yield b'\x80\x02})' + b'\x85' * 1000000 + b'Ns.'
    # A note under the number 2**26: half a gigabyte.
    yield b'\x80\x02Nr' + struct.pack('<I', 1 << 26) + b'.'
    # An array of 2**36 objects.
    yield (b'\x80\x02cnumpy\nndarray\n(\x8a\x05\x00\x00\x00\x00\x10'
           b'X\x01\x00\x00\x00OtR.')


def test_crashing_pickles_are_refused():
    paths = []
    for number, content in enumerate(crashing_pickles()):
        paths.append(path_of('crash%d.pkl' % number))
        pathlib.Path(paths[-1]).write_bytes(content)
    # In a process of its own: if it crashes, this one goes on.
    code = ('import sys\n'
            'from colornet.errors import ColornetError\n'
            'from colornet.network.vgg16_weights import '
            'load_vgg16_weights\n'
            'for path in sys.argv[1:]:\n'
            '    try:\n'
            '        load_vgg16_weights(path)\n'
            '    except ColornetError as error:\n'
            '        print(error, flush=True)\n')
    done = subprocess.run([sys.executable, '-c', code] + paths,
                          cwd=str(tiny.ROOT), stdout=subprocess.PIPE,
                          universal_newlines=True)
    eq_(done.returncode, 0)
    lines = done.stdout.splitlines()
    eq_(len(lines), len(paths))
    for line, path in zip(lines, paths):
        assert_in(path, line)
    # Refused before they are read.
    for line in lines[1:3]:
        assert_in('too complicated', line)


def test_files_that_are_no_pickles():
    whole = pickle.dumps({'param values': fake}, 4)
    for content in (b'', b'Hello.\nThis is text.\n', b'hello text\n',
                    whole[:len(whole) // 2],
                    whole[:50], b'\x80\x04', b'PK\x03\x04 a zip',
                    b'<!DOCTYPE html>\n<html><body>404</body></html>\n'):
        assert_in('this is neither, or damaged; weights/vgg16.pkl is taken '
                  'where none are given', error_of(write(content)))


def test_paths_that_are_no_files():
    assert_in('No such file', error_of(path_of('missing.pkl')))
    assert_in('s a directory', error_of(folder.name))


def test_pickles_in_another_layout():
    for content in (fake, {'params': fake}, {'param values': 'conv1_1'},
                    {'param values': dict(enumerate(fake))}, None, fake[0]):
        assert_in("'param values'", error_of(write(pickle.dumps(content, 4))))


def check_not_vgg16(arrays, *told):
    message = error_of(write(pickle.dumps({'param values': arrays}, 4)))
    for text in ('is not VGG16',) + told:
        assert_in(text, message)


def test_arrays_that_are_not_vgg16s():
    check_not_vgg16([], 'conv1_1', 'nothing')
    check_not_vgg16(fake[:-2], 'conv4_3', 'nothing')
    check_not_vgg16(fake[:-1], 'conv4_3')
    check_not_vgg16(fake[2:], '(64, 3, 3, 3)', '(64, 64, 3, 3)')
    check_not_vgg16(fake[::-1], 'conv1_1')
    for replacement, told in (
            (fake[2].transpose(1, 2, 3, 0), '(64, 3, 3, 64)'),
            (np.full_like(fake[2], np.nan), 'finite'),
            (np.where(fake[2] > 0.999, np.inf, fake[2]), 'finite'),
            (np.ones(fake[2].shape, int), 'int64'),
            (fake[2].astype(complex), 'complex128'),
            (None, 'object'), (fake[2][:1].tolist(), 'object'),
            ([fake[2][:, :2], fake[2][:, 2:]], 'object')):
        check_not_vgg16(fake[:2] + [replacement] + fake[3:], 'conv1_2', told)


def test_object_arrays_are_not_read():
    objects = np.array([1.5, None], object)
    error_of(write(pickle.dumps({'param values': [objects] * 20}, 4)))


def keras_error(spoil):
    """The refusal of a Keras file after spoiling it."""
    path = path_of('spoiled.h5')
    with h5py.File(path, 'w') as file:
        write_keras(file, '%s_W_1:0', '%s_b_1:0')
        spoil(file)
    return error_of(path)


def test_keras_files_that_are_not_vgg16():
    def remove(file):
        del file['block3_conv2']

    def remove_bias(file):
        del file['block2_conv1/block2_conv1_b_1:0']

    def flatten(file):
        del file['block2_conv1']
        file['block2_conv1'] = 1.5

    def turn(file):
        del file['block1_conv2/block1_conv2_W_1:0']
        file['block1_conv2/W'] = fake[2]

    def enlarge(file):
        del file['block1_conv1/block1_conv1_W_1:0']
        file.create_dataset('block1_conv1/W', (3, 3, 10 ** 6, 10 ** 7), 'f',
                            chunks=(3, 3, 8, 8))

    assert_in('block3_conv2', keras_error(remove))
    assert_in('block2_conv1', keras_error(remove_bias))
    keras_error(flatten)
    assert_in('conv1_2', keras_error(turn))
    keras_error(enlarge)


def test_damaged_keras_files():
    path = path_of('whole.h5')
    with h5py.File(path, 'w') as file:
        write_keras(file, '%s_W_1:0', '%s_b_1:0')
    content = pathlib.Path(path).read_bytes()
    for length in 8, 100, 4000, len(content) // 2:
        error_of(write(content[:length]))
