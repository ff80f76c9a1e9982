"""Time colornet beside the same network in PyTorch: ``make benchmark``.

Checks first that both sides compute the same; then, for each work, the
engines take turns, so that whatever else slows the machine down slows all of
them down.
"""

import argparse
import importlib.util
import os
import statistics
import sys
import tempfile
from collections import OrderedDict
from pathlib import Path

import numpy as np

from colornet.cli import report_errors
from colornet.errors import ColornetError
from colornet.files import make_folder, write_csv
from colornet.terminal import on_terminal, progress_bar

from .agreement import compare, kind_of
from .children import Child, Children, write_problem
from .engines import ENGINES
from .peaks import PEAKS
from .tables import format_table

__all__ = ['WORKS', 'CSV_COLUMNS', 'check_packages', 'measure',
           'format_report', 'run_driver']

#: A task, and the images in its minibatch.
WORKS = ('train_6', 'predict_1', 'predict_8')

CSV_COLUMNS = ('work', 'engine', 'seconds_per_image', 'peak_memory_mb')

#: Engines that are timed in the training step only.
TRAINING_ONLY = ('colornet, obvious graph',)

#: Of which the fastest is what the others are compared with.
FLOAT32_PYTORCH = ('pytorch', 'pytorch channels_last', 'pytorch compile')

#: May be left out without making the benchmark fail.
OPTIONAL = ('pytorch compile',)

#: Repetitions that do not count: the first one compiles.
WARM_UPS = 2

#: Images in the minibatch of the check.
CHECK_BATCH_SIZE = 2


def check_agreement(problem, folder, num_threads):
    """Compare colornet, with and without oneDNN, with PyTorch.

    Returns
    -------
    list of str
        Lines that say how well they agree.

    Raises
    ------
    ColornetError
        If they do not: the worst array.
    """
    engines = ('pytorch', 'colornet', 'colornet, no oneDNN')
    lines, results = [], {}
    for engine in progress_bar(engines, desc='agreement', unit='engine'):
        path = Path(folder, 'results.npz')
        child = Child(engine, problem, CHECK_BATCH_SIZE, num_threads)
        try:
            child.write_results(path)
            lines.append('%s: %s' % (engine, child.description))
        finally:
            child.stop()
        with np.load(path) as file:
            results[engine] = dict(file)
    for engine in engines[1:]:
        rows = compare(results.pop(engine), results['pytorch'])
        name, difference, allowed = rows[0]
        if not difference <= allowed:
            raise ColornetError(
                '%s and PyTorch do not compute the same: %s differs by %.1e '
                'of its size, allowed are %.0e'
                % (engine, name, difference, allowed))
        kinds = OrderedDict()
        for name, difference, _ in rows:
            kind = kind_of(name)
            kinds[kind] = max(difference, kinds.get(kind, 0.))
        lines.append('%s agrees with PyTorch: %s' % (engine, ', '.join(
            '%s %.0e' % item for item in sorted(kinds.items()))))
    return lines


def measure(problem, batch_size, task, engines, num_rounds, num_threads,
            on_death):
    """Time a task in several engines by turns.

    Parameters
    ----------
    problem : str
        File of :func:`benchmarks.problem.write_problem`.
    batch_size : int
    task : 'train', 'predict' or 'peak'
    engines : sequence of str
    num_rounds, num_threads : int
    on_death : callable
        Takes the message of an engine that died.

    Returns
    -------
    OrderedDict of str to (list of float, float)
        For each engine that lives: seconds, peak memory in MB.
    """
    seconds = OrderedDict((engine, []) for engine in engines)
    bar = progress_bar(total=len(engines) * (WARM_UPS + num_rounds),
                       desc='%s_%d' % (task, batch_size), unit='run')
    with bar, Children(problem, batch_size, num_threads, on_death) as group:
        # One after the other, as the first repetition takes most memory.
        for engine in engines:
            bar.set_postfix(engine=engine, refresh=on_terminal())
            group.start(engine)
            for _ in range(WARM_UPS):
                group.run(engine, task)
                bar.update()
        for _ in range(num_rounds):
            for engine in engines:
                bar.set_postfix(engine=engine, refresh=on_terminal())
                seconds[engine].append(group.run(engine, task))
                bar.update()
        return OrderedDict(
            (engine, (seconds[engine], child.peak_memory_mb))
            for engine, child in group.children.items())


def format_report(rows, peak, multiply_adds):
    """Format the table and the ratios beneath it.

    Parameters
    ----------
    rows : list of (work, engine, seconds per image, peak memory in MB)
    peak : float
        Measured multiply-adds per second.
    multiply_adds : dict of str to int
        For an image, by task.

    Returns
    -------
    str
    """
    seconds = {(work, engine): value for work, engine, value, _ in rows}
    references = {}
    for work in OrderedDict.fromkeys(row[0] for row in rows):
        found = [(seconds[work, engine], engine) for engine in
                 FLOAT32_PYTORCH if (work, engine) in seconds]
        if found:
            references[work] = min(found)
    cells = []
    for work, engine, value, memory in rows:
        fraction = multiply_adds[work.split('_')[0]] / value / peak
        times = ('%.2f' % (references[work][0] / value)
                 if work in references else '-')
        cells.append((work, engine, '%.3f' % value, '%.0f' % memory,
                      '%.2f' % fraction, times))
    table = format_table(('work', 'engine', 's/image', 'peak MB',
                          'of peak', 'times faster'), cells)

    def ratio(text, work, engine, other):
        if (work, engine) in seconds and (work, other) in seconds:
            return '- %s: %s is %.2f times as fast as %s.' % (
                text, engine, seconds[work, other] / seconds[work, engine],
                other)
        return None

    best = references.get('train_6', (0, None))[1]
    lines = [
        ratio('Training against float32', 'train_6', 'colornet', best),
        ratio('Training against bfloat16', 'train_6', 'colornet',
              'pytorch channels_last bf16'),
        ratio('Training without oneDNN', 'train_6', 'colornet, no oneDNN',
              best),
        ratio('Prediction of one photo', 'predict_1', 'colornet',
              'pytorch channels_last')]
    return '\n'.join([table, ''] + [line for line in lines if line])


def describe_machine(num_threads):
    """Processor and threads, in a line."""
    try:
        with open('/proc/cpuinfo') as file:
            model = next(line.split(':')[1].strip() for line in file
                         if line.startswith('model name'))
    except (OSError, StopIteration):
        model = 'unknown processor'
    return '%s, %d threads' % (model, num_threads)


def _measure_peak(problem, options, on_death):
    """The most multiply-adds per second, and a line about it."""
    found = measure(problem, 1, 'peak', list(PEAKS), 4 * options.rounds,
                    options.threads, on_death)
    if not found:
        raise ColornetError('no engine can show what the machine can do')
    rates = {engine: PEAKS[engine][1] / min(seconds)
             for engine, (seconds, _) in found.items()}
    return max(rates.values()), 'float32 GFLOP/s, the best of %d: %s' % (
        4 * options.rounds, ', '.join(
            '%s %.0f' % (PEAKS[engine][0], 2e-9 * rate)
            for engine, rate in rates.items()))


def _run(options):
    left_out = []
    if any(engine.startswith('pytorch') for engine in options.engines):
        check_packages('torch')
    make_folder(options.out.parent)  # Fail now, not in half an hour.
    with tempfile.TemporaryDirectory() as folder:
        problem = str(Path(folder, 'problem.npz'))
        write_problem(problem, options.size)
        with np.load(problem) as file:
            multiply_adds = {task: int(file['multiply_adds/' + task])
                             for task in ('train', 'predict')}
        lines = [describe_machine(options.threads)]
        if options.check:
            lines += check_agreement(problem, folder, options.threads)
        peak, line = _measure_peak(problem, options, left_out.append)
        lines.append(line)
        rows = []
        for work in options.works:
            task, batch_size = work.rsplit('_', 1)
            engines = [engine for engine in options.engines if task ==
                       'train' or engine not in TRAINING_ONLY]
            found = measure(problem, int(batch_size), task, engines,
                            options.rounds, options.threads,
                            lambda message: left_out.append(
                                '%s: %s' % (work, message)))
            rows += [
                (work, engine, statistics.median(seconds) / int(batch_size),
                 memory) for engine, (seconds, memory) in found.items()]
    write_csv(options.out, CSV_COLUMNS, [
        (work, engine, '%.6g' % seconds, '%.0f' % memory)
        for work, engine, seconds, memory in rows])
    print('\n'.join(['- ' + line for line in lines]))
    print('- "of peak" is nominal: %.1f (prediction) and %.1f (training) '
          'GFLOP per image,\n  as the convolutions of the paper\'s graph '
          'take them, by the\n  fastest of these. Algorithms that need fewer '
          'products can be above 1.\n'
          '- "times faster": than the fastest float32 PyTorch.\n'
          '- Seconds are medians of %d; memory is the peak of the process.\n'
          % (2e-9 * multiply_adds['predict'], 2e-9 * multiply_adds['train'],
             options.rounds))
    print(format_report(rows, peak, multiply_adds))
    for line in left_out:
        print('- left out: %s' % line)
    return any(not any(name in line for name in OPTIONAL)
               for line in left_out)


def check_packages(*names):
    """Refuse to start without packages that are needed in half an hour."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise ColornetError('%s is not installed: pip install -r '
                                'benchmarks/requirements.txt, or make '
                                'benchmark' % name)


def run_driver(function, parser, arguments=None, num_rounds=5):
    """Run a driver, with errors and Ctrl-C in one line.

    Parameters
    ----------
    function : callable
        Takes the options, returns whether something failed.
    parser : ArgumentParser
        Gets ``--threads`` and ``--rounds``.
    arguments : list of str, optional
    num_rounds : int
        Default of ``--rounds``.

    Returns
    -------
    int
        The exit status.
    """
    parser.add_argument('--threads', type=int, metavar='N',
                        default=len(os.sched_getaffinity(0)),
                        help='of each engine (default: %(default)s)')
    parser.add_argument('--rounds', type=int, default=num_rounds,
                        metavar='N', help='repetitions that count '
                                          '(default: %(default)s)')
    return int(report_errors(function, parser.parse_args(arguments),
                             program='benchmark'))


def main(arguments=None):
    parser = argparse.ArgumentParser(prog='benchmarks.run',
                                     description=__doc__.split(':')[0])
    parser.add_argument('--out', type=Path, metavar='CSV',
                        default=Path('runs/benchmark.csv'),
                        help='(default: %(default)s)')
    parser.add_argument('--size', type=int, default=224, metavar='N',
                        help='rows and columns of the images '
                             '(default: %(default)s)')
    parser.add_argument('--works', nargs='+', default=WORKS, metavar='WORK',
                        help='(default: %s)' % ' '.join(WORKS))
    parser.add_argument('--engines', nargs='+', default=ENGINES,
                        choices=ENGINES, metavar='ENGINE',
                        help='(default: all)')
    parser.add_argument('--no-check', dest='check', action='store_false',
                        help='do not check first that they compute the same')
    return run_driver(_run, parser, arguments)


if __name__ == '__main__':
    sys.exit(main())
