"""Metrics as loops over their formulas, and photos to score."""

import math
import statistics

import numpy as np
from PIL import Image

from colornet.color import split_channels
from tests import tiny


def photo(name='friends.jpg'):
    return np.asarray(Image.open(str(tiny.PHOTOS / name)))[40:70, 20:60]


def noisy_chroma(rgb, scale=8.):
    chroma = split_channels(rgb)[1]
    return chroma + np.random.RandomState(0).normal(
        scale=scale, size=chroma.shape).astype(np.float32)


def loop_colourfulness(rgb):
    """Of uint8 pixels, as the paper of Hasler and Suesstrunk writes it."""
    pixels = [[float(value) for value in pixel]
              for row in rgb for pixel in row]
    red_green = [red - green for red, green, _ in pixels]
    yellow_blue = [(red + green) / 2 - blue for red, green, blue in pixels]
    deviations = [statistics.pstdev(values)
                  for values in (red_green, yellow_blue)]
    means = [statistics.fmean(values) for values in (red_green, yellow_blue)]
    return math.hypot(*deviations) + 0.3 * math.hypot(*means)


def lab(pixel):
    """a and b of an sRGB pixel in [0, 1], as CIE 15 and IEC 61966-2-1 write
    them, under D65."""
    red, green, blue = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in pixel]
    xyz = (0.412453 * red + 0.357580 * green + 0.180423 * blue,
           0.212671 * red + 0.715160 * green + 0.072169 * blue,
           0.019334 * red + 0.119193 * green + 0.950227 * blue)
    x, y, z = [
        value ** (1 / 3.) if value > 0.008856 else 7.787 * value + 16 / 116.
        for value in np.divide(xyz, (0.95047, 1., 1.08883))]
    return 500 * (x - y), 200 * (y - z)


def loop_area_under_curve(predicted_rgb, actual_rgb):
    """Of floating point pixels, threshold by threshold."""
    distances = [math.dist(lab(predicted), lab(actual)) for predicted, actual
                 in zip(predicted_rgb.reshape(-1, 3).tolist(),
                        actual_rgb.reshape(-1, 3).tolist())]
    shares = [sum(distance <= threshold for distance in distances) /
              len(distances) for threshold in range(151)]
    return sum(shares) / 151
