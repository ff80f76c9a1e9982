"""Files that are no photos: whole ones, and what reads them."""

import io
import json
import os
import pickle
from collections import OrderedDict
from unittest import mock

import h5py
import numpy as np

from colornet.config import Config, load_config
from colornet.data.image_cache import load_images
from colornet.data.splits import read_split, resolve
from colornet.evaluation.plots import PLOTTED, plot_curves
from colornet.files import read_csv, write_csv
from colornet.network import vgg16_weights
from colornet.network.parameters import load_arrays, load_progress, save_arrays
from colornet.photos.finding import find_images
from colornet.prediction import layer_by_layer, onnx_cache
from colornet.prediction.onnx import build_onnx
from colornet.prediction.onnx_graph import Graph
from colornet.prediction.onnx_runtime import load_onnx
from colornet.resources import find_resource
from colornet.studies.results import read_results
from tests.inventing import save_invented
from tests.tiny import PHOTOS

from .mutations import mutate, mutate_text

__all__ = ['READERS', 'Reader']


class Reader:
    """Whole files of a kind, and what reads such a file.

    Parameters
    ----------
    folder : Path
        Its own.

    Attributes
    ----------
    path : Path
        Where a file is to be read.
    seeds : list of bytes
    may : set of str
        Audit events that reading may cause.
    """

    name = 'file'
    may = frozenset()
    change = staticmethod(mutate)

    def __init__(self, folder):
        self.folder, self.path = folder, folder / self.name
        self.prepare()
        self.seeds = self.make()

    def prepare(self):
        """Make what else is needed."""

    def make(self):
        """The content of whole files."""
        raise NotImplementedError

    def read(self, path):
        """What the program reads of a file; a ColornetError, if nothing."""
        raise NotImplementedError

    def is_right(self, result):
        """Whether it is something whole."""
        raise NotImplementedError

    def mutate(self, chance):
        """One of the files, damaged."""
        return self.change(chance.choice(self.seeds), chance, self.seeds)


def _same(ours, theirs):
    """Whether arrays, by name, are the same to the last bit."""
    return ours.keys() == theirs.keys() and all(
        array.dtype == theirs[name].dtype and
        array.shape == theirs[name].shape and
        array.tobytes() == theirs[name].tobytes()
        for name, array in ours.items())


class _Network(Reader):
    """A trained network: the parameters that were stored, or none."""

    name = 'network.h5'

    def make(self):
        save_invented(self.path)
        self.arrays = load_arrays(self.path, ['parameters'])[0]['parameters']
        self.vgg16 = vgg16_weights.load_vgg16_weights(
            find_resource('weights/vgg16.pkl'))
        return [self.path.read_bytes()]

    def read(self, path):
        # VGG16's are large, and read once for all.
        with mock.patch.object(layer_by_layer, 'load_vgg16_weights',
                               lambda _: self.vgg16):
            parameters, config, _, _ = layer_by_layer.load_folded(path)
        graph = Graph(parameters, path)
        layer_by_layer.add_network(graph, config.network)
        graph.check_all_taken()
        return {name: parameters.get(name) for name in self.arrays}, config

    def is_right(self, result):
        return (_same(result[0], self.arrays) and
                Config.from_json(result[1].to_json()) == result[1])

    def mutate(self, chance):
        if chance.random() < .6:
            return super().mutate(chance)
        return _mutate_hdf5(self.seeds[0], chance)


def _mutate_hdf5(content, chance):
    """An HDF5 file that is one, with other things in it."""
    stream = io.BytesIO(content)
    with h5py.File(stream, 'r+') as file:
        names = []
        file.visit(names.append)
        for _ in range(chance.choice((1, 1, 2, 5))):
            name = chance.choice(names)
            if name not in file:
                continue
            value = chance.choice([
                float('nan'), np.zeros((2, 3)), 'text', b'\xff', 3,
                h5py.Empty('f'), np.zeros(0), np.array(['a'], 'S3'),
                np.zeros((1,) * 9, 'c8'), h5py.ExternalLink('/etc/passwd',
                                                            '/'),
                h5py.ExternalLink('network.h5', '/'), h5py.SoftLink('/'),
                h5py.SoftLink('/nothing'), np.zeros(3, 'i1,S2'), 'vast'])
            if chance.random() < .3 and file.attrs:
                key = chance.choice(sorted(file.attrs))
                if chance.random() < .3:
                    del file.attrs[key]
                elif isinstance(file.attrs[key], str):
                    file.attrs[key] = mutate_text(
                        file.attrs[key].encode(), chance, [b'{"a": 1}']
                    ).decode('utf-8', 'replace').replace('\0', '')
                elif not isinstance(value, (h5py.ExternalLink,
                                            h5py.SoftLink)):
                    file.attrs[key] = value
                continue
            if chance.random() < .2:
                file.move(name, 'moved/%d' % chance.getrandbits(30))
                continue
            del file[name]
            if isinstance(value, str) and value == 'vast':
                file.create_dataset(name, (1 << 40,), 'f4', chunks=(1 << 20,))
            elif chance.random() < .9:
                file[name] = value
    return stream.getvalue()


class _Checkpoint(_Network):
    """A checkpoint of a training: all that was stored, or nothing."""

    name = 'last.h5'

    def make(self):
        draw = np.random.RandomState(0)
        arrays = {('layer%d' % number, 'W'): draw.rand(3, 4, 3).astype('f4')
                  for number in range(5)}
        history = [{'epoch': epoch, 'training_loss': 1. / epoch,
                    'seconds': 2.5} for epoch in range(1, 4)]
        progress = {'history': history, 'iteration': 3, 'loss_sum': 1.5,
                    'num_images': 12, 'seconds': .5}
        losses = np.array([(1, number, 1.5) for number in range(20)])
        save_arrays(self.path, {
            'parameters': arrays, 'log': {'losses': losses},
            'optimizer': {'%04d' % number: array for number, array in
                          enumerate(arrays.values())}},
            {'progress': json.dumps(progress), 'seed': '3',
             'config': load_config().to_json()})
        self.whole = self.read(self.path)
        return [self.path.read_bytes()]

    def read(self, path):
        progress, attributes = load_progress(path)
        Config.from_json(attributes.get('config', ''))
        return progress, load_arrays(path, ['parameters', 'optimizer'])[0]

    def is_right(self, result):
        return all(_same(result[1][group], self.whole[1][group])
                   for group in ('parameters', 'optimizer'))


class _Vgg16(Reader):
    """VGG16's weights, of fewer filters: finite arrays, or none."""

    name = 'vgg16.pkl'
    layers = OrderedDict([('conv1_1', (3, 4)), ('conv1_2', (4, 5)),
                          ('conv2_1', (5, 4))])
    #: Of those that are asked about; others are refused.
    may = {'pickle.find_class'}

    def make(self):
        draw = np.random.RandomState(0)
        values = []
        for channels, filters in self.layers.values():
            values += [draw.rand(filters, channels, 3, 3).astype('f4'),
                       draw.rand(filters).astype('f4')]
        files = [pickle.dumps({'param values': values}, protocol)
                 for protocol in (0, 2, 4)]
        stream = io.BytesIO()
        with h5py.File(stream, 'w') as file:
            for name, W, b in zip(self.layers, values[::2], values[1::2]):
                group = 'block%s_conv%s/' % tuple(name[4:].split('_'))
                file[group + 'W'], file[group + 'b'] = W.transpose(
                    3, 2, 1, 0), b
        return files + [stream.getvalue()]

    def read(self, path):
        with mock.patch.object(vgg16_weights, 'VGG16_LAYERS', self.layers):
            return vgg16_weights.load_vgg16_weights(path)

    def is_right(self, result):
        return list(result) == list(self.layers) and all(
            W.shape == (filters, channels, 3, 3) and b.shape == (filters,)
            and W.dtype == b.dtype == np.float32
            and np.isfinite(W).all() and np.isfinite(b).all()
            for (channels, filters), (W, b) in zip(self.layers.values(),
                                                   result.values()))

    def mutate(self, chance):
        content = super().mutate(chance)
        if chance.random() < .5 and content[:1] != b'\x89':
            # What would run if anything did.
            call = chance.choice([
                b"cos\nsystem\n(S'touch %s'\ntR.", b"csubprocess\nPopen\n((S"
                b"'touch'\nS'%s'\nltR.", b'cbuiltins\neval\n(S\'open("%s",'
                b'"w")\'\ntR.', b"cnumpy.f2py.diagnose\nrun\n(tR0.%s"
            ]) % os.fsencode(self.folder / 'canary')
            at = chance.choice([0, content.find(b'\x80\2') + 2,
                                chance.randrange(len(content) + 1)])
            content = content[:at] + call + content[at:]
        return content


class _Onnx(Reader):
    """An ONNX file: a network that can be run, or an error."""

    name = 'network.onnx'

    def make(self):
        network = self.folder / 'network.h5'
        save_invented(network)
        (self.folder / 'secret').write_bytes(bytes(1 << 20))
        self.model = build_onnx(network)
        self.luminance = np.full((1, 16, 16), 50, np.float32)
        return [self.model.SerializeToString()]

    def read(self, path):
        predict, config, _ = load_onnx(path, num_threads=1)
        return predict(self.luminance), config

    def is_right(self, result):
        return (result[0].shape == (1, 16, 16, 2) and
                Config.from_json(result[1].to_json()) == result[1])

    def mutate(self, chance):
        import onnx
        content = self.seeds[0]
        if chance.random() < .5:
            # Not in its parameters, which are almost all of it.
            edge = 20000
            tail = mutate(content[-edge:], chance, [content[:edge]])
            head = mutate(content[:edge], chance, [content[-edge:]])
            return chance.choice([content[:-edge] + tail,
                                  head + content[edge:],
                                  head + content[edge:-edge] + tail])
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        for _ in range(chance.choice((1, 1, 2, 4))):
            _mutate_graph(model, chance)
        return model.SerializeToString()


def _mutate_graph(model, chance):
    """Change one thing of an ONNX model."""
    graph = model.graph
    node = chance.choice(graph.node)
    constant = chance.choice(graph.initializer)
    entry = chance.choice(model.metadata_props)
    kind = chance.randrange(12)
    if kind == 0:
        node.op_type = chance.choice(['Conv', 'Relu', 'Loop', 'If', 'x', ''])
    elif kind == 1:
        node.input[chance.randrange(len(node.input))] = chance.choice(
            [constant.name, node.output[0], '', 'nothing'])
    elif kind == 2:
        graph.node.remove(node)
    elif kind == 3:
        graph.initializer.remove(constant)
    elif kind == 4 and constant.dims:
        constant.dims[0] = chance.choice([0, 1, -1, 1 << 40, 7])
    elif kind == 5:
        constant.data_type = chance.choice([0, 1, 2, 7, 8, 10, 99])
    elif kind == 6:
        constant.data_location = 1
        constant.ClearField('raw_data')
        constant.external_data.add(key='location', value=chance.choice(
            ['secret', '../../../../etc/passwd', '/etc/passwd', '']))
    elif kind == 7:
        entry.value = mutate_text(entry.value.encode(), chance, [b'x']
                                  ).decode('utf-8', 'replace')
    elif kind == 8:
        model.metadata_props.remove(entry)
    elif kind == 9:
        model.opset_import[0].version = chance.choice([0, 1, 9, 99, 1 << 40])
    elif kind == 10 and node.attribute:
        attribute = chance.choice(node.attribute)
        attribute.i = chance.choice([0, -1, 1 << 40])
        if attribute.ints:
            attribute.ints[0] = chance.choice([0, -1, 1 << 40, 3])
    else:
        graph.output[0].type.tensor_type.elem_type = chance.choice([0, 7, 99])


class _Config(Reader):
    """A configuration: settings that are what they say, or an error."""

    name = 'experiment.ini'
    change = staticmethod(mutate_text)

    def make(self):
        folder = find_resource('experiments/defaults.ini').parent
        found = []
        for path in sorted(folder.glob('*.ini')):
            content = path.read_bytes()
            if b'[study]' not in content:
                found.append(content)
        return found

    def read(self, path):
        return load_config(path)

    def is_right(self, result):
        again = self.folder / 'again.ini'
        again.write_text(result.to_ini())
        return (load_config(again) == result ==
                Config.from_json(result.to_json()))


class _Log(Reader):
    """Logs of trainings: drawn, or an error."""

    name = 'log.csv'
    change = staticmethod(mutate_text)

    def make(self):
        columns = ['epoch', 'training_loss', 'validation_loss', 'acc_u',
                   'acc_v']
        write_csv(self.path, columns, [
            ['%d' % epoch] + ['%.6g' % (number / epoch) for number in
                              range(1, 5)] for epoch in range(1, 9)])
        return [self.path.read_bytes()]

    def read(self, path):
        rows = [dict(row, variant='a') for row in read_csv(
            path, {'epoch', *PLOTTED})]
        with mock.patch('colornet.evaluation.plots.save_figure'):
            plot_curves(self.folder / 'a.png', rows, ['epoch'], [
                'training_loss'])
        return rows

    def is_right(self, result):
        return isinstance(result, list)


class _Results(_Log):
    """Tables of studies: all rows whole, or an error."""

    name = 'study.csv'

    def make(self):
        results = find_resource('experiments/defaults.ini').parent / 'results'
        return [path.read_bytes() for path in sorted(results.glob('*.csv'))
                if path.read_bytes().startswith(b'variant,')][:5]

    def read(self, path):
        return read_results(path)

    def is_right(self, result):
        return all(row.keys() == result[0].keys() for row in result)


class _Split(Reader):
    """Lists of photos: photos that are there, or an error."""

    name = 'split.txt'
    change = staticmethod(mutate_text)

    def make(self):
        return ['\n'.join(['# Photos'] + [
            os.path.basename(path) for path in find_images(PHOTOS)]).encode()]

    def read(self, path):
        return resolve('folder', str(PHOTOS), read_split(path))

    def is_right(self, result):
        return len(set(result)) == len(result) > 0 and all(map(
            os.path.isfile, result))


class _ImageCache(Reader):
    """Decoded photos: the same, read or decoded anew, or an error."""

    name = 'photos.h5'
    # A damaged one is replaced.
    may = {'os.rename', 'os.remove'}

    def make(self):
        self.photos = find_images(PHOTOS)
        self.whole = load_images(self.photos, self.path, 16)[0][:]
        return [self.path.read_bytes()]

    def read(self, path):
        images, names, _ = load_images(self.photos, path, 16)
        return images[:], names

    def is_right(self, result):
        return np.array_equal(result[0], self.whole)


class _OnnxCache(Reader):
    """What is kept for ONNX Runtime: the same, read or made anew."""

    name = 'x.bin'
    may = {'os.rename', 'os.remove'}

    def make(self):
        key = 'k' * 32
        self.path = onnx_cache._folder() / (key + '.bin')
        self.path.parent.mkdir(parents=True)
        self.key, self.whole = key, bytes(range(256)) * 40
        onnx_cache._remember(key, lambda: self.whole)
        return [self.path.read_bytes()]

    def read(self, path):
        return bytes(onnx_cache._remember(self.key, lambda: self.whole))

    def is_right(self, result):
        return result == self.whole


class _Function(Reader):
    """A compiled function: loaded if nothing has changed, else compiled."""

    name = 'function.pkl'

    def make(self):
        from colornet.engine import function_cache
        from colornet.engine.backend import T, theano
        self.cache, self.key = function_cache, 'k' * 64
        self.weights = {'w': theano.shared(np.float32(2), 'w')}
        x = T.fscalar()
        with theano.change_flags(cxx=''):
            function = theano.function([x], 3 * x * self.weights['w'],
                                       mode='FAST_COMPILE')
        function_cache._store(self.path, self.key, self.weights, function)
        return [self.path.read_bytes()]

    def read(self, path):
        return self.cache._load(path, self.key, self.weights)

    def is_right(self, result):
        return result is None or self.path.read_bytes() in self.seeds


#: By kind.
READERS = OrderedDict([
    ('network', _Network), ('vgg16', _Vgg16), ('onnx', _Onnx),
    ('configuration', _Config), ('log', _Log), ('results', _Results),
    ('split', _Split), ('image-cache', _ImageCache),
    ('onnx-cache', _OnnxCache), ('function', _Function),
    ('checkpoint', _Checkpoint)])
