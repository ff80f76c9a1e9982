"""Figures 2 and 3 against the networks that they are drawn from."""

import tempfile
from pathlib import Path
from unittest import mock

from nose.tools import eq_, ok_

from colornet.evaluation.schematics import SCHEMATICS, draw_network, list_boxes
from colornet.network.networks import build_classification_network
from colornet.network.vgg16 import VGG16_LAYERS
from colornet.photos.reading import read_rgb


def sources(box):
    return sorted(source.name for source in box.sources)


def test_boxes_of_the_classification_network():
    boxes = list_boxes(SCHEMATICS[3][0]())
    ok_(set(VGG16_LAYERS) <= set(boxes))
    eq_(boxes['conv4_3'].shape, (512, 28, 28))
    eq_(sources(boxes['concat']), ['conv1_2_bn', 'r4_up8', 'unit1_up4',
                                   'unit2_up2'])
    eq_(boxes['concat'].shape, (512, 224, 224))
    eq_(sources(boxes['unit1_sum']), ['conv3_3_bn', 'r4_up2'])
    # Batch normalization and rectifier are in the convolution's box.
    eq_(boxes['tail1_conv'].words, ['3x3 conv', 'BN, ReLU'])
    eq_(boxes['conv1_1'].words, ['3x3 conv', 'ReLU'])
    eq_(boxes['u_scores'].words, ['1x1 conv'])
    eq_(sources(boxes['u_scores']), sources(boxes['v_scores']))
    for name, box in boxes.items():
        ok_(all(source.column < box.column for source in box.sources), name)
    ok_('tail1_bn' not in boxes and 'tail1' not in boxes)


def test_boxes_of_the_regression_network():
    boxes = list_boxes(SCHEMATICS[2][0]())
    ok_(set(VGG16_LAYERS) <= set(boxes))
    eq_(sources(boxes['unit1_sum']), ['conv3_3_bn', 'r4_up2'])
    eq_(sources(boxes['unit3_sum']), ['conv1_2_bn', 'unit2_up2'])
    eq_(boxes['unit3_conv'].words, ['3x3 conv'])
    eq_((list(boxes)[-1], boxes['chroma'].shape), ('chroma', (2, 224, 224)))


def test_without_batch_normalization_its_words_are_gone():
    boxes = list_boxes(build_classification_network(batch_norm=False,
                                                    batch_norm_taps=False))
    eq_(boxes['tail2_conv'].words, ['3x3 conv', 'ReLU'])
    ok_(not any('BN' in word for box in boxes.values() for word in box.words))


def test_boxes_of_the_variants():
    for fast_stack in False, True:
        boxes = list_boxes(build_classification_network(
            output_stride=4, global_features=512, context=2,
            fast_stack=fast_stack))
        eq_(sources(boxes['r4_sum']), ['context2_up2', 'global2', 'r4_conv'])
        eq_(boxes['r4_sum'].words, ['sum'])
        eq_(boxes['context2_conv'].words, ['3x3 conv', 'BN, ReLU'])
        eq_(boxes['global1'].words, ['dense', 'ReLU'])
        eq_(boxes['global2'].words, ['dense'])
        eq_(boxes['global2'].shape, (256, 1, 1))
        eq_(boxes['conv1_2_bn_mean4'].words, ['mean of 4x4'])
        eq_(boxes['conv1_2_bn_mean4'].shape, (64, 56, 56))
    eq_(boxes['tail1_conv'].words, ['3x3 conv of upscaled maps', 'BN, ReLU'])
    eq_(sources(boxes['tail1_conv']), ['conv1_2_bn_mean4', 'r4_sum',
                                       'unit1_conv', 'unit2_mean2'])


def test_variants_are_drawn():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'variant.png'

        def build():
            return build_classification_network(
                output_stride=4, global_features=8, context=1,
                fast_stack=False)
        with mock.patch.dict(SCHEMATICS, {3: (build, 'A variant')}):
            ok_('A variant' in draw_network(3, path))
        ok_(read_rgb(path, 128).std() > 5)


def test_pictures_are_drawn():
    with tempfile.TemporaryDirectory() as folder:
        for number in SCHEMATICS:
            path = Path(folder) / ('%d.png' % number)
            ok_('Figure %d' % number in draw_network(number, path))
            ok_(read_rgb(path, 128).std() > 5)
        # A format that matplotlib does not know.
        draw_network(2, Path(folder) / 'new' / 'two.bmp')
        ok_(read_rgb(Path(folder) / 'new' / 'two.bmp', 128).std() > 5)
