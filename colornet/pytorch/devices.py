"""What PyTorch computes with, and what it says when memory is short."""

import contextlib
import platform

import torch

from ..engine.available import DEVICES
from ..errors import ColornetError

__all__ = ['describe_device', 'fastest_layout', 'find_device',
           'telling_of_memory']


def find_device(name='auto'):
    """The device of this name.

    Parameters
    ----------
    name : str
        One of :data:`colornet.engine.available.DEVICES`: a CUDA GPU, Apple's,
        or the processor.

    Returns
    -------
    torch.device

    Raises
    ------
    ColornetError
        If it is not there.
    """
    is_there = {'cuda': torch.cuda.is_available,
                'mps': torch.backends.mps.is_available, 'cpu': lambda: True}
    if name == 'auto':
        name = next(one for one in DEVICES[1:] if is_there[one]())
    if not is_there[name]():
        raise ColornetError(
            'PyTorch %s finds no %s; --device cpu is slow' % (
                torch.__version__, {'cuda': 'CUDA GPU', 'mps': "GPU of "
                                    "Apple's"}[name]))
    return torch.device(name)


def fastest_layout(device):
    """The memory format in which a device convolves fastest.

    Parameters
    ----------
    device : torch.device

    Returns
    -------
    torch.memory_format
    """
    return (torch.contiguous_format if device.type == 'mps' else
            torch.channels_last)


def describe_device(device):
    """What the numbers of a run depend on.

    Parameters
    ----------
    device : torch.device

    Returns
    -------
    dict
        For JSON.
    """
    told = {'pytorch': torch.__version__, 'device': str(device)}
    if device.type == 'cuda':
        told.update(gpu=torch.cuda.get_device_name(), cuda=torch.version.cuda,
                    cudnn=torch.backends.cudnn.version())
    else:
        told.update(machine=platform.machine(),
                    threads=torch.get_num_threads())
    return told


@contextlib.contextmanager
def telling_of_memory(advice='a smaller training.batch_size takes less'):
    """Say in one line that memory is short, and what takes less."""
    try:
        yield
    except RuntimeError as error:
        text = str(error).split('\n')[0]
        if not any(words in text for words in (
                'out of memory', "can't allocate memory")):
            raise
        raise ColornetError('%s; %s' % (text.split('. ')[0], advice))
