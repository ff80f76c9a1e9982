"""Curves of trainings, as pictures."""

import tempfile
from pathlib import Path
from unittest import mock

from nose.tools import eq_, ok_

from colornet.evaluation import plots
from colornet.evaluation.plots import plot_curves
from colornet.photos.reading import read_photo


def drawn(curves, axes, shown):
    """Names and points of all curves, and the width of the picture."""
    names = []
    draw = plots._draw_curves

    def remember(axis, rows, over, name):
        draw(axis, rows, over, name)
        names.append((over, name, [
            (line.get_label(), line.get_ydata().tolist())
            for line in axis.get_lines()]))
    with tempfile.TemporaryDirectory() as folder, \
            mock.patch.object(plots, '_draw_curves', remember):
        path = Path(folder) / 'curves.png'
        plot_curves(path, curves, axes, shown)
        return names, read_photo(path).pixels.shape[1]


CURVES = [{'variant': variant, 'epoch': epoch, 'seconds': '%d' % (9 * epoch),
           'training_loss': loss, 'acc_u': ''}
          for variant, loss in (('a', '2.5'), ('b', 0.)) for epoch in (1, 2)]


def test_every_variant_has_a_curve_also_at_zero():
    names, _ = drawn(CURVES, ['epoch', 'seconds'], ['training_loss'])
    lines = [('a', [2.5, 2.5]), ('b', [0., 0.])]
    eq_(names, [('epoch', 'training_loss', lines),
                ('seconds', 'training_loss', lines)])


def test_logarithmic_scales_have_numbers_between_powers_of_ten():
    pyplot = plots.import_pyplot()
    axis = pyplot.figure().add_subplot(1, 1, 1)
    plots._draw_curves(axis, [
        {'variant': 'a', 'epoch': epoch, 'training_loss': 8. / 3 ** epoch}
        for epoch in range(1, 4)], 'epoch', 'training_loss')
    labels = [label.get_text() for label in axis.get_yticklabels()]
    pyplot.close()
    ok_({'0.5', '1', '2'} <= set(labels), labels)


def test_what_no_point_has_gets_no_panel():
    shown = ['training_loss', 'acc_u', 'psnr']
    names, width = drawn(CURVES, ['epoch'], shown)
    eq_([name for _, name, _ in names], ['training_loss'])
    eq_(width, drawn(CURVES, ['epoch'], shown[:1])[1])
    eq_(drawn([], ['epoch'], shown)[0], [('epoch', 'training_loss', [])])
