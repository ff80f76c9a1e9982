"""Prediction by PyTorch: luminance in, chrominance out (paper, 3.1)."""

import numpy as np
import torch

from ..color import get_color_space
from ..network.inputs import preprocess
from ..network.parameters import set_parameters
from ..network.stored import fold_batch_norm, load_stored, with_decodings
from .decoding import predicted_chroma
from .devices import fastest_layout, find_device, telling_of_memory
from .initial import set_vgg16
from .network import build_network
from .variables import learned_parameters

__all__ = ['load_for_pytorch', 'load_outputs_for_pytorch']


def load_for_pytorch(network, vgg_weights=None, decodings=((),),
                     device='auto', bfloat16=False):
    """Load a trained network that predicts by PyTorch.

    Parameters
    ----------
    network : str or Path
        As :func:`colornet.network.saved.save_network` writes it.
    vgg_weights, decodings
        As for :func:`colornet.prediction.engines.load_prediction`.
    device, bfloat16
        As for :class:`colornet.pytorch.learner.PyTorchLearner`.

    Returns
    -------
    predict, config, attributes
        As there.

    Raises
    ------
    ColornetError
        If the file is missing or is no network, or there is no such device.
    """
    outputs_of, config, attributes = _load(network, vgg_weights, device,
                                           bfloat16)
    configs = with_decodings(config, decodings)

    @torch.inference_mode()
    def predict(luminance):
        with telling_of_memory('fewer photos at a time take less'):
            outputs = outputs_of(luminance)
            return [np.moveaxis(predicted_chroma(
                outputs, one.network, one.decoding).cpu().numpy(), 1, -1)
                    for one in configs]
    return predict, configs[0], attributes


def load_outputs_for_pytorch(network, vgg_weights=None, decoding=(),
                             device='auto', bfloat16=False):
    """Load a trained network, to decode what PyTorch computes elsewhere.

    Parameters
    ----------
    network, vgg_weights, device, bfloat16
        As for :func:`load_for_pytorch`.
    decoding
        As for :func:`colornet.prediction.engines.load_outputs`.

    Returns
    -------
    outputs, config, attributes
        As there.

    Raises
    ------
    ColornetError
    """
    outputs_of, config, attributes = _load(network, vgg_weights, device,
                                           bfloat16)
    config, = with_decodings(config, [decoding])

    @torch.inference_mode()
    def outputs(luminance):
        with telling_of_memory('fewer photos at a time take less'):
            return [output.cpu().numpy() for output in outputs_of(luminance)]
    return outputs, config, attributes


def _load(path, vgg_weights, device, bfloat16):
    """The network on its device, as a function of luminance; what is stored.
    """
    device = find_device(device)
    parameters, config, attributes = load_stored(path)
    return (_build(parameters, config, vgg_weights, path, device, bfloat16),
            config, attributes)


def _build(parameters, config, vgg_weights, path, device, bfloat16):
    """The network on its device, as a function of luminance."""
    settings = dict(config.network)
    if settings['batch_norm']:
        settings['batch_norm'] = False
        parameters = fold_batch_norm(parameters)
    network = build_network(settings)
    if vgg_weights is not None or not settings['fine_tune']:
        set_vgg16(network, vgg_weights)
    set_parameters(learned_parameters(network, settings['fine_tune']),
                   parameters, path)
    layout = fastest_layout(device)
    network.to(device, memory_format=layout).eval()
    white = get_color_space(settings['color_space']).luminance_max

    def outputs_of(luminance):
        inputs = torch.from_numpy(preprocess(luminance, white)).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            outputs = network(inputs.contiguous(memory_format=layout))
        return [output.float() for output in outputs]
    return outputs_of
