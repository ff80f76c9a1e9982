"""The numbers of a training, by epoch and by minibatch (paper, 5.2)."""

from collections import OrderedDict

from ..files import write_csv, write_rows

__all__ = ['best_epoch', 'colour_gap', 'describe_epoch', 'write_history']

#: Of an epoch's numbers, those that are printed; the log has all.
SHOWN = ('epoch', 'training_loss', 'generator_loss', 'discriminator_loss',
         'validation_loss', 'acc_u', 'acc_v', 'sat_diff', 'seconds')

#: Mean accuracy that may be lost for colourfulness.
MAX_LOST = 0.01


def write_history(folder, history, losses, further_losses=()):
    """Write ``log.csv`` and ``losses.csv`` (paper, 5.2).

    Parameters
    ----------
    folder : Path
        Of the run.
    history, losses, further_losses
        As :class:`colornet.training.trainer.Trainer` has them.
    """
    # A training that was begun by an older version has fewer columns there.
    columns = OrderedDict.fromkeys(name for row in history for name in row)
    write_rows(folder / 'log.csv', list(columns), history)
    write_csv(folder / 'losses.csv',
              ('epoch', 'minibatch', 'training_loss', *further_losses),
              (('%d' % epoch, '%d' % minibatch, *map('{:.6g}'.format, numbers))
               for epoch, minibatch, *numbers in losses))


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
    keep : 'loss', 'accuracy', 'colourfulness' or 'last'
        The lowest validation loss, the highest mean of Acc. U and Acc. V, or
        the last epoch. Or, of those that have at most a point less of that
        mean than the first epoch, what is nearest to the photos in
        colourfulness and saturation: see :func:`colour_gap`.

    Returns
    -------
    int
        Counted from 1. Without validation, the last; of equals, the last.
    """
    def score(row):
        if 'validation_loss' not in row or keep == 'last':
            return 0.
        if keep == 'accuracy':
            return _accuracy(row)
        if keep == 'colourfulness':
            is_accurate = _accuracy(row) >= _accuracy(history[0]) - MAX_LOST
            return is_accurate, -colour_gap(row)
        return -float(row['validation_loss'])
    return 1 + max(range(len(history)),
                   key=lambda number: (score(history[number]), number))


def colour_gap(row):
    """How far predictions are from the photos in strength of colours.

    Parameters
    ----------
    row : dict
        Numbers of an epoch, or of an evaluation.

    Returns
    -------
    float
        Of all photos together: by what share their colourfulness differs,
        and their saturation, added up; 0 for equally strong colours.
    """
    return (abs(float(row['colourfulness_ratio']) - 1) +
            abs(float(row['sat_diff_pooled'])))


def _accuracy(row):
    """The mean of Acc. U and Acc. V."""
    return (float(row['acc_u']) + float(row['acc_v'])) / 2
