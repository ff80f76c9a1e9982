"""The paper's two networks (3.3 to 3.6) and their variants (5.2).

A network is an ordered dict of named Lasagne layers, from ``input`` to the
output layers: ``chroma`` for regression, ``u_scores`` and ``v_scores`` for
classification. The encoder keeps VGG16's names.
"""

from collections import OrderedDict

from ..color import NUM_BINS
from ..engine.backend import lasagne
from .layers import (BatchNormLayer, GlobalMeanLayer, MeanPoolLayer,
                     SameConv2DLayer, ScaleLayer, SumEverywhereLayer,
                     UpscaledStackConv2DLayer, UpscaleLayer)
from .stored import R4_DEPTH
from .vgg16 import VGG16_LAYERS, build_vgg16

__all__ = ['build_regression_network', 'build_classification_network',
           'build_network', 'output_layers', 'decoder_parameters',
           'all_parameters', 'trainable_parameters']

IMAGE_SHAPE = (None, 3, 224, 224)


def build_regression_network(input_var=None, chroma_scale=1.,
                             batch_norm=True, batch_norm_taps=True,
                             output_stride=1, global_features=0, context=0,
                             fine_tune=False, image_shape=IMAGE_SHAPE):
    """Build the baseline regression network (paper, 3.5, Figure 2).

    Parameters
    ----------
    input_var : tensor4, (batch, 3, rows, columns), optional
        As made by :func:`colornet.network.inputs.preprocess`.
    chroma_scale : float
        The last convolution's output is multiplied by it: larger values
        make the chrominance follow the weights faster (choice 6).
    batch_norm : bool
        Batch normalization before every nonlinearity of the decoder (3.4).
    batch_norm_taps : bool
        Batch normalization of VGG16's maps where the decoder takes them
        (choice 4).
    output_stride : 1, 2 or 4
        Rows and columns of the image for each one of the output (choice 23).
    global_features : int
        Units of a layer that sees the whole image; 0: none (choice 24).
    context : int
        Convolutions at a sixteenth of the image's rows and columns; 0: none
        (choice 25).
    fine_tune : bool
        Train VGG16's layers, too (choice 5).
    image_shape : tuple
        (batch or None, 3, rows, columns); rows and columns divisible by 8.

    Returns
    -------
    OrderedDict of str to Layer
        Last: ``chroma``, (batch, 2, rows, columns), these divided by
        `output_stride`.
    """
    _check_stride(output_stride)
    net = _build_encoder(input_var, image_shape, fine_tune)
    _add_residual_encoder(net, batch_norm, batch_norm_taps, global_features,
                          context)
    parts = [('unit2', 2), (_tap(net, 'conv1_2', batch_norm_taps), 1)]
    net['unit3_sum'] = lasagne.layers.ElemwiseSumLayer(
        [_at_stride(net, name, scale, output_stride)
         for name, scale in parts])
    net['unit3_conv'] = SameConv2DLayer(net['unit3_sum'], 2, 3)
    net['chroma'] = ScaleLayer(net['unit3_conv'], chroma_scale)
    return net


def build_classification_network(input_var=None, num_bins=NUM_BINS,
                                 aggregation='concat', residual_units=True,
                                 tail=(256, 64, 64), batch_norm=True,
                                 batch_norm_taps=True, output_stride=1,
                                 global_features=0, context=0,
                                 fine_tune=False, fast_stack=True,
                                 image_shape=IMAGE_SHAPE):
    """Build the final classification network (paper, 3.6, Figure 3).

    Parameters
    ----------
    num_bins : int
        Classes per chrominance channel.
    aggregation : 'concat' or 'sum'
        How the feature maps are joined (5.2, item 1). The maps have
        different depths; to be summed, each is first brought to 64 channels
        by a 1x1 convolution (choice 14).
    residual_units : bool
        Whether the joined maps come from the residual encoder units or
        directly from VGG16's max-pooling layers (5.2, item 2; choice 15).
    tail : sequence of int
        Depths of the 3x3 convolutions after the joined maps (5.2, item 3;
        choice 1).
    fast_stack : bool
        Compute the first of them at each map's own resolution, instead of
        upscaling and concatenating first: the same numbers (choice 18).
    input_var, batch_norm, batch_norm_taps, output_stride, fine_tune
        As in :func:`build_regression_network`.
    global_features, context
        As there; they need residual units.
    image_shape
        As there.

    Returns
    -------
    OrderedDict of str to Layer
        Last: ``u_scores`` and ``v_scores``, (batch, num_bins, rows,
        columns), these divided by `output_stride`, without softmax.
    """
    if aggregation not in ('concat', 'sum'):
        raise ValueError("aggregation must be 'concat' or 'sum', not %r"
                         % aggregation)
    if not tail:
        raise ValueError('tail needs at least one convolution')
    if not residual_units and (global_features or context):
        raise ValueError('global_features and context need residual units')
    _check_stride(output_stride)
    net = _build_encoder(input_var, image_shape, fine_tune)
    if residual_units:
        r4 = _add_residual_encoder(net, batch_norm, batch_norm_taps,
                                   global_features, context)
        parts = [(r4, 8), ('unit1', 4), ('unit2', 2)]
        last = [(_tap(net, 'conv1_2', batch_norm_taps), 1)]
    else:
        parts = [(_tap(net, name, batch_norm_taps), scale) for name, scale in
                 (('pool1', 2), ('pool2', 4), ('pool3', 8), ('pool4', 16))]
        parts, last = parts[::-1], []
    if aggregation == 'concat':
        first = _concat_conv(net, parts + last, output_stride, tail[0],
                             fast_stack, batch_norm)
    else:
        first = _sum_conv(net, parts, last, output_stride, tail[0],
                          batch_norm)
    layer = _normalized(net, 'tail1', first, batch_norm)
    for index, depth in enumerate(tail[1:], 2):
        layer = _conv_unit(net, 'tail%d' % index, layer, depth, 3, batch_norm)
    # As fully-connected layers of each pixel (paper, 3.6).
    for name in ('u_scores', 'v_scores'):
        net[name] = SameConv2DLayer(layer, num_bins, 1)
    return net


def build_network(config, input_var=None, fast_stack=True):
    """Build the network that a configuration describes.

    Parameters
    ----------
    config : Config
        Its sections ``data``, ``network`` and ``adversarial``.
    input_var : tensor4, optional
    fast_stack : bool
        As in :func:`build_classification_network`.

    Returns
    -------
    OrderedDict of str to Layer
    """
    # Of squares of images, or of images of any proportions, none is known.
    is_one = (config.data['proportions'] == 'squash' and
              not config.adversarial['crop'])
    size = config.data['size'] if is_one else None
    options = {name: config.network[name] for name in
               ('batch_norm', 'batch_norm_taps', 'output_stride',
                'global_features', 'context', 'fine_tune')}
    options.update(input_var=input_var, image_shape=(None, 3, size, size))
    if config.network['kind'] == 'regression':
        net = build_regression_network(
            chroma_scale=config.network['chroma_scale'], **options)
    else:
        options.update((name, config.network[name]) for name in
                       ('num_bins', 'aggregation', 'residual_units', 'tail'))
        net = build_classification_network(
            fast_stack=fast_stack, **options)
    if config.network['initialization'] == 'he':
        _initialize_for_rectifiers(net)
    return net


def _initialize_for_rectifiers(net):
    """Initialize the decoder's filters by He et al. (2015), not Xavier."""
    for (_, name), variable in decoder_parameters(net).items():
        if name == 'W':
            variable.set_value(lasagne.init.HeUniform('relu').sample(
                variable.get_value(borrow=True).shape))


def _check_stride(output_stride):
    if output_stride not in (1, 2, 4):
        raise ValueError('output_stride must be 1, 2 or 4, not %r'
                         % (output_stride,))


def _build_encoder(input_var, image_shape, fine_tune):
    """Input and VGG16 (3.2); frozen layers lose their 'trainable' tags."""
    if any(size is not None and size % 8 for size in image_shape[2:]):
        raise ValueError('rows and columns must be divisible by 8, got %s'
                         % (image_shape[2:],))
    net = OrderedDict(input=lasagne.layers.InputLayer(image_shape, input_var))
    net.update(build_vgg16(net['input']))
    if not fine_tune:
        for name in VGG16_LAYERS:
            for tags in net[name].params.values():
                tags.discard('trainable')
    return net


def _add_residual_encoder(net, batch_norm, batch_norm_taps, global_features,
                          context):
    """The "creating" side: R4 and residual encoder units 1 and 2 (3.5).

    A unit upscales the map below, adds VGG16's map of the same size and
    convolves the sum. (Convolving the two apart, as in
    :class:`UpscaledStackConv2DLayer`, would be more work: the sum has no more
    channels than either.)

    Returns
    -------
    str
        Name of R4's map, or of its sum with what surrounds it.
    """
    tap = _tap(net, 'conv4_3', batch_norm_taps)
    _conv_unit(net, 'r4', net[tap], R4_DEPTH, 1, batch_norm)
    r4 = _add_surroundings(net, tap, global_features, context, batch_norm)
    for unit, below, tap, depth in (('unit1', r4, 'conv3_3', 128),
                                    ('unit2', 'unit1', 'conv2_2', 64)):
        net[unit + '_sum'] = lasagne.layers.ElemwiseSumLayer(
            [_upscaled(net, below, 2),
             net[_tap(net, tap, batch_norm_taps)]])
        _conv_unit(net, unit, net[unit + '_sum'], depth, 3, batch_norm)
    return r4


def _add_surroundings(net, tap, global_features, context, batch_norm):
    """Add to R4's map what is around a pixel (choices 24 and 25).

    Parameters
    ----------
    tap : str
        Name of VGG16's conv4_3 as the decoder takes it.

    Returns
    -------
    str
        Name of the sum; that of R4's map if there is nothing to add.
    """
    dense, rectify = lasagne.layers.DenseLayer, lasagne.nonlinearities.rectify
    summands, seen = [net['r4']], tap
    if context:
        # Also the last row or column of an odd number is pooled.
        layer = net['context_pool'] = lasagne.layers.MaxPool2DLayer(
            net[tap], 2, ignore_border=False)
        for number in range(1, context + 1):
            seen = 'context%d' % number
            layer = _conv_unit(net, seen, layer, R4_DEPTH, 3, batch_norm)
        summands.append(_upscaled(net, seen, 2))
    if global_features:
        net['global_mean'] = GlobalMeanLayer(net[seen])
        net['global1'] = dense(net['global_mean'], global_features,
                               nonlinearity=rectify)
        net['global2'] = dense(net['global1'], R4_DEPTH, nonlinearity=None)
        summands.append(net['global2'])
    if len(summands) == 1:
        return 'r4'
    net['r4_sum'] = SumEverywhereLayer(summands)
    return 'r4_sum'


def _tap(net, name, batch_norm_taps):
    """Name of VGG16's map `name` as the decoder takes it."""
    if not batch_norm_taps:
        return name
    net[name + '_bn'] = BatchNormLayer(net[name])
    return name + '_bn'


def _upscaled(net, name, scale):
    """Map `name` nearest-upscaled."""
    key = '%s_up%d' % (name, scale)
    if key not in net:
        net[key] = UpscaleLayer(net[name], scale)
    return net[key]


def _at_stride(net, name, scale, stride, upscale=True):
    """Map `name` at another resolution (choice 23).

    Parameters
    ----------
    scale, stride : int
        Rows of the image for each one of the map, as it is and as it shall
        be.
    upscale : bool
        If false, a coarser map stays as it is.
    """
    if scale < stride:
        factor = stride // scale
        layer = net['%s_mean%d' % (name, factor)] = MeanPoolLayer(net[name],
                                                                  factor)
        return layer
    return (_upscaled(net, name, scale // stride)
            if scale > stride and upscale else net[name])


def _bias(batch_norm):
    """Batch normalization has a shift of its own: no bias (choice 13)."""
    return None if batch_norm else lasagne.init.Constant(0)


def _conv_unit(net, name, incoming, depth, size, batch_norm):
    """Convolution, batch normalization (3.4), rectifier (3.3)."""
    layer = net[name + '_conv'] = SameConv2DLayer(incoming, depth, size,
                                                  b=_bias(batch_norm))
    return _normalized(net, name, layer, batch_norm)


def _normalized(net, name, layer, batch_norm):
    """Batch normalization (3.4) and rectifier (3.3) of a convolution."""
    nonlinearity = lasagne.nonlinearities.rectify
    if batch_norm:
        # One pass over the maps does both, so nothing is left for after.
        layer = net[name + '_bn'] = BatchNormLayer(layer,
                                                   nonlinearity=nonlinearity)
        nonlinearity = lasagne.nonlinearities.identity
    net[name] = lasagne.layers.NonlinearityLayer(layer, nonlinearity)
    return net[name]


def _concat_conv(net, parts, stride, depth, fast_stack, batch_norm):
    """Concatenation layer and the first 3x3 convolution after it (3.6)."""
    layers = [_at_stride(net, name, scale, stride, upscale=not fast_stack)
              for name, scale in parts]
    if fast_stack:
        net['tail1_conv'] = UpscaledStackConv2DLayer(
            layers, [max(1, scale // stride) for _, scale in parts], depth, 3,
            b=_bias(batch_norm))
    else:
        net['concat'] = lasagne.layers.ConcatLayer(layers)
        net['tail1_conv'] = SameConv2DLayer(net['concat'], depth, 3,
                                            b=_bias(batch_norm))
    return net['tail1_conv']


def _sum_conv(net, parts, last, stride, depth, batch_norm):
    """Elementwise sum instead of the concatenation (5.2, item 1)."""
    layers = []
    for name, scale in parts:
        # Convolving 1x1 at the lower resolution is the same and much cheaper.
        net[name + '_to64'] = SameConv2DLayer(
            _at_stride(net, name, scale, stride, upscale=False), 64, 1)
        layers.append(_at_stride(net, name + '_to64', max(scale, stride),
                                 stride))
    layers += [_at_stride(net, name, scale, stride) for name, scale in last]
    net['sum'] = lasagne.layers.ElemwiseSumLayer(layers)
    net['tail1_conv'] = SameConv2DLayer(net['sum'], depth, 3,
                                        b=_bias(batch_norm))
    return net['tail1_conv']


def output_layers(net):
    """The output layers: one for regression, two for classification."""
    return ([net['chroma']] if 'chroma' in net else
            [net['u_scores'], net['v_scores']])


def all_parameters(net):
    """All parameters, VGG16's included, by layer and parameter name.

    Returns
    -------
    OrderedDict of (str, str) to shared variable
    """
    return OrderedDict(((key, variable.name), variable)
                       for key, layer in net.items()
                       for variable in layer.params)


def decoder_parameters(net):
    """The parameters that are not VGG16's; as :func:`all_parameters`."""
    return OrderedDict((key, variable)
                       for key, variable in all_parameters(net).items()
                       if key[0] not in VGG16_LAYERS)


def trainable_parameters(net):
    """The shared variables that training changes by gradients."""
    return lasagne.layers.get_all_params(output_layers(net), trainable=True)
