"""Prediction by PyTorch: luminance in, chrominance out (paper, 3.1)."""

import numpy as np
import torch

from ..color import get_color_space
from ..network.inputs import preprocess
from ..network.parameters import set_parameters
from ..network.stored import fold_batch_norm, load_stored
from ..photos.colorizer import Colorizer
from .decoding import predicted_chroma
from .devices import fastest_layout, find_device
from .initial import set_vgg16
from .network import build_network
from .variables import learned_parameters

__all__ = ['load_pytorch', 'load_pytorch_colorizer']


def load_pytorch(path, vgg_weights=None, decoding=(), device='auto',
                 bfloat16=False):
    """Load a trained network to predict by PyTorch.

    Parameters
    ----------
    path : str or Path
        As :func:`colornet.network.saved.save_network` writes it.
    vgg_weights : str or Path, optional
    decoding : iterable of str
        As for :func:`colornet.network.saved.load_network`.
    device, bfloat16
        As for :class:`colornet.pytorch.learner.PyTorchLearner`.

    Returns
    -------
    predict : callable
        As :func:`colornet.network.saved.compile_prediction` returns it.
    config : Config
    attributes : dict

    Raises
    ------
    ColornetError
        If the file is missing or is no network, or there is no such device.
    """
    device = find_device(device)
    parameters, config, attributes = load_stored(path)
    config.override_decoding(decoding)
    if config.network['batch_norm']:
        config.override('network.batch_norm=no')
        parameters = fold_batch_norm(parameters)
    settings = config.network
    network = build_network(settings)
    if vgg_weights is not None or not settings['fine_tune']:
        set_vgg16(network, vgg_weights)
    set_parameters(learned_parameters(network, settings['fine_tune']),
                   parameters, path)
    layout = fastest_layout(device)
    network.to(device, memory_format=layout).eval()
    white = get_color_space(settings['color_space']).luminance_max

    @torch.inference_mode()
    def predict(luminance):
        inputs = torch.from_numpy(preprocess(luminance, white)).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            outputs = network(inputs.contiguous(memory_format=layout))
        chroma = predicted_chroma([output.float() for output in outputs],
                                  settings, config.decoding)
        return np.moveaxis(chroma.cpu().numpy(), 1, -1)
    return predict, config, attributes


def load_pytorch_colorizer(path, vgg_weights=None, decoding=(),
                           device='auto', bfloat16=False):
    """Load a network as :func:`load_pytorch`, to colour photos.

    Parameters
    ----------
    path, vgg_weights, decoding, device, bfloat16
        As there.

    Returns
    -------
    Colorizer
    """
    predict, config, _ = load_pytorch(path, vgg_weights, decoding, device,
                                      bfloat16)
    return Colorizer(predict, config.data['size'],
                     config.network['color_space'],
                     config.data['proportions'])
