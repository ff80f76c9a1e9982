"""Plots of studies, by matplotlib; no Theano."""

from collections import OrderedDict
from pathlib import Path

import numpy as np

from .files import make_folder, replacing, writing

__all__ = ['AXES', 'PLOTTED', 'plot_study']

#: What a curve may be drawn over, and its label.
AXES = OrderedDict([('epoch', 'epoch'), ('seconds', 'seconds of training'),
                    ('minibatch', 'minibatch')])

#: What may be drawn, and its title.
PLOTTED = OrderedDict([
    ('training_loss', 'training loss'), ('validation_loss', 'validation loss'),
    ('acc_u', 'Acc. U, %'), ('acc_v', 'Acc. V, %'),
    ('sat_diff', 'saturation difference, %')])

#: Which of those are fractions.
_SHARES = 'acc_u', 'acc_v', 'sat_diff'

#: Minibatches that a point of a curve is the mean of.
_WINDOW = 10


def plot_study(path, study, curves):
    """Draw the curves of a study's variants.

    Parameters
    ----------
    path : str or Path
        The suffix gives the format.
    study : Study
    curves : list of dict of str to str
        Rows of ``<study>_curves.csv``: ``variant``, the x axis, and what is
        drawn over it. Minibatches are drawn as means of ten.
    """
    pyplot = import_pyplot()
    shown = (['training_loss'] if study.curve == 'minibatch' else
             list(study.plot))
    figure, axes = pyplot.subplots(1, len(shown), squeeze=False,
                                   figsize=(1 + 4.5 * len(shown), 4))
    for axis, name in zip(axes[0], shown):
        for variant, rows in _by_variant(curves).items():
            points = [(float(row[study.curve]), float(row[name]))
                      for row in rows if row.get(name)]
            if not points:
                continue
            x, y = np.array(points).T
            if study.curve == 'minibatch':
                x, y = _means(x), _means(y)
            axis.plot(x, 100 * y if name in _SHARES else y, label=variant,
                      marker='.' if len(x) < 30 else None)
        axis.set_xlabel(AXES[study.curve])
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_title(PLOTTED[name])
        axis.grid(alpha=0.3)
        if name.endswith('loss'):
            _limit_to_start(axis)
    if axes[0][-1].get_lines():
        axes[0][-1].legend(fontsize='small')
    figure.tight_layout()
    save_figure(figure, path)
    pyplot.close(figure)


def import_pyplot():
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
    return np.array([values[start:start + _WINDOW].mean()
                     for start in range(0, len(values), _WINDOW)])


def _limit_to_start(axis):
    """Cut off losses far above where the best variant starts."""
    starts = [line.get_ydata()[0] for line in axis.get_lines()]
    highest = max([line.get_ydata().max() for line in axis.get_lines()],
                  default=0)
    if starts and highest > 3 * min(starts):
        axis.set_ylim(top=3 * min(starts), bottom=0)


def save_figure(figure, path):
    path = Path(path)
    make_folder(path.parent)
    with writing(path), replacing(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], dpi=110)
