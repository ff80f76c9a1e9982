"""Time and memory against batch and image size: ``make benchmark-sizes``."""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from colornet.files import make_folder, replacing, write_csv, writing
from colornet.terminal import progress_bar

from .children import write_problem
from .run import check_packages, measure, run_driver
from .tables import format_table

__all__ = ['BATCH_SIZES', 'IMAGE_SIZES', 'CSV_COLUMNS', 'list_points',
           'save_plot']

#: Of the training step, with images of 224 x 224.
BATCH_SIZES = (1, 2, 4, 6, 8, 12)

#: Rows and columns, one image at a time.
IMAGE_SIZES = (112, 224, 448, 896)

SIZE = 224

#: Engine -> colour and marker in the plot.
ENGINES = {'colornet': ('tab:blue', 'o'),
           'pytorch channels_last': ('tab:orange', 's')}

#: Task -> line style and name in the plot.
TASKS = {'train': ('-', 'training step'), 'predict': ('--', 'prediction')}

CSV_COLUMNS = ('task', 'image_size', 'batch_size', 'engine',
               'seconds_per_image', 'peak_memory_mb')


def list_points(batch_sizes=BATCH_SIZES, image_sizes=IMAGE_SIZES, size=SIZE):
    """List what is measured.

    Returns
    -------
    list of (task, image size, batch size)
        Each once, in order.
    """
    return sorted({('train', size, batch_size) for batch_size in batch_sizes} |
                  {(task, image_size, 1) for image_size in image_sizes
                   for task in TASKS})


def save_plot(path, rows, size=SIZE):
    """Plot time and memory against batch size and image size.

    Parameters
    ----------
    path : Path
        PNG file.
    rows : list of tuple
        In the order of :data:`CSV_COLUMNS`.
    size : int
        Of the images of which the batch size was varied.
    """
    import matplotlib
    matplotlib.use('agg')
    from matplotlib import pyplot
    from matplotlib.ticker import (LogLocator, NullFormatter, NullLocator,
                                   StrMethodFormatter)

    figure, axes = pyplot.subplots(2, 2, figsize=(9, 7), sharex='col')
    for column, (label, varied) in enumerate((
            ('images in a minibatch, %d x %d' % (size, size), 2),
            ('rows and columns of one image', 1))):
        fixed, value = (1, size) if varied == 2 else (2, 1)
        ticks = set()
        for engine, (color, marker) in ENGINES.items():
            for task, (style, name) in TASKS.items():
                found = sorted(row for row in rows if row[0] == task and
                               row[3] == engine and row[fixed] == value)
                if len(found) < 2:
                    continue
                ticks.update(row[varied] for row in found)
                for panel, number, unit in zip(axes[:, column], (4, 5),
                                               (1, 1000)):
                    panel.plot([row[varied] for row in found],
                               [row[number] / unit for row in found], style,
                               color=color, marker=marker,
                               label='%s, %s' % (engine, name))
        for panel, unit in zip(axes[:, column], (
                'seconds per image', 'peak memory of the process, GB')):
            panel.set_ylabel(unit)
            panel.grid(color='0.9')
            if column:
                panel.set_xscale('log')
                panel.set_yscale('log')
                panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                panel.yaxis.set_major_formatter(StrMethodFormatter('{x:g}'))
                panel.yaxis.set_minor_formatter(NullFormatter())
            else:
                panel.set_ylim(0, 1.1 * panel.dataLim.y1)
            panel.set_xticks(sorted(ticks), map(str, sorted(ticks)))
            panel.xaxis.set_minor_locator(NullLocator())
        axes[1, column].set_xlabel(label)
    handles, labels = axes[0, 1].get_legend_handles_labels()
    figure.legend(handles, labels, loc='upper center', ncol=2, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.93))
    with writing(path), replacing(path) as temporary:
        figure.savefig(temporary, format='png', dpi=120)
    pyplot.close(figure)


def _run(options):
    left_out, rows, problems = [], [], {}
    check_packages('torch')
    make_folder(options.out.parent)  # Fail now, not in half an hour.
    points = list_points(options.batch_sizes, options.image_sizes,
                         options.size)
    with tempfile.TemporaryDirectory() as folder:
        for task, size, batch_size in progress_bar(points, unit='point'):
            if size not in problems:
                problems[size] = str(Path(folder, '%d.npz' % size))
                write_problem(problems[size], size)

            def on_death(_, message):
                left_out.append('%s, %d images of %d x %d: %s' % (
                    task, batch_size, size, size, message))
            found = measure(problems[size], batch_size, task, list(ENGINES),
                            options.rounds, options.threads, on_death)
            rows += [(task, size, batch_size, engine,
                      statistics.median(seconds) / batch_size, memory)
                     for engine, (seconds, memory) in found.items()]
    write_csv(options.out, CSV_COLUMNS, [
        row[:4] + ('%.6g' % row[4], '%.0f' % row[5]) for row in rows])
    save_plot(options.out.with_suffix('.png'), rows, options.size)
    print(format_table(
        ('task', 'size', 'batch', 'engine', 's/image', 'peak MB'),
        [(task, '%d' % size, '%d' % batch_size, engine, '%.3f' % seconds,
          '%.0f' % memory)
         for task, size, batch_size, engine, seconds, memory in rows]))
    for line in left_out:
        print('- left out: %s' % line)
    return bool(left_out)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog='benchmarks.sizes',
                                     description=__doc__.split(':')[0])
    parser.add_argument('--out', type=Path, metavar='CSV',
                        default=Path('runs/benchmark_sizes.csv'),
                        help='the plot is put beside it '
                             '(default: %(default)s)')
    for name, default in (('batch-sizes', BATCH_SIZES),
                          ('image-sizes', IMAGE_SIZES)):
        parser.add_argument('--' + name, nargs='+', type=int, metavar='N',
                            default=default, help='(default: %s)'
                            % ' '.join(map(str, default)))
    parser.add_argument('--size', type=int, default=SIZE, metavar='N',
                        help='rows and columns while the batch size varies '
                             '(default: %(default)s)')
    return run_driver(_run, parser, arguments, num_rounds=3)


if __name__ == '__main__':
    sys.exit(main())
