"""A network scored on photos, with their pictures (paper, 5.1)."""

from pathlib import Path

from PIL import Image

from ..color import as_uint8
from ..config import load_config
from ..data.subsets import load_subset
from ..files import digest_file
from ..photos.writing import save_image
from ..prediction.engines import load_prediction
from ..terminal import progress_bar
from .predictions import evaluate, predict_images
from .sheets import save_groups, show_prediction

__all__ = ['evaluate_network', 'picture_name']


def evaluate_network(network_file, data_folder, subset='test',
                     sheet_file=None, vgg_weights=None, dataset=None,
                     decoding=(), picture_folder=None, engine=None):
    """Score a network on photos (paper, 5.1).

    Parameters
    ----------
    network_file : str or Path
    data_folder : str or Path
    subset : 'test', 'train' or 'validation'
        As :func:`colornet.data.subsets.load_subset`.
    sheet_file : str or Path, optional
        Gets a contact sheet: grey | network | original.
    vgg_weights : str or Path, optional
    dataset : str, optional
        Layout and split of the folder, such as ``cvcl``; those of the
        network's training if not given.
    decoding : iterable of str
        As for :func:`colornet.network.saved.load_network`.
    picture_folder : str or Path, optional
        Gets the network's colours, as PNG: the number in the subset and the
        photo's name.
    engine : 'theano', 'onnx' or 'pytorch', optional
        As for :func:`colornet.api.load_colorizer`.

    Returns
    -------
    dict
        As :func:`colornet.evaluation.predictions.evaluate`, and ``network``
        and ``data``: where the numbers come from.
    """
    # Before: a training may put another in its place.
    digest = digest_file(network_file)
    predict, config, attributes = load_prediction(network_file, vgg_weights,
                                                  [decoding], engine)
    if dataset is not None:
        config.override('data.dataset=' + dataset, '--dataset')
    images, names = load_subset(config, data_folder, subset)
    space = config.network['color_space']
    sheet = []

    def predictions():
        found = predict_images(lambda luminance: predict(luminance)[0],
                               images, space)
        for number, (rgb, chroma) in enumerate(progress_bar(
                found, total=len(images), unit='image',
                desc=config.network['kind'])):
            if sheet_file is not None or picture_folder is not None:
                pictures = show_prediction(rgb, [chroma], space)
            if sheet_file is not None:
                sheet.append(pictures)
            if picture_folder is not None:
                save_image(Path(picture_folder) /
                           picture_name(number, names[number]),
                           Image.fromarray(as_uint8(pictures[1])))
            yield rgb, chroma

    result = evaluate(predictions(), names, space)
    if sheet_file is not None:
        save_groups(sheet_file, sheet, names, 'network', 3)
    result['network'] = {'file': str(network_file), 'sha256': digest,
                         'kind': config.network['kind'],
                         'trained_on': str(attributes.get('trained_on', '')),
                         'epoch': int(attributes.get('epoch', 0)),
                         'decoding': config.decoding,
                         'changed_decoding': [
                             line for line in config.differences(load_config())
                             if line.startswith('decoding.')]}
    result['data'] = {'folder': str(data_folder), 'subset': subset,
                      'size': config.data['size'],
                      'num_images': len(images)}
    return result


def picture_name(number, name):
    """File name of a coloured photo: two folders may have one of a name.

    Parameters
    ----------
    number : int
        In the subset.
    name : str
        Of the photo.
    """
    return '%05d_%s.png' % (number, Path(name).stem)
