"""Curves and other plots, by matplotlib; no Theano."""

import io
from collections import OrderedDict

import numpy as np
from PIL import Image

from ..files import writing
from ..metrics import METRICS, in_units
from ..photos.writing import save_image

__all__ = ['AXES', 'PLOTTED', 'WINDOW', 'import_pyplot', 'plot_curves',
           'save_figure']

#: What a curve may be drawn over, and its label.
AXES = OrderedDict([('epoch', 'epoch'), ('seconds', 'seconds of training'),
                    ('minibatches', 'minibatches of training'),
                    ('minibatch', 'minibatch')])

#: What may be drawn, of an epoch or a minibatch, and its title.
PLOTTED = OrderedDict([
    ('training_loss', 'training loss'), ('validation_loss', 'validation loss'),
    ('acc_u', 'Acc. U, %'), ('acc_v', 'Acc. V, %'),
    ('sat_diff', 'saturation difference, %'),
    ('psnr', METRICS['psnr'].heading)])

#: Minibatches that a point of a curve is the mean of.
WINDOW = 10


def plot_curves(path, curves, axes, shown):
    """Draw curves: a panel for each x axis and each of what is shown.

    Parameters
    ----------
    path : str or Path
        The suffix gives the format.
    curves : list of dict of str to (str or float)
        Points: ``variant``, which names the curve, the x axis, and what is
        drawn over it. Minibatches are drawn as means of ten.
    axes : list of str
        Keys of :data:`AXES`.
    shown : list of str
        Keys of :data:`PLOTTED`. What no point has is left out, such as
        accuracies where no photos are held out.
    """
    shown = [name for name in shown if any(
        _has(row, name) for row in curves)] or shown[:1]
    pyplot = import_pyplot()
    figure, panels = pyplot.subplots(
        len(axes), len(shown), squeeze=False,
        figsize=(1 + 4 * len(shown), 4 * len(axes)))
    for row, over in zip(panels, axes):
        for panel, name in zip(row, shown):
            _draw_curves(panel, curves, over, name)
        if row[-1].get_lines():
            row[-1].legend(fontsize='small')
    figure.tight_layout()
    save_figure(figure, path)
    pyplot.close(figure)


def _has(row, name):
    return row.get(name, '') != ''


def _draw_curves(axis, curves, over, name):
    """One panel: a curve for each variant."""
    lowest, highest = np.inf, 0
    for variant, rows in _by_variant(curves).items():
        points = [(float(row[over]), float(row[name]))
                  for row in rows if _has(row, name) and _has(row, over)]
        if not points:
            continue
        x, y = np.array(points).T
        if over == 'minibatch':
            x, y = _means(x), _means(y)
        # Between dollars, matplotlib would read mathematics.
        axis.plot(x, in_units(name, y),
                  label=variant.replace('$', r'\$'),
                  marker='.' if len(x) < 30 else None)
        lowest, highest = min(lowest, y.min()), max(highest, y.max())
    axis.set_xlabel(AXES[over])
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.set_title(PLOTTED[name])
    axis.grid(alpha=0.3)
    # Objectives of different units, or one that has almost diverged.
    if name.endswith('loss') and highest > 8 * lowest > 0:
        _set_log_scale(axis)


def _set_log_scale(axis):
    """A logarithmic scale with numbers also between powers of ten."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
    axis.set_yscale('log')
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter(StrMethodFormatter('{x:g}'))
    axis.yaxis.set_minor_formatter(NullFormatter())


def import_pyplot():
    """Import matplotlib's pyplot, which takes a second.

    Returns
    -------
    module
        Drawing to memory only.
    """
    import matplotlib
    matplotlib.use('agg')
    from matplotlib import pyplot
    return pyplot


def _by_variant(rows):
    found = OrderedDict()
    for row in rows:
        found.setdefault(row['variant'], []).append(row)
    return found


def _means(values):
    """Means of each ten, the last of what is left."""
    return np.array([values[start:start + WINDOW].mean()
                     for start in range(0, len(values), WINDOW)])


def save_figure(figure, path):
    """Save a figure of matplotlib, completely or not at all.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or Path
        Its folder is made if it is missing.
    """
    stream = io.BytesIO()
    figure.savefig(stream, format='png', dpi=110)
    with writing(path):
        save_image(path, Image.open(stream).convert('RGB'))
