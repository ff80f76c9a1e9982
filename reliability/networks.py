"""Files of networks: whole ones, damaged ones, and what reads them."""

import io
import json
import os
import pickle
from collections import OrderedDict
from unittest import mock

import h5py
import numpy as np

from colornet.config import Config, load_config
from colornet.network import vgg16_weights
from colornet.network.parameters import (load_arrays, load_progress,
                                         save_arrays, seal)
from colornet.prediction import layer_by_layer
from colornet.prediction.onnx import build_onnx
from colornet.prediction.onnx_graph import Graph
from colornet.prediction.onnx_runtime import load_onnx
from colornet.resources import find_resource
from tests.inventing import save_invented

from .mutations import mutate, mutate_text
from .readers import Reader

__all__ = ['NETWORKS']


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
        content = bytearray(_mutate_hdf5(self.seeds[0], chance))
        if chance.random() < .7:
            seal(memoryview(content))  # So that it is looked at.
        return bytes(content)


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
                    text = file.attrs[key].encode('utf-8', 'replace')
                    text = mutate_text(text, chance, [b'{"a": 1}'])
                    file.attrs[key] = text.decode(
                        'utf-8', 'replace').replace('\0', '')
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
        states = {'%04d' % number: array for number, array in
                  enumerate(arrays.values())}
        save_arrays(self.path, {'parameters': arrays, 'optimizer': states,
                                'log': {'losses': losses}},
                    {'progress': json.dumps(progress), 'seed': '3',
                     'config': load_config().to_json()})
        self.whole = self.read(self.path)
        return [self.path.read_bytes()]

    def read(self, path):
        progress, attributes = load_progress(path)
        Config.from_json(attributes.get('config', ''))
        return progress, load_arrays(path, ['parameters', 'optimizer'])[0]

    # What else is whole, a training would compare with its network.
    mutate = Reader.mutate

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
        # As long as any of its arrays.
        (self.folder / 'secret').write_bytes(bytes(1 << 24))
        self.model = build_onnx(network)
        self.luminance = np.full((1, 16, 16), 50, np.float32)
        return [self.model.SerializeToString()]

    def read(self, path):
        predict, config, _ = load_onnx(path, num_threads=1)
        return predict(self.luminance), config

    def is_right(self, result):
        return (result[0].shape == (1, 16, 16, 2) and
                not _has_parts_elsewhere(self.path.read_bytes()) and
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


def _has_parts_elsewhere(content):
    """Whether who reads an ONNX file has read others."""
    import onnx
    try:
        model = onnx.ModelProto.FromString(content)
    except Exception:  # The runtime may read what this package does not.
        return False
    return any(constant.external_data or constant.data_location
               for constant in model.graph.initializer)


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
        constant.external_data.add(key='length',
                                   value='%d' % len(constant.raw_data))
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


#: By kind.
NETWORKS = OrderedDict([
    ('network', _Network), ('checkpoint', _Checkpoint), ('vgg16', _Vgg16),
    ('onnx', _Onnx)])
