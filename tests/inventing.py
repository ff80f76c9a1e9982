"""Networks with random parameters, made without Theano."""

import numpy as np

from colornet.config import load_config
from colornet.network.parameters import NETWORK_FORMAT, save_arrays
from colornet.network.vgg16_weights import VGG16_LAYERS
from colornet.prediction.layer_by_layer import add_network
from colornet.prediction.onnx_graph import Graph

TINY = ['data.size=16', 'data.proportions=keep', 'network.num_bins=6',
        'network.tail=7 5', 'network.batch_norm=no',
        'decoding.method=mean']


class Inventing(Graph):
    """A graph that draws the parameters that it is asked for."""

    def __init__(self, seed):
        super().__init__({}, 'nothing')
        self.random = np.random.RandomState(seed)
        self.drawn = {}

    def parameter(self, name, shape):
        # VGG16's maps reach thousands.
        size = 1e3 if name.endswith(('_bn/mean', '_bn/variance')) else 1.
        values = (self.random.normal(0, np.prod(shape[1:]) ** -0.5, shape)
                  if name.endswith('/W') else
                  size * self.random.uniform(0.5, 2, shape))
        self.drawn[name] = values.astype(np.float32)
        return self.drawn[name]


def save_invented(path, overrides=(), seed=0, base=TINY):
    """Save a network with random parameters; returns its configuration."""
    config = load_config(overrides=list(base) + list(overrides))
    graph = Inventing(seed)
    add_network(graph, config.network)
    save_arrays(path, {'parameters': {
        name: values for name, values in graph.drawn.items()
        if name.split('/')[0] not in VGG16_LAYERS}}, {
            'format': NETWORK_FORMAT, 'config': config.to_json(),
            'trained_on': 'nothing', 'epoch': 3})
    return config
