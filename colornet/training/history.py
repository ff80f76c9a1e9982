"""The numbers of a training, by epoch and by minibatch (paper, 5.2)."""

from collections import OrderedDict

from ..files import write_csv, write_rows

__all__ = ['best_epoch', 'describe_epoch', 'write_history']

#: Of an epoch's numbers, those that are printed; the log has all.
SHOWN = ('epoch', 'training_loss', 'validation_loss', 'acc_u', 'acc_v',
         'sat_diff', 'seconds')


def write_history(folder, history, losses):
    """Write ``log.csv`` and ``losses.csv`` (paper, 5.2).

    Parameters
    ----------
    folder : Path
        Of the run.
    history, losses
        As :class:`colornet.training.trainer.Trainer` has them.
    """
    # A training that was begun by an older version has fewer columns there.
    columns = OrderedDict.fromkeys(name for row in history for name in row)
    write_rows(folder / 'log.csv', list(columns), history)
    write_csv(folder / 'losses.csv', ('epoch', 'minibatch', 'training_loss'),
              (('%d' % epoch, '%d' % minibatch, '%.6g' % loss)
               for epoch, minibatch, loss in losses))


def describe_epoch(row):
    """A line of text about an epoch.

    Parameters
    ----------
    row : dict
        Its numbers, as in ``log.csv``.

    Returns
    -------
    str
    """
    return ', '.join('%s %.4g' % item for item in row.items()
                     if item[0] in SHOWN)


def best_epoch(history, keep='loss'):
    """The epoch whose network is kept (choice 8).

    Parameters
    ----------
    history : list of dict
        Numbers of each epoch, as in ``log.csv``.
    keep : 'loss', 'accuracy' or 'last'
        The lowest validation loss, the highest mean of Acc. U and Acc. V, or
        the last epoch.

    Returns
    -------
    int
        Counted from 1. Without validation, the last; of equals, the last.
    """
    def score(row):
        if 'validation_loss' not in row or keep == 'last':
            return 0.
        return (float(row['acc_u']) + float(row['acc_v'])
                if keep == 'accuracy' else -float(row['validation_loss']))
    return 1 + max(range(len(history)),
                   key=lambda number: (score(history[number]), number))
