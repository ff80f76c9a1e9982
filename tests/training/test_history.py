"""The numbers of a training: files, a line of text, the best epoch."""

import tempfile
from collections import OrderedDict
from pathlib import Path

from nose.tools import eq_

from colornet.training.history import (best_epoch, colour_gap, describe_epoch,
                                       write_history)


def test_the_epoch_that_is_kept():
    rows = [{'validation_loss': loss, 'acc_u': acc_u, 'acc_v': acc_v}
            for loss, acc_u, acc_v in [(3, .1, .2), (2, .3, .1), (1, .2, .1),
                                       (1, .1, .1)]]
    eq_(best_epoch(rows), 4)
    eq_(best_epoch(rows[:3]), 3)
    eq_(best_epoch(rows, 'accuracy'), 2)
    eq_(best_epoch(rows[:3], 'last'), 3)
    eq_(best_epoch(rows[:2], 'last'), 2)
    eq_(best_epoch([{'acc_u': 1}, {'acc_u': 0}]), 2)
    # Without a point of the first one's accuracy, as colourful as photos are.
    rows = [{'validation_loss': 1, 'acc_u': acc_u, 'acc_v': .1,
             'colourfulness_ratio': ratio, 'sat_diff_pooled': saturation}
            for acc_u, ratio, saturation in [
                (.2, .7, -.3), (.19, .9, -.1), (.185, 1.1, .15), (.17, 1, 0)]]
    eq_(best_epoch(rows, 'colourfulness'), 2)
    eq_(best_epoch(rows[2:], 'colourfulness'), 2)
    eq_([round(colour_gap(row), 9) for row in rows], [.6, .2, .25, 0])
    # As read from log.csv.
    eq_(best_epoch([{name: str(value) for name, value in row.items()}
                    for row in rows], 'colourfulness'), 2)


def test_an_epoch_is_told_in_a_line():
    eq_(describe_epoch(OrderedDict([
        ('epoch', 3), ('training_loss', 2.34567), ('psnr', 20.),
        ('acc_u', 0.5), ('seconds', 61.2)])),
        'epoch 3, training_loss 2.346, acc_u 0.5, seconds 61.2')


def test_epochs_of_an_older_version_have_fewer_columns():
    with tempfile.TemporaryDirectory() as folder:
        write_history(Path(folder), [
            OrderedDict([('epoch', 1), ('training_loss', 0.5)]),
            OrderedDict([('epoch', 2), ('training_loss', 0.25),
                         ('psnr', 20.)])], [(1, 1, 0.5), (2, 1, 1 / 3)])
        log, losses = [(Path(folder) / name).read_text().splitlines()
                       for name in ('log.csv', 'losses.csv')]
    eq_(log, ['epoch,training_loss,psnr', '1,0.5,', '2,0.25,20'])
    eq_(losses, ['epoch,minibatch,training_loss', '1,1,0.5', '2,1,0.333333'])


def test_further_losses_are_told():
    with tempfile.TemporaryDirectory() as folder:
        write_history(Path(folder), [
            OrderedDict([('epoch', 1), ('training_loss', 0.5), ('other', 2)])],
            [(1, 1, 0.5, 1.75), (1, 2, 0.5, 2.25)], ['other'])
        losses = (Path(folder) / 'losses.csv').read_text().splitlines()
    eq_(losses, ['epoch,minibatch,training_loss,other', '1,1,0.5,1.75',
                 '1,2,0.5,2.25'])
