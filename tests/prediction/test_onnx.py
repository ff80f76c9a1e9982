"""Networks as ONNX files, held against Theano."""

import hashlib
import json
import tempfile
from pathlib import Path
from unittest import SkipTest, mock

import numpy as np
from nose.tools import assert_in, assert_not_in, assert_raises, eq_, ok_
from numpy.testing import assert_allclose

import colornet
from colornet.config import load_config
from colornet.errors import ColornetError
from colornet.network.saved import (build_pretrained, compile_prediction,
                                    save_network)
from colornet.network.stored import load_configuration
from colornet.photos.finding import find_images
from colornet.photos.reading import read_rgb
from colornet.prediction.onnx import build_onnx, export_onnx
from colornet.prediction.onnx_external import has_external_data
from colornet.prediction.onnx_graph import Graph, import_package
from colornet.prediction.onnx_runtime import load_onnx
from colornet.resources import find_resource
from tests import tiny
from tests.networks import TINY, randomize

MEAN = ['decoding.method=mean']
#: For scores in thousands, where VGG16's maps are as they are.
HOT = ['decoding.temperature=1000']
KEEP = ['data.proportions=keep']
REGRESSION = ['data.size=16', 'network.kind=regression', 'objective.loss=l2']

#: The last two are not square, two not divisible by 16; odd batches.
SHAPES = (1, 16, 16), (3, 24, 40), (1, 48, 24)

#: Settings of networks; together they have every value of every option.
NETWORKS = (
    TINY + MEAN + KEEP + ['decoding.temperature=0.7',
                          'decoding.saturation=1.2'],
    TINY + KEEP + ['network.output_stride=2', 'network.global_features=5',
                   'network.context=2', 'decoding.smoothing=0.8',
                   'decoding.method=mean'],
    TINY + MEAN + KEEP + ['network.output_stride=4', 'network.context=1',
                          'network.batch_norm_taps=no', 'network.tail=9',
                          'network.fine_tune=yes'] + HOT,
    TINY + KEEP + ['network.output_stride=4', 'network.global_features=3',
                   'network.aggregation=sum', 'network.batch_norm=no',
                   'network.tail=4 5 6', 'network.num_bins=3'],
    TINY + MEAN + ['network.aggregation=sum', 'network.residual_units=no',
                   'network.output_stride=4'] + HOT,
    TINY + ['network.residual_units=no', 'network.color_space=hsv'],
    REGRESSION + KEEP + ['network.chroma_scale=3', 'network.context=1',
                         'decoding.saturation=1.5'],
    REGRESSION + KEEP + ['network.output_stride=4', 'network.batch_norm=no',
                         'network.global_features=2',
                         'network.color_space=hsv'],
)


def needs(*packages):
    """Skip a test where one of these is missing."""
    for package in packages:
        try:
            import_package(package)
        except ColornetError as error:
            raise SkipTest(str(error))


def setup_module():
    global folder, saved
    folder = tempfile.TemporaryDirectory()
    saved = Path(folder.name) / 'network.h5'
    save(saved, TINY + KEEP)


def teardown_module():
    folder.cleanup()


def save(path, overrides):
    """Save a network with parameters that show; returns it."""
    config = load_config(overrides=overrides)
    net = build_pretrained(config)
    randomize(net)
    if config.network['fine_tune']:
        for key in 'W', 'b':
            variable = getattr(net['conv3_2'], key)
            variable.set_value(variable.get_value() * np.float32(1.25))
    save_network(path, net, config, {'trained_on': 'nothing', 'epoch': 3})
    return net, config


def luminance_of_photos(batch, rows, columns, luminance_max):
    """Cut from photos, so that edges and surfaces are there."""
    paths = find_images(tiny.PHOTOS)
    return np.stack([
        read_rgb(paths[number % len(paths)], 64).mean(2)[:rows, :columns] /
        255 * luminance_max for number in range(batch)]).astype(np.float32)


def check_same_chroma(got, expected, exact):
    eq_((got.shape, got.dtype), (expected.shape, np.float32))
    if exact:
        assert_allclose(got, expected, atol=1e-3)
    else:  # Rounding may decide between two equal scores.
        ok_((abs(got - expected) < 1e-3).mean() > 0.998)


def check_network(overrides):
    path = Path(folder.name) / 'variant.h5'
    net, config = save(path, overrides)
    exported = path.with_suffix('.onnx')
    export_onnx(path, exported)
    predict, loaded, _ = load_onnx(exported)
    eq_(loaded, config)
    expected = compile_prediction(net, config)
    hsv = config.network['color_space'] == 'hsv'
    exact = (config.network['kind'] == 'regression' or
             config.decoding['method'] == 'mean')
    for shape in (SHAPES if config.data['proportions'] == 'keep' else
                  [(3, 16, 16)]):
        photos = luminance_of_photos(*shape, 1 if hsv else 100)
        chroma = expected(photos)
        ok_(chroma.std() > 0.01, 'too dull to tell')
        check_same_chroma(predict(photos), chroma, exact)


def test_every_network_predicts_what_it_does_in_theano():
    needs('onnx', 'onnxruntime')
    for overrides in NETWORKS:
        yield check_network, overrides


def test_a_file_is_a_graph_that_runtimes_of_years_ago_take():
    needs('onnx')
    import onnx
    model = build_onnx(saved)
    onnx.checker.check_model(model, full_check=True)
    eq_(model.ir_version, 8)
    eq_([(opset.domain, opset.version) for opset in model.opset_import],
        [('', 13)])

    def dimensions(value):
        return [axis.dim_param or axis.dim_value
                for axis in value.type.tensor_type.shape.dim]
    taken, = model.graph.input
    given, = model.graph.output
    eq_((taken.name, dimensions(taken)),
        ('luminance', ['batch', 'rows', 'columns']))
    eq_((given.name, dimensions(given)),
        ('chroma', ['batch', 'rows', 'columns', 2]))
    operators = [node.op_type for node in model.graph.node]
    # VGG16's ten, R4, two units, part of the stack, the tail's second, U, V.
    eq_(operators.count('Conv'), 17)
    eq_(operators.count('ConvTranspose'), 3)
    eq_(operators.count('MaxPool'), 4)
    # What is left is of VGG16's maps, which VGG16 itself takes otherwise.
    eq_([node.name for node in model.graph.node
         if node.op_type == 'BatchNormalization'],
        ['conv4_3_bn', 'conv3_3_bn', 'conv2_2_bn', 'conv1_2_bn'])
    eq_(operators.count('ArgMax'), 2)


def test_a_file_says_where_it_comes_from():
    needs('onnx')
    model = build_onnx(saved, decoding=['decoding.saturation=1.5'])
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    config, _ = load_configuration(saved)
    config.override('decoding.saturation=1.5')
    eq_(json.loads(metadata.pop('config')),
        json.loads(json.dumps(config)))
    eq_(metadata, {
        'format': 'colornet onnx 1', 'colornet': colornet.__version__,
        'trained_on': 'nothing', 'epoch': '3', 'color_space': 'luv',
        'size': '16', 'proportions': 'keep',
        'sha256': hashlib.sha256(saved.read_bytes()).hexdigest(),
        'vgg16_sha256': hashlib.sha256(find_resource(
            'weights/vgg16.pkl').read_bytes()).hexdigest()})


def test_half_the_space():
    needs('onnx', 'onnxruntime')
    whole, half = [Path(folder.name) / (name + '.onnx')
                   for name in ('whole', 'half')]
    mean = MEAN + ['decoding.temperature=2']
    export_onnx(saved, whole, decoding=mean)
    export_onnx(saved, half, decoding=mean, half=True)
    ok_(half.stat().st_size < 0.51 * whole.stat().st_size)
    photos = luminance_of_photos(3, 32, 32, 100)
    chroma = [load_onnx(path)[0](photos) for path in (half, whole)]
    assert_allclose(*chroma, atol=1)
    ok_(0 < abs(chroma[0] - chroma[1]).mean() < 0.1)


def error_of(function, *arguments):
    with assert_raises(ColornetError) as raised:
        function(*arguments)
    message = str(raised.exception)
    assert_not_in('\n', message)
    return message


def test_packages_that_are_missing():
    path = Path(folder.name) / 'none.onnx'
    for package, function in (
            ('onnx', lambda: export_onnx(saved, path)),
            ('onnxruntime', lambda: load_onnx(path))):
        with mock.patch.dict('sys.modules', {package: None}):
            message = error_of(function)
        assert_in('needs the package %s ' % package, message)
        assert_in("'.[onnx]'", message)
    ok_(not path.exists())


def test_files_that_are_no_networks():
    needs('onnx', 'onnxruntime')
    path = Path(folder.name) / 'other.onnx'
    assert_in('does not exist', error_of(load_onnx, path))
    for content in b'', b'<html>404</html>':
        path.write_bytes(content)
        assert_in(str(path), error_of(load_onnx, path))
    model = build_onnx(saved)
    for key, words in (('config', 'no valid configuration'),
                       ('format', 'is not an ONNX file of this version')):
        for entry in model.metadata_props:
            if entry.key == key:
                entry.value = '{'
        path.write_bytes(model.SerializeToString())
        assert_in(words, error_of(load_onnx, path))


def test_files_that_are_damaged():
    needs('onnx', 'onnxruntime')
    path = Path(folder.name) / 'damaged.onnx'
    content = build_onnx(saved).SerializeToString()
    path.write_bytes(content.replace(b'nothing', b'nothin\xff'))
    assert_in('its metadata are no text', error_of(load_onnx, path))
    # What fails only when it runs.
    model = build_onnx(saved)
    for constant in model.graph.initializer:
        if constant.name == 'vgg_mean' or len(constant.dims) == 1:
            constant.dims[0] = 1
            constant.raw_data = constant.raw_data[:4]
    path.write_bytes(model.SerializeToString())
    try:
        predict, _, _ = load_onnx(path)
    except ColornetError as error:
        message = str(error)
    else:
        message = error_of(predict, np.zeros((1, 16, 16), 'float32'))
    assert_in(str(path), message)


def test_parts_in_other_files_are_not_read():
    needs('onnx', 'onnxruntime')
    path = Path(folder.name) / 'parts.onnx'
    model = build_onnx(saved)
    eq_(has_external_data(model.SerializeToString()), False)
    constant = max(model.graph.initializer, key=lambda each: len(each.dims))
    data = constant.raw_data
    path.with_name('secret').write_bytes(data)
    constant.ClearField('raw_data')
    constant.data_location = 1
    # One that the runtime would read, and one that it would not.
    for place in 'secret', '/etc/passwd':
        del constant.external_data[:]
        constant.external_data.add(key='location', value=place)
        path.write_bytes(model.SerializeToString())
        eq_(error_of(load_onnx, path),
            '%s has parts in other files, which are not read' % path)


def test_wherever_a_tensor_is_in_another_file():
    needs('onnx')
    import onnx
    for put in (
            lambda model: model.graph.node.add().attribute.add().t,
            lambda model: model.graph.node.add().attribute.add(
                ).tensors.add(),
            lambda model: model.graph.node.add().attribute.add(
                ).g.initializer.add(),
            lambda model: model.graph.node.add().attribute.add(
                ).graphs.add().initializer.add(),
            lambda model: model.graph.node.add().attribute.add(
                ).sparse_tensor.values,
            lambda model: model.graph.node.add().attribute.add(
                ).sparse_tensors.add().indices,
            lambda model: model.graph.sparse_initializer.add().values,
            lambda model: model.training_info.add(
                ).initialization.initializer.add(),
            lambda model: model.training_info.add(
                ).algorithm.initializer.add(),
            lambda model: model.functions.add().node.add().attribute.add().t,
            lambda model: model.functions.add().attribute_proto.add().t,
            lambda model: model.graph.initializer.add()):
        for change in (lambda tensor: tensor.external_data.add(key='a'),
                       lambda tensor: setattr(tensor, 'data_location', 1)):
            model = onnx.ModelProto(ir_version=8)
            tensor = put(model)
            tensor.raw_data = b'1234'
            eq_(has_external_data(model.SerializeToString()), False)
            change(tensor)
            content = model.SerializeToString()
            eq_(has_external_data(content), True)
            for cut in range(1, len(content)):
                try:
                    has_external_data(content[:cut])
                except ValueError:
                    pass
    for content in b'\x0b', b'\x3a\x05', b'\xff' * 20, b'\0\0':
        with assert_raises(ValueError):
            has_external_data(content)


def test_parameters_that_do_not_fit():
    graph = Graph({'a/W': np.zeros((2, 3, 3, 3)), 'a/b': np.zeros(2),
                   'b/W': np.zeros((2, 2, 1, 1))}, 'x.h5')
    graph.depths['input'] = 3
    for arguments, words in ((('input', 'a', 5, 3), 'shape (2, 3, 3, 3), exp'),
                             (('input', 'c', 5, 3), 'c/W is missing')):
        assert_in(words, error_of(graph.convolve, *arguments))
    assert_in('x.h5 does not fit the network: a/b is unknown',
              error_of(graph.check_all_taken))
