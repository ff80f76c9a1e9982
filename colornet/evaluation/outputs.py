"""What networks make of single photos, for the figures (5.3)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..color import join_channels, split_channels
from ..data.datasets import FOLDER
from ..data.splits import load_split
from ..data.subsets import load_subset
from ..photos.reading import read_rgb
from ..prediction.engines import load_configuration, load_prediction
from ..scaling import enlarge_chroma
from ..terminal import progress_bar
from .predictions import predict_images
from .sheets import grey_picture

__all__ = ['Output', 'predict_outputs']


@dataclass(frozen=True)
class Output:
    """A photo and what a network made of it.

    Attributes
    ----------
    name : str
    actual : ndarray of uint8, (rows, columns, 3)
    chroma : ndarray, (rows, columns, 2)
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


def predict_outputs(network, dataset, data_folder, select, vgg_weights=None,
                    engine=None):
    """Predict the chrominance of some test photos.

    Parameters
    ----------
    network : Path
    dataset : str
        Whose layout and split the folder has; of :data:`FOLDER`, all
        photos, in their own proportions.
    data_folder : str or Path
    select : callable
        Takes the names of all test photos, returns indices.
    vgg_weights : str or Path, optional
    engine : 'theano', 'onnx' or 'pytorch', optional
        As for :func:`colornet.api.load_colorizer`.

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
    if dataset == FOLDER:
        return _predict_folder(network, data_folder, select, vgg_weights,
                               engine)
    config, attributes = load_configuration(network)
    config.override('data.dataset=' + dataset, 'the figure')
    images, names = load_subset(config, data_folder, 'test')
    indices = list(select(names))
    predict, config, _ = load_prediction(network, vgg_weights, engine=engine)
    kind, space = config.network['kind'], config.network['color_space']
    found = predict_images(lambda luminance: predict(luminance)[0],
                           images[indices], space)
    outputs = [Output(name=names[index], actual=rgb, chroma=chroma,
                      color_space=space)
               for (rgb, chroma), index in zip(progress_bar(
                   found, total=len(indices), unit='image', desc=kind),
                   indices)]
    return outputs, _describe_source(kind, network, attributes)


def _predict_folder(network, folder, select, vgg_weights, engine):
    """Predict the chrominance of photos in a folder, in their proportions.

    The network sees them as ``colornet colorize`` shows them to it.
    """
    from ..api import load_colorizers
    paths = load_split(FOLDER, folder, 'train', test_proportion=0)
    names = [str(Path(path).relative_to(folder)) for path in paths]
    # That is without refinement, as the paper is.
    colorizer, = load_colorizers(network, vgg_weights, engine=engine)
    # Predictions for the whole photo, as it is.
    colorizer.borders, colorizer.tones = 'colour', 'keep'
    size, space = colorizer.size, colorizer.color_space
    config, attributes = load_configuration(network)
    kind, outputs = config.network['kind'], []
    indices = list(select(names))
    for index in progress_bar(indices, total=len(indices), unit='image',
                              desc=kind):
        rgb = read_rgb(paths[index], size, largest=size)
        chroma = enlarge_chroma(colorizer.predict([rgb])[0], rgb.shape[:2],
                                space)
        outputs.append(Output(name=names[index], actual=rgb, chroma=chroma,
                              color_space=space))
    return outputs, _describe_source(kind, network, attributes)


def _describe_source(kind, network, attributes):
    return '%s: %s, epoch %d' % (kind, network,
                                 int(attributes.get('epoch', 0)))
