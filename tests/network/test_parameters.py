"""Checkpoints: round trips, damage, and all-or-none changes."""

import gc
import os
import pathlib
import resource
import shutil
import sys
import tempfile
from collections import OrderedDict

import h5py
import numpy as np
from nose.tools import assert_raises, eq_
from numpy.testing import assert_array_equal

from colornet.engine.backend import theano
from colornet.errors import ColornetError
from colornet.network.parameters import (load_arrays, save_arrays,
                                         set_parameters)
from tests.tiny import check_error, editing

RANDOM = np.random.RandomState(0)
WEIGHTS = RANDOM.normal(size=(4, 3, 3, 3)).astype('float32')
BIAS = RANDOM.normal(size=4).astype('float32')


class TestFiles:
    """Checkpoints in a temporary folder."""

    def setup(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.path = self.folder / 'checkpoint.h5'

    def teardown(self):
        shutil.rmtree(str(self.folder))

    def save(self, dtype=None):
        save_arrays(self.path, {
            'parameters': {('conv', 'W'): WEIGHTS, ('conv', 'b'): BIAS},
            'optimizer': {'0000': np.float64(0.1), '0001': np.arange(3)}},
            {'config': '{"a": 1}', 'epoch': 3, 'loss': 0.25}, dtype)

    def check_intact(self):
        """The saved file is there, whole, and there is nothing else."""
        eq_(os.listdir(str(self.folder)), ['checkpoint.h5'])
        loaded, _ = load_arrays(self.path, ['parameters'])
        assert_array_equal(loaded['parameters']['conv/W'], WEIGHTS)

    def test_every_byte_counts(self):
        self.save()
        content = self.path.read_bytes()
        # HDF5 has no checksums of attributes, names and types, or crashes.
        for at in (0, 20, 79, content.index(b'epoch'), 512, 516,
                   content.index(b'parameters'), len(content) - 1):
            damaged = bytearray(content)
            damaged[at] ^= 1
            self.path.write_bytes(damaged)
            check_error(lambda: load_arrays(self.path, ['parameters']),
                        str(self.path))
        self.path.write_bytes(content)
        self.check_intact()

    def test_older_files_have_no_seal(self):
        self.save()
        with h5py.File(self.path, 'r') as old, h5py.File(
                self.folder / 'old.h5', 'w') as new:
            old.copy('parameters', new)
            new.attrs['epoch'] = 4
        loaded, attributes = load_arrays(self.folder / 'old.h5',
                                         ['parameters'])
        assert_array_equal(loaded['parameters']['conv/W'], WEIGHTS)
        eq_(attributes, {'epoch': 4})

    def test_arrays_that_are_larger_than_the_file(self):
        self.save()
        with editing(self.path) as file:
            del file['parameters/conv/W']
            file.create_dataset('parameters/conv/W', (1 << 40,), 'f4',
                                chunks=(1 << 20,))
        check_error(lambda: load_arrays(self.path, ['parameters']),
                    str(self.path), 'conv/W is more than is stored')

    def test_round_trip(self):
        self.save()
        loaded, attributes = load_arrays(self.path,
                                         ['parameters', 'optimizer'])
        eq_(attributes, {'config': '{"a": 1}', 'epoch': 3, 'loss': 0.25})
        eq_(set(loaded), {'parameters', 'optimizer'})
        eq_(set(loaded['parameters']), {'conv/W', 'conv/b'})
        for got, expected in [
                (loaded['parameters']['conv/W'], WEIGHTS),
                (loaded['parameters']['conv/b'], BIAS),
                (loaded['optimizer']['0000'], np.float64(0.1)),
                (loaded['optimizer']['0001'], np.arange(3))]:
            assert_array_equal(got, expected)
            eq_((got.dtype, got.shape), (expected.dtype, expected.shape))
        eq_(os.listdir(str(self.folder)), ['checkpoint.h5'])

    def test_text_that_is_not_unicode(self):
        save_arrays(self.path, {}, {
            'data': b'caf\xe9'.decode('utf-8', 'surrogateescape')})
        eq_(load_arrays(self.path, [])[1], {'data': 'caf\\udce9'})

    def test_only_the_groups_asked_for(self):
        self.save()
        eq_(list(load_arrays(self.path, ['optimizer'])[0]), ['optimizer'])
        eq_(load_arrays(str(self.path), [])[0], {})

    def test_half_precision(self):
        self.save('float16')
        with h5py.File(str(self.path), 'r') as file:
            eq_(file['parameters/conv/W'].dtype, np.float16)
            eq_(file['optimizer/0001'].dtype, np.arange(3).dtype)
        loaded, _ = load_arrays(self.path, ['parameters'])
        got = loaded['parameters']['conv/W']
        eq_(got.dtype, np.float32)
        assert_array_equal(got, WEIGHTS.astype('float16').astype('float32'))

    def test_half_precision_never_makes_infinity(self):
        # Running variances of VGG16's maps can be this large.
        variance = np.float32([1e6, 1])
        save_arrays(self.path, {'g': {'a': variance, 'b': -variance}}, {},
                    'float16')
        loaded, _ = load_arrays(self.path, ['g'])
        assert_array_equal(loaded['g']['a'], variance)
        assert_array_equal(loaded['g']['b'], -variance)

    def test_saving_replaces(self):
        save_arrays(self.path, {'other': {'a': BIAS}}, {'old': 1})
        self.save()
        self.check_intact()
        eq_('old' in load_arrays(self.path, [])[1], False)

    def test_a_failed_save_keeps_the_old_file(self):
        self.save()
        with assert_raises(TypeError):
            save_arrays(self.path, {'parameters': {'W': WEIGHTS + 1,
                                                   'odd': object()}}, {})
        self.check_intact()

    def test_a_full_disk_keeps_the_old_file(self):
        self.save()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
        # What Python 3.13, or -X dev, would print behind the error.
        noise, hook = [], sys.unraisablehook
        sys.unraisablehook = noise.append
        try:
            # Not assert_raises, which clears the frames; they end in a cycle,
            # as they do in a program that has ended by the error.
            try:
                save_arrays(self.path, {'parameters': {'W': np.ones(9999)}},
                            {})
            except ColornetError as error:
                message, error.itself = str(error), error
            gc.collect()
        finally:
            sys.unraisablehook = hook
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        eq_(message, 'cannot write %s: File too large' % self.path)
        eq_(noise, [])
        self.check_intact()

    def test_folders_that_cannot_be_written_to(self):
        (self.folder / 'file').write_bytes(b'')
        for path, reason in [
                (self.folder / 'file' / 'c.h5', 'cannot make the folder %s'
                 % (self.folder / 'file')),
                (self.folder, 'cannot write %s: ' % self.folder)]:
            check_error(lambda: save_arrays(path, {'g': {'a': BIAS}}, {}),
                        reason)
        eq_(os.listdir(str(self.folder)), ['file'])
        siblings = os.listdir(str(self.folder.parent))
        assert not [name for name in siblings
                    if name.startswith(self.folder.name + '.')], siblings

    def check_unreadable(self, *words):
        check_error(lambda: load_arrays(self.path, ['parameters']),
                    'checkpoint.h5', *words)

    def test_missing_files(self):
        self.check_unreadable('does not exist')

    def test_files_of_other_kinds(self):
        for content in (b'', b'[training]\nepochs = 3\n', b'\x00' * 5000):
            self.path.write_bytes(content)
            self.check_unreadable('is no HDF5 file, as trained networks are')
        self.path.unlink()
        self.path.mkdir()
        self.check_unreadable('cannot read')

    def test_truncated_files(self):
        self.save()
        content = self.path.read_bytes()
        for size in (10, 100, len(content) // 2, len(content) - 1):
            self.path.write_bytes(content[:size])
            self.check_unreadable('cannot read')

    def test_damaged_files(self):
        self.save()
        content = self.path.read_bytes()
        for name in (b'HEAP', b'SNOD', b'TREE'):
            assert name in content, name
            self.path.write_bytes(content.replace(name, b'\x9e' * len(name)))
            self.check_unreadable('cannot read')

    def test_missing_groups(self):
        with h5py.File(str(self.path), 'w') as file:
            file['other/W'] = WEIGHTS
        self.check_unreadable('no group', 'parameters')
        with h5py.File(str(self.path), 'w') as file:
            file['parameters'] = WEIGHTS
        self.check_unreadable()


class TestParameters:
    """Two shared variables that are set, or not."""

    def setup(self):
        self.variables = OrderedDict([
            (('conv', 'b'), theano.shared(BIAS * 0)),
            (('conv', 'W'), theano.shared(WEIGHTS * 0))])

    def values(self):
        return [variable.get_value() for variable in self.variables.values()]

    def set(self, **changes):
        """Set the variables to the weights but for some changes."""
        arrays = {'conv/W': WEIGHTS, 'conv/b': BIAS}
        for name, array in changes.items():
            arrays['conv/' + name] = array
        set_parameters(self.variables, {name: array for name, array
                                        in arrays.items()
                                        if array is not None}, 'x.h5')

    def refused(self, words, **changes):
        check_error(lambda: self.set(**changes), 'x.h5', *words)
        for value in self.values():
            assert not value.any()

    def test_values_are_set(self):
        self.set()
        bias, weights = self.values()
        assert_array_equal(bias, BIAS)
        assert_array_equal(weights, WEIGHTS)

    def test_the_dtype_is_the_variables(self):
        self.set(b=BIAS.astype(float))
        assert_array_equal(self.values()[0], BIAS)
        eq_(self.values()[0].dtype, np.float32)

    def test_missing(self):
        self.refused(['conv/W', 'missing'], W=None)

    def test_unknown(self):
        self.refused(['conv/gamma', 'unknown'], gamma=BIAS)

    def test_shapes(self):
        self.refused(['conv/W', '(4, 3, 3, 2)', '(4, 3, 3, 3)'],
                     W=WEIGHTS[..., :2])
        # Nothing is broadcast.
        self.refused(['conv/b', '(1,)', '(4,)'], b=BIAS[:1])
        self.refused(['conv/b', '()', '(4,)'], b=BIAS[0])

    def test_not_finite(self):
        for value in (np.nan, np.inf, -np.inf):
            array = WEIGHTS.copy()
            array[1, 2, 0, 1] = value
            self.refused(['conv/W', 'not finite'], W=array)


def test_damaged_numbers_are_noticed():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'arrays.h5')
        array = np.arange(100, dtype=np.float32).reshape(10, 10)
        save_arrays(path, {'group': {'name': array}}, {})
        with open(path, 'rb') as stream:
            content = stream.read()
        start = content.index(array.tobytes())
        with open(path, 'r+b') as stream:
            stream.seek(start + 50)
            stream.write(b'\xff')
        with assert_raises(ColornetError):
            load_arrays(path, ['group'])
