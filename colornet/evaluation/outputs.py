"""Networks' outputs of single test photos, for the figures (5.3)."""

from dataclasses import dataclass

import numpy as np

from ..color import join_channels, split_channels
from ..terminal import progress_bar
from ..training.run import load_subset, predict_images
from .sheets import grey_picture

__all__ = ['Output', 'predict_outputs']


@dataclass(frozen=True)
class Output:
    """A photo and what a network made of it.

    Attributes
    ----------
    name : str
    actual : ndarray of uint8, (size, size, 3)
    chroma : ndarray, (size, size, 2)
        Predicted, in `color_space`.
    color_space : str
    """

    name: str
    actual: np.ndarray
    chroma: np.ndarray
    color_space: str

    @property
    def grey(self):
        """The photo without its colours."""
        return grey_picture(split_channels(self.actual, self.color_space)[0],
                            self.color_space)

    @property
    def picture(self):
        """The photo with those predicted."""
        return join_channels(split_channels(self.actual, self.color_space)[0],
                             self.chroma, self.color_space)


def predict_outputs(network, dataset, data_folder, select, vgg_weights):
    """Predict the chrominance of some test photos.

    Parameters
    ----------
    network : Path
    dataset : str
        Whose layout and split the folder has.
    data_folder : str or Path
    select : callable
        Takes the names of all test photos, returns indices.
    vgg_weights : str or Path, optional

    Returns
    -------
    outputs : list of Output
    source : str
        Where they come from.

    Raises
    ------
    ColornetError
        If the network or the photos are missing or damaged.
    """
    from ..network.saved import (compile_prediction, load_configuration,
                                 load_network)
    config, attributes = load_configuration(network)
    config.override('data.dataset=' + dataset, 'the figure')
    images, names = load_subset(config, data_folder, 'test')
    indices = list(select(names))
    net, config, _ = load_network(network, vgg_weights, fold=True)
    kind, space = config.network['kind'], config.network['color_space']
    found = predict_images(compile_prediction(net, config), images[indices],
                           space)
    outputs = [Output(name=names[index], actual=rgb, chroma=chroma,
                      color_space=space)
               for (rgb, chroma), index in zip(progress_bar(
                   found, total=len(indices), unit='image', desc=kind),
                   indices)]
    return outputs, '%s: %s, epoch %d' % (kind, network,
                                          int(attributes.get('epoch', 0)))
